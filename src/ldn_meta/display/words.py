"""How numbers and names are written for readers, on every page and in every figure.

In two parts: formats of numbers and lists; GRADE's statements.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsFloat

from ldn_meta.evidence.answer.pools import (
    BOTH_SIDES,
    CI_METHODS,
    EITHER_WAY,
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    SAME_IN_BOTH,
    SIDE_UNKNOWN,
    TAU2_METHODS,
    interval_direction,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.evidence.grade import (
    LARGE,
    LOWER,
    MODERATE,
    NOT_RATED,
    SMALL,
    TRIVIAL,
    UNKNOWN,
)
from ldn_meta.evidence.raw.protocol import GRADES
from ldn_meta.evidence.raw.review import percent as percent
from ldn_meta.files import NOT_REPORTED
from ldn_meta.stats import arrays as stats

if TYPE_CHECKING:
    from ldn_meta.stats.decision import SettingShares

MEASURES = {code: measure.words for code, measure in stats.MEASURES.items()}
COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# Below it a p is written "p < 0.001".
SMALL_P = 0.001
SMALLEST_RATIO = 0.005
# A share closer to none or all is not rounded to it; closer than the last bits it is none or all.
ALMOST, EXACTLY = 0.005, 1e-9


def fixed(value: SupportsFloat, digits: int = 2) -> str:
    """Write a number with a fixed number of digits; undefined is "not defined"."""
    number = float(value)
    if not math.isfinite(number):
        return "not defined"
    text = f"{number:.{digits}f}"
    return text[1:] if text.startswith("-") and float(text) == 0 else text


def interval(low: SupportsFloat, high: SupportsFloat, digits: int = 2) -> str:
    """Write ``low to high``, or "not defined"."""
    if not (math.isfinite(float(low)) and math.isfinite(float(high))):
        return "not defined"
    return f"{fixed(low, digits)} to {fixed(high, digits)}"


def estimate_with_interval(
    estimate: SupportsFloat,
    low: SupportsFloat,
    high: SupportsFloat,
    *,
    measure: str,
    digits: int = 2,
) -> str:
    """Write estimate and interval on the scale readers know: ratios are taken from the log."""
    values = shown((estimate, low, high), measure=measure)
    if not math.isfinite(values[0]):
        return "not defined"
    if measure in RATIO_MEASURES:
        told, lowest, highest = map(ratio, values)
        return f"{told} ({lowest} to {highest})"
    return f"{fixed(values[0], digits)} ({interval(values[1], values[2], digits)})"


def ratio(value: SupportsFloat) -> str:
    """Write a ratio; 0.00 would say that it can be nought, which none can."""
    number = float(value)
    return f"{number:.2g}" if 0 < number < SMALLEST_RATIO else fixed(number)


def effect_of(
    row: Mapping[str, Any], *, measure: str | None = None, estimate: str = "estimate"
) -> str:
    """Write the effect of a row with its interval, as `estimate_with_interval` does."""
    numbers = (row[estimate], row["ci_low"], row["ci_high"])
    return estimate_with_interval(*numbers, measure=measure or str(row["measure"]))


def spanned(found: Any) -> str:
    """Write what has an estimate and ends, on the scale of analysis."""
    return f"{fixed(found.estimate)} ({interval(found.low, found.high)})"


def shown(values: Iterable[SupportsFloat], *, measure: str) -> tuple[float, ...]:
    """Return values as displayed: exponentials for ratios, themselves otherwise."""
    numbers = tuple(float(value) for value in values)
    if measure not in RATIO_MEASURES:
        return numbers
    return tuple(math.exp(number) if math.isfinite(number) else number for number in numbers)


def shown_facts(
    values: Mapping[str, Any], names: Sequence[str], *, measure: str
) -> dict[str, float]:
    """Some values as displayed, by their names with a word before them."""
    displayed = shown([values[name] for name in names], measure=measure)
    return {f"shown_{name}": value for name, value in zip(names, displayed, strict=True)}


def p_value(p: float) -> str:
    """Write ``p = 0.236`` or ``p < 0.001``."""
    if not math.isfinite(p):
        return "p not defined"
    return "p < 0.001" if p < SMALL_P else f"p = {p:.3f}"


def percents(low: float, high: float) -> str:
    """Write ``12% to 34%``."""
    return f"{percent(low)} to {percent(high)}"


def share_words(value: SupportsFloat) -> str:
    """Write a share in per cent; what is little or nearly all is not rounded to none or all."""
    number = float(value)
    if EXACTLY < number < ALMOST:
        return "under 1%"
    return "over 99%" if 1.0 - ALMOST <= number < 1.0 else percent(number)


def settings_words(found: SettingShares, *, drug: str, measure: str, unit: str) -> tuple[str, str]:
    """Say in how many settings an effect would matter, and what that rests on."""
    low, high = shown((found.low, found.high), measure=measure)
    matters = f"at least {high:g}, in {unit}"
    if measure in RATIO_MEASURES:
        matters = f"a {MEASURES[measure]} of {fixed(low)} or less, or of {fixed(high)} or more"
    better, none, worse = map(share_words, (found.benefit, found.trivial, found.harm))
    rests = f"are rough with {count(found.k, 'trial')}"
    if found.has_prior:
        rests = (
            f"rest, with {count(found.k, 'trial')}, mostly on what the plan assumes of the spread "
            "between settings"
        )
    return (
        f"In about {better} of settings like those of the trials {drug} would make a difference "
        f"that matters ({matters}) for the better, in {worse} one for the worse, in {none} none.",
        f"These numbers {rests}, and take the trials at their word; each setting counts by its "
        "average, so they are no shares of people.",
    )


def in_words(number: int) -> str:
    """Write ``no``, ``one``, ``ten``, ``11``."""
    return COUNTS[number] if 0 <= number < len(COUNTS) else str(number)


def count(number: int, noun: str, *, plural: str | None = None) -> str:
    """Write ``one trial``, ``two trials``, ``14 trials``; a study takes its own plural."""
    many = plural or (f"{noun[:-1]}ies" if noun.endswith("study") else f"{noun}s")
    return f"{in_words(number)} {noun if number == 1 else many}"


def agree(number: int, singular: str, plural: str) -> str:
    """Write ``one compares``, ``two compare``, ``none compares``: a number with its verb."""
    if number == 0:
        return f"none {singular}"
    return f"{in_words(number)} {singular if number == 1 else plural}"


def listed(names: Iterable[str], none: str = "none") -> str:
    """Write names in a row, each once, or that there is none."""
    return ", ".join(dict.fromkeys(names)) or none


def joined(names: Sequence[str]) -> str:
    """Write ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def people(number: int) -> str:
    """Write ``195 people``; nought means that no report gives the number."""
    return f"{number} people" if number else "number of people not reported"


