"""Where things are; no other module spells a path of the repository."""

from __future__ import annotations

import os
from pathlib import Path


def project_root() -> Path:
    """Find the checkout: LDN_META_ROOT, else the nearest folder above with data/raw."""
    named = os.environ.get("LDN_META_ROOT")
    if named:
        return Path(named).resolve()
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if (folder / "data" / "raw" / "datapackage.json").is_file():
                return folder
    message = (
        "no data/raw/datapackage.json in this folder or above it: "
        "run from inside a checkout of ldn-meta, or set LDN_META_ROOT to one"
    )
    raise FileNotFoundError(message)


def raw_data() -> Path:
    """Tables typed by people."""
    return project_root() / "data" / "raw"


def derived_data() -> Path:
    """Tables computed from the raw ones; written by ``ldn-meta derive`` only."""
    return project_root() / "data" / "derived"


def notebooks() -> Path:
    """Notebook templates and their parameters."""
    return project_root() / "notebooks"


def reports() -> Path:
    """Executed notebooks, figures and facts; written by the runner only."""
    return project_root() / "reports"


def build() -> Path:
    """Scratch and site; ignored by git."""
    return project_root() / "build"
