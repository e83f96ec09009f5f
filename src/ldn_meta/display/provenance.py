"""Where a number came from, and what a page was computed with."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

from ldn_meta import paths
from ldn_meta.display.outputs import Table, linked, rows_of
from ldn_meta.evidence.citations import short_citation

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from ldn_meta.evidence.load import Evidence

SHORT = 12
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "matplotlib", "papermill")


def source_cell(evidence: Evidence, source_id: str, locator: str, read_from: str) -> str:
    """Table cell that leads from a number to its source and place there."""
    row = _sources(evidence)[source_id]
    label = f"{short_citation(row)}: {locator} ({read_from})"
    for column, prefix in (
        ("doi", "https://doi.org/"),
        ("pmid", "https://pubmed.ncbi.nlm.nih.gov/"),
        ("url", ""),
        ("registry_id", "https://clinicaltrials.gov/study/"),
    ):
        value = str(row[column])
        if value in ("NR", "NA", "TODO") or (column == "registry_id" and not _is_nct(value)):
            continue
        return linked(label, f"{prefix}{value}".replace("http://", "https://", 1))
    return f"{label}; no address on file"


@functools.lru_cache(maxsize=2)
def _sources(evidence: Evidence) -> dict[str, dict[str, Any]]:
    """Rows of the sources by key; pages ask for thousands."""
    return {str(row["source_id"]): row for row in rows_of(evidence.text["sources"])}


def _is_nct(registry_id: str) -> bool:
    return registry_id.startswith("NCT") and registry_id[3:].isdigit()


def footer(notebook: str, parameters: dict[str, Any], data: Iterable[pd.DataFrame]) -> Table:
    """Effective parameters, hashes and versions; no clock, host, user or commit.

    Parameters
    ----------
    notebook : str
        Name of the template, without suffix.
    parameters : dict
        Effective values.
    data : iterable of pandas.DataFrame
        The derived rows the page was computed from; only these, so that a trial of another
        condition leaves the page as it is.

    Returns
    -------
    Table
    """
    import pandas as pd

    root = paths.project_root()
    given = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    rows = [
        ("parameters", given),
        ("this template", _hash(paths.notebooks() / f"{notebook}.ipynb")),
        ("rows of data/derived used", _hash_frames(data)),
        ("analysis plan (protocol.toml)", _hash(paths.raw_data() / "protocol.toml")),
        ("requirements.lock", _hash(root / "requirements.lock")),
        ("versions", ", ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES)),
        ("rebuild", "make reports"),
    ]
    return Table(
        pd.DataFrame(rows, columns=["what", "value"]),
        "Computed with",
        "Hashes are the first twelve digits of SHA-256. Research software, not medical "
        "advice. The evidence comes from a targeted look-up, not from a systematic "
        "search by two reviewers.",
    )


def _hash_frames(data: Iterable[pd.DataFrame]) -> str:
    digest = hashlib.sha256()
    for frame in data:
        digest.update(frame.to_csv(index=False, float_format="%.6g").encode())
    return digest.hexdigest()[:SHORT]


def _hash(path: Any) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:SHORT] if path.is_file() else "missing"
