"""The numbers behind the page of results that were not pooled, as facts.json files them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ldn_meta.display.swim_sentences import SMALL_P, smallest_p
from ldn_meta.evidence.swim import GroupSynthesis

if TYPE_CHECKING:
    from ldn_meta.display.pages.without_pooling import WithoutPoolingPage
    from ldn_meta.stats.combined_p import CombinedP
    from ldn_meta.stats.swim import SignTest


def synthesis_facts(page: WithoutPoolingPage) -> dict[str, Any]:
    """Numbers behind the sentences of the page, by outcome group."""
    return {
        "headline": str(page.headline),
        "sentence": str(page.sentence),
        "comparator_class": page.comparator_class,
        "comparative_studies": len(page.studies),
        "groups": {group.group: _group(group) for group in page.groups},
        "p_below": SMALL_P,
        "swim": dict(zip(page.swim.frame["item"], page.swim.frame["answer"], strict=True)),
    }


def _group(group: GroupSynthesis) -> dict[str, Any]:
    values: dict[str, Any] = {
        "synthesis": group.synthesis,
        "pooled": list(group.pooled_labels),
        "studies": list(group.results["study_label"]),
        "not_counted": group.reasons,
    }
    if not len(group.counted):
        return values
    votes, found = group.votes, group.p_values
    return {
        **values,
        "counted": len(group.counted),
        "known": int(group.counted["sign"].notna().sum()),
        "unknown": list(votes.unknown["study_label"]),
        "sign_test": _test(votes.test),
        "unknown_all_against": _test(votes.if_against),
        "unknown_all_for": _test(votes.if_for),
        "all_comparative": _test(group.all_votes.test),
        "p_values": len(found.usable),
        "p_bounds": len(found.bounds),
        "p_without_side": len(found.sideless),
        "is_weighted_by_people": found.is_weighted,
        "fisher": _combined(found.fisher),
        "fisher_against": _combined(found.fisher_against),
        "stouffer": _combined(found.stouffer),
        "fisher_either_side": _combined(found.fisher_either_side),
        **(
            {"fisher_without_smallest": _combined(found.fisher_without_leading)}
            if len(found.usable) > 1
            else {}
        ),
    }


def _test(test: SignTest) -> dict[str, Any]:
    return {
        "n_for": test.n_for,
        "n_against": test.n_against,
        "n_ties": test.n_ties,
        "n": test.n_for + test.n_against,
        "p_value": test.p_value,
        "smallest_p": smallest_p(test),
        "share": test.share,
        "wilson": [test.wilson_low, test.wilson_high],
        "exact": [test.exact_low, test.exact_high],
    }


def _combined(combined: CombinedP) -> dict[str, Any]:
    return {"k": combined.k, "p_low": combined.p_low, "p_high": combined.p_high}
