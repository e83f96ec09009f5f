"""One notebook: fill in, run, clean, or say exactly where it broke."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.errors import NotebookError
from ldn_meta.pipeline import publish
from ldn_meta.pipeline.normalise_notebook import fill_titles, normalise
from ldn_meta.pipeline.outputs import Outputs, take_outputs
from ldn_meta.pipeline.parameters import Job

# The slowest cell takes seconds; one that takes this long hangs.
CELL_SECONDS = 600


@dataclass(frozen=True)
class Executed:
    """A notebook that ran to its end.

    Attributes
    ----------
    page : bytes
        The executed notebook.
    outputs : Outputs
        Its facts and figures.
    stderr : str
        What it wrote there, usually a warning; not kept in the page.
    seconds : float
        Wall time.
    """

    page: bytes
    outputs: Outputs
    stderr: str
    seconds: float


def execute(job: Job, *, kernel: str) -> Executed:
    """Run a notebook in a new kernel.

    Call it inside ``fixed_surroundings``; safe in threads.

    Parameters
    ----------
    job : Job
        The notebook with its parameters.
    kernel : str
        Name of the kernel to start.

    Returns
    -------
    Executed

    Raises
    ------
    NotebookError
        If anything goes wrong; names notebook, indication, cell and exception. The notebook
        as far as it came is under ``build/failed``.
    """
    import nbformat
    import papermill

    from ldn_meta.pipeline import engine

    start = time.monotonic()
    # Relative paths: papermill takes braces in a path for placeholders.
    part = Path("build", "executing", job.target, f"{job.notebook}.ipynb")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        template = nbformat.read(job.template, as_version=4)
        fill_titles(template, job.title_fields, name=job.label)
        with tempfile.TemporaryDirectory(prefix="ldn-") as sockets:
            notebook = papermill.execute_notebook(
                template,
                str(part),
                parameters=dict(job.parameters),
                engine_name=engine.NAME,
                kernel_name=kernel,
                language="python",
                progress_bar=False,
                record_timing=False,
                execution_timeout=CELL_SECONDS,
                config=_kernel_config(sockets),
            )
        _check_complete(notebook)
        stderr = normalise(notebook)
        outputs = take_outputs(notebook, name=job.label)
    except Exception as error:
        raise NotebookError(_failure(job, part, error)) from error
    finally:
        _close_event_loop()
        part.unlink(missing_ok=True)
    return Executed(notebook_bytes(notebook), outputs, stderr, time.monotonic() - start)


def notebook_bytes(notebook: Any) -> bytes:
    """Write a notebook as the repository keeps it."""
    import nbformat

    text: str = nbformat.writes(notebook)
    return f"{text.rstrip()}\n".encode()


def _kernel_config(folder: str) -> Any:
    """Let the kernel talk over sockets in a folder: no open ports, works without a network."""
    from traitlets.config import Config

    config = Config()
    config.KernelManager.transport = "ipc"
    config.KernelManager.ip = str(Path(folder) / "k")
    # A kernel that is told to end while it is busy ending logs that as an error of its own.
    config.NotebookClient.extra_arguments = ["--IPKernelApp.log_level=CRITICAL"]
    return config


def _close_event_loop() -> None:
    """Close the loop that jupyter_core opened in this thread and leaves open."""
    with contextlib.suppress(RuntimeError):  # there is none if Jupyter was not reached
        asyncio.get_event_loop().close()


def _check_complete(notebook: Any) -> None:
    """Refuse a notebook that ended early without an error, as ``exit()`` in a cell does."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cell["source"]]
    counts = [cell["execution_count"] for cell in code]
    if counts != list(range(1, len(code) + 1)):
        message = f"its cells did not all run once, in order: execution counts are {counts}"
        raise NotebookError(message)


def _failure(job: Job, part: Path, error: Exception) -> str:
    """Keep the notebook as far as it came, and say where it broke."""
    reason = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    if not part.is_file():
        return f"{job.label} failed: {reason}"
    import nbformat
    from papermill.exceptions import PapermillExecutionError

    notebook = nbformat.read(part, as_version=4)
    place = f" in cell {_broken_cell(notebook)!r}"
    if isinstance(error, PapermillExecutionError):
        reason = f"{error.ename}: {error.evalue}"
    normalise(notebook)
    kept = paths.build() / "failed" / job.target / part.name
    publish.write_whole(kept, notebook_bytes(notebook))
    shown = kept.relative_to(paths.project_root()).as_posix()
    return f"{job.label} failed{place}: {reason}\n    as far as it came: {shown}"


def _broken_cell(notebook: Any) -> str:
    """Name the cell that raised, or was running when the kernel died or was stopped."""
    last = ""
    for cell in notebook["cells"]:
        outputs = cell.get("outputs", [])
        if any(output["output_type"] == "error" for output in outputs):
            return str(cell["id"])
        if cell["metadata"].get("papermill", {}).get("start_time"):
            last = str(cell["id"])
    return last
