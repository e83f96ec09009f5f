"""Page 20: the pooled effect of an outcome, and what would change it."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ldn_meta.display.figures.bias import dots_note
from ldn_meta.display.outputs import Facts, FigureOutput, Table, Text, rows_of
from ldn_meta.display.pages import (
    effect_words as bayes_tables,
)
from ldn_meta.display.pages import (
    effect_words as elsewhere,
)
from ldn_meta.display.pages import (
    effect_words as sentences,
)
from ldn_meta.display.pages.effect_words import bayes_facts
from ldn_meta.display.pages.page import BY_PROTOCOL, Opened, construct_labels, open_page
from ldn_meta.display.words import (
    CI_METHODS,
    MEASURES,
    capitalised,
    count,
    estimate_with_interval,
    people,
    plain,
    shown,
    weeks,
)
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.answer.pools import (
    has_unknown_sign,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.evidence.grade.bias import bias_frame
from ldn_meta.evidence.raw.bias_tools import OVERALL

if TYPE_CHECKING:
    from ldn_meta.evidence.answer.answer import Answer
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.evidence.raw.tables import Evidence
    from ldn_meta.stats.bayes import BayesResult
    from ldn_meta.stats.pool import PooledResult


def effect_facts(page: EffectPage) -> dict[str, Any]:
    """Numbers behind the sentences of an effect page."""
    pool = page.pool
    values: dict[str, Any] = {
        "headline": str(page.headline),
        "synthesis": page.synthesis,
        "construct": page.construct,
        "comparator_class": page.comparator_class,
        "what_would_change_it": sentences.what_would_change_it(page),
        "not_in_the_number": page.not_in_the_number,
        "printed": {name: page.printed(name) for name in page.synthesis["directions"]},
        "answer": {
            "label": page.opened.label,
            "outcome": page.outcome,
            "comparison": page.comparator_class,
            "comparative_studies": page.comparative_studies,
            "trials": 0 if pool is None else len(pool.trials),
            "people": 0 if pool is None else pool.people,
            "effect": "nothing pooled" if pool is None else _effect_cell(pool),
            "sentence": sentences.answer(page),
        },
        "variants": {name: pool_facts(found) for name, found in page.variants},
        "beside": [
            {name: row[name] for name in ("effect_id", "study_label", "yi", "ci_low", "ci_high")}
            for row in page.beside.to_dict("records")
        ],
    }
    values["bayes"] = bayes_facts(page)
    if pool is not None and len(pool.trials) > 1:
        values["knapp_hartung"] = pool_numbers(page.knapp_hartung, pool.key["measure"])
    return values


def _effect_cell(pool: Pool) -> str:
    alone = " (one trial)" if len(pool.trials) == 1 else ""
    return f"{MEASURES[pool.key['measure']]} {sentences.size(pool)}{alone}"


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
        **pool_numbers(found.result, found.key["measure"]),
    }


def pool_numbers(r: Any, measure: str) -> dict[str, Any]:
    """Numbers of a pooled result; on the scale of yi, and as displayed."""
    names = ("estimate", "ci_low", "ci_high", "pi_low", "pi_high")
    displayed = shown([getattr(r, name) for name in names], measure=measure)
    tau2 = float(r.tau2)
    return {
        **{name: getattr(r, name) for name in names},
        **{f"shown_{name}": v for name, v in zip(names, displayed, strict=True)},
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


def trials(page: EffectPage) -> Table:
    """One row a trial in the pool, in the order of the figure."""
    rows = []
    if page.pool is not None:
        weights = np.atleast_1d(page.pool.result.weight_pct)
        for row, weight in zip(rows_of(page.pool.trials), weights, strict=True):
            rows.append(
                {
                    "trial": row["study_label"],
                    "design": f"{row['design']}, {row['analysis_set']}",
                    "people": _people(row),
                    "week": weeks(row["timepoint_weeks"]),
                    "effect (95% CI)": estimate_with_interval(
                        row["yi"], row["ci_low"], row["ci_high"], measure=row["measure"]
                    ),
                    "weight": f"{weight:.1f}%",
                    "route": row["route"],
                    "assumptions and notes": _with_notes(row),
                    "source": page.opened.source(row),
                }
            )
    return Table(
        pd.DataFrame(rows),
        "Trials behind the result",
        _unit_note(page),
        "No trial gave an effect with its uncertainty.",
    )


def other_outcomes(page: EffectPage) -> Table:
    """Every other outcome of the indication with a trial effect, benefit only."""
    labels = construct_labels(page.opened)
    rows = []
    for found in page.opened.pools:
        domain = found.trials["domain"].iloc[0]
        is_main = page.pool is not None and found.key == page.pool.key
        if domain != "benefit" or is_main:
            continue
        r = found.result
        rows.append(
            {
                "outcome": labels[found.key["construct"]],
                "against": found.key["comparator_class"],
                "trials": ", ".join(found.trials["study_label"]),
                "people": str(found.people or "NR"),
                "effect (95% CI)": estimate_with_interval(
                    r.estimate, r.ci_low, r.ci_high, measure=found.key["measure"]
                ),
                "unit": found.key["unit"],
                "better is": "higher" if found.trials["benefit_sign"].iloc[0] > 0 else "lower",
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Other outcomes with an effect estimate",
        "Unit as measured; LDN minus comparator.",
    )


def without_estimate(page: EffectPage) -> Table:
    """Comparisons that were reported only as a direction or a p-value."""
    d = page.opened.derived
    left = d.left_out[
        d.left_out["compares"].astype(bool)
        & (d.left_out["comparator_class"] == page.comparator_class)
        & d.left_out["is_preferred"].astype(bool)
        & d.left_out["usable_for"].isin(["direction", "p-value"])
    ]
    raw = d.evidence.text["contrasts"].set_index("row_id")
    labels = d.evidence.text["outcomes"].set_index("outcome_id")
    arms = d.evidence.text["arms"].set_index("arm_id")["label"]
    rows = []
    for row in rows_of(left):
        source = raw.loc[row["row_id"]]
        rows.append(
            {
                "study": row["study_label"],
                "outcome": labels.loc[row["outcome_id"], "construct_label"],
                "compared": f"{arms[source['arm_1']]} against {arms[source['arm_2']]}",
                "direction extracted": page.opened.said(row["direction"]),
                "as reported": source["as_reported"],
                "why no effect": row["reason"],
                "source": page.opened.source(source.to_dict()),
            }
        )
    return Table(pd.DataFrame(rows), "Reported without an effect that could be computed")


def _unit_note(page: EffectPage) -> str:
    if page.pool is None:
        return ""
    measure, unit = page.pool.key["measure"], page.pool.key["unit"]
    if has_unknown_sign(page.pool):
        return (
            f"Effect: {MEASURES[measure]} in {unit}, with the sign as printed; the text read "
            "does not say which drug was subtracted from which."
        )
    if measure in RATIO_MEASURES:
        return f"Effect: {MEASURES[measure]}, {page.drug} divided by {page.comparator_class}."
    return f"Effect: {MEASURES[measure]} in {unit}, {page.drug} minus {page.comparator_class}."


def _with_notes(row: dict[str, Any]) -> str:
    parts = [text for text in (row["assumptions"], row["notes"]) if text != "none"]
    return "; ".join(parts) or "none"


def _people(row: dict[str, Any]) -> str:
    if row["is_paired"]:
        return f"{plain(row['n_1'])} in both arms"
    return f"{plain(row['n_1'])} + {plain(row['n_2'])}"


NOTEBOOK = "20_pooled_effect"


class EffectPage:
    """One outcome against the indication's main comparator."""

    def __init__(self, opened: Opened, construct: str) -> None:
        self.opened = opened
        self.construct = (
            opened.indication["main_construct"] if construct == BY_PROTOCOL else construct
        )
        self.comparator_class = opened.indication["main_comparator"]
        self.drug = opened.indication["intervention"]

    @cached_property
    def answer(self) -> Answer:
        """Everything that is computed for the question."""
        return self.opened.answer(self.construct, self.comparator_class)

    @property
    def pool(self) -> Pool | None:
        """The main pool of the outcome; None when no trial gives an effect."""
        return self.answer.pool

    @property
    def variants(self) -> list[tuple[str, Pool | None]]:
        """Main pool and named departures from it."""
        return self.answer.variants

    @property
    def synthesis(self) -> dict[str, Any]:
        """What kind of synthesis was possible."""
        return self.answer.synthesis

    @property
    def knapp_hartung(self) -> PooledResult:
        """The pool with the interval that does not take the spread between trials as known."""
        if self.answer.knapp_hartung is None:
            message = "there is no pool, so it has no interval"
            raise ArgumentError(message)
        return self.answer.knapp_hartung

    @property
    def bayes_result(self) -> BayesResult | None:
        """The pool with the protocol's prior for the spread; None for fewer than two trials."""
        return self.answer.bayes

    @property
    def bayes_others(self) -> tuple[BayesResult, ...]:
        """The same under the other priors of the protocol."""
        return self.answer.other_priors

    @property
    def comparative_studies(self) -> int:
        """Studies on file that compare the drug with something."""
        studies = self.opened.derived.evidence.text["studies"]
        return int((studies["eligible_for"] == "contrast").sum())

    @cached_property
    def not_in_the_number(self) -> dict[str, str]:
        """Comparative studies that the answer does not rest on, with the reason."""
        return elsewhere.not_in_the_number(self)

    def study_note(self, label: str) -> str:
        """A word of caution behind the name of a study that was not randomised."""
        return elsewhere.study_note(self, label)

    def printed(self, label: str) -> str:
        """What a study printed about the outcome, in brackets."""
        return elsewhere.printed(self, label)

    @property
    def outcome(self) -> str:
        """The outcome as readers see it."""
        return construct_labels(self.opened)[self.construct]

    @property
    def headline(self) -> Text:
        """Indication, outcome, trials and people."""
        trials = 0 if self.pool is None else len(self.pool.trials)
        return Text(
            f"**{capitalised(self.opened.label)}, {self.outcome}**, {self.drug} against "
            f"{self.comparator_class}: {count(trials, 'trial')} with an effect"
            f"{', ' + people(self.pool.people) if self.pool else ''}; "
            f"synthesis: {self.synthesis['synthesis']}."
        )

    @property
    def result(self) -> PooledResult | Text:
        """The pooled result with its settings, or why there is none."""
        if self.pool is None:
            return Text("No trial gave an effect with its uncertainty, so nothing was pooled.")
        if len(self.pool.trials) == 1:
            return Text("One trial gave an effect; nothing was pooled. It stands in the table.")
        return self.pool.result

    @property
    def trials(self) -> Table:
        """One row a trial in the pool, in the order of the figure."""
        return trials(self)

    @property
    def other_outcomes(self) -> Table:
        """Every other outcome of the indication with a trial effect, benefit only."""
        return other_outcomes(self)

    @property
    def without_estimate(self) -> Table:
        """Comparisons that were reported only as a direction or a p-value."""
        return without_estimate(self)

    @property
    def beside(self) -> pd.DataFrame:
        """Effects of trials outside the pool on the same scale, with the rule that barred them."""
        return self.answer.beside

    @property
    def forest(self) -> FigureOutput:
        """Forest plot: the rows of the trials table in the same order."""
        return forest_output(self)

    @property
    def bayes(self) -> Table:
        """The Bayesian pool beside the frequentist one, under several priors."""
        return bayes_tables.bayes_table(self)

    @property
    def bayes_sentence(self) -> Text:
        """What the Bayesian pool says, and how much of it is the prior."""
        return Text(bayes_tables.bayes_sentence(self))

    @cached_property
    def sentence(self) -> Text:
        """The answer in words, computed."""
        return Text(sentences.answer(self))

    @property
    def caveats(self) -> Text:
        """What would change the answer, computed."""
        return Text(sentences.what_would_change_it(self))

    @property
    def sensitivity(self) -> Table:
        """The main pool beside every named departure from it that changes something."""
        from ldn_meta.display.pages.page import variants_table

        return variants_table(self.variants, outcome=self.outcome)

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
        return self.opened.facts(**effect_facts(self))

    def footer(self) -> Table:
        """Provenance."""
        return self.opened.footer()


