"""The raw tables are taken as a whole or refused as a whole, with every fault by its address."""

import copy

import pytest

from builders import RawCopy
from ldn_meta.errors import ArgumentError, DataError
from ldn_meta.evidence.load import load_evidence


def given(cell):
    return cell not in ("NR", "NA", "TODO")


def faults_of(folder, **options):
    with pytest.raises(DataError) as refused:
        load_evidence(folder, **options)
    return refused.value


def addressed(faults):
    return {(f.table, f.line, f.column, f.value, f.rule) for f in faults}


@pytest.fixture
def raw(raw_folder, tmp_path):
    return RawCopy(raw_folder, tmp_path / "raw")


class Breaker:
    """Breaks one cell after the other and writes down what has to be said about each."""

    def __init__(self, raw):
        self.raw = raw
        self.expected = {}

    def cell(self, name, table, row, column, value, rule, *, remedy):
        row[column] = value
        self.says(name, table, row, column, value, rule, remedy=remedy)

    def says(self, name, table, row, column, value, rule, *, remedy):
        address = (table, self.raw.line(table, row), column, value, rule)
        self.expected[name] = (address, remedy)


def break_everything(raw):
    """Every kind of fault that one row can have, each in another row."""
    b = Breaker(raw)
    find = raw.find
    a_label = "use one of these, spelt exactly: NR (not reported)"
    b.cell(
        "text in a number",
        "studies",
        find("studies", year=given),
        "year",
        "two thousand",
        "not a plain number",
        remedy="type digits with a decimal point, or NR / NA / TODO",
    )
    b.cell(
        "infinity",
        "contrasts",
        find("contrasts"),
        "statistic",
        "inf",
        "not a plain number",
        remedy="type digits",
    )
    b.cell(
        "a number as Python writes it",
        "contrasts",
        find("contrasts"),
        "statistic",
        "1_000",
        "not a plain number",
        remedy="type digits",
    )
    b.cell(
        "half a person",
        "arms",
        find("arms"),
        "n_analysed",
        "5.5",
        "is not a whole number",
        remedy="type a whole number, or NR / NA / TODO",
    )
    b.cell(
        "neither yes nor no",
        "contrasts",
        find("contrasts", n_2="NA"),
        "is_paired",
        "perhaps",
        "is not yes or no",
        remedy="type yes or no",
    )
    b.cell(
        "category",
        "studies",
        find("studies"),
        "blinding",
        "double",
        "is not one of the categories",
        remedy="use one of double-blind, single-blind, open",
    )
    b.cell(
        "range",
        "contrasts",
        find("contrasts", p_relation="="),
        "p_value",
        "1.2",
        "is out of range",
        remedy="use a number at least 0 at most 1",
    )
    b.cell(
        "pattern",
        "sources",
        find("sources", doi=given),
        "doi",
        "doi:10.1/x",
        "does not match the pattern",
        remedy="use text matching ^10",
    )
    b.cell(
        "required",
        "contrasts",
        find("contrasts"),
        "locator",
        "NR",
        "a value is required here",
        remedy="type text",
    )
    first, second = find("arm_events"), find("arm_events")
    b.cell(
        "key twice",
        "arm_events",
        second,
        "row_id",
        first["row_id"],
        "key is given twice",
        remedy="give every row its own key, or delete the copy",
    )
    first, second = find("indications"), find("indications")
    b.cell(
        "value twice",
        "indications",
        second,
        "sort_order",
        first["sort_order"],
        "value is given twice",
        remedy="give every row its own value",
    )
    b.cell(
        "foreign key",
        "contrasts",
        find("contrasts"),
        "source_id",
        "duebrun2024",
        "no such source_id in sources",
        remedy="did you mean 'duebruun2024'? Else add the row to sources.csv",
    )
    study = find("studies", study_id="innova2026")
    arm = find("arms", study_id="innova2026", group="1")
    arm["n_randomised"] = str(int(arm["n_randomised"]) - 1)
    total = study["n_randomised"]
    b.says(
        "arm sums",
        "studies",
        study,
        "n_randomised",
        total,
        f"its arms add up to {int(total) - 1}",
        remedy="correct the study or its arms",
    )
    row = find("contrasts", ci_low=given, ci_high=lambda cell: given(cell) and float(cell) > 0)
    row["ci_low"], row["ci_high"] = row["ci_high"], row["ci_low"]
    b.says(
        "order of an interval",
        "contrasts",
        row,
        "ci_low",
        row["ci_low"],
        f"ci_low is above ci_high ({row['ci_high']})",
        remedy="swap or correct the two",
    )
    row = find("arm_events", events=given, n=given, counted="people")
    b.cell(
        "more events than people",
        "arm_events",
        row,
        "events",
        str(int(row["n"]) + 1),
        f"more people with the event than people ({row['n']})",
        remedy="correct one of the two, or set counted to events",
    )
    row = find("arm_events", events=given, percent="NR")
    row["events"] = "NR"
    b.says(
        "neither events nor percent",
        "arm_events",
        row,
        "-",
        "",
        "neither events nor percent is given",
        remedy="state one, or move the row",
    )
    b.cell(
        "blank",
        "claims",
        find("claims"),
        "locator",
        "",
        "blank cell",
        remedy="write the value, or a label: NR (not reported); NA (not applicable)",
    )
    b.cell(
        "only spaces",
        "claims",
        find("claims"),
        "as_reported",
        "  ",
        "blank cell",
        remedy="write the value, or a label",
    )
    b.cell(
        "space around",
        "arm_stats",
        find("arm_stats"),
        "read_from",
        " abstract",
        "space around the value",
        remedy="remove it",
    )
    b.cell(
        "label misspelt in a number",
        "arm_stats",
        find("arm_stats"),
        "sd",
        "n.r.",
        "no label for a missing value",
        remedy=a_label,
    )
    b.cell(
        "label misspelt in a text",
        "study_facts",
        find("study_facts", fact="other"),
        "qualifier",
        "N/A",
        "no label for a missing value",
        remedy=a_label,
    )
    b.cell(
        "a dash for missing",
        "studies",
        find("studies"),
        "registry_id",
        "-",
        "no label for a missing value",
        remedy=a_label,
    )
    original = find("sources")
    again = raw.append("sources", original | {"source_id": "another-key"})
    b.says(
        "row twice under two keys",
        "sources",
        again,
        "source_id",
        "another-key",
        "the same row again under another key",
        remedy="delete one of the two",
    )
    copied = raw.append("sources", dict(find("sources")))
    b.says(
        "row twice",
        "sources",
        copied,
        "source_id",
        copied["source_id"],
        "key is given twice",
        remedy="give every row its own key, or delete the copy",
    )
    stranger = find("arms", study_id="cree2010")["arm_id"]
    row = find("arm_stats", study_id=lambda cell: cell != "cree2010")
    b.cell(
        "arm of another study",
        "arm_stats",
        row,
        "arm_id",
        stranger,
        "arm of another study",
        remedy=f"use an arm of {row['study_id']}",
    )
    row = find("contrasts", arm_1="duebruun2024-ldn", arm_2="duebruun2024-placebo")
    row["arm_1"], row["arm_2"] = row["arm_2"], row["arm_1"]
    b.says(
        "comparator first",
        "contrasts",
        row,
        "arm_1",
        "duebruun2024-placebo",
        "the comparator stands first, but effects are treatment minus comparator",
        remedy="swap the two arms and turn the sign of the estimate",
    )
    row = find("contrasts", arm_2=given)
    b.cell(
        "arm against itself",
        "contrasts",
        row,
        "arm_2",
        row["arm_1"],
        "an arm against itself",
        remedy="name the comparator, or NA",
    )
    original = find("arm_stats", preferred="yes")
    line = raw.line("arm_stats", original)
    rival = raw.append("arm_stats", original | {"row_id": "rival", "as_reported": "other"})
    b.says(
        "preferred twice",
        "arm_stats",
        rival,
        "preferred",
        "yes",
        f"line {line} states the same fact and is preferred too",
        remedy="set one of the two to no, with the reason",
    )
    b.cell(
        "not preferred without a reason",
        "contrasts",
        find("contrasts", preferred="no"),
        "preferred_reason",
        "NA",
        "a row that is not preferred needs the reason",
        remedy="say why in a few words",
    )
    b.cell(
        "p without a relation",
        "contrasts",
        find("contrasts", p_value=given),
        "p_relation",
        "NR",
        "p_value needs a relation",
        remedy="use =, < or >",
    )
    row = find("contrasts", p_relation="ns", p_value="NR")
    row["p_relation"] = "="
    b.says(
        "relation without p",
        "contrasts",
        row,
        "p_value",
        "NR",
        "p_relation needs a p_value",
        remedy="type the printed p, or use ns / sig / NR",
    )
    b.cell(
        "p without its decimals",
        "contrasts",
        find("contrasts", p_value=given),
        "p_decimals",
        "NA",
        "p_value without the count of its printed decimals",
        remedy="count them (3 for 0.016)",
    )
    row = find("contrasts", p_value=lambda cell: len(cell) > 3, p_relation="=")
    row["p_decimals"] = "1"
    b.says(
        "more decimals than counted",
        "contrasts",
        row,
        "p_value",
        row["p_value"],
        "has more decimals than p_decimals says (1)",
        remedy="correct one of the two",
    )
    b.cell(
        "two n of pairs",
        "contrasts",
        find("contrasts", is_paired="yes", n_2="NA"),
        "n_2",
        "20",
        "a paired comparison has one n",
        remedy="put the number of pairs in n_1",
    )
    row = find("contrasts", correlation="NR")
    row["correlation"] = "0.5"
    b.says(
        "correlation of unknown origin",
        "contrasts",
        row,
        "correlation_basis",
        row["correlation_basis"],
        "correlation and its basis come together",
        remedy="fill both or neither",
    )
    b.cell(
        "outside the scale",
        "arm_stats",
        find("arm_stats", outcome_id="pain_nrs_0_10", statistic_of="baseline", mean=given),
        "mean",
        "11",
        "outside the scale 0 to 10",
        remedy="correct the value, or name the",
    )
    study = find("studies", n_enrolled=given)
    b.cell(
        "size against its facts",
        "studies",
        study,
        "n_enrolled",
        "9999",
        f"the preferred row of study_facts says {study['n_enrolled']}",
        remedy="make the two agree, or change which fact is preferred",
    )
    b.cell(
        "size from nowhere",
        "studies",
        find("studies", n_completed="NR"),
        "n_completed",
        "7",
        "no row of study_facts says where this number was read",
        remedy="add a study_facts row with fact n_completed, or write NR",
    )
    # Last row of its table: the second line of the cell would move the lines after it.
    b.cell(
        "line break",
        "claims",
        raw.rows["claims"][-1],
        "claim",
        "two\nlines",
        "line break inside a cell",
        remedy="put the text on one line",
    )
    return b.expected


