"""What a funnel plot draws: trials by effect and standard error, on regions of p."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

import ldn_meta as lm
from builders import assert_legible, described, grid, mark, marks, plain, says
from ldn_meta.display.figures.funnel import (
    OTHER_CAUSES,
    REGIONS,
    TOO_FEW,
    Trial,
    funnel_plot,
    region_of,
)
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.small_study import ENOUGH_TRIALS, trim_and_fill
from reference_values import generic_sets

NAN = math.nan
MINUS = "\N{MINUS SIGN}"
WORDS = {
    "direction": ("favours LDN", "favours placebo"),
    "x_label": "mean difference, points (0-10)",
}
# Steady numbers carry six digits.
DRAWN = 1e-5
# Ratios of effect to standard error: -1, 1.8, -2.2 and 3, one in each region.
FOUR = pd.DataFrame(
    {
        "label": ["A", "B", "C", "D"],
        "yi": [-0.5, 0.36, -2.2, 0.9],
        "vi": [0.25, 0.04, 1.0, 0.09],
    }
)


def bcg():
    """Log risk ratios of metadat's dat.bcg (Colditz 1994)."""
    data = generic_sets()[0]
    labels = [f"trial {i + 1}" for i in range(len(data["yi"]))]
    return pd.DataFrame({"label": labels, "yi": data["yi"], "vi": data["vi"]})


def many(k):
    random = np.random.default_rng(k)
    vi = random.uniform(0.001, 1.5, k)
    labels = [f"A trial of a long name {i}" for i in range(k)]
    return pd.DataFrame({"label": labels, "yi": random.normal(-0.6, np.sqrt(vi)), "vi": vi})


def filled(frame):
    found = trim_and_fill(frame["yi"], frame["vi"]).filled
    names = [str(label) for label in found.labels]
    imputed = [name.startswith("imputed") for name in names]
    return pd.DataFrame({"label": names, "yi": found.yi, "vi": found.vi, "imputed": imputed})


def draw(frame=FOUR, **options):
    return funnel_plot(frame, **(WORDS | options))[0]


@pytest.fixture(scope="module")
def figure():
    return draw()


def corners(figure, index):
    return mark(figure, f"region-{index}").get_xy()


@pytest.mark.parametrize(
    ("k", "is_log"),
    grid([0, 1, 2, 13, 60], [False, True], fast=[(1, False), (2, True), (60, True)]),
)
def test_every_text_can_be_read(k, is_log):
    figure = draw(
        many(k).assign(imputed=[i % 5 == 4 for i in range(k)]),
        log_scale=is_log,
        centre=-0.6,
        title="Pain, small trials and large ones " * 5,
        direction=("favours a treatment whose name is long " * 3, "favours placebo"),
        x_label="a name of the axis that is too long for one line " * 3,
    )
    assert_legible(figure)


@pytest.mark.parametrize(
    ("k", "is_log"),
    grid([1, 13, 60], [False, True], fast=[(1, True), (13, False), (60, True)]),
)
def test_nothing_lies_outside_the_axes(k, is_log):
    figure, axes = funnel_plot(many(k), **WORDS, log_scale=is_log, centre=3.0)
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    points = [mark(figure, name).get_xydata() for name in marks(figure, "trial-")]
    points += [mark(figure, name).get_xydata() for name in ("no-effect", "centre")]
    points += [mark(figure, name).get_xydata() for name in ("limit-low", "limit-high")]
    points += [corners(figure, index) for index in range(len(REGIONS))]
    x, y = np.concatenate(points).T
    slack = DRAWN * (high - low)
    assert low - slack <= x.min()
    assert x.max() <= high + slack
    assert top <= y.min()
    assert y.max() <= bottom * (1 + DRAWN)


