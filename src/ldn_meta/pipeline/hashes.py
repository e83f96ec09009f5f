"""Which bytes a result was made from: content hashes, no clock, host, user or commit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ldn_meta import paths

MANIFEST = "manifest.json"


def sha256(data: bytes) -> str:
    """Hash bytes.

    Parameters
    ----------
    data : bytes
        Anything.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    return hashlib.sha256(data).hexdigest()


def json_sha256(value: Any) -> str:
    """Hash what JSON can hold, whatever the order of its keys."""
    return sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode())


def file_hashes(folder: Path) -> dict[str, str]:
    """Hash every file of a folder, without its subfolders.

    Parameters
    ----------
    folder : Path
        May be missing, which is the same as empty.

    Returns
    -------
    dict of str to str
        By file name, sorted; hidden files are no data and are left out.
    """
    if not folder.is_dir():
        return {}
    files = sorted(f for f in folder.iterdir() if f.is_file() and not f.name.startswith("."))
    return {file.name: sha256(file.read_bytes()) for file in files}


def tree_sha256(folder: Path, files: Iterable[Path]) -> str:
    """Hash files with their paths below a folder, as one value."""
    return json_sha256(
        {file.relative_to(folder).as_posix(): sha256(file.read_bytes()) for file in files}
    )


def source_sha256() -> str:
    """Hash the package source of the checkout."""
    return _source_of(paths.project_root())


def lock_sha256() -> str:
    """Hash the lock of the dependencies; the empty hash where there is none."""
    return _lock_of(paths.project_root())


def code_of(checkout: Path) -> dict[str, str]:
    """Hash the package source and the lock of a checkout.

    Parameters
    ----------
    checkout : Path
        Its top folder.

    Returns
    -------
    dict of str to str
        ``source``, and ``lock``, which is the empty hash where there is none.
    """
    return {"source": _source_of(checkout), "lock": _lock_of(checkout)}


def _source_of(checkout: Path) -> str:
    folder = checkout / "src"
    return tree_sha256(folder, folder.rglob("*.py"))


def _lock_of(checkout: Path) -> str:
    file = checkout / "requirements.lock"
    return sha256(file.read_bytes() if file.is_file() else b"")


def inputs() -> dict[str, Any]:
    """Hash everything that data/derived is computed from.

    Returns
    -------
    dict
        ``raw`` by file name, ``source`` and ``lock``.
    """
    return {
        "raw": file_hashes(paths.raw_data()),
        **code_of(paths.project_root()),
    }


def manifest_bytes(made_from: Mapping[str, Any], derived: Mapping[str, str]) -> bytes:
    """Write the manifest of data/derived.

    Parameters
    ----------
    made_from : mapping
        ``inputs()`` as they were before the computation.
    derived : mapping of str to str
        Hashes of the derived files by name.

    Returns
    -------
    bytes
        JSON with sorted keys.
    """
    content = {**made_from, "derived": dict(derived)}
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def derived_is_current() -> bool:
    """Whether data/derived belongs to the raw tables, the source and the lock on disk."""
    file = paths.derived_data() / MANIFEST
    if not file.is_file():
        return False
    on_disk = file_hashes(paths.derived_data())
    del on_disk[MANIFEST]
    return file.read_bytes() == manifest_bytes(inputs(), on_disk)
