"""Results for other programs: pools for R with metafor; every specification of the multiverse."""

from __future__ import annotations

import json
import math
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ldn_meta import files
from ldn_meta.errors import LdnMetaError, ParameterError, did_you_mean
from ldn_meta.files import (
    csv_bytes,
    exclusive_writer,
    inputs,
    number_text,
    write_together,
    write_whole,
)
from ldn_meta.pipeline.notebooks import reported_indications, unknown

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.answer.multiverse import Multiverse
    from ldn_meta.evidence.derived import Derived


# What metafor calls our methods.
METHODS = {
    **{name: name.upper() for name in ("dl", "he", "hs", "sj", "ml", "reml", "eb", "pm")},
    "common": "EE",
}
TESTS = {"wald": "z", "knapp-hartung": "knha", "knapp-hartung-floored": "adhoc"}
OWN_INTERVALS = """ci_low, ci_high: each trial's own interval, as printed, by t on df where its
# standard error came from a t statistic, else normal. metafor has no df of a single row."""
RESULTS = ("estimate", "ci_low", "ci_high", "tau2")
# Six significant digits are saved, of numbers around 1.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Export:
    """One pool as two files."""

    table: Path
    script: Path
    key: dict[str, str]
    results: dict[str, float]
    trials: int


def export(
    indication: str, *, construct: str | None = None, folder: Path | None = None
) -> tuple[Export, ...]:
    """Write the main pools of an outcome for R."""
    from ldn_meta.evidence.derived import load_derived
    from ldn_meta.evidence.raw.selection import MAIN
    from ldn_meta.pipeline.notebooks import reported_indications, unknown

    known = reported_indications()
    if indication not in known:
        raise ParameterError(unknown(f"indication {indication!r}", indication, known))
    derived = load_derived(indication)
    pools = derived.pooled[derived.pooled["analysis"] == MAIN]
    constructs = sorted(set(pools["construct"]))
    row = derived.evidence.indications.iloc[0]
    wanted = construct or str(row["main_construct"])
    if construct is not None and construct not in constructs:
        hint = did_you_mean(construct, constructs, " ")
        there = ", ".join(constructs) or "no pool at all"
        message = f"no pool of {construct!r} in {indication}; {hint}there is {there}"
        raise ParameterError(message)
    found = pools[pools["construct"] == wanted]
    if found.empty:
        takes = f"--construct takes {', '.join(constructs)}"
        others = takes if constructs else "nor anything else"
        message = f"nothing was pooled for {wanted} in {indication}; {others}"
        raise LdnMetaError(message)
    where = files.build() / "export" if folder is None else folder
    return tuple(
        _write(derived, {str(name): value for name, value in pool.items()}, where)
        for pool in found.to_dict("records")
    )


def r_script(table: str, title: str, settings: Mapping[str, Any]) -> str:
    """Write R that pools a table and compares the answer with the saved one."""
    saved = ", ".join(f"{name} = {_r_number(settings[name])}" for name in RESULTS)
    return f"""\
# {title}. In this folder: Rscript {Path(table).stem}.R
# yi and vi are what was pooled; numbers of the arms are as printed, on the instrument's scale.
# {OWN_INTERVALS}
library(metafor)
d <- read.csv("{table}", na.strings = "NA")
fit <- rma(yi, vi, data = d, slab = slab, method = "{METHODS[settings["tau2_method"]]}",
           test = "{TESTS[settings["ci_method"]]}", level = {100 * settings["level"]:g},
           control = list(threshold = 1e-12, maxiter = 100000, stepadj = 0.5))
found <- c(estimate = fit$b[1], ci_low = fit$ci.lb, ci_high = fit$ci.ub, tau2 = fit$tau2)
if (nrow(d) == 1) found[c("ci_low", "ci_high")] <- c(d$ci_low, d$ci_high)
saved <- c({saved})
print(fit); print(rbind(found, saved))
stopifnot(all(abs(found - saved) <= {TOLERANCE:g} * pmax(1, abs(saved)), na.rm = TRUE))
"""


def metafor_table(trials: pd.DataFrame, arm_stats: pd.DataFrame) -> pd.DataFrame:
    """Lay out effects as metafor names them."""
    from ldn_meta.evidence.effects.rows import number

    arms = arm_stats.set_index("row_id")
    table = trials.rename(
        columns={
            "study_label": "slab",
            "n_1": "n1i",
            "n_2": "n2i",
            "events_1": "ai",
            "events_2": "ci",
        }
    )
    for group, place in (("1", 0), ("2", 1)):
        rows = [_arm_rows(text) for text in trials["rows"]]
        for ours, theirs in (("mean", "m"), ("sd", "sd")):
            table[f"{theirs}{group}i"] = [
                number(arms.loc[names[place]].to_dict()[ours]) if len(names) > 1 else math.nan
                for names in rows
            ]
    numbers = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i", "ai", "ci")
    origin = (
        "study_id",
        "effect_id",
        "measure",
        "unit",
        "estimand",
        "instrument",
        "timepoint_weeks",
        "route",
    )
    own = ("df", "ci_low", "ci_high", "ci_from")
    where = ("rows", "reported_in", "read_in", "locator")
    return table[["slab", "yi", "vi", *own, *numbers, *origin, *where]]


def _write(derived: Derived, pool: Mapping[str, Any], folder: Path) -> Export:
    from ldn_meta.evidence.entry import slug

    effects = derived.effects.set_index("effect_id", drop=False)
    trials = effects.loc[str(pool["effects"]).split(" ")]
    table = metafor_table(trials, derived.evidence.arm_stats)
    key = {
        name: str(pool[name])
        for name in ("indication_id", "construct", "comparator_class", "measure", "unit")
    }
    # Two scales of one outcome are two pools, so the unit is part of the name.
    name = "-".join([slug(text, "_") for text in key.values()])
    title = (
        f"{trials['construct_label'].iloc[0]}, {derived.evidence.indications['label'].iloc[0]}, "
        f"against {key['comparator_class']}: {key['measure']}, {key['unit']}"
    )
    settings = {**pool, "level": derived.protocol.model.level}
    csv, script = folder / f"{name}.csv", folder / f"{name}.R"
    text = r_script(csv.name, title, settings)
    write_together({csv: csv_bytes(table), script: text.encode()})
    results = {name: float(pool[name]) for name in RESULTS}
    return Export(csv, script, key, results, len(trials))


def _arm_rows(rows: str) -> list[str]:
    names = [name.partition(":") for name in rows.split(" ")]
    return [row_id for table, _, row_id in names if table == "arm_stats"]


def _r_number(value: float) -> str:
    return "NA" if math.isnan(value) else number_text(float(value))


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

    files.build().mkdir(exist_ok=True)
    with TemporaryDirectory(dir=files.build(), prefix=".part-") as folder:
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
    return files.build() / "multiverse" / found.indication_id / found.construct
