"""Page 20: the pooled effect of an outcome, and what would change it."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ldn_meta.display.figures.bias import dots_note
from ldn_meta.display.outputs import Facts, FigureOutput, Table, Text, named, rows_of
from ldn_meta.display.pages.page import (
    BY_PROTOCOL,
    QuestionPage,
    at_level,
    comparators,
    construct_labels,
    crossing,
    diamond,
    drawn,
    effect_read,
    open_page,
    page_of,
    pool_facts,
    pool_numbers,
    read_facts,
    settings_of,
    sides,
    size,
    variants_table,
    whose_weights,
)
from ldn_meta.display.words import (
    MEASURES,
    agree,
    capitalised,
    count,
    effect_of,
    estimate_with_interval,
    fixed,
    in_words,
    interval,
    p_value,
    people,
    percent,
    percents,
    plain,
    shown,
    shown_facts,
    weeks,
)
from ldn_meta.evidence.answer.directions import NOT_BLIND
from ldn_meta.evidence.answer.pools import (
    DIRECTION_ONLY,
    NO_COMPARISON,
    NOT_STATED,
    SIDE_UNKNOWN,
    TAU2_METHODS,
    has_unknown_sign,
)
from ldn_meta.evidence.effects.rows import (
    CONTRAST,
    MASKED,
    NOT_ASKED_ABOUT,
    NOT_RANDOMISED,
    RATIO_MEASURES,
    lost,
)
from ldn_meta.evidence.raw.bias import OVERALL, bias_frame
from ldn_meta.evidence.raw.selection import COVARIATES, MAIN, SUBGROUPS, named_as
from ldn_meta.stats.pool import METHOD_NAMES
from ldn_meta.stats.small_study import ENOUGH_TRIALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldn_meta.evidence.answer.answer import Answer
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.evidence.raw.tables import Evidence
    from ldn_meta.stats.bayes import BayesResult
    from ldn_meta.stats.pool import PooledResult
    from ldn_meta.stats.regression import RegressionResult, SubgroupResult


NOTEBOOK = "20_pooled_effect"
ACTIVE = "active drug"
# Logit of a share of people, the measure of one arm.
SHARE = "PLO"
OF_WHAT = {"end level": "end levels", "change from baseline": "changes from baseline"}


class EffectPage(QuestionPage):
    """One outcome against the indication's main comparator: the number and its trials."""

    @property
    def headline(self) -> Text:
        """Indication, outcome, trials and people."""
        who = f", {people(self.pool.people)}" if self.pool else ""
        return Text(
            f"**{capitalised(self.opened.label)}, {self.outcome}**, {self.drug} against "
            f"{self.comparator_class}: {count(self.answer.k, 'trial')} with an effect{who}; "
            f"synthesis: {self.answer.synthesis['synthesis']}."
        )

    @property
    def result(self) -> PooledResult | BayesResult | Text:
        """The pool as it is read, with its settings, or why there is none."""
        if self.pool is None:
            return Text("No trial gave an effect with its uncertainty, so nothing was pooled.")
        if self.pool.is_alone:
            return Text("One trial gave an effect; nothing was pooled. It stands in the table.")
        return self.pool.posterior or self.pool.result

    @property
    def trials(self) -> Table:
        """One row a trial in the order of the figure: those pooled, then those shown beside."""
        drawn: list[tuple[dict[str, Any], str]] = []
        if self.pool is not None:
            weights = np.atleast_1d(self.pool.result.weight_pct)
            told = [f"{weight:.1f}%" for weight in weights]
            drawn += zip(rows_of(self.pool.trials), told, strict=True)
        drawn += [
            (row, f"not pooled: {row['selected_why']}") for row in rows_of(self.answer.beside)
        ]
        rows = []
        for row, weight in drawn:
            how = "" if row["ci_from"] == "as printed" else "by "
            own = f"interval {how}{row['ci_from']}"
            if row["ci_from"] == "normal" or own in row["assumptions"]:
                own = ""
            noted = named(self.opened.derived.evidence, row["notes"])
            notes = [row["assumptions"], own, noted]
            notes = [text for text in notes if text not in ("", "none")]
            others = "in both arms" if row["is_paired"] else f"+ {plain(row['n_2'])}"
            rows.append(
                {
                    "trial": row["study_label"],
                    "design": f"{row['design']}, {row['analysis_set']}",
                    "people": f"{plain(row['n_1'])} {others}",
                    "week": weeks(row["timepoint_weeks"]),
                    "difference of": OF_WHAT.get(row["estimand"], row["estimand"]),
                    "effect (95% CI)": effect_of(row, estimate="yi"),
                    "weight": weight,
                    "route": row["route"],
                    "assumptions and notes": "; ".join(notes) or "none",
                    "source": self.opened.source(row),
                }
            )
        return Table(
            pd.DataFrame(rows),
            "Trials of the figure: those behind the result, and those shown and not pooled",
            self._unit_note(),
            "No trial gave an effect with its uncertainty.",
        )

    def _unit_note(self) -> str:
        if self.pool is None:
            return ""
        measure, unit = self.pool.key["measure"], self.pool.key["unit"]
        if has_unknown_sign(self.pool):
            return (
                f"Effect: {MEASURES[measure]} in {unit}, with the sign as printed; the text read "
                "does not say which drug was subtracted from which."
            )
        weighed = f" {whose_weights(self.pool)}" * self.pool.read.has_prior
        if measure in RATIO_MEASURES:
            how = f"{MEASURES[measure]}, {self.drug} divided by {self.comparator_class}"
        else:
            how = f"{MEASURES[measure]} in {unit}, {self.drug} minus {self.comparator_class}"
        return f"Effect: {how}.{weighed}"

    @property
    def other_outcomes(self) -> Table:
        """Every other outcome of this page with a trial effect: pooled, alone, or barred."""
        labels = construct_labels(self.opened.derived)
        rows = []
        for found in self.opened.pools:
            is_main = self.pool is not None and found.key == self.pool.key
            if page_of(found.trials["domain"].iloc[0]) != NOTEBOOK or is_main:
                continue
            sign = found.trials["benefit_sign"].iloc[0]
            rows.append(
                {
                    "outcome": labels[found.key["construct"]],
                    "against": found.key["comparator_class"],
                    "trials": ", ".join(found.trials["study_label"]),
                    "people": str(found.people or "NR"),
                    "effect (95% interval)": effect_read(found),
                    "unit": found.key["unit"],
                    "better is": _better(sign),
                    "used": "alone" if found.is_alone else "pooled",
                }
            )
        rows += [
            {
                "outcome": labels[row["construct"]],
                "against": row["comparator"],
                "trials": f"{row['study_label']}, {row['arm']}",
                "people": _both_arms(row),
                "effect (95% interval)": effect_of(row, estimate="yi"),
                "unit": row["unit"],
                "better is": _better(row["benefit_sign"]),
                "used": f"shown, not pooled: {row['selected_why']}",
            }
            for row in rows_of(self._barred)
        ]
        return Table(
            at_level(pd.DataFrame(rows), self.opened.protocol.model.level),
            "Other outcomes with an effect estimate",
            f"Unit as measured; {self.drug} minus comparator. Used: whether the "
            "effect is in a pool, stands alone, or by which rule of the plan it is kept out.",
        )

    @property
    def _barred(self) -> pd.DataFrame:
        """Effects of other outcomes of this page that are in no pool."""
        rows = self.opened.barred
        if rows.empty:
            return rows
        is_main = (rows["construct"] == self.construct) & (
            rows["comparator_class"] == self.comparator_class
        )
        return rows[~is_main & (rows["domain"].map(page_of) == NOTEBOOK)]

    @property
    def one_arm(self) -> Table:
        """Changes and shares of one arm that stand on no other page."""
        from ldn_meta.stats.proportions import wilson_interval

        labels = construct_labels(self.opened.derived)
        rows = []
        for row in rows_of(self.opened.one_arm):
            told = effect_of(row, estimate="yi")
            if row["measure"] == SHARE:
                low, high = wilson_interval(row["events_1"], row["n_1"])
                told = f"{row['arm_1_data']} ({percents(float(low), float(high))})"
            rows.append(
                {
                    "outcome": labels[row["construct"]],
                    "study": row["study_label"],
                    "arm": row["arm"],
                    "week": weeks(row["timepoint_weeks"]),
                    "people": plain(row["n_1"]),
                    "change, or share (95% interval)": told,
                    "route": row["route"],
                    "source": self.opened.source(row),
                }
            )
        return Table(
            pd.DataFrame(rows),
            "One arm only: changes, and what became of the treatment",
            "No comparison, never pooled, no evidence of an effect. A result that is printed and "
            "can be computed as well has a row for each.",
        )

    @property
    def without_estimate(self) -> Table:
        """Comparisons that were reported only as a direction or a p-value."""
        d = self.opened.derived
        left = d.left_out[
            d.left_out["compares"].astype(bool)
            & (d.left_out["comparator_class"] == self.comparator_class)
            & d.left_out["is_preferred"].astype(bool)
            & d.left_out["usable_for"].isin(["direction", "p-value"])
        ]
        if len(d.effects):
            # The test of an effect that was computed stands with the effect.
            keys, own = ["study_id", "construct", "kind"], d.effects
            computed = set(own[own["kind"] == CONTRAST][keys].itertuples(index=False, name=None))
            told = left[keys].itertuples(index=False, name=None)
            left = left[[key not in computed for key in told]]
        raw = d.evidence.text["contrasts"].set_index("row_id")
        labels = d.evidence.text["outcomes"].set_index("outcome_id")["construct_label"]
        arms = d.evidence.text["arms"].set_index("arm_id")["label"]
        rows = [
            {
                "study": row["study_label"],
                "outcome": labels[row["outcome_id"]],
                "compared": f"{arms[source['arm_1']]} against {arms[source['arm_2']]}",
                "report's words": self.opened.said(row["direction"]),
                "as reported": source["as_reported"] + lost(source),
                "why no effect": row["reason"],
                "source": self.opened.source(source.to_dict()),
            }
            for row in rows_of(left)
            for source in [raw.loc[row["row_id"]]]
        ]
        return Table(pd.DataFrame(rows), "Reported without an effect that could be computed")

    @property
    def forest(self) -> FigureOutput:
        """Forest plot: the rows of the trials table in the same order."""
        return forest_of_pool(
            self.pool,
            beside=self.answer.beside,
            variants=self.answer.variants[1:],
            comparator=self.comparator_class,
            evidence=self.opened.derived.evidence,
            name=f"forest_{self.construct}",
            title=f"{capitalised(self.opened.label)}: {self.outcome}",
        )

    @cached_property
    def sentence(self) -> Text:
        """The answer in words: none, one trial, two, or more."""
        parts = self._no_number() if self.pool is None else self._numbers(self.pool)
        others = self.not_in_the_number
        if others:
            studies = count(len(others), "comparative study")
            is_left = "is" if len(others) == 1 else "are"
            parts.append(
                f"There {is_left} {studies} more."
                if self.pool is None
                else f"Not in this number {is_left} {studies}."
            )
            parts += [f"{name}: {why}." for name, why in others.items()]
        if asked := self.answer.protocol.asked:
            notes = self.answer.notes
            told = [
                f"{named_as(name, value)}{f' ({notes[name]})' if name in notes else ''}"
                for name, value in asked.items()
            ]
            parts.append(f"Chosen, beside the plan: {'; '.join(told)}.")
        return Text(" ".join(part for part in parts if part))

    def _numbers(self, pool: Pool) -> list[str]:
        answer = self.answer
        against = f"compared {self.drug} with {comparators(pool)}"
        what = f"The {MEASURES[pool.key['measure']]} in {self.outcome}"
        who, where = people(pool.people), crossing(pool, self.drug)
        if pool.is_alone:
            name = pool.trials["study_label"].iloc[0]
            parts = [
                f"Only one trial gave usable numbers: {name} ({who}) {against}. {what} is "
                f"{size(pool)}; {where}. Nothing was pooled.",
                self._reading(pool),
            ]
        else:
            parts = [
                f"{capitalised(count(answer.k, 'trial'))} ({who}) {against}. "
                f"{what.replace('The', 'The pooled', 1)} is {size(pool)} "
                f"({pool.read.method}); {where}.",
                self._reading(pool),
                _spread(pool),
            ]
        if pool.key["measure"] == "SMD":
            parts.append(_translated(answer))
        elif answer.across is not None and answer.across.pool is not None:
            every = answer.across.pool
            parts.append(
                f"With every instrument in standard deviations "
                f"({count(len(every.trials), 'trial')}): {effect_read(every)}. "
                f"{_translated(answer.across)}"
            )
        if self.comparator_class == ACTIVE:
            parts.append(
                "An interval that includes no difference does not show that two drugs are "
                "equally good: that would need a margin set beforehand."
            )
        return parts

    @property
    def short(self) -> str:
        """The answer in one clause for a list of all conditions, of at most 40 words."""
        pool, found = self.pool, self.answer.synthesis
        against = (
            f"{self.drug} with {self.comparator_class if pool is None else comparators(pool)}"
        )
        if pool is not None:
            what = f"the {MEASURES[pool.key['measure']]} in {self.outcome} is {size(pool)}"
            trials = f"{capitalised(count(self.answer.k, 'trial'))} ({people(pool.people)})"
            where = crossing(pool, self.drug)
            if has_unknown_sign(pool):
                where += ", and which drug it favours is not told"
            return f"{trials} compared {against}: {what}; {where}"
        if found["synthesis"] == DIRECTION_ONLY:
            main, beside = self._told_of_it
            sides_of = [found["directions"][name] for name in main or beside]
            parts = [
                f"{in_words(sides_of.count(side))} "
                + (
                    "without a known side"
                    if side == SIDE_UNKNOWN
                    else self.opened.review.side(side)
                )
                for side in dict.fromkeys(sides_of)
            ]
            named = [self.opened.inferred(study_label=n, construct=self.construct) for n in main]
            caution = f" (only {in_words(len(beside))} that stand beside)" if not main else ""
            more = f" ({in_words(len(beside))} more beside)" if main and beside else ""
            return (
                f"No trial comparing {against} gave {self.outcome} in numbers to pool; of "
                f"{count(len(sides_of), 'study')} that told of it{caution} {' and '.join(parts)}"
                f"{more}{''.join(dict.fromkeys(named))}"
            )
        return f"No study on file compared {against} for {self.outcome}"

    def _reading(self, pool: Pool) -> str:
        """Say what a positive number means."""
        if has_unknown_sign(pool):
            names = ", ".join(pool.trials["study_label"])
            return (
                f"The sign is the printed one; what could be read of {names} does not say which "
                "drug it favours."
            )
        if not pool.benefit_sign:
            return ""
        is_less = pool.benefit_sign < 0
        if pool.key["measure"] in RATIO_MEASURES:
            return f"Below 1 favours {self.drug if is_less else comparators(pool)}."
        return f"{'Negative' if is_less else 'Positive'} numbers favour {self.drug}."

    def _no_number(self) -> list[str]:
        found = self.answer.synthesis
        if self.answer.protocol.asked and len(self.answer.beside):
            return [
                f"Under the choices made no study of {self.drug} against {self.comparator_class} "
                f"gives {self.outcome} in numbers to pool. {self.answer.why_none}. "
                "Nothing was pooled."
            ]
        start = f"No study of {self.drug} against {self.comparator_class} gave {self.outcome}"
        studies = found["trials"]
        if found["synthesis"] == DIRECTION_ONLY:
            main, beside = self._told_of_it
            told = [
                f"{name}{self._study_note(name)}: {self.opened.review.side(side)}"
                f"{_in_words(side, found['words'][name])}{self._printed(name)}."
                for name in (*main, *beside)
                for side in (found["directions"][name],)
            ]
            if main and beside:
                told.insert(len(main), "Beside the answer:")
            return [
                f"{start} in numbers that an effect and its uncertainty could be computed from.",
                f"{capitalised(count(studies, 'comparative study'))} told of it. {' '.join(told)}",
                "Nothing was pooled.",
            ]
        if found["synthesis"] == NO_COMPARISON:
            return [
                f"{start}. {capitalised(count(studies, 'study'))} without a comparison group "
                "described it; that cannot show an effect. Nothing was pooled."
            ]
        return [f"{start}; no study on file reported it. Nothing was pooled."]

    @cached_property
    def not_in_the_number(self) -> dict[str, str]:
        """Comparative studies that the answer does not rest on, with the reason."""
        reasons = {}
        for study, row in self.answer.not_in_it:
            if row is None and study["label"] in self.answer.elsewhere:
                other, told_there = self.answer.elsewhere[study["label"]]
                effect = effect_of(told_there, estimate="yi")
                reasons[study["label"]] = f"measured in {other.key['unit']}: {effect}"
                continue
            if row is not None:
                numbers = (row["yi"], row["ci_low"], row["ci_high"])
                estimate, low, high = shown(numbers, measure=row["measure"])
                effect = f"{fixed(estimate)}, 95% CI {interval(low, high)}"
                reasons[study["label"]] = f"{effect}, {row['selected_why']}"
                continue
            what, side = self.answer.told_by(study["label"])
            told = _in_words(SIDE_UNKNOWN, side)
            if what:
                told = f"; on {what}: {self.opened.review.side(side)}"
            is_open = study["is_randomised"] == "no"
            usable = self.answer.not_told.get(study["label"], "no usable numbers")
            why = "not randomised" if is_open else usable
            if study["comparator_class"] != self.comparator_class:
                why = f"compared with {study['comparator_class']}, {why}"
            reasons[study["label"]] = f"{why}{told}"
        return reasons

    @cached_property
    def _told_of_it(self) -> tuple[list[str], list[str]]:
        """Studies that may enter the main answer and told of it, and those that stand beside."""
        told = list(self.answer.synthesis["directions"])
        beside = [name for name in told if self._study_note(name)]
        return [name for name in told if name not in beside], beside

    def _study_note(self, label: str) -> str:
        """Why a study cannot enter the main answer, whatever it tells."""
        studies = self.opened.derived.evidence.text["studies"]
        selection = self.answer.protocol.selection
        row = studies[studies["label"] == label].iloc[0]
        is_open = row["blinding"] not in MASKED and not selection.allow_single_blind
        is_let_in = row["is_randomised"] == "yes" or selection.allow_non_randomised
        is_beside = row["study_id"] in self.opened.derived.evidence.review.beside
        why = [
            *[NOT_RANDOMISED] * (not is_let_in),
            *[NOT_BLIND] * is_open,
            *[NOT_ASKED_ABOUT] * is_beside,
        ]
        return f" ({', '.join(why)})" if why else ""

    def _printed(self, label: str) -> str:
        """The numbers that a study printed about the outcome, with their arms, in brackets."""
        rows = self.opened.derived.directions
        own = rows[(rows["study_label"] == label) & (rows["construct"] == self.construct)]
        # A dose in the name of an arm is no result.
        words = [
            text
            for text, arms in zip(own["printed"], own["arms"], strict=True)
            if any(char.isdigit() for char in text.removeprefix(f"{arms}: "))
        ]
        return f" (printed: {'; '.join(words)})" if words else ""

    @property
    def caveats(self) -> Text:
        """Two or three computed lines on how fragile the answer is."""
        if self.pool is None:
            return Text(
                "- A trial that reports means with their spread, or counts with their "
                "denominators, would be the first number here."
            )
        defined = [
            ("main analysis" if name == MAIN else name, found.read)
            for name, found in self.answer.variants
            if found is not None
        ]
        low, high = (end(defined, key=lambda pair: pair[1].estimate) for end in (min, max))
        measure = self.pool.key["measure"]
        ends = [fixed(v) for v in shown((low[1].estimate, high[1].estimate), measure=measure)]
        if self.pool.is_alone:
            # An analysis that cannot apply to one trial is no test of it.
            defined = list({one[1][:3]: one for one in reversed(defined)}.values())[::-1]
        analyses = count(len(defined), "analysis", plural="analyses")
        over = f"the {analyses} of the table that differ" if self.pool.is_alone else analyses
        if ends[0] == ends[1]:
            return Text(
                "- One trial, one estimate: no choice of the plan can move it, which says nothing "
                "of how robust it is. A second trial would be the first test."
            )
        weights = self.pool.result.weight_pct
        top, kind = int(weights.argmax()), TAU2_METHODS[self.pool.result.tau2_method]
        off = sum(not read.low <= 0 <= read.high for _, read in defined)
        name = self.pool.trials["study_label"].iloc[top]
        by = f" in the pool by {kind}" * self.pool.read.has_prior
        lines = [
            *(
                []
                if self.pool.is_alone
                else [f"Largest weight{by}: {name}, {percent(weights[top] / 100)}."]
            ),
            f"Over {over} the estimate runs from {ends[0]} ({low[0]}) to {ends[1]} ({high[0]}).",
            f"Of the {len(defined)} analyses with a result, "
            f"{agree(off, 'has', 'have')} an interval that excludes no difference.",
            *filter(None, [" ".join(settings_of(self.answer, self.drug))]),
        ]
        return Text("\n".join(f"- {line}" for line in lines))

    @property
    def sensitivity(self) -> Table:
        """The main pool beside every named departure from it that changes something."""
        return variants_table(self.answer.variants, outcome=self.outcome)

    @cached_property
    def _groupings(self) -> list[tuple[str, SubgroupResult]]:
        """How trials are told apart: as asked, else by whatever leaves two subgroups of two."""
        asked = self.opened.parameters.get("subgroup_by")
        if self.pool is None:
            return []
        found = []
        for name in (asked,) if asked else SUBGROUPS:
            # Nothing is pooled to find out that there is nothing to tell apart.
            if asked or (self.answer.moderators[name].value_counts() > 1).sum() > 1:
                one = self.answer.subgroups(name)
                found += [] if one is None else [(name, one)]
        return found

    @property
    def subgroups(self) -> Table | Text | None:
        """The pool told apart, with the test between its parts; nothing where none can be."""
        asked = self.opened.parameters.get("subgroup_by")
        if not self._groupings:
            if not asked:
                return None
            return Text(f"By {_spaced(asked)}: {self.answer.why_not_apart(asked)}.")
        rows = []
        for name, found in self._groupings:
            for group, pool in zip(found.names, found.pools, strict=True):
                told = (pool.estimate, pool.ci_low, pool.ci_high)
                is_first = group == found.names[0]
                rows.append(
                    {
                        "told apart by": _spaced(name) if is_first else "",
                        "subgroup": group,
                        "trials": str(pool.k),
                        "effect (95% CI)": estimate_with_interval(*told, measure=pool.measure),
                        "I2": "one trial" if pool.k == 1 else percent(float(pool.i2_pct) / 100),
                        "test between subgroups": found.test_words.partition(": ")[2]
                        if is_first
                        else "",
                    }
                )
        notes = list(dict.fromkeys(note for _, found in self._groupings for note in found.notes))
        return Table(
            at_level(pd.DataFrame(rows), self.opened.protocol.model.level),
            "Subgroups of trials",
            f"Each subgroup is a pool of its own ({METHOD_NAMES[found.overall.tau2_method]}). "
            f"{_few(self.answer.k)} Noted: {'; '.join(notes) or 'nothing'}.",
        )

    @property
    def subgroup_forest(self) -> FigureOutput | None:
        """Forest plot by the subgroups asked for, or by the first that the trials have."""
        from ldn_meta.display.figures.forest import forest_output

        if not self._groupings or self.pool is None:
            return None
        name, found = self._groupings[0]
        rows, measure = self.pool.trials, self.pool.key["measure"]
        return forest_output(
            f"subgroups_{name}_{self.construct}",
            found,
            intervals=self.pool.own_intervals,
            direction=_sides_of(
                rows, self.opened.derived.evidence.review.label, self.comparator_class
            ),
            x_label=_axis(self.pool, rows, measure),
            log_scale=measure in RATIO_MEASURES,
            title=f"{capitalised(self.opened.label)}: {self.outcome}, by {_spaced(name)}",
        )

    @cached_property
    def _slopes(self) -> list[tuple[str, RegressionResult]]:
        """Regressions: as asked, else of each covariate that enough trials tell."""
        asked = self.opened.parameters.get("regress_on")
        names = (asked,) if asked else COVARIATES
        found = ((name, self.answer.regression(name)) for name in names)
        return [
            (name, one)
            for name, one in found
            if one is not None and (asked or one.k >= ENOUGH_TRIALS)
        ]

    @property
    def regression(self) -> Table | Text | None:
        """How effects follow what trials differ in; nothing where too few tell it."""
        asked = self.opened.parameters.get("regress_on")
        if not self._slopes:
            why = self.answer.why_no_line
            return Text(f"No regression on {_spaced(asked)}: {why}.") if asked else None
        rows = []
        for name, found in self._slopes:
            told = (found.coefficients[1], found.ci_low[1], found.ci_high[1])
            effect = estimate_with_interval(*told, measure=self._measure)
            rows.append(
                {
                    "covariate": COVARIATE_WORDS[name],
                    "trials": str(found.k),
                    "effect moves by (95% CI)": effect,
                    "p": p_value(found.p_value[1]),
                    "tau left": fixed(math.sqrt(found.tau2)),
                }
            )
        notes = list(dict.fromkeys(note for _, one in self._slopes for note in one.notes))
        ratio = " (a ratio of ratios)" if self._measure in RATIO_MEASURES else ""
        return Table(
            at_level(pd.DataFrame(rows), self.opened.protocol.model.level),
            "Effects against what trials differ in",
            f"For one more of the covariate{ratio}. {_few(int(self._slopes[0][1].k))} "
            f"Noted: {'; '.join(notes) or 'nothing'}.",
        )

    @property
    def bubble(self) -> FigureOutput | None:
        """Effects against the covariate asked for, or the first that trials tell."""
        from ldn_meta.display.figures.influence import bubble_output

        if not self._slopes or self.pool is None:
            return None
        name, found = self._slopes[0]
        values = self.answer.moderators["dose_mg" if name == "dose" else name]
        rows = self.pool.trials[values.notna().to_numpy()]
        return bubble_output(
            f"regression_{name}_{self.construct}",
            found,
            measure=self._measure,
            labels=list(rows["study_label"]),
            direction=_sides_of(
                rows, self.opened.derived.evidence.review.label, self.comparator_class
            ),
            x_label=COVARIATE_WORDS[name],
            title=f"{capitalised(self.opened.label)}: {self.outcome}, by {_spaced(name)}",
        )

    @property
    def _measure(self) -> str:
        return "MD" if self.pool is None else self.pool.key["measure"]

    @property
    def across(self) -> Table | None:
        """The pool on one scale beside that of all instruments; nothing where there is one."""
        found = self.answer.across
        if found is None or found.pool is None or self.pool is None:
            return None
        pools = [self.pool, *{id(p): p for p, _ in self.answer.elsewhere.values()}.values()]
        rows = [
            {
                "measured in": pool.key["unit"],
                "trials": ", ".join(pool.trials["study_label"]),
                "people": str(pool.people or "NR"),
                "effect (95% interval)": effect_read(pool),
            }
            for pool in pools
        ]
        every = found.pool
        rows.append(
            {
                "measured in": "all, in standard deviations of people",
                "trials": ", ".join(every.trials["study_label"]),
                "people": str(every.people or "NR"),
                "effect (95% interval)": effect_read(every),
            }
        )
        return Table(
            at_level(pd.DataFrame(rows), self.opened.protocol.model.level),
            "Several instruments of one outcome",
            " ".join([_translated(found), _how_standardised(every)]),
        )

    @property
    def claims(self) -> Table:
        """What reviews claim about the condition, and whether it holds."""
        from ldn_meta.display.pages.claims import claims_table

        return claims_table(self.opened)

    @property
    def left_out(self) -> Table:
        """Rows of this outcome without an effect."""
        return self.opened.left_out(
            constructs=[self.construct], caption="Rows of this outcome that gave no effect"
        )

    @cached_property
    def facts(self) -> Facts:
        """Everything the sentences state, as numbers."""
        answer, pool = self.answer, self.pool
        effect = "nothing pooled"
        if pool is not None:
            alone = " (one trial)" if pool.is_alone else ""
            effect = f"{MEASURES[pool.key['measure']]} {size(pool)}{alone}"
        beside = ("effect_id", "study_label", "yi", "ci_low", "ci_high")
        values: dict[str, Any] = {
            "headline": str(self.headline),
            "synthesis": answer.synthesis,
            "construct": self.construct,
            "comparator_class": self.comparator_class,
            "what_would_change_it": str(self.caveats),
            "not_in_the_number": self.not_in_the_number,
            "printed": {name: self._printed(name) for name in answer.synthesis["directions"]},
            "answer": {
                "label": self.opened.label,
                "outcome": self.outcome,
                "comparison": self.comparator_class,
                "comparative_studies": int(
                    self.opened.compared["comparator_class"].eq(self.comparator_class).sum()
                ),
                "trials": answer.k,
                "people": 0 if pool is None else pool.people,
                "effect": effect,
                "sentence": str(self.sentence),
                "short": self.short,
            },
            "rows": [] if pool is None else _rows(pool),
            "variants": {name: pool_facts(found) for name, found in answer.variants},
            "beside": [{name: row[name] for name in beside} for row in rows_of(answer.beside)],
            "read": None if pool is None else read_facts(pool),
            "settings": None if answer.settings is None else vars(answer.settings),
            "bayes": self.bayes_facts(),
        }
        # Only where there is something: a fact that says nothing would change every page.
        if answer.notes:
            asked = answer.protocol.asked
            values["noted"] = {named_as(n, asked[n]): why for n, why in answer.notes.items()}
            values["unapplied"] = answer.notes.get("measure", "")
        if answer.protocol.asked or (pool is None and len(answer.beside)):
            barred = {row["study_label"]: row["selected_why"] for row in rows_of(answer.beside)}
            values["barred"] = answer.not_told | barred
        if answer.parts:
            values["parts"] = [
                {
                    "choice": part.choice,
                    "name": part.name,
                    "trials": part.k,
                    "effect": part.why or _interval_of(part[3:6], self._measure),
                }
                for part in answer.parts
            ]
        if pool is not None and not pool.is_alone:
            values["without_each"] = {
                row["label"]: _interval_of(
                    (row["estimate"], row["ci_low"], row["ci_high"]), self._measure
                )
                for row in rows_of(answer.without_each)
            }
        if self._groupings:
            values["subgroups"] = {name: _told_apart(one) for name, one in self._groupings}
        if self._slopes:
            values["regression"] = {
                name: rows_of(one.to_frame().reset_index()) for name, one in self._slopes
            }
        if answer.across is not None:
            values["across"] = pool_facts(answer.across.pool)
        if answer.knapp_hartung is not None and answer.k > 1:
            values["knapp_hartung"] = pool_numbers(answer.knapp_hartung)
        return self.opened.facts(**values)


