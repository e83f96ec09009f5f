"""Multiverses made by rule, in the shape that `build_multiverse` gives."""

import math

import numpy as np

from ldn_meta.evidence.answer.multiverse import NUMBERS, Multiverse, is_about_model, summary
from ldn_meta.evidence.raw.protocol import Node, Option, load_protocol


def node(name, options, *, about="data"):
    """A node with options of given names; the first is the protocol's own."""
    change = {"data": "allow_approximate", "model": "tau2_method", "measure": "measure"}[about]
    value = "OR" if about == "measure" else "dl" if about == "model" else True
    first, *others = options
    return Node(
        name, "because", (Option(first), *(Option(text, {change: value}) for text in others))
    )


def made(nodes, set_of, estimate, half, **fields):
    """A multiverse whose sets and models have given estimates and half-widths of intervals."""
    estimate = np.asarray(estimate, dtype=float)
    half = np.broadcast_to(np.asarray(half, dtype=float), estimate.shape)
    results = {name: np.full(estimate.shape, np.nan) for name in NUMBERS}
    results["k"] = np.where(np.isnan(estimate), 0.0, 2.0)
    results |= {"estimate": estimate, "ci_low": estimate - half, "ci_high": estimate + half}
    sizes = [len(one.options) for one in nodes if not is_about_model(one)]
    set_of = np.asarray(set_of)
    assert set_of.size == math.prod(sizes)
    assert set_of.max() < len(estimate)
    yi = np.where(np.isnan(estimate[:, :1]), np.nan, 1.0)
    found = Multiverse(
        **{
            "indication_id": "x",
            "construct": "pain_intensity",
            "comparator_class": "placebo",
            "measure": "MD",
            "unit": "points (0-10)",
            "benefit_sign": -1.0,
            "nodes": tuple(nodes),
            "trials": ("A 2001",),
            "yi": yi,
            "vi": yi,
            "set_of": set_of,
            "results": results,
            **fields,
        }
    )
    return found, summary(found, load_protocol())


def small(**fields):
    """Two sets by two models: four results, of 6, 6, 2 and 2 of the 16 analyses.

    Node "trials" (a, b) decides the set with node "time" (x, y): only b at y gives set 1; node
    "idle" (on, off) changes nothing; node "method" (one, two) decides the model.
    """
    nodes = (
        node("trials", ["a", "b"]),
        node("time", ["x", "y"]),
        node("idle", ["on", "off"]),
        node("method", ["one", "two"], about="model"),
    )
    # trials, time, idle: the last counts fastest.
    set_of = [0, 0, 0, 0, 0, 0, 1, 1]
    return made(nodes, set_of, [[-0.5, -0.4], [0.6, 0.7]], [[0.3, 0.6], [0.3, 0.8]], **fields)


def large(nodes=12, *, many_results=True, long_names=False):
    """Millions of analyses: 12 nodes with 34 options, results without any order."""
    random = np.random.default_rng(7)
    long = " that is told at more length than one line of the block at the left has room for"
    sizes = [3, 4, 2, 5, 2, 3, 2, 3, 2, 2, 7, 4][:nodes]
    made_nodes = [
        node(
            f"node {number}{long if long_names else ''}",
            [f"option {number}.{o}{long if long_names and o == 1 else ''}" for o in range(size)],
            about="model" if number >= nodes - 2 else "data",
        )
        for number, size in enumerate(sizes)
    ]
    combinations = math.prod(sizes[:-2])
    sets = 3000 if many_results else 12
    effects = random.normal(-0.3, 0.4, (sets, 1)) + random.normal(
        0, 0.05, (1, math.prod(sizes[-2:]))
    )
    half = random.uniform(0.2, 0.9, effects.shape)
    half[:, -3:] = 6.0
    set_of = random.integers(0, sets, combinations)
    set_of[:sets] = range(sets)
    return made(made_nodes, set_of, effects, half)
