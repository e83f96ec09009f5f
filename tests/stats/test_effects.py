"""Effects and variances of one trial: R's metafor, printed tables, definitions, refusals."""

import re

import numpy as np
import pytest
from scipy import stats

from ldn_meta.errors import ArgumentError
from ldn_meta.stats.arrays import EffectSize
from ldn_meta.stats.effects import (
    EFFECT_CODES,
    MATCHED_CODES,
    effect_size,
    hedges_correction,
    marginal_effect,
    matched_effect,
    within_person_correlation,
)
from ldn_meta.stats.pool import pool
from reference_values import designs, numbers_of, reference, relative_difference
from stats.batteries import anew

MEAN_CODES = ["MD", "SMD", "SMD1", "ROM"]
PAIRED_CODES = ["MC", "SMCC", "SMCR", "SMCRP"]
TABLE_CODES = ["RR", "OR", "RD", "AS", "PETO"]
ONE_GROUP_CODES = ["PR", "PLO", "PAS", "PFT"]
CODES = [*MEAN_CODES, *PAIRED_CODES, "PPC", *TABLE_CODES, "IRR", *ONE_GROUP_CODES]
GRID = [(name, code, record) for name, record in designs() for code in record["effect_sizes"]]
CLOSED_FORM = 1e-8
DROPPED = reference("inputs_reference")

MEANS = {"mean_1": 55, "sd_1": 47, "n_1": 155, "mean_2": 75, "sd_2": 64, "n_2": 156}
PAIRED = {"mean_1": 26, "sd_1": 30**0.5, "mean_2": 22, "sd_2": 20**0.5, "n": 60}
PAIRED |= {"correlation": 0.7}
BEFORE_AND_AFTER = {"change_1": 7.9, "sd_1": 15.0, "n_1": 20, "correlation_1": 0.47}
BEFORE_AND_AFTER |= {"change_2": -3.4, "sd_2": 13.8, "n_2": 20, "correlation_2": 0.47}
TABLE = {"events_1": 4, "n_1": 123, "events_2": 11, "n_2": 139}
RATES = {"events_1": 9, "time_1": 413, "events_2": 19, "time_2": 398}
ONE = {"events": 16, "n": 17}
DATA = (
    dict.fromkeys(MEAN_CODES, MEANS)
    | dict.fromkeys(PAIRED_CODES, PAIRED)
    | dict.fromkeys(TABLE_CODES, TABLE)
    | {"IRR": RATES, "PPC": BEFORE_AND_AFTER}
    | dict.fromkeys(ONE_GROUP_CODES, ONE)
)


@pytest.mark.parametrize(("name", "code", "record"), GRID, ids=[f"{n}-{c}" for n, c, _ in GRID])
def test_estimate_and_variance_equal_metafor(name, code, record):
    ours = effect_size(code, **{key: record[key] for key in EFFECT_CODES[code].arguments})
    theirs = record["effect_sizes"][code]
    assert relative_difference(ours.yi, numbers_of(theirs["yi"])) < CLOSED_FORM
    assert relative_difference(ours.vi, numbers_of(theirs["vi"])) < CLOSED_FORM


def test_the_grid_is_complete():
    assert list(EFFECT_CODES) == CODES
    assert {code for name, code, _ in GRID if not name.startswith("edge")} == set(CODES)
    assert {code for name, code, _ in GRID if name.startswith("edge")} == set(CODES)
    edges = reference("effects_reference")
    tables = {key: np.array(edges["two_by_two"][key]) for key in TABLE}
    no_event = (tables["events_1"] == 0) & (tables["events_2"] == 0)
    everybody = (tables["events_1"] == tables["n_1"]) & (tables["events_2"] == tables["n_2"])
    assert no_event.sum() >= 9 and everybody.sum() >= 9
    means = {key: np.array(edges["means"][key]) for key in MEANS}
    assert ((means["sd_1"] == 0) & (means["sd_2"] == 0)).any()
    assert ((means["n_1"] == 1) & (means["n_2"] == 1)).any()
    assert (np.array(edges["paired"]["n"]) == 1).any()
    assert edges["source"]["metafor"] and edges["source"]["r"] and edges["source"]["calls"]


