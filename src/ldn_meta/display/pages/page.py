"""What pages of one condition share: the data opened, the frame of a page, and their tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, SupportsFloat

import pandas as pd

from ldn_meta.display.outputs import Facts, Table, Text, footer, named, rows_of, source_cell
from ldn_meta.display.words import (
    MEASURES,
    capitalised,
    count,
    estimate_with_interval,
    fixed,
    interval,
    listed,
    method,
    people,
    percent,
    plain,
    ratio,
    settings_words,
    share_words,
    shown,
    shown_facts,
)
from ldn_meta.evidence.answer.conflicts import NO_RESULT, UNCHANGED
from ldn_meta.evidence.answer.directions import (
    KNOWN_BY,
    ORDER,
    STAGES,
    GroupSynthesis,
    group_syntheses,
)
from ldn_meta.evidence.answer.pools import NOTHING, TAU2_METHODS
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.evidence.effects.rows import CONTRAST, RATIO_MEASURES
from ldn_meta.evidence.raw.bias import OVERALL
from ldn_meta.evidence.raw.protocol import Protocol
from ldn_meta.evidence.raw.review import NEUTRAL, Review
from ldn_meta.evidence.raw.selection import TWO_TRIALS
from ldn_meta.files import MISSING
from ldn_meta.stats.pool import side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldn_meta.display.figures.forest import Diamond
    from ldn_meta.evidence.answer.answer import Answer, Answers
    from ldn_meta.evidence.answer.pools import IntervalToRead, Pool
    from ldn_meta.evidence.raw.tables import Evidence
    from ldn_meta.stats.bayes import BayesResult
    from ldn_meta.stats.pool import PooledResult


BY_PROTOCOL = "protocol"


@dataclass(frozen=True)
class Opened:
    """Data and choices of one page."""

    notebook: str
    indication: dict[str, str]
    derived: Derived
    protocol: Protocol
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Indication as readers see it."""
        return self.indication["label"]

    @cached_property
    def answers(self) -> Answers:
        """Every question of the indication, answered under the page's choices."""
        return replace(self.derived, protocol=self.protocol).answers

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Studies on file that compare the treatment with something."""
        rows = self.derived.evidence.text["studies"]
        return rows[rows["eligible_for"] == CONTRAST]

    def mid_source(self, construct: str) -> str:
        """Where the important difference of an outcome comes from."""
        scale = self.protocol.certainty.scales.get(construct)
        return "" if scale is None else scale.mid_source

    @cached_property
    def groups(self) -> list[GroupSynthesis]:
        """Every outcome group of the plan, and how it is synthesised."""
        d, main = self.derived, self.indication["main_comparator"]
        return group_syntheses(
            d.directions, d.effects, d.left_out, self.pools, self.protocol, comparator_class=main
        )

    def arm_not_named(self, group: GroupSynthesis) -> str:
        """What is told of an empty group's outcome for all people of a study together."""
        evidence = self.derived.evidence
        told = evidence.review.arm_not_named.get(group.group)
        if told is None or group.synthesis != NOTHING:
            return ""
        fact, piece = told
        studies = evidence.text["studies"].set_index("study_id")
        rows = evidence.text["study_facts"]
        rows = rows[
            (rows["fact"] == fact)
            & rows["qualifier"].str.contains(piece, regex=False)
            & (rows["study_id"].map(studies["indication_id"]) == self.indication["indication_id"])
            & (rows["study_id"].map(studies["eligible_for"]) != "excluded")
        ]
        return "; ".join(
            f"{studies['label'][row['study_id']]}: {_with_unit(row)}, {row['qualifier']}; arm not "
            "named"
            for row in rows_of(rows)
        )

    def inferred(self, **cells: str) -> str:
        """In brackets, that the order of arms alone gives the side of such a result."""
        rows = self.derived.directions
        own = rows["known_by"].eq(KNOWN_BY[ORDER])
        for name, cell in cells.items():
            own &= rows[name].eq(cell)
        return f" ({KNOWN_BY[ORDER]})" if own.any() else ""

    @property
    def pools(self) -> list[Pool]:
        """Main pools under the page's choices."""
        return self.answers.pools

    def answer(self, construct: str, comparator_class: str) -> Answer:
        """The answer to one question about the indication."""
        return self.answers.to(self.indication["indication_id"], construct, comparator_class)

    def facts(self, **values: Any) -> Facts:
        """Facts of the page, with its indication."""
        return Facts({"indication": self.indication["indication_id"], **values})

    def source(self, row: dict[str, Any]) -> str:
        """Cell that leads from a derived row to source and locator."""
        return source_cell(self.derived.evidence, row)

    @property
    def treatment(self) -> str:
        """What the treatment is called in the condition's question."""
        return self.indication["intervention"]

    @cached_property
    def review(self) -> Review:
        """The names of the review, with what the treatment is called in the condition."""
        return self.derived.evidence.review.of(self.treatment)

    def said(self, words: str) -> str:
        """Say a report's words as readers see them, with what the treatment is called."""
        named = words.replace(f"side of {NEUTRAL}", f"side of {self.treatment}")
        return self.review.direction(named)

    @cached_property
    def barred(self) -> pd.DataFrame:
        """Computed comparisons that no pool holds, of studies in no pool of the same outcome."""
        effects = self.derived.effects
        if effects.empty:
            return effects
        pooled = {
            (study, pool.key["construct"], pool.key["comparator_class"])
            for pool in self.pools
            for study in pool.trials["study_id"]
        }
        keys = zip(
            *(effects[name] for name in ("study_id", "construct", "comparator_class")), strict=True
        )
        out = effects[[key not in pooled for key in keys]]
        return out[(out["kind"] == CONTRAST) & out["is_preferred"].astype(bool)]

    @cached_property
    def one_arm(self) -> pd.DataFrame:
        """Changes and shares of one arm that neither the page on responders nor on harms shows."""
        effects = self.derived.effects
        if effects.empty:
            return effects
        is_here = effects["domain"].map(page_of) == EFFECTS
        return effects[is_here & (effects["kind"] != CONTRAST)]

    @cached_property
    def shown(self) -> set[str]:
        """Effects that a table of pages 20, 30 and 40 prints; the rest are others of the same."""
        d = self.derived
        parts = [self.barred, self.one_arm, *(pool.trials for pool in self.pools)]
        for frame in (d.responders, d.harms):
            if len(frame):
                is_preferred = frame["is_preferred"].astype(bool)
                parts.append(frame[(frame["kind"] == CONTRAST) | is_preferred])
        return {name for part in parts if len(part) for name in part["effect_id"]}

    def left_out(self, *, constructs: list[str] | None = None, caption: str) -> Table:
        """Rows that gave no effect, and why."""
        rows = self.derived.left_out
        if constructs is not None:
            rows = rows[rows["construct"].isin(constructs)]
        labels = self.derived.evidence.text["outcomes"].set_index("outcome_id")["construct_label"]
        told = pd.DataFrame(
            {
                "study": rows["study_label"],
                "not used, because": rows["reason"],
                "outcomes": rows["outcome_id"].map(labels),
                "rows": 1,
            }
        )
        frame = (
            told.groupby(["study", "not used, because"], sort=False)
            .agg({"outcomes": listed, "rows": "sum"})
            .reset_index()
        )
        return Table(frame, caption)


