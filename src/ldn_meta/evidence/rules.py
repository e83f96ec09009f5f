"""What Table Schema cannot say: rules inside a row, across rows and across tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ldn_meta.errors import Fault

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence

FIRST_DATA_LINE = 2
SIZES = ("n_enrolled", "n_randomised", "n_completed", "n_analysed")
FACT_KEYS = {
    "arm_stats": ["study_id", "arm_id", "outcome_id", "timepoint_weeks", "timepoint",
                  "analysis_set", "statistic_of"],
    "arm_events": ["study_id", "arm_id", "outcome_id", "timepoint_weeks", "timepoint",
                   "analysis_set", "counted"],
    "contrasts": ["study_id", "arm_1", "arm_2", "outcome_id", "timepoint_weeks", "timepoint",
                  "analysis_set", "measure"],
    "study_facts": ["study_id", "fact", "qualifier"],
}


def domain_faults(evidence: Evidence) -> list[Fault]:
    """Every breach of the project's own rules.

    Parameters
    ----------
    evidence : Evidence
        Typed tables; cells that could not be typed are missing here and named by the
        schema check.

    Returns
    -------
    list of Fault
    """
    found: list[Fault] = []
    for name, text in evidence.text.items():
        found.extend(_blank_cells(name, text))
        key = evidence.dictionary.tables[name].key
        found.extend(_duplicate_rows(name, text, key))
    for check in (_intervals, _events, _p_values, _pairs, _arms, _arm_sums, _sizes, _scales,
                  _preferred):
        found.extend(check(evidence))
    return found


def _fault(frame: pd.DataFrame, table: str, index: object, column: str, rule: str,
           remedy: str) -> Fault:
    value = "" if column == "-" else str(frame.loc[index, column])  # type: ignore[index]
    return Fault(table, int(index) + FIRST_DATA_LINE, column, value, rule, remedy)  # type: ignore[call-overload]


def _blank_cells(name: str, text: pd.DataFrame) -> Iterator[Fault]:
    for column in text.columns:
        stripped = text[column].str.strip()
        for index in text.index[stripped == ""]:
            yield _fault(text, name, index, column, "blank cell",
                         "write the value, or NR (not reported), NA (not applicable), "
                         "TODO (not yet extracted)")
        for index in text.index[(stripped != text[column]) & (stripped != "")]:
            yield _fault(text, name, index, column, "space around the value", "remove it")


def _duplicate_rows(name: str, text: pd.DataFrame, key: str) -> Iterator[Fault]:
    content = text.drop(columns=key)
    for index in text.index[content.duplicated()]:
        yield _fault(text, name, index, key, "the same row again under another key",
                     "delete one of the two")


def _intervals(evidence: Evidence) -> Iterator[Fault]:
    pairs = {
        "arm_stats": [("ci_low", "ci_high"), ("q1", "median"), ("median", "q3"), ("q1", "q3"),
                      ("range_low", "range_high")],
        "contrasts": [("ci_low", "ci_high")],
        "study_facts": [("value_low", "value_high")],
        "claims": [("ci_low", "ci_high")],
        "outcomes": [("scale_min", "scale_max")],
    }
    for name, columns in pairs.items():
        frame = evidence.tables[name]
        for low, high in columns:
            for index in frame.index[(frame[low] > frame[high]).fillna(False)]:
                yield _fault(frame, name, index, low, f"{low} is above {high} "
                             f"({frame.loc[index, high]})", "swap or correct the two")


def _events(evidence: Evidence) -> Iterator[Fault]:
    frame = evidence.tables["arm_events"]
    too_many = (frame["events"] > frame["n"]).fillna(False) & (frame["counted"] == "people")
    for index in frame.index[too_many]:
        yield _fault(frame, "arm_events", index, "events",
                     f"more people with the event than people ({frame.loc[index, 'n']})",
                     "correct one of the two, or set counted to events")
    nothing = frame["events"].isna() & frame["percent"].isna()
    for index in frame.index[nothing]:
        yield _fault(frame, "arm_events", index, "-", "neither events nor percent is given",
                     "state one, or move the row to contrasts as a statement")
    for index in frame.index[frame["percent"].notna() & frame["percent_decimals"].isna()]:
        yield _fault(evidence.text["arm_events"], "arm_events", index, "percent_decimals",
                     "percent without the number of printed decimals", "count them (0 for 45%)")


def _p_values(evidence: Evidence) -> Iterator[Fault]:
    frame = evidence.tables["contrasts"]
    text = evidence.text["contrasts"]
    numbered = frame["p_relation"].isin(["=", "<", ">"])
    for index in frame.index[numbered & frame["p_value"].isna()]:
        yield _fault(text, "contrasts", index, "p_value", "p_relation needs a p_value",
                     "type the printed p, or use ns / sig / NR as relation")
    for index in frame.index[~numbered.fillna(False) & frame["p_value"].notna()]:
        yield _fault(text, "contrasts", index, "p_relation", "p_value needs a relation",
                     "use =, < or >")
    for index in frame.index[frame["p_value"].notna() & frame["p_decimals"].isna()]:
        yield _fault(text, "contrasts", index, "p_decimals",
                     "p without the number of printed decimals", "count them (3 for 0.016)")


def _pairs(evidence: Evidence) -> Iterator[Fault]:
    frame = evidence.tables["contrasts"]
    text = evidence.text["contrasts"]
    for index in frame.index[frame["is_paired"].fillna(False) & frame["n_2"].notna()]:
        yield _fault(text, "contrasts", index, "n_2", "a paired comparison has one n",
                     "put the number of pairs in n_1 and NA here")
    stated = frame["correlation"].notna() != frame["correlation_basis"].notna()
    for index in frame.index[stated]:
        yield _fault(text, "contrasts", index, "correlation_basis",
                     "correlation and its basis come together", "fill both or neither")


def _arms(evidence: Evidence) -> Iterator[Fault]:
    arms = evidence.tables["arms"].drop_duplicates("arm_id").set_index("arm_id")
    owner, group = arms["study_id"], arms["group"]
    for name, columns in {"arm_stats": ["arm_id"], "arm_events": ["arm_id"],
                          "contrasts": ["arm_1", "arm_2"]}.items():
        frame = evidence.tables[name]
        for column in columns:
            owners = frame[column].map(owner)
            for index in frame.index[owners.notna() & (owners != frame["study_id"])]:
                yield _fault(frame, name, index, column, "arm of another study",
                             f"use an arm of {frame.loc[index, 'study_id']}")
    contrasts = evidence.tables["contrasts"]
    first, second = contrasts["arm_1"].map(group), contrasts["arm_2"].map(group)
    for index in contrasts.index[(first.notna() & (first != 1) & (second == 1))]:
        yield _fault(contrasts, "contrasts", index, "arm_1",
                     "the comparator stands first, but effects are LDN minus comparator",
                     "swap the two arms and turn the sign of the estimate")
    for index in contrasts.index[(contrasts["arm_1"] == contrasts["arm_2"]).fillna(False)]:
        yield _fault(contrasts, "contrasts", index, "arm_2", "an arm against itself",
                     "name the comparator, or NA for a change from baseline")


def _arm_sums(evidence: Evidence) -> Iterator[Fault]:
    import pandas as pd

    studies = evidence.tables["studies"]
    arms = evidence.tables["arms"]
    for index, study in studies.iterrows():
        if study["design"] not in ("parallel", "factorial"):
            continue
        sizes = arms.loc[arms["study_id"] == study["study_id"], "n_randomised"]
        total = study["n_randomised"]
        known = len(sizes) and sizes.notna().all() and not pd.isna(total)
        if known and sizes.sum() != total:
            yield _fault(studies, "studies", index, "n_randomised",
                         f"its arms add up to {sizes.sum()}", "correct the study or its arms")


def _sizes(evidence: Evidence) -> Iterator[Fault]:
    facts = evidence.tables["study_facts"]
    plain = facts[(evidence.text["study_facts"]["qualifier"] == "NA")
                  & facts["preferred"].fillna(False)]
    studies = evidence.tables["studies"]
    for column in SIZES:
        stated = plain[plain["fact"] == column].drop_duplicates("study_id")
        stated = stated.set_index("study_id")["value"]
        fact = studies["study_id"].map(stated)
        here = studies[column].astype("float64")
        for index in studies.index[fact.notna() & (fact != here)]:
            yield _fault(evidence.text["studies"], "studies", index, column,
                         f"the preferred row of study_facts says {fact[index]:g}",
                         "make the two agree, or change which fact is preferred")
        for index in studies.index[fact.isna() & here.notna()]:
            yield _fault(evidence.text["studies"], "studies", index, column,
                         "no row of study_facts says where this number was read",
                         f"add a study_facts row with fact {column}, or write NR")


def _scales(evidence: Evidence) -> Iterator[Fault]:
    outcomes = evidence.tables["outcomes"].drop_duplicates("outcome_id").set_index("outcome_id")
    frame = evidence.tables["arm_stats"]
    low = frame["outcome_id"].map(outcomes["scale_min"])
    high = frame["outcome_id"].map(outcomes["scale_max"])
    level = frame["statistic_of"].isin(["baseline", "end"])
    for column in ("mean", "median", "q1", "q3", "range_low", "range_high"):
        outside = level & ((frame[column] < low) | (frame[column] > high))
        for index in frame.index[outside.fillna(False)]:
            yield _fault(frame, "arm_stats", index, column,
                         f"outside the scale {low[index]:g} to {high[index]:g}",
                         "correct the value, or name the instrument it was measured with")


def _preferred(evidence: Evidence) -> Iterator[Fault]:
    for name, key in FACT_KEYS.items():
        frame, text = evidence.tables[name], evidence.text[name]
        chosen = frame["preferred"].fillna(False).astype(bool)
        for _, group in text.groupby(key, sort=False):
            winners = [index for index in group.index if chosen[index]]
            for index in winners[1:]:
                yield _fault(text, name, index, "preferred",
                             f"line {winners[0] + FIRST_DATA_LINE} states the same fact "
                             "and is preferred too", "set one of the two to no, with the reason")
        for index in frame.index[~chosen & frame["preferred_reason"].isna()]:
            yield _fault(text, name, index, "preferred_reason",
                         "a row that is not preferred needs the reason", "say why in a few words")
