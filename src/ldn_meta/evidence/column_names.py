"""Names that other programs give to columns, and what those columns hold."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

STUDY, YEAR = "study", "year"
MEANS = ("mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")
EVENTS = ("events_1", "n_1", "events_2", "n_2")
NON_EVENTS = ("non_events_1", "non_events_2")
EFFECT = ("estimate", "variance", "se", "ci_low", "ci_high")
# Where a RevMan file says which of its analyses a row belongs to.
ANALYSIS = ("comparison_no", "outcome_no")
REVMAN = (*ANALYSIS, "subgroup_no", "data_type")
# What is read of a file whose numbers are of one kind.
USED = {
    "means": MEANS,
    "events": (*EVENTS, *NON_EVENTS),
    "effect": (*EFFECT, "n_1", "n_2"),
}
ROLES = tuple(dict.fromkeys((STUDY, YEAR, *MEANS, *EVENTS, *NON_EVENTS, *EFFECT, *REVMAN)))

_GROUPS = {
    "1": (
        *("1", "e", "exp", "experimental", "treat", "treated", "treatment", "intervention"),
        *("active", "drug", "ldn", "naltrexone"),
    ),
    "2": ("2", "c", "ctrl", "control", "comparator", "placebo"),
}
_QUANTITIES = {
    "mean": ("mean", "m"),
    "sd": ("sd", "std", "stddev", "standarddeviation"),
    "n": ("n", "total", "samplesize"),
    "events": ("event", "events", "cases", "responders"),
}
# One letter for the group beside one letter for the quantity reads as something else ("se").
_SHORTEST = 3
_OTHERS = {
    STUDY: (
        *("study", "studies", "name", "author", "authors", "slab", "studlab", "trial", "label"),
        *("studyid", "studyorsubgroup", "studylabel", "studyname", "firstauthor", "study_id"),
    ),
    YEAR: ("year", "studyyear", "yearofstudy", "pubyear", "publicationyear"),
    "mean_1": ("m1i",),
    "sd_1": ("sd1i",),
    "n_1": ("n1i", "n1", "ne"),
    "mean_2": ("m2i",),
    "sd_2": ("sd2i",),
    "n_2": ("n2i", "n2", "nc"),
    "events_1": ("ai", "x1i"),
    "events_2": ("x2i",),
    "non_events_1": ("bi",),
    "non_events_2": ("di",),
    "estimate": (
        *("yi", "te", "effectestimate", "effectsize", "effect", "es", "estimate", "givmean"),
        *("md", "smd", "meandifference", "hedgesg", "cohensd"),
    ),
    "variance": ("vi", "var", "variance"),
    "se": ("sei", "se", "sete", "stderr", "standarderror", "givse"),
    "ci_low": ("cilow", "cilb", "cilower", "lower", "lowerci", "cistart", "lcl", "ll", "lci"),
    "ci_high": ("cihigh", "ciub", "ciupper", "upper", "upperci", "ciend", "ucl", "ul", "uci"),
    "comparison_no": ("comparisonnumber", "analysisgroup"),
    "outcome_no": ("outcomenumber", "analysisnumber"),
    "subgroup_no": ("subgroupnumber",),
    "data_type": ("datatype",),
}
# Columns that are known and hold nothing that the raw tables keep.
_COMPUTED = "computed by the program that wrote the file"
_SETTING = "a setting of the program that wrote the file"
_WORDS = "words about the analysis, the study or the figure"
NOT_KEPT = {
    **dict.fromkeys(
        (
            *("weight", "q", "pq", "i2", "iq", "i2q", "tau2", "tau", "z", "pz", "qint", "pqint"),
            *("i2qint", "df", "p", "pval", "pvalue", "zval", "zi"),
        ),
        _COMPUTED,
    ),
    **dict.fromkeys(
        (
            *("statisticalmethod", "effectmeasure", "analysismodel", "totals", "userdefinedorder"),
            *("studyconfidenceinterval", "totalconfidenceinterval", "testforsubgroupdifferences"),
            *("swapeventandnonevent", "entereddataareonlogscale", "enternumberofparticipants"),
            *("applicability", "estimable", "measure"),
        ),
        _SETTING,
    ),
    **dict.fromkeys(
        (
            *("subgroup", "footnotes", "analysisname", "grouplabel1", "grouplabel2"),
            *("leftgraphlabel", "rightgraphlabel", "experimentalgrouplabel"),
            *("controlgrouplabel", "comment", "comments", "notes"),
        ),
        _WORDS,
    ),
    "oe": "observed minus expected, which no table here has a column for",
    "variance": "the variance of observed minus expected",
    "mean": "a mean that does not say of which group",
}


def _spelt() -> dict[str, str]:
    names = {}
    for quantity, words in _QUANTITIES.items():
        for group, places in _GROUPS.items():
            for word, place in itertools.product(words, places):
                if len(word + place) >= _SHORTEST or quantity == "n":
                    names[word + place] = names[place + word] = f"{quantity}_{group}"
    names |= {name: role for role, some in _OTHERS.items() for name in some}
    # "m2", "sd2": numbers are no letters that could be read as a word.
    return names | {"m1": "mean_1", "m2": "mean_2"}


_ROLE_OF = _spelt()


@dataclass(frozen=True)
class Columns:
    """What the columns of a foreign table hold.

    Attributes
    ----------
    place : dict of str to int
        Position of the column by role.
    name : dict of str to str
        Its name by role.
    not_placed : dict of str to str
        Reason by name, for every other column.
    problems : tuple of str
        Why the table cannot be read: two columns for one role, unknown names given by hand.
    """

    place: dict[str, int]
    name: dict[str, str]
    not_placed: dict[str, str]
    problems: tuple[str, ...]

    def has(self, roles: Iterable[str]) -> bool:
        """Whether there is a column for every role."""
        return all(role in self.place for role in roles)


def recognise(header: Sequence[str], named: Mapping[str, str]) -> Columns:
    """Find what every column of a foreign table holds.

    Known are the names of metafor (m1i, sd1i, n1i, ..., ai, n1i, ci, n2i, yi, vi, sei), of the
    R package meta, of the exports of RevMan 5 and RevMan Web, and of spreadsheets.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    named : mapping of str to str
        Column by role, as the user says; goes before the names.

    Returns
    -------
    Columns
    """
    problems = [
        f"{role}={column}: no such {'role' if role not in ROLES else 'column'}; there are "
        f"{', '.join(ROLES if role not in ROLES else header)}"
        for role, column in named.items()
        if role not in ROLES or column not in header
    ]
    keys = [plain_name(name) for name in header]
    found: dict[str, list[int]] = {}
    not_placed: dict[str, str] = {}
    by_hand = set(named.values())
    for place, (name, key) in enumerate(zip(header, keys, strict=True)):
        role = _role(key, keys)
        if name in by_hand:
            continue
        if role is None or role in named:
            unknown = "unknown name; say what it holds with --column ROLE=NAME"
            reason = "another column was named for it" if role else NOT_KEPT.get(key, unknown)
            not_placed[name] = reason
        else:
            found.setdefault(role, []).append(place)
    for role, places in found.items():
        if len(places) > 1:
            names = ", ".join(repr(header[place]) for place in places)
            problems.append(f"{names} could all be {role}; say which with --column {role}=NAME")
    by_role = {role: places[0] for role, places in found.items()}
    if keys[by_role.get("estimate", 0)] == "givmean":
        # RevMan Web: a logarithm where the measure is a ratio, beside limits that are none.
        for role in {"ci_low", "ci_high"} & set(by_role):
            not_placed[header[by_role.pop(role)]] = "not on the scale of GIV Mean"
    by_role |= {role: header.index(name) for role, name in named.items() if name in header}
    name_of = {role: header[place] for role, place in by_role.items()}
    return Columns(by_role, name_of, not_placed, tuple(problems))


def _role(key: str, keys: Sequence[str]) -> str | None:
    if key == "ci" and "ai" in keys:
        # metafor's 2x2 table; alone, "ci" would be an interval.
        return "events_2"
    if key == "variance" and "oe" in keys:
        # RevMan's variance of O-E is not that of an effect.
        return None
    return _ROLE_OF.get(key)


def plain_name(name: str) -> str:
    """A name without what writers vary: case, blanks, points, strokes; superscripts as digits."""
    plain = name.casefold().replace("\u00b2", "2")
    return re.sub(r"[^a-z0-9]+", "", plain)
