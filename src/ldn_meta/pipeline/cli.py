"""The command ``ldn-meta``: exit 0 good, 1 the work failed, 2 the request was wrong."""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ldn_meta import files
from ldn_meta.errors import (
    ArgumentError,
    DataError,
    Fault,
    LdnMetaError,
    NotebookError,
    ParameterError,
)

if TYPE_CHECKING:
    from ldn_meta.evidence.foreign import Columns, Placed
    from ldn_meta.pipeline.entry import Added
    from ldn_meta.pipeline.run import DeriveSummary

FAILED, WRONG_REQUEST = 1, 2
_WANTED = "ldn_meta.json"


def _note(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta[_WANTED] = value
    return value


# Read first, so that a failure in another option is told in the same way.
json_option = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, callback=_note, help="For machines."
)


def _output_option(usual: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a command write into another folder than its own."""
    return click.option(
        "--output",
        "folder",
        metavar="FOLDER",
        type=click.Path(path_type=Path, file_okay=False),
        help=f"Where to; {usual} by default.",
    )


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it started is ended first."""
    handlers = {
        signal.SIGTERM: lambda number, _: sys.exit(128 + number),
        # A shell lets what it starts in the background ignore SIGINT, and Python leaves it so: a
        # run could not be interrupted, and neither could its kernels, which inherit that.
        signal.SIGINT: signal.default_int_handler,
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _quiet(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.meta.get(_WANTED):
        context.with_resource(contextlib.redirect_stdout(io.StringIO()))


OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


class _Commands(click.Group):
    """Turns deliberate errors into a message and an exit code."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Let every command be quiet."""
        words = "Print nothing but failures (and what --json asks for)."
        option = ("-q", "--quiet")
        quiet = click.Option(option, is_flag=True, expose_value=False, callback=_quiet, help=words)
        cmd.params.append(quiet)
        super().add_command(cmd, name)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        """Tell a wrong request in JSON as well, where JSON was asked for."""
        given = list(sys.argv[1:] if args is None else args)
        if "--json" not in given:
            return super().main(given, *rest, **options)
        try:
            ended = super().main(given, *rest, **{**options, "standalone_mode": False})
        except click.UsageError as error:
            _tell_json({"error": error.format_message(), "faults": []})
            error.show()
            sys.exit(error.exit_code)
        except click.Abort:
            sys.exit(FAILED)
        sys.exit(ended if isinstance(ended, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with ended_in_order():
                return super().invoke(ctx)
        except (LdnMetaError, OSError) as error:
            # The operating system numbers its errors; ours says "not inside a checkout". A full or
            # locked disk is no fault of the program: a traceback would help nobody.
            if isinstance(error, OSError) and error.errno not in (None, *OF_THE_DISK):
                raise
            if ctx.meta.get(_WANTED):
                _tell_json({"error": str(error), "faults": list(_faults(error))})
            click.echo(f"error: {error}", err=True)
            is_wrong = isinstance(error, ParameterError | FileNotFoundError)
            sys.exit(WRONG_REQUEST if is_wrong else FAILED)


def _faults(error: Exception) -> Iterator[dict[str, Any]]:
    """The faults of an error one by one, where it has them."""
    for name, is_on_file in (("faults", not hasattr(error, "elsewhere")), ("elsewhere", True)):
        for fault in getattr(error, name, ()):
            yield {**vars(fault), "is_on_file": is_on_file}


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ldn-meta", message="ldn-meta %(version)s")
@click.option(
    "-C",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The review to work on, instead of the one around this folder; as LDN_META_ROOT.",
)
@click.pass_context
def main(context: click.Context, folder: Path | None) -> None:
    """Evidence synthesis, from the tables in data/raw to pages that anybody can read.

    Executed notebooks go to reports/, pages to build/site.

    \b
    Examples:
      ldn-meta run                          whatever changed
      ldn-meta run fibromyalgia             one indication
      ldn-meta run -p tau2_method=pm        a choice of your own, into build/runs
      ldn-meta show fibromyalgia            the answer and its numbers
      ldn-meta report fibromyalgia --to docx    the report for Word
      ldn-meta wanted                       what to read next, and what it could do
      ldn-meta compare                      what moved since the last commit
      ldn-meta new-trial                    add a trial, question by question

    Exit codes: 0 good; 1 the work failed, or the data were refused; 2 the request was wrong.
    With --json a failure is an object with "error" and "faults" on standard output.
    Paths that you type are read from where you are, also with -C.
    """  # noqa: D301  (click reads the backslash)
    if folder is not None:
        if not files.is_review(folder):
            raise FileNotFoundError(f"{folder} holds no review: ldn-meta init makes one")
        context.with_resource(_working_on(folder))


@contextlib.contextmanager
def _working_on(folder: Path) -> Iterator[None]:
    before = os.environ.get("LDN_META_ROOT")
    os.environ["LDN_META_ROOT"] = str(folder.resolve())
    try:
        yield
    finally:
        os.environ.pop("LDN_META_ROOT")
        if before is not None:
            os.environ["LDN_META_ROOT"] = before


@main.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--drug", metavar="NAME", help="What is reviewed, as sentences call it.")
@click.option("--condition", "conditions", multiple=True, metavar="NAME", help="One or several.")
@click.option(
    "--comparator",
    "comparators",
    multiple=True,
    metavar="NAME",
    help="One for all conditions, or one for each.",
)
@click.option(
    "--outcome",
    "outcomes",
    multiple=True,
    metavar="NAME:UNIT:BETTER",
    help="Main one first. UNIT is people where people are counted; BETTER lower, higher or harm.",
)
@click.option(
    "--from",
    "file",
    metavar="FILE.toml",
    type=click.Path(path_type=Path),
    help="Take the answers from a file, as docs/new_review/example.toml, and ask nothing.",
)
@json_option
def new_review(
    folder: Path,
    drug: str | None,
    conditions: tuple[str, ...],
    comparators: tuple[str, ...],
    outcomes: tuple[str, ...],
    file: Path | None,
    as_json: bool,
) -> None:
    """Make the folder of a new review: tables with headers, plan, notebooks, Makefile, CI.

    What no option says is asked for. Nothing is written into a folder that is not empty.

    \b
    Examples:
      ldn-meta init ~/review
      ldn-meta init ~/review --drug "vitamin D" --condition migraine \\
        --comparator placebo --outcome "headache days:days a month:lower"
      ldn-meta -C ~/review import trials.csv ...
      ldn-meta -C ~/review run --site
    """  # noqa: D301
    from ldn_meta.pipeline.entry import Condition, NewReview, Outcome, init, read_new_review

    if file is not None:
        if drug or conditions or comparators or outcomes:
            raise click.UsageError("--from answers everything: leave the other options out")
        review = read_new_review(file)
    else:

        def asked(given: tuple[str, ...], option: str, question: str) -> tuple[str, ...]:
            if given:
                return given
            if as_json or not sys.stdin.isatty():
                raise click.UsageError(f"--{option} is missing, and nobody is there to be asked")
            return tuple(one.strip() for one in click.prompt(question).split(";") if one.strip())

        (named,) = asked((drug,) if drug else (), "drug", "Drug or treatment")[:1]
        conditions = asked(conditions, "condition", "Conditions, with ; between them")
        comparators = asked(comparators, "comparator", "Compared with (one, or one for each)")
        outcomes = asked(
            outcomes, "outcome", "Outcomes as NAME:UNIT:lower|higher|harm, the main one first"
        )
        if len(comparators) == 1:
            comparators *= len(conditions)
        if len(comparators) != len(conditions):
            raise click.UsageError("--comparator: one for all conditions, or one for each")
        parts = [[part.strip() for part in text.split(":")] for text in outcomes]
        if any(len(part) != len(("name", "unit", "better")) for part in parts):
            raise click.UsageError("--outcome is NAME:UNIT:BETTER, as 'relapse:people:lower'")
        pairs = zip(conditions, comparators, strict=True)
        review = NewReview(
            named,
            tuple(Condition(*pair) for pair in pairs),
            tuple(Outcome(*part) for part in parts),
        )
    written = init(folder, review)
    if as_json:
        _tell_json({"folder": str(folder), "files": written})
        return
    _tell(
        f"{folder}: {len(written)} files; read data/raw/protocol.toml before you pool",
        f"next: ldn-meta -C {folder} new-trial, or import FILE.csv; then run --site",
    )


@main.command()
@click.option("--force", is_flag=True, help="Compute also if nothing changed.")
@json_option
def check(force: bool, as_json: bool) -> None:
    """Check data/raw and say what data/derived would become; write nothing.

    Every fault is listed as table:line:column, value, rule, remedy. With --json also every check
    of a printed number, as "findings".

    \b
    Examples:
      ldn-meta check
      ldn-meta check --json
    """  # noqa: D301
    from ldn_meta.pipeline.compare import edited
    from ldn_meta.pipeline.run import derive

    summary = derive(check_only=True, force=force)
    edits, _ = edited()
    if as_json:
        told = {"changed": summary.changed, "findings": summary.findings, "edited": edits}
        _tell_json({"faults": [], **told})
        return
    _tell("data/raw is in order", *summary.printed_numbers, *edits)
    if summary.changed:
        click.echo(f"data/derived would change: {', '.join(summary.changed)}")


@main.command()
@json_option
def seal(as_json: bool) -> None:
    """Say that the tables of data/raw are as they should be: write their rows and hashes.

    They are kept in data/raw/datapackage.json. A table that has lost rows since is refused; of
    any other edit "check" says which rows differ from the last commit, until it is sealed.

    \b
    Examples:
      ldn-meta seal
    """  # noqa: D301
    from ldn_meta.evidence.raw.tables import DESCRIPTOR, load_dictionary
    from ldn_meta.pipeline.compare import edited

    with files.exclusive_writer():
        missing = [
            Fault(name, 0, "-", "", f"file {name}.csv is missing", "restore it from git")
            for name in load_dictionary(files.raw_data()).tables
            if not (files.raw_data() / f"{name}.csv").is_file()
        ]
        if missing:
            raise DataError(missing)
        edits, described = edited()
        is_new = files.write_whole(files.raw_data() / DESCRIPTOR, described)
    if as_json:
        _tell_json({"edited": edits, "is_written": is_new})
    else:
        _tell(*edits, f"data/raw/{DESCRIPTOR}: {'sealed' if is_new else 'as it was'}")


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
    summary = _derive(force=force, is_silent=as_json)
    if as_json:
        _tell_json({**_as_dict(summary), "printed_numbers": summary.printed_numbers})
    else:
        _tell(*summary.printed_numbers)


class _Run(click.Command):
    """Its help lists the parameters, as the pages state them."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every parameter with its values."""
        del ctx
        from ldn_meta.pipeline.notebooks import parameter_lines

        with (
            contextlib.suppress(LdnMetaError, FileNotFoundError),
            formatter.section("Parameters (-p), also: ldn-meta parameters"),
        ):
            formatter.write_dl([(name, said) for name, said, *_ in parameter_lines()])


@main.command()
@json_option
def parameters(as_json: bool) -> None:
    """List what can be set with -p: the values, and the pages that read it.

    Several words stand between commas. Words of other programs are understood and named back
    (DL, REML, knha). Without -p the analysis plan decides, data/raw/protocol.toml.

    \b
    Examples:
      ldn-meta parameters
      ldn-meta run fibromyalgia -p designs=parallel -p risk_of_bias="some concerns"
    """  # noqa: D301
    from ldn_meta.pipeline.notebooks import parameter_lines

    rows = parameter_lines()
    if as_json:
        names = ("name", "what", "on_file", "pages")
        _tell_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    for name, said, words, pages in rows:
        _tell(name, f"    {said}", *([f"    on file: {words}"] if words else ()))
        _tell(f"    pages {pages}")


@main.command(cls=_Run)
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

    Without INDICATION all of them; "overview" names the pages across indications, and
    INDICATION/PAGE one page. Brings data/derived and the answer table of the README up to date as
    well. With other choices (-p) only the pages that read them run, and what they answer is
    printed beside the answer as planned, with the pool without each trial (a leave-one-out), the
    subgroups or the slope asked for, and which choices had no effect. Several values between | are
    a grid: its answers are computed and printed at once, and no page is made.

    \b
    Examples:
      ldn-meta run
      ldn-meta run crohns_disease overview
      ldn-meta run fibromyalgia -p tau2_method=dl -p ci_method=wald
      ldn-meta run fibromyalgia/20_pooled_effect -p without=innova2026
      ldn-meta run fibromyalgia/20_pooled_effect -p subgroup_by=dose
      ldn-meta run fibromyalgia -p "without=innova2026|duebruun2024"
      ldn-meta run fibromyalgia -p "tau2_method=dl|reml|pm" -p ci_method=wald
    """  # noqa: D301
    from ldn_meta.evidence.raw.tables import counted
    from ldn_meta.files import derived_is_current
    from ldn_meta.pipeline import run as runner
    from ldn_meta.pipeline.kernels import kernel_source, started_ahead
    from ldn_meta.pipeline.notebooks import read_parameters
    from ldn_meta.pipeline.readme import beside_plan, of_people, write_answers, write_methods

    if any(GRID in text for text in assignments):
        _tell_grid(indications, assignments, as_json=as_json)
        return
    # A misspelt request is refused before minutes of work, not after.
    chosen, read_as = read_parameters(assignments, indications)
    _tell(*(f"read as: {words}" for words in read_as), err=True)
    source = kernel_source(kernels)
    with contextlib.ExitStack() as stack:
        if force or not derived_is_current():
            # Notebooks will follow; what their kernels need is imported in the meantime.
            source = stack.enter_context(started_ahead(source))
        derived = _derive(force=force, is_silent=as_json)
        try:
            summary = runner.run(
                indications or None,
                chosen,
                jobs=jobs,
                force=force,
                progress=runner.progress_for_terminal(),
                kernels=source,
            )
        except NotebookError:
            # The indications that did not break have new answers; should there be none at all,
            # the broken notebook is still what the user has to hear of.
            with contextlib.suppress(LdnMetaError):
                write_answers()
            raise
    write_answers()
    write_methods()
    folder = _shown(summary.folder)
    answers = beside_plan([summary.folder])
    people = {} if summary.folder == files.reports() else of_people(summary.folder)
    if as_json:
        told: dict[str, Any] = {"executed": summary.executed, "fresh": summary.fresh}
        told |= {"folder": folder, "answers": answers, "of_people": people}
        _tell_json({**told, "derived": _as_dict(derived)})
    elif summary.executed:
        _tell_beside(answers)
        _tell(*(f"{page}: {said}" for page, said in people.items()))
        fresh = f", {len(summary.fresh)} were up to date" if summary.fresh else ""
        click.echo(f"{folder}: {counted(len(summary.executed), 'notebook')} executed{fresh}")
        if answers or people:
            _tell(*(f"  {folder}/{label}.ipynb" for label in summary.executed))
    else:
        click.echo("reports: up to date")
    if with_site:
        _build_site(force=False, is_silent=as_json)


# Between several values of one choice.
GRID = "|"


def _tell_grid(indications: Sequence[str], assignments: Sequence[str], *, as_json: bool) -> None:
    """Answer under every combination of choices, with the plan's own first."""
    from ldn_meta.pipeline.notebooks import read_parameters
    from ldn_meta.pipeline.readme import grid_rows

    parts = [text.partition("=") for text in assignments]
    given = [[f"{name}={one.strip()}" for one in text.split(GRID)] for name, _, text in parts]
    every = [read_parameters(each, indications)[0] for each in itertools.product(*given)]
    _derive(force=False, is_silent=True)
    try:
        rows = grid_rows([name.partition("/")[0] for name in indications], every)
    except ArgumentError as error:
        raise ParameterError(f"-p: {error}") from error
    if as_json:
        _tell_json(rows)
    else:
        _tell_table(rows)


def _tell_beside(rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        click.echo(f"{row['indication']}, {row['choices']}: {row['outcome']}: {_size_of(row)}")
        _tell(*_beside(row))


def _beside(answer: Mapping[str, Any]) -> Iterator[str]:
    """What stands beside an answer, a line each; the pool without each trial last."""
    yield from (f"  {note}" for note in answer["notes"])
    yield from (f"  not in it, {name}: {why}" for name, why in answer["left_out"].items())
    for name, told in answer["leave_one_out"].items():
        yield f"  without {name}: {told}"


def _size_of(answer: Mapping[str, Any]) -> str:
    """Effect, trials, people and certainty of an answer."""
    from ldn_meta.evidence.raw.tables import counted
    from ldn_meta.pipeline.readme import NOT_ASKED

    people = f"{counted(answer['trials'], 'trial')}, {answer['people']} people"
    return f"{answer['effect']}; {people}; certainty {answer.get('certainty', NOT_ASKED)}"


def _tell_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows under their heads, columns as wide as what is in them."""
    told = ("choices", "effect", "interval")
    rows = [{n: cell for n, cell in row.items() if not isinstance(cell, dict)} for row in rows]
    rows = [
        {n: "; ".join(cell) if isinstance(cell, list) else cell for n, cell in row.items()}
        for row in rows
    ]
    names = [n for n in rows[0] if n in told or any(row[n] != rows[0][n] for row in rows)]
    same = {name: rows[0][name] for name in rows[0] if name not in names and len(rows) > 1}
    _tell(*(f"{name}: {value}" for name, value in same.items() if value != ""))
    names = names or list(rows[0])
    lines = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(names))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@main.command()
@json_option
def runs(as_json: bool) -> None:
    """List the answers of all runs of other choices beside the answers as planned.

    \b
    Examples:
      ldn-meta runs
      ldn-meta runs --json
    """  # noqa: D301
    from ldn_meta.pipeline import readme as answering

    rows = answering.beside_plan(answering.runs())
    if as_json:
        _tell_json(rows)
    elif rows:
        _tell_table(rows)
    else:
        click.echo("no run of other choices yet: ldn-meta run INDICATION -p NAME=VALUE")


@main.command()
@click.argument("what", metavar="INDICATION|FOLDER")
@json_option
def show(what: str, as_json: bool) -> None:
    """Print an answer, its certainty and its trials; all facts of all pages: --json.

    \b
    Examples:
      ldn-meta show fibromyalgia
      ldn-meta show overview
      ldn-meta show build/runs/tau2_method-dl-1f2e3d4c
    """  # noqa: D301  (click reads the backslash)
    from ldn_meta.pipeline.notebooks import OVERVIEW, read_facts, reported_indications, unknown
    from ldn_meta.pipeline.readme import choices_line, choices_of, of_people, told

    folder, known = Path(what), [*reported_indications(), OVERVIEW]
    is_run = bool(choices_of(folder))
    if not is_run and what not in known:
        raise ParameterError(unknown(f"indication {what!r}", what, known))
    root = folder if is_run else files.reports()
    names = list(reported_indications()) if is_run or what == OVERVIEW else [what]
    facts = {name: read_facts(root / name) for name in ([*names, OVERVIEW] if is_run else [what])}
    if not any(facts.values()):
        message = f"{_shown(root / what)} has no facts yet: run `ldn-meta run {what}`"
        raise LdnMetaError(message)
    if as_json:
        shown: Any = {n: f for n, f in facts.items() if f} if is_run else facts[what]
        click.echo(json.dumps(shown, indent=1, sort_keys=True, ensure_ascii=False))
        return
    if is_run:
        click.echo(f"{choices_line(choices_of(folder))}\n")
    answers = {name: answer for name in names if (answer := told(root / name))}
    for name, answer in answers.items():
        _tell(*_answer_lines(name, answer, is_short=len(names) > 1 and not is_run))
    counted_people = of_people(folder) if is_run else {}
    _tell(*(f"{page}: {said}" for page, said in counted_people.items()))
    if not answers and not counted_people:
        click.echo("no page here answers a question; all facts: --json")


def _answer_lines(name: str, answer: Mapping[str, Any], *, is_short: bool) -> Iterator[str]:
    yield f"{answer['label']} ({name}): {answer['outcome']} against {answer['comparison']}"
    yield f"  {_size_of(answer)}"
    if is_short:
        return
    yield ""
    yield f"{answer['sentence']} {answer.get('certainty_sentence', '')}".rstrip()
    ends = ("shown_yi", "shown_ci_low", "shown_ci_high")
    for row in answer["rows"]:
        estimate, low, high = (f"{row[end]:.2f}" for end in ends)
        yield f"  {row['trial']}: {estimate} ({low} to {high}), {row['people']} people"
    yield from _beside(answer)


# compare.GRADES, which would cost every other command its import; a test holds them equal.
FAIL_ON = ("verdict", "result", "any")


@main.command()
@json_option
def wanted(as_json: bool) -> None:
    """Tell what to read next: the number each comparative study lacks, and what it could do.

    Where the number most likely stands and the row it goes to are in data/raw/wanted.csv. What it
    could do to the answer is computed over the values that the printed facts allow; it is no data.

    \b
    Examples:
      ldn-meta wanted
      ldn-meta wanted --json
    """  # noqa: D301
    from ldn_meta.display.pages.overview import overview

    page = overview()
    if as_json:
        _tell_json(page.to_read)
        return
    for row in page.to_read:
        _tell(
            f"{row['condition']}: {row['study_label']}",
            f"  missing  {row['missing']}",
            f"  where    {row['likely_in']} ({row['address']})",
            f"  goes to  {row['fill']}",
            f"  could do {row['could_do']}",
        )


@main.command()
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
    default=20,
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
    last commit is compared with the work tree. A folder of build/runs alone is compared with the
    reports, two of them with each other. Numbers compare by value, ratios as ratios. A
    result that crosses no difference, changes its side or its certainty comes first. Nothing
    is computed and nothing is written: run `ldn-meta run` first.

    Exit 0 also when things moved; 1 by --fail-on; 2 if OLD or NEW does not exist.

    \b
    Examples:
      ldn-meta compare                        the work tree since the last commit
      ldn-meta compare main                   the work tree against the branch main
      ldn-meta compare v0.1 v0.2              two revisions
      ldn-meta compare ../ldn-meta .          two folders
      ldn-meta compare build/runs/NAME        a run of other choices against the reports
      ldn-meta compare build/runs/ONE build/runs/TWO    two such runs
      ldn-meta compare main --format markdown --fail-on verdict
    """  # noqa: D301  (click reads the backslash)
    from ldn_meta.pipeline.readme import choices_of

    runs = [Path(one) for one in (old, new) if one is not None]
    if all(map(choices_of, runs)):
        _compare_runs(*reversed(runs), limit=limit, as_json=as_json)
        return
    from ldn_meta.pipeline import compare as comparing
    from ldn_meta.pipeline import compare_report as output

    found = comparing.compare(
        comparing.open_checkout(old, "OLD"), comparing.open_checkout(new, "NEW")
    )
    if as_json:
        click.echo(output.as_json(found))
    elif layout == "markdown":
        click.echo(output.markdown(found, limit=limit), nl=False)
    else:
        output.write_terminal(found, limit=limit)
    if fail_on is not None and found.reaches(fail_on):
        click.echo(f"error: something moved that --fail-on {fail_on} forbids", err=True)
        sys.exit(FAILED)
    if fail_on is not None and (found.is_stale or found.unread):
        message = f"--fail-on {fail_on} cannot be told, see the notes: run `make reports` first"
        click.echo(f"error: {message}", err=True)
        sys.exit(FAILED)


def _compare_runs(folder: Path, other: Path | None = None, *, limit: int, as_json: bool) -> None:
    """A run of other choices against the reports, or against another run."""
    from ldn_meta.pipeline.readme import beside_plan, moved_facts

    both = [one.resolve() for one in (other, folder) if one is not None]
    answers, moved = beside_plan(both), moved_facts(folder.resolve(), other and other.resolve())
    if as_json:
        _tell_json({"answers": answers, "moved": moved})
        return
    _tell_beside(answers)
    most = limit or len(moved)
    for row in moved[:most]:
        _tell(f"{row['page']}: {row['what']}", *(f"  {n}: {row[n]}" for n in list(row)[2:]))
    if moved[most:]:
        click.echo(f"{len(moved) - most} more; --limit 0 lists all")


@main.command("new-trial")
@click.option(
    "--from",
    "file",
    metavar="FILE.toml",
    type=click.Path(path_type=Path),
    help="Take the answers from a file and ask nothing.",
)
@click.option("--resume", is_flag=True, help="Go on with the interview that was broken off.")
@click.option("--dry-run", is_flag=True, help="Show the rows; write nothing.")
@json_option
def new_trial(file: Path | None, resume: bool, dry_run: bool, as_json: bool) -> None:
    """Add a trial to data/raw, or nothing of it.

    Asks for the report, the study, its arms and what the report prints, checks every answer at
    once, shows the rows and what would become of them, and writes when you say so. Rows that
    are on file are never changed. The answer "back" takes the last one back; answers of an
    interview that was broken off are kept, for --resume and, under build/new-trial, for --from.
    docs/new_trial_example.toml is a file of answers.

    \b
    Examples:
      ldn-meta new-trial
      ldn-meta new-trial --resume
      ldn-meta new-trial --from docs/new_trial_example.toml --dry-run
    """  # noqa: D301  (click reads the backslash)
    from ldn_meta.evidence.entry import read_answers
    from ldn_meta.evidence.raw.tables import load_dictionary
    from ldn_meta.pipeline.entry import Interview, add_rows

    if file is not None:
        answers = read_answers(file, load_dictionary(files.raw_data()))
        _tell_added(add_rows(answers, write=not dry_run), as_json=as_json)
        return
    if as_json:
        raise click.UsageError("--json needs --from: questions are for people")
    interview = Interview(files.raw_data())
    if resume:
        interview.resume()
    try:
        answers = interview.run()
        click.echo("")
        added = add_rows(answers, write=False)
        _tell(*added.row_lines(), *added.outlook_lines())
        if dry_run:
            interview.keep()
            return
        click.confirm(f"Write these {added.count} rows?", default=True, abort=True)
        click.echo(add_rows(answers).end_line())
    except (click.Abort, KeyboardInterrupt, LdnMetaError):
        interview.keep()
        raise


def _tell_added(added: Added, *, as_json: bool) -> None:
    if as_json:
        _tell_json(added.content())
    else:
        _tell(*added.row_lines(), *added.outlook_lines(), added.end_line())


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--outcome", metavar="ID", help="outcome_id of the numbers (outcomes.csv).")
@click.option("--source", metavar="ID", help="source_id of where they were read (sources.csv).")
@click.option("--read-from", metavar="WORDS", help='Kind of text, such as "secondary review".')
@click.option("--extracted-by", metavar="NAME", help="Who vouches for the rows.")
@click.option("--indication", metavar="ID", help="Condition of studies that are not on file.")
@click.option("--weeks", metavar="N", help="When the outcome was measured.")
@click.option("--analysis-set", metavar="WORDS", default="not stated", show_default=True)
@click.option("--statistic", metavar="WORDS", help="What means are of: end, change, ...")
@click.option("--measure", metavar="CODE", help="What estimates are: MD, SMD, RR, logRR, ...")
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True)
@click.option("--analysis", metavar="C.O", help="Comparison and outcome of a RevMan file.")
@click.option(
    "--data",
    type=click.Choice(["means", "events", "effect", "bias"]),
    help="Which numbers; bias: judgements of risk of bias.",
)
@click.option("--sheet", metavar="NAME", default="", help="Sheet of a workbook.")
@click.option("--decimal-comma", is_flag=True, help="4,9 is 4.9; never guessed.")
@click.option("--swap", is_flag=True, help="The file's first group is the comparator.")
@click.option("--column", "named", multiple=True, metavar="ROLE=NAME", help="What a column holds.")
@click.option(
    "--study", "studies", multiple=True, metavar="LABEL=ID", help="Which study is meant."
)
@click.option("--set", "cells", multiple=True, metavar="COLUMN=TEXT", help="Cell of all new rows.")
@click.option("--ask/--no-ask", default=None, help="Ask for what is missing; on a terminal.")
@click.option("--dry-run", is_flag=True, help="Show rows and report; write nothing.")
@json_option
def import_table(
    file: Path,
    analysis: str | None,
    data: str | None,
    measure: str | None,
    level: float,
    swap: bool,
    sheet: str,
    decimal_comma: bool,
    named: tuple[str, ...],
    studies: tuple[str, ...],
    cells: tuple[str, ...],
    ask: bool | None,
    dry_run: bool,
    as_json: bool,
    **options: str | None,
) -> None:
    """Read results, risk of bias or sources into data/raw; report what was not taken, and why.

    Study results: CSV and TSV with the columns of RevMan 5, RevMan Web, metafor (m1i sd1i n1i
    m2i sd2i n2i, ai n1i ci n2i, yi vi sei), the R package meta or a spreadsheet; .xlsx; .rm5; a
    data package of RevMan (.zip); a record of ClinicalTrials.gov with results (.json).
    Risk of bias (--data bias): a table for robvis, a data package. Sources: .ris, .bib.

    The first group of the file is the treatment unless --swap. Studies are found by key or label;
    others are added, and --set says what the file cannot (design, blinding, comparator_class,
    ...). Numbers of the arms go before effects computed from them. All that can be placed is
    written, or none.

    \b
    Examples:
      ldn-meta import review.csv --analysis 1.1 --outcome pain_nrs_0_10 --source reis2025 \\
        --read-from "secondary review" --extracted-by "A. Reader" --weeks 12 --statistic end
      ldn-meta import metafor.csv --measure MD ... --dry-run
      ldn-meta import references.ris
    """  # noqa: D301
    from ldn_meta.evidence import foreign
    from ldn_meta.evidence.foreign import CELLS
    from ldn_meta.pipeline.entry import Interview, add_rows

    is_asking = not as_json and (sys.stdin.isatty() if ask is None else ask)
    interview = Interview(files.raw_data()) if is_asking else None
    is_references = file.suffix.casefold() in foreign.SOURCE_FILES
    if interview and not is_references:
        for name, (column, is_needed) in CELLS.items():
            if is_needed and options[name] is None:
                options[name] = interview.ask(column)
    shared = {CELLS[name][0]: text for name, text in options.items() if text is not None}
    shared |= _pairs("--set", cells)
    folder, meant = files.raw_data(), _pairs("--study", studies)
    columns = None
    if is_references:
        placed = foreign.place_sources(file, folder, shared=shared)
    elif data == "bias":
        placed = foreign.place_bias(file, folder, shared=shared, studies=meant)
    else:
        columns, placed = foreign.place_file(
            file,
            folder,
            shared=shared,
            named=_pairs("--column", named),
            studies=meant,
            analysis=analysis or "",
            layout=data or "",
            measure=measure or "",
            level=level,
            is_swapped=swap,
            sheet=sheet,
            has_commas=decimal_comma,
        )
    report = list(_placed_lines(columns, placed))
    if not placed.lines:
        _tell(*report, err=True)
        raise LdnMetaError(f"no line of {file} could be placed")
    try:
        if interview:
            added = interview.complete(placed.answers, write=not dry_run)
        else:
            added = add_rows(placed.answers, write=not dry_run)
    except LdnMetaError:
        _tell(*report, "a cell that the file cannot say: --set COLUMN=TEXT", err=True)
        raise
    if as_json:
        told = {"lines": placed.lines, "new_studies": placed.new_studies}
        not_placed = [one._asdict() for one in placed.not_placed]
        found = columns.name if columns else {}
        _tell_json(added.content(columns=found, **told, not_placed=not_placed))
        return
    rows = added.row_lines() if dry_run else ()
    _tell(*rows, *report, *added.outlook_lines(), added.end_line())


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        # The label of a study may hold the sign itself.
        name, sign, value = text.rpartition("=") if option == "--study" else text.partition("=")
        if not sign or not name:
            raise ParameterError(f"{option} {text!r} is not NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs


def _placed_lines(columns: Columns | None, placed: Placed) -> Iterator[str]:
    """What became of a file."""
    if columns:
        yield f"columns: {', '.join(f'{role} = {name}' for role, name in columns.name.items())}"
    yield from placed.told
    for line, study in placed.lines.items():
        yield f"line {line}: {study}{' (new)' if study in placed.new_studies else ''}"
    # A RevMan file may hold a hundred lines of other analyses: one reason is told once.
    by_reason: dict[str, list[str]] = {}
    for line, column, why in placed.not_placed:
        names = [f"line {line}"] if line else []
        names += [column] if column != "-" else []
        by_reason.setdefault(why, []).append(" ".join(names))
    for why, places in by_reason.items():
        yield f"not placed, {', '.join(places)}: {why}"


@main.command("export")
@click.argument("indication")
@click.option("--construct", metavar="NAME", help="Outcome; the main one by default.")
@_output_option("build/export")
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
    from ldn_meta.pipeline.export import export as export_pools

    found = export_pools(indication, construct=construct, folder=folder)
    if as_json:
        # JSON has no NaN.
        content = [
            {
                **one.key,
                "table": _shown(one.table),
                "script": _shown(one.script),
                "trials": one.trials,
                "results": {n: None if v != v else v for n, v in one.results.items()},
            }
            for one in found
        ]
        _tell_json(content)
        return
    for one in found:
        click.echo(f"{_shown(one.table)}: {one.trials} trials, {one.key['measure']}")
        click.echo(f"{_shown(one.script)}: run it there with Rscript {one.script.name}")


@main.command()
@click.argument("indication")
@click.option(
    "--to",
    "form",
    required=True,
    metavar="FORM",
    help="docx, html, xlsx (tables), ris or bib (sources), revman, or zip: all and the figures.",
)
@_output_option("build/report")
@json_option
def report(indication: str, form: str, folder: Path | None, as_json: bool) -> None:
    """Write the report of a condition, to carry away: for Word, a spreadsheet, a colleague.

    Made of what the executed pages show: answer, methods, forest plots, summary of findings,
    studies, risk of bias, what could not be pooled, references. revman is a data package of
    RevMan Web. The zip holds every form, the figures (SVG, PNG at 300 dots an inch), rows for R,
    risk of bias for robvis, numbers of the summary of findings and the study flow, and checksums.
    Word and spreadsheets need the extra "word".

    \b
    Examples:
      ldn-meta report fibromyalgia --to docx
      ldn-meta report fibromyalgia --to zip --output ~/review
    """  # noqa: D301
    from ldn_meta.pipeline.export import write_report

    file = write_report(indication, form, folder=folder)
    if as_json:
        _tell_json({"indication": indication, "file": _shown(file)})
        return
    click.echo(f"{_shown(file)}: {file.stat().st_size / 1000:,.0f} kB")


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
    from ldn_meta.pipeline import export as pipeline

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
    from ldn_meta.pipeline.run import derive as derive_tables

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
    """Without what was found in printed numbers."""
    return {name: getattr(summary, name) for name in ("was_current", "rows", "changed")}


def _build_site(*, force: bool, is_silent: bool = False) -> None:
    from ldn_meta.pipeline.site import build_site

    was_built = build_site(force=force)
    if not is_silent:
        index = _shown(files.build() / "site" / "index.html")
        click.echo(f"{index}: {'built' if was_built else 'up to date'}")


def _tell(*lines: str, err: bool = False) -> None:
    for line in lines:
        click.echo(line, err=err)


def _tell_json(content: object) -> None:
    click.echo(json.dumps(content, indent=1))


def _shown(path: Path) -> str:
    """A path below the checkout as people type it there, any other in full."""
    root = files.project_root()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
