"""Tables of a study page: design, sources, arms, facts, and the effects computed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.provenance import source_cell
from ldn_meta.display.wording import (
    MEASURES,
    capitalised,
    estimate_with_interval,
    percent,
)
from ldn_meta.evidence.citations import MISSING

if TYPE_CHECKING:
    from ldn_meta.evidence.derived import Derived

USED_FOR = {
    "contrast": "Used as a comparison",
    "single-arm": "Shown beside, never pooled",
    "excluded": "Set aside",
}
# Said elsewhere on the page, or a key that says nothing to readers.
NOT_DESIGN = ("study_id", "label", "indication_id", "source_id")
NO_RESULT = Table(pd.DataFrame(), "Results as printed", empty="No result was extracted.")
SHARE = "PLO"


def design_table(derived: Derived, study: dict[str, str]) -> Table:
    """Columns of ``studies.csv``, one a row, with what they mean."""
    fields = derived.evidence.dictionary.tables["studies"].fields
    rows = [
        {
            "what": field["name"].replace("_", " "),
            "value": study[field["name"]],
            "meaning": field.get("description", ""),
        }
        for field in fields
        if field["name"] not in NOT_DESIGN
    ]
    return Table(
        pd.DataFrame(rows),
        "As recorded in data/raw/studies.csv",
        "NR not reported in what could be read; NA not applicable; TODO not extracted yet.",
    )


def sources_table(derived: Derived, own: dict[str, pd.DataFrame]) -> Table:
    """Every source that a row of the study names, in the order of ``sources.csv``."""
    named = {key for frame in own.values() if "source_id" in frame for key in frame["source_id"]}
    sources = derived.evidence.text["sources"]
    rows = [
        {
            "source": source_cell(
                derived.evidence, row["source_id"], row["kind"], f"key {row['source_id']}"
            ),
            "authors": row["authors"],
            "title": row["title"],
            "where": row["container"],
            "note": row["note"],
        }
        for row in rows_of(sources[sources["source_id"].isin(named)])
    ]
    return Table(pd.DataFrame(rows), "Sources that the rows above name")


def arms_table(derived: Derived, arms: pd.DataFrame) -> Table:
    """One row an arm."""
    rows = [
        {
            "arm": row["label"],
            "treatment": row["treatment"],
            "randomised / completed / analysed": " / ".join(
                row[name] for name in ("n_randomised", "n_completed", "n_analysed")
            ),
            "as reported": row["as_reported"],
            "source": _source(derived, row),
            "note": row["note"],
        }
        for row in rows_of(arms)
    ]
    return Table(pd.DataFrame(rows), "Arms", empty="No arm is on file.")


def facts_table(derived: Derived, facts: pd.DataFrame) -> Table:
    """One row a fact and source: sources disagree on sizes and doses too."""
    rows = [
        {
            "fact": _with(row["fact"].replace("_", " "), row["qualifier"]),
            "value": _fact_value(row),
            "as reported": row["as_reported"],
            "used": used_words(row),
            "source": _source(derived, row),
            "note": row["note"],
        }
        for row in rows_of(facts)
    ]
    return Table(
        pd.DataFrame(rows),
        "Sizes, doses and times, each as one source states it",
        empty="None is on file.",
    )


def effects_table(effects: pd.DataFrame) -> Table:
    """One row an effect, main results first."""
    if len(effects):
        effects = effects.sort_values("is_selected", ascending=False, kind="stable")
    rows = [
        {
            "outcome": f"{row['construct_label']} ({row['instrument']})",
            "compared": row["arm"]
            if row["comparator_class"] == "none"
            else f"{row['arm']} against {row['comparator']}",
            "effect (95% CI)": effect_words(row),
            "main result": _main_words(row),
            "route": row["route"],
            "assumptions": row["assumptions"],
            "notes": row["notes"],
        }
        for row in rows_of(effects)
    ]
    return Table(
        pd.DataFrame(rows),
        "Effects and shares of people",
        "LDN minus comparator, or LDN divided by comparator for ratios. Each effect is in "
        "data/derived/effects.csv with the rows it was computed from.",
        "No effect or share of people could be computed.",
    )


def effect_words(row: dict[str, Any]) -> str:
    """Write an effect on the scale readers know, with its measure and unit."""
    numbers = tuple(float(row[name]) for name in ("yi", "ci_low", "ci_high"))
    measure = MEASURES[row["measure"]]
    if row["measure"] == SHARE:
        share, low, high = (percent(1 / (1 + math.exp(-value))) for value in numbers)
        return f"{measure} {share} ({low} to {high})"
    words = f"{measure} {estimate_with_interval(*numbers, measure=row['measure'])}"
    return words if str(row["unit"]).startswith("log") else f"{words}, {row['unit']}"


def used_words(row: dict[str, str]) -> str:
    """Say whether a row is the one used of its fact, and why."""
    word = "yes" if row["preferred"] == "yes" else "no"
    return word if row["preferred_reason"] in MISSING else f"{word}: {row['preferred_reason']}"


def _main_words(row: dict[str, Any]) -> str:
    return f"{'yes' if bool(row['is_selected']) else 'no'}: {row['selected_why']}"


def _fact_value(row: dict[str, str]) -> str:
    value = row["value"]
    if row["value_low"] not in MISSING:
        span = f"{row['value_low']} to {row['value_high']}"
        kind = "" if row["range_kind"] in MISSING else f"{row['range_kind']} "
        value = f"{kind}{span}" if value in MISSING else f"{value} ({kind}{span})"
    return value if value in MISSING or row["unit"] in MISSING else f"{value} {row['unit']}"


def _with(words: str, qualifier: str) -> str:
    return capitalised(words if qualifier in MISSING else f"{words}, {qualifier}")


def _source(derived: Derived, row: dict[str, Any]) -> str:
    return source_cell(derived.evidence, row["source_id"], row["locator"], row["read_from"])
