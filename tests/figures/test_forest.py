"""What a forest plot draws: rows, positions, digits, and that all of it can be read."""

import math
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st
from matplotlib.text import Text

import ldn_meta as lm
from builders import (
    assert_legible,
    drawn,
    grid,
    holds_for,
    mark,
    marks,
    overlap,
    plain,
    says,
    slow,
    text_boxes,
    texts,
)
from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.bias import JUDGEMENTS
from ldn_meta.display.figures.forest import (
    CUMULATIVE_COLUMNS,
    ONE_TRIAL,
    cumulative_plot,
    forest_plot,
    what_it_did,
)
from ldn_meta.display.figures.scales import EffectFormat, Interval
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.pool import pool, pool_many
from ldn_meta.stats.regression import subgroups
from stats.batteries import BCG_TRIALS

NAN = math.nan
LONG = "A trial whose label is far too long for one line of a table and must be broken (FINAL)"


def trials(k, *, measure="MD", long_labels=False, **options):
    """A pool of k trials with effects and variances that differ."""
    random = np.random.default_rng(k)
    vi = random.uniform(0.02, 0.6, k)
    yi = random.normal(-0.3, np.sqrt(vi))
    labels = [f"{LONG if long_labels else 'Author'} {1990 + i}" for i in range(k)]
    return pool(yi, vi, measure=measure, labels=labels, **options)


def arms(k):
    return pd.DataFrame(
        {
            "LDN\nmean (SD), n": [f"-{i}.5 (2.3), {20 + i}" for i in range(k)],
            "Placebo\nmean (SD), n": [f"-{i}.1 (2.2), {30 + i}" for i in range(k)],
        }
    )


def shown_rows(*rows):
    return pd.DataFrame(rows, columns=["label", "yi", "ci_low", "ci_high", "note"])


BESIDE = shown_rows(
    ("Younger 2009", -2.1, -9.0, 4.2, "single-blind, in a fixed order; p value not exact"),
    ("Paula 2023", NAN, NAN, NAN, "direction only"),
    ("No interval 2020", -0.4, NAN, NAN, None),
)


def judgements(k):
    words = list(JUDGEMENTS)
    rows = [[words[(i + j) % len(words)] for j in range(6)] for i in range(k)]
    return pd.DataFrame(rows, columns=["D1", "D2", "D3", "D4", "D5", "All"])


# ---------------------------------------------------------------- can it be read


@pytest.mark.parametrize(
    ("k", "is_long"),
    grid([0, 1, 2, 5, 60], [False, True], fast=[(1, False), (2, True), (60, True)]),
)
def test_every_text_can_be_read(k, is_long):
    figure, axes = forest_plot(
        trials(k, measure="RR" if is_long else "MD", long_labels=is_long),
        columns=arms(k),
        dots=judgements(k),
        log_scale=is_long,
        direction=("favours LDN", LONG if is_long else "favours placebo"),
        x_label=LONG if is_long else "",
        title=LONG if is_long else "Pain at 12 weeks",
    )
    assert axes in figure.axes
    assert_legible(figure)


@pytest.mark.parametrize("k", [0, 1, slow(2), 5])
def test_every_text_can_be_read_with_everything_beside_it(k):
    figure, _ = forest_plot(
        trials(k),
        columns=arms(k),
        totals=["n = 120", "n = 118"],
        shown_only=BESIDE,
        summaries=[("without crossovers", trials(2)), (LONG, trials(3)), ("none", None)],
        dots=judgements(k).rename(columns={"All": "Overall judgement"}),
        title=LONG,
    )
    assert_legible(figure)


@pytest.mark.slow
def test_bare_figure_can_be_read():
    assert_legible(forest_plot(trials(3))[0])


@holds_for(
    6,
    10,
    effects=st.lists(st.floats(-50, 50), min_size=2, max_size=8),
    spread=st.floats(1e-3, 1e3),
    is_log=st.booleans(),
)
def test_any_numbers_can_be_read_and_no_estimate_is_lost(effects, spread, is_log):
    scale = 0.05 if is_log else 1.0
    yi = scale * np.array(effects)
    vi = (scale * spread * np.linspace(0.5, 2, len(effects))) ** 2
    result = pool(yi, vi, tau2_method="dl")
    figure, axes = forest_plot(result, log_scale=is_log)
    assert_legible(figure)
    low, high = axes.get_xlim()
    squares = [
        artist
        for name, artist in marks(figure, "trial-").items()
        if "interval" not in name and "arrow" not in name and artist in axes.lines
    ]
    assert len(squares) == len(effects)
    assert all(low <= artist.get_xdata()[0] <= high for artist in squares)


# ---------------------------------------------------------------- where things are


FIVE = trials(5)


@pytest.fixture(scope="module")
def five():
    return forest_plot(FIVE, direction=("favours LDN", "favours placebo"))


def test_squares_stand_at_their_effects_from_the_top_down(five):
    result, (figure, _) = FIVE, five
    squares = [mark(figure, f"trial-{i}") for i in range(5)]
    assert [s.get_xdata()[0] for s in squares] == pytest.approx(result.yi, rel=1e-5)
    heights = [s.get_ydata()[0] for s in squares]
    assert heights == sorted(heights)
    assert len(set(heights)) == 5
    labels = [says(figure, f"trial-{i}-label") for i in range(5)]
    assert labels == list(result.labels)
    for index, height in enumerate(heights):
        box = {t.get_gid(): b for t, b in text_boxes(figure)}[f"trial-{index}-label"]
        y = squares[index].axes.transData.transform((0, height))[1]
        assert box.y0 < y < box.y1, "label and square are not on one line"


