import pickle
import re

import numpy as np
import pytest
from scipy import stats

from effect_grids import numbers_of, reference, relative_difference
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.effects import effect_size
from ldn_meta.stats.rare_events import mantel_haenszel, peto

NAMES = ("events_1", "n_1", "events_2", "n_2")
OURS_TO_R = {
    "estimate": "estimate",
    "se": "se",
    "statistic": "statistic",
    "p_value": "p_value",
    "ci_low": "ci_low",
    "ci_high": "ci_high",
    "q": "q",
    "q_pvalue": "q_pvalue",
    "i2_pct": "i2",
    "k": "k",
    "k_informative": "k_informative",
}
EDGES = reference("effects_reference")["pools"]
# metafor prints a standard error of 0 and an interval of no width where every trial has the same
# empty row; and Q = 0 with p = 1 where no trial can be compared with the pool. Ours are NaN.
NO_WIDTH = {("no_events", "RD"), ("all_events", "RR"), ("all_events", "RD")}
NO_Q = NO_WIDTH | {
    ("no_events", "RR"),
    ("no_events", "OR"),
    ("all_events", "OR"),
    ("one_trial_zero", "RR"),
    ("one_trial_zero", "OR"),
}


def pooled(measure, tables, level=0.95):
    if measure == "PETO":
        return peto(*tables, level=level)
    return mantel_haenszel(measure, *tables, level=level)


def tables_of(record):
    return [numbers_of(record[name]) for name in NAMES]


@pytest.mark.parametrize(
    "record", reference("metafor_reference")["two_by_two"], ids=lambda r: r["name"]
)
@pytest.mark.parametrize("measure", ["RR", "OR", "RD", "PETO"])
def test_pools_equal_metafor(record, measure):
    found = pooled(measure, tables_of(record))
    theirs = record["peto"] if measure == "PETO" else record["mantel_haenszel"][measure]
    for name, value in theirs.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-8), name


@pytest.mark.parametrize("record", EDGES, ids=lambda r: r["name"])
@pytest.mark.parametrize("measure", ["RR", "OR", "RD", "PETO"])
def test_edge_cases_equal_metafor_or_are_nan_with_a_note(record, measure):
    found = pooled(measure, tables_of(record), record["level"])
    theirs = record["pools"].get(measure)
    if theirs is None:  # rma.peto stops with an error
        assert np.isnan(found.estimate)
        assert any("undefined" in note for note in found.notes)
        return
    for ours, name in OURS_TO_R.items():
        key = (record["name"], measure)
        if (ours in ("se", "ci_low", "ci_high") and key in NO_WIDTH) or (
            ours in ("q", "q_pvalue", "i2_pct") and key in NO_Q
        ):
            assert np.isnan(getattr(found, ours))
            assert len(found.notes) >= 2
            continue
        expected = np.nan if theirs[name] is None else theirs[name]
        assert relative_difference(getattr(found, ours), expected) < 1e-8 or (
            # Q and I2 of metafor below rounding
            abs(expected) < 1e-12 and abs(getattr(found, ours)) < 1e-12
        ), ours


def test_the_grid_is_complete():
    names = {record["name"] for record in EDGES}
    assert {"no_events", "all_events", "none_in_group_1", "one_trial", "mixed"} <= names
    assert all(set(record["pools"]) >= {"RR", "OR", "RD"} for record in EDGES)
    assert {(record["name"], m) for record in EDGES for m in record["pools"]} >= NO_Q


def test_yusuf_1985_by_petos_own_method():
    """Yusuf 1985, Prog Cardiovasc Dis 27:335, table 6: OR 0.9332 (0.7385 to 1.1792)."""
    record = next(record for record in EDGES if record["name"] == "yusuf1985")
    found = peto(*tables_of(record))
    shown = np.exp([found.estimate, found.ci_low, found.ci_high]).round(4)
    assert shown.tolist() == [0.9332, 0.7385, 1.1792]
    assert found.k < len(record["events_1"])


def test_mantel_haenszel_odds_ratio_against_scipy_and_statsmodels():
    from statsmodels.stats.contingency_tables import StratifiedTable

    record = reference("metafor_reference")["two_by_two"][0]
    a, n1, c, n2 = tables_of(record)
    cells = np.array([[a, n1 - a], [c, n2 - c]])
    table = StratifiedTable(cells)
    found = mantel_haenszel("OR", a, n1, c, n2)
    assert found.estimate == pytest.approx(table.logodds_pooled, rel=1e-10)
    assert found.se == pytest.approx(table.logodds_pooled_se, rel=1e-10)
    assert mantel_haenszel("RR", a, n1, c, n2).estimate == pytest.approx(
        np.log(table.riskratio_pooled), rel=1e-10
    )
    assert found.q_pvalue == pytest.approx(stats.chi2.sf(found.q, 12), rel=1e-10)