def test_smd_and_md_of_normand_1999():
    """Normand 1999, Stat Med 18:321, table IV; first four trials, four decimals."""
    mean_1, sd_1, n_1 = [55, 27, 64, 66], [47, 7, 17, 20], [155, 31, 75, 18]
    mean_2, sd_2, n_2 = [75, 29, 119, 137], [64, 4, 29, 48], [156, 32, 71, 18]
    data = dict(zip(MEANS, (mean_1, sd_1, n_1, mean_2, sd_2, n_2), strict=True))
    smd = effect_size("SMD", **data)
    np.testing.assert_array_equal(smd.yi.round(4), [-0.3552, -0.3479, -2.3176, -1.8880])
    np.testing.assert_array_equal(smd.vi.round(4), [0.0131, 0.0645, 0.0458, 0.1606])
    md = effect_size("MD", **data)
    np.testing.assert_array_equal(md.yi, [-20, -2, -55, -71])
    assert md.vi[0] == pytest.approx(47**2 / 155 + 64**2 / 156, rel=1e-14)


def test_smcr_of_morris_2008():
    """Morris 2008, Organ Res Methods 11:364, table 5: two arms, each in its own pre SD."""
    treated = {
        "mean_1": [38.5, 26.8, 0.7, 75.9, 36.0],
        "sd_1": [15.0, 3.1, 0.1, 14.5, 4.7],
        "mean_2": [30.6, 23.5, 0.5, 53.4, 35.6],
        "n": [20, 50, 9, 10, 14],
    }
    control = {
        "mean_1": [19.7, 25.3, 0.6, 60.7, 33.4],
        "sd_1": [13.8, 4.1, 0.2, 17.3, 3.1],
        "mean_2": [23.1, 24.9, 0.6, 55.7, 34.8],
        "n": [20, 42, 9, 11, 14],
    }
    change = [effect_size("SMCR", **arm, correlation=0.5).yi for arm in (treated, control)]
    difference = change[0] - change[1]
    np.testing.assert_array_equal(difference.round(4), [0.7421, 0.9524, 1.8054, 1.1514, 0.5050])
    arms = {}
    for number, arm in ((1, treated), (2, control)):
        arms[f"change_{number}"] = np.subtract(arm["mean_1"], arm["mean_2"])
        arms |= {f"sd_{number}": arm["sd_1"], f"n_{number}": arm["n"]}
    both = effect_size("PPC", **arms, correlation_1=0.5, correlation_2=0.5)
    np.testing.assert_allclose(both.yi, difference, rtol=1e-12)


def test_smcrp_of_the_cochrane_handbook():
    """Handbook 5.1, 16.4.6.4: SMD 0.218 and SE 0.256, the SMD without J."""
    crossover = {"mean_1": 7.0, "sd_1": 2.38, "mean_2": 6.5, "sd_2": 2.21, "n": 10}
    yi, vi = effect_size("SMCRP", **crossover, correlation=0.68)
    assert round(yi / float(hedges_correction(2 * 9 / (1 + 0.68**2))), 3) == 0.218
    assert round(vi**0.5, 3) == 0.256
    # Without correlation it is Hedges' g of two groups of n.
    apart = effect_size("SMCRP", **crossover, correlation=0.0)
    of_two = effect_size("SMD", **{k: v for k, v in crossover.items() if k != "n"}, n_1=10, n_2=10)
    assert apart == pytest.approx(of_two, rel=1e-12)


