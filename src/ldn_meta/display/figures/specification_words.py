"""A specification curve in words: what stands beside it, below it, and instead of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures import style
from ldn_meta.display.figures.forest_rows import EffectFormat
from ldn_meta.display.figures.specification_columns import (
    ACROSS,
    FOR_COMPARATOR,
    FOR_LDN,
    NO_INTERVAL,
    Columns,
)
from ldn_meta.display.wording import MEASURES, RATIOS, capitalised, percent

if TYPE_CHECKING:
    from ldn_meta.evidence.multiverse import Multiverse

NO_RESULT = "No analysis of this outcome has a result."
VERDICT_WORDS = {
    FOR_LDN: "interval on the side of LDN",
    ACROSS: "interval across no effect",
    FOR_COMPARATOR: "interval on the side of the comparator",
    NO_INTERVAL: "no interval defined",
}
# Less is what is left of equal numbers when they are taken from each other.
_NOTHING = 1e-9
# A ratio beyond this has no meaning; without a bound it could not be computed.
_LARGEST_LOG = 50.0
_SHARES = {
    FOR_LDN: "favours_ldn",
    ACROSS: "either_way",
    FOR_COMPARATOR: "favours_comparator",
    NO_INTERVAL: "no_interval",
}


def share_words(share: float) -> str:
    """Write a share in per cent; what is little or nearly all is not rounded to none or all."""
    if _NOTHING < share < 0.005:
        return "under 1%"
    return "over 99%" if 0.995 <= share < 1 else percent(share)


def measure_words(found: Multiverse, columns: Columns | None, unit_words: str) -> str:
    """Name the axis; where a choice changes the measure, name both."""
    measure = capitalised(MEASURES.get(found.measure, found.measure))
    others = {
        MEASURES[str(option.changes["measure"])]
        for choice in (columns.choices if columns else ())
        for node in found.nodes
        if node.name == choice.name
        for option in node.options
        if "measure" in option.changes
    }
    if found.measure in RATIOS:
        return f"{' or '.join([measure, *sorted(others)])} {style.unbroken('(log axis)')}"
    return f"{measure}, {unit_words}" if unit_words else measure


def protocol_words(summary: Mapping[str, Any], print_as: EffectFormat) -> str:
    """Write the result of the protocol's own analysis."""
    return f"Protocol's own analysis: {result_words(summary, print_as)}"


def result_words(summary: Mapping[str, Any], print_as: EffectFormat) -> str:
    """Write estimate and interval of the protocol's own analysis, or what is missing."""
    estimate, low, high = (
        float(summary[f"default_{name}"]) for name in ("estimate", "ci_low", "ci_high")
    )
    if math.isnan(estimate):
        return "no result"
    if math.isnan(low + high):
        return f"{print_as.number(estimate)} (no interval)"
    return f"{print_as.number(estimate)} {print_as.interval(low, high)}"


def verdict_shares(summary: Mapping[str, Any]) -> dict[int, str]:
    """Say what share of the analyses each kind of interval has; kinds that do not occur lack."""
    return {
        verdict: f"{words}: {share_words(float(summary[_SHARES[verdict]]))}"
        for verdict, words in VERDICT_WORDS.items()
        if float(summary[_SHARES[verdict]]) > 0
    }


def count_words(summary: Mapping[str, Any], columns: Columns) -> str:
    """Say how many analyses there are, and of how many results."""
    analyses = int(summary["analyses"])
    if columns.results == 1:
        return f"All {analyses - int(summary['without_result']):,} analyses give the same result."
    sets = int(summary["effect_sets"])
    sets_words = f"{sets:,} sets of effects" if sets != 1 else "one set of effects"
    return f"{analyses:,} analyses of {sets_words}, {columns.results:,} distinct results."


def lacking_words(summary: Mapping[str, Any]) -> str:
    """Say how many analyses have no result."""
    analyses, lacking = int(summary["analyses"]), int(summary["without_result"])
    if not lacking:
        return ""
    return (
        f"Not drawn: {lacking:,} of the {analyses:,} analyses "
        f"({share_words(lacking / analyses)}), whose choices leave no trial."
    )


def unmoved_words(columns: Columns) -> str:
    """Name the nodes whose options change nothing that could be seen."""
    if not columns.unmoved:
        return ""
    return f"Choices that change no result visibly here: {'; '.join(columns.unmoved)}."


