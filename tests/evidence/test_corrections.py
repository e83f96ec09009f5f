"""Entries of corrections.yml: read as text, held to their rows, refused when in doubt."""

import pytest

from ldn_meta.errors import DataError
from ldn_meta.evidence.audit.consistency import CHECKED_TABLES, CHECKS
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.faults import correction_faults
from ldn_meta.evidence.raw.tables import ACCEPT, read_corrections

ENTRY = {
    "table": "arm_events",
    "row": "row-1",
    "check": "percentage of the arm",
    "expect": "88%",
    "action": "accept",
    "reason": "fewer were analysed",
    "by": "a test",
}


def lines(**changes):
    cells = ENTRY | changes
    return "".join(
        f"{'- ' if place == 0 else '  '}{key}: {value}\n"
        for place, (key, value) in enumerate((k, v) for k, v in cells.items() if v is not None)
    )


@pytest.fixture
def refused(build):
    """Load a trial whose 88% is of no arm of 20, with a corrections.yml; give what is refused."""
    build.trial(n=(20, 20))
    build.events(percent="88", as_reported="88%")

    def load(text):
        (build.folder / "corrections.yml").write_text(text, encoding="utf-8")
        try:
            faults = correction_faults(build.load(), checks=CHECKS, checked_tables=CHECKED_TABLES)
        except DataError as error:
            faults = error.faults
        return [str(fault) for fault in faults]

    return load


def test_an_entry_is_read_as_typed(tmp_path):
    (tmp_path / "corrections.yml").write_text(
        "# a comment\n\n" + lines(expect="0.10", reason=">-\n    two\n    lines"), encoding="utf-8"
    )
    (entry,), faults = read_corrections(tmp_path)
    assert not faults
    # YAML would make 0.1 of it, and "no" of no.
    assert (entry.expect, entry.reason, entry.line) == ("0.10", "two lines", 3)


@pytest.mark.parametrize("text", ["", "# nothing accepted\n"])
def test_no_entries(tmp_path, text):
    assert read_corrections(tmp_path) == ((), [])
    (tmp_path / "corrections.yml").write_text(text, encoding="utf-8")
    assert read_corrections(tmp_path) == ((), [])


def test_a_good_entry_passes(refused):
    assert refused(lines()) == []


REFUSED = [
    ("- table: [\n", "corrections:2:-: is no YAML"),
    ("table: arm_events\n", "corrections:1:-: is no list; begin each entry with '- table:'"),
    ("- one\n", "corrections:1:-: is no entry; give table, row,"),
    (lines(reason=None), "corrections:1:reason: is missing; add it to the entry"),
    (lines(reason="''"), "corrections:6:reason: is no text"),
    (lines(reason="[a, b]"), "corrections:6:reason: is no text"),
    (lines() + "  colour: red\n", "corrections:8:colour: is no key of an entry; Use table"),
    (lines() + "  reasn: x\n", "did you mean 'reason'?"),
    (lines() + "  by: x\n", "corrections:8:by: is given twice"),
    (lines(action="replace"), "corrections:1:action: value 'replace' is no action; use accept"),
    (lines(check="percentage of arms"), "is no check; did you mean 'percentage of the arm'?"),
    (lines(table="outcomes"), "corrections:1:table: value 'outcomes' is not checked; use one of"),
    (lines(row="row-9"), "corrections:1:row: value 'row-9' is no row of arm_events"),
    (lines(expect="87%"), "value '87%' is not what the row says now ('88%'); look at the row"),
    (lines() + lines(), "corrections:8:row: value 'row-1' has an entry at line 1; delete one"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_refused(refused, text, message):
    found = refused(text)
    assert found
    assert any(message in fault for fault in found), found


def test_all_faults_at_once(refused):
    found = refused(lines(row="row-9") + lines(expect="87%") + lines(action="drop"))
    assert len(found) == 4


def test_bytes_that_are_no_text(build, tmp_path):
    (tmp_path / "corrections.yml").write_bytes(b"- table: \xff\n")
    entries, faults = read_corrections(tmp_path)
    assert (entries, len(faults)) == ((), 1)


def test_the_guard_is_what_the_real_rows_say(evidence):
    assert len(evidence.corrections) >= 10
    for entry in evidence.corrections:
        text = evidence.text[entry.table]
        row = text[text["row_id"] == entry.row].iloc[0]
        assert (row["as_reported"], entry.action) == (entry.expect, ACCEPT)
        assert len(entry.reason) > 60


def test_editing_a_guarded_cell_trips(tmp_path, raw_folder):
    import shutil

    folder = tmp_path / "raw"
    shutil.copytree(raw_folder, folder)
    file = folder / "arm_events.csv"
    text = file.read_text(encoding="utf-8")
    old = 'smith2011,"Abstract, results",88%,'
    assert text.count(old) == 1
    file.write_text(text.replace(old, old.replace("88%", "86%")), encoding="utf-8")
    with pytest.raises(DataError, match=r"corrections:\d+:expect: value '88%'.*\('86%'\)"):
        load_evidence(folder)
