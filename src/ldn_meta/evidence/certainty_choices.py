"""The stated rules of GRADE: section [certainty] of the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.stated import NUMBER, check_names, check_type, section

if TYPE_CHECKING:
    from ldn_meta.evidence.load import Evidence

WHERE = "certainty"
PARTS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "risk_of_bias": {"share_of_weight": NUMBER},
    "inconsistency": {"i2_serious_pct": NUMBER, "i2_very_serious_pct": NUMBER},
    "indirectness": {
        "share_of_weight": NUMBER,
        "shortest_weeks": NUMBER,
        "surrogate_domains": list,
        "surrogate_constructs": list,
        "dose_mg_per_day": dict,
    },
    "imprecision": {
        "alpha": NUMBER,
        "power": NUMBER,
        "ratio_low": NUMBER,
        "ratio_high": NUMBER,
        "per_1000": NUMBER,
        "far_below": NUMBER,
        "people_without_estimate": NUMBER,
    },
    "size": {
        "moderate_in_mids": NUMBER,
        "large_in_mids": NUMBER,
        "moderate_ratio_low": NUMBER,
        "moderate_ratio_high": NUMBER,
        "large_ratio_low": NUMBER,
        "large_ratio_high": NUMBER,
    },
}
OF_SCALE: dict[str, type | tuple[type, ...]] = {"unit": str, "sd": NUMBER, "sd_row": str}
MID = "minimal_important_difference"
NO_ROW = "none"
ENDS = ("low", "high")
# Numbers of each list have to rise from one to the next, from above 0 on.
RISING = (
    ("inconsistency.i2_serious_pct", "inconsistency.i2_very_serious_pct"),
    ("imprecision.ratio_low", "imprecision.ratio_high"),
    (
        "size.large_ratio_low",
        "size.moderate_ratio_low",
        "imprecision.ratio_low",
        "imprecision.ratio_high",
        "size.moderate_ratio_high",
        "size.large_ratio_high",
    ),
    ("size.moderate_in_mids", "size.large_in_mids"),
    ("imprecision.per_1000",),
    ("indirectness.shortest_weeks",),
    ("imprecision.people_without_estimate",),
)
SHARES = (
    "risk_of_bias.share_of_weight",
    "indirectness.share_of_weight",
    "imprecision.alpha",
    "imprecision.power",
    "imprecision.far_below",
)


@dataclass(frozen=True)
class RatedScale:
    """What is known of a scale: a difference that matters, and the spread between people."""

    unit: str
    minimal_important_difference: float
    sd: float
    sd_row: str


@dataclass(frozen=True)
class CertaintyChoices:
    """Everything the section [certainty] states.

    Attributes
    ----------
    also_rated : tuple of str
        Outcome groups rated beside the main outcome.
    numbers : dict of str to float
        Thresholds by "part.name", such as "imprecision.alpha".
    surrogate_domains, surrogate_constructs : tuple of str
        Outcomes that stand for others.
    doses : dict of str to (float, float)
        Lowest and highest target dose that answers the question, mg a day, by intervention.
    scales : dict of str to RatedScale
        By construct.
    """

    also_rated: tuple[str, ...]
    numbers: dict[str, float]
    surrogate_domains: tuple[str, ...]
    surrogate_constructs: tuple[str, ...]
    doses: dict[str, tuple[float, float]]
    scales: dict[str, RatedScale]

    def __getitem__(self, name: str) -> float:
        """Return a threshold by "part.name"."""
        return self.numbers[name]

    def check_against(self, evidence: Evidence) -> None:
        """Hold that SDs are those of their source rows, and that every drug has its doses.

        Raises
        ------
        ArgumentError
            If a row does not exist or has another SD, or an intervention has no doses.
        """
        asked = set(evidence.text["indications"]["intervention"])
        if not asked <= set(self.doses):
            missing = ", ".join(sorted(asked - set(self.doses)))
            message = (
                f"{WHERE}.indirectness.dose_mg_per_day: {missing} has no doses; add "
                "[lowest, highest], spelt as the intervention in indications.csv"
            )
            raise ArgumentError(message)
        for name, scale in self.scales.items():
            table, _, row_id = scale.sd_row.partition(":")
            if scale.sd_row == NO_ROW:
                continue
            rows = evidence.tables.get(table)
            found = [] if rows is None else rows.loc[rows["row_id"] == row_id, "sd"].to_list()
            if found != [scale.sd]:
                there = f"its SD is {found[0]}" if found else "there is no such row"
                message = (
                    f"{WHERE}.scale.{name}.sd: {scale.sd:g} is said to be the SD of "
                    f"{scale.sd_row}, but {there}; correct sd or sd_row, or write "
                    f"sd_row = {NO_ROW!r} and the reason"
                )
                raise ArgumentError(message)


def read_certainty(
    stated: Mapping[str, Any],
    *,
    scales: Mapping[str, Any],
    outcome_groups: Mapping[str, Any],
) -> CertaintyChoices:
    """Read the section [certainty].

    Parameters
    ----------
    stated : mapping
        The section as TOML gives it.
    scales : mapping of str to object
        Scales of the protocol; where one states a ``minimal_important_difference``, the scale
        of this section must not state another.
    outcome_groups : mapping of str to object
        Outcome groups of the protocol.

    Returns
    -------
    CertaintyChoices

    Raises
    ------
    ArgumentError
        If a choice is missing, unknown, of the wrong type, out of order or out of range.
    """
    kinds = {"also_rated": list, **dict.fromkeys((*PARTS, "scale"), dict)}
    check_names(WHERE, stated, required=kinds, optional=("reason",))
    for name, kind in kinds.items():
        check_type(f"{WHERE}.{name}", stated[name], kind)
    parts = {n: section(f"{WHERE}.{n}", stated[n], choices) for n, choices in PARTS.items()}
    numbers = {
        f"{part}.{name}": float(value)
        for part, choices in parts.items()
        for name, value in choices.items()
        if isinstance(value, NUMBER)
    }
    _check_numbers(numbers)
    unknown = [name for name in stated["also_rated"] if name not in outcome_groups]
    if unknown:
        allowed = ", ".join(outcome_groups)
        message = f"{WHERE}.also_rated: {unknown[0]!r} is no outcome group; allowed: {allowed}"
        raise ArgumentError(message)
    indirect = parts["indirectness"]
    return CertaintyChoices(
        also_rated=tuple(stated["also_rated"]),
        numbers=numbers,
        surrogate_domains=tuple(indirect["surrogate_domains"]),
        surrogate_constructs=tuple(indirect["surrogate_constructs"]),
        doses={name: _ends(name, pair) for name, pair in indirect["dose_mg_per_day"].items()},
        scales={name: _scale(name, entry, scales) for name, entry in stated["scale"].items()},
    )


def _check_numbers(numbers: Mapping[str, float]) -> None:
    for names in RISING:
        values = [numbers[name] for name in names]
        if values[0] <= 0 or any(a >= b for a, b in pairwise(values)):
            shown = ", ".join(f"{n} = {v:g}" for n, v in zip(names, values, strict=True))
            message = f"{WHERE}: {shown}; allowed: above 0 and rising in this order"
            raise ArgumentError(message)
    for name in SHARES:
        if not 0 < numbers[name] < 1:
            message = (
                f"{WHERE}.{name}: {numbers[name]:g} is not allowed; allowed: above 0, below 1"
            )
            raise ArgumentError(message)


def _ends(name: str, pair: Any) -> tuple[float, float]:
    is_pair = isinstance(pair, list) and len(pair) == len(ENDS)
    if not is_pair or not all(isinstance(end, NUMBER) for end in pair) or pair[0] > pair[1]:
        message = (
            f"{WHERE}.indirectness.dose_mg_per_day.{name}: {pair!r} is not allowed; "
            "allowed: [lowest, highest]"
        )
        raise ArgumentError(message)
    return float(pair[0]), float(pair[1])


def _scale(name: str, entry: Mapping[str, Any], scales: Mapping[str, Any]) -> RatedScale:
    where = f"{WHERE}.scale.{name}"
    common = scales.get(name)
    wanted = OF_SCALE if common is not None else {**OF_SCALE, MID: NUMBER}
    values = section(where, entry, wanted)
    mid = float(values[MID] if common is None else common.minimal_important_difference)
    if common is not None and common.unit != values["unit"]:
        message = f"{where}.unit: {values['unit']!r} is not allowed; allowed: {common.unit!r}"
        raise ArgumentError(message)
    for what, value in ((MID, mid), ("sd", float(values["sd"]))):
        if value <= 0:
            message = f"{where}.{what}: {value:g} is not allowed; allowed: above 0"
            raise ArgumentError(message)
    return RatedScale(values["unit"], mid, float(values["sd"]), values["sd_row"])
