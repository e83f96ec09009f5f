"""Measure every other function beside its peers; rewrite its section of docs/benchmarks.md.

Two to three minutes. Run by `make bench`; the peers are installed into build/bench-venv.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from speed.environment import make_peer_environment
from speed.functions import measure_functions, section
from speed.page import rewrite


def measured(progress: Callable[[str], None]) -> str:
    """Measure; return the section as Markdown."""
    load = os.getloadavg()[0]
    progress("install the peers into build/bench-venv")
    make_peer_environment()
    return section(measure_functions(progress), (load, os.getloadavg()[0]))


if __name__ == "__main__":
    rewrite("functions", measured)
