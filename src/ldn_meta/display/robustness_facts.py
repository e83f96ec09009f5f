"""The numbers behind page 50, as facts.json files them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ldn_meta.display import robustness_sentences as words
from ldn_meta.display.outputs import rows_of
from ldn_meta.display.page_facts import pool_facts
from ldn_meta.display.pages.bayes_tables import bayes_facts
from ldn_meta.display.wording import shown
from ldn_meta.evidence.living import INSIDE, OFF_BETTER, smallest_size

if TYPE_CHECKING:
    from ldn_meta.display.pages.robustness import RobustnessPage

LOOK = (
    *("labels", "minimal_effect", "alpha", "power", "estimate", "z", "diversity"),
    *("required_information", "required_people", "information_fraction", "boundary"),
    *("futility", "crossed", "inflation", "notes"),
)


def robustness_facts(page: RobustnessPage) -> dict[str, Any]:
    """Everything the sentences of the page state."""
    pool = page.effect.pool
    measure = "MD" if pool is None else pool.key["measure"]
    frame = page.without_each_frame
    return {
        "headline": str(page.headline),
        "sentence": str(page.sentence),
        "construct": page.effect.construct,
        "pool": pool_facts(pool),
        "without_each": [
            {**row, "shown_estimate": shown((row["estimate"],), measure=measure)[0]}
            for row in rows_of(frame)
        ],
        "bayes": bayes_facts(page.effect),
        "choices": _choices(page),
        "nodes": rows_of(page.node_frame.drop(columns="reason", errors="ignore")),
        "choices_sentence": words.choices(page),
        "sequential": None
        if page.look is None
        else {name: _plain(getattr(page.look, name)) for name in LOOK},
        "sequential_sentence": words.sequential(page),
        "cumulative": rows_of(page.cumulative_frame),
        "next_trial": rows_of(page.next_frame),
        "next_enough": _sizes(page),
        "next_probability": page.opened.protocol.next_probability,
        "next_sentence": words.next_trial(page),
    }


def _choices(page: RobustnessPage) -> dict[str, Any] | None:
    if page.choices is None or page.found is None:
        return None
    names = ("lowest", "median", "highest")
    displayed = shown([page.choices[name] for name in names], measure=page.found.measure)
    return {
        **page.choices,
        **{f"shown_{name}": value for name, value in zip(names, displayed, strict=True)},
    }


def _sizes(page: RobustnessPage) -> dict[str, float | None]:
    """Smallest next trial for each supposed effect; None where no size tried is enough."""
    frame = page.next_frame
    if frame.empty:
        return {}
    found: dict[str, float | None] = {"largest tried": float(frame["people"].max())}
    for supposed in dict.fromkeys(frame["supposed"]):
        for what in (OFF_BETTER, INSIDE):
            size = smallest_size(
                frame,
                supposed=supposed,
                what=what,
                probability=page.opened.protocol.next_probability,
            )
            found[f"{supposed}: {what}"] = size if math.isfinite(size) else None
    return found


def _plain(value: Any) -> Any:
    return (
        value.tolist()
        if hasattr(value, "tolist")
        else list(value)
        if isinstance(value, tuple)
        else value
    )
