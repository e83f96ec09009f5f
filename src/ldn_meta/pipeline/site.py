"""The reports as pages that open without a network: Sphinx, MyST-NB, sphinx-book-theme.

The words and the layout of pages that are no notebooks stand in docs/_templates/pages.
"""

from __future__ import annotations

import functools
import html
import json
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

from ldn_meta import files
from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.display.words import (
    COUNTS,
    MEASURES,
    capitalised,
    estimate_with_interval,
)
from ldn_meta.errors import LdnMetaError
from ldn_meta.evidence.answer import pools as synthesis
from ldn_meta.evidence.answer.pools import CI_METHODS, TAU2_METHODS
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.evidence.raw.review import Review, load_review
from ldn_meta.evidence.raw.selection import MAIN
from ldn_meta.pipeline.notebooks import (
    INJECTED_TAG,
    OVERVIEW,
    PARAMETERS_TAG,
    read_facts,
    reported_indications,
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
FORMATS = ("png", "svg")


def downloads() -> dict[str, Path]:
    """List what can be taken along."""
    found = {}
    for folder in (files.raw_data(), files.derived_data()):
        for file in (*folder.glob("*.csv"), *folder.glob("datapackage.json")):
            found[f"{DOWNLOADS}/data/{folder.name}/{file.name}"] = file
    for report in files.reports().glob("*/"):
        for file in (*report.glob("*.ipynb"), *report.glob("figures/*")):
            found[f"{DOWNLOADS}/{report.name}/{file.name}"] = file
    return dict(sorted(found.items()))


def figure_bar(name: str, report: str, up: str) -> str:
    """Write links to a figure of a report in its formats."""
    links = [(f"{report}/{name}.{end}", f"Figure as {end.upper()}") for end in FORMATS]
    return _bar("this figure", links, up)


def page_bar(notebook: str, report: str, up: str) -> str:
    """Write links to an executed notebook and the tables it rests on."""
    tables = [name if "/" in name else f"derived/{name}" for name in TABLES.get(notebook, ())]
    page = (f"{report}/{notebook}.ipynb", "This page as a notebook")
    offered = [(f"data/{table}.csv", f"data/{table}.csv") for table in tables]
    return _bar("this page", [page, *offered], up)


def data_bar(folder: str, up: str) -> str:
    """Write links to every table of data/raw or data/derived."""
    start = f"{DOWNLOADS}/data/{folder}/"
    names = [file.removeprefix(start) for file in downloads() if file.startswith(start)]
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
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_CELL = re.compile(r"(<td\b[^>]*>)(.*?)(</td>)", re.DOTALL)
_CAPTION = re.compile(r"<strong>([^<]*)</strong></p>\s*$")
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


# Executed notebooks

# A cell that is hidden or removed already says how by one of these.
_FOLDED = ("hide-", "remove-")


def page_notebook(file: Path, *, up: str, links: Links) -> bytes:
    """Prepare an executed notebook for readers.

    Code is folded, the default parameters give way to the effective ones, facts for machines
    go, figures get their alternative text and links to their files, names of studies lead to
    the pages of the studies, tables scroll by themselves, and the end offers the notebook and
    its data.
    """
    notebook = json.loads(file.read_bytes())
    report = file.parent.name
    is_injected = any(INJECTED_TAG in _tags(cell) for cell in notebook["cells"])
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        if cell["cell_type"] != "code":
            continue
        _fold(cell, is_injected=is_injected)
        cell["outputs"] = [output for output in cell["outputs"] if _is_for_people(output)]
        labels = [label for output in cell["outputs"] if (label := figure_label(output))]
        if labels:
            words = "; ".join(label["alt"] for label in labels)
            cell["metadata"]["mystnb"] = {"image": {"alt": words}}
        for output in cell["outputs"]:
            data = output.get("data", {})
            for kind, linked in (("text/html", links.in_html), ("text/markdown", links.in_words)):
                if kind in data:
                    data[kind] = linked("".join(data[kind]))
        cells += [_markup(figure_bar(label["figure"], report, up)) for label in labels]
    cells.append(_markup(page_bar(file.stem, report, up)))
    for place, cell in enumerate(cells):
        cell["id"] = f"cell-{place}"
    return json.dumps({**notebook, "cells": cells}, sort_keys=True).encode()


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def _fold(cell: dict[str, Any], *, is_injected: bool) -> None:
    tags = _tags(cell)
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


def figure_label(output: Mapping[str, Any]) -> dict[str, str]:
    """Name and words of the figure in an output; empty if it is none."""
    return dict(output.get("metadata", {}).get("ldn-meta", {}))


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

SHAKEN_BY = "50_robustness"
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
    synthesis.NO_COMPARISON: "no comparison group",
}


