"""Single faults, one at a time, in every table and its companions; and what becomes of each.

``python tests/faults/battery.py`` puts all of them in and prints the table of docs/testing.md.
"""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ldn_meta import files
from ldn_meta.errors import DataError, LdnMetaError
from ldn_meta.evidence.entry import read_answers
from ldn_meta.evidence.grade import FILE, read_sentences
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.protocol import load_protocol
from ldn_meta.evidence.raw.tables import load_dictionary, sealed
from ldn_meta.pipeline.compare import edited
from ldn_meta.pipeline.entry import read_new_review
from ldn_meta.pipeline.notebooks import plan

TABLE, COMPANIONS = ".csv", ("protocol.toml", "review.toml", "grade.toml", "claim_rules.toml")
# Beside data/raw: settings of the notebooks, answers for `new-trial` and for `init`.
SETTINGS = "../../notebooks/parameters.toml"
ASKED = {
    SETTINGS: lambda path: plan(),
    "../new_trial_example.toml": lambda path: read_answers(
        path, load_dictionary(files.raw_data())
    ),
    "../new_review/example.toml": read_new_review,
}
DICTIONARY, CORRECTIONS = "datapackage.json", "corrections.yml"

# What becomes of a cell, by kind of fault; None where a cell cannot have it.


def _number(change):
    def changed(cell):
        return change(cell) if re.fullmatch(r"-?\d+(\.\d+)?", cell) else None

    return changed


WIDE = str.maketrans("0123456789", "".join(chr(0xFF10 + n) for n in range(10)))
HOMOGLYPHS = str.maketrans("aeocp", "\u0430\u0435\u043e\u0441\u0440")


def _homoglyph(cell):
    other = cell.translate(HOMOGLYPHS)
    return other if other != cell else None


def _swapped(cell):
    at = next((i for i in range(len(cell) - 1) if cell[i] != cell[i + 1]), None)
    return None if at is None else cell[:at] + cell[at + 1] + cell[at] + cell[at + 2 :]


NUMBERS = {
    "decimal comma": _number(lambda n: n.replace(".", ",") if "." in n else f"{n},0"),
    "thousands": _number(lambda n: f"1,{n}"),
    "scientific notation": _number(lambda n: f"{n}e0"),
    "minus of print": _number(lambda n: f"\u2212{n.lstrip('-')}"),
    "full-width digits": _number(lambda n: n.translate(WIDE)),
    "no-break space": _number(lambda n: f"{n}\u00a0"),
    "zero-width space": _number(lambda n: f"{n}\u200b"),
    "unit in the cell": _number(lambda n: f"{n} mg"),
    "infinity": _number(lambda n: "inf"),
    "thirty digits": _number(lambda n: "1" * 30),
    "sign turned": _number(lambda n: n[1:] if n.startswith("-") else f"-{n}"),
    "times ten": _number(lambda n: f"{float(n) * 10:.15g}"),
    "times a thousand": _number(lambda n: f"{float(n) * 1000:.15g}"),
    "digits swapped": _number(_swapped),
}
# What a slip makes of a number that is well typed.
SLIPS_OF_NUMBERS = ("sign turned", "times ten", "times a thousand", "digits swapped")
TEXTS = {
    "blank": lambda cell: "",
    "spaces": lambda cell: f" {cell}",
    "line break": lambda cell: f"{cell}\nx",
    "no label": lambda cell: "n/a",
    "control character": lambda cell: f"{cell}\x07",
    "right to left": lambda cell: f"{cell}\u202e",
    "homoglyph": _homoglyph,
    "letters swapped": _swapped,
    "other word": lambda cell: f"{cell}x",
    "missing": lambda cell: "NR" if cell not in ("NR", "NA") else None,
    "HTML": lambda cell: "<b onmouseover=alert(1)>x</b>",
    "script": lambda cell: "<script>document.title='owned'</script>",
    "link": lambda cell: "[x](javascript:alert(1))",
    "directive": lambda cell: "{raw}`html <script>alert(1)</script>`",
    "Jinja": lambda cell: "{{ 7*7 }}{% include '/etc/passwd' %}",
    "LaTeX": lambda cell: "$\\input{/etc/passwd}$",
    "formula": lambda cell: '=HYPERLINK("http://example.org";A1)',
}
# Each column meets this many kinds of each group, in turn.
OF_NUMBERS, OF_TEXTS = 2, 1


