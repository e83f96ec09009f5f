"""Headline claims, with every number worked out a second time from what was printed."""

import itertools
import math
from statistics import NormalDist

import pytest
from scipy.stats import chi2_contingency, fisher_exact, t
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from ldn_meta.evidence.audit.claim_material import (
    CANNOT_BE_TESTED,
    NOT_SUPPORTED,
    SUPPORTED,
    WITH_CAVEATS,
    numbers_of,
)

Z = NormalDist().inv_cdf(0.975)


@pytest.fixture(scope="module")
def claim(tables):
    rows = tables["claims"].set_index("claim_id")

    def of(key):
        row = rows.loc[key]
        return row["verdict"], numbers_of(row["numbers"]), row["sentence"]

    return of


def ratio_interval(estimate, se):
    return math.exp(estimate - Z * se), math.exp(estimate + Z * se)


def log_rr(a, n, c, m):
    return math.log((a / n) / (c / m)), math.sqrt(1 / a - 1 / n + 1 / c - 1 / m)


def near(value, rel=1e-4):
    return pytest.approx(value, rel=rel)


def test_dose_for_95_percent(claim):
    verdict, n, sentence = claim("radi-jfp-ed95-answer")
    assert verdict == NOT_SUPPORTED
    low, high = proportion_confint(11, 25, method="wilson")
    assert (n["observed"], n["observed_low"], n["observed_high"]) == near((0.44, low, high))
    # Doses 0.75, 1.5, ..., 6.0: only the last reaches 5.4.
    assert (n["tried"], n["above"], n["highest"]) == (8, 1, 6)
    assert (n["low"], n["high"]) == (4.66, 6.13)
    # The lower Wilson limit of n of n is n / (n + z^2).
    assert n["everybody"] == near(25 / (25 + Z**2))
    needed = next(m for m in itertools.count(1) if m / (m + Z**2) >= 0.95)
    assert n["needed"] == needed == 73
    assert "no placebo group" in sentence
    assert "reaches above the highest dose tried, 6 mg" in sentence


def test_dose_for_half_stays_within_the_doses_tried(claim):
    verdict, n, sentence = claim("radi-jfp-bp-ed50")
    assert verdict == WITH_CAVEATS
    assert (n["dose"], n["low"], n["high"]) == (3.88, 3.39, 4.35)
    assert "stays within the doses tried" in sentence


def test_as_effective_as_amitriptyline(claim):
    verdict, n, _ = claim("radi-jfp-as-effective")
    assert verdict == WITH_CAVEATS
    assert (n["estimate"], n["low"], n["high"], n["mid"], n["people"]) == (
        1.5, -1.11, 4.13, 10, 67,
    )  # fmt: skip
    assert n["margin"] == 4.13
    se = (4.13 + 1.11) / (2 * Z)
    assert n["narrow"] == near(1.5 + NormalDist().inv_cdf(0.95) * se)
    assert n["spread"] == near(se * math.sqrt(67))
    # Differences on a scale of 0-10 lie between -10 and 10: their SD is at most 10.08 in 67.
    assert n["spread"] > 10 * math.sqrt(67 / 66)


def test_superior_safety(claim):
    verdict, n, sentence = claim("radi-jfp-superior-safety")
    assert verdict == WITH_CAVEATS
    estimate, se = math.log(8 / 52), math.sqrt(1 / 8 + 1 / 52)
    low, high = ratio_interval(estimate, se)
    assert (n["ratio"], n["low"], n["high"]) == near((8 / 52, low, high))
    # Visits every two of six weeks: one complaint can be counted three times.
    wide_low, wide_high = ratio_interval(estimate, se * math.sqrt(3))
    assert (n["visits"], n["wide_low"], n["wide_high"]) == near((3, wide_low, wide_high))
    assert n["limit"] == near((estimate / (Z * se)) ** 2)
    # One person more or fewer than needed.
    assert n["needed"] == 18
    for people, excludes in ((17, False), (18, True)):
        effect, error = log_rr(8, 67, people, 67)
        assert (effect + Z * error < 0) == excludes
    assert "Events are not people" in sentence


def test_number_needed_to_treat(claim):
    verdict, n, _ = claim("radi-jfp-martin-nnt")
    assert verdict == WITH_CAVEATS
    # 3.2 is 3.15 to 3.25 rounded, or anything above 3.1 rounded up.
    pairs = [
        (a, c) for a in range(37) for c in range(43) if 1 / 3.25 <= a / 36 - c / 42 <= 1 / 3.1
    ]
    assert n["pairs"] == len(pairs) == 17
    limits = [
        confint_proportions_2indep(a, 36, c, 42, method="newcomb", compare="diff")
        for a, c in pairs
    ]
    assert n["low"] == near(min(low for low, _ in limits))
    assert n["high"] == near(max(high for _, high in limits))
    assert (n["best"], n["worst"]) == near((1 / n["high"], 1 / n["low"]))
    assert n["away"] == 17


