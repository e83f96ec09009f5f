"""Claims of reviews about themselves: how many trials and people they cover."""

from __future__ import annotations

import math
from itertools import combinations, product

from ldn_meta.evidence.candidates import Row, number, plain_rows
from ldn_meta.evidence.claim_findings import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    Finding,
    finding,
    listed,
)
from ldn_meta.evidence.claim_material import SIZES, Material, printed_numbers
from ldn_meta.stats.counts import counts_from_percent

# More ways than this to add up are not written out.
SHOWN_WAYS = 3


def trials_on_file(claim: Row, material: Material, argument: str) -> Finding:
    """Count the randomised comparisons on file up to the year of a review.

    Verdict: supported with caveats if the review counts as many (its own list was not seen);
    cannot be tested if it counts more or fewer, for its rules may differ from ours, or if its
    year is not known.
    """
    source = material.sources[claim["claimed_in"]]
    year = number(source["year"])
    k = number(claim["k"])
    until = year if not math.isnan(year) else math.inf
    studies = material.randomised(str(claim["indication_id"]), until=until)
    fits = len(studies) == k and not math.isnan(year)
    beside = [
        str(study["label"])
        for study in material.context.studies.values()
        if study["indication_id"] == claim["indication_id"]
        and study["eligible_for"] == "contrast"
        and not study["is_randomised"]
        and number(study["year"]) <= until
    ]
    return finding(
        WITH_CAVEATS if fits else CANNOT_BE_TESTED,
        "The review counts {k:n}. Randomised comparisons {when} on file: {on_file:n} "
        "({names}){beside}. Which ones the review counts was not seen.",
        k=k,
        on_file=len(studies),
        when="up to its year" if not math.isnan(year) else "of any year",
        names=listed(str(study["label"]) for study in studies),
        beside=f", beside {listed(beside)}, not randomised" if beside else "",
    )


def sizes_add_up(claim: Row, material: Material, argument: str) -> Finding:
    """Find which trials on file, at which of their sizes, add up to the people of a review.

    Every comparative trial up to the year of the review is tried, randomised or not, with every
    size that any source gives, and, in a factorial trial, its first two arms alone.

    Verdict: supported with caveats if some choice adds up (the list was not seen); cannot be
    tested otherwise, for the review may have sizes that are not on file.
    """
    year = number(material.sources[claim["claimed_in"]]["year"])
    k, people = int(number(claim["k"])), number(claim["n"])
    sizes = {
        str(study["label"]): _sizes(material, study)
        for study in material.context.studies.values()
        if study["indication_id"] == claim["indication_id"]
        and study["eligible_for"] == "contrast"
        and number(study["year"]) <= year
    }
    sizes = {label: found for label, found in sizes.items() if found}
    fitting = [
        list(zip(labels, choice, strict=True))
        for labels in combinations(sizes, k)
        for choice in product(*(sorted(sizes[label]) for label in labels))
        if sum(choice) == people
    ]
    ways = ["; ".join(f"{label} {n:g}" for label, n in way) for way in fitting]
    return finding(
        WITH_CAVEATS if fitting else CANNOT_BE_TESTED,
        "{trials:n} comparative trials up to its year are on file. {ways:n} ways to take {k:n} of "
        "them add up to {people:n} people{shown}. Which trials it took was not seen."
        if fitting
        else "{trials:n} comparative trials up to its year are on file; no {k:n} of them add "
        "up to "
        "{people:n} people at any size that a source gives.",
        trials=len(sizes),
        ways=len(fitting),
        k=k,
        people=people,
        shown=f": {' | '.join(ways)}" if len(ways) <= SHOWN_WAYS else f", such as {ways[0]}",
        **{
            f"size_{i}": n for i, n in enumerate(sorted({n for s in sizes.values() for n in s}), 1)
        },
    )


def _sizes(material: Material, study: Row) -> set[float]:
    """Sizes that sources give for a trial, also of low reliability, and of its first two arms."""
    stated = {
        number(row["value"])
        for row in plain_rows(material.evidence.tables["study_facts"])
        if row["study_id"] == study["study_id"]
        and row["fact"] in SIZES
        and row["value"] is not None
        and row["qualifier"] is None
    }
    if study["design"] == "factorial":
        arms = [
            number(arm["n_randomised"])
            for arm in material.context.arms.values()
            if arm["study_id"] == study["study_id"] and arm["group"] in (1, 2)
        ]
        stated.add(sum(arms))
    return {n for n in stated if not math.isnan(n)}


def percent_of_k(claim: Row, material: Material, argument: str) -> Finding:
    """See whether a percentage is a whole number of the studies of a review.

    Verdict: supported if it is; not supported if no whole number gives the percentage.
    """
    k, percent = int(number(claim["k"])), number(claim["estimate"])
    counts = counts_from_percent(percent, 0, k)
    return finding(
        SUPPORTED if counts else NOT_SUPPORTED,
        "{percent:n}% of {k:n} studies is {count:n} of them."
        if counts
        else "{percent:n}% is no whole number of {k:n} studies.",
        percent=percent,
        k=k,
        count=counts[0] if counts else math.nan,
    )


def same_fact(claim: Row, material: Material, argument: str) -> Finding:
    """Compare a number with what another text says about the same fact.

    Verdict: supported if both agree; if they do not, supported with caveats for the text closer
    to the paper and for two texts equally close, not supported for the other.
    """
    other = material.claims[argument]
    names = [name for name in ("k", "n") if claim[name] is not None]
    here = {name: number(claim[name]) for name in names}
    there = {name: number(other[name]) for name in names}
    agrees = here == there if names else claim["as_reported"] == other["as_reported"]
    own, others = (material.closeness(row["read_from"]) for row in (claim, other))
    differing = NOT_SUPPORTED if others < own else WITH_CAVEATS
    verdict = SUPPORTED if agrees else differing
    numbers = {
        **{f"claimed_{place}": float(t) for place, t in _places(claim["as_reported"])},
        **{f"other_{place}": float(t) for place, t in _places(other["as_reported"])},
    }
    return finding(
        verdict,
        "This text prints {here}; {where} ({tier}) prints {there} for the same fact"
        + ("." if own != others or agrees else "; neither is closer to the paper."),
        here=str(claim["as_reported"]),
        there=str(other["as_reported"]),
        where=material.source(str(other["claimed_in"])),
        tier=str(other["read_from"]),
        **numbers,
    )


def _places(text: str | None) -> list[tuple[int, str]]:
    return list(enumerate(printed_numbers(text), 1))


def sums_to(claim: Row, material: Material, argument: str) -> Finding:
    """Add up the parts that a review counts, and compare with its total.

    The parts are all claims with the same computation, but for the total itself.

    Verdict: supported if they add up; supported with caveats if they come to more, so that some
    are counted twice; not supported if they come to fewer.
    """
    total = number(material.claims[argument]["k"])
    parts = [
        number(row["k"])
        for key, row in material.claims.items()
        if row["computation"] == claim["computation"] and key != argument
    ]
    added = sum(parts)
    differing = WITH_CAVEATS if added > total else NOT_SUPPORTED
    verdict = SUPPORTED if added == total else differing
    return finding(
        verdict,
        "The {parts:n} parts that this source counts add up to {added:n}, its total is {total:n}"
        + (
            "."
            if added == total
            else "; the surplus of {more:n} means that some trials are counted more than once."
            if added > total
            else "; {more:n} are missing."
        ),
        parts=len(parts),
        added=added,
        total=total,
        more=abs(added - total),
    )
