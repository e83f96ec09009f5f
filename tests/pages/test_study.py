"""A study page holds everything on file about a study, and nothing of another."""

import json
import re
import shutil

import pandas as pd
import pytest

import ldn_meta as lm
from ldn_meta import files
from ldn_meta.display.pages.study import NUMBERS, VALUE_CAPTIONS
from ldn_meta.errors import ArgumentError, StaleError
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.raw.tables import MISSING, VALUE_TABLES
from ldn_meta.files import MANIFEST, file_hashes
from ldn_meta.pipeline.site import Links, study_markdown

# What a row of results says beside its numbers, told in words on the page.
TOLD = {
    *("row_id", "study_id", "arm_id", "arm_1", "arm_2", "outcome_id", "timepoint_weeks"),
    *(
        "timepoint",
        "analysis_set",
        "reported_in",
        "read_in",
        "locator",
        "as_reported",
        "read_from",
    ),
    *("preferred", "preferred_reason", "note", "multiplicity"),
}
FACTS_STATED = "Sizes, doses and times, each as one source states it"
# Who read it, and how the number was printed: in data/raw, not on the page.
NOT_TOLD = {
    *("reliability", "is_paired", "is_adjusted"),
    *("estimate_decimals", "p_decimals", "percent_decimals", "correlation_basis"),
}


@pytest.fixture(scope="module")
def derived():
    return load_derived()


@pytest.fixture(scope="module")
def pages(derived):
    keys = derived.evidence.text["studies"]["study_id"]
    return {key: lm.study_page(key, derived) for key in keys}


@pytest.fixture
def younger(pages):
    return pages["younger2013"]


def test_every_column_of_the_tables_of_results_is_told_or_left_to_the_data(derived):
    for table in VALUE_TABLES:
        columns = set(derived.evidence.text[table].columns)
        assert columns - set(NUMBERS[table]) - TOLD <= NOT_TOLD, table
        assert set(NUMBERS[table]) <= columns


def test_every_row_on_file_stands_on_its_study_page_with_source_and_fate(pages):
    for key, page in pages.items():
        own = page.own
        shown = {table.caption: table.frame for _, tables in page.sections for table in tables}
        for table in VALUE_TABLES:
            frame = shown.get(VALUE_CAPTIONS[table], ())
            rows = own.get(table)
            assert len(frame) == (0 if rows is None else len(rows))
            if rows is not None:
                lost = rows.get("multiplicity", pd.Series("NA", rows.index)) == "lost"
                said = lost.map({True: " (lost after adjustment for multiplicity)", False: ""})
                assert list(frame["as reported"]) == list(rows["as_reported"] + said)
                assert all(frame["became"].str.len() > 0)
                for cell, place in zip(frame["source"], rows["locator"], strict=True):
                    assert f": {place} (" in cell
        assert len(shown[FACTS_STATED]) == len(own.get("study_facts", ()))
        assert len(shown["Arms"]) == len(own.get("arms", ()))
        assert len(shown["Risk of bias, domain by domain"]) == len(own.get("risk_of_bias", ()))
        counts = page.counts
        assert counts["rows_used"] + counts["rows_left_out"] == counts["value_rows"]
        numbers = {int(n) for n in re.findall(r": (\d+)|which (\d+)| and (\d+) are",
                   str(page.headline)) for n in n if n}  # fmt: skip
        assert numbers <= set(counts.values()) or not counts["value_rows"]
        markup = page._repr_html_()
        assert not re.search(r"<td>(nan|None|<NA>|)</td>", markup), key


def test_rows_of_all_studies_together_are_all_rows(derived, pages):
    counts = [page.counts for page in pages.values()]
    rows = sum(len(derived.evidence.text[table]) for table in VALUE_TABLES)
    assert sum(c["value_rows"] for c in counts) == rows
    assert sum(c["rows_left_out"] for c in counts) == len(derived.left_out)
    assert sum(c["conflicts"] for c in counts) == len(derived.conflicts)


