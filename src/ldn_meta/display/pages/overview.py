"""Page 90: every indication and outcome on one page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.figures.studies import IN_NO_POOL, TOLD_OF_ALL
from ldn_meta.display.outputs import Facts, Table, Text, footer, rows_of
from ldn_meta.display.pages.effect import EffectPage
from ldn_meta.display.pages.page import BY_PROTOCOL, construct_labels, open_page, people_cell
from ldn_meta.display.words import (
    MEASURES,
    agree,
    capitalised,
    count,
    effect_of,
    fixed,
    in_words,
    p_value,
    shown,
)
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.answer.conflicts import NEW_ROW, UNBOUNDED, wanted
from ldn_meta.evidence.answer.pools import DIRECTION_ONLY, META_ANALYSIS, NO_COMPARISON, NOTHING
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.effects.rows import NOT_RANDOMISED
from ldn_meta.evidence.grade import NOT_RATED
from ldn_meta.files import MISSING

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.raw.review import Review


NOTEBOOK = "90_overview"
PEOPLE = ("people", "people_are", "people_early")


class OverviewPage:
    """All indications side by side."""

    def __init__(self, tau2_method: str) -> None:
        self.tau2_method = tau2_method
        self.derived = load_derived()
        rows = self.derived.evidence.text["indications"]
        self.indications = rows_of(rows[rows["is_reported"] == "yes"])

    @cached_property
    def pages(self) -> list[EffectPage]:
        """The effect page of every reported indication."""
        names = [row["indication_id"] for row in self.indications]
        choices = {"tau2_method": self.tau2_method}
        return [EffectPage(open_page(NOTEBOOK, indication=name, **choices)) for name in names]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """One row for every indication and group of outcomes: of figure and table alike."""
        return pd.DataFrame([cell for page in self.pages for cell in self._cells(page)])

    def _cells(self, page: EffectPage) -> Iterator[dict[str, Any]]:
        opened = page.opened
        labels = construct_labels(self.derived)
        for group in opened.groups:
            cell = group.cell
            rating = opened.answer(cell["construct"], cell["comparator_class"]).rating
            yield {
                "indication_id": page.answer.indication_id,
                "indication_label": opened.label,
                "outcome_label": group.group,
                "treatment": opened.treatment,
                **cell,
                "constructs": cell["constructs"] or labels[cell["construct"]],
                "number": _number(cell),
                "certainty": NOT_RATED if rating is None else rating["certainty"],
                "told": opened.arm_not_named(group),
            }

    @property
    def headline(self) -> Text:
        """How much could be pooled at all."""
        pooled = self.cells[self.cells["synthesis"] == META_ANALYSIS]
        studies = self.derived.evidence.studies
        reported = studies[
            studies["indication_id"].isin([row["indication_id"] for row in self.indications])
        ]
        where = sorted(set(pooled["indication_label"]))
        return Text(
            f"**{capitalised(count(len(self.indications), 'condition'))}**, {len(reported)} "
            f"studies on file: {len(pooled)} of {len(self.cells)} combinations of condition and "
            f"outcome could be pooled, all in {', '.join(where) if where else 'none'}."
        )

    @property
    def answers(self) -> Table:
        """The answer per indication."""
        frame = pd.DataFrame(
            [
                {
                    "condition": page.opened.label,
                    "question": page.opened.indication["question"],
                    "trials (people)": "0"
                    if page.pool is None
                    else f"{len(page.pool.trials)} ({page.pool.people})",
                    "answer": str(page.sentence),
                }
                for page in self.pages
            ]
        )
        return Table(frame, "The main question of each condition")

    @property
    def map(self) -> FigureOutput:
        """Evidence map: condition by outcome."""
        from ldn_meta.display.figures.studies import evidence_map_output

        return evidence_map_output("evidence_map", self.cells, treatment="the drug of the row")

    def _review_of(self, cell: dict[str, Any]) -> Review:
        """The names of the review, with the treatment as the cell's condition calls it."""
        labels = {page.answer.indication_id: page.opened.review for page in self.pages}
        return labels[cell["indication_id"]]

    def _side(self, cell: dict[str, Any]) -> str:
        """The side of a cell in words, with the studies whose side is not known."""
        if cell["synthesis"] in (NO_COMPARISON, NOTHING):
            return "no comparison" if cell["synthesis"] == NO_COMPARISON else "none"
        side = self._review_of(cell).side(cell["side"])
        if cell["synthesis"] == DIRECTION_ONLY:
            asked = {name: cell[name] for name in ("construct", "comparator_class")}
            own = [p for p in self.pages if p.answer.indication_id == cell["indication_id"]]
            side += own[0].opened.inferred(indication_id=cell["indication_id"], **asked)
        few = 0 < cell["unknown"] < cell["trials"]
        return f"{side} ({count(cell['unknown'], 'study')} without a known side)" if few else side

    @property
    def table(self) -> Table:
        """The evidence map as text: every cell of which something is told, in its order."""
        rows = []
        for c in rows_of(self.cells):
            is_empty = c["synthesis"] == NOTHING
            if is_empty and not c["told"]:
                continue
            review, kind = self._review_of(c), _kind(c)
            unknown = count(c["people_unknown"], "study")
            people = f" ({unknown} without a number)" * bool(c["people_unknown"])
            beside = "; ".join(
                f"{name} ({review.side(side)}{f', {why}' if why else ''})"
                for name, side, why in c["beside"]
            )
            rows.append(
                {
                    "condition": c["indication_label"],
                    "outcome": c["outcome_label"],
                    "measured as": c["measured"] or ("none" if is_empty else c["constructs"]),
                    "synthesis": kind,
                    "studies": c["trials"],
                    "people": f"{people_cell(*(c[x] for x in PEOPLE))}{people}",
                    "randomised": "none" if is_empty else _randomised(c),
                    "effect (95% interval)": c["number"] or "none",
                    "side of the estimate": self._side(c),
                    "certainty": "none" if is_empty else c["certainty"],
                    "beside it": beside or c["told"] or "none",
                }
            )
        return Table(
            pd.DataFrame(rows),
            "Evidence behind each cell of the map",
            "Effect: mean difference in the unit of the trials, ratio of risks or rates; "
            f"{review.label} against the comparator, interval as on the condition's own pages. "
            f"Side: where the estimate lies, whatever its interval and however uncertain; without "
            "a pool, of the studies that the plan counts, or of the others where it counts none. "
            f"Beside it: comparative studies that are not in the cell. Cells without "
            "a row: not found in the abstracts, registers, reviews and press that were read; most "
            "full texts were not.",
        )

    @property
    def kinds(self) -> dict[str, int]:
        """How many cells there are of each kind of synthesis, the most common first."""
        return dict(Counter(map(_kind, rows_of(self.cells))).most_common())

    @property
    def compared(self) -> tuple[int, int]:
        """Cells with a comparison, and how many of these have no randomised one."""
        cells = self.cells[~self.cells["synthesis"].isin([NO_COMPARISON, NOTHING])]
        return len(cells), int((~cells["is_randomised"]).sum())

    @property
    def sentence(self) -> Text:
        """What the whole map says."""
        parts = [f"{name}: {count}" for name, count in self.kinds.items()]
        compared, open_ones = self.compared
        return Text(
            f"Of the {len(self.cells)} combinations of condition and outcome: {'; '.join(parts)}. "
            f"Of the {compared} with a comparison, {open_ones} "
            f"{'rests' if open_ones == 1 else 'rest'} on studies that were {NOT_RANDOMISED}."
        )

    @property
    def checklists_sentence(self) -> Text:
        """How much of each reporting checklist is done, and what is not."""
        rows = self.derived.evidence.text["checklists"]
        parts = []
        for name, own in rows.groupby("checklist", sort=False):
            done = own["status"].value_counts()
            missing = own[own["status"] == "not done"]
            parts.append(
                f"{name}: of {count(len(own), 'item')} and parts of items "
                f"{agree(int(done.get('reported', 0)), 'is', 'are')} reported, "
                f"{int(done.get('partly', 0))} partly"
                + (
                    f", {len(missing)} not done ({'; '.join(missing['item'])})."
                    if len(missing)
                    else "."
                )
            )
        return Text(" ".join(parts))

    @property
    def checklists(self) -> Table:
        """Where each item of the reporting checklists is told, or that it is not."""
        rows = self.derived.evidence.text["checklists"]
        told = rows.assign(place=rows["place"].replace("NA", "not done")).drop(columns="item_id")
        return Table(
            told.assign(note=told["note"].replace("NA", "")),
            "Reporting checklists: PRISMA 2020 and SWiM",
            "PRISMA 2020: Page 2021, doi 10.1136/bmj.n71. SWiM: Campbell 2020, doi "
            "10.1136/bmj.l6890. Items in words of this project. Places: page#section of each "
            "condition's pages, or a file of the project.",
        )

    @cached_property
    def to_read(self) -> list[dict[str, Any]]:
        """Every comparative study without a number for a main pool, and what it could do."""
        d = self.derived
        rows = rows_of(wanted(Answers(d.evidence, d.protocol, d.effects, d.left_out)))
        labels = {row["indication_id"]: row["label"] for row in self.indications}
        return [
            {
                # What is not defined is missing in facts.
                **{name: None if value != value else value for name, value in row.items()},
                "condition": labels[row["indication_id"]],
                "fill": _fill(row),
                "could_do": _could_do(row),
            }
            for row in rows
        ]

    @property
    def to_read_sentence(self) -> Text:
        """How many studies lack a number, and of how many it is known what it could do."""
        rows = self.to_read
        bounded = sum(row["basis"] != UNBOUNDED for row in rows)
        outside = sum(row["barred"] != "none" for row in rows)
        return Text(
            f"{capitalised(count(len(rows), 'comparative study'))} on file "
            f"{'is' if len(rows) == 1 else 'are'} in no pool of the main outcome for want of a "
            f"number. What that number could do is worked out for {in_words(bounded)}; "
            f"{in_words(outside)} would stand beside the main pool whatever it is, and for these "
            "it is what letting them in would do. What could happen is no data: nothing of it "
            "enters any other page."
        )

    @property
    def to_read_table(self) -> Table:
        """What to read next, study by study."""
        rows = [
            {
                "condition": row["condition"],
                "study": row["study_label"],
                "missing": row["missing"],
                "most likely in": row["likely_in"]
                + (f" ({row['address']})" if row["address"] not in MISSING else ""),
                "goes to": row["fill"],
                "could do to the answer": row["could_do"],
            }
            for row in self.to_read
        ]
        return Table(
            pd.DataFrame(rows),
            "Numbers worth reading",
            "Where a number stands is a guess: nobody has looked. Intervals are those that the "
            "answer would be read by, over every value that the printed facts allow; where they "
            "allow all, over an important difference either way on the scale of the main outcome, "
            "with the error that the size of the study and the spread of the scale give; where "
            "only a p and a side are printed, over the differences on that scale that give it. "
            "Also: ldn-meta wanted.",
            "Every comparative study is in a pool.",
        )

    @cached_property
    def facts(self) -> Facts:
        """Cells and counts."""
        return Facts(
            {
                "headline": str(self.headline),
                "sentence": str(self.sentence),
                "checklists": str(self.checklists_sentence),
                "kinds": self.kinds,
                "combinations": len(self.cells),
                "compared": self.compared,
                "cells": [_as_shown(cell) for cell in rows_of(self.cells)],
                "to_read": self.to_read,
            }
        )

    def footer(self) -> Table:
        """Provenance."""
        parameters: dict[str, Any] = {"tau2_method": self.tau2_method}
        return footer(NOTEBOOK, parameters, [self.derived.effects, self.derived.left_out])