def open_page(notebook: str, *, indication: str, **choices: Any) -> Opened:
    """Load an indication under a notebook's choices; the footer names those beside the plan.

    ``construct`` is an outcome; several are pooled as one.
    """
    given = {n: v for n, v in choices.items() if v is not None and v != BY_PROTOCOL}
    told = {n: v for n, v in choices.items() if n == "construct" or n in given}
    derived = load_derived(indication)
    if "construct" in given:
        constructs = derived.constructs(given.pop("construct"))
        if len(constructs) > 1:
            given["construct"] = constructs
    derived = derived.under(**given)
    row = {str(n): str(v) for n, v in derived.evidence.text["indications"].iloc[0].items()}
    return Opened(notebook, row, derived, derived.protocol, {"indication": indication, **told})


EFFECTS = "20_pooled_effect"


def page_of(domain: str) -> str:
    """Which page shows the effects of a domain; whatever is neither responder nor harm: 20."""
    pages = {"responder": "30_responder_rates", "harm": "40_safety"}
    return pages.get(domain, EFFECTS)


def _with_unit(fact: dict[str, Any]) -> str:
    if fact["unit"] == "people":
        return "one person" if fact["value"] == "1" else people(int(fact["value"]))
    return f"{fact['value']} {fact['unit']}"


