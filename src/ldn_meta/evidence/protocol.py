"""The pre-stated analysis choices: which values enter a pool, and how it is computed."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ldn_meta import paths
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence import bayes_choices
from ldn_meta.evidence.certainty_choices import CertaintyChoices, read_certainty
from ldn_meta.evidence.nodes import Node, read_nodes
from ldn_meta.evidence.shown import protocol_html, protocol_line
from ldn_meta.evidence.stated import check_names, check_type, section

if TYPE_CHECKING:
    from ldn_meta.evidence.schema import Dictionary

MAIN = "main"
TWO_TRIALS = 2
# Sections of protocol.toml and the choices of each; every choice must be stated, and none else.
# A section may add its "reason".
SECTIONS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "selection": {
        "analysis_sets": list,
        "read_from": list,
        "allow_transcribed": bool,
        "allow_approximate": bool,
        "allow_non_randomised": bool,
        "allow_single_blind": bool,
    },
    "timepoint": {
        "target_weeks": (int, float),
        "earliest_weeks": (int, float),
        "latest_weeks": (int, float),
    },
    "pooling": {
        "tau2_method": str,
        "ci_method_two_trials": str,
        "ci_method_more_trials": str,
        "pi_method": str,
        "level": (int, float),
    },
    "rounding": {"largest_se_error": (int, float)},
    "correlation": {"within_person": (int, float), "low": (int, float), "high": (int, float)},
    "next_trial": {"people": list, "probability": (int, float)},
    "bayes": bayes_choices.SECTION,
}
SCALE: dict[str, type | tuple[type, ...]] = {
    "minimum": (int, float),
    "maximum": (int, float),
    "unit": str,
    "minimal_important_difference": (int, float),
}
# The choices of page 92 are read by evidence/dose_trial.py.
OTHER_SECTIONS = ("certainty", "scale", "outcome_group", "sensitivity", "multiverse", "dose")


@dataclass(frozen=True)
class Selection:
    """Which of a trial's candidate effects may enter a pool, in which order."""

    analysis_sets: tuple[str, ...]
    read_from: tuple[str, ...]
    allow_transcribed: bool
    allow_approximate: bool
    allow_non_randomised: bool
    allow_single_blind: bool
    target_weeks: float
    earliest_weeks: float
    latest_weeks: float


@dataclass(frozen=True)
class Model:
    """How a pool is computed; ``ci_method`` None leaves it to the number of trials."""

    tau2_method: str
    ci_method: str | None
    ci_method_two_trials: str
    ci_method_more_trials: str
    pi_method: str
    level: float

    def interval(self, k: int) -> str:
        """Interval method for a pool of k trials."""
        if self.ci_method is not None:
            return self.ci_method
        return self.ci_method_two_trials if k <= TWO_TRIALS else self.ci_method_more_trials


@dataclass(frozen=True)
class Scale:
    """A common range for the instruments of one construct."""

    minimum: float
    maximum: float
    unit: str
    minimal_important_difference: float


class Variant(NamedTuple):
    """The main choices, or a named departure from them."""

    name: str
    selection: Selection
    model: Model


