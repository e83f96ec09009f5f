"""Page 93: whether the numbers that papers print agree with each other."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ldn_meta.display.outputs import Facts, Table, Text, footer, rows_of, source_cell
from ldn_meta.display.words import agree, capitalised, count, percent, percents
from ldn_meta.evidence.answer.conflicts import ALL_ROWS, readings, where_read
from ldn_meta.evidence.audit.consistency import (
    BESIDE,
    CHECKS,
    MAIN,
    STANDARDISED,
    TOLD,
    UNUSED,
    roles_of_rows,
)
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.raw.tables import VALUE_TABLES, short_citation
from ldn_meta.stats.arrays import one_of
from ldn_meta.stats.consistency import CONSISTENT, INCONSISTENT, NOT_CHECKABLE

if TYPE_CHECKING:
    from ldn_meta.evidence.derived import Derived


SEVERITIES = ("high", "medium", "low")
SOURCES = "source against source"
NOT_FITTING = "Printed numbers that do not fit each other"
NOTE = (
    "Recomputed: from what else is printed, with all that rounding allows; a number is called "
    "inconsistent only if no numbers that print as given fit together. Severity: high if the "
    "number is behind an effect or told as a result of a comparison, or if a conclusion turns; "
    "low if it is only unlikely, or another row is used or the row set aside; medium otherwise. A "
    "finding is about print, not about people: it says that two numbers do not fit, not which is "
    "wrong nor why."
)
NO_FINDING = "None: every number that could be checked fits what else is printed."


def inconsistent(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of `consistency.csv` that are inconsistent, the gravest first."""
    found = frame[frame["verdict"] == INCONSISTENT]
    order = found["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    return found.assign(order=order).sort_values(
        ["order", "study_id", "table", "row_id", "check"], kind="stable", ignore_index=True
    )


def findings_table(derived: Derived, found: pd.DataFrame, *, caption: str = NOT_FITTING) -> Table:
    """Show findings with what they mean, whether they enter a result, and their source."""
    if found.empty:
        return Table(pd.DataFrame(), caption, NOTE, NO_FINDING)
    roles = roles_of_rows(derived.evidence, derived.effects, derived.left_out)
    rows = [
        {
            **_what_was_checked(derived, finding, raw),
            "recomputed": finding["recomputed"],
            "what it means": finding["explanation"],
            "severity": finding["severity"],
            "enters": _enters(derived, finding, raw, roles),
            "it stands, because": _why(derived, finding, raw),
            "source": _source(derived, finding, raw),
        }
        for finding, raw in _with_rows(derived, found)
    ]
    return Table(pd.DataFrame(rows), caption, NOTE, NO_FINDING)


def _enters(
    derived: Derived, finding: dict[str, Any], raw: dict[str, Any], roles: dict[str, str]
) -> str:
    """What the row of a finding is used for, and a row of the same result that is used more."""
    role = roles.get(f"{finding['table']}:{finding['row_id']}", UNUSED)
    if role in (MAIN, BESIDE) or "outcome_id" not in raw or finding["table"] == "claims":
        return role
    used = set()
    for name in VALUE_TABLES:
        rows = derived.evidence.text[name]
        is_own = [rows[key] == raw[key] for key in ("study_id", "outcome_id", "timepoint_weeks")]
        used |= {
            roles[f"{name}:{row_id}"] for row_id in rows.loc[np.all(is_own, axis=0), "row_id"]
        }
    best = next((one for one in (MAIN, BESIDE) if one in used), "")
    return f"{role}; another row of the same result: {best}" if best else role


