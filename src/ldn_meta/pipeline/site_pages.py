"""A page for each study, and a list of them."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta import paths
from ldn_meta.evidence.answer import pools as synthesis
from ldn_meta.evidence.derived import load_derived
from ldn_meta.files import write_whole
from ldn_meta.pipeline.notebooks import OVERVIEW, reported_indications
from ldn_meta.pipeline.readme import ANSWERED_BY, Answer
from ldn_meta.pipeline.site_parts import STUDIES, Links, data_bar, figure_bar, scrolling
from ldn_meta.pipeline.stale import read_facts

if TYPE_CHECKING:
    from ldn_meta.display.pages.study import StudyPage
    from ldn_meta.evidence.derived import Derived


def dictionary_page() -> str:
    """Write every table and column of data/raw as Markdown."""
    package = json.loads((paths.raw_data() / "datapackage.json").read_bytes())
    labels = package.get("missingValueLabels", {})
    missing = ", ".join(f"`{value}` ({words})" for value, words in labels.items())
    parts = ["# Data dictionary", package.get("description", "")]
    if missing:
        parts.append(f"Missing cells are never blank: {missing}.")
    parts.extend(_table_section(resource) for resource in package["resources"])
    return "\n\n".join(part for part in parts if part) + "\n"


def _table_section(resource: Mapping[str, Any]) -> str:
    schema = resource["schema"]
    refers = {
        _one(key["fields"]): key["reference"].get("resource") or resource["name"]
        for key in schema.get("foreignKeys", [])
    }
    keys = schema.get("primaryKey", [])
    rows = [
        f"| `{field['name']}` | {_type_words(field)} | "
        f"{_meaning(field, is_key=field['name'] in keys, refers=refers.get(field['name']))} |"
        for field in schema["fields"]
    ]
    return "\n\n".join(
        part
        for part in (
            f"## {resource['name']}",
            resource.get("description", ""),
            "\n".join(["| column | type | meaning |", "| --- | --- | --- |", *rows]),
        )
        if part
    )


def _type_words(field: Mapping[str, Any]) -> str:
    limits = field.get("constraints", {})
    words = [field["type"]]
    if "minimum" in limits:
        words.append(f"from {limits['minimum']}")
    if "maximum" in limits:
        words.append(f"to {limits['maximum']}")
    return " ".join(words)


def _meaning(field: Mapping[str, Any], *, is_key: bool, refers: str | None) -> str:
    parts = [field.get("description", "").rstrip(".")]
    options = field.get("constraints", {}).get("enum")
    if "unit" in field:
        parts.append(f"in {field['unit']}")
    if options:
        parts.append("one of " + ", ".join(f"`{option}`" for option in options))
    if is_key:
        parts.append("key of the table")
    if refers:
        parts.append(f"a row of `{refers}`")
    return "; ".join(part for part in parts if part).replace("|", "\\|")


def _one(names: str | list[str]) -> str:
    return names if isinstance(names, str) else names[0]


PAGE = "explore.html"
# In the order in which each needs the ones before it.
SCRIPTS = (
    *("distributions", "tau2", "pooling", "selection", "analysis", "fragment"),
    *("wording", "axis", "sentence", "rows", "forest", "explore"),
)


def has_data() -> bool:
    """Whether there are derived tables to explore."""
    return (paths.derived_data() / "manifest.json").is_file()


def write_explore(site: Path) -> bool:
    """Write the explore page into a folder of finished pages."""
    if not has_data():
        return False
    studies = (site / "studies").glob("*.html")
    links = {file.stem: f"studies/{file.name}" for file in sorted(studies)}
    write_whole(site / PAGE, explore_page(study_pages=links).encode())
    return True


def explore_page(*, study_pages: dict[str, str] | None = None) -> str:
    """Put the page together."""
    from ldn_meta.display.pages.explore import answers_html, explore_words
    from ldn_meta.evidence.answer.multiverse import explored
    from ldn_meta.evidence.derived import load_derived

    derived = load_derived()
    found = explored(derived.evidence, derived.protocol)
    data = {**found, "words": explore_words(), "study_pages": study_pages or {}}
    folder = paths.project_root() / "docs" / "explore"
    parts = {
        "style": _text(folder / "explore.css"),
        "table": answers_html(found, derived.pooled),
        "data": script_json(data),
        "scripts": "\n".join(_text(folder / f"{name}.js") for name in SCRIPTS),
    }
    page = _text(folder / "page.html")
    for name, text in parts.items():
        # What is put in may hold the mark of a later part only if somebody writes it on purpose.
        before, _, after = page.partition(f"@@{name}@@")
        page = f"{before}{text}{after}"
    return page + "\n"


def script_json(data: Any) -> str:
    """Write JSON that cannot end the element it stands in, whatever its texts hold."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8").rstrip("\n")