def pooled_effect(
    *,
    indication: str,
    construct: str = BY_PROTOCOL,
    tau2_method: str = BY_PROTOCOL,
    ci_method: str = BY_PROTOCOL,
    allow_transcribed: bool | None = None,
    allow_approximate: bool | None = None,
    allow_non_randomised: bool | None = None,
) -> EffectPage:
    """Open page 20 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    construct : str
        Outcome construct; the indication's main one by default.
    tau2_method, ci_method : str
        As ``ldn_meta.pool``; by the protocol unless given.
    allow_transcribed, allow_approximate, allow_non_randomised : bool, optional
        Whether such effects may enter the main pool; by the protocol unless given.

    Returns
    -------
    EffectPage

    Raises
    ------
    ArgumentError
        If the indication or the construct is unknown.
    """
    opened = open_page(
        NOTEBOOK,
        indication=indication,
        tau2_method=tau2_method,
        ci_method=ci_method,
        allow_transcribed=allow_transcribed,
        allow_approximate=allow_approximate,
        allow_non_randomised=allow_non_randomised,
    )
    opened.parameters["construct"] = construct
    known = set(opened.derived.evidence.text["outcomes"]["construct"])
    if construct != BY_PROTOCOL and construct not in known:
        message = f"construct {construct!r} is not in outcomes.csv; known: {sorted(known)}"
        raise ArgumentError(message)
    return EffectPage(opened, construct)


