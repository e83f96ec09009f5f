"""``python -m ldn_meta`` is the ``ldn-meta`` command."""

from ldn_meta.pipeline.cli import main

if __name__ == "__main__":
    main(prog_name="ldn-meta")
