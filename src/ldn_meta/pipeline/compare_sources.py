"""The two sides of a comparison: a folder, or a revision read out of git into memory."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from ldn_meta import paths
from ldn_meta.errors import ParameterError
from ldn_meta.evidence.schema import DESCRIPTOR
from ldn_meta.pipeline import hashes
from ldn_meta.pipeline.parameters import SETTINGS
from ldn_meta.pipeline.staleness import FACTS

WORK_TREE = "work tree"
# Set inside hooks, where they would lead to another repository than the one of the checkout.
_LEADING_AWAY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@dataclass(frozen=True)
class Checkout:
    """What is compared of one side, as bytes.

    Attributes
    ----------
    label : str
        How it is named to readers.
    raw, derived : mapping of str to bytes
        Files of data/raw and data/derived by name.
    facts : mapping of str to bytes
        ``facts.json`` by report.
    settings : bytes
        Parameters of the notebooks; empty where there are none.
    code : mapping of str to str
        Hashes of the package source and the lock, as in the manifest of data/derived; empty for
        a revision, whose code is not read.
    """

    label: str
    raw: Mapping[str, bytes]
    derived: Mapping[str, bytes]
    facts: Mapping[str, bytes]
    settings: bytes = b""
    code: Mapping[str, str] = field(default_factory=dict)


def open_checkout(named: str | None, role: str) -> Checkout:
    """Open what a user named: a folder of a checkout, else a revision of this repository.

    Parameters
    ----------
    named : str or None
        Folder, or anything git calls a commit; None is the work tree.
    role : str
        OLD or NEW, for messages.

    Returns
    -------
    Checkout

    Raises
    ------
    ldn_meta.errors.ParameterError
        If it is neither, or has no data/raw.
    """
    if named is None:
        return from_folder(paths.project_root(), WORK_TREE)
    if _is_folder(named):
        opened = from_folder(Path(named), named)
        if opened.raw:
            return opened
    return from_revision(named, role)


def from_folder(folder: Path, label: str) -> Checkout:
    """Read the files of a folder that are compared; nothing is written.

    Parameters
    ----------
    folder : Path
        Top folder of a checkout, or a copy of one.
    label : str

    Returns
    -------
    Checkout
        Empty where the folder holds nothing of a checkout.
    """
    raw, derived, reports, settings = (folder / place for place in _places())
    files = [*raw.glob("*"), *derived.glob("*"), *reports.glob(f"*/{FACTS}"), settings]
    found = {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in files if file.is_file()
    }
    return replace(_sorted_out(label, found), code=hashes.code_of(folder))


def from_revision(named: str, role: str) -> Checkout:
    """Read the same files of a commit; neither the work tree nor a network is touched.

    Parameters
    ----------
    named : str
        Branch, tag, hash, ``HEAD~2``: what git calls a commit.
    role : str
        OLD or NEW, for messages.

    Returns
    -------
    Checkout

    Raises
    ------
    ldn_meta.errors.ParameterError
        If there is no git, no repository, no such commit, or no data/raw in it.
    """
    folder = f"{role} {named!r} is a folder without data/raw" if _is_folder(named) else ""
    if shutil.which("git") is None:
        message = f"{folder or f'{role} {named!r} is no folder'}, and git is not installed"
        raise ParameterError(f"{message}: give two folders of checkouts")
    if _git("rev-parse", "--git-dir") is None:
        message = f"{folder or f'{role} {named!r} is no folder'}, and {paths.project_root()}"
        raise ParameterError(f"{message} is no git repository: give two folders of checkouts")
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{named}^{{commit}}")
    if found is None:
        what = folder or f"{role} {named!r} is neither a folder of a checkout"
        joined = "and no revision" if folder else "nor a revision"
        raise ParameterError(f"{what} {joined} of this repository; {_remedy()}")
    commit = found.decode().strip()
    opened = _sorted_out(f"{named} ({commit[:7]})", dict(_files_of(commit)))
    if not opened.raw:
        message = f"{role} {named!r} ({commit[:7]}) has no data/raw: give a later revision"
        raise ParameterError(message)
    return opened


def _is_folder(named: str) -> bool:
    # No text is the folder one is in to Path, and nothing to a reader.
    return bool(named) and Path(named).is_dir()


def _remedy() -> str:
    """What somebody can do whose revision is not there."""
    known = "`git log --oneline` lists commits, `git branch -a` branches"
    if (_git("rev-parse", "--is-shallow-repository") or b"").strip() == b"true":
        return (
            f"this clone is shallow, so fetch the history first (`git fetch --unshallow`); {known}"
        )
    return known


def _files_of(commit: str) -> Iterator[tuple[str, bytes]]:
    """Paths below the checkout and contents; git keeps LF, whatever the work tree has."""
    reports = _places()[2]
    listed = _git("ls-tree", "-r", "-z", commit, "--", *_places())
    wanted = []
    for entry in (listed or b"").decode(errors="surrogateescape").split("\0"):
        about, _, name = entry.partition("\t")
        is_file = about.startswith("100")  # no link, no submodule
        # Pages and figures are large, and nothing here reads them.
        if is_file and (not name.startswith(f"{reports}/") or name.endswith(f"/{FACTS}")):
            wanted.append((name, about.split(" ")[2]))
    if not wanted:
        return
    asked = "".join(f"{blob}\n" for _, blob in wanted).encode()
    answer = _git("cat-file", "--batch", given=asked)
    if answer is None:
        message = f"git cannot read the files of {commit[:7]}: `git fsck` says what is missing"
        raise ParameterError(message)
    start = 0
    for name, _ in wanted:
        line = answer.index(b"\n", start)
        header = answer[start:line].split(b" ")
        if header[1:2] != [b"blob"]:  # a partial clone that does not have it
            message = f"{name} of {commit[:7]} is not in this clone: `git fetch` it first"
            raise ParameterError(message)
        end = line + 1 + int(header[2])
        yield name, answer[line + 1 : end]
        start = end + 1


def _git(*arguments: str, given: bytes | None = None) -> bytes | None:
    """What git answers; None if it refuses."""
    environment = {name: v for name, v in os.environ.items() if name not in _LEADING_AWAY}
    root = str(paths.project_root())
    done = subprocess.run(
        # A container often has the checkout of another user; only reading is done here.
        ["git", "-c", "safe.directory=*", "-C", root, *arguments],
        input=given,
        capture_output=True,
        check=False,
        env={**environment, "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"},
    )
    return done.stdout if done.returncode == 0 else None


def _places() -> tuple[str, ...]:
    """Raw tables, derived tables, reports, parameters of notebooks, below the checkout."""
    root = paths.project_root()
    settings = paths.notebooks() / SETTINGS
    tops = (paths.raw_data(), paths.derived_data(), paths.reports(), settings)
    return tuple(top.relative_to(root).as_posix() for top in tops)


def _sorted_out(label: str, found: Mapping[str, bytes]) -> Checkout:
    """File what is compared by what it is; hidden files and anything else are left out."""
    raw, derived, reports, settings = (PurePosixPath(place) for place in _places())
    tables: dict[PurePosixPath, dict[str, bytes]] = {raw: {}, derived: {}}
    facts = {}
    for path, data in sorted((PurePosixPath(name), data) for name, data in found.items()):
        if any(part.startswith(".") for part in path.parts):
            continue
        if path.parent in tables:
            tables[path.parent][path.name] = data
        elif path.name == FACTS and path.parent.parent == reports:
            facts[path.parent.name] = data
    return Checkout(
        label=label,
        # Without the dictionary it is some other folder, whatever else it holds.
        raw=tables[raw] if DESCRIPTOR in tables[raw] else {},
        derived=tables[derived],
        facts=facts,
        settings=found.get(settings.as_posix(), b""),
    )
