"""Results for other programs and people.

Pools for R with metafor, every specification of the multiverse, and the report of a condition for
Word, spreadsheets and reference managers.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
import re
import shutil
import tomllib
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from html.parser import HTMLParser
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ldn_meta import files
from ldn_meta.display.outputs import ADDRESSES, DISCLAIMER
from ldn_meta.display.words import capitalised
from ldn_meta.errors import LdnMetaError, ParameterError, did_you_mean
from ldn_meta.evidence.raw.review import load_review
from ldn_meta.files import (
    MISSING,
    csv_bytes,
    csv_records,
    csv_rows,
    csv_text,
    exclusive_writer,
    inputs,
    number_text,
    sha256,
    write_together,
    write_whole,
)
from ldn_meta.pipeline.notebooks import (
    FACTS,
    figure_label,
    is_nothing,
    reported_indications,
    shown_cells,
    unknown,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.multiverse import Multiverse
    from ldn_meta.evidence.derived import Derived


# What metafor calls our methods.
METHODS = {
    **{name: name.upper() for name in ("dl", "he", "hs", "sj", "ml", "reml", "eb", "pm")},
    "common": "EE",
}
TESTS = {"wald": "z", "knapp-hartung": "knha", "knapp-hartung-floored": "adhoc"}
OWN_INTERVALS = """ci_low, ci_high: each trial's own interval, as printed, by t on df where its
# standard error came from a t statistic, else normal. metafor has no df of a single row."""
RESULTS = ("estimate", "ci_low", "ci_high", "tau2")
# Six significant digits are saved, of numbers around 1.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Export:
    """One pool as two files."""

    table: Path
    script: Path
    key: dict[str, str]
    results: dict[str, float]
    trials: int


def export(
    indication: str, *, construct: str | None = None, folder: Path | None = None
) -> tuple[Export, ...]:
    """Write the main pools of an outcome for R."""
    from ldn_meta.evidence.derived import load_derived
    from ldn_meta.evidence.raw.selection import MAIN
    from ldn_meta.evidence.raw.tables import as_records

    _reported(indication)
    derived = load_derived(indication)
    pools = derived.pooled[derived.pooled["analysis"] == MAIN]
    constructs = sorted(set(pools["construct"]))
    row = derived.evidence.indications.iloc[0]
    wanted = construct or str(row["main_construct"])
    if construct is not None and construct not in constructs:
        hint = did_you_mean(construct, constructs, " ")
        there = ", ".join(constructs) or "no pool at all"
        message = f"no pool of {construct!r} in {indication}; {hint}there is {there}"
        raise ParameterError(message)
    found = pools[pools["construct"] == wanted]
    if found.empty:
        takes = f"--construct takes {', '.join(constructs)}"
        others = takes if constructs else "nor anything else"
        message = f"nothing was pooled for {wanted} in {indication}; {others}"
        raise LdnMetaError(message)
    where = files.build() / "export" if folder is None else folder
    return tuple(_write(derived, pool, where) for pool in as_records(found))


def _reported(indication: str) -> dict[str, str]:
    """Row of an indication that has pages; refuse every other."""
    known = reported_indications()
    if indication not in known:
        raise ParameterError(unknown(f"indication {indication!r}", indication, known))
    return known[indication]


def rows_for_r(indication: str, construct: str) -> dict[str, bytes]:
    """Rows and scripts of the main pools of an outcome, by names of files."""
    from ldn_meta.evidence.derived import load_derived
    from ldn_meta.evidence.raw.selection import MAIN
    from ldn_meta.evidence.raw.tables import as_records

    derived = load_derived(indication)
    return {
        name: data
        for pool in as_records(derived.pooled)
        if pool["analysis"] == MAIN and pool["construct"] == construct
        for name, data in _for_r(derived, pool).items()
    }


def r_script(table: str, title: str, settings: Mapping[str, Any]) -> str:
    """Write R that pools a table and compares the answer with the saved one."""
    saved = ", ".join(f"{name} = {_r_number(settings[name])}" for name in RESULTS)
    return f"""\
# {title}. In this folder: Rscript {Path(table).stem}.R
# yi and vi are what was pooled; numbers of the arms are as printed, on the instrument's scale.
# {OWN_INTERVALS}
library(metafor)
d <- read.csv("{table}", na.strings = "NA")
fit <- rma(yi, vi, data = d, slab = slab, method = "{METHODS[settings["tau2_method"]]}",
           test = "{TESTS[settings["ci_method"]]}", level = {100 * settings["level"]:g},
           control = list(threshold = 1e-12, maxiter = 100000, stepadj = 0.5))
found <- c(estimate = fit$b[1], ci_low = fit$ci.lb, ci_high = fit$ci.ub, tau2 = fit$tau2)
if (nrow(d) == 1) found[c("ci_low", "ci_high")] <- c(d$ci_low, d$ci_high)
saved <- c({saved})
print(fit); print(rbind(found, saved))
stopifnot(all(abs(found - saved) <= {TOLERANCE:g} * pmax(1, abs(saved)), na.rm = TRUE))
"""


def metafor_table(trials: pd.DataFrame, arm_stats: pd.DataFrame) -> pd.DataFrame:
    """Lay out effects as metafor names them."""
    from ldn_meta.evidence.effects.rows import number

    arms = arm_stats.set_index("row_id")
    table = trials.rename(
        columns={
            "study_label": "slab",
            "n_1": "n1i",
            "n_2": "n2i",
            "events_1": "ai",
            "events_2": "ci",
        }
    )
    for group, place in (("1", 0), ("2", 1)):
        rows = [_arm_rows(text) for text in trials["rows"]]
        for ours, theirs in (("mean", "m"), ("sd", "sd")):
            table[f"{theirs}{group}i"] = [
                number(arms.loc[names[place]].to_dict()[ours]) if len(names) > 1 else math.nan
                for names in rows
            ]
    numbers = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i", "ai", "ci")
    origin = (
        "study_id",
        "effect_id",
        "measure",
        "unit",
        "estimand",
        "instrument",
        "timepoint_weeks",
        "route",
    )
    own = ("df", "ci_low", "ci_high", "ci_from")
    where = ("rows", "reported_in", "read_in", "locator")
    return table[["slab", "yi", "vi", *own, *numbers, *origin, *where]]


