"""Simulate the intervals the plan may choose; write docs/simulation.csv and docs/simulation.md.

    python reference/simulation.py            both: six minutes of CPU
    python reference/simulation.py page       the page alone, from the table at hand

Run by `make simulation`. The seeds are fixed: the same bytes come out again.

The model is that of the pools: true effects of trials are normal around their mean, observed
effects normal around the true ones, and the sampling variances are known. `coverage` draws;
where all variances are equal `exact_coverage` integrates instead.
"""

import csv
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, ndtr, ndtri, stdtrit

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import (
    BOOTSTRAP,
    FloatArray,
    Settings,
    effects_and_variances,
    one_number,
)
from ldn_meta.stats.bayes import pool_bayes_many
from ldn_meta.stats.pool import pool_many

SEED = 20140218
REPLICATES = 10_000
LEVEL = 0.95

MEAN, NEW = "mean", "new trial"


@dataclass(frozen=True)
class Procedure:
    """One way from trials to an interval: a pool, or with `tau_prior_scale` a Bayesian pool.

    Attributes
    ----------
    tau2_method, ci_method, pi_method : str
        As in `ldn_meta.stats.pool.pool`.
    tau_prior_scale : float, optional
        Scale of a half-normal prior of tau, in units of the effect.
    intervals : tuple of str
        Of what: "mean" for the mean of the true effects, "new trial" for the next one.
    every : int
        Which sets it gets: all, or every so many-th where a set takes milliseconds.
    """

    tau2_method: str = "reml"
    ci_method: str = "knapp-hartung-floored"
    pi_method: str = "k-1"
    tau_prior_scale: float | None = None
    intervals: tuple[str, ...] = (MEAN,)
    every: int = 1

    @property
    def is_closed(self) -> bool:
        """Whether its half-width has a closed form where all variances are equal."""
        return self.tau_prior_scale is None and self.pi_method != BOOTSTRAP


PROCEDURES: dict[str, Procedure] = {
    "Wald, common effect": Procedure("common", "wald"),
    "Wald, DL": Procedure("dl", "wald"),
    "Wald, REML": Procedure("reml", "wald"),
    "Knapp-Hartung, REML": Procedure("reml", "knapp-hartung"),
    "floored Knapp-Hartung, PM": Procedure("pm"),
    "floored Knapp-Hartung, REML": Procedure("reml"),
    "Knapp-Hartung, REML, k-1": Procedure("reml", "knapp-hartung", intervals=(NEW,)),
    "Knapp-Hartung, REML, k-2": Procedure("reml", "knapp-hartung", "k-2", intervals=(NEW,)),
    "floored Knapp-Hartung, REML, k-1": Procedure("reml", intervals=(NEW,)),
    "floored Knapp-Hartung, REML, k-2": Procedure("reml", pi_method="k-2", intervals=(NEW,)),
    "bootstrap": Procedure("reml", pi_method=BOOTSTRAP, intervals=(NEW,), every=10),
    **{
        f"half-normal prior {scale:g}": Procedure(tau_prior_scale=scale, intervals=(MEAN, NEW))
        for scale in (0.25, 0.5, 1.0, 2.0)
    },
}


class Coverage(NamedTuple):
    """How often an interval held its target, and how long it was.

    Attributes
    ----------
    procedure, interval : str
        Name of the procedure, and of what the interval is.
    replicates : int
        Sets of trials drawn; 0 for a value by integration.
    coverage, coverage_se : float
        Share of intervals that hold the target, and its Monte Carlo standard error.
    length, length_se : float
        Mean length, in units of the effect, and its Monte Carlo standard error.
    """

    procedure: str
    interval: str
    replicates: int
    coverage: float
    coverage_se: float
    length: float
    length_se: float


