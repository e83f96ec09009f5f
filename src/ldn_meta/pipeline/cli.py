"""The command ``ldn-meta``: exit 0 good, 1 the work failed, 2 the request was wrong."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ldn_meta import paths
from ldn_meta.errors import LdnMetaError, NotebookError, ParameterError
from ldn_meta.files import csv_text
from ldn_meta.pipeline.entry import Added

if TYPE_CHECKING:
    from ldn_meta.evidence.entry.foreign import Columns, Placed
    from ldn_meta.pipeline.derive import DeriveSummary
    from ldn_meta.pipeline.entry import Interview


_WANTED = "ldn_meta.json"


def _note(context: click.Context, _: click.Parameter, value: bool) -> bool:
    context.meta[_WANTED] = value
    return value


# Read first, so that a failure in another option is told in the same way.
json_option = click.option(
    "--json", "as_json", is_flag=True, is_eager=True, callback=_note, help="For machines."
)


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: what it started is ended first."""
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def wants_json(context: click.Context) -> bool:
    """Whether the command that runs below this context was asked for JSON."""
    return bool(context.meta.get(_WANTED))


def failure_json(error: Exception) -> str:
    """Write a failure: the message, and the faults one by one where the error has them."""
    faults: list[dict[str, Any]] = [
        {**vars(fault), "is_on_file": is_on_file}
        for name, is_on_file in (("faults", not hasattr(error, "elsewhere")), ("elsewhere", True))
        for fault in getattr(error, name, ())
    ]
    return json.dumps({"error": str(error), "faults": faults}, indent=1)


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


# Options that are cells of every new row, and whether every import needs them.
CELLS = {
    "outcome": ("outcome_id", True),
    "source": ("source_id", True),
    "read_from": ("read_from", True),
    "extracted_by": ("extracted_by", True),
    "indication": ("indication_id", False),
    "weeks": ("timepoint_weeks", False),
    "analysis_set": ("analysis_set", False),
    "statistic": ("statistic_of", False),
}


@click.command("import")
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
@click.option("--data", type=click.Choice(["means", "events", "effect"]), help="Which numbers.")
@click.option("--swap", is_flag=True, help="The file's first group is the comparator.")
@click.option("--column", "named", multiple=True, metavar="ROLE=NAME", help="What a column holds.")
@click.option(
    "--study", "studies", multiple=True, metavar="LABEL=ID", help="Which study is meant."
)
@click.option("--set", "cells", multiple=True, metavar="COLUMN=TEXT", help="Cell of all new rows.")
@click.option("--dry-run", is_flag=True, help="Show rows and report; write nothing.")
@json_option
def import_table(
    file: Path,
    analysis: str | None,
    data: str | None,
    measure: str | None,
    level: float,
    swap: bool,
    named: tuple[str, ...],
    studies: tuple[str, ...],
    cells: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    **options: str | None,
) -> None:
    """Read a CSV of study results into data/raw, and report what could not be placed.

    Knows the columns of RevMan 5 and RevMan Web exports, of metafor (m1i sd1i n1i m2i sd2i n2i,
    ai n1i ci n2i, yi vi sei), of the R package meta, and of spreadsheets. The first group of
    the file is LDN unless --swap. Studies are found by key or label; others are added, and --set
    says what the file cannot (design, blinding, comparator_class, ...). Numbers of the arms go
    before effects computed from them. All lines that can be placed are written, or none.

    \b
    Examples:
      ldn-meta import review.csv --analysis 1.1 --outcome pain_nrs_0_10 --source reis2025 \\
        --read-from "secondary review" --extracted-by "A. Reader" --weeks 12 --statistic end
      ldn-meta import metafor.csv --measure MD ... --dry-run
    """  # noqa: D301
    from ldn_meta.pipeline.entry import add_rows

    shared = {CELLS[name][0]: text for name, text in options.items() if text is not None}
    columns, placed = _placed(
        file,
        shared | _pairs("--set", cells),
        named=_pairs("--column", named),
        studies=_pairs("--study", studies),
        analysis=analysis or "",
        layout=data or "",
        measure=measure or "",
        level=level,
        is_swapped=swap,
    )
    if not placed.lines:
        _report(columns, placed, err=True)
        raise LdnMetaError(f"no line of {file} could be placed")
    try:
        added = add_rows(placed.answers, write=not dry_run)
    except LdnMetaError:
        _report(columns, placed, err=True)
        click.echo("a cell that the file cannot say: --set COLUMN=TEXT", err=True)
        raise
    if as_json:
        click.echo(_import_as_json(added, columns, placed))
        return
    if dry_run:
        tell_rows(added)
    _report(columns, placed)
    tell_outlook(added)
    tell_end(added)


