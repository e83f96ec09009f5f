"""What is on file about the trial that looked for the dose, and which curves are considered."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta import paths
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.stated import section

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.load import Evidence

NUMBER = (int, float)
CHOICES: dict[str, type | tuple[type, ...]] = {
    "study_id": str,
    "responder_outcome": str,
    "ed50_low_mg": NUMBER,
    "ed50_high_mg": NUMBER,
    "ed50_steps": NUMBER,
    "spread_low_mg": NUMBER,
    "spread_high_mg": NUMBER,
    "spread_steps": NUMBER,
    "other_spread_caps_mg": list,
}
# The two statements a dose-finding trial prints, and the share of people each is about.
SHARES = {"ed50": 0.5, "ed95": 0.95}
INTERVAL = "confidence interval 95%"


@dataclass(frozen=True)
class DoseChoices:
    """Section [dose] of the protocol; doses and spreads in mg."""

    study_id: str
    responder_outcome: str
    ed50_low_mg: float
    ed50_high_mg: float
    ed50_steps: int
    spread_low_mg: float
    spread_high_mg: float
    spread_steps: int
    other_spread_caps_mg: tuple[float, ...]


@dataclass(frozen=True)
class Printed:
    """A dose as printed, and the interval some source prints with it.

    Attributes
    ----------
    share : float
        Share of people it is said to work in.
    dose : float
    decimals : int
        Digits printed.
    low, high : float
        NaN where no source prints an interval.
    row, interval_row : dict
        Rows of study_facts; `interval_row` is empty without an interval.
    """

    share: float
    dose: float
    decimals: int
    low: float
    high: float
    row: dict[str, Any]
    interval_row: dict[str, Any]


@dataclass(frozen=True)
class DoseTrial:
    """An up-and-down trial as far as it is reported; doses in mg.

    Attributes
    ----------
    study_id, label : str
    ladder : tuple of float
        Doses, lowest first.
    people, responders : int
    changes, pairs : int
        Changes of direction and up-and-down pairs the paper reports.
    printed : dict of Printed
        "ed50" and "ed95".
    rows : dict of dict
        The rows of study_facts and arm_events behind each number.
    """

    study_id: str
    label: str
    ladder: tuple[float, ...]
    people: int
    responders: int
    changes: int
    pairs: int
    printed: dict[str, Printed]
    rows: dict[str, dict[str, Any]]


def load_dose_choices(path: str | Path | None = None) -> DoseChoices:
    """Read section [dose] of ``protocol.toml``.

    Parameters
    ----------
    path : str or Path, optional
        The file; that of ``data/raw`` by default.

    Returns
    -------
    DoseChoices

    Raises
    ------
    ArgumentError
        If the section or a choice is missing, unknown or of the wrong type.
    """
    file = paths.raw_data() / "protocol.toml" if path is None else Path(path)
    stated = tomllib.loads(file.read_text(encoding="utf-8"))
    if "dose" not in stated:
        message = f"{file.name}: section 'dose' is missing; restore it from git"
        raise ArgumentError(message)
    choices = section("dose", stated["dose"], CHOICES)
    caps = tuple(float(cap) for cap in choices.pop("other_spread_caps_mg"))
    return DoseChoices(**choices, other_spread_caps_mg=caps)


def dose_trial(evidence: Evidence, choices: DoseChoices) -> DoseTrial:
    """Collect what the raw tables say of the dose-finding trial.

    Parameters
    ----------
    evidence : Evidence
    choices : DoseChoices

    Returns
    -------
    DoseTrial

    Raises
    ------
    ArgumentError
        If a fact the page rests on is not on file.
    """
    study = choices.study_id
    facts = evidence.study_facts[evidence.study_facts["study_id"] == study]
    own = facts[facts["preferred"].astype(bool)]
    span = _one(own, study, "dose", lambda f: f["qualifier"].isna())
    step = _one(own, study, "dose", lambda f: f["qualifier"] == "step")
    rows = {
        "dose range": span,
        "dose step": step,
        **{name: _one(own, study, name) for name in ("n_analysed", "reversals", "pairs")},
    }
    events = evidence.arm_events
    found = events[
        events["row_id"].str.startswith(f"{study}-")
        & (events["outcome_id"] == choices.responder_outcome)
        & events["preferred"].astype(bool)
    ]
    if len(found) != 1:
        message = (
            f"{study}: {len(found)} preferred rows of {choices.responder_outcome!r} in "
            "arm_events; allowed: one"
        )
        raise ArgumentError(message)
    rows["responders"] = _row(found)
    low, high, by = float(span["value_low"]), float(span["value_high"]), float(step["value"])
    rungs = round((high - low) / by) + 1
    labels = evidence.studies.set_index("study_id")["label"]
    return DoseTrial(
        study_id=study,
        label=str(labels[study]),
        ladder=tuple(low + by * i for i in range(rungs)),
        people=int(rows["n_analysed"]["value"]),
        responders=int(rows["responders"]["events"]),
        changes=int(rows["reversals"]["value"]),
        pairs=int(rows["pairs"]["value"]),
        printed={
            name: _printed(evidence, facts, study, name, share) for name, share in SHARES.items()
        },
        rows=rows,
    )


def _printed(
    evidence: Evidence, facts: pd.DataFrame, study: str, name: str, share: float
) -> Printed:
    row = _one(facts[facts["preferred"].astype(bool)], study, name)
    with_interval = facts[(facts["fact"] == name) & (facts["range_kind"] == INTERVAL)]
    interval = _row(with_interval) if len(with_interval) else {}
    typed = evidence.text["study_facts"].set_index("row_id")["value"][row["row_id"]]
    return Printed(
        share=share,
        dose=float(row["value"]),
        decimals=len(str(typed).partition(".")[2]),
        low=float(interval.get("value_low", float("nan"))),
        high=float(interval.get("value_high", float("nan"))),
        row=row,
        interval_row=interval,
    )


def _one(facts: pd.DataFrame, study: str, name: str, also: Any = None) -> dict[str, Any]:
    found = facts[facts["fact"] == name]
    if also is not None:
        found = found[also(found)]
    if len(found) != 1:
        message = (
            f"{study}: {len(found)} preferred rows of {name!r} in study_facts; allowed: one, with "
            "source and place"
        )
        raise ArgumentError(message)
    return _row(found)


def _row(frame: pd.DataFrame) -> dict[str, Any]:
    return {str(name): value for name, value in frame.iloc[0].items()}
