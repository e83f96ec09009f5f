"""Page 90 on the real evidence."""

import json

import pytest

import ldn_meta as lm
from builders import REPORTED
from ldn_meta import files
from ldn_meta.evidence.answer.pools import DIRECTION_ONLY, NOTHING
from pool_calls import pool_calls

SIDES_OF_CELLS = (
    *("favours treatment", "favours comparator", "same in both", "on both sides"),
    "side not known",
)


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


def test_every_place_of_the_checklists_exists():
    """PRISMA 2020 has 27 items, SWiM nine; each has a place that is there, or is not done."""
    rows = lm.load_evidence().text["checklists"]
    root = files.project_root()
    asked = {"PRISMA 2020": range(1, 28), "SWiM": range(1, 10)}
    for name, numbers in asked.items():
        own = rows[rows["checklist"] == name]
        found = {int(number.rstrip("abcdef")) for number in own["number"]}
        assert found == set(numbers)
        assert own["number"].is_unique
    for row in rows.to_dict("records"):
        if row["status"] == "not done":
            assert row["place"] == "NA"
            continue
        for place in row["place"].split("; "):
            page, _, section = place.partition("#")
            if not section:
                assert (root / page).is_file(), place
                continue
            cells = json.loads((root / "notebooks" / f"{page}.ipynb").read_text())["cells"]
            assert section in {cell["id"] for cell in cells}, place


def test_checklists_are_shown_item_by_item(opened_once):
    page = opened_once("overview")
    rows = page.derived.evidence.text["checklists"]
    assert list(page.checklists.frame["item"]) == list(rows["item"])
    said = str(page.checklists_sentence)
    for item in rows.loc[rows["status"] == "not done", "item"]:
        assert item in said
    assert not (page.checklists.frame["place"] == "NA").any()


def test_what_to_read_next_says_where_and_what_for(opened_once):
    page = opened_once("overview")
    told = dict(zip(page.to_read_table.frame["study"], page.to_read_table.frame.to_dict("records"),
                    strict=True))  # fmt: skip
    smith = told["Smith 2011"]
    assert "PMC3381945" in smith["most likely in"]
    assert smith["goes to"].startswith("arm_events.csv, smith2011-cdai70-w12-ldn and ")
    assert smith["could do to the answer"].endswith(
        "14/16 against 6/15, fisher (p = 0.009) gives the printed p: 2.19 (1.15 to 4.18), "
        "a what-if and no data"
    )
    assert told["Martin 2022"]["could do to the answer"].startswith("would stand beside the main")
    assert f"{len(told)} comparative studies" in str(page.to_read_sentence).lower()
    assert page.facts.values["to_read"] == page.to_read


@pytest.mark.parametrize("indication", REPORTED)
def test_map_certainty_and_votes_count_the_same_studies_or_say_why(opened_once, indication):
    cells = opened_once("overview").cells
    cells = cells[cells["indication_id"] == indication].to_dict("records")
    certainty = opened_once("certainty", indication=indication)
    page = opened_once("without_pooling", indication=indication)
    labels = certainty.opened.derived.evidence.text["studies"].set_index("study_id")["label"]
    groups = {group.group: group for group in page.opened.groups}
    assert {cell["group"] for cell in cells} == set(groups)
    for cell in cells:
        group = groups[cell["group"]]
        # A side has one word on all pages, and "no difference" is none.
        assert cell["side"] in (*SIDES_OF_CELLS, ""), cell["side"]
        here = set(cell["studies"])
        counted = set(group.counted["study_label"])
        beside = {name for name, _, _ in cell["beside"]}
        assert counted <= here | beside, cell
        assert here <= counted or not counted, cell
        for row in certainty.rated:
            if (row["construct"], row["comparator_class"]) != (
                cell["construct"],
                cell["comparator_class"],
            ):
                continue
            rated = {labels[name] for name in row["study_ids"].split()}
            note = " ".join(certainty._finding(row).notes)
            assert all(name in note for name in rated ^ here), cell
            if cell["synthesis"] == DIRECTION_ONLY and rated == here:
                # Of an effect in no pool the rating has the number.
                assert row["direction"] in (cell["side"], "none")


def test_the_sentence_of_the_map_counts_what_its_table_lists(opened_once):
    page = opened_once("overview")
    listed = page.table.frame["synthesis"].value_counts().to_dict()
    kinds = {kind: number for kind, number in page.kinds.items() if kind != NOTHING}
    assert kinds == listed


def test_a_study_without_a_known_side_is_told_in_table_and_alt_text(opened_once):
    page = opened_once("overview")
    few = page.table.frame["side of the estimate"].str.contains("without a known side")
    assert few.sum() == page.map.alt.count("without a known side") > 0


def test_studies_beside_a_cell_are_all_told_and_people_by_stage():
    """Old: "none" beside a study told of on another page; 86 randomised, 28 of them analysed."""
    rows = lm.overview().table.frame.set_index(["condition", "outcome"])
    less = rows.loc[("fibromyalgia", "less pain in people"), "beside it"]
    assert less.startswith("Younger 2013 (side not known, only results within one arm")
    assert "Smith 2013" in rows.loc[("Crohn's disease", "response or remission"), "beside it"]
    own = rows.loc[("fibromyalgia", "impact and quality of life"), "people"]
    assert own == "86, 58 of them randomised"
