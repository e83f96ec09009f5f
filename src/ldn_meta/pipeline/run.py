"""From raw to derived tables, all or none; from these to reports, the notebooks that changed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ldn_meta import files
from ldn_meta.errors import NotebookError, StaleError
from ldn_meta.pipeline.kernels import KernelSource, fixed_surroundings, kernel_source
from ldn_meta.pipeline.notebooks import (
    CHOICES_FILE,
    FACTS,
    OVERVIEW,
    Job,
    Keys,
    Outputs,
    Record,
    facts_bytes,
    fill_titles,
    for_readers,
    is_fresh,
    normalise,
    plan,
    read_facts,
    read_record,
    take_outputs,
    write_record,
)

if TYPE_CHECKING:
    import pandas as pd


PRINTED_NUMBERS = "consistency"


@dataclass(frozen=True)
class DeriveSummary:
    """What ``derive`` did."""

    rows: Mapping[str, int]
    changed: tuple[str, ...]
    was_current: bool
    computed_checks: pd.DataFrame | None = None

    @functools.cached_property
    def checks(self) -> pd.DataFrame | None:
        """What the checks of printed numbers found; None without that table."""
        return _checks_on_disk() if self.was_current else self.computed_checks

    @property
    def printed_numbers(self) -> tuple[str, ...]:
        """What does not fit, in lines."""
        from ldn_meta.evidence.audit.consistency import consistency_summary

        return () if self.checks is None else tuple(consistency_summary(self.checks))

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Every check as a record."""
        if self.checks is None:
            return []
        names = ["table", "row_id", "check", "verdict", "severity", "is_accepted", "explanation"]
        found: list[dict[str, Any]] = json.loads(self.checks[names].to_json(orient="records"))
        return found


def derive(*, check_only: bool = False, force: bool = False) -> DeriveSummary:
    """Check the raw tables and compute the derived ones.

    Tables that were made from what stands in data/raw and in the code were checked when they were
    made: unless forced, what was found then is told again.
    """
    folder = files.derived_data()
    with files.exclusive_writer():
        files.restore_folder(folder)
        if not force and files.derived_is_current():
            return DeriveSummary({}, (), was_current=True)
        # Hashed before the tables are read: an edit in between makes the manifest too old,
        # which the next run sees, and never too new.
        made_from = files.inputs()
        with _stages() as stage:
            tables = _compute(stage)
        made = {f"{name}.csv": files.csv_bytes(table) for name, table in tables.items()}
        hashes = {name: files.sha256(data) for name, data in made.items()}
        made[files.MANIFEST] = files.manifest_bytes(made_from, hashes)
        new = {name: files.sha256(data) for name, data in made.items()}
        old = files.file_hashes(folder)
        changed = sorted(
            name for name in new.keys() | old.keys() if new.get(name) != old.get(name)
        )
        if changed and not check_only:
            files.write_folder(folder, made)
    return DeriveSummary(
        rows={name: len(table) for name, table in tables.items()},
        changed=tuple(changed),
        was_current=False,
        computed_checks=tables.get(PRINTED_NUMBERS),
    )


def _checks_on_disk() -> pd.DataFrame | None:
    """The checks of printed numbers as data/derived has them, if it does."""
    import pandas as pd

    file = files.derived_data() / f"{PRINTED_NUMBERS}.csv"
    if not file.is_file():
        return None
    return pd.read_csv(file, true_values=["yes"], false_values=["no"])


@contextlib.contextmanager
def _stages() -> Iterator[Callable[[str], None]]:
    """Tell a terminal what is being worked on; anything else hears of the end."""
    if not sys.stderr.isatty():
        yield lambda words: None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading data/raw") as status:
        yield status.update


