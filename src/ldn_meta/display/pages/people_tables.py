"""Tables of people with an event: trials, single arms, pools, and what cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.pages.opened import construct_labels, week_cell
from ldn_meta.display.wording import estimate_with_interval, fixed, interval, method, percent
from ldn_meta.evidence.candidates import CONTRAST

if TYPE_CHECKING:
    from ldn_meta.display.pages.people import PeoplePage


def comparisons(page: PeoplePage) -> Table:
    """Trials with people counted in both arms, every set, time and source."""
    rows = page.rows[page.rows["kind"] == CONTRAST]
    frame = pd.DataFrame(
        {
            "outcome": rows["construct_label"],
            "trial": rows["study_label"],
            "week": rows["timepoint_weeks"].map(week_cell),
            "set": rows["analysis_set"],
            "LDN": _arm(rows, "1"),
            "comparator": rows["comparator"] + " " + _arm(rows, "2"),
            "RR (95% CI)": _range(rows, "rr"),
            "RD (95% CI)": _range(rows, "rd"),
            "NNT (95% CI)": rows["nnt"].fillna("NA"),
            "in main pool": rows["is_selected"].map({True: "yes", False: "no"}),
            "notes": rows["notes"],
            "source": [page.opened.source(r) for r in rows_of(rows)],
        }
    )
    return Table(
        frame,
        "People with the outcome in both arms",
        "RR risk ratio (0.5 added to every cell of a trial with an empty one), RD risk difference "
        "with Newcombe's interval, NNT number needed to treat: NNTB to "
        "benefit, NNTH to harm; an interval through infinity means that neither is "
        "excluded.",
        "No trial counted people in both arms in what could be read.",
    )


def single_arms(page: PeoplePage) -> Table:
    """Studies without comparison, beside the trials and never pooled with them."""
    rows = page.rows[(page.rows["kind"] != CONTRAST) & page.rows["is_preferred"].astype(bool)]
    frame = pd.DataFrame(
        {
            "outcome": rows["construct_label"],
            "study": rows["study_label"],
            "arm": rows["arm"],
            "design": rows["design"],
            "week": rows["timepoint_weeks"].map(week_cell),
            "people": _arm(rows, "1"),
            "95% CI (Wilson)": [
                _percent_range(r["share_1_low"], r["share_1_high"]) for r in rows_of(rows)
            ],
            "source": [page.opened.source(r) for r in rows_of(rows)],
        }
    )
    return Table(frame, "Counted in one arm only: no comparison, never pooled", "", "None.")


def pools_table(page: PeoplePage) -> Table:
    """List the main pools of the domain."""
    names = construct_labels(page.opened)
    rows = []
    for p in page.rr_pools:
        r = p.result
        rows.append(
            {
                "outcome": names[p.key["construct"]],
                "against": p.key["comparator_class"],
                "trials": ", ".join(p.trials["study_label"]),
                "people": str(p.people or "NR"),
                "LDN": f"{p.trials['events_1'].sum():g}/{p.trials['n_1'].sum():g}",
                "comparator": f"{p.trials['events_2'].sum():g}/{p.trials['n_2'].sum():g}",
                "RR (95% CI)": estimate_with_interval(
                    r.estimate, r.ci_low, r.ci_high, measure="RR"
                ),
                "method": "one trial"
                if len(p.trials) == 1
                else method(r.tau2_method, r.ci_method),
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Pooled, or the one trial there is",
        "Added-up counts are for orientation; the risk ratio is pooled from the "
        "trials, never from added-up counts.",
        "No outcome could be pooled.",
    )


def event_counts(page: PeoplePage) -> Table:
    """Outcomes that count events, not people."""
    rows = page.counted_events
    frame = pd.DataFrame(
        [
            {
                "trial": r["study_label"],
                "outcome": r["construct_label"],
                "LDN": r["arm_1_data"],
                "comparator": f"{r['comparator']} {r['arm_2_data']}",
                "rate ratio (95% CI)": estimate_with_interval(
                    r["yi"], r["ci_low"], r["ci_high"], measure="IRR"
                ),
                "assumptions": r["assumptions"],
                "source": page.opened.source(r),
            }
            for r in rows_of(rows)
        ]
    )
    return Table(frame, "Counted as events, not as people: never a share of people")


def not_usable(page: PeoplePage) -> Table:
    """Numbers of people that were printed but cannot be computed with."""
    d = page.opened.derived
    outcomes = d.evidence.text["outcomes"].set_index("outcome_id")
    raw = d.evidence.text["arm_events"].set_index("row_id")
    arms = d.evidence.text["arms"].set_index("arm_id")["label"]
    left = d.left_out[d.left_out["table"] == "arm_events"]
    left = left[left["outcome_id"].map(outcomes["domain"]) == page.domain]
    frame = pd.DataFrame(
        [
            {
                "study": row["study_label"],
                "outcome": outcomes.loc[row["outcome_id"], "construct_label"],
                "arm": arms[raw.loc[row["row_id"], "arm_id"]],
                "as reported": raw.loc[row["row_id"], "as_reported"],
                "why no effect": row["reason"],
                "source": page.opened.source(raw.loc[row["row_id"]].to_dict()),
            }
            for row in rows_of(left)
        ]
    )
    return Table(frame, "Printed, but not enough to compute with")


def arms_long(chosen: pd.DataFrame) -> pd.DataFrame:
    """One row an arm, as the share plot wants it."""
    rows = []
    for row in rows_of(chosen):
        shared = {
            "study_label": row["study_label"],
            "threshold_label": row["construct_label"],
            "note": f"week {week_cell(row['timepoint_weeks'])}, {_set(row['analysis_set'])}",
        }
        contrast = row["kind"] == CONTRAST
        arms = [("1", "LDN", 1 if contrast else 3)]
        if contrast:
            arms.append(("2", row["comparator"], 2))
        for arm, label, group in arms:
            rows.append(
                {
                    **shared,
                    "arm_label": label,
                    "group": group,
                    "events": row[f"events_{arm}"],
                    "n": row[f"n_{arm}"],
                    "proportion": row[f"share_{arm}"],
                    "ci_low": row[f"share_{arm}_low"],
                    "ci_high": row[f"share_{arm}_high"],
                }
            )
    columns = [
        "study_label",
        "arm_label",
        "group",
        "threshold_label",
        "events",
        "n",
        "proportion",
        "ci_low",
        "ci_high",
        "note",
    ]
    return pd.DataFrame(rows, columns=columns)


def _set(analysis_set: str) -> str:
    return "analysis set not stated" if analysis_set == "not stated" else analysis_set


def _arm(rows: pd.DataFrame, arm: str) -> list[str]:
    return [
        f"{r[f'events_{arm}']:g}/{r[f'n_{arm}']:g} ({percent(r[f'share_{arm}'])})"
        for r in rows_of(rows)
    ]


def _range(rows: pd.DataFrame, name: str) -> list[str]:
    return [
        f"{fixed(r[name])} ({interval(r[f'{name}_low'], r[f'{name}_high'])})"
        for r in rows_of(rows)
    ]


def _percent_range(low: float, high: float) -> str:
    return f"{percent(low)} to {percent(high)}"
