"""What the speed was to be, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from speed.batches import Ragged
from speed.fits import Fits


@dataclass(frozen=True)
class Measured:
    """Everything one run of the benchmark found."""

    fits: Fits
    ragged: dict[int, list[Ragged]]
    imports: dict[str, float | None]
    load: tuple[float, float]

    def ratios(self, task: str, contender: str, ours: str) -> list[float]:
        """Return how many times longer a contender took, round by round."""
        seconds = self.fits.seconds[task]
        return [a / b for a, b in zip(seconds.get(contender, []), seconds[ours], strict=False)]

    def ratio(self, task: str, contender: str, ours: str) -> float | None:
        """Return the median ratio; None if the contender is not available."""
        ratios = self.ratios(task, contender, ours)
        return median(ratios) if ratios else None

    @property
    def ragged_trial(self) -> float:
        """Return how many times more a trial costs in mixed sets than in sets sorted by size."""
        return median(
            run.seconds / run.trials / run.equal_trial_seconds
            for runs in self.ragged.values()
            for run in runs
        )

    @property
    def growth(self) -> float:
        """Return how many times more a set costs in the largest batch than in the smallest."""
        per_set = {
            sets: median(run.seconds / run.sets for run in runs)
            for sets, runs in self.ragged.items()
        }
        return per_set[max(per_set)] / per_set[min(per_set)]


@dataclass(frozen=True)
class Target:
    """A wish with a limit, and what was measured; None where it could not be."""

    wish: str
    value: float | None
    unit: str
    limit: float
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Return met, not met or not measured."""
        if self.value is None:
            return "not measured"
        is_met = self.value >= self.limit if self.at_least else self.value <= self.limit
        return "met" if is_met else "**not met**"


def targets(measured: Measured) -> list[Target]:
    """Compare what was measured with the limits the project set itself."""
    single = median(measured.fits.seconds["k13"]["pool"])
    return [
        Target(
            "one fit of 13 trials with all outputs takes under 0.5 ms", single * 1e3, "ms", 0.5
        ),
        Target(
            "it is at least 8 times faster than metafor's rma()",
            measured.ratio("k13", "metafor", "pool"),
            "times",
            8.0,
            at_least=True,
        ),
        Target(
            "10,000 fits are at least 2,000 times faster than a metafor loop",
            measured.ratio("many", "metafor", "pool_many"),
            "times",
            2000.0,
            at_least=True,
        ),
        Target(
            "10,000 fits are faster than PyMARE's vectorised REML",
            measured.ratio("many", "pymare_many", "pool_many"),
            "times",
            1.0,
            at_least=True,
        ),
        Target(
            "a trial in mixed sets of 1 to 12 costs at most 1.1 times one in sets sorted by size",
            measured.ragged_trial,
            "times",
            1.1,
        ),
        Target(
            "cost is linear: a set in the largest batch costs at most 1.1 times one in the least",
            measured.growth,
            "times",
            1.1,
        ),
        Target(
            "ldn_meta is imported in under 0.3 s", measured.imports["import ldn_meta"], "s", 0.3
        ),
    ]
