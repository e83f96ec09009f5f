"""From names in tables and sentences to pages of the site; the notebooks stay as they are."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
    """List what can be taken along."""
    found = {}
    for folder in (paths.raw_data(), paths.derived_data()):
        for file in (*folder.glob("*.csv"), *folder.glob("datapackage.json")):
            found[f"{FOLDER}/data/{folder.name}/{file.name}"] = file
    for report in paths.reports().glob("*/"):
        for file in (*report.glob("*.ipynb"), *report.glob("figures/*")):
            found[f"{FOLDER}/{report.name}/{file.name}"] = file
    return dict(sorted(found.items()))


def figure_bar(name: str, report: str, up: str) -> str:
    """Write links to a figure of a report in its formats."""
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


STUDIES = "studies"
# The theme lets what has this class scroll by itself, with the keyboard too.
SCROLLS = "pst-scrollable-table-container"
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_CELL = re.compile(r"(<td\b[^>]*>)(.*?)(</td>)", re.DOTALL)
_CAPTION = re.compile(r"<strong>([^<]*)</strong></p>\s*$")
# A citation without an address starts like a study, and is none.
_CITATION = "no address on file"


@dataclass(frozen=True)
class Links:
    """Links from one folder of the site."""

    targets: Mapping[str, str]

    @property
    def _names(self) -> re.Pattern[str]:
        # The longest first: "Younger 2009 (50 mg)" is not "Younger 2009".
        escaped = {html.escape(name, quote=False) for name in self.targets} | set(self.targets)
        names = sorted(escaped, key=lambda name: (-len(name), name))
        return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, names)) + r")(?![\w-])")

    def in_html(self, text: str) -> str:
        """Link names in table cells, and let every table scroll by itself."""
        if self.targets:
            names = self._names
            text = _CELL.sub(
                lambda cell: cell[1] + self._in_cell(cell[2], names) + cell[3],
                text,
            )
        return scrolling(text)

    def in_words(self, text: str) -> str:
        """Link names in a paragraph of Markdown."""
        return self._linked(text, self._names) if self.targets else text

    def _in_cell(self, cell: str, names: re.Pattern[str]) -> str:
        return cell if "<a " in cell or _CITATION in cell else self._linked(cell, names)

    def _linked(self, text: str, names: re.Pattern[str]) -> str:
        return names.sub(
            lambda name: f'<a href="{self.targets[html.unescape(name[0])]}">{name[0]}</a>', text
        )


def scrolling(text: str) -> str:
    """Put every table into a container that scrolls, named by the caption before the table."""

    def contained(table: re.Match[str]) -> str:
        caption = _CAPTION.search(text, 0, table.start())
        name = caption[1] if caption else "Table"
        region = f'<div class="{SCROLLS}" role="region" aria-label="{name}">'
        return f"{region}{table[0]}</div>"

    return _TABLE.sub(contained, text)


def study_links(labels: Mapping[str, str], up: str) -> Links:
    """Link studies from a folder."""
    return Links({label: f"{up}{STUDIES}/{key}.html" for key, label in labels.items()})