def _interval_of(ends: Sequence[float], measure: str) -> str:
    estimate, low, high = ends
    return estimate_with_interval(estimate, low, high, measure=measure)


def _rows(pool: Pool) -> list[dict[str, Any]]:
    """Each trial of a pool with its people and its effect as displayed."""
    ends = ("yi", "ci_low", "ci_high")
    return [
        {
            "trial": row["study_label"],
            "people": _both_arms(row),
            **shown_facts(row, ends, measure=pool.key["measure"]),
        }
        for row in rows_of(pool.trials)
    ]


COVARIATE_WORDS = {
    "dose": "highest dose, mg a day",
    "year": "year of publication",
    "duration": "weeks of treatment",
    "baseline": "mean at the start, in the unit of the outcome",
    "week": "week of measurement",
}


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _few(k: int) -> str:
    """Say what a comparison between trials cannot show, and that there are few."""
    few = (
        f"{capitalised(count(k, 'trial'))} are few: a difference, or none, may be chance alone, "
        f"and fewer than {count(ENOUGH_TRIALS, 'trial')} are not enough for a covariate "
        "(Cochrane Handbook 10.11.5.1). "
        if k < ENOUGH_TRIALS
        else ""
    )
    return f"{few}Trials differ in more than this: nobody was randomised to it."


