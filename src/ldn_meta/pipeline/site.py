"""The reports as pages that open without a network: Sphinx, MyST-NB, sphinx-book-theme.

The words and the layout of pages that are no notebooks stand in docs/_templates/pages.
"""

from __future__ import annotations

import functools
import html
import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt

from ldn_meta import files
from ldn_meta.display.figures.studies import TOLD_OF_ALL
from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.display.words import (
    COUNTS,
    MEASURES,
    capitalised,
    estimate_with_interval,
    symbols,
)
from ldn_meta.errors import LdnMetaError
from ldn_meta.evidence.answer import pools as synthesis
from ldn_meta.evidence.answer.pools import CI_METHODS, TAU2_METHODS
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.effects.rows import NOT_RANDOMISED, RATIO_MEASURES
from ldn_meta.evidence.grade import MAIN_OUTCOME
from ldn_meta.evidence.raw.review import Review, load_review
from ldn_meta.evidence.raw.selection import MAIN
from ldn_meta.evidence.raw.tables import counted
from ldn_meta.pipeline import export
from ldn_meta.pipeline.notebooks import (
    ANSWER_TAG,
    INJECTED_TAG,
    OVERVIEW,
    PARAMETERS_TAG,
    figure_label,
    is_nothing,
    read_facts,
    reported_indications,
    shown_cells,
    tags_of,
    without_empty_sections,
)
from ldn_meta.pipeline.readme import ANSWERED_BY, RATED_BY, Answer, read_answers

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.pages.study import StudyPage
    from ldn_meta.evidence.derived import Derived


CAPTION = "One row for each outcome with an effect, and for each condition without any"
HEADS = ("Condition", "Outcome", "Compared with", "Trials", "People", "Effect (95% interval)")


def explore_words() -> dict[str, Any]:
    """Words that the page's sentences are made of, as everywhere else in the project."""
    return {
        "measures": MEASURES,
        "tau2_methods": TAU2_METHODS,
        "ci_methods": CI_METHODS,
        "ratios": list(RATIO_MEASURES),
        "counts": list(COUNTS),
    }