def test_percentages_within_a_cohort(claim):
    for key, claimed in (("radi-jfp-inflammatory-32", 32), ("radi-jfp-neuropathic-44", 44)):
        verdict, n, _ = claim(key)
        assert verdict == CANNOT_BE_TESTED
        assert n["claimed"] == claimed
        # (36 - k) 32 + k 44 = 36 * 37.8 within rounding: k from 15.75 to 19.05.
        assert (n["fewest"], n["most"]) == (16, 19)
        assert n["points"] == near(0.378 * 6.09)
        assert (n["stopped_low"], n["stopped_high"]) == near((0.36, 27 / 31))
        assert n["diluted_low"] == near(0.64 * 37.8 + 0.36 * 4.3)
        assert n["p_neuropathic_value"] == 0.048
    verdict, _, sentence = claim("radi-jfp-martin-title")
    assert verdict == WITH_CAVEATS
    assert "an association, not an effect of the drug" in sentence


@pytest.mark.parametrize(
    ("key", "one", "two", "p", "pair"),
    [
        ("reis2025-smith2011-response", 88, 40, 0.009, (14, 16, 6, 15)),
        ("cochrane-cd010410-2018-endoscopy", 78, 28, 0.008, (14, 18, 5, 18)),
    ],
)
def test_percentages_without_denominators(claim, key, one, two, p, pair):
    verdict, n, _ = claim(key)
    assert verdict == WITH_CAVEATS

    def printed(percent):
        # Half up or half to even: no tie occurs among groups of at most 20 for these.
        return [
            (x, m) for m in range(1, 21) for x in range(m + 1) if round(100 * x / m) == percent
        ]

    possible = [(a, m, c, k) for (a, m), (c, k) in itertools.product(printed(one), printed(two))]
    assert n["possible"] == len(possible)
    fitting = []
    for a, m, c, k in possible:
        table = [[a, m - a], [c, k - c]]
        tests = (
            fisher_exact(table).pvalue,
            chi2_contingency(table, correction=True).pvalue,
            chi2_contingency(table, correction=False).pvalue,
        )
        if any(abs(value - p) <= 0.0005 for value in tests):
            fitting.append((a, m, c, k))
    assert fitting == [pair]
    assert (n["fitting"], n["events_1"], n["n_1"], n["events_2"], n["n_2"]) == (1, *pair)
    estimate, se = log_rr(*pair)
    low, high = ratio_interval(estimate, se)
    assert (n["rr_low"], n["limit_low"], n["limit_high"]) == near((math.exp(estimate), low, high))
    # Neither size that sources give, 34 or 40, is the sum of two arms that print both.
    sums = {m + k for _, m, _, k in possible}
    assert not {34, 40} & sums
    a, _, c, k = pair
    assert n["worst_low"] == near((a / 20) / ((c + 20 - k) / 20))


def test_what_if_responders_are_added_up(claim):
    verdict, n, sentence = claim("bruun2026-responder-slip")
    assert verdict == CANNOT_BE_TESTED
    for key, table in (
        ("at_30", (20, 49, 13, 50)),
        ("at_50", (12, 49, 7, 50)),
        ("sum", (32, 49, 20, 50)),
    ):
        a, m, c, k = table
        estimate, se = log_rr(*table)
        low, high = ratio_interval(estimate, se)
        assert (n[f"{key}_rr"], n[f"{key}_rr_low"], n[f"{key}_rr_high"]) == near(
            (math.exp(estimate), low, high)
        )
        odds = math.log(a * (k - c) / (c * (m - a)))
        error = math.sqrt(1 / a + 1 / (m - a) + 1 / c + 1 / (k - c))
        low, high = ratio_interval(odds, error)
        assert (n[f"{key}_or"], n[f"{key}_or_low"], n[f"{key}_or_high"]) == near(
            (math.exp(odds), low, high)
        )
        # With INNOVA's 5 of 47 against 9 of 49: REML for two trials in closed form.
        other, other_se = log_rr(5, 47, 9, 49)
        v1, v2 = se**2, other_se**2
        tau2 = max(0.0, ((estimate - other) ** 2 - v1 - v2) / 2)
        w1, w2 = 1 / (v1 + tau2), 1 / (v2 + tau2)
        mean = (w1 * estimate + w2 * other) / (w1 + w2)
        low, high = ratio_interval(mean, 1 / math.sqrt(w1 + w2))
        assert (n[f"{key}_pool"], n[f"{key}_pool_low"], n[f"{key}_pool_high"]) == near(
            (math.exp(mean), low, high), rel=1e-3
        )
    assert "Neither count alone gives an interval that excludes no difference" in sentence
    assert "says nothing about what anybody did" in sentence


