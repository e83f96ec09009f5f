"""A multiverse as columns of a picture: its results by size, and the choices behind each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ldn_meta.evidence.multiverse import is_about_model
from ldn_meta.evidence.multiverse_summary import SAME_DIGITS, node_table, weights
from ldn_meta.stats.multiverse import digits

if TYPE_CHECKING:
    from ldn_meta.evidence.multiverse import Multiverse
    from ldn_meta.stats.inputs import BoolArray, FloatArray, IntArray

# What an interval says; the order in which results with the same estimate stand.
FOR_LDN, ACROSS, FOR_COMPARATOR, NO_INTERVAL = range(4)
# More columns than this could not be told apart: a column would be hardly a point wide.
MOST_COLUMNS = 240
# Numbers closer than this part of what the axis is likely to span look the same.
_STEPS = 400
_DRAWN = ("estimate", "ci_low", "ci_high")


@dataclass(frozen=True, eq=False)
class Choice:
    """A node that changes results.

    Attributes
    ----------
    name : str
    share_explained : float
        Of the variance of all estimates; NaN when they are all the same.
    options : tuple of str, (o,)
        The protocol's own first.
    shares : ndarray (o, c)
        Share of the analyses of a column that take the option; a column of shares adds up to 1.
    """

    name: str
    share_explained: float
    options: tuple[str, ...]
    shares: FloatArray


@dataclass(frozen=True, eq=False)
class Columns:
    """Results from the smallest estimate to the largest, as wide as they are frequent.

    Attributes
    ----------
    edges : ndarray (c + 1,)
        Where columns begin and end, as shares of the analyses with a result.
    estimate, low, high : ndarray (c,)
        On the scale of ``yi``; limits are NaN where there is no interval.
    verdict : ndarray of int (c,)
        FOR_LDN, ACROSS, FOR_COMPARATOR or NO_INTERVAL.
    protocol : int
        Column of the protocol's own analysis; -1 if that has no result.
    own : tuple of float
        Estimate and limits of the protocol's own analysis, which a merged column would average.
    results : int
        Distinct results; more than there are columns where neighbours are merged.
    choices : tuple of Choice
        Nodes that change results, the one that explains most first.
    unmoved : tuple of str
        Names of the nodes whose options change nothing that could be seen.
    """

    edges: FloatArray
    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    verdict: IntArray
    protocol: int
    own: tuple[float, float, float]
    results: int
    choices: tuple[Choice, ...]
    unmoved: tuple[str, ...]

    def __len__(self) -> int:
        """Number of columns."""
        return len(self.estimate)

    @property
    def is_merged(self) -> bool:
        """Whether a column holds more than one distinct result."""
        return self.results > len(self)

    def middle(self, column: int) -> float:
        """Share of the analyses at the middle of a column."""
        return float(self.edges[column] + self.edges[column + 1]) / 2


def columns_of(found: Multiverse) -> Columns | None:
    """Sort the results of a multiverse; None if no analysis has one.

    Estimates that look the same are ordered by verdict, then by interval, so that a band keeps
    its edges. Neighbours with one verdict share a column where there are too many results to
    tell apart; a column then stands at their mean.

    Parameters
    ----------
    found : Multiverse

    Returns
    -------
    Columns or None
    """
    estimate, low, high = (found.results[name].ravel() for name in _DRAWN)
    has = np.flatnonzero(np.isfinite(estimate))
    if not has.size:
        return None
    estimate, low, high = (np.round(v[has], SAME_DIGITS) for v in (estimate, low, high))
    weight = weights(found).ravel()[has]
    verdict = verdicts(low, high, found.benefit_sign)
    tolerance = _tolerance(estimate, low, high)
    level = np.floor((estimate - estimate.min()) / tolerance + 0.5)
    order = np.lexsort((high, estimate, low, verdict, level))
    starts, results = _starts(
        np.stack([estimate, low, high], axis=1)[order], verdict[order], weight[order]
    )
    total = np.add.reduceat(weight[order], starts)
    column_of = np.full(found.results["estimate"].size, -1, dtype=np.int64)
    column_of[has[order]] = np.repeat(np.arange(starts.size), np.diff(np.append(starts, has.size)))

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(np.add.reduceat((values * weight)[order], starts) / total)

    row, model = found.places(digits([0], found.sizes))
    cell = int(row[0]) * found.results["estimate"].shape[1] + int(model[0])
    own_estimate, own_low, own_high = (float(found.results[name].flat[cell]) for name in _DRAWN)
    choices, unmoved = _choices(found, column_of, tolerance)
    return Columns(
        edges=np.append(0.0, np.cumsum(total)) / total.sum(),
        estimate=mean(estimate),
        low=mean(low),
        high=mean(high),
        verdict=verdict[order][starts],
        protocol=int(column_of[cell]),
        own=(own_estimate, own_low, own_high),
        results=results,
        choices=choices,
        unmoved=unmoved,
    )


def verdicts(low: FloatArray, high: FloatArray, benefit_sign: float) -> IntArray:
    """On which side of no effect intervals lie."""
    below, above = (FOR_LDN, FOR_COMPARATOR) if benefit_sign < 0 else (FOR_COMPARATOR, FOR_LDN)
    found = np.where(high < 0, below, np.where(low > 0, above, ACROSS))
    return np.asarray(np.where(np.isnan(low + high), NO_INTERVAL, found))


def _tolerance(estimate: FloatArray, low: FloatArray, high: FloatArray) -> float:
    """Find the smallest difference that a reader could see."""
    widths = (high - low)[np.isfinite(high - low)]
    span = float(np.ptp(estimate)) + (float(np.median(widths)) if widths.size else 0.0)
    return max(span / _STEPS, 10.0**-SAME_DIGITS)


def _starts(results: FloatArray, verdict: IntArray, weight: FloatArray) -> tuple[IntArray, int]:
    """Say where columns begin among sorted results, and how many of these are distinct."""
    # NaN is unlike itself, yet two results without interval may be the same.
    known = np.nan_to_num(results, nan=np.inf)
    is_new = np.append(True, (known[1:] != known[:-1]).any(axis=1))
    starts = np.flatnonzero(is_new)
    if starts.size <= MOST_COLUMNS:
        return starts, starts.size
    total = np.add.reduceat(weight, starts)
    place = np.floor((np.cumsum(total) - total / 2) / total.sum() * MOST_COLUMNS)
    kind = verdict[starts]
    is_next = (place[1:] != place[:-1]) | (kind[1:] != kind[:-1])
    return starts[np.append(True, is_next)], starts.size


def _choices(
    found: Multiverse, column_of: IntArray, tolerance: float
) -> tuple[tuple[Choice, ...], tuple[str, ...]]:
    shares = node_table(found).set_index("node")["share_explained"]
    changing, unmoved = [], []
    for name in shares.index:
        place = [node.name for node in found.nodes].index(name)
        if not _moves(found, place, tolerance):
            unmoved.append(place)
            continue
        counts = np.array(list(_counts(found, place, column_of)))
        options = tuple(option.name for option in found.nodes[place].options)
        changing.append(
            Choice(str(name), float(shares[name]), options, counts / counts.sum(axis=0))
        )
    return tuple(changing), tuple(found.nodes[place].name for place in sorted(unmoved))


def _moves(found: Multiverse, place: int, tolerance: float) -> bool:
    """Whether an option changes any result, all other choices the same."""
    sizes, before = _same_kind(found, place)
    results = np.stack([found.results[name] for name in _DRAWN])
    if is_about_model(found.nodes[place]):
        apart = np.moveaxis(results.reshape(*results.shape[:2], *sizes), 2 + before, 0)
        return any(_differ(apart[0], other, tolerance) for other in apart[1:])
    sets = np.moveaxis(found.set_of.reshape(sizes), before, 0).reshape(sizes[before], -1)
    for other in sets[1:]:
        pairs = np.unique(sets[0] * results.shape[1] + other)
        one, two = np.divmod(pairs, results.shape[1])
        if _differ(results[:, one], results[:, two], tolerance):
            return True
    return False


def _differ(one: FloatArray, other: FloatArray, tolerance: float) -> bool:
    has, also = np.isfinite(one), np.isfinite(other)
    return bool((has != also).any() or (np.abs(one - other)[has & also] > tolerance).any())


def _counts(found: Multiverse, place: int, column_of: IntArray) -> Iterator[FloatArray]:
    """Analyses of each column that take each option in turn."""
    sizes, before = _same_kind(found, place)
    sets, models = found.results["estimate"].shape
    chosen = digits(np.arange(int(np.prod(sizes))), sizes)[:, before]
    has = column_of >= 0
    for option in range(sizes[before]):
        takes: BoolArray = chosen == option
        if is_about_model(found.nodes[place]):
            weight = weights(found) * takes
        else:
            per_set = np.bincount(found.set_of[takes], minlength=sets)
            weight = np.repeat(per_set[:, None], models, axis=1).astype(np.float64)
        yield np.asarray(
            np.bincount(column_of[has], weights=weight.ravel()[has]), dtype=np.float64
        )


def _same_kind(found: Multiverse, place: int) -> tuple[list[int], int]:
    """Sizes of the nodes that are about data, or about the model, like this one; its place."""
    about = is_about_model(found.nodes[place])
    same = [number for number, node in enumerate(found.nodes) if is_about_model(node) == about]
    return [found.sizes[number] for number in same], same.index(place)
