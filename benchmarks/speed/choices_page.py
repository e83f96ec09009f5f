"""The section of docs/benchmarks.md about many choices, from what was measured."""

from __future__ import annotations

import os
import platform
from statistics import median

from ldn_meta.evidence.answer.multiverse import CHUNK
from speed.choices import (
    IN_BATCH,
    LARGEST,
    LOOP_ANALYSES,
    LOOPED,
    ONE_BY_ONE,
    QUADRATURE,
    SET_CONTENDERS,
    SETS,
    SMALLEST,
    STREAMED,
    Choices,
)
from speed.fits import ROUNDS
from speed.page import LABELS, NOT_AVAILABLE, digits, table
from speed.targets import Target

OURS = "pool_many"


def section(found: Choices, load: tuple[float, float]) -> str:
    """Return the section as Markdown."""
    analyses, whole = found.batch[0]["analyses"], found.batch[0]
    parts = [
        "## Many choices",
        *_conditions(found, load),
        "### Targets",
        table(["target", "measured", ""], _targets(found)),
        "### Quadrature",
        "Bayesian pools by quadrature, half-normal prior with scale 0.5: fits in a CPU second, "
        f"one by one ({ONE_BY_ONE} sets) and in one call ({IN_BATCH:,} sets). The largest "
        f"difference between the two is {_power(found.quadrature_apart)}.",
        table(
            ["trials", "pool_bayes", "pool_bayes_many", "times faster in a batch"],
            _quadrature(found),
        ),
        "### One multiverse",
        f"All {analyses:,} analyses of pain in fibromyalgia, each a row that was handed out; "
        "reading the tables is not counted. The loop changes the protocol, selects the effects "
        f"and calls `pool` for each analysis; it was timed on {LOOP_ANALYSES} of them, drawn at "
        "random, and scaled. It normalises the tables once for each choice about data, not once "
        "for each analysis, and equal pools are remembered. The batch is fast because analyses "
        f"share their numbers: they come down to {whole['sets']} different sets of effects under "
        f"{whole['models']} models, so {whole['sets'] * whole['models']:,} pools.",
        table(
            ["", "analyses timed", "CPU seconds for all", "analyses a second", "times as long"],
            _multiverse(found),
        ),
        f"### {SETS:,} different sets",
        f"Nothing shared: {SETS:,} random sets of {SMALLEST} to {LARGEST} trials, REML with a "
        "Knapp-Hartung interval. `pool_many` takes them as they come, in one call. PyMARE pools "
        "sets of equal size only: it got one call a size, and sorting was not counted. Loops were "
        f"timed on {LOOPED} sets of each size and scaled.",
        table(
            ["", "sets timed", "CPU seconds for all", "sets a second", "times as long"],
            _sets(found),
        ),
        "### Memory",
        f"Streaming a whole multiverse in frames of {CHUNK:,} rows, each size in a process of its "
        "own. For the longer ones, nodes were added to the protocol in memory. The peak is that "
        "of the whole process, as the kernel counts it: interpreter, libraries, raw tables and "
        "working memory; rows are what the frames would take if they were kept. Two frames are "
        f"alive at a time{_filled(found)}.",
        table(
            [
                "analyses",
                "nodes",
                "combinations about data",
                "CPU seconds",
                "rows, MB",
                "before, MB",
                "built, MB",
                "peak, MB",
            ],
            _memory(found),
        ),
        "### Agreement of the answers",
        "Before anything is timed, the answers are compared. Analyses of the loop against rows of "
        f"the multiverse: of {LOOP_ANALYSES}, {found.loop[0]['unlike']} differ in what is "
        f"defined, and numbers by at most {_power(found.loop[0]['worst'])} (relative, or absolute "
        "below 1). Sets against `pool_many`, as under Pooling:",
        table(
            ["", "sets", "failed", "estimate", "limits", "tau2", "further apart than 0.001"],
            _agreement(found),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _filled(found: Choices) -> str:
    """Whether the shortest stream has as many rows as are alive at a time."""
    shortest = found.streamed[min(STREAMED)][0]["analyses"]
    return ", and the shortest stream does not fill two" if shortest < 2 * CHUNK else ""


def _conditions(found: Choices, load: tuple[float, float]) -> list[str]:
    peers = []
    for name in ("metafor", "pymare_many"):
        about, word = found.versions.get(name), LABELS[name].split(",")[0]
        if about is None:
            peers.append(f"{word} {NOT_AVAILABLE}")
        else:
            language = f" on R {about['language']}" if "language" in about else ""
            peers.append(f"{word} {about['version']}{language}")
    about = found.versions["pool"]
    return [
        f"{os.cpu_count()} cores, {platform.system()}; Python {platform.python_version()}, numpy "
        f"{about['numpy']}, scipy {about['scipy']}; one BLAS thread. Beside it: "
        f"{', '.join(peers)}.",
        f"CPU time, as other work shares the machine (load {load[0]:.1f} at the start, "
        f"{load[1]:.1f} at the end). Medians over {ROUNDS} rounds in which the contenders take "
        "turns; a ratio is the median of the ratios within a round, from which a round is "
        f"typically {_spread(found):.0%} away.",
    ]


def _targets(found: Choices) -> list[list[str]]:
    metafor, pymare = (_middle(found.set_ratios(name)) for name in ("metafor", "pymare_many"))
    seconds = median(run["seconds"] for run in found.batch)
    rows = [
        Target("the multiverse of pain in fibromyalgia takes under 5 s", seconds, "s", 5.0),
        Target(f"{SETS:,} different sets take under 5 s", median(found.sets[OURS]), "s", 5.0),
        Target(
            "they are at least 500 times faster than a metafor loop",
            metafor,
            "times",
            500.0,
            at_least=True,
        ),
        Target(
            "they are faster than PyMARE's vectorised REML", pymare, "times", 1.0, at_least=True
        ),
        Target(
            f"{STREAMED[-1]:,} analyses and more take at most 1.25 times the memory of "
            f"{found.streamed[STREAMED[0]][0]['analyses']:,}",
            found.growth,
            "times",
            1.25,
        ),
    ]
    return [
        [
            row.wish,
            NOT_AVAILABLE if row.value is None else f"{digits(row.value)} {row.unit}",
            row.verdict,
        ]
        for row in rows
    ]


def _quadrature(found: Choices) -> list[list[str]]:
    return [
        [
            str(k),
            *[
                digits(1 / median(found.quadrature[k][name]))
                for name in ("pool_bayes", "pool_bayes_many")
            ],
            digits(median(found.quadrature_ratios(k))),
        ]
        for k in QUADRATURE
    ]


def _multiverse(found: Choices) -> list[list[str]]:
    analyses = found.batch[0]["analyses"]
    batch = median(run["seconds"] for run in found.batch)
    loop = median(found.loop_seconds)
    return [
        ["built and streamed", f"{analyses:,}", digits(batch), digits(analyses / batch), "1"],
        [
            "a loop over `pool`",
            str(LOOP_ANALYSES),
            digits(loop),
            digits(analyses / loop),
            digits(median(found.loop_ratios)),
        ],
    ]


def _sets(found: Choices) -> list[list[str]]:
    rows = []
    for name, looped in SET_CONTENDERS.items():
        label, sizes = LABELS[name], LARGEST - SMALLEST + 1
        if name == "pymare_many":
            label = "PyMARE, one call a size"
        elif looped is not None:
            label += ", one by one"
        if name not in found.sets:
            rows.append([label, *[NOT_AVAILABLE] * 4])
            continue
        seconds = median(found.sets[name])
        rows.append(
            [
                label,
                f"{SETS if looped is None else looped * sizes:,}",
                digits(seconds),
                digits(SETS / seconds),
                "1" if name == OURS else digits(median(found.set_ratios(name))),
            ]
        )
    return rows


def _memory(found: Choices) -> list[list[str]]:
    rows = []
    for runs in found.streamed.values():
        rows.append(
            [
                f"{runs[0]['analyses']:,}",
                str(runs[0]["nodes"]),
                f"{runs[0]['data_choices']:,}",
                digits(median(run["seconds"] for run in runs)),
                *[
                    f"{median(run[name] for run in runs):,.0f}"
                    for name in ("rows_mb", "before_mb", "built_mb", "peak_mb")
                ],
            ]
        )
    return rows


def _agreement(found: Choices) -> list[list[str]]:
    rows = []
    for name in SET_CONTENDERS:
        if name == OURS:
            continue
        label, one = LABELS[name], found.agreement.get(name)
        if one is None:
            rows.append([label, *[NOT_AVAILABLE] * 6])
            continue
        worst = [_power(value) for value in one.worst]
        rows.append([label, f"{one.sets:,}", str(one.failed), *worst, str(one.apart)])
    return rows


def _spread(found: Choices) -> float:
    """Return the median distance of a round's ratio from the median ratio, relative to it."""
    ratios = [found.loop_ratios, *(found.quadrature_ratios(k) for k in QUADRATURE)]
    ratios += [found.set_ratios(name) for name in found.sets if name != OURS]
    return median(abs(one / median(each) - 1.0) for each in ratios for one in each)


def _middle(ratios: list[float]) -> float | None:
    return median(ratios) if ratios else None


def _power(value: float) -> str:
    return f"{value:.0e}" if value else "0"
