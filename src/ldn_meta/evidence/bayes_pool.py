"""A pool of the evidence with the protocol's prior for the spread between trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ldn_meta.stats.bayes import pool_bayes, prior_sensitivity

if TYPE_CHECKING:
    from ldn_meta.evidence.protocol import Protocol
    from ldn_meta.evidence.synthesis import Pool
    from ldn_meta.stats.bayes_result import BayesResult

TWO = 2


def bayes_of_pool(pool: Pool, protocol: Protocol) -> BayesResult | None:
    """Pool the trials again with the protocol's prior.

    Parameters
    ----------
    pool : Pool
    protocol : Protocol

    Returns
    -------
    BayesResult or None
        None if the protocol states no scale for the unit: a prior without a reason is no prior.
    """
    scale = protocol.bayes.scale_for(pool.key["measure"], pool.key["unit"])
    if scale is None:
        return None
    return pool_bayes(
        **_effects(pool),
        tau_prior=protocol.bayes.tau_prior,
        tau_prior_scale=scale,
        **_options(pool, protocol),
    )


class IntervalToRead(NamedTuple):
    """The interval an answer should be read by, on the scale of ``yi``."""

    low: float
    high: float
    has_prior: bool


def interval_to_read(pool: Pool, protocol: Protocol) -> IntervalToRead:
    """Interval of a pool; of two trials that with the protocol's prior, where one is stated.

    The Wald interval of two trials takes the spread between them as known.
    """
    found = bayes_of_pool(pool, protocol) if len(pool.trials) == TWO else None
    if found is None:
        return IntervalToRead(float(pool.result.ci_low), float(pool.result.ci_high), False)
    return IntervalToRead(float(found.mu_low), float(found.mu_high), True)


def sensitivity_of_pool(pool: Pool, protocol: Protocol) -> tuple[BayesResult, ...]:
    """Pool the trials under the other priors that the protocol names.

    Parameters
    ----------
    pool : Pool
    protocol : Protocol

    Returns
    -------
    tuple of BayesResult
        Empty if the protocol states no scale for the unit; without the protocol's main prior.
    """
    choices = protocol.bayes
    scale = choices.scale_for(pool.key["measure"], pool.key["unit"])
    if scale is None:
        return ()
    every = prior_sensitivity(
        **_effects(pool),
        tau_prior_scale=scale,
        families=choices.sensitivity_families,
        factors=choices.sensitivity_factors,
        **_options(pool, protocol),
    )
    main = (choices.tau_prior, scale)
    return tuple(r for r in every if (r.tau_prior, r.tau_prior_scale) != main)


def _effects(pool: Pool) -> dict[str, Any]:
    return {name: pool.trials[name].to_numpy(dtype=float) for name in ("yi", "vi")}


def _options(pool: Pool, protocol: Protocol) -> dict[str, Any]:
    """What every prior shares; the size that matters only where it is stated for the unit."""
    scale = protocol.scales.get(pool.key["construct"])
    is_same_unit = scale is not None and scale.unit == pool.key["unit"]
    return {
        "level": protocol.model.level,
        "mid": scale.minimal_important_difference if scale is not None and is_same_unit else None,
        "measure": pool.key["measure"],
        "labels": tuple(pool.trials["study_label"]),
    }
