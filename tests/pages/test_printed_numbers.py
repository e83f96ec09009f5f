"""Page 93 and the table of page 10: every finding with study, source, meaning and use."""

import json
import re
import shutil

import pytest

import ldn_meta as lm
from ldn_meta import files
from ldn_meta.errors import ArgumentError
from ldn_meta.files import MANIFEST, csv_bytes, file_hashes


@pytest.fixture(scope="module")
def project(tmp_path_factory, tables):
    """The real data/raw with the data/derived that this source makes of it."""
    root, raw = tmp_path_factory.mktemp("project"), files.raw_data()
    shutil.copytree(raw, root / "data" / "raw")
    (root / "data" / "derived").mkdir()
    for name, table in tables.items():
        (root / "data" / "derived" / f"{name}.csv").write_bytes(csv_bytes(table))
    manifest = json.dumps({"raw": file_hashes(raw)})
    (root / "data" / "derived" / MANIFEST).write_text(manifest, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LDN_META_ROOT", str(root))
        yield root


@pytest.fixture(scope="module")
def page(project):
    return lm.printed_numbers()


def test_the_parts_add_up(page):
    c = page.counts
    assert c["consistent"] + c["inconsistent"] + c["not_checkable"] == c["checks"]
    assert c["high"] + c["medium"] + c["low"] == c["inconsistent"] == len(page.found)
    assert len(page.findings.frame) + len(page.other_sources.frame) == c["inconsistent"]
    assert len(page.not_checkable.frame) == c["not_checkable"]
    table = page.checks.frame
    assert len(table) == c["kinds_of_check"]
    assert table["rows"].sum() == c["checks"]
    assert table[["consistent", "inconsistent", "not checkable"]].sum(axis=1).equals(table["rows"])


def test_where_numbers_were_read_is_counted_and_shown(page):
    p = page.provenance
    assert 0 < p["without_a_place"] < p["read_elsewhere"] < p["value_rows"]
    assert str(p["without_a_place"]) in str(page.places)
    table = page.readings.frame
    sample = table[table["rows gone through"].str.contains("random sample")].iloc[0]
    assert (sample["rows"], sample["agreed"], sample["share"][:3]) == ("80", "52", "95%")
    # An interval belongs to what was drawn: not to every row there was, nor to one row of one.
    with_interval = table["share"].str.contains("(", regex=False)
    assert table.loc[with_interval, "rows gone through"].str.contains("random sample").all()
    assert set(table.loc[with_interval, "kind of row"]) == {"all rows"}
    assert f"{p['value_rows']:,} are now" in page.readings.note
    assert "medium otherwise" in page.findings.note


def test_every_number_of_the_sentences_is_a_fact(page):
    values = page.facts.values
    counted = {value for value in values.values() if isinstance(value, int)}
    for sentence in (values["headline"], values["sentence"]):
        for number in re.findall(r"\d+", sentence.replace("data/raw", "")):
            assert int(number) in counted, (number, sentence)
    assert len(values["findings"]) == values["inconsistent"]


def test_main_results_rest_on_no_finding(page):
    assert page.counts["behind_a_main_result"] == 0
    assert page.counts["beside_a_main_result"] == 1
    assert "One does not fit the number of a main result that the same text" in str(page.sentence)
    assert "No number behind a main result" in str(page.sentence)
    assert "a main result" not in set(page.findings.frame["enters"])


def test_each_finding_can_be_followed(page):
    frame = page.findings.frame
    first = frame[frame["study"] == "Smith 2011"].iloc[0]
    assert (first["study"], first["result"]) == ("Smith 2011", "clinical response, LDN")
    assert (first["severity"], first["enters"]) == ("high", "told without an effect")
    assert first["it stands, because"].startswith("The registry has 20 people in the arm")
    assert first["source"].startswith("Smith 2011: Abstract, results (abstract)|https://doi.org/")
    review = frame[frame["check"] == "p against interval"].iloc[0]
    assert (review["study"], review["result"]) == (
        "Hegde 2025", "pooled by the review: pain intensity",
    )  # fmt: skip
    assert review["it stands, because"] == "a conclusion of others; it enters no result"
    assert list(frame["severity"]) == sorted(
        frame["severity"], key=["high", "medium", "low"].index
    )
    for table in (page.findings, page.other_sources, page.not_checkable, page.checks):
        assert "nan" not in table._repr_html_()
        assert table.frame.map(lambda cell: str(cell).strip() != "").all(axis=None)


def test_words_about_print_are_not_about_people(page):
    told = " ".join(
        [page.findings._repr_html_(), page.other_sources._repr_html_(), str(page.sentence)]
    ).casefold()
    for word in ("fraud", "fabricat", "mislead", "wrongly", "error of the authors"):
        assert word not in told


def test_fewer_findings_are_listed_and_all_are_counted(project, page):
    grave = lm.printed_numbers(least_severity="high")
    assert set(grave.findings.frame["severity"]) == {"high"}
    assert repr(grave.other_sources).endswith(
        "None: every number that could be checked fits what else is printed."
    )
    assert grave.counts == page.counts
    with pytest.raises(ArgumentError, match="least_severity='grave' is not known; allowed: high"):
        lm.printed_numbers(least_severity="grave")


@pytest.mark.parametrize("indication", ["crohns_disease", "fibromyalgia"])
def test_one_indication(project, page, indication):
    frame = lm.included_trials(indication=indication).consistency.frame
    own = page.found[page.found["indication_id"] == indication]
    assert len(frame) == len(own)
    assert list(frame["check"]) == list(own["check"])


def test_the_footer_names_what_was_used(page):
    assert "least_severity = low" in set(page.footer().frame["value"])


def test_a_finding_names_the_row_of_its_result_that_is_used(page):
    """The standardised difference is no effect; the difference beside it is in the pool."""
    frame = page.findings.frame
    own = frame[frame.astype(str).agg(" ".join, axis=1).str.contains("d 0.19")]
    assert list(own["enters"]) == [
        "told without an effect; another row of the same result: a main result"
    ]