DRUG = "LDN"


def forest_output(page: EffectPage) -> FigureOutput:
    """Draw the forest plot of an effect page."""
    return forest_of_pool(
        page.pool,
        beside=page.beside,
        variants=list(page.variants[1:]),
        bayesian=page.bayes_result,
        comparator=page.comparator_class,
        evidence=page.opened.derived.evidence,
        name=f"forest_{page.construct}",
        title=f"{capitalised(page.opened.label)}: {page.outcome}",
    )


def forest_of_pool(
    pool: Pool | None,
    *,
    beside: pd.DataFrame,
    variants: list[tuple[str, Pool | None]],
    bayesian: BayesResult | None = None,
    comparator: str,
    evidence: Evidence,
    name: str,
    title: str,
) -> FigureOutput:
    """Forest plot of one pool."""
    from ldn_meta.display.figures.forest import forest_output as drawn

    pooled = [] if pool is None else list(pool.trials["study_id"])
    studies = [*pooled, *beside["study_id"]]
    dots = bias_frame(evidence, studies).rename(columns={OVERALL: capitalised(OVERALL)})
    measure = (
        pool.key["measure"]
        if pool is not None
        else (str(beside["measure"].iloc[0]) if len(beside) else "MD")
    )
    return drawn(
        name,
        None if pool is None else pool.result,
        columns=_columns(pool, comparator),
        totals=_totals(pool),
        shown_only=_hollow(beside, comparator, dots[len(pooled) :]) if len(beside) else None,
        summaries=_diamonds(pool, variants, bayesian),
        direction=_direction(pool, beside, comparator),
        x_label=_axis(pool, beside, measure),
        log_scale=measure in RATIO_MEASURES,
        dots=dots[: len(pooled)],
        dots_note=dots_note(evidence, studies),
        title=title,
    )


