"""The answer for every indication, in one table of the README, from the facts of the reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.errors import StaleError
from ldn_meta.pipeline import publish, staleness
from ldn_meta.pipeline.parameters import reported_indications

ANSWERED_BY = "20_pooled_effect"
RATED_BY = "60_certainty"
UNRATED = {"certainty": "not rated", "certainty_sentence": ""}
BEGIN, END = "<!-- answers:begin -->", "<!-- answers:end -->"
_HEADER = (
    "Indication",
    "Outcome",
    "Compared with",
    "Comparative studies",
    "With usable numbers",
    "People in them",
    "Effect",
    "Certainty",
)


@dataclass(frozen=True)
class Answer:
    """What a report answers, as its ``facts.json`` holds it."""

    indication: str
    label: str
    outcome: str
    comparison: str
    comparative_studies: int
    trials: int
    people: int
    effect: str
    sentence: str
    certainty: str
    certainty_sentence: str


def read_answers() -> tuple[Answer, ...]:
    """Read the answers of the reports at hand, in the order of the indications.

    Returns
    -------
    tuple of Answer
        Indications without a report are left out.

    Raises
    ------
    StaleError
        If a report has no complete answer.
    """
    answers = []
    for indication in reported_indications():
        report = paths.reports() / indication
        if not report.is_dir():
            continue
        facts = staleness.read_facts(report)
        stated = facts.get(ANSWERED_BY, {}).get("answer", {})
        answers.append(_answer(indication, {**_certainty(facts), **stated}))
    return tuple(answers)


def answers_block(answers: Sequence[Answer], link: Callable[[Answer], str]) -> str:
    """Write the answers in Markdown: a table, then each in words.

    Parameters
    ----------
    answers : sequence of Answer
        One row and one sentence each.
    link : callable
        Address of the page that has the whole answer.

    Returns
    -------
    str
        Without a final newline.
    """
    rows = [
        (
            f"[{_line(answer.label)}]({link(answer)})",
            _line(answer.outcome),
            _line(answer.comparison),
            str(answer.comparative_studies),
            str(answer.trials),
            str(answer.people),
            _line(answer.effect),
            _line(answer.certainty),
        )
        for answer in answers
    ]
    rule = ("---", "---", "---", "--:", "--:", "--:", "---", "---")
    table = [f"| {' | '.join(row)} |" for row in (_HEADER, rule, *rows)]
    words = [
        f"* **{_line(answer.label)}**: {_line(f'{answer.sentence} {answer.certainty_sentence}')}"
        for answer in answers
    ]
    return "\n".join([*table, "", "In words:", "", *words])


def write_answers() -> bool:
    """Put the answer table into the README.

    Returns
    -------
    bool
        Whether the README changed.

    Raises
    ------
    StaleError
        If the README has lost the marks around the table, or a report has no answer.
    """
    return publish.write_whole(_readme(), _with_answers().encode())


def answers_are_current() -> bool:
    """Whether the table in the README says what the reports say."""
    return _readme().read_text(encoding="utf-8") == _with_answers()


def _with_answers() -> str:
    text = _readme().read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"README.md needs the lines {BEGIN} and {END} around its answer table"
        raise StaleError(message)
    block = answers_block(
        read_answers(), lambda answer: f"reports/{answer.indication}/{ANSWERED_BY}.ipynb"
    )
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def _certainty(facts: Mapping[str, Any]) -> dict[str, str]:
    """How certain the answer is; a report without that page is not rated."""
    rated = facts.get(RATED_BY, {}).get("answer", {})
    return UNRATED | {
        name: str(rated[key])
        for name, key in (("certainty", "certainty"), ("certainty_sentence", "sentence"))
        if key in rated
    }


def _answer(indication: str, stated: Any) -> Answer:
    names = [field.name for field in fields(Answer) if field.name != "indication"]
    missing = [name for name in names if name not in stated]
    if missing:
        message = (
            f"reports/{indication}/facts.json: {ANSWERED_BY} states no {', '.join(missing)} "
            f"in its answer: run `ldn-meta run --force {indication}`"
        )
        raise StaleError(message)
    return Answer(indication=indication, **{name: stated[name] for name in names})


def _line(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _readme() -> Path:
    return paths.project_root() / "README.md"
