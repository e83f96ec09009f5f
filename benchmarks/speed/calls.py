"""Time calls given as text, in the environment of one package; a line of JSON in and out.

    {"data": {name: numbers}, "calls": {what: text}, "budget": seconds}

A call that fails is left out of the answer.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np


def timed(call: Any, budget: float) -> dict[str, float]:
    """Seconds of CPU a call, after a first one; and the number it gives."""
    value = float(np.ravel(call())[0])
    start, times = time.process_time(), 0
    while True:
        call()
        times += 1
        used = time.process_time() - start
        if used >= budget:
            return {"seconds": used / times, "value": value}


def main() -> None:
    # Whatever a package prints goes to stderr; the answer keeps stdout to itself.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    request = json.load(sys.stdin)
    names: dict[str, Any] = {name: np.array(values) for name, values in request["data"].items()}
    names["by"] = [f"group {which}" for which in request["data"]["g"]]
    found, text = "", " ".join(request["calls"].values())
    for name, package, word in (
        ("small_study", "ldn_meta.stats.small_study", "small_study."),
        ("without", "ldn_meta.stats.influence", "without."),
        ("lm", "ldn_meta", "lm."),
        ("pimeta", "pimeta", "pimeta."),
        ("combine_effects", "statsmodels.stats.meta_analysis", "combine_effects("),
    ):
        if word in text:
            module = import_module(package)
            names[name] = getattr(module, name, module)
            found = version(package.partition(".")[0].replace("_", "-"))
    answer = {}
    for what, call in request["calls"].items():
        function = eval(f"lambda: {call}", names)  # noqa: S307
        try:
            answer[what] = timed(function, request["budget"])
        except Exception as error:  # a function that this version does not have
            print(what, repr(error), file=sys.stderr)
    answers.write(json.dumps({"version": found, "calls": answer}))
    answers.flush()


if __name__ == "__main__":
    main()
