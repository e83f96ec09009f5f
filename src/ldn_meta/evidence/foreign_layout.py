"""Which lines of a foreign table are studies of one analysis, and which numbers to take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ldn_meta.evidence.column_names import ANALYSIS, EVENTS, MEANS, STUDY, Columns, plain_name

LAYOUTS = ("means", "events", "effect")
# What RevMan 5 calls the data of an analysis.
DATA_TYPES = {"DIC": "events", "CON": "means", "IVG": "effect", "GIV": "effect"}
TOTALS = re.compile(r"(sub)?totals?\b|overall\b|pooled\b|summary\b|heterogeneity\b", re.I)


@dataclass(frozen=True)
class Line:
    """One line of a foreign table: its number in the file (1 is the header), label and cells."""

    number: int
    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Chosen:
    """What to take of a foreign table.

    Attributes
    ----------
    lines : tuple of Line
        Lines of studies.
    layout : str
        One of LAYOUTS; "" where it could not be told.
    passed_over : tuple of (int, str)
        Line and reason of the others.
    problems : tuple of str
        What the user has to say before anything can be placed.
    """

    lines: tuple[Line, ...]
    layout: str
    passed_over: tuple[tuple[int, str], ...]
    problems: tuple[str, ...]


def chosen_lines(
    rows: Sequence[tuple[int, Sequence[str]]],
    columns: Columns,
    *,
    analysis: str = "",
    layout: str = "",
) -> Chosen:
    """Choose lines and layout, or say what keeps from choosing.

    Parameters
    ----------
    rows : sequence of (int, sequence of str)
        Line number and cells.
    columns : Columns
    analysis : str
        "1.2" is outcome 2 of comparison 1 of a RevMan file.
    layout : str
        One of LAYOUTS, where a file holds more than one.

    Returns
    -------
    Chosen
    """
    if STUDY not in columns.place:
        return Chosen((), "", (), ("no column names the studies; say which: --column study=NAME",))
    lines = [
        Line(number, cells[columns.place[STUDY]].strip(), tuple(cells)) for number, cells in rows
    ]
    passed_over: list[tuple[int, str]] = []
    problems: list[str] = []
    if columns.has(ANALYSIS):
        lines, data_type, more = _of_analysis(lines, columns, analysis, passed_over)
        problems += more
        layout = layout or data_type
    studies = []
    for line in lines:
        why = _why_no_study(line, columns)
        if why:
            passed_over.append((line.number, why))
        else:
            studies.append(line)
    if not problems:
        problems += _twice(studies)
        layout, more = _layout(studies, columns, layout)
        problems += more
    return Chosen(tuple(studies), layout, tuple(sorted(passed_over)), tuple(problems))


def _of_analysis(
    lines: Sequence[Line],
    columns: Columns,
    analysis: str,
    passed_over: list[tuple[int, str]],
) -> tuple[list[Line], str, list[str]]:
    """Lines of one analysis, the kind of its data, and what keeps from choosing it."""
    by_analysis: dict[str, list[Line]] = {}
    for line in lines:
        name = ".".join(line.cells[columns.place[role]].strip() for role in ANALYSIS)
        by_analysis.setdefault(name, []).append(line)
    # Outcome 0 is the line that names a comparison.
    known = {name: some for name, some in by_analysis.items() if not name.endswith(".0")}
    listed = ", ".join(f"{name} ({_about(some, columns)})" for name, some in known.items())
    if analysis and analysis not in known:
        return [], "", [f"no analysis {analysis}; there are {listed}"]
    if not analysis and len(known) > 1:
        return [], "", [f"several analyses; say which with --analysis: {listed}"]
    wanted = analysis or next(iter(known), "")
    for name, some in by_analysis.items():
        if name != wanted:
            reason = f"of analysis {name}" if name in known else "names a comparison"
            passed_over.extend((line.number, reason) for line in some)
    kept = known.get(wanted, [])
    types = {_cell(line, columns, "data_type").upper() for line in kept} - {""}
    told = next((DATA_TYPES[name] for name in sorted(types) if name in DATA_TYPES), "")
    return kept, told, []


def _about(lines: Sequence[Line], columns: Columns) -> str:
    """Title of an analysis, if the file gives one, and how many studies it has."""
    title = next((line.label for line in lines if _cell(line, columns, "data_type")), "")
    count = sum(not _why_no_study(line, columns) for line in lines)
    return f"{title}, {count} studies" if title else f"{count} studies"


def _why_no_study(line: Line, columns: Columns) -> str:
    if not any(cell.strip() for cell in line.cells):
        return "a blank line"
    if _cell(line, columns, "data_type"):
        return "names an analysis"
    if not line.label:
        return "names no study"
    if TOTALS.match(line.label):
        return "a line of totals"
    numbers = [
        line.cells[place].strip() for role, place in columns.place.items() if role not in _NAMING
    ]
    if _cell(line, columns, "subgroup_no") not in ("", "0") and "se" in columns.place:
        # RevMan 5 gives every study a standard error, and no line of a subgroup.
        return "" if _cell(line, columns, "se") else "names a subgroup"
    return "" if any(numbers) else "holds no number"


_NAMING = (STUDY, "year", *ANALYSIS, "subgroup_no", "data_type")


def _twice(lines: Sequence[Line]) -> list[str]:
    seen: dict[str, list[str]] = {}
    for line in lines:
        seen.setdefault(plain_name(line.label), []).append(str(line.number))
    return [
        f"lines {', '.join(numbers)} are one study; keep one result of it in the file"
        for numbers in seen.values()
        if len(numbers) > 1
    ]


def _layout(lines: Sequence[Line], columns: Columns, layout: str) -> tuple[str, list[str]]:
    """The numbers to take; those of the arms go before an effect computed from them."""
    ways: Mapping[str, list[tuple[str, ...]]] = {
        "means": [MEANS],
        "events": [EVENTS, ("events_1", "non_events_1", "events_2", "non_events_2")],
        "effect": [("estimate",)],
    }
    there = [
        name
        for name, options in ways.items()
        if any(columns.has(o) and any(_has(line, columns, o) for line in lines) for o in options)
    ]
    if layout:
        if layout in there:
            return layout, []
        return "", [f"no line has the numbers of {layout}; there are {', '.join(there) or 'none'}"]
    of_arms = [name for name in there if name != "effect"]
    if len(of_arms) > 1:
        return "", ["both means and events; say which with --data means or --data events"]
    if there:
        return there[0], []
    needed = "; ".join(f"{name}: {', '.join(options[0])}" for name, options in ways.items())
    found = ", ".join(f"{name} ({role})" for role, name in columns.name.items()) or "none"
    return "", [
        f"no line has all the numbers of one kind. Needed are, of {needed}. Known columns: "
        f"{found}. Name others with --column ROLE=NAME"
    ]


def _has(line: Line, columns: Columns, roles: Sequence[str]) -> bool:
    return all(_cell(line, columns, role) for role in roles)


def _cell(line: Line, columns: Columns, role: str) -> str:
    place = columns.place.get(role)
    return "" if place is None else line.cells[place].strip()
