"""Page 20: the pooled effect of an outcome, and what would change it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ldn_meta.display import sentences
from ldn_meta.display.outputs import Facts, Table, Text
from ldn_meta.display.pages.opened import BY_PROTOCOL, Opened, open_page, plain
from ldn_meta.display.wording import (
    MEASURES,
    capitalised,
    count,
    estimate_with_interval,
    fixed,
    interval,
    people,
    shown,
    weeks,
)
from ldn_meta.evidence.candidates import CONTRAST
from ldn_meta.evidence.synthesis import (
    RATIO_MEASURES,
    find_pool,
    possible_synthesis,
    sensitivity_pools,
)

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.evidence.synthesis import Pool
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

    @cached_property
    def pool(self) -> Pool | None:
        """The main pool of the outcome; None when no trial gives an effect."""
        return find_pool(self.opened.pools, construct=self.construct,
                         comparator_class=self.comparator_class)

    @cached_property
    def variants(self) -> list[tuple[str, Pool | None]]:
        """Main pool and named departures from it."""
        return sensitivity_pools(self.opened.derived.effects, self.opened.protocol,
                                 construct=self.construct,
                                 comparator_class=self.comparator_class)

    @cached_property
    def synthesis(self) -> dict[str, Any]:
        """What kind of synthesis was possible."""
        d = self.opened.derived
        return possible_synthesis(d.effects, d.left_out, self.opened.pools,
                                  constructs=[self.construct])

    @property
    def outcome(self) -> str:
        """The outcome as readers see it."""
        rows = self.opened.derived.evidence.text["outcomes"]
        return str(rows.loc[rows["construct"] == self.construct, "construct_label"].iloc[0])

    @property
    def headline(self) -> Text:
        """Indication, outcome, trials and people."""
        trials = 0 if self.pool is None else len(self.pool.trials)
        return Text(
            f"**{capitalised(self.opened.label)}, {self.outcome}**, LDN against "
            f"{self.comparator_class}: {count(trials, 'trial')} with an effect"
            f"{', ' + people(self.pool.people) if self.pool else ''}; "
            f"synthesis: {self.synthesis['synthesis']}."
        )

    @property
    def result(self) -> PooledResult | Text:
        """The pooled result with its settings, or why there is none."""
        if self.pool is None:
            return Text("No trial gave an effect with its uncertainty, so nothing was pooled.")
        return self.pool.result

    @property
    def trials(self) -> Table:
        """One row a trial in the pool, in the order of the figure."""
        import pandas as pd

        rows = []
        if self.pool is not None:
            weights = np.atleast_1d(self.pool.result.weight_pct)
            for row, weight in zip(self.pool.trials.to_dict("records"), weights, strict=True):
                rows.append({
                    "trial": row["study_label"],
                    "design": f"{row['design']}, {row['analysis_set']}",
                    "people": _people(row),
                    "week": weeks(row["timepoint_weeks"]),
                    "effect (95% CI)": estimate_with_interval(
                        row["yi"], row["ci_low"], row["ci_high"], measure=row["measure"]),
                    "weight": f"{weight:.1f}%",
                    "route": row["route"],
                    "assumptions": row["assumptions"],
                    "source": self.opened.source(row),
                })
        return Table(pd.DataFrame(rows), "Trials behind the result", self._unit_note(),
                     "No trial gave an effect with its uncertainty.")

    def _unit_note(self) -> str:
        if self.pool is None:
            return ""
        measure, unit = self.pool.key["measure"], self.pool.key["unit"]
        if measure in RATIO_MEASURES:
            return f"Effect: {MEASURES[measure]}, LDN divided by {self.comparator_class}."
        return f"Effect: {MEASURES[measure]} in {unit}, LDN minus {self.comparator_class}."

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
        same = same.sort_values(["study_id", "is_preferred", "route_rank"],
                                ascending=[True, False, True], kind="stable")
        return same.groupby("study_id").head(1).sort_values(["year", "study_id"], kind="stable")

    @property
    def forest(self) -> FigureOutput:
        """Forest plot: the rows of the trials table in the same order."""
        from ldn_meta.display.pages.forest_page import forest_output

        return forest_output(self)

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
    def other_outcomes(self) -> Table:
        """Every other outcome of the indication with a trial effect, benefit only."""
        import pandas as pd

        labels = self._labels()
        rows = []
        for found in self.opened.pools:
            domain = found.trials["domain"].iloc[0]
            main = found.key["construct"] == self.construct and found is not None
            same = main and found.key["comparator_class"] == self.comparator_class
            if domain != "benefit" or (same and self.pool is not None
                                       and found.key == self.pool.key):
                continue
            r = found.result
            rows.append({
                "outcome": labels[found.key["construct"]],
                "against": found.key["comparator_class"],
                "trials": ", ".join(found.trials["study_label"]),
                "people": str(found.people or "NR"),
                "effect (95% CI)": estimate_with_interval(
                    r.estimate, r.ci_low, r.ci_high, measure=found.key["measure"]),
                "unit": found.key["unit"],
                "better is": "higher" if found.trials["benefit_sign"].iloc[0] > 0 else "lower",
            })
        return Table(pd.DataFrame(rows), "Other outcomes with an effect estimate",
                     "Unit as measured; LDN minus comparator.")

    def _labels(self) -> dict[str, str]:
        rows = self.opened.derived.evidence.text["outcomes"]
        return dict(zip(rows["construct"], rows["construct_label"], strict=True))

    @property
    def without_estimate(self) -> Table:
        """Comparisons that were reported only as a direction or a p-value."""
        import pandas as pd

        d = self.opened.derived
        left = d.left_out[(d.left_out["table"] == "contrasts")
                          & d.left_out["usable_for"].isin(["direction", "p-value"])]
        raw = d.evidence.text["contrasts"].set_index("row_id")
        labels = d.evidence.text["outcomes"].set_index("outcome_id")
        rows = []
        for row in left.to_dict("records"):
            source = raw.loc[row["row_id"]]
            rows.append({
                "study": row["study_label"],
                "outcome": labels.loc[row["outcome_id"], "construct_label"],
                "direction, as presented": row["direction"],
                "as reported": source["as_reported"],
                "why no effect": row["reason"],
                "source": self.opened.source(source.to_dict()),
            })
        return Table(pd.DataFrame(rows), "Reported without an effect that could be computed")

    @property
    def left_out(self) -> Table:
        """Rows of this outcome without an effect."""
        return self.opened.left_out(constructs=[self.construct],
                                    caption="Rows of this outcome that gave no effect")

    @cached_property
    def facts(self) -> Facts:
        """Everything the sentences state, as numbers."""
        return self.opened.facts(**sentences.facts(self))

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
    from ldn_meta.errors import ArgumentError

    opened = open_page(
        NOTEBOOK, indication=indication, tau2_method=tau2_method, ci_method=ci_method,
        allow_transcribed=allow_transcribed, allow_approximate=allow_approximate,
        allow_non_randomised=allow_non_randomised,
    )
    opened.parameters["construct"] = construct
    known = set(opened.derived.evidence.text["outcomes"]["construct"])
    if construct != BY_PROTOCOL and construct not in known:
        message = f"construct {construct!r} is not in outcomes.csv; known: {sorted(known)}"
        raise ArgumentError(message)
    return EffectPage(opened, construct)


def _people(row: dict[str, Any]) -> str:
    if row["is_paired"]:
        return f"{plain(row['n_1'])} pairs"
    return f"{plain(row['n_1'])} + {plain(row['n_2'])}"