def _write(derived: Derived, pool: Mapping[str, Any], folder: Path) -> Export:
    made = {folder / name: data for name, data in _for_r(derived, pool).items()}
    write_together(made)
    table, script = made
    results = {name: float(pool[name]) for name in RESULTS}
    return Export(table, script, _key_of(pool), results, len(_effects_of(pool)))


def _key_of(pool: Mapping[str, Any]) -> dict[str, str]:
    names = ("indication_id", "construct", "comparator_class", "measure", "unit")
    return {name: str(pool[name]) for name in names}


def _effects_of(pool: Mapping[str, Any]) -> list[str]:
    return str(pool["effects"]).split(" ")


def _for_r(derived: Derived, pool: Mapping[str, Any]) -> dict[str, bytes]:
    """Rows of a pool, and the script for them, by names of files."""
    from ldn_meta.evidence.entry import slug

    trials = derived.effects.set_index("effect_id", drop=False).loc[_effects_of(pool)]
    table = metafor_table(trials, derived.evidence.arm_stats)
    key = _key_of(pool)
    # Two scales of one outcome are two pools, so the unit is part of the name.
    name = "-".join([slug(text, "_") for text in key.values()])
    title = (
        f"{trials['construct_label'].iloc[0]}, {derived.evidence.indications['label'].iloc[0]}, "
        f"against {key['comparator_class']}: {key['measure']}, {key['unit']}"
    )
    settings = {**pool, "level": derived.protocol.model.level}
    text = r_script(f"{name}.csv", title, settings)
    return {f"{name}.csv": csv_bytes(table), f"{name}.R": text.encode()}


def _arm_rows(rows: str) -> list[str]:
    names = [name.partition(":") for name in rows.split(" ")]
    return [row_id for table, _, row_id in names if table == "arm_stats"]


def _r_number(value: float) -> str:
    return "NA" if math.isnan(value) else number_text(float(value))


KEY = "made_from.json"


@dataclass(frozen=True)
class Part:
    """A piece of one multiverse: analyses ``start`` to ``stop`` in one parquet file."""

    file: Path
    start: int
    stop: int
    place: int


@dataclass(frozen=True)
class Plan:
    """Multiverses, their parts, and which of them are on disk already."""

    found: tuple[Multiverse, ...]
    missing: tuple[Part, ...]
    kept: int


def plan(indications: Sequence[str] | None = None, *, chunk: int | None = None) -> Plan:
    """Lay out the parts; what an earlier run with other inputs left is removed."""
    from ldn_meta.evidence.answer.multiverse import CHUNK, all_multiverses
    from ldn_meta.evidence.load import load_evidence
    from ldn_meta.evidence.raw.protocol import load_protocol

    for name in indications or ():
        _reported(name)
    made_from = inputs()
    asked = indications or reported_indications()
    found = tuple(all_multiverses(load_evidence(), load_protocol(), asked))
    size = chunk or CHUNK
    missing: list[Part] = []
    kept = 0
    for place, one in enumerate(found):
        folder = _folder(one)
        key = json.dumps({**made_from, "chunk": size}, sort_keys=True).encode()
        if not (folder / KEY).is_file() or (folder / KEY).read_bytes() != key:
            shutil.rmtree(folder, ignore_errors=True)
            write_whole(folder / KEY, key)
        for number, start in enumerate(range(0, len(one), size)):
            file = folder / f"part-{number:05d}.parquet"
            if file.is_file():
                kept += 1
            else:
                missing.append(Part(file, start, min(start + size, len(one)), place))
    return Plan(found, tuple(missing), kept)


def run(laid_out: Plan, *, scheduler: str | None = None) -> Iterator[Part]:
    """Compute the missing parts, here or on the workers of a dask scheduler.

    Interrupted, it goes on where it was: a part is on disk whole or not at all.
    """
    with exclusive_writer():
        for part, frame in _computed(laid_out, scheduler):
            write_whole(part.file, _parquet(frame))
            yield part


def _parquet(frame: pd.DataFrame) -> bytes:
    """A frame as the bytes of a parquet file."""
    with warnings.catch_warnings():
        # Its import looks up an option that pandas is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        import fastparquet

    files.build().mkdir(exist_ok=True)
    with TemporaryDirectory(dir=files.build(), prefix=".part-") as folder:
        file = Path(folder) / "part.parquet"
        fastparquet.write(str(file), frame)
        return file.read_bytes()