NAMES = [
    "text in a number",
    "infinity",
    "a number as Python writes it",
    "half a person",
    "neither yes nor no",
    "category",
    "range",
    "pattern",
    "required",
    "key twice",
    "value twice",
    "foreign key",
    "arm sums",
    "order of an interval",
    "more events than people",
    "neither events nor percent",
    "blank",
    "only spaces",
    "space around",
    "label misspelt in a number",
    "label misspelt in a text",
    "a dash for missing",
    "row twice under two keys",
    "row twice",
    "arm of another study",
    "comparator first",
    "arm against itself",
    "preferred twice",
    "not preferred without a reason",
    "p without a relation",
    "relation without p",
    "p without its decimals",
    "more decimals than counted",
    "two n of pairs",
    "correlation of unknown origin",
    "outside the scale",
    "size against its facts",
    "size from nowhere",
    "line break",
]


@pytest.fixture(scope="module")
def everything_broken(raw_folder, tmp_path_factory):
    raw = RawCopy(raw_folder, tmp_path_factory.mktemp("broken") / "raw")
    expected = break_everything(raw)
    return expected, faults_of(raw.save())


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_is_named_once_with_its_address_and_a_remedy(everything_broken, name):
    expected, refused = everything_broken
    address, remedy = expected[name]
    found = [f for f in refused.faults if (f.table, f.line, f.column) == address[:3]]
    assert addressed(found) == {address}
    assert len(found) == 1
    assert found[0].remedy.startswith(remedy)


