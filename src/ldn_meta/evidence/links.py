"""Rows that contradict other rows, of the same table or of another."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from ldn_meta.errors import Fault
from ldn_meta.evidence.conflicts import FACT_KEYS, without_preferred
from ldn_meta.evidence.rules import fault_at, is_given

if TYPE_CHECKING:
    from ldn_meta.evidence.load import Evidence

SIZES = ("n_enrolled", "n_randomised", "n_completed", "n_analysed")
# Designs in which everybody is in one arm, so that arms add up to the study.
SPLIT_DESIGNS = ("parallel", "factorial")
LEVELS = ("baseline", "end")


def link_faults(evidence: Evidence, *, unread: Collection[str]) -> list[Fault]:
    """Every breach of a rule that joins rows.

    Parameters
    ----------
    evidence : Evidence
        The index of its tables is the line of the file.
    unread : collection of str
        Tables whose rows could not be told; rows that refer to them are not blamed for it.

    Returns
    -------
    list of Fault
    """
    found = list(_references(evidence, unread))
    for rule in (_duplicates, _arms, _arm_sums, _scales, _preferred):
        found.extend(rule(evidence))
    if "study_facts" not in unread:
        found.extend(_sizes(evidence))
    return found


def fact_faults(evidence: Evidence) -> list[Fault]:
    """Facts of which no row is preferred; rows find each other only where all else is in order.

    Parameters
    ----------
    evidence : Evidence
        The index of its tables is the line of the file.

    Returns
    -------
    list of Fault
    """
    rule = "no row states this fact as the preferred one"
    remedy = "set preferred to yes for the row to be used"
    return [
        fault_at(evidence, name, line, "preferred", rule, remedy)
        for name in FACT_KEYS
        for line in without_preferred(evidence.text[name], name, evidence.dictionary.missing)
    ]


def _references(evidence: Evidence, unread: Collection[str]) -> Iterator[Fault]:
    for table in evidence.dictionary.tables.values():
        for column, target, key in table.foreign_keys:
            if target in unread:
                continue
            known = set(evidence.text[target][key])
            cells = evidence.text[table.name][column]
            lost = is_given(evidence, table.name, column) & ~cells.isin(list(known))
            for line in cells.index[lost]:
                near = difflib.get_close_matches(cells[line], known, n=1)
                hint = f"did you mean {near[0]!r}? Else " if near else ""
                rule = f"no such {key} in {target}"
                remedy = f"{hint}add the row to {target}.csv, or correct the key"
                yield fault_at(evidence, table.name, line, column, rule, remedy)


def _duplicates(evidence: Evidence) -> Iterator[Fault]:
    for table in evidence.dictionary.tables.values():
        text = evidence.text[table.name]
        # Of a copy with its key, the schema check has told already that the key is there twice.
        for line in text.index[text.drop(columns=table.key).duplicated()]:
            rule = "the same row again under another key"
            yield fault_at(evidence, table.name, line, table.key, rule, "delete one of the two")


def _arms(evidence: Evidence) -> Iterator[Fault]:
    arms = evidence.tables["arms"].drop_duplicates("arm_id").set_index("arm_id")
    columns = {"arm_stats": ["arm_id"], "arm_events": ["arm_id"], "contrasts": ["arm_1", "arm_2"]}
    for name, names in columns.items():
        frame = evidence.tables[name]
        for column in names:
            owner = frame[column].map(arms["study_id"])
            for line in frame.index[owner.notna() & (owner != frame["study_id"])]:
                remedy = f"use an arm of {frame.loc[line, 'study_id']}"
                yield fault_at(evidence, name, line, column, "arm of another study", remedy)
    name = "contrasts"
    frame = evidence.tables[name]
    first, second = frame["arm_1"].map(arms["group"]), frame["arm_2"].map(arms["group"])
    turned = (first.isin([2, 3]) & (second == 1)).fillna(False)
    for line in frame.index[turned]:
        rule = "the comparator stands first, but effects are LDN minus comparator"
        remedy = "swap the two arms and turn the sign of the estimate"
        yield fault_at(evidence, name, line, "arm_1", rule, remedy)
    for line in frame.index[(frame["arm_1"] == frame["arm_2"]).fillna(False)]:
        remedy = "name the comparator, or NA for a change from baseline"
        yield fault_at(evidence, name, line, "arm_2", "an arm against itself", remedy)


def _arm_sums(evidence: Evidence) -> Iterator[Fault]:
    studies, arms = evidence.tables["studies"], evidence.tables["arms"]
    sizes = arms.groupby("study_id")["n_randomised"]
    # An arm without its number leaves the sum unknown, not smaller.
    sums = sizes.sum().where(sizes.count() == sizes.size())
    total = studies["study_id"].map(sums)
    wrong = (studies["n_randomised"] != total).fillna(False)
    for line in studies.index[wrong & studies["design"].isin(SPLIT_DESIGNS)]:
        rule = f"its arms add up to {total[line]}"
        remedy = "correct the study or its arms"
        yield fault_at(evidence, "studies", line, "n_randomised", rule, remedy)


def _sizes(evidence: Evidence) -> Iterator[Fault]:
    facts, studies = evidence.tables["study_facts"], evidence.tables["studies"]
    plain = facts[
        (evidence.text["study_facts"]["qualifier"] == "NA")
        & facts["preferred"].fillna(False).astype(bool)
        & is_given(evidence, "study_facts", "value")
    ]
    for column in SIZES:
        of_size = plain[plain["fact"] == column].drop_duplicates("study_id")
        stated = studies["study_id"].map(of_size.set_index("study_id")["value"])
        here = studies[column].astype("float64")
        for line in studies.index[stated.notna() & (stated != here)]:
            rule = f"the preferred row of study_facts says {stated[line]:g}"
            remedy = "make the two agree, or change which fact is preferred"
            yield fault_at(evidence, "studies", line, column, rule, remedy)
        for line in studies.index[here.notna() & ~studies["study_id"].isin(of_size["study_id"])]:
            rule = "no row of study_facts says where this number was read"
            remedy = f"add a study_facts row with fact {column}, or write NR"
            yield fault_at(evidence, "studies", line, column, rule, remedy)


def _scales(evidence: Evidence) -> Iterator[Fault]:
    outcomes = evidence.tables["outcomes"].drop_duplicates("outcome_id").set_index("outcome_id")
    name = "arm_stats"
    frame = evidence.tables[name]
    # Of a table without rows, pandas with pyarrow makes texts, which no number can be under.
    low = frame["outcome_id"].map(outcomes["scale_min"]).astype("float64")
    high = frame["outcome_id"].map(outcomes["scale_max"]).astype("float64")
    is_level = frame["statistic_of"].isin(LEVELS)
    for column in ("mean", "median", "q1", "q3", "range_low", "range_high"):
        outside = (frame[column] < low) | (frame[column] > high)
        for line in frame.index[is_level & outside]:
            rule = f"outside the scale {low[line]:g} to {high[line]:g}"
            remedy = "correct the value, or name the instrument it was measured with"
            yield fault_at(evidence, name, line, column, rule, remedy)


def _preferred(evidence: Evidence) -> Iterator[Fault]:
    for name, key in FACT_KEYS.items():
        text = evidence.text[name]
        chosen = text[text["preferred"] == "yes"]
        for line in chosen.index[chosen.duplicated(key)]:
            same = (chosen[key] == chosen.loc[line, key]).all(axis=1)
            rule = f"line {same.idxmax()} states the same fact and is preferred too"
            remedy = "set one of the two to no, with the reason"
            yield fault_at(evidence, name, line, "preferred", rule, remedy)
        unexplained = (text["preferred"] == "no") & ~is_given(evidence, name, "preferred_reason")
        for line in text.index[unexplained]:
            rule = "a row that is not preferred needs the reason"
            remedy = "say why in a few words"
            yield fault_at(evidence, name, line, "preferred_reason", rule, remedy)
