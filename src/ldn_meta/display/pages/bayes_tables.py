"""The Bayesian pool beside the frequentist one: table, sentence and facts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, SupportsFloat

from ldn_meta.display.outputs import Table
from ldn_meta.display.sentences import FEW, has_unknown_sign
from ldn_meta.display.wording import (
    MEASURES,
    SMALLEST_RATIO,
    count,
    estimate_with_interval,
    fixed,
    interval,
    method,
    percent,
    shown,
)
from ldn_meta.evidence.synthesis import RATIO_MEASURES

if TYPE_CHECKING:
    from ldn_meta.display.pages.effect import EffectPage
    from ldn_meta.evidence.synthesis import Pool
    from ldn_meta.stats.bayes_result import BayesResult
    from ldn_meta.stats.result import PooledResult

HEAD = ("effect (95%)", "new trial (95%)", "tau (95%)")
SHOWN = (
    *("shown_mu_median", "shown_mu_low", "shown_mu_high"),
    *("shown_theta_low", "shown_theta_high"),
)
# Rounds to 0 or 100 per cent from here.
ALMOST = 0.005
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
        **_numbers(result, measure),
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
        "other_priors": [_numbers(other, measure) for other in page.bayes_others],
    }


def benefit(result: BayesResult, pool: Pool) -> float:
    """Probability that the mean effect is on the side of LDN; NaN if the side is not known."""
    sign = _sign(pool)
    below = float(result.prob_below_zero)
    return below if sign < 0 else 1.0 - below if sign > 0 else float("nan")


def benefit_beyond_mid(result: BayesResult, pool: Pool) -> float:
    """Probability that LDN is better by more than the minimal important difference."""
    sign = _sign(pool)
    if sign == 0:
        return float("nan")
    return float(result.prob_below_mid if sign < 0 else result.prob_above_mid)


def _sign(pool: Pool) -> float:
    """-1 where less is better, 1 where more is, 0 where the side is not known."""
    sign = float(pool.trials["benefit_sign"].iloc[0])
    return 0.0 if sign != sign or has_unknown_sign(pool) else sign


def _numbers(result: BayesResult, measure: str) -> dict[str, Any]:
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
    if _sign(pool) == 0:
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
    if _sign(pool) == 0:
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
    if _sign(pool) == 0:
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


def _percent(share: SupportsFloat) -> str:
    """A probability; one that is nearly nought or one is not written as if it were."""
    value = float(share)
    if value < ALMOST:
        return "below 1%"
    return "above 99%" if value > 1.0 - ALMOST else percent(value)


def _note(result: BayesResult, pool: Pool) -> str:
    log = ", on the log scale" if pool.key["measure"] in RATIO_MEASURES else ""
    notes = f" Noted: {'; '.join(result.notes)}." if result.notes else ""
    return (
        "Bayesian rows: posterior median, with the shortest interval of that probability; flat "
        "prior for the mean effect. tau: standard deviation of true effects between trials"
        f"{log}. The priors and their reasons are in data/raw/protocol.toml; no prior is right, "
        f"so others stand below.{notes}"
    )