def test_published_pools_in_points(claim):
    verdict, n, sentence = claim("vatvani2024-pain")
    assert verdict == NOT_SUPPORTED
    assert (n["then"], n["then_low"], n["then_high"], n["then_k"]) == near((-0.34, -0.95, 0.27, 1))
    # Younger 2013 (-0.549, SE 0.2135) and FINAL (-0.34, SE 0.3112) agree: tau2 is nought.
    weights = 1 / 0.213464**2, 1 / 0.311230**2
    mean = -(0.54864 * weights[0] + 0.34 * weights[1]) / sum(weights)
    assert n["then_approximate"] == near(mean, rel=1e-3)
    assert n["then_approximate_high"] == near(mean + Z / math.sqrt(sum(weights)), rel=1e-2)
    assert (n["now"], n["now_k"]) == near((0.0316706, 2))
    assert "outside the published interval, the published estimate outside ours" in sentence
    # The women-only review is outside by the protocol, inside with approximated effects; but no
    # interval of ours shows the difference that it prints.
    verdict, n, sentence = claim("bibliomed-303821-pain")
    assert verdict == NOT_SUPPORTED
    assert not -0.85 <= n["now"] <= -0.06
    assert -0.85 <= n["now_approximate"] <= -0.06
    assert "(inside it with approximated effects)" in sentence


def test_published_pools_in_standard_deviations(claim):
    verdicts = {}
    for key in (
        "nazir2025-pain", "nazir2025-pain-sensitivity", "ologunowa2025-pain", "rizwan2025-pain",
        "hegde2025-pain-fibromyalgia", "bruun2026-pain-12wk",
    ):  # fmt: skip
        verdicts[key], n, _ = claim(key)
        # Baseline SDs of the four arms: 1.3 and 1.6 in FINAL, 1.55 and 1.66 in INNOVA.
        typical = math.sqrt((1.3**2 + 1.6**2 + 1.55**2 + 1.66**2) / 4)
        assert (n["sd"], n["sd_low"], n["sd_high"]) == near((typical, 1.3, 2.26))
        assert n["now"] == near(0.0316706 / typical)
        assert n["now_sd_high"] == near(0.0316706 / 2.26)
        assert n["then"] == near(-0.34 / typical)
    assert verdicts == {
        "nazir2025-pain": NOT_SUPPORTED,
        "nazir2025-pain-sensitivity": NOT_SUPPORTED,
        "ologunowa2025-pain": WITH_CAVEATS,
        "rizwan2025-pain": NOT_SUPPORTED,
        "hegde2025-pain-fibromyalgia": NOT_SUPPORTED,
        "bruun2026-pain-12wk": SUPPORTED,
    }


def test_the_printed_p_beside_all_comparators(claim):
    verdict, n, _ = claim("hegde2025-pain-all")
    assert verdict == WITH_CAVEATS
    # Seven trials: t on six degrees of freedom; two trials, the largest estimate, the narrowest
    # interval that round to what is printed give the smallest P.
    se = (0.74 + 0.96) / 2 / t.ppf(0.975, 6)
    assert n["p_of_k"] == near(2 * t.sf(0.11 / se, 6))
    narrow = ((0.735 + 0.955) / 2) / t.ppf(0.975, 1)
    assert n["p_low"] == near(2 * t.sf(0.115 / narrow, 1))
    assert n["p_low"] > 0.32


@pytest.mark.parametrize(
    ("key", "verdict", "people"),
    [
        ("reis2025-bested2023-n", NOT_SUPPORTED, {"n_randomised": 58}),
        ("reis2025-younger2013-n", NOT_SUPPORTED, {"n_randomised": 31, "n_analysed": 28}),
        ("reis2025-smith2011-n", WITH_CAVEATS, {"n_enrolled": 40}),
        ("reis2025-cree2010-n", WITH_CAVEATS, {"n_enrolled": 80, "n_completed": 60}),
        ("reis2025-duebruun2024-n", SUPPORTED, {"n_randomised": 99}),
        ("cochrane-cd010410-2018-child-n", SUPPORTED, {"n_randomised": 12, "n_enrolled": 14}),
    ],
)
def test_numbers_of_people(claim, key, verdict, people):
    found, n, _ = claim(key)
    assert found == verdict
    assert {name: n[name] for name in people} == people


