"""What normalisation makes of the real evidence."""

from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from builders import percent
from ldn_meta.evidence.effects.effects import check_accounting, normalise, used_rows
from ldn_meta.evidence.effects.rows import CONTRAST, ROUTES
from ldn_meta.evidence.raw.tables import VALUE_TABLES, Evidence

Z = norm.ppf(0.975)


def only(effects, **wanted):
    for column, value in wanted.items():
        effects = effects[effects[column] == value]
    assert len(effects) == 1, effects[["effect_id", "route", "read_in"]]
    return effects.iloc[0]


def addresses(evidence):
    return {f"{name}:{row}" for name in VALUE_TABLES for row in evidence.tables[name]["row_id"]}


def test_every_value_row_is_used_or_left_out(evidence, effects, left_out):
    used, left = check_accounting(evidence, effects, left_out)
    assert used + left == len(addresses(evidence))
    assert used == len(used_rows(effects)) > 0
    assert left == len(left_out) > 0
    assert set(left_out["reason"]) & {"", "NA"} == set()
    assert set(left_out["usable_for"]) <= {"direction", "p-value", "count in words", "none"}


def part_of(evidence, keep):
    """The evidence with the value rows that a test keeps; the other tables are whole."""

    def kept(tables, name):
        frame = tables[name]
        if name not in VALUE_TABLES:
            return frame
        rows = [f"{name}:{row}" in keep for row in evidence.text[name]["row_id"]]
        return frame[rows].reset_index(drop=True)

    return Evidence(
        {name: kept(evidence.tables, name) for name in evidence.tables},
        {name: kept(evidence.text, name) for name in evidence.text},
        evidence.dictionary,
    )


@pytest.fixture(scope="module")
def rows_of(evidence):
    """Addresses of the value rows of each study."""
    rows = {study: [] for study in sorted(evidence.studies["study_id"])}
    for name in VALUE_TABLES:
        for study, row in evidence.text[name][["study_id", "row_id"]].itertuples(index=False):
            rows[study].append(f"{name}:{row}")
    return rows


@percent(40)
@given(data=st.data())
def test_any_part_of_the_rows_is_accounted_for(evidence, protocol, effects, rows_of, data):
    chosen = data.draw(st.sets(st.sampled_from(list(rows_of)), min_size=1, max_size=12))
    rows = [row for study in sorted(chosen) for row in rows_of[study]]
    dropped = data.draw(st.sets(st.sampled_from(rows), max_size=15)) if rows else set()
    keep = set(rows) - dropped
    some, left = normalise(part_of(evidence, keep), protocol)
    left_rows = set(left["table"] + ":" + left["row_id"])
    assert used_rows(some) | left_rows == keep
    assert used_rows(some) & left_rows == set()
    if some.empty:
        return
    # An effect is the work of its own rows: whole, it is the same without the others.
    whole = effects.set_index(["route", "rows"])
    for row in some.to_dict("records"):
        if (row["route"], row["rows"]) in whole.index:
            assert row["yi"] == whole.loc[(row["route"], row["rows"]), "yi"]
            assert row["vi"] == whole.loc[(row["route"], row["rows"]), "vi"]


def test_final_as_printed(effects):
    row = only(effects, study_id="duebruun2024", measure="MD", route="difference with CI")
    assert row["yi"] == pytest.approx(-0.34, rel=1e-12)
    assert row["vi"] == pytest.approx(((0.27 + 0.95) / (2 * 1.959963984540054)) ** 2, rel=1e-12)
    assert (row["n_1"], row["n_2"]) == (49, 50)
    assert row["is_selected"]
    row = only(effects, study_id="duebruun2024", route="arm changes with CI")
    assert row["yi"] == pytest.approx(-0.4, rel=1e-12)
    assert row["vi"] == pytest.approx(2 * (0.9 / (2 * Z)) ** 2, rel=1e-9)
    assert not row["is_selected"]
    assert row["selected_why"].endswith("has a more direct route")