@dataclass(frozen=True)
class Told:
    """What the site tells of one indication."""

    answer: Answer
    folder: str
    cells: Mapping[str, str]
    change: str
    plain: str
    pages: Sequence[Path]


HEADS_SITE = ("Direction", "Size (95% interval)", "Certainty (GRADE)", "Trials and people")


def told(answer: Answer, pages: Sequence[Path], review: Review) -> Told:
    """Gather what the reports tell of one indication."""
    facts = read_facts(files.reports() / answer.indication)
    first = facts.get(ANSWERED_BY, {})
    change = facts.get(SHAKEN_BY, {}).get("sentence") or first.get("what_would_change_it", "")
    people = f", {answer.people} people" if answer.people else ""
    studies = f"{answer.trials} of {answer.comparative_studies} comparative studies"
    cells = (
        direction_in_words(first.get("synthesis", {}), review),
        answer.effect,
        answer.certainty,
        f"{studies} gave usable numbers{people}",
    )
    told_of = dict(zip(HEADS_SITE, cells, strict=True))
    plain = as_paragraph(facts.get(RATED_BY, {}).get("plain", ""))
    return Told(answer, _folder(answer.indication), told_of, as_paragraph(change), plain, pages)


def told_in_words(answer: Answer, links: Links) -> list[str]:
    """The answer and its certainty, if it is rated, as sentences with links."""
    sentences = (answer.sentence, answer.certainty_sentence)
    return [" ".join(links.in_words(text).split()) for text in sentences if text.strip()]


def direction_in_words(found: Mapping[str, Any], review: Review) -> str:
    """Direction of a synthesis, and what it rests on where that is no meta-analysis."""
    has_estimate = found.get("synthesis") in (synthesis.META_ANALYSIS, synthesis.ONE_TRIAL)
    words_of = DIRECTIONS if has_estimate else TOLD_DIRECTIONS
    direction = words_of[found.get("direction", synthesis.NOT_STATED)]
    words = direction.format(treatment=review.short_name)
    behind = RESTS_ON.get(found.get("synthesis", ""))
    return f"{words} ({behind})" if behind else words


def as_paragraph(text: str) -> str:
    """A list in Markdown as one paragraph."""
    return " ".join(line.removeprefix("- ").strip() for line in text.splitlines() if line.strip())


# Figures

# Start of a figure's name -> its kind and what it answers; the first start that fits counts.
KINDS = {
    "evidence_map": ("Evidence map", "What was studied, against what, and what came out?"),
    "study_flow": (
        "Study flow",
        "How many studies and rows reach a result, and where do others go?",
    ),
    "forest": ("Forest plot", "What did each trial find, and what do they give together?"),
    "shares": ("Shares of people", "How many people had the event, study by study?"),
    "effect_directions": (
        "Effect directions",
        "Which way do results point that cannot be pooled?",
    ),
    "albatross": ("Albatross plot", "Which effect would fit a p-value and a number of people?"),
    "harvest": ("Harvest plot", "Which way do studies point, and how good are they?"),
    "risk_of_bias_summary": ("Risk of bias, summary", "How much of the evidence is judged how?"),
    "risk_of_bias": ("Risk of bias, study by study", "Who was judged how, on what?"),
    "specification_curve": ("Specification curve", "Where do all defensible analyses end up?"),
    "cumulative": ("Cumulative plot", "How did the answer move with each trial?"),
    "sequential": ("Sequential boundaries", "Was it called too early?"),
    "next_trial": ("Next trial", "How large must a next trial be to settle it?"),
    "published": ("Published pools", "What did reviews pool, and what do we?"),
    "dose": ("Dose and response", "Which dose works, and how sure can that be?"),
}


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
        found = next((kind for start, kind in KINDS.items() if self.name.startswith(start)), None)
        return found or (self.name.replace("_", " ").capitalize(), "")

    @property
    def picture(self) -> str:
        """Where the site has it."""
        return f"pictures/{self.report}_{self.name}.png"

    @property
    def words(self) -> str:
        """Its words in one line."""
        return " ".join(self.alt.split())


