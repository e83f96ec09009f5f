"""From derived tables to reports: the notebooks whose inputs changed, all or nothing a page."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.errors import NotebookError, StaleError
from ldn_meta.pipeline import hashes, publish, reports, staleness
from ldn_meta.pipeline.execute import Executed, execute
from ldn_meta.pipeline.fork_kernels import kernel_source
from ldn_meta.pipeline.kernels import KernelSource, fixed_surroundings
from ldn_meta.pipeline.parameters import OVERVIEW, Job, plan
from ldn_meta.pipeline.progress import Progress, Silent


@dataclass(frozen=True)
class RunSummary:
    """What ``run`` did.

    Attributes
    ----------
    executed : tuple of str
        Notebooks that ran, as ``indication/notebook``.
    fresh : tuple of str
        Notebooks that did not have to.
    folder : Path
        Where the reports are: ``reports``, or ``build/runs/<name>`` for a run with parameters
        of one's own.
    """

    executed: tuple[str, ...]
    fresh: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class _Task:
    job: Job
    key: str
    is_fresh: bool


def run(
    indications: Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    jobs: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
    kernels: KernelSource | None = None,
) -> RunSummary:
    """Execute the notebooks whose inputs changed and replace their reports.

    A report is the folder of one indication; it is replaced when all its notebooks ran to
    their end, and left alone when one broke. The other indications go on.

    Parameters
    ----------
    indications : sequence of str, optional
        Which reports, "overview" among them; all by default.
    parameters : mapping of str to Any, optional
        Values that go before those of ``notebooks/parameters.toml``. If they change anything,
        the results go to ``build/runs`` and ``reports`` stays as it is.
    jobs : int, optional
        Notebooks at the same time; the number of processors by default.
    force : bool
        Execute notebooks also if nothing changed.
    progress : Progress, optional
        Who is told; nobody by default.
    kernels : callable, optional
        Where kernels come from: ``fork_kernels.kernel_source``; forked by default where the
        system can. The pages are the same, byte for byte.

    Returns
    -------
    RunSummary

    Raises
    ------
    ldn_meta.errors.ParameterError
        If an indication, a parameter or a value is not allowed; nothing has run then.
    ldn_meta.errors.StaleError
        If data/derived does not belong to data/raw.
    ldn_meta.errors.NotebookError
        If notebooks broke; lists them all.
    """
    progress = progress or Silent()
    wanted = plan(indications, parameters)
    is_own_run = bool(parameters) and wanted != plan(indications)
    folder = (
        paths.build() / "runs" / _run_name(parameters or {}) if is_own_run else paths.reports()
    )
    with publish.exclusive_writer(lambda: progress.note("waiting for another run to end")):
        if not hashes.derived_is_current():
            message = "data/derived does not belong to data/raw: run `ldn-meta derive` first"
            raise StaleError(message)
        tasks = _tasks(wanted, folder, force=force or is_own_run)
        stale = [task for task in tasks if not task.is_fresh]
        failures: list[str] = []
        if indications is None and not is_own_run:
            _note_strays(folder, wanted, progress)
        if stale:
            failures = _run_all(
                tasks, folder, jobs or _processors(), progress, kernels or kernel_source()
            )
    if failures:
        raise NotebookError("\n".join(sorted(failures)))
    return RunSummary(
        executed=tuple(task.job.label for task in stale),
        fresh=tuple(task.job.label for task in tasks if task.is_fresh),
        folder=folder,
    )


def _tasks(wanted: Sequence[Job], folder: Path, *, force: bool) -> list[_Task]:
    keys = staleness.Keys()
    tasks = []
    for job in wanted:
        report = folder / job.target
        publish.restore_folder(report)
        key = keys.key(job)
        tasks.append(_Task(job, key, not force and staleness.is_fresh(job, key, report)))
    return tasks


def _note_strays(folder: Path, wanted: Sequence[Job], progress: Progress) -> None:
    known = {job.target for job in wanted}
    for report in sorted(folder.glob("[!.]*")):
        if report.is_dir() and report.name not in known:
            progress.note(f"reports/{report.name} belongs to no reported indication: delete it")


def _run_all(
    tasks: Sequence[_Task],
    folder: Path,
    jobs: int,
    progress: Progress,
    kernels: KernelSource,
) -> list[str]:
    """Execute what is stale; publish each report when its last notebook is done."""
    for name in ("staging", "executing", "failed"):
        shutil.rmtree(paths.build() / name, ignore_errors=True)
    stale = [task for task in tasks if not task.is_fresh]
    results: dict[str, Executed | None] = {}
    failures: list[str] = []
    progress.start(len(stale))
    try:
        # Kernels inside the pool: when a person interrupts, they end first, and the threads that
        # wait for them then end as well.
        with (
            fixed_surroundings(),
            ThreadPoolExecutor(jobs) as pool,
            kernels(progress.note) as kernel,
        ):
            # papermill is imported once, here, and not by several threads at the same time.
            from ldn_meta.pipeline import engine  # noqa: F401

            # The overview shows everything and takes longest; last, it would keep all waiting.
            by_length = sorted(stale, key=lambda task: task.job.target != OVERVIEW)
            futures: dict[Future[Executed], _Task] = {
                pool.submit(execute, task.job, kernel=kernel): task for task in by_length
            }
            try:
                for future in as_completed(futures):
                    task = futures[future]
                    results[task.job.label] = _result(future, task, progress, failures)
                    _publish_if_done(task.job.target, tasks, results, folder, failures)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        progress.close()
    return failures


def _result(
    future: Future[Executed], task: _Task, progress: Progress, failures: list[str]
) -> Executed | None:
    label = task.job.label
    try:
        executed = future.result()
    except NotebookError as error:
        failures.append(str(error))
        progress.failed(label)
        return None
    if executed.stderr.strip():
        progress.note(f"{label} wrote to stderr:\n{executed.stderr.strip()}")
    progress.done(label, executed.seconds)
    return executed


def _publish_if_done(
    target: str,
    tasks: Sequence[_Task],
    results: Mapping[str, Executed | None],
    folder: Path,
    failures: list[str],
) -> None:
    own = [task for task in tasks if task.job.target == target]
    stale = [task for task in own if not task.is_fresh]
    if not all(task.job.label in results for task in stale):
        return
    executed = {task.job.notebook: results[task.job.label] for task in stale}
    good = {notebook: result for notebook, result in executed.items() if result is not None}
    if len(good) < len(executed):
        return
    fresh = [task.job for task in own if task.is_fresh]
    try:
        records = reports.replace_report(folder / target, good, fresh)
    except NotebookError as error:
        failures.append(f"{target}: {error}")
        return
    if folder == paths.reports():
        for task in stale:
            record = records[task.job.notebook]
            staleness.write_record(task.job, staleness.Record(task.key, *record))


def _run_name(parameters: Mapping[str, Any]) -> str:
    """Name a folder after the parameters: readable, and different for different values."""
    text = json.dumps(parameters, sort_keys=True)
    words = "_".join(f"{name}-{value}" for name, value in sorted(parameters.items()))
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", words)[:60].strip("._")
    return f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
