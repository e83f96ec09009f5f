"""Files that readers take along: tables, figures, notebooks; and the links to them."""

from __future__ import annotations

import html
from collections.abc import Iterable
from pathlib import Path

from ldn_meta import paths

FOLDER = "downloads"
# Tables that a page rests on, of data/derived unless a folder is named.
TABLES = {
    "10_included_trials": (
        *("raw/studies", "raw/arms", "raw/study_facts", "raw/risk_of_bias", "left_out"),
        *("conflicts", "consistency"),
    ),
    "20_pooled_effect": ("effects", "pooled", "left_out"),
    "25_without_pooling": ("directions",),
    "30_responder_rates": ("responders", "pooled"),
    "40_safety": ("harms", "pooled"),
    "50_robustness": ("multiverse", "multiverse_nodes", "pooled"),
    "60_certainty": ("certainty", "certainty_domains", "raw/certainty"),
    "90_overview": ("pooled", "directions", "certainty"),
    "91_claims": ("claims", "raw/claims"),
    "92_dose": ("raw/study_facts", "raw/arm_events"),
    "93_printed_numbers": ("consistency",),
}
FORMATS = ("png", "svg")


def downloads() -> dict[str, Path]:
    """List what can be taken along.

    Returns
    -------
    dict of str to Path
        Files by path below the top of the site: every table of data/raw and data/derived with
        the data dictionary, every notebook and figure of the reports.
    """
    found = {}
    for folder in (paths.raw_data(), paths.derived_data()):
        for file in (*folder.glob("*.csv"), *folder.glob("datapackage.json")):
            found[f"{FOLDER}/data/{folder.name}/{file.name}"] = file
    for report in paths.reports().glob("*/"):
        for file in (*report.glob("*.ipynb"), *report.glob("figures/*")):
            found[f"{FOLDER}/{report.name}/{file.name}"] = file
    return dict(sorted(found.items()))


def figure_bar(name: str, report: str, up: str) -> str:
    """Write links to a figure of a report in its formats.

    Parameters
    ----------
    name : str
        Stem of the figure's files.
    report : str
        Folder of the report.
    up : str
        Way from the page to the top of the site.

    Returns
    -------
    str
        HTML.
    """
    links = (
        (f"{FOLDER}/{report}/{name}.{ending}", f"Figure as {ending.upper()}") for ending in FORMATS
    )
    return _bar("this figure", links, up)


def page_bar(notebook: str, report: str, up: str) -> str:
    """Write links to an executed notebook and the tables it rests on, as HTML."""
    tables = [name if "/" in name else f"derived/{name}" for name in TABLES.get(notebook, ())]
    files = [
        (f"{FOLDER}/{report}/{notebook}.ipynb", "This page as a notebook"),
        *((f"{FOLDER}/data/{table}.csv", f"data/{table}.csv") for table in tables),
    ]
    return _bar("this page", files, up)


def data_bar(folder: str, up: str) -> str:
    """Write links to every table of data/raw or data/derived, as HTML."""
    start = f"{FOLDER}/data/{folder}/"
    return _bar(
        f"data/{folder}",
        ((file, file.removeprefix(start)) for file in downloads() if file.startswith(start)),
        up,
    )


def _bar(what: str, files: Iterable[tuple[str, str]], up: str) -> str:
    links = "".join(
        f'<a class="ldn-download" download href="{html.escape(up + file)}">'
        f"{html.escape(words)}</a>"
        for file, words in files
    )
    name = html.escape(f"Downloads of {what}")
    return f'<div class="ldn-downloads" role="group" aria-label="{name}">{links}</div>'
