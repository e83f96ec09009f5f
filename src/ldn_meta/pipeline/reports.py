"""The folder of one indication: pages, figures and facts.json, replaced as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from ldn_meta import paths
from ldn_meta.errors import NotebookError
from ldn_meta.pipeline import hashes, publish, staleness
from ldn_meta.pipeline.execute import Executed
from ldn_meta.pipeline.outputs import facts_bytes
from ldn_meta.pipeline.parameters import Job

# Hashes of the files a notebook wrote, by path below the report, and hash of its facts.
Written: TypeAlias = tuple[dict[str, str], str]


def replace_report(
    report: Path, executed: Mapping[str, Executed], fresh: Sequence[Job]
) -> dict[str, Written]:
    """Put new results beside those that are still good, and replace the folder.

    Nothing else survives: a figure that no notebook draws any more goes.

    Parameters
    ----------
    report : Path
        Folder of the indication.
    executed : mapping of str to Executed
        New results by notebook.
    fresh : sequence of Job
        Notebooks of the same report that did not have to run; what they wrote last is kept.

    Returns
    -------
    dict of str to Written
        What each executed notebook wrote.

    Raises
    ------
    NotebookError
        If two notebooks write the same figure; nothing is replaced then.
    """
    files: dict[str, bytes] = {}
    writer: dict[str, str] = {}
    facts = {}
    written: dict[str, Written] = {}
    old_facts = staleness.read_facts(report)

    def add(notebook: str, name: str, data: bytes) -> None:
        if name in files:
            message = f"{name} is drawn by {writer[name]} and by {notebook}: rename one"
            raise NotebookError(message)
        files[name], writer[name] = data, notebook

    for job in fresh:
        record = staleness.read_record(job)
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
        hashed = {name: hashes.sha256(data) for name, data in own.items()}
        written[notebook] = (hashed, hashes.json_sha256(facts.get(notebook)))

    staged = paths.build() / "staging" / report.name
    shutil.rmtree(staged, ignore_errors=True)
    for name, data in {**files, staleness.FACTS: facts_bytes(facts)}.items():
        publish.write_whole(staged / name, data)
    publish.replace_folder(staged, report)
    return written
