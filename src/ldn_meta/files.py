"""Where things are, and how they are written and read: labels, numbers, CSV, hashes, whole files.

No other module spells a path of the repository.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import numbers
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta.errors import CsvError

if TYPE_CHECKING:
    import pandas as pd

# What stands in a cell of data/raw that has no value (`missingValueLabels` in datapackage.json).
NOT_REPORTED, NOT_APPLICABLE, TO_DO = "NR", "NA", "TODO"
MISSING = (NOT_REPORTED, NOT_APPLICABLE, TO_DO)
EMPTY = ("", *MISSING)

# The last bits of a sum or a matrix product differ between processors; six digits do not,
# and no reader of a trial report needs more.
SAVED = ".6g"
# Beyond this a float no longer holds every whole number.
_LARGEST_EXACT = 2.0**53


def six_digits(value: float) -> float:
    """Round a number to the digits that are saved."""
    return float(format(float(value), SAVED))


def number_text(value: float) -> str:
    """Write a number for a table: six significant digits, whole numbers in full."""
    if math.isfinite(value) and value == int(value) and abs(value) < _LARGEST_EXACT:
        return str(int(value))
    return format(value, SAVED)


def rounded(value: Any) -> Any:
    """Round every number inside lists and dictionaries to six significant digits."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        # Adding zero turns -0.0 into 0.0: the sign of nothing depends on the processor too.
        return float(number_text(value)) + 0.0
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def csv_rows(
    text: str, *, delimiter: str = ",", strict: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Every row of a CSV text as its cells, with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise CsvError(line, error) from error


def csv_records(file: Path) -> list[dict[str, str]]:
    """Every row of a CSV file of the repository as text by column."""
    rows = [cells for _, cells in csv_rows(file.read_text(encoding="utf-8")) if cells]
    return [dict(zip(rows[0], cells, strict=False)) for cells in rows[1:]]


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Write rows as the repository keeps them."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Write a table as the repository keeps it: UTF-8, LF, six significant digits."""
    cells = (map(_cell_text, row) for row in table.itertuples(index=False, name=None))
    return csv_text([table.columns, *cells]).encode()


def _cell_text(value: Any) -> str:
    import numpy as np
    import pandas as pd

    if pd.isna(value) or value == "":
        return NOT_APPLICABLE
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return number_text(float(value))
    return str(value)


MANIFEST = "manifest.json"


def sha256(data: bytes) -> str:
    """Hash bytes."""
    return hashlib.sha256(data).hexdigest()


def json_sha256(value: Any) -> str:
    """Hash what JSON can hold, whatever the order of its keys."""
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode())


def file_hashes(folder: Path) -> dict[str, str]:
    """Hash every file of a folder, without its subfolders."""
    if not folder.is_dir():
        return {}
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    return {file.name: sha256(file.read_bytes()) for file in files}


def tree_sha256(folder: Path, files: Iterable[Path]) -> str:
    """Hash files with their paths below a folder, as one value."""
    return json_sha256(
        {file.relative_to(folder).as_posix(): sha256(file.read_bytes()) for file in files}
    )


def code_of(checkout: Path) -> dict[str, str]:
    """Hash the package source and the lock of a checkout; no lock has the hash of nothing.

    A folder without a source of its own is worked on by this package.
    """
    source, lock = checkout / "src", checkout / "requirements.lock"
    modules = source.rglob("*.py")
    if not source.is_dir():
        package = Path(__file__).parent
        source, modules = package.parent, package.rglob("*.py")
    return {
        "source": tree_sha256(source, modules),
        "lock": sha256(lock.read_bytes() if lock.is_file() else b""),
    }


def inputs() -> dict[str, Any]:
    """Hash everything that data/derived is computed from."""
    return {"raw": file_hashes(raw_data()), **code_of(project_root())}


def manifest_bytes(made_from: Mapping[str, Any], derived: Mapping[str, str]) -> bytes:
    """Write the manifest of data/derived."""
    content = {**made_from, "derived": dict(derived)}
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def derived_is_current() -> bool:
    """Whether data/derived belongs to the raw tables, the source and the lock on disk."""
    file = derived_data() / MANIFEST
    if not file.is_file():
        return False
    on_disk = file_hashes(derived_data())
    del on_disk[MANIFEST]
    return file.read_bytes() == manifest_bytes(inputs(), on_disk)