GALLERY = "gallery"
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


def gallery(reports: Mapping[str, str]) -> dict[str, bytes]:
    """Write the gallery, and the pictures on it."""
    first: dict[str, Drawn] = {}
    for report in reports:
        for drawn in figures_of(report):
            first.setdefault(drawn.kind[0], drawn)
    if not first:
        return {}
    order = {title: place for place, (title, _) in enumerate(KINDS.values())}
    shown = sorted(first.values(), key=lambda drawn: order.get(drawn.kind[0], len(order)))
    parts = [
        "# Gallery of figures",
        "One figure of each kind, with the words that stand in its place for those who cannot "
        "see it. All are drawn by this project from the tables on file, in colours that stay "
        "apart in grey and for the colour-blind.",
        *(_section(drawn, reports[drawn.report]) for drawn in shown),
    ]
    files = {f"{GALLERY}.md": ("\n\n".join(parts) + "\n").encode()}
    for drawn in shown:
        picture = paths.reports() / drawn.report / "figures" / f"{drawn.name}.png"
        files[_picture(drawn)] = picture.read_bytes()
    return files


def figures_of(report: str) -> Iterator[Drawn]:
    """List the filed figures of a report, in reading order."""
    for file in sorted((paths.reports() / report).glob("*.ipynb")):
        for cell in json.loads(file.read_bytes())["cells"]:
            for output in cell.get("outputs", ()):
                label = figure_label(output)
                if label:
                    yield Drawn(label["figure"], label["alt"], report, file.stem)


def figure_label(output: Mapping[str, Any]) -> dict[str, str]:
    """Name and words of the figure in an output; empty if it is none."""
    return dict(output.get("metadata", {}).get("ldn-meta", {}))


def _section(drawn: Drawn, folder: str) -> str:
    title, question = drawn.kind
    image = "\n".join(
        [f"```{{image}} {_picture(drawn)}", f":alt: {' '.join(drawn.alt.split())}", "```"]
    )
    return "\n\n".join(
        part
        for part in (
            f"## {title}",
            question,
            image,
            figure_bar(drawn.name, drawn.report, ""),
            f"*In words:* {_plain(drawn.alt)}",
            f"From [{drawn.report.replace('_', ' ')}, {drawn.notebook}]"
            f"({folder}/{drawn.notebook}.ipynb).",
        )
        if part
    )


def _picture(drawn: Drawn) -> str:
    return f"pictures/{drawn.report}_{drawn.name}.png"


def _plain(words: str) -> str:
    """Words that Markdown would read as marks stay words."""
    return " ".join(words.split()).translate({ord(mark): f"\\{mark}" for mark in "\\`*_<>[]$#"})


SHAKEN_BY = "50_robustness"
# Directions in the words of a reader; how much they rest on is said behind.
DIRECTIONS = {
    synthesis.EITHER_WAY: "Not shown either way: the interval includes no difference",
    synthesis.NO_DIFFERENCE: "No difference",
    synthesis.FAVOURS_TREATMENT: "Favours naltrexone",
    synthesis.FAVOURS_COMPARATOR: "Favours the comparator",
    synthesis.PARTLY_TREATMENT: "Partly favours naltrexone",
    synthesis.PARTLY_COMPARATOR: "Partly favours the comparator",
    synthesis.CONFLICTING: "Studies tell opposite directions",
    synthesis.NOT_STATED: "Not known",
}
RESTS_ON = {
    synthesis.ONE_TRIAL: "one trial",
    synthesis.DIRECTION_ONLY: "told without usable numbers",
    synthesis.NO_COMPARISON: "no comparison group",
}
_HEAD = ("Condition", "Direction", "Size (95% interval)", "Certainty (GRADE)", "Trials and people")
_CHANGE = "What would change it"
# HTML: the page is none of Sphinx's, which would look for it among its own.
_EXPLORE = (
    f'* <a href="{PAGE}">Explore</a>: leave a trial out or choose another method, and see '
    "what the answer would be."
)


@dataclass(frozen=True)
class Told:
    """What the start page tells of one indication."""

    answer: Answer
    direction: str
    change: str
    pages: tuple[Path, ...]


