"""Simulate the intervals the plan may choose; write docs/simulation.csv and docs/simulation.md.

    python reference/simulation.py            both: six minutes of CPU
    python reference/simulation.py page       the page alone, from the table at hand

Run by `make simulation`. The seeds are fixed: the same bytes come out again.
"""

import csv
import sys
import time
from pathlib import Path

from ldn_meta.stats.simulation import (
    MEAN,
    NEW,
    PROCEDURES,
    SEED,
    coverage,
    exact_coverage,
)

DOCS = Path(__file__).parents[1] / "docs"
TABLE, PAGE = DOCS / "simulation.csv", DOCS / "simulation.md"

VARIANCE = 0.0625
TIMES = 10.0
# Variance of the first trial; the others have VARIANCE.
SIZES = {"equal": VARIANCE, "one large": VARIANCE / TIMES, "one small": VARIANCE * TIMES}
TRIALS = (2, 3, 5, 10)
TAUS = (0.0, 0.1, 0.25, 1.0)
COLUMNS = (
    *("k", "sizes", "tau", "procedure", "interval", "replicates"),
    *("coverage_pct", "coverage_se", "length", "length_se", "exact_coverage_pct", "exact_length"),
)


def cell(k, sizes, tau, procedures=PROCEDURES):
    """Return the rows of one cell of the grid, as texts."""
    variances = [SIZES[sizes], *[VARIANCE] * (k - 1)]
    seed = (SEED, k, list(SIZES).index(sizes), TAUS.index(tau))
    exact = {}
    if sizes == "equal":
        exact = {row[:2]: row for row in exact_coverage(k, VARIANCE, tau, procedures=procedures)}
    rows = []
    for row in coverage(variances, tau, procedures=procedures, seed=seed):
        known = exact.get(row[:2])
        rows.append(
            [
                *(str(k), sizes, f"{tau:g}", row.procedure, row.interval, str(row.replicates)),
                *(f"{100 * row.coverage:.2f}", f"{100 * row.coverage_se:.2f}"),
                *(f"{row.length:.4f}", f"{row.length_se:.4f}"),
                *([f"{100 * known.coverage:.2f}", f"{known.length:.4f}"] if known else ["", ""]),
            ]
        )
    return rows


def simulated():
    """Return the whole table."""
    rows = [list(COLUMNS)]
    for k in TRIALS:
        for sizes in SIZES:
            for tau in TAUS:
                rows += cell(k, sizes, tau)
        print(f"{k} trials: {time.process_time():.0f} s of CPU", flush=True)
    return rows


def write(rows):
    """Write the table."""
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def read():
    """Return the rows of the table, numbers as numbers; None where there is no exact value."""
    words = ("sizes", "procedure", "interval")
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            {
                name: text if name in words else float(text) if text else None
                for name, text in row.items()
            }
            for row in csv.DictReader(file)
        ]


def page(rows):
    """Return the page: every number is read from the rows."""
    table = {
        (int(row["k"]), row["sizes"], row["tau"], row["procedure"], row["interval"]): row
        for row in rows
    }
    parts = [
        "# Do the intervals hold what they promise?",
        _setting(rows),
        "## In short",
        *_in_short(table),
        "## Beside the literature",
        *_literature(table),
        "## How often the mean of the true effects is held",
        "Percent of sets whose 95% interval holds it; in brackets the Monte Carlo standard error. "
        "Under equal sizes stand the exact values.",
        *[_coverages(table, k, MEAN) for k in TRIALS],
        "## How long these intervals are",
        "Mean length, in units of the effect.",
        *[_lengths(table, k, MEAN) for k in TRIALS],
        "## How often the effect of a new trial is held",
        "The same for prediction intervals: t on k - 1 or k - 2 degrees of freedom with the "
        "standard error named, the parametric bootstrap, and the posterior interval of a new "
        "effect.",
        *[_coverages(table, k, NEW) for k in TRIALS],
        "## How long prediction intervals are",
        *[_lengths(table, k, NEW) for k in TRIALS],
    ]
    return "\n\n".join(parts) + "\n"


