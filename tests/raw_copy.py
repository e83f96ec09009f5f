"""A copy of data/raw to break, cell by cell."""

import csv
import shutil

FIRST_DATA_LINE = 2


class RawCopy:
    """The tables of data/raw as lists of dicts, written back by ``save``."""

    def __init__(self, source, folder):
        shutil.copytree(source, folder)
        self.folder = folder
        self.columns, self.rows = {}, {}
        for file in sorted(folder.glob("*.csv")):
            with file.open(newline="", encoding="utf-8") as stream:
                reader = csv.DictReader(stream)
                self.rows[file.stem] = list(reader)
                self.columns[file.stem] = reader.fieldnames
        self.taken = set()

    def find(self, table, **wanted):
        """The first row, not broken yet, whose cells pass; a test is a value or a function."""
        for row in self.rows[table]:
            passes = all(
                test(row[name]) if callable(test) else row[name] == test
                for name, test in wanted.items()
            )
            if passes and id(row) not in self.taken:
                self.taken.add(id(row))
                return row
        raise LookupError(f"{table} has no row with {wanted}")

    def line(self, table, row):
        return next(i for i, r in enumerate(self.rows[table]) if r is row) + FIRST_DATA_LINE

    def append(self, table, row):
        self.rows[table].append(row)
        self.taken.add(id(row))
        return row

    def save(self):
        for name, rows in self.rows.items():
            with self.path(name).open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, self.columns[name], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        return self.folder

    def path(self, table):
        return self.folder / f"{table}.csv"