def _told_apart(found: SubgroupResult) -> dict[str, Any]:
    return {
        "groups": {
            name: pool_numbers(pool) | {"k": pool.k}
            for name, pool in zip(found.names, found.pools, strict=True)
        },
        "q": found.q_between,
        "df": found.q_between_df,
        "p_value": found.q_between_pvalue,
    }


def _translated(answer: Answer) -> str:
    """A pool in standard deviations on the scale that readers know."""
    if answer.familiar is None or answer.pool is None:
        return ""
    unit, sd = answer.familiar
    read = answer.pool.read
    estimate, low, high = (fixed(sd * end) for end in (read.estimate, read.low, read.high))
    return (
        f"On the familiar scale that is {estimate} {unit} ({low} to {high}), at a standard "
        f"deviation between people of {sd:.3g}."
    )


def _how_standardised(pool: Pool) -> str:
    """How each trial came to its standard deviations."""
    told = (
        f"{row['study_label']}: {row['assumptions'].rpartition('; ')[2]}"
        for row in rows_of(pool.trials)
    )
    return f"{'; '.join(told)}."


def _in_words(side: str, words: str) -> str:
    """What the report says of a result whose side is not known."""
    return "" if side != SIDE_UNKNOWN or words == NOT_STATED else f", called {words}"