def _with_rows(
    derived: Derived, found: pd.DataFrame
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Findings with the row of data/raw that each is about, as typed."""
    pairs = []
    for finding in rows_of(found):
        text = derived.evidence.text[finding["table"]]
        key = derived.evidence.dictionary.tables[finding["table"]].key
        pairs.append((finding, rows_of(text[text[key] == finding["row_id"]])[0]))
    return pairs


def _what_was_checked(
    derived: Derived, finding: dict[str, Any], raw: dict[str, Any]
) -> dict[str, str]:
    return {
        "study": _study(derived, raw),
        "result": _result(derived, finding["table"], raw),
        "check": finding["check"],
        "printed": finding["printed"],
    }


def _study(derived: Derived, raw: dict[str, Any]) -> str:
    studies = derived.evidence.text["studies"]
    found = studies[studies["study_id"] == raw["study_id"]]
    if len(found):
        return str(found["label"].iloc[0])
    sources = derived.evidence.text["sources"]
    return short_citation(sources[sources["source_id"] == raw["claimed_in"]].iloc[0])


def _result(derived: Derived, table: str, raw: dict[str, Any]) -> str:
    """What a row is about, for readers."""
    if table == "claims":
        return f"pooled by the review: {raw['construct'].replace('_', ' ')}"
    if table == "study_facts":
        qualifier = "" if raw["qualifier"] == "NA" else f", {raw['qualifier']}"
        return f"{raw['fact'].replace('_', ' ')}{qualifier}"
    if "outcome_id" not in raw:
        return table
    evidence = derived.evidence
    labels = evidence.text["outcomes"].set_index("outcome_id")["construct_label"]
    arms = evidence.text["arms"].set_index("arm_id")["label"]
    arm = f", {arms[raw['arm_id']]}" if "arm_id" in raw else ""
    return f"{labels[raw['outcome_id']]}{arm}"


def _why(derived: Derived, finding: dict[str, Any], raw: dict[str, Any]) -> str:
    """Why a number stands as printed: the entry that accepts it, or that another is used."""
    for entry in derived.evidence.corrections:
        address = (entry.table, entry.row, entry.check)
        if address == (finding["table"], finding["row_id"], finding["check"]):
            return entry.reason
    if raw.get("preferred") == "no":
        return f"another row is used: {raw['preferred_reason']}"
    return "a conclusion of others; it enters no result" if finding["table"] == "claims" else "NA"


def _source(derived: Derived, finding: dict[str, Any], raw: dict[str, Any]) -> str:
    table = finding["table"]
    row = {"locator": table, "read_from": "studies table", **raw}
    return source_cell(derived.evidence, row)


def _share(row: dict[str, Any]) -> str:
    """Share that agreed; its interval where the rows were drawn from many."""
    if not row["seen"]:
        return "NA"
    share = percent(row["agreed"] / row["seen"])
    is_drawn = "sample" in row["scope"] and row["of"] == ALL_ROWS
    return f"{share} ({percents(row['low'], row['high'])})" if is_drawn else share


NOTEBOOK = "93_printed_numbers"


class PrintedNumbersPage:
    """Every check of printed numbers, and what does not fit."""

    def __init__(self, least_severity: str) -> None:
        self.least_severity = one_of("least_severity", least_severity, SEVERITIES)
        self.derived = load_derived()
        self.checks_made = self.derived.consistency

    @cached_property
    def found(self) -> pd.DataFrame:
        """Inconsistent rows, the gravest first; whatever severity."""
        return inconsistent(self.checks_made)

    @cached_property
    def counts(self) -> dict[str, Any]:
        """How many checks, rows and findings there are."""
        frame, found = self.checks_made, self.found
        roles = roles_of_rows(self.derived.evidence, self.derived.effects, self.derived.left_out)
        enters = (found["table"] + ":" + found["row_id"]).map(roles)
        verdicts = frame["verdict"].value_counts()
        told = (enters == TOLD) & found["is_preferred"].astype(bool)
        return {
            "checks": len(frame),
            "rows": len(set(frame["table"] + ":" + frame["row_id"])),
            "kinds_of_check": len(CHECKS),
            "consistent": int(verdicts.get(CONSISTENT, 0)),
            "inconsistent": int(verdicts.get(INCONSISTENT, 0)),
            "not_checkable": int(verdicts.get(NOT_CHECKABLE, 0)),
            "accepted": int(found["is_accepted"].astype(bool).sum()),
            "of_sources": int((found["check"] == SOURCES).sum()),
            "of_reviews": int((found["table"] == "claims").sum()),
            **{name: int((found["severity"] == name).sum()) for name in SEVERITIES},
            "behind_a_main_result": int((enters == MAIN).sum()),
            "beside_a_main_result": int(
                ((found["check"] == STANDARDISED) & (found["severity"] == "high")).sum()
            ),
            "behind_an_effect_beside": int((enters == BESIDE).sum()),
            "told_without_an_effect": int(told.sum()),
        }

    @property
    def headline(self) -> Text:
        """How much was checked, and how much does not fit."""
        c = self.counts
        return Text(
            f"**Printed numbers**: {c['checks']} checks of {c['rows']} rows of data/raw. "
            f"{c['consistent']} find numbers that fit each other, {c['inconsistent']} find "
            f"numbers that do not, and {c['not_checkable']} cannot be decided from what is "
            "printed."
        )

    @property
    def sentence(self) -> Text:
        """What that means for the answers."""
        c = self.counts
        main = (
            "No number behind a main result is among those that do not fit."
            if not c["behind_a_main_result"]
            else f"{capitalised(count(c['behind_a_main_result'], 'of them'))} "
            "behind a main result: see the table."
        )
        told, beside = c["told_without_an_effect"], c["beside_a_main_result"]
        if beside:
            main += (
                f" {capitalised(agree(beside, 'does', 'do'))} not fit the number of a main result "
                "that the same text prints beside it: see the table."
            )
        return Text(
            f"{main} {capitalised(agree(told, 'is', 'are'))} in results that are told without an "
            f"effect; {agree(c['of_sources'], 'is', 'are')} another source that states a "
            f"fact otherwise than the source in use; {agree(c['of_reviews'], 'is', 'are')} in the "
            f"conclusion of a published review. By severity: {c['high']} high, {c['medium']} "
            f"medium, {c['low']} low. {c['accepted']} stand as printed with a reason in "
            "data/raw/corrections.yml."
        )

    @property
    def findings(self) -> Table:
        """Numbers that do not fit each other."""
        return self._listed(self.found[self.found["check"] != SOURCES], NOT_FITTING)

    @property
    def other_sources(self) -> Table:
        """Facts that another source states otherwise than the one in use."""
        caption = "Facts that another source states with another value"
        return self._listed(self.found[self.found["check"] == SOURCES], caption)

    def _listed(self, found: pd.DataFrame, caption: str) -> Table:
        graver = SEVERITIES[: SEVERITIES.index(self.least_severity) + 1]
        return findings_table(self.derived, found[found["severity"].isin(graver)], caption=caption)

    @property
    def checks(self) -> Table:
        """What each check asks, and what it found."""
        made = self.checks_made.groupby(["check", "verdict"]).size().to_dict()
        rows = []
        for name, check in CHECKS.items():
            found = {
                words: int(made.get((name, verdict), 0))
                for words, verdict in (
                    ("consistent", CONSISTENT),
                    ("inconsistent", INCONSISTENT),
                    ("not checkable", NOT_CHECKABLE),
                )
            }
            rows.append(
                {
                    "check": name,
                    "asks": check.asks,
                    "a bad answer is": "unlikely" if check.is_plausibility else "impossible",
                    "rows": sum(found.values()),
                    **found,
                }
            )
        return Table(
            pd.DataFrame(rows),
            "The checks",
            "Every check allows all that can print as given: rounded numbers, p-values rounded or "
            "cut off, normal and t statistics down to the fewest degrees of freedom that are "
            "possible, estimates off the middle of their interval by a tenth of its width.",
        )

    @property
    def not_checkable(self) -> Table:
        """What a reader would expect to be checked and cannot be, and why."""
        found = self.checks_made[self.checks_made["verdict"] == NOT_CHECKABLE]
        rows = [
            {
                **_what_was_checked(self.derived, finding, raw),
                "why it cannot be decided": finding["explanation"],
                "source": _source(self.derived, finding, raw),
            }
            for finding, raw in _with_rows(self.derived, found)
        ]
        return Table(pd.DataFrame(rows), "Cannot be checked with what is printed")

    @cached_property
    def provenance(self) -> dict[str, int]:
        """How many rows were read in another text or lack their place; sources nobody can find."""
        return where_read(self.derived.evidence)

    @property
    def places(self) -> Text:
        """Where the numbers were read, as far as it is known."""
        p = self.provenance
        return Text(
            f"Of {p['value_rows']:,} rows with values {p['read_elsewhere']} were read in a text "
            "that quotes another one (reported in one, read in the other); "
            f"{p['without_a_place']} have a source and no place in it; "
            f"{count(p['untraceable_sources'], 'source')} cannot be found by others, each with "
            "the reason in sources.csv."
        )

    @property
    def readings(self) -> Table:
        """Who read the rows again, against what, and how often they agreed."""
        rows = [
            {
                "reading": row["reading"],
                "rows gone through": row["scope"],
                "compared with": row["checked_against"],
                "kind of row": row["of"].replace("_", " "),
                "rows": f"{row['rows']:,}",
                "seen, with a number": f"{row['seen']:,}",
                "agreed": f"{row['agreed']:,}",
                "share": _share(row),
            }
            for row in rows_of(readings(self.derived.evidence))
        ]
        return Table(
            pd.DataFrame(rows),
            "Readings after the first",
            "From data/raw/extraction_log.csv, where rows are named one by one as far as a reader "
            "named them. 'Every value row' is every one on file on that day; "
            f"{self.provenance['value_rows']:,} are now. Share: of rows seen that hold a number, "
            "with Wilson's interval where all rows of a sample are meant: the others were not "
            "drawn. Kappa is not given: nobody sorted the same rows into the same categories "
            f"twice. {self.derived.evidence.review.conduct.readings}".rstrip(),
        )

    @cached_property
    def facts(self) -> Facts:
        """Counts, and each finding by its address."""
        names = ("table", "row_id", "study_id", "check", "severity", "low", "high", "explanation")
        return Facts(
            {
                "headline": str(self.headline),
                "sentence": str(self.sentence),
                **self.counts,
                **self.provenance,
                "findings": rows_of(self.found[list(names)]),
            }
        )

    def footer(self) -> Table:
        """Provenance."""
        return footer(NOTEBOOK, {"least_severity": self.least_severity}, [self.checks_made])


def printed_numbers(*, least_severity: str = "low") -> PrintedNumbersPage:
    """Open page 93.

    Parameters
    ----------
    least_severity : {"low", "medium", "high"}
        Findings below this severity are counted and not listed.

    Returns
    -------
    PrintedNumbersPage

    Raises
    ------
    ArgumentError
        If there is no such severity.
    """
    return PrintedNumbersPage(least_severity)