def _setting(rows):
    fewer, each = sorted({int(row["replicates"]) for row in rows})
    largest = max(row["coverage_se"] for row in rows)
    return (
        f"Written by `make simulation` from `docs/simulation.csv`. {each:,} sets of trials "
        f"(every tenth of them, {fewer:,}, for the bootstrap, which takes milliseconds a set) for "
        f"each of {len(TRIALS) * len(SIZES) * len(TAUS)} settings: {_series(TRIALS)} trials; "
        f"standard deviation tau of the true effects {_series(f'{tau:g}' for tau in TAUS)}; "
        f"sampling variance {VARIANCE:g} in each trial, or one trial {TIMES:g} times larger (a "
        f"tenth of the variance) or {TIMES:g} times smaller. With equal sizes these tau are "
        f"{_series(f'{100 * tau**2 / (tau**2 + VARIANCE):.0f}%' for tau in TAUS)} of the "
        "variance seen. True effects and errors are normal and the variances known, as the "
        "intervals assume: what small counts or estimated variances do is not in here. The seeds "
        f"are fixed (numpy `default_rng`, {SEED} and the place in the grid), so the same bytes "
        f"come out again. The largest Monte Carlo standard error of a coverage is {largest:.2f} "
        "points. "
        "The exact values integrate over the sample variance of the effects "
        "(`ldn_meta.stats.simulation.exact_coverage`); nothing is drawn for them."
    )


WALD, DL = "Wald, REML", "Wald, DL"
HARTUNG, FLOORED = "Knapp-Hartung, REML", "floored Knapp-Hartung, REML"
BOOTSTRAP = "bootstrap"
HALF, ONE = "half-normal prior 0.5", "half-normal prior 1"
SMALL_TAUS = TAUS[:3]


def _found(table, procedure, interval=MEAN, *, trials=TRIALS, sizes=tuple(SIZES), taus=TAUS):
    """Return the rows of a procedure, those of the least coverage first."""
    rows = [
        table[key]
        for k in trials
        for size in sizes
        for tau in taus
        if (key := (k, size, tau, procedure, interval)) in table
    ]
    return sorted(rows, key=lambda row: row["coverage_pct"])


def _worst(*args, **kwargs):
    row = _found(*args, **kwargs)[0]
    return f"{row['coverage_pct']:.1f}% ({_where(row)})"


def _where(row):
    sizes = {"equal": "equal sizes"}.get(row["sizes"], row["sizes"])
    return f"{row['k']:.0f} trials, {sizes}, tau {row['tau']:g}"


def _in_short(table):
    exact = {
        (name, tau): table[2, "equal", tau, name, MEAN] for name in (WALD, HARTUNG) for tau in TAUS
    }
    wald = _series(f"{exact[WALD, tau]['exact_coverage_pct']:.2f}%" for tau in TAUS)
    hartung = {f"{exact[HARTUNG, tau]['exact_coverage_pct']:.0f}%" for tau in TAUS}
    two = {"trials": (2,)}
    few = {"trials": (2, 3), "taus": SMALL_TAUS}
    more = {"trials": TRIALS[1:]}
    floored = table[2, "equal", 0.25, FLOORED, MEAN]["exact_length"]
    prior = table[2, "equal", 0.25, HALF, MEAN]["exact_length"]
    return [
        f"* Two trials of equal size: the Wald interval holds the mean in {wald} of sets at tau "
        f"{_series(f'{tau:g}' for tau in TAUS)} (exact), Knapp-Hartung in {_series(hartung)}.",
        f"* Two trials, the interval this plan reads: with the half-normal prior of scale 0.5 at "
        f"least {_worst(table, HALF, **two, taus=SMALL_TAUS)} while tau is at most "
        f"{SMALL_TAUS[-1]:g}, but {_worst(table, HALF, **two)} where tau is twice the scale of "
        f"the prior; scale 1 holds at least {_worst(table, ONE, **two)}. Floored Knapp-Hartung "
        f"holds at least {_worst(table, FLOORED, **two)}, at {floored / prior:.1f} times the "
        "length of the first (equal sizes, tau 0.25, exact).",
        f"* Three trials or more, the interval this plan reads: floored Knapp-Hartung holds at "
        f"least {_worst(table, FLOORED, **more)}; without the floor the least is "
        f"{_worst(table, HARTUNG, **more)}, and of Wald {_worst(table, WALD, **more)}.",
        f"* Two or three trials and tau at most {SMALL_TAUS[-1]:g}: the least of any interval "
        f"with a prior of scale 0.5 or more is {_worst(table, HALF, **few)}: conservative.",
        "* A prediction interval for a new trial, from three trials on: with the standard error "
        f"of the plan (floored) and k - 1 degrees of freedom at least "
        f"{_worst(table, f'{FLOORED}, k-1', NEW)}; with k - 2 "
        f"{_worst(table, f'{FLOORED}, k-2', NEW)}. With five trials of equal size and tau 0.25 "
        f"the exact values are "
        f"{table[5, 'equal', 0.25, f'{FLOORED}, k-1', NEW]['exact_coverage_pct']:.1f}% and "
        f"{table[5, 'equal', 0.25, f'{FLOORED}, k-2', NEW]['exact_coverage_pct']:.1f}%, with the "
        f"bootstrap {table[5, 'equal', 0.25, BOOTSTRAP, NEW]['exact_coverage_pct']:.1f}%; the "
        f"least of the bootstrap is {_worst(table, BOOTSTRAP, NEW)}.",
    ]