@pytest.mark.parametrize("r", [0.0, 0.6, 0.9])
def test_smcrp_and_ppc_are_unbiased_with_the_variance_they_state(r):
    """Drawn from the model: mean and variance of 40,000 trials of 20 people."""
    draw = np.random.default_rng(41)
    n, people = 40_000, 20
    z = draw.standard_normal((2, n, people, 2)) @ np.linalg.cholesky([[1, r], [r, 1]]).T
    before, after = z[..., 0], z[..., 1] + np.array([0.8, 0.2])[:, None, None]
    mean, sd = after.mean(axis=-1), after.std(axis=-1, ddof=1)
    base = before.std(axis=-1, ddof=1)
    paired = {"mean_1": mean[0], "sd_1": sd[0], "mean_2": before[0].mean(axis=-1)}
    smcrp = effect_size("SMCRP", **paired, sd_2=base[0], n=people, correlation=r)
    change = mean - before.mean(axis=-1)
    arms = {f"change_{j + 1}": change[j] for j in (0, 1)} | {"n_1": people, "n_2": people}
    arms |= {f"sd_{j + 1}": base[j] for j in (0, 1)}
    ppc = effect_size("PPC", **arms, correlation_1=r, correlation_2=r)
    for (yi, vi), true in ((smcrp, 0.8), (ppc, 0.6)):
        # Four simulation errors, and what large-sample variances of 20 people lack.
        assert abs(yi.mean() - true) < 4 * yi.std() / n**0.5
        assert vi.mean() == pytest.approx(yi.var(), rel=0.12)


def test_paired_codes_of_the_metafor_5_1_oracle():
    """PEERS.md section 4: m 26/22, var 30/20, n 60, r 0.7; R metafor 5.1-12, six digits."""
    expected = {"MC": (4, 0.261786), "SMCC": (0.996386, 0.0249399), "SMCR": (0.720967, 0.0143316)}
    for code, (yi, vi) in expected.items():
        assert effect_size(code, **PAIRED) == pytest.approx((yi, vi), rel=1e-5)


def test_log_ratios_against_scipy():
    ratio = stats.contingency.relative_risk(4, 123, 11, 139)
    rr = effect_size("RR", **TABLE)
    low, high = ratio.confidence_interval(0.95)
    assert np.exp(rr.yi) == pytest.approx(ratio.relative_risk, rel=1e-12)
    assert np.sqrt(rr.vi) == pytest.approx(np.log(high / low) / (2 * stats.norm.ppf(0.975)))
    # epitools' printed answer for 10, 20 / 41, 93, quoted in scipy's tests.
    odds = effect_size("OR", events_1=10, n_1=30, events_2=41, n_2=134)
    bounds = np.exp(odds.yi + stats.norm.ppf([0.5, 0.025, 0.975]) * np.sqrt(odds.vi))
    np.testing.assert_allclose(bounds, [1.134146, 0.4879913, 2.635883], rtol=1e-6)


def test_the_remaining_counts_by_hand():
    """Written out from the definitions, independently of the library's algebra."""
    p1, p2 = 4 / 123, 11 / 139
    yi, vi = effect_size("RD", **TABLE)
    assert (yi, vi) == pytest.approx((p1 - p2, p1 * (1 - p1) / 123 + p2 * (1 - p2) / 139))
    yi, vi = effect_size("AS", **TABLE)
    expected = np.arcsin(p1**0.5) - np.arcsin(p2**0.5), 0.25 / 123 + 0.25 / 139
    assert (yi, vi) == pytest.approx(expected)
    table = stats.hypergeom(262, 15, 123)
    yi, vi = effect_size("PETO", **TABLE)
    assert (yi, vi) == pytest.approx(((4 - table.mean()) / table.var(), 1 / table.var()))
    yi, vi = effect_size("IRR", **RATES)
    assert (yi, vi) == pytest.approx((np.log(9 / 413 / (19 / 398)), 1 / 9 + 1 / 19))
    yi, vi = effect_size("ROM", **MEANS)
    expected = np.log(55 / 75), (47 / 55) ** 2 / 155 + (64 / 75) ** 2 / 156
    assert (yi, vi) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("code", "yi", "vi"),
    [
        ("AS", [-0.4405106630, 0.9553166181], [0.0435606061, 0.0527777778]),
        ("RD", [-0.1698717949, 0.6045454545], [0.0165890013, 0.0266944027]),
        ("PETO", [-1.5442890443, 2.5909090909], [1.4568764569, 0.8181818182]),
    ],
)
def test_tables_with_an_empty_cell_are_those_of_escalc_left_to_itself(code, yi, vi):
    """metafor 3.8-1, escalc(measure, ai, n1i, ci, n2i): it adds 0.5, but nothing for AS."""
    tables = {"events_1": [0, 10], "n_1": [12, 10], "events_2": [2, 3], "n_2": [11, 9]}
    found = effect_size(code, **tables)
    np.testing.assert_allclose(found, [yi, vi], rtol=1e-9)
    assert any("0.5 was added" in note for note in found.notes) == (code != "AS")


