"""What the explore page needs in words: names of measures and methods, and the answers on file."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from ldn_meta.display.words import (
    CI_METHODS,
    COUNTS,
    MEASURES,
    TAU2_METHODS,
    capitalised,
    estimate_with_interval,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.evidence.raw.protocol import MAIN

if TYPE_CHECKING:
    import pandas as pd


CAPTION = "One row for each outcome with an effect, and for each condition without any"
HEADS = ("Condition", "Outcome", "Compared with", "Trials", "People", "Effect (95% CI)")


def explore_words() -> dict[str, Any]:
    """Words that the page's sentences are made of, as everywhere else in the project."""
    return {
        "measures": MEASURES,
        "tau2_methods": TAU2_METHODS,
        "ci_methods": CI_METHODS,
        "ratios": list(RATIO_MEASURES),
        "counts": list(COUNTS),
    }


def answers_html(explored: dict[str, Any], pooled: pd.DataFrame) -> str:
    """Write the protocol's answers as a table that needs no script."""
    main = pooled[pooled["analysis"] == MAIN]
    rows = []
    for indication in explored["indications"]:
        name, label = indication["indication_id"], capitalised(indication["label"])
        against = indication["comparator_class"]
        for outcome in indication["outcomes"]:
            own = main[
                (main["indication_id"] == name)
                & (main["construct"] == outcome["construct"])
                & (main["comparator_class"] == against)
                & (main["measure"] == outcome["measure"])
                & (main["unit"] == outcome["unit"])
            ]
            address = f"#{name}/{outcome['construct']}"
            link = f'<a href="{html.escape(address)}">{html.escape(outcome["label"])}</a>'
            rows.append([html.escape(label), link, html.escape(against), *_numbers(own)])
        if not indication["outcomes"]:
            rows.append(
                [html.escape(label), "none with an effect", html.escape(against), *_none()]
            )
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in HEADS)
    body = "\n".join(f"<tr>{''.join(map(_cell, HEADS, row))}</tr>" for row in rows)
    return (
        '<div class="table" tabindex="0" role="region" aria-label="The answers on file">'
        f"<table>\n<caption>{CAPTION}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _numbers(own: pd.DataFrame) -> list[str]:
    """Trials, people and effect of a pool; a row of pooled.csv or none."""
    if own.empty:
        return _none()
    row = max(own.to_dict("records"), key=lambda pool: int(pool["k"]))
    measure = str(row["measure"])
    effect = estimate_with_interval(
        row["estimate"], row["ci_low"], row["ci_high"], measure=measure
    )
    unit = "" if measure in RATIO_MEASURES else f", {row['unit']}"
    words = f"{MEASURES[measure]} {effect}{unit}"
    people = str(int(row["people"])) if row["people"] else "not reported"
    return [str(int(row["k"])), people, html.escape(words)]


def _cell(head: str, content: str) -> str:
    """A cell that knows its column: narrow pages print the head beside it."""
    return f'<td data-head="{head}">{content}</td>'


def _none() -> list[str]:
    return ["0", "0", "nothing pooled"]
