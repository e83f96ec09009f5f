"""Risk of bias of studies, read from the judgements on file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.errors import ArgumentError
from ldn_meta.files import TO_DO

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.tables import Evidence


RISK_OF_BIAS = "risk_of_bias"
NOBODY = "nobody yet"
# Studies that are judged, by what they are eligible for.
ELIGIBLE = ("contrast", "single-arm")
OVERALL = "overall"
# Said of an item that cannot be asked of a study; it weighs nothing.
NOT_APPLICABLE = "not applicable"
# Said where the text that was read does not answer and others of the study were not read: that
# something was not read is no sign that it was not done.
NOT_READABLE = "not readable here"
# Said where a whole report was read and does not tell.
NOT_TOLD = ("unclear", "no information")


@dataclass(frozen=True)
class Domain:
    """One question of a tool: its name in the table and its head in figures."""

    head: str
    name: str


@dataclass(frozen=True)
class Tool:
    """One tool."""

    name: str
    family: str
    label: str
    domains: tuple[Domain, ...]
    ranks: dict[str, int]
    allows_not_applicable: bool = False

    @property
    def domain_names(self) -> list[str]:
        """Names of the domains in order, then "overall"."""
        return [domain.name for domain in self.domains] + [OVERALL]

    def judgements(self, domain: str) -> list[str]:
        """Words that may answer a domain, from the least concern to the most."""
        extra = [NOT_APPLICABLE] if self.allows_not_applicable and domain != OVERALL else []
        return [*self.ranks, *extra]

    def least_overall(self, judgements: Iterable[str]) -> str | None:
        """Give the best overall judgement that the domains allow: that of the worst domain.

        For RoB 2 this is the algorithm of Sterne 2019 (Table 1): low if every domain is low,
        high if any is high; that several "some concerns" may add up to high is left to people.
        For ROBINS-I it is that of Sterne 2016 (Table 2), in which "no information" outweighs
        "moderate" and is outweighed by "serious". The JBI checklists have no rule; this one is
        the project's, as is the place of what could not be read: worse than low, for nobody knows,
        and outweighed by every known concern.
        """
        ranked = [word for word in judgements if word in self.ranks]
        return max(ranked, key=self.ranks.__getitem__, default=None)


_D1 = Domain("D1", "randomisation process")
_DS = Domain("DS", "period and carryover effects")
_D2_TO_D5 = (
    Domain("D2", "deviations from intended interventions"),
    Domain("D3", "missing outcome data"),
    Domain("D4", "measurement of the outcome"),
    Domain("D5", "selection of the reported result"),
)
_ROB2_RANKS = {"low": 0, NOT_READABLE: 1, "some concerns": 2, "high": 3}
_JBI_RANKS = {"yes": 0, NOT_READABLE: 1, "unclear": 2, "no": 3}


def _numbered(letter: str, *names: str) -> tuple[Domain, ...]:
    return tuple(Domain(f"{letter}{place}", name) for place, name in enumerate(names, 1))


# Tools that judge a study against the randomised trial it stands for.
AGAINST_A_TRIAL = ("ROBINS-I",)
# Sterne 2019 (BMJ 366:l4898) and its variant for crossover trials; Sterne 2016 (BMJ 355:i4919);
# checklists of JBI for case series (Munn 2020) and case reports. Domain names in our words.
TOOLS = {
    tool.name: tool
    for tool in (
        Tool("RoB 2", "RoB 2", "RoB 2 for trials", (_D1, *_D2_TO_D5), _ROB2_RANKS),
        Tool(
            "RoB 2 crossover",
            "RoB 2",
            "RoB 2 for crossover trials",
            (_D1, _DS, *_D2_TO_D5),
            _ROB2_RANKS,
        ),
        Tool(
            "ROBINS-I",
            "ROBINS-I",
            "ROBINS-I, comparisons that were not randomised",
            _numbered(
                "D",
                "confounding",
                "selection of participants",
                "classification of interventions",
                "deviations from intended interventions",
                "missing data",
                "measurement of outcomes",
                "selection of the reported result",
            ),
            {
                **{"low": 0, NOT_READABLE: 1, "moderate": 2},
                **{"no information": 3, "serious": 4, "critical": 5},
            },
        ),
        Tool(
            "JBI case series",
            "JBI case series",
            "JBI checklist for case series, groups without a comparison",
            _numbered(
                "Q",
                "inclusion criteria clear",
                "condition measured the same way in all",
                "condition identified by a valid method",
                "consecutive inclusion",
                "complete inclusion",
                "demographics reported",
                "clinical information reported",
                "outcomes reported",
                "site described",
                "statistical analysis appropriate",
            ),
            _JBI_RANKS,
            allows_not_applicable=True,
        ),
        Tool(
            "JBI case report",
            "JBI case report",
            "JBI checklist for case reports",
            _numbered(
                "Q",
                "demographics described",
                "history described",
                "condition at presentation described",
                "diagnostic tests described",
                "treatment described",
                "condition after treatment described",
                "harms described",
                "lessons stated",
            ),
            _JBI_RANKS,
            allows_not_applicable=True,
        ),
    )
}


def fitting_tool(design: str, *, is_randomised: str, eligible_for: str) -> str:
    """Name the tool that fits a study; see docs/decisions.md for why these."""
    if eligible_for == "single-arm":
        return "JBI case report" if design == "case report" else "JBI case series"
    if is_randomised == "no":
        return "ROBINS-I"
    return "RoB 2 crossover" if design == "crossover" else "RoB 2"


def overall_judgements(evidence: Evidence) -> dict[str, str]:
    """Overall judgement of every study that has one."""
    rows = evidence.text[RISK_OF_BIAS]
    judged = rows[(rows["domain"] == OVERALL) & (rows["judgement"] != TO_DO)]
    return dict(zip(judged["study_id"], judged["judgement"], strict=True))


RANDOMISED = "RoB 2"
REASON_COLUMNS = (
    "study_id",
    "study_label",
    "tool",
    "head",
    "domain",
    "judgement",
    "reason",
    "judged_by",
    "reported_in",
    "read_in",
    "locator",
    "read_from",
    "note",
)


def bias_frame(evidence: Evidence, study_ids: Sequence[str]) -> pd.DataFrame:
    """Judgements as a table of dots: one row a study, one column a domain.

    Studies judged with one family of tools get its domains. If families meet, those of RoB 2
    are shown, and the others have only their overall judgement; without any trial of RoB 2 the
    overall judgement is all that can stand side by side.
    """
    import pandas as pd

    _known(evidence, study_ids)
    rows = evidence.text[RISK_OF_BIAS]
    judged = rows.set_index(["study_id", "domain"])["judgement"].to_dict()
    tool_of = dict(zip(rows["study_id"], rows["tool"], strict=True))
    domains = shown_domains(evidence, study_ids)

    def cell(study_id: str, domain: Domain) -> str:
        tool = TOOLS.get(tool_of.get(study_id, ""))
        if tool is not None and domain not in tool.domains:
            return NOT_APPLICABLE
        return str(judged.get((study_id, domain.name), TO_DO))

    return pd.DataFrame(
        [
            [*(cell(study, domain) for domain in domains), judged.get((study, OVERALL), TO_DO)]
            for study in study_ids
        ],
        columns=[*(domain.head for domain in domains), OVERALL],
        dtype="str",
    )


def shown_domains(evidence: Evidence, study_ids: Sequence[str]) -> list[Domain]:
    """Domains that the columns of ``bias_frame`` stand for, without the overall judgement."""
    rows = evidence.text[RISK_OF_BIAS]
    used = set(rows.loc[rows["study_id"].isin(list(study_ids)), "tool"])
    families = {TOOLS[name].family for name in used}
    family = families.pop() if len(families) == 1 else RANDOMISED
    tools = [tool for tool in TOOLS.values() if tool.name in used and tool.family == family]
    # The tool with the most domains has those of its family, in order.
    return max((list(tool.domains) for tool in tools), key=len, default=[])


def bias_reasons(evidence: Evidence, study_ids: Sequence[str] | None = None) -> pd.DataFrame:
    """Every judgement with its reason, domain by domain in the order of the tool."""
    studies = evidence.text["studies"]
    if study_ids is None:
        study_ids = _eligible(studies)
    _known(evidence, study_ids)
    labels = dict(zip(studies["study_id"], studies["label"], strict=True))
    study_place = {name: place for place, name in enumerate(study_ids)}
    rows = evidence.text[RISK_OF_BIAS]
    rows = rows[rows["study_id"].isin(list(study_place))]
    heads = {
        (tool.name, name): (place, head)
        for tool in TOOLS.values()
        for place, (name, head) in enumerate(
            [*((domain.name, domain.head) for domain in tool.domains), (OVERALL, OVERALL)]
        )
    }
    of_row = [heads[key] for key in zip(rows["tool"], rows["domain"], strict=True)]
    return (
        rows.assign(
            study_label=rows["study_id"].map(labels),
            head=[head for _, head in of_row],
            study_place=rows["study_id"].map(study_place),
            domain_place=[place for place, _ in of_row],
        )
        .sort_values(["study_place", "domain_place"], kind="stable")
        .reset_index(drop=True)[list(REASON_COLUMNS)]
    )


def _eligible(studies: pd.DataFrame) -> list[str]:
    place = {use: rank for rank, use in enumerate(ELIGIBLE)}
    kept = studies[studies["eligible_for"].isin(ELIGIBLE)]
    order = kept.assign(place=kept["eligible_for"].map(place))
    return list(order.sort_values(["place", "year", "study_id"], kind="stable")["study_id"])


def _known(evidence: Evidence, study_ids: Sequence[str]) -> None:
    """Refuse keys that are no study."""
    known = set(evidence.text["studies"]["study_id"])
    strangers = [name for name in study_ids if name not in known]
    if strangers:
        message = f"study_ids holds {', '.join(map(repr, strangers))}: no such study_id in studies"
        raise ArgumentError(message)