def told(answer: Answer, pages: Sequence[Path]) -> Told:
    """Gather what the reports tell of one indication."""
    facts = read_facts(paths.reports() / answer.indication)
    first = facts.get(ANSWERED_BY, {})
    change = facts.get(SHAKEN_BY, {}).get("sentence") or first.get("what_would_change_it", "")
    return Told(
        answer, _direction(first.get("synthesis", {})), _as_paragraph(change), tuple(pages)
    )


def start_page(answers: Sequence[Told], links: Links, contents: str) -> str:
    """Write the start page."""
    words = [
        f"* **{one.answer.label}**: {_line(links.in_words(one.answer.sentence))} "
        f"{_line(links.in_words(one.answer.certainty_sentence))}".rstrip()
        for one in answers
    ]
    parts = [
        "# Low-dose naltrexone: the evidence",
        "What published trials say, condition by condition: the direction, the size with its "
        "interval, how certain that is, on how many people it rests, and what would change it.",
        _raw(_table(answers, links)),
        "This is research software and no medical advice. The trials were found by a targeted "
        "look-up, not by a systematic search with two reviewers.",
        "## Where to look",
        *([_EXPLORE] if has_data() else []),
        "* What a number rests on: follow the name of a study to [everything extracted from "
        "it](studies/index.md), with source and place.\n"
        "* How it was computed: [methods](methods/methods.md); why so: "
        "[decisions](methods/decisions.md); what each column means: "
        "[data dictionary](data_dictionary.md).\n"
        "* All [figures, one of each kind](gallery.md); all [tables and files]"
        "(downloads.md) to take along.",
        "## The answers in words",
        "\n".join(words),
        contents,
    ]
    return "\n\n".join(parts) + "\n"


def indication_page(
    row: Mapping[str, str], one: Told | None, pages: Sequence[Path], links: Links, contents: str
) -> str:
    """Write the first page of an indication: question, answer, pages in reading order."""
    label = row["label"]
    parts = [f"# {label[:1].upper()}{label[1:]}", f"**{row['question']}**"]
    if one is not None:
        parts += [_raw(_facts_list(one)), _line(links.in_words(one.answer.sentence))]
        if one.answer.certainty_sentence:
            parts.append(_line(links.in_words(one.answer.certainty_sentence)))
        if one.change:
            parts.append(f"**{_CHANGE}.** {links.in_words(one.change)}")
    reading = [f"1. [{question_of(page)}]({page.name})" for page in pages]
    parts += ["## In reading order", "\n".join(reading), contents]
    return "\n\n".join(parts) + "\n"


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


def _direction(found: Mapping[str, Any]) -> str:
    words = DIRECTIONS[found.get("direction", synthesis.NOT_STATED)]
    behind = RESTS_ON.get(found.get("synthesis", ""))
    return f"{words} ({behind})" if behind else words


def _table(answers: Sequence[Told], links: Links) -> str:
    head = "".join(f'<th scope="col">{html.escape(word)}</th>' for word in _HEAD)
    body = "".join(_rows(one, links) for one in answers)
    return scrolling(
        f'<table class="ldn-table ldn-answers"><thead><tr>{head}</tr></thead>{body}</table>'
    )


def _rows(one: Told, links: Links) -> str:
    folder = f"indications/{one.answer.indication}"
    cells = "".join(
        f'<td data-label="{html.escape(word)}">{html.escape(text)}</td>'
        for word, text in zip(_HEAD[1:], _cells(one), strict=True)
    )
    name = (
        f'<a href="{folder}/{ANSWERED_BY}.html">{html.escape(one.answer.label)}</a>'
        f"<br><small>{html.escape(f'{one.answer.outcome}, against {one.answer.comparison}')}"
        "</small>"
    )
    pages = " ".join(
        f'<a class="ldn-page" href="{folder}/{page.stem}.html">{html.escape(short_name(page))}</a>'
        for page in one.pages
    )
    change = links.in_words(html.escape(one.change, quote=False))
    told_below = f"<strong>{_CHANGE}.</strong> {change}<br>" if change else ""
    return (
        f'<tbody><tr><th scope="row" rowspan="2">{name}</th>{cells}</tr>'
        f'<tr><td colspan="{len(_HEAD) - 1}">{told_below}{pages}</td></tr></tbody>'
    )


def _cells(one: Told) -> tuple[str, ...]:
    a = one.answer
    people = f", {a.people} people" if a.people else ""
    usable = f"{a.trials} of {a.comparative_studies} comparative studies gave usable numbers"
    return one.direction, a.effect, a.certainty, f"{usable}{people}"


