"""Measure pooling beside metafor and its Python peers; rewrite its section of docs/benchmarks.md.

Six to eight minutes. Run by `make bench`; the peers are installed into build/bench-venv.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from speed.batches import measure_imports, measure_ragged
from speed.environment import make_peer_environment
from speed.fits import measure_fits
from speed.page import rewrite, section
from speed.targets import Measured


def measured(progress: Callable[[str], None]) -> str:
    """Measure; return the section as Markdown."""
    load = os.getloadavg()[0]
    progress("install the peers into build/bench-venv")
    make_peer_environment()
    fits = measure_fits(progress)
    ragged = measure_ragged(progress)
    imports = measure_imports(progress)
    return section(Measured(fits, ragged, imports, (load, os.getloadavg()[0])))


if __name__ == "__main__":
    rewrite("pooling", measured)