def test_all_faults_are_listed_at_once_and_nothing_else(everything_broken):
    expected, refused = everything_broken
    assert set(expected) == set(NAMES)
    assert addressed(refused.faults) == {address for address, _ in expected.values()}
    assert len({fault.table for fault in refused.faults}) >= 9
    lines = str(refused).splitlines()
    assert lines[0] == f"data/raw was refused: {len(NAMES)} faults"
    assert len(lines) == len(NAMES) + 1


def test_a_fault_reads_as_table_line_column_value_rule_remedy(everything_broken):
    _, refused = everything_broken
    fault = next(f for f in refused.faults if f.value == "two thousand")
    assert str(fault) == (
        f"studies:{fault.line}:year: value 'two thousand' not a plain number; "
        "type digits with a decimal point, or NR / NA / TODO"
    )


def test_files_that_can_be_told_are_named_and_still_checked_inside(raw):
    # Byte-order mark, carriage returns, rows that do not fit: one fault each, and a wrong cell
    # of the same file is not hidden behind it.
    category = raw.find("arms", group="2")
    category["group"] = "4"
    # A cell over two lines moves the lines of the rows after it.
    raw.find("claims")["claim"] = "two\nlines"
    moved = raw.find("claims")
    moved["locator"] = ""
    folder = raw.save()
    arms = raw.path("arms")
    arms.write_bytes(b"\xef\xbb\xbf" + arms.read_bytes())
    sources = raw.path("sources")
    sources.write_bytes(sources.read_bytes().replace(b"\n", b"\r\n"))
    events = raw.path("arm_events").read_text(encoding="utf-8").split("\n")
    events[2] += ",one more"
    events[3] = events[3].rpartition(",")[0]
    events.insert(5, "")
    raw.path("arm_events").write_text("\n".join(events), encoding="utf-8")
    refused = faults_of(folder)
    width = len(raw.columns["arm_events"])
    assert {f[:3] + f[4:] for f in addressed(refused.faults)} == {
        ("arms", 1, "-", "file starts with a byte-order mark"),
        ("arms", raw.line("arms", category), "group", "is not one of the categories"),
        ("sources", 1, "-", "line ends with a carriage return"),
        ("claims", 2, "claim", "line break inside a cell"),
        ("claims", raw.line("claims", moved) + 1, "locator", "blank cell"),
        ("arm_events", 3, "-", f"row has {width + 1} cells, not {width}"),
        ("arm_events", 4, "-", f"row has {width - 1} cells, not {width}"),
        ("arm_events", 6, "-", f"row has 0 cells, not {width}"),
    }


