"""Nothing that was checked before the house was redrawn is checked no longer.

`inventory/before.csv` lists every test function as it was then, with its number of cases. Each
stands today under its name, whatever file it moved to, or a line of another file in `inventory`
says which test took it over, or why what it checked is gone.
"""

import csv
import re
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
INVENTORY = TESTS / "inventory"
COLUMNS = ["old_file", "old_name", "new_file", "new_name", "reason"]


def rows(file):
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def functions():
    """(file, name) of every test function of today."""
    for file in sorted(TESTS.rglob("test_*.py")):
        for name in re.findall(r"^ *def (test_\w+)\(", file.read_text(encoding="utf-8"), re.M):
            yield file.relative_to(TESTS).as_posix(), name


def base(file):
    """Folders do not count: files moved between them."""
    return file.rpartition("/")[2]


def unaccounted(before, moved, today):
    """What a reader should look at, a line each."""
    told = {(base(row["old_file"]), row["old_name"]) for row in moved}
    known = {(base(row["old_file"]), row["old_name"]) for row in before}
    here = {(base(file), name) for file, name in today}
    for row in moved:
        new = (base(row["new_file"]), row["new_name"])
        if (base(row["old_file"]), row["old_name"]) not in known:
            yield f"{row['old_file']}::{row['old_name']} never was a test"
        elif row["new_name"] and new not in here:
            yield f"{row['old_name']} became {row['new_file']}::{row['new_name']}, not found"
        elif not row["new_name"] and not row["reason"]:
            yield f"{row['old_file']}::{row['old_name']} is gone without a reason"
    # Of two old tests of one name two stand today, or a line tells where the other went.
    left = Counter(name for _, name in today)
    for row in before:
        if (base(row["old_file"]), row["old_name"]) not in told:
            left[row["old_name"]] -= 1
            if left[row["old_name"]] < 0:
                yield f"{row['old_file']}::{row['old_name']} is nowhere"


def test_every_test_of_before_is_accounted_for():
    files = [file for file in sorted(INVENTORY.glob("*.csv")) if file.name != "before.csv"]
    moved = [dict.fromkeys(COLUMNS, "") | row for file in files for row in rows(file)]
    found = list(unaccounted(rows(INVENTORY / "before.csv"), moved, set(functions())))
    assert not found, "\n".join([f"{len(found)} tests:", *found])


def test_what_is_missing_is_told():
    before = [{"old_file": "a/test_x.py", "old_name": name} for name in ("test_a", "test_b")]
    gone = {"old_file": "test_x.py", "old_name": "test_b", "new_file": "", "new_name": ""}
    kept = {("test_y.py", "test_a")}
    assert list(unaccounted(before, [gone | {"reason": "code deleted"}], kept)) == []
    assert list(unaccounted(before, [], kept)) == ["a/test_x.py::test_b is nowhere"]
    assert list(unaccounted(before, [gone | {"reason": ""}], kept)) == [
        "test_x.py::test_b is gone without a reason"
    ]
    merged = gone | {"new_file": "test_y.py", "new_name": "test_c"}
    assert "not found" in next(unaccounted(before, [merged], kept))
    assert "never was" in next(unaccounted(before[:1], [merged], kept))