def _spread(pool: Pool) -> str:
    """Where the spread between trials is shown, and what is expected of a new one."""
    r = pool.result
    if pool.read.has_prior:
        return "What other intervals and other priors would give stands on the robustness page."
    if not math.isfinite(r.pi_low):
        return ""
    low, high = (fixed(end) for end in shown((r.pi_low, r.pi_high), measure=r.measure))
    return f"The true effect in a new trial is expected between {low} and {high}."


def _better(sign: float) -> str:
    return "not stated" if math.isnan(sign) else "higher" if sign > 0 else "lower"


def _both_arms(row: dict[str, Any]) -> str:
    """People of a comparison, pairs once; NR where an arm has no number."""
    others = 0.0 if row["is_paired"] else float(row["n_2"])
    return plain(float(row["n_1"]) + others)


def pooled_effect(
    *,
    indication: str,
    construct: str | Sequence[str] = BY_PROTOCOL,
    **choices: Any,
) -> EffectPage:
    """Open page 20 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    construct : str or list of str
        Outcome construct; the indication's main one by default. Several are pooled as one,
        standardised.
    **choices
        Those of ``ldn-meta parameters``; by the protocol unless given.

    Returns
    -------
    EffectPage

    Raises
    ------
    ArgumentError
        If the indication, the construct or a choice is unknown.
    """
    opened = open_page(NOTEBOOK, indication=indication, construct=construct, **choices)
    return EffectPage(opened, construct)