@pytest.mark.parametrize("one", DROPPED["tables"], ids=lambda one: one["code"])
def test_tables_without_events_can_be_dropped_as_metafor_drops_them(one):
    """escalc(drop00=TRUE); kept, which is metafor's default, only those tables are different."""
    code = one["code"]
    data = {name: DROPPED[name] for name in ("events_1", "n_1", "events_2", "n_2")}
    if code == "IRR":
        data = {name.replace("n_", "time_"): value for name, value in data.items()}
    dropped = effect_size(code, double_zero="drop", **data)
    kept = effect_size(code, **data)
    for ours, theirs, whole in zip(dropped, (one["yi"], one["vi"]), kept, strict=True):
        wanted = np.array(theirs, dtype=float)
        np.testing.assert_allclose(ours, wanted, rtol=CLOSED_FORM, atol=1e-15)
        assert np.isfinite(whole).all()
        np.testing.assert_array_equal(ours[np.isfinite(wanted)], whole[np.isfinite(wanted)])
    assert any("was dropped (NaN)" in note for note in dropped.notes)
    assert any('double_zero="drop" leaves it out' in note for note in kept.notes)


def test_a_table_without_events_can_turn_the_sign():
    data = {"events_1": [0, 1, 2], "n_1": [10] * 3, "events_2": [0, 2, 3], "n_2": [1000, 10, 10]}
    assert pool(*effect_size("OR", **data)).estimate == pytest.approx(0.681, abs=5e-4)
    dropped = pool(*effect_size("OR", double_zero="drop", **data))
    assert (dropped.k, dropped.estimate) == (2, pytest.approx(-0.645, abs=6e-4))
    with pytest.raises(ArgumentError, match=r"double_zero='no' is not known; allowed: keep, drop"):
        effect_size("OR", double_zero="no", **data)


def test_the_log_ratio_of_means_with_and_without_its_bias():
    """Lajeunesse 2015, Ecology 96:2056: half the difference of the two squared relative errors."""
    data = {"mean_1": 10, "sd_1": 8, "n_1": 5, "mean_2": 5, "sd_2": 6, "n_2": 5}
    plain, corrected = (effect_size("ROM", is_bias_corrected=x, **data) for x in (False, True))
    assert plain.yi == pytest.approx(np.log(2))
    assert corrected.yi == pytest.approx(np.log(2) + 0.5 * (64 / 500 - 36 / 125))
    assert f"{corrected.yi:.3f}" == "0.613"
    assert plain.vi == corrected.vi == pytest.approx(64 / 500 + 36 / 125)
    assert "not corrected" in plain.notes[0]
    assert "is corrected" in corrected.notes[0]
    # What it corrects: the mean of log ratios of ten people lies off the log of the ratio.
    rng = np.random.default_rng(1)
    x = rng.normal(10, 4, (40_000, 6))
    y = rng.normal(8, 1, (40_000, 6))
    shown = {
        **{"mean_1": x.mean(axis=1), "sd_1": x.std(axis=1, ddof=1), "n_1": 6},
        **{"mean_2": y.mean(axis=1), "sd_2": y.std(axis=1, ddof=1), "n_2": 6},
    }
    off = [
        effect_size("ROM", is_bias_corrected=c, **shown).yi.mean() - np.log(10 / 8)
        for c in (False, True)
    ]
    assert abs(off[1]) < 0.2 * abs(off[0])
    with pytest.raises(ArgumentError, match="not used by 'MD'"):
        effect_size("MD", is_bias_corrected=True, **data)


