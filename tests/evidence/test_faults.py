"""What is wrong with raw tables: every rule told once, with its address and a remedy."""

from dataclasses import replace

import pytest

from builders import Builder, RawCopy, addressed, cases, entry_lines, faults_of
from ldn_meta.evidence.audit.consistency import CHECKED_TABLES, CHECKS
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.bias import OVERALL, TOOLS, overall_judgements
from ldn_meta.evidence.raw.faults import correction_faults
from ldn_meta.evidence.raw.tables import ACCEPT, read_corrections


def given(cell):
    return cell not in ("NR", "NA", "TODO")


WANTED = {
    "given": given,
    "above 0": lambda cell: given(cell) and float(cell) > 0,
    "not cree2010": lambda cell: cell != "cree2010",
    "longer than 3": lambda cell: len(cell) > 3,
}
AN_OTHER_KEY = "give every row its own key, or delete the copy"


# What is broken: a row, the cells that change, the column that is named, and what is said of it.
# {name} is a cell of the row once it is broken, {old_name} what stood there; WANTED names tests.
BREAKS = {name: rest for name, *rest in cases("faults")}
# Those that take more than one row.
JOINED = [
    *("key twice", "value twice", "arm sums", "row twice under two keys", "row twice"),
    *("preferred twice", "line break"),
]


def break_everything(raw):
    """Every kind of fault that one row can have, each in another row; what must be said of it."""
    expected, find = {}, raw.find

    def says(name, table, row, column, rule, remedy):
        value = "" if column == "-" else row[column]
        expected[name] = ((table, raw.line(table, row), column, value, rule), remedy)

    first, second = find("arm_events"), find("arm_events")
    second["row_id"] = first["row_id"]
    says("key twice", "arm_events", second, "row_id", "key is given twice", AN_OTHER_KEY)
    first, second = find("indications"), find("indications")
    second["sort_order"] = first["sort_order"]
    remedy = "give every row its own value"
    says("value twice", "indications", second, "sort_order", "value is given twice", remedy)
    study = find("studies", study_id="innova2026")
    arm = find("arms", study_id="innova2026", group="1")
    arm["n_randomised"] = str(int(arm["n_randomised"]) - 1)
    rule = f"its arms add up to {int(study['n_randomised']) - 1}"
    says("arm sums", "studies", study, "n_randomised", rule, "correct the study or its arms")
    again = raw.append("sources", find("sources") | {"source_id": "another-key"})
    rule = "the same row again under another key"
    remedy = "delete one of the two"
    says("row twice under two keys", "sources", again, "source_id", rule, remedy)
    copied = raw.append("sources", dict(find("sources")))
    says("row twice", "sources", copied, "source_id", "key is given twice", AN_OTHER_KEY)
    original = find("arm_stats", preferred="yes")
    rule = f"line {raw.line('arm_stats', original)} states the same fact and is preferred too"
    rival = raw.append("arm_stats", original | {"row_id": "rival", "as_reported": "other"})
    remedy = "set one of the two to no, with the reason"
    says("preferred twice", "arm_stats", rival, "preferred", rule, remedy)
    # Last row of its table: the second line of the cell would move the lines after it.
    last = raw.rows["claims"][-1]
    last["claim"] = "two\nlines"
    rule, remedy = "line break inside a cell", "put the text on one line"
    says("line break", "claims", last, "claim", rule, remedy)
    for name, (table, where, changes, column, rule, remedy) in BREAKS.items():
        row = find(table, **{key: WANTED.get(cell, cell) for key, cell in where.items()})
        before = {f"old_{key}": cell for key, cell in row.items()}
        row |= {key: change.format_map(row) for key, change in changes.items()}
        told = [words.format_map(row | before) for words in (rule, remedy)]
        says(name, table, row, column, *told)
    return expected


@pytest.fixture(scope="module")
def everything_broken(raw_folder, tmp_path_factory):
    raw = RawCopy(raw_folder, tmp_path_factory.mktemp("broken") / "raw")
    expected = break_everything(raw)
    return expected, faults_of(raw.save())


@pytest.mark.parametrize("name", [*BREAKS, *JOINED])
def test_a_fault_is_named_once_with_its_address_and_a_remedy(everything_broken, name):
    expected, refused = everything_broken
    address, remedy = expected[name]
    found = [f for f in refused.faults if (f.table, f.line, f.column) == address[:3]]
    assert addressed(found) == {address}
    assert len(found) == 1
    assert found[0].remedy.startswith(remedy)