def forest_of_pool(
    pool: Pool | None,
    *,
    beside: pd.DataFrame,
    variants: list[tuple[str, Pool | None]],
    comparator: str,
    evidence: Evidence,
    name: str,
    title: str,
) -> FigureOutput:
    """Forest plot of one pool, with the trials that are not in it as hollow marks."""
    from ldn_meta.display.figures.forest import forest_output

    rows = beside if pool is None else pool.trials
    measure = str(rows["measure"].iloc[0]) if len(rows) else "MD"
    is_ratio = measure in RATIO_MEASURES
    names = (evidence.review.label, comparator)
    pooled = [] if pool is None else list(pool.trials["study_id"])
    studies = [*pooled, *beside["study_id"]]
    dots = bias_frame(evidence, studies).rename(columns={OVERALL: capitalised(OVERALL)})
    totals = hollow = None
    data = [kind for frame in (rows, beside) if len(frame) for kind in frame["arm_data_is"]]
    kinds = {KIND_OF_DATA[kind] for kind in data if kind in KIND_OF_DATA}
    is_mixed = len(kinds) > 1
    of = "" if is_mixed else next(iter(kinds), "mean")
    if pool is not None and not is_ratio:
        # Added-up counts would invite a wrong division.
        n_1, n_2 = (f"{pool.trials[n].sum():g}" for n in ("n_1", "n_2"))
        totals = ["", "", n_1, "", n_2, *[""] * is_mixed]
    if len(beside):
        marks = {"label": "study_label", "note": "selected_why"}
        marks |= {name: name for name in ("yi", "ci_low", "ci_high")}
        ratios = bool(beside["measure"].isin(RATIO_MEASURES).all())
        arms = _arm_columns(beside, *names, is_ratio=ratios, of=of)
        told = {name: beside[column] for name, column in marks.items()}
        # By position: the two were made from the same rows in the same order.
        parts = [arms.assign(**told), dots[len(pooled) :]]
        hollow = pd.concat([part.reset_index(drop=True) for part in parts], axis="columns")
    return forest_output(
        name,
        **drawn(pool),
        columns=None if pool is None else _arm_columns(rows, *names, is_ratio=is_ratio, of=of),
        totals=totals,
        shown_only=hollow,
        summaries=None if pool is None else _diamonds(pool, variants),
        direction=_sides_of(rows, *names),
        x_label=_axis(pool, rows, measure),
        log_scale=is_ratio,
        dots=dots[: len(pooled)],
        dots_note=dots_note(evidence, studies),
        title=title,
    )


