"""Rows to be added to the raw tables: what nobody typed and the other answers decide."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import Fault
from ldn_meta.evidence.raw.bias_tools import ELIGIBLE, NOBODY, OVERALL, fitting_tool
from ldn_meta.evidence.raw.faults import SIZES
from ldn_meta.files import EMPTY, NOT_APPLICABLE, NOT_REPORTED, TO_DO

if TYPE_CHECKING:
    from ldn_meta.evidence.raw.tables import Dictionary, Table


# What a column says if no answer does. Other optional columns say NR, required ones are asked for.
USUAL = {
    "reliability": "normal",
    "preferred": "yes",
    "checked_by": TO_DO,
    "direction": "not stated",
    "counted": "people",
    **dict.fromkeys(
        (
            *("note", "preferred_reason", "timepoint", "qualifier", "overlaps_with", "url"),
            *("correlation_basis", "iqr_width", "statistic_name", "range_kind", "value_low"),
            *("value_high", "threshold_pct", "responder_rule", "unlabelled_spread"),
        ),
        NOT_APPLICABLE,
    ),
}
# A count of printed decimals, and the number it counts them of.
DECIMALS = {
    "estimate_decimals": "estimate",
    "p_decimals": "p_value",
    "percent_decimals": "percent",
}
# Columns whose printed numbers stand in as_reported if nobody typed that.
PRINTED = {
    "arms": ("n_randomised", "n_completed", "n_analysed"),
    "study_facts": ("value", "value_low", "value_high"),
    "arm_stats": (
        *("n", "mean", "sd", "se", "unlabelled_spread", "ci_low", "ci_high"),
        *("median", "q1", "q3", "range_low", "range_high"),
    ),
    "arm_events": ("events", "n", "percent"),
    "contrasts": ("estimate", "ci_low", "ci_high", "p_value"),
}
LABELS = {"1": "LDN", "2": "comparator", "3": "further arm"}

Row = dict[str, str]


def filled(
    table: Table,
    cells: Row,
    shared: Row,
    done: Mapping[str, Sequence[Row]],
    keys: set[str],
) -> Row:
    """Fill one row as far as other answers decide it."""
    known = {name: text for name, text in shared.items() if name != table.key} | cells
    row: Row = {}
    # The key is named after the other cells, so it comes last.
    for column in sorted(table.columns, key=lambda name: (name == table.key, name in DECIMALS)):
        text = known.get(column)
        row[column] = _default(table, column, known | row, done, keys) if text is None else text
    return {column: row[column] for column in table.columns}


def slug(text: str, joint: str = "-") -> str:
    """Turn words into what a key may hold: small letters and digits, joined."""
    # Letters without their accents; what has none stands apart.
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return joint.join(re.findall(r"[a-z0-9]+", plain))


def decimals(text: str) -> str:
    """Count the digits behind the point of a printed number; NA for what is none."""
    found = re.fullmatch(r"-?\d+(?:\.(\d+))?", text)
    return str(len(found.group(1) or "")) if found else NOT_APPLICABLE


def is_value(text: str | None) -> bool:
    """Whether a cell holds something other than a label for a missing value."""
    return text is not None and text not in EMPTY


def _default(
    table: Table,
    column: str,
    known: Row,
    done: Mapping[str, Sequence[Row]],
    keys: set[str],
) -> str:
    """One cell that nobody typed."""
    study = _study_of(known, done)
    if column == table.key:
        return _free(_key_stem(table.name, known), keys)
    if column in DECIMALS:
        return decimals(known.get(DECIMALS[column], ""))
    if column == "as_reported" and table.name in PRINTED:
        return _printed(table.name, known)
    from_study = {"study_id": "study_id", "source_id": "source_id"}
    if column in from_study and study and table.name != "studies":
        return study[from_study[column]]
    special = _special(table.name, column, known, done)
    if special is not None:
        return special
    if column in USUAL:
        return USUAL[column]
    field_of = next(entry for entry in table.fields if entry["name"] == column)
    is_required: bool = field_of.get("constraints", {}).get("required", False)
    return "" if is_required else NOT_REPORTED


def _special(name: str, column: str, known: Row, done: Mapping[str, Sequence[Row]]) -> str | None:
    """Cells that follow from others of the same row or of the study; None for the rest."""
    study, source = _study_of(known, done), _only(done.get("sources", ()))
    arms = arms_of(done.get("arms", ()), known)
    if name == "studies":
        crossover = "crossover" in known.get("design", "")
        return {
            "source_id": source.get("source_id", ""),
            "label": _label(source),
            "year": source.get("year", NOT_REPORTED),
            "registry_id": source.get("registry_id", NOT_APPLICABLE),
            "washout": NOT_REPORTED if crossover else NOT_APPLICABLE,
        }.get(column)
    if name == "arms":
        group = known.get("group", str(min(len(arms) + 1, 3)))
        words = {"1": "intervention", "2": "comparator"}
        return {
            "group": group,
            "label": LABELS.get(group, ""),
            "treatment": study.get(words.get(group, ""), ""),
        }.get(column)
    if name == "contrasts":
        paired = "yes" if "crossover" in study.get("design", "") else "no"
        has_ci = is_value(known.get("ci_low")) or is_value(known.get("ci_high"))
        has_p = is_value(known.get("p_value"))
        return {
            "arm_1": _arm_of(arms, "1"),
            "arm_2": _arm_of(arms, "2") or NOT_APPLICABLE,
            "is_paired": paired,
            "ci_level": "0.95" if has_ci else NOT_REPORTED,
            "p_relation": "=" if has_p else NOT_REPORTED,
            "n_2": NOT_APPLICABLE if known.get("is_paired", paired) == "yes" else NOT_REPORTED,
        }.get(column)
    if name == "arm_stats" and column == "ci_level":
        return "0.95" if is_value(known.get("ci_low")) else NOT_REPORTED
    if name == "study_facts" and column == "unit" and known.get("fact", "").startswith("n_"):
        return "people"
    return None


def arms_of(arms: Sequence[Row], known: Row) -> list[Row]:
    """Arms of the study that a row is about; all of them if it does not say."""
    study = known.get("study_id")
    return [arm for arm in arms if study in (None, arm.get("study_id"))]


def _key_stem(name: str, row: Row) -> str:
    study = row.get("study_id", "")
    if name in ("sources", "studies"):
        return row.get("source_id", "") if name == "studies" else slug(_label(row), "")
    if name == "outcomes":
        return slug(f"{row.get('instrument', '')} {row.get('construct', '')}", "_")
    if name == "arms":
        return f"{study}-{slug(row.get('label', ''))}"
    if name == "risk_of_bias":
        return f"{study}-{slug(row.get('domain', ''))}"
    week = row.get("timepoint_weeks", NOT_REPORTED)
    parts = {
        "study_facts": (row.get("fact", ""), _if_value(row.get("qualifier"))),
        "arm_stats": (row.get("statistic_of", ""), _short_arm(row)),
        "arm_events": (_short_arm(row),),
        "contrasts": (row.get("measure", ""),),
    }[name]
    when = "" if name == "study_facts" else f"-w{slug(week)}"
    outcome = row.get("outcome_id", "")
    stem = f"{study}{f'-{outcome}' if outcome else ''}{when}"
    return "-".join([stem, *(slug(part) for part in parts if part)])


def _short_arm(row: Row) -> str:
    return row.get("arm_id", "").removeprefix(f"{row.get('study_id', '')}-")


def _if_value(text: str | None) -> str:
    return str(text) if is_value(text) else ""


def _free(stem: str, keys: set[str]) -> str:
    """The stem, numbered if it is taken."""
    name, count = stem, 2
    while name in keys:
        name, count = f"{stem}-{count}", count + 1
    return name


def _label(source: Row) -> str:
    """First author and year."""
    authors = source.get("authors", "")
    year = source.get("year", "")
    surname = re.split(r"[\s,;&]+", authors.strip())[0] if is_value(authors) else ""
    return f"{surname} {year if is_value(year) else ''}".strip()


def _printed(name: str, known: Row) -> str:
    """The typed numbers; "" (to be answered) where a value row has none."""
    numbers = [known[column] for column in PRINTED[name] if is_value(known.get(column))]
    nothing = NOT_REPORTED if name == "arms" else ""
    return "; ".join(numbers) or nothing


def _arm_of(arms: Sequence[Row], group: str) -> str:
    return next((arm["arm_id"] for arm in arms if arm["group"] == group), "")


def _study_of(known: Row, done: Mapping[str, Sequence[Row]]) -> Row:
    """The new study a row is about: the one it names, or the only one."""
    studies = done.get("studies", ())
    named = [row for row in studies if row["study_id"] == known.get("study_id")]
    return _only(named or ([] if "study_id" in known else studies))


def _only(rows: Sequence[Row]) -> Row:
    """The one row, if there is one and no more."""
    return rows[0] if len(rows) == 1 else {}


# Tables that answers can add to, each before those that point to it.
TABLES = (
    *("sources", "studies", "arms", "outcomes", "study_facts"),
    *("arm_stats", "arm_events", "contrasts", "risk_of_bias"),
)


@dataclass
class Answers:
    """What people said about new rows."""

    shared: Row = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def of(self, table: str) -> list[Row]:
        """Rows of a table; a list to add to."""
        return self.rows.setdefault(table, [])


def complete(
    answers: Answers, dictionary: Dictionary, taken: Mapping[str, set[str]]
) -> tuple[dict[str, list[Row]], list[Fault]]:
    """Fill every cell of the new rows.

    Sizes of a study get the row of ``study_facts`` that says where they were read, and a study
    that is eligible the row of ``risk_of_bias`` that says that nobody has judged it.
    """
    done: dict[str, list[Row]] = {}
    faults: list[Fault] = []
    keys = {name: set(taken.get(name, ())) for name in TABLES}
    for name in TABLES:
        table = dictionary.tables[name]
        given = [*answers.rows.get(name, ()), *_implied(name, done, answers)]
        for place, cells in enumerate(given, 1):
            row = filled(table, cells, answers.shared, done, keys[name])
            faults += _open_cells(table, row, place)
            key = row.get(table.key, "")
            if key in keys[name]:
                rule = f"this key is in {name} already, and nothing there is overwritten"
                faults.append(Fault(name, place, table.key, key, rule, "choose another key"))
            keys[name].add(key)
            done.setdefault(name, []).append(row)
    return done, faults


def _implied(
    name: str, done: Mapping[str, Sequence[Row]], answers: Answers
) -> Iterator[dict[str, Any]]:
    """Rows that follow from the study."""
    for study in done.get("studies", ()):
        if name == "study_facts":
            told = {
                (row.get("study_id", study["study_id"]), row.get("fact"))
                for row in answers.rows.get(name, ())
                if row.get("qualifier", NOT_APPLICABLE) == NOT_APPLICABLE
            }
            for size in SIZES:
                if is_value(study[size]) and (study["study_id"], size) not in told:
                    yield {
                        "study_id": study["study_id"],
                        "source_id": study["source_id"],
                        "fact": size,
                        "value": study[size],
                    }
        asked = {row.get("study_id", study["study_id"]) for row in answers.rows.get(name, ())}
        is_open = study["study_id"] not in asked and study["eligible_for"] in ELIGIBLE
        if name == "risk_of_bias" and is_open:
            yield {
                "study_id": study["study_id"],
                "source_id": study["source_id"],
                "tool": fitting_tool(
                    study["design"],
                    is_randomised=study["is_randomised"],
                    eligible_for=study["eligible_for"],
                ),
                "domain": OVERALL,
                "judgement": TO_DO,
                "reason": "not judged yet",
                "judged_by": NOBODY,
                "locator": "not judged yet",
                # Nobody has read for a judgement; the report itself will be read first.
                **({} if "read_from" in answers.shared else {"read_from": "full text"}),
            }


def _open_cells(table: Table, row: Row, place: int) -> list[Fault]:
    remedy = "datapackage.json says what it means"
    return [
        Fault(
            table.name,
            place,
            column,
            "",
            "nobody has filled this cell, and nothing decides it",
            remedy,
        )
        for column in table.columns
        if row[column] == ""
    ]
