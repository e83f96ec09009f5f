"""What notebook cells end in: text, tables and facts that display themselves."""

from __future__ import annotations

import base64
import functools
import html
import importlib.metadata
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from ldn_meta import files
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.tables import NAMING_SOURCES, cited, short_citation, source_rows
from ldn_meta.files import MISSING, SAVED, sha256

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from matplotlib.axes import Axes

    from ldn_meta.display.figures.sheet import ShownFigure
    from ldn_meta.evidence.raw.tables import Evidence


# A name becomes a file name and an anchor, on every system.
_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


# Taken out of a page when its figures are filed: no notebook shows them.
NARROW_MIME = "application/vnd.ldn-meta.narrow+svg"
PDF_MIME = "application/vnd.ldn-meta.pdf"


@dataclass(frozen=True)
class Picture:
    """A finished drawing that matplotlib did not make: its SVG text and its PNG bytes."""

    svg: str
    png: bytes


@dataclass(frozen=True, repr=False)
class FigureOutput:
    """A figure with its name and its words, which shows itself in a notebook.

    The bytes depend on the drawing alone: no date, no program version, no session settings.
    """

    figure: ShownFigure | Picture
    name: str
    alt: str

    def __post_init__(self) -> None:
        """Refuse a name that cannot be filed and a figure without words."""
        if not _NAME.fullmatch(self.name):
            message = (
                f"name is {self.name!r}: allowed are lower-case letters and digits, "
                "joined by hyphens or underscores"
            )
            raise ArgumentError(message)
        if not self.alt.strip():
            message = f"alt is empty for figure {self.name!r}: say in words what it shows"
            raise ArgumentError(message)

    def png(self) -> bytes:
        """Return the image as PNG, 110 dots an inch."""
        return self.figure.png if isinstance(self.figure, Picture) else self.figure.png()

    def svg(self) -> str:
        """Return the image as SVG, with title and description."""
        if isinstance(self.figure, Picture):
            return self.figure.svg
        return self.figure.svg(self.name, self.alt)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> tuple[dict[str, str], dict[str, object]]:
        """Hand Jupyter the picture in three forms; one that is not wanted is not drawn."""
        makers: dict[str, Callable[[], str]] = {
            "image/png": lambda: base64.b64encode(self.png()).decode("ascii"),
            "image/svg+xml": self.svg,
            "text/plain": lambda: self.alt,
        }
        if not isinstance(self.figure, Picture) and (narrow := self.figure.narrow) is not None:
            pdf = self.figure.pdf
            makers[NARROW_MIME] = lambda: narrow().svg(self.name, self.alt)
            makers[PDF_MIME] = lambda: base64.b64encode(pdf()).decode("ascii")
        data = {
            mime: make()
            for mime, make in makers.items()
            if (include is None or mime in include) and mime not in (exclude or ())
        }
        label: dict[str, object] = {"figure": self.name, "alt": self.alt}
        if not isinstance(self.figure, Picture) and self.figure.is_words_only:
            label["is_words_only"] = True
        metadata: dict[str, object] = {"ldn-meta": label, "image/png": {"alt": self.alt}}
        return data, metadata

    def __repr__(self) -> str:
        """Name the figure and say what it shows."""
        return f"FigureOutput({self.name!r}: {self.alt})"


P = ParamSpec("P")


def output_of(
    plot: Callable[P, tuple[ShownFigure, Axes]],
) -> Callable[Concatenate[str, P], FigureOutput]:
    """Make of a plot what ends a notebook cell: called with a name, then as the plot is."""

    def output(name: str, /, *args: P.args, **options: P.kwargs) -> FigureOutput:
        figure, _ = plot(*args, **options)
        return FigureOutput(figure, name, figure.alt)

    return output


FACTS_MIME = "application/vnd.ldn-meta.facts+json"
LINK_START = "https://"


@dataclass(frozen=True)
class Text:
    """A paragraph computed from results, shown as Markdown."""

    text: str

    def __str__(self) -> str:
        """Return the paragraph."""
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        """Return the paragraph."""
        return self.text


@dataclass(frozen=True, eq=False)
class Table:
    """A table for readers: a caption that says what it shows, rows of text, a note."""

    frame: pd.DataFrame
    caption: str
    note: str = ""
    empty: str = "None."

    def _repr_html_(self) -> str:
        head = f"<p><strong>{html.escape(self.caption)}</strong></p>"
        note = f"<p><small>{html.escape(self.note)}</small></p>" if self.note else ""
        if not len(self.frame):
            return f"{head}<p>{html.escape(self.empty)}</p>"
        cells = self.frame.astype("str").map(_cell)
        cells.columns = [html.escape(str(name)) for name in cells.columns]
        body = cells.to_html(
            index=False, escape=False, border=0, classes="ldn-table", justify="left"
        )
        return f"{head}{body}{note}"

    def __repr__(self) -> str:
        """Return the table as plain text."""
        if not len(self.frame):
            return f"{self.caption}\n{self.empty}"
        plain = self.frame.astype("str").map(lambda cell: cell.partition("|" + LINK_START)[0])
        return f"{self.caption}\n{plain.to_string(index=False)}"


