"""Page 91: every claim once, worst verdict first, figures and what-if as computed."""

import re
from dataclasses import replace

import pytest

import builders as fm
import ldn_meta as lm
from ldn_meta.display.pages.claims import (
    NO_CLAIM,
    NO_POOL,
    WORST_FIRST,
    ClaimsPage,
    claims_table,
)
from ldn_meta.display.pages.page import open_page
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.review import (
    CANNOT_BE_TESTED,
    COMPATIBLE,
    SUPPORTED,
    VERDICTS,
)


@pytest.fixture(scope="module")
def page():
    return lm.claims()


def test_the_headline_counts_every_claim_of_substance(page):
    raw = page.derived.evidence.text["claims"]
    of_substance = raw[raw["role"] != "description"]
    assert len(page.substantive) == len(of_substance) == sum(page.counts.values())
    assert str(page.headline).startswith(f"**{len(of_substance)} published claims of")
    for verdict in VERDICTS:
        assert f"{page.counts[verdict]} {verdict}" in str(page.headline)
    others = f"({len(raw) - len(of_substance)} claims) stands in a table of its own"
    assert others in str(page.headline)


def test_sizes_and_sums_are_counted_apart(page):
    raw = page.derived.evidence.text["claims"].set_index("claim_id")
    # No conclusion rests on them.
    assert set(raw.loc[raw["is_headline"] == "yes", "role"]) <= {"conclusion", "result"}
    books = page.bookkeeping.frame
    assert len(books) + len(page.by_source.frame) == len(raw)
    assert books["claim"].str.contains("Bested 2023 has 52 people.", regex=False).any()
    assert not page.by_source.frame["claim"].isin(books["claim"]).any()


def test_the_legend_explains_every_verdict_once(page):
    assert list(page.legend.frame["verdict"]) == list(VERDICTS)
    assert page.legend.frame["what it means"].str.len().min() > 40


def test_headline_claims_come_worst_first_with_source_and_sentence(page):
    frame = page.first.frame
    assert len(frame) == (page.derived.evidence.text["claims"]["is_headline"] == "yes").sum()
    places = [WORST_FIRST.index(verdict) for verdict in frame["verdict"]]
    assert places == sorted(places)
    runs = [v for v, before in zip(frame["verdict"], [None, *frame["verdict"]], strict=False)
            if v != before]  # fmt: skip
    assert len(runs) == len(set(runs))
    assert frame["what the computation gives"].str.len().min() > 40
    assert frame["claimed in"].str.contains("|https://", regex=False).sum() > len(frame) / 2
    neither = frame.loc[frame["verdict"] == COMPATIBLE, "claim"]
    assert neither.str.contains("5.4 mg", regex=False).any()


def test_both_compact_tables_say_what_was_known_then(page):
    for table in (page.by_source, page.bookkeeping):
        assert list(table.frame.columns) == [
            "claim", "claimed in", "printed", "verdict", "when it was written", "computation",
        ]  # fmt: skip
    then = page.by_source.frame["when it was written"]
    assert set(then) <= {"not judged apart", *VERDICTS}
    assert then.ne("").sum() > 5
    # A size does not change with the trials that came later.
    assert set(page.bookkeeping.frame["when it was written"]) == {"not judged apart"}


def test_rules_are_those_of_claim_rules(page):
    frame = page.rules.frame
    assert frame["claims"].sum() == len(page.claims)
    assert frame["when which verdict"].str.startswith("Verdict").all()
    row = frame[frame["computation"] == "count pairs"].iloc[0]
    assert "no pair of counts gives the percentages" in row["when which verdict"]


def test_one_source_alone(page):
    alone = lm.claims(source="radi-jfp")
    assert set(alone.claims["claimed_in"]) == {"radi-jfp"}
    assert len(alone.claims) < len(page.claims)
    with pytest.raises(ArgumentError, match="'radi' makes no claim; allowed: all, "):
        lm.claims(source="radi")


def test_sentence_and_facts_agree(page):
    facts = page.facts.values
    assert facts["claims_tested"] == len(facts["claims"])
    assert sum(facts["headline_verdicts"].values()) == facts["headline_claims"]
    ours = facts["pools"]["MD"]["ours"]["all trials, 2026 included"]
    assert f"{ours['estimate']:.2f} points of 0-10 ({ours['ci_low']:.2f} to" in facts["sentence"]
    assert facts["claims"]["radi-jfp-ed95-answer"]["numbers"]["needed"] == 73
    assert facts["what_if"]["both added up"]["events_1"] == 32


def test_what_if_is_called_one(page):
    table = page.responder_table
    assert table.caption.startswith("What if")
    assert "says nothing about what anybody did" in table.note
    assert list(table.frame["LDN"]) == ["20/49", "12/49", "32/49"]
    assert list(table.frame["placebo"]) == ["13/50", "7/50", "20/50"]
    assert table.frame["risk ratio (95% CI)"].iloc[2] == "1.63 (1.10 to 2.43)"


