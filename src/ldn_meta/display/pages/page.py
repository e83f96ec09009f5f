"""What pages of one condition share: the data opened, the frame of a page, and their tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Facts, Table, footer, source_cell
from ldn_meta.display.words import (
    estimate_with_interval,
    fixed,
    interval,
    listed,
    method,
    shown,
)
from ldn_meta.evidence.answer.answer import Answer, Answers
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.evidence.raw.protocol import Protocol
from ldn_meta.evidence.raw.review import NEUTRAL

if TYPE_CHECKING:
    from ldn_meta.evidence.answer.pools import Pool


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
        d = self.derived
        return Answers(d.evidence, self.protocol, d.effects, d.left_out, d.certainty)

    @property
    def pools(self) -> list[Pool]:
        """Main pools under the page's choices."""
        return self.answers.pools

    def answer(self, construct: str, comparator_class: str) -> Answer:
        """The answer to one question about the indication."""
        return self.answers.to(self.indication["indication_id"], construct, comparator_class)

    def footer(self) -> Table:
        """Provenance: parameters, hashes, versions, how to rebuild."""
        return footer(
            self.notebook, self.parameters, [self.derived.effects, self.derived.left_out]
        )

    def facts(self, **values: Any) -> Facts:
        """Facts of the page, with its indication."""
        return Facts({"indication": self.indication["indication_id"], **values})

    def source(self, row: dict[str, Any]) -> str:
        """Cell that leads from a derived row to source and locator."""
        return source_cell(self.derived.evidence, row)

    @property
    def treatment(self) -> str:
        """What the treatment is called."""
        return self.derived.evidence.review.label

    def said(self, words: str) -> str:
        """Say a direction or a side as readers see it, with what the treatment is called."""
        named = words.replace(f"side of {NEUTRAL}", f"side of {self.treatment}")
        return self.derived.evidence.review.direction(named)

    def left_out(self, *, constructs: list[str] | None = None, caption: str) -> Table:
        """Rows that gave no effect, and why."""
        import pandas as pd

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
        return Table(
            frame,
            caption,
            "Each row is in data/derived/left_out.csv with its address in data/raw.",
        )


def open_page(notebook: str, *, indication: str, **choices: Any) -> Opened:
    """Load an indication and apply a notebook's choices to the protocol."""
    derived = load_derived(indication)
    row = {str(n): str(v) for n, v in derived.evidence.text["indications"].iloc[0].items()}
    given = {n: v for n, v in choices.items() if v is not None and v != BY_PROTOCOL}
    return Opened(
        notebook,
        row,
        derived,
        derived.protocol.changed(**given),
        {"indication": indication, **choices},
    )


def page_of(domain: str) -> str:
    """Which page shows the effects of a domain; whatever is neither responder nor harm: 20."""
    pages = {"responder": "30_responder_rates", "harm": "40_safety"}
    return pages.get(domain, "20_pooled_effect")


def construct_labels(opened: Opened) -> dict[str, str]:
    """Return what constructs are called for readers."""
    rows = opened.derived.evidence.text["outcomes"]
    return dict(zip(rows["construct"], rows["construct_label"], strict=True))


class Page:
    """What every page of one condition has."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened

    @property
    def drug(self) -> str:
        """The treatment as the condition's question names it."""
        return self.opened.indication["intervention"]

    def footer(self) -> Table:
        """Provenance: parameters, hashes, versions, how to rebuild."""
        return self.opened.footer()


NONE = ("none", "NR", "no trial", "not defined", "not defined", "none")
HEAD = ("trials", "people", "effect (95% CI)", "95% prediction", "tau", "method")


def variants_table(variants: list[tuple[str, Pool | None]], *, outcome: str) -> Table:
    """Tabulate the main pool and every departure that changes a cell; the note names the rest."""
    import pandas as pd

    rows = [(name, _cells(found)) for name, found in variants]
    main = rows[0][1]
    same = [name for name, cells in rows[1:] if cells == main]
    frame = pd.DataFrame(
        [(name, *cells) for name, cells in rows if name not in same], columns=["analysis", *HEAD]
    )
    unmoved = f"No change: {'; '.join(same)}. " if same else ""
    return Table(
        frame,
        f"What other choices would give: {outcome}",
        f"{unmoved}Each line changes only what its name says; choices and reasons are in "
        "data/raw/protocol.toml. With three trials or more the protocol's interval is the "
        "floored Knapp-Hartung one. tau: standard deviation between trials, on the log "
        "scale for ratios.",
    )


def _cells(found: Pool | None) -> tuple[str, ...]:
    if found is None:
        return NONE
    r, measure = found.result, found.key["measure"]
    alone = len(found.trials) == 1
    low, high = shown((r.pi_low, r.pi_high), measure=measure)
    return (
        ", ".join(found.trials["study_label"]),
        str(found.people or "NR"),
        estimate_with_interval(r.estimate, r.ci_low, r.ci_high, measure=measure),
        interval(low, high),
        "not defined" if alone else fixed(math.sqrt(r.tau2)),
        "one trial" if alone else method(r.tau2_method, r.ci_method),
    )
