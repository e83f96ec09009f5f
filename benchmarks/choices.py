"""Measure what many choices cost; rewrite its section of docs/benchmarks.md.

Five to seven minutes. Run by `make bench`; the peers are installed into build/bench-venv.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from speed.choices import measure_choices
from speed.choices_page import section
from speed.environment import make_peer_environment
from speed.page import rewrite


def measured(progress: Callable[[str], None]) -> str:
    """Measure; return the section as Markdown."""
    load = os.getloadavg()[0]
    progress("install the peers into build/bench-venv")
    make_peer_environment()
    found = measure_choices(progress)
    return section(found, (load, os.getloadavg()[0]))


if __name__ == "__main__":
    rewrite("choices", measured)
