"""Everything on file about one study: what was read where, and what became of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pandas as pd

from ldn_meta.display.outputs import Table, Text, rows_of, source_cell
from ldn_meta.display.pages.claims import with_places, write_claims
from ldn_meta.display.pages.page import (
    conflicts_table,
    construct_labels,
    judgements_table,
    page_of,
)
from ldn_meta.display.pages.printed_numbers import findings_table, inconsistent
from ldn_meta.display.words import (
    MEASURES,
    capitalised,
    count,
    estimate_with_interval,
    percent,
    percents,
)
from ldn_meta.evidence.answer.pools import side_of
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.evidence.effects.effects import used_rows
from ldn_meta.evidence.effects.rows import lost
from ldn_meta.evidence.grade import TOLD_ELSEWHERE
from ldn_meta.evidence.raw.bias import bias_reasons
from ldn_meta.evidence.raw.selection import MAIN
from ldn_meta.evidence.raw.tables import NAMING_SOURCES, VALUE_TABLES
from ldn_meta.files import MISSING

USED_FOR = {
    "contrast": "Used as a comparison",
    "single-arm": "Shown beside, never pooled",
    "excluded": "Set aside",
}
# Said elsewhere on the page, or a key that says nothing to readers.
NOT_DESIGN = ("study_id", "label", "indication_id", "source_id")
SHARE = "PLO"
# Comparator class of people who were compared with nobody.
ALONE = "none"
USES = ("what", "how the study enters", "page")
VALUE_CAPTIONS = {
    "contrasts": "Comparisons, between arms or within people",
    "arm_stats": "Means and medians of arms",
    "arm_events": "People with an event, arm by arm",
}
# Columns that hold what is printed as numbers; the rest says what, where and how.
NUMBERS = {
    "contrasts": (
        *("measure", "estimand", "estimate", "ci_low", "ci_high", "ci_level", "iqr_width"),
        *("statistic_name", "statistic", "p_relation", "p_value", "n_1", "n_2"),
        *("correlation", "direction"),
    ),
    "arm_stats": (
        *("statistic_of", "n", "mean", "sd", "se", "unlabelled_spread", "ci_low", "ci_high"),
        *("ci_level", "median", "q1", "q3", "range_low", "range_high"),
    ),
    "arm_events": ("events", "n", "percent", "counted"),
}
# Columns of an effect that say what a row became.
EFFECT = ("construct_label", "measure", "unit", "yi", "ci_low", "ci_high", "is_selected", "rows")


def effect_words(row: dict[str, Any]) -> str:
    """Write an effect on the scale readers know, with its measure and unit."""
    numbers = tuple(float(row[name]) for name in ("yi", "ci_low", "ci_high"))
    measure = MEASURES[row["measure"]]
    if row["measure"] == SHARE:
        share, low, high = (1 / (1 + math.exp(-value)) for value in numbers)
        return f"{measure} {percent(share)} ({percents(low, high)})"
    words = f"{measure} {estimate_with_interval(*numbers, measure=row['measure'])}"
    return words if str(row["unit"]).startswith("log") else f"{words}, {row['unit']}"


def _main_first(effect: dict[str, Any]) -> bool:
    return not effect["is_selected"]


def _used(row: dict[str, str]) -> str:
    """Say whether a row is the one used of its fact, and why."""
    word = "yes" if row["preferred"] == "yes" else "no"
    return word if row["preferred_reason"] in MISSING else f"{word}: {row['preferred_reason']}"


def _fact_value(row: dict[str, str]) -> str:
    value = row["value"]
    if row["value_low"] not in MISSING:
        span = f"{row['value_low']} to {row['value_high']}"
        kind = "" if row["range_kind"] in MISSING else f"{row['range_kind']} "
        value = f"{kind}{span}" if value in MISSING else f"{value} ({kind}{span})"
    return value if value in MISSING or row["unit"] in MISSING else f"{value} {row['unit']}"


def _arms(row: dict[str, str], arms: pd.Series) -> str:
    if "arm_id" in row:
        return str(arms[row["arm_id"]])
    both = [row["arm_1"]] if row["arm_2"] in MISSING else [row["arm_1"], row["arm_2"]]
    return " against ".join(arms[both])


def _moment(row: dict[str, str]) -> str:
    week = "" if row["timepoint_weeks"] in MISSING else f"week {row['timepoint_weeks']}"
    parts = [week, "" if row["timepoint"] in MISSING else row["timepoint"]]
    return f"{', '.join(filter(None, parts)) or 'time not reported'}; {row['analysis_set']}"


def _stored(row: dict[str, str], table: str) -> str:
    filled = [
        f"{name} {row[name]}"
        for name in NUMBERS[table]
        if row[name] not in MISSING and row[name] != "not stated"
    ]
    return ", ".join(filled) or "no number"


class StudyPage:
    """One study: design, arms, every number with its source, and what it is used for."""

    def __init__(self, derived: Derived, study_id: str) -> None:
        self.derived = derived
        self.study_id = study_id
        self.own = derived.evidence.study(study_id)
        self.study = {str(n): str(v) for n, v in self.own["studies"].iloc[0].items()}

    @property
    def label(self) -> str:
        """The study as readers see it."""
        return self.study["label"]

    @property
    def indication(self) -> dict[str, str]:
        """Row of ``indications.csv``."""
        rows = self.derived.evidence.text["indications"]
        row = rows[rows["indication_id"] == self.study["indication_id"]].iloc[0]
        return {str(name): str(value) for name, value in row.items()}

    @cached_property
    def counts(self) -> dict[str, int]:
        """Numbers of the headline."""
        effects = self._of_study(self.derived.effects)
        addresses = {
            f"{name}:{row_id}"
            for name in VALUE_TABLES
            if name in self.own
            for row_id in self.own[name]["row_id"]
        }
        return {
            "value_rows": len(addresses),
            "rows_used": len(used_rows(effects) & addresses),
            "rows_left_out": len(self._of_study(self.derived.left_out)),
            "main_results": int(effects["is_selected"].astype(bool).sum()) if len(effects) else 0,
            "inconsistent": len(self._inconsistent),
            "conflicts": len(self._of_study(self.derived.conflicts)),
            "claims": len(self._of_study(self.derived.claims)),
        }

    @property
    def headline(self) -> Text:
        """What kind of study it is, what it is used for, and what became of its numbers."""
        s, c = self.study, self.counts
        design = (
            s["design"] if s["blinding"] == "not stated" else f"{s['design']}, {s['blinding']}"
        )
        against = "" if s["comparator"] in ("none", "NA") else f" against {s['comparator']}"
        rows = (
            f"Rows of results on file: {c['value_rows']}, of which {c['rows_used']} stand behind "
            f"effects or shares of people and {c['rows_left_out']} are left out with a reason; "
            f"effects that enter a main result: {c['main_results']}."
            if c["value_rows"]
            else "No result was extracted."
        )
        return Text(
            f"**{self.label}** ({self.indication['label']}): {design}; "
            f"{s['intervention']}{against}. "
            f"{USED_FOR[s['eligible_for']]}: {s['eligibility_reason']}. {rows}"
        )

    @property
    def uses(self) -> Table:
        """Everything that would be another without the study, and the page that shows it."""
        parts = (
            self._pools,
            self._shares,
            self._directions,
            self._ratings,
            self._multiverse,
            self._about_it,
        )
        return Table(
            pd.DataFrame([row for part in parts for row in part()], columns=list(USES)),
            "Results, ratings and claims that rest on this study",
            empty="None: the study is on file, and no result, rating or claim rests on it.",
        )

    def _pools(self) -> Iterator[tuple[str, str, str]]:
        """Pools with an effect of the study: main ones with their number, others by name."""
        pooled, own = self.derived.pooled, self._of_study(self.derived.effects)
        if own.empty:
            return
        domains = dict(zip(own["construct"], own["domain"], strict=True))
        labels = dict(zip(own["construct"], own["construct_label"], strict=True))
        ids = set(own["effect_id"])
        with_it = pooled[[bool(ids & set(cell.split(" "))) for cell in pooled["effects"]]]
        key = ["construct", "comparator_class", "measure", "unit"]
        for names, found in with_it.groupby(key, sort=False):
            construct, comparator, measure, _ = map(str, names)
            is_main = found["analysis"] == MAIN
            how = f"not in the main result; in: {'; '.join(found['analysis'])}"
            for row in rows_of(found[is_main]):
                numbers = [row[name] for name in ("read_estimate", "read_low", "read_high")]
                others = int(row["k"]) - 1
                company = f"with {count(others, 'other trial')}" if others else "alone"
                text = estimate_with_interval(*numbers, measure=measure)
                how = f"main result, {company}: {text}"
            yield (
                f"{capitalised(labels[construct])} against {comparator}, {MEASURES[measure]}",
                how,
                page_of(domains[construct]),
            )

    def _shares(self) -> Iterator[tuple[str, str, str]]:
        """Shares of people without a comparison group, which stand beside the results."""
        for domain, frame in (
            ("responder", self.derived.responders),
            ("harm", self.derived.harms),
        ):
            for row in self._told(frame, "construct_label", "comparator_class", "share_1", "arm"):
                if row["comparator_class"] == ALONE:
                    share = f"{percent(row['share_1'])} on {row['arm']}"
                    yield (
                        f"Share of people: {row['construct_label']}",
                        f"{share}, shown beside; nothing to compare with",
                        page_of(domain),
                    )

    def _directions(self) -> Iterator[tuple[str, str, str]]:
        said = self.derived.evidence.review.of(self.indication["intervention"]).side
        names = ("construct_label", "comparator_class", "sign", "sign_from")
        for row in self._told(self.derived.directions, *names):
            yield (
                f"Direction: {row['construct_label']} against {row['comparator_class']}",
                f"{said(side_of([row['sign']]))}: {row['sign_from']}",
                "25_without_pooling",
            )

    def _ratings(self) -> Iterator[tuple[str, str, str]]:
        for row in rows_of(self.derived.certainty):
            if self.study_id in str(row["study_ids"]).split(" "):
                others = int(row["studies"]) - 1
                alone = "not rated" if row["outcome"] == TOLD_ELSEWHERE else "the only study"
                yield (
                    f"Certainty: {row['construct_label']} against {row['comparator']}",
                    f"with {count(others, 'other study')}" if others else alone,
                    "60_certainty",
                )

    def _multiverse(self) -> Iterator[tuple[str, str, str]]:
        labels = construct_labels(self.derived)
        for row in rows_of(self.derived.multiverse):
            is_here = row["indication_id"] == self.study["indication_id"]
            if is_here and self.label in str(row["trials"]).split("; "):
                yield (
                    f"All defensible analyses: {labels[row['construct']]}",
                    "in some or all of them",
                    "50_robustness",
                )

    def _about_it(self) -> Iterator[tuple[str, str, str]]:
        verdicts = self._of_study(self.derived.claims)["verdict"]
        for verdict, number in verdicts.value_counts().sort_index().items():
            yield f"{count(number, 'claim')} about this study alone", str(verdict), "91_claims"

    @property
    def design(self) -> Table:
        """Columns of ``studies.csv``, one a row, with what they mean."""
        rows = [
            {
                "what": field["name"].replace("_", " "),
                "value": self.study[field["name"]],
                "meaning": field.get("description", ""),
            }
            for field in self.derived.evidence.dictionary.tables["studies"].fields
            if field["name"] not in NOT_DESIGN
        ]
        return Table(
            pd.DataFrame(rows),
            "As recorded in data/raw/studies.csv",
            "NR not reported in what could be read; NA not applicable; TODO not extracted yet.",
        )

    @property
    def sources(self) -> Table:
        """Every source that a row of the study names, in the order of ``sources.csv``."""
        named = {
            key
            for rows in self.own.values()
            for column in NAMING_SOURCES
            if column in rows
            for key in rows[column]
        }
        sources = self.derived.evidence.text["sources"]
        rows = [
            {
                "source": self._source(
                    {**row, "locator": row["kind"], "read_from": f"key {row['source_id']}"}
                ),
                "authors": row["authors"],
                "title": row["title"],
                "where": row["container"],
                "note": row["note"],
            }
            for row in rows_of(sources[sources["source_id"].isin(named)])
        ]
        return Table(pd.DataFrame(rows), "Sources that the rows above name")

    @property
    def arms(self) -> Table:
        """Groups of people."""
        rows = [
            {
                "arm": row["label"],
                "treatment": row["treatment"],
                "randomised / completed / analysed": " / ".join(
                    row[name] for name in ("n_randomised", "n_completed", "n_analysed")
                ),
                "as reported": row["as_reported"],
                "source": self._source(row),
                "note": row["note"],
            }
            for row in self._rows("arms")
        ]
        return Table(pd.DataFrame(rows), "Arms", empty="No arm is on file.")

    @property
    def facts_stated(self) -> Table:
        """Sizes, doses and times, a row a fact and source: sources disagree on them too."""
        rows = [
            {
                "fact": capitalised(row["fact"].replace("_", " "))
                + ("" if row["qualifier"] in MISSING else f", {row['qualifier']}"),
                "value": _fact_value(row),
                "as reported": row["as_reported"],
                "used": _used(row),
                "source": self._source(row),
                "note": row["note"],
            }
            for row in self._rows("study_facts")
        ]
        return Table(
            pd.DataFrame(rows),
            "Sizes, doses and times, each as one source states it",
            empty="None is on file.",
        )

    def values(self, table: str) -> Table:
        """Printed results of one kind, and what became of each."""
        evidence = self.derived.evidence
        outcomes = evidence.text["outcomes"].set_index("outcome_id")
        arms = evidence.text["arms"].set_index("arm_id")["label"]
        rows = [
            {
                "result": f"{outcomes.loc[row['outcome_id'], 'construct_label']} "
                f"({outcomes.loc[row['outcome_id'], 'instrument']})",
                "arms": _arms(row, arms),
                "when, whom": _moment(row),
                "as reported": row["as_reported"] + (lost(row) if "arm_1" in row else ""),
                "stored as": _stored(row, table),
                "used": _used(row),
                "source": self._source(row),
                "note": row["note"],
                "became": self._became[f"{table}:{row['row_id']}"],
            }
            for row in self._rows(table)
        ]
        return Table(
            pd.DataFrame(rows),
            VALUE_CAPTIONS[table],
            "As reported: the printed numbers. Stored as: the columns of the row in data/raw that "
            "are filled. Used: whether the row is the one that is used of its fact. The last "
            "column says what the row became.",
        )

    @cached_property
    def _became(self) -> dict[str, str]:
        """Effects computed with a row, or the reason why there is none, by address."""
        left_out = {
            f"{row['table']}:{row['row_id']}": f"no effect: {row['reason']}"
            + ("" if row["usable_for"] == "none" else f"; usable for a {row['usable_for']}")
            for row in self._told(self.derived.left_out, "table", "row_id", "reason", "usable_for")
        }
        found: dict[str, list[str]] = {}
        for effect in self._told(self.derived.effects, *EFFECT):
            main = "a main result" if bool(effect["is_selected"]) else "beside the main results"
            words = f"{effect['construct_label']}, {effect_words(effect)} ({main})"
            for address in str(effect["rows"]).split(" "):
                found.setdefault(address, []).append(words)
        return left_out | {at: "; ".join(dict.fromkeys(words)) for at, words in found.items()}

    @property
    def effects(self) -> Table:
        """What was computed from the printed numbers, main results first."""
        drug = self.derived.evidence.review.label
        names = (
            *EFFECT,
            *("instrument", "comparator_class", "comparator", "arm", "selected_why"),
            *("route", "assumptions", "notes"),
        )
        rows = [
            {
                "outcome": f"{row['construct_label']} ({row['instrument']})",
                "compared": row["arm"]
                if row["comparator_class"] == ALONE
                else f"{row['arm']} against {row['comparator']}",
                "effect (95% CI)": effect_words(row),
                "main result": f"{'yes' if row['is_selected'] else 'no'}: {row['selected_why']}",
                "route": row["route"],
                "assumptions": row["assumptions"],
                "notes": row["notes"],
            }
            for row in sorted(self._told(self.derived.effects, *names), key=_main_first)
        ]
        return Table(
            pd.DataFrame(rows),
            "Effects and shares of people",
            f"{drug} minus comparator, or {drug} divided by comparator for ratios. Each effect is "
            "in data/derived/effects.csv with the rows it was computed from.",
            "No effect or share of people could be computed.",
        )

    @property
    def bias(self) -> Table:
        """Risk of bias, domain by domain."""
        evidence = self.derived.evidence
        return judgements_table(evidence, bias_reasons(evidence, [self.study_id]))

    @property
    def consistency(self) -> Table:
        """Printed numbers that do not fit each other."""
        return findings_table(self.derived, self._inconsistent)

    @property
    def conflicts(self) -> Table:
        """Facts that sources state differently."""
        return conflicts_table(self.derived, self._of_study(self.derived.conflicts))

    @property
    def claims(self) -> Table:
        """What reviews claim about this study."""
        return Table(
            write_claims(self.derived, self._of_study(with_places(self.derived))),
            "What is claimed about this study, and whether it holds",
            "Rules and all claims: reports/overview/91_claims.",
            "No claim about this study alone is on file.",
        )

    @cached_property
    def sections(self) -> list[tuple[str, list[Table]]]:
        """Headings and tables in reading order; kinds of result that are not on file go."""
        nothing = Table(pd.DataFrame(), "Results as printed", empty="No result was extracted.")
        values = [self.values(name) for name in VALUE_CAPTIONS if name in self.own]
        return [
            ("Where it is used", [self.uses]),
            ("Design", [self.design, self.arms, self.facts_stated]),
            ("Results as printed", values or [nothing]),
            ("What was computed from them", [self.effects]),
            ("Risk of bias", [self.bias]),
            ("What does not fit", [self.consistency, self.conflicts]),
            ("Claims", [self.claims]),
            ("What was read", [self.sources]),
        ]

    @cached_property
    def _inconsistent(self) -> pd.DataFrame:
        return inconsistent(self._of_study(self.derived.consistency))

    def _of_study(self, frame: pd.DataFrame) -> pd.DataFrame:
        if "study_id" not in frame.columns:
            return frame  # a table without rows has no columns
        return frame[frame["study_id"] == self.study_id].reset_index(drop=True)

    def _told(self, frame: pd.DataFrame, *columns: str) -> list[dict[str, Any]]:
        """Rows of the study, no wider than they are told."""
        own = self._of_study(frame)
        return rows_of(own[list(columns)]) if len(own) else []

    def _rows(self, table: str) -> list[dict[str, Any]]:
        return rows_of(self.own[table]) if table in self.own else []

    def _source(self, row: dict[str, Any]) -> str:
        return source_cell(self.derived.evidence, row)

    def _repr_html_(self) -> str:
        from html import escape

        start = (
            f"<h2>{escape(self.label)}</h2><p>{escape(str(self.headline)).replace('**', '')}</p>"
        )
        return start + "".join(
            f"<h3>{escape(heading)}</h3>{''.join(table._repr_html_() for table in shown)}"
            for heading, shown in self.sections
        )

    def __repr__(self) -> str:
        """Return the headline."""
        return f"<StudyPage {self.study_id}: {str(self.headline).replace('**', '')}>"


def study_page(study_id: str, derived: Derived | None = None) -> StudyPage:
    """Open everything on file about one study.

    Parameters
    ----------
    study_id : str
        Key in ``studies.csv``.
    derived : Derived, optional
        All indications together; read from disk by default.

    Returns
    -------
    StudyPage
        Shows itself as a whole in a notebook; each part is an attribute.

    Raises
    ------
    ArgumentError
        If there is no such study.
    StaleError
        If the derived tables do not belong to the raw ones.
    """
    return StudyPage(derived or load_derived(), study_id)