def _computed(laid_out: Plan, scheduler: str | None) -> Iterator[tuple[Part, pd.DataFrame]]:
    if scheduler is None:
        for part in laid_out.missing:
            yield part, laid_out.found[part.place].frame(part.start, part.stop)
        return
    from ldn_meta.evidence.answer.multiverse import Multiverse

    try:
        import distributed
    except ImportError as error:
        message = "--scheduler needs the extra: pip install 'ldn-meta[distributed]'"
        raise ParameterError(message) from error
    try:
        connect: Any = distributed.Client
        client = connect(scheduler, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        message = f"no dask scheduler answers at {scheduler!r}: {error}"
        raise ParameterError(message) from error
    done: Any = distributed.as_completed
    with client:
        remote = client.scatter(list(laid_out.found), broadcast=True, hash=False)
        futures = {
            client.submit(
                Multiverse.frame, remote[part.place], part.start, part.stop, pure=False
            ): part
            for part in laid_out.missing
        }
        for future in done(futures):
            yield futures[future], future.result()


def _folder(found: Multiverse) -> Path:
    return files.build() / "multiverse" / found.indication_id / found.construct


# A report to carry away, made of what the executed pages show

# Says nothing if nothing but the main line is in it.
CHOICES = "20_pooled_effect/sensitivity"


@lru_cache(maxsize=2)
def _read_layout(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def layout() -> dict[str, Any]:
    """What site and reports show in which order, and kinds of figures: data of the templates."""
    return _read_layout(files.site_docs() / "_templates" / "site.toml")


HEADING, TEXT, TABLE, FIGURE, REFERENCE = "heading", "text", "table", "figure", "reference"
# Paper is A4 on its side, for tables; widths in inches.
PAGE, MARGIN, WIDEST = (11.69, 8.27), 0.7, 10.0
DOTS_PER_INCH, POINTS_PER_INCH = 300, 72
TALLEST = 6.0
# Of 8 point letters in a table, in inches.
LETTER, CELL_PADDING, LONGEST_WORD = 0.065, 0.17, 16
NEEDS_WORD = "this needs the extra: pip install 'ldn-meta[word]'"


@dataclass(frozen=True)
class Block:
    """A piece of a report; of a table the first row holds the heads, of a figure text is alt."""

    kind: str
    text: str
    caption: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    svg: str = ""
    name: str = ""


@dataclass(frozen=True)
class Report:
    """The report of a condition: its title, the day of its data, and what it says in order."""

    indication: str
    title: str
    day: str
    blocks: tuple[Block, ...]

    def of(self, *kinds: str) -> list[Block]:
        """The blocks of some kinds."""
        return [block for block in self.blocks if block.kind in kinds]


def write_report(indication: str, form: str, *, folder: Path | None = None) -> Path:
    """Write the report of a condition as one file.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``; its pages have to be executed.
    form : str
        One of ``MAKERS``.
    folder : Path, optional
        Where to; ``build/report`` by default.

    Returns
    -------
    Path
        The file. The same inputs give the same bytes.
    """
    if form not in MAKERS:
        message = f"to {form!r} is unknown; {did_you_mean(form, MAKERS, ' ')}"
        raise ParameterError(f"{message}allowed: {', '.join(MAKERS)}")
    name = f"{indication}-revman.zip" if form == "revman" else f"{indication}.{form}"
    target = (files.build() / "report" if folder is None else folder) / name
    write_whole(target, MAKERS[form](report(indication)))
    return target


def report(indication: str) -> Report:
    """Put together what the executed pages of a condition show."""
    row = _reported(indication)
    cells = _cells(indication)
    about = stated()
    title = f"{capitalised(row['label'])}: evidence on {row['intervention']}"
    when = ", ".join(
        f"{what} {about[key]}"
        for what, key in (
            ("last search", "searched"),
            ("last change of the data", "changed"),
            ("version", "version"),
        )
        if about[key]
    )
    conduct = load_review(files.raw_data()).conduct
    blocks = [Block(TEXT, f"**{DISCLAIMER} {conduct.search}**")]
    for number, part in enumerate(layout()["report"]):
        heading, names = part["title"], part["cells"]
        shown = [
            block
            for name in names
            for block in cells.get(name, ())
            if name != CHOICES or len(block.rows) > len(("heads", "main"))
        ]
        if number == 1:
            shown.append(Block(TEXT, f"{capitalised(when)}."))
        blocks += [Block(HEADING, heading), *shown] if shown else []
    blocks.append(Block(HEADING, "References"))
    blocks += [Block(REFERENCE, reference(source)) for source in _sources(indication)]
    if about["funding"]:
        blocks += [Block(HEADING, "Funding"), Block(TEXT, about["funding"])]
    blocks += [
        Block(HEADING, "How to cite"),
        Block(TEXT, f"{title}. In: {about['citation'] or when}"),
    ]
    return Report(indication, title, about["changed"], tuple(_numbered(blocks)))


def _numbered(blocks: Iterable[Block]) -> Iterator[Block]:
    """Number tables and figures, each on its own."""
    counted = {TABLE: 0, FIGURE: 0}
    for block in blocks:
        if block.kind in counted:
            counted[block.kind] += 1
            head = f"{block.kind.capitalize()} {counted[block.kind]}. "
            yield replace(block, caption=head + block.caption)
        else:
            yield block


def _cells(indication: str) -> dict[str, list[Block]]:
    """What the cells of the executed pages show, by page and name of the cell."""
    folder = files.reports() / indication
    pages = sorted(folder.glob("*.ipynb"))
    if not pages:
        message = f"{indication} has no executed pages: run `ldn-meta run {indication}` first"
        raise LdnMetaError(message)
    return {
        name: [block for output in outputs for block in _blocks(output, folder)]
        for name, outputs in shown_cells(pages)
    }


def _blocks(output: Mapping[str, Any], folder: Path) -> Iterator[Block]:
    """An output as blocks; a table without rows and a figure without a drawing are none."""
    data = output.get("data", {})
    if label := figure_label(output):
        drawn = folder / "figures" / f"{label['figure']}.svg"
        if not is_nothing(output) and drawn.is_file():
            caption = f"{str(label['alt']).partition('. ')[0].rstrip('.')}."
            svg = drawn.read_text(encoding="utf-8")
            yield Block(FIGURE, label["alt"], caption, svg=svg, name=label["figure"])
    elif "text/html" in data:
        found = _TableReader.read("".join(data["text/html"]))
        if len(found.rows) > 1:
            yield found
    else:
        text = "".join(data.get("text/markdown", ""))
        yield from (Block(TEXT, part) for part in text.split("\n\n") if part.strip())


class _TableReader(HTMLParser):
    """Reads back a table that a page shows: its caption, its rows as text, its notes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[list[str]]] = {"before": [], "thead": [], "tbody": []}
        self.found["tfoot"] = []
        self.part, self.is_skipped = "before", False

    @classmethod
    def read(cls, text: str) -> Block:
        """Read the HTML of one table."""
        reader = cls()
        reader.feed(text)
        reader.close()
        parts = {
            part: [[" ".join(cell.split()) for cell in row] for row in rows]
            for part, rows in reader.found.items()
        }
        caption = [cell for row in parts["before"] for cell in row if cell]
        heads: list[list[str]] = []
        for row in parts["thead"]:
            # A title across the table, as great_tables sets it, is a row of one cell.
            heads, caption = (heads, caption + row) if len(row) == 1 else ([row], caption)
        width = len(heads[0]) if heads else 0
        rows = [[*row, *[""] * (width - len(row))] for row in parts["tbody"]]
        notes = [cell for row in parts["tfoot"] for cell in row if cell]
        told = ". ".join(part.rstrip(".") for part in caption)
        told = told if told.endswith("?") or not told else f"{told}."
        return Block(TABLE, "", told, tuple(map(tuple, heads + rows)), tuple(notes))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a part, a row or a cell; a break is a space, a raised mark stands in brackets."""
        self.is_skipped = tag == "style"
        if tag in self.found:
            self.part = tag
        elif tag in ("tr", "p"):
            self.found[self.part].append([])
        elif tag in ("td", "th"):
            self.found[self.part][-1].append("")
        elif tag in ("br", "sup"):
            self._add(" " if tag == "br" else " [")

    def handle_endtag(self, tag: str) -> None:
        """End what was begun; paragraphs behind the table are its notes."""
        self.is_skipped = False
        if tag == "table":
            self.part = "tfoot"
        elif tag == "sup":
            self._add("]")

    def handle_data(self, data: str) -> None:
        """Take the text of a cell or paragraph."""
        if not self.is_skipped and (data.strip() or self.part != "before"):
            self._add(data)

    def _add(self, text: str) -> None:
        rows = self.found[self.part]
        if rows and rows[-1]:
            rows[-1][-1] += text
        elif rows and self.part in ("before", "tfoot") and text.strip():
            rows[-1].append(text)


_SIZE = re.compile(
    r'(<svg\b[^>]*?\bwidth="([\d.]+)(?:pt|px)?"[^>]*?\bheight="([\d.]+)(?:pt|px)?")'
)


def placed(svg: str) -> tuple[float, float]:
    """Width and height of a figure on the page, in inches."""
    found = _SIZE.search(svg)
    if found is None:
        message = "a figure without width and height"
        raise LdnMetaError(message)
    width, height = (float(found[n]) / POINTS_PER_INCH for n in (2, 3))
    shrunk = min(1.0, WIDEST / width, TALLEST / height)
    return width * shrunk, height * shrunk


@lru_cache(maxsize=32)
def png_300(svg: str) -> bytes:
    """Draw a filed figure as PNG with 300 dots an inch of its width on the page."""
    from ldn_meta.display.figures.studies import rasterised

    width, height = placed(svg)
    sized = _SIZE.sub(
        lambda found: re.sub(
            r'\b(width|height)="[\d.]+(?:pt|px)?"',
            lambda side: (
                f'{side[1]}="{DOTS_PER_INCH * {"width": width, "height": height}[side[1]]:.0f}"'
            ),
            found[1],
        ),
        svg,
        count=1,
    )
    from PIL import Image

    # Lines and letters need no more colours, and the file is a third; matplotlib brings Pillow.
    drawn = Image.open(io.BytesIO(rasterised(sized))).convert("RGB")
    written = io.BytesIO()
    few = drawn.quantize(256, dither=Image.Dither.NONE)
    few.save(written, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH), optimize=True)
    return written.getvalue()


# Sources


def _sources(indication: str) -> list[dict[str, str]]:
    """Sources that rows about the studies of a condition name, by author and year."""
    from ldn_meta.evidence.derived import load_derived
    from ldn_meta.evidence.raw.tables import NAMING_SOURCES, as_records

    text = load_derived(indication).evidence.text
    named = {
        str(value)
        for table, frame in text.items()
        if table != "sources" and "study_id" in frame.columns
        for column in NAMING_SOURCES
        if column in frame.columns
        for value in frame[column]
    }
    found = [row for row in as_records(text["sources"]) if row["source_id"] in named]
    clean = [{k: "" if v in MISSING else str(v) for k, v in row.items()} for row in found]
    return sorted(clean, key=lambda row: (reference(row).casefold(), row["source_id"]))


def _address(source: Mapping[str, str]) -> str:
    for column in ("doi", "pmid", "url"):
        if source[column]:
            return f"{ADDRESSES[column]}{source[column]}"
    return ""


def reference(source: Mapping[str, str]) -> str:
    """Write a source as reference lists do: authors, title, place, year, address."""
    registry = f"Registry: {source['registry_id']}" if source["registry_id"] else ""
    pmid = f"PMID {source['pmid']}" if source["pmid"] and source["doi"] else ""
    place = source["container"]
    if not source["authors"] and not source["title"]:
        place = capitalised(place) or source["source_id"]
    parts = (
        *(source["authors"], source["title"], place),
        "" if source["year"] in source["container"] else source["year"],
        *(registry, pmid),
    )
    told = " ".join(f"{part.rstrip('.')}." for part in parts if part)
    return f"{told} {_address(source)}".strip()


def _authors(source: Mapping[str, str]) -> list[str]:
    """Names as reference managers take them, "Surname, Initials"; of a body the whole."""
    found = []
    for name in re.split(r",\s*|;\s*", source["authors"]):
        name = re.sub(r"\bet al\.?$", "", name).strip()
        surname, _, initials = name.rpartition(" ")
        is_person = surname and initials.isupper() and len(initials) <= len("ABCD")
        if name:
            found.append(f"{surname}, {initials}" if is_person else name)
    return found


# Kind of a source: what RIS and BibTeX call it; every other is neither article nor book.
REFERENCE_TYPES = {
    **dict.fromkeys(("journal article", "letter", "protocol"), ("JOUR", "article")),
    **dict.fromkeys(
        ("meta-analysis", "narrative review", "systematic review"), ("JOUR", "article")
    ),
    "conference abstract": ("CPAPER", "inproceedings"),
    "preprint": ("UNPB", "unpublished"),
    "press": ("NEWS", "misc"),
    "registry record": ("DBASE", "misc"),
}
OTHER_TYPE = ("GEN", "misc")


def ris(sources: Iterable[Mapping[str, str]]) -> bytes:
    """Write sources as RIS, for EndNote, Zotero, Mendeley and Covidence."""
    lines: list[str] = []
    for source in sources:
        fields = [
            ("TY", REFERENCE_TYPES.get(source["kind"], OTHER_TYPE)[0]),
            ("ID", source["source_id"]),
            *(("AU", name) for name in _authors(source)),
            *(("PY", source["year"]), ("TI", source["title"]), ("T2", source["container"])),
            *(("DO", source["doi"]), ("AN", source["pmid"]), ("M1", source["registry_id"])),
            *(("UR", _address(source)), ("N1", source["note"])),
        ]
        lines += [f"{tag}  - {' '.join(value.split())}" for tag, value in fields if value]
        lines += ["ER  - ", ""]
    return "\r\n".join(lines).encode()


_TEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def bibtex(sources: Iterable[Mapping[str, str]]) -> bytes:
    """Write sources as BibTeX; a title keeps its capitals, an address is not escaped."""

    def plain(text: str) -> str:
        return "".join(_TEX.get(sign, sign) for sign in " ".join(text.split()))

    entries = []
    for source in sources:
        kind = REFERENCE_TYPES.get(source["kind"], OTHER_TYPE)[1]
        authors = " and ".join(
            plain(name) if ", " in name else f"{{{plain(name)}}}" for name in _authors(source)
        )
        place = {"article": "journal", "inproceedings": "booktitle"}.get(kind, "howpublished")
        registry = f"registry {source['registry_id']}" if source["registry_id"] else ""
        pmid = f"PMID {source['pmid']}" if source["pmid"] else ""
        fields = {
            "author": authors,
            "title": f"{{{plain(source['title'])}}}" if source["title"] else "",
            place: plain(source["container"]),
            "year": source["year"],
            "doi": source["doi"],
            "url": source["url"],
            "note": plain("; ".join(filter(None, (pmid, registry, source["note"])))),
        }
        inner = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
        entries.append(f"@{kind}{{{source['source_id']},\n{inner}\n}}\n")
    return "\n".join(entries).encode()


# Forms

_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]?\d+)?")
_HARMLESS = re.compile(rf"-|{_NUMBER.pattern}(?: \({_NUMBER.pattern} to {_NUMBER.pattern}\))?")
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKED = re.compile(r"\*\*(.+?)\*\*")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
# What XML cannot hold.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def neutral(text: str) -> str:
    """Keep a cell from being a formula to a spreadsheet, by an apostrophe; numbers stay."""
    is_formula = text.startswith(_BEGINS_FORMULA) and not _HARMLESS.fullmatch(text)
    return f"'{text}" if is_formula else text