def test_effects_say_what_was_done_to_them():
    giant = effect_size("SMD", mean_1=10, sd_1=0.8, n_1=5, mean_2=[5, 9.5], sd_2=0.6, n_2=5)
    assert giant.notes == (
        "1 of 2: more than 3 standard deviations: is a standard error typed as SD?",
    )
    none = effect_size("SMD", mean_1=10, sd_1=0, n_1=5, mean_2=5, sd_2=0, n_2=5)
    assert none.notes == ("the formula gives no effect of these numbers: NaN",)
    missing = effect_size("SMD", mean_1=np.nan, sd_1=1, n_1=5, mean_2=5, sd_2=1, n_2=5)
    assert missing.notes == ()
    share = effect_size("PLO", events=[0, 3], n=5)
    assert share.notes == ("1 of 2: 0.5 was added to each count, because one is 0",)
    pairs = matched_effect("MPOR", [0, 4], 1, 2, 3)
    assert pairs.notes == ("0.5 was added to the four cells of 1 of 2 tables",)


def test_one_group_by_hand():
    p = 16 / 17
    assert effect_size("PR", **ONE) == pytest.approx((p, p * (1 - p) / 17))
    assert effect_size("PLO", **ONE) == pytest.approx((np.log(16), 1 / 16 + 1))
    assert effect_size("PAS", **ONE) == pytest.approx((np.arcsin(p**0.5), 1 / 68))


def test_freeman_tukey_of_miller_1978():
    """Miller 1978, Am Stat 32:138: his angles are sums, twice ours; 3/11, 6/17, 10/21, 1/6."""
    yi, vi = effect_size("PFT", events=[3, 6, 10, 1], n=[11, 17, 21, 6])
    np.testing.assert_array_equal((2 * yi).round(4), [1.1391, 1.2888, 1.5253, 0.9515])
    np.testing.assert_allclose(4 * vi, 1 / (np.array([11, 17, 21, 6]) + 0.5))


def test_hedges_correction_against_its_series_and_exact_values():
    assert hedges_correction(2) == pytest.approx(np.sqrt(1 / np.pi), rel=1e-15)
    assert hedges_correction(3) == pytest.approx(np.sqrt(np.pi / 6), rel=1e-15)
    m = np.array([1e4, 1e6, 1e8, 1e12])
    np.testing.assert_allclose(hedges_correction(m), 1 - 3 / (4 * m) - 7 / (32 * m**2), rtol=5e-12)
    assert np.isnan(hedges_correction([1, 0, -1])).all()


def test_half_is_added_only_to_the_table_that_has_a_zero():
    yi, vi = effect_size("RR", events_1=[0, 4], n_1=[20, 123], events_2=[3, 11], n_2=[25, 139])
    assert yi[1] == effect_size("RR", **TABLE).yi
    assert yi[0] == pytest.approx(np.log((0.5 / 21) / (3.5 / 26)))
    assert vi[0] == pytest.approx(1 / 0.5 - 1 / 21 + 1 / 3.5 - 1 / 26)


@pytest.mark.parametrize("code", TABLE_CODES)
def test_tables_without_any_event_get_a_finite_number_that_says_little(code):
    yi, vi = effect_size(code, events_1=0, n_1=20, events_2=0, n_2=20)
    assert yi == 0
    assert vi > 0


def test_no_variance_is_zero_for_raw_and_undefined_for_standardised_differences():
    still = MEANS | {"sd_1": 0, "sd_2": 0}
    assert effect_size("MD", **still) == (-20, 0)
    assert np.isnan(effect_size("SMD", **still)).all()
    same = PAIRED | {"sd_1": 2.1, "sd_2": 2.1, "correlation": 1}
    assert effect_size("MC", **same) == (4, 0)
    assert np.isnan(effect_size("SMCC", **same)).all()


def test_one_person_per_group():
    assert effect_size("MD", **(MEANS | {"n_1": 1})).vi == pytest.approx(47**2 + 64**2 / 156)
    assert np.isnan(effect_size("SMD", **(MEANS | {"n_1": 1, "n_2": 2}))).all()
    assert np.isnan(effect_size("SMCC", **(PAIRED | {"n": 2}))).all()