def notes(
    summary: Mapping[str, Any],
    columns: Columns,
    *,
    beyond: str,
    mixes_measures: bool,
    has_mid: bool,
) -> list[str]:
    """Write the small print below the picture."""
    width = "A result is as wide as the number of analyses that give it; "
    if columns.is_merged:
        width = "Too many results to draw apart: neighbours with the same verdict are averaged; "
    lines = [
        f"{count_words(summary, columns)} "
        f"{width}estimates that look the same are ordered by their intervals."
        if len(columns) > 1
        else count_words(summary, columns),
        lacking_words(summary),
        beyond,
        "MID: minimal important difference, to either side of no effect." if has_mid else "",
        "One axis for both ratios: 1 is no effect for either, distances are not comparable."
        if mixes_measures
        else "",
    ]
    if columns.choices:
        lines.append(
            "Share explained: of the variance of all estimates, by that choice alone; choices "
            "that act together make up what is missing to 100%."
            if any(math.isfinite(choice.share_explained) for choice in columns.choices)
            else "All estimates are the same, so there is no variance to explain."
        )
    lines += [
        "0%: the choice moves no estimate, but intervals, or whether there is a result."
        if any(share_words(choice.share_explained) == "0%" for choice in columns.choices)
        else "",
        unmoved_words(columns),
        "Analyses are defensible choices, counted; their shares are no probabilities.",
    ]
    return lines


def describe(
    summary: Mapping[str, Any],
    columns: Columns | None,
    *,
    axis: str,
    direction: tuple[str, str],
    mid: float,
    print_as: EffectFormat,
    title: str | None,
) -> str:
    """Describe a specification curve for people who cannot see it."""
    sentences = [f"Specification curve{f': {title}' if title else ''}."]
    if columns is None:
        return style.spoken(" ".join([*sentences, NO_RESULT]))
    sentences.append(count_words(summary, columns))
    lowest, highest = (print_as.number(float(summary[name])) for name in ("lowest", "highest"))
    if len(columns) > 1:
        middle = print_as.number(float(summary["median"]))
        sentences.append(
            f"{axis}: estimates run from {lowest} to {highest}, half of them at most {middle}."
        )
    else:
        sentences.append(f"{axis}.")
    no_effect = "1" if print_as.is_log else "0"
    sentences += [
        f"Below {no_effect}: {direction[0]}; above {no_effect}: {direction[1]}.",
        f"{protocol_words(summary, print_as)}.",
        f"{capitalised('; '.join(verdict_shares(summary).values()))} of the analyses.",
    ]
    if math.isfinite(mid):
        sentences.append(
            f"Lines stand at the minimal important difference, {print_as.number(mid)} to either "
            "side."
        )
    sentences += [_choice_words(columns), lacking_words(summary), unmoved_words(columns)]
    return style.spoken(" ".join(sentence for sentence in sentences if sentence))


def _choice_words(columns: Columns) -> str:
    if not columns.choices:
        return ""
    shares = [
        f"{choice.name} {share_words(choice.share_explained)}"
        if math.isfinite(choice.share_explained)
        else choice.name
        for choice in columns.choices
    ]
    return (
        "Below the curve, each option of the choices that change results is shaded where it is "
        f"taken; share of the variance of estimates explained: {', '.join(shares)}."
    )


def beyond_words(low: float, high: float, ends: Sequence[float], print_as: EffectFormat) -> str:
    """Say how far intervals go that leave the axis; nothing if none does."""
    known = [end for end in ends if math.isfinite(end)]
    if not known:
        return ""
    parts = [
        f"{way} to {_far(end, print_as)}"
        for way, end, is_beyond in (
            ("down", min(known), min(known) < low),
            ("up", max(known), max(known) > high),
        )
        if is_beyond
    ]
    return f"Intervals go on beyond the axis, {' and '.join(parts)}." if parts else ""


def _far(end: float, print_as: EffectFormat) -> str:
    """Write a limit that may be far away: a ratio of 0.00 there is not, nor one of 7241.91."""
    if not print_as.is_log:
        return print_as.number(end)
    ratio = math.exp(min(end, _LARGEST_LOG))
    if ratio < 1:
        return f"{ratio:.2g}"
    return f"{ratio:,.0f}" if ratio >= 100 else print_as.number(end)
