"""From names in tables and sentences to pages of the site; the notebooks stay as they are."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

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
    """Links from one folder of the site.

    Attributes
    ----------
    targets : mapping of str to str
        Page by the words that lead there; addresses relative to the folder.
    """

    targets: Mapping[str, str]

    @property
    def _names(self) -> re.Pattern[str]:
        # The longest first: "Younger 2009 (50 mg)" is not "Younger 2009".
        escaped = {html.escape(name, quote=False) for name in self.targets} | set(self.targets)
        names = sorted(escaped, key=lambda name: (-len(name), name))
        return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, names)) + r")(?![\w-])")

    def in_html(self, text: str) -> str:
        """Link names in table cells, and let every table scroll by itself.

        Parameters
        ----------
        text : str
            HTML as tables of ``display.outputs`` write it.

        Returns
        -------
        str
        """
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
    """Link studies from a folder.

    Parameters
    ----------
    labels : mapping of str to str
        Label by study_id.
    up : str
        Way from the folder to the top of the site: ``"../../"``.

    Returns
    -------
    Links
    """
    return Links({label: f"{up}{STUDIES}/{key}.html" for key, label in labels.items()})