def coverage(
    vi: ArrayLike,
    tau: float,
    *,
    procedures: Mapping[str, Procedure] = PROCEDURES,
    replicates: int = REPLICATES,
    seed: int | Sequence[int] = SEED,
    level: float = LEVEL,
) -> list[Coverage]:
    """Draw sets of trials with sampling variances `vi`, and count what their intervals hold.

    A new trial's effect is not drawn: given the interval, the probability that it holds one is
    known, which leaves less to chance.

    Parameters
    ----------
    vi : array_like (k,)
        Sampling variances of the trials, the same in every replicate.
    tau : float
        Standard deviation of true effects between trials.
    procedures : mapping of str to Procedure
        What to compare. Prediction intervals of `pool` are left out below three trials.
    replicates : int
        Sets of trials, the same for all procedures, but see `Procedure.every`.
    seed : int or sequence of int
        Of `numpy.random.default_rng`; the same seed gives the same bytes.
    level : float
        Nominal level of the intervals.

    Returns
    -------
    list of Coverage

    Raises
    ------
    ArgumentError
        If a variance, tau or the number of replicates is not usable.
    """
    _, v = effects_and_variances(np.zeros(np.shape(vi)), vi, dimensions=1)
    spread = one_number("tau", tau, at_least=0.0)
    if replicates < 2:
        message = f"replicates={replicates!r} is not allowed; allowed: at least 2"
        raise ArgumentError(message)
    if v.size == 0 or np.isnan(v).any():
        message = f"vi has {v.size} trials, or one without a variance; allowed: at least one"
        raise ArgumentError(message)
    drawn = np.random.default_rng(seed).standard_normal((replicates, v.size))
    y = drawn * np.sqrt(v + spread * spread)
    found = []
    for name, procedure in procedures.items():
        sets = y[:: procedure.every]
        limits = _limits(sets, np.broadcast_to(v, sets.shape), procedure, level)
        for interval, (low, high) in limits.items():
            held = _probability(low, high, spread if interval == NEW else 0.0)
            found.append(Coverage(name, interval, len(sets), *_mean(held), *_mean(high - low)))
    return found


def exact_coverage(
    k: int,
    variance: float,
    tau: float,
    *,
    procedures: Mapping[str, Procedure] = PROCEDURES,
    level: float = LEVEL,
) -> list[Coverage]:
    """Integrate instead of drawing, for `k` trials of one sampling variance.

    With equal variances v every estimator of tau2 used here is max(0, S2 - v), S2 the sample
    variance of the effects, and every interval is the mean plus and minus a half-width that
    depends on S2 alone. The mean is independent of S2, and (k - 1) S2 / (tau2 + v) is
    chi-squared, so coverage and mean length are integrals over one variable. The half-width of a
    Bayesian or bootstrap interval is that of the pool of effects with this S2.

    Parameters
    ----------
    k : int
        Number of trials, at least 2.
    variance, tau : float
        Sampling variance of each trial, and SD of true effects between trials.
    procedures : mapping of str to Procedure
        As in `coverage`; tau2_method may be common, dl, he, pm, eb or reml.
    level : float
        Nominal level of the intervals.

    Returns
    -------
    list of Coverage
        With 0 replicates and standard errors of 0.

    Raises
    ------
    ArgumentError
        If k, the variance, tau or a tau2_method is not usable.
    """
    v = one_number("variance", variance, above=0.0)
    total = v + one_number("tau", tau, at_least=0.0) ** 2
    if k < 2:
        message = f"k={k!r} is not allowed; allowed: at least 2 trials"
        raise ArgumentError(message)
    s, weight = _chi_nodes(k - 1, np.sqrt((k - 1) * v / total))
    squares = s * s / (k - 1) * total
    found = []
    for name, procedure in procedures.items():
        if procedure.is_closed:
            halves = _half_widths(k, v, squares, procedure, level)
        else:
            pattern = np.arange(k) - 0.5 * (k - 1)
            sets = np.sqrt(squares)[:, None] * pattern / pattern.std(ddof=1)
            limits = _limits(sets, np.full(sets.shape, v), procedure, level)
            halves = {interval: 0.5 * (high - low) for interval, (low, high) in limits.items()}
        for interval, half in halves.items():
            sd = np.sqrt(total / k + (total - v if interval == NEW else 0.0))
            held = min(float(weight @ (2.0 * ndtr(half / sd) - 1.0)), 1.0)
            found.append(Coverage(name, interval, 0, held, 0.0, float(weight @ (2.0 * half)), 0.0))
    return found