@pytest.mark.parametrize("measure", ["RR", "OR", "RD", "PETO"])
def test_one_trial_is_that_trial(measure):
    found = pooled(measure, ([3], [20], [5], [25]))
    alone = effect_size(measure, events_1=3, n_1=20, events_2=5, n_2=25)
    assert found.estimate == pytest.approx(alone.yi)
    if measure in ("RR", "OR", "PETO"):
        assert found.se**2 == pytest.approx(alone.vi)
    assert (found.k, found.q, found.q_df, found.q_pvalue, found.i2_pct) == (1, 0, 0, 1, 0)
    assert found.weight_pct.tolist() == [100]
    assert "There is one trial, so nothing was pooled." in found.notes


@pytest.mark.parametrize("measure", ["RR", "OR", "RD", "PETO"])
def test_a_batch_equals_its_sets_one_by_one(measure):
    rng = np.random.default_rng(5)
    n_1, n_2 = rng.integers(5, 60, (2, 20, 6))
    a, c = rng.binomial(n_1, 0.08).astype(float), rng.binomial(n_2, 0.1)
    a[rng.random(a.shape) < 0.3] = np.nan
    a[3] = np.nan
    batch = pooled(measure, (a, n_1, c, n_2))
    for row in range(20):
        present = np.isfinite(a[row])
        one = pooled(measure, [cell[row][present] for cell in (a, n_1, c, n_2)])
        for name in OURS_TO_R:
            value = np.asarray(getattr(batch, name))[row]
            np.testing.assert_allclose(value, getattr(one, name), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(batch.weight_pct[row][present], one.weight_pct)
    assert batch.k[3] == 0
    assert "No trial has complete counts, so nothing was pooled." in batch.notes


def test_trials_without_events_change_no_ratio_and_are_announced():
    few = ([3, 2], [20, 30], [5, 6], [25, 30])
    more = ([3, 2, 0, 0], [20, 30, 40, 9], [5, 6, 0, 0], [25, 30, 40, 11])
    for measure in ("RR", "OR", "PETO"):
        one, two = pooled(measure, few), pooled(measure, more)
        for name in ("estimate", "se", "q", "q_df"):
            assert getattr(two, name) == pytest.approx(getattr(one, name)), name
        assert "Trials without any event (2) carry no weight and are left out of Q." in two.notes
    one, two = pooled("RD", few), pooled("RD", more)
    assert abs(two.estimate) < abs(one.estimate)
    assert (
        "Trials without any event (2) count as no difference and are left out of Q." in two.notes
    )


def test_the_record_is_frozen_equal_by_value_and_pickles():
    found = mantel_haenszel("RR", [3, np.nan], [20, 30], [5, 6], [25, 30])
    assert pickle.loads(pickle.dumps(found)) == found
    assert found != mantel_haenszel("RR", [4, np.nan], [20, 30], [5, 6], [25, 30])
    assert found != 1
    assert repr(found).startswith(
        "RareEventsResult(mantel-haenszel, RR, k=1, -0.2877 [95% CI -1.593"
    )
    batch = peto([[1, 2]] * 3, 9, 2, 9)
    assert repr(batch) == "RareEventsResult(peto, PETO, batch of shape (3,))"
    assert (found.method, found.measure, found.level) == ("mantel-haenszel", "RR", 0.95)
    with pytest.raises(AttributeError):
        found.estimate = 0
    with pytest.raises(ValueError, match="read-only"):
        found.weight_pct[0] = 0
    with pytest.raises(TypeError, match="unhashable"):
        hash(found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mantel_haenszel("rr", 1, 2, 1, 2), "measure='rr' is not known; allowed: RR, OR"),
        (lambda: mantel_haenszel("RR", 3, 2, 1, 2), "events_1: 3 is above n_1 2"),
        (lambda: peto(1, 2, 1, 0), "n_2: 0 is not allowed"),
        (lambda: peto(1, 2, 1, 2, level=95), "level=95 is not allowed"),
        (lambda: peto([1, 2], [3, 3], [1, 1, 1], [3, 3, 3]), "shapes do not broadcast together"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()