@pytest.mark.parametrize("block", [0, 1])
def test_published_and_own_pools_are_drawn_where_their_numbers_are(page, block):
    pools = page.pools[block]
    output = pools.figure()
    figure = output.figure
    fm.assert_legible(figure)
    texts = " ".join(fm.texts(figure)).replace("\N{MINUS SIGN}", "-").replace("\n", " ")
    for row in pools.rows():
        assert row["effect (95% CI)"] in texts
        assert row["effect (95% CI)"] in output.alt
        if not row["result"].startswith("ours"):
            assert row["result"].split(" (")[0].split(" in ")[0] in texts
    # Our pool stands on top, and not among the others once more.
    assert "included" not in texts
    # The SMD figure has no points on its axis, the MD figure no standard deviations.
    assert ("points (0-10)" in texts) == (block == 0)
    assert re.search(r"favours LDN.*favours placebo", texts)


def test_a_trial_is_one_number_in_every_row(page):
    points, standardised = page.pools
    final = standardised.now.trials.set_index("study_id").loc["duebruun2024"]
    (then,) = (p for name, p in standardised.own.items() if name == "trials before 2026")
    assert then.read[:3] == pytest.approx(tuple(final[["yi", "ci_low", "ci_high"]]))
    assert final["yi"] == pytest.approx(-0.34 / standardised.spread.typical)
    note = page.pools_table.note
    assert "prior of 0.5 standard deviations would be one of 0.77 points" in note
    assert "that of 1 by which the points are read" in note
    assert "REML" in " ".join(row["result"] for row in points.rows())


def test_the_legend_says_what_the_rules_do(page):
    legend = page.legend.frame.set_index("verdict")["what it means"]
    assert "a printed size is compared apart" in legend[COMPATIBLE]
    assert "events counted and not people" in legend[COMPATIBLE]
    assert "claim of uncertainty" in legend[SUPPORTED]
    assert "'not judged apart' stands" in page.legend.note


def test_the_table_has_the_rows_of_both_figures(page):
    frame = page.pools_table.frame
    assert len(frame) == sum(len(block.rows()) for block in page.pools)
    published = frame[~frame["result"].str.startswith("ours")]
    assert len(published) == page.facts.values["published_results"] == 8
    vatvani = published[published["result"].str.startswith("Vatvani 2024")].iloc[0]
    assert vatvani["result"] == "Vatvani 2024 (corrected since, not tested)"
    assert (vatvani["our estimate in it"], vatvani["its estimate in ours"]) == ("not tested",) * 2
    bruun = published[published["result"] == "Due Bruun 2026"].iloc[0]
    assert (bruun["our estimate in it"], bruun["its estimate in ours"]) == ("yes", "yes")


def test_a_condition_without_pools_still_has_its_claims():
    table = claims_table(
        open_page("20_pooled_effect", indication="complex_regional_pain_syndrome")
    )
    assert list(table.frame["verdict"]) == [CANNOT_BE_TESTED] * 2
    assert "complex regional pain syndrome" in table.caption


@pytest.mark.parametrize("indication", ["fibromyalgia", "painful_diabetic_neuropathy"])
def test_claims_of_one_indication(indication):
    table = claims_table(open_page("20_pooled_effect", indication=indication))
    raw = lm.load_evidence(validate=False).text["claims"]
    own = raw[(raw["indication_id"] == indication) & raw["role"].isin(["conclusion", "result"])]
    assert len(table.frame) == len(own)
    assert set(table.frame["verdict"]) <= set(VERDICTS)


@pytest.mark.parametrize("published", [0, 1, 60])
def test_figures_without_a_pool_of_ours_and_with_any_number_of_published(page, published):
    claim = {**page.pools[0].claims[0], "claim": "x " * 40}
    block = replace(page.pools[0], claims=[claim] * published, own={}, now=None)
    output = block.figure()
    assert len(block.rows()) == published
    if published:
        fm.assert_legible(output.figure)
    assert all(row["our estimate in it"] == "not defined" for row in block.rows())
    assert output.alt


def test_a_review_without_claims_says_so(page):
    evidence = page.derived.evidence
    review = replace(evidence.review, published_pool=None, added_up=None)
    text = evidence.text | {"claims": evidence.text["claims"].iloc[:0]}
    bare = replace(
        page.derived,
        evidence=replace(evidence, review=review, text=text),
        claims=page.derived.claims.iloc[:0],
    )
    empty = ClaimsPage(bare, "all")
    assert str(empty.headline) == NO_CLAIM
    assert str(empty.pools_in_points) == str(empty.pools_standardised) == NO_POOL
    for table in (empty.first, empty.pools_table, empty.responder_table, empty.by_source):
        assert table.frame.empty
        assert table._repr_html_()
    assert set(empty.rules.frame["claims"]) == {0}
    assert empty.facts.values["claims"] == empty.facts.values["pools"] == {}
    assert str(empty.sentence) == "There is no claim that a conclusion rests on."