def test_intervals_are_those_of_the_trials():
    result = trials(5)
    figure, _ = forest_plot(result, limits=(-9, 9))
    for index, (yi, vi) in enumerate(zip(result.yi, result.vi, strict=True)):
        line = mark(figure, f"trial-{index}-interval").get_xdata()
        half = 1.959963984540054 * math.sqrt(vi)
        assert list(line) == pytest.approx([yi - half, yi + half], rel=1e-5)
        low, high = style.number(yi - half, 2), style.number(yi + half, 2)
        assert says(figure, f"trial-{index}-effect").endswith(f"({low} to {high})")


def test_interval_follows_the_level_of_the_result():
    result = trials(4, level=0.9)
    figure, _ = forest_plot(result, limits=(-9, 9))
    half = 1.6448536269514722 * math.sqrt(result.vi[0])
    assert mark(figure, "trial-0-interval").get_xdata()[1] == pytest.approx(
        result.yi[0] + half, rel=1e-5
    )
    assert "Mean difference\n(90% CI)" in texts(figure)


def test_area_of_squares_follows_the_weights():
    result = pool([0.1, 0.2, 0.3], [0.04, 0.08, 0.16], measure="MD", tau2_method="common")
    figure, _ = forest_plot(result)
    sides = np.array([mark(figure, f"trial-{i}").get_markersize() for i in range(3)])
    assert (sides / sides[0]) ** 2 == pytest.approx([1, 0.5, 0.25], rel=1e-4)


def test_printed_weights_are_those_of_the_result_and_add_up(five):
    result, (figure, _) = FIVE, five
    printed = [float(says(figure, f"trial-{i}-weight").rstrip("%")) for i in range(5)]
    assert printed == pytest.approx(result.weight_pct, abs=0.05)
    assert says(figure, "pooled-0-weight") == "100.0%"


def test_diamond_spans_the_pooled_interval_below_all_trials(five):
    result, (figure, _) = FIVE, five
    corners = mark(figure, "pooled-0").get_xy()[:4]
    assert sorted(corners[:, 0]) == pytest.approx(
        [result.ci_low, result.estimate, result.estimate, result.ci_high], rel=1e-5
    )
    assert corners[:, 1].min() > mark(figure, "trial-4").get_ydata()[0]


def test_prediction_interval_is_a_thin_bar_below_the_diamond_in_its_own_colour():
    result = trials(5, tau2_method="sj")
    assert result.pi_low < result.ci_low
    figure, _ = forest_plot(result, limits=(-9, 9))
    bar, diamond = mark(figure, "prediction-0-interval"), mark(figure, "pooled-0")
    assert list(bar.get_xdata()) == pytest.approx([result.pi_low, result.pi_high], rel=1e-5)
    assert bar.get_ydata()[0] > diamond.get_xy()[:, 1].max()
    assert bar.get_color() not in (diamond.get_facecolor(), mark(figure, "trial-0").get_color())
    height = diamond.get_xy()[:, 1].max() - diamond.get_xy()[:, 1].min()
    assert bar.get_linewidth() < height / 2
    low, high = style.number(result.pi_low, 2), style.number(result.pi_high, 2)
    assert says(figure, "prediction-0-effect") == f"({low} to {high})"


def test_no_prediction_interval_of_two_trials():
    figure, _ = forest_plot(trials(2))
    assert not marks(figure, "prediction")
    assert not any("rediction" in text for text in texts(figure))


def test_no_effect_is_a_line_at_zero_and_at_a_ratio_of_one():
    figure, _ = forest_plot(trials(3))
    assert set(mark(figure, "no-effect").get_xdata()) == {0}
    figure, _ = forest_plot(trials(3, measure="OR"), log_scale=True)
    assert set(mark(figure, "no-effect").get_xdata()) == {1}


def test_direction_words_stand_on_their_own_side_of_no_effect(five):
    figure, axes = five
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    no_effect = axes.transData.transform((0, 0))[0]
    assert boxes["favours-low"].x1 < no_effect < boxes["favours-high"].x0
    assert says(figure, "favours-low") == "\N{LEFTWARDS ARROW} favours LDN"
    assert says(figure, "favours-high") == "favours placebo \N{RIGHTWARDS ARROW}"


def test_cells_stand_under_their_heads_in_the_order_of_the_frame():
    figure, _ = forest_plot(trials(3), columns=arms(3), totals=["n = 63", "n = 93"])
    boxes = {text.get_text(): box for text, box in text_boxes(figure)}
    for head, cell, total in (
        ("LDN\nmean (SD), n", "\N{MINUS SIGN}1.5 (2.3), 21", "n = 63"),
        ("Placebo\nmean (SD), n", "\N{MINUS SIGN}1.1 (2.2), 31", "n = 93"),
    ):
        centres = [(boxes[t].x0 + boxes[t].x1) / 2 for t in (head, cell, total)]
        assert max(centres) - min(centres) < 3
        assert boxes[head].y0 > boxes[cell].y1 > boxes[total].y1


# ---------------------------------------------------------------- ratios and clipped intervals