def write_whole(path: Path, data: bytes) -> bool:
    """Write a file so that a reader sees the old bytes or the new ones, never a part."""
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return True


def write_together(files: Mapping[Path, bytes]) -> None:
    """Write several files so that all of them change, or none.

    Everything is on disk beside its place before the first file is replaced; if one cannot be
    replaced, or the user interrupts, those already replaced get their old bytes back.
    """
    before = {path: path.read_bytes() if path.is_file() else None for path in files}
    parts = {path: path.with_name(f".{path.name}.{os.getpid()}") for path in files}
    replaced: list[Path] = []
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            parts[path].write_bytes(data)
        for path, part in parts.items():
            # Noted first: an interruption between the two lines then undoes it as well.
            replaced.append(path)
            part.replace(path)
    except BaseException:
        for path in replaced:
            old = before[path]
            if old is None:
                path.unlink(missing_ok=True)
            else:
                write_whole(path, old)
        raise
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def replace_folder(staged: Path, target: Path) -> None:
    """Put a finished folder in the place of an older one.

    The older folder is moved aside first and comes back if anything fails; should the
    machine stop in between, ``restore_folder`` brings it back.
    """
    restore_folder(target)
    new, old = _beside(target, "new"), _beside(target, "old")
    shutil.rmtree(new, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    # A copy if build/ is on another disk; the renames below are within one folder.
    shutil.move(staged, new)
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except OSError:
        restore_folder(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_folder(target: Path, contents: Mapping[str, bytes]) -> None:
    """Write a folder with these files and nothing else, by path below it, or leave it alone."""
    staged = build() / "staging" / target.name
    shutil.rmtree(staged, ignore_errors=True)
    for name, data in contents.items():
        write_whole(staged / name, data)
    replace_folder(staged, target)


def restore_folder(target: Path) -> None:
    """Undo a replacement that was interrupted half-way."""
    old = _beside(target, "old")
    if not old.exists():
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)


@contextmanager
def exclusive_writer(on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the right to write results; a second process waits for the first."""
    build().mkdir(parents=True, exist_ok=True)
    with (build() / "writer.lock").open("w") as file:
        if not _lock(file.fileno()):
            if on_wait is not None:
                on_wait()
            while not _lock(file.fileno(), waits=True):
                time.sleep(0.2)
        yield


def _lock(file: int, *, waits: bool = False) -> bool:
    """Lock an open file until it is closed; whether that worked."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _beside(target: Path, role: str) -> Path:
    return target.with_name(f".{target.name}.{role}")


def project_root() -> Path:
    """Find the review: LDN_META_ROOT, else the nearest folder above with data/raw."""
    named = os.environ.get("LDN_META_ROOT")
    if named:
        return Path(named).resolve()
    for start in (Path.cwd(), Path(__file__).resolve()):
        for folder in (start, *start.parents):
            if is_review(folder):
                return folder
    message = (
        "no data/raw/datapackage.json in this folder or above it: name the folder of a review "
        "(ldn-meta -C FOLDER, or LDN_META_ROOT), or make one (ldn-meta init FOLDER)"
    )
    raise FileNotFoundError(message)


def is_review(folder: Path) -> bool:
    """Whether a folder holds the raw tables of a review."""
    return (folder / "data" / "raw" / "datapackage.json").is_file()


def kit() -> Path:
    """What every review shares: docs, notebooks and data/raw with dictionary and words of GRADE.

    A wheel holds a copy (pyproject.toml); in a checkout it is the checkout itself.
    """
    copied = Path(__file__).parent / "kit"
    return copied if copied.is_dir() else Path(__file__).parents[2]


def site_docs() -> Path:
    """Templates and settings of the site: those of the review, else those all reviews share."""
    own = project_root() / "docs"
    return own if (own / "conf.py").is_file() else kit() / "docs"


def raw_data() -> Path:
    """Tables typed by people."""
    return project_root() / "data" / "raw"


def derived_data() -> Path:
    """Tables computed from the raw ones; written by ``ldn-meta derive`` only."""
    return project_root() / "data" / "derived"


def notebooks() -> Path:
    """Notebook templates and their parameters."""
    return project_root() / "notebooks"


def reports() -> Path:
    """Executed notebooks, figures and facts; written by the runner only."""
    return project_root() / "reports"


def build() -> Path:
    """Scratch and site; ignored by git."""
    return project_root() / "build"
