"""Page 90: every indication and outcome on one page."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Facts, Table, Text, footer, rows_of
from ldn_meta.display.pages.effect import EffectPage
from ldn_meta.display.pages.page import BY_PROTOCOL, open_page
from ldn_meta.display.words import (
    MEASURES,
    agree,
    capitalised,
    count,
    estimate_with_interval,
    fixed,
    in_words,
    shown,
)
from ldn_meta.evidence.answer.answer import Answers
from ldn_meta.evidence.answer.conflicts import NEW_ROW, OUTSIDE, UNBOUNDED, wanted
from ldn_meta.evidence.answer.pools import META_ANALYSIS, NOTHING
from ldn_meta.evidence.derived import load_derived

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.outputs import FigureOutput


NOTEBOOK = "90_overview"


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
        """One row for every indication and group of outcomes."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "indication_id": page.answer.indication_id,
                    "indication_label": page.opened.label,
                    "outcome_label": group,
                    **page.opened.answers.synthesis(page.answer.indication_id, constructs),
                }
                for page in self.pages
                for group, constructs in self.derived.protocol.outcome_groups.items()
            ]
        )

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
        import pandas as pd

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

        return evidence_map_output(
            "evidence_map", self.cells, treatment=self.derived.evidence.review.label
        )

    @cached_property
    def labels(self) -> dict[str, str]:
        """What constructs are called for readers."""
        rows = self.derived.evidence.text["outcomes"]
        return dict(zip(rows["construct"], rows["construct_label"], strict=True))

    @property
    def table(self) -> Table:
        """The evidence map as text."""
        import pandas as pd

        rows = []
        for c in rows_of(self.cells):
            if c["trials"] == 0:
                continue
            number = (
                "none"
                if not math.isfinite(c["estimate"])
                else estimate_with_interval(
                    c["estimate"], c["ci_low"], c["ci_high"], measure=c["measure"]
                )
            )
            rows.append(
                {
                    "condition": c["indication_label"],
                    "outcome": c["outcome_label"],
                    "measured as": self.labels[c["construct"]],
                    "synthesis": c["synthesis"],
                    "studies": c["trials"],
                    "people": c["people"] or "NR",
                    "effect (95% interval)": number,
                    "direction": self.derived.evidence.review.direction(c["direction"]),
                }
            )
        return Table(
            pd.DataFrame(rows),
            "Evidence behind each cell of the map",
            "Effect: mean difference in the unit of the trials, or risk ratio; "
            f"{self.derived.evidence.review.label} against the comparator. Either way: the "
            "interval includes no difference. Intervals are those of the conditions' own pages.",
        )

    @property
    def sentence(self) -> Text:
        """What the whole map says."""
        kinds = self.cells["synthesis"].value_counts()
        said = {NOTHING: "no data"}
        parts = [f"{said.get(name, name)}: {int(kinds[name])}" for name in kinds.index]
        return Text(
            f"Of the {len(self.cells)} combinations of condition and outcome: {'; '.join(parts)}."
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
        bounded = sum(row["basis"] not in (OUTSIDE, UNBOUNDED) for row in rows)
        outside = sum(row["basis"] == OUTSIDE for row in rows)
        return Text(
            f"{capitalised(count(len(rows), 'comparative study'))} on file "
            f"{'is' if len(rows) == 1 else 'are'} in no pool of the main outcome for want of a "
            f"number. What that number could do is worked out for {in_words(bounded)}; "
            f"{in_words(outside)} would stand beside the main pool whatever it is. What could "
            "happen is no data: nothing of it enters any other page."
        )

    @property
    def to_read_table(self) -> Table:
        """What to read next, study by study."""
        import pandas as pd

        rows = [
            {
                "condition": row["condition"],
                "study": row["study_label"],
                "missing": row["missing"],
                "most likely in": f"{row['likely_in']} ({row['address']})",
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
            "with the error that the size of the study and the spread of the scale give. Also: "
            "ldn-meta wanted.",
            "Every comparative study is in a pool.",
        )

    @cached_property
    def facts(self) -> Facts:
        """Cells and counts."""
        kinds = {str(k): int(v) for k, v in self.cells["synthesis"].value_counts().items()}
        return Facts(
            {
                "headline": str(self.headline),
                "sentence": str(self.sentence),
                "checklists": str(self.checklists_sentence),
                "kinds": kinds,
                "combinations": len(self.cells),
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
    if row["basis"] == OUTSIDE:
        return f"would stand beside the main pool: {row['why']}"
    if row["basis"] == UNBOUNDED:
        return f"not worked out: {row['why']}"

    def shown_as(*names: str) -> list[str]:
        numbers = shown([row[name] for name in names], measure=row["measure"])
        return [fixed(number) for number in numbers]

    first, last, low, high = shown_as("estimate_low", "estimate_high", "ci_low", "ci_high")
    sets = int(row["sets"])
    what = MEASURES.get(row["measure"], row["measure"])
    pooled = "alone" if row["k"] == 1 else f"in a pool of {in_words(int(row['k']))} trials"
    found = f"{what} {first}" if first == last else f"{what} {first} to {last}"
    said = f"with {row['basis']}, {pooled}: {found}"
    if sets == 1:
        said += f", interval {low} to {high}"
    else:
        away = agree(int(row["excluding"]), "excludes", "exclude")
        said += f", intervals within {low} to {high}, of {sets} {away} no difference"
    if row["named"] == "none":
        return said
    middle, lower, upper = shown_as("named_estimate", "named_low", "named_high")
    return (
        f"{said}; of these only {row['named']} (p = {row['named_p']:.3f}) gives the printed p: "
        f"{middle} ({lower} to {upper}), a what-if and no data"
    )


def _as_shown(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell with ratios as ratios, and people who were not counted as unknown."""
    names = ("estimate", "ci_low", "ci_high")
    numbers = shown([cell[name] for name in names], measure=cell["measure"])
    return {
        **cell,
        **dict(zip(names, numbers, strict=True)),
        "people": cell["people"] or None,
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