def test_files_that_cannot_be_told_are_named_without_blaming_those_that_refer_to_them(raw):
    folder = raw.save()
    raw.path("sources").unlink()
    claims = raw.path("claims")
    claims.write_text(
        claims.read_text(encoding="utf-8").replace("claim_id", "claim", 1), encoding="utf-8"
    )
    facts = raw.path("study_facts")
    facts.write_bytes(facts.read_bytes().replace(b"\n", b"\nM\xfcller,", 1))
    risk = raw.path("risk_of_bias")
    text = risk.read_text(encoding="utf-8").rstrip("\n")
    risk.write_text(text[: text.rindex(",")] + ',"not closed\n', encoding="utf-8")
    last = len(text.splitlines())
    outcomes = raw.path("outcomes")
    outcomes.write_text("", encoding="utf-8")
    refused = faults_of(folder)
    assert {(f.table, f.line, f.column) for f in refused.faults} == {
        ("sources", 0, "-"),
        ("claims", 1, "-"),
        ("study_facts", 2, "-"),
        ("risk_of_bias", last, "-"),
        ("outcomes", 1, "-"),
    }
    by_table = {f.table: f for f in refused.faults}
    assert len(by_table) == len(refused.faults)
    assert by_table["sources"].rule == "file sources.csv is missing"
    assert by_table["claims"].rule == "header differs from datapackage.json"
    assert by_table["claims"].value.startswith("claim,claimed_in")
    assert by_table["claims"].remedy.startswith("use: claim_id,claimed_in")
    assert by_table["study_facts"].rule == "is not UTF-8"
    assert by_table["study_facts"].value == repr(b"\xfc")
    assert by_table["risk_of_bias"].rule.startswith("is no CSV")


def test_without_validation_the_shape_is_still_checked(raw):
    raw.find("studies")["blinding"] = "double"
    folder = raw.save()
    assert load_evidence(folder, validate=False).studies["blinding"].eq("double").sum() == 1
    raw.path("arms").unlink()
    assert [f.table for f in faults_of(folder, validate=False).faults] == ["arms"]


