"""The tools of risk of bias: domains, scales, and which tool fits a study."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldn_meta.evidence.raw.bias_tools import OVERALL, TOOLS, fitting_tool

ROB2, CROSSOVER, ROBINS = TOOLS["RoB 2"], TOOLS["RoB 2 crossover"], TOOLS["ROBINS-I"]
SERIES, REPORT = TOOLS["JBI case series"], TOOLS["JBI case report"]


# ---------------------------------------------------------------- tools


def test_tools_have_their_domains():
    # Sterne 2019 Table 1; the crossover variant adds one; Sterne 2016 Table 1; JBI: 10 and 8.
    assert [d.head for d in ROB2.domains] == ["D1", "D2", "D3", "D4", "D5"]
    assert [d.head for d in CROSSOVER.domains] == ["D1", "DS", "D2", "D3", "D4", "D5"]
    assert len(ROBINS.domains) == 7
    assert len(SERIES.domains) == 10
    assert len(REPORT.domains) == 8
    for tool in TOOLS.values():
        assert len(set(tool.domain_names)) == len(tool.domains) + 1
        assert len({d.head for d in tool.domains}) == len(tool.domains)


def test_scales_are_those_of_the_tools():
    assert ROB2.judgements(OVERALL) == ["low", "some concerns", "high"]
    assert set(ROBINS.judgements(OVERALL)) == {
        "low",
        "moderate",
        "serious",
        "critical",
        "no information",
    }
    assert SERIES.judgements("consecutive inclusion") == ["yes", "unclear", "no", "not applicable"]
    assert SERIES.judgements(OVERALL) == ["yes", "unclear", "no"]


# Sterne 2019 Table 1: low if all are low; some concerns if one has some and none is high; high if
# one is high. (High for several concerns is a person's choice, so no minimum.)
@pytest.mark.parametrize(
    ("domains", "overall"),
    [
        (["low"] * 5, "low"),
        (["low", "low", "some concerns", "low", "low"], "some concerns"),
        (["some concerns"] * 5, "some concerns"),
        (["low", "low", "low", "low", "high"], "high"),
        (["high"] * 5, "high"),
    ],
)
def test_overall_of_rob_2(domains, overall):
    assert ROB2.least_overall(domains) == overall


# Sterne 2016 Table 2: critical if any is; else serious if any is; no information if nothing
# points to serious or critical and a domain lacks it; moderate if the rest is low or moderate.
@pytest.mark.parametrize(
    ("domains", "overall"),
    [
        (["low"] * 7, "low"),
        (["low", "moderate", "low"], "moderate"),
        (["moderate", "no information", "low"], "no information"),
        (["no information", "serious", "low"], "serious"),
        (["no information", "serious", "critical"], "critical"),
    ],
)
def test_overall_of_robins_i(domains, overall):
    assert ROBINS.least_overall(domains) == overall


def test_overall_of_the_checklists_is_the_worst_item():
    assert SERIES.least_overall(["yes", "not applicable", "yes"]) == "yes"
    assert SERIES.least_overall(["yes", "unclear", "not applicable"]) == "unclear"
    assert REPORT.least_overall(["yes", "unclear", "no"]) == "no"


def test_nothing_judged_has_no_overall():
    assert ROB2.least_overall(["TODO", "TODO"]) is None
    assert SERIES.least_overall(["not applicable"]) is None


@given(st.data())
def test_a_worse_domain_never_makes_the_overall_better(data):
    tool = data.draw(st.sampled_from(list(TOOLS.values())))
    words = list(tool.ranks)
    domains = data.draw(st.lists(st.sampled_from(words), min_size=1, max_size=10))
    place = data.draw(st.integers(0, len(domains) - 1))
    worse = data.draw(st.sampled_from(words[words.index(domains[place]) :]))
    changed = [*domains[:place], worse, *domains[place + 1 :]]
    before, after = tool.least_overall(domains), tool.least_overall(changed)
    assert tool.ranks[after] >= tool.ranks[before]
    assert tool.least_overall(reversed(domains)) == before
    assert before in domains


@pytest.mark.parametrize(
    ("design", "is_randomised", "eligible_for", "tool"),
    [
        ("parallel", "yes", "contrast", "RoB 2"),
        ("factorial", "yes", "contrast", "RoB 2"),
        ("parallel", "NR", "contrast", "RoB 2"),
        ("crossover", "yes", "contrast", "RoB 2 crossover"),
        ("fixed-order crossover", "no", "contrast", "ROBINS-I"),
        ("cohort with controls", "no", "contrast", "ROBINS-I"),
        ("cohort with controls", "no", "single-arm", "JBI case series"),
        ("register before-after", "no", "single-arm", "JBI case series"),
        ("case report", "no", "single-arm", "JBI case report"),
    ],
)
def test_the_tool_fits_the_design(design, is_randomised, eligible_for, tool):
    assert fitting_tool(design, is_randomised=is_randomised, eligible_for=eligible_for) == tool