def test_final_responders_of_everybody(effects):
    row = only(
        effects,
        study_id="duebruun2024",
        construct="responder_pain_30",
        analysis_set="intention to treat",
    )
    assert exp(row["yi"]) == pytest.approx((20 / 49) / (13 / 50))
    assert row["vi"] == pytest.approx(1 / 20 - 1 / 49 + 1 / 13 - 1 / 50)
    assert row["is_selected"]


def test_innova_by_its_exact_p_on_94_degrees_of_freedom(effects):
    row = only(
        effects,
        study_id="innova2026",
        outcome_id="pain_nrs_0_10",
        timepoint_weeks=13,
        route="difference with exact p",
    )
    assert row["yi"] == pytest.approx(0.49, rel=1e-12)
    assert row["vi"] == pytest.approx((0.49 / t.ppf(1 - 0.236 / 2, 94)) ** 2, rel=1e-10)
    assert "94 df" in row["assumptions"]
    assert row["is_selected"]
    row = only(
        effects,
        study_id="innova2026",
        outcome_id="pain_nrs_0_10",
        timepoint_weeks=13,
        route="difference with CI",
    )
    assert row["vi"] == pytest.approx(((1.31 + 0.32) / (2 * Z)) ** 2, rel=1e-10)
    assert row["is_transcribed"]
    assert not row["is_selected"]


PERCENT_ROUTES = (
    "percent changes with exact p, times baseline",
    "percent changes with CI, correlation assumed, times baseline",
)


def test_younger_2013_is_an_approximation(effects):
    rows = effects[(effects["study_id"] == "younger2013") & (effects["measure"] == "MD")]
    assert set(rows["route"]) == set(PERCENT_ROUTES)
    assert rows["yi"].to_list() == pytest.approx([(-28.8 + 18.0) * 50.8 / 1000] * len(rows))
    assert not rows["is_selected"].any()
    assert set(rows["selected_why"]) == {"rests on an approximation"}
    by_p = rows[rows["route"] == PERCENT_ROUTES[0]]["vi"]
    assert by_p.to_list() == pytest.approx(
        [(10.8 / t.ppf(1 - 0.008, 27) * 50.8 / 1000) ** 2] * len(by_p)
    )
    se_1, se_2 = (38.1 - 19.5) / (2 * Z), (28.8 - 7.2) / (2 * Z)
    by_interval = only(rows, route=PERCENT_ROUTES[1])["vi"]
    expected = (se_1**2 + se_2**2 - 2 * 0.6 * se_1 * se_2) * (50.8 / 1000) ** 2
    assert by_interval == pytest.approx(expected)
    assert (rows["n_1"] == 28).all()
    assert rows["is_paired"].all()


def test_innova_as_the_paper_states_it_and_as_its_changes_have_it(effects):
    # Levels 7.33 and 6.83, changes -0.33 and -0.64; the drug arm starts 0.19 higher.
    own = effects[effects["study_id"] == "innova2026"].set_index("effect_id")
    stated = own.loc["innova2026-pain_nrs_0_10-w13-md-2"]
    assert (stated["estimand"], stated["yi"]) == ("end level", 0.49)
    assert (stated["arm_1_data"], stated["arm_2_data"]) == ("7.33 (1.48)", "6.83 (1.96)")
    changed = own[own["estimand"] == "change from baseline"]
    assert changed["yi"].to_list() == pytest.approx([-0.33 + 0.64, 0.13 - 0.19, 0.28 - 0.19])
    first = changed.iloc[0]
    assert first["sei"] == stated["sei"] == pytest.approx(0.49 / t.ppf(1 - 0.118, 94))
    assert (first["arm_1_data"], first["arm_2_data"]) == ("-0.33", "-0.64")
    assert changed["arm_1_data"].to_list()[1:] == ["-0.45", "-0.28"]
    assert changed["is_approximate"].all()
    why = "rests on an approximation: its standard error is that of another difference"
    assert set(changed["selected_why"].to_list()[:2]) == {why}


