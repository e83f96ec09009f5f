"""The sequential look at a pool: with the effect worth finding that the protocol states."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ldn_meta.evidence.synthesis import Pool, people
from ldn_meta.stats.sequential import SequentialLook, sequential_look
from ldn_meta.stats.sequential_boundaries import (
    LEAST_STEP,
    FutilityDesign,
    futility_boundaries,
)

if TYPE_CHECKING:
    from ldn_meta.evidence.protocol import Protocol


def minimal_effect(pool: Pool, protocol: Protocol) -> float:
    """Minimal important difference in the unit of a pool; NaN where none is stated."""
    scale = protocol.scales.get(pool.key["construct"])
    if scale is None or scale.unit != pool.key["unit"]:
        return math.nan
    return scale.minimal_important_difference


def sequential_of_pool(pool: Pool | None, protocol: Protocol) -> SequentialLook | None:
    """Look at the trials of a pool in order of publication.

    Parameters
    ----------
    pool : Pool or None
    protocol : Protocol

    Returns
    -------
    SequentialLook or None
        None for fewer than two trials, and where no minimal important difference is stated in
        the pool's unit: boundaries need an effect worth finding.
    """
    if pool is None or len(pool.trials) < 2:
        return None
    size = minimal_effect(pool, protocol)
    if math.isnan(size):
        return None
    counted = [people(pool.trials.iloc[[place]]) for place in range(len(pool.trials))]
    return sequential_look(
        pool.trials["yi"].to_numpy(dtype=float),
        pool.trials["vi"].to_numpy(dtype=float),
        minimal_effect=size,
        people=counted if all(counted) else None,
        tau2_method=protocol.model.tau2_method,
        labels=tuple(pool.trials["study_label"]),
    )


def design_of(look: SequentialLook) -> FutilityDesign | None:
    """Boundaries of the looks so far and of one more, when all the information is there.

    Returns
    -------
    FutilityDesign or None
        None when no look so far has a boundary, or all the information is there already.
    """
    taken = [
        float(at)
        for at, bound in zip(look.information_fraction, look.boundary, strict=True)
        if math.isfinite(bound)
    ]
    if not taken or taken[-1] >= 1.0 - LEAST_STEP:
        return None
    return futility_boundaries([*taken, 1.0], alpha=look.alpha, power=look.power)
