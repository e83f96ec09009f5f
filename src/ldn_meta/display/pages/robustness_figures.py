"""Figures of page 50: the answer after each trial, its boundaries, and the next trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldn_meta.display import robustness_sentences as words
from ldn_meta.display.outputs import Text
from ldn_meta.display.wording import capitalised, percent
from ldn_meta.evidence.living import OFF_WORSE
from ldn_meta.evidence.sequential_of_pool import design_of
from ldn_meta.evidence.synthesis import RATIO_MEASURES, has_unknown_sign

if TYPE_CHECKING:
    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.display.pages.robustness import RobustnessPage

WORTH_A_PANEL = 0.05


def cumulative_figure(page: RobustnessPage) -> FigureOutput | Text:
    """Draw the answer after each trial, by year of publication."""
    from ldn_meta.display.figures.cumulative import cumulative_output

    pool = page.effect.pool
    if pool is None:
        return Text("No trial gave an effect, so there is no answer to follow.")
    measure = pool.key["measure"]
    return cumulative_output(
        f"cumulative_{page.effect.construct}",
        page.cumulative_frame,
        direction=words.sides(page.effect),
        x_label=words.unit(measure, pool.key["unit"]),
        log_scale=measure in RATIO_MEASURES,
        title=_title(page, "the answer after each trial"),
    )


def sequential_figure(page: RobustnessPage) -> FigureOutput | Text:
    """Draw cumulative Z against its boundaries."""
    import pandas as pd

    from ldn_meta.display.figures.sequential import sequential_output

    look = page.look
    if look is None:
        return Text("There is nothing to draw.")
    design = design_of(look)
    if design is None:
        upper = (look.information_fraction, look.boundary)
        inner = None
    else:
        upper = (design.information_fraction, design.boundary)
        inner = (design.information_fraction, design.futility)
    return sequential_output(
        f"sequential_{page.effect.construct}",
        pd.DataFrame({"label": look.labels, "fraction": look.information_fraction, "z": look.z}),
        boundary=upper,
        futility=inner,
        direction=words.sides(page.effect),
        ris_people=look.required_people,
        remarks=[
            f"Effect looked for: {look.minimal_effect:g}, two-sided error {percent(look.alpha)}, "
            f"power {percent(look.power)}. A look back: boundaries hold for looks planned "
            "beforehand."
        ],
        title=_title(page, "trial sequential look"),
    )


def next_trial_figure(page: RobustnessPage) -> FigureOutput | Text:
    """Draw where the interval could lie with one more trial."""
    from ldn_meta.display.figures.next_trial import next_trial_output

    pool = page.effect.pool
    if pool is None or page.next_frame.empty or has_unknown_sign(pool) or len(pool.trials) == 1:
        return Text("There is nothing to draw.")
    measure = pool.key["measure"]
    frame = page.next_frame
    # A panel in which nothing can happen would be three empty axes.
    likeliest = frame.groupby("what")["probability"].transform("max")
    frame = frame[(frame["what"] != OFF_WORSE) | (likeliest >= WORTH_A_PANEL)]
    return next_trial_output(
        f"next_trial_{page.effect.construct}",
        frame,
        direction=words.sides(page.effect),
        unit_words="" if measure in RATIO_MEASURES else pool.key["unit"],
        log_scale=measure in RATIO_MEASURES,
        remarks=[
            "The new trial is as precise per person as the middle one on file; the spread between "
            "trials is estimated again with it."
        ],
        title=_title(page, "what one more trial could do"),
    )


def _title(page: RobustnessPage, what: str) -> str:
    return f"{capitalised(page.opened.label)}, {page.effect.outcome}: {what}"
