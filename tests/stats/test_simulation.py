"""Coverage of intervals: exact values, replicates, the stored table, its page, and the plan."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chi2, norm, t

from ldn_meta import pool_many
from ldn_meta.errors import ArgumentError

PROJECT = Path(__file__).parents[2]


def script():
    spec = importlib.util.spec_from_file_location("sim", PROJECT / "reference" / "simulation.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = script()
MEAN, NEW, PROCEDURES = SCRIPT.MEAN, SCRIPT.NEW, SCRIPT.PROCEDURES
Procedure, coverage, exact_coverage = SCRIPT.Procedure, SCRIPT.coverage, SCRIPT.exact_coverage
TAUS = (0.0, 0.1, 0.25, 1.0)
WALD, HARTUNG = "Wald, REML", "Knapp-Hartung, REML"
FLOORED, HALF = "floored Knapp-Hartung, REML", "half-normal prior 0.5"


@pytest.fixture(scope="module")
def simulation():
    return SCRIPT


@pytest.fixture(scope="module")
def rows(simulation):
    return simulation.read()


def exact(name, k, tau, interval=MEAN):
    (found,) = [
        row
        for row in exact_coverage(k, 0.0625, tau, procedures={name: PROCEDURES[name]})
        if row.interval == interval
    ]
    return found


# Integrated by another hand on another grid: the review of the statistics of 30 November 2026.
@pytest.mark.parametrize(
    ("name", "k", "printed"),
    [
        (WALD, 2, "96.20 94.95 89.34 73.42"),
        (WALD, 3, "96.27 95.13 90.51 81.78"),
        (WALD, 5, "96.24 95.20 91.58 87.89"),
        (WALD, 10, "96.10 95.16 92.73 91.84"),
        (HARTUNG, 2, "95.00 95.00 95.00 95.00"),
        (HARTUNG, 10, "95.00 95.00 95.00 95.00"),
        (FLOORED, 2, "100.00 100.00 100.00 99.96"),
        (FLOORED, 3, "100.00 100.00 99.89 96.17"),
        (FLOORED, 5, "99.62 99.37 97.95 95.06"),
        (FLOORED, 10, "98.22 97.62 95.81 95.00"),
    ],
)
def test_exact_coverage_is_what_another_integration_gave(name, k, printed):
    ours = " ".join(f"{100 * exact(name, k, tau).coverage:.2f}" for tau in TAUS)
    assert ours == printed


def test_exact_lengths_are_those_of_textbooks_where_there_is_no_spread_to_estimate():
    common = exact("Wald, common effect", 5, 0.25)
    assert common.length == pytest.approx(2 * norm.ppf(0.975) * 0.25 / 5**0.5, rel=1e-12)
    sd = (0.0625 + 0.25**2) ** 0.5
    ratio = 0.25 / sd
    assert common.coverage == pytest.approx(2 * norm.cdf(norm.ppf(0.975) * ratio) - 1, rel=1e-12)
    # E of a chi variable with 2 df over sqrt(2): sqrt(pi) / 2.
    mean_s = sd * np.sqrt(np.pi) / 2
    expected = 2 * t.ppf(0.975, 2) * mean_s / 3**0.5
    assert exact(HARTUNG, 3, 0.25).length == pytest.approx(expected, rel=1e-10)


def test_a_wald_interval_of_two_trials_by_a_plain_sum():
    """A midpoint rule over the probability of S2, and pool_many itself at every node."""
    steps, tau, v = 4000, 0.25, 0.0625
    total = v + tau**2
    s2 = total * chi2.ppf((np.arange(steps) + 0.5) / steps, 1)
    y = np.sqrt(s2 / 2)[:, None] * [-1.0, 1.0]
    pooled = pool_many(y, np.full(y.shape, v), ci_method="wald")
    held = 2 * norm.cdf(pooled.ci_high / np.sqrt(total / 2)) - 1
    assert held.mean() == pytest.approx(exact(WALD, 2, tau).coverage, abs=2e-5)


@pytest.mark.parametrize("k", [2, 4])
def test_replicates_hold_what_is_exact(k):
    """In every quick procedure, of mean and new trial, within four standard errors."""
    quick = {name: one for name, one in PROCEDURES.items() if one.every == 1}
    for tau in (0.0, 0.25):
        known = {row[:2]: row for row in exact_coverage(k, 0.0625, tau, procedures=quick)}
        found = coverage(np.full(k, 0.0625), tau, replicates=400, seed=7, procedures=quick)
        assert {row[:2] for row in found} == set(known)
        for row in found:
            true = known[row[:2]]
            se = (true.coverage * (1 - true.coverage) / 400) ** 0.5
            assert abs(row.coverage - true.coverage) <= 4 * se + 1e-6, row
            assert abs(row.length - true.length) <= 4 * row.length_se + 1e-9, row


def test_a_new_trial_needs_three_and_the_same_seed_gives_the_same():
    first = coverage([0.1, 0.2], 0.3, replicates=20)
    assert first == coverage([0.1, 0.2], 0.3, replicates=20)
    assert first != coverage([0.1, 0.2], 0.3, replicates=20, seed=1)
    assert {row.procedure for row in first if row.interval == NEW} == {
        name for name in PROCEDURES if name.startswith("half-normal")
    }


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: coverage([0.1], 0.1, replicates=1), "replicates=1"),
        (lambda: coverage([], 0.1), "vi has 0 trials"),
        (lambda: coverage([0.1, np.nan], 0.1), "one without a variance"),
        (lambda: coverage([0.1, 0.2], -0.1), "tau"),
        (lambda: exact_coverage(1, 0.1, 0.1), "k=1"),
        (lambda: exact_coverage(3, 0.0, 0.1), "variance"),
        (lambda: exact_coverage(3, 0.1, 0.1, procedures={"ml": Procedure("ml")}), "'ml'"),
    ],
)
def test_what_cannot_be_simulated_is_refused_by_name(call, said):
    with pytest.raises(ArgumentError, match=said):
        call()


def test_the_stored_table_covers_the_grid(simulation, rows):
    settings = {(row["k"], row["sizes"], row["tau"]) for row in rows}
    assert len(settings) == len(simulation.TRIALS) * len(simulation.SIZES) * len(simulation.TAUS)
    for row in rows:
        assert row["replicates"] == (1_000 if row["procedure"] == "bootstrap" else 10_000)
        assert (row["exact_coverage_pct"] is None) == (row["sizes"] != "equal")


def test_a_slice_of_the_stored_table_comes_out_again(simulation):
    """Pools of one setting, all replicates, to the last digit."""
    pools = {name: one for name, one in PROCEDURES.items() if one.is_closed}
    stored = simulation.TABLE.read_text(encoding="utf-8")
    again = simulation.cell(3, "one large", 0.25, pools)
    assert len(again) == 10
    for row in again:
        assert ",".join(f'"{text}"' if "," in text else text for text in row) in stored


@pytest.mark.slow
def test_the_slice_with_priors_comes_out_again(simulation):
    """Eight seconds of quadrature, and three of the bootstrap."""
    stored = simulation.TABLE.read_text(encoding="utf-8")
    bootstrap = {"bootstrap": PROCEDURES["bootstrap"]}
    again = simulation.cell(2, "one small", 1.0) + simulation.cell(5, "equal", 0.1, bootstrap)
    for row in again:
        assert ",".join(f'"{text}"' if "," in text else text for text in row) in stored


def test_exact_values_of_the_stored_table_come_out_again(rows):
    known = {
        (k, tau): {row[:2]: row for row in exact_coverage(k, 0.0625, tau)}
        for k, tau in ((2, 1.0), (5, 0.1))
    }
    seen = 0
    for row in rows:
        values = known.get((row["k"], row["tau"]))
        if values and row["sizes"] == "equal":
            value = values[row["procedure"], row["interval"]]
            assert row["exact_coverage_pct"] == pytest.approx(100 * value.coverage, abs=0.0051)
            assert row["exact_length"] == pytest.approx(value.length, abs=0.000051)
            seen += 1
    assert seen == sum(map(len, known.values()))


def test_stored_replicates_lie_by_the_exact_values(rows):
    """284 cells of equal sizes, four standard errors: one in 16,000 lies beyond by chance."""
    cells = [row for row in rows if row["sizes"] == "equal"]
    assert len(cells) == 284
    for row in cells:
        share = row["exact_coverage_pct"] / 100
        # What is printed as 100.00 may be 99.995; a binomial error is the largest there can be.
        likely = min(share, 0.99995)
        se = (likely * (1 - likely) / row["replicates"]) ** 0.5
        assert abs(row["coverage_pct"] / 100 - share) <= 4 * se + 1e-4, row
        assert abs(row["length"] - row["exact_length"]) <= 4 * row["length_se"] + 1e-4, row


def test_the_page_is_written_from_the_table(simulation, rows):
    assert simulation.PAGE.read_text(encoding="utf-8") == simulation.page(rows)


def test_the_plan_argues_with_the_numbers_of_the_table(rows):
    """Whoever simulates again sees which sentence of protocol.toml to mend."""
    text = (PROJECT / "data" / "raw" / "protocol.toml").read_text(encoding="utf-8")
    pooling, bayes = (
        " ".join(part.partition('"""')[0].split())
        for part in text.split("Argued afterwards from a simulation (docs/simulation.md):")[1:]
    )

    def cells(name, interval=MEAN, trials=(3, 5, 10), taus=TAUS):
        return [
            row
            for row in rows
            if (row["procedure"], row["interval"]) == (name, interval)
            and row["k"] in trials
            and row["tau"] in taus
        ]

    def pair(name, tau):
        (row,) = [row for row in cells(name, trials=(2,), taus=(tau,)) if row["sizes"] == "equal"]
        return row

    def least(*args, **kwargs):
        return min(row["coverage_pct"] for row in cells(*args, **kwargs))

    percent = {
        (name, tau): f"{pair(name, tau)['exact_coverage_pct']:.2f}%"
        for name in (WALD, HALF, "half-normal prior 1")
        for tau in (0.25, 1.0)
    }
    times = pair(FLOORED, 0.25)["exact_length"] / pair(HALF, 0.25)["exact_length"]
    for phrase in (
        f"{percent[WALD, 0.25]} of sets at a spread of 0.25 and in {percent[WALD, 1.0]} at 1",
        f"(scale 0.5) in {percent[HALF, 0.25]} and {percent[HALF, 1.0]}",
        f"in nearly all, at {times:.1f} times the length (spread 0.25)",
        f"at least {least(FLOORED):.1f}% in every setting",
        f"without the floor {least(HARTUNG):.1f}%, Wald {least(WALD):.1f}%",
        f"({least(f'{FLOORED}, k-1', NEW):.1f}% with k-1, "
        f"{least(f'{FLOORED}, k-2', NEW):.1f}% with k-2; the bootstrap, which came later, holds "
        f"{least('bootstrap', NEW):.1f}%)",
    ):
        assert phrase in pooling
    small = least(HALF, trials=(2, 3), taus=(0.0, 0.1, 0.25))
    for phrase in (
        f"at least {small:.1f}% of sets while the spread is at most 0.25",
        f"it holds {percent[HALF, 1.0]} of two equal trials and a scale of 1 holds "
        f"{percent['half-normal prior 1', 1.0]}",
    ):
        assert phrase in bayes