def _compute(stage: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    from ldn_meta.evidence.derive import derive_tables
    from ldn_meta.evidence.load import load_evidence
    from ldn_meta.evidence.raw.protocol import load_protocol

    evidence = load_evidence(files.raw_data())
    protocol = load_protocol(files.raw_data())
    return derive_tables(evidence, protocol, stage)


# The slowest cell takes seconds; one that takes this long hangs.
CELL_SECONDS = 600


@dataclass(frozen=True)
class Executed:
    """A notebook that ran to its end."""

    page: bytes
    outputs: Outputs
    stderr: str
    seconds: float


def execute(job: Job, *, kernel: str) -> Executed:
    """Run a notebook in a new kernel.

    Call it inside ``fixed_surroundings``; safe in threads.
    """
    import nbformat
    import papermill

    from ldn_meta.pipeline import kernels as engine

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
        for_readers(notebook)
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

    try:
        notebook = nbformat.read(part, as_version=4)
    except ValueError:  # a full disk cut it short
        return f"{job.label} failed: {reason}"
    place = f" in cell {_broken_cell(notebook)!r}"
    if isinstance(error, PapermillExecutionError):
        reason = f"{error.ename}: {error.evalue}"
    normalise(notebook)
    kept = files.build() / "failed" / job.target / part.name
    files.write_whole(kept, notebook_bytes(notebook))
    shown = kept.relative_to(files.project_root()).as_posix()
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


# Hashes of the files a notebook wrote, by path below the report, and hash of its facts.
Written: TypeAlias = tuple[dict[str, str], str]


def replace_report(
    report: Path, executed: Mapping[str, Executed], fresh: Sequence[Job]
) -> dict[str, Written]:
    """Put new results beside those that are still good, and replace the folder.

    Nothing else survives: a figure that no notebook draws any more goes.
    """
    contents: dict[str, bytes] = {}
    writer: dict[str, str] = {}
    facts = {}
    written: dict[str, Written] = {}
    old_facts = read_facts(report)

    def add(notebook: str, name: str, data: bytes) -> None:
        if name in contents:
            message = f"{name} is drawn by {writer[name]} and by {notebook}: rename one"
            raise NotebookError(message)
        contents[name], writer[name] = data, notebook

    for job in fresh:
        record = read_record(job)
        for name in record.outputs if record else ():
            add(job.notebook, name, (report / name).read_bytes())
        if job.notebook in old_facts:
            facts[job.notebook] = old_facts[job.notebook]
    for notebook, result in executed.items():
        own = {f"{notebook}.ipynb": result.page, **result.outputs.figures}
        for name, data in own.items():
            add(notebook, name, data)
        if result.outputs.facts:
            facts[notebook] = result.outputs.facts
        hashed = {name: files.sha256(data) for name, data in own.items()}
        written[notebook] = (hashed, files.json_sha256(facts.get(notebook)))
    files.write_folder(report, {**contents, FACTS: facts_bytes(facts)})
    return written


# What a person sees while notebooks run: one line that moves, or plain lines in a log


class Progress:
    """What the runner reports to; this one says nothing, for callers who want the summary only."""

    def start(self, total: int) -> None:
        """Announce how many notebooks will run."""

    def done(self, label: str, seconds: float) -> None:
        """Report a notebook that ran to its end."""

    def failed(self, label: str) -> None:
        """Report a notebook that broke."""

    def note(self, message: str) -> None:
        """Say something that is not the end of a notebook."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Lines(Progress):
    """One plain line for each notebook, for logs and pipes."""

    def __init__(self) -> None:
        self._total = 0
        self._count = 0

    def start(self, total: int) -> None:
        """Announce how many notebooks will run."""
        self._total, self._count = total, 0
        self.note(f"running {total} {'notebook' if total == 1 else 'notebooks'}")

    def done(self, label: str, seconds: float) -> None:
        """Write the notebook and its time."""
        self._line(f"{label}  {seconds:.1f} s")

    def failed(self, label: str) -> None:
        """Write the notebook that broke."""
        self._line(f"{label}  FAILED")

    def note(self, message: str) -> None:
        """Write the message."""
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()

    def _line(self, text: str) -> None:
        self._count += 1
        self.note(f"[{self._count:>{len(str(self._total))}}/{self._total}] {text}")


class Bar(Progress):
    """A line that moves, for terminals."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("notebooks"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def start(self, total: int) -> None:
        """Show the line."""
        self._bar.update(self._task, total=total)
        self._bar.start()

    def done(self, label: str, seconds: float) -> None:
        """Move on by one notebook."""
        self._bar.update(self._task, advance=1, description=f"{label}  {seconds:.1f} s")

    def failed(self, label: str) -> None:
        """Move on, and leave a line that stays."""
        self.note(f"{label}  FAILED")
        self._bar.update(self._task, advance=1)

    def note(self, message: str) -> None:
        """Write the message above the line."""
        self._bar.console.print(message, markup=False, highlight=False)

    def close(self) -> None:
        """Take the line away."""
        self._bar.stop()


def progress_for_terminal() -> Progress:
    """Choose what suits where stderr goes."""
    return Bar() if sys.stderr.isatty() else Lines()


@dataclass(frozen=True)
class RunSummary:
    """What ``run`` did."""

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
    """
    progress = progress or Progress()
    wanted = plan(indications, parameters)
    usual = plan([name.partition("/")[0] for name in indications] if indications else None)
    is_own_run = bool(parameters) and not all(job in usual for job in wanted)
    # Only the pages that read what was changed, unless nothing was.
    wanted = wanted if is_own_run else usual
    folder = (
        files.build() / "runs" / _run_name(parameters or {}) if is_own_run else files.reports()
    )
    with files.exclusive_writer(lambda: progress.note("waiting for another run to end")):
        if not files.derived_is_current():
            message = "data/derived does not belong to data/raw: run `ldn-meta derive` first"
            raise StaleError(message)
        keys = Keys()
        tasks = []
        for job in wanted:
            report = folder / job.target
            files.restore_folder(report)
            key = keys.key(job)
            is_kept = not (force or is_own_run) and is_fresh(job, key, report)
            tasks.append(_Task(job, key, is_kept))
        stale = [task for task in tasks if not task.is_fresh]
        failures: list[str] = []
        if indications is None and not is_own_run:
            known = {job.target for job in wanted}
            for report in sorted(folder.glob("[!.]*")):
                if report.is_dir() and report.name not in known:
                    what = f"reports/{report.name} belongs to no reported indication"
                    progress.note(f"{what}: delete it")
        if stale:
            failures = _run_all(
                tasks, folder, jobs or _processors(), progress, kernels or kernel_source()
            )
    if failures:
        raise NotebookError("\n".join(sorted(failures)))
    if is_own_run:
        stated = json.dumps(dict(parameters or {}), indent=1, sort_keys=True)
        files.write_whole(folder / CHOICES_FILE, f"{stated}\n".encode())
    return RunSummary(
        executed=tuple(task.job.label for task in stale),
        fresh=tuple(task.job.label for task in tasks if task.is_fresh),
        folder=folder,
    )


def _run_all(
    tasks: Sequence[_Task],
    folder: Path,
    jobs: int,
    progress: Progress,
    kernels: KernelSource,
) -> list[str]:
    """Execute what is stale; publish each report when its last notebook is done."""
    for name in ("staging", "executing", "failed"):
        shutil.rmtree(files.build() / name, ignore_errors=True)
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
            from papermill.iorw import papermill_io

            from ldn_meta.pipeline import kernels as engine  # noqa: F401

            # One handler for all threads keeps a folder, which threads that overlap leave behind:
            # that of an earlier run in this process may be another project's.
            papermill_io.get_handler("local").cwd(None)

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
        records = replace_report(folder / target, good, fresh)
    except NotebookError as error:
        failures.append(f"{target}: {error}")
        return
    if folder == files.reports():
        for task in stale:
            record = records[task.job.notebook]
            write_record(task.job, Record(task.key, *record))


def _run_name(parameters: Mapping[str, Any]) -> str:
    """Name a folder after the parameters: readable, and different for different values."""
    text = json.dumps(parameters, sort_keys=True)
    words = "_".join(f"{name}-{value}" for name, value in sorted(parameters.items()))
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", words)[:60].strip("._")
    return f"{readable}-{files.sha256(text.encode())[:8]}"


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
