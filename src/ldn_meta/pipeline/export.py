"""Pools for readers with R: the effects as metafor reads them, and a script that pools them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta import paths
from ldn_meta.errors import LdnMetaError, ParameterError, did_you_mean
from ldn_meta.files import csv_bytes, number_text, write_together

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.derived import Derived


# What metafor calls our methods.
METHODS = {
    **{name: name.upper() for name in ("dl", "he", "hs", "sj", "ml", "reml", "eb", "pm")},
    "common": "EE",
}
TESTS = {"wald": "z", "knapp-hartung": "knha", "knapp-hartung-floored": "adhoc"}
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
    from ldn_meta.evidence.raw.protocol import MAIN
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
    where = paths.build() / "export" if folder is None else folder
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
library(metafor)
d <- read.csv("{table}", na.strings = "NA")
fit <- rma(yi, vi, data = d, slab = slab, method = "{METHODS[settings["tau2_method"]]}",
           test = "{TESTS[settings["ci_method"]]}", level = {100 * settings["level"]:g},
           control = list(threshold = 1e-12, maxiter = 100000, stepadj = 0.5))
found <- c(estimate = fit$b[1], ci_low = fit$ci.lb, ci_high = fit$ci.ub, tau2 = fit$tau2)
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
    origin = ("study_id", "effect_id", "measure", "unit", "instrument", "timepoint_weeks", "route")
    return table[["slab", "yi", "vi", *numbers, *origin, "rows", "source_id", "locator"]]


def _write(derived: Derived, pool: Mapping[str, Any], folder: Path) -> Export:
    from ldn_meta.evidence.entry.rows import slug

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
