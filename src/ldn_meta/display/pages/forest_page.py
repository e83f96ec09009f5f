"""The forest plot of an effect page: the pool, departures from it, trials beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ldn_meta.display.figure_output import FigureOutput
from ldn_meta.display.figures.bias_words import dots_note
from ldn_meta.display.sentences import has_unknown_sign
from ldn_meta.display.wording import CI_METHODS, MEASURES, capitalised
from ldn_meta.evidence.bias import bias_frame
from ldn_meta.evidence.bias_tools import OVERALL
from ldn_meta.evidence.synthesis import RATIO_MEASURES

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.pages.effect import EffectPage
    from ldn_meta.evidence.load import Evidence
    from ldn_meta.evidence.synthesis import Pool
    from ldn_meta.stats.bayes_result import BayesResult

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
    """Forest plot of one pool.

    Parameters
    ----------
    pool : Pool or None
    beside : pandas.DataFrame
        Effects drawn hollow, not pooled; ``selected_why`` says why.
    variants : list of (str, Pool or None)
        Named departures; those with other trials than the pool get a diamond of their own.
    bayesian : BayesResult, optional
        The same trials with a prior for the spread; gets the first open diamond.
    comparator : str
        Words for the right-hand side.
    evidence : Evidence
        Where the judgements of risk of bias are, drawn as dots beside every row.
    name, title : str
        File name and heading of the figure.
    """
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
