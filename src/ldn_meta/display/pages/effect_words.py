"""The Bayesian pool beside the frequentist one: table, sentence and facts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, SupportsFloat

from ldn_meta.display.outputs import Table, rows_of
from ldn_meta.display.words import (
    MEASURES,
    SMALLEST_RATIO,
    agree,
    capitalised,
    count,
    estimate_with_interval,
    fixed,
    interval,
    method,
    people,
    percent,
    share_words,
    shown,
)
from ldn_meta.evidence.answer.pools import DIRECTION_ONLY, NO_COMPARISON, has_unknown_sign
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.evidence.raw.protocol import MAIN
from ldn_meta.files import MISSING

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.pages.effect import EffectPage
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.stats.bayes import BayesResult
    from ldn_meta.stats.pool import PooledResult


def not_in_the_number(page: EffectPage) -> dict[str, str]:
    """Say of every other comparative study of the indication why it is not in the number."""
    used = set() if page.pool is None else set(page.pool.trials["study_label"])
    used |= set(page.synthesis["directions"]) if page.pool is None else set()
    studies = page.opened.derived.evidence.text["studies"]
    comparative = studies[studies["eligible_for"] == "contrast"].sort_values(
        ["year", "study_id"], kind="stable"
    )
    beside = {row["study_label"]: row for row in rows_of(page.beside)}
    reasons = {}
    for study in rows_of(comparative):
        label = study["label"]
        if label in used:
            continue
        if label in beside:
            row = beside[label]
            estimate, low, high = shown(
                (row["yi"], row["ci_low"], row["ci_high"]), measure=row["measure"]
            )
            effect = f"{fixed(estimate)}, 95% CI {interval(low, high)}"
            reasons[label] = f"{effect}, {row['selected_why']}"
        elif study["is_randomised"] == "no":
            reasons[label] = f"not randomised{_told(page, label)}"
        else:
            reasons[label] = f"no usable numbers{_told(page, label)}"
    return reasons


def _told(page: EffectPage, label: str) -> str:
    """The direction of everything a study told of benefit, if it is one and the same."""
    d = page.opened.derived
    domains = d.evidence.text["outcomes"].set_index("outcome_id")["domain"]
    rows = d.left_out[
        (d.left_out["study_label"] == label)
        & d.left_out["compares"].astype(bool)
        & (d.left_out["comparator_class"] != "further arm")
        & (d.left_out["outcome_id"].map(domains) == "benefit")
        & (d.left_out["direction"] != "not stated")
    ]
    words = sorted(set(rows["direction"]))
    return f"; told: {page.opened.said(words[0])}" if len(words) == 1 else ""


def study_note(page: EffectPage, label: str) -> str:
    """Warn of a study that was not randomised."""
    studies = page.opened.derived.evidence.text["studies"]
    row = studies[studies["label"] == label].iloc[0]
    return " (not randomised)" if row["is_randomised"] == "no" else ""


def printed(page: EffectPage, label: str) -> str:
    """Quote the numbers that a study printed about the page's outcome."""
    d = page.opened.derived
    rows = d.left_out[
        (d.left_out["study_label"] == label)
        & (d.left_out["construct"] == page.construct)
        & d.left_out["is_preferred"].astype(bool)
    ]
    compared = rows[
        rows["compares"].astype(bool) & (rows["comparator_class"] == page.comparator_class)
    ]
    words = [
        *_shares(page, rows[rows["table"] == "arm_events"]["row_id"]),
        *_as_reported(d.evidence.text["contrasts"], compared["row_id"]),
    ]
    return f" (printed: {'; '.join(dict.fromkeys(words))})" if words else ""


def _shares(page: EffectPage, row_ids: pd.Series) -> list[str]:
    """Percentages of the two arms whose denominators are not reported."""
    evidence = page.opened.derived.evidence
    groups = evidence.arms.set_index("arm_id")["group"]
    rows = evidence.text["arm_events"]
    rows = rows[rows["row_id"].isin(row_ids) & (rows["n"] == "NR")]
    rows = rows[rows["percent"] != "NR"].assign(group=rows["arm_id"].map(groups))
    shares = [f"{percent}%" for percent in rows.sort_values("group")["percent"]]
    if len(shares) != len(("LDN", "comparator")):
        return []
    return [f"{shares[0]} against {shares[1]}, of how many people is not reported"]


