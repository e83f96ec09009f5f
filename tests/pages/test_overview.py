"""Page 90 on the real evidence."""

import json

import ldn_meta as lm
from builders import REPORTED
from ldn_meta import paths
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


def test_every_place_of_the_checklists_exists():
    """PRISMA 2020 has 27 items, SWiM nine; each has a place that is there, or is not done."""
    rows = lm.load_evidence().text["checklists"]
    root = paths.project_root()
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


def test_checklists_are_shown_item_by_item():
    page = lm.overview()
    rows = page.derived.evidence.text["checklists"]
    assert list(page.checklists.frame["item"]) == list(rows["item"])
    said = str(page.checklists_sentence)
    for item in rows.loc[rows["status"] == "not done", "item"]:
        assert item in said
    assert not (page.checklists.frame["place"] == "NA").any()


def test_what_to_read_next_says_where_and_what_for():
    page = lm.overview()
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