def test_ratios_are_shown_as_ratios_on_a_log_axis():
    result = pool(np.log([0.5, 2.0, 1.25]), [0.04, 0.05, 0.06], measure="RR")
    figure, axes = forest_plot(result, log_scale=True)
    assert axes.get_xscale() == "log"
    assert mark(figure, "trial-0").get_xdata()[0] == pytest.approx(0.5, rel=1e-5)
    assert says(figure, "trial-0-effect").startswith("0.50 (")
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert "1" in ticks
    assert [float(tick) for tick in ticks] == pytest.approx(list(axes.get_xticks()))
    assert all("e" not in tick and "$" not in tick for tick in ticks)
    corners = sorted(mark(figure, "pooled-0").get_xy()[:4, 0])
    assert corners[0] == pytest.approx(math.exp(result.ci_low), rel=1e-4)


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow_and_is_printed_in_full():
    result = pool([-0.5, -0.4, -0.3, 0.5], [0.02, 0.02, 0.02, 25.0], measure="MD")
    figure, axes = forest_plot(result)
    low, high = axes.get_xlim()
    assert high < 0.5 + 1.96 * 5
    for side, edge in (("low", low), ("high", high)):
        assert mark(figure, f"trial-3-arrow-{side}").get_xdata()[0] == pytest.approx(edge)
    assert not marks(figure, "trial-0-arrow")
    effect = says(figure, "trial-3-effect")
    assert effect == "0.50 (\N{MINUS SIGN}9.30 to 10.30)"
    assert any("arrow" in text for text in texts(figure))


def test_clipped_log_interval_has_its_arrow_at_the_edge():
    result = pool(np.log([0.8, 0.9, 1.1]), [0.02, 0.03, 16.0], measure="RR")
    figure, axes = forest_plot(result, log_scale=True)
    assert mark(figure, "trial-2-arrow-high").get_xdata()[0] == pytest.approx(axes.get_xlim()[1])


def test_nothing_is_said_of_arrows_where_there_are_none():
    figure, _ = forest_plot(trials(3), limits=(-50, 50))
    assert not [name for name in marks(figure, "trial-") if "arrow" in name]
    assert not any("arrow" in text for text in texts(figure))


def test_an_absurd_ratio_is_an_arrow_and_no_crash():
    result = pool([0.0, 0.1, 500.0], [0.02, 0.03, 0.1], measure="RR", tau2_method="common")
    figure, _ = forest_plot(result, log_scale=True)
    assert "trial-2-arrow-high" in marks(figure, "trial-2")
    assert_legible(figure)


def test_limits_can_be_given_and_an_estimate_outside_becomes_an_arrow():
    result = pool([-5.0, 0.0, 0.2], [0.04, 0.04, 0.04], measure="MD", tau2_method="common")
    figure, axes = forest_plot(result, limits=(-1, 1))
    assert axes.get_xlim() == (-1, 1)
    assert "trial-0" not in marks(figure, "trial-0")
    assert mark(figure, "trial-0-arrow-low").get_xdata()[0] == -1


# ---------------------------------------------------------------- subgroups