def _as_reported(contrasts: pd.DataFrame, row_ids: pd.Series) -> list[str]:
    told = contrasts[contrasts["row_id"].isin(row_ids)]["as_reported"]
    return [text for text in told if text not in MISSING and any(c.isdigit() for c in text)]


FEW = 2
ACTIVE = "active drug"
WORDS_FOR_DIRECTION = {
    "not stated": "direction not stated",
    "no difference": "no difference",
    "conflicting": "its reports differ",
}


def answer(page: EffectPage) -> str:
    """Give the answer of a page in words: none, one trial, two, or more."""
    parts = [_no_number(page)] if page.pool is None else _numbers(page, page.pool)
    parts.append(_elsewhere(page))
    return " ".join(part for part in parts if part)


def _numbers(page: EffectPage, pool: Pool) -> list[str]:
    result, k = pool.result, len(pool.trials)
    against = f"compared {page.drug} with {comparators(pool)}"
    what = f"{MEASURES[pool.key['measure']]} in {page.outcome}"
    who = people(pool.people)
    if k == 1:
        name = pool.trials["study_label"].iloc[0]
        first = (
            f"Only one trial gave usable numbers: {name} ({who}) {against} and found a {what} of "
            f"{size(pool)}; {crossing(pool)}. Nothing was pooled."
        )
    else:
        first = (
            f"{capitalised(count(k, 'trial'))} ({who}) {against}: the pooled {what} is "
            f"{size(pool)}, {method(result.tau2_method, result.ci_method)}; {crossing(pool)}."
        )
    parts = [first, _reading(page, pool)]
    if k > 1:
        parts.append(_spread(pool))
    if k == FEW:
        wide = page.knapp_hartung
        low, high = shown((wide.ci_low, wide.ci_high), measure=pool.key["measure"])
        parts.append(
            "With two trials this interval takes the spread between them as known; the "
            f"Knapp-Hartung interval, which does not, runs from {interval(low, high)}."
        )
        parts.append(_bayesian(page, pool))
    if page.comparator_class == ACTIVE:
        parts.append(
            "An interval that includes no difference does not show that two drugs are equally "
            "good: that would need a margin set beforehand."
        )
    return parts


def _bayesian(page: EffectPage, pool: Pool) -> str:
    """The interval to read with two trials, if the protocol states a prior for the unit."""
    result = page.bayes_result
    if result is None:
        return ""
    low, high = shown((result.mu_low, result.mu_high), measure=pool.key["measure"])
    return (
        f"With a {result.tau_prior} prior of scale {result.tau_prior_scale:g} for the spread, the "
        f"analysis to read here, the effect lies between {fixed(low)} and {fixed(high)} with "
        f"{percent(result.level)} probability."
    )


def comparators(pool: Pool) -> str:
    """Name what the trials compared with; their class where they differ."""
    named = list(dict.fromkeys(pool.trials["comparator"]))
    return named[0] if len(named) == 1 else pool.key["comparator_class"]


def size(pool: Pool) -> str:
    """Write estimate, unit and interval."""
    r, measure = pool.result, pool.key["measure"]
    estimate, low, high = shown((r.estimate, r.ci_low, r.ci_high), measure=measure)
    unit = "" if measure in RATIO_MEASURES else f" {pool.key['unit']}"
    return f"{fixed(estimate)}{unit} (95% CI {interval(low, high)})"