@pytest.mark.parametrize("is_log", [False, True])
def test_every_trial_stands_at_its_effect_and_standard_error_in_order(is_log):
    frame = bcg()
    figure = draw(frame, log_scale=is_log)
    found = marks(figure, "trial-")
    assert list(found) == [f"trial-{i}" for i in range(13)]
    x = [point.get_xdata()[0] for point in found.values()]
    effects = np.exp(frame["yi"]) if is_log else frame["yi"]
    assert x == pytest.approx(list(effects), rel=DRAWN)
    y = [point.get_ydata()[0] for point in found.values()]
    assert y == pytest.approx(list(np.sqrt(frame["vi"])), rel=DRAWN)


def test_precise_trials_are_at_the_top():
    figure, axes = funnel_plot(bcg(), **WORDS)
    bottom, top = axes.get_ylim()
    assert top == 0
    assert bottom > math.sqrt(bcg()["vi"].max())
    assert says(figure, "y-tick-0") == "0.0"
    ticks = [mark(figure, name) for name in marks(figure, "y-tick-")]
    # The page counts from the top.
    heights = [tick.get_position()[1] for tick in ticks]
    assert heights == sorted(heights)
    assert [float(tick.get_text()) for tick in ticks] == [0.0, 0.2, 0.4, 0.6]
    figure.draw_without_rendering()
    for tick in ticks:
        written = tick.axes.transData.transform(tick.get_position())[1]
        meant = axes.transData.transform((0.0, float(tick.get_text())))[1]
        # Digits stand on a line 2.7 points below their middle.
        assert (meant - written) * 72 / figure.dpi == pytest.approx(2.7, abs=0.5)


@pytest.mark.parametrize("is_log", [False, True])
def test_regions_end_where_p_is_a_hundredth_a_twentieth_and_a_tenth(is_log):
    figure, axes = funnel_plot(FOUR, **WORDS, log_scale=is_log)
    depth = axes.get_ylim()[0]
    for index, z in ((1, 2.575829), (2, 1.959964), (3, 1.644854)):
        x, y = corners(figure, index).T
        effects = np.log(x) if is_log else x
        assert (effects[0], y[0]) == pytest.approx((0.0, 0.0), abs=1e-9)
        assert sorted(effects[1:3]) == pytest.approx([-z * depth, z * depth], rel=1e-4)
        assert y[1:3] == pytest.approx([depth, depth], rel=DRAWN)


def test_boundaries_are_cut_at_the_side_of_the_plot():
    figure, axes = funnel_plot(FOUR, **WORDS, limits=(-2.3, 1.0))
    depth = axes.get_ylim()[0]
    found = [tuple(corner) for corner in corners(figure, 3)]
    assert found[:3] == [
        (0.0, 0.0),
        pytest.approx((1.0, 1.0 / 1.644854), rel=1e-4),
        pytest.approx((1.0, depth), rel=DRAWN),
    ]
    whole = corners(figure, 0)
    assert {tuple(corner) for corner in whole} >= {(1.0, 0.0), (-2.3, 0.0)}


def test_regions_grow_darker_outwards_and_marks_stand_out_from_all(figure):
    greys = [mark(figure, f"region-{i}").get_facecolor() for i in range(4)]
    assert all(len(set(grey[:3])) == 1 for grey in greys)
    light = [grey[0] for grey in greys]
    # A tenth of all lightness is seen on any printer.
    assert all(inner - outer > 0.1 for outer, inner in itertools.pairwise(light))
    assert light[-1] == 1.0
    assert mark(figure, "trial-0").get_markerfacecolor() == "#111111"
    assert light[0] > 0.6


def test_a_trial_lies_in_the_region_of_its_p():
    found = [region_of(Trial("", y, math.sqrt(v), False)).words for y, v in FOUR.values[:, 1:]]
    assert found == ["above 0.10", "0.05 to 0.10", "0.01 to 0.05", "below 0.01"]
    assert Trial("", 1.959964, 1.0, False).p == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(("level", "z"), [(0.95, 1.959964), (0.9, 1.644854)])
