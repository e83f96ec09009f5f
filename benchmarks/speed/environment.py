"""The environment of the peers, `build/bench-venv`; the project itself never needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench-venv"
PEER_PYTHON = FOLDER / "bin" / "python"
# The versions that were examined; the libraries below them are those of the project.
PEERS = ("pymare==0.0.13", "pimeta==1.1.0", "pymetaanalysis==0.9.0")
LIBRARIES = ("numpy", "scipy", "pandas", "statsmodels")


def child_variables(*, ours: bool) -> dict[str, str]:
    """Return the variables of a measured process: one BLAS thread, nothing of the caller's."""
    variables = dict(os.environ)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        variables[name] = "1"
    # A process that may not keep its compiled modules compiles them at every import.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    variables.pop("PYTHONPATH", None)
    if ours:
        variables["PYTHONPATH"] = str(ROOT / "src")
    return variables


def make_peer_environment() -> None:
    """Install the peers, each by itself: one that cannot be installed leaves the others alone."""
    pins = [f"{name}=={version(name)}" for name in LIBRARIES]
    wanted = "\n".join([sys.version, *pins, *PEERS])
    stamp = FOLDER / "installed.txt"
    if PEER_PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.parent.mkdir(exist_ok=True)
    uv = _uv()
    if uv:
        made = _runs([uv, "venv", "--quiet", "--python", sys.executable, str(FOLDER)])
        install = [uv, "pip", "install", "--quiet", "--python", str(PEER_PYTHON)]
    else:
        made = _runs([sys.executable, "-m", "venv", str(FOLDER)])
        install = [str(PEER_PYTHON), "-m", "pip", "install", "--quiet"]
    if not made:
        return
    installed = [_runs([*install, *pins, *peer]) for peer in ([], *([peer] for peer in PEERS))]
    if all(installed):
        stamp.write_text(wanted)


def _uv() -> str | None:
    pinned = (ROOT / ".ci" / "uv-version").read_text().strip()
    bootstrapped = ROOT / ".tools" / f"uv-{pinned}" / "bin" / "uv"
    return str(bootstrapped) if bootstrapped.exists() else shutil.which("uv")


def _runs(command: list[str]) -> bool:
    variables = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": ""}
    done = subprocess.run(command, env=variables, capture_output=True, check=False)
    return done.returncode == 0
