"""The first page of the site, and the first page of each indication."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.evidence import synthesis
from ldn_meta.pipeline import explore, staleness
from ldn_meta.pipeline.readme import ANSWERED_BY, Answer
from ldn_meta.pipeline.site_links import Links, scrolling

SHAKEN_BY = "50_robustness"
# Directions in the words of a reader; how much they rest on is said behind.
DIRECTIONS = {
    synthesis.EITHER_WAY: "Not shown either way: the interval includes no difference",
    synthesis.NO_DIFFERENCE: "No difference",
    synthesis.FAVOURS_LDN: "Favours naltrexone",
    synthesis.FAVOURS_COMPARATOR: "Favours the comparator",
    synthesis.PARTLY_LDN: "Partly favours naltrexone",
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
    f'* <a href="{explore.PAGE}">Explore</a>: leave a trial out or choose another method, and see '
    "what the answer would be."
)


@dataclass(frozen=True)
class Told:
    """What the start page tells of one indication.

    Attributes
    ----------
    answer : Answer
    direction : str
        In words, with what it rests on.
    change : str
        What would change the answer, in one paragraph.
    pages : tuple of Path
        Executed notebooks, in reading order.
    """

    answer: Answer
    direction: str
    change: str
    pages: tuple[Path, ...]


def told(answer: Answer, pages: Sequence[Path]) -> Told:
    """Gather what the reports tell of one indication.

    Parameters
    ----------
    answer : Answer
    pages : sequence of Path

    Returns
    -------
    Told
        What page 50 says would change the answer; while it is not there, what page 20 says.
    """
    facts = staleness.read_facts(paths.reports() / answer.indication)
    first = facts.get(ANSWERED_BY, {})
    change = facts.get(SHAKEN_BY, {}).get("sentence") or first.get("what_would_change_it", "")
    return Told(
        answer, _direction(first.get("synthesis", {})), _as_paragraph(change), tuple(pages)
    )


def start_page(answers: Sequence[Told], links: Links, contents: str) -> str:
    """Write the start page.

    Parameters
    ----------
    answers : sequence of Told
    links : Links
        To the studies, from the top of the site.
    contents : str
        Lists of contents, hidden, for the sidebar.

    Returns
    -------
    str
        Markdown.
    """
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
        *([_EXPLORE] if explore.has_data() else []),
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
    """Write the first page of an indication: question, answer, pages in reading order.

    Parameters
    ----------
    row : mapping of str to str
        Of ``indications.csv``.
    one : Told or None
        None while the answer has not been computed.
    pages : sequence of Path
        Executed notebooks.
    links : Links
        To the studies, from the folder of the indication.
    contents : str
        List of contents, hidden, for the sidebar.

    Returns
    -------
    str
        Markdown.
    """
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
