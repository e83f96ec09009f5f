"""Everything on file about one study: what was read where, and what became of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ldn_meta.display.outputs import Table, Text
from ldn_meta.display.pages import study_tables as tables
from ldn_meta.display.pages.bias_tables import judgements_table
from ldn_meta.display.pages.claims_tables import claim_rows
from ldn_meta.display.pages.conflict_table import conflicts_told
from ldn_meta.display.pages.consistency_tables import findings_table, inconsistent
from ldn_meta.display.pages.study_uses import uses_table
from ldn_meta.display.pages.study_values import VALUE_CAPTIONS, values_table
from ldn_meta.evidence.bias import bias_reasons
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.evidence.load import VALUE_TABLES
from ldn_meta.evidence.normalise import used_rows

if TYPE_CHECKING:
    import pandas as pd


class StudyPage:
    """One study: design, arms, every number with its source, and what it is used for."""

    def __init__(self, derived: Derived, study_id: str) -> None:
        self.derived = derived
        self.study_id = study_id
        self.own = derived.evidence.study(study_id)
        self.study = {str(n): str(v) for n, v in self.own["studies"].iloc[0].items()}

    @property
    def label(self) -> str:
        """The study as readers see it."""
        return self.study["label"]

    @property
    def indication(self) -> dict[str, str]:
        """Row of ``indications.csv``."""
        rows = self.derived.evidence.text["indications"]
        row = rows[rows["indication_id"] == self.study["indication_id"]].iloc[0]
        return {str(name): str(value) for name, value in row.items()}

    @cached_property
    def counts(self) -> dict[str, int]:
        """Numbers of the headline."""
        effects = self._of_study(self.derived.effects)
        addresses = {
            f"{name}:{row_id}"
            for name in VALUE_TABLES
            if name in self.own
            for row_id in self.own[name]["row_id"]
        }
        return {
            "value_rows": len(addresses),
            "rows_used": len(used_rows(effects) & addresses),
            "rows_left_out": len(self._of_study(self.derived.left_out)),
            "main_results": int(effects["is_selected"].astype(bool).sum()) if len(effects) else 0,
            "inconsistent": len(self._inconsistent),
            "conflicts": len(self._of_study(self.derived.conflicts)),
            "claims": len(self._of_study(self.derived.claims)),
        }

    @property
    def headline(self) -> Text:
        """What kind of study it is, what it is used for, and what became of its numbers."""
        s, c = self.study, self.counts
        design = (
            s["design"] if s["blinding"] == "not stated" else f"{s['design']}, {s['blinding']}"
        )
        against = "" if s["comparator"] in ("none", "NA") else f" against {s['comparator']}"
        rows = (
            f"Rows of results on file: {c['value_rows']}, of which {c['rows_used']} stand behind "
            f"effects or shares of people and {c['rows_left_out']} are left out with a reason; "
            f"effects that enter a main result: {c['main_results']}."
            if c["value_rows"]
            else "No result was extracted."
        )
        return Text(
            f"**{self.label}** ({self.indication['label']}): {design}; "
            f"{s['intervention']}{against}. "
            f"{tables.USED_FOR[s['eligible_for']]}: {s['eligibility_reason']}. {rows}"
        )

    @property
    def uses(self) -> Table:
        """Which results and pages rest on the study."""
        return uses_table(self.derived, self.study)

    @property
    def design(self) -> Table:
        """The row of the study."""
        return tables.design_table(self.derived, self.study)

    @property
    def sources(self) -> Table:
        """What was read."""
        return tables.sources_table(self.derived, self.own)

    @property
    def arms(self) -> Table:
        """Groups of people."""
        return tables.arms_table(self.derived, self._rows("arms"))

    @property
    def facts_stated(self) -> Table:
        """Sizes, doses and times, each as one source states it."""
        return tables.facts_table(self.derived, self._rows("study_facts"))

    def values(self, table: str) -> Table:
        """Printed results of one kind, and what became of each.

        Parameters
        ----------
        table : str
            arm_stats, arm_events or contrasts.
        """
        return values_table(self.derived, table, self._rows(table))

    @property
    def effects(self) -> Table:
        """What was computed from the printed numbers."""
        return tables.effects_table(self._of_study(self.derived.effects))

    @property
    def bias(self) -> Table:
        """Risk of bias, domain by domain."""
        return judgements_table(
            self.derived.evidence, bias_reasons(self.derived.evidence, [self.study_id])
        )

    @property
    def consistency(self) -> Table:
        """Printed numbers that do not fit each other."""
        return findings_table(
            self.derived,
            self._inconsistent,
            caption="Printed numbers that do not fit each other",
        )

    @property
    def conflicts(self) -> Table:
        """Facts that sources state differently."""
        return conflicts_told(self.derived, self._of_study(self.derived.conflicts))

    @property
    def claims(self) -> Table:
        """What reviews claim about this study."""
        raw = self.derived.evidence.text["claims"][["claim_id", "locator", "read_from"]]
        rows = self._of_study(self.derived.claims).merge(raw, on="claim_id")
        return Table(
            claim_rows(self.derived, rows),
            "What is claimed about this study, and whether it holds",
            "Rules and all claims: page 91.",
            "No claim about this study alone is on file.",
        )

    @property
    def sections(self) -> list[tuple[str, list[Table]]]:
        """Headings and tables in reading order; kinds of result that are not on file go."""
        values = [self.values(name) for name in VALUE_CAPTIONS if name in self.own]
        return [
            ("Where it is used", [self.uses]),
            ("Design", [self.design, self.arms, self.facts_stated]),
            ("Results as printed", values or [tables.NO_RESULT]),
            ("What was computed from them", [self.effects]),
            ("Risk of bias", [self.bias]),
            ("What does not fit", [self.consistency, self.conflicts]),
            ("Claims", [self.claims]),
            ("What was read", [self.sources]),
        ]

    @cached_property
    def _inconsistent(self) -> pd.DataFrame:
        return inconsistent(self._of_study(self.derived.consistency))

    def _of_study(self, frame: pd.DataFrame) -> pd.DataFrame:
        if "study_id" not in frame.columns:
            return frame  # a table without rows has no columns
        return frame[frame["study_id"] == self.study_id].reset_index(drop=True)

    def _rows(self, table: str) -> pd.DataFrame:
        rows = self.derived.evidence.text[table]
        return rows[rows["study_id"] == self.study_id].reset_index(drop=True)

    def _repr_html_(self) -> str:
        from html import escape

        start = (
            f"<h2>{escape(self.label)}</h2><p>{escape(str(self.headline)).replace('**', '')}</p>"
        )
        return start + "".join(
            f"<h3>{escape(heading)}</h3>{''.join(table._repr_html_() for table in shown)}"
            for heading, shown in self.sections
        )

    def __repr__(self) -> str:
        """Return the headline."""
        return f"<StudyPage {self.study_id}: {str(self.headline).replace('**', '')}>"


def study_page(study_id: str, derived: Derived | None = None) -> StudyPage:
    """Open everything on file about one study.

    Parameters
    ----------
    study_id : str
        Key in ``studies.csv``.
    derived : Derived, optional
        All indications together; read from disk by default.

    Returns
    -------
    StudyPage
        Shows itself as a whole in a notebook; each part is an attribute.

    Raises
    ------
    ArgumentError
        If there is no such study.
    StaleError
        If the derived tables do not belong to the raw ones.
    """
    return StudyPage(derived or load_derived(), study_id)
