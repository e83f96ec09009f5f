"""The section of docs/benchmarks.md, from what was measured."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from speed.environment import ROOT
from speed.fits import MANY, MANY_K, MANY_TIMED, ROUNDS, SINGLE, SINGLE_TIMED, Fits
from speed.targets import Measured, targets

LABELS = {
    "pool": "ldn_meta.pool",
    "pool_many": "ldn_meta.pool_many",
    "statsmodels": "statsmodels, combine_effects()",
    "pimeta": "pimeta, rma()",
    "pymetaanalysis": "PyMetaAnalysis, meta_analysis()",
    "pymare": "PyMARE",
    "pymare_many": "PyMARE, all sets in one call",
    "metafor": "metafor, rma()",
    "metafor_all": "metafor, rma() + predict() + confint()",
}
EVERYTHING = "interval, prediction interval, Q-profile interval of tau2, Q, I2, weights, notes"
GIVES = {
    "pool": EVERYTHING,
    "pool_many": EVERYTHING,
    "metafor": "interval, Q, I2",
    "metafor_all": "interval, prediction interval, Q-profile interval of tau2, Q, I2",
    "statsmodels": "interval, Q, I2; Paule-Mandel, it has no REML",
    "pymare": "interval",
    "pymare_many": "interval; sets of equal size only",
    "pimeta": "interval, Q, I2",
    "pymetaanalysis": "interval, prediction interval, Q, I2",
}
NOT_AVAILABLE = "not available"


def section(measured: Measured) -> str:
    """Return the section as Markdown."""
    number_of_sets = ", ".join(f"{sets} of {k} trials" for k, sets in SINGLE.items())
    parts = [
        "## Pooling",
        *_conditions(measured),
        "### Targets",
        table(["target", "measured", ""], _targets(measured)),
        "### One fit",
        "REML with a Knapp-Hartung interval: CPU milliseconds a fit, and how many times those of "
        f"`ldn_meta.pool`. The mean over several sets: {number_of_sets}.",
        table(["", *[f"k = {k}" for k in SINGLE], "gives the estimate with"], _single(measured)),
        f"### {MANY:,} fits",
        f"{MANY:,} sets of {MANY_K} trials: CPU seconds for all of them. Loops were timed on the "
        "number of sets given and scaled.",
        table(
            ["", "sets timed", "seconds", "times pool_many", "gives the estimate with"],
            _many(measured),
        ),
        "### Sets of different size",
        "`pool_many` on sets of 1 to 12 trials in rows of 12, the missing ones NaN. Each batch in "
        "a process of its own, timed after a first call. The peak is that of the whole process, "
        "as the kernel counts it: interpreter, libraries, data, answer and working memory.",
        table(
            [
                "sets",
                "trials",
                "CPU seconds",
                "microseconds a set",
                "microseconds a trial",
                "peak, MB",
                "before the call, MB",
                "data, MB",
            ],
            _ragged(measured),
        ),
        "A trial costs "
        f"{measured.ragged_trial:.2f} times as much as one in as many sets sorted by size, one "
        "call a size, timed in turns in the same processes.",
        "### Import",
        "CPU seconds of a fresh process, beyond those of an empty one.",
        table(["", "seconds"], _imports(measured)),
        "### Agreement",
        "Before anything is timed, the answers to the timed sets are compared with ours (those of "
        "statsmodels with our Paule-Mandel). Worst relative differences; a number closer to 0 "
        "than its standard error, and a tau2 below the mean sampling variance, are compared on "
        "that scale. Every package stops iterating at its own default tolerance, which is what "
        "most differences show; a set further apart than 0.001 has another maximum of the "
        "likelihood, and a failed one no answer.",
        table(
            ["", "sets", "failed", "estimate", "limits", "tau2", "further apart than 0.001"],
            _agreement(measured.fits),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _conditions(measured: Measured) -> list[str]:
    versions = measured.fits.versions
    about = versions["pool"]
    peers = []
    for name in ("metafor", "statsmodels", "pymare", "pimeta", "pymetaanalysis"):
        found = versions.get(name)
        word = LABELS[name].split(",")[0]
        if found is None:
            peers.append(f"{word} {NOT_AVAILABLE}")
        else:
            language = f" on R {found['language']}" if "language" in found else ""
            peers.append(f"{word} {found['version']}{language}")
    start, end = measured.load
    return [
        f"{os.cpu_count()} cores, {platform.system()}; Python {platform.python_version()}, numpy "
        f"{about['numpy']}, scipy {about['scipy']}; one BLAS thread. Beside it: "
        f"{', '.join(peers)}.",
        f"CPU time, as other work shares the machine (load {start:.1f} at the start, {end:.1f} at "
        f"the end). Medians over {ROUNDS} rounds in which the packages take turns; a ratio is the "
        f"median of the ratios within a round, from which a round is typically "
        f"{_spread(measured):.0%} away.",
    ]


def _targets(measured: Measured) -> list[list[str]]:
    return [
        [
            target.wish,
            NOT_AVAILABLE if target.value is None else f"{digits(target.value)} {target.unit}",
            target.verdict,
        ]
        for target in targets(measured)
    ]


def _single(measured: Measured) -> list[list[str]]:
    rows = []
    for name in SINGLE_TIMED:
        cells = []
        for k in SINGLE:
            seconds = measured.fits.seconds[f"k{k}"].get(name)
            if seconds is None:
                is_gone = name in measured.fits.unavailable
                cells.append(NOT_AVAILABLE if is_gone else "not timed")
                continue
            cell = f"{digits(median(seconds) * 1e3)} ms"
            if name != "pool":
                cell += f", {digits(measured.ratio(f'k{k}', name, 'pool'))} times"
            cells.append(cell)
        rows.append([LABELS[name], *cells, GIVES[name]])
    return rows


def _many(measured: Measured) -> list[list[str]]:
    rows = []
    for name, timed in MANY_TIMED.items():
        seconds = measured.fits.seconds["many"].get(name)
        label = LABELS[name] if timed == MANY else f"{LABELS[name]}, one by one"
        if seconds is None:
            rows.append([label, *[NOT_AVAILABLE] * 3, GIVES[name]])
            continue
        rows.append(
            [
                label,
                f"{timed:,}",
                digits(median(seconds) * MANY),
                digits(measured.ratio("many", name, "pool_many")),
                GIVES[name],
            ]
        )
    return rows


def _ragged(measured: Measured) -> list[list[str]]:
    rows = []
    for sets, runs in measured.ragged.items():
        seconds = median(run.seconds for run in runs)
        rows.append(
            [
                f"{sets:,}",
                f"{runs[0].trials:,}",
                digits(seconds),
                digits(seconds / sets * 1e6),
                digits(seconds / runs[0].trials * 1e6),
                f"{median(run.peak_mb for run in runs):.0f}",
                f"{median(run.before_mb for run in runs):.0f}",
                f"{runs[0].data_mb:.0f}",
            ]
        )
    return rows


def _imports(measured: Measured) -> list[list[str]]:
    return [
        [f"`{what}`", NOT_AVAILABLE if seconds is None else f"{seconds:.3f}"]
        for what, seconds in measured.imports.items()
    ]


def _agreement(fits: Fits) -> list[list[str]]:
    rows = []
    for name, label in LABELS.items():
        if name == "pool":
            continue
        found = fits.agreement.get(name)
        if found is None:
            rows.append([label, *[NOT_AVAILABLE] * 6])
            continue
        worst = [f"{value:.0e}" if value else "0" for value in found.worst]
        rows.append([label, f"{found.sets:,}", str(found.failed), *worst, str(found.apart)])
    return rows


def _spread(measured: Measured) -> float:
    """Return the median distance of a round's ratio from the median ratio, relative to it."""
    away = []
    for task, contenders in measured.fits.seconds.items():
        ours = "pool_many" if task == "many" else "pool"
        for name in contenders:
            ratios = measured.ratios(task, name, ours)
            if name != ours:
                away += [abs(ratio / median(ratios) - 1.0) for ratio in ratios]
    return median(away) if away else 0.0


def digits(value: float | None) -> str:
    """Return three significant digits, never an exponent."""
    if value is None:
        return NOT_AVAILABLE
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1e-3 else f"{value:.5f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def rewrite(name: str, measured: Callable[[Callable[[str], None]], str]) -> None:
    """Put what `measured` returns into docs/benchmarks.md; it is given a way to tell progress."""
    started = time.monotonic()

    def progress(what: str) -> None:
        print(f"[{time.monotonic() - started:4.0f} s] {what}", flush=True)

    text = measured(progress)
    page = ROOT / "docs" / "benchmarks.md"
    replace_section(page, name, text)
    print(text)
    progress(f"written to {page.relative_to(ROOT)}")


def replace_section(path: Path, name: str, text: str) -> None:
    """Write `text` between the page's markers for `name`, and leave the other sections alone."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    page = path.read_text() if path.exists() else "# Benchmarks\n\nWritten by `make bench`.\n"
    if begin not in page:
        page += f"\n{begin}\n{end}\n"
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    new = path.with_suffix(".new")
    new.write_text(f"{before}{begin}\n\n{text}\n{end}{after}")
    new.replace(path)
