"""Page 10: which studies were found, and what each may be used for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.bias_tables import (
    bias_counts,
    bias_sentence,
    bias_summary_figure,
    bias_table,
    traffic_light_figure,
)
from ldn_meta.display.pages.conflict_table import conflict_table
from ldn_meta.display.pages.consistency_tables import consistency_table, inconsistent
from ldn_meta.display.pages.opened import Opened, open_page
from ldn_meta.display.wording import agree, capitalised, count
from ldn_meta.evidence.load import VALUE_TABLES
from ldn_meta.evidence.normalise import used_rows

if TYPE_CHECKING:
    from ldn_meta.display.figure_output import FigureOutput

NOTEBOOK = "10_included_trials"
USES = ("contrast", "single-arm", "excluded")


class IncludedPage:
    """Studies, flow, sources and conflicts of one indication."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._studies = opened.derived.evidence.text["studies"]

    @cached_property
    def counts(self) -> dict[str, Any]:
        """Numbers of studies and rows on their way from records to pools."""
        effects = self.opened.derived.effects
        studies = self._studies
        pools = self.opened.pools
        pooled = {s for p in pools if len(p.trials) > 1 for s in p.trials["study_id"]}
        alone = {s for p in pools for s in p.trials["study_id"]} - pooled
        contrast = studies[studies["eligible_for"] == "contrast"]
        reasons = studies.loc[studies["eligible_for"] == "excluded", "eligibility_reason"]
        rows = sum(len(self.opened.derived.evidence.tables[name]) for name in VALUE_TABLES)
        return {
            "sources": self._source_count(),
            "studies": len(studies),
            "contrast": len(contrast),
            "single_arm": int((studies["eligible_for"] == "single-arm").sum()),
            "excluded": int((studies["eligible_for"] == "excluded").sum()),
            "excluded_reasons": reasons.value_counts(sort=False).to_dict(),
            "in_a_pool": len(pooled),
            "single_trial": len(alone),
            "narrative": len(set(contrast["study_id"]) - pooled - alone),
            "value_rows": rows,
            "rows_used": len(used_rows(effects)) if len(effects) else 0,
            "rows_left_out": len(self.opened.derived.left_out),
        }

    def _source_count(self) -> int:
        evidence = self.opened.derived.evidence
        read = set(self._studies["source_id"])
        for name in (*VALUE_TABLES, "study_facts"):
            read |= set(evidence.text[name]["source_id"])
        return len(read)

    @property
    def headline(self) -> Text:
        """Indication and counts in one sentence."""
        c = self.counts
        return Text(
            f"**{capitalised(self.opened.label)}**: "
            f"{count(c['studies'], 'study', plural='studies')} on file, "
            f"read in {count(c['sources'], 'source')}; "
            f"{agree(c['contrast'], 'compares', 'compare')} LDN with something, "
            f"{agree(c['single_arm'], 'is', 'are')} without a comparison group, "
            f"{agree(c['excluded'], 'is', 'are')} set aside. Of "
            f"{count(c['value_rows'], 'row')} of results "
            f"{agree(c['rows_used'], 'stands', 'stand')} behind an effect, a change or "
            "a share of one arm; "
            f"{agree(c['rows_left_out'], 'is', 'are')} left out, each with a reason."
        )

    @property
    def studies(self) -> Table:
        """One row a study."""
        import pandas as pd

        s = self._studies
        order = {use: place for place, use in enumerate(USES)}
        s = s.assign(place=s["eligible_for"].map(order)).sort_values(
            ["place", "year", "study_id"], kind="stable"
        )
        dose = [
            _range(low, high)
            for low, high in zip(s["dose_low_mg_per_day"], s["dose_high_mg_per_day"], strict=True)
        ]
        frame = pd.DataFrame(
            {
                "study": s["label"],
                "design": s["design"] + ", " + s["blinding"],
                "enrolled / randomised / analysed": s["n_enrolled"]
                + " / "
                + s["n_randomised"]
                + " / "
                + s["n_analysed"],
                "LDN, mg a day": dose,
                "weeks": s["duration_weeks"],
                "comparator": s["comparator"],
                "used for": s["eligible_for"],
                "because": s["eligibility_reason"],
            }
        )
        return Table(
            frame, "Studies on file", "NR not reported in what could be read; NA not applicable."
        )

    @property
    def flow(self) -> FigureOutput:
        """From records to pools."""
        from ldn_meta.display.figures.study_flow import study_flow_output

        return study_flow_output(self.counts, indication_label=self.opened.label)

    @property
    def reading(self) -> Table:
        """How close to the papers the numbers were read."""
        import pandas as pd

        evidence = self.opened.derived.evidence
        effects = self.opened.derived.effects
        used = used_rows(effects) if len(effects) else set()
        chosen = effects[effects["is_selected"].astype(bool)] if len(effects) else effects
        main = used_rows(chosen) if len(chosen) else set()
        parts = []
        for name in VALUE_TABLES:
            rows = evidence.text[name]
            address = name + ":" + rows["row_id"]
            parts.append(
                pd.DataFrame(
                    {
                        "read_from": rows["read_from"],
                        "on file": 1,
                        "behind an effect": address.isin(used).astype(int),
                        "behind a main result": address.isin(main).astype(int),
                    }
                )
            )
        table = pd.concat(parts).groupby("read_from").sum()
        order = [t for t in self.opened.protocol.selection.read_from if t in table.index]
        frame = table.loc[order].reset_index().rename(columns={"read_from": "read in"})
        return Table(
            frame,
            "Where the rows of results were read",
            "Transcription: a third party's public data file that cites tables of the "
            "papers; the tables themselves were not seen.",
        )

    @property
    def conflicts(self) -> Table:
        """Facts that sources state differently, which one is used, and the answer with each."""
        return conflict_table(self.opened)

    @property
    def consistency(self) -> Table:
        """Printed numbers that do not fit each other."""
        return consistency_table(self.opened)

    @property
    def traffic_light(self) -> FigureOutput:
        """Risk of bias, study by study."""
        return traffic_light_figure(self.opened)

    @property
    def bias_summary(self) -> FigureOutput:
        """Risk of bias of the trials, domain by domain."""
        return bias_summary_figure(self.opened)

    @property
    def bias_sentence(self) -> Text:
        """How the studies were judged, in words."""
        return bias_sentence(self.opened)

    @property
    def bias(self) -> Table:
        """Every judgement with its reason and source."""
        return bias_table(self.opened)

    @property
    def left_out(self) -> Table:
        """Every row without an effect."""
        return self.opened.left_out(caption="Rows of results that gave no effect")

    @property
    def facts(self) -> Facts:
        """Counts behind the headline."""
        return self.opened.facts(
            headline=str(self.headline),
            **self.counts,
            risk_of_bias=bias_counts(self.opened),
            risk_of_bias_sentence=str(self.bias_sentence),
            inconsistent=rows_of(inconsistent(self.opened.derived.consistency)),
            conflicts=rows_of(self.opened.derived.conflicts),
        )

    def footer(self) -> Table:
        """Provenance."""
        return self.opened.footer()


def included_trials(*, indication: str) -> IncludedPage:
    """Open page 10 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.

    Returns
    -------
    IncludedPage
    """
    return IncludedPage(open_page(NOTEBOOK, indication=indication))


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