def crossing(pool: Pool) -> str:
    """Say whether the interval includes no difference, and on which side it lies otherwise."""
    low, high = float(pool.result.ci_low), float(pool.result.ci_high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return "the interval is not defined"
    if low <= 0 <= high:
        return "the interval includes no difference"
    if has_unknown_sign(pool):
        return "the interval excludes no difference"
    side = "LDN" if (low > 0) == (_sign(pool) > 0) else "the comparator"
    return f"the interval lies on the side of {side}"


def _sign(pool: Pool) -> float:
    return float(pool.trials["benefit_sign"].iloc[0])


def _reading(page: EffectPage, pool: Pool) -> str:
    """Say what a positive number means."""
    if has_unknown_sign(pool):
        names = ", ".join(pool.trials["study_label"])
        return (
            f"The sign is the printed one; what could be read of {names} does not say which drug "
            "it favours."
        )
    if not math.isfinite(_sign(pool)):
        return ""
    if pool.key["measure"] in RATIO_MEASURES:
        return f"Below 1 favours {page.drug if _sign(pool) < 0 else comparators(pool)}."
    side = "Negative" if _sign(pool) < 0 else "Positive"
    return f"{side} numbers favour {page.drug}."


def _spread(pool: Pool) -> str:
    r = pool.result
    tau2 = float(r.tau2)
    log = " on the log scale" if pool.key["measure"] in RATIO_MEASURES else ""
    text = (
        f"The spread between trials is estimated as tau = {fixed(math.sqrt(tau2))}{log}."
        if tau2 > 0
        else "No spread between trials was estimated, which few trials cannot exclude."
    )
    if math.isfinite(float(r.pi_low)):
        low, high = shown((r.pi_low, r.pi_high), measure=pool.key["measure"])
        text += f" The true effect in a new trial is expected between {fixed(low)} and "
        text += f"{fixed(high)}."
    return text


def _no_number(page: EffectPage) -> str:
    found = page.synthesis
    start = f"No study of {page.drug} against {page.comparator_class} gave {page.outcome}"
    if found["synthesis"] == DIRECTION_ONLY:
        told = "; ".join(
            f"{name}{page.study_note(name)}: "
            f"{page.opened.said(WORDS_FOR_DIRECTION.get(word, word))}{page.printed(name)}"
            for name, word in found["directions"].items()
        )
        studies = count(found["trials"], "comparative study", plural="comparative studies")
        return (
            f"{start} in numbers that an effect and its uncertainty could be computed from. "
            f"{capitalised(studies)} told of it: {told}. Nothing was pooled."
        )
    if found["synthesis"] == NO_COMPARISON:
        studies = count(found["trials"], "study", plural="studies")
        return (
            f"{start}. {capitalised(studies)} without a comparison group described it; that "
            "cannot show an effect. Nothing was pooled."
        )
    return f"{start}; no study on file reported it. Nothing was pooled."


def _elsewhere(page: EffectPage) -> str:
    """Name the comparative studies that the number does not rest on, and why."""
    listed = "; ".join(f"{name} ({why})" for name, why in page.not_in_the_number.items())
    if not listed:
        return ""
    where = "Not in this number" if page.pool is not None else "Further comparative studies"
    return f"{where}: {listed}."


def what_would_change_it(page: EffectPage) -> str:
    """Two or three computed lines on how fragile the answer is."""
    if page.pool is None:
        return (
            "- A trial that reports means with their spread, or counts with their "
            "denominators, would be the first number here."
        )
    defined = [(name, found) for name, found in page.variants if found is not None]
    measure = page.pool.key["measure"]
    low = min(defined, key=lambda pair: pair[1].result.estimate)
    high = max(defined, key=lambda pair: pair[1].result.estimate)
    ends = [
        fixed(v) for v in shown((low[1].result.estimate, high[1].result.estimate), measure=measure)
    ]
    analyses = count(len(page.variants), "analysis", plural="analyses")
    if ends[0] == ends[1]:
        return (
            f"- One trial, one estimate: it is the same in all {analyses} that the protocol "
            "names. A second trial would be the first test of it."
        )
    weights = page.pool.result.weight_pct
    top = int(weights.argmax())
    off = sum(1 for _, found in defined if not found.result.ci_low <= 0 <= found.result.ci_high)
    return "\n".join(
        [
            f"- Largest weight: {page.pool.trials['study_label'].iloc[top]}, {weights[top]:.0f}%.",
            f"- Over {analyses} the estimate runs from {ends[0]} ({_name(low[0])}) to "
            f"{ends[1]} ({_name(high[0])}).",
            f"- Of the {len(defined)} analyses with a result, {agree(off, 'has', 'have')} an "
            "interval that excludes no difference.",
        ]
    )


def _name(variant: str) -> str:
    return "main analysis" if variant == MAIN else variant


HEAD = ("effect (95%)", "new trial (95%)", "tau (95%)")
SHOWN = (
    *("shown_mu_median", "shown_mu_low", "shown_mu_high"),
    *("shown_theta_low", "shown_theta_high"),
)
# No probability is written as nought or one.
NEVER = 1e-6
NO_SUCH_NUMBER = "not defined"
NUMBERS = (
    *("mu_mean", "mu_median", "mu_sd", "mu_low", "mu_high"),
    *("tau_median", "tau_low", "tau_high", "theta_low", "theta_high"),
    *("prob_below_zero", "prob_below_mid", "prob_above_mid", "prob_within_mid"),
)


def bayes_table(page: EffectPage) -> Table:
    """Tabulate the posterior beside the pool, and the posterior under other priors."""
    import pandas as pd

    caption = f"With a prior for the spread between trials: {page.outcome}"
    pool, result = page.pool, page.bayes_result
    if pool is None or result is None:
        return Table(pd.DataFrame(), caption, empty="Not computed.")
    chances = _chance_heads(page, pool, result)
    # A frequentist analysis has no probability of an effect.
    none = [NO_SUCH_NUMBER] * len(chances)
    rows = [(*_pooled_cells(pool.result, pool), *none)]
    read = ""
    if result.k <= FEW:
        rows.append((*_pooled_cells(page.knapp_hartung, pool), *none))
        read = ", the one to read"
    rows.append((f"Bayesian: {result.prior} (protocol{read})", *_bayes_cells(result, pool)))
    rows += [
        (f"Bayesian: {other.prior}", *_bayes_cells(other, pool)) for other in page.bayes_others
    ]
    frame = pd.DataFrame(rows, columns=["analysis", *HEAD, *chances])
    return Table(frame, caption, _note(result, pool))


def why_not(page: EffectPage) -> str:
    """Say why there is no Bayesian pool."""
    if page.pool is None:
        return "There is no pool."
    if len(page.pool.trials) < FEW:
        return (
            "One trial: what could be said of the spread between trials would be the prior alone, "
            "so nothing was computed."
        )
    return (
        f"The protocol states no prior for the spread in {page.pool.key['unit']}, so nothing was "
        "computed."
    )


def bayes_sentence(page: EffectPage) -> str:
    """Say in words what the posterior says, and how much of it is the prior."""
    pool, result = page.pool, page.bayes_result
    if pool is None or result is None:
        return why_not(page)
    measure = pool.key["measure"]
    unit = "" if measure in RATIO_MEASURES else f" {pool.key['unit']}"
    median, low, high, new_low, new_high = _ends(result, measure)
    parts = [
        f"With a {result.tau_prior} prior of scale {result.tau_prior_scale:g} for the spread "
        f"between trials, the {MEASURES[measure]} lies between {fixed(low)} and "
        f"{fixed(high)}{unit} with {percent(result.level)} probability (median {fixed(median)}), "
        f"and the true effect in a new trial between {fixed(new_low)} and {fixed(new_high)}."
    ]
    if result.k == FEW:
        parts.append(
            "With two trials this is the interval to read: the Wald interval takes the spread as "
            "known, and the Knapp-Hartung interval has only the scatter of two numbers to judge "
            "it by."
        )
    parts.append(_chances(page, pool, result))
    if page.bayes_others:
        ends = [_ends(other, measure) for other in page.bayes_others]
        lows, highs = [end[1] for end in ends], [end[2] for end in ends]
        parts.append(
            f"How much of this is the prior: under {count(len(ends), 'other prior')} the lower "
            f"end runs from {interval(min(lows), max(lows))} and the upper end from "
            f"{interval(min(highs), max(highs))}."
        )
    return " ".join(parts)


def bayes_facts(page: EffectPage) -> dict[str, Any]:
    """Every number of table and sentence; on the scale of yi, and as displayed."""
    pool, result = page.pool, page.bayes_result
    told = {"sentence": bayes_sentence(page)}
    if pool is None or result is None:
        return told
    measure = pool.key["measure"]
    return {
        **told,
        **_numbers_bayes_tables(result, measure),
        "level": result.level,
        "mid": result.mid,
        "prob_benefit": benefit(result, pool),
        "prob_benefit_beyond_mid": benefit_beyond_mid(result, pool),
        "shrunk": {
            label: {"mean": float(mean), "low": float(low), "high": float(high)}
            for label, mean, low, high in zip(
                result.labels,
                result.shrunk_mean,
                result.shrunk_low,
                result.shrunk_high,
                strict=True,
            )
        },
        "notes": list(result.notes),
        "other_priors": [_numbers_bayes_tables(other, measure) for other in page.bayes_others],
    }


def benefit(result: BayesResult, pool: Pool) -> float:
    """Probability that the mean effect is on the side of LDN; NaN if the side is not known."""
    sign = _sign_bayes_tables(pool)
    below = float(result.prob_below_zero)
    return below if sign < 0 else 1.0 - below if sign > 0 else float("nan")


def benefit_beyond_mid(result: BayesResult, pool: Pool) -> float:
    """Probability that LDN is better by more than the minimal important difference."""
    sign = _sign_bayes_tables(pool)
    if sign == 0:
        return float("nan")
    return float(result.prob_below_mid if sign < 0 else result.prob_above_mid)


def _sign_bayes_tables(pool: Pool) -> float:
    """-1 where less is better, 1 where more is, 0 where the side is not known."""
    sign = float(pool.trials["benefit_sign"].iloc[0])
    return 0.0 if sign != sign or has_unknown_sign(pool) else sign


def _numbers_bayes_tables(result: BayesResult, measure: str) -> dict[str, Any]:
    return {
        "tau_prior": result.tau_prior,
        "tau_prior_scale": result.tau_prior_scale,
        **{name: getattr(result, name) for name in NUMBERS},
        **dict(zip(SHOWN, _ends(result, measure), strict=True)),
    }


def _ends(result: BayesResult, measure: str) -> tuple[float, ...]:
    """Median and ends of the intervals as displayed, in the order of `SHOWN`."""
    names = (name.removeprefix("shown_") for name in SHOWN)
    return shown([getattr(result, name) for name in names], measure=measure)


def _chances(page: EffectPage, pool: Pool, result: BayesResult) -> str:
    """The probabilities that LDN is better, and by more than matters."""
    if _sign_bayes_tables(pool) == 0:
        return "Which of the two it favours is not known, so no probability of a benefit is given."
    better = _percent(benefit(result, pool))
    chance = f"The probability that {page.drug} is better on average is {better}"
    if math.isnan(result.mid):
        return f"{chance}."
    return (
        f"{chance}; that it is better by more than the minimal important difference "
        f"({result.mid:g}), {_percent(benefit_beyond_mid(result, pool))}; that the two differ by "
        f"less than that, {_percent(result.prob_within_mid)}."
    )


def _chance_heads(page: EffectPage, pool: Pool, result: BayesResult) -> list[str]:
    """Heads of the columns of probabilities, as many as have an answer."""
    if _sign_bayes_tables(pool) == 0:
        return ["P(below 0)"]
    better = f"P({page.drug} better)"
    if math.isnan(result.mid):
        return [better]
    return [
        better,
        f"P(better by more than {result.mid:g})",
        f"P(differ by less than {result.mid:g})",
    ]


def _chance_cells(result: BayesResult, pool: Pool) -> list[str]:
    if _sign_bayes_tables(pool) == 0:
        return [_percent(result.prob_below_zero)]
    better = _percent(benefit(result, pool))
    if math.isnan(result.mid):
        return [better]
    return [better, _percent(benefit_beyond_mid(result, pool)), _percent(result.prob_within_mid)]


def _pooled_cells(found: PooledResult, pool: Pool) -> tuple[str, ...]:
    measure = pool.key["measure"]
    low, high = shown((found.pi_low, found.pi_high), measure=measure)
    tau, tau_low, tau_high = (
        math.sqrt(tau2) for tau2 in (found.tau2, found.tau2_ci_low, found.tau2_ci_high)
    )
    return (
        method(found.tau2_method, found.ci_method),
        estimate_with_interval(found.estimate, found.ci_low, found.ci_high, measure=measure),
        interval(low, high),
        f"{fixed(tau)} ({interval(tau_low, tau_high)})",
    )


def _bayes_cells(result: BayesResult, pool: Pool) -> tuple[str, ...]:
    measure = pool.key["measure"]
    _, _, _, low, high = _ends(result, measure)
    # As for effects: 0.00 would say that a ratio can be nought, which none can.
    is_tiny = measure in RATIO_MEASURES and low < SMALLEST_RATIO
    return (
        estimate_with_interval(result.mu_median, result.mu_low, result.mu_high, measure=measure),
        f"{low:.2g} to {high:.3g}" if is_tiny else interval(low, high),
        f"{fixed(result.tau_median)} ({interval(result.tau_low, result.tau_high)})",
        *_chance_cells(result, pool),
    )


def _percent(probability: SupportsFloat) -> str:
    """A probability; none is nought or one."""
    return share_words(min(max(float(probability), NEVER), 1.0 - NEVER))


def _note(result: BayesResult, pool: Pool) -> str:
    log = ", on the log scale" if pool.key["measure"] in RATIO_MEASURES else ""
    notes = f" Noted: {'; '.join(result.notes)}." if result.notes else ""
    return (
        "Bayesian rows: posterior median, with the shortest interval of that probability; flat "
        "prior for the mean effect. tau: standard deviation of true effects between trials"
        f"{log}. The priors and their reasons are in data/raw/protocol.toml; no prior is right, "
        f"so others stand below.{notes}"
    )