@dataclass(frozen=True)
class Facts:
    """The numbers behind a page; the runner files them in facts.json."""

    values: dict[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        noun = "fact" if len(self.values) == 1 else "facts"
        return {
            FACTS_MIME: _plain(self.values),
            "text/plain": f"{len(self.values)} {noun} filed in facts.json",
        }


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dicts."""
    names = [str(name) for name in frame.columns]
    columns = [frame[name].tolist() for name in frame.columns]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _plain(value: Any) -> Any:
    """Return the same shape in what JSON can hold; undefined numbers become None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def linked(label: str, address: str) -> str:
    """Make a table cell that is a link."""
    return f"{label}|{address}"


def _cell(text: str) -> str:
    label, bar, rest = text.partition("|" + LINK_START)
    if not bar:
        return html.escape(text)
    return f'<a href="{html.escape(LINK_START + rest)}">{html.escape(label)}</a>'


SHORT = 12
DISCLAIMER = "Research software, not medical advice."
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "matplotlib", "papermill")


# Columns of a source that lead to it, the best first, and what makes an address of each.
ADDRESSES = {
    "doi": "https://doi.org/",
    "pmid": "https://pubmed.ncbi.nlm.nih.gov/",
    "url": "",
    "registry_id": "https://clinicaltrials.gov/study/",
}
_NCT = re.compile(r"NCT\d+")


def source_cell(evidence: Evidence, row: Mapping[Any, Any]) -> str:
    """Table cell that leads from a row, by the source it names, to the place in that source."""
    sources = _sources(evidence)
    source = sources[[str(row[name]) for name in NAMING_SOURCES if name in row][-1]]
    label = f"{cited(row, sources)}: {row['locator']} ({row['read_from']})"
    for column, prefix in ADDRESSES.items():
        value = str(source[column])
        if value in MISSING or (column == "registry_id" and not _NCT.fullmatch(value)):
            continue
        return linked(label, f"{prefix}{value}".replace("http://", "https://", 1))
    return f"{label}; no address on file"


# Pages ask for thousands.
_sources = functools.lru_cache(maxsize=2)(source_rows)


# Texts of data/raw name sources, studies and outcomes by their keys; a word without a digit, a
# hyphen or an underscore is taken as a word.
_KEY = re.compile(r"\b(?=[a-z-]*[\d_-])[a-z][a-z\d]*(?:[-_][a-z\d]+)*\b")


def named(evidence: Evidence, text: str) -> str:
    """Name what a text of data/raw names by key as readers know it; not what is a link."""
    label, bar, rest = text.partition("|" + LINK_START)
    return _KEY.sub(lambda key: _labels(evidence).get(key[0], key[0]), label) + bar + rest


@functools.lru_cache(maxsize=2)
def _labels(evidence: Evidence) -> dict[str, str]:
    """What readers call everything that texts name by key: sources by their short citation."""
    found: dict[str, str] = {}
    for table, key, label in (
        ("outcomes", "construct", "construct_label"),
        ("outcomes", "outcome_id", "instrument"),
        ("indications", "indication_id", "label"),
        ("arms", "arm_id", "label"),
    ):
        found |= dict(zip(evidence.text[table][key], evidence.text[table][label], strict=True))
    return found | {key: short_citation(row) for key, row in _sources(evidence).items()}


def footer(notebook: str, parameters: dict[str, Any], data: Iterable[pd.DataFrame]) -> Table:
    """Effective parameters, hashes and versions; no clock, host, user or commit."""
    import pandas as pd

    root = files.project_root()
    given = ", ".join(f"{name} = {value}" for name, value in parameters.items())
    rows = [
        ("parameters", given),
        ("this template", _hash(files.notebooks() / f"{notebook}.ipynb")),
        ("rows of data/derived used", _hash_frames(data)),
        ("analysis plan (protocol.toml)", _hash(files.raw_data() / "protocol.toml")),
        ("requirements.lock", _hash(root / "requirements.lock")),
        ("versions", ", ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES)),
        ("rebuild", "make reports"),
    ]
    return Table(
        pd.DataFrame(rows, columns=["what", "value"]),
        "Computed with",
        f"Hashes: first twelve digits of SHA-256. {DISCLAIMER}",
    )


def _hash_frames(data: Iterable[pd.DataFrame]) -> str:
    tables = (frame.to_csv(index=False, float_format=f"%{SAVED}") for frame in data)
    return sha256("".join(tables).encode())[:SHORT]


def _hash(path: Any) -> str:
    return sha256(path.read_bytes())[:SHORT] if path.is_file() else "missing"