def _literature(table):
    unequal = {"sizes": tuple(SIZES)[1:]}
    errors = {name: 100 - _found(table, name)[0]["coverage_pct"] for name in (DL, HARTUNG)}
    where = {name: _where(_found(table, name)[0]) for name in (DL, HARTUNG)}
    few = {"trials": (2, 3), "taus": SMALL_TAUS}
    shorter = [
        table[k, "equal", tau, HARTUNG, MEAN]["exact_length"]
        / table[k, "equal", tau, HALF, MEAN]["exact_length"]
        for k in (2, 3)
        for tau in TAUS
    ]
    new = f"{HARTUNG}, k-1"
    equal = {"trials": TRIALS[1:], "sizes": ("equal",)}
    most = _found(table, new, NEW, **equal)[-1]["coverage_pct"]
    return [
        "IntHout, Ioannidis and Borm 2014 (BMC Med Res Methodol 14:25, doi "
        "10.1186/1471-2288-14-25) found that at a level of 5% the errors of Knapp-Hartung at most "
        "doubled, those of DerSimonian-Laird could be over 30%, both more so with unequal sizes "
        f"and heterogeneity. Here the errors of Knapp-Hartung reach {errors[HARTUNG]:.1f}% "
        f"({where[HARTUNG]}), those of DerSimonian-Laird {errors[DL]:.1f}% ({where[DL]}).",
        "Roever, Knapp and Friede 2015 (BMC Med Res Methodol 15:99, doi "
        "10.1186/s12874-015-0091-1) found that Knapp-Hartung works well where precisions are "
        "alike and exceeds its error where they differ, and that the floored version is more "
        "conservative and closer to nominal. Here the least coverage with equal sizes is "
        f"{_worst(table, HARTUNG, sizes=('equal',))}, with unequal ones "
        f"{_worst(table, HARTUNG, **unequal)}; floored {_worst(table, FLOORED, **unequal)}.",
        "Friede, Roever, Wandel and Neuenschwander 2017 (Res Synth Methods 8:79-91, doi "
        "10.1002/jrsm.1217) found that Bayesian intervals with weakly informative priors cover "
        "more than nominal in a range of scenarios and tend to be shorter than Knapp-Hartung's. "
        f"Here, with two or three trials, tau up to {SMALL_TAUS[-1]:g} and a scale of 0.5, they "
        f"hold at least {_worst(table, HALF, **few)}, and with equal sizes Knapp-Hartung is "
        f"{min(shorter):.1f} to {max(shorter):.1f} times as long. Where tau is beyond the prior "
        f"the prior decides: {_worst(table, HALF, trials=(2, 3))}.",
        "Nagashima, Noma and Furukawa 2019 (Stat Methods Med Res 28:1689-1702, doi "
        "10.1177/0962280218773520) say that the usual prediction interval strongly depends on a "
        "large sample. Here, with equal sizes, Knapp-Hartung and k - 1 degrees of freedom, it "
        f"holds at least {_worst(table, new, NEW, **equal)} and at most {most:.1f}%; their "
        "bootstrap, of which they say that its coverage is close to nominal, at least "
        f"{_worst(table, BOOTSTRAP, NEW, **equal)}.",
    ]


def _names(table, k, interval):
    return list(
        dict.fromkeys(name for size, _, _, name, kind in table if (size, kind) == (k, interval))
    )


def _coverages(table, k, interval):
    def shown(row):
        return f"{row['coverage_pct']:.1f} ({row['coverage_se']:.1f})"

    return _table(table, k, interval, shown, "exact_coverage_pct", 2)


def _lengths(table, k, interval):
    return _table(table, k, interval, lambda row: f"{row['length']:.2f}", "exact_length", 3)


def _table(table, k, interval, shown, exact, decimals):
    names = _names(table, k, interval)
    lines = [[f"{k} trials", "tau", *names], ["---"] * (len(names) + 2)]
    for sizes in SIZES:
        for tau in TAUS:
            rows = [table[k, sizes, tau, name, interval] for name in names]
            lines.append([sizes, f"{tau:g}", *map(shown, rows)])
            if sizes == "equal":
                values = [f"{row[exact]:.{decimals}f}" for row in rows]
                lines.append(["equal, exact", f"{tau:g}", *values])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _series(values):
    *others, last = map(str, values)
    return f"{', '.join(others)} and {last}" if others else last


if __name__ == "__main__":
    if sys.argv[1:] != ["page"]:
        write(simulated())
    PAGE.write_text(page(read()), encoding="utf-8")