def grouped(k=6, **options):
    one = trials(k)
    by = ["parallel", "crossover"] * (k // 2)
    return subgroups(one.yi, one.vi, by=by, labels=one.labels, measure="MD", **options)


def _height(artist):
    if hasattr(artist, "get_ydata"):
        return artist.get_ydata()[0]
    return artist.get_xy()[:, 1].mean()


@pytest.mark.parametrize("tau2", ["separate", "common"])
def test_trials_stand_below_their_subgroup_and_above_its_subtotal(tau2):
    found = grouped(tau2=tau2)
    figure, _ = forest_plot(found)
    # 1st, 3rd and 5th trial are of the first subgroup.
    labels = [says(figure, f"trial-{i}-label") for i in range(6)]
    assert labels == [found.overall.labels[i] for i in (0, 2, 4, 1, 3, 5)]
    assert [says(figure, f"heading-{i}-label") for i in range(2)] == ["Parallel", "Crossover"]
    order = ["trial-2", "subtotal-0", "trial-3", "trial-5", "subtotal-1", "pooled-0"]
    places = [_height(mark(figure, name)) for name in order]
    assert places == sorted(places)
    for index, one in enumerate(found.pools):
        corners = sorted(mark(figure, f"subtotal-{index}").get_xy()[:4, 0])
        assert corners[0] == pytest.approx(max(one.ci_low, figure.axes[1].get_xlim()[0]), rel=1e-4)
        assert corners[1] == pytest.approx(one.estimate, rel=1e-4)
        weight = float(says(figure, f"subtotal-{index}-weight").rstrip("%"))
        assert weight == pytest.approx(found.overall.weight_pct[index::2].sum(), abs=0.06)
    lines = plain(figure)
    name, df = ("Q", "1") if tau2 == "separate" else ("F", "1 and 4")
    assert f"{name} = {found.q_between:.2f} ({df} df, p = " in lines
    assert "fewer than 10 for each comparison" in lines
    assert "fewer than 10 for each comparison" in figure.alt
    whose = "its own in each subgroup" if tau2 == "separate" else "one for all subgroups"
    assert f"tau2: {whose}; weights: of the overall pool." in style.spoken(lines)


def test_columns_of_subgroups_keep_the_order_of_the_trials():
    figure, _ = forest_plot(
        grouped(), columns=arms(6), intervals=[(-i - 1, i + 1) for i in range(6)]
    )
    assert says(figure, "trial-3-label").endswith("1991")
    assert says(figure, "trial-3-cell-0") == "\N{MINUS SIGN}1.5 (2.3), 21"
    assert says(figure, "trial-3-effect").endswith("(\N{MINUS SIGN}2.00 to 2.00)")


def test_subgroups_of_one_trial_and_of_none_have_no_diamond():
    found = subgroups(
        [0.1, 0.2, 0.4], [0.1] * 3, by=["a", "a", "b"], groups=["a", "b", "c"], measure="MD"
    )
    figure, _ = forest_plot(found)
    assert sorted(name for name in marks(figure, "subtotal-") if name.count("-") == 1) == [
        "subtotal-0"
    ]
    said = figure.alt
    assert f"B: trial 3 0.40 (-0.22 to 1.02), weight 33.3%. {ONE_TRIAL}" in said
    assert "C: No trial gave an estimate" in said
    assert_legible(figure)


def test_subgroups_without_any_trial_are_said_in_words():
    figure, _ = forest_plot(subgroups([NAN], [NAN], by=["a"], measure="MD"), title="Pain")
    assert any("No trial gave an estimate" in text for text in texts(figure))
    assert_legible(figure)


# ---------------------------------------------------------------- none, one, beside


@pytest.mark.parametrize("result", [None, pool([], [], measure="MD")])
def test_no_trial_is_said_in_words(result):
    figure, _ = forest_plot(result, title="Pain in CRPS")
    assert texts(figure) == [
        "Pain in CRPS",
        "No trial gave an estimate that a pool takes; nothing is pooled.",
    ]
    assert len(figure.axes) == 1
    assert_legible(figure)


def test_no_trial_still_shows_what_is_not_pooled():
    figure, _ = forest_plot(None, shown_only=BESIDE)
    assert "No trial gave an estimate" in " ".join(texts(figure))
    assert mark(figure, "shown-0").get_xdata()[0] == pytest.approx(-2.1)
    assert_legible(figure)


def test_one_trial_is_drawn_and_nothing_is_pooled():
    result = trials(1)
    figure, _ = forest_plot(result)
    said = texts(figure)
    assert "One trial, nothing pooled." in said
    assert mark(figure, "trial-0").get_xdata()[0] == pytest.approx(result.yi[0], rel=1e-5)
    assert not marks(figure, "pooled")
    assert not any("Weight" in text or "Heterogeneity" in text for text in said)


def test_rows_shown_but_not_pooled_are_hollow_below_and_without_weight():
    figure, _ = forest_plot(trials(3), shown_only=BESIDE)
    first = mark(figure, "shown-0")
    assert first.get_markerfacecolor() == style.PAPER
    assert first.get_ydata()[0] > mark(figure, "pooled-0").get_xy()[:, 1].max()
    assert "Shown, not pooled" in texts(figure)
    assert "shown-0-weight" not in marks(figure, "shown-0")
    assert says(figure, "shown-0-note").startswith("single-blind")
    assert says(figure, "shown-1-effect") == "not estimable"
    assert "shown-1" not in [name for name in marks(figure, "shown-1") if name == "shown-1"]
    assert says(figure, "shown-2-effect") == "\N{MINUS SIGN}0.40 (interval NR)"


def test_shown_rows_fill_the_columns_they_share():
    frame = BESIDE.assign(**{"LDN\nmean (SD), n": ["1.0 (2.0), 9", None, "NR"]})
    figure, _ = forest_plot(trials(3), columns=arms(3), shown_only=frame)
    assert says(figure, "shown-0-cell-0") == "1.0 (2.0), 9"


def test_other_pools_are_open_diamonds_under_the_main_one():
    two, one = trials(2), trials(1)
    figure, _ = forest_plot(
        trials(5),
        summaries=[("without crossovers", two), ("one", one), ("strict", None)],
        limits=(-20, 20),
    )
    diamond = mark(figure, "summary-0")
    assert diamond.get_facecolor()[:3] == (1, 1, 1)
    assert diamond.get_xy()[:, 1].min() > mark(figure, "pooled-0").get_xy()[:, 1].max()
    label = says(figure, "summary-0-label").replace(style.NO_BREAK, " ")
    assert label == "Without crossovers (two trials)"
    assert sorted(diamond.get_xy()[:4, 0])[0] == pytest.approx(two.ci_low, rel=1e-5)
    # One trial is no pool: it gets a square and no diamond.
    assert mark(figure, "shown-0").get_xdata()[0] == pytest.approx(one.estimate, rel=1e-5)
    assert says(figure, "summary-1-effect") == "no estimate"


def test_judgements_are_letters_with_a_legend():
    figure, _ = forest_plot(trials(3), dots=judgements(3))
    assert says(figure, "trial-0-dot-0-letter") == "L"
    assert says(figure, "trial-2-dot-5-letter") == list(JUDGEMENTS.values())[7].letter
    legend = next(text for text in texts(figure) if text.startswith("Risk of bias"))
    assert "L low" in legend


def test_judgements_that_were_not_made_are_not_drawn():
    frame = pd.DataFrame({"D1": ["low", "TODO", None], "D2": ["high", "NA", "not applicable"]})
    figure, _ = forest_plot(trials(3), dots=frame)
    assert set(marks(figure, "trial-0-dot")) == {
        f"trial-0-dot-{i}{end}" for i in (0, 1) for end in ("", "-letter")
    }
    assert not marks(figure, "trial-1-dot")
    assert not marks(figure, "trial-2-dot")


# ---------------------------------------------------------------- words and digits


def test_model_and_heterogeneity_are_named(five):
    result, (figure, _) = FIVE, five
    said = plain(figure)
    assert "REML" in said
    assert "floored Knapp-Hartung interval" in said
    assert "t on k \N{MINUS SIGN} 1 df" in said
    assert f"Q = {result.q:.2f} (4 df, p = {result.q_pvalue:.3f})" in said
    assert f"I\N{SUPERSCRIPT TWO} = {result.i2_pct:.0f}%" in said


def test_common_effect_is_called_so():
    figure, _ = forest_plot(trials(4, tau2_method="common", ci_method="wald"))
    said = " ".join(texts(figure))
    assert "Pooled, common effect" in said
    assert "Common-effect model" in said


@pytest.mark.parametrize(("digits", "printed"), [(0, "2"), (1, "1.5"), (3, "1.500")])
def test_digits_are_those_asked_for(digits, printed):
    figure, _ = forest_plot(pool([1.5], [0.04], measure="MD"), digits=digits)
    assert re.match(rf"{re.escape(printed)} \(", says(figure, "trial-0-effect"))


def test_no_negative_zero_and_a_true_minus_sign():
    figure, _ = forest_plot(pool([-0.001, -0.5], [0.04, 0.05], measure="MD"))
    assert says(figure, "trial-0-effect").startswith("0.00 (\N{MINUS SIGN}0.39 to 0.39")
    assert not any(re.search(r"(?<![\w])-\d", text) for text in texts(figure))


def test_alt_text_has_every_printed_effect():
    result = trials(4)
    options = {"shown_only": BESIDE, "title": "Pain", "direction": ("favours LDN", "favours it")}
    figure, _ = forest_plot(result, **options)
    words = figure.alt
    for name in [*(f"trial-{i}" for i in range(4)), "pooled-0", "shown-0", "shown-1"]:
        effect = says(figure, f"{name}-effect").replace("\N{MINUS SIGN}", "-")
        assert f"{says(figure, f'{name}-label')} {effect}" in words
    assert words.isascii()
    assert "Values below 0: favours LDN; values above 0: favours it." in words


@pytest.fixture(scope="module")
def sixty():
    return forest_plot(trials(60))


def test_alt_text_of_many_trials_is_a_range(sixty):
    result, words = trials(60), sixty[0].alt
    assert len(words) < 900
    lowest = result.labels[int(np.argmin(result.yi))]
    assert f"in {lowest} to" in words


# ---------------------------------------------------------------- refusals


def test_a_batch_is_refused():
    with pytest.raises(ArgumentError, match="batch"):
        forest_plot(pool_many([[0.1, 0.2]], [[0.1, 0.2]]))


# ---------------------------------------------------------------- the same bytes


def test_squares_do_not_touch_the_next_row(sixty):
    figure, axes = sixty
    drawn(figure)
    boxes = [mark(figure, f"trial-{i}").get_window_extent() for i in range(60)]
    assert not any(overlap(a, b) for a, b in pairwise(boxes))
    assert axes.get_ylim()[0] > axes.get_ylim()[1]


# ---------------------------------------------------------------- the answer after each trial

MINUS = "\N{MINUS SIGN}"
WORDS = {
    "direction": ("favours LDN", "favours placebo"),
    "x_label": "mean difference, points (0-10)",
}
THREE = pd.DataFrame(
    [
        ("Younger 2013", 2013, 1, 27, -0.55, -0.97, -0.13),
        ("Due Bruun 2024", 2024, 2, 126, -0.45, -0.80, -0.10),
        ("INNOVA 2026", 2026, 3, NAN, -0.21, -0.70, 0.27),
    ],
    columns=CUMULATIVE_COLUMNS,
)


def answers(k, *, long_labels=False):
    """The pool after each of k trials, two a year."""
    random = np.random.default_rng(k)
    vi = random.uniform(0.02, 0.6, k)
    yi = random.normal(-0.3, np.sqrt(vi))
    label = "A trial whose label is far too long for one line of a table" if long_labels else "A"
    rows = []
    for i in range(k):
        found = pool(yi[: i + 1], vi[: i + 1], tau2_method="dl")
        ends = (float(found.estimate), float(found.ci_low), float(found.ci_high))
        rows.append((f"{label} {1990 + i // 2}", 1990 + i // 2, i + 1, 30 * i + 10, *ends))
    return pd.DataFrame(rows, columns=CUMULATIVE_COLUMNS)


def cumulative(frame=THREE, **options):
    return cumulative_plot(frame, **(WORDS | options))[0]


@pytest.fixture(scope="module")
def story():
    return cumulative(title="Pain")


@pytest.mark.parametrize(
    ("k", "is_log"),
    grid([0, 1, 2, 9, 60], [False, True], fast=[(1, True), (2, False), (60, True)]),
)
def test_few_and_many_answers_can_be_read(k, is_log):
    figure = cumulative(
        answers(k, long_labels=is_log), log_scale=is_log, title="Pain after each trial " * 6
    )
    assert_legible(figure)


def test_rows_run_from_the_first_trial_down_to_todays_answer(story):
    labels = [says(story, f"{row}-label") for row in ("trial-0", "trial-1", "pooled-0")]
    assert labels == ["Younger 2013", "+ Due Bruun 2024", "+ INNOVA 2026: today's answer"]
    squares = [mark(story, f"trial-{i}") for i in range(2)]
    assert [s.get_xdata()[0] for s in squares] == [-0.55, -0.45]
    ends = [list(mark(story, f"trial-{i}-interval").get_xdata()) for i in range(2)]
    assert ends == [[-0.97, -0.13], [-0.80, -0.10]]
    corners = mark(story, "pooled-0").get_xy()
    assert (corners[:, 0].min(), corners[:, 0].max()) == (-0.70, 0.27)
    heights = [squares[0].get_ydata()[0], squares[1].get_ydata()[0], corners[0, 1]]
    assert heights == sorted(heights)
    assert mark(story, "pooled-line").get_xdata()[0] == -0.21


def test_no_square_pretends_to_a_weight():
    figure = cumulative(answers(9))
    sides = {mark(figure, f"trial-{i}").get_markersize() for i in range(8)}
    assert len(sides) == 1
    assert "Weight" not in texts(figure)
    assert "weight" not in plain(figure)


def test_trials_and_people_so_far_are_columns(story):
    assert [says(story, f"head-{i}") for i in range(4)] == [
        "Trial",
        "Trials",
        "People",
        "What this trial did",
    ]
    cells = [
        [says(story, f"{row}-cell-{i}") for i in range(2)]
        for row in ("trial-0", "trial-1", "pooled-0")
    ]
    assert cells == [["1", "27"], ["2", "126"], ["3", "NR"]]


def test_what_each_trial_did_stands_in_its_row(story):
    did = [
        says(story, f"{row}-cell-2").replace("\n", " ")
        for row in ("trial-0", "trial-1", "pooled-0")
    ]
    # Widths of the intervals: 0.84, 0.70 (a sixth less), 0.97 (0.39 more).
    assert did == [
        "the first: interval on the side of LDN",
        "0.10 towards placebo; interval 17% narrower, still on the side of LDN",
        "0.24 towards placebo; interval 39% wider, now across no effect",
    ]


@pytest.mark.parametrize(
    ("before", "now", "is_log", "words"),
    [
        ((0, -1, 1), (-0.004, -1, 1), False, "estimate unmoved; interval as wide, still across"),
        ((0, -1, 1), (-0.5, -3, 2), False, "0.50 towards LDN; interval 2.5 times as wide"),
        ((0, -1, 1), (2, 1, 3), False, "2.00 towards placebo; interval as wide, now on the side"),
        ((0.1, -1, 1), (0.1 - math.log(2), -1, 1), True, "factor 2.00 towards LDN"),
        ((0.1, -1, 1), (0.1001, -1, 1), True, "estimate unmoved"),
        ((0, -1, 1), (1, NAN, NAN), False, "1.00 towards placebo; interval now not defined"),
        ((0, NAN, NAN), (NAN, NAN, NAN), False, "interval still not defined"),
        ((1, 0, 2), (-1, -2, 0), False, "still across no effect"),
    ],
)
def test_words_for_every_way_an_answer_can_move(before, now, is_log, words):
    said = what_it_did(
        Interval(*before),
        Interval(*now),
        direction=("favours LDN", "favours placebo"),
        print_as=EffectFormat(2, is_log),
    )
    assert words in said


def test_marks_are_explained_and_hindsight_is_admitted():
    said = plain(cumulative())
    assert "diamond and broken line: today's answer" in said
    assert "nobody pooled after each trial" in said
    assert "Arrow" not in said
    assert "Arrow: interval goes on." in plain(cumulative(limits=(-0.6, 0.1)))


def test_ratios_are_shown_as_ratios_and_heads_name_the_level():
    figure = cumulative(log_scale=True, level=0.9)
    assert mark(figure, "trial-0").get_xdata()[0] == pytest.approx(math.exp(-0.55), rel=1e-5)
    assert says(figure, "trial-0-effect") == "0.58 (0.38 to 0.88)"
    assert says(figure, "head-4") == "Answer then\n(90% CI)"


def test_one_trial_is_no_pool():
    figure = cumulative(THREE[:1])
    assert not marks(figure, "pooled")
    assert ONE_TRIAL in plain(figure)
    assert "nobody pooled" not in plain(figure)


def test_alt_text_tells_the_story(story):
    words = story.alt
    assert words.startswith("Cumulative forest plot: Pain. Three trials by year")
    assert "Values below 0: favours LDN; values above 0: favours placebo." in words
    assert (
        "2024, Due Bruun 2024: -0.45 (-0.80 to -0.10), two trials, 126 people; "
        "0.10 towards placebo; interval 17% narrower, still on the side of LDN." in words
    )
    assert words.isascii()


def test_with_a_prior_weights_are_named_and_the_tau2_of_two_trials_stays_away():
    import ldn_meta as lm
    from ldn_meta.display.figures.forest import TAU2, heterogeneity_line, model_line

    pool = lm.pooled_effect(indication="fibromyalgia").pool
    assert "weights: of the pool by REML, not of the diamond" in model_line(pool.result, pool.read)
    assert TAU2 not in heterogeneity_line(pool.result, pool.read)
    assert TAU2 in heterogeneity_line(pool.result)


TABLE = {
    "events_1": [4, 6, 3, 0],
    "n_1": [123, 306, 231, 40],
    "events_2": [11, 29, 11, 0],
    "n_2": [139, 303, 220, 41],
}


def axis_of(axes):
    return axes.get_xscale(), "no-effect" in {line.get_gid() for line in axes.get_lines()}


def test_a_ratio_is_drawn_as_a_ratio_because_the_measure_says_so():
    result = lm.pool(*lm.effect_size("RR", **TABLE), measure="RR")
    figure, axes = lm.forest_plot(result)
    known = result.transformed()
    assert axis_of(axes) == ("log", True)
    assert f"Pooled, random effects {known.estimate:.2f} ({known.ci_low:.2f}" in figure.alt
    assert "four trials, risk ratio." in figure.alt
    # Logarithms are called so.
    figure, axes = lm.forest_plot(result, log_scale=False)
    assert axis_of(axes) == ("linear", True)
    assert "log risk ratio." in figure.alt
    assert f"{result.estimate:.2f} ({result.ci_low:.2f}" in figure.alt


@pytest.mark.parametrize("measure", ["PLO", "PAS", "ZCOR"])
def test_shares_and_correlations_leave_their_scale(measure):
    result = lm.pool([0.2, 0.5, 0.4, 0.9], [0.02, 0.03, 0.01, 0.05], measure=measure)
    figure, axes = lm.forest_plot(result, limits=(-0.5, 1.2))
    known = result.transformed()
    assert f"{known.estimate:.2f} ({known.ci_low:.2f} to {known.ci_high:.2f})" in figure.alt
    assert f"interval ({known.pi_low:.2f} to" in figure.alt
    # A share of people has no value of no effect, and nothing is favoured.
    assert axis_of(axes) == ("linear", measure == "ZCOR")
    assert "favours" not in figure.alt
    low, high = axes.get_xlim()
    assert -1 <= low < high <= 1


def test_every_pool_has_a_forest_plot():
    counts = list(TABLE.values())
    effects = lm.effect_size("RR", **TABLE)
    for result, label, model in (
        (lm.mantel_haenszel("RR", *counts), "Pooled, Mantel-Haenszel", "model by Mantel-Haenszel"),
        (lm.peto(*counts), "Pooled, Peto", "model by Peto"),
        (lm.glmm_proportion(counts[0], counts[1]), "Pooled, logit-normal model", "of the counts"),
        (
            lm.pool_bayes(*effects, measure="RR", tau_prior_scale=0.5),
            "Pooled, Bayesian",
            "half-normal, scale 0.5",
        ),
    ):
        figure, _ = lm.forest_plot(result)
        known = result.transformed()
        assert f"{label} {known.estimate:.2f} ({known.ci_low:.2f}" in figure.alt
        words = " ".join(text.get_text() for text in figure.findobj(Text)).replace("\n", " ")
        assert model in words
        assert ("Area of a square" in words) == hasattr(result, "weight_pct")
    with pytest.raises(ArgumentError, match=r"batch: .* leave_one_out_plot"):
        lm.forest_plot(lm.leave_one_out(*effects))


def test_a_frame_or_numbers_are_pooled_and_drawn():
    yi, vi, names = [0.1, 0.5, 0.3], [0.1, 0.2, 0.05], ["a", "b", "c"]
    frame = pd.DataFrame({"yi": yi, "vi": vi, "label": names})
    drawn = [
        lm.forest_plot(lm.pool(yi, vi, measure="SMD", labels=names)),
        lm.forest_plot(frame, measure="SMD"),
        lm.forest_plot(yi, vi, labels=names, measure="smd"),
        lm.forest_plot("yi", data=frame, labels="label", measure="SMD"),
    ]
    assert len({figure.alt for figure, _ in drawn}) == 1
    with pytest.raises(ArgumentError, match="list without vi cannot be drawn"):
        lm.forest_plot(yi)
    with pytest.raises(ArgumentError, match="yi='yi' is the name of a column"):
        lm.forest_plot()


def test_the_prediction_interval_can_be_left_out():
    result = lm.pool([0.1, 0.5, 0.3], [0.1, 0.2, 0.05], measure="MD")
    assert "prediction" in lm.forest_plot(result)[0].alt
    figure, _ = lm.forest_plot(result, prediction=False)
    assert "prediction" not in figure.alt + plain(figure)


def test_no_ratio_is_printed_as_nought_or_at_full_length():
    figure, _ = lm.forest_plot([-6.0, -7.0, -5.5], [0.1] * 3, measure="OR")
    assert "trial 1 0.0025 (0.0013 to 0.0046)" in figure.alt
    figure, _ = lm.forest_plot([300.0, -300.0, 0.0], [1.0] * 3, measure="OR")
    assert "trial 1 1.9e+130 (2.7e+129 to 1.4e+131)" in figure.alt
    assert "(below 2.2e-308 to above 1.8e+308)" in figure.alt
    assert figure.get_size_inches()[0] < 12


def test_effects_in_clusters_have_a_forest_plot():
    result = lm.pool_dependent(
        [0.1, 0.3, 0.5, 0.2, 0.4], [0.04] * 5, cluster=list("aabbc"), measure="RR"
    )
    figure, axes = lm.forest_plot(result)
    known = result.transformed()
    assert f"Pooled, effects in clusters {known.estimate:.2f} ({known.ci_low:.2f}" in figure.alt
    assert axis_of(axes) == ("log", True)
    assert "tau2 between clusters" in figure.alt


def test_filled_trials_come_last_and_may_be_named():
    """The others stand in the order given, as in metafor, so names fit."""
    yi = [0.9, 0.1, 0.2, 0.3]
    found = lm.trim_and_fill(yi, [0.4, 0.02, 0.03, 0.04], labels=list("dabc"))
    assert list(found.filled.labels[:4]) == list("dabc")
    assert list(found.filled.yi[:4]) == yi
    names = [*"wxyz", *(["made up"] * found.k_filled)]
    assert "w 0.90 (" in lm.forest_plot(found, labels=names)[0].alt
    with pytest.raises(ArgumentError, match=f"the result {len(names)} trials: one each"):
        lm.forest_plot(found, labels=[*names, "v"])


def test_answers_and_effects_are_drawn_and_a_regression_names_its_plot():
    answer = lm.answer("fibromyalgia")
    figure, _ = lm.forest_plot(answer)
    pool = answer.pool
    own = lm.forest_plot(pool.result, read=pool.read, intervals=pool.own_intervals)[0]
    assert figure.alt == own.alt == lm.forest_plot(pool)[0].alt
    assert "Pooled, Bayesian" in figure.alt
    effects = lm.effect_size("RR", **TABLE)
    assert lm.forest_plot(effects)[0].alt == lm.forest_plot(lm.pool(*effects))[0].alt
    with pytest.raises(ArgumentError, match="allowed: bubble_plot"):
        lm.forest_plot(lm.meta_regression([0.1, 0.2, 0.4], [0.1] * 3, [1, 2, 3]))


def test_no_direction_is_told_unless_it_is_given():
    for measure in ("", "ZCOR", "RR", "MD"):
        result = lm.pool([0.1, 0.5, 0.3], [0.1, 0.2, 0.05], measure=measure)
        drawn = lm.forest_plot(result), lm.leave_one_out_plot(result), lm.cumulative_plot(result)
        assert not any("avours" in figure.alt + plain(figure) for figure, _ in drawn)


def test_digits_show_the_interval():
    """metafor 3.8, rma.mh(measure = "RD") of dat.bcg: -0.0033 (-0.0039 to -0.0027)."""
    counts = {"events_1": "a", "n_1": "n_1", "events_2": "c", "n_2": "n_2"}
    result = lm.mantel_haenszel("RD", **counts, data=BCG_TRIALS)
    assert "Mantel-Haenszel -0.0033 (-0.0039 to -0.0027)." in lm.forest_plot(result)[0].alt
    assert "(0.00 to 0.00)." in lm.forest_plot(result, digits=2)[0].alt.replace("-0.00", "0.00")


def test_a_labbe_plot_names_trials_as_its_result_does():
    counts = {"events_1": "a", "n_1": "n_1", "events_2": "c", "n_2": "n_2"}
    five = BCG_TRIALS.iloc[:5].reset_index(drop=True)
    assert "Trial 1: 4 of 123" in lm.labbe_plot(**counts, data=five)[0].alt.replace(
        "trial", "Trial"
    )
    named = lm.mantel_haenszel("RR", **counts, data=five, labels=list("VWXYZ"))
    assert "V: 4 of 123" in lm.labbe_plot(**counts, data=five, result=named)[0].alt


def test_a_missing_name_is_no_trial_called_nan():
    result = lm.pool([0.1, 0.5], [0.1, 0.2], labels=["a", None])
    assert "trial 2 0.50" in lm.forest_plot(result)[0].alt
    assert "trial 1 0.10" in lm.forest_plot(result, labels=[float("nan"), "b"])[0].alt


def test_pools_up_to_each_trial_are_drawn_from_effects():
    """metafor: forest(cumul(fit, order = year)); estimates of its 3.8."""
    found = lm.cumulative(data=BCG_TRIALS, order="year", measure="RR")
    figure, axes = lm.cumulative_plot(found)
    assert axes.get_xscale() == "log"
    assert "13 trials in turn, risk ratio. Aronson: 0.41 (" in figure.alt
    assert f"Stein & Aronson: {math.exp(-0.972079557781):.2f} (" in figure.alt
    assert "People" not in plain(figure) and "across no effect" in figure.alt
    same = lm.pool(data=BCG_TRIALS.sort_values("year", kind="stable"), measure="RR")
    assert lm.cumulative_plot(same)[0].alt == figure.alt
    sides = lm.cumulative_plot(found, direction=("favours vaccine", "favours none"))[0].alt
    assert "towards vaccine" in sides and "on the side of vaccine" in sides
    share = lm.cumulative_plot(lm.pool([0.2, 0.5, 0.4], [0.02, 0.03, 0.01], measure="PLO"))[0]
    assert "no effect" not in share.alt
    gap = lm.cumulative([0.1, np.nan, 0.3], [0.1, np.nan, 0.2])
    assert "Two trials in turn" in lm.cumulative_plot(gap)[0].alt
    with pytest.raises(ArgumentError, match="is a batch; allowed: what cumulative returned"):
        lm.cumulative_plot(lm.leave_one_out(data=BCG_TRIALS))
