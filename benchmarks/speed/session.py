"""Talk to the processes that are measured."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from speed.environment import PEER_PYTHON, child_variables

HERE = Path(__file__).parent
PATIENCE = 180.0  # seconds; the slowest single call, metafor with 1000 trials, takes about 6


class UnavailableError(Exception):
    """A contender that is not installed, or that died."""


class Contender:
    """A package that fits sets of trials in a process that stays up between rounds."""

    def __init__(self, name: str) -> None:
        self.name = name
        command = _command(name)
        if shutil.which(command[0]) is None:
            raise UnavailableError(name)
        self.process = subprocess.Popen(
            command,
            env=child_variables(ours=name.startswith("pool")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.about: dict[str, str] = self._reply()

    def __enter__(self) -> Contender:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def keep(self, name: str, yi: np.ndarray, vi: np.ndarray) -> None:
        self._ask({"do": "keep", "name": name, "yi": yi.tolist(), "vi": vi.tolist()})

    def answers(self, name: str) -> np.ndarray:
        """Return estimate, se, limits, tau2 and Q of each set, (m, 6); NaN where it failed."""
        return np.array(self._ask({"do": "answers", "name": name})["answers"], dtype=float)

    def seconds_per_fit(self, name: str, budget: float) -> float:
        answer = self._ask({"do": "time", "name": name, "budget": budget})
        return float(answer["seconds_per_fit"])

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None  # noqa: S101
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            raise UnavailableError(self.name) from error
        return self._reply()

    def _reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None  # noqa: S101
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.process.kill()
            self.process.communicate()
            raise UnavailableError(self.name)
        answer: dict[str, Any] = json.loads(line)
        return answer


def _command(name: str) -> list[str]:
    if name.startswith("metafor"):
        return ["Rscript", "--vanilla", str(HERE / "worker.R"), name]
    python = sys.executable if name.startswith("pool") else str(PEER_PYTHON)
    return [python, str(HERE / "worker.py"), name]


def alone(script: str, *arguments: object) -> dict[str, Any]:
    """Run a script of this folder in a fresh process, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", f"speed.{script}", *map(str, arguments)],
        cwd=HERE.parent,
        env=child_variables(ours=True),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def start_up(command: list[str], *, ours: bool) -> float | None:
    """Return the CPU seconds of a fresh process, all its children included; None if it fails."""
    if shutil.which(command[0]) is None:
        return None
    process = subprocess.Popen(
        command,
        env=child_variables(ours=ours),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + PATIENCE
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            return None
        time.sleep(0.01)
    return usage.ru_utime + usage.ru_stime if process.returncode == 0 else None