def whose_weights(found: Pool) -> str:
    """Say of which pool weights are: one read with a prior gives trials none of its own."""
    return (
        f"Weights are those of the pool by {TAU2_METHODS[found.result.tau2_method]}; the estimate "
        "with the prior averages over all spreads between trials and has none of its own."
    )


def people_cell(n: float, stage: str, early: float = math.nan) -> str:
    """People of a comparison for a table: bare where analysed, else with what they were."""
    if early < n and stage in STAGES[1:]:
        return f"{plain(n)}, {plain(early)} of them {stage}"
    return f"{plain(n)} {stage if stage in STAGES[1:] else ''}".strip()


def construct_labels(derived: Derived) -> dict[str, str]:
    """Return what constructs are called for readers."""
    rows = derived.evidence.text["outcomes"]
    return dict(zip(rows["construct"], rows["construct_label"], strict=True))


class Page:
    """What every page of one condition has."""

    # Derived tables that the page shows rows of.
    USED: tuple[str, ...] = ("effects", "left_out")

    def __init__(self, opened: Opened) -> None:
        self.opened = opened

    @property
    def drug(self) -> str:
        """The treatment as the condition's question names it."""
        return self.opened.treatment

    def footer(self) -> Table:
        """Provenance: parameters, hashes, versions, how to rebuild."""
        opened = self.opened
        tables = [getattr(opened.derived, name) for name in self.USED]
        return footer(opened.notebook, opened.parameters, tables)


NONE = ("none", "NR", "no trial", "not defined", "not defined", "none")
HEAD = ("trials", "people", "effect (95% interval)", "95% prediction", "tau", "read by")