def _placed(
    file: Path,
    shared: dict[str, str],
    *,
    named: dict[str, str],
    studies: dict[str, str],
    analysis: str,
    layout: str,
    measure: str,
    level: float,
    is_swapped: bool,
) -> tuple[Columns, Placed]:
    """Everything up to the rows; every problem of the request and of the file at once."""
    from ldn_meta.evidence.entry.foreign import (
        LOGS,
        MEASURES,
        REVMAN,
        STUDY,
        USED,
        YEAR,
        NotPlaced,
        Wanted,
        chosen_lines,
        place_lines,
        plain_name,
        recognise,
    )
    from ldn_meta.pipeline.entry import read_foreign, read_rows

    content = read_foreign(file)
    columns = recognise(content.header, named)
    chosen = chosen_lines(content.lines, columns, analysis=analysis, layout=layout)
    problems = [*columns.problems, *chosen.problems, *_unsaid(shared, chosen.layout)]
    problems += _unknown_columns(shared)
    if chosen.layout == "effect" and measure not in MEASURES:
        problems.append(f"--measure is {measure or 'missing'}; use one of {', '.join(MEASURES)}")
    is_revman = plain_name(columns.name.get("estimate", "")) == "effectestimate"
    if chosen.layout == "effect" and is_revman and measure in LOGS:
        remedy = f"use --measure {LOGS[measure]}"
        problems.append(f"'Effect Estimate' of RevMan 5 is no logarithm; {remedy}")
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems)
        raise ParameterError(f"{file} was not imported:\n{listed}")
    wanted = Wanted(file.name, shared, measure, level, studies, is_swapped)
    folder = paths.raw_data()
    on_file = {name: read_rows(folder, name) for name in ("studies", "arms")}
    placed = place_lines(chosen.lines, columns, chosen.layout, wanted, on_file)
    known = {row["source_id"] for row in read_rows(folder, "sources")}
    if shared["source_id"] not in known and "kind" in shared:
        placed.answers.of("sources").append({"source_id": shared["source_id"]})
    placed.not_placed += [NotPlaced(line, "-", why) for line, why in chosen.passed_over]
    unused = set(columns.name) - {STUDY, YEAR, *REVMAN, *USED[chosen.layout]}
    why = f"not needed beside the {chosen.layout}, which were taken"
    placed.not_placed += [NotPlaced(0, columns.name.pop(role), why) for role in sorted(unused)]
    placed.not_placed += [NotPlaced(0, name, why) for name, why in columns.not_placed.items()]
    return columns, placed


def _unsaid(shared: dict[str, str], layout: str) -> list[str]:
    """What the file cannot say and the request does not."""
    needed = [
        f"--{name.replace('_', '-')}"
        for name, (column, always) in CELLS.items()
        if always and column not in shared
    ]
    if layout == "means" and "statistic_of" not in shared:
        needed.append("--statistic")
    return [f"{name} is missing: the file cannot say it" for name in needed]


