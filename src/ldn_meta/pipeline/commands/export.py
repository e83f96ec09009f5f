"""``ldn-meta export``: a pool for R."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ldn_meta import paths
from ldn_meta.pipeline.commands.options import json_option


@click.command("export")
@click.argument("indication")
@click.option("--construct", metavar="NAME", help="Outcome; the main one by default.")
@click.option(
    "--output",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to; build/export by default.",
)
@json_option
def export(indication: str, construct: str | None, folder: Path | None, as_json: bool) -> None:
    """Write the pooled effects of an outcome for R's metafor, with a script that pools them.

    The CSV has slab, yi, vi, and the numbers of the arms where an effect was computed from
    them. The script stops with an error if metafor does not find the result of
    data/derived/pooled.csv.

    \b
    Examples:
      ldn-meta export fibromyalgia
      ldn-meta export fibromyalgia --construct any_adverse_event --output ~/review
    """  # noqa: D301
    from ldn_meta.pipeline import export as pipeline

    found = pipeline.export(indication, construct=construct, folder=folder)
    if as_json:
        content = [
            {
                **one.key,
                "table": _shown(one.table),
                "script": _shown(one.script),
                "trials": one.trials,
                # JSON has no NaN.
                "results": {n: None if v != v else v for n, v in one.results.items()},
            }
            for one in found
        ]
        click.echo(json.dumps(content, indent=1))
        return
    for one in found:
        click.echo(f"{_shown(one.table)}: {one.trials} trials, {one.key['measure']}")
        click.echo(f"{_shown(one.script)}: run it there with Rscript {one.script.name}")


def _shown(path: Path) -> str:
    """A path below the checkout as people type it there, any other in full."""
    root = paths.project_root()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
