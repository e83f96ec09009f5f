"""Measure whole runs of the pipeline; rewrite their section of docs/benchmarks.md.

Two to four minutes. Run by `make bench`. With an older checkout that has a .venv of its own as an
argument (`python benchmarks/running.py ../old`), only the section that compares the two.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from speed.page import NOT_AVAILABLE, digits, rewrite, table
from speed.running import Runs, Timed, measure_beside, measure_runs, middle

# Seconds of the clock on two cores that are idle.
TARGETS = {
    "all notebooks": 60.0,
    "one edited trial to the finished pages of its condition": 15.0,
    "nothing to do": 0.5,
}


def section(runs: Runs) -> str:
    """Return the section as Markdown."""
    nothing = middle(runs.nothing)
    measured = dict(zip(TARGETS, (runs.forked, runs.edited, nothing), strict=True))
    targets = [
        [
            f"{what} in under {limit:g} s",
            f"{digits(measured[what].wall)} s",
            _verdict(limit, t, max(runs.load)),
        ]
        for what, limit in TARGETS.items()
        for t in [measured[what]]
    ]
    lines = [
        _line("all derived tables: `ldn-meta derive --force`", runs.derive),
        _line("all notebooks, plain kernels: `ldn-meta run --force --kernels plain`", runs.plain),
        _line("all notebooks, forked kernels: `ldn-meta run --force`", runs.forked),
        _line("one edited trial, its condition: `ldn-meta run fibromyalgia`", runs.edited),
        _line("all other pages that it reaches, then: `ldn-meta run`", runs.others),
        _line("nothing to do: `ldn-meta run`", nothing),
        _line("nothing to do: `make notebooks`", middle(runs.make) if runs.make else None),
    ]
    same = "the same, byte for byte" if runs.are_same else "NOT the same"
    start, end = runs.load
    parts = [
        "## Running",
        f"{os.cpu_count()} cores, {platform.system()}; Python {platform.python_version()}. A "
        f"scratch copy of the checkout, compiled modules and font cache warm; runs with `--force` "
        f"include the derived tables. Other work shares the machine (load {start:.1f} at the "
        f"start, {end:.1f} at the end), which stretches the seconds of the clock, and hardly the "
        f"CPU seconds (of all processes of a run). The pages of plain and forked kernels "
        f"are {same}.",
        table(["target", "measured", ""], targets),
        table(["", "notebooks executed", "seconds", "CPU seconds"], lines),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(limit: float, timed: Timed, load: float) -> str:
    if timed.wall < limit:
        return "met"
    # Our own processes keep the cores busy, but no more than that.
    cores = os.cpu_count() or 1
    return "undecided: the machine was busy" if load > cores + 0.5 else "**not met**"


def _line(what: str, timed: Timed | None) -> list[str]:
    if timed is None:
        return [what, "", NOT_AVAILABLE, NOT_AVAILABLE]
    return [what, str(timed.notebooks), digits(timed.wall), digits(timed.cpu)]


# The shares of the older CPU seconds that issue 16 asks for; seconds for nothing to do.
SHARES = (1 / 3, 1 / 2, 0.3, 1 / 3)


def beside(old: Path, progress: Callable[[str], None]) -> str:
    """Return the section that sets this checkout beside an older one."""
    commits = [
        subprocess.run(
            ["git", "-C", folder, "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for folder in (old, ".")
    ]
    start = os.getloadavg()[0]
    found = measure_beside(old, progress)
    rows = []
    for (what, rounds), share in zip(found.items(), SHARES, strict=True):
        there, here = (median(both[side].cpu for both in rounds) for side in (0, 1))
        ratio = median(both[1].cpu / both[0].cpu for both in rounds)
        is_time = what.startswith("nothing")
        target = f"{share:g} s" if is_time else f"{share:.2f}"
        is_met = (here if is_time else ratio) < share
        verdict = "met" if is_met else "**not met**"
        rows.append([what, digits(there), digits(here), f"{ratio:.2f}", target, verdict])
    heads = ["", commits[0], commits[1], "ratio", "target", ""]
    parts = [
        f"## Beside {commits[0]}",
        f"CPU seconds of all processes, at {commits[0]} and at {commits[1]}, in turns in one run, "
        "each on the data of its day, with the packages of its own lock; scratch copies, caches "
        f"warm, load {start:.1f} at the start and {os.getloadavg()[0]:.1f} at the end. Medians "
        "where there is more than one round. Made by "
        "`benchmarks/running.py OLD`, with OLD a checkout of that commit after `make setup`.",
        table(heads, rows),
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        rewrite("beside", lambda progress: beside(Path(sys.argv[1]).resolve(), progress))
    else:
        rewrite("running", lambda progress: section(measure_runs(progress)))
