"""Page 50: how fragile the main answer is, in the order a sceptic asks."""

from __future__ import annotations

import math
from datetime import MAXYEAR
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.claims import two_priors
from ldn_meta.display.pages.page import (
    BY_PROTOCOL,
    QuestionPage,
    at_level,
    crossing,
    open_page,
    pool_facts,
    sides,
)
from ldn_meta.display.words import (
    MEASURES,
    agree,
    capitalised,
    count,
    effect_of,
    estimate_with_interval,
    fixed,
    listed,
    p_value,
    people,
    percent,
    share_words,
    shown,
    shown_facts,
    spanned,
    taken_off,
)
from ldn_meta.evidence.answer.answer import (
    BETTER,
    IMPORTANT_EFFECT,
    INSIDE,
    NO_EFFECT,
    POOLED_EFFECT,
    WORSE,
    smallest_size,
)
from ldn_meta.evidence.answer.multiverse import node_table, summary
from ldn_meta.evidence.answer.pools import CI_METHODS, has_unknown_sign
from ldn_meta.evidence.audit.claim_material import medians_as_means, spread_on_file, with_medians
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.evidence.grade import NOT_RATED
from ldn_meta.evidence.raw.selection import BAYESIAN, MAIN
from ldn_meta.stats.pool import side
from ldn_meta.stats.small_study import ENOUGH_TRIALS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.answer.answer import SmallStudies
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.evidence.audit.claim_material import MedianAsMean
    from ldn_meta.evidence.raw.protocol import Decision
    from ldn_meta.stats.sequential import SequentialLook


NOTEBOOK = "50_robustness"
SAME_RESULT = (
    "Every choice leaves the same numbers, so the choices say nothing of how robust they are."
)
INTERVALS = {
    "wald": ("Wald", "takes the spread between trials as known"),
    "knapp-hartung-floored": ("floored Knapp-Hartung", "judges the spread by these trials alone"),
    BAYESIAN: ("Bayesian, the plan's prior", "averages over all spreads that the prior allows"),
}
# A panel of the next trial in which less than this can happen would be three empty axes.
WORTH_A_PANEL = 0.05
# Late choices of ratings whose other way the rule itself gives.
WITH_OTHERS = ", only together with other choices"
RATED_OTHERWISE = {
    "certainty.risk_of_bias": "Without a level for what could not be read",
    "certainty.inconsistency": "By the spread alone, wherever the estimates lie,",
}
LAST_LOOK = {
    "effect (positive)": "crosses the boundary",
    "effect (negative)": "crosses the boundary",
    "futility": "lies inside the futility bound, which holds only if the spread between trials "
    "is taken as known and equal to its estimate; the interval to read does not take it so, and "
    "what it excludes is rated on the page on certainty",
    "none": "crosses no boundary",
    "not defined": "has no boundary to cross",
}
LOOK = (
    *("labels", "minimal_effect", "alpha", "power", "estimate", "z", "diversity"),
    *("required_information", "required_people", "information_fraction", "boundary"),
    *("futility", "crossed", "inflation", "notes"),
)


