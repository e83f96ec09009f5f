"""People with an event per arm: shares, risk ratio, risk difference, odds ratio, NNT."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ldn_meta.evidence.candidates import CONTRAST
from ldn_meta.evidence.normalise import NORMAL_95
from ldn_meta.stats.benefit import number_needed_to_treat
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.proportions import wilson_interval

if TYPE_CHECKING:
    import pandas as pd

SHOWN = ["effect_id", "indication_id", "study_id", "study_label", "year", "kind", "construct",
         "construct_label", "outcome_id", "benefit_sign", "comparator", "comparator_class",
         "timepoint_weeks", "analysis_set", "design", "is_paired", "read_from", "is_transcribed",
         "is_preferred", "is_selected", "selected_why", "source_id", "locator"]


def people_with_events(effects: pd.DataFrame, domains: tuple[str, ...]) -> pd.DataFrame:
    """Table of binary outcomes, one row a comparison or a single arm.

    Parameters
    ----------
    effects : pandas.DataFrame
        Effects of ``normalise``; rows that count events instead of people are not used.
    domains : tuple of str
        Outcome domains to keep: ``("responder",)`` or ``("harm",)``.

    Returns
    -------
    pandas.DataFrame
        Shares with Wilson intervals per arm; RR, OR, RD with normal intervals; the number
        needed to treat with an interval that may pass through infinity. ``NaN`` where a
        single arm has no comparison.
    """
    import pandas as pd

    binary = effects[effects["domain"].isin(domains) & effects["measure"].isin(["RR", "PLO"])]
    rows = [{**{name: row[name] for name in SHOWN}, **_numbers(row)}
            for row in binary.to_dict("records")]
    columns = [*SHOWN, *_numbers(None)]
    return pd.DataFrame(rows, columns=columns)


def _numbers(row: dict[str, Any] | None) -> dict[str, Any]:
    names = ["events_1", "n_1", "share_1", "share_1_low", "share_1_high",
             "events_2", "n_2", "share_2", "share_2_low", "share_2_high",
             "rr", "rr_low", "rr_high", "or", "or_low", "or_high", "rd", "rd_low", "rd_high"]
    out: dict[str, Any] = dict.fromkeys(names, math.nan) | {"nnt": "NA"}
    if row is None:
        return out
    out |= _share(row["events_1"], row["n_1"], "1")
    if row["kind"] != CONTRAST:
        return out
    out |= _share(row["events_2"], row["n_2"], "2")
    table = {"events_1": row["events_1"], "n_1": row["n_1"], "events_2": row["events_2"],
             "n_2": row["n_2"]}
    # No event in either arm (or everybody has one in both) says nothing about a ratio.
    silent = row["events_1"] == row["events_2"] == 0 or (
        row["events_1"] == row["n_1"] and row["events_2"] == row["n_2"])
    for code in ("RD",) if silent else ("RR", "OR", "RD"):
        effect = effect_size(code, **table)
        yi, half = float(effect.yi), NORMAL_95 * math.sqrt(float(effect.vi))
        shown = (yi, yi - half, yi + half)
        if code != "RD":
            shown = (math.exp(shown[0]), math.exp(shown[1]), math.exp(shown[2]))
        name = code.lower()
        out |= {name: shown[0], f"{name}_low": shown[1], f"{name}_high": shown[2]}
    needed = number_needed_to_treat(out["rd"], out["rd_low"], out["rd_high"],
                                    benefit_sign=int(row["benefit_sign"]))
    out["nnt"] = needed.text()
    return out


def _share(events: float, n: float, arm: str) -> dict[str, float]:
    interval = wilson_interval(events, n)
    return {f"events_{arm}": events, f"n_{arm}": n, f"share_{arm}": events / n,
            f"share_{arm}_low": float(interval.low), f"share_{arm}_high": float(interval.high)}