@pytest.mark.parametrize("code", CODES)
def test_missing_stays_missing_and_touches_nothing_else(code):
    for name in EFFECT_CODES[code].arguments:
        data = DATA[code] | {name: [np.nan, DATA[code][name]]}
        yi, vi = effect_size(code, **data)
        assert np.isnan(yi[0] + vi[0])
        assert (yi[1], vi[1]) == effect_size(code, **DATA[code])


@pytest.mark.parametrize("code", CODES)
def test_scalars_give_floats_and_arrays_broadcast(code):
    data = DATA[code]
    one = effect_size(code, **data)
    assert isinstance(one, EffectSize)
    assert type(one.yi) is float and type(one.vi) is float
    first, *others = data
    shaped = {first: np.full((3, 1), data[first])} | {key: [data[key]] * 2 for key in others}
    many = effect_size(code, **shaped)
    assert many.yi.shape == many.vi.shape == (3, 2)
    assert (many.yi == one.yi).all() and (many.vi == one.vi).all()


@pytest.mark.parametrize(
    ("code", "change", "message"),
    [
        ("RR", {"events_1": 124}, "events_1: 124 is above n_1 123"),
        ("RR", {"events_2": -1}, "events_2: -1 is not allowed; numbers of at least 0"),
        ("OR", {"n_2": 0}, "n_2: 0 is not allowed; numbers of at least 1"),
        ("MD", {"sd_1": -47}, "sd_1: -47 is not allowed"),
        ("MD", {"mean_1": np.inf}, "mean_1: inf is not allowed; finite numbers"),
        ("MD", {"mean_1": "55"}, "mean_1: '55' has type"),
        ("MD", {"n_1": None}, "n_1: None has type object"),
        ("MD", {"n_1": True}, "n_1: True has type bool"),
        ("MD", {"mean_1": [[1.0], [1.0, 2.0]]}, "mean_1: ragged"),
        ("MC", {"correlation": 1.01}, "correlation: 1.01 is not allowed"),
        ("IRR", {"time_1": 0}, "time_1: 0 is not allowed; numbers above 0"),
        ("PLO", {"events": 18}, "events: 18 is above n 17"),
        ("RR", {"n_1": [123, 123], "n_2": [139, 139, 139]}, "shapes do not broadcast together"),
    ],
)
def test_unusable_values_are_refused_by_name(code, change, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        effect_size(code, **(DATA[code] | change))


def test_unknown_codes_and_arguments_list_what_is_allowed():
    with pytest.raises(
        ArgumentError, match=r"measure='rrr'.*allowed: MD, SMD, SMD1, ROM.*did you mean 'RR'"
    ):
        effect_size("rrr", **TABLE)
    with pytest.raises(ArgumentError, match="missing n_1; not used by it n1; allowed: events_1"):
        effect_size("RR", events_1=1, n1=5, events_2=2, n_2=5)


def random_tables(seed, m=500):
    """Two groups of 1 to 400 people with 0 to everybody having the event."""
    rng = np.random.default_rng(seed)
    n_1, n_2 = rng.integers(1, 401, (2, m))
    return {
        "events_1": np.floor(rng.random(m) * (n_1 + 1)),
        "n_1": n_1,
        "events_2": np.floor(rng.random(m) ** 3 * (n_2 + 1)),
        "n_2": n_2,
    }


def turned(ours, theirs):
    np.testing.assert_allclose(ours.yi, -theirs.yi, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.vi, theirs.vi, rtol=1e-6)
    assert (ours.vi > 0).all()


@pytest.mark.parametrize("code", TABLE_CODES)
def test_swapping_the_groups_turns_the_sign_only(code, seed=1):
    forth = random_tables(seed)
    back = dict(
        zip(forth, (forth[x] for x in ("events_2", "n_2", "events_1", "n_1")), strict=True)
    )
    turned(effect_size(code, **back), effect_size(code, **forth))


@pytest.mark.parametrize("code", ["OR", "RD", "PETO"])
def test_counting_non_events_turns_the_odds_ratio_and_the_difference(code, seed=2):
    events = random_tables(seed)
    others = {f"events_{i}": events[f"n_{i}"] - events[f"events_{i}"] for i in (1, 2)}
    turned(effect_size(code, **(events | others)), effect_size(code, **events))


def test_smd_has_no_unit_and_md_has(seed=3):
    rng = np.random.default_rng(seed)
    m1, m2 = rng.uniform(-100, 100, (2, 500))
    s1, s2 = rng.uniform(0.01, 50, (2, 500))
    n1, n2 = rng.integers(2, 500, (2, 500))
    unit = 10 ** rng.uniform(-3, 3, 500)
    here = dict(zip(MEANS, (m1, s1, n1, m2, s2, n2), strict=True))
    there = here | {name: here[name] * unit for name in ("mean_1", "sd_1", "mean_2", "sd_2")}
    g, md = effect_size("SMD", **here), effect_size("MD", **here)
    for ours, expected in (
        (effect_size("SMD", **there), g),
        (effect_size("MD", **there), (md.yi * unit, md.vi * unit**2)),
    ):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)
    n = n1 - 1
    paired = effect_size("MC", mean_1=m1, sd_1=s1, mean_2=m2, sd_2=s2, n=n, correlation=0)
    apart = effect_size("MD", **(here | {"n_1": n, "n_2": n}))
    np.testing.assert_allclose(paired, apart, rtol=1e-9)