def test_every_effect_says_what_it_is_a_difference_of(effects, evidence):
    known = next(
        field["constraints"]["enum"]
        for field in evidence.dictionary.tables["contrasts"].fields
        if field["name"] == "estimand"
    )
    assert set(effects["estimand"]) <= set(known)
    people = effects["measure"].isin(["RR", "PLO", "IRR"])
    assert (people == (effects["estimand"] == "events")).all()


def test_cree_by_a_paired_p_on_59_degrees_of_freedom(effects):
    row = only(effects, study_id="cree2010", outcome_id="qol_mental_sf36")
    assert row["vi"] == pytest.approx((3.3 / t.ppf(1 - 0.02, 59)) ** 2, rel=1e-10)
    assert (row["n_1"], row["n_2"]) == (60, 60)


def test_an_amitriptyline_trial_moved_to_ten_points(effects):
    row = only(effects, study_id="srinivasan2021", outcome_id="pain_vas_0_100", read_in="radi-jfp")
    assert row["yi"] == pytest.approx(0.16)
    assert row["vi"] == pytest.approx(((4.2 + 0.9) / (2 * Z) / 10) ** 2)
    assert row["comparator_class"] == "active drug"


def test_every_interval_and_every_count_computed_once_more(evidence, effects):
    """All real rows of the plain routes, straight from the printed cells."""
    contrasts = evidence.contrasts.set_index("row_id")
    events = evidence.arm_events.set_index("row_id")
    widths = evidence.outcomes.set_index("outcome_id")
    checked = 0
    for row in effects.to_dict("records"):
        names = [name.partition(":")[2] for name in row["rows"].split()]
        if row["route"].endswith("with CI") and row["rows"].startswith("contrasts:"):
            raw = contrasts.loc[names[0]]
            low, high, middle = raw["ci_low"], raw["ci_high"], raw["estimate"]
            if raw["measure"] in ("RR", "OR", "IRR"):
                low, high, middle = log(low), log(high), log(middle)
            quantile = norm.ppf(0.5 + raw["ci_level"] / 2)
            factor = 1.0
            if row["unit"] == "points (0-10)":
                scale = widths.loc[row["outcome_id"]]
                factor = 10 / (scale["scale_max"] - scale["scale_min"])
            assert row["yi"] == pytest.approx(middle * factor)
            assert row["sei"] == pytest.approx((high - low) / (2 * quantile) * factor)
            checked += 1
        if row["route"] == "events and n per arm":
            (a, n), (c, m) = (events.loc[name, ["events", "n"]].astype(float) for name in names)
            if 0 in (a, c, n - a, m - c):
                a, c, n, m = a + 0.5, c + 0.5, n + 1, m + 1
            assert row["yi"] == pytest.approx(log(a / n) - log(c / m))
            assert row["vi"] == pytest.approx(1 / a - 1 / n + 1 / c - 1 / m)
            checked += 1
        if row["route"] == "events and n":
            a, n = events.loc[names[0], ["events", "n"]].astype(float)
            if a in (0, n):
                a, n = a + 0.5, n + 1
            assert row["yi"] == pytest.approx(log(a / (n - a)))
            assert row["vi"] == pytest.approx(1 / a + 1 / (n - a))
            checked += 1
    assert checked > 30