def test_all_faults_are_listed_at_once_and_nothing_else(everything_broken):
    expected, refused = everything_broken
    assert set(expected) == {*BREAKS, *JOINED}
    assert addressed(refused.faults) == {address for address, _ in expected.values()}
    assert len({fault.table for fault in refused.faults}) >= 9
    lines = str(refused).splitlines()
    assert lines[0] == f"data/raw was refused: {len(expected)} faults"
    assert len(lines) == len(expected) + 1


def test_a_fault_reads_as_table_line_column_value_rule_remedy(everything_broken):
    _, refused = everything_broken
    fault = next(f for f in refused.faults if f.value == "two thousand")
    assert str(fault) == (
        f"studies:{fault.line}:year: value 'two thousand' not a plain number; "
        "type digits with a decimal point, or NR / NA / TODO"
    )


D3 = "missing outcome data"


def row_of(raw, study, domain=OVERALL):
    return raw.find("risk_of_bias", study_id=study, domain=domain)


def break_bias(raw):
    """One breach a study, so that none can hide behind another."""
    expected = []

    def says(row, column, rule, remedy):
        line = raw.line("risk_of_bias", row)
        value = "" if column == "-" else row[column]
        expected.append(("risk_of_bias", line, column, value, rule, remedy))

    row = row_of(raw, "duebruun2024", D3)
    row["judgement"] = "serious"
    scale = "use one of low, not readable here, some concerns, high"
    says(row, "judgement", "is not on the scale of RoB 2", scale)

    row = row_of(raw, "irwin2024")
    row["judgement"] = "not applicable"
    rule = "is not on the scale of JBI case series"
    says(row, "judgement", rule, "use one of yes, not readable here, unclear, no")

    row = row_of(raw, "metyas2013", "demographics reported")
    row["judgement"] = "unclear"
    rule = "what was not read is scored as not reported"
    says(row, "judgement", rule, "type not readable here, or read the full text")

    row = row_of(raw, "gironi2008", "consecutive inclusion")
    row["read_from"] = "full text"
    remedy = "judge what it says, or that it does not say"
    says(row, "judgement", "the full text was read", remedy)

    row = row_of(raw, "innova2026", D3)
    row["domain"] = "missing outcome dates"
    known = ", ".join(TOOLS["RoB 2"].domain_names)
    remedy = f"did you mean '{D3}'? Else use one of {known}"
    says(row, "domain", "no domain of RoB 2", remedy)
    first = next(r for r in raw.rows["risk_of_bias"] if r["study_id"] == "innova2026")
    rule = f"innova2026 has no row for {D3} of RoB 2"
    says(first, "-", rule, "add the row; its judgement may be TODO")

    first, again = row_of(raw, "paula2023", "randomisation process"), row_of(raw, "paula2023", D3)
    again["domain"] = first["domain"]
    line = raw.line("risk_of_bias", first)
    says(again, "domain", f"judged on line {line} already", "keep one of the two")
    rule = f"paula2023 has no row for {D3} of RoB 2"
    says(first, "-", rule, "add the row; its judgement may be TODO")

    row = row_of(raw, "martin2022", "missing data")
    first = next(r for r in raw.rows["risk_of_bias"] if r["study_id"] == "martin2022")
    row["tool"] = "RoB 2"
    line = raw.line("risk_of_bias", first)
    rule = f"a second tool for martin2022, after line {line}"
    says(row, "tool", rule, "use ROBINS-I throughout")
    rule = "martin2022 has no row for missing data of ROBINS-I"
    says(first, "-", rule, "add the row; its judgement may be TODO")

    row = row_of(raw, "cree2010")
    row["judgement"] = "some concerns"
    rule = "is better than its domains allow (high)"
    says(row, "judgement", rule, "use high, or a worse one")

    row = row_of(raw, "bested2023")
    row["judgement"] = "high"
    rule = "the overall judgement is worse than its worst domain (not readable here)"
    says(row, "note", rule, "say why, or use the worst domain's")

    row = row_of(raw, "hamann2007", D3)
    row["judgement"] = "TODO"
    rule = "a judgement that is TODO was made by nobody"
    says(row, "judged_by", rule, "type nobody yet, or judge")

    row = row_of(raw, "farahmand2012", D3)
    row["judged_by"] = "nobody yet"
    rule = "somebody made this judgement"
    says(row, "judged_by", rule, "say who judged, or set the judgement to TODO")

    row = row_of(raw, "metyas2013", "site described")
    row["judgement"] = "NR"
    rule = "neither a judgement nor TODO"
    says(row, "judgement", rule, "judge, or type TODO until judged")

    table = raw.rows["risk_of_bias"]
    table[:] = [row for row in table if row["study_id"] != "younger2009"]
    study = raw.find("studies", study_id="younger2009")
    rule = "no row of risk_of_bias is about this study"
    remedy = "add one row a domain of ROBINS-I, or one with domain overall and judgement TODO"
    address = ("studies", raw.line("studies", study), "study_id", "younger2009", rule, remedy)

    # What stands of a crossover without the domain that is its own is another tool's.
    raw.rows["risk_of_bias"].remove(
        row_of(raw, "sharafaddinzadeh2010", "period and carryover effects")
    )
    own = [row for row in raw.rows["risk_of_bias"] if row["study_id"] == "sharafaddinzadeh2010"]
    for row in own:
        row["tool"] = "RoB 2"
    rule = "does not fit a study of design crossover, randomised: yes, eligible for contrast"
    says(own[0], "tool", rule, "use RoB 2 crossover, or correct the study")
    return [*expected, address]


