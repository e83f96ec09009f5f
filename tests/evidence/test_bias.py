"""Risk of bias: every study is judged, and what a reader sees of it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.bias import (
    NOT_READABLE,
    NOT_TOLD,
    OVERALL,
    REASON_COLUMNS,
    TOOLS,
    bias_frame,
    bias_reasons,
    fitting_tool,
    overall_judgements,
    shown_domains,
)

# ---------------------------------------------------------------- the real judgements


def test_every_eligible_study_is_judged_in_every_domain(evidence):
    studies, rows = evidence.text["studies"], evidence.text["risk_of_bias"]
    eligible = studies[studies["eligible_for"] != "excluded"]
    assert len(eligible) > 40
    assert set(overall_judgements(evidence)) == set(eligible["study_id"])
    for study in eligible.to_dict("records"):
        own = rows[rows["study_id"] == study["study_id"]]
        tool = fitting_tool(
            study["design"],
            is_randomised=study["is_randomised"],
            eligible_for=study["eligible_for"],
        )
        assert set(own["tool"]) == {tool}
        assert sorted(own["domain"]) == sorted(TOOLS[tool].domain_names)
        assert "TODO" not in set(own["judgement"])


def test_the_keys_say_study_and_domain(evidence):
    reasons = bias_reasons(evidence)
    rows = evidence.text["risk_of_bias"]
    assert len(reasons) == len(rows)
    heads = {
        (study, domain): head.lower()
        for study, domain, head in zip(
            reasons["study_id"], reasons["domain"], reasons["head"], strict=True
        )
    }
    for row in rows.to_dict("records"):
        end = row["row_id"].removeprefix(row["study_id"] + "-").replace("q0", "q")
        assert end == heads[row["study_id"], row["domain"]]


def test_no_judgement_is_called_published_without_a_review(evidence):
    rows, sources = evidence.text["risk_of_bias"], evidence.text["sources"]
    kind = dict(zip(sources["source_id"], sources["kind"], strict=True))
    published = rows[rows["judged_by"] == "published review"]
    assert published["read_in"].map(kind).isin(["systematic review", "meta-analysis"]).all()


def test_what_was_not_read_is_never_scored_as_not_done(evidence):
    """159 of 242 cells of case series were "unclear" because nobody had read the paper."""
    rows = evidence.text["risk_of_bias"]
    domains = rows[rows["domain"] != OVERALL]
    told = domains[domains["judgement"].isin(NOT_TOLD)]
    assert set(told["read_from"]) <= {"full text"}
    unread = domains[domains["judgement"] == NOT_READABLE]
    assert "full text" not in set(unread["read_from"])
    assert len(unread) > 200


def test_reasons_are_short_and_each_trial_has_its_own(evidence):
    rows = evidence.text["risk_of_bias"]
    assert rows["reason"].str.len().max() < 200
    of_trials = rows[rows["tool"].str.startswith("RoB 2") & (rows["domain"] != OVERALL)]
    # Signalling question and answer stand in the reason, so that a reader can object to one.
    assert of_trials["reason"].str.contains(r"\((?:[1-5]|S)\.\d").all()


# ---------------------------------------------------------------- frames


def test_a_frame_of_trials_has_the_domains_of_rob_2(evidence):
    frame = bias_frame(evidence, ["innova2026", "younger2013", "younger2009"])
    assert list(frame.columns) == ["D1", "DS", "D2", "D3", "D4", "D5", "overall"]
    assert frame.loc[0, "DS"] == "not applicable"
    assert frame.loc[1, "DS"] == "high"
    # A comparison that was not randomised has its overall judgement beside them, and no more.
    assert set(frame.loc[2][:-1]) == {"not applicable"}
    assert frame.loc[2, "overall"] == "serious"


def test_without_a_crossover_trial_there_is_no_column_for_carryover(evidence):
    frame = bias_frame(evidence, ["innova2026", "duebruun2024"])
    assert list(frame.columns) == ["D1", "D2", "D3", "D4", "D5", "overall"]
    assert list(frame["overall"]) == ["not readable here"] * 2


def test_a_frame_of_one_family_has_its_domains(evidence):
    assert list(bias_frame(evidence, ["younger2009", "martin2022"]).columns) == [
        *(f"D{i}" for i in range(1, 8)),
        "overall",
    ]
    assert bias_frame(evidence, ["irwin2024"]).columns[9] == "Q10"
    mixed = bias_frame(evidence, ["younger2009", "irwin2024"])
    assert list(mixed.columns) == ["overall"]


def test_a_study_without_judgement_is_a_row_that_says_so(evidence):
    frame = bias_frame(evidence, ["anodyne4", "innova2026", "anodyne4"])
    assert list(frame["overall"]) == ["TODO", "not readable here", "TODO"]
    assert set(frame.loc[0]) == {"TODO"}
    assert bias_frame(evidence, []).shape == (0, 1)


def test_columns_are_those_domains(evidence):
    ids = ["innova2026", "younger2013"]
    shown = shown_domains(evidence, ids)
    assert [d.head for d in shown] == list(bias_frame(evidence, ids).columns[:-1])
    assert shown[1].name == "period and carryover effects"


def test_reasons_come_in_the_order_of_the_tool(evidence):
    found = bias_reasons(evidence, ["younger2013", "duebruun2024"])
    assert list(found.columns) == list(REASON_COLUMNS)
    assert list(found["head"][:7]) == ["D1", "DS", "D2", "D3", "D4", "D5", "overall"]
    assert list(dict.fromkeys(found["study_label"])) == ["Younger 2013", "Due Bruun 2024 (FINAL)"]


def test_by_default_comparisons_come_first(evidence):
    studies = evidence.text["studies"].set_index("study_id")
    order = list(dict.fromkeys(bias_reasons(evidence)["study_id"]))
    uses = [studies.loc[name, "eligible_for"] for name in order]
    assert [use for use, _ in itertools.groupby(uses)] == ["contrast", "single-arm"]


def test_a_stranger_is_refused(evidence):
    with pytest.raises(ArgumentError, match="'smith1066'"):
        bias_frame(evidence, ["smith1066"])
    with pytest.raises(ArgumentError, match="'smith1066'"):
        bias_reasons(evidence, ["smith1066"])


def test_a_study_may_wait_for_its_judgement(build):
    build.trial()
    build.contrast(estimate="-1.0", p_relation="ns")
    build.bias(overall="TODO")
    evidence = build.load(validate=True)
    assert overall_judgements(evidence) == {}
    assert list(bias_frame(evidence, ["ames2001"]).loc[0]) == ["TODO"] * 6


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
    assert ROB2.judgements(OVERALL) == ["low", NOT_READABLE, "some concerns", "high"]
    assert set(ROBINS.judgements(OVERALL)) == {
        "low",
        "moderate",
        "serious",
        "critical",
        "no information",
        NOT_READABLE,
    }
    words = ["yes", NOT_READABLE, "unclear", "no"]
    assert SERIES.judgements("consecutive inclusion") == [*words, "not applicable"]
    assert SERIES.judgements(OVERALL) == words


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


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_what_could_not_be_read_is_no_concern_and_no_pass(tool):
    best, _, *concerns = tool.ranks
    assert tool.least_overall([best, NOT_READABLE]) == NOT_READABLE
    for concern in concerns:
        assert tool.least_overall([best, NOT_READABLE, concern]) == concern


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