def test_what_the_sources_say_of_multiple_sclerosis(claim):
    verdict, n, sentence = claim("reis2025-cree2010-physical-pain")
    assert verdict == NOT_SUPPORTED
    assert (n["pain_interference_estimate"], n["pain_interference_p"]) == (-1.6, 0.04)
    assert "physical quality of life: no difference" in sentence
    # A difference that was there before treatment is none of the drug.
    verdict, n, sentence = claim("reis2025-sharafaddinzadeh2010-qol")
    assert verdict == WITH_CAVEATS
    assert (n["agreeing"], n["contradicting"], n["constructs"]) == (10, 0, 11)
    assert "health perception: difference, but at baseline as well" in sentence


def test_the_per_protocol_result_is_named_as_one(claim):
    verdict, n, _ = claim("radi-jfp-pdn-md")
    assert verdict == WITH_CAVEATS
    assert (n["itt"], n["itt_low"], n["itt_high"]) == (1.5, -1.11, 4.13)
    # P = 0.21 stands in no other source but follows from 1.64 (-0.92 to 4.20).
    se = (4.20 + 0.92) / (2 * Z)
    assert 2 * NormalDist().cdf(-1.64 / se) == pytest.approx(0.21, abs=0.005)
    assert (n["found"], n["printed"]) == (5, 5)


def test_a_fall_on_placebo_that_was_left_out(claim):
    verdict, n, sentence = claim("reis2025-younger2013-reduction")
    assert verdict == WITH_CAVEATS
    assert (n["ldn"], n["placebo"]) == (28.8, 18)
    assert (n["difference"], n["share"]) == near((10.8, 18 / 28.8))
    assert "which the claim leaves out" in sentence
    verdict, n, sentence = claim("reis2025-younger2013-responders")
    assert verdict == WITH_CAVEATS
    # 57% is 17 of 30 and 16 of 28, but no whole number of 29 or 31.
    assert "no whole number of 29 or 31 people" in sentence
    assert [x for x in range(30) if round(100 * x / 29) == 57] == []


def test_harms_beside_the_reviews(claim):
    verdict, n, _ = claim("nazir2025-vivid-dreams")
    assert verdict == WITH_CAVEATS
    # 37% of 28 to 31 women is 11 of 30 alone; 13% is 4 of 30 or of 31.
    fits = {
        percent: [
            (x, m) for m in range(28, 32) for x in range(m + 1) if round(100 * x / m) == percent
        ]
        for percent in (37, 13)
    }
    assert fits == {37: [(11, 30)], 13: [(4, 30), (4, 31)]}
    assert n["pairs"] == 2
    assert (n["ratio_low"], n["ratio_high"]) == near(((11 / 30) / (4 / 30), (11 / 30) / (4 / 31)))
    verdict, n, sentence = claim("hegde2025-ae-placebo")
    assert verdict == CANNOT_BE_TESTED
    assert "More events in no more people is possible" in sentence
    assert (n["estimate"], n["k"]) == (1.4, 2)
    verdict, n, _ = claim("reis2025-tolerated")
    assert verdict == WITH_CAVEATS
    assert (n["any_1"], n["n_1"], n["any_2"], n["n_2"]) == (41 + 33, 49 + 48, 43 + 36, 50 + 50)
    # FINAL counts serious events of any cause: none of 49. INNOVA counts unexpected ones only.
    assert n["upper"] == near(proportion_confint(0, 49, method="wilson")[1])


def test_four_trials_with_222_people(claim):
    verdict, n, sentence = claim("vatvani2024-size")
    assert verdict == WITH_CAVEATS
    assert n["ways"] == 2
    assert 99 + 52 + 43 + 28 == 222 == 99 + 85 + 28 + 10
    assert "Bested 2023 52" in sentence
    assert "Younger & Mackey 2009 10" in sentence


def test_parts_and_totals_of_reviews(claim):
    verdict, n, _ = claim("bolton2019-dose-50")
    assert verdict == WITH_CAVEATS
    assert (n["parts"], n["added"], n["total"]) == (5, 5 + 7 + 61 + 12 + 8, 89)
    verdict, n, _ = claim("soin2021-k-case")
    assert verdict == SUPPORTED
    assert (n["parts"], n["added"]) == (6, 11 + 10 + 3 + 2 + 2 + 1)
    assert claim("univadis-bolton2019-size")[0] == NOT_SUPPORTED
    assert claim("bolton2019-size")[0] == WITH_CAVEATS


def test_no_conclusion_from_studies_without_a_randomised_placebo_group(claim):
    verdict, n, _ = claim("radi-jfp-overall")
    assert verdict == NOT_SUPPORTED
    assert (n["cited"], n["placebo"], n["active"], n["controlled"], n["alone"]) == (3, 0, 1, 1, 1)
    assert claim("reis2025-promise-fibromyalgia")[0] == NOT_SUPPORTED
    assert claim("reis2025-promise-ms")[0] == WITH_CAVEATS
    assert claim("reis2025-promise-crps")[0] == CANNOT_BE_TESTED
