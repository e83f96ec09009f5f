"""Isotonic and centred isotonic regression, against R's cir and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.dose import (
    centered_isotonic,
    dose_for,
    dose_limits,
    isotonic,
    isotonic_shares,
    morris_limits,
    share_limits,
)
from ldn_meta.stats.up_and_down import dose_for_many

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "dose_reference.json").read_text(encoding="utf-8")
)
# Concentrations given in Benhamou 2003, in hundredths of a per cent, from the vignette of R's cir:
# each neighbour is one step up (no response) or down (response); the last response is unknown.
ROPI = (
    "11 10 9 10 9 8 9 10 9 10 9 8 7 8 9 10 11 10 11 12 "
    "11 10 9 8 7 8 7 8 9 10 9 8 9 8 9 10 9 10 9 10"
)
LEVO = "11 10 11 10 11 10 9 10 9 8 7 8 7 8 7 6 5 6 7 8 7 8 7 6 7 6 7 6 7 6 5 6 7 6 7 8 9 10 11 12"
ARMS = {"ropivacaine": ROPI, "levobupivacaine": LEVO}
# R cir 2.5, vignette BenHamou03: quickInverse(target = 0.5, adaptiveShrink = TRUE, conf = 0.83)
# and quickInverse(target = 0.5, estfun = oldPAVA, conf = 0.83); at 90%, as run for this project
# (design note, six digits).
CIR_83 = {
    "ropivacaine": (0.09383622, 0.07966513, 0.1000783),
    "levobupivacaine": (0.06842105, 0.06038051, 0.0867241),
}
CIR_90 = {
    "ropivacaine": (0.093836, 0.078371, 0.101341),
    "levobupivacaine": (0.068421, 0.059044, 0.092330),
}
IR_83 = {
    "ropivacaine": (0.09287671, 0.0831183, 0.09791556),
    "levobupivacaine": (0.06846154, 0.06240652, 0.08618716),
}
# R's uniroot stops at 1.2e-4 of a share, which is a few in a million of these doses: our limits of
# the share agree with a uniroot run to 1e-15 (test_morris_limits_agree_with_r).
UNIROOT = 2e-6


def counts(walk):
    level = np.array(walk.split(), dtype=int)
    responded = np.diff(level) < 0
    dose = np.unique(level[:-1])
    n = [int((level[:-1] == d).sum()) for d in dose]
    return dose / 100, [int(responded[level[:-1] == d].sum()) for d in dose], n


@pytest.fixture(params=ARMS)
def arm(request):
    return request.param, *counts(ARMS[request.param])


def test_walks_give_the_counts_of_the_reference(arm):
    name, dose, responders, n = arm
    theirs = REFERENCE["arms"][name]
    np.testing.assert_allclose(dose, theirs["dose"])
    assert (responders, n) == (theirs["responders"], theirs["n"])


@pytest.mark.parametrize(
    ("method", "shrink_to", "level", "theirs", "printed"),
    [
        ("cir", 0.5, 0.83, CIR_83, 6e-9),
        ("cir", 0.5, 0.90, CIR_90, 6e-7),
        ("ir", None, 0.83, IR_83, 6e-9),
    ],
)
def test_ed50_agrees_with_cir(monkeypatch, arm, method, shrink_to, level, theirs, printed):
    """With places compared as computed, as cir does; see the next test for the one difference."""
    monkeypatch.setattr("ldn_meta.stats.dose.SAME_PLACE", 0.0)
    name, dose, responders, n = arm
    ours = dose_for(dose, responders, n, method=method, level=level, shrink_to=shrink_to)
    estimate, low, high = theirs[name]
    assert ours.estimate == pytest.approx(estimate, abs=printed)
    assert ours.ci_low == pytest.approx(low, abs=UNIROOT)
    assert ours.ci_high == pytest.approx(high, abs=UNIROOT)
    assert ours.notes == ()
    assert ours.people == 39


def test_the_difference_from_cir_is_a_last_digit():
    """Levobupivacaine: a place of cir's grid is 0.0605 but for its last digit, and moves a limit.

    Compared as computed, the lower limit changes with the unit of the doses; here it does not.
    """
    dose, responders, n = counts(LEVO)
    limits = [
        dose_for(dose * unit, responders, n, level=0.83, shrink_to=0.5).ci_low / unit
        for unit in (1.0, 7.3, 10.0, 100.0)
    ]
    np.testing.assert_allclose(limits, limits[0], rtol=1e-9)
    cir = CIR_83["levobupivacaine"][1]
    assert limits[0] == pytest.approx(cir, abs=0.04 * 0.01), "within 4% of a dose step"
    assert limits[0] != pytest.approx(cir, abs=UNIROOT)


def test_curve_agrees_with_cir():
    """Vignette BenHamou03, levoCurveCIR: shrinkage points and shares at the doses."""
    curve = centered_isotonic(*counts(LEVO), shrink_to=0.5)
    np.testing.assert_allclose(curve.dose, [0.05, 0.06, 0.07, 0.08928571, 0.11], atol=6e-9)
    np.testing.assert_allclose(
        curve.share, [0.1666667, 0.2777778, 0.5416667, 0.5659014, 0.7], atol=6e-8
    )
    assert curve.weight.tolist() == [2, 8, 11, 14, 4]
    np.testing.assert_allclose(
        curve.at([0.08, 0.09, 0.10]), [0.5542328, 0.5705255, 0.6352627], atol=6e-8
    )
    assert np.isnan(curve.at(0.12))


def test_dixon_mood_agrees_with_upndown(arm):
    """R upndown 0.4 dixonmood, as run for this project (design note, six digits)."""
    name, dose, responders, n = arm
    theirs = {"ropivacaine": 0.091316, "levobupivacaine": 0.077105}[name]
    found = dose_for(dose, responders, n, method="dixon-mood")
    assert found.estimate == pytest.approx(theirs, abs=6e-7)
    assert np.isnan(found.ci_low)


def test_dixon_mood_by_hand():
    # Responses are rarer: 4 at doses 2, 3, 3, 4; mean 3, half a step lower 2.5. Places 1, 2, 2, 3:
    # B / N = 18 / 4, A / N = 2, spread 0.5; s = 1.620 (0.5 + 0.029).
    table = ([1, 2, 3, 4], [0, 1, 2, 1], [2, 4, 3, 1])
    assert dose_for(*table, method="dixon-mood").estimate == 2.5
    ed95 = dose_for(*table, method="dixon-mood", target=0.95).estimate
    assert ed95 == pytest.approx(2.5 + 1.6448536269514722 * 1.620 * 0.529)
    # As many of each: those who did not respond, half a step higher.
    even = dose_for([1, 2, 3], [0, 1, 2], [2, 2, 2], method="dixon-mood")
    assert even.estimate == pytest.approx((1 + 1 + 2) / 3 + 0.5)


def test_dixon_mood_is_silent_where_its_formula_does_not_hold():
    close = dose_for([1, 2], [0, 2], [4, 3], method="dixon-mood", target=0.95)
    assert np.isnan(close.estimate)
    assert "does not hold" in close.notes[0]
    nobody = dose_for([1, 2], [0, 0], [4, 3], method="dixon-mood")
    assert np.isnan(nobody.estimate)
    with pytest.raises(ArgumentError, match="unequal steps"):
        dose_for([1, 2, 4], [0, 1, 2], [2, 2, 2], method="dixon-mood")


@pytest.mark.parametrize("level", [0.83, 0.9, 0.95])
def test_morris_limits_agree_with_r(arm, level):
    name, _, responders, n = arm
    theirs = next(m for m in REFERENCE["arms"][name]["morris"] if m["level"] == level)
    ours = morris_limits(np.array(responders, float), np.array(n, float), level=level)
    np.testing.assert_allclose(ours.low, theirs["low"], atol=1e-12)
    np.testing.assert_allclose(ours.high, theirs["high"], atol=1e-12)


def test_morris_limit_of_one_dose_is_clopper_pearsons():
    ours = morris_limits(np.array([3.0]), np.array([10.0]), level=0.95)
    assert ours.low[0] == pytest.approx(0.0667395, abs=1e-7)
    assert ours.high[0] == pytest.approx(0.6524529, abs=1e-7)


def pooled(share, n):
    """Adjacent violators pooled one pair at a time."""
    blocks = [[s, w, 1] for s, w in zip(share, n, strict=True)]
    i = 0
    while i < len(blocks) - 1:
        if blocks[i][0] > blocks[i + 1][0]:
            a, b = blocks[i], blocks.pop(i + 1)
            weight = a[1] + b[1]
            blocks[i] = [(a[0] * a[1] + b[0] * b[1]) / weight, weight, a[2] + b[2]]
            i = max(i - 1, 0)
        else:
            i += 1
    return [s for s, _, size in blocks for _ in range(size)]


TABLES = st.lists(
    st.integers(1, 9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=8,
)


@given(TABLES)
def test_isotonic_is_pooling_adjacent_violators(table):
    r, n = np.array(table, dtype=float).T
    ours = isotonic(np.arange(r.size), r, n)
    np.testing.assert_allclose(ours.share, pooled(r / n, n), atol=1e-12)
    assert ours.share @ n == pytest.approx(r.sum())
    again = isotonic_shares(ours.share, n)
    np.testing.assert_allclose(again, ours.share, atol=1e-12)


@given(TABLES)
def test_centred_curve_rises_between_its_points_and_keeps_the_people(table):
    r, n = np.array(table, dtype=float).T
    dose = np.arange(r.size, dtype=float)
    curve = centered_isotonic(dose, r, n)
    assert curve.weight.sum() == n.sum()
    assert curve.dose[0] == 0 and curve.dose[-1] == dose[-1]
    there = curve.weight > 0
    rises = np.diff(curve.share[there])
    inside = (curve.share[there][:-1] > 0) & (curve.share[there][:-1] < 1)
    assert (rises[inside] > 0).all()
    assert (np.diff(curve.dose) > 0).all()
    assert curve.dose @ curve.weight == pytest.approx(dose @ n)


@given(st.lists(TABLES, min_size=1, max_size=5), st.sampled_from(["cir", "ir"]))
def test_batch_is_one_table_at_a_time(tables, method):
    r, n = np.zeros((len(tables), 8)), np.zeros((len(tables), 8))
    for row, table in enumerate(tables):
        r[row, : len(table)], n[row, : len(table)] = np.array(table).T
    # The last doses of short tables move up, so that gaps lie inside as well.
    n[:, [2, 7]], r[:, [2, 7]] = n[:, [7, 2]], r[:, [7, 2]]
    n[:, 0] = np.maximum(n[:, 0], 1)
    ladder = np.arange(8.0)
    many = dose_for_many(ladder, r, n, target=0.5, method=method)
    for row in range(len(tables)):
        one = dose_for(ladder, r[row], n[row], method=method)
        np.testing.assert_allclose(one.estimate, many[row], atol=1e-12)


def test_dose_at_flat_stretches():
    # Flat at the target inside: the middle; at the top: its first dose; at the bottom: its last.
    assert dose_for([1, 2, 3, 4], [0, 1, 1, 2], [2, 2, 2, 2], method="ir").estimate == 2.5
    assert dose_for([1, 2, 3], [0, 1, 1], [2, 2, 2], method="ir").estimate == 2
    assert dose_for([1, 2, 3], [1, 1, 2], [2, 2, 2], method="ir").estimate == 2
    flat = dose_for([1, 2, 3], [1, 1, 1], [2, 2, 2], method="ir")
    assert np.isnan(flat.estimate)


def test_a_share_out_of_reach_has_no_dose():
    found = dose_for([1, 2, 3], [0, 1, 2], [3, 3, 3], target=0.95)
    assert np.isnan([found.estimate, found.ci_low, found.ci_high]).all()
    assert "0 to 0.667" in found.notes[0]


def test_one_dose_has_a_share_and_no_slope():
    curve = centered_isotonic([2.0], [1], [4])
    assert (curve.dose.tolist(), curve.share.tolist()) == ([2.0], [0.25])
    assert np.isnan(dose_limits(curve, 0.5, level=0.95, spacing=1.0)).all()
    assert np.isnan(dose_for([2.0], [1], [4]).estimate)


def test_limits_of_the_share_enclose_the_curve_and_rise(arm):
    _, dose, responders, n = arm
    curve = centered_isotonic(dose, responders, n, shrink_to=0.5)
    share = curve.share[curve.weight > 0]
    narrow, wide = share_limits(curve, 0.8), share_limits(curve, 0.99)
    for limits in (narrow, wide):
        assert (limits.low < share).all() and (share <= limits.high).all()
        assert (np.diff(limits.low) >= 0).all() and (np.diff(limits.high) >= 0).all()
    assert (wide.low < narrow.low).all() and (narrow.high <= wide.high).all()


def test_order_and_unit_of_doses_do_not_matter(arm):
    _, dose, responders, n = arm
    there = dose_for(dose, responders, n, shrink_to=0.5)
    back = dose_for(dose[::-1] * 100, responders[::-1], n[::-1], shrink_to=0.5)
    names = ("estimate", "ci_low", "ci_high")
    np.testing.assert_allclose(
        [getattr(back, f) for f in names], [100 * getattr(there, f) for f in names], rtol=1e-9
    )


def test_shrinkage_adds_one_person_at_the_target_and_spares_single_people():
    curve = isotonic([1, 2], [0, 1], [1, 3], shrink_to=0.5)
    assert curve.share.tolist() == [0.0, 1.5 / 4]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"method": "gam"}, r"method='gam' .*cir, ir, probit"),
        ({"ci_method": "delta"}, r"ci_method of cir='delta' .*morris-delta"),
        ({"target": 1.0}, r"target=1.0 .*between 0 and 1"),
        ({"target": 50}, r"target=50"),
        ({"level": 95}, r"level=95"),
        ({"shrink_to": 0}, r"shrink_to=0"),
        ({"method": "probit", "shrink_to": 0.5}, r"with cir or ir"),
        ({"log_dose": True}, r"with probit or logit"),
        ({"dose": [1, 1, 2]}, r"repeats a dose"),
        ({"dose": [1, 2]}, r"shape \(2,\)"),
        ({"dose": [1, np.nan, 2]}, r"dose holds NaN"),
        ({"responders": [0, 3, 1]}, r"responders\[1\]=3.0 of n\[1\]=2.0"),
        ({"responders": [0, 0.5, 1]}, r"whole numbers"),
        ({"n": [0, 0, 0], "responders": [0, 0, 0]}, r"n is 0 throughout"),
    ],
)
def test_bad_input_is_refused(change, says):
    given_ = {"dose": [1, 2, 3], "responders": [0, 1, 2], "n": [2, 2, 2]} | change
    with pytest.raises(ArgumentError, match=says):
        dose_for(given_.pop("dose"), given_.pop("responders"), given_.pop("n"), **given_)