BROKEN = cases("broken")


@pytest.fixture(scope="module")
def judgements_broken(raw_folder, tmp_path_factory):
    """Faults of what people judged, claim or accept: what must be said, and what is."""
    raw = RawCopy(raw_folder, tmp_path_factory.mktemp("judgements") / "raw")
    computations = []
    for cell, rule, remedy in BROKEN:
        row = raw.find("claims", computation="n-in-sources")
        row["computation"] = cell
        computations.append((raw.line("claims", row), cell, rule, remedy))
    rows = raw.rows["certainty"]
    rows[0]["judgement"] = "probable"
    rows[1]["kind"] = "override" if rows[1]["kind"] == "judgement" else "judgement"
    rows[2]["indication_id"] = "fibro"
    rows[3]["reason"] = "NA"
    rows[4]["judged_by"] = "nobody yet"
    raw.find("arm_events", study_id="smith2011", as_reported="88%")["as_reported"] = "86%"
    # Rows are taken out last: lines count as they are on file.
    bias = break_bias(raw)
    return bias, computations, faults_of(raw.save()).faults


def of_tables(faults, *tables):
    return [fault for fault in faults if fault.table in tables]


def test_all_breaches_are_told_at_once(judgements_broken):
    bias, _, faults = judgements_broken
    told = of_tables(faults, "risk_of_bias", "studies")
    assert sorted((f.table, f.line, f.column, f.value, f.rule, f.remedy) for f in told) == sorted(
        bias
    )


def test_computations_that_do_not_exist_are_refused_all_at_once(judgements_broken):
    _, broken, faults = judgements_broken
    told = of_tables(faults, "claims")
    by_line = {fault.line: fault for fault in told}
    assert len(by_line) == len(told) == len(broken)
    for line, cell, rule, remedy in broken:
        fault = by_line[line]
        assert fault.column == "computation"
        assert fault.value in (cell, "")
        assert rule in fault.rule
        assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('study_id = "duebruun2024"', 'study_id = "duebrun2024"', "'duebrun2024' is no studies"),
        (
            '\ncomparator = "placebo"',
            '\ncomparator = "placeb"',
            "'placeb' is no comparator on file",
        ),
        ('own_rule = "responder_own', 'own_rule = "responder_on', "responder_on_rule' is no con"),
        ('indication = "opioid_', 'indication = "opiod_', "'opiod_combination' is no indication"),
    ],
)
def test_what_a_rule_of_claims_names_is_on_file(raw, old, new, told):
    """Else it looks for nothing, finds nothing, and its claims cannot be tested."""
    file = raw.save() / "claim_rules.toml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    (fault,) = faults_of(raw.folder).faults
    assert told in str(fault)
    assert "did you mean" in str(fault)


def test_faults_of_the_file_reach_whoever_loads_it(judgements_broken):
    told = [(f.line, f.column) for f in of_tables(judgements_broken[-1], "certainty")]
    assert told == [
        (2, "judgement"),
        (3, "kind"),
        (4, "indication_id"),
        (5, "reason"),
        (6, "judged_by"),
    ]


def test_editing_a_guarded_cell_trips(judgements_broken):
    (fault,) = of_tables(judgements_broken[-1], "corrections")
    assert (fault.column, fault.value) == ("expect", "88%")
    assert "('86%')" in str(fault)


def test_a_worse_overall_with_its_reason_stands(build):
    build.trial()
    names = [d.name.replace(" ", "_") for d in TOOLS["RoB 2"].domains]
    build.bias(**dict.fromkeys(names, "some concerns"), overall="high")
    build.rows["risk_of_bias"][-1]["note"] = "five concerns together"
    assert overall_judgements(build.load(validate=True)) == {"ames2001": "high"}


def test_what_cannot_be_read_is_not_blamed_on_studies(raw):
    folder = raw.save()
    raw.path("risk_of_bias").unlink()
    assert [(f.table, f.rule) for f in faults_of(folder).faults] == [
        ("risk_of_bias", "file risk_of_bias.csv is missing")
    ]


