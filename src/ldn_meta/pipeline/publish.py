"""How results reach the disk: whole or not at all, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ldn_meta import paths


def write_whole(path: Path, data: bytes) -> bool:
    """Write a file so that a reader sees the old bytes or the new ones, never a part.

    Parameters
    ----------
    path : Path
        Where to; missing folders are made.
    data : bytes
        The whole content.

    Returns
    -------
    bool
        Whether anything changed; equal bytes are left alone.
    """
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

    Parameters
    ----------
    files : mapping of Path to bytes
        Whole contents by place.
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

    Parameters
    ----------
    staged : Path
        The finished folder; it is gone afterwards.
    target : Path
        Its place.
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


def restore_folder(target: Path) -> None:
    """Undo a replacement that was interrupted half-way.

    Parameters
    ----------
    target : Path
        The place that ``replace_folder`` was filling.
    """
    old = _beside(target, "old")
    if not old.exists():
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)


@contextmanager
def exclusive_writer(on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the right to write results; a second process waits for the first.

    Parameters
    ----------
    on_wait : callable, optional
        Called once if there is somebody to wait for.

    Yields
    ------
    None
    """
    paths.build().mkdir(parents=True, exist_ok=True)
    with (paths.build() / "writer.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if on_wait is not None:
                on_wait()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _beside(target: Path, role: str) -> Path:
    return target.with_name(f".{target.name}.{role}")