def test_the_funnel_is_centred_at_the_pooled_estimate(level, z):
    figure, axes = funnel_plot(FOUR, **WORDS, centre=-0.4, level=level)
    depth = axes.get_ylim()[0]
    assert list(mark(figure, "no-effect").get_xdata()) == [0.0, 0.0]
    assert list(mark(figure, "centre").get_xdata()) == [-0.4, -0.4]
    for name, sign in (("limit-low", -1), ("limit-high", 1)):
        line = mark(figure, name)
        ends = [-0.4, -0.4 + sign * z * depth]
        assert list(line.get_xdata()) == pytest.approx(ends, rel=1e-4)
        assert list(line.get_ydata()) == pytest.approx([0.0, depth], rel=DRAWN)
        assert line.is_dashed()
    assert f"pseudo {100 * level:g}% limits" in plain(figure)


def test_without_a_pooled_estimate_there_is_no_funnel_and_no_key_of_one(figure):
    assert not marks(figure, "centre")
    assert not marks(figure, "limit-")
    assert "pooled" not in plain(figure)


def test_the_pooled_estimate_of_a_ratio_is_drawn_as_a_ratio():
    frame = bcg()
    centre = float(lm.pool(frame["yi"], frame["vi"]).estimate)
    figure, axes = funnel_plot(frame, **WORDS, centre=centre, log_scale=True)
    assert mark(figure, "centre").get_xdata()[0] == pytest.approx(0.4894, abs=5e-5)
    assert mark(figure, "no-effect").get_xdata()[0] == 1.0
    assert axes.get_xscale() == "log"
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["0.1", "0.2", "0.5", "1", "2", "5"]
    assert list(axes.get_xticks()) == [0.1, 0.2, 0.5, 1, 2, 5]
    assert says(figure, "y-label").startswith("Standard error of the logarithm")


def test_words_stand_on_their_sides_of_no_effect():
    figure, axes = funnel_plot(FOUR, **WORDS)
    assert says(figure, "favours-low") == "\N{LEFTWARDS ARROW} favours LDN"
    assert says(figure, "favours-high") == "favours placebo \N{RIGHTWARDS ARROW}"
    assert says(figure, "x-label") == "Mean difference, points (0-10)"
    assert says(figure, "y-label").startswith("Standard error (")
    low, high = axes.get_xlim()
    box = axes.get_position()
    parts = (box.x0 + box.width * -low / (high - low)) * figure.axes[0].get_xlim()[1]
    assert mark(figure, "favours-low").get_position()[0] == pytest.approx(parts - 5)
    assert mark(figure, "favours-high").get_position()[0] == pytest.approx(parts + 5)


def test_the_key_names_regions_and_lines_in_words_with_what_is_drawn():
    figure = draw(centre=0.2)
    assert [says(figure, f"legend-{i}-words") for i in range(6)] == [
        "above 0.10",
        "0.05 to 0.10",
        "0.01 to 0.05",
        "below 0.01",
        "no effect",
        "pooled estimate",
    ]
    for i in range(4):
        swatch, region = mark(figure, f"legend-{i}-mark"), mark(figure, f"region-{3 - i}")
        assert swatch.get_facecolor() == region.get_facecolor()
    for i, name in ((4, "no-effect"), (5, "centre"), (6, "limit-low")):
        sample, line = mark(figure, f"legend-{i}-mark"), mark(figure, name)
        assert sample.get_color() == line.get_color()
        assert sample.get_linewidth() == line.get_linewidth()
        assert sample._dash_pattern == line._dash_pattern
    assert not marks(figure, "legend-7")


def test_imputed_trials_are_hollow_and_no_trials():
    frame = filled(bcg())
    figure = draw(frame)
    assert len(marks(figure, "trial-")) == 13
    imputed = marks(figure, "imputed-")
    assert len(imputed) == len(frame) - 13 > 0
    last = imputed["imputed-0"]
    assert last.get_markerfacecolor() == "#ffffff"
    assert last.get_markeredgecolor() == "#111111"
    assert last.get_xdata()[0] == pytest.approx(frame["yi"].iloc[13], rel=DRAWN)
    assert "imputed by trim and fill" in plain(figure)
    assert "imputed" not in plain(draw(bcg().assign(imputed=False)))
    nine = many(12).assign(imputed=[False] * 9 + [True] * 3)
    assert TOO_FEW in plain(draw(nine))