def _limits(
    y: FloatArray, v: FloatArray, procedure: Procedure, level: float
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return lower and upper limits of each interval that a procedure gives."""
    if procedure.tau_prior_scale is not None:
        prior = pool_bayes_many(y, v, tau_prior_scale=procedure.tau_prior_scale, level=level)
        limits = {MEAN: (prior.mu_low, prior.mu_high), NEW: (prior.theta_low, prior.theta_high)}
    else:
        pooled = pool_many(
            y,
            v,
            tau2_method=procedure.tau2_method,
            ci_method=procedure.ci_method,
            pi_method=procedure.pi_method,
            level=level,
        )
        limits = {MEAN: (pooled.ci_low, pooled.ci_high)}
        if y.shape[1] > 2:
            limits[NEW] = (pooled.pi_low, pooled.pi_high)
    return {
        interval: (np.asarray(low), np.asarray(high))
        for interval, (low, high) in limits.items()
        if interval in procedure.intervals
    }


def _probability(low: FloatArray, high: FloatArray, sd: float) -> FloatArray:
    """Return the probability that each interval holds a normal number around 0."""
    if sd == 0.0:
        return ((low <= 0.0) & (high >= 0.0)).astype(np.float64)
    return np.asarray(ndtr(high / sd) - ndtr(low / sd))


def _mean(values: FloatArray) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


# Beyond this many standard deviations a chi distribution holds nothing that a double shows.
FAR = 9.0
NODES = 80


def _chi_nodes(df: int, kink: float) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights of a chi distribution, split where half-widths have a kink."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    ends = np.array([0.0, kink, max(kink, np.sqrt(df)) + FAR])
    half = 0.5 * np.diff(ends)[:, None]
    s = (ends[:-1, None] + half * (x + 1.0)).ravel()
    log_density = (df - 1) * np.log(s) - 0.5 * s * s - (0.5 * df - 1) * np.log(2) - gammaln(df / 2)
    return s, (half * w).ravel() * np.exp(log_density)


CLOSED = ("common", "dl", "he", "pm", "eb", "reml")


def _half_widths(
    k: int, v: float, squares: FloatArray, procedure: Procedure, level: float
) -> dict[str, FloatArray]:
    """Half-widths where all variances are `v` and the effects have sample variance `squares`."""
    settings = Settings(
        procedure.tau2_method, procedure.ci_method, level, pi_method=procedure.pi_method
    )
    if settings.tau2_method not in CLOSED:
        message = (
            f"tau2_method={settings.tau2_method!r} has no closed form here; "
            f"allowed: {', '.join(CLOSED)}"
        )
        raise ArgumentError(message)
    tau2 = np.maximum(squares - v, 0.0) if settings.is_random else np.zeros(squares.shape)
    scale = squares / (v + tau2)
    if settings.ci_method == "wald":
        scale = np.ones(squares.shape)
    elif settings.ci_method == "knapp-hartung-floored":
        scale = np.maximum(scale, 1.0)
    tail = 0.5 + 0.5 * level
    variance = scale * (v + tau2) / k
    quantile = stdtrit(k - 1.0, tail) if settings.uses_t else ndtri(tail)
    halves = {MEAN: quantile * np.sqrt(variance)}
    if k > 2 and settings.is_random:
        df = k - 1.0 if settings.pi_method == "k-1" else k - 2.0
        halves[NEW] = stdtrit(df, tail) * np.sqrt(tau2 + variance)
    return {name: half for name, half in halves.items() if name in procedure.intervals}


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
        "(`exact_coverage` of `reference/simulation.py`); nothing is drawn for them."
    )


WALD, DL = "Wald, REML", "Wald, DL"
HARTUNG, FLOORED = "Knapp-Hartung, REML", "floored Knapp-Hartung, REML"
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
