"""Page 25: what the results say that cannot be pooled."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ldn_meta.display import swim_sentences
from ldn_meta.display.outputs import Facts, Table, Text
from ldn_meta.display.pages import without_pooling_tables as tables
from ldn_meta.display.pages.opened import Opened, open_page
from ldn_meta.display.provenance import footer
from ldn_meta.display.swim_facts import synthesis_facts
from ldn_meta.display.swim_items import swim_items
from ldn_meta.display.wording import agree, capitalised, count
from ldn_meta.evidence.directions import OTHER
from ldn_meta.evidence.swim import GroupSynthesis, group_syntheses

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.stats.inputs import FloatArray

NOTEBOOK = "25_without_pooling"
# Small, medium and large standardised differences (Cohen 1988), as albatross plots show them.
CURVES = (0.2, 0.5, 0.8)
# Two-sided p at the ends of a curve: beyond any printed one, and just short of no difference.
CURVE_ENDS, CURVE_POINTS = (1e-11, 0.999), 200


class WithoutPoolingPage:
    """Directions and p-values of one indication, by outcome group."""

    # Names of the figures that the page shows, for the ninefold account of its methods.
    FIGURES: tuple[str, ...] = ("effect direction plot", "harvest plot", "albatross plot")

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.comparator_class = opened.indication["main_comparator"]
        self.drug = opened.indication["intervention"]

    @cached_property
    def groups(self) -> list[GroupSynthesis]:
        """Every outcome group of the protocol and how it is synthesised."""
        d = self.opened.derived
        return group_syntheses(
            d.directions,
            d.effects,
            d.left_out,
            self.opened.pools,
            self.opened.protocol,
            comparator_class=self.comparator_class,
        )

    @cached_property
    def needed(self) -> list[GroupSynthesis]:
        """Groups with a result that stands in no pool of two or more."""
        return [group for group in self.groups if group.is_needed]

    @cached_property
    def studies(self) -> pd.DataFrame:
        """Comparative studies on file, oldest first."""
        rows = self.opened.derived.evidence.text["studies"]
        return rows[rows["eligible_for"] == "contrast"].sort_values(
            ["year", "study_id"], kind="stable"
        )

    @cached_property
    def results(self) -> pd.DataFrame:
        """Rows of the directions table about an outcome group."""
        frame = self.opened.derived.directions
        return frame[frame["group"] != OTHER].reset_index(drop=True)

    @cached_property
    def other_results(self) -> pd.DataFrame:
        """Rows of the directions table about an outcome of no group."""
        frame = self.opened.derived.directions
        return frame[frame["group"] == OTHER].reset_index(drop=True)

    @property
    def side(self) -> str:
        """The side of the intervention in a few letters."""
        return "the drug" if " " in self.drug else self.drug

    @property
    def headline(self) -> Text:
        """Indication, and how much can and cannot be pooled."""
        told = [group for group in self.groups if len(group.results)]
        studies = count(len(self.studies), "comparative study", plural="comparative studies")
        start = f"**{capitalised(self.opened.label)}, without pooling**: {studies} on file"
        if not told:
            return Text(f"{start}; no outcome group has a comparison to tell of.")
        telling = agree(self.results["study_id"].nunique(), "tells", "tell")
        pooled = sum(1 for group in told if group.is_pooled)
        return Text(
            f"{start}, of which {telling} of {count(len(told), 'outcome group')} in "
            f"{count(len(self.results), 'result')}. Of these groups "
            f"{agree(pooled, 'is', 'are')} pooled on other pages; "
            f"{agree(len(self.needed), 'has', 'have')} results that are in no pool."
        )

    @property
    def groups_table(self) -> Table:
        """Which outcome groups could be pooled, and where."""
        return tables.groups_table(self)

    @property
    def directions(self) -> Table:
        """The side of every result of an outcome group, with the printed numbers."""
        return tables.directions_table(
            self, self.results, caption="Which side each result lies on"
        )

    @property
    def direction_figure(self) -> FigureOutput:
        """Effect direction plot: which side each study lies on, outcome group by outcome group."""
        from ldn_meta.display.figures.effect_direction import effect_direction_output

        return effect_direction_output(
            "effect_directions", self.results, order=self._order, title=self._title("directions")
        )

    @property
    def harvest(self) -> FigureOutput:
        """Harvest plot: how sound the studies on each side are."""
        from ldn_meta.display.figures.harvest import harvest_output

        return harvest_output(
            "harvest", self.results, order=self._order, title=self._title("studies by direction")
        )

    @property
    def albatross(self) -> FigureOutput:
        """Albatross plot: p against people, with curves of equal effect."""
        from ldn_meta.display.figures.albatross import albatross_output

        return albatross_output(
            "albatross",
            self.results,
            contours=albatross_contours(),
            title=self._title("p-values and people"),
        )

    @property
    def _order(self) -> list[str]:
        return list(self.opened.protocol.outcome_groups)

    def _title(self, what: str) -> str:
        return f"{capitalised(self.opened.label)}: {what}"

    @property
    def other_outcomes(self) -> Table:
        """The same for outcomes that belong to no group: listed, not synthesised."""
        return tables.directions_table(
            self, self.other_results, caption="Outcomes of no group: listed, not counted"
        )

    @property
    def votes(self) -> Table:
        """Sign tests by outcome group."""
        return tables.votes_table(self)

    @property
    def combined(self) -> Table:
        """Combined p-values by outcome group."""
        return tables.combined_table(self)

    @cached_property
    def sentence(self) -> Text:
        """The answer in words, computed."""
        return Text(swim_sentences.whole_answer(self))

    @property
    def swim(self) -> Table:
        """The nine items of SWiM, answered from data and protocol."""
        return Table(
            swim_items(self),
            "Reporting items of synthesis without meta-analysis (SWiM)",
            "Items: Campbell 2020, BMJ 368:l6890. Answers are computed from data/raw, "
            "data/derived/directions.csv and data/raw/protocol.toml.",
        )

    @property
    def left_out(self) -> Table:
        """Rows of the outcome groups of this page that gave no effect."""
        groups = self.opened.protocol.outcome_groups
        constructs = [name for group in self.needed for name in groups[group.group]]
        return self.opened.left_out(
            constructs=constructs, caption="Rows of these outcome groups that gave no effect"
        )

    @cached_property
    def facts(self) -> Facts:
        """Everything the sentences state, as numbers."""
        return self.opened.facts(**synthesis_facts(self))

    def footer(self) -> Table:
        """Provenance; the directions table is among the rows used."""
        d = self.opened.derived
        return footer(
            self.opened.notebook, self.opened.parameters, [d.effects, d.left_out, d.directions]
        )


def albatross_contours() -> dict[str, tuple[FloatArray, FloatArray]]:
    """Curves of equal effect: two-sided p, and the people it takes, by standardised difference."""
    import numpy as np

    from ldn_meta.stats.albatross_contours import albatross_contour

    p = np.geomspace(*CURVE_ENDS, CURVE_POINTS)
    return {f"{size:g}": (p, np.asarray(albatross_contour(p / 2, size))) for size in CURVES}


def without_pooling(
    *,
    indication: str,
    allow_transcribed: bool | None = None,
    allow_non_randomised: bool | None = None,
    allow_single_blind: bool | None = None,
) -> WithoutPoolingPage:
    """Open page 25 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    allow_transcribed : bool, optional
        Whether transcribed values may enter main pools, which decides what can be pooled; by the
        protocol unless given.
    allow_non_randomised, allow_single_blind : bool, optional
        Whether such comparisons are counted; by the protocol unless given.

    Returns
    -------
    WithoutPoolingPage

    Raises
    ------
    ArgumentError
        If the indication is unknown.
    """
    return WithoutPoolingPage(
        open_page(
            NOTEBOOK,
            indication=indication,
            allow_transcribed=allow_transcribed,
            allow_non_randomised=allow_non_randomised,
            allow_single_blind=allow_single_blind,
        )
    )
