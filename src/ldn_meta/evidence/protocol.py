"""The pre-stated analysis choices: which values enter a pool, and how it is computed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ldn_meta import paths
from ldn_meta.errors import ArgumentError

TRANSCRIBED = "transcription"


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
        return self.ci_method_two_trials if k <= 2 else self.ci_method_more_trials  # noqa: PLR2004


@dataclass(frozen=True)
class Scale:
    """A common range for the instruments of one construct."""

    minimum: float
    maximum: float
    unit: str
    minimal_important_difference: float


@dataclass(frozen=True)
class Sensitivity:
    """A named departure from the main choices."""

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
    sensitivities: tuple[Sensitivity, ...] = field(default=())

    def changed(self, **options: Any) -> Protocol:
        """Return the same protocol with some main choices replaced.

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
        selection, model = _changed(self.selection, self.model, given, "options")
        return replace(self, selection=selection, model=model)


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
        If a choice is missing or unknown.
    """
    file = paths.raw_data() if path is None else Path(path)
    if file.is_dir():
        file = file / "protocol.toml"
    stated = tomllib.loads(file.read_text(encoding="utf-8"))
    try:
        chosen, pooling, time = stated["selection"], stated["pooling"], stated["timepoint"]
        selection = Selection(
            analysis_sets=tuple(chosen["analysis_sets"]),
            read_from=tuple(chosen["read_from"]),
            allow_transcribed=chosen["allow_transcribed"],
            allow_approximate=chosen["allow_approximate"],
            allow_non_randomised=chosen["allow_non_randomised"],
            allow_single_blind=chosen["allow_single_blind"],
            target_weeks=time["target_weeks"],
            earliest_weeks=time["earliest_weeks"],
            latest_weeks=time["latest_weeks"],
        )
        model = Model(
            tau2_method=pooling["tau2_method"],
            ci_method=None,
            ci_method_two_trials=pooling["ci_method_two_trials"],
            ci_method_more_trials=pooling["ci_method_more_trials"],
            pi_method=pooling["pi_method"],
            level=pooling["level"],
        )
        scales = {
            name: Scale(
                minimum=scale["minimum"],
                maximum=scale["maximum"],
                unit=scale["unit"],
                minimal_important_difference=scale["minimal_important_difference"],
            )
            for name, scale in stated["scale"].items()
        }
        variants = []
        for entry in stated.get("sensitivity", []):
            options = {name: value for name, value in entry.items() if name != "name"}
            variants.append(
                Sensitivity(entry["name"], *_changed(selection, model, options, entry["name"]))
            )
        return Protocol(
            selection=selection,
            model=model,
            largest_se_error=stated["rounding"]["largest_se_error"],
            correlation=stated["correlation"]["within_person"],
            scales=scales,
            outcome_groups={
                name: tuple(constructs) for name, constructs in stated["outcome_group"].items()
            },
            sensitivities=tuple(variants),
        )
    except KeyError as error:
        message = f"{file.name}: {error.args[0]!r} is missing; restore it from git"
        raise ArgumentError(message) from error


def _changed(
    selection: Selection, model: Model, options: dict[str, Any], where: str
) -> tuple[Selection, Model]:
    of_selection = {f.name for f in fields(Selection)}
    of_model = {f.name for f in fields(Model)}
    unknown = set(options) - of_selection - of_model
    if unknown:
        allowed = ", ".join(sorted(of_selection | of_model))
        message = f"{where}: unknown choice {', '.join(sorted(unknown))}; allowed: {allowed}"
        raise ArgumentError(message)
    frozen = {n: tuple(v) if isinstance(v, list) else v for n, v in options.items()}
    return (
        replace(selection, **{n: v for n, v in frozen.items() if n in of_selection}),
        replace(model, **{n: v for n, v in frozen.items() if n in of_model}),
    )
