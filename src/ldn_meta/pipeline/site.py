"""The reports as pages that open without a network: Sphinx, MyST-NB, sphinx-book-theme."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ldn_meta import paths
from ldn_meta.errors import LdnMetaError
from ldn_meta.pipeline import hashes, publish
from ldn_meta.pipeline.explore import write_explore
from ldn_meta.pipeline.site_downloads import downloads
from ldn_meta.pipeline.site_pages import pages

# What Sphinx leaves for itself.
_NO_PAGES = (".buildinfo*", "_sources", "objects.inv")
_ENVIRONMENT = {
    "SOURCE_DATE_EPOCH": "1577836800",  # the moment Sphinx writes instead of the clock's
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "",
    "TZ": "UTC",
}


def build_site(*, force: bool = False) -> bool:
    """Build ``build/site`` if anything it shows changed.

    Parameters
    ----------
    force : bool
        Build from nothing.

    Returns
    -------
    bool
        Whether pages were built; the first is ``build/site/index.html``.

    Raises
    ------
    LdnMetaError
        If Sphinx warns of anything; the pages of the last good build stay.
    """
    with publish.exclusive_writer():
        site = paths.build() / "site"
        publish.restore_folder(site)
        key = _key()
        record = paths.build() / "stale" / "site.key"
        is_same = record.is_file() and record.read_text() == key
        if is_same and (site / "index.html").is_file() and not force:
            return False
        work = paths.build() / "sphinx"
        if force:
            shutil.rmtree(work, ignore_errors=True)
        _write_sources(work / "source", pages())
        _run_sphinx(work)
        staged = paths.build() / "staging" / "site"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(work / "html", staged, ignore=shutil.ignore_patterns(*_NO_PAGES))
        for name, file in downloads().items():
            publish.write_whole(staged / name, file.read_bytes())
        write_explore(staged)
        publish.replace_folder(staged, site)
        publish.write_whole(record, key.encode())
    return True


def _key() -> str:
    """Hash everything the pages show and everything that makes them."""
    root = paths.project_root()
    shown = [
        file
        for folder in (paths.reports(), paths.raw_data(), paths.derived_data(), root / "docs")
        for file in folder.rglob("*")
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(root).parts)
    ]
    return hashes.json_sha256(
        {
            "shown": hashes.tree_sha256(root, shown),
            "source": hashes.source_sha256(),
            "lock": hashes.lock_sha256(),
            "python": sys.version,
        }
    )


def _write_sources(folder: Path, wanted: Mapping[str, bytes]) -> None:
    """Write what changed and remove what is no page any more, so that Sphinx redoes little."""
    for file in [file for file in folder.rglob("*") if file.is_file()]:
        if file.relative_to(folder).as_posix() not in wanted:
            file.unlink()
    for name, data in wanted.items():
        publish.write_whole(folder / name, data)


def _run_sphinx(work: Path) -> None:
    settings = paths.project_root() / "docs"
    folders = ("-c", settings, "-d", work / "doctrees", work / "source", work / "html")
    # -a writes every page: the sidebar of each shows the titles of all. Nothing older lies there,
    # or addresses of style sheets would tell a second build from a first.
    shutil.rmtree(work / "html", ignore_errors=True)
    sphinx = (sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-a", "-b", "html")
    command = [*sphinx, *map(str, folders)]
    done = subprocess.run(
        command, env={**os.environ, **_ENVIRONMENT}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        # Pages that warned count as done for Sphinx; it must look at them again next time.
        shutil.rmtree(work / "doctrees", ignore_errors=True)
        reason = (done.stderr or done.stdout).strip()
        message = f"the site was not built, the last good one stays in build/site:\n{reason}"
        raise LdnMetaError(message)