def neutral_csv(rows: Iterable[Iterable[str]]) -> bytes:
    """Write rows as CSV that a spreadsheet may open."""
    return csv_text([[neutral(cell) for cell in row] for row in rows]).encode()


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of a paragraph, each with whether it is bold."""
    plain = _CONTROL.sub("", _LINK.sub(r"\1", text))
    for place, piece in enumerate(_MARKED.split(plain)):
        if piece:
            yield piece, bool(place % 2)


def _paragraphs(block: Block) -> Iterator[tuple[str, bool]]:
    """Lines of a text, each with whether it is a point of a list."""
    lines = re.split(r"\n(?=- )", block.text)
    yield from ((line.removeprefix("- "), line.startswith("- ")) for line in lines)


def _widths(rows: Sequence[Sequence[str]]) -> list[float]:
    """Widths of columns in inches: room for the longest word, the rest by what is there."""
    least, wants = [], []
    for column in zip(*rows, strict=True):
        words = [word for cell in column for word in re.split(r"[\s/-]", cell)]
        least.append(CELL_PADDING + LETTER * min(LONGEST_WORD, max(map(len, words))))
        wants.append(sum(map(len, column)) / len(column))
    spare = WIDEST - sum(least)
    if spare < 0:
        return [WIDEST * width / sum(least) for width in least]
    return [width + spare * want / sum(wants) for width, want in zip(least, wants, strict=True)]


def as_docx(found: Report) -> bytes:
    """Write a report for Word: real headings, heads that repeat, pictures with alt text."""
    try:
        import docx
    except ImportError as error:
        raise ParameterError(NEEDS_WORD) from error
    from docx.enum.section import WD_ORIENT
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Inches, Pt

    document = docx.Document()
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = (Inches(side) for side in PAGE)
    for side in ("left", "right", "top", "bottom"):
        setattr(section, f"{side}_margin", Inches(MARGIN))
    normal: Any = document.styles["Normal"]
    normal.font.name, normal.font.size = "Calibri", Pt(10.5)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-GB")
    normal.element.get_or_add_rPr().append(language)

    def add(text: str, style: str | None = None, *, size: float | None = None) -> Any:
        paragraph = document.add_paragraph(style=style)
        fill(paragraph, text, size=size)
        return paragraph

    def fill(paragraph: Any, text: str, *, size: float | None = None, bold: bool = False) -> None:
        for piece, is_bold in _runs(text):
            run = paragraph.add_run(piece)
            run.bold = bold or is_bold or None
            run.font.size = None if size is None else Pt(size)

    def add_table(block: Block) -> None:
        add(block.caption, "Caption").paragraph_format.keep_with_next = True
        widths = _widths(block.rows)
        table = document.add_table(len(block.rows), len(widths), style="Table Grid")
        table.autofit = False
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Inches(width)
        for place, (cells, row) in enumerate(zip(block.rows, table.rows, strict=True)):
            properties = row._tr.get_or_add_trPr()
            properties.append(OxmlElement("w:cantSplit"))
            if place == 0:
                properties.append(OxmlElement("w:tblHeader"))
            for cell, text, width in zip(row.cells, cells, widths, strict=True):
                cell.width = Inches(width)
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.space_after = Pt(0)
                paragraph.paragraph_format.keep_with_next = place == 0
                fill(paragraph, text, size=8, bold=place == 0 or not any(cells[1:]))
        for note in block.notes:
            add(note, size=8).paragraph_format.space_after = Pt(0)
        document.add_paragraph()

    document.add_heading(found.title, 0)
    for block in found.blocks:
        if block.kind == HEADING:
            document.add_heading(block.text, 1)
        elif block.kind == TABLE:
            add_table(block)
        elif block.kind == FIGURE:
            width, _ = placed(block.svg)
            shape = document.add_picture(io.BytesIO(png_300(block.svg)), width=Inches(width))
            described = shape._inline.docPr
            described.set("descr", _CONTROL.sub("", block.text))
            described.set("title", block.name)
            document.paragraphs[-1].paragraph_format.keep_with_next = True
            add(block.caption, "Caption")
        elif block.kind == REFERENCE:
            add(block.text, "List Number")
        else:
            for text, is_point in _paragraphs(block):
                add(text, "List Bullet" if is_point else None)
    about, day = document.core_properties, _day(found)
    about.title, about.author, about.comments = found.title, "", ""
    about.created = about.modified = day
    written = io.BytesIO()
    document.save(written)
    return _same_bytes(written.getvalue(), day)


def as_xlsx(found: Report) -> bytes:
    """Write the tables of a report as a workbook, a sheet each; no cell is a formula."""
    try:
        import openpyxl
    except ImportError as error:
        raise ParameterError(NEEDS_WORD) from error
    from openpyxl.styles import Alignment, Font

    def put(sheet: Any, row: int, column: int, text: str) -> Any:
        cell = sheet.cell(row, column)
        clean = _CONTROL.sub("", text)
        if _NUMBER.fullmatch(clean):
            cell.value = float(clean)
        else:
            # "=..." stays what was printed.
            cell.value, cell.data_type = clean, "s"
        return cell

    book = openpyxl.Workbook()
    first: Any = book.active
    first.title = "contents"
    put(first, 1, 1, found.title).font = Font(bold=True)
    for number, block in enumerate(found.of(TABLE), 1):
        sheet: Any = book.create_sheet(_sheet_name(number, block))
        put(first, number + 1, 1, sheet.title)
        put(first, number + 1, 2, block.caption)
        lines = ((block.caption,), *block.rows, *((note,) for note in block.notes))
        for row, cells in enumerate(lines, 1):
            for column, text in enumerate(cells, 1):
                cell = put(sheet, row, column, text)
                is_head, is_told = row <= len(("caption", "heads")), len(cells) == 1
                cell.font = Font(bold=is_head)
                cell.alignment = Alignment(vertical="top", wrap_text=not is_told)
        for column, width in enumerate(_widths(block.rows), 1):
            letter = openpyxl.utils.get_column_letter(column)
            sheet.column_dimensions[letter].width = 14 * width
        sheet.freeze_panes = "B3"
    first.column_dimensions["A"].width = 32
    day = _day(found)
    book.properties.created, book.properties.creator = day, ""
    book.properties.title = found.title
    written = io.BytesIO()
    book.save(written)
    return _same_bytes(written.getvalue(), day)


def _sheet_name(number: int, block: Block) -> str:
    """Name a table by what its caption says, as short as a spreadsheet wants it."""
    from ldn_meta.evidence.entry import slug

    words = slug(block.caption.partition(". ")[2].partition(":")[0].partition(".")[0], "_")
    return f"{number:02d}_{words}"[:31].rstrip("_")


def as_html(found: Report) -> bytes:
    """Write a report as one page that needs nothing beside it."""

    def told(text: str) -> str:
        pieces = _runs(text)
        return "".join(
            f"<strong>{html.escape(piece)}</strong>" if bold else html.escape(piece)
            for piece, bold in pieces
        )

    def shown(block: Block) -> str:
        if block.kind == HEADING:
            return f"<h2>{html.escape(block.text)}</h2>"
        if block.kind == TABLE:
            head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in block.rows[0])
            body = "\n".join(
                f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
                for row in block.rows[1:]
            )
            notes = "".join(f"<p><small>{html.escape(note)}</small></p>" for note in block.notes)
            return (
                f"<table><caption>{html.escape(block.caption)}</caption><thead><tr>{head}</tr>"
                f"</thead><tbody>\n{body}\n</tbody></table>{notes}"
            )
        if block.kind == FIGURE:
            data = base64.b64encode(png_300(block.svg)).decode("ascii")
            return (
                f'<figure><img src="data:image/png;base64,{data}" alt="{html.escape(block.text)}" '
                f'style="width:{placed(block.svg)[0]:.2f}in"><figcaption>'
                f"{html.escape(block.caption)}</figcaption></figure>"
            )
        if block.kind == REFERENCE:
            return f"<p>{html.escape(block.text)}</p>"
        return "".join(
            f"<ul><li>{told(text)}</li></ul>" if is_point else f"<p>{told(text)}</p>"
            for text, is_point in _paragraphs(block)
        )

    body = "\n".join(map(shown, found.blocks))
    title = html.escape(found.title)
    return f"""\