def test_small_print_warns_of_chance_below_ten_trials():
    assert ENOUGH_TRIALS == 10
    assert TOO_FEW == "Fewer than ten trials: chance alone makes a funnel uneven."
    assert OTHER_CAUSES in plain(draw(many(10)))
    assert TOO_FEW not in plain(draw(many(10)))
    assert TOO_FEW in plain(draw(many(9)))


def test_alt_text_counts_what_is_seen():
    words = described(funnel_plot, FOUR, title="Pain", centre=0.3, **WORDS)
    assert words.startswith(
        "Funnel plot: Pain. Four trials, mean difference, points (0-10), by standard error, "
        "0.2 to 1. Values below 0: favours LDN; values above 0: favours placebo. "
        "Two-sided p: above 0.10 one trial, 0.05 to 0.10 one trial, 0.01 to 0.05 one trial, "
        "below 0.01 one trial. Pooled estimate 0.30: two trials below it, two trials above it, "
        "two trials outside its pseudo 95% limits."
    )
    assert TOO_FEW in words
    assert words.isascii()
    ratios = described(funnel_plot, filled(bcg()), log_scale=True, centre=math.log(0.5), **WORDS)
    assert "13 trials, " in ratios
    assert "Pooled estimate 0.50" in ratios
    assert "One trial imputed by trim and fill." in ratios
    assert "Values below 1: favours LDN" in ratios


def test_a_logarithm_that_must_be_a_typing_error_is_refused():
    frame = FOUR.assign(yi=[51.0, 0, 0, 0])
    with pytest.raises(ArgumentError, match="yi 51 of 'A'"):
        draw(frame, log_scale=True)
    assert_legible(draw(frame))
    assert_legible(draw(frame.assign(yi=50.0, vi=1e4), log_scale=True))


def test_a_result_brings_measure_centre_and_imputed_trials():
    yi, vi = [0.1, 0.3, 0.5, 0.9, 1.2, math.nan], [0.01, 0.02, 0.05, 0.1, 0.2, math.nan]
    result = lm.pool(yi, vi, measure="OR")
    figure, axes = lm.funnel_plot(result)
    assert axes.get_xscale() == "log"
    assert "Five trials, odds ratio" in figure.alt
    assert f"Pooled estimate {math.exp(result.estimate):.2f}" in figure.alt
    assert figure.alt == lm.funnel_plot(yi, vi, measure="OR")[0].alt
    filled = lm.trim_and_fill(yi, vi, measure="OR")
    words = lm.funnel_plot(filled)[0].alt
    assert "Two trials imputed by trim and fill" in words and filled.k_filled == 2


@pytest.mark.parametrize("centre", [None, -0.8])
def test_a_share_of_people_has_no_value_of_no_effect(centre):
    frame = pd.DataFrame({"label": ["A", "B"], "yi": [-0.7, -2.4], "vi": [0.2, 0.1]})
    words = {"direction": ("fewer", "more"), "measure": "PLO", "centre": centre}
    for rows in (frame, frame[:1]):
        figure, axes = funnel_plot(rows, **words)
        assert not marks(figure, "region-") and not marks(figure, "no-effect")
        assert "wo-sided p" not in plain(figure) + figure.alt
        assert "fewer" not in figure.alt and "no effect" not in plain(figure)
        low, high = axes.get_xlim()
        assert low < rows["yi"].min() <= rows["yi"].max() < high
        assert_legible(figure)
    assert funnel_plot(frame, **words, limits=(-3, -0.5))[1].get_xlim() == (-3, -0.5)
    with pytest.raises(
        ArgumentError, match=r"leaves out 'B' at -2.4.*hold every trial and centre"
    ):
        funnel_plot(frame, **words, limits=(-2, -0.5))