CELLS = ("both", "only_1", "only_2", "neither")
MATCHED = reference("effects_reference")["matched"]


@pytest.mark.parametrize("code", MATCHED_CODES)
def test_matched_effects_equal_metafor(code):
    ours = matched_effect(code, *(MATCHED[cell] for cell in CELLS))
    theirs = MATCHED["effect_sizes"][code]
    assert relative_difference(ours.yi, numbers_of(theirs["yi"])) < 1e-8
    assert relative_difference(ours.vi, numbers_of(theirs["vi"])) < 1e-8
    assert set(MATCHED["effect_sizes"]) == set(MATCHED_CODES)


@pytest.mark.parametrize(
    ("code", "yi", "vi"),
    [
        ("MPRD", 0.0909091, 0.00480841),
        ("MPRR", 0.182322, 0.02),
        ("MPOR", 0.364643, 0.0782222),
        ("MPORC", 0.693147, 0.3),
        ("MPPETO", 0.666667, 0.266667),
    ],
)
def test_matched_effects_of_the_metafor_5_1_oracle(code, yi, vi):
    """Table 20, 10, 5, 20; R metafor 5.1-12, PEERS.md section 4."""
    assert matched_effect(code, 20, 10, 5, 20) == pytest.approx((yi, vi), rel=1e-5)


def test_the_conditional_odds_ratio_is_that_of_mcnemar():
    from statsmodels.stats.contingency_tables import StratifiedTable

    # Each pair is a 2x2 stratum; Mantel-Haenszel over pairs is McNemar's odds ratio.
    pairs = [(1, 0, 1, 0)] * 4 + [(1, 0, 0, 1)] * 10 + [(0, 1, 1, 0)] * 5 + [(0, 1, 0, 1)] * 6
    strata = np.array(pairs, dtype=float).reshape(-1, 2, 2)
    pooled = StratifiedTable(list(strata)).logodds_pooled
    assert matched_effect("MPORC", 4, 10, 5, 6).yi == pytest.approx(pooled)


def test_margins_and_correlation_carry_all_of_the_full_table(seed=4):
    cells = np.random.default_rng(seed).integers(1, 61, (4, 500))
    a, b, c, _ = cells
    phi = within_person_correlation(*cells)
    for measure in ("OR", "RR", "RD"):
        full = matched_effect(f"MP{measure}", *cells)
        found = marginal_effect(measure, a + b, a + c, cells.sum(axis=0), correlation=phi)
        np.testing.assert_allclose((found.yi, found.vi), full, rtol=1e-7, atol=1e-12)
        assert not found.is_unpaired
    for i in range(50):
        answers = np.repeat([1, 1, 0, 0], cells[:, i]), np.repeat([1, 0, 1, 0], cells[:, i])
        assert phi[i] == pytest.approx(np.corrcoef(*answers)[0, 1])