def _csv(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _rows(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def _cut(data):
    return data[: data[:-1].rindex(b"\n") + 1]


def _lines(change):
    return lambda data: b"".join(change(data.splitlines(keepends=True)))


# What becomes of a whole file, by kind of fault; a function of the path may do what bytes cannot.
FILES = {
    "Latin-1": lambda data: data.replace(b"e", b"\xe9", 1),
    "UTF-16": lambda data: data.decode("utf-8").encode("utf-16"),
    "byte-order mark": lambda data: b"\xef\xbb\xbf" + data,
    "carriage returns": lambda data: data.replace(b"\n", b"\r\n"),
    "null bytes": lambda data: data[:20] + b"\0" + data[20:],
    "cut at a byte": lambda data: data[: len(data) * 2 // 3],
    "empty": lambda data: b"",
}
OF_TABLES = {
    "cut at a line end": _cut,
    "header gone": _lines(lambda lines: lines[1:]),
    "header misspelt": lambda data: data.replace(b",", b"x,", 1),
    "columns swapped": lambda data: _csv(
        [[row[1], row[0], *row[2:]] for row in _rows(data)[:1]] + _rows(data)[1:]
    ),
    "cell too many": _lines(lambda lines: [lines[0], lines[1][:-1] + b",x\n", *lines[2:]]),
    "cell too few": lambda data: _csv([*_rows(data)[:1], _rows(data)[1][:-1], *_rows(data)[2:]]),
    "row twice": _lines(lambda lines: [*lines, lines[-1]]),
    "row under another key": lambda data: _csv(
        [*_rows(data), [f"{_rows(data)[-1][0]}2", *_rows(data)[-1][1:]]]
    ),
    "quote not closed": lambda data: data.rstrip(b"\n") + b'"x\n',
    "semicolons": lambda data: data.replace(b",", b";"),
    "blank line": _lines(lambda lines: [*lines[:2], b"\n", *lines[2:]]),
}


def _gone(path):
    path.unlink()


def _folder(path):
    path.unlink()
    path.mkdir()


def _loop(path):
    path.unlink()
    path.symlink_to(path.name)


PLACES = {"missing": _gone, "a folder": _folder, "a link to itself": _loop}
DEEP = b"[" * 100_000
BOMB = b"a: &a [x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (n + 1, n + 1, b",".join([b"*%c" % n] * 9)) for n in range(97, 106)
)
TOMLS = {
    "no TOML": lambda data: data + b"\n= 3\n",
    "key twice": lambda data: data + b"\n" + data,
    "unknown table": lambda data: data + b"\n[nonsense]\nx = 1\n",
    "nested deeply": lambda data: data + b"\nx = " + DEEP,
    "number of 30,000 digits": lambda data: data + b"\nx = " + b"9" * 30_000 + b"\n",
}
YAMLS = {
    "no YAML": lambda data: data + b"\n- {",
    "nested deeply": lambda data: DEEP,
    "a bomb": lambda data: BOMB,
    "a tag of Python": lambda data: b"!!python/object/apply:os.system ['true']\n",
    "a mapping": lambda data: b"table: x\n",
    "an unknown key": lambda data: data.replace(b"  reason:", b"  reson:", 1),
    "a row that is gone": lambda data: re.sub(rb"row: .", b"row: zz", data, count=1),
    "an unknown check": lambda data: re.sub(rb"check: .", b"check: zz", data, count=1),
    "other words": lambda data: re.sub(rb"expect: .", b"expect: zz", data, count=1),
}


def _described(change):
    def changed(data):
        told = json.loads(data)
        change(told)
        return json.dumps(told).encode()

    return changed


def _first(told):
    return told["resources"][2]


JSONS = {
    "a list": lambda data: b"[]",
    "null": lambda data: b"null",
    "an empty object": lambda data: b"{}",
    "nested deeply": lambda data: DEEP,
    "NaN": lambda data: data.replace(b'"required": true', b'"required": NaN', 1),
    "no labels": _described(lambda told: told.pop("missingValueLabels")),
    "a table gone": _described(lambda told: told["resources"].pop(2)),
    "a table twice": _described(lambda told: told["resources"].append(_first(told))),
    "a table renamed": _described(lambda told: _first(told).update(name="trials")),
    "a folder above": _described(lambda told: _first(told).update(name="../x")),
    "a path above": _described(lambda told: _first(told).update(path="../x.csv")),
    "no key": _described(lambda told: _first(told)["schema"].pop("primaryKey")),
    "an unknown key": _described(lambda told: _first(told)["schema"].update(primaryKey=["x"])),
    "a column gone": _described(lambda told: _first(told)["schema"]["fields"].pop(3)),
    "a column renamed": _described(
        lambda told: _first(told)["schema"]["fields"][3].update(name="x")
    ),
    "an unknown type": _described(
        lambda told: _first(told)["schema"]["fields"][3].update(type="date")
    ),
    "a bad pattern": _described(
        lambda told: _first(told)["schema"]["fields"][0]["constraints"].update(pattern="(")
    ),
    "a link to no table": _described(
        lambda told: _first(told)["schema"]["foreignKeys"][0]["reference"].update(resource="x")
    ),
    "a link from no column": _described(
        lambda told: _first(told)["schema"]["foreignKeys"][0].update(fields="x")
    ),
    "a count that is none": _described(lambda told: _first(told).update(rows="x")),
}


@dataclass(frozen=True)
class Single:
    """One fault: its file, its kind, and the row and column of a cell."""

    file: str
    kind: str
    group: str
    key: str = ""
    column: str = ""
    line: int = 0
    data: bytes = b""
    place: object = None

    def __str__(self):
        where = f":{self.line}:{self.key}:{self.column}" if self.key else ""
        return f"{self.file}{where}: {self.kind}"

    def put_into(self, folder):
        path = folder / self.file
        if self.place:
            self.place(path)
        else:
            path.write_bytes(self.data)


def _of_cells(name, data, numeric):
    """Each column with some kinds of each group, in turn; each in another row where it can be."""
    header, *rows = _rows(data)
    starts, line = [], 2
    for row in rows:
        starts.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    for place, column in enumerate(header):
        groups = [(TEXTS, "texts", OF_TEXTS)]
        if column in numeric:
            groups = [(NUMBERS, "numbers", OF_NUMBERS), (TEXTS, "texts", 1)]
        for kinds, group, count in groups:
            names, done = list(kinds), 0
            for step in range(len(names)):
                if done == count:
                    break
                kind = names[(place * 3 + len(name) + step * 5) % len(names)]
                for at in range(len(rows)):
                    at = (at + place * 7) % len(rows)
                    changed = kinds[kind](rows[at][place])
                    if changed is not None and changed != rows[at][place]:
                        new = [list(row) for row in rows]
                        new[at][place] = changed
                        of_kind = "slips" if kind in SLIPS_OF_NUMBERS else group
                        yield Single(
                            f"{name}.csv", kind, of_kind, rows[at][0], column, starts[at],
                            _csv([header, *new]),
                        )  # fmt: skip
                        done += 1
                        break


def _of_toml(name, data, group):
    """Values of another type and names misspelt, line by line of what is one line long."""
    lines = data.decode("utf-8").splitlines(keepends=True)
    found = [i for i, line in enumerate(lines) if re.match(r"[a-z_0-9]+ = [^\[{]*$", line)
             and '"""' not in line]  # fmt: skip
    for at in found[:: max(1, len(found) // 12)]:
        key, _, value = lines[at].partition(" = ")
        others = {
            "name misspelt": f"{key}x = {value}",
            "line gone": "",
            "a table for a value": f"{key} = {{x = 1}}\n",
            "a list for a value": f"{key} = [[1], []]\n",
        }
        for kind, line in others.items():
            text = "".join([*lines[:at], line, *lines[at + 1 :]])
            yield Single(name, kind, group, key, "", at + 1, text.encode())


def faults(folder):
    """Every single fault of a folder, in a fixed order."""
    dictionary = load_dictionary(folder)
    found = []
    for name, table in dictionary.tables.items():
        data = (folder / f"{name}.csv").read_bytes()
        if len(_rows(data)) < 3:
            continue
        found += _of_cells(name, data, table.of_type("number", "integer"))
        for kind, change in {**FILES, **OF_TABLES}.items():
            found.append(Single(f"{name}.csv", kind, "files", data=change(data)))
    for name, kinds, group in (
        *((name, {**FILES, **TOMLS}, "TOML") for name in COMPANIONS),
        *((name, {**FILES, **TOMLS}, "settings and answers") for name in ASKED),
        (CORRECTIONS, {**FILES, **YAMLS}, "YAML"),
        (DICTIONARY, {**FILES, **JSONS}, "JSON"),
    ):
        data = (folder / name).read_bytes()
        if kinds.keys() >= TOMLS.keys():
            found += _of_toml(name, data, group)
        found += [Single(name, kind, group, data=change(data)) for kind, change in kinds.items()]
    for name in (*sorted(file.name for file in folder.iterdir()), *ASKED):
        found += [Single(name, kind, "files", place=do) for kind, do in PLACES.items()]
    return [one for one in found if one.place or one.data != (folder / one.file).read_bytes()]


REFUSED, ELSEWHERE, TOLD, HARMLESS, MISSED, TRACEBACK = (
    *("refused there", "refused elsewhere", "told by name", "harmless", "missed", "traceback"),
)


class Project:
    """A review under git that takes one fault after the other."""

    def __init__(self, root, raw):
        self.root, self.folder = root, root / "data" / "raw"
        if raw != self.folder:
            shutil.copytree(raw, self.folder)
        kit = files.kit()
        shutil.copytree(kit / "notebooks", root / "notebooks")
        for name in list(ASKED)[1:]:
            copied = self.folder / name
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(kit / "docs" / name.removeprefix("../"), copied)
        contents = {f.stem: f.read_bytes() for f in self.folder.glob("*.csv")}
        beside = {f.name: f.read_bytes() for f in self.folder.iterdir() if "ml" in f.suffix}
        described = self.folder / DICTIONARY
        described.write_bytes(sealed(described.read_bytes(), contents, beside))
        identity = ("-c", "user.name=x", "-c", "user.email=x@localhost")
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "x")):
            subprocess.run(["git", *identity, "-C", str(root), *words], check=True)
        os.environ["LDN_META_ROOT"] = str(root)
        self.whole, self.plan = load_evidence(self.folder), load_protocol(self.folder)
        self.asked = {name: read(self.folder / name) for name, read in ASKED.items()}

    def outcome(self, fault):
        """What becomes of a fault, and the words that were said."""
        path = self.folder / fault.file
        before = path.read_bytes()
        try:
            fault.put_into(self.folder)
            return self._read(fault) if fault.file in ASKED else self._judged(fault)
        finally:
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            path.unlink(missing_ok=True)
            path.write_bytes(before)

    def _read(self, fault):
        """What becomes of a fault beside data/raw: what is read otherwise, a command shows."""
        try:
            now = ASKED[fault.file](self.folder / fault.file)
        except LdnMetaError as error:
            return REFUSED, str(error)
        except Exception as error:
            return TRACEBACK, repr(error)
        return (HARMLESS if now == self.asked[fault.file] else TOLD), repr(now)

    def _judged(self, fault):
        stem, kind = fault.file.split(".")[0], fault.file.split(".")[-1]
        try:
            now, plan = load_evidence(self.folder), load_protocol(self.folder)
            read_sentences(now.wording.get(FILE, {}))
        except DataError as error:
            at = {(one.table, one.line) for one in error.faults}
            lines = {fault.line, 0, 1} if fault.line else {line for _, line in at}
            is_there = any((stem, line) in at for line in lines)
            return REFUSED if is_there else ELSEWHERE, str(error)
        except (LdnMetaError, FileNotFoundError) as error:
            return REFUSED if fault.file in str(error) or kind == "toml" else ELSEWHERE, str(error)
        except Exception as error:
            return TRACEBACK, repr(error)
        told = edited()[0]
        named = [line for line in told if line.startswith(f"{fault.file} ")]
        if named and (not fault.column or f"{fault.key}: {fault.column} " in named[0]):
            return TOLD, named[0]
        if named and fault.column and fault.key in named[0]:
            return TOLD, named[0]
        is_same = all(now.text[name].equals(text) for name, text in self.whole.text.items())
        is_same &= (plan, now.review, now.wording, now.corrections) == (
            *(self.plan, self.whole.review, self.whole.wording, self.whole.corrections),
        )
        return (HARMLESS if is_same and now.dictionary == self.whole.dictionary else MISSED), ""


def table(found):
    """Outcomes by group, as docs/testing.md has them."""
    count = Counter((fault.group, outcome) for fault, outcome, _ in found)
    heads = (REFUSED, ELSEWHERE, TOLD, HARMLESS, MISSED, TRACEBACK)
    lines = [f"| faults | of | {' | '.join(heads)} |", "| --- |" + " --- |" * (len(heads) + 1)]
    for group in [*dict.fromkeys(fault.group for fault, _, _ in found), "all"]:
        of = [sum(n for (g, o), n in count.items() if o == head and group in (g, "all"))
              for head in heads]  # fmt: skip
        lines.append(f"| {group} | {sum(of)} | {' | '.join(map(str, of))} |")
    return "\n".join(lines)


def main():
    """Put in every fault of the whole of data/raw; print the table, and what is missed."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Project(Path(scratch), files.raw_data())
        found = [(one, *project.outcome(one)) for one in faults(project.folder)]
    print(table(found))
    wanted = (MISSED, TRACEBACK, *sys.argv[1:])
    for fault, outcome, words in found:
        if outcome in wanted or (fault.group == "slips" and outcome == TOLD):
            print(f"{outcome}: {fault} {words[:300]}", file=sys.stderr)


if __name__ == "__main__":
    main()
