"""Page 10: which studies were found, and what each may be used for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.figures.bias import who_judged
from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.page import Opened, Page, conflicts_table, judgements_table, open_page
from ldn_meta.display.pages.printed_numbers import findings_table, inconsistent
from ldn_meta.display.words import agree, capitalised, count
from ldn_meta.evidence.effects.effects import used_rows
from ldn_meta.evidence.raw.bias import NOT_READABLE, OVERALL, RANDOMISED, TOOLS, bias_reasons
from ldn_meta.evidence.raw.tables import VALUE_TABLES
from ldn_meta.files import TO_DO

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput


NOTEBOOK = "10_included_trials"
USES = ("contrast", "single-arm", "excluded")
TRIAL_TOOLS = [tool.name for tool in TOOLS.values() if tool.family == RANDOMISED]


class IncludedPage(Page):
    """Studies, flow, sources and conflicts of one indication."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._evidence = opened.derived.evidence
        self._studies = self._evidence.text["studies"]

    @cached_property
    def counts(self) -> dict[str, Any]:
        """Numbers of studies and rows on their way from records to pools."""
        studies, pools = self._studies, self.opened.pools
        pooled = {s for p in pools if len(p.trials) > 1 for s in p.trials["study_id"]}
        of_use = {use: studies[studies["eligible_for"] == use] for use in USES}
        read = set(studies["source_id"]).union(
            *(self._evidence.text[name]["read_in"] for name in (*VALUE_TABLES, "study_facts"))
        )
        reasons = of_use["excluded"]["eligibility_reason"]
        effects, compared = self.opened.derived.effects, set(of_use["contrast"]["study_id"])
        # As forest plots show them: pooled, or beside the pool with an estimate.
        with_estimate = (
            set(effects.loc[effects["kind"] == CONTRAST, "study_id"]) if len(effects) else set()
        )
        not_pooled = (with_estimate & compared) - pooled
        return {
            "sources": len(read),
            "studies": len(studies),
            "contrast": len(of_use["contrast"]),
            "single_arm": len(of_use["single-arm"]),
            "excluded": len(of_use["excluded"]),
            "excluded_reasons": reasons.value_counts(sort=False).to_dict(),
            "in_a_pool": len(pooled),
            "not_pooled": len(not_pooled),
            "narrative": len(compared - pooled - not_pooled),
            "value_rows": sum(len(self._evidence.tables[name]) for name in VALUE_TABLES),
            "rows_used": len(used_rows(self.opened.derived.effects)),
            "rows_left_out": len(self.opened.derived.left_out),
        }

    @property
    def headline(self) -> Text:
        """Indication and counts in one sentence."""
        c = self.counts
        return Text(
            f"**{capitalised(self.opened.label)}**: {count(c['studies'], 'study')} on file, "
            f"read in {count(c['sources'], 'source')}; "
            f"{agree(c['contrast'], 'compares', 'compare')} {self._evidence.review.label} with "
            "something, "
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
        place = {use: rank for rank, use in enumerate(USES)}
        s = self._studies
        s = s.assign(place=s["eligible_for"].map(place)).sort_values(
            ["place", "year", "study_id"], kind="stable"
        )
        low, high = s["dose_low_mg_per_day"], s["dose_high_mg_per_day"]
        frame = pd.DataFrame(
            {
                "study": s["label"],
                "design": s["design"] + ", " + s["blinding"],
                "enrolled / randomised / analysed": s["n_enrolled"]
                + " / "
                + s["n_randomised"]
                + " / "
                + s["n_analysed"],
                f"{self._evidence.review.label}, mg a day": low.where(
                    low == high, low + " to " + high
                ),
                "weeks": s["duration_weeks"],
                "comparator": s["comparator"],
                "used for": s["eligible_for"],
                "because": s["eligibility_reason"] + s["overlaps_with"].map(self._overlap),
            }
        )
        return Table(
            frame, "Studies on file", "NR not reported in what could be read; NA not applicable."
        )

    def _overlap(self, other: str) -> str:
        """Name a study with (possibly) the same people, where one is on file."""
        labels = self._studies.set_index("study_id")["label"]
        return f"; perhaps the same people as {labels[other]}" if other in labels.index else ""

    @property
    def flow(self) -> FigureOutput:
        """From records to pools."""
        from ldn_meta.display.figures.studies import study_flow_output

        return study_flow_output(
            self.counts,
            indication_label=self.opened.label,
            treatment=self.opened.treatment,
        )

    @property
    def reading(self) -> Table:
        """How close to the papers the numbers were read."""
        effects = self.opened.derived.effects
        chosen = effects[effects["is_selected"].astype(bool)] if len(effects) else effects
        behind = {
            "behind an effect": used_rows(effects),
            "behind a main result": used_rows(chosen),
        }
        parts = []
        for name in VALUE_TABLES:
            rows = self._evidence.text[name]
            address = name + ":" + rows["row_id"]
            used = {words: address.isin(of).astype(int) for words, of in behind.items()}
            parts.append(pd.DataFrame({"read_from": rows["read_from"], "on file": 1, **used}))
        table = pd.concat(parts).groupby("read_from").sum()
        order = [t for t in self.opened.protocol.selection.read_from if t in table.index]
        return Table(
            table.loc[order].reset_index().rename(columns={"read_from": "read in"}),
            "Where the rows of results were read",
            "Transcription: a third party's public data file that cites tables of the "
            "papers; the tables themselves were not seen.",
        )

    @property
    def conflicts(self) -> Table:
        """Facts that sources state differently, which one is used, and the answer with each."""
        return conflicts_table(self.opened.derived, self.opened.derived.conflicts)

    @property
    def consistency(self) -> Table:
        """Printed numbers that do not fit each other."""
        derived = self.opened.derived
        return findings_table(derived, inconsistent(derived.consistency))

    @cached_property
    def _judged(self) -> pd.DataFrame:
        """Every judgement with its reason."""
        return bias_reasons(self._evidence)

    @property
    def traffic_light(self) -> FigureOutput:
        """Risk of bias, study by study, a block a tool."""
        from ldn_meta.display.figures.bias import traffic_light_output

        title = f"{capitalised(self.opened.label)}: risk of bias"
        return traffic_light_output("risk_of_bias", self._judged, title=title)

    @property
    def bias_summary(self) -> FigureOutput:
        """Risk of bias of the trials, domain by domain."""
        from ldn_meta.display.figures.bias import bias_summary_output

        title = f"{capitalised(self.opened.label)}: risk of bias of trials"
        return bias_summary_output("risk_of_bias_summary", self._judged, title=title)

    @cached_property
    def bias_counts(self) -> dict[str, Any]:
        """Overall judgements: every number of ``bias_sentence``."""
        overall = self._judged[self._judged["domain"] == OVERALL]
        judged = overall[overall["judgement"] != TO_DO]
        trials = judged[judged["tool"].isin(TRIAL_TOOLS)]
        return {
            "trials": len(trials),
            **{w: int((trials["judgement"] == w).sum()) for w in TOOLS[RANDOMISED].ranks},
            "other_comparisons": int((judged["tool"] == "ROBINS-I").sum()),
            "without_comparison": int(judged["tool"].str.startswith("JBI").sum()),
            "not_judged": len(overall) - len(judged),
        }

    @property
    def bias_sentence(self) -> Text:
        """How the studies were judged, and by whom."""
        c = self.bias_counts
        found = {word: c[word] for word in TOOLS[RANDOMISED].ranks if c[word]}
        if c["trials"] == 1:
            said = next(iter(found))
        else:
            said = ", ".join(f"{word} in {count(n, 'trial')}" for word, n in found.items())
        verb = "was" if c["other_comparisons"] == 1 else "were"
        others, alone, open_ones = (
            capitalised(count(c[name], noun))
            for name, noun in (
                ("other_comparisons", "comparison"),
                ("without_comparison", "study"),
                ("not_judged", "study"),
            )
        )
        parts = (
            f"Risk of bias of {count(c['trials'], 'trial')} judged with RoB 2: {said}."
            if c["trials"]
            else "There is no trial whose risk of bias could be judged with RoB 2.",
            f"{others} that {verb} not randomised {verb} judged with ROBINS-I."
            if c["other_comparisons"]
            else "",
            f"{alone} without a comparison went through a checklist, which cannot make an effect "
            "credible."
            if c["without_comparison"]
            else "",
            f"{open_ones} nobody has judged yet." if c["not_judged"] else "",
            f"{capitalised(NOT_READABLE)}: what could be read leaves a question of the tool open; "
            "nothing that is known counts against the study, and nothing clears it."
            if (self._judged["judgement"] == NOT_READABLE).any()
            else "",
            who_judged(self._judged["judged_by"]),
        )
        return Text(" ".join(filter(None, parts)))

    @property
    def bias(self) -> Table:
        """Every judgement with its reason, who judged, and where it was read."""
        return judgements_table(self._evidence, self._judged)

    @property
    def left_out(self) -> Table:
        """Every row without an effect."""
        return self.opened.left_out(caption="Rows of results that gave no effect")

    @property
    def facts(self) -> Facts:
        """Counts behind the headline."""
        derived = self.opened.derived
        return self.opened.facts(
            headline=str(self.headline),
            **self.counts,
            risk_of_bias=self.bias_counts,
            risk_of_bias_sentence=str(self.bias_sentence),
            inconsistent=rows_of(inconsistent(derived.consistency)),
            conflicts=rows_of(derived.conflicts),
        )


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
