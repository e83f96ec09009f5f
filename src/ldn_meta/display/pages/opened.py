"""What every page has: its indication, its data, its choices and its footer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Facts, Table
from ldn_meta.display.provenance import footer, source_cell
from ldn_meta.display.wording import weeks
from ldn_meta.evidence.derived import Derived, load_derived
from ldn_meta.evidence.protocol import Protocol
from ldn_meta.evidence.synthesis import build_pools

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.synthesis import Pool

BY_PROTOCOL = "protocol"


@dataclass(frozen=True)
class Opened:
    """Data and choices of one page.

    Attributes
    ----------
    notebook : str
        Name of the template.
    indication : dict of str
        Row of ``indications.csv``.
    derived : Derived
        Raw and derived tables of the indication.
    protocol : Protocol
        Main choices after the page's parameters were applied.
    parameters : dict
        Effective parameters, for the footer.
    """

    notebook: str
    indication: dict[str, str]
    derived: Derived
    protocol: Protocol
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Indication as readers see it."""
        return self.indication["label"]

    @property
    def pools(self) -> list[Pool]:
        """Main pools under the page's choices."""
        return build_pools(self.derived.effects, self.protocol.selection, self.protocol.model)

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
        return source_cell(
            self.derived.evidence, row["source_id"], row["locator"], row["read_from"]
        )

    def left_out(self, *, constructs: list[str] | None = None, caption: str) -> Table:
        """Rows that gave no effect, and why.

        Parameters
        ----------
        constructs : list of str, optional
            Only these constructs; all by default.
        caption : str
        """
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
            .agg({"outcomes": _listed, "rows": "sum"})
            .reset_index()
        )
        return Table(
            frame,
            caption,
            "Each row is in data/derived/left_out.csv with its address in data/raw.",
        )


def _listed(names: pd.Series) -> str:
    return ", ".join(dict.fromkeys(names))


def open_page(notebook: str, *, indication: str, **choices: Any) -> Opened:
    """Load an indication and apply a notebook's choices to the protocol.

    Parameters
    ----------
    notebook : str
        Name of the template.
    indication : str
        Key in ``indications.csv``.
    **choices
        Fields of the protocol's Selection or Model; ``"protocol"`` and None leave a choice
        as the protocol states it.

    Returns
    -------
    Opened

    Raises
    ------
    StaleError
        If the derived tables do not belong to the raw ones.
    ArgumentError
        If the indication or a choice is unknown.
    """
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


def construct_labels(opened: Opened) -> dict[str, str]:
    """Return what constructs are called for readers."""
    rows = opened.derived.evidence.text["outcomes"]
    return dict(zip(rows["construct"], rows["construct_label"], strict=True))


def week_cell(value: Any) -> str:
    """Weeks for a table cell."""
    return weeks(float(value)) if value is not None else "NR"


def plain(value: Any, missing: str = "NR") -> str:
    """Write a cell as text; what is missing says so."""
    if value is None or value != value or str(value) in ("<NA>", "nan"):
        return missing
    return f"{value:g}" if isinstance(value, float) else str(value)