def at_level(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    """A table whose heads say at which level its intervals are."""
    return frame.rename(columns=lambda head: head.replace("95%", f"{100 * level:g}%"))


def variants_table(variants: list[tuple[str, Pool | None]], *, outcome: str) -> Table:
    """Tabulate the main pool and every departure that changes a cell; the note names the rest."""
    caption = f"What other choices would give: {outcome}"
    level = next((found.model.level for _, found in variants if found), None)
    if level is None:
        return Table(pd.DataFrame(), caption, empty="No choice gives an effect.")
    rows = [(name, _cells(found)) for name, found in variants]
    main = rows[0][1]
    same = [name for name, cells in rows[1:] if cells == main]
    frame = pd.DataFrame(
        [(name, *cells) for name, cells in rows if name not in same], columns=["analysis", *HEAD]
    )
    unmoved = f"No change: {'; '.join(same)}. " if same else ""
    return Table(
        at_level(frame, level),
        caption,
        f"{unmoved}Each line changes only what its name says. tau: standard deviation between "
        "trials, on the log scale for ratios.",
    )


def _cells(found: Pool | None) -> tuple[str, ...]:
    if found is None:
        return NONE
    r, read, measure = found.result, found.read, found.key["measure"]
    tau, new = math.sqrt(r.tau2), (r.pi_low, r.pi_high)
    if found.posterior is not None:
        b = found.posterior
        tau, new = float(b.tau_median), (b.theta_low, b.theta_high)
    low, high = shown(new, measure=measure)
    return (
        ", ".join(found.trials["study_label"]),
        str(found.people or "NR"),
        effect_read(found),
        interval(low, high),
        "not defined" if found.is_alone else fixed(tau),
        "one trial" if found.is_alone else read.method,
    )


class QuestionPage(Page):
    """One outcome of a condition against its main comparator."""

    def __init__(self, opened: Opened, construct: str | Sequence[str] = BY_PROTOCOL) -> None:
        super().__init__(opened)
        main = opened.indication["main_construct"]
        asked = (main,) if construct == BY_PROTOCOL else opened.derived.constructs(construct)
        self.construct = asked[0]
        self.comparator_class = opened.indication["main_comparator"]

    @cached_property
    def answer(self) -> Answer:
        """Everything that is computed for the question."""
        return self.opened.answer(self.construct, self.comparator_class)

    @property
    def pool(self) -> Pool | None:
        """The main pool of the outcome; None when no trial gives an effect."""
        return self.answer.pool

    @property
    def outcome(self) -> str:
        """The outcome as readers see it; several that a run pools as one are all named."""
        labels = construct_labels(self.opened.derived)
        several = self.opened.protocol.constructs or (self.construct,)
        return " or ".join(labels[name] for name in several)

    @property
    def bayes(self) -> Table:
        """Every interval for the pool in one table, with what each takes for granted."""
        caption = f"Every interval for the same trials: {self.outcome}"
        found, pool = self.posterior, self.pool
        if pool is None or pool.is_alone:
            return Table(pd.DataFrame(), caption, empty="Not computed: fewer than two trials.")
        heads = [] if found is None else [head for head, _ in found.chances]
        # A frequentist analysis has no probability of an effect.
        none = ["not defined"] * len(heads)
        rows = [
            (*_pooled_cells(result, pool.read), *none, ASSUMES[result.ci_method])
            for result in self.answer.intervals
        ]
        priors = (
            []
            if found is None
            else [(found, " (analysis plan)"), *((o, "") for o in self.other_posteriors)]
        )
        rows += [
            (
                f"Bayesian: {one.result.prior}{mark}{_read(one is found and pool.read.has_prior)}",
                *one.cells(),
                ASSUMES["bayesian"],
            )
            for one, mark in priors
        ]
        head = ("analysis", "effect (95%)", "new trial (95%)", "tau (95%)")
        log = ", on the log scale" if pool.key["measure"] in RATIO_MEASURES else ""
        notes = f" Noted: {'; '.join(found.result.notes)}." if found and found.result.notes else ""
        return Table(
            at_level(
                pd.DataFrame(rows, columns=[*head, *heads, "takes for granted"]), pool.model.level
            ),
            caption,
            "Bayesian rows: posterior median, with the shortest interval of that probability; "
            "flat prior for the mean effect. tau: standard deviation of true effects between "
            f"trials{log}. No prior is right, so others stand below.{notes}",
        )

    @property
    def bayes_sentence(self) -> Text:
        """What the Bayesian pool says, and how much of it is the prior."""
        found = self.posterior
        if found is None:
            return Text(self._why_no_prior())
        r, unit = found.result, "" if found.is_ratio else f" {found.pool.key['unit']}"
        parts = [
            f"With a {r.tau_prior} prior of scale {r.tau_prior_scale:g} for the spread "
            f"between trials, the {MEASURES[found.measure]} lies between {fixed(found.low)} and "
            f"{fixed(found.high)}{unit} with {percent(r.level)} probability (median "
            f"{fixed(found.median)}), and the true effect in a new trial between "
            f"{fixed(found.new_low)} and {fixed(found.new_high)}."
        ]
        if r.k == TWO_TRIALS:
            parts.append("With two trials this is the interval to read.")
        parts.append(self._chances(found))
        if self.other_posteriors:
            lows = [other.low for other in self.other_posteriors]
            highs = [other.high for other in self.other_posteriors]
            parts.append(
                f"How much of this is the prior: under {count(len(lows), 'other prior')} the "
                f"lower end runs from {interval(min(lows), max(lows))} and the upper end from "
                f"{interval(min(highs), max(highs))}."
            )
        return Text(" ".join(parts))

    @cached_property
    def posterior(self) -> Posterior | None:
        """The pool with the protocol's prior, for readers."""
        if self.pool is None or self.answer.bayes is None:
            return None
        return Posterior(self.answer.bayes, self.pool, self.drug)

    @cached_property
    def other_posteriors(self) -> list[Posterior]:
        """The pool with the other priors of the protocol."""
        if self.pool is None:
            return []
        return [Posterior(r, self.pool, self.drug) for r in self.answer.other_priors]

    def bayes_facts(self) -> dict[str, Any]:
        """Every number of table and sentence; on the scale of yi, and as displayed."""
        told = {"sentence": str(self.bayes_sentence)}
        found = self.posterior
        if found is None:
            return told
        r = found.result
        return {
            **told,
            **found.numbers(),
            "level": r.level,
            "mid": r.mid,
            "prob_benefit": found.benefit,
            "prob_benefit_beyond_mid": found.benefit_beyond_mid,
            "shrunk": {
                label: {"mean": float(mean), "low": float(low), "high": float(high)}
                for label, mean, low, high in zip(
                    r.labels, r.shrunk_mean, r.shrunk_low, r.shrunk_high, strict=True
                )
            },
            "notes": list(r.notes),
            "other_priors": [other.numbers() for other in self.other_posteriors],
        }

    def _why_no_prior(self) -> str:
        if self.pool is None:
            return ""
        if self.pool.is_alone:
            return (
                "One trial: what could be said of the spread between trials would be the prior "
                "alone, so nothing was computed."
            )
        unit = self.pool.key["unit"]
        return (
            f"The analysis plan states no prior for the spread in {unit}, so nothing was computed."
        )

    def _chances(self, found: Posterior) -> str:
        """The probabilities that the treatment is better, and by more than matters."""
        if not found.pool.benefit_sign:
            return (
                "Which of the two it favours is not known, so no probability of a benefit is "
                "given."
            )
        better, *others = (_probability(chance) for _, chance in found.chances)
        chance = f"The probability that {self.drug} is better on average is {better}"
        if not others:
            return f"{chance}."
        beyond, within = others
        return (
            f"{chance}; that it is better by more than the minimal important difference "
            f"({found.result.mid:g}), {beyond}; that the two differ by less than that, {within}."
        )


class Posterior:
    """A pool with a prior for the spread between trials, on the scale readers know."""

    NUMBERS = (
        *("mu_mean", "mu_median", "mu_sd", "mu_low", "mu_high"),
        *("tau_median", "tau_low", "tau_high", "theta_low", "theta_high"),
        *("prob_below_zero", "prob_below_mid", "prob_above_mid", "prob_within_mid"),
    )
    SHOWN = ("mu_median", "mu_low", "mu_high", "theta_low", "theta_high")

    def __init__(self, result: BayesResult, pool: Pool, drug: str) -> None:
        self.result, self.pool, self.drug = result, pool, drug
        self.measure = pool.key["measure"]
        self.is_ratio = self.measure in RATIO_MEASURES
        self.shown = shown([getattr(result, name) for name in self.SHOWN], measure=self.measure)
        self.median, self.low, self.high, self.new_low, self.new_high = self.shown

    @property
    def benefit(self) -> float:
        """Probability that the mean effect is on the treatment's side; NaN if none is known."""
        sign, below = self.pool.benefit_sign, float(self.result.prob_below_zero)
        return below if sign < 0 else 1.0 - below if sign > 0 else math.nan

    @property
    def benefit_beyond_mid(self) -> float:
        """Probability that the treatment is better by more than what matters."""
        sign, r = self.pool.benefit_sign, self.result
        return float(r.prob_below_mid if sign < 0 else r.prob_above_mid) if sign else math.nan

    @property
    def chances(self) -> list[tuple[str, float]]:
        """Probabilities with the heads of their columns, as many as have an answer."""
        if not self.pool.benefit_sign:
            return [("P(below 0)", float(self.result.prob_below_zero))]
        better, mid = (f"P({self.drug} better)", self.benefit), self.result.mid
        if math.isnan(mid):
            return [better]
        return [
            better,
            (f"P(better by more than {mid:g})", self.benefit_beyond_mid),
            (f"P(differ by less than {mid:g})", float(self.result.prob_within_mid)),
        ]

    def cells(self) -> tuple[str, ...]:
        """Effect, new trial, tau and probabilities for a row of the table."""
        r = self.result
        write = ratio if self.is_ratio else fixed
        new_trial = f"{write(self.new_low)} to {write(self.new_high)}"
        return (
            estimate_with_interval(r.mu_median, r.mu_low, r.mu_high, measure=self.measure),
            new_trial,
            f"{fixed(r.tau_median)} ({interval(r.tau_low, r.tau_high)})",
            *(_probability(chance) for _, chance in self.chances),
        )

    def numbers(self) -> dict[str, Any]:
        """The prior, the numbers of the posterior, and those that are displayed."""
        return {
            "tau_prior": self.result.tau_prior,
            "tau_prior_scale": self.result.tau_prior_scale,
            **{name: getattr(self.result, name) for name in self.NUMBERS},
            **{f"shown_{name}": v for name, v in zip(self.SHOWN, self.shown, strict=True)},
        }


ASSUMES = {
    "wald": "the spread between trials is known to be what was estimated",
    "knapp-hartung": "nothing about the spread: it is judged by these trials alone",
    "knapp-hartung-floored": "the same, but trials never agree better than chance",
    "bayesian": "this prior for the spread",
}


def _read(is_it: bool) -> str:
    return ", the one to read" if is_it else ""


def _pooled_cells(found: PooledResult, read: IntervalToRead) -> tuple[str, ...]:
    measure = found.measure
    low, high = shown((found.pi_low, found.pi_high), measure=measure)
    tau, tau_low, tau_high = (
        math.sqrt(tau2) for tau2 in (found.tau2, found.tau2_ci_low, found.tau2_ci_high)
    )
    name = method(found.tau2_method, found.ci_method)
    return (
        f"{name}{_read(name == read.method)}",
        estimate_with_interval(found.estimate, found.ci_low, found.ci_high, measure=measure),
        interval(low, high),
        f"{fixed(tau)} ({interval(tau_low, tau_high)})",
    )


def _probability(value: SupportsFloat) -> str:
    """A probability; none is written as nought or one."""
    return share_words(min(max(float(value), 1e-6), 1.0 - 1e-6))


def settings_of(answer: Answer, drug: str) -> tuple[str, ...]:
    """In how many settings the effect of an answer would matter; nothing if not predicted."""
    found, pool = answer.settings, answer.pool
    if found is None or pool is None:
        return ()
    return settings_words(found, drug=drug, measure=pool.key["measure"], unit=pool.key["unit"])


def effect_read(pool: Pool) -> str:
    """Write estimate and interval of a pool as it is read."""
    numbers = (pool.read.estimate, pool.read.low, pool.read.high)
    return estimate_with_interval(*numbers, measure=pool.key["measure"])


def drawn(pool: Pool | None) -> dict[str, Any]:
    """What a forest plot asks of a pool that may be missing."""
    if pool is None:
        return {"result": None}
    return {"result": pool.result, "read": pool.read, "intervals": pool.own_intervals}


def diamond(pool: Pool) -> Diamond:
    """A pool as an open diamond, at the estimate and interval that it is read by."""
    from ldn_meta.display.figures.forest import Diamond

    return Diamond(len(pool.trials), pool.read.estimate, pool.read.low, pool.read.high)


def comparators(pool: Pool) -> str:
    """Name what the trials compared with; their class where they differ."""
    named = list(dict.fromkeys(pool.trials["comparator"]))
    return named[0] if len(named) == 1 else pool.key["comparator_class"]


def size(pool: Pool) -> str:
    """Write estimate, unit and the interval to read, with its name."""
    read, measure = pool.read, pool.key["measure"]
    estimate, low, high = shown((read.estimate, read.low, read.high), measure=measure)
    is_ratio = measure in RATIO_MEASURES
    unit, write = ("", ratio) if is_ratio else (f" {pool.key['unit']}", fixed)
    return f"{write(estimate)}{unit}, {read.name} {write(low)} to {write(high)}"


def crossing(pool: Pool, treatment: str = NEUTRAL) -> str:
    """Say whether the interval includes no difference, and on which side it lies otherwise."""
    low, high = pool.read.low, pool.read.high
    if not (math.isfinite(low) and math.isfinite(high)):
        return "the interval is not defined"
    if side(low, high) == 0:
        return "the interval includes no difference"
    if not pool.benefit_sign:
        return "the interval excludes no difference"
    is_better = side(low, high, pool.benefit_sign) > 0
    return f"the interval lies on the side of {treatment if is_better else 'the comparator'}"


def sides(sign: float, *, is_printed: bool, treatment: str, comparator: str) -> tuple[str, str]:
    """Words for the left and the right of no effect."""
    if is_printed:
        return ("negative as printed", "positive as printed")
    if math.isnan(sign):
        return (f"lower with {treatment}", f"higher with {treatment}")
    found = (f"favours {treatment}", f"favours {comparator}")
    return found if sign < 0 else (found[1], found[0])


def pool_facts(found: Pool | None) -> dict[str, Any]:
    """Numbers of one pool; on the scale of yi, and as displayed."""
    if found is None:
        return {"k": 0}
    return {
        "k": len(found.trials),
        "people": found.people,
        "trials": list(found.trials["study_id"]),
        "effects": list(found.trials["effect_id"]),
        "measure": found.key["measure"],
        "unit": found.key["unit"],
        **pool_numbers(found.result),
        "read": read_facts(found),
    }


def read_facts(found: Pool) -> dict[str, Any]:
    """The numbers to read; on the scale of yi, and as displayed."""
    numbers = {name: getattr(found.read, name) for name in ("estimate", "low", "high")}
    return {
        **numbers,
        **shown_facts(numbers, tuple(numbers), measure=found.key["measure"]),
        "interval": found.read.name,
        "method": found.read.method,
        "has_prior": found.read.has_prior,
    }


def pool_numbers(r: PooledResult) -> dict[str, Any]:
    """Numbers of a pooled result; on the scale of yi, and as displayed."""
    names = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
    numbers = {name: getattr(r, name) for name in names}
    tau2 = float(r.tau2)
    return {
        **numbers,
        **shown_facts(numbers, names, measure=r.measure),
        "se": r.se,
        "p_value": r.p_value,
        "tau2": tau2,
        "tau": math.sqrt(tau2) if tau2 >= 0 else tau2,
        "q": r.q,
        "i2_pct": r.i2_pct,
        "weight_pct": [float(weight) for weight in r.weight_pct],
        "tau2_method": r.tau2_method,
        "ci_method": r.ci_method,
        "notes": list(r.notes),
    }


def judgements_table(evidence: Evidence, rows: pd.DataFrame) -> Table:
    """Write judgements for readers, of one indication or one study."""
    told = [
        {
            "study": row["study_label"],
            "tool": row["tool"],
            "domain": capitalised(row["domain"])
            if row["domain"] == OVERALL
            else f"{row['head']} {row['domain']}",
            "judgement": row["judgement"],
            "reason": row["reason"]
            if row["note"] in MISSING
            else f"{row['reason']}; note: {named(evidence, row['note'])}",
            "judged by": row["judged_by"],
            "source": source_cell(evidence, row),
        }
        for row in rows_of(rows)
    ]
    return Table(
        pd.DataFrame(told),
        "Risk of bias, domain by domain",
        "In brackets: the signalling question of RoB 2 that decides, and the answer. The overall "
        "judgement is never better than the worst domain. How the tools were chosen and what "
        "stands for missing information: docs/decisions.md.",
        empty="No eligible study.",
    )


def conflicts_table(derived: Derived, conflicts: pd.DataFrame) -> Table:
    """Write rows of the ledger for readers."""
    studies = derived.evidence.text["studies"]
    names = dict(zip(studies["study_id"], studies["label"], strict=True))
    labels = construct_labels(derived)
    arms = derived.evidence.text["arms"]
    of_arm = dict(zip(arms["arm_id"], arms["label"], strict=True))
    rows = [
        {
            "study": names[row["study_id"]],
            "fact": ", ".join(of_arm.get(part, part) for part in str(row["fact"]).split(", ")),
            "used": row["used"],
            "also printed": named(derived.evidence, f"{row['other']} [{row['other_source']}]"),
            "differ by": row["kind"],
            "of the other": named(derived.evidence, row["reason"]),
            "the answer with each": _consequence(row, labels),
        }
        for row in rows_of(conflicts)
    ]
    return Table(
        pd.DataFrame(rows),
        "Facts that sources state differently",
        "Every value is kept in data/raw. The last column computes the main results again with "
        "the other value in place of the one that is used.",
    )


def _consequence(row: dict[str, Any], labels: dict[str, str]) -> str:
    word = str(row["consequence"])
    if word == NO_RESULT:
        return word
    what = f"{labels[row['construct']]} ({MEASURES[row['measure']]})"
    used, other = (_result(row, side) for side in ("used", "other"))
    if word == UNCHANGED:
        return f"{what}: {used} with either"
    return f"{what}: {used} as used, {other} with the other"


def _result(row: dict[str, Any], side: str) -> str:
    if not row[f"k_{side}"] > 0:
        return "no result"
    numbers = [row[f"{name}_{side}"] for name in ("estimate", "ci_low", "ci_high")]
    return estimate_with_interval(*numbers, measure=row["measure"])
