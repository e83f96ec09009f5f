"""People with an event: the numbers that readers see beside each other fit together."""

from math import exp, log, nan, sqrt

import pytest

from builders import effect_rows
from ldn_meta.evidence.derive import people_with_events

Z = 1.959963984540054


def table_of(*rows, domain="responder"):
    plain = {"measure": "RR", "domain": "responder", "benefit_sign": 1.0}
    return people_with_events(effect_rows(*(plain | row for row in rows)), (domain,))


def wilson(x, n):
    p, z2 = x / n, Z**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return centre - half, centre + half


def counts(a, n, c, m, **row):
    return {"events_1": float(a), "n_1": float(n), "events_2": float(c), "n_2": float(m)} | row


def test_a_comparison_by_hand():
    (row,) = table_of(counts(20, 49, 13, 50)).to_dict("records")
    p, q = 20 / 49, 13 / 50
    assert (row["share_1"], row["share_2"]) == (p, q)
    assert (row["share_1_low"], row["share_1_high"]) == pytest.approx(wilson(20, 49))
    assert (row["share_2_low"], row["share_2_high"]) == pytest.approx(wilson(13, 50))
    assert row["rr"] == pytest.approx(p / q)
    half = Z * sqrt(1 / 20 - 1 / 49 + 1 / 13 - 1 / 50)
    assert row["rr_low"] == pytest.approx(exp(log(p / q) - half))
    assert row["rr_high"] == pytest.approx(exp(log(p / q) + half))
    odds = (20 / 29) / (13 / 37)
    half = Z * sqrt(1 / 20 + 1 / 29 + 1 / 13 + 1 / 37)
    assert row["or"] == pytest.approx(odds)
    assert row["or_low"] == pytest.approx(exp(log(odds) - half))
    # Newcombe's interval from the two Wilson intervals.
    (l1, u1), (l2, u2) = wilson(20, 49), wilson(13, 50)
    assert row["rd"] == pytest.approx(p - q)
    assert row["rd_low"] == pytest.approx(p - q - sqrt((p - l1) ** 2 + (u2 - q) ** 2))
    assert row["rd_high"] == pytest.approx(p - q + sqrt((u1 - p) ** 2 + (q - l2) ** 2))
    low, high = row["rd_low"], row["rd_high"]
    assert row["nnt"] == (
        f"NNTB {round(1 / (p - q))} (NNTB {round(1 / high)} to infinity to NNTH {round(-1 / low)})"
    )


def test_no_event_at_all_is_no_difference_and_no_ratio():
    (row,) = table_of(counts(0, 49, 0, 50)).to_dict("records")
    assert row["rd"] == 0
    assert row["rd_low"] < 0 < row["rd_high"]
    assert row["nnt"].startswith("infinity (")
    for name in ("rr", "rr_low", "rr_high", "or", "or_low", "or_high"):
        assert row[name] != row[name]


def test_an_event_in_everybody_is_no_ratio_either():
    (row,) = table_of(counts(10, 10, 12, 12)).to_dict("records")
    assert row["rd"] == 0
    assert row["rr"] != row["rr"]
    (row,) = table_of(counts(10, 10, 11, 12)).to_dict("records")
    assert row["rr"] > 1


def test_the_difference_is_that_of_the_shares_beside_it_also_with_an_empty_cell():
    (row,) = table_of(counts(0, 49, 1, 50)).to_dict("records")
    assert row["rd"] == -1 / 50 == row["share_1"] - row["share_2"]
    assert row["rd_low"] < row["rd"] < row["rd_high"]
    assert row["rr"] == pytest.approx((0.5 / 50) / (1.5 / 51))


def test_an_unwanted_event_turns_the_number_needed_to_treat():
    harm = {"domain": "harm", "benefit_sign": -1.0}
    (row,) = table_of(counts(20, 50, 10, 50, **harm), domain="harm").to_dict("records")
    assert row["nnt"].startswith("NNTH 5 (")
    (row,) = table_of(counts(20, 50, 10, 50)).to_dict("records")
    assert row["nnt"].startswith("NNTB 5 (")
    unknown = {"benefit_sign": nan}
    (row,) = table_of(counts(20, 50, 10, 50, **unknown)).to_dict("records")
    assert row["nnt"] == "NA"


def test_one_arm_has_a_share_and_nothing_else():
    single = {"kind": "single-arm proportion", "measure": "PLO"}
    (row,) = table_of(counts(11, 25, nan, nan, **single)).to_dict("records")
    assert row["share_1"] == 11 / 25
    assert row["nnt"] == "NA"
    assert row["share_2"] != row["share_2"]
    assert row["rd"] != row["rd"]


def test_only_people_of_the_domain():
    rows = [
        counts(1, 10, 2, 10),
        counts(1, 10, 2, 10, domain="harm"),
        counts(8, nan, 52, nan, measure="IRR"),
        {"measure": "MD"},
    ]
    assert len(table_of(*rows)) == 1
    assert len(table_of(*rows, domain="harm")) == 1
    assert list(people_with_events(effect_rows(), ("harm",)).columns) == list(
        table_of(*rows).columns
    )


def test_real_tables_fit_together(effects):
    table = people_with_events(effects, ("responder", "harm"))
    assert len(table) > 20
    for row in table.to_dict("records"):
        assert 0 <= row["share_1_low"] <= row["share_1"] <= row["share_1_high"] <= 1
        if row["kind"] != "contrast":
            continue
        assert row["rd"] == pytest.approx(row["share_1"] - row["share_2"], abs=1e-15)
        assert -1 <= row["rd_low"] <= row["rd"] <= row["rd_high"] <= 1
        assert row["nnt"].startswith(("NNTB", "NNTH", "infinity"))
        if row["rr"] == row["rr"]:
            assert row["rr_low"] < row["rr"] < row["rr_high"]
            assert (row["rr"] > 1) == (row["or"] > 1)
