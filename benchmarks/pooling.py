"""Measure pooling beside metafor and its Python peers; rewrite its section of docs/benchmarks.md.

Six to eight minutes. Run by `make bench`; the peers are installed into build/bench-venv.
"""

from __future__ import annotations

import os
import time

from speed.batches import measure_imports, measure_ragged
from speed.environment import ROOT, make_peer_environment
from speed.fits import measure_fits
from speed.page import replace_section, section
from speed.targets import Measured

PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    started = time.monotonic()

    def progress(what: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {what}", flush=True)

    load = os.getloadavg()[0]
    progress("install the peers into build/bench-venv")
    make_peer_environment()
    fits = measure_fits(progress)
    ragged = measure_ragged(progress)
    imports = measure_imports(progress)
    measured = Measured(fits, ragged, imports, (load, os.getloadavg()[0]))
    text = section(measured)
    replace_section(PAGE, "pooling", text)
    print(text)
    progress(f"written to {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