def test_no_data_dictionary(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"datapackage\.json is missing"):
        load_evidence(tmp_path)
    (tmp_path / "datapackage.json").write_text('{\n "resources": [,]\n}', encoding="utf-8")
    (fault,) = faults_of(tmp_path).faults
    assert (fault.table, fault.line, fault.column) == ("datapackage", 2, "-")
    assert fault.rule.startswith("is no JSON")


def test_an_independent_validator_finds_no_fault_either(raw_folder):
    from frictionless import Package

    report = Package(str(raw_folder / "datapackage.json")).validate()
    assert report.flatten(["name", "rowNumber", "fieldName", "note"]) == []


def test_types_and_labels(evidence):
    assert evidence.contrasts["estimate"].dtype == "float64"
    assert evidence.arms["n_randomised"].dtype == "Int64"
    assert evidence.contrasts["is_paired"].dtype == "boolean"
    for name, text in evidence.text.items():
        typed = evidence.tables[name]
        labelled = text.isin(["NR", "NA", "TODO"])
        assert (typed.isna() == labelled).all(axis=None), name
        assert list(typed.columns) == list(text.columns)
        assert typed.index.equals(text.index)
        numbers = evidence.dictionary.tables[name].of_type("number", "integer")
        for column in numbers:
            stated = ~labelled[column]
            assert (typed.loc[stated, column] == text.loc[stated, column].astype(float)).all()


def test_evidence_is_friendly(evidence):
    assert repr(evidence).startswith(f"<Evidence: {len(evidence.studies)} studies, ")
    assert "contrasts" in dir(evidence)
    assert copy.copy(evidence).studies is evidence.studies
    with pytest.raises(AttributeError, match="no table 'contrast'; tables are"):
        evidence.contrast  # noqa: B018


def test_everything_about_one_study(evidence):
    found = evidence.study("duebruun2024")
    assert {"studies", "arms", "arm_stats", "arm_events", "contrasts"} <= set(found)
    for rows in found.values():
        assert (rows["study_id"] == "duebruun2024").all()
    with pytest.raises(ArgumentError, match="did you mean 'duebruun2024'"):
        evidence.study("duebrunn2024")


def test_one_indication(evidence):
    part = evidence.for_indication("fibromyalgia")
    assert list(part.indications["indication_id"]) == ["fibromyalgia"]
    assert (part.studies["indication_id"] == "fibromyalgia").all()
    assert (part.claims["indication_id"] == "fibromyalgia").all()
    assert part.claims["study_id"].isna().any()
    assert set(part.contrasts["study_id"]) <= set(part.studies["study_id"])
    assert len(part.outcomes) == len(evidence.outcomes)
    assert list(part.contrasts.index) == list(range(len(part.contrasts)))
    names = list(evidence.indications["indication_id"])
    rows = sum(len(evidence.for_indication(name).contrasts) for name in names)
    assert rows == len(evidence.contrasts)
    with pytest.raises(ArgumentError, match=r"no indication 'fibromyalgic'; did you mean"):
        evidence.for_indication("fibromyalgic")


def test_the_builder_of_these_tests_makes_evidence_in_order(build):
    build.trial()
    build.contrast(estimate="-1.0", ci_low="-2.0", ci_high="0.0", ci_level=0.95, n_1=50, n_2=50)
    build.stats(n=50, mean="-1.5", sd="2.0")
    build.events(n=50, events=20)
    # One person may have several events.
    build.events(n=50, events=70, counted="events")
    assert len(build.load(validate=True).contrasts) == 1


def test_a_fact_of_which_no_row_is_preferred(raw_folder, tmp_path):
    raw = RawCopy(raw_folder, tmp_path / "raw")
    row = raw.find("arm_stats", study_id="smith2007", preferred="yes")
    row |= {"preferred": "no", "preferred_reason": "both may be wrong"}
    with pytest.raises(DataError) as refused:
        load_evidence(raw.save())
    (fault,) = refused.value.faults
    assert (fault.table, fault.line) == ("arm_stats", raw.line("arm_stats", row))
    assert fault.rule == "no row states this fact as the preferred one"
    assert fault.remedy == "set preferred to yes for the row to be used"