def test_own_intervals_are_the_printed_ones(evidence, effects):
    # Whichever text prints an interval for the estimate, at its own number of digits.
    contrasts = evidence.text["contrasts"]
    factors = {"pain_vas_0_100": 0.1}
    printed = 0
    for row in effects[effects["route"].str.contains("difference|change with")].to_dict("records"):
        own = contrasts[contrasts["row_id"] == row["rows"].split()[0].partition(":")[2]]
        same = ["study_id", "outcome_id", "timepoint_weeks", "timepoint", "analysis_set"]
        texts = contrasts.merge(own[[*same, "arm_1", "arm_2", "measure", "estimate"]])
        for low, high in zip(texts["ci_low"], texts["ci_high"], strict=True):
            if low != "NR" and row["ci_from"] == "as printed":
                factor = factors.get(row["outcome_id"], 1.0)
                limits = (float(low) * factor, float(high) * factor)
                assert (row["ci_low"], row["ci_high"]) == pytest.approx(limits, abs=1e-12)
                printed += 1
        assert (row["ci_from"] == "as printed") == (texts["ci_low"] != "NR").any()
    assert printed >= 9


@pytest.mark.parametrize(
    ("effect_id", "low", "high"),
    [
        ("cree2010-qol_mental_sf36-w8-md-1", 0.16, 6.44),
        ("cree2010-msqli_pdq-w8-md-1", -4.80, 0.00),
        ("cree2010-msqli_pes-w8-md-1", -3.12, -0.08),
        ("innova2026-pain_nrs_0_10-w13-md-2", -0.32, 1.31),
        ("duebruun2024-pain_nrs_0_10-w12-md-1", -0.95, 0.27),
        ("younger2013-pain_vas_0_100-w12-md-1", -0.99, -0.11),
    ],
)
def test_an_error_that_came_from_t_gives_an_interval_by_t(effects, effect_id, low, high):
    row = effects.set_index("effect_id").loc[effect_id]
    assert (round(row["ci_low"], 2), round(row["ci_high"], 2)) == (low, high)


def test_every_effect_is_complete_and_leads_to_its_source(evidence, effects):
    assert effects["effect_id"].is_unique
    assert effects["yi"].notna().all()
    assert (effects["vi"] > 0).all()
    assert effects["sei"].to_numpy() == pytest.approx(effects["vi"].map(sqrt).to_numpy())
    assert set(effects["route"]) <= set(ROUTES)
    assert effects[["read_in", "locator", "as_reported", "unit"]].notna().all(axis=None)
    assert set(effects["read_in"]) <= set(evidence.sources["source_id"])
    assert used_rows(effects) <= addresses(evidence)
    studies = evidence.studies.set_index("study_id")
    assert "excluded" not in set(studies.loc[list(effects["study_id"]), "eligible_for"])


def test_no_effect_of_a_pool_rests_on_a_low_row_or_on_an_arm_of_another_group(evidence, effects):
    group = evidence.arms.set_index("arm_id")["group"]
    for row in effects[effects["is_selected"]].to_dict("records"):
        assert row["kind"] == CONTRAST
        for address in row["rows"].split():
            table, _, name = address.partition(":")
            raw = evidence.tables[table].set_index("row_id").loc[name]
            assert raw["reliability"] == "normal"
            assert raw["study_id"] == row["study_id"]
            assert raw["outcome_id"] == row["outcome_id"]
            arms = [raw[c] for c in ("arm_id", "arm_1", "arm_2") if c in raw.index]
            assert set(group[arms]) <= {1, 2}


def test_studies_with_the_same_people_are_one_trial(evidence, effects, build, protocol):
    trials = effects.drop_duplicates("study_id").set_index("study_id")["trial_id"]
    assert trials["ibd-series2014"] == trials["lie2018"]
    assert trials["duebruun2024"] != trials["innova2026"]
    # A chain of three, named from either end.
    build.trial("first")
    build.trial("second", overlaps_with="first")
    build.trial("third", overlaps_with="second")
    for study in ("first", "second", "third"):
        build.contrast(study, estimate="-1.0", ci_low="-2.0", ci_high="0.0", ci_level=0.95)
    chained, _ = normalise(build.load(), protocol)
    assert set(chained["trial_id"]) == {"first"}
    assert chained["is_selected"].sum() == 1
