"""How common an event is in one group, on four scales: PR, PLO, PAS, PFT.

Zero rule: for PR and PLO, 0.5 is added to events and to non-events of a group in which one of them
is 0, and only of that group (metafor `add=1/2, to="only0"`). PAS and PFT need no such rule.
"""

import numpy as np
from numpy.typing import ArrayLike

from ldn_meta.stats.effects_counts import ZERO_CELL_ADDITION, checked_events
from ldn_meta.stats.inputs import FloatArray
from ldn_meta.stats.values import EffectSize, effect


def raw_proportion(events: ArrayLike, n: ArrayLike) -> EffectSize:
    """Return the proportion itself (code PR), 0-1: yi = p, vi = p (1 - p) / n.

    With 0 or n events both members use the corrected counts (zero rule of this file), so yi is
    not exactly 0 or 1; `wilson_interval` describes a single group better.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

    Source: metafor `escalc(measure="PR")`.
    """
    yes, no = _corrected_counts(events, n)
    total = yes + no
    return effect(yes / total, yes * no / total**3)


def logit_proportion(events: ArrayLike, n: ArrayLike) -> EffectSize:
    """Return the log odds (code PLO): yi = log(events / (n - events)), vi the sum of reciprocals.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

    Source: metafor `escalc(measure="PLO")`; back with `proportion_from_logit`.
    """
    yes, no = _corrected_counts(events, n)
    return effect(np.log(yes / no), 1 / yes + 1 / no)


def arcsine_proportion(events: ArrayLike, n: ArrayLike) -> EffectSize:
    """Return the arcsine of the root (code PAS): yi = asin(sqrt(p)), vi = 1 / (4 n), radians.

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

    Source: metafor `escalc(measure="PAS")`; back with `proportion_from_arcsine`.
    """
    count, size = checked_events(events, n)
    return effect(np.arcsin(np.sqrt(count / size)), 1 / (4 * size))


def freeman_tukey_proportion(events: ArrayLike, n: ArrayLike) -> EffectSize:
    """Return the double arcsine of Freeman and Tukey (code PFT), radians.

    yi = (asin(sqrt(x / (n + 1))) + asin(sqrt((x + 1) / (n + 1)))) / 2;  vi = 1 / (4 n + 2).

    Half the sum, as metafor and Miller 1978; some programs use the whole sum with 1 / (n + 0.5).

    Raises
    ------
    ArgumentError
        If a count is negative or above its n, or an n is below 1.

    Source: Freeman & Tukey 1950, Ann Math Stat 21:607; metafor `escalc(measure="PFT")`; back with
    `proportion_from_freeman_tukey`.
    """
    x, size = checked_events(events, n)
    angle = np.arcsin(np.sqrt(x / (size + 1))) + np.arcsin(np.sqrt((x + 1) / (size + 1)))
    return effect(angle / 2, 1 / (4 * size + 2))


def _corrected_counts(events: ArrayLike, n: ArrayLike) -> tuple[FloatArray, FloatArray]:
    count, size = checked_events(events, n)
    others = size - count
    addition = np.where((count == 0) | (others == 0), ZERO_CELL_ADDITION, 0.0)
    return count + addition, others + addition
