"""``ldn-meta import``: the table of another program or review as rows of data/raw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ldn_meta import paths
from ldn_meta.errors import LdnMetaError, ParameterError
from ldn_meta.pipeline.commands.options import json_option

if TYPE_CHECKING:
    from ldn_meta.evidence.column_names import Columns
    from ldn_meta.evidence.foreign_rows import Placed
    from ldn_meta.pipeline.raw_rows import Added

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
    from ldn_meta.pipeline.commands import told
    from ldn_meta.pipeline.raw_rows import add_rows

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
        click.echo(_as_json(added, columns, placed))
        return
    if dry_run:
        told.tell_rows(added)
    _report(columns, placed)
    told.tell_outlook(added)
    told.tell_end(added)


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
    from ldn_meta.evidence.column_names import REVMAN, STUDY, USED, YEAR, plain_name, recognise
    from ldn_meta.evidence.foreign_effect import LOGS, MEASURES
    from ldn_meta.evidence.foreign_layout import chosen_lines
    from ldn_meta.evidence.foreign_rows import NotPlaced, Wanted, place_lines
    from ldn_meta.pipeline.foreign_file import read_foreign
    from ldn_meta.pipeline.raw_rows import read_rows

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
    from ldn_meta.evidence.new_rows import TABLES
    from ldn_meta.evidence.schema import load_dictionary

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


def _as_json(added: Added, columns: Columns, placed: Placed) -> str:
    from ldn_meta.pipeline.commands import told

    return told.as_json(
        added,
        columns=columns.name,
        lines=placed.lines,
        new_studies=placed.new_studies,
        not_placed=[one._asdict() for one in placed.not_placed],
    )
