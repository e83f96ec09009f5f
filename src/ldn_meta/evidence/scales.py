"""Moving instruments of one construct to the common scale of the protocol."""

from __future__ import annotations

from ldn_meta.evidence.candidates import Context, missing
from ldn_meta.stats.convert import rescale_difference

RATIO_UNITS = {"RR": "log risk ratio", "OR": "log odds ratio", "IRR": "log rate ratio"}


def place_on_scale(context: Context, outcome_id: str, measure: str) -> tuple[str, float, str]:
    """Unit and factor that take a difference to the common scale of its construct.

    Parameters
    ----------
    context : Context
    outcome_id : str
    measure : str
        Code of the effect measure; ratios and standardised differences have no scale.

    Returns
    -------
    unit : str
        Unit of the effect after the move.
    factor : float
        What a difference on the instrument is multiplied with.
    assumption : str
        In words; empty when nothing was moved.
    """
    outcome = context.outcomes[outcome_id]
    if measure in RATIO_UNITS:
        return RATIO_UNITS[measure], 1.0, ""
    if measure == "RD":
        return "risk difference", 1.0, ""
    if measure == "SMD":
        return "standard deviations", 1.0, ""
    common = context.protocol.scales.get(outcome["construct"])
    low, high = outcome["scale_min"], outcome["scale_max"]
    if common is None or missing(low) or missing(high):
        return str(outcome["unit"]), 1.0, ""
    if low == common.minimum and high == common.maximum:
        return common.unit, 1.0, ""
    moved = rescale_difference(1.0, 1.0, low, high, common.minimum, common.maximum)
    factor = float(moved.estimate)
    return common.unit, factor, f"moved linearly from {low:g}-{high:g} to {common.unit}"
