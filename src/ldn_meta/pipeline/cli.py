"""The command ``ldn-meta``: exit 0 good, 1 the work failed, 2 the request was wrong."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from ldn_meta import paths
from ldn_meta.errors import DataError, LdnMetaError, NotebookError, ParameterError

FAILED, WRONG_REQUEST = 1, 2


class _Commands(click.Group):
    """Turns deliberate errors into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with _ended_in_order():
                return super().invoke(ctx)
        except ParameterError as error:
            _fail(error, WRONG_REQUEST)
        except FileNotFoundError as error:
            # The operating system numbers its errors; ours says "not inside a checkout".
            if error.errno is not None:
                raise
            _fail(error, WRONG_REQUEST)
        except LdnMetaError as error:
            _fail(error, FAILED)


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it started is ended first."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fail(error: Exception, code: int) -> NoReturn:
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
    """  # noqa: D301  (click reads the backslash)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def check(as_json: bool) -> None:
    """Check data/raw and say what data/derived would become; write nothing.

    Every fault is listed as table:line:column, value, rule, remedy.
    """
    from ldn_meta.pipeline.derive import derive

    try:
        summary = derive(check_only=True)
    except DataError as error:
        if as_json:
            faults = [vars(fault) for fault in error.faults]
            click.echo(json.dumps({"faults": faults, "changed": []}, indent=1))
            sys.exit(FAILED)
        raise
    if as_json:
        click.echo(json.dumps({"faults": [], "changed": list(summary.changed)}, indent=1))
        return
    click.echo("data/raw is in order")
    _tell(summary.printed_numbers)
    if summary.changed:
        click.echo(f"data/derived would change: {', '.join(summary.changed)}")


@main.command()
@click.option("--force", is_flag=True, help="Compute also if nothing changed.")
def derive(force: bool) -> None:
    """Check data/raw, compute data/derived, and tell which printed numbers do not fit."""
    from ldn_meta.pipeline.derive import printed_numbers_on_disk

    _derive(force=force)
    _tell(printed_numbers_on_disk())


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
def run(
    indications: tuple[str, ...],
    assignments: tuple[str, ...],
    jobs: int | None,
    force: bool,
    kernels: str | None,
    with_site: bool,
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
    from ldn_meta.pipeline import fork_kernels, methods_page, parameters, progress, readme, runner
    from ldn_meta.pipeline.hashes import derived_is_current

    chosen = dict(parameters.parse_assignment(text) for text in assignments)
    # A misspelt request is refused before minutes of work, not after.
    parameters.plan(indications or None, chosen)
    source = fork_kernels.kernel_source(kernels)
    with contextlib.ExitStack() as stack:
        if force or not derived_is_current():
            # Notebooks will follow; what their kernels need is imported in the meantime.
            source = stack.enter_context(fork_kernels.started_ahead(source))
        _derive(force=force)
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
    if summary.executed:
        folder = _shown(summary.folder)
        fresh = f", {len(summary.fresh)} were up to date" if summary.fresh else ""
        click.echo(f"{folder}: {len(summary.executed)} notebooks executed{fresh}")
    else:
        click.echo("reports: up to date")
    if with_site:
        _build_site(force=False)


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
@click.argument("indication")
@click.option("--json", "as_json", is_flag=True, help="All facts, for machines.")
def show(indication: str, as_json: bool) -> None:
    """Print the answer of one indication and the facts behind it."""
    from ldn_meta.pipeline import parameters, readme, staleness

    known = [*parameters.reported_indications(), parameters.OVERVIEW]
    if indication not in known:
        what = f"indication {indication!r}"
        raise ParameterError(parameters.unknown(what, indication, known))
    facts = staleness.read_facts(paths.reports() / indication)
    if not facts:
        message = f"reports/{indication} has no facts yet: run `ldn-meta run {indication}`"
        raise LdnMetaError(message)
    if as_json:
        click.echo(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False))
        return
    answer = facts.get(readme.ANSWERED_BY, {}).get("answer", {})
    if "sentence" in answer:
        click.echo(f"{answer['sentence']}\n")
    for notebook, entries in facts.items():
        click.echo(notebook)
        for name, value in _flat(entries):
            click.echo(f"  {name}: {value}")


@main.command()
@click.option("--force", is_flag=True, help="Build from nothing.")
def site(force: bool) -> None:
    """Build the pages in build/site from the reports at hand."""
    _build_site(force=force)


@main.command()
def readme() -> None:
    """Write the answer table of the README from the reports at hand."""
    from ldn_meta.pipeline.readme import write_answers

    click.echo(f"README.md: {'answer table changed' if write_answers() else 'up to date'}")


def _derive(*, force: bool) -> None:
    from ldn_meta.pipeline.derive import derive as derive_tables

    summary = derive_tables(force=force)
    if summary.was_current:
        click.echo("data/derived: up to date")
        return
    rows = ", ".join(f"{name} {count}" for name, count in summary.rows.items())
    click.echo(f"data/derived: {rows}")
    if summary.changed:
        click.echo(f"data/derived: changed {', '.join(summary.changed)}")


def _tell(lines: tuple[str, ...]) -> None:
    for line in lines:
        click.echo(line)


def _build_site(*, force: bool) -> None:
    from ldn_meta.pipeline.site import build_site

    was_built = build_site(force=force)
    index = _shown(paths.build() / "site" / "index.html")
    click.echo(f"{index}: {'built' if was_built else 'up to date'}")


def _flat(entries: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Facts as name.part.part and value."""
    found: list[tuple[str, Any]] = []
    for name, value in entries.items():
        if isinstance(value, Mapping):
            found.extend(_flat(value, f"{prefix}{name}."))
        else:
            found.append((f"{prefix}{name}", value))
    return found


def _shown(path: Path) -> str:
    return path.relative_to(paths.project_root()).as_posix()
