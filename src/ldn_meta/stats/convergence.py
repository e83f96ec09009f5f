"""What a reader is told when an iteration does not converge."""

from __future__ import annotations

from ldn_meta.errors import ConvergenceError
from ldn_meta.stats.inputs import FloatArray
from ldn_meta.stats.options import TAU2_METHODS


def not_converged(method: str, iterations: int, steps: FloatArray, sets: int) -> ConvergenceError:
    """Return the error that names method, iterations and last step, and what to try.

    Parameters
    ----------
    method : str
        A tau2 method, or the name of what else was computed.
    iterations : int
        How many were made.
    steps : ndarray (n,)
        Last steps of those that did not converge, relative to tau2 plus the smallest variance.
    sets : int
        How many were tried together.
    """
    worst = float(abs(steps).max())
    other = "; use tau2_method='dl', which does not iterate" if method in TAU2_METHODS else ""
    message = (
        f"{method}: tau2 did not converge in {iterations} iterations for {steps.size} of {sets} "
        f"sets of trials (last step {worst:.3g} of tau2 plus the smallest variance); "
        f"look for an effect or variance in a wrong unit{other}"
    )
    return ConvergenceError(message)
