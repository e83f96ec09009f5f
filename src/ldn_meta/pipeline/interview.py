"""The questions of CONTRIBUTING.md, one by one, each answer checked at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import click

from ldn_meta.errors import Fault
from ldn_meta.evidence.new_rows import Answers
from ldn_meta.evidence.row_check import cell_check, row_check
from ldn_meta.evidence.schema import Dictionary
from ldn_meta.evidence.usual_cells import Row, filled, is_value
from ldn_meta.pipeline.questions import ASKED, CARRIED, VALUE_KINDS, is_needless
from ldn_meta.pipeline.raw_rows import read_rows, taken_keys

EXPLAIN = "?"
NEW = "new"
TWO_ARMS = 2


class Interview:
    """Asks about one trial; ``answers`` holds what was said so far.

    Parameters
    ----------
    folder : Path
        Raw data folder, for what is on file.
    dictionary : Dictionary
        Columns, their meaning and their categories.
    """

    def __init__(self, folder: Path, dictionary: Dictionary) -> None:
        self.answers = Answers()
        self._dictionary = dictionary
        self._keys = taken_keys(folder, dictionary)
        self._outcomes = {row["outcome_id"]: row for row in read_rows(folder, "outcomes")}
        self._done: dict[str, list[Row]] = {}
        self._last: Row = {}
        self._open: dict[str, Row] = {}

    @property
    def name(self) -> str:
        """Key of the study, or of its report; "answers" before there is one."""
        for table in ("studies", "sources"):
            for row in self._done.get(table, ()):
                return row[self._dictionary.tables[table].key]
        return "answers"

    def so_far(self) -> Answers:
        """What was said, with the rows that were not said to their end."""
        rows = {name: list(some) for name, some in self.answers.rows.items()}
        for name, cells in self._open.items():
            rows.setdefault(name, []).append(cells)
        return Answers(dict(self.answers.shared), {name: r for name, r in rows.items() if any(r)})

    def run(self) -> Answers:
        """Ask everything.

        Returns
        -------
        Answers

        Raises
        ------
        click.Abort
            If the user breaks off; ``answers`` keeps what was said.
        """
        click.echo(
            "Enter takes the answer in brackets, ? explains a question, Ctrl-C breaks off.\n"
            "NR is not reported, NA does not apply, TODO is not extracted yet.\n"
            "Type what the report prints; compute nothing."
        )
        self.answers.shared["extracted_by"] = self._cell("study_facts", "extracted_by", {}, "")
        self._source()
        self._row("studies")
        study = self._done["studies"][0]
        self._read_from()
        self._sizes(study)
        while True:
            self._row("arms")
            count = len(self._done["arms"])
            is_compared = study["eligible_for"] == "contrast"
            wanted = TWO_ARMS if is_compared else 1
            if not click.confirm(f"Another arm ({count} so far)?", default=count < wanted):
                break
        while table := VALUE_KINDS[self._choice("What does the report print next", VALUE_KINDS)]:
            self._row(table)
        return self.answers

    def _source(self) -> None:
        click.echo("\nThe report (sources.csv)")
        while True:
            text = click.prompt("source_id of a report on file, or new", default=NEW).strip()
            if text == EXPLAIN:
                click.echo("  Is the report in sources.csv already, as for a second trial in it?")
            elif text == NEW:
                self._row("sources")
                return
            elif self._is_known(text, self._keys["sources"], "sources"):
                self.answers.shared["source_id"] = text
                return

    def _read_from(self) -> None:
        text = self._cell("arms", "read_from", {}, "")
        self.answers.shared["read_from"] = self._last["read_from"] = text

    def _sizes(self, study: Row) -> None:
        """Each number of people gets the row that says where it was read."""
        sizes = [name for name in ASKED["studies"] if name.startswith("n_")]
        given = [name for name in sizes if is_value(study[name])]
        if given:
            click.echo(f"\nWhere does the report print {', '.join(given)}?")
            place = self._cell("study_facts", "locator", {}, "")
            self._last["locator"] = place
            for name in given:
                cells = {"fact": name, "value": study[name], "locator": place}
                self._keep("study_facts", cells)

    def _row(self, table: str) -> None:
        """Ask for one row, until no rule objects."""
        click.echo(f"\n{self._dictionary.tables[table].description} ({table}.csv)")
        cells = self._open[table] = {}
        open_ones: Collection[str] = ASKED[table]
        while open_ones:
            for column in ASKED[table]:
                if column in open_ones and not is_needless(table, column, cells):
                    cells[column] = self._cell(
                        table, column, cells, self._usual(table, cells)[column]
                    )
            faults = row_check(self._dictionary, table, self._usual(table, cells))
            for fault in faults:
                click.echo(f"  {fault.column}: {fault.rule}; {fault.remedy}")
            open_ones = self._to_mend(table, faults)
        self._keep(table, cells)

    def _to_mend(self, table: str, faults: Sequence[Fault]) -> set[str]:
        """Columns to ask again: those at fault, and those that a rule holds against them."""
        named = {fault.column for fault in faults}
        for fault in faults:
            words = re.findall(r"[a-z0-9_]+", fault.rule)
            named |= {word for word in words if "_" in word and word in ASKED[table]}
        return set(ASKED[table]) if named - set(ASKED[table]) else named

    def _keep(self, table: str, cells: Row) -> None:
        row = self._usual(table, cells)
        self._open.pop(table, None)
        key = self._dictionary.tables[table].key
        self._keys[table].add(row[key])
        self._done.setdefault(table, []).append(row)
        self.answers.of(table).append({**cells, key: row[key]})
        if table == "outcomes":
            self._outcomes[row[key]] = row
        self._last |= {name: row[name] for name in CARRIED if name in cells}

    def _usual(self, table: str, cells: Row) -> Row:
        """The row with what was not answered as it would be filled."""
        carried = {name: text for name, text in self._last.items() if name in CARRIED}
        return filled(
            self._dictionary.tables[table],
            cells,
            {**carried, **self.answers.shared},
            self._done,
            self._keys[table],
        )

    def _cell(self, table: str, column: str, cells: Row, usual: str) -> str:
        """Ask for one cell, until no rule objects."""
        field = next(f for f in self._dictionary.tables[table].fields if f["name"] == column)
        choices = self._choices(field)
        if choices:
            numbered = [f"{place} {name}" for place, name in enumerate(choices, 1)]
            click.echo(f"  {'   '.join(numbered)}")
        while True:
            text = str(click.prompt(column, default=usual or None)).strip()
            if text == EXPLAIN:
                click.echo(f"  {field['description']}{self._further(column)}")
                continue
            if choices and text.isdigit() and 1 <= int(text) <= len(choices):
                text = choices[int(text) - 1]
            if column == "outcome_id" and table != "outcomes" and text == NEW:
                self._row("outcomes")
                return self._done["outcomes"][-1]["outcome_id"]
            if self._is_fine(table, column, text):
                return text

    def _is_fine(self, table: str, column: str, text: str) -> bool:
        """Whether an answer can stand; says why not."""
        whole = self._dictionary.tables[table]
        for fault in cell_check(self._dictionary, table, column, text):
            click.echo(f"  {text!r} {fault.rule}; {fault.remedy}")
            return False
        if column == whole.key and text in self._keys[table]:
            click.echo(f"  {text!r} is in {table} already, and nothing there is overwritten")
            return False
        for name, target, _ in whole.foreign_keys:
            if name == column and is_value(text):
                known: Collection[str] = self._keys[target]
                if target == "arms":
                    known = [arm["arm_id"] for arm in self._done.get("arms", ())]
                return self._is_known(text, known, target)
        return True

    def _is_known(self, text: str, known: Collection[str], table: str) -> bool:
        if text in known:
            return True
        near = difflib.get_close_matches(text, known, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else "? lists what there is"
        click.echo(f"  {text!r} is not in {table}; {hint}")
        return False

    def _choices(self, field: dict[str, Any]) -> list[str]:
        """Categories of a column that are words; numbers are typed as they are."""
        if field["name"] == "indication_id":
            return sorted(self._keys["indications"])
        if field["type"] == "boolean":
            return ["yes", "no"]
        return [str(v) for v in field.get("constraints", {}).get("enum", ()) if isinstance(v, str)]

    def _further(self, column: str) -> str:
        """What there is to choose from, where the dictionary does not say it."""
        if column == "outcome_id":
            listed = [
                f"\n    {name}: {row['construct_label']}, {row['instrument']} ({row['unit']})"
                for name, row in sorted(self._outcomes.items())
            ]
            return f"\n  `{NEW}` describes another one. On file:{''.join(listed)}"
        if column in ("arm_id", "arm_1", "arm_2"):
            return f" {', '.join(arm['arm_id'] for arm in self._done.get('arms', ()))}"
        return ""

    def _choice(self, question: str, choices: Sequence[str] | dict[str, str]) -> str:
        names = list(choices)
        click.echo(f"\n  {'   '.join(f'{place} {name}' for place, name in enumerate(names, 1))}")
        while True:
            text = click.prompt(question, default=names[-1]).strip()
            if text.isdigit() and 1 <= int(text) <= len(names):
                return names[int(text) - 1]
            if text in names:
                return str(text)
            click.echo(
                "  difference: between arms; means: of one arm; events: people of one arm; "
                "fact: any other number; done: that is all"
            )
