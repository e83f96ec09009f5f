"""Page 10: which studies were found, and what each may be used for."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.figures.bias import who_judged
from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.page import (
    Opened,
    Page,
    conflicts_table,
    construct_labels,
    judgements_table,
    open_page,
)
from ldn_meta.display.pages.printed_numbers import findings_table, inconsistent
from ldn_meta.display.pages.without_pooling import tally
from ldn_meta.display.words import agree, capitalised, count, joined, listed
from ldn_meta.evidence.answer.directions import NO_COMPARISON
from ldn_meta.evidence.effects.effects import used_rows
from ldn_meta.evidence.effects.rows import CONTRAST, MASKED
from ldn_meta.evidence.raw.bias import NOT_READABLE, OVERALL, RANDOMISED, TOOLS, bias_reasons
from ldn_meta.evidence.raw.tables import VALUE_TABLES
from ldn_meta.files import NOT_REPORTED, TO_DO

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput


NOTEBOOK = "10_included_trials"
USES = ("contrast", "single-arm", "excluded")
SYSTEMATIC = "systematic search"
ARMS_OF_TWO = 2
NO_COMPARATOR = "none|own baseline"
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
        reasons = of_use["excluded"]["eligibility_reason"]
        effects, compared = self.opened.derived.effects, set(of_use["contrast"]["study_id"])
        # As forest plots show them: pooled, or beside the pool with an estimate.
        with_estimate = (
            set(effects.loc[effects["kind"] == CONTRAST, "study_id"]) if len(effects) else set()
        )
        not_pooled = (with_estimate & compared) - pooled
        return {
            "sources": len(self._read),
            "studies": len(studies),
            "contrast": len(of_use["contrast"]),
            "single_arm": len(of_use["single-arm"]),
            "excluded": len(of_use["excluded"]),
            "excluded_reasons": reasons.value_counts(sort=False).to_dict(),
            "in_a_pool": len(pooled),
            "not_pooled": len(not_pooled),
            "narrative": len(compared - pooled - not_pooled),
            "silent": len(compared - pooled - not_pooled - self._telling),
            "value_rows": sum(len(self._evidence.tables[name]) for name in VALUE_TABLES),
            "rows_used": len(used_rows(effects)),
            "rows_shown": len(used_rows(self._of_shown(effects))),
            "rows_left_out": len(self.opened.derived.left_out),
        }

    @property
    def _telling(self) -> set[str]:
        """Studies that print something of a comparison, if only a side or a p."""
        rows = self.opened.derived.directions
        return set(rows.loc[rows["sign_from"] != NO_COMPARISON, "study_id"])

    def _of_shown(self, effects: pd.DataFrame) -> pd.DataFrame:
        """Effects that a table of another page prints."""
        return effects[effects["effect_id"].isin(self.opened.shown)] if len(effects) else effects

    @property
    def headline(self) -> Text:
        """Indication and counts in one sentence."""
        c = self.counts
        unseen = c["rows_used"] - c["rows_shown"]
        beside = (
            f" ({unseen} of them counted, not shown: other sources, times or sets of a result "
            "that is shown)"
        )
        return Text(
            f"**{capitalised(self.opened.label)}**: {count(c['studies'], 'study')} on file, "
            f"read in {count(c['sources'], 'source')}; "
            f"{agree(c['contrast'], 'compares', 'compare')} {self._evidence.review.label} with "
            "something, "
            f"{agree(c['single_arm'], 'is', 'are')} without a comparison that isolates the drug, "
            f"{agree(c['excluded'], 'is', 'are')} set aside. Of "
            f"{count(c['value_rows'], 'row')} of results "
            f"{agree(c['rows_used'], 'stands', 'stand')} behind an effect, a change or "
            f"a share of one arm{beside if unseen else ''}; "
            f"{agree(c['rows_left_out'], 'is', 'are')} left out, each with a reason."
        )

    @property
    def question(self) -> Table:
        """The question in its parts, and which studies count for which of its answers."""
        row, plan = self.opened.indication, self.opened.protocol
        doses = plan.certainty.doses.get(row["intervention"])
        compared = self.opened.compared
        others = compared.loc[
            compared["comparator_class"] != row["main_comparator"], "comparator_class"
        ]
        low, high = doses if doses is not None else (math.nan, math.nan)
        labels = construct_labels(self.opened.derived)
        told = {
            "people": row["population"],
            "treatment": row["intervention"]
            + (f"; {low:g} to {high:g} mg a day answer the question" if doses else ""),
            "compared with": f"{row['main_comparator']}; beside it: {tally(others)}",
            "main outcome": labels[row["main_construct"]],
            "other outcomes": "; ".join(
                group
                for group, constructs in plan.outcome_groups.items()
                if row["main_construct"] not in constructs
            ),
        }
        return Table(
            pd.DataFrame(told.items(), columns=["part", "what counts"]),
            f"The question: {row['question']}",
            "Words of this project. Doses outside the range are on file and count as indirect.",
        )

    @property
    def eligibility(self) -> Table:
        """Which rule let a study in, and which kept it out."""
        s, selection = self._studies, self.opened.protocol.selection
        compared = self.opened.compared
        main = compared[compared["comparator_class"] == self.opened.indication["main_comparator"]]
        rules = {
            "randomised": main["is_randomised"].eq("yes") | selection.allow_non_randomised,
            "double-blind": main["blinding"].isin(MASKED) | selection.allow_single_blind,
        }
        is_main = rules["randomised"] & rules["double-blind"]
        beside = self._evidence.review.beside
        if main["study_id"].isin(list(beside)).any():
            rules["in the people of the question"] = ~main["study_id"].isin(list(beside))
            is_main &= rules["in the people of the question"]
        kinds: list[tuple[str, str, pd.DataFrame]] = [
            (
                f"{' and '.join(rules)}; {self.opened.indication['main_comparator']} in the "
                "other arm",
                "may enter the main answer",
                main[is_main],
            ),
            (
                "any other comparison",
                "shown beside it, by name",
                compared.drop(main.index[is_main]),
            ),
            *self._alone(),
        ]
        out = s[s["eligible_for"] == "excluded"]
        kinds += [
            (str(reason), "set aside", own)
            for reason, own in out.groupby("eligibility_reason", sort=False)
        ]
        return Table(
            pd.DataFrame(
                [
                    {"rule": rule, "so the study": use, "studies": listed(own["label"])}
                    for rule, use, own in kinds
                ]
            ),
            "In and out, by which rule",
            f"{self._evidence.review.conduct.criteria} The rules say how the studies on file were "
            "sorted.",
        )

    def _alone(self) -> list[tuple[str, str, pd.DataFrame]]:
        """Studies described alone: without a comparison, or with one that isolates nothing."""
        alone = self._studies[self._studies["eligible_for"] == "single-arm"]
        has_one = ~alone["comparator"].str.contains(NO_COMPARATOR)
        compared, rest = alone[has_one], alone[~has_one]
        kinds = [("no comparison group", "described alone", rest)]
        if len(compared):
            rule = "a comparison that does not isolate the drug (reasons in the studies on file)"
            kinds.append((rule, "described alone", compared))
        return kinds

    @property
    def found_sentence(self) -> Text:
        """How studies were looked for, said plainly."""
        means = self._evidence.text["searches"]["means"]
        conduct = self._evidence.review.conduct
        parts = [
            f"Studies were found by {listed(dict.fromkeys(means))}."
            if SYSTEMATIC in set(means)
            else f"{conduct.search} {conduct.search_limits}".rstrip(),
            f"What is on file of {self.opened.label} was read in: {tally(self._read_kinds())}.",
        ]
        return Text(" ".join(parts))

    def _read_kinds(self) -> pd.Series:
        """Kinds of the texts that were read."""
        kinds = self._evidence.text["sources"].set_index("source_id")["kind"]
        return kinds[kinds.index.isin(self._read)]

    @cached_property
    def _read(self) -> set[str]:
        """Every text of which something is on file here."""
        return set(self._studies["source_id"]).union(
            *(self._evidence.text[name]["read_in"] for name in (*VALUE_TABLES, "study_facts"))
        )

    @property
    def found(self) -> Table:
        """Every search and look-up."""
        rows = self._evidence.text["searches"].drop(columns="search_id")
        told = rows.replace({"NR": "not recorded", "NA": "none"})
        return Table(
            told.rename(columns=lambda name: str(name).replace("_", " ")),
            "How studies were looked for",
            "The same for every condition.",
        )

    @property
    def units(self) -> Text:
        """Who is counted once: people of crossovers, of several arms, in clusters."""
        s = self.opened.compared
        if not len(s):
            return Text("There is no comparison, so no person could be counted twice in one.")
        crossed = s[s["design"].str.contains("crossover")]
        several = self._arms.groupby("study_id").size()
        many = s[s["study_id"].isin(several.index[several > ARMS_OF_TWO])]
        effects = self.opened.derived.effects
        contrasts = effects[effects["kind"] == CONTRAST] if len(effects) else effects
        parts = []
        if len(crossed):
            parts.append(
                f"{capitalised(count(len(crossed), 'crossover'))} ({listed(crossed['label'])}): "
                "each person stands in both arms, so an effect is the difference within people "
                "and its error that of the difference; arms are never compared as if they held "
                "different people."
            )
            for study, label in zip(crossed["study_id"], crossed["label"], strict=True):
                own = contrasts[contrasts["study_id"] == study] if len(contrasts) else contrasts
                ways = "; ".join(dict.fromkeys(own["route"])) if len(own) else "no effect"
                parts.append(f"{label}: {ways}.")
            parts.append(
                "Where no paired result is printed, a correlation within people of "
                f"{self.opened.protocol.correlation:g} is assumed and varied."
            )
        else:
            parts.append("No crossover: each person counts in one arm.")
        if len(many):
            parts.append(
                f"More than two arms: {listed(many['label'])}; "
                + (
                    "of each only one comparison enters a pool, so no arm counts twice."
                    if self.counts["in_a_pool"]
                    else "nothing is pooled, so no arm counts twice."
                )
            )
        clusters = s[s["design"].str.contains("cluster")]
        parts.append(
            f"{listed(clusters['label'])} assigned groups of people, not persons."
            if len(clusters)
            else "No study here assigned groups of people instead of persons."
        )
        return Text(" ".join(parts))

    @property
    def studies(self) -> Table:
        """One row a study."""
        place = {use: rank for rank, use in enumerate(USES)}
        s = self._studies
        s = s.assign(place=s["eligible_for"].map(place)).sort_values(
            ["place", "year", "study_id"], kind="stable"
        )
        low, high = s["dose_low_mg_per_day"], s["dose_high_mg_per_day"]
        paid = self._evidence.text["funding"].set_index("study_id")
        paid = paid.reindex(s["study_id"], fill_value=NOT_REPORTED)
        frame = pd.DataFrame(
            {
                "study": s["label"],
                "design": s["design"] + ", " + s["blinding"],
                "enrolled / randomised / analysed": s["n_enrolled"]
                + " / "
                + self._people(s, "n_randomised")
                + " / "
                + self._people(s, "n_analysed"),
                f"{self._evidence.review.label}, mg a day": low.where(
                    low == high, low + " to " + high
                ),
                "weeks": s["duration_weeks"],
                "weeks after the last dose": self._followed.reindex(
                    s["study_id"], fill_value=NOT_REPORTED
                ).to_list(),
                "comparator": s["comparator"],
                "funding": paid["funding"].to_list(),
                "conflicts of interest": paid["conflicts_of_interest"].to_list(),
                "used for": s["eligible_for"],
                "because": s["eligibility_reason"] + s["overlaps_with"].map(self._overlap),
            }
        )
        return Table(
            frame,
            "Studies on file",
            "20 + 20: printed of the arms alone. NR not reported in what could be read; NA not "
            "applicable.",
        )

    @property
    def _followed(self) -> pd.Series:
        """Weeks after the last dose at which people were seen again, by study."""
        facts = self._evidence.text["study_facts"]
        kept = facts[(facts["fact"] == "followed_after") & (facts["preferred"] == "yes")]
        return kept.set_index("study_id")["value"]

    @property
    def _arms(self) -> pd.DataFrame:
        """Arms that are compared; of a trial those that people were assigned to, none together."""
        arms = self._evidence.text["arms"]
        trials = self._studies.loc[self._studies["is_randomised"] == "yes", "study_id"]
        is_own = (arms["n_randomised"] != "NA") | ~arms["study_id"].isin(trials)
        own = arms[is_own & arms["group"].isin(["1", "2"])]
        return own.sort_values("group", kind="stable")

    def _people(self, studies: pd.DataFrame, stage: str) -> pd.Series:
        """People of studies at a stage; of one that splits them and prints arms alone, by arm."""
        own = self._arms
        # Arms of more people than were enrolled share some.
        enrolled = pd.to_numeric(studies.set_index("study_id")["n_enrolled"], errors="coerce")
        told = {
            study: " + ".join(of_arms)
            for study, of_arms in own.groupby("study_id")[stage]
            if of_arms.str.isdigit().all()
            and not (of_arms.astype(int).sum() > enrolled.get(study, math.inf))
        }
        # In a crossover the arms are the same people.
        is_by_arm = ~studies["design"].str.contains("crossover") & (studies[stage] == NOT_REPORTED)
        by_arm = [told.get(name, NOT_REPORTED) for name in studies["study_id"]]
        return studies[stage].mask(is_by_arm, by_arm)

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
            treatment=self.drug,
        )

    @property
    def reading(self) -> Table:
        """How close to the papers the numbers were read."""
        effects = self.opened.derived.effects
        chosen = effects[effects["is_selected"].astype(bool)] if len(effects) else effects
        behind = {
            "behind an effect, a change or a share": used_rows(effects),
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
    def _not_told(self) -> list[str]:
        """Trials judged with RoB 2 of which nothing says how people were allocated."""
        judged = self._judged.loc[self._judged["tool"].isin(TRIAL_TOOLS), "study_id"]
        is_open = ~self._studies["is_randomised"].isin(["yes", "no"])
        return list(self._studies.loc[is_open & self._studies["study_id"].isin(judged), "label"])

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
            f"No text that was read says how people were allocated in {joined(self._not_told)}: "
            "judged with RoB 2 until one does, and in no main answer."
            if self._not_told
            else "",
            f"{others} that {verb} not randomised {verb} judged with ROBINS-I."
            if c["other_comparisons"]
            else "",
            f"{alone} without a comparison went through a checklist, which cannot make an effect "
            "credible."
            if c["without_comparison"]
            else "",
            f"{open_ones} nobody has judged yet." if c["not_judged"] else "",
            f"{capitalised(NOT_READABLE)}: what could be read leaves a question of the tool open; "
            "no fault is known, and low risk is not shown, for which a rating may lose a level."
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
            found=str(self.found_sentence),
            units=str(self.units),
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
