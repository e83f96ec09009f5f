"""The scale an effect stands on, and whether another trial's can stand beside it."""

from __future__ import annotations

from dataclasses import dataclass

from ldn_meta.evidence.candidates import Context
from ldn_meta.stats.convert import rescale_difference

SCALE_FREE = {
    "RR": "log risk ratio",
    "OR": "log odds ratio",
    "IRR": "log rate ratio",
    "RD": "risk difference",
    "SMD": "standard deviations",
}
# A point is a share of its scale: without the ends of the scale nobody knows how much it is.
VAGUE = ("points", "various")
NOT_REPORTED = "not reported"


@dataclass(frozen=True)
class Placement:
    """Where an effect stands.

    Attributes
    ----------
    unit : str
        Unit of the effect after the move.
    factor : float
        What a difference on the instrument is multiplied with.
    assumption : str
        In words; empty when nothing was moved.
    is_known : bool
        False for points of a scale whose ends are not reported: one trial's points are then not
        another's, and the two never meet in a pool.
    """

    unit: str
    factor: float = 1.0
    assumption: str = ""
    is_known: bool = True


def place_on_scale(context: Context, outcome_id: str, measure: str) -> Placement:
    """Find the common scale of an outcome's construct, and the way to it.

    Parameters
    ----------
    context : Context
    outcome_id : str
    measure : str
        Code of the effect measure; ratios and standardised differences have no scale.

    Returns
    -------
    Placement
    """
    if measure in SCALE_FREE:
        return Placement(SCALE_FREE[measure])
    outcome = context.outcomes[outcome_id]
    unit = str(outcome["unit"])
    low, high = outcome["scale_min"], outcome["scale_max"]
    if low is None or high is None:
        is_known = unit not in VAGUE and NOT_REPORTED not in unit
        return Placement(unit, is_known=is_known)
    common = context.protocol.scales.get(outcome["construct"])
    if common is None:
        return Placement(unit)
    if low == common.minimum and high == common.maximum:
        return Placement(common.unit)
    moved = rescale_difference(1.0, 1.0, low, high, common.minimum, common.maximum)
    words = f"moved linearly from {low:g}-{high:g} to {common.unit}"
    return Placement(common.unit, float(moved.estimate), words)
