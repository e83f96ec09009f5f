"""The answers of executed pages: in the README, of a run, and of several runs side by side.

Everything is read from the facts of the pages; nothing is computed.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta import files
from ldn_meta.errors import StaleError
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.evidence.raw.review import HISTORY, load_review
from ldn_meta.evidence.raw.selection import BY_PLAN, named_as
from ldn_meta.evidence.raw.tables import counted
from ldn_meta.files import code_of, json_sha256, sha256, write_whole
from ldn_meta.pipeline.notebooks import CHOICES_FILE, read_facts, reported_indications

if TYPE_CHECKING:
    from ldn_meta.evidence.answer.pools import Pool

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
    read = (_page(), *(files.raw_data() / f"{name}.toml" for name in ("protocol", "review")))
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
    registration = load_review(files.raw_data()).conduct.registration
    heading = f"### Choices of the analysis plan\n\n{registration}"
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
PEOPLE_PAGES = ("30_responder_rates", "40_safety")
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
    # For a list of conditions; the sentence where a page states none.
    short: str = ""


AS_PLANNED = "as planned"
NOT_ASKED = "not asked"
SAME = "the same trials and numbers as planned"
# Of a row of `run_rows`, what is told in lines of its own.
BESIDE = ("notes", "left_out", "leave_one_out")


def told(report: Path) -> dict[str, Any]:
    """What the pages in a folder answer, with the trials; nothing if they answer nothing."""
    facts = read_facts(report)
    page = facts.get(ANSWERED_BY, {})
    if "answer" not in page:
        return {}
    rated = _certainty(facts) if RATED_BY in facts else {}
    beside = {"rows": page.get("rows", []), "notes": _notes(page)}
    beside |= {"left_out": page.get("barred", {}), "leave_one_out": page.get("without_each", {})}
    found = {**page["answer"], **rated, **beside}
    if page.get("unapplied"):
        # A number in another measure than the one asked for would be taken for it.
        found |= {"effect": page["unapplied"], "trials": 0, "people": 0, "leave_one_out": {}}
    return found


def _notes(page: Mapping[str, Any]) -> list[str]:
    """What stands beside an answer: choices without effect, its parts, why nothing was pooled."""
    lines = [
        f"{choice}: {why}"
        for choice, why in page.get("noted", {}).items()
        if why != page["unapplied"]
    ]
    for part in page.get("parts", ()):
        name = f", {part['name']}" if part["name"] else ""
        k = f" ({counted(part['trials'], 'trial')})" if part["trials"] else ""
        lines.append(f"{part['choice']}{name}: {part['effect']}{k}")
    if page["answer"]["trials"] == 0 and not page.get("barred"):
        lines.append("no trial gives an effect with its uncertainty")
    return lines


def of_people(folder: Path) -> dict[str, str]:
    """What the pages of people counted say in a folder, by page."""
    return {
        f"{report.name}/{page}": facts["sentence"]
        for report in sorted(path for path in folder.iterdir() if path.is_dir())
        for page, facts in read_facts(report).items()
        if page in PEOPLE_PAGES
    }


def choices_of(folder: Path) -> dict[str, Any]:
    """The choices that a folder of pages was made with; none for the reports."""
    file = folder / CHOICES_FILE
    stated: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return stated


def choices_line(choices: Mapping[str, Any]) -> str:
    """Choices as they are typed."""
    return "; ".join(named_as(name, value) for name, value in choices.items()) or AS_PLANNED


def run_rows(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """One line for each condition that a folder answers."""
    kept = ("outcome", "trials", "people", "effect", "certainty")
    every = list(folders)
    return [
        {
            "indication": indication,
            "choices": choices_line(choices_of(folder)),
            **{name: found.get(name, NOT_ASKED) for name in kept},
            **{name: found[name] for name in BESIDE},
            "folder": folder.name if folder == files.reports() else f"build/runs/{folder.name}",
        }
        for indication in reported_indications()
        for folder in every
        if (found := told(folder / indication))
    ]


def beside_plan(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Answers of runs of other choices, and of the reports for the conditions of these runs."""
    others = [folder for folder in folders if folder != files.reports()]
    if not others:
        return []
    rows = run_rows([files.reports(), *others])
    asked = {row["indication"] for row in rows if row["folder"] != files.reports().name}
    usual = {row["indication"]: row for row in rows if row["folder"] == files.reports().name}
    same = ("outcome", "trials", "people", "effect")
    for row in rows:
        planned = usual.get(row["indication"], row)
        is_same = all(row[name] == planned[name] for name in same)
        if row is not planned and is_same and not row["notes"]:
            row["notes"] = [SAME]
    return [row for row in rows if row["indication"] in asked]