@dataclass(frozen=True)
class Protocol:
    """Everything ``protocol.toml`` states."""

    selection: Selection
    model: Model
    largest_se_error: float
    correlation: float
    scales: dict[str, Scale]
    outcome_groups: dict[str, tuple[str, ...]]
    certainty: CertaintyChoices
    bayes: bayes_choices.BayesChoices
    sensitivities: tuple[Variant, ...] = ()
    nodes: tuple[Node, ...] = ()
    next_people: tuple[int, ...] = ()
    next_probability: float = math.nan

    def __repr__(self) -> str:
        """Return one line: how effects are pooled, and how much is varied."""
        return protocol_line(self)

    def _repr_html_(self) -> str:
        """Return every choice, the named departures and the nodes."""
        return protocol_html(self)

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The main choices and every named departure, in the order of the file."""
        return (Variant(MAIN, self.selection, self.model), *self.sensitivities)

    def changed(self, **options: Any) -> Protocol:
        """Return the same protocol with some main choices replaced.

        Sensitivities stay departures from the protocol as it is written: their names say so.

        Parameters
        ----------
        **options
            Fields of ``Selection`` or ``Model``; None leaves a choice as it is.

        Returns
        -------
        Protocol

        Raises
        ------
        ArgumentError
            If an option is not a choice of the protocol.
        """
        given = {name: value for name, value in options.items() if value is not None}
        main = departed(Variant("options", self.selection, self.model), given)
        return replace(self, selection=main.selection, model=main.model)

    def check_words(self, dictionary: Dictionary) -> None:
        """Hold that every ranking ranks exactly the words of the data dictionary.

        A word that the protocol misspells would rank last, behind every other, unnoticed.

        Raises
        ------
        ArgumentError
            If a word is missing, unknown or given twice.
        """
        columns = {str(f["name"]): f for f in dictionary.tables["contrasts"].fields}
        for variant in self.variants:
            for name, column in (("analysis_sets", "analysis_set"), ("read_from", "read_from")):
                ranked = getattr(variant.selection, name)
                known = columns[column]["constraints"]["enum"]
                if sorted(ranked) != sorted(known):
                    wrong = ", ".join(sorted(set(ranked) ^ set(known))) or "a word given twice"
                    message = (
                        f"{variant.name}: {name} must rank every {column} of datapackage.json "
                        f"once; wrong: {wrong}; allowed: {', '.join(known)}"
                    )
                    raise ArgumentError(message)


def load_protocol(path: str | Path | None = None) -> Protocol:
    """Read ``protocol.toml``.

    Parameters
    ----------
    path : str or Path, optional
        The file, or the folder that holds it; ``data/raw`` by default.

    Returns
    -------
    Protocol

    Raises
    ------
    ArgumentError
        If a choice is missing, unknown or of the wrong type.
    FileNotFoundError
        If there is no such file.
    """
    file = paths.raw_data() if path is None else Path(path)
    if file.is_dir():
        file = file / "protocol.toml"
    try:
        stated = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        message = f"{file.name} is no TOML: {error}; correct it, or restore it from git"
        raise ArgumentError(message) from error
    check_names(file.name, stated, required=SECTIONS, optional=OTHER_SECTIONS)
    part = {name: section(name, stated[name], choices) for name, choices in SECTIONS.items()}
    main = Variant(
        MAIN,
        Selection(**{n: _frozen(v) for n, v in (part["selection"] | part["timepoint"]).items()}),
        Model(**part["pooling"], ci_method=None),
    )
    scales = {
        name: Scale(**section(f"scale.{name}", scale, SCALE))
        for name, scale in stated.get("scale", {}).items()
    }
    return Protocol(
        selection=main.selection,
        model=main.model,
        largest_se_error=part["rounding"]["largest_se_error"],
        correlation=part["correlation"]["within_person"],
        scales=scales,
        outcome_groups={
            name: tuple(constructs) for name, constructs in stated.get("outcome_group", {}).items()
        },
        certainty=read_certainty(
            stated.get("certainty", {}),
            scales=scales,
            outcome_groups=stated.get("outcome_group", {}),
        ),
        bayes=bayes_choices.bayes_choices(part["bayes"]),
        sensitivities=tuple(_sensitivity(main, entry) for entry in stated.get("sensitivity", [])),
        next_people=tuple(part["next_trial"]["people"]),
        next_probability=part["next_trial"]["probability"],
        nodes=read_nodes(
            stated.get("multiverse", {}),
            lambda place, changes: departed(main._replace(name=place), changes),
        ),
    )


def _sensitivity(main: Variant, entry: Mapping[str, Any]) -> Variant:
    if "name" not in entry:
        message = "sensitivity: 'name' is missing; say in a few words what it changes"
        raise ArgumentError(message)
    options = {name: value for name, value in entry.items() if name != "name"}
    return departed(main._replace(name=str(entry["name"])), options)


def departed(main: Variant, options: Mapping[str, Any]) -> Variant:
    """Return the same choices, but for those that the options name.

    Raises
    ------
    ArgumentError
        If an option is no field of Selection or Model, or of the wrong type.
    """
    of_selection = {f.name for f in fields(Selection)}
    of_model = {f.name for f in fields(Model)}
    unknown = sorted(set(options) - of_selection - of_model)
    if unknown:
        allowed = ", ".join(sorted(of_selection | of_model))
        message = f"{main.name}: unknown choice {', '.join(unknown)}; allowed: {allowed}"
        raise ArgumentError(message)
    kinds = {name: kind for choices in SECTIONS.values() for name, kind in choices.items()}
    for name, value in options.items():
        check_type(f"{main.name}: {name}", _thawed(value), kinds.get(name, str))
    frozen = {name: _frozen(value) for name, value in options.items()}
    return main._replace(
        selection=replace(
            main.selection, **{n: v for n, v in frozen.items() if n in of_selection}
        ),
        model=replace(main.model, **{n: v for n, v in frozen.items() if n in of_model}),
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _thawed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
