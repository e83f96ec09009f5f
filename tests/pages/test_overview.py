"""Page 90 on the real evidence."""

import ldn_meta as lm
from builders import REPORTED
from pool_calls import pool_calls


def test_the_overview_pools_nothing_twice_and_says_what_the_pages_say(effect_page):
    with pool_calls() as pooled:
        page = lm.overview()
        told = dict(
            zip(page.answers.frame["condition"], page.answers.frame["answer"], strict=True)
        )
        assert repr(page.table)
        assert page.map.alt
    assert len(set(pooled)) == len(pooled) > 0
    assert told["fibromyalgia"] == str(effect_page.sentence)
    assert len(page.cells) == len(REPORTED) * len(page.derived.protocol.outcome_groups)
    assert sum(page.facts.values["kinds"].values()) == len(page.cells)
