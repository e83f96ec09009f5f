"""What rests on one study: results, ratings, votes, claims, and the page of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.wording import (
    MEASURES,
    capitalised,
    count,
    estimate_with_interval,
    percent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ldn_meta.evidence.derived import Derived

MAIN = "main"
# Comparator class of people who were compared with nobody.
ALONE = "none"
# Which page shows the main result of a domain; whatever is neither responder nor harm: page 20.
PAGE_OF_DOMAIN = {"responder": "30_responder_rates", "harm": "40_safety"}


def uses_table(derived: Derived, study: dict[str, str]) -> Table:
    """Everything that would be another without the study.

    Parameters
    ----------
    derived : Derived
        All indications.
    study : dict of str
        Row of ``studies.csv``.

    Returns
    -------
    Table
        Results first; the page is named by its notebook.
    """
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
