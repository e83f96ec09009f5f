"""Rows of a foreign table as answers about new rows, and what could not be placed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ldn_meta.evidence.column_names import (
    EFFECT,
    EVENTS,
    MEANS,
    STUDY,
    YEAR,
    Columns,
)
from ldn_meta.evidence.foreign_cells import cell, number_cells, printed
from ldn_meta.evidence.foreign_effect import effect_cells
from ldn_meta.evidence.foreign_layout import Line
from ldn_meta.evidence.new_rows import Answers
from ldn_meta.evidence.usual_cells import Row, slug


class NotPlaced(NamedTuple):
    """A row or a cell that is in no new row, and why; line 0 is the header."""

    line: int
    column: str
    why: str


@dataclass(frozen=True)
class Wanted:
    """What a file cannot say.

    Attributes
    ----------
    file : str
        Its name, for the locators.
    shared : dict of str to str
        Cells of every new row: source, outcome, indication, and what new studies need.
    measure : str
        Of the estimates, one of ``foreign_effect.MEASURES``; "" if there are none.
    level : float
        Of the intervals.
    studies : dict of str to str
        study_id by label, where the labels do not say it.
    is_swapped : bool
        Whether the file's first group is the comparator.
    """

    file: str
    shared: Row
    measure: str = ""
    level: float = 0.95
    studies: Mapping[str, str] = field(default_factory=dict)
    is_swapped: bool = False


@dataclass
class Placed:
    """What became of a file.

    Attributes
    ----------
    answers : Answers
    lines : dict of int to str
        Study by line of the file.
    new_studies : list of str
    not_placed : list of NotPlaced
    """

    answers: Answers
    lines: dict[int, str] = field(default_factory=dict)
    new_studies: list[str] = field(default_factory=list)
    not_placed: list[NotPlaced] = field(default_factory=list)


def place_lines(
    lines: Iterable[Line],
    columns: Columns,
    layout: str,
    wanted: Wanted,
    on_file: Mapping[str, Sequence[Row]],
) -> Placed:
    """Turn lines of a foreign table into answers.

    Parameters
    ----------
    lines : iterable of Line
        One a study (``foreign_layout.chosen_lines``).
    columns : Columns
    layout : str
        "means", "events" or "effect".
    wanted : Wanted
    on_file : mapping of str to sequence of dict
        Rows of ``studies`` and ``arms`` as typed.

    Returns
    -------
    Placed
    """
    placed = Placed(Answers(shared=dict(wanted.shared)))
    placer = _Placer(placed, columns, wanted, on_file)
    for line in lines:
        placer.line(line, layout)
    return placed


class _Placer:
    def __init__(
        self,
        placed: Placed,
        columns: Columns,
        wanted: Wanted,
        on_file: Mapping[str, Sequence[Row]],
    ) -> None:
        self._placed, self._columns, self._wanted = placed, columns, wanted
        self._studies = {row["study_id"]: row for row in on_file["studies"]}
        self._arms: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for arm in on_file["arms"]:
            self._arms[arm["study_id"]][arm["group"]].append(arm["arm_id"])

    def line(self, line: Line, layout: str) -> None:
        numbers, faults = number_cells(line, self._columns)
        for role, why in faults:
            self._skip(line, self._columns.name[role], why)
        rows = {"means": self._means, "events": self._events, "effect": self._effect}[layout](
            line, numbers
        )
        if rows is None:
            return
        study_id = self._study_of(line)
        arms = self._arms_of(line, study_id)
        if arms is None:
            return
        if study_id not in self._studies:
            self._new_study(line, study_id)
        self._placed.lines[line.number] = study_id
        for table, row in rows:
            where = {"study_id": study_id, "locator": self._locator(line)}
            group = row.pop("group", "")
            if group:
                where["arm_id"] = arms[int(group) - 1]
            else:
                where |= {"arm_1": arms[0], "arm_2": arms[1]}
                row = self._paired(line, study_id, row)
            self._placed.answers.of(table).append(where | row)

    def _means(self, line: Line, numbers: Row) -> list[tuple[str, Row]] | None:
        if self._lacks(line, numbers, MEANS):
            return None
        return [
            (
                "arm_stats",
                {
                    "group": group,
                    "mean": numbers[f"mean_{place}"],
                    "sd": numbers[f"sd_{place}"],
                    "n": numbers[f"n_{place}"],
                    "as_reported": printed(
                        line, self._columns, (f"mean_{place}", f"sd_{place}", f"n_{place}")
                    ),
                },
            )
            for group, place in self._groups()
        ]

    def _events(self, line: Line, numbers: Row) -> list[tuple[str, Row]] | None:
        for place in ("1", "2"):
            parts = [numbers.get(name) for name in (f"events_{place}", f"non_events_{place}")]
            if f"n_{place}" not in numbers and all(parts):
                numbers[f"n_{place}"] = str(sum(int(part or 0) for part in parts))
        if self._lacks(line, numbers, EVENTS):
            return None
        shown = ("events", "non_events", "n")
        return [
            (
                "arm_events",
                {
                    "group": group,
                    "events": numbers[f"events_{place}"],
                    "n": numbers[f"n_{place}"],
                    "as_reported": printed(
                        line, self._columns, [f"{name}_{place}" for name in shown]
                    ),
                },
            )
            for group, place in self._groups()
        ]

    def _effect(self, line: Line, numbers: Row) -> list[tuple[str, Row]] | None:
        if self._lacks(line, numbers, ("estimate",)):
            return None
        wanted = self._wanted
        cells = effect_cells(
            numbers, measure=wanted.measure, level=wanted.level, is_turned=wanted.is_swapped
        )
        if isinstance(cells, str):
            self._skip(line, self._columns.name["estimate"], cells)
            return None
        people = {
            f"n_{own}": numbers[f"n_{p}"] for own, p in self._groups() if f"n_{p}" in numbers
        }
        return [
            ("contrasts", {**cells, **people, "as_reported": printed(line, self._columns, EFFECT)})
        ]

    def _lacks(self, line: Line, numbers: Row, roles: Sequence[str]) -> bool:
        missing = [self._columns.name.get(role, role) for role in roles if role not in numbers]
        if missing:
            self._skip(line, ", ".join(missing), f"no number, so {line.label!r} is not placed")
        return bool(missing)

    def _study_of(self, line: Line) -> str:
        """The study a label names: by hand, by key, by label, or a new key."""
        if line.label in self._wanted.studies:
            return self._wanted.studies[line.label]
        year = cell(line, self._columns, YEAR)
        whole = line.label if year in line.label else f"{line.label} {year}"
        labels = {slug(row["label"], ""): name for name, row in self._studies.items()}
        for key in (slug(line.label, ""), slug(whole, "")):
            if key in self._studies:
                return key
            if key in labels:
                return labels[key]
        return slug(whole, "")

    def _arms_of(self, line: Line, study_id: str) -> tuple[str, str] | None:
        if study_id not in self._studies:
            return f"{study_id}-ldn", f"{study_id}-comparator"
        arms = self._arms[study_id]
        if len(arms["1"]) == 1 and len(arms["2"]) == 1:
            return arms["1"][0], arms["2"][0]
        listed = ", ".join([*arms["1"], *arms["2"]]) or "none"
        why = (
            f"{study_id} has not one arm of group 1 and one of group 2 ({listed}); type it by hand"
        )
        self._skip(line, self._columns.name[STUDY], why)
        return None

    def _new_study(self, line: Line, study_id: str) -> None:
        year = (
            cell(line, self._columns, YEAR)
            or (re.findall(r"(?:19|20)\d\d", line.label) or ["NR"])[-1]
        )
        label = (
            line.label
            if year in ("NR", *re.findall(r"\d{4}", line.label))
            else f"{line.label} {year}"
        )
        study = {"study_id": study_id, "label": label, "year": year}
        self._placed.answers.of("studies").append(study)
        for group, name in (("1", "ldn"), ("2", "comparator")):
            arm = {"arm_id": f"{study_id}-{name}", "study_id": study_id, "group": group}
            self._placed.answers.of("arms").append(arm | {"locator": self._locator(line)})
        self._placed.new_studies.append(study_id)

    def _paired(self, line: Line, study_id: str, row: Row) -> Row:
        """A crossover has one number of people."""
        study = self._studies.get(study_id, self._wanted.shared)
        if "crossover" not in study.get("design", ""):
            return row
        first, second = row.pop("n_1", "NR"), row.pop("n_2", "NR")
        if first != second:
            self._skip(
                line, "n", f"{study_id} is a crossover, and the file has two numbers of people"
            )
        return row | {"is_paired": "yes", "n_1": first if first == second else "NR"}

    def _groups(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Group here, and group of the file."""
        return (("1", "2"), ("2", "1")) if self._wanted.is_swapped else (("1", "1"), ("2", "2"))

    def _locator(self, line: Line) -> str:
        own = f"{self._wanted.file}, line {line.number}"
        shared = self._wanted.shared.get("locator", "")
        return f"{shared}; {own}" if shared else own

    def _skip(self, line: Line, column: str, why: str) -> None:
        self._placed.not_placed.append(NotPlaced(line.number, column, why))
