"""All defensible analyses of one outcome: the full product of the protocol's nodes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.multiverse_effects import ChoiceOfEffects, Normalised
from ldn_meta.evidence.protocol import Variant, departed
from ldn_meta.stats.multiverse import combined, digits
from ldn_meta.stats.pool import pool_many

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.nodes import Node, Option
    from ldn_meta.evidence.protocol import Model, Protocol
    from ldn_meta.stats.inputs import FloatArray, IntArray

NUMBERS = (
    *("k", "estimate", "se", "ci_low", "ci_high", "p_value", "tau2", "i2_pct"),
    *("pi_low", "pi_high"),
)
# Analyses in one frame of a stream: 20 MB.
CHUNK = 100_000
# Choices of the model alone: they change how effects are pooled, not which.
MODEL_CHOICES = frozenset({"tau2_method", "ci_method", "pi_method", "level"})


@dataclass(frozen=True, eq=False)
class Multiverse:
    """Every combination of choices for one outcome, computed once a distinct set of effects.

    Attributes
    ----------
    indication_id, construct, comparator_class, measure, unit : str
        The outcome; ``measure`` and ``unit`` are those of the main analysis.
    benefit_sign : float
        +1 if more is better.
    nodes : tuple of Node
    trials : tuple of str
        Study label of each trial that brings an effect to at least one analysis, (t,).
    yi, vi : ndarray (sets, t)
        Distinct sets of effects; NaN where a trial brings none.
    set_of : ndarray of int (data combinations,)
        Set of each combination of the nodes that are about data.
    results : dict of str to ndarray (sets, models)
        Pooled numbers (NUMBERS) of each set under each combination of the nodes about the model.
    """

    indication_id: str
    construct: str
    comparator_class: str
    measure: str
    unit: str
    benefit_sign: float
    nodes: tuple[Node, ...]
    trials: tuple[str, ...]
    yi: FloatArray
    vi: FloatArray
    set_of: IntArray
    results: dict[str, FloatArray]

    @property
    def sizes(self) -> list[int]:
        """Number of options of each node."""
        return [len(node.options) for node in self.nodes]

    def __len__(self) -> int:
        """Number of analyses."""
        return math.prod(self.sizes)

    @cached_property
    def _is_model(self) -> list[bool]:
        return [is_about_model(node) for node in self.nodes]

    def places(self, options: IntArray) -> tuple[IntArray, IntArray]:
        """Row and column of ``results`` of analyses given by their options, (n, nodes)."""
        row, column = (
            combined(
                options[:, [is_model == about for is_model in self._is_model]],
                [s for s, is_model in zip(self.sizes, self._is_model, strict=True)
                 if is_model == about],
            )
            for about in (False, True)
        )  # fmt: skip
        return self.set_of[row], column

    def frame(self, start: int = 0, stop: int | None = None) -> pd.DataFrame:
        """Analyses ``start`` to ``stop``, one row each.

        Returns
        -------
        pandas.DataFrame
            analysis (its number; 0 is the protocol's own), one categorical column a node, the
            pooled NUMBERS on the scale of ``yi``, set (distinct set of effects).
        """
        import pandas as pd

        index = np.arange(start, len(self) if stop is None else min(stop, len(self)))
        options = digits(index, self.sizes)
        row, column = self.places(options)
        chosen = {
            node.name: pd.Categorical.from_codes(
                options[:, place], categories=pd.Index([option.name for option in node.options])
            )
            for place, node in enumerate(self.nodes)
        }
        numbers = {name: self.results[name][row, column] for name in NUMBERS}
        return pd.DataFrame({"analysis": index, **chosen, **numbers, "set": row})

    def stream(self, *, chunk: int = CHUNK) -> Iterator[pd.DataFrame]:
        """All analyses in frames of at most ``chunk`` rows: memory does not grow with them."""
        for start in range(0, len(self), chunk):
            yield self.frame(start, start + chunk)


def multiverse(
    evidence: Evidence, protocol: Protocol, indication: str, outcome: str
) -> pd.DataFrame:
    """Every defensible analysis of an outcome, one row each.

    Parameters
    ----------
    evidence : Evidence
        All conditions or one.
    protocol : Protocol
        Its nodes are the choices.
    indication : str
        Key in ``indications.csv``.
    outcome : str
        Construct of outcomes.csv, against the main comparator of the condition.

    Returns
    -------
    pandas.DataFrame
        As ``Multiverse.frame``; no rows if no trial gives an effect under any choice.

    Raises
    ------
    ArgumentError
        If there is no such indication or outcome.
    """
    import pandas as pd

    own = evidence.for_indication(indication)
    known = sorted(set(own.text["outcomes"]["construct"]))
    if outcome not in known:
        message = f"outcome {outcome!r} is not in outcomes.csv; known: {', '.join(known)}"
        raise ArgumentError(message)
    comparator = str(own.text["indications"]["main_comparator"].iloc[0])
    found = build_multiverse(Normalised(own, protocol), outcome, comparator)
    return pd.DataFrame() if found is None else found.frame()


def build_multiverse(
    normalised: Normalised, construct: str, comparator_class: str
) -> Multiverse | None:
    """Compute everything that differs between the analyses of one outcome.

    Parameters
    ----------
    normalised : Normalised
        Of one indication.
    construct, comparator_class : str

    Returns
    -------
    Multiverse or None
        None if no trial gives an effect under any choice.
    """
    protocol = normalised.protocol
    nodes = protocol.nodes
    about_data = [node for node in nodes if not is_about_model(node)]
    choice = ChoiceOfEffects(normalised, construct, comparator_class)
    if choice.key is None:
        return None
    trials, yi, vi = choice.choose(about_data)
    if not trials:
        return None
    stacked = np.concatenate([np.nan_to_num(yi, nan=np.inf), np.nan_to_num(vi, nan=-1.0)], axis=1)
    _, first, set_of = np.unique(stacked, axis=0, return_index=True, return_inverse=True)
    yi, vi = yi[first], vi[first]
    models = [
        departed(Variant("", protocol.selection, protocol.model), _protocol_changes(options)).model
        for options in product(*(node.options for node in nodes if is_about_model(node)))
    ]
    return Multiverse(
        indication_id=str(normalised.own.text["indications"]["indication_id"].iloc[0]),
        construct=construct,
        comparator_class=comparator_class,
        measure=choice.key[0],
        unit=choice.key[1],
        benefit_sign=choice.benefit_sign,
        nodes=nodes,
        trials=trials,
        yi=yi,
        vi=vi,
        set_of=np.asarray(set_of).reshape(-1),
        results=_pooled(yi, vi, models),
    )


def is_about_model(node: Node) -> bool:
    """Whether a node changes nothing but how effects are pooled."""
    return all(set(option.changes) <= MODEL_CHOICES for option in node.options)


def _protocol_changes(options: tuple[Option, ...]) -> dict[str, Any]:
    """Changes of selection and model; of two nodes that change the same, the later one counts."""
    return {name: value for option in options for name, value in option.of_protocol().items()}


def _pooled(yi: FloatArray, vi: FloatArray, models: list[Model]) -> dict[str, FloatArray]:
    """Pool every set under every model; one batch for each pair of methods."""
    k = np.count_nonzero(~np.isnan(vi), axis=1)
    results = {name: np.full((len(yi), len(models)), np.nan) for name in NUMBERS}
    for column, model in enumerate(models):
        intervals = np.array([model.interval(int(number)) for number in k])
        for ci_method in np.unique(intervals):
            rows = np.flatnonzero(intervals == ci_method)
            found = pool_many(
                yi[rows],
                vi[rows],
                tau2_method=model.tau2_method,
                ci_method=str(ci_method),
                level=model.level,
                pi_method=model.pi_method,
            )
            for name in NUMBERS:
                results[name][rows, column] = getattr(found, name)
    return results