def _unknown_columns(shared: dict[str, str]) -> list[str]:
    from ldn_meta.evidence.entry.rows import TABLES
    from ldn_meta.evidence.raw.tables import load_dictionary

    tables = load_dictionary(paths.raw_data()).tables
    known = {column for name in TABLES for column in tables[name].columns}
    return [f"--set {name}=...: no table has this column" for name in shared if name not in known]


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, sign, value = text.rpartition("=") if option == "--study" else text.partition("=")
        if not sign or not name:
            raise ParameterError(f"{option} {text!r} is not NAME=VALUE")
        pairs[name.strip()] = value.strip()
    return pairs


def _report(columns: Columns, placed: Placed, *, err: bool = False) -> None:
    said = ", ".join(f"{role} = {name}" for role, name in columns.name.items())
    click.echo(f"columns: {said}", err=err)
    for line, study in placed.lines.items():
        new = " (new)" if study in placed.new_studies else ""
        click.echo(f"line {line}: {study}{new}", err=err)
    # A RevMan file may hold a hundred lines of other analyses: one reason is told once.
    by_reason: dict[str, list[str]] = {}
    for line, column, why in placed.not_placed:
        names = [f"line {line}"] if line else []
        names += [column] if column != "-" else []
        by_reason.setdefault(why, []).append(" ".join(names))
    for why, places in by_reason.items():
        click.echo(f"not placed, {', '.join(places)}: {why}", err=err)


def _import_as_json(added: Added, columns: Columns, placed: Placed) -> str:

    return rows_as_json(
        added,
        columns=columns.name,
        lines=placed.lines,
        new_studies=placed.new_studies,
        not_placed=[one._asdict() for one in placed.not_placed],
    )


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
    from ldn_meta.evidence.raw.tables import load_dictionary
    from ldn_meta.pipeline.entry import add_rows, read_answers

    if file is None:
        if as_json:
            raise click.UsageError("--json needs --from: questions are for people")
        _interview(dry_run=dry_run)
        return
    added = add_rows(read_answers(file, load_dictionary(paths.raw_data())), write=not dry_run)
    if as_json:
        click.echo(rows_as_json(added))
        return
    tell_rows(added)
    tell_outlook(added)
    tell_end(added)


def _interview(*, dry_run: bool) -> None:
    from ldn_meta.errors import LdnMetaError
    from ldn_meta.evidence.raw.tables import load_dictionary
    from ldn_meta.pipeline.entry import Interview, add_rows

    folder = paths.raw_data()
    interview = Interview(folder, load_dictionary(folder))
    try:
        answers = interview.run()
        click.echo("")
        added = add_rows(answers, write=False)
        tell_rows(added)
        tell_outlook(added)
        if dry_run:
            _keep(interview)
            return
        click.confirm(f"Write these {added.count} rows?", default=True, abort=True)
        tell_end(add_rows(answers))
    except (click.Abort, KeyboardInterrupt, LdnMetaError):
        _keep(interview)
        raise


def _keep(interview: Interview) -> None:
    """Nobody types a trial twice: what was answered goes to a file of answers."""
    from ldn_meta.files import write_whole
    from ldn_meta.pipeline.entry import answers_text

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


@click.command()
@click.argument("indication")
@json_option
def show(indication: str, as_json: bool) -> None:
    """Print the answer of one indication and its numbers; all facts of all pages: --json.

    \b
    Examples:
      ldn-meta show fibromyalgia
      ldn-meta show overview --json
    """  # noqa: D301  (click reads the backslash)
    from ldn_meta.pipeline import notebooks as parameters
    from ldn_meta.pipeline import readme
    from ldn_meta.pipeline.stale import read_facts

    known = [*parameters.reported_indications(), parameters.OVERVIEW]
    if indication not in known:
        what = f"indication {indication!r}"
        raise ParameterError(parameters.unknown(what, indication, known))
    facts = read_facts(paths.reports() / indication)
    if not facts:
        message = f"reports/{indication} has no facts yet: run `ldn-meta run {indication}`"
        raise LdnMetaError(message)
    if as_json:
        click.echo(json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False))
        return
    answer = facts.get(readme.ANSWERED_BY, {}).get("answer", {})
    if "sentence" in answer:
        # Facts of every page are thousands of lines: the answer would scroll away.
        click.echo(f"{answer.pop('sentence')}\n")
        facts = {readme.ANSWERED_BY: answer}
    for notebook, entries in facts.items():
        click.echo(notebook)
        for name, value in _flat(entries):
            click.echo(f"  {name}: {value}")