class RobustnessPage(QuestionPage):
    """What would change the answer to the main question of one condition."""

    @property
    def headline(self) -> Text:
        """Condition, outcome and how much there is to be shaken."""
        start = f"**{capitalised(self.opened.label)}, {self.outcome}, robustness**"
        if self.pool is None:
            return Text(f"{start}: there is no result that could be fragile.")
        trials, who = count(self.answer.k, "trial"), people(self.pool.people)
        return Text(f"{start}: {trials}, {who}; {crossing(self.pool, self.drug)}.")

    @cached_property
    def sentence(self) -> Text:
        """What would change the answer, in the order a sceptic asks."""
        pool = self.pool
        if pool is None:
            return Text(
                "There is no result to be shaken: no trial gave an effect with its uncertainty. "
                "What the reports tell without one stands on the page of results without pooling."
            )
        parts = [
            f"The main answer: {crossing(pool, self.drug)}.",
            self._one_trial(pool),
            self._choices_short(),
        ]
        if self.posterior is not None and math.isfinite(self.posterior.benefit):
            parts.append(
                f"With a prior for the spread between trials, the probability that "
                f"{self.drug} is better on average is "
                f"{percent(self.posterior.benefit)}."
            )
        return Text(" ".join(part for part in parts if part))

    def _one_trial(self, pool: Pool) -> str:
        if pool.is_alone:
            return "It rests on one trial, so nothing has tested it yet."
        frame = self.answer.without_each
        each = side(frame["ci_low"].to_numpy(float), frame["ci_high"].to_numpy(float))
        main = side(pool.read.low, pool.read.high)
        same = np.isclose(each, main, rtol=0, atol=0, equal_nan=True)
        turned = list(frame.loc[~same, "label"])
        ends = (frame["estimate"].min(), frame["estimate"].max())
        low, high = (fixed(end) for end in shown(ends, measure=pool.result.measure))
        moved = f"Without each trial in turn the estimate runs from {low} to {high}"
        if not turned:
            return f"{moved}, and the interval says the same of no difference each time."
        return f"{moved}; without {' or '.join(turned)} the interval would say otherwise."

    @property
    def without_each(self) -> Table:
        """The answer without each trial in turn: does one decide."""
        rows = []
        frame = self.answer.without_each
        if self.pool is not None and len(frame):
            read, measure = self.pool.read, self.pool.key["measure"]
            main = {"label": "none", "k": self.answer.k, "estimate": read.estimate}
            main |= {"ci_low": read.low, "ci_high": read.high}
            rows = [
                {
                    "left out": row["label"],
                    "trials": str(row["k"]),
                    "effect (95% interval)": effect_of(row, measure=measure),
                }
                for row in (main, *rows_of(frame))
            ]
        return Table(
            at_level(pd.DataFrame(rows), self.opened.protocol.model.level),
            "Without each trial in turn",
            "Methods by the number of trials that are left, as the analysis plan states.",
            "Fewer than two trials: there is none to leave out.",
        )

    @cached_property
    def choices(self) -> dict[str, Any] | None:
        """Where the defensible analyses end up."""
        found = self.answer.multiverse
        return None if found is None else summary(found, self.opened.protocol)

    @cached_property
    def node_frame(self) -> pd.DataFrame:
        """How much each choice moves the answer."""
        found = self.answer.multiverse
        return pd.DataFrame() if found is None else node_table(found)

    @property
    def choices_sentence(self) -> Text:
        """Where all defensible analyses end up, and which choice moves them most."""
        c, found = self.choices, self.answer.multiverse
        if c is None or found is None:
            return Text("")
        if c["results"] == 1:
            return Text(SAME_RESULT)
        low, middle, high = (
            fixed(v)
            for v in shown((c["lowest"], c["median"], c["highest"]), measure=found.measure)
        )
        parts = [
            f"The estimates run from {low} to {high}, half of them at or below {middle}.",
        ]
        if c["without_result"]:
            parts.append(
                f"{percent(c['without_result'] / c['analyses'])} of the combinations leave no "
                "trial with an effect."
            )
        if math.isfinite(c["beyond_mid"]) and not self._is_printed:
            parts.append(
                f"An estimate of at least the minimal important difference ({c['mid']:g}"
                f"{self._mid_source}) in favour of {self.drug} comes out in "
                f"{_share(c['beyond_mid'])}; an interval that reaches it, in "
                f"{_share(c['ci_beyond_mid'])}."
            )
        top = self.node_frame.iloc[0]
        if top["share_explained"] > 0:
            parts.append(
                f'The choice that moves the estimates most: "{top["node"]}" '
                f"({_share(float(top['share_explained']))} of their variance"
                f"{'' if abs(top['shift']) > 0 else WITH_OTHERS})."
            )
        idle = list(self.node_frame.loc[~self.node_frame["moves"].astype(bool), "node"])
        if idle:
            moves = agree(len(idle), "choice moves", "choices move")
            counted = "is not counted" if len(idle) == 1 else "are not counted"
            parts.append(
                f"{capitalised(moves)} no number of this outcome and {counted}: {'; '.join(idle)}."
            )
        parts.append("Shares count choices; they are no probabilities.")
        return Text(" ".join(parts))

    def _choices_short(self) -> str:
        c = self.choices
        # One result under every choice says nothing of how robust it is.
        if c is None or c["results"] == 1:
            return ""
        most = {
            "includes no difference": c["either_way"],
            f"lies on the side of {self.drug}": c["favours_treatment"],
            "lies on the side of the comparator": c["favours_comparator"],
        }
        words = max(most, key=lambda name: most[name])
        if self._is_printed and words != "includes no difference":
            words = "excludes no difference"
        return (
            f"Over {c['analyses']:,} analyses by defensible choices "
            f"({count(c['results'], 'distinct result')}) "
            f"the interval {words} in {_share(max(most.values()))} of those with a result."
        )

    @property
    def _is_printed(self) -> bool:
        """Whether the sign is the printed one, so that no side is anybody's."""
        return self.pool is not None and has_unknown_sign(self.pool)

    @property
    def curve(self) -> FigureOutput | None:
        """Specification curve: all analyses, sorted, with the choices behind them."""
        from ldn_meta.display.figures.specification import specification_curve_output

        found = self.answer.multiverse
        if found is None or self.choices is None or self.choices["results"] == 1:
            return None
        return specification_curve_output(
            f"specification_curve_{self.construct}",
            found,
            self.choices,
            direction=self.sides,
            unit_words="" if found.measure in RATIO_MEASURES else found.unit,
            title=f"{capitalised(self.opened.label)}: {self.outcome}, all analyses",
            treatment=self.drug,
        )

    @property
    def nodes(self) -> Table:
        """Every choice, its options, and how much it moves the answer."""
        rows = []
        measure = "" if self.answer.multiverse is None else self.answer.multiverse.measure
        is_one = self.choices is not None and self.choices["results"] == 1
        for row in [] if is_one else rows_of(self.node_frame):
            (alone,) = shown((row["farthest"],), measure=measure)
            share = float(row["share_explained"])
            moved = f"{fixed(alone)} ({row['farthest_option']})"
            rows.append(
                {
                    "choice": row["node"],
                    "options, the plan's first": row["options"],
                    "of the variance": "moves nothing"
                    if not row["moves"]
                    else percent(share)
                    if math.isfinite(share)
                    else "none",
                    "changed alone": moved
                    if abs(row["shift"]) > 0
                    else f"nothing moves{WITH_OTHERS if row['moves'] else ''}",
                    "verdict turns": "yes" if row["changes_verdict"] else "no",
                    "why answers differ": row["reason"],
                }
            )
        return Table(
            pd.DataFrame(rows),
            "Choices, and what each does to the answer",
            "Of the variance: share of the variance of all estimates that the options of this "
            "choice explain. Changed alone: the estimate farthest from the plan's own when "
            "nothing else changes.",
            SAME_RESULT if is_one else "No trial gives an effect under any choice.",
        )

    @cached_property
    def medians_sentence(self) -> Text:
        """What comes out with trials that print medians alone, in standard deviations."""
        opened = self.opened
        rows = medians_as_means(
            opened.derived.evidence,
            indication_id=opened.indication["indication_id"],
            comparator_class=self.comparator_class,
            correlation=opened.protocol.correlation,
        )
        if not rows:
            return Text("")
        told = "; ".join(
            f"{one.label}, {one.outcome}: {spanned(one.span)}, {one.people:g} people"
            f"{' randomised, the number analysed is not told' * one.is_randomised_count}"
            for one in rows
        )
        parts = [
            f"Approximate, in standard deviations of people, below 0 favours {opened.treatment}; "
            "the median taken as the mean, the width between quartiles divided by 1.35 as the "
            "standard deviation of differences, and a correlation within people of "
            f"{opened.protocol.correlation:g}: {told}.",
            self._with_medians(rows),
        ]
        return Text(" ".join(part for part in parts if part))

    def _with_medians(self, rows: list[MedianAsMean]) -> str:
        """The main pool in standard deviations, without and with the medians of its group."""
        groups = self.opened.protocol.outcome_groups.values()
        alike = {c for group in groups if self.construct in group for c in group}
        added = [one for one in rows if one.construct in alike]
        spread = None
        if self.pool is not None and self.pool.key["measure"] == "MD" and self.pool.benefit_sign:
            spread = spread_on_file(self.opened.derived.evidence, self.pool)
        if self.pool is None or spread is None or not added:
            return "None of them can stand beside the main pool."
        before, after = (with_medians(self.pool, spread.typical, some) for some in ([], added))
        return (
            f"The main pool in standard deviations (of {spread.typical:.2f} points, the typical "
            f"one at baseline) is {spanned(before.read)} ({before.read.method}); with "
            f"{listed(one.label for one in added)} let in it is {spanned(after.read)} "
            f"({after.read.method}).{two_priors(before, self.pool, spread)}"
        )

    @cached_property
    def history_sentence(self) -> Text:
        """How many choices were made with the answer known."""
        plan = self.opened.protocol.history
        if not self._is_shaken:
            return Text("")
        late = [one for one in plan.decisions if one.is_late]
        changed = [one for one in plan.decisions if one.changed and not one.is_late]
        early = len(plan.decisions) - len(late)
        # The last year there is stands for not yet.
        is_open = plan.first_pool.year == MAXYEAR
        first = "no time of it is on file" if is_open else _when(plan.first_pool)
        parts = [
            f"{plan.note} Of {len(plan.decisions)} choices {agree(early, 'was', 'were')} made "
            f"before the first pooled number of this project ({first}), of which "
            f"{agree(len(changed), 'was', 'were')} changed later; "
            f"{agree(len(late), 'was', 'were')} made after the main pool of the project "
            f"({self._first_pool}) was seen."
        ]
        rows = [self._alone(one) for one in late if one.varied_by]
        others = [row[0] for every in rows for row in every[1:]]
        if others and self.pool is not None:
            parts.append(
                "Answered otherwise one at a time, the late ones that are questions of the "
                f"multiverse give {_range(others)}; as planned it is {fixed(rows[0][0][0])}."
            )
        return Text(" ".join(parts))

    @cached_property
    def _is_shaken(self) -> bool:
        """Whether there is a number or a rating that a late choice could have moved."""
        rated = self.answer.rating
        return self.pool is not None or (rated is not None and rated["certainty"] != NOT_RATED)

    @cached_property
    def _first_pool(self) -> str:
        """Conditions whose main outcome is pooled: what late choices were made in view of."""
        every = load_derived()
        rows, pooled = every.evidence.text["indications"], every.pooled
        main = pooled[(pooled["analysis"] == MAIN) & (pooled["k"] > 1)]
        keys = set(zip(main["indication_id"], main["construct"], strict=True))
        own = zip(rows["indication_id"], rows["main_construct"], strict=True)
        return listed(rows.loc[[key in keys for key in own], "label"])

    @cached_property
    def history(self) -> Table:
        """Every choice made with the answer known, and the answer with it otherwise."""
        decisions = self.opened.protocol.history.decisions if self._is_shaken else ()
        told = pd.DataFrame(
            {
                "choice": one.what,
                "made": _when(one.set_on),
                "known then": one.known_then,
                "changed later": "; ".join(f"{_when(on)}: {what}" for on, what in one.changed)
                or "no",
                "with it otherwise": self._otherwise(one),
            }
            for one in decisions
            if one.is_late or one.changed
        )
        if told.empty:
            return Table(told, "Differences between plan and review")
        alike = [name for name in told.columns if name != "choice"]
        joined = told.groupby(alike, sort=False)["choice"].agg("; ".join)
        frame = joined.reset_index()[list(told.columns)]
        early = [one for one in decisions if not (one.is_late or one.changed)]
        pools = [one for one in early if one.name.startswith("sensitivity")]
        names = [one.what for one in early if one not in pools]
        return Table(
            frame,
            "Differences between plan and review",
            f"Made before any pool and not changed: {'; '.join(names)}; "
            f"{count(len(pools), 'pool')} shown beside the main one. With it otherwise: estimate "
            "and ends of the interval when this choice alone is answered in each other way that "
            "the plan lists.",
        )

    def _otherwise(self, one: Decision) -> str:
        """What the answer would be had a choice been made in the other ways on file."""
        if one.name == "bayes":
            priors = self.other_posteriors
            if not priors:
                return "no prior is used here"
            lower, upper = ([getattr(p, end) for p in priors] for end in ("low", "high"))
            ends = f"lower end {_range(lower)}, upper end {_range(upper)}"
            return "; ".join(filter(None, (ends, self._ratings_moved(one))))
        if not one.varied_by:
            told = self._rated_otherwise(one) or self._ratings_moved(one)
            return told or one.bears_on or "not computed"
        rows = self._alone(one)
        if not rows:
            return "no trial gives an effect"
        as_planned = tuple(map(fixed, rows[0]))
        moved = [row for row in rows[1:] if tuple(map(fixed, row)) != as_planned]
        if not moved:
            return "the same"
        kept = [row for row in moved if math.isfinite(row[0])]
        gone = len(moved) - len(kept)
        if not kept:
            return "no result"
        effect, low, high = (_range(column) for column in zip(*kept, strict=True))
        lost = f"; no result under {count(gone, 'answer')}" if gone else ""
        moved_to = f"{effect} (ends {low} and {high}){lost}"
        return "; ".join(filter(None, (moved_to, self._ratings_moved(one))))

    def _ratings_moved(self, one: Decision) -> str:
        """What the ratings here would be under the other answers to a choice that it names."""
        answers = [words for own, words, _ in self.opened.protocol.otherwise() if own is one]
        rated = self.answer.rating
        if not answers:
            return ""
        if rated is None or rated["certainty"] == NOT_RATED:
            return "nothing is rated here"
        rows = self.opened.derived.certainty_otherwise
        if len(rows):
            is_moved = rows["certainty"] != rows["certainty_otherwise"]
            rows = rows[(rows["choice"] == one.what) & is_moved]
        is_main = [
            (row["construct"], row["comparator_class"]) == (self.construct, self.comparator_class)
            for row in rows_of(rows)
        ]
        parts = [
            f"main rating {row['certainty_otherwise']} ({row['answer']})"
            for row, own in zip(rows_of(rows), is_main, strict=True)
            if own
        ]
        kept = len(answers) - len(parts)
        if kept:
            words = count(kept, "other answer")
            parts.append(f"main rating as planned, {rated['certainty']}, under {words}")
        else:
            parts.append(f"as planned it is {rated['certainty']}")
        others = {(row["construct"], row["comparator_class"]) for row in rows_of(rows)} - {
            (self.construct, self.comparator_class)
        }
        return "; ".join(filter(None, (*parts, _others_move(len(others)))))

    def _rated_otherwise(self, one: Decision) -> str:
        """What the main rating would be, where one call of its rule says so."""
        domain = one.name.removeprefix("certainty.")
        rows = self.opened.derived.certainty_domains
        if one.name not in RATED_OTHERWISE or not len(rows):
            return ""
        is_main = rows["construct"].eq(self.construct) & rows["domain"].eq(domain)
        own = rows[is_main & rows["comparator_class"].eq(self.comparator_class)]
        rated = self.answer.rating
        if rated is None or own.empty:
            return ""
        row = own.iloc[0]
        before, after = int(row["level"]), int(row["level_otherwise"])
        told = (
            f"{RATED_OTHERWISE[one.name]} the levels and the main rating are the same"
            if before == after
            else f"{RATED_OTHERWISE[one.name]} {taken_off(after)} would be taken off instead of "
            f"{taken_off(before)}; the main rating is then {row['certainty_otherwise']} and as "
            f"planned {rated['certainty']}"
        )
        key = ["construct", "comparator_class"]
        as_planned = self.opened.derived.certainty.set_index(key)["certainty"]
        others = rows[rows["domain"].eq(domain)].drop(own.index).set_index(key)
        moved = others["certainty_otherwise"] != as_planned.reindex(others.index)
        return "; ".join(filter(None, (told, _others_move(int(moved.sum())))))

    def _alone(self, one: Decision) -> list[tuple[float, ...]]:
        """Estimate and interval, as displayed, by the plan and with one choice otherwise."""
        found = self.answer.multiverse
        if found is None:
            return []
        named = {node.name: place for place, node in enumerate(found.nodes)}
        rows: list[tuple[float, ...]] = []
        for name in filter(named.__contains__, one.varied_by):
            cells = found.alone(named[name])
            told = [found.results[what][cells] for what in ("estimate", "ci_low", "ci_high")]
            each = [tuple(shown(row, measure=found.measure)) for row in np.transpose(told)]
            rows += each[1:] if rows else each
        return rows

    @property
    def sides(self) -> tuple[str, str]:
        """Words for the left and the right of no effect."""
        outcomes = self.opened.derived.evidence.outcomes
        own = outcomes.loc[outcomes["construct"] == self.construct, "benefit_sign"]
        return sides(
            float(own.iloc[0]),
            is_printed=self._is_printed,
            treatment=self.drug,
            comparator=self.comparator_class,
        )

    @property
    def cumulative(self) -> FigureOutput | None:
        """The answer after each trial, by year of publication."""
        from ldn_meta.display.figures.forest import cumulative_output

        if self.pool is None:
            return None
        return cumulative_output(
            f"cumulative_{self.construct}",
            self.answer.over_time,
            direction=self.sides,
            x_label=self._axis(self.pool),
            log_scale=self.pool.key["measure"] in RATIO_MEASURES,
            title=self._title("the answer after each trial"),
        )

    @property
    def sequential_sentence(self) -> Text:
        """What the boundaries say, look by look: was it called too early."""
        look = self.answer.look
        if look is None:
            if self.answer.k < 2:
                return Text("")
            return Text(
                "No minimal important difference is stated for this outcome, so there is no "
                "effect to size the information for."
            )
        steps = "; ".join(
            f"after {label}: Z = {fixed(z)}, boundary {fixed(bound)}"
            for label, z, bound in zip(look.labels, look.z, look.boundary, strict=True)
        )
        parts = [self._looked(look), f"{capitalised(steps)}."]
        if math.isfinite(look.required_people):
            parts.append(
                f"About {look.required_people:,.0f} people would be required: the size of one "
                "trial with the spread of people that these trials show, made larger for the "
                f"spread between trials (D2 = {fixed(look.diversity)}). The size on the page on "
                f"certainty is another{self._certainty_size}: one trial, the stated spread of "
                "people, no spread between trials."
            )
        if look.notes:
            parts.append(f"Noted: {'; '.join(look.notes)}.")
        return Text(" ".join(parts))

    @property
    def _certainty_size(self) -> str:
        """The information size of the rating, after a comma."""
        rated = self.answer.rating
        size = math.nan if rated is None else float(rated["information_size"])
        return f", {size:,.0f} people" if math.isfinite(size) else ""

    @property
    def _mid_source(self) -> str:
        """Where the important difference comes from, after a comma."""
        source = self.opened.mid_source(self.construct)
        return f", {source}" if source else ""

    def _looked(self, look: SequentialLook) -> str:
        reached = f"{percent(float(look.information_fraction[-1]))} of the information needed"
        measure = "" if self.pool is None else self.pool.key["measure"]
        (effect,) = shown((look.minimal_effect,), measure=measure)
        return (
            f"Held against boundaries that allow for looking after every trial, {reached} to find "
            f"an effect of {fixed(effect)} ({MEASURES[measure]}{self._mid_source}) is there, "
            f"and the last look {LAST_LOOK[look.crossed[-1]]}."
        )

    @property
    def sequential(self) -> FigureOutput | None:
        """Cumulative Z against its boundaries."""
        from ldn_meta.display.figures.sequential import sequential_output

        look, design = self.answer.look, self.answer.design
        if look is None:
            return None
        bounds = look if design is None else design
        upper = (bounds.information_fraction, bounds.boundary)
        return sequential_output(
            f"sequential_{self.construct}",
            pd.DataFrame(
                {"label": look.labels, "fraction": look.information_fraction, "z": look.z}
            ),
            boundary=upper,
            futility=None if design is None else (design.information_fraction, design.futility),
            direction=self.sides,
            ris_people=look.required_people,
            remarks=[
                f"Effect looked for: {look.minimal_effect:g}, two-sided error "
                f"{percent(look.alpha)}, power {percent(look.power)}. A look back: boundaries "
                "hold for looks planned beforehand."
            ],
            title=self._title("trial sequential look"),
        )

    @cached_property
    def next_sentence(self) -> Text | None:
        """How large the next trial would have to be to move the interval."""
        pool, frame = self.pool, self.answer.next_trials
        if pool is None or frame.empty:
            return None
        not_done = "What the next trial could do is not worked out:"
        if self._is_printed:
            return Text(f"{not_done} which side is which is not known.")
        if pool.is_alone:
            return Text(f"{not_done} one trial does not tell how far trials lie apart.")
        enough = self.opened.protocol.next_probability
        is_better = side(pool.read.low, pool.read.high, pool.benefit_sign) > 0
        least, most = int(frame["people"].min()), int(frame["people"].max())
        sayings = []
        for supposed, what, where in (
            (IMPORTANT_EFFECT, BETTER, f"wholly on the side of {self.drug}"),
            (POOLED_EFFECT, BETTER, f"wholly on the side of {self.drug}"),
            (NO_EFFECT, INSIDE, "wholly inside the region of equivalence"),
        ):
            if supposed == POOLED_EFFECT and pool.read.estimate * pool.benefit_sign <= 0:
                # Nobody asks how a trial would show a benefit that is not supposed.
                continue
            if not ((frame["supposed"] == supposed) & (frame["what"] == what)).any():
                continue
            size = smallest_size(frame, supposed=supposed, what=what, probability=enough)
            verb = "keep" if what == BETTER and is_better else "put"
            if math.isfinite(size):
                fewer = " or fewer" if size == least else ""
                said = f"{size:,.0f} people{fewer} {verb} the interval {where}"
            elif self._is_out_of_reach(supposed):
                said = (
                    f"no size can {verb} the interval {where}: what keeps it wide is the distance "
                    "between the trials, not the number of people (table)"
                )
            else:
                said = f"more than {most:,} people are needed to {verb} the interval {where}"
            sayings.append(f"if its true effect is {supposed}, {said}")
        if not sayings:
            return None
        trials = count(self.answer.k + 1, "trial")
        method = CI_METHODS[self._next_interval]
        return Text(
            f"One more trial, read as {trials} are ({method}), with {percent(enough)} "
            f"probability: {'; '.join(sayings)}."
        )

    @property
    def _next_interval(self) -> str:
        """The interval to read once there is one more trial."""
        return self.opened.protocol.model.interval(self.answer.k + 1)

    def _is_out_of_reach(self, supposed: str) -> bool:
        """Whether even a trial without error, finding just that, leaves no difference inside."""
        frame = self.answer.growth
        if supposed != IMPORTANT_EFFECT or frame.empty:
            return False
        last = frame[frame["interval"] == self._next_interval].iloc[-1]
        return bool(side(last["ci_low"], last["ci_high"]) == 0)

    @property
    def growth(self) -> Table | None:
        """How each interval behaves as the next trial grows."""
        frame, pool = self.answer.growth, self.pool
        caption = "What each interval does as the next trial grows"
        if frame.empty or pool is None or self._is_printed:
            return None
        measure, rows = pool.key["measure"], []
        sizes = list(frame["people"].unique())
        for size in [*sizes[1:-1:2], sizes[-1]]:
            row = {"people in it": "without limit" if math.isinf(size) else f"{size:,.0f}"}
            for one in rows_of(frame[frame["people"] == size]):
                is_read = one["interval"] == self._next_interval
                head = f"{INTERVALS[one['interval']][0]}{' (the one to read)' if is_read else ''}"
                row[head] = effect_of(one, measure=measure)
            rows.append(row)
        (supposed,) = shown((frame["supposed"].iloc[0],), measure=measure)
        told = "; ".join(f"{name}: {what}" for name, what in INTERVALS.values())
        return Table(
            pd.DataFrame(rows),
            caption,
            f"The new trial is supposed to find exactly {fixed(supposed)}. {told}. The last line "
            "is the limit: a trial so large that its own error is nought. The width that is left "
            "there is the distance between trials, which no size removes.",
        )

    @property
    def next_trial(self) -> FigureOutput | None:
        """Where the interval could lie with one more trial."""
        from ldn_meta.display.figures.next_trial import next_trial_output

        pool, frame = self.pool, self.answer.next_trials
        if pool is None or frame.empty or self._is_printed or pool.is_alone:
            return None
        is_ratio = pool.key["measure"] in RATIO_MEASURES
        likeliest = frame.groupby("what")["probability"].transform("max")
        frame = frame[(frame["what"] != WORSE) | (likeliest >= WORTH_A_PANEL)]
        return next_trial_output(
            f"next_trial_{self.construct}",
            self._told(frame),
            direction=self.sides,
            unit_words="" if is_ratio else pool.key["unit"],
            log_scale=is_ratio,
            remarks=[
                "The new trial is as precise per person as the middle one on file; the spread "
                "between trials is estimated again with it.",
                f"Interval: {CI_METHODS[self._next_interval]}, by which "
                f"{count(self.answer.k + 1, 'trial')} are read; the distance between the trials "
                "keeps it wide however large the new one is.",
            ],
            title=self._title("what one more trial could do"),
        )

    @property
    def small_studies(self) -> Text | InTurn:
        """Whether small studies tell another story."""
        k, found = self.answer.k, self.answer.small_studies
        if self.pool is None:
            return Text("")
        if found is None:
            return Text(
                f"Funnel plot and tests of small-study effects need "
                f"{count(ENOUGH_TRIALS, 'trial')}; the pool has {count(k, 'trial')}, so nothing "
                "is shown. Whether trials were held back is judged with the certainty."
            )
        return InTurn(Text(self._small_study_words(found)), self._funnel(self.pool, found))

    def _small_study_words(self, found: SmallStudies) -> str:
        egger, begg, filled, of_counts = found
        r = filled.filled
        effect = estimate_with_interval(r.estimate, r.ci_low, r.ci_high, measure=self._measure)
        where = "" if not filled.k_filled else f" on the {filled.side}"
        notes = [*egger.notes, *begg.notes, *filled.notes]
        return " ".join(
            [
                f"{capitalised(count(egger.k, 'trial'))}: enough to look for small-study effects.",
                f"Egger's regression of effects on their standard errors: slope "
                f"{fixed(egger.slope)}, {p_value(egger.p_value)}; Begg's rank correlation: tau "
                f"{fixed(begg.kendall_tau)}, {p_value(begg.p_value)}.",
                *(
                    f"{capitalised(test.model)}'s test, made for ratios of counts: slope "
                    f"{fixed(test.slope)}, {p_value(test.p_value)}."
                    for test in of_counts
                ),
                f"Trim and fill adds {count(filled.k_filled, 'trial')}{where}; the pool with "
                f"{'it' if filled.k_filled == 1 else 'them'} is {effect}."
                if filled.k_filled
                else "Trim and fill finds no trial missing.",
                *([f"Noted: {'; '.join(notes)}."] if notes else []),
                "Asymmetry has other causes than trials held back.",
            ]
        )

    def _funnel(self, pool: Pool, found: SmallStudies) -> FigureOutput:
        from ldn_meta.display.figures.funnel import funnel_output

        k, r = found.filled.k, found.filled.filled
        own = pool.trials.rename(columns={"study_label": "label"})[["label", "yi", "vi"]]
        added = pd.DataFrame({"label": r.labels[k:], "yi": r.yi[k:], "vi": r.vi[k:]})
        return funnel_output(
            f"funnel_{self.construct}",
            pd.concat([own.assign(imputed=False), added.assign(imputed=True)]),
            direction=self.sides,
            x_label=self._axis(pool),
            centre=float(pool.result.estimate),
            log_scale=pool.key["measure"] in RATIO_MEASURES,
            level=self.opened.protocol.model.level,
            title=self._title("funnel plot"),
        )

    @property
    def _measure(self) -> str:
        return "MD" if self.pool is None else self.pool.key["measure"]

    def _axis(self, pool: Pool) -> str:
        words = MEASURES[self._measure]
        return words if self._measure in RATIO_MEASURES else f"{words}, {pool.key['unit']}"

    def _title(self, what: str) -> str:
        return f"{capitalised(self.opened.label)}, {self.outcome}: {what}"

    def _told(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Where intervals would lie, with what the treatment is called."""
        return frame if frame.empty else frame.assign(what=frame["what"].map(self.opened.said))

    @cached_property
    def facts(self) -> Facts:
        """Everything the sentences state, as numbers."""
        answer = self.answer
        values = {
            "headline": str(self.headline),
            "sentence": str(self.sentence),
            "construct": self.construct,
            "pool": pool_facts(self.pool),
            "without_each": [
                {**row, **shown_facts(row, ("estimate",), measure=self._measure)}
                for row in rows_of(answer.without_each)
            ],
            "bayes": self.bayes_facts(),
            "choices": self._shown_choices(),
            "nodes": rows_of(self.node_frame.drop(columns="reason", errors="ignore")),
            "choices_sentence": str(self.choices_sentence),
            "medians": str(self.medians_sentence),
            "history_sentence": str(self.history_sentence),
            "history": rows_of(self.history.frame),
            "sequential": None
            if answer.look is None
            else {name: getattr(answer.look, name) for name in LOOK},
            "sequential_sentence": str(self.sequential_sentence),
            "cumulative": rows_of(answer.over_time),
            "next_trial": rows_of(self._told(answer.next_trials)),
            "next_enough": self._sizes(),
            "next_probability": self.opened.protocol.next_probability,
            "next_sentence": "" if self.next_sentence is None else str(self.next_sentence),
        }
        if answer.small_studies is not None:
            egger, begg, filled, of_counts = answer.small_studies
            values["small_studies"] = {
                "sentence": str(self.small_studies),
                "egger_slope": egger.slope,
                "egger_p_value": egger.p_value,
                "begg_tau": begg.kendall_tau,
                "begg_p_value": begg.p_value,
                **{f"{test.model}_p_value": test.p_value for test in of_counts},
                "filled": filled.k_filled,
                "filled_side": filled.side,
                "filled_estimate": filled.filled.estimate,
                "filled_ci_low": filled.filled.ci_low,
                "filled_ci_high": filled.filled.ci_high,
            }
        return self.opened.facts(**values)

    def _shown_choices(self) -> dict[str, Any] | None:
        c, found = self.choices, self.answer.multiverse
        if c is None or found is None:
            return None
        return {**c, **shown_facts(c, ("lowest", "median", "highest"), measure=found.measure)}

    def _sizes(self) -> dict[str, float | None]:
        """Smallest next trial for each supposed effect; None where no size tried is enough."""
        frame, enough = self.answer.next_trials, self.opened.protocol.next_probability
        if frame.empty:
            return {}
        found: dict[str, float | None] = {"largest tried": float(frame["people"].max())}
        for supposed in frame["supposed"].unique():
            for what in (BETTER, INSIDE):
                size = smallest_size(frame, supposed=supposed, what=what, probability=enough)
                name = f"{supposed}: {self.opened.said(what)}"
                found[name] = size if math.isfinite(size) else None
        return found


class InTurn:
    """Several outputs of one cell, shown one after the other."""

    def __init__(self, *outputs: Text | FigureOutput) -> None:
        self.outputs = outputs

    def __str__(self) -> str:
        """Return what is said first."""
        return str(self.outputs[0])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(*self.outputs)  # type: ignore[no-untyped-call]


def _share(value: float) -> str:
    """A share of analyses; one that is nearly nought or all is not written as if it were."""
    return {0.0: "none", 1.0: "all"}.get(value) or share_words(value)


def _others_move(number: int) -> str:
    return f"{count(number, 'other rating')} of the condition would move" if number else ""


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _range(values: Sequence[float]) -> str:
    """Smallest to largest as displayed; once if they are displayed alike."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return "not defined"
    low, high = fixed(min(known)), fixed(max(known))
    return low if low == high else f"{low} to {high}"


def robustness(
    *, indication: str, construct: str | Sequence[str] = BY_PROTOCOL, **choices: Any
) -> RobustnessPage:
    """Open page 50 of an indication.

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
    RobustnessPage

    Raises
    ------
    ArgumentError
        If the indication, the construct or a choice is unknown.
    """
    opened = open_page(NOTEBOOK, indication=indication, construct=construct, **choices)
    return RobustnessPage(opened, construct)
