"""Measure what many choices cost; rewrite its section of docs/benchmarks.md.

Five to seven minutes. Run by `make bench`; the peers are installed into build/bench-venv.
"""

from __future__ import annotations

import os
import time

from speed.choices import measure_choices
from speed.choices_page import section
from speed.environment import ROOT, make_peer_environment
from speed.page import replace_section

PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    started = time.monotonic()

    def progress(what: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {what}", flush=True)

    load = os.getloadavg()[0]
    progress("install the peers into build/bench-venv")
    make_peer_environment()
    found = measure_choices(progress)
    text = section(found, (load, os.getloadavg()[0]))
    replace_section(PAGE, "choices", text)
    print(text)
    progress(f"written to {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