def gallery(folders: Mapping[str, str]) -> dict[str, bytes]:
    """Write the gallery, and the pictures on it."""
    first: dict[str, Drawn] = {}
    for report in folders:
        for drawn in figures_of(report):
            first.setdefault(drawn.kind[0], drawn)
    if not first:
        return {}
    order = {title: place for place, (title, _) in enumerate(KINDS.values())}
    shown = sorted(first.values(), key=lambda drawn: order.get(drawn.kind[0], len(order)))
    pictures = {
        one.picture: files.reports() / one.report / "figures" / f"{one.name}.png" for one in shown
    }
    return {
        "gallery.md": _page("gallery", shown=shown, folders=folders),
        **{name: file.read_bytes() for name, file in pictures.items()},
    }


def figures_of(report: str) -> Iterator[Drawn]:
    """List the filed figures of a report, in reading order."""
    for file in _notebooks(report):
        for cell in json.loads(file.read_bytes())["cells"]:
            for output in cell.get("outputs", ()):
                label = figure_label(output)
                if label:
                    yield Drawn(label["figure"], label["alt"], report, file.stem)


# Pages that are no notebooks


def _page(template: str, **values: Any) -> bytes:
    """Fill a template of docs/_templates/pages."""
    folder = files.project_root() / "docs" / "_templates" / "pages"
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
    helpers = (data_bar, figure_bar, hidden_contents, question_of, short_name, told_in_words)
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
            groups.append((_headline(names[key]), own))
    return groups


def _headline(label: str) -> str:
    return f"{label[:1].upper()}{label[1:]}"


def pages() -> dict[str, bytes]:
    """Make every page from the reports and tables at hand."""
    indications = reported_indications()
    reports = {name: _notebooks(name) for name in [*indications, OVERVIEW]}
    folders = {name: _folder(name) for name, notebooks in reports.items() if notebooks}
    known = [f"{folder}/{file.stem}" for name, folder in folders.items() for file in reports[name]]
    labels, found = study_sources(known)
    for name, folder in folders.items():
        up = "../" * (folder.count("/") + 1)
        links = study_links(labels, up)
        for file in reports[name]:
            found[f"{folder}/{file.name}"] = page_notebook(file, up=up, links=links)
    review = load_review(files.raw_data())
    answers = {
        answer.indication: told(answer, reports[answer.indication], review)
        for answer in read_answers()
    }
    for name in [name for name in folders if name != OVERVIEW]:
        found[f"{folders[name]}/index.md"] = _page(
            "indication",
            title=_headline(indications[name]["label"]),
            question=indications[name]["question"],
            one=answers.get(name),
            pages=reports[name],
            links=study_links(labels, "../../"),
            entries=[_entry(file) for file in reports[name]],
        )
    methods = sorted((files.project_root() / "docs").glob("*.md"))
    found |= {f"methods/{file.name}": file.read_bytes() for file in methods}
    found["data_dictionary.md"] = dictionary_page()
    found["downloads.md"] = _page("downloads")
    found |= gallery(folders)
    look_up = (f"{STUDIES}/index", "gallery", "data_dictionary", "downloads")
    found["index.md"] = _page(
        "start",
        title=review.title,
        heads=HEADS_SITE,
        answers=list(answers.values()),
        answered_by=ANSWERED_BY,
        links=study_links(labels, ""),
        has_explore=has_data(),
        contents={
            "Indications": [f"{folders[name]}/index" for name in indications if name in folders],
            "Across indications": [_entry(file, f"{OVERVIEW}/") for file in reports[OVERVIEW]],
            "Look up": [name for name in look_up if f"{name}.md" in found],
            "How it was made": [f"methods/{file.stem}" for file in methods],
        },
    )
    return found


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
    folder = files.project_root() / "docs" / "explore"
    return (
        _environment(folder)
        .get_template("page.html")
        .render(
            title=derived.evidence.review.title,
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

# What Sphinx leaves for itself.
_NO_PAGES = (".buildinfo*", "_sources", "objects.inv")
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
        for name, file in downloads().items():
            files.write_whole(staged / name, file.read_bytes())
        write_explore(staged)
        files.replace_folder(staged, site)
        files.write_whole(record, key.encode())
    return True


def _key() -> str:
    """Hash everything the pages show and everything that makes them."""
    root = files.project_root()
    shown = [
        file
        for folder in (files.reports(), files.raw_data(), files.derived_data(), root / "docs")
        for file in folder.rglob("*")
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(root).parts)
    ]
    return files.json_sha256(
        {
            "shown": files.tree_sha256(root, shown),
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
    settings = files.project_root() / "docs"
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
