"""What a multiverse says: where its analyses end up, and which choice moves them most."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.evidence.multiverse import Multiverse, build_multiverse, is_about_model
from ldn_meta.evidence.multiverse_effects import Normalised
from ldn_meta.stats.multiverse import digits, share_explained, weighted_quantiles

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.protocol import Protocol
    from ldn_meta.stats.inputs import BoolArray, FloatArray

# Results that differ by less are one: they come from the same effects by another way.
SAME_DIGITS = 9
QUANTILES = {"p05": 0.05, "median": 0.5, "p95": 0.95}


def summary(found: Multiverse, protocol: Protocol) -> dict[str, Any]:
    """Where the analyses of an outcome end up.

    Shares are shares of the analyses with a result. They count defensible choices; they are no
    probabilities.

    Parameters
    ----------
    found : Multiverse
    protocol : Protocol
        For the minimal important difference of the outcome's scale.

    Returns
    -------
    dict
        The outcome; analyses, without_result, effect_sets (distinct sets of effects), results
        (distinct results); default and extremes of the estimate (on the scale of ``yi``) and
        its quantiles; favours_ldn, either_way, favours_comparator,
        no_interval (shares by the interval);
        leans_ldn (share of estimates on the side of LDN); mid, beyond_mid (share of estimates
        at least the minimal important difference in favour of LDN), ci_beyond_mid (share of
        intervals that reach it); NaN where no such difference is stated.
    """
    weight = weights(found)
    estimate, low, high = (found.results[name] for name in ("estimate", "ci_low", "ci_high"))
    has = np.isfinite(estimate)
    total = weight[has].sum()
    sign = found.benefit_sign
    # Towards benefit: positive is better, whatever the scale.
    better = np.minimum(sign * low, sign * high), np.maximum(sign * low, sign * high)
    scale = protocol.scales.get(found.construct)
    mid = (
        scale.minimal_important_difference
        if scale is not None and scale.unit == found.unit
        else math.nan
    )

    def share(where: BoolArray) -> float:
        return float(weight[has & where].sum() / total) if total else math.nan

    cell = found.places(_first(found))
    default = {
        name: float(found.results[name][cell][0])
        for name in ("k", "estimate", "ci_low", "ci_high")
    }
    finite = estimate[has]
    order = {
        name: float(value)
        for name, value in zip(
            QUANTILES,
            weighted_quantiles(finite, weight[has], list(QUANTILES.values())),
            strict=True,
        )
    }
    return {
        "indication_id": found.indication_id,
        "construct": found.construct,
        "comparator_class": found.comparator_class,
        "measure": found.measure,
        "unit": found.unit,
        "trials": "; ".join(found.trials),
        "analyses": len(found),
        "without_result": int(weight[~has].sum()),
        "effect_sets": int((~np.isnan(found.vi)).any(axis=1).sum()),
        "results": _distinct(found),
        **{f"default_{name}": value for name, value in default.items()},
        "lowest": float(finite.min()) if finite.size else math.nan,
        **order,
        "highest": float(finite.max()) if finite.size else math.nan,
        "below_default": share(estimate < default["estimate"] - 10.0**-SAME_DIGITS),
        "favours_ldn": share(better[0] > 0),
        "either_way": share((better[0] <= 0) & (better[1] >= 0)),
        "favours_comparator": share(better[1] < 0),
        "no_interval": share(np.isnan(low)),
        "leans_ldn": share(sign * estimate > 0),
        "mid": mid,
        "beyond_mid": share(sign * estimate >= mid) if math.isfinite(mid) else math.nan,
        "ci_beyond_mid": share(better[1] >= mid) if math.isfinite(mid) else math.nan,
    }


def node_table(found: Multiverse) -> pd.DataFrame:
    """How much each node moves the answer.

    Returns
    -------
    pandas.DataFrame
        One row a node: the outcome, node, reason, options (in words), share_explained (of the
        variance of the estimates, over all analyses), farthest (estimate, with every other
        choice as in the protocol, that is farthest from the protocol's own), farthest_option,
        shift (farthest minus default), changes_verdict (whether an option alone moves the
        interval across no effect). Largest share first, then largest shift.
    """
    import pandas as pd

    estimate = found.results["estimate"]
    finite = np.nan_to_num(estimate, nan=0.0)
    default = found.places(_first(found))
    rows = []
    for place, node in enumerate(found.nodes):
        sums = [_sums(found, place, option, finite) for option in range(len(node.options))]
        alone = np.zeros((len(node.options), len(found.nodes)), dtype=np.int64)
        alone[:, place] = range(len(node.options))
        cells = found.places(alone)
        values = estimate[cells]
        shift = np.abs(values - estimate[default])
        farthest = int(np.nanargmax(shift)) if np.isfinite(shift).any() else 0
        rows.append(
            {
                "indication_id": found.indication_id,
                "construct": found.construct,
                "comparator_class": found.comparator_class,
                "node": node.name,
                "reason": node.reason,
                "options": "; ".join(option.name for option in node.options),
                "share_explained": share_explained(*np.array(sums).T),
                "farthest": float(values[farthest]),
                "farthest_option": node.options[farthest].name,
                "shift": float(values[farthest] - estimate[default][0]),
                "changes_verdict": len(set(_verdicts(found, cells))) > 1,
            }
        )
    frame = pd.DataFrame(rows)
    size = frame["shift"].abs()
    return (
        frame.assign(size=size)
        .sort_values(["share_explained", "size"], ascending=False, kind="stable")
        .drop(columns="size")
        .reset_index(drop=True)
    )


def weights(found: Multiverse) -> FloatArray:
    """Analyses behind each cell of ``results``, (sets, models)."""
    sets, models = found.results["estimate"].shape
    per_set = np.bincount(found.set_of, minlength=sets).astype(np.float64)
    return np.repeat(per_set[:, None], models, axis=1)


def multiverse_tables(evidence: Evidence, protocol: Protocol) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summary and node table of every outcome of the evidence map that has an effect.

    Parameters
    ----------
    evidence : Evidence
    protocol : Protocol

    Returns
    -------
    summaries, nodes : pandas.DataFrame
    """
    import pandas as pd

    summaries, nodes = [], []
    for found in all_multiverses(evidence, protocol):
        summaries.append(summary(found, protocol))
        nodes.append(node_table(found))
    if not summaries:
        return pd.DataFrame(), pd.DataFrame()
    return pd.DataFrame(summaries), pd.concat(nodes, ignore_index=True)


def all_multiverses(
    evidence: Evidence, protocol: Protocol, indications: Collection[str] | None = None
) -> list[Multiverse]:
    """Every outcome of the evidence map with an effect, against the main comparator.

    Parameters
    ----------
    evidence : Evidence
    protocol : Protocol
    indications : collection of str, optional
        Only these conditions; by default all that are reported.

    Returns
    -------
    list of Multiverse
        In the order of indications.csv and of the outcome groups.
    """
    found = []
    for row in evidence.tables["indications"].to_dict("records"):
        name = row["indication_id"]
        if not row["is_reported"] or (indications is not None and name not in indications):
            continue
        normalised = Normalised(evidence.for_indication(name), protocol)
        for construct in dict.fromkeys(c for g in protocol.outcome_groups.values() for c in g):
            one = build_multiverse(normalised, construct, row["main_comparator"])
            if one is not None:
                found.append(one)
    return found


def _first(found: Multiverse) -> Any:
    return digits([0], found.sizes)


def _sums(
    found: Multiverse, place: int, option: int, finite: FloatArray
) -> tuple[float, float, float]:
    """Sum, sum of squares and number of the estimates of one option of one node."""
    has = np.isfinite(found.results["estimate"])
    node_sizes = [
        [size for size, node in zip(found.sizes, found.nodes, strict=True)
         if is_about_model(node) == about] for about in (False, True)
    ]  # fmt: skip
    about = is_about_model(found.nodes[place])
    before = sum(is_about_model(node) == about for node in found.nodes[:place])
    count = math.prod(node_sizes[about])
    is_option = digits(np.arange(count), node_sizes[about])[:, before] == option
    sets, models = finite.shape
    if about:
        weight = weights(found) * is_option[None, :]
    else:
        per_set = np.bincount(found.set_of[is_option], minlength=sets)
        weight = np.repeat(per_set[:, None], models, axis=1)
    weight = weight * has
    return (
        float((weight * finite).sum()),
        float((weight * finite**2).sum()),
        float(weight.sum()),
    )


def _verdicts(found: Multiverse, cells: Any) -> list[str]:
    low, high = found.results["ci_low"][cells], found.results["ci_high"][cells]
    return [
        "none" if not np.isfinite(a + b) else "across" if a <= 0 <= b else "off"
        for a, b in zip(low, high, strict=True)
    ]


def _distinct(found: Multiverse) -> int:
    names = ("estimate", "ci_low", "ci_high")
    cells = np.stack([found.results[name].ravel() for name in names], axis=1)
    has = np.isfinite(cells[:, 0])
    # Results without an interval are one and the same; NaN would differ from itself.
    told = np.nan_to_num(np.round(cells[has], SAME_DIGITS), nan=np.inf)
    return len(np.unique(told, axis=0))
