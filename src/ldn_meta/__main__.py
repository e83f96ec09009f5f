"""``python -m ldn_meta`` is the ``ldn-meta`` command."""

import sys


def main() -> None:
    """Run the command; say what to install where a plain install has not all it needs."""
    try:
        from ldn_meta.pipeline.cli import main as command
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("ldn_meta"):
            raise
        sys.exit(f"ldn-meta needs {error.name}: pip install 'ldn-meta[site]'")
    command(prog_name="ldn-meta")


if __name__ == "__main__":
    main()
