"""All analyses of every multiverse on disk: parts that are whole, kept when nothing changed."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ldn_meta import paths
from ldn_meta.errors import ParameterError
from ldn_meta.files import exclusive_writer, inputs, write_whole
from ldn_meta.pipeline.notebooks import reported_indications, unknown

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.multiverse import Multiverse


KEY = "made_from.json"


@dataclass(frozen=True)
class Part:
    """A piece of one multiverse: analyses ``start`` to ``stop`` in one parquet file."""

    file: Path
    start: int
    stop: int
    place: int


@dataclass(frozen=True)
class Plan:
    """Multiverses, their parts, and which of them are on disk already."""

    found: tuple[Multiverse, ...]
    missing: tuple[Part, ...]
    kept: int


def plan(indications: Sequence[str] | None = None, *, chunk: int | None = None) -> Plan:
    """Lay out the parts; what an earlier run with other inputs left is removed."""
    from ldn_meta.evidence.answer.multiverse import CHUNK, all_multiverses
    from ldn_meta.evidence.load import load_evidence
    from ldn_meta.evidence.raw.protocol import load_protocol

    known = reported_indications()
    for name in indications or ():
        if name not in known:
            what = f"indication {name!r}"
            raise ParameterError(unknown(what, name, known))
    made_from = inputs()
    found = tuple(all_multiverses(load_evidence(), load_protocol(), indications or known))
    size = chunk or CHUNK
    missing: list[Part] = []
    kept = 0
    for place, one in enumerate(found):
        folder = _folder(one)
        key = json.dumps({**made_from, "chunk": size}, sort_keys=True).encode()
        if not (folder / KEY).is_file() or (folder / KEY).read_bytes() != key:
            shutil.rmtree(folder, ignore_errors=True)
            write_whole(folder / KEY, key)
        for number, start in enumerate(range(0, len(one), size)):
            file = folder / f"part-{number:05d}.parquet"
            if file.is_file():
                kept += 1
            else:
                missing.append(Part(file, start, min(start + size, len(one)), place))
    return Plan(found, tuple(missing), kept)


def run(laid_out: Plan, *, scheduler: str | None = None) -> Iterator[Part]:
    """Compute the missing parts, here or on the workers of a dask scheduler.

    Interrupted, it goes on where it was: a part is on disk whole or not at all.
    """
    with exclusive_writer():
        for part, frame in _computed(laid_out, scheduler):
            write_whole(part.file, _parquet(frame))
            yield part


def _parquet(frame: pd.DataFrame) -> bytes:
    """A frame as the bytes of a parquet file."""
    with warnings.catch_warnings():
        # Its import looks up an option that pandas is about to drop.
        warnings.simplefilter("ignore", DeprecationWarning)
        import fastparquet

    paths.build().mkdir(exist_ok=True)
    with TemporaryDirectory(dir=paths.build(), prefix=".part-") as folder:
        file = Path(folder) / "part.parquet"
        fastparquet.write(str(file), frame)
        return file.read_bytes()


def _computed(laid_out: Plan, scheduler: str | None) -> Iterator[tuple[Part, pd.DataFrame]]:
    if scheduler is None:
        for part in laid_out.missing:
            yield part, laid_out.found[part.place].frame(part.start, part.stop)
        return
    from ldn_meta.evidence.answer.multiverse import Multiverse

    try:
        import distributed
    except ImportError as error:
        message = "--scheduler needs the extra: pip install 'ldn-meta[distributed]'"
        raise ParameterError(message) from error
    try:
        connect: Any = distributed.Client
        client = connect(scheduler, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        message = f"no dask scheduler answers at {scheduler!r}: {error}"
        raise ParameterError(message) from error
    done: Any = distributed.as_completed
    with client:
        remote = client.scatter(list(laid_out.found), broadcast=True, hash=False)
        futures = {
            client.submit(
                Multiverse.frame, remote[part.place], part.start, part.stop, pure=False
            ): part
            for part in laid_out.missing
        }
        for future in done(futures):
            yield futures[future], future.result()


def _folder(found: Multiverse) -> Path:
    return paths.build() / "multiverse" / found.indication_id / found.construct