def answers_html(explored: dict[str, Any], pooled: pd.DataFrame) -> str:
    """Write the protocol's answers as a table that needs no script."""
    main = pooled[pooled["analysis"] == MAIN]
    rows = []
    for indication in explored["indications"]:
        name, label = indication["indication_id"], capitalised(indication["label"])
        against = indication["comparator_class"]
        for outcome in indication["outcomes"]:
            own = main[
                (main["indication_id"] == name)
                & (main["construct"] == outcome["construct"])
                & (main["comparator_class"] == against)
                & (main["measure"] == outcome["measure"])
                & (main["unit"] == outcome["unit"])
            ]
            address = f"#{name}/{outcome['construct']}"
            link = f'<a href="{html.escape(address)}">{html.escape(outcome["label"])}</a>'
            rows.append([html.escape(label), link, html.escape(against), *_numbers(own)])
        if not indication["outcomes"]:
            rows.append(
                [html.escape(label), "none with an effect", html.escape(against), *_none()]
            )
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in HEADS)
    body = "\n".join(f"<tr>{''.join(map(_cell, HEADS, row))}</tr>" for row in rows)
    return (
        '<div class="table" tabindex="0" role="region" aria-label="The answers on file">'
        f"<table>\n<caption>{CAPTION}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _numbers(own: pd.DataFrame) -> list[str]:
    """Trials, people and effect of a pool; a row of pooled.csv or none."""
    if own.empty:
        return _none()
    row = max(own.to_dict("records"), key=lambda pool: int(pool["k"]))
    measure = str(row["measure"])
    effect = estimate_with_interval(
        row["read_estimate"], row["read_low"], row["read_high"], measure=measure
    )
    unit = "" if measure in RATIO_MEASURES else f", {row['unit']}"
    words = f"{MEASURES[measure]} {effect}{unit}"
    people = str(int(row["people"])) if row["people"] else "not reported"
    return [str(int(row["k"])), people, html.escape(words)]


def _cell(head: str, content: str) -> str:
    """A cell that knows its column: narrow pages print the head beside it."""
    return f'<td data-head="{head}">{content}</td>'


def _none() -> list[str]:
    return ["0", "0", "nothing pooled"]


# What can be taken along

DOWNLOADS = "downloads"
# Tables that a page rests on, of data/derived unless a folder is named.
TABLES = {
    "10_included_trials": (
        *("raw/studies", "raw/arms", "raw/study_facts", "raw/risk_of_bias", "left_out"),
        *("raw/searches", "raw/funding"),
        *("conflicts", "consistency"),
    ),
    "20_pooled_effect": ("effects", "pooled", "left_out"),
    "25_without_pooling": ("directions",),
    "30_responder_rates": ("responders", "pooled"),
    "40_safety": ("harms", "pooled"),
    "50_robustness": ("multiverse", "multiverse_nodes", "pooled"),
    "60_certainty": ("certainty", "certainty_domains", "raw/certainty"),
    "90_overview": ("pooled", "directions", "certainty", "raw/checklists", "raw/wanted"),
    "91_claims": ("claims", "raw/claims"),
    "92_dose": ("raw/study_facts", "raw/arm_events"),
    "93_printed_numbers": ("consistency",),
}
NOTEBOOKS = "notebooks.zip"
FORMATS = ("png", "svg")
R_WORDS = {".csv": "Its rows as CSV", ".R": "R script (metafor)"}


def downloads() -> dict[str, Path]:
    """List what can be taken along; pictures that only say that there is nothing are none."""
    found = _tables()
    for report in files.reports().glob("*/"):
        drawn = {figure.name for figure in figures_of(report.name)}
        for file in report.glob("figures/*"):
            if file.name.partition(".")[0] in drawn:
                found[f"{DOWNLOADS}/{report.name}/{file.name}"] = file
    if (cited := files.project_root() / export.CITATION).is_file():
        found[f"{DOWNLOADS}/{export.CITATION}"] = cited
    return dict(sorted(found.items()))


def report_forms() -> tuple[str, ...]:
    """Forms in which the site offers reports; none without the extra that writes them."""
    there = all(importlib.util.find_spec(name) for name in ("docx", "openpyxl"))
    return ("docx", "xlsx") if there else ()


def made_to_take_along() -> dict[str, bytes]:
    """Make what is not on file: reports, notebooks in a ZIP, rows of forest plots and a PNG."""
    found: dict[str, bytes] = {}
    for name in (*reported_indications(), OVERVIEW):
        pages = _notebooks(name)
        own = {file: data for one in figures_of(name) for file, data in _made_of(one).items()}
        if pages:
            members = {page.name: page.read_bytes() for page in pages}
            own[NOTEBOOKS] = export.archived(members)
        if pages and name != OVERVIEW and report_forms():
            carried = export.report(name)
            own |= {f"{name}.{form}": export.MAKERS[form](carried) for form in report_forms()}
        found |= {f"{DOWNLOADS}/{name}/{file}": data for file, data in own.items()}
    return found


def _made_of(drawn: Drawn) -> dict[str, bytes]:
    """Rows of a forest plot, a script for R, and a PNG with 300 dots an inch."""
    file = files.reports() / drawn.report / "figures" / f"{drawn.name}.svg"
    if not _has_layouts(drawn.name, drawn.report):
        return forest_rows(drawn.name, drawn.report)
    made = export.png_300(file.read_text(encoding="utf-8"))
    return {**forest_rows(drawn.name, drawn.report), f"{drawn.name}.png": made}


def _has_layouts(name: str, report: str) -> bool:
    """Whether a figure is there for a telephone and for print too."""
    return (files.reports() / report / "figures" / f"{name}.narrow.svg").is_file()


def forest_rows(name: str, report: str) -> dict[str, bytes]:
    """Rows of the pools in a forest plot, and a script for R, by names of files."""
    if not name.startswith("forest"):
        return {}
    page = next((one.notebook for one in figures_of(report) if one.name == name), "")
    construct = read_facts(files.reports() / report).get(page, {}).get("construct")
    return export.rows_for_r(report, construct) if construct else {}


def _tables() -> dict[str, Path]:
    """List the tables that can be taken along."""
    return {
        f"{DOWNLOADS}/data/{folder.name}/{file.name}": file
        for folder in (files.raw_data(), files.derived_data())
        for file in sorted((*folder.glob("*.csv"), *folder.glob("datapackage.json")))
    }


def figure_bar(name: str, report: str, up: str) -> str:
    """Write links to a figure of a report in its formats."""
    forms = (*FORMATS, *(["pdf"] if _has_layouts(name, report) else []))
    links = [(f"{report}/{name}.{end}", f"Figure as {end.upper()}") for end in forms]
    for file in forest_rows(name, report):
        links.append((f"{report}/{file}", R_WORDS[Path(file).suffix]))
    return _bar("this figure", links, up)


def page_bar(notebook: str, report: str, up: str) -> str:
    """Write links to the executed notebooks of a report and the tables a page rests on."""
    tables = [name if "/" in name else f"derived/{name}" for name in TABLES.get(notebook, ())]
    page = (f"{report}/{NOTEBOOKS}", "Notebooks (ZIP)")
    offered = [(f"data/{table}.csv", f"data/{table}.csv") for table in tables]
    return _bar("this page", [page, *offered], up)


def data_bar(folder: str, up: str) -> str:
    """Write links to every table of data/raw or data/derived."""
    start = f"{DOWNLOADS}/data/{folder}/"
    names = [file.removeprefix(start) for file in _tables() if file.startswith(start)]
    return _bar(f"data/{folder}", [(f"data/{folder}/{name}", name) for name in names], up)


def _bar(what: str, offered: Iterable[tuple[str, str]], up: str) -> str:
    links = "".join(
        f'<a class="ldn-download" download href="{html.escape(f"{up}{DOWNLOADS}/{file}")}">'
        f"{html.escape(words)}</a>"
        for file, words in offered
    )
    name = html.escape(f"Downloads of {what}")
    return f'<div class="ldn-downloads" role="group" aria-label="{name}">{links}</div>'


# From names in tables and sentences to pages of the site

STUDIES = "studies"
# The theme lets what has this class scroll by itself, with the keyboard too.
SCROLLS = "pst-scrollable-table-container"
_TABLE = re.compile(
    r"(?:<p><strong>([^<]*)</strong></p>\s*)?(<table\b[^>]*>)(.*?</table>)", re.DOTALL
)
_CELL = re.compile(r"(<td\b[^>]*>)(.*?)(</td>)", re.DOTALL)
_OWN_CAPTION = re.compile(r"<caption[^>]*>([^<]*)</caption>")
# A citation without an address starts like a study, and is none.
_CITATION = "no address on file"


class Links:
    """Links from one folder of the site, by what they stand behind."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        self.targets = targets
        # The longest first: "Younger 2009 (50 mg)" is not "Younger 2009".
        escaped = {html.escape(name, quote=False) for name in targets} | set(targets)
        names = sorted(escaped, key=lambda name: (-len(name), name))
        self._names = re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")

    def in_html(self, text: str) -> str:
        """Link names in table cells, and let every table scroll by itself."""

        def cell(found: re.Match[str]) -> str:
            is_linked = "<a " in found[2] or _CITATION in found[2]
            return found[1] + (found[2] if is_linked else self.in_words(found[2])) + found[3]

        return scrolling(_CELL.sub(cell, text))

    def in_words(self, text: str) -> str:
        """Link names in a paragraph of Markdown."""
        if not self.targets:
            return text
        return self._names.sub(
            lambda name: f'<a href="{self.targets[html.unescape(name[0])]}">{name[0]}</a>', text
        )


def scrolling(text: str) -> str:
    """Put every table into a container that scrolls; the bold line above it is its caption."""

    def contained(table: re.Match[str]) -> str:
        above, begin, rest = table.groups()
        own = _OWN_CAPTION.search(rest)
        name = own[1] if own else above or "Table"
        caption = f"<caption>{name}</caption>" if above and not own else ""
        region = f'<div class="{SCROLLS}" role="group" aria-label="{name}">'
        return f"{region}{begin}{caption}{rest}</div>"

    return _TABLE.sub(contained, text)


def study_links(labels: Mapping[str, str], up: str) -> Links:
    """Link studies from a folder."""
    return Links({label: f"{up}{STUDIES}/{key}.html" for key, label in labels.items()})


# Executed notebooks

# A cell that is hidden or removed already says how by one of these.
_FOLDED = ("hide-", "remove-")


def page_notebook(file: Path, *, up: str, links: Links, beside: str = "") -> bytes:
    """Prepare an executed notebook for readers.

    Code is folded, the default parameters give way to the effective ones, facts for machines
    go, figures are those that can be taken along, with their words and links to their files,
    names of studies lead to the pages of the studies, tables scroll by themselves, sections that
    hold nothing vanish, and the end offers the notebook and its data.
    """
    notebook = json.loads(file.read_bytes())
    report = file.parent.name
    is_injected = any(INJECTED_TAG in tags_of(cell) for cell in notebook["cells"])
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            had = bool(cell["outputs"])
            _fold(cell, is_injected=is_injected)
            cell["outputs"] = list(_for_readers(cell["outputs"], report, up, links))
            if had and not cell["outputs"]:
                continue
        elif ANSWER_TAG in tags_of(cell):
            cell["source"] = links.in_words("".join(cell["source"]))
        cells.append(cell)
    cells = without_empty_sections(cells)
    if beside:
        cells.insert(1, _markup(beside))
    cells.append(_markup(page_bar(file.stem, report, up)))
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    return json.dumps({**notebook, "cells": cells}, sort_keys=True).encode()


def _for_readers(
    outputs: Iterable[dict[str, Any]], report: str, up: str, links: Links
) -> Iterator[dict[str, Any]]:
    """Yield what there is to look at in the outputs of a cell."""
    for output in outputs:
        if not _is_for_people(output) or is_nothing(output):
            continue
        data = output.get("data", {})
        if label := figure_label(output):
            output["data"] = {"text/html": figure_html(label, report, up)}
        elif "text/html" in data:
            data["text/html"] = links.in_html("".join(data["text/html"]))
        elif "text/markdown" in data:
            data["text/markdown"] = links.in_words("".join(data["text/markdown"]))
        yield output


ON_TELEPHONES = "screen and (max-width: 600px)"


def figure_html(label: Mapping[str, Any], report: str, up: str) -> str:
    """Write a figure as the file that can be taken along, with its words and its formats."""
    name = label["figure"]
    source = html.escape(f"{up}{DOWNLOADS}/{report}/{name}.svg")
    picture = f'<img src="{source}" alt="{html.escape(label["alt"])}" loading="lazy">'
    kind = "ldn-figure"
    if _has_layouts(name, report):
        narrow = f'{source.removesuffix("svg")}narrow.svg" media="{ON_TELEPHONES}'
        picture = f'<picture><source srcset="{narrow}">{picture}</picture>'
        kind += " ldn-fits"
    # Words of a figure begin with what kind it is, and of what.
    called = html.escape(label["alt"].partition(". ")[0].rstrip("."))
    return (
        f'<figure class="{kind}"><div class="{SCROLLS}" role="group" '
        f'aria-label="{called}">{picture}</div>'
        f"<figcaption>{figure_bar(name, report, up)}</figcaption></figure>"
    )


# One page a condition, put together from what its notebooks show


# When a reader meets a part unfolded; a condition without a number has a short page.
NEVER, ALWAYS, WITH_A_NUMBER = "never", "always", "with a number"


@dataclass(frozen=True)
class Layer:
    """A part of a condition's page: an address, a heading, the cells of notebooks it shows."""

    key: str
    title: str
    cells: Sequence[str]
    opens: str = NEVER


def _layers() -> list[Layer]:
    return [Layer(**one) for one in export.layout()["layers"]]


@dataclass(frozen=True)
class Shown:
    """A layer with what its cells hold."""

    layer: Layer
    parts: Sequence[str]
    is_folded: bool

    @property
    def content(self) -> str:
        """All of it, in reading order."""
        return "\n".join(self.parts)


def layers_of(
    notebooks: Iterable[Path], up: str, links: Links, *, has_number: bool
) -> list[Shown]:
    """Fill the layers from executed notebooks; one that stays empty is left out."""
    cells = {
        name: "\n".join(map(_in_html, _for_readers(outputs, file.parent.name, up, links)))
        for file in notebooks
        for name, outputs in shown_cells([file])
    }
    # What other choices would give of nothing is nothing.
    for name in [name for name in cells if name.endswith("/sensitivity")]:
        if not cells.get(f"{name.partition('/')[0]}/forest"):
            del cells[name]
    opening = (ALWAYS, WITH_A_NUMBER) if has_number else (ALWAYS,)
    filled = (
        Shown(
            layer,
            [cells[name] for name in layer.cells if cells.get(name)],
            is_folded=layer.opens not in opening,
        )
        for layer in _layers()
    )
    return [shown for shown in filled if shown.parts]


_MARKDOWN = MarkdownIt("commonmark")


def _in_html(output: Mapping[str, Any]) -> str:
    """An output as HTML."""
    data = output.get("data", {})
    if "text/html" in data:
        return "".join(data["text/html"])
    return str(_MARKDOWN.render("".join(data.get("text/markdown", ""))))


def code_of_page(notebook: Path) -> str:
    """Effective parameters and code of an executed notebook."""
    cells = json.loads(notebook.read_bytes())["cells"]
    is_injected = any(INJECTED_TAG in tags_of(cell) for cell in cells)
    code = (
        "".join(cell["source"])
        for cell in cells
        if cell["cell_type"] == "code" and not (is_injected and PARAMETERS_TAG in tags_of(cell))
    )
    return "\n".join(code)


def _fold(cell: dict[str, Any], *, is_injected: bool) -> None:
    tags = tags_of(cell)
    if is_injected and PARAMETERS_TAG in tags:
        tags.append("remove-cell")
    if not any(tag.startswith(_FOLDED) for tag in tags):
        tags.append("hide-input")
    cell["metadata"]["tags"] = tags


def _is_for_people(output: dict[str, Any]) -> bool:
    """Take the facts out of an output, in place; say whether anything is left to look at."""
    if "data" not in output:
        return True
    was_facts = output["data"].pop(FACTS_MIME, None) is not None
    return bool(output["data"]) and not (was_facts and set(output["data"]) == {"text/plain"})


def _markup(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def question_of(notebook: Path) -> str:
    """Heading of an executed notebook."""
    for cell in json.loads(notebook.read_bytes())["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            if text.startswith("# "):
                return text.partition("\n")[0].removeprefix("# ")
    return short_name(notebook)


def short_name(notebook: Path) -> str:
    """Name of a page where a question has no room."""
    return notebook.stem.lstrip("0123456789_").replace("_", " ").capitalize()


# Answers of the indications

MAPPED_BY = "90_overview"
# Directions in the words of a reader; how much they rest on is said behind.
DIRECTIONS = {
    synthesis.FAVOURS_TREATMENT: "Estimate favours {treatment}",
    synthesis.FAVOURS_COMPARATOR: "Estimate favours the comparator",
    synthesis.SAME_IN_BOTH: "Estimate is the same in both",
    synthesis.SIDE_UNKNOWN: "Side of the estimate not known",
}
# Without an estimate, what the studies tell.
TOLD_DIRECTIONS = {
    synthesis.FAVOURS_TREATMENT: "What is printed favours {treatment}",
    synthesis.FAVOURS_COMPARATOR: "What is printed favours the comparator",
    synthesis.SAME_IN_BOTH: "What is printed is the same in both",
    synthesis.BOTH_SIDES: "Studies lie on opposite sides",
    synthesis.SIDE_UNKNOWN: "Compared, side not known",
    synthesis.NOT_STATED: "Not known",
}
RESTS_ON = {
    synthesis.ONE_TRIAL: "one trial",
    synthesis.DIRECTION_ONLY: "told without usable numbers",
    synthesis.NO_COMPARISON: "no comparison",
}


@dataclass(frozen=True)
class Told:
    """What the site tells of one indication before anything else."""

    answer: Answer
    folder: str
    direction: str
    statement: str
    picture: str
    people: str
    explore: str
    forest: str
    pages: Sequence[Path]

    @property
    def effect(self) -> str:
        """Effect with its interval, or the direction where there is none."""
        return capitalised(self.answer.effect) if self.answer.trials else self.direction

    @property
    def certainty(self) -> str:
        """GRADE's circles with the word for them."""
        return f"{symbols(self.answer.certainty)} {self.answer.certainty}".lstrip()


def told(reports: Mapping[str, Sequence[Path]], review: Review) -> dict[str, Told]:
    """Gather what the reports tell of each indication; results of one unit share an axis."""
    answers = read_answers()
    facts = {one.indication: read_facts(files.reports() / one.indication) for one in answers}
    main = {one.indication: _main_result(facts[one.indication], one) for one in answers}
    spans: dict[tuple[str, str], float] = {}
    for result in main.values():
        if has_interval(result):
            ends = ("ci_low", "ci_high", "important_low", "important_high")
            far = max(abs(float(result.get(end) or 0)) for end in ends)
            scale = _scale(result)
            spans[scale] = max(spans.get(scale, 0.0), far)
    found = {}
    for answer in answers:
        name = answer.indication
        found_of, result = facts[name].get(ANSWERED_BY, {}).get("synthesis", {}), main[name]
        direction = direction_in_words(found_of, review)
        drawn = next((one for one in figures_of(name) if _is_main_forest(one)), None)
        construct = result.get("construct") if answer.trials else None
        found[name] = Told(
            answer=answer,
            folder=_folder(name),
            direction=direction,
            statement=result.get("statement") or answer.sentence.partition(". ")[0],
            picture=mini_picture(
                result,
                found_of.get("direction", synthesis.NOT_STATED),
                span=spans.get(_scale(result), 0.0),
                words=f"{direction}. {capitalised(answer.effect)}.",
            ),
            people=people_in_words(answer),
            explore=f"{EXPLORE}#{name}/{construct}" if construct and has_data() else "",
            forest=drawn.name if drawn else "",
            pages=reports[name],
        )
    return found


def people_in_words(answer: Answer) -> str:
    """Say how many people and trials gave usable numbers."""
    if answer.trials:
        trials = counted(answer.trials, "trial")
        return f"{answer.people} people in {trials}" if answer.people else trials
    if not answer.comparative_studies:
        return "nobody: no comparative study"
    studies = counted(answer.comparative_studies, "comparative study", "comparative studies")
    return f"no usable numbers in {studies}"


def _main_result(facts: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """The rated main outcome of an indication; empty without that page."""
    rated = facts.get(RATED_BY, {}).get("outcomes", ())
    main = [one for one in rated if one["outcome"] == MAIN_OUTCOME]
    return min(main, key=lambda one: one["comparator_class"] != answer.comparison, default={})


def _is_main_forest(drawn: Drawn) -> bool:
    return drawn.notebook == ANSWERED_BY and drawn.name.startswith("forest")


def _scale(result: Mapping[str, Any]) -> tuple[str, str]:
    return str(result.get("measure")), str(result.get("unit"))


def has_interval(result: Mapping[str, Any]) -> bool:
    """Whether a result can be drawn on an axis."""
    return all(result.get(name) is not None for name in ("estimate", "ci_low", "ci_high"))


# A small picture of a result: better with the treatment is always on the left.

_WIDE, _HIGH, _LINE, _HALF = 240, 46, 16, 106
_ARROWS = {
    synthesis.FAVOURS_TREATMENT: (-1,),
    synthesis.FAVOURS_COMPARATOR: (1,),
    synthesis.BOTH_SIDES: (-1, 1),
}


def mini_picture(result: Mapping[str, Any], direction: str, *, span: float, words: str) -> str:
    """Draw an interval on the axis of its unit, or a mark of direction where there is none."""
    marks = [_line("ldn-zero", 0, 2, 0, 30)]
    if not has_interval(result) or not span:
        arrows = [_arrow(side) for side in _ARROWS.get(direction, ())]
        sign = "=" if direction == synthesis.SAME_IN_BOTH else "?"
        marks += arrows or [_label(0, _LINE + 6, sign, "ldn-sign")]
        marks.append(_label(0, 42, "no size"))
        return _svg(marks, words)
    # Less is better where the sign of benefit is negative, and then values are as they are drawn.
    turn = -float(result["benefit_sign"]) * 0.94 * _HALF / span
    low, point, high = (turn * float(result[name]) for name in ("ci_low", "estimate", "ci_high"))
    for end in ("important_low", "important_high"):
        if (value := result.get(end)) is not None:
            at = turn * float(value)
            shown = shown_number(float(value), str(result["measure"]))
            marks += [_line("ldn-tick", at, 6, at, 30)]
            marks += [_label(at, 42, f"{shown} {'better' if at < 0 else 'worse'}")]
    marks.append(_label(0, 42, "0" if result["measure"] not in RATIO_MEASURES else "1"))
    if direction == synthesis.SIDE_UNKNOWN:
        far = max(abs(low), abs(high))
        marks.append(_line("ldn-ci ldn-unsided", -far, _LINE, far, _LINE))
        marks.append(_label(0, _LINE - 5, "side not known"))
        return _svg(marks, words)
    marks.append(_line("ldn-ci", low, _LINE, high, _LINE))
    at = _WIDE / 2 + point
    marks.append(
        f'<rect class="ldn-point" x="{at - 5:.1f}" y="{_LINE - 5}" width="10" height="10"/>'
    )
    return _svg(marks, words)


def shown_number(value: float, measure: str) -> str:
    """Write an important difference as a reader says it: without sign, ratios as they are."""
    return f"{math.exp(value):.2f}" if measure in RATIO_MEASURES else f"{abs(value):g}"


def _svg(marks: Iterable[str], words: str) -> str:
    return (
        f'<svg class="ldn-mini" viewBox="0 0 {_WIDE} {_HIGH}" width="{_WIDE}" height="{_HIGH}" '
        f'role="img" aria-label="{html.escape(words)}">{"".join(marks)}</svg>'
    )


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    mid = _WIDE / 2
    ends = f'x1="{mid + x1:.1f}" y1="{y1}" x2="{mid + x2:.1f}" y2="{y2}"'
    return f'<line class="{kind}" {ends}/>'


def _arrow(side: int) -> str:
    near, far = _WIDE / 2 + side * 12, _WIDE / 2 + side * 34
    ends = f"M{near:g},{_LINE - 8} L{far:g},{_LINE} L{near:g},{_LINE + 8} Z"
    return f'<path class="ldn-arrow" d="{ends}"/>'


def _label(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{_WIDE / 2 + x:.1f}" y="{y}">{html.escape(text)}</text>'


# The evidence map as a grid whose cells lead on

_GLYPHS = {
    synthesis.FAVOURS_TREATMENT: ("\u25c0", "\u25c1"),
    synthesis.FAVOURS_COMPARATOR: ("\u25b6", "\u25b7"),
    synthesis.SAME_IN_BOTH: ("=", "="),
    synthesis.BOTH_SIDES: ("\u25c1\u25b7", "\u25c1\u25b7"),
}


def evidence_grid(folders: Mapping[str, str]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Heads, and a row of cells in HTML for each condition, of the overview's map."""
    cells = read_facts(files.reports() / OVERVIEW).get(MAPPED_BY, {}).get("cells", ())
    heads = list(dict.fromkeys(cell["outcome_label"] for cell in cells))
    harms = _harms() if cells else set()
    rows: dict[str, dict[str, str]] = {}
    for cell in cells:
        folder = folders.get(cell["indication_id"])
        if folder:
            row = rows.setdefault(cell["indication_label"], {})
            row[cell["outcome_label"]] = _grid_cell(cell, folder, harms)
    return heads, [(label, [row.get(head, "") for head in heads]) for label, row in rows.items()]


def _grid_cell(cell: Mapping[str, Any], folder: str, harms: Collection[str]) -> str:
    part = "harms" if cell.get("construct") in harms else "findings"
    address = f"{folder}/index.html#{part}"
    if not cell["trials"] and not cell["told"]:
        return '<span title="not found in what was read">\u00b7</span>'
    if not cell["trials"]:
        return _grid_link(address, "?", TOLD_OF_ALL, cell["told"])
    is_number = cell["synthesis"] in (synthesis.META_ANALYSIS, synthesis.ONE_TRIAL)
    glyph = _GLYPHS.get(cell["side"], ("?", "?"))[0 if is_number else 1]
    side = cell["side"]
    if cell["synthesis"] == synthesis.NO_COMPARISON:
        glyph, side = "\u25cb", RESTS_ON[synthesis.NO_COMPARISON]
    people = f", {counted(int(cell['people']), 'person', 'people')}" if cell["people"] else ""
    noun = counted(
        int(cell["trials"]),
        "trial" if is_number else "study",
        "trials" if is_number else "studies",
    )
    bare = cell["synthesis"] == synthesis.NO_COMPARISON or cell["is_randomised"]
    who = f"{noun}{people}{'' if bare else f', {NOT_RANDOMISED}'}"
    words = f"{side}; {cell['number'] or 'no pooled number'}; certainty {cell['certainty']}"
    return _grid_link(address, glyph, who, words)


def _grid_link(address: str, glyph: str, shown: str, words: str) -> str:
    """A cell of the grid: its mark, what is printed below, and what is told of it on a pointer."""
    return (
        f'<a href="{address}" title="{html.escape(words)}">'
        f'<span class="ldn-glyph" aria-hidden="true">{glyph}</span> {html.escape(shown)}'
        f'<span class="ldn-only-read">; {html.escape(words)}</span></a>'
    )


def _harms() -> set[str]:
    outcomes = export.raw_rows("outcomes")
    return {row["construct"] for row in outcomes if row.get("domain") == "harm"}


def direction_in_words(found: Mapping[str, Any], review: Review) -> str:
    """Direction of a synthesis, and what it rests on where that is no meta-analysis."""
    has_estimate = found.get("synthesis") in (synthesis.META_ANALYSIS, synthesis.ONE_TRIAL)
    words_of = DIRECTIONS if has_estimate else TOLD_DIRECTIONS
    direction = words_of[found.get("direction", synthesis.NOT_STATED)]
    words = direction.format(treatment=review.short_name)
    behind = RESTS_ON.get(found.get("synthesis", ""))
    return f"{words} ({behind})" if behind else words


# Figures


@dataclass(frozen=True)
class Drawn:
    """A figure of a report: its name, its words, and the notebook that drew it."""

    name: str
    alt: str
    report: str
    notebook: str

    @property
    def kind(self) -> tuple[str, str]:
        """Title and question; a kind that nobody described goes by its name."""
        kinds = export.layout()["kinds"].items()
        found = next((kind for start, kind in kinds if self.name.startswith(start)), None)
        title, question = found or (self.name.replace("_", " ").capitalize(), "")
        return title, question

    @property
    def words(self) -> str:
        """Its words in one line."""
        return " ".join(self.alt.split())


def gallery(folders: Mapping[str, str]) -> dict[str, bytes]:
    """Write the gallery."""
    first: dict[str, Drawn] = {}
    for report in folders:
        for drawn in figures_of(report):
            first.setdefault(drawn.kind[0], drawn)
    if not first:
        return {}
    order = {title: place for place, (title, _) in enumerate(export.layout()["kinds"].values())}
    shown = sorted(first.values(), key=lambda drawn: order.get(drawn.kind[0], len(order)))
    return {"gallery.md": _page("gallery", shown=shown, folders=folders)}


def figures_of(report: str) -> Iterator[Drawn]:
    """List the filed figures of a report, in reading order."""
    for name, outputs in shown_cells(_notebooks(report)):
        for output in outputs:
            if (label := figure_label(output)) and not is_nothing(output):
                yield Drawn(label["figure"], label["alt"], report, name.partition("/")[0])


# Pages that are no notebooks


def _page(template: str, **values: Any) -> bytes:
    """Fill a template of docs/_templates/pages."""
    folder = files.site_docs() / "_templates" / "pages"
    return _environment(folder).get_template(f"{template}.md").render(values).encode()


@functools.lru_cache(maxsize=2)
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"escaped": html.escape, "scrolling": scrolling, "plain": _plain}
    environment.filters["capitalised"] = capitalised
    helpers = (
        data_bar,
        figure_bar,
        hidden_contents,
        question_of,
        short_name,
        code_of_page,
        figure_html,
        report_forms,
    )
    environment.globals |= {helper.__name__: helper for helper in helpers}
    return environment


def _plain(words: str) -> str:
    """Words that Markdown would read as marks stay words."""
    return words.translate({ord(mark): f"\\{mark}" for mark in "\\`*_<>[]$#"})


def hidden_contents(entries: Iterable[str], caption: str = "") -> str:
    """Write a list of contents for the sidebar."""
    options = [":maxdepth: 2", ":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *options, "", *entries, "```"])


def dictionary_page() -> bytes:
    """Write every table and column of data/raw."""
    package = json.loads((files.raw_data() / "datapackage.json").read_bytes())
    return _page("data_dictionary", package=package, meaning=_meaning)


def _meaning(field: Mapping[str, Any], table: Mapping[str, Any]) -> str:
    schema, name = table["schema"], field["name"]
    parts = [field.get("description", "").rstrip(".")]
    options = field.get("constraints", {}).get("enum")
    if "unit" in field:
        parts.append(f"in {field['unit']}")
    if options:
        parts.append("one of " + ", ".join(f"`{option}`" for option in options))
    if name in schema.get("primaryKey", []):
        parts.append("key of the table")
    parts += [
        f"a row of `{key['reference'].get('resource') or table['name']}`"
        for key in schema.get("foreignKeys", [])
        if key["fields"] in (name, [name])
    ]
    return "; ".join(part for part in parts if part).replace("|", "\\|")


_USES = ("contrast", "single-arm", "excluded")


def study_sources(pages: Collection[str]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Label of each study on file, and a page for it and for the list of them."""
    from ldn_meta.display.pages.study import study_page

    derived = load_derived()
    studies = derived.evidence.text["studies"]
    labels = dict(zip(studies["study_id"], studies["label"], strict=True))
    sources = {f"{STUDIES}/index.md": _page("studies", groups=_study_groups(derived))}
    for key in labels:
        page = study_page(key, derived)
        # Notebooks of the study's condition, and those across conditions, if they have pages.
        folders = (f"indications/{page.study['indication_id']}/", f"{OVERVIEW}/")
        links = {
            name.removeprefix(folder): f"../{name}.html"
            for folder in folders
            for name in pages
            if name.startswith(folder)
        }
        sources[f"{STUDIES}/{key}.md"] = study_markdown(page, Links(links))
    return labels, sources


def study_markdown(page: StudyPage, links: Links) -> bytes:
    """Write one study."""
    sections = [
        (heading, "".join(links.in_html(table._repr_html_()) for table in tables))
        for heading, tables in page.sections
    ]
    headline = str(page.headline).replace("**", "")
    return _page("study", label=page.label, headline=headline, sections=sections)


def _study_groups(derived: Derived) -> list[tuple[str, list[dict[str, str]]]]:
    """All studies, condition by condition, what is compared first."""
    studies = derived.evidence.text["studies"]
    indications = derived.evidence.text["indications"]
    order = {use: place for place, use in enumerate(_USES)}
    studies = studies.assign(place=studies["eligible_for"].map(order))
    studies = studies.sort_values(["place", "year", "study_id"], kind="stable")
    names = dict(zip(indications["indication_id"], indications["label"], strict=True))
    groups = []
    for key in dict.fromkeys([*reported_indications(), *names]):
        own = studies[studies["indication_id"] == key].to_dict("records")
        if own:
            groups.append((capitalised(names[key]), own))
    return groups


def pages() -> dict[str, bytes]:
    """Make every page from the reports and tables at hand."""
    indications = reported_indications()
    reports = {name: _notebooks(name) for name in [*indications, OVERVIEW]}
    folders = {name: _folder(name) for name, notebooks in reports.items() if notebooks}
    known = [f"{folder}/{file.stem}" for name, folder in folders.items() for file in reports[name]]
    labels, found = study_sources(known)
    review = load_review(files.raw_data())
    answers = told(reports, review)
    about = export.stated()
    for name, folder in folders.items():
        up = "../" * (folder.count("/") + 1)
        links = study_links(labels, up)
        title = "" if name == OVERVIEW else capitalised(indications[name]["label"])
        for file in reports[name]:
            beside = _beside(file, title, reports[name]) if title else ""
            made = page_notebook(file, up=up, links=links, beside=beside)
            found[f"{folder}/{file.name}"] = made
        if title:
            found[f"{folder}/index.md"] = _page(
                "indication",
                title=title,
                question=indications[name]["question"],
                one=(one := answers.get(name)),
                layers=layers_of(
                    reports[name], up, links, has_number=bool(one and one.answer.trials)
                ),
                pages=reports[name],
                entries=[_entry(file) for file in reports[name]],
                report=name,
                about=about,
                up=up,
            )
    methods = sorted((files.project_root() / "docs").glob("*.md"))
    found |= {f"methods/{file.name}": file.read_bytes() for file in methods}
    found["data_dictionary.md"] = dictionary_page()
    found["downloads.md"] = _page("downloads")
    found |= gallery(folders)
    look_up = (f"{STUDIES}/index", "gallery", "data_dictionary", "downloads")
    heads, grid = evidence_grid(folders)
    mapped = next((one for one in figures_of(OVERVIEW) if one.name == "evidence_map"), None)
    found["index.md"] = _page(
        "start",
        title=review.title,
        treatment=review.short_name,
        conduct=review.conduct,
        answers=list(answers.values()),
        about=about,
        heads=heads,
        grid=grid,
        mapped=mapped,
        has_explore=has_data(),
        contents={
            "Indications": [f"{folders[name]}/index" for name in indications if name in folders],
            "Across indications": [_entry(file, f"{OVERVIEW}/") for file in reports[OVERVIEW]],
            "Look up": [name for name in look_up if f"{name}.md" in found],
            "How it was made": [f"methods/{file.stem}" for file in methods],
        },
    )
    return found


def _beside(file: Path, title: str, pages: Sequence[Path]) -> str:
    """Lead from a page of a condition to the condition and to its other pages."""
    names = [
        f"<strong>{html.escape(short_name(page))}</strong>"
        if page == file
        else f'<a href="{page.stem}.html">{html.escape(short_name(page))}</a>'
        for page in pages
    ]
    first = f'<a href="index.html">{html.escape(title)}, all on one page</a>'
    return f'<p class="ldn-beside">{first}. How it was made: {"; ".join(names)}.</p>'


def _notebooks(report: str) -> list[Path]:
    return sorted((files.reports() / report).glob("*.ipynb"))


def _folder(report: str) -> str:
    return OVERVIEW if report == OVERVIEW else f"indications/{report}"


def _entry(notebook: Path, folder: str = "") -> str:
    """Entry of a list of contents: the sidebar has no room for a question."""
    return f"{short_name(notebook)} <{folder}{notebook.stem}>"


# The page to explore, in one file that Sphinx has nothing to do with

EXPLORE = "explore.html"
# In the order in which each needs the ones before it.
SCRIPTS = (
    *("distributions", "tau2", "pooling", "selection", "analysis", "fragment"),
    *("wording", "axis", "sentence", "rows", "forest", "explore"),
)


def has_data() -> bool:
    """Whether there are derived tables to explore."""
    return (files.derived_data() / files.MANIFEST).is_file()


def write_explore(site: Path) -> bool:
    """Write the explore page into a folder of finished pages."""
    if not has_data():
        return False
    studies = (site / STUDIES).glob("*.html")
    links = {file.stem: f"{STUDIES}/{file.name}" for file in sorted(studies)}
    files.write_whole(site / EXPLORE, explore_page(study_pages=links).encode())
    return True


def explore_page(*, study_pages: dict[str, str] | None = None) -> str:
    """Put the page together."""
    from ldn_meta.evidence.answer.multiverse import explored

    derived = load_derived()
    found = explored(derived.evidence, derived.protocol)
    folder = files.site_docs() / "explore"
    return (
        _environment(folder)
        .get_template("page.html")
        .render(
            title=derived.evidence.review.title,
            conduct=derived.evidence.review.conduct,
            style=_text(folder / "explore.css"),
            table=answers_html(found, derived.pooled),
            data=script_json(
                {**found, "words": explore_words(), "study_pages": study_pages or {}}
            ),
            scripts="\n".join(_text(folder / f"{name}.js") for name in SCRIPTS),
        )
    )


def script_json(data: Any) -> str:
    """Write JSON that cannot end the element it stands in, whatever its texts hold."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").rstrip("\n")


# The site

# Icons are letters (ldn.css); what the theme loads on every page for a search as one types is
# for a search that the site does not have; Sphinx prints a cover nobody asked for.
_SCRIPT = r"""\s*<script[^>]*\bsrc="[^"]*(?:{})\.js[^"]*"></script>"""
_ICON_SCRIPT = re.compile(_SCRIPT.format("fontawesome"))
_SEARCH_SCRIPT = re.compile(_SCRIPT.format("searchtools|language_data|searchindex"))
_COVER = re.compile(
    r'<div id="jb-print-docs-body".*?(?=<div id="searchbox">)|<!--.*?-->', re.DOTALL
)
_AS_IT_STANDS = re.compile(r"(<(pre|script|style)\b.*?</\2>)", re.DOTALL)
_ICONS = "fontawesome.js"
SEARCHED_ON = "search.html"
# Names that differ from what stands there, parts without one, heads without words.
_MENDED = (
    (' aria-label="Toggle hidden content"', ""),
    (
        'search-button__button pst-js-only" aria-label="Search"',
        'search-button__button pst-js-only"',
    ),
    ('id="pst-primary-sidebar"', 'id="pst-primary-sidebar" role="region" aria-label="Sidebar"'),
    ('<th class="head"><p></p></th>', "<td></td>"),
)
_RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
_BARE_RULE = re.compile(r"@(?:media|supports)[^{}]*\{\s*\}|/\*.*?\*/", re.DOTALL)
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
# What Sphinx and its theme leave for themselves.
_NO_PAGES = (".buildinfo*", "_sources", "objects.inv", "*.map", "*.po", "*.mo", "locales")
_ENVIRONMENT = {
    "SOURCE_DATE_EPOCH": "1577836800",  # the moment Sphinx writes instead of the clock's
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "",
    "TZ": "UTC",
}


def build_site(*, force: bool = False) -> bool:
    """Build ``build/site`` if anything it shows changed."""
    with files.exclusive_writer():
        site = files.build() / "site"
        files.restore_folder(site)
        key = _key()
        record = files.build() / "stale" / "site.key"
        is_same = record.is_file() and record.read_text() == key
        if is_same and (site / "index.html").is_file() and not force:
            return False
        work = files.build() / "sphinx"
        if force:
            shutil.rmtree(work, ignore_errors=True)
        _write_sources(work / "source", pages())
        _run_sphinx(work)
        staged = files.build() / "staging" / "site"
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(work / "html", staged, ignore=shutil.ignore_patterns(*_NO_PAGES))
        lighten(staged)
        for name, file in downloads().items():
            files.write_whole(staged / name, file.read_bytes())
        for name, data in made_to_take_along().items():
            files.write_whole(staged / name, data)
        write_explore(staged)
        files.replace_folder(staged, site)
        files.write_whole(record, key.encode())
    return True


def lighten(site: Path) -> None:
    """Take out what pages load and do not use: icons, the search index, rules of style sheets."""
    for file in site.rglob(_ICONS):
        file.unlink()
    named: set[str] = set()
    for page in site.rglob("*.html"):
        text = _ICON_SCRIPT.sub("", page.read_text(encoding="utf-8"))
        if page.name != SEARCHED_ON:
            text = _SEARCH_SCRIPT.sub("", text)
        page.write_text(lightened(text), encoding="utf-8")
        named.update(re.findall(r"[\w-]+", text))
    for script in site.rglob("*.js"):
        if script.name != "searchindex.js":
            named.update(re.findall(r"[\w-]+", script.read_text(encoding="utf-8")))
    for sheet in site.rglob("*.css"):
        sheet.write_text(purged(sheet.read_text(encoding="utf-8"), named), encoding="utf-8")


def lightened(text: str) -> str:
    """A page without comments, blank lines and indents, but for what stands as it is."""
    for given, mended in _MENDED:
        text = text.replace(given, mended)
    parts = _AS_IT_STANDS.split(_COVER.sub("", text))
    # Every third part is what stands, the next the name of its element.
    return "".join(
        part if n % 3 else re.sub(r"\s*\n\s*", "\n", part)
        for n, part in enumerate(parts)
        if n % 3 != 2
    )


def purged(css: str, named: Collection[str]) -> str:
    """A style sheet without rules for classes that no page and no script names."""

    def is_used(selector: str) -> bool:
        if re.search(r":(?:is|where|has)\(|\\", selector):
            return True
        return set(_CLASS.findall(re.sub(r":not\([^)]*\)", "", selector))) <= set(named)

    def rule(found: re.Match[str]) -> str:
        kept = [one for one in re.split(r",(?![^()]*\))", found[1]) if is_used(one)]
        return f"{','.join(kept)}{{{found[2]}}}" if kept else ""

    return _BARE_RULE.sub("", _RULE.sub(rule, _BARE_RULE.sub("", css)))


def _key() -> str:
    """Hash everything the pages show and everything that makes them."""
    root = files.project_root()
    shown = [
        file
        for folder in (files.reports(), files.raw_data(), files.derived_data(), root / "docs")
        for file in folder.rglob("*")
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(root).parts)
    ]
    docs = files.site_docs()
    return files.json_sha256(
        {
            "shown": files.tree_sha256(root, shown),
            "docs": files.tree_sha256(docs, (file for file in docs.rglob("*") if file.is_file())),
            **files.code_of(root),
            "python": sys.version,
        }
    )


def _write_sources(folder: Path, wanted: Mapping[str, bytes]) -> None:
    """Write what changed and remove what is no page any more, so that Sphinx redoes little."""
    for file in [file for file in folder.rglob("*") if file.is_file()]:
        if file.relative_to(folder).as_posix() not in wanted:
            file.unlink()
    for name, data in wanted.items():
        files.write_whole(folder / name, data)


def _run_sphinx(work: Path) -> None:
    settings = files.site_docs()
    folders = ("-c", settings, "-d", work / "doctrees", work / "source", work / "html")
    # -a writes every page: the sidebar of each shows the titles of all. Nothing older lies there,
    # or addresses of style sheets would tell a second build from a first.
    shutil.rmtree(work / "html", ignore_errors=True)
    sphinx = (sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-a", "-b", "html")
    command = [*sphinx, *map(str, folders)]
    env = {**os.environ, **_ENVIRONMENT, "LDN_META_ROOT": str(files.project_root())}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        # Pages that warned count as done for Sphinx; it must look at them again next time.
        shutil.rmtree(work / "doctrees", ignore_errors=True)
        reason = (done.stderr or done.stdout).strip()
        message = f"the site was not built, the last good one stays in build/site:\n{reason}"
        raise LdnMetaError(message)