def capitalised(text: str) -> str:
    """Make the first letter upper case, the rest untouched."""
    return text[:1].upper() + text[1:]


def weeks(value: SupportsFloat | None) -> str:
    """Write weeks without needless digits; NR when not reported."""
    number = math.nan if value is None else float(value)
    return f"{number:g}" if math.isfinite(number) else NOT_REPORTED


def plain(value: Any, missing: str = NOT_REPORTED) -> str:
    """Write a cell as text; what is missing says so."""
    if value is None or value != value or str(value) in ("<NA>", "nan"):
        return missing
    return f"{value:g}" if isinstance(value, float) else str(value)


def method(tau2_method: str, ci_method: str) -> str:
    """Write the model in words, as printed above results."""
    return f"{TAU2_METHODS[tau2_method]}, {CI_METHODS[ci_method]}"


FILLED, OPEN = "\u2295", "\u25cb"
VERY_LOW = GRADES[0]
# Certainty -> how sure the verb sounds: Santesso 2020, doi 10.1016/j.jclinepi.2019.10.014.
# Very low certainty has one statement for all sizes.
SURE, LIKELY, MAY = "", "likely ", "may "
HOW_SURE = dict(zip(GRADES[:0:-1], (SURE, LIKELY, MAY), strict=True))
# Size of the effect -> what the drug does to the outcome; {s} is the ending of the third person.
OF_SIZE = {
    TRIVIAL: "result{s} in little to no difference in {outcome}",
    SMALL: "{verb}{s} {outcome} slightly",
    MODERATE: "{verb}{s} {outcome}",
    LARGE: "result{s} in a large {noun} in {outcome}",
}
VERBS = {
    LOWER: ("reduce", "reduction"),
    UNKNOWN: ("change", "difference"),
}
MORE = ("increase", "increase")
# Directions without a size; beyond GRADE's table, which needs one.
OF_DIRECTION = {
    FAVOURS_TREATMENT: "be better than {comparator} for {outcome}",
    FAVOURS_COMPARATOR: "be worse than {comparator} for {outcome}",
    EITHER_WAY: "be better or worse than {comparator} for {outcome}",
    SAME_IN_BOTH: "be the same as {comparator} for {outcome}",
    BOTH_SIDES: "be better or worse than {comparator} for {outcome}: studies differ",
    SIDE_UNKNOWN: "be better or worse than {comparator} for {outcome}: the side is not known",
}
BE_SURE = dict(zip(GRADES[:0:-1], ("seems to ", "is likely to ", "may "), strict=True))
DOMAIN_WORDS = {
    "risk_of_bias": "risk of bias",
    "inconsistency": "inconsistency",
    "indirectness": "indirectness",
    "imprecision": "imprecision",
    "publication_bias": "publication bias",
}


