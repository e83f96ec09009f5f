"""What `make bench` times still runs, and gives the numbers it says it gives; nothing is timed."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import ldn_meta as lm
from ldn_meta.stats import influence, small_study

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def speed(monkeypatch):
    """The parts of the benchmark, by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield lambda name: importlib.import_module(f"speed.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "speed"]:
        del sys.modules[name]


def test_the_loop_over_a_multiverse_gives_what_the_batch_gives(speed, evidence, protocol):
    analyses = speed("analyses")
    own = evidence.for_indication(analyses.INDICATION)
    found = analyses.one_by_one(own, protocol, 5)
    assert (found["unlike"], found["worst"]) == (0, 0.0)


def test_every_function_that_is_timed_is_there(speed):
    functions = speed("functions")
    names = {name: np.array(values) for name, values in functions.data().items()}
    names |= {"lm": lm, "without": influence, "small_study": small_study}
    names |= {"by": [f"group {one}" for one in names["g"]]}
    for task in functions.TASKS:
        assert np.isfinite(float(np.ravel(eval(task.ours, dict(names)))[0])), task.what  # noqa: S307


def test_the_pages_of_the_benchmark_are_importable(speed):
    for file in sorted((BENCHMARKS / "speed").glob("*.py")):
        if file.stem not in ("worker", "__init__"):
            speed(file.stem)
