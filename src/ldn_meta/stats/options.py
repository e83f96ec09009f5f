"""The choices that pooling and meta-regression share, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass

from ldn_meta.stats.inputs import confidence_level, one_of

TAU2_METHODS = ("common", "dl", "he", "hs", "sj", "ml", "reml", "eb", "pm")
CI_METHODS = ("wald", "knapp-hartung", "knapp-hartung-floored")
PI_METHODS = ("k-1", "k-2")


@dataclass(frozen=True)
class Settings:
    """How to fit; refuses what it does not know.

    Raises
    ------
    ArgumentError
        If an option is unknown or the level is not between 0 and 1.
    """

    tau2_method: str
    ci_method: str
    level: float
    pi_method: str = "k-1"

    def __post_init__(self) -> None:
        """Check every option."""
        one_of("tau2_method", self.tau2_method, TAU2_METHODS)
        one_of("ci_method", self.ci_method, CI_METHODS)
        one_of("pi_method", self.pi_method, PI_METHODS)
        object.__setattr__(self, "level", confidence_level(self.level))

    @property
    def is_random(self) -> bool:
        """Whether true effects may differ between trials."""
        return self.tau2_method != "common"

    @property
    def uses_t(self) -> bool:
        """Whether the interval is of the Knapp-Hartung kind."""
        return self.ci_method != "wald"