def _fill(row: dict[str, Any]) -> str:
    """The cells to fill."""
    if row["table"] == "none":
        return "not said"
    columns = ", ".join(row["columns"].split())
    which = "new rows" if row["rows"] == NEW_ROW else " and ".join(row["rows"].split())
    return f"{row['table']}.csv, {which}: {columns}"


def _could_do(row: dict[str, Any]) -> str:
    """What the missing number could do to the answer."""
    barred = row["barred"] != "none"
    outside = f"would stand beside the main pool ({row['barred']}); let in, " if barred else ""
    if row["basis"] == UNBOUNDED:
        return f"{outside}not worked out: {row['assumed']}"

    def shown_as(*names: str) -> list[str]:
        numbers = shown([row[name] for name in names], measure=row["measure"])
        return [fixed(number) for number in numbers]

    first, last, low, high = shown_as("estimate_low", "estimate_high", "ci_low", "ci_high")
    sets = int(row["sets"])
    what = MEASURES.get(row["measure"], row["measure"])
    pooled = "alone" if row["k"] == 1 else f"in a pool of {in_words(int(row['k']))} trials"
    found = f"{what} {first}" if first == last else f"{what} {first} to {last}"
    assumed = "" if row["assumed"] == "none" else f" ({row['assumed']})"
    said = f"{outside}with {row['basis']}, {pooled}{assumed}: {found}"
    if sets == 1:
        said += f", interval {low} to {high}"
    else:
        away = agree(int(row["excluding"]), "excludes", "exclude")
        said += f", intervals within {low} to {high}, of {sets} values tried {away} no difference"
    if row["named"] == "none":
        return said
    middle, lower, upper = shown_as("named_estimate", "named_low", "named_high")
    return (
        f"{said}; of these only {row['named']} ({p_value(row['named_p'])}) gives the printed p: "
        f"{middle} ({lower} to {upper}), a what-if and no data"
    )


