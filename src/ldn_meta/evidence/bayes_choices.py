"""What the protocol believes of the spread between trials, for each kind of unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.bayes_priors import HALF

# Units that are the same for every outcome; any other unit goes by its own name.
LOG, STANDARDISED = "log", "standardised"
_FAMILY_OF_MEASURE = {
    **dict.fromkeys(("RR", "OR", "PETO", "IRR", "ROM"), LOG),
    **dict.fromkeys(("SMD", "SMCC", "SMCR"), STANDARDISED),
}
# The section and its choices, as `ldn_meta.evidence.protocol` checks them.
SECTION: dict[str, type | tuple[type, ...]] = {
    "tau_prior": str,
    "scale": dict,
    "sensitivity_families": list,
    "sensitivity_factors": list,
}


@dataclass(frozen=True)
class BayesChoices:
    """Priors of tau, the standard deviation of true effects between trials.

    Attributes
    ----------
    tau_prior : str
        half-normal or half-cauchy.
    scale : dict of float
        Scale of the prior by unit: "log" for ratios, "standardised" for standardised
        differences, and names of units such as "points (0-10)".
    sensitivity_families, sensitivity_factors : tuple
        Priors shown beside it: each family with each multiple of the scale.
    """

    tau_prior: str
    scale: dict[str, float]
    sensitivity_families: tuple[str, ...]
    sensitivity_factors: tuple[float, ...]

    def scale_for(self, measure: str, unit: str) -> float | None:
        """Scale of the prior for effects of a measure in a unit; None if none is stated."""
        return self.scale.get(_FAMILY_OF_MEASURE.get(measure, unit))


def bayes_choices(stated: Mapping[str, Any]) -> BayesChoices:
    """Read the section ``bayes`` of the protocol, whose names and types were checked.

    Raises
    ------
    ArgumentError
        If a prior is unknown or a number is not positive.
    """
    families = [("tau_prior", stated["tau_prior"])]
    families += [("sensitivity_families", name) for name in stated["sensitivity_families"]]
    for where, family in families:
        if family not in HALF:
            message = f"bayes.{where}: {family!r} is not known; allowed: {', '.join(HALF)}"
            raise ArgumentError(message)
    numbers = [(f"scale.{unit}", value) for unit, value in stated["scale"].items()]
    numbers += [("sensitivity_factors", value) for value in stated["sensitivity_factors"]]
    for where, value in numbers:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 < value < float("inf"):
            message = f"bayes.{where}: {value!r} is not allowed; allowed: a positive number"
            raise ArgumentError(message)
    return BayesChoices(
        stated["tau_prior"],
        {str(unit): float(value) for unit, value in stated["scale"].items()},
        tuple(stated["sensitivity_families"]),
        tuple(float(value) for value in stated["sensitivity_factors"]),
    )