def test_without_correlation_the_variance_is_that_of_two_groups(seed=5):
    rng = np.random.default_rng(seed)
    n = rng.integers(2, 201, 500)
    x1, x2 = np.floor(rng.random((2, 500)) * (n + 1))
    for measure in ("OR", "RR", "RD"):
        found = marginal_effect(measure, x1, x2, n)
        apart = effect_size(measure, events_1=x1, n_1=n, events_2=x2, n_2=n)
        # With an empty cell both conditions are corrected here, and the whole table there: same.
        np.testing.assert_allclose((found.yi, found.vi), apart, rtol=1e-6, atol=1e-12)
        assert found.is_unpaired
        assert "conservative" in found.notes[0]
        paired = marginal_effect(measure, x1, x2, n, correlation=0.05)
        assert (np.isnan(paired.vi) | (paired.vi < found.vi)).all()


def test_elbourne_2002_by_hand():
    """Becker-Balagtas variance in counts, table 20, 10, 5, 20: 1/30 + 1/25 + 1/25 + 1/30 - ..."""
    n, s = 55, 20
    p1, p2 = 30 / n, 25 / n
    delta = n**2 * (s / n - p1 * p2)
    counts = 1 / 30 + 1 / 25 + 1 / 25 + 1 / 30
    expected = counts - 2 * delta / n * n**2 / (30 * 25 * 25 * 30)
    phi = within_person_correlation(20, 10, 5, 20)
    found = marginal_effect("OR", 30, 25, n, correlation=phi)
    assert found.vi == pytest.approx(expected)
    assert found.vi == pytest.approx(0.0782222, abs=5e-8)


def test_impossible_correlations_give_no_variance_and_say_so():
    found = marginal_effect("OR", [30, 20], 25, 55, correlation=[0.9, 0.5])
    assert np.isnan(found.vi[0]) and found.vi[1] > 0
    assert np.isfinite(found.yi).all()
    assert any("cannot have the correlation" in note for note in found.notes)
    # Equal margins allow a correlation of 1: then nobody changes.
    assert marginal_effect("RD", 20, 20, 40, correlation=1.0).vi == 0


def test_empty_cells_are_corrected_and_announced():
    found = marginal_effect("OR", 0, 5, 20, correlation=0.1)
    assert np.isfinite(found.yi) and found.vi > 0
    assert any("0.5 was added" in note for note in found.notes)
    assert matched_effect("MPORC", 20, 0, 5, 20).yi == pytest.approx(np.log(0.5 / 5.5))


def test_shapes_missing_values_and_equality():
    found = marginal_effect("RR", [[30], [np.nan]], [20, 25], 55, correlation=0.3)
    assert found.yi.shape == found.vi.shape == (2, 2)
    assert np.isnan(found.vi[1]).all()
    assert not any("cannot" in note for note in found.notes)
    assert found == marginal_effect("RR", [[30], [np.nan]], [20, 25], 55, correlation=0.3)
    assert found != marginal_effect("RR", [[30], [np.nan]], [20, 25], 55, correlation=0.4)
    one = marginal_effect("RR", 30, 25, 55)
    assert type(one.yi) is float and type(one.vi) is float
    assert np.isnan(within_person_correlation(5, 0, 0, 0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: marginal_effect("HR", 1, 1, 5), "measure='HR' is not known; allowed: OR, RR, RD"),
        (lambda: marginal_effect("OR", 6, 1, 5), "events_1: 6 is above n 5"),
        (lambda: marginal_effect("OR", 1, 1, 5, correlation=2), "correlation: 2 is not allowed"),
        (lambda: matched_effect("MPHR", 1, 1, 1, 1), "measure='MPHR' is not known"),
        (lambda: matched_effect("MPOR", -1, 1, 1, 1), "both: -1 is not allowed"),
        (lambda: matched_effect("MPOR", 0, 0, 0, 0), "numbers above 0"),
    ],
)
def test_refusals_of_pairs(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()


globals().update(
    anew(
        test_swapping_the_groups_turns_the_sign_only,
        test_counting_non_events_turns_the_odds_ratio_and_the_difference,
        test_smd_has_no_unit_and_md_has,
        test_margins_and_correlation_carry_all_of_the_full_table,
        test_without_correlation_the_variance_is_that_of_two_groups,
    )
)