def _arm_columns(
    rows: pd.DataFrame, treatment: str, comparator: str, *, is_ratio: bool, of: str
) -> pd.DataFrame:
    """Week and arm data as text; counts carry their own denominators.

    What the means are of stands in their heads, or, where rows differ in it, in a column.
    """
    first, second = rows["arm_1_data"].fillna("NR"), rows["arm_2_data"].fillna("NR")
    week = rows["timepoint_weeks"].map(plain)
    if is_ratio:
        return pd.DataFrame({"week": week, treatment: first, capitalised(comparator): second})
    columns = {
        "week": week,
        f"{treatment}\n{of or 'mean'}": first,
        f"n {treatment}": rows["n_1"].map(plain),
        f"{capitalised(comparator)}\n{of or 'mean'}": second,
        f"n {comparator}": rows["n_2"].map(plain),
    }
    if not of:
        columns["mean is"] = rows["arm_data_is"].map(lambda kind: KIND_OF_DATA.get(kind, ""))
    return pd.DataFrame(columns)


# What arm data of a forest plot are, in the words of a head; nothing where there are none.
KIND_OF_DATA = {"change": "change", "end": "end level", "percent change": "change"}


def _diamonds(pool: Pool, variants: list[tuple[str, Pool | None]]) -> list[tuple[str, Any]] | None:
    """Pools of other trials than the main one; each set of trials is drawn once."""
    seen = {tuple(pool.trials["effect_id"])}
    out: list[tuple[str, Any]] = []
    for name, found in variants:
        if found is None or found.is_alone or found.key["unit"] != pool.key["unit"]:
            continue
        trials = tuple(found.trials["effect_id"])
        if trials not in seen:
            seen.add(trials)
            how = "" if found.read.method == pool.read.method else f", {found.read.method}"
            out.append((f"{name}{how}", diamond(found)))
    return out or None


def _sides_of(rows: pd.DataFrame, treatment: str, comparator: str) -> tuple[str, str]:
    """Words for the sides of the axis; without a row less is taken to be better."""
    names = {"treatment": treatment, "comparator": comparator}
    if not len(rows):
        return sides(-1.0, is_printed=False, **names)
    is_direct = rows["route"].str.startswith("difference")
    is_printed = bool((is_direct & (rows["direction"] == NOT_STATED)).all())
    return sides(float(rows["benefit_sign"].iloc[0]), is_printed=is_printed, **names)


def _axis(pool: Pool | None, rows: pd.DataFrame, measure: str) -> str:
    if measure in RATIO_MEASURES:
        return f"{MEASURES[measure]} (log axis)"
    unit = f", {rows['unit'].iloc[0]}" if len(rows) and rows["unit"].iloc[0] else ""
    is_printed = pool is not None and has_unknown_sign(pool)
    which = "; which drug it favours is not known" if is_printed else ""
    return f"{MEASURES[measure]}{unit}{which}"
