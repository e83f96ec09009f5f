"""The command ``ldn-meta``: exit 0 good, 1 the work failed, 2 the request was wrong."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ldn_meta import paths
from ldn_meta.errors import LdnMetaError, NotebookError, ParameterError
from ldn_meta.pipeline.commands import options
from ldn_meta.pipeline.commands.export import export
from ldn_meta.pipeline.commands.import_table import import_table
from ldn_meta.pipeline.commands.new_trial import new_trial
from ldn_meta.pipeline.commands.options import json_option
from ldn_meta.pipeline.commands.show import show
from ldn_meta.pipeline.compare_command import compare

if TYPE_CHECKING:
    from ldn_meta.pipeline.derive import DeriveSummary

FAILED, WRONG_REQUEST = 1, 2


class _Commands(click.Group):
    """Turns deliberate errors into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with options.ended_in_order():
                return super().invoke(ctx)
        except ParameterError as error:
            _fail(ctx, error, WRONG_REQUEST)
        except FileNotFoundError as error:
            # The operating system numbers its errors; ours says "not inside a checkout".
            if error.errno is not None:
                raise
            _fail(ctx, error, WRONG_REQUEST)
        except LdnMetaError as error:
            _fail(ctx, error, FAILED)


def _fail(ctx: click.Context, error: Exception, code: int) -> NoReturn:
    if options.wants_json(ctx):
        click.echo(options.failure_json(error))
    click.echo(f"error: {error}", err=True)
    sys.exit(code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Evidence synthesis for low-dose naltrexone.

    From the tables in data/raw to executed notebooks in reports/ and pages in build/site.

    \b
    Examples:
      ldn-meta run                          whatever changed
      ldn-meta run fibromyalgia             one indication
      ldn-meta run -p tau2_method=pm        a choice of your own, into build/runs
      ldn-meta show fibromyalgia            the answer and its numbers
      ldn-meta compare                      what moved since the last commit
      ldn-meta new-trial                    add a trial, question by question

    Exit codes: 0 good; 1 the work failed, or the data were refused; 2 the request was wrong.
    With --json a failure is an object with "error" and "faults" on standard output.
    """  # noqa: D301  (click reads the backslash)


for command in (show, compare, new_trial, import_table, export):
    main.add_command(command)


@main.command()
@json_option
def check(as_json: bool) -> None:
    """Check data/raw and say what data/derived would become; write nothing.

    Every fault is listed as table:line:column, value, rule, remedy.

    \b
    Examples:
      ldn-meta check
      ldn-meta check --json
    """  # noqa: D301
    from ldn_meta.pipeline.derive import derive

    summary = derive(check_only=True)
    if as_json:
        click.echo(json.dumps({"faults": [], "changed": list(summary.changed)}, indent=1))
        return
    click.echo("data/raw is in order")
    _tell(summary.printed_numbers)
    if summary.changed:
        click.echo(f"data/derived would change: {', '.join(summary.changed)}")


@main.command()
@click.option("--force", is_flag=True, help="Compute also if nothing changed.")
@json_option
def derive(force: bool, as_json: bool) -> None:
    """Check data/raw, compute data/derived, and tell which printed numbers do not fit.

    \b
    Examples:
      ldn-meta derive
      ldn-meta derive --force --json
    """  # noqa: D301
    from ldn_meta.pipeline.derive import printed_numbers_on_disk

    summary = _derive(force=force, is_silent=as_json)
    if not as_json:
        _tell(printed_numbers_on_disk())
        return
    content = {**_as_dict(summary), "printed_numbers": printed_numbers_on_disk()}
    click.echo(json.dumps(content, indent=1))


@main.command()
@click.argument("indications", nargs=-1, metavar="[INDICATION ...]")
@click.option(
    "-p",
    "--parameter",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a choice for this run; the results go to build/runs, not to reports.",
)
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Notebooks at the same time.")
@click.option("--force", is_flag=True, help="Compute and execute also if nothing changed.")
@click.option(
    "--kernels",
    type=click.Choice(["forked", "plain"]),
    help="forked from one process that has imported everything (the default on Linux), or plain; "
    "the pages are the same.",
)
@click.option("--site", "with_site", is_flag=True, help="Build the pages in build/site as well.")
@json_option
def run(
    indications: tuple[str, ...],
    assignments: tuple[str, ...],
    jobs: int | None,
    force: bool,
    kernels: str | None,
    with_site: bool,
    as_json: bool,
) -> None:
    """Execute the notebooks whose inputs changed.

    Without INDICATION all of them; "overview" names the pages across indications. Brings
    data/derived and the answer table of the README up to date as well.

    \b
    Examples:
      ldn-meta run
      ldn-meta run crohns_disease overview
      ldn-meta run fibromyalgia -p tau2_method=dl -p ci_method=wald
    """  # noqa: D301
    from ldn_meta.pipeline import (
        fork_kernels,
        hashes,
        methods_page,
        parameters,
        progress,
        readme,
        runner,
    )

    chosen = dict(parameters.parse_assignment(text) for text in assignments)
    # A misspelt request is refused before minutes of work, not after.
    parameters.plan(indications or None, chosen)
    source = fork_kernels.kernel_source(kernels)
    with contextlib.ExitStack() as stack:
        if force or not hashes.derived_is_current():
            # Notebooks will follow; what their kernels need is imported in the meantime.
            source = stack.enter_context(fork_kernels.started_ahead(source))
        derived = _derive(force=force, is_silent=as_json)
        try:
            summary = runner.run(
                indications or None,
                chosen,
                jobs=jobs,
                force=force,
                progress=progress.for_terminal(),
                kernels=source,
            )
        except NotebookError:
            # The indications that did not break have new answers; should there be none at all,
            # the broken notebook is still what the user has to hear of.
            with contextlib.suppress(LdnMetaError):
                readme.write_answers()
            raise
    readme.write_answers()
    methods_page.write_methods()
    folder = _shown(summary.folder)
    if as_json:
        content = {
            "executed": list(summary.executed),
            "fresh": list(summary.fresh),
            "folder": folder,
            "derived": _as_dict(derived),
        }
        click.echo(json.dumps(content, indent=1))
    elif summary.executed:
        fresh = f", {len(summary.fresh)} were up to date" if summary.fresh else ""
        click.echo(f"{folder}: {len(summary.executed)} notebooks executed{fresh}")
    else:
        click.echo("reports: up to date")
    if with_site:
        _build_site(force=False, is_silent=as_json)


@main.command()
@click.argument("indications", nargs=-1, metavar="[INDICATION ...]")
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Compute on the workers of this dask scheduler; needs the extra 'distributed'.",
)
def multiverse(indications: tuple[str, ...], scheduler: str | None) -> None:
    """Write every defensible analysis to build/multiverse, one row each.

    The nodes and options are those of data/raw/protocol.toml. Interrupted, the next call goes
    on where this one stopped; what belongs to other inputs is computed again.

    \b
    Examples:
      ldn-meta multiverse fibromyalgia
      ldn-meta multiverse --scheduler tcp://127.0.0.1:8786
    """  # noqa: D301
    from ldn_meta.pipeline import multiverse as pipeline

    laid_out = pipeline.plan(indications or None)
    analyses = sum(len(one) for one in laid_out.found)
    with click.progressbar(
        pipeline.run(laid_out, scheduler=scheduler),
        length=len(laid_out.missing),
        label="analyses",
        file=sys.stderr,
    ) as parts:
        written = sum(1 for _ in parts)
    click.echo(
        f"build/multiverse: {analyses:,} analyses of {len(laid_out.found)} outcomes; "
        f"{written} parts written, {laid_out.kept} were there"
    )


@main.command()
@click.option("--force", is_flag=True, help="Build from nothing.")
def site(force: bool) -> None:
    """Build the pages in build/site from the reports at hand.

    \b
    Examples:
      ldn-meta site
      ldn-meta site --force
    """  # noqa: D301
    _build_site(force=force)


@main.command()
def readme() -> None:
    """Write the answer table of the README from the reports at hand.

    \b
    Example:
      ldn-meta readme
    """  # noqa: D301
    from ldn_meta.pipeline.readme import write_answers

    click.echo(f"README.md: {'answer table changed' if write_answers() else 'up to date'}")


def _derive(*, force: bool, is_silent: bool) -> DeriveSummary:
    from ldn_meta.pipeline.derive import derive as derive_tables

    summary = derive_tables(force=force)
    if is_silent:
        return summary
    if summary.was_current:
        click.echo("data/derived: up to date")
        return summary
    rows = ", ".join(f"{name} {count}" for name, count in summary.rows.items())
    click.echo(f"data/derived: {rows}")
    if summary.changed:
        click.echo(f"data/derived: changed {', '.join(summary.changed)}")
    return summary


def _as_dict(summary: DeriveSummary) -> dict[str, Any]:
    """Without what was found in printed numbers, which is only there when tables were made."""
    return {
        "was_current": summary.was_current,
        "rows": dict(summary.rows),
        "changed": list(summary.changed),
    }


def _tell(lines: tuple[str, ...]) -> None:
    for line in lines:
        click.echo(line)


def _build_site(*, force: bool, is_silent: bool = False) -> None:
    from ldn_meta.pipeline.site import build_site

    was_built = build_site(force=force)
    if is_silent:
        return
    index = _shown(paths.build() / "site" / "index.html")
    click.echo(f"{index}: {'built' if was_built else 'up to date'}")


def _shown(path: Path) -> str:
    return path.relative_to(paths.project_root()).as_posix()