def _facts_list(one: Told) -> str:
    pairs = zip(_HEAD[1:], _cells(one), strict=True)
    items = "".join(
        f"<div><dt>{html.escape(word)}</dt><dd>{html.escape(text)}</dd></div>"
        for word, text in pairs
    )
    return f'<dl class="ldn-answer">{items}</dl>'


def _as_paragraph(text: str) -> str:
    """A list in Markdown as one paragraph."""
    return " ".join(line.removeprefix("- ").strip() for line in text.splitlines() if line.strip())


def _line(text: str) -> str:
    return " ".join(text.split())


def _raw(markup: str) -> str:
    return f"```{{raw}} html\n{markup}\n```"


def hidden_contents(caption: str, entries: Iterable[str]) -> str:
    """Write a list of contents for the sidebar."""
    options = [":maxdepth: 2", ":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["```{toctree}", *options, "", *entries, "```"])


# Of no notebook's own: nothing in the sidebar, which would be eighty lines longer.
_ORPHAN = "---\norphan: true\n---\n"
_USES = ("contrast", "single-arm", "excluded")


def study_sources(pages: Collection[str]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Write a page for each study on file."""
    from ldn_meta.display.pages.study import study_page

    derived = load_derived()
    studies = derived.evidence.text["studies"]
    labels = dict(zip(studies["study_id"], studies["label"], strict=True))
    sources = {f"{STUDIES}/index.md": _index(derived).encode()}
    for key in labels:
        page = study_page(key, derived)
        sources[f"{STUDIES}/{key}.md"] = study_markdown(page, _links(page, pages)).encode()
    return labels, sources


def study_markdown(page: StudyPage, links: Links) -> str:
    """Write one study."""
    headline = html.escape(str(page.headline).replace("**", ""), quote=False)
    parts = [f"{_ORPHAN}# {page.label}", _raw_site_studies(f"<p>{headline}</p>")]
    for heading, tables in page.sections:
        shown = "".join(links.in_html(table._repr_html_()) for table in tables)
        parts += [f"## {heading}", _raw_site_studies(shown)]
    parts += [
        "## Downloads",
        _raw_site_studies(data_bar("raw", "../") + data_bar("derived", "../")),
    ]
    return "\n\n".join(parts) + "\n"


def _links(page: StudyPage, pages: Collection[str]) -> Links:
    """Notebooks of the study's condition, and those across conditions, if they have pages."""
    folders = (f"indications/{page.study['indication_id']}/", f"{OVERVIEW}/")
    return Links(
        {
            name.removeprefix(folder): f"../{name}.html"
            for folder in folders
            for name in pages
            if name.startswith(folder) and not name.endswith("/index")
        }
    )


def _index(derived: Derived) -> str:
    """All studies, condition by condition, what is compared first."""
    studies = derived.evidence.text["studies"]
    indications = derived.evidence.text["indications"]
    order = {use: place for place, use in enumerate(_USES)}
    parts = [
        "# Studies",
        "Everything on file about each study: what was read where, what became of each number, "
        "and what rests on it.",
    ]
    names = dict(zip(indications["indication_id"], indications["label"], strict=True))
    for key in dict.fromkeys([*reported_indications(), *names]):
        own = studies[studies["indication_id"] == key]
        if not len(own):
            continue
        own = own.assign(place=own["eligible_for"].map(order))
        own = own.sort_values(["place", "year", "study_id"], kind="stable")
        rows = [
            {str(name): str(cell) for name, cell in row.items()} for row in own.to_dict("records")
        ]
        parts += [f"## {names[key][:1].upper()}{names[key][1:]}", _raw_site_studies(_list(rows))]
    return "\n\n".join(parts) + "\n"


def _list(rows: Sequence[Mapping[str, str]]) -> str:
    head = "".join(
        f"<th>{word}</th>" for word in ("study", "design", "against", "used for", "why")
    )
    lines = []
    for row in rows:
        cells = [row[n] for n in ("design", "comparator", "eligible_for", "eligibility_reason")]
        told = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        link = f'<a href="{row["study_id"]}.html">{html.escape(row["label"])}</a>'
        lines.append(f"<tr><td>{link}</td>{told}</tr>")
    return scrolling(
        f'<table class="ldn-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _raw_site_studies(markup: str) -> str:
    return f"````{{raw}} html\n{markup}\n````"