def test_a_number_can_be_followed_from_print_to_effect(younger):
    # Stated by hand from data/raw: 28.8 and 18.0 per cent, P = 0.016, baseline 50.8 of 100.
    frame = younger.values("contrasts").frame
    row = frame[frame["stored as"].str.contains("estimate -10.8|p_value 0.016")].iloc[0]
    assert "LDN 4.5 mg against placebo" in row["arms"]
    assert "https://" in row["source"]
    assert "mean difference -0.55 (-0.99 to -0.11), points (0-10)" in row["became"]
    assert "(beside the main results)" in row["became"]
    effects = younger.effects.frame
    # 10.8% of 5.08 points.
    assert any(text.startswith(f"mean difference {-0.108 * 5.08:.2f}") for text in
               effects["effect (95% CI)"])  # fmt: skip
    assert all(effects["main result"].str.startswith("no: "))


def test_where_it_is_used(pages, younger):
    frame = younger.uses.frame
    pain = frame[frame["what"].str.startswith("Pain intensity")].iloc[0]
    assert pain["how the study enters"].startswith("not in the main result; in: with approx")
    assert pain["page"] == "20_pooled_effect"
    final = pages["duebruun2024"].uses.frame
    first = final[final["what"] == "Pain intensity against placebo, mean difference"].iloc[0]
    assert first["how the study enters"] == (
        "main result, with one other trial: 0.02 (-1.33 to 1.45)"
    )
    assert {"25_without_pooling", "60_certainty", "91_claims"} <= set(final["page"])
    alone = pages["aalto2025"].uses.frame
    assert "54% on LDN, shown beside; nothing to compare with" in set(
        alone["how the study enters"]
    )


def test_a_study_without_results_says_so(pages):
    page = pages["nct02806440"]
    assert str(page.headline).endswith(
        "Set aside: registration of a trial that is on file (Bested 2023). "
        "No result was extracted."
    )
    assert "No result was extracted." in page._repr_html_()
    assert page.uses.empty in page._repr_html_()


def test_shares_are_shown_as_per_cent_and_ratios_off_the_log(pages):
    aalto = pages["aalto2025"].effects.frame["effect (95% CI)"]
    # 50 of 93 people.
    assert any(text.startswith("share of people 54% (") for text in aalto)
    final = pages["duebruun2024"].effects.frame["effect (95% CI)"]
    ratios = [text for text in final if text.startswith("risk ratio")]
    assert ratios
    assert not any("-" in text or "log" in text for text in ratios)


def test_facts_with_a_range(pages):
    frame = pages["younger2013"].facts_stated.frame
    dose = frame[frame["fact"] == "Dose"]
    assert list(dose["value"]) == ["range 3 to 4.5 mg/day", "4.5 mg/day"]
    assert dose["used"].iloc[0].startswith("no: ")


def test_whole_page_and_repr(younger):
    markup = younger._repr_html_()
    for heading, tables in younger.sections:
        assert f"<h3>{heading}</h3>" in markup
        assert tables
    assert repr(younger).startswith("<StudyPage younger2013: Younger 2013 (fibromyalgia)")
    assert younger.indication["indication_id"] == "fibromyalgia"


def test_unknown_study_and_stale_tables(derived, tmp_path, monkeypatch):
    with pytest.raises(ArgumentError, match="did you mean 'younger2013'"):
        lm.study_page("younger2031", derived)
    shutil.copytree(files.raw_data(), tmp_path / "data" / "raw")
    shutil.copytree(files.derived_data(), tmp_path / "data" / "derived")
    monkeypatch.setenv("LDN_META_ROOT", str(tmp_path))
    wrong = {"raw": file_hashes(files.raw_data()) | {"studies.csv": "0"}}
    (tmp_path / "data" / "derived" / MANIFEST).write_text(json.dumps(wrong))
    with pytest.raises(StaleError, match=r"studies\.csv"):
        lm.study_page("younger2013")


def test_on_the_site_a_page_is_linked_only_where_it_is(younger):
    text = study_markdown(younger, Links({"20_pooled_effect": "../here.html"})).decode()
    assert text.startswith("---\norphan: true\n---\n# Younger 2013\n")
    assert '<td><a href="../here.html">20_pooled_effect</a></td>' in text
    assert "<td>25_without_pooling</td>" in text
    captions = [caption for caption in VALUE_CAPTIONS.values() if caption in text]
    assert captions == list(VALUE_CAPTIONS.values())
    assert "nan" not in re.sub(r"[a-z-]*(nan)[a-z]+", "", text)
    assert all(label not in MISSING for label in re.findall(r"^## (.*)$", text, re.MULTILINE))
