"""``ldn-meta compare``: what moved between two states, for people, pull requests and machines."""

from __future__ import annotations

import sys

import click

MOVED = 1
ROWS = 20
# compare.GRADES, which would cost every other command its import; a test holds them equal.
FAIL_ON = ("verdict", "result", "any")


@click.command()
@click.argument("old", default="HEAD")
@click.argument("new", required=False)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["terminal", "markdown"]),
    default="terminal",
    help="Markdown is for a pull request or the summary of a job.",
)
@click.option("--json", "as_json", is_flag=True, help="Every change, for machines.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=ROWS,
    show_default=True,
    help="Rows of each table; 0 lists all. What reads otherwise is always listed.",
)
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    help="Exit 1 if a verdict changed, a result moved, or anything at all differs; also if that "
    "cannot be told, because results are older than their inputs or a file cannot be read.",
)
def compare(
    old: str, new: str | None, layout: str, as_json: bool, limit: int, fail_on: str | None
) -> None:
    """Say what moved: inputs, effects, pooled results, verdicts, sentences.

    OLD and NEW are folders of checkouts or revisions of this repository; without them, the
    last commit is compared with the work tree. Numbers compare by value, ratios as ratios. A
    result that crosses no difference, changes its side or its certainty comes first. Nothing
    is computed and nothing is written: run `ldn-meta run` first.

    Exit 0 also when things moved; 1 by --fail-on; 2 if OLD or NEW does not exist.

    \b
    Examples:
      ldn-meta compare                        the work tree since the last commit
      ldn-meta compare main                   the work tree against the branch main
      ldn-meta compare v0.1 v0.2              two revisions
      ldn-meta compare ../ldn-meta .          two folders
      ldn-meta compare main --format markdown --fail-on verdict
    """  # noqa: D301  (click reads the backslash)
    from ldn_meta.pipeline import compare as comparing
    from ldn_meta.pipeline import compare_output as output
    from ldn_meta.pipeline.compare_sources import open_checkout

    found = comparing.compare(open_checkout(old, "OLD"), open_checkout(new, "NEW"))
    if as_json:
        click.echo(output.as_json(found))
    elif layout == "markdown":
        click.echo(output.markdown(found, limit=limit), nl=False)
    else:
        output.write_terminal(found, limit=limit)
    if fail_on is None:
        return
    if found.reaches(fail_on):
        click.echo(f"error: something moved that --fail-on {fail_on} forbids", err=True)
        sys.exit(MOVED)
    if found.is_stale or found.unread:
        message = f"--fail-on {fail_on} cannot be told, see the notes: run `make reports` first"
        click.echo(f"error: {message}", err=True)
        sys.exit(MOVED)