def grid_rows(
    indications: Sequence[str], choices: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The main question of conditions under several sets of choices, computed at once."""
    from ldn_meta.display.words import MEASURES
    from ldn_meta.evidence.derived import answered

    rows: list[dict[str, Any]] = []
    sets = list(choices)
    for indication in indications or reported_indications():
        planned: dict[str, Any] = {}
        for place, each in enumerate((_question(sets), *sets)):
            found = answered(indication, **{n: v for n, v in each.items() if v != BY_PLAN})
            told = {"trials": found.k, **_numbers(found.pool, MEASURES)}
            notes = [
                f"{named_as(name, each[name])}: {why}"
                for name, why in found.notes.items()
                if name != "measure"
            ]
            if "measure" in found.notes:
                told = dict.fromkeys(told, "") | {"effect": found.notes["measure"]}
            elif found.pool is None:
                notes.append(found.why_none)
            elif place and not notes and not found.parts and told == planned:
                notes.append(SAME)
            planned = planned or told
            said = choices_line(each) if place else AS_PLANNED
            row = {"indication": indication, "choices": said, **told}
            rows.append({**row, "note": "; ".join(notes)})
            for part in found.parts:
                measure = "MD" if found.pool is None else found.pool.key["measure"]
                own = dict.fromkeys(("effect", "interval", "people", "read by"), "")
                own |= {"choices": f"  {part.choice} {part.name}".rstrip(), "note": part.why}
                if not part.why:
                    own["effect"], own["interval"] = _ends(part[3:6], measure)
                rows.append({**row, **own, "trials": part.k or ""})
    return rows


def _question(sets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The outcome that all sets ask for: the plan answers the same question."""
    asked = [each.get("construct", BY_PLAN) for each in sets]
    return {"construct": asked[0]} if asked and asked.count(asked[0]) == len(asked) else {}


def _numbers(pool: Pool | None, names: Mapping[str, str]) -> dict[str, Any]:
    """The interval to read as displayed; words where there is none."""
    if pool is None:
        return {"people": 0, "effect": "nothing pooled", "interval": "", "read by": ""}
    read, measure = pool.read, pool.key["measure"]
    estimate, interval = _ends((read.estimate, read.low, read.high), measure)
    unit = "" if measure in (*RATIO_MEASURES, "RD") else f" {pool.key['unit']}"
    return {
        "people": pool.people,
        "effect": f"{names[measure]} {estimate}{unit}",
        "interval": interval,
        "read by": read.method,
    }


def _ends(numbers: Sequence[float], measure: str) -> tuple[str, str]:
    """Estimate and interval as pages print them, apart."""
    from ldn_meta.display.words import estimate_with_interval

    estimate, low, high = numbers
    told = estimate_with_interval(estimate, low, high, measure=measure)
    before, _, after = told.removesuffix(")").partition(" (")
    return before, after


def moved_facts(folder: Path, other: Path | None = None) -> list[dict[str, str]]:
    """Every sentence and number that a run's pages say otherwise than the reports, or a run."""
    rows = []
    there_is, here_is = (AS_PLANNED, "here") if other is None else (other.name, folder.name)
    for report in sorted(path for path in folder.iterdir() if path.is_dir()):
        usual = read_facts((other or files.reports()) / report.name)
        for page, facts in read_facts(report).items():
            there, here = (dict(_flat(some)) for some in (usual.get(page, {}), facts))
            rows += [
                {
                    "page": f"{report.name}/{page}",
                    "what": name,
                    there_is: there.get(name, ""),
                    here_is: here.get(name, ""),
                }
                for name in sorted(there.keys() | here.keys())
                if there.get(name) != here.get(name)
            ]
    return rows


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Numbers and sentences by their place in the facts."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _flat(part, f"{name}.{place}")
    else:
        yield name, str(value)


def runs() -> list[Path]:
    """Folders of runs with other choices, by name."""
    return sorted(file.parent for file in (files.build() / "runs").glob(f"*/{CHOICES_FILE}"))


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
    """Write the answers in Markdown: a table, then each in one sentence."""
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
        f"* **{_line(answer.label)}**: {_line(answer.short or answer.sentence).rstrip('.')}; "
        f"certainty: {answer.certainty}."
        for answer in answers
    ]
    return "\n".join([*table, "", *words])


def write_answers() -> bool:
    """Put the answer table into the README."""
    return write_whole(_readme(), with_answers().encode())


def with_answers() -> str:
    """The README with what the reports say."""
    block = answers_block(
        read_answers(), lambda answer: f"reports/{answer.indication}/{ANSWERED_BY}.ipynb"
    )
    block = f"{_picture()}{block}"
    return _between(_readme(), "README.md", BEGIN_README, END_README, "answer table", block)


def _picture() -> str:
    """The evidence map of the reports, which leads to its page; nothing before it is drawn."""
    map_of, page = "reports/overview/figures/evidence_map.png", "reports/overview/90_overview"
    if not (files.project_root() / map_of).is_file():
        return ""
    return f"[![Evidence map: conditions by outcomes]({map_of})]({page}.ipynb)\n\n"


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
    missing = [name for name in names if name not in stated and name != "short"]
    if missing:
        message = (
            f"reports/{indication}/facts.json: {ANSWERED_BY} states no {', '.join(missing)} "
            f"in its answer: run `ldn-meta run --force {indication}`"
        )
        raise StaleError(message)
    return Answer(
        indication=indication, **{name: stated[name] for name in names if name in stated}
    )


def _line(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _readme() -> Path:
    return files.project_root() / "README.md"
