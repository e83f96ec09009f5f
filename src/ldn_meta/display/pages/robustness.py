"""Page 50: how fragile the main answer is, in the order a sceptic asks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display import robustness_sentences as words
from ldn_meta.display.outputs import Facts, Table, Text
from ldn_meta.display.pages import robustness_tables as tables
from ldn_meta.display.pages.effect import EffectPage
from ldn_meta.display.pages.opened import BY_PROTOCOL, Opened, open_page
from ldn_meta.display.robustness_facts import robustness_facts
from ldn_meta.display.wording import capitalised, count, people
from ldn_meta.evidence.living import cumulative_frame, next_trial_frame, without_each
from ldn_meta.evidence.multiverse import Multiverse, build_multiverse
from ldn_meta.evidence.multiverse_effects import Normalised
from ldn_meta.evidence.multiverse_summary import node_table, summary
from ldn_meta.evidence.sequential_of_pool import sequential_of_pool
from ldn_meta.evidence.synthesis import RATIO_MEASURES

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.stats.sequential import SequentialLook

NOTEBOOK = "50_robustness"


class RobustnessPage:
    """What would change the answer to the main question of one condition."""

    def __init__(self, opened: Opened, construct: str) -> None:
        self.opened = opened
        self.effect = EffectPage(opened, construct)

    @property
    def headline(self) -> Text:
        """Condition, outcome and how much there is to be shaken."""
        e = self.effect
        start = f"**{capitalised(self.opened.label)}, {e.outcome}, robustness**"
        if e.pool is None:
            return Text(f"{start}: there is no result that could be fragile.")
        trials = count(len(e.pool.trials), "trial")
        return Text(f"{start}: {trials}, {people(e.pool.people)}; {words.verdict(e.pool)}.")

    @cached_property
    def sentence(self) -> Text:
        """What would change the answer, computed."""
        return Text(words.answer(self))

    @cached_property
    def without_each_frame(self) -> pd.DataFrame:
        """The pool without each trial in turn."""
        import pandas as pd

        if self.effect.pool is None:
            return pd.DataFrame()
        return without_each(self.effect.pool, self.opened.protocol)

    @property
    def without_each(self) -> Table:
        """The answer without each trial in turn: does one decide."""
        return tables.without_each_table(self)

    @property
    def bayes(self) -> Table:
        """The posterior beside the pool: do few trials mislead the interval."""
        return self.effect.bayes

    @property
    def bayes_sentence(self) -> Text:
        """What the posterior says in words."""
        return self.effect.bayes_sentence

    @cached_property
    def found(self) -> Multiverse | None:
        """Every defensible analysis; None where no trial gives an effect under any choice."""
        evidence = self.opened.derived.evidence
        return build_multiverse(
            Normalised(evidence, self.opened.protocol),
            self.effect.construct,
            self.effect.comparator_class,
        )

    @cached_property
    def choices(self) -> dict[str, Any] | None:
        """Where the defensible analyses end up."""
        return None if self.found is None else summary(self.found, self.opened.protocol)

    @cached_property
    def node_frame(self) -> pd.DataFrame:
        """How much each choice moves the answer."""
        import pandas as pd

        return pd.DataFrame() if self.found is None else node_table(self.found)

    @property
    def choices_sentence(self) -> Text:
        """Where all defensible analyses end up: do choices decide."""
        return Text(words.choices(self))

    @property
    def curve(self) -> FigureOutput | Text:
        """Specification curve: all analyses, sorted, with the choices behind them."""
        from ldn_meta.display.figures.specification_curve import specification_curve_output

        if self.found is None or self.choices is None:
            return Text("No trial gives an effect under any choice, so there is no curve.")
        return specification_curve_output(
            f"specification_curve_{self.effect.construct}",
            self.found,
            self.choices,
            direction=words.sides(self.effect),
            unit_words="" if self.found.measure in RATIO_MEASURES else self.found.unit,
            title=f"{capitalised(self.opened.label)}: {self.effect.outcome}, all analyses",
        )

    @property
    def nodes(self) -> Table:
        """Which choice moves the answer most."""
        return tables.nodes_table(self)

    @cached_property
    def look(self) -> SequentialLook | None:
        """Boundaries that allow for looking repeatedly; None without two trials or a MID."""
        return sequential_of_pool(self.effect.pool, self.opened.protocol)

    @property
    def sequential_sentence(self) -> Text:
        """What the boundaries say: was it called too early."""
        return Text(words.sequential(self))

    @property
    def sequential(self) -> FigureOutput | Text:
        """Cumulative Z against its boundaries."""
        from ldn_meta.display.pages.robustness_figures import sequential_figure

        return sequential_figure(self)

    @cached_property
    def cumulative_frame(self) -> pd.DataFrame:
        """The answer after each trial."""
        import pandas as pd

        if self.effect.pool is None:
            return pd.DataFrame()
        return cumulative_frame(self.effect.pool, self.opened.protocol)

    @property
    def cumulative(self) -> FigureOutput | Text:
        """The answer after each trial, drawn."""
        from ldn_meta.display.pages.robustness_figures import cumulative_figure

        return cumulative_figure(self)

    @cached_property
    def next_frame(self) -> pd.DataFrame:
        """Where the interval could lie with one more trial."""
        import pandas as pd

        if self.effect.pool is None:
            return pd.DataFrame()
        return next_trial_frame(self.effect.pool, self.opened.protocol)

    @property
    def next_trial(self) -> FigureOutput | Text:
        """What the next trial could do, drawn."""
        from ldn_meta.display.pages.robustness_figures import next_trial_figure

        return next_trial_figure(self)

    @property
    def next_sentence(self) -> Text:
        """How large the next trial would have to be."""
        return Text(words.next_trial(self))

    @property
    def small_studies(self) -> Text:
        """Whether small studies tell another story."""
        return Text(words.small_studies(self.effect))

    @cached_property
    def facts(self) -> Facts:
        """Everything the sentences state, as numbers."""
        return self.opened.facts(**robustness_facts(self))

    def footer(self) -> Table:
        """Provenance."""
        return self.opened.footer()


def robustness(*, indication: str, construct: str = BY_PROTOCOL) -> RobustnessPage:
    """Open page 50 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    construct : str
        Outcome construct; the indication's main one by default.

    Returns
    -------
    RobustnessPage

    Raises
    ------
    ArgumentError
        If the indication is unknown.
    """
    opened = open_page(NOTEBOOK, indication=indication)
    opened.parameters["construct"] = construct
    return RobustnessPage(opened, construct)