def _flat(entries: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Facts as name.part.part and value."""
    found: list[tuple[str, Any]] = []
    for name, value in entries.items():
        if isinstance(value, Mapping):
            found.extend(_flat(value, f"{prefix}{name}."))
        elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
            found.append((f"{prefix}{name}", f"{len(value)} rows, see --json"))
        else:
            found.append((f"{prefix}{name}", value))
    return found


def rows_as_json(added: Added, **further: Any) -> str:
    """Rows, and what becomes of them, as JSON."""
    from ldn_meta.files import rounded

    content = {
        "is_written": added.is_written,
        "rows": added.rows,
        "effects": list(added.effects),
        "left_out": list(added.left_out),
        **further,
    }
    return json.dumps(rounded(content), indent=1)


def tell_rows(added: Added) -> None:
    """Show every new row as it will stand in its table."""
    for table, rows in added.rows.items():
        click.echo(f"{table}.csv")
        for row in rows:
            click.echo(f"  {csv_text([row.values()])}", nl=False)


def tell_outlook(added: Added) -> None:
    """Show which effects come of the rows, and which rows are in none."""
    from ldn_meta.evidence.effects.rows import RATIO_MEASURES

    for effect in added.effects:
        scale = "log " if effect["measure"] in RATIO_MEASURES else ""
        click.echo(
            f"effect {effect['effect_id']}: {scale}{effect['measure']} {effect['yi']:.4g} "
            f"(95% CI {effect['ci_low']:.4g} to {effect['ci_high']:.4g}), {effect['unit']}; "
            f"{'in' if effect['is_selected'] else 'not in'} the main pool: "
            f"{effect['selected_why']}"
        )
    for row in added.left_out:
        click.echo(f"in no effect {row['table']}:{row['row_id']}: {row['reason']}")


def tell_end(added: Added) -> None:
    """Say what was written and what comes next."""
    if not added.is_written:
        click.echo(f"nothing was written; {added.count} rows would be")
        return
    folder = paths.raw_data().relative_to(paths.project_root()).as_posix()
    counts = ", ".join(f"{name} {len(rows)}" for name, rows in added.rows.items())
    click.echo(f"{folder}: {counts} rows added; next: ldn-meta run, then git diff")


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
    from ldn_meta.pipeline import compare_report as output
    from ldn_meta.pipeline.compare import open_checkout

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


FAILED, WRONG_REQUEST = 1, 2


class _Commands(click.Group):
    """Turns deliberate errors into a message and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with ended_in_order():
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
    if wants_json(ctx):
        click.echo(failure_json(error))
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
    from ldn_meta.files import derived_is_current
    from ldn_meta.pipeline import kernels as fork_kernels
    from ldn_meta.pipeline import notebooks as parameters
    from ldn_meta.pipeline import progress, readme
    from ldn_meta.pipeline import readme as methods_page
    from ldn_meta.pipeline import run as runner

    chosen = dict(parameters.parse_assignment(text) for text in assignments)
    # A misspelt request is refused before minutes of work, not after.
    parameters.plan(indications or None, chosen)
    source = fork_kernels.kernel_source(kernels)
    with contextlib.ExitStack() as stack:
        if force or not derived_is_current():
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
    folder = _shown_cli(summary.folder)
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
    index = _shown_cli(paths.build() / "site" / "index.html")
    click.echo(f"{index}: {'built' if was_built else 'up to date'}")


def _shown_cli(path: Path) -> str:
    return path.relative_to(paths.project_root()).as_posix()
