"""Risk of bias: every study is judged, and what a reader sees of it."""

import itertools

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.grade.bias import (
    REASON_COLUMNS,
    bias_frame,
    bias_reasons,
    shown_domains,
)
from ldn_meta.evidence.raw.bias_tools import OVERALL, TOOLS, fitting_tool, overall_judgements

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
    assert published["source_id"].map(kind).isin(["systematic review", "meta-analysis"]).all()


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
    assert list(frame["overall"]) == ["some concerns", "some concerns"]


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
    assert list(frame["overall"]) == ["TODO", "some concerns", "TODO"]
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