def _columns(pool: Pool | None, comparator: str) -> pd.DataFrame | None:
    if pool is None:
        return None
    ratio = pool.key["measure"] in RATIO_MEASURES
    return _arm_columns(pool.trials, comparator, ratio=ratio)


def _arm_columns(rows: pd.DataFrame, comparator: str, *, ratio: bool) -> pd.DataFrame:
    """Week and arm data as text; counts carry their own denominators."""
    import pandas as pd

    week = {"week": [_n(week) for week in rows["timepoint_weeks"]]}
    first, second = rows["arm_1_data"].fillna("NR"), rows["arm_2_data"].fillna("NR")
    if ratio:
        return pd.DataFrame({**week, DRUG: first, capitalised(comparator): second})
    return pd.DataFrame(
        {
            **week,
            f"{DRUG}\nchange": first,
            f"n {DRUG}": [_n(value) for value in rows["n_1"]],
            f"{capitalised(comparator)}\nchange": second,
            f"n {comparator}": [_n(value) for value in rows["n_2"]],
        }
    )


def _totals(pool: Pool | None) -> list[str] | None:
    """People per arm under continuous data; added-up counts would invite a wrong division."""
    if pool is None or pool.key["measure"] in RATIO_MEASURES:
        return None
    return ["", "", _n(pool.trials["n_1"].sum()), "", _n(pool.trials["n_2"].sum())]