def _kind(cell: dict[str, Any]) -> str:
    """The kind of synthesis of a cell as the table and the sentence call it."""
    if cell["told"]:
        return TOLD_OF_ALL
    is_kept_out = cell["synthesis"] == DIRECTION_ONLY and cell["number"]
    return IN_NO_POOL if is_kept_out else str(cell["synthesis"])


def _randomised(cell: dict[str, Any]) -> str:
    """Whether a study of a cell is randomised, also where it compares nothing in print."""
    if not cell["is_randomised"]:
        return "no"
    return "yes, arms not printed apart" if cell["synthesis"] == NO_COMPARISON else "yes"


def _number(cell: dict[str, Any]) -> str:
    """The effect of a cell with its interval, where one was computed."""
    if not math.isfinite(cell["estimate"]):
        return ""
    return effect_of(cell)


def _as_shown(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell with ratios as ratios, and people who were not counted as unknown."""
    names = ("estimate", "ci_low", "ci_high")
    numbers = shown([cell[name] for name in names], measure=cell["measure"])
    return {
        **cell,
        **dict(zip(names, numbers, strict=True)),
        "people": cell["people"] if math.isfinite(cell["people"]) else None,
    }


def overview(*, tau2_method: str = BY_PROTOCOL) -> OverviewPage:
    """Open page 90.

    Parameters
    ----------
    tau2_method : str
        As ``ldn_meta.pool``; by the protocol unless given.

    Returns
    -------
    OverviewPage
    """
    return OverviewPage(tau2_method)