def test_judgements_of_a_set_aside_study_are_allowed(raw):
    study = next(row for row in raw.rows["studies"] if row["study_id"] == "asa2019")
    assert study["eligible_for"] == "excluded"
    row = dict(row_of(raw, "mckenziebrown2023"))
    row |= {"row_id": "asa2019-overall", "study_id": "asa2019"}
    row |= {"judgement": "TODO", "judged_by": "nobody yet"}
    raw.append("risk_of_bias", row)
    assert len(load_evidence(raw.save()).risk_of_bias) == len(raw.rows["risk_of_bias"])


@pytest.fixture(scope="module")
def corrected(raw_folder, tmp_path_factory):
    """A trial whose 88% is of no arm of 20."""
    build = Builder(tmp_path_factory.mktemp("corrected") / "raw", raw_folder)
    build.trial(n=(20, 20))
    build.events(percent="88", as_reported="88%")
    return build.load()


@pytest.fixture
def refused(corrected, tmp_path):
    """What is refused of a corrections.yml beside that trial."""

    def load(text):
        (tmp_path / "corrections.yml").write_text(text, encoding="utf-8")
        entries, faults = read_corrections(tmp_path)
        faults = faults or correction_faults(
            replace(corrected, corrections=entries), checks=CHECKS, checked_tables=CHECKED_TABLES
        )
        return [str(fault) for fault in faults]

    return load


def test_a_good_entry_passes(refused):
    assert refused(entry_lines()) == []


REFUSED = [
    ("- table: [\n", "corrections:2:-: is no YAML"),
    ("table: arm_events\n", "corrections:1:-: is no list; begin each entry with '- table:'"),
    ("- one\n", "corrections:1:-: is no entry; give table, row,"),
    (entry_lines(reason=None), "corrections:1:reason: is missing; add it to the entry"),
    (entry_lines(reason="''"), "corrections:6:reason: is no text"),
    (entry_lines(reason="[a, b]"), "corrections:6:reason: is no text"),
    (entry_lines() + "  colour: red\n", "corrections:8:colour: is no key of an entry; Use table"),
    (entry_lines() + "  reasn: x\n", "did you mean 'reason'?"),
    (entry_lines() + "  by: x\n", "corrections:8:by: is given twice"),
    (
        entry_lines(action="replace"),
        "corrections:1:action: value 'replace' is no action; use accept",
    ),
    (
        entry_lines(check="percentage of arms"),
        "is no check; did you mean 'percentage of the arm'?",
    ),
    (
        entry_lines(table="outcomes"),
        "corrections:1:table: value 'outcomes' is not checked; use one of",
    ),
    (entry_lines(row="row-9"), "corrections:1:row: value 'row-9' is no row of arm_events"),
    (
        entry_lines(expect="87%"),
        "value '87%' is not what the row says now ('88%'); look at the row",
    ),
    (
        entry_lines() + entry_lines(),
        "corrections:8:row: value 'row-1' has an entry at line 1; delete one",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_refused(refused, text, message):
    found = refused(text)
    assert found
    assert any(message in fault for fault in found), found


def test_all_faults_at_once(refused):
    found = refused(
        entry_lines(row="row-9") + entry_lines(expect="87%") + entry_lines(action="drop")
    )
    assert len(found) == 4


def test_the_guard_is_what_the_real_rows_say(evidence):
    assert len(evidence.corrections) >= 10
    for entry in evidence.corrections:
        text = evidence.text[entry.table]
        row = text[text.iloc[:, 0] == entry.row].iloc[0]
        assert (row.get("as_reported", entry.expect), entry.action) == (entry.expect, ACCEPT)
        assert len(entry.reason) > 60


@pytest.mark.parametrize(
    "label",
    [
        "Due {download}`../../etc/hostname`",
        "{raw}`html <script>alert(1)</script>`",
        "<img src=x onerror=alert(1)>",
        "Due[^1]",
        "$\\input{x}$",
        "a $x$ b",
        "{{ 7*7 }}",
        "[x](javascript:alert(1))",
        "&lt;script&gt;",
        "=HYPERLINK(A1)",
        "@SUM(A1)",
    ],
)
def test_a_name_is_no_markup(raw, label):
    row = raw.find("studies")
    row["label"] = label
    (fault,) = faults_of(raw.save()).faults
    assert (fault.table, fault.line) == ("studies", raw.line("studies", row))
    assert fault.rule.startswith("would be read as markup or as a formula")


@pytest.mark.parametrize("label", ["p < 0.05", "a gift of $25,000", "x [1] y", "A & B; C", "-0.5"])
def test_plain_words_are_no_markup(raw, label):
    raw.find("studies")["label"] = label
    raw.save()
    assert (load_evidence(raw.folder).studies["label"] == label).sum() == 1
