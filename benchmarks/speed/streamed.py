"""Stream at least so many analyses of pain in fibromyalgia in a process of its own: peak memory.

    python -m speed.streamed ANALYSES

Nodes are added to the protocol in memory, one after the other, until there are enough analyses.
Prints one line of JSON.
"""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace

import numpy as np

from ldn_meta import load_protocol
from ldn_meta.evidence.raw.protocol import Node, Option, Protocol
from speed.analyses import built, own_evidence
from speed.memory import peak_megabytes

# Further choices, for their number only: nobody argues for all of them.
FURTHER = (
    ("prediction interval", "pi_method", ("k-2",)),
    ("level", "level", (0.9, 0.99)),
    ("earliest time", "earliest_weeks", (0.0, 6.0)),
    ("latest time", "latest_weeks", (20.0, 52.0)),
    ("interval of two trials", "ci_method_two_trials", ("knapp-hartung",)),
    ("interval of more trials", "ci_method_more_trials", ("wald",)),
)


def grown(protocol: Protocol, at_least: int) -> Protocol:
    """Add nodes until the full product has enough analyses."""
    nodes = protocol.nodes
    for name, choice, values in FURTHER:
        if math.prod(len(node.options) for node in nodes) >= at_least:
            break
        others = tuple(Option(f"{value}", {choice: value}) for value in values)
        nodes = (*nodes, Node(name, "to have more analyses", (Option("protocol"), *others)))
    return replace(protocol, nodes=nodes)


def main() -> None:
    own, protocol = own_evidence(), load_protocol()
    next(built(own, protocol).stream(chunk=1000))  # imports
    before = peak_megabytes()
    start = time.process_time()
    found = built(own, grown(protocol, int(sys.argv[1])))
    built_peak = peak_megabytes()
    rows, size, lowest = 0, 0.0, np.inf
    for frame in found.stream():
        rows += len(frame)
        size += float(frame.memory_usage().sum())
        lowest = min(lowest, float(frame["estimate"].min()))
    print(
        json.dumps(
            {
                "analyses": rows,
                "nodes": len(found.nodes),
                "data_choices": len(found.set_of),
                "seconds": time.process_time() - start,
                "before_mb": before,
                "built_mb": built_peak,
                "peak_mb": peak_megabytes(),
                "rows_mb": size / 1e6,
                "lowest": lowest,
            }
        )
    )


if __name__ == "__main__":
    main()