def symbols(certainty: str) -> str:
    """GRADE's four circles, as many filled as there is certainty; empty when not rated."""
    if certainty == NOT_RATED:
        return ""
    filled = GRADES.index(certainty) + 1
    return FILLED * filled + OPEN * (len(GRADES) - filled)


def outcome_phrase(row: dict[str, Any]) -> str:
    """The outcome as the object of a sentence: people with it, where people are counted."""
    label = str(row["construct_label"])
    return f"the number of people with '{label}'" if row["counted"] == "binary" else label


def statement(row: dict[str, Any], *, drug: str) -> str:
    """Say what was found in GRADE's informative statements.

    Notes
    -----
    Santesso 2020, Journal of Clinical Epidemiology 119:126-135. Where only a direction was
    told, the sentence says so: the table of that paper needs a size.
    """
    outcome, comparator = outcome_phrase(row), str(row["comparator"])
    certainty = str(row["certainty"])
    if certainty == NOT_RATED:
        return f"It is not known what {drug} does to {outcome} compared with {comparator}."
    if certainty == VERY_LOW:
        return (
            f"The evidence is very uncertain about the effect of {drug} on {outcome} compared "
            f"with {comparator}."
        )
    if row["size"] == UNKNOWN:
        said, rest = str(row["direction"]), "by how much is not known"
        if said == "none":
            # Numbers on a scale of which nobody stated what difference is important.
            said = interval_direction(row["ci_low"], row["ci_high"], row["benefit_sign"])
            rest = "whether by an important amount is not known"
        words = OF_DIRECTION[said].format(comparator=comparator, outcome=outcome)
        return f"{capitalised(drug)} {BE_SURE[certainty]}{words}; {rest}."
    how = HOW_SURE[certainty]
    verb, noun = VERBS.get(str(row["change"]), MORE)
    words = OF_SIZE[str(row["size"])].format(
        s="" if how == MAY else "s", verb=verb, noun=noun, outcome=outcome
    )
    return f"{capitalised(drug)} {how}{words} compared with {comparator}."


def levels(number: int) -> str:
    """Write ``one level``, ``two levels``: what was taken off."""
    return count(-number, "level")


def taken_off(number: float) -> str:
    """Write levels taken off, or that none was."""
    return levels(int(number)) if number else "nothing"


def why(domains: list[dict[str, Any]]) -> str:
    """Name the domains that took something off, as ``imprecision (two levels)``."""
    taken = [
        f"{DOMAIN_WORDS[d['domain']]} ({levels(int(d['level']))})"
        for d in domains
        if d["level"] < 0
    ]
    return f"taken down for {joined(taken)}" if taken else "nothing taken off"


def reason(domain: dict[str, Any]) -> str:
    """Why a domain took something off: the reason of the judgement, else what the rule found."""
    return str(domain["value"] if domain["reason"] == "none" else domain["reason"])
