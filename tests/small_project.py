"""The real tables cut down to a few studies, in a project of their own: quick to check whole."""

import csv
import re
import shutil
from pathlib import Path

# Conditions with a comparison among the studies, whose certainty is judged.
INDICATIONS = ("fibromyalgia", "multiple_sclerosis")
STUDIES = ("duebruun2024", "younger2013", "cree2010", "raknes2018")


def cut_down(raw_folder, root):
    """Copy data/raw with the rows of STUDIES only, and nothing that was accepted elsewhere."""
    folder = root / "data" / "raw"
    shutil.copytree(raw_folder, folder, ignore=shutil.ignore_patterns("*.yml"))
    for file in folder.glob("*.csv"):
        rows = read(file)
        header = list(rows[0])
        if "study_id" in header:
            rows = [row for row in rows if row["study_id"] in STUDIES]
        elif file.name == "certainty.csv":
            rows = [row for row in rows if row["indication_id"] in INDICATIONS]
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, header, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    # Of the multiverse one node is enough, too.
    protocol = folder / "protocol.toml"
    first, *_, last = protocol.read_text(encoding="utf-8").split("[[multiverse.node]]")
    # The SD that the certainty of pain is judged by is of a trial that is not among STUDIES.
    first = re.sub(r'(?m)^sd_row = "arm_stats:.*$', 'sd_row = "none"', first)
    protocol.write_text(f"{first}[[multiverse.node]]{last}", encoding="utf-8")
    return folder


def read(file):
    with Path(file).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def snapshot(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def added(before, folder):
    """New lines by file; that no other line changed is checked on the way."""
    found = {}
    for name, data in snapshot(folder).items():
        old, new = before[name].splitlines(), data.splitlines()
        fresh = [line for line in new if line not in old]
        assert [line for line in new if line in old] == old, name
        if fresh:
            found[name.removesuffix(".csv")] = [line.decode() for line in fresh]
    return found
