"""``ldn-meta new-trial``: a trial typed in, question by question or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ldn_meta import paths
from ldn_meta.pipeline.commands.options import json_option

if TYPE_CHECKING:
    from ldn_meta.pipeline.interview import Interview


@click.command("new-trial")
@click.option(
    "--from",
    "file",
    metavar="FILE.toml",
    type=click.Path(path_type=Path),
    help="Take the answers from a file and ask nothing.",
)
@click.option("--dry-run", is_flag=True, help="Show the rows; write nothing.")
@json_option
def new_trial(file: Path | None, dry_run: bool, as_json: bool) -> None:
    """Add a trial to data/raw, or nothing of it.

    Asks for the report, the study, its arms and what the report prints, checks every answer at
    once, shows the rows and what would become of them, and writes when you say so. Rows that
    are on file are never changed. Answers of an interview that was broken off are kept under
    build/new-trial, for --from. docs/new_trial_example.toml is a file of answers.

    \b
    Examples:
      ldn-meta new-trial
      ldn-meta new-trial --from docs/new_trial_example.toml --dry-run
    """  # noqa: D301  (click reads the backslash)
    from ldn_meta.evidence.schema import load_dictionary
    from ldn_meta.pipeline.answer_file import read_answers
    from ldn_meta.pipeline.commands import told
    from ldn_meta.pipeline.raw_rows import add_rows

    if file is None:
        if as_json:
            raise click.UsageError("--json needs --from: questions are for people")
        _interview(dry_run=dry_run)
        return
    added = add_rows(read_answers(file, load_dictionary(paths.raw_data())), write=not dry_run)
    if as_json:
        click.echo(told.as_json(added))
        return
    told.tell_rows(added)
    told.tell_outlook(added)
    told.tell_end(added)


def _interview(*, dry_run: bool) -> None:
    from ldn_meta.errors import LdnMetaError
    from ldn_meta.evidence.schema import load_dictionary
    from ldn_meta.pipeline.commands import told
    from ldn_meta.pipeline.interview import Interview
    from ldn_meta.pipeline.raw_rows import add_rows

    folder = paths.raw_data()
    interview = Interview(folder, load_dictionary(folder))
    try:
        answers = interview.run()
        click.echo("")
        added = add_rows(answers, write=False)
        told.tell_rows(added)
        told.tell_outlook(added)
        if dry_run:
            _keep(interview)
            return
        click.confirm(f"Write these {added.count} rows?", default=True, abort=True)
        told.tell_end(add_rows(answers))
    except (click.Abort, KeyboardInterrupt, LdnMetaError):
        _keep(interview)
        raise


def _keep(interview: Interview) -> None:
    """Nobody types a trial twice: what was answered goes to a file of answers."""
    from ldn_meta.pipeline.answer_file import answers_text
    from ldn_meta.pipeline.publish import write_whole

    answers = interview.so_far()
    if not answers.rows:
        return
    file = paths.build() / "new-trial" / f"{interview.name}.toml"
    write_whole(file, answers_text(answers).encode())
    shown = file.relative_to(paths.project_root()).as_posix()
    click.echo(
        f"\nnothing was written to data/raw; your answers are in {shown}: complete them there, "
        f"then ldn-meta new-trial --from {shown}",
        err=True,
    )
