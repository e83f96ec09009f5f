"""The answer for every indication, in one table of the README, from the facts of the reports."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ldn_meta import files
from ldn_meta.errors import StaleError
from ldn_meta.evidence.raw.review import HISTORY
from ldn_meta.files import code_of, json_sha256, sha256, write_whole
from ldn_meta.pipeline.notebooks import read_facts, reported_indications

_HISTORY = ("history",)
BEGIN, END = "<!-- generated:begin -->", "<!-- generated:end -->"


def write_methods() -> bool:
    """Put the generated tables into docs/methods.md."""
    record = files.build() / "stale" / "methods"
    if not _page().is_file() or (record.is_file() and record.read_text() == _made_from()):
        return False
    has_changed = write_whole(_page(), with_tables().encode())
    write_whole(record, _made_from().encode())
    return has_changed


def _made_from() -> str:
    """Hash what the page says and what it says it of: importing all measures takes longer."""
    read = (_page(), files.raw_data() / "protocol.toml")
    stated = [sha256(file.read_bytes()) for file in read]
    return json_sha256([*stated, *code_of(files.project_root()).values()])


def with_tables() -> str:
    """docs/methods.md with what the package and the protocol say."""
    tables = f"\n{_effects()}\n\n{_choices()}\n"
    return _between(_page(), "docs/methods.md", BEGIN, END, "tables", tables)


def _between(file: Path, name: str, begin: str, end: str, what: str, made: str) -> str:
    """A page of people with what is made put between two lines of it."""
    # A folder may have no such page yet: then it is what is made and nothing else.
    page = file.read_text(encoding="utf-8") if file.is_file() else f"{begin}\n{end}\n"
    before, first, rest = page.partition(begin)
    _, last, after = rest.partition(end)
    if not first or not last:
        raise StaleError(f"{name} needs the lines {begin} and {end} around its {what}")
    return f"{before}{begin}\n{made}\n{end}{after}"


def _effects() -> str:
    from ldn_meta.stats.effects import EFFECT_CODES

    rows = [
        (
            f"`{code}`",
            entry.quantity,
            f"`{entry.formula.__name__}`",
            ", ".join(f"`{name}`" for name in entry.arguments),
        )
        for code, entry in EFFECT_CODES.items()
    ]
    return _table(
        "### Effect measures of `effect_size`", ("code", "quantity", "function", "arguments"), rows
    )


def _choices() -> str:
    file = files.raw_data() / "protocol.toml"
    stated = tomllib.loads(file.read_text(encoding="utf-8"))
    heading = "### Choices of the analysis plan, which is not registered"
    return _table(heading, ("choice", "value", "made", "reason"), list(_reasoned(stated, ())))


def _reasoned(entries: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every section with a reason, however deep, with the choices it states itself."""
    tables = {name: value for name, value in entries.items() if isinstance(value, dict)}
    if "reason" in entries:
        values = "; ".join(
            f"`{name}` = {_value(value)}"
            for name, value in entries.items()
            if name not in ("reason", *HISTORY) and name not in tables
        )
        made = f"{entries['set_on']:%Y-%m-%d}, {entries['known_then']}" if path != _HISTORY else ""
        yield ".".join(path), values, made, " ".join(entries["reason"].split())
    for name, table in tables.items():
        yield from _reasoned(table, (*path, name))


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {part}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(
            str(one.get("name", one.get("what"))) if isinstance(one, dict) else str(one)
            for one in value
        )
    return " ".join(str(value).split())


def _table(heading: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    body = "\n".join(f"| {' | '.join(line)} |" for line in escaped)
    return f"{heading}\n\n{body}"


def _page() -> Path:
    return files.project_root() / "docs" / "methods.md"


ANSWERED_BY = "20_pooled_effect"
RATED_BY = "60_certainty"
UNRATED = {"certainty": "not rated", "certainty_sentence": ""}
BEGIN_README, END_README = "<!-- answers:begin -->", "<!-- answers:end -->"
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
    """Read the answers of the reports at hand, in the order of the indications."""
    answers = []
    for indication in reported_indications():
        report = files.reports() / indication
        if not report.is_dir():
            continue
        facts = read_facts(report)
        stated = facts.get(ANSWERED_BY, {}).get("answer", {})
        answers.append(_answer(indication, {**_certainty(facts), **stated}))
    return tuple(answers)


def answers_block(answers: Sequence[Answer], link: Callable[[Answer], str]) -> str:
    """Write the answers in Markdown: a table, then each in words."""
    shown = ("outcome", "comparison", "comparative_studies", "trials", "people", "effect")
    rows = [
        (
            f"[{_line(answer.label)}]({link(answer)})",
            *(_line(getattr(answer, name)) for name in (*shown, "certainty")),
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
    """Put the answer table into the README."""
    return write_whole(_readme(), with_answers().encode())


def with_answers() -> str:
    """The README with what the reports say."""
    block = answers_block(
        read_answers(), lambda answer: f"reports/{answer.indication}/{ANSWERED_BY}.ipynb"
    )
    return _between(_readme(), "README.md", BEGIN_README, END_README, "answer table", block)


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


def _line(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _readme() -> Path:
    return files.project_root() / "README.md"
