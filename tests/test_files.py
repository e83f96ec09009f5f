"""Labels, numbers, CSV and hashes once; a file or a folder is written whole or not at all."""

import numpy as np
import pandas as pd
import pytest

from ldn_meta import files
from ldn_meta.errors import CsvError, did_you_mean


def test_cells_are_written_the_same_everywhere():
    table = pd.DataFrame(
        {
            "text": ["a,b", None, ""],
            "number": [1 / 3, np.nan, 12345678.0],
            "small": [1.23456789e-7, -0.0, np.inf],
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "truth": [True, False, np.True_],
            "word": pd.array(["x", pd.NA, "y"], dtype="string"),
        }
    )
    assert files.csv_bytes(table).decode() == (
        "text,number,small,whole,truth,word\n"
        '"a,b",0.333333,1.23457e-07,1,yes,x\n'
        "NA,NA,0,NA,no,NA\n"
        "NA,12345678,inf,3,yes,y\n"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.333333"),
        (2.0, "2"),
        (-0.0, "0"),
        (12345678.0, "12345678"),
        (1234567.8, "1.23457e+06"),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
        (-1.5e-9, "-1.5e-09"),
    ],
)
def test_numbers_as_text(value, text):
    assert files.number_text(value) == text


def test_rounding_goes_all_the_way_down():
    value = {"a": [1 / 3, (2 / 3, "x", None, True)], "b": {"c": float("inf")}, "n": 7}
    assert files.rounded(value) == {
        "a": [0.333333, [0.666667, "x", None, True]],
        "b": {"c": None},
        "n": 7,
    }
    assert str(files.rounded(-0.0)) == "0.0"


def folder(path, text):
    path.mkdir(parents=True)
    (path / "file").write_text(text)
    return path


def test_replacing_a_folder_replaces_all_of_it(tmp_path):
    target = folder(tmp_path / "target", "old")
    (target / "more").write_text("old")
    files.replace_folder(folder(tmp_path / "staged", "new"), target)
    assert [(f.name, f.read_text()) for f in target.iterdir()] == [("file", "new")]
    assert [f.name for f in tmp_path.iterdir()] == ["target"]


def test_a_replacement_that_fails_brings_the_old_folder_back(tmp_path, monkeypatch):
    target = folder(tmp_path / "target", "old")
    rename = type(target).rename

    def fail_for_new(self, other):
        if self.name == ".target.new":
            raise OSError(28, "no space")
        return rename(self, other)

    monkeypatch.setattr(type(target), "rename", fail_for_new)
    with pytest.raises(OSError, match="no space"):
        files.replace_folder(folder(tmp_path / "staged", "new"), target)
    assert (target / "file").read_text() == "old"


def test_a_replacement_cut_off_half_way_is_undone(tmp_path):
    folder(tmp_path / ".target.old", "old")
    files.restore_folder(tmp_path / "target")
    assert (tmp_path / "target" / "file").read_text() == "old"
    folder(tmp_path / ".target.old", "older")
    files.restore_folder(tmp_path / "target")
    assert (tmp_path / "target" / "file").read_text() == "old"
    assert [f.name for f in tmp_path.iterdir()] == ["target"]


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("old")

    def fail(self, other):
        raise OSError(5, "gone")

    monkeypatch.setattr(type(file), "replace", fail)
    with pytest.raises(OSError, match="gone"):
        files.write_whole(file, b"new")
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("file", "old")]


def test_new_files_go_if_a_later_one_fails(tmp_path):
    old, new = tmp_path / "a", tmp_path / "b"
    old.write_bytes(b"old")
    (tmp_path / "c").mkdir()
    with pytest.raises(OSError):
        files.write_together({old: b"1", new: b"2", tmp_path / "c": b"3"})
    assert old.read_bytes() == b"old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "c"]


def test_rows_come_with_the_line_they_begin_on():
    text = 'a;b\n"x\ny";1\n\nz;2\n'
    rows = list(files.csv_rows(text, delimiter=";"))
    assert rows == [(1, ["a", "b"]), (2, ["x\ny", "1"]), (4, []), (5, ["z", "2"])]
    with pytest.raises(CsvError) as error:
        list(files.csv_rows('a\n"b" c\n', strict=True))
    assert error.value.line == 2


def test_records_are_what_was_written(tmp_path):
    rows = [["key", "note"], ["a", "x, y"], ["b", "two\nlines"]]
    file = tmp_path / "t.csv"
    file.write_bytes(files.csv_text(rows).encode())
    assert files.csv_records(file) == [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_what_was_probably_meant():
    assert did_you_mean("pian", ["pain", "sleep"], " Else ") == "did you mean 'pain'? Else "
    assert did_you_mean("pain_a", ["pain_b", "pain_c"], most=2) == (
        "did you mean 'pain_c' or 'pain_b'?"
    )
    assert did_you_mean("x", ["pain"], " Else ") == ""
