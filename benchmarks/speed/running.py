"""Whole runs of the pipeline in a scratch copy of the checkout: seconds of the clock and CPU."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from speed.environment import ROOT, child_variables

COPIED = ("data", "docs", "notebooks", "reports", "src", "README.md", "requirements.lock")
SMALL_ROUNDS = 5


@dataclass(frozen=True)
class Timed:
    """One command: seconds of the clock, CPU seconds with all its processes, and its output."""

    wall: float
    cpu: float
    output: str

    @property
    def notebooks(self) -> int:
        """Notebooks that it executed."""
        found = re.search(r"(\d+) notebooks executed", self.output)
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Runs:
    """What was measured."""

    derive: Timed
    plain: Timed
    forked: Timed
    are_same: bool
    nothing: list[Timed]
    make: list[Timed] | None
    edited: Timed
    others: Timed
    load: tuple[float, float]


def measure_runs(progress: Callable[[str], None]) -> Runs:
    """Measure runs of the pipeline; the checkout itself is left alone."""
    load = os.getloadavg()[0]
    with _scratch_copy() as copy:
        progress("warm up: compiled modules, font cache")
        _ldn(copy, "run", "crohns_disease")
        progress("derive")
        derive = _ldn(copy, "derive", "--force")
        progress("all notebooks, plain kernels")
        plain = _ldn(copy, "run", "--force", "--kernels", "plain")
        pages = _files(copy / "reports")
        progress("all notebooks, forked kernels")
        forked = _ldn(copy, "run", "--force", "--kernels", "forked")
        are_same = _files(copy / "reports") == pages
        progress("nothing to do")
        nothing = [_ldn(copy, "run") for _ in range(SMALL_ROUNDS)]
        progress("one edited trial")
        _edit_a_trial(copy / "data" / "raw" / "contrasts.csv")
        edited = _ldn(copy, "run", "fibromyalgia")
        others = _ldn(copy, "run")
    progress("make notebooks with nothing to do")
    make = [_timed(["make", "notebooks"], ROOT) for _ in range(SMALL_ROUNDS)] if _idle() else None
    return Runs(
        derive, plain, forked, are_same, nothing, make, edited, others, (load, os.getloadavg()[0])
    )


def measure_beside(old: Path, progress: Callable[[str], None]) -> dict[str, list[list[Timed]]]:
    """Time the same work in an older checkout and here, in turns; an older one has its own .venv.

    By what was done: rounds of (there, here). Each edits its own copy; data are those of its day.
    """
    found: dict[str, list[list[Timed]]] = {}
    with _scratch_copy(old) as before, _scratch_copy() as now:
        sides = {before: old / ".venv" / "bin" / "python", now: Path(sys.executable)}

        def turn(what: str, *commands: tuple[str, ...], rounds: int = 1) -> None:
            progress(what)
            for _ in range(rounds):
                both = []
                for copy, python in sides.items():
                    parts = [_ldn(copy, *command, python=python) for command in commands]
                    told = "".join(part.output for part in parts)
                    wall, cpu = sum(p.wall for p in parts), sum(p.cpu for p in parts)
                    both.append(Timed(wall, cpu, told))
                found.setdefault(what, []).append(both)

        progress("warm up")
        for copy, python in sides.items():
            _ldn(copy, "run", "crohns_disease", python=python)
        turn("all derived tables (`derive --force`)", ("derive", "--force"), rounds=2)
        turn("all pages (`run --force`)", ("run", "--force"))
        turn("nothing to do (`run`)", ("run",), rounds=SMALL_ROUNDS)
        for copy in sides:
            _edit_a_trial(copy / "data" / "raw" / "contrasts.csv")
        pages = (("run", "fibromyalgia"), ("run",))
        turn("one edited trial to its finished pages and the overview", *pages)
    return found


def middle(timed: list[Timed]) -> Timed:
    """Medians of several runs of one command."""
    return Timed(median(t.wall for t in timed), median(t.cpu for t in timed), timed[0].output)


@contextmanager
def _scratch_copy(root: Path = ROOT) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ldn-bench-") as folder:
        copy = Path(folder)
        for name in COPIED:
            if (root / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(root / name, copy / name, ignore=ignored)
            else:
                shutil.copy(root / name, copy / name)
        yield copy


def _ldn(copy: Path, *arguments: str, python: Path = Path(sys.executable)) -> Timed:
    return _timed([str(python), "-m", "ldn_meta", *arguments], copy)


def _timed(command: list[str], folder: Path) -> Timed:
    variables = child_variables(ours=True) | {"LDN_META_ROOT": str(folder)}
    variables["PYTHONPATH"] = str(folder / "src")
    before, start = os.times(), time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    wall, after = time.monotonic() - start, os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    cpu = (after.children_user + after.children_system) - (
        before.children_user + before.children_system
    )
    return Timed(wall, cpu, done.stdout)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def _edit_a_trial(file: Path) -> None:
    """Change the note of one row of a fibromyalgia trial."""
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    note = rows[0].index("note")
    row = next(row for row in rows if row[0].startswith("younger2013"))
    row[note] = "edited by a benchmark"
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    file.write_text(text.getvalue(), encoding="utf-8")


def _idle() -> bool:
    """Whether `make notebooks` would find nothing to do in the checkout itself."""
    from ldn_meta import files
    from ldn_meta.pipeline import notebooks as parameters
    from ldn_meta.pipeline import notebooks as staleness

    keys = staleness.Keys()
    return (
        (ROOT / ".venv" / ".ready").is_file()
        and files.derived_is_current()
        and all(
            staleness.is_fresh(job, keys.key(job), ROOT / "reports" / job.target)
            for job in parameters.plan()
        )
    )
