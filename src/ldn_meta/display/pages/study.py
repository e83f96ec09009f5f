"""Everything on file about one study: what was read where, and what became of it."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.outputs import Table, Text, rows_of, source_cell
from ldn_meta.display.pages.claims import claim_rows
from ldn_meta.display.pages.included import findings_table, inconsistent, judgements_table
from ldn_meta.display.pages.page import conflicts_told
from ldn_meta.display.words import MEASURES, capitalised, count, estimate_with_interval, percent
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.evidence.effects.effects import used_rows
from ldn_meta.evidence.grade.bias import bias_reasons
from ldn_meta.evidence.raw.tables import VALUE_TABLES
from ldn_meta.files import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterator


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


MAIN = "main"
# Comparator class of people who were compared with nobody.
ALONE = "none"
# Which page shows the main result of a domain; whatever is neither responder nor harm: page 20.
PAGE_OF_DOMAIN = {"responder": "30_responder_rates", "harm": "40_safety"}


def uses_table(derived: Derived, study: dict[str, str]) -> Table:
    """Everything that would be another without the study."""
    rows = [
        row
        for part in (_pools, _shares, _directions, _ratings, _multiverse, _claims)
        for row in part(derived, study)
    ]
    return Table(
        pd.DataFrame(rows, columns=["what", "how the study enters", "page"]),
        "Results, ratings and claims that rest on this study",
        empty="None: the study is on file, and no result, rating or claim rests on it.",
    )


def _pools(derived: Derived, study: dict[str, str]) -> Iterator[dict[str, str]]:
    """Pools with an effect of the study: main ones with their number, others by name."""
    pooled, effects = derived.pooled, derived.effects
    if not len(effects):
        return
    columns = ["effect_id", "construct", "construct_label", "domain"]
    own = effects.loc[effects["study_id"] == study["study_id"], columns]
    if own.empty:
        return
    domains = dict(zip(own["construct"], own["domain"], strict=True))
    labels = dict(zip(own["construct"], own["construct_label"], strict=True))
    ids = set(own["effect_id"])
    key = ["construct", "comparator_class", "measure", "unit"]
    with_it = pooled.loc[
        [bool(ids & set(cell.split(" "))) for cell in pooled["effects"]],
        [*key, "analysis", "k", "estimate", "ci_low", "ci_high"],
    ]
    for names, found in with_it.groupby(key, sort=False):
        construct, comparator, measure, _ = map(str, names)
        is_main = found["analysis"] == MAIN
        yield {
            "what": f"{capitalised(labels[construct])} against {comparator}, {MEASURES[measure]}",
            "how the study enters": _how(found[is_main], found[~is_main], measure),
            "page": PAGE_OF_DOMAIN.get(domains[construct], "20_pooled_effect"),
        }


def _how(main: pd.DataFrame, others: pd.DataFrame, measure: str) -> str:
    if len(main):
        row = main.iloc[0]
        numbers = estimate_with_interval(
            row["estimate"], row["ci_low"], row["ci_high"], measure=measure
        )
        beside = int(row["k"]) - 1
        company = "alone" if not beside else f"with {count(beside, 'other trial')}"
        return f"main result, {company}: {numbers}"
    return f"not in the main result; in: {'; '.join(others['analysis'])}"


def _shares(derived: Derived, study: dict[str, str]) -> Iterator[dict[str, str]]:
    """Shares of people without a comparison group, which stand beside the results."""
    for frame, page in ((derived.responders, "30_responder_rates"), (derived.harms, "40_safety")):
        if not len(frame):
            continue
        own = frame.loc[
            (frame["study_id"] == study["study_id"]) & (frame["comparator_class"] == ALONE),
            ["construct_label", "share_1", "arm"],
        ]
        for row in rows_of(own):
            yield {
                "what": f"Share of people: {row['construct_label']}",
                "how the study enters": f"{percent(row['share_1'])} on {row['arm']}, "
                "shown beside; nothing to compare with",
                "page": page,
            }


def _directions(derived: Derived, study: dict[str, str]) -> Iterator[dict[str, str]]:
    columns = ["construct_label", "comparator_class", "direction", "sign_from"]
    of_study = derived.directions["study_id"] == study["study_id"]
    told = derived.directions.loc[of_study, columns]
    for row in rows_of(told):
        yield {
            "what": f"Direction: {row['construct_label']} against {row['comparator_class']}",
            "how the study enters": f"{row['direction']}, from {row['sign_from']}",
            "page": "25_without_pooling",
        }


def _ratings(derived: Derived, study: dict[str, str]) -> Iterator[dict[str, str]]:
    rated = derived.certainty
    names = rated["study_ids"].fillna("").astype(str).str.split(" ")
    rests_on = [study["study_id"] in cell for cell in names]
    for row in rows_of(rated.loc[rests_on, ["construct_label", "comparator", "studies"]]):
        others = int(row["studies"]) - 1
        yield {
            "what": f"Certainty: {row['construct_label']} against {row['comparator']}",
            "how the study enters": f"with {count(others, 'other study', plural='other studies')}"
            if others
            else "the only study",
            "page": "60_certainty",
        }


def _multiverse(derived: Derived, study: dict[str, str]) -> Iterator[dict[str, str]]:
    outcomes = derived.evidence.text["outcomes"]
    labels = dict(zip(outcomes["construct"], outcomes["construct_label"], strict=True))
    of_condition = derived.multiverse["indication_id"] == study["indication_id"]
    for row in rows_of(derived.multiverse.loc[of_condition, ["construct", "trials"]]):
        if study["label"] in str(row["trials"]).split("; "):
            yield {
                "what": f"All defensible analyses: {labels[row['construct']]}",
                "how the study enters": "in some or all of them",
                "page": "50_robustness",
            }


def _claims(derived: Derived, study: dict[str, str]) -> Iterator[dict[str, Any]]:
    told = derived.claims.loc[derived.claims["study_id"] == study["study_id"], ["verdict"]]
    for verdict, rows in told.groupby("verdict", sort=True):
        yield {
            "what": count(len(rows), "claim") + " about this study alone",
            "how the study enters": str(verdict),
            "page": "91_claims",
        }


VALUE_CAPTIONS = {
    "contrasts": "Comparisons, between arms or within people",
    "arm_stats": "Means and medians of arms",
    "arm_events": "People with an event, arm by arm",
}
# Columns that hold what is printed as numbers; the rest says what, where and how.
NUMBERS = {
    "contrasts": (
        *("measure", "estimate", "ci_low", "ci_high", "ci_level", "iqr_width"),
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
NOTE = (
    "As reported: the printed numbers. Stored as: the columns of the row in data/raw that are "
    "filled. Used: whether the row is the one that is used of its fact. The last column says "
    "what the row became."
)


def values_table(derived: Derived, table: str, rows: pd.DataFrame) -> Table:
    """Every row of one table of results."""
    evidence = derived.evidence
    outcomes = evidence.text["outcomes"].set_index("outcome_id")
    arms = evidence.text["arms"].set_index("arm_id")["label"]
    became = _became(derived, table, rows)
    told = [
        {
            "result": f"{outcomes.loc[row['outcome_id'], 'construct_label']} "
            f"({outcomes.loc[row['outcome_id'], 'instrument']})",
            "arms": _arms(row, arms),
            "when, whom": _moment(row),
            "as reported": row["as_reported"],
            "stored as": _stored(row, table),
            "used": used_words(row),
            "source": source_cell(evidence, row["source_id"], row["locator"], row["read_from"]),
            "note": row["note"],
            "became": became[row["row_id"]],
        }
        for row in rows_of(rows)
    ]
    return Table(pd.DataFrame(told), VALUE_CAPTIONS[table], NOTE)


def _became(derived: Derived, table: str, rows: pd.DataFrame) -> dict[str, str]:
    """Effects computed with a row, or the reason why there is none, by row_id."""
    effects, left_out = derived.effects, derived.left_out
    own = effects
    if len(effects):
        own = effects.loc[effects["study_id"].isin(rows["study_id"]), list(EFFECT)]
    found: dict[str, list[str]] = {row_id: [] for row_id in rows["row_id"]}
    for effect in rows_of(own):
        main = "a main result" if bool(effect["is_selected"]) else "beside the main results"
        words = f"{effect['construct_label']}, {effect_words(effect)} ({main})"
        for address in str(effect["rows"]).split(" "):
            name, _, row_id = address.partition(":")
            if name == table and row_id in found:
                found[row_id].append(words)
    told = (left_out["table"] == table) & left_out["row_id"].isin(list(found))
    reasons = {
        row["row_id"]: f"no effect: {row['reason']}"
        + ("" if row["usable_for"] == "none" else f"; usable for a {row['usable_for']}")
        for row in rows_of(left_out.loc[told, ["row_id", "reason", "usable_for"]])
    }
    return {
        row_id: "; ".join(dict.fromkeys(words)) or reasons[row_id]
        for row_id, words in found.items()
    }


def _arms(row: dict[str, str], arms: pd.Series) -> str:
    if "arm_id" in row:
        return str(arms[row["arm_id"]])
    if row["arm_2"] in MISSING:
        return str(arms[row["arm_1"]])
    return f"{arms[row['arm_1']]} against {arms[row['arm_2']]}"


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
        """Which results and pages rest on the study."""
        return uses_table(self.derived, self.study)

    @property
    def design(self) -> Table:
        """The row of the study."""
        return design_table(self.derived, self.study)

    @property
    def sources(self) -> Table:
        """What was read."""
        return sources_table(self.derived, self.own)

    @property
    def arms(self) -> Table:
        """Groups of people."""
        return arms_table(self.derived, self._rows("arms"))

    @property
    def facts_stated(self) -> Table:
        """Sizes, doses and times, each as one source states it."""
        return facts_table(self.derived, self._rows("study_facts"))

    def values(self, table: str) -> Table:
        """Printed results of one kind, and what became of each."""
        return values_table(self.derived, table, self._rows(table))

    @property
    def effects(self) -> Table:
        """What was computed from the printed numbers."""
        return effects_table(self._of_study(self.derived.effects))

    @property
    def bias(self) -> Table:
        """Risk of bias, domain by domain."""
        return judgements_table(
            self.derived.evidence, bias_reasons(self.derived.evidence, [self.study_id])
        )

    @property
    def consistency(self) -> Table:
        """Printed numbers that do not fit each other."""
        return findings_table(
            self.derived,
            self._inconsistent,
            caption="Printed numbers that do not fit each other",
        )

    @property
    def conflicts(self) -> Table:
        """Facts that sources state differently."""
        return conflicts_told(self.derived, self._of_study(self.derived.conflicts))

    @property
    def claims(self) -> Table:
        """What reviews claim about this study."""
        raw = self.derived.evidence.text["claims"][["claim_id", "locator", "read_from"]]
        rows = self._of_study(self.derived.claims).merge(raw, on="claim_id")
        return Table(
            claim_rows(self.derived, rows),
            "What is claimed about this study, and whether it holds",
            "Rules and all claims: page 91.",
            "No claim about this study alone is on file.",
        )

    @property
    def sections(self) -> list[tuple[str, list[Table]]]:
        """Headings and tables in reading order; kinds of result that are not on file go."""
        values = [self.values(name) for name in VALUE_CAPTIONS if name in self.own]
        return [
            ("Where it is used", [self.uses]),
            ("Design", [self.design, self.arms, self.facts_stated]),
            ("Results as printed", values or [NO_RESULT]),
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

    def _rows(self, table: str) -> pd.DataFrame:
        rows = self.derived.evidence.text[table]
        return rows[rows["study_id"] == self.study_id].reset_index(drop=True)

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
