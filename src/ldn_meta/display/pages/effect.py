"""Page 20: the pooled effect of an outcome, and what would change it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display import sentences
from ldn_meta.display.outputs import Facts, Table, Text
from ldn_meta.display.page_facts import effect_facts
from ldn_meta.display.pages import bayes_tables, effect_tables, elsewhere
from ldn_meta.display.pages.opened import (
    BY_PROTOCOL,
    Opened,
    construct_labels,
    open_page,
)
from ldn_meta.display.wording import (
    capitalised,
    count,
    people,
)
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.bayes_pool import bayes_of_pool, sensitivity_of_pool
from ldn_meta.evidence.candidates import CONTRAST
from ldn_meta.evidence.protocol import TWO_TRIALS
from ldn_meta.evidence.synthesis import (
    find_pool,
    pool_trials,
    possible_synthesis,
    sensitivity_pools,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.evidence.synthesis import Pool
    from ldn_meta.stats.bayes_result import BayesResult
    from ldn_meta.stats.result import PooledResult

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
    def pool(self) -> Pool | None:
        """The main pool of the outcome; None when no trial gives an effect."""
        return find_pool(
            self.opened.pools, construct=self.construct, comparator_class=self.comparator_class
        )

    @cached_property
    def variants(self) -> list[tuple[str, Pool | None]]:
        """Main pool and named departures from it."""
        return sensitivity_pools(
            self.opened.derived.effects,
            self.opened.protocol,
            construct=self.construct,
            comparator_class=self.comparator_class,
        )

    @cached_property
    def synthesis(self) -> dict[str, Any]:
        """What kind of synthesis was possible."""
        d = self.opened.derived
        return possible_synthesis(
            d.effects, d.left_out, self.opened.pools, constructs=[self.construct]
        )

    @cached_property
    def knapp_hartung(self) -> PooledResult:
        """The pool with the interval that does not take the spread between trials as known."""
        if self.pool is None:
            message = "there is no pool, so it has no interval"
            raise ArgumentError(message)
        model = replace(self.opened.protocol.model, ci_method="knapp-hartung")
        return pool_trials(self.pool.trials, model, self.pool.key["measure"])

    @cached_property
    def bayes_result(self) -> BayesResult | None:
        """The pool with the protocol's prior for the spread; None for fewer than two trials."""
        if self.pool is None or len(self.pool.trials) < TWO_TRIALS:
            return None
        return bayes_of_pool(self.pool, self.opened.protocol)

    @cached_property
    def bayes_others(self) -> tuple[BayesResult, ...]:
        """The same under the other priors of the protocol."""
        if self.pool is None or self.bayes_result is None:
            return ()
        return sensitivity_of_pool(self.pool, self.opened.protocol)

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
        return effect_tables.trials(self)

    @property
    def other_outcomes(self) -> Table:
        """Every other outcome of the indication with a trial effect, benefit only."""
        return effect_tables.other_outcomes(self)

    @property
    def without_estimate(self) -> Table:
        """Comparisons that were reported only as a direction or a p-value."""
        return effect_tables.without_estimate(self)

    @cached_property
    def beside(self) -> pd.DataFrame:
        """Effects of trials outside the pool on the same scale, with the rule that barred them."""
        effects = self.opened.derived.effects
        same = effects[
            (effects["construct"] == self.construct)
            & (effects["kind"] == CONTRAST)
            & (effects["comparator_class"] == self.comparator_class)
        ]
        if self.pool is not None:
            same = same[
                (same["unit"] == self.pool.key["unit"])
                & ~same["study_id"].isin(self.pool.trials["study_id"])
            ]
        same = same.sort_values(
            ["study_id", "is_preferred", "route_rank"],
            ascending=[True, False, True],
            kind="stable",
        )
        return same.groupby("study_id").head(1).sort_values(["year", "study_id"], kind="stable")

    @property
    def forest(self) -> FigureOutput:
        """Forest plot: the rows of the trials table in the same order."""
        from ldn_meta.display.pages.forest_page import forest_output

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
        from ldn_meta.display.pages.variants import variants_table

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