<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body {{ font: 16px/1.5 Calibri, Carlito, sans-serif; max-width: 75rem;
  margin: 1rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; font-size: 13px; }}
th, td {{ border: 1px solid #999; padding: .2rem .4rem; text-align: left; vertical-align: top; }}
caption {{ text-align: left; font-weight: bold; }} figure {{ margin: 1rem 0; }}
img {{ max-width: 100%; }} ul {{ margin: .2rem 0; }}
@media print {{ table {{ display: table; }} thead {{ display: table-header-group; }} }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
""".encode()


MAKERS: dict[str, Callable[[Report], bytes]] = {
    "docx": as_docx,
    "html": as_html,
    "xlsx": as_xlsx,
    "ris": lambda found: ris(_sources(found.indication)),
    "bib": lambda found: bibtex(_sources(found.indication)),
    "revman": lambda found: revman(found),
    "zip": lambda found: as_zip(found),
}


_FIRST_DAY = "1980-01-01"


def _day(found: Report) -> datetime:
    """The day of the data, or the first one a ZIP file can hold."""
    return datetime.fromisoformat(found.day or _FIRST_DAY)


def _same_bytes(archive: bytes, day: datetime) -> bytes:
    """Write an archive again without the clock: its members and what they say of its making."""
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        members = {name: read.read(name) for name in read.namelist()}
    core = "docProps/core.xml"
    stamp = rb"\g<1>" + day.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    pattern = rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*"
    members[core] = re.sub(pattern, stamp, members[core])
    return _archive(members, day)


def archived(members: Mapping[str, bytes]) -> bytes:
    """Put files into a ZIP of the day of the data."""
    return _archive(members, datetime.fromisoformat(stated()["changed"] or _FIRST_DAY))


def _archive(members: Mapping[str, bytes], day: datetime) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, data in members.items():
            member = zipfile.ZipInfo(name, (day.year, day.month, day.day, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, data)
    return written.getvalue()


# What a reader asks of a review before reading it

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
CITATION = "CITATION.cff"
# Item of PRISMA 2020 on who paid for the review.
FUNDED = "prisma-25"


def stated() -> dict[str, str]:
    """When was searched, when the data changed, which version, who paid, how to cite."""
    searched = _latest(row["date"] for row in raw_rows("searches"))
    changed = _latest([*(row["read_on"] for row in raw_rows("extraction_log")), searched])
    paid = [row for row in raw_rows("checklists") if row.get("item_id") == FUNDED]
    found = {
        "searched": searched,
        "changed": changed,
        "version": version("ldn-meta"),
        "funding": paid[0]["note"].partition(";")[0] if paid else "",
        "citation": "",
    }
    file = files.project_root() / CITATION
    if file.is_file():
        import yaml

        cited = yaml.safe_load(file.read_text(encoding="utf-8"))
        authors = ", ".join(author["name"] for author in cited["authors"])
        found["citation"] = f"{authors}. {cited['title']}. Version {found['version']}"
        found["citation"] += f", data of {changed}." if changed else "."
    return found


def _latest(texts: Iterable[str]) -> str:
    return max((date for text in texts for date in _DATE.findall(text)), default="")


def raw_rows(table: str) -> list[dict[str, str]]:
    """Rows of a raw table; none of one that is not there."""
    file = files.raw_data() / f"{table}.csv"
    return csv_records(file) if file.is_file() else []


# Everything in one file

ROBVIS = {"not readable here": "No information", "not applicable": "NA"}
# Tools whose words robvis knows.
ROBVIS_FAMILIES = ("RoB 2", "ROBINS-I")
SUMS = "SHA256SUMS"
TAKEN = ("effects", "left_out", "responders", "harms", "pooled", "directions", "certainty")
READ_ME = """{title}. {disclaimer}

{name}.docx, .html   the report: answer, methods, figures, tables, references, how to cite
{name}.xlsx, tables/ its tables; a cell that a spreadsheet would read as a formula begins with '
sources.ris, .bib    the sources, for reference managers
figures/             each figure as SVG and as PNG, 300 dots an inch
metafor/             the rows of each pool, and an R script that pools and compares them
robvis/              risk of bias, a file a tool, for rob_traffic_light of R's robvis
{name}-revman.zip    the pools and RoB 2 as a data package of RevMan; R's meta::read.cdir reads it
summary_of_findings.csv, prisma_flow.csv   ratings of GRADE, and numbers of the study flow
data/                the derived tables of this condition, as the pages use them
facts.json           every number of the pages
{sums}           checksums: sha256sum -c {sums}
"""


def _carried(found: Report) -> dict[str, bytes]:
    """Every file of the ZIP by its name."""
    from ldn_meta.evidence.derived import load_derived

    name = found.indication
    derived, sources = load_derived(name), _sources(name)
    told = READ_ME.format(title=found.title, disclaimer=DISCLAIMER, name=name, sums=SUMS)
    made = {
        "README.txt": told.encode(),
        **{f"{name}.{form}": MAKERS[form](found) for form in ("docx", "html", "xlsx")},
        **{"sources.ris": ris(sources), "sources.bib": bibtex(sources)},
        FACTS: (files.reports() / name / FACTS).read_bytes(),
    }
    for number, block in enumerate(found.of(TABLE), 1):
        made[f"tables/{_sheet_name(number, block)}.csv"] = csv_text(block.rows).encode()
    for file in sorted((files.reports() / name / "figures").glob("*.svg")):
        made[f"figures/{file.name}"] = file.read_bytes()
        if "." not in file.stem:
            made[f"figures/{file.stem}.png"] = png_300(file.read_text(encoding="utf-8"))
    made |= robvis(derived)
    made[f"{name}-revman.zip"] = revman(found)
    made |= _numbers_alone(json.loads(made[FACTS]))
    for table in TAKEN:
        made[f"data/{table}.csv"] = csv_bytes(getattr(derived, table))
    for construct in sorted(set(derived.pooled["construct"])) if len(derived.pooled) else ():
        for file_name, data in rows_for_r(name, construct).items():
            made[f"metafor/{file_name}"] = data
    for file in (files.project_root() / "LICENSE-DATA", files.project_root() / CITATION):
        if file.is_file():
            made[file.name] = file.read_bytes()
    return {name: _opened(data) if name.endswith(".csv") else data for name, data in made.items()}


def _opened(table: bytes) -> bytes:
    return neutral_csv(cells for _, cells in csv_rows(table.decode()))


def robvis(derived: Derived) -> dict[str, bytes]:
    """Risk of bias as tables for robvis, a file a tool whose words it knows."""
    from ldn_meta.evidence.entry import slug
    from ldn_meta.evidence.raw.bias import OVERALL, RISK_OF_BIAS, TOOLS
    from ldn_meta.evidence.raw.tables import as_records

    text = derived.evidence.text
    labels = {row["study_id"]: row["label"] for row in as_records(text["studies"])}
    judged: dict[str, dict[str, dict[str, str]]] = {}
    for row in as_records(text[RISK_OF_BIAS]):
        own = judged.setdefault(row["tool"], {}).setdefault(row["study_id"], {})
        own[row["domain"]] = ROBVIS.get(row["judgement"], row["judgement"].capitalize())
    made = {}
    for name, studies in judged.items():
        tool = TOOLS[name]
        if tool.family not in ROBVIS_FAMILIES:
            continue
        heads = ["Study", *(domain.head for domain in tool.domains), OVERALL.capitalize()]
        rows = [
            [labels[study], *(own.get(domain, "NA") for domain in tool.domain_names)]
            for study, own in studies.items()
        ]
        made[f"robvis/{slug(name, '_')}.csv"] = csv_text([heads, *rows]).encode()
    return made


# What a person who rates or draws a flow types elsewhere, by page and name of our facts.
FINDINGS = (
    *("construct_label", "comparator", "studies", "people", "measure", "unit", "estimate"),
    *("ci_low", "ci_high", "interval", "per_1000_without", "per_1000_with", "per_1000_low"),
    *("per_1000_high", "risk_of_bias_level", "inconsistency_level", "indirectness_level"),
    *("imprecision_level", "publication_bias_level", "certainty", "statement"),
)
FLOW = (
    *("sources", "studies", "excluded", "contrast", "single_arm", "in_a_pool", "not_pooled"),
    "narrative",
)


def _numbers_alone(facts: Mapping[str, Any]) -> dict[str, bytes]:
    """Ratings and the study flow as plain tables."""

    def cell(value: Any) -> str:
        return (
            "" if value is None else number_text(value) if isinstance(value, float) else str(value)
        )

    rated = facts["60_certainty"]["outcomes"]
    heads = [name for name in FINDINGS if any(name in one for one in rated)]
    counted = facts["10_included_trials"]
    flow = [[name, str(counted[name])] for name in FLOW]
    flow += [[f"excluded: {why}", str(n)] for why, n in counted["excluded_reasons"].items()]
    rows = [[cell(one.get(name)) for name in heads] for one in rated]
    made = {"prisma_flow.csv": csv_text([["box", "number"], *flow]).encode()}
    return made | ({"summary_of_findings.csv": csv_text([heads, *rows]).encode()} if rated else {})


REVMAN_ROWS = (
    *("Analysis group", "Analysis number", "Analysis name", "Subgroup", "Applicability", "Study"),
    *("Study year", "GIV Mean", "GIV SE", "Experimental cases", "Experimental N", "Control cases"),
    *("Control N", "Experimental mean", "Experimental SD", "Control mean", "Control SD", "O-E"),
    *("Variance", "Weight", "Mean", "CI start", "CI end", "Footnotes"),
)
REVMAN_SETTINGS = (
    *("Analysis group", "Analysis number", "Analysis name", "Analysis group name", "Data source"),
    *("Data source eligibility", "Data type", "Log-scale data", "Experimental group label"),
    *("Control group label", "Statistical method", "Effect measure", "Unit of effect measure"),
    *("Analysis model", "Subgroup estimates", "Overall estimates"),
    *("Test for subgroup differences", "Swap event and non-event", "Study CI", "Estimate CI"),
    *("Mean", "CI start", "CI end", "Heterogeneity Tau\u00b2"),
)
# Names of measures there, and our columns of the arms for each kind of data.
REVMAN_MEASURES = {
    **{"RR": "Risk Ratio", "OR": "Odds Ratio", "RD": "Risk Difference", "MD": "Mean Difference"},
    **{"SMD": "Std. Mean Difference", "HR": "Hazard Ratio", "IRR": "Rate Ratio"},
}
PEOPLE = {"Experimental N": "n1i", "Control N": "n2i"}
COUNTED = {"Experimental cases": "ai", "Control cases": "ci", **PEOPLE}
MEANS = {
    **{"Experimental mean": "m1i", "Experimental SD": "sd1i"},
    **{"Control mean": "m2i", "Control SD": "sd2i", **PEOPLE},
}


def revman(found: Report) -> bytes:
    """Write the main pools, and RoB 2, as a data package of RevMan (version 1).

    Numbers of the arms where every trial of a pool has them and they give the pooled effect;
    else the effects as they are pooled, logarithms of ratios.
    """
    from ldn_meta.evidence.derived import load_derived
    from ldn_meta.evidence.effects.rows import RATIO_MEASURES
    from ldn_meta.evidence.raw.selection import MAIN
    from ldn_meta.evidence.raw.tables import as_records

    name = found.indication
    derived = load_derived(name)
    label = derived.evidence.review.label
    rows: list[list[str]] = []
    settings: list[list[str]] = []
    pools = [pool for pool in as_records(derived.pooled) if pool["analysis"] == MAIN]
    groups = list(dict.fromkeys(str(pool["comparator_class"]) for pool in pools))
    by_effect = derived.effects.set_index("effect_id", drop=False)
    for place, pool in enumerate(pools, 1):
        effects = by_effect.loc[_effects_of(pool)]
        table = metafor_table(effects, derived.evidence.arm_stats)
        measure, unit = str(pool["measure"]), str(pool["unit"])
        kind, columns = "Contrast level", PEOPLE
        if measure in ("RR", "OR", "RD") and not table[list(COUNTED.values())].isna().any(
            axis=None
        ):
            kind, columns = "Dichotomous", COUNTED
        elif measure == "MD" and not table[list(MEANS.values())].isna().any(axis=None):
            differs = (table["m1i"] - table["m2i"] - table["yi"]).abs() > TOLERANCE
            is_own = effects["is_paired"].astype(bool) | differs
            kind, columns = (kind, columns) if is_own.any() else ("Continuous", MEANS)
        comparator = str(pool["comparator_class"])
        numbers = [str(groups.index(comparator) + 1), str(place)]
        title = f"{effects['construct_label'].iloc[0]}, {unit}"
        is_log = measure in RATIO_MEASURES
        shown = [float(pool[key]) for key in ("estimate", "ci_low", "ci_high")]
        told = {
            **dict(
                zip(
                    REVMAN_SETTINGS,
                    (*numbers, title, f"{label} against {comparator}"),
                    strict=False,
                )
            ),
            **{"Data source": "Custom input", "Data type": kind},
            **{"Log-scale data": str(is_log).upper(), "Unit of effect measure": unit},
            **{"Experimental group label": label, "Control group label": comparator},
            **{"Statistical method": "Inverse variance", "Analysis model": "Random effects"},
            **{"Effect measure": REVMAN_MEASURES.get(measure, measure)},
            **{"Study CI": "95%", "Estimate CI": f"{100 * derived.protocol.model.level:g}%"},
            **{"Swap event and non-event": "FALSE", "Overall estimates": "TRUE"},
            **dict(
                zip(
                    ("Mean", "CI start", "CI end"),
                    map(_exact, map(math.exp, shown) if is_log else shown),
                    strict=True,
                )
            ),
            REVMAN_SETTINGS[-1]: _exact(float(pool["tau2"])),
        }
        settings.append([told.get(head, "") for head in REVMAN_SETTINGS])
        for effect, row in zip(as_records(effects), table.to_dict("records"), strict=True):
            cells = {
                **dict(zip(REVMAN_ROWS, (*numbers, title), strict=False)),
                **{
                    "Study": str(effect["study_label"]),
                    "Study year": _exact(float(effect["year"])),
                },
                **{head: _exact(float(row[column])) for head, column in columns.items()},
                "Footnotes": str(row["locator"]),
            }
            if kind == "Contrast level":
                cells |= {
                    "GIV Mean": _exact(float(row["yi"])),
                    "GIV SE": _exact(float(row["vi"]) ** 0.5),
                }
            rows.append([cells.get(head, "") for head in REVMAN_ROWS])
    made = {
        f"{name}-analysis-data/{name}-data-rows.csv": [list(REVMAN_ROWS), *rows],
        f"{name}-analysis-data/{name}-overall-estimates-and-settings.csv": [
            list(REVMAN_SETTINGS),
            *settings,
        ],
    }
    judged = robvis(derived).get("robvis/rob_2.csv")
    if judged:
        (heads, *others) = [cells for _, cells in csv_rows(judged.decode())]
        renamed = [f"Domain (judgement): {head}" if head[0] == "D" else head for head in heads]
        made[f"{name}-study-data/{name}-risk-of-bias.csv"] = [renamed, *others]
    packed = {key: csv_text(lines).encode() for key, lines in made.items()}
    return _archive(packed, _day(found))


def _exact(value: float) -> str:
    return "" if math.isnan(value) else number_text(value)


def as_zip(found: Report) -> bytes:
    """Pack the report and all that belongs to it, with a list of checksums."""
    members = _carried(found)
    sums = "".join(f"{sha256(data)}  {name}\n" for name, data in members.items())
    packed = {f"{found.indication}/{name}": data for name, data in members.items()}
    packed[f"{found.indication}/{SUMS}"] = sums.encode()
    return _archive(packed, _day(found))