def _n(value: float) -> str:
    return f"{value:g}" if value == value else "NR"


def _hollow(beside: pd.DataFrame, comparator: str, dots: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    ratio = bool(beside["measure"].isin(RATIO_MEASURES).all())
    rows = _arm_columns(beside, comparator, ratio=ratio).assign(
        **{
            "label": beside["study_label"],
            "yi": beside["yi"],
            "ci_low": beside["ci_low"],
            "ci_high": beside["ci_high"],
            "note": beside["selected_why"],
        }
    )
    # By position: the two were made from the same rows in the same order.
    parts = [rows.reset_index(drop=True), dots.reset_index(drop=True)]
    return pd.concat(parts, axis="columns")


class BayesDiamond(NamedTuple):
    """A posterior as an open diamond: median and shortest interval."""

    k: int
    estimate: float
    ci_low: float
    ci_high: float
    is_batch: bool = False


def _diamonds(
    pool: Pool | None, variants: list[tuple[str, Pool | None]], bayesian: BayesResult | None
) -> list[tuple[str, Any]] | None:
    """The same trials with a prior, and pools of others; each set of trials is drawn once."""
    if pool is None:
        return None
    seen = {tuple(pool.trials["effect_id"])}
    out: list[tuple[str, Any]] = []
    if bayesian is not None:
        numbers = (float(bayesian.mu_median), float(bayesian.mu_low), float(bayesian.mu_high))
        label = f"same trials, Bayesian, {bayesian.tau_prior} prior of scale"
        out.append(
            (f"{label} {bayesian.tau_prior_scale:g}", BayesDiamond(int(bayesian.k), *numbers))
        )
    for name, found in variants:
        if found is None or len(found.trials) < 2 or found.key["unit"] != pool.key["unit"]:
            continue
        trials = tuple(found.trials["effect_id"])
        if trials not in seen:
            seen.add(trials)
            same = found.result.ci_method == pool.result.ci_method
            how = "" if same else f", {CI_METHODS[found.result.ci_method]}"
            out.append((f"{name}{how}", found.result))
    return out or None


def _direction(pool: Pool | None, beside: pd.DataFrame, comparator: str) -> tuple[str, str]:
    rows = pool.trials if pool is not None else beside
    sides = (f"favours {DRUG}", f"favours {comparator}")
    if not len(rows):
        return sides
    sign = rows["benefit_sign"].iloc[0]
    if sign != sign:
        return ("lower with " + DRUG, "higher with " + DRUG)
    unclear = (rows["direction"] == "not stated") & rows["route"].str.startswith("difference")
    if unclear.all():
        return ("negative as printed", "positive as printed")
    return sides if sign < 0 else (sides[1], sides[0])


def _axis(pool: Pool | None, beside: pd.DataFrame, measure: str) -> str:
    if measure in RATIO_MEASURES:
        return f"{MEASURES[measure]} (log axis)"
    rows = pool.trials if pool is not None else beside
    if pool is not None and has_unknown_sign(pool):
        return f"{MEASURES[measure]}, {pool.key['unit']}; which drug it favours is not known"
    unit = str(rows["unit"].iloc[0]) if len(rows) else ""
    return f"{MEASURES[measure]}, {unit}" if unit else MEASURES[measure]
