"""What a cumulative forest plot draws: the answer after each trial, and what the trial did."""

import math

import numpy as np
import pandas as pd
import pytest

from builders import assert_legible, described, mark, marks, says, texts
from ldn_meta.display.figures.forest import (
    CUMULATIVE_COLUMNS,
    ONE_TRIAL,
    cumulative_plot,
    what_it_did,
)
from ldn_meta.display.figures.scales import EffectFormat, Interval
from ldn_meta.errors import ArgumentError
from ldn_meta.stats.pool import pool

NAN = math.nan
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


def many(k, *, long_labels=False):
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


def draw(frame=THREE, **options):
    return cumulative_plot(frame, **(WORDS | options))[0]


@pytest.fixture(scope="module")
def figure():
    return draw()


def plain(figure):
    return " ".join(texts(figure)).replace("\n", " ")


@pytest.mark.parametrize(("k", "is_log"), [(1, True), (2, False), (60, True)])
def test_every_text_can_be_read(k, is_log):
    figure = draw(
        many(k, long_labels=is_log), log_scale=is_log, title="Pain after each trial " * 6
    )
    assert_legible(figure)


def test_rows_run_from_the_first_trial_down_to_todays_answer(figure):
    labels = [says(figure, f"{row}-label") for row in ("trial-0", "trial-1", "pooled-0")]
    assert labels == ["Younger 2013", "+ Due Bruun 2024", "+ INNOVA 2026: today's answer"]
    squares = [mark(figure, f"trial-{i}") for i in range(2)]
    assert [s.get_xdata()[0] for s in squares] == [-0.55, -0.45]
    ends = [list(mark(figure, f"trial-{i}-interval").get_xdata()) for i in range(2)]
    assert ends == [[-0.97, -0.13], [-0.80, -0.10]]
    corners = mark(figure, "pooled-0").get_xy()
    assert (corners[:, 0].min(), corners[:, 0].max()) == (-0.70, 0.27)
    heights = [squares[0].get_ydata()[0], squares[1].get_ydata()[0], corners[0, 1]]
    assert heights == sorted(heights)
    assert mark(figure, "pooled-line").get_xdata()[0] == -0.21


def test_no_square_pretends_to_a_weight():
    figure = draw(many(9))
    sides = {mark(figure, f"trial-{i}").get_markersize() for i in range(8)}
    assert len(sides) == 1
    assert "Weight" not in texts(figure)
    assert "weight" not in plain(figure)


def test_trials_and_people_so_far_are_columns(figure):
    assert [says(figure, f"head-{i}") for i in range(4)] == [
        "Trial",
        "Trials",
        "People",
        "What this trial did",
    ]
    cells = [
        [says(figure, f"{row}-cell-{i}") for i in range(2)]
        for row in ("trial-0", "trial-1", "pooled-0")
    ]
    assert cells == [["1", "27"], ["2", "126"], ["3", "NR"]]


def test_what_each_trial_did_stands_in_its_row(figure):
    did = [
        says(figure, f"{row}-cell-2").replace("\n", " ")
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
    said = plain(draw())
    assert "diamond and broken line: today's answer" in said
    assert "nobody pooled after each trial" in said
    assert "Arrow" not in said
    assert "Arrow: interval goes on." in plain(draw(limits=(-0.6, 0.1)))


def test_ratios_are_shown_as_ratios_and_heads_name_the_level():
    figure = draw(log_scale=True, level=0.9)
    assert mark(figure, "trial-0").get_xdata()[0] == pytest.approx(math.exp(-0.55), rel=1e-5)
    assert says(figure, "trial-0-effect") == "0.58 (0.38 to 0.88)"
    assert says(figure, "head-4") == "Answer then\n(90% CI)"


def test_one_trial_is_no_pool():
    figure = draw(THREE[:1])
    assert not marks(figure, "pooled")
    assert ONE_TRIAL in plain(figure)
    assert "nobody pooled" not in plain(figure)


def test_alt_text_tells_the_story():
    words = described(cumulative_plot, THREE, title="Pain", **WORDS)
    assert words.startswith("Cumulative forest plot: Pain. Three trials by year")
    assert "Values below 0: favours LDN; values above 0: favours placebo." in words
    assert (
        "2024, Due Bruun 2024: -0.45 (-0.80 to -0.10), two trials, 126 people; "
        "0.10 towards placebo; interval 17% narrower, still on the side of LDN." in words
    )
    assert words.isascii()


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (THREE.drop(columns="people"), "lacks people"),
        (THREE[::-1], "2024 of 'Due Bruun 2024' stands below 2026"),
        (THREE.assign(estimate=-0.99), "'Younger 2013' lies outside -0.97 to -0.13"),
        (THREE.assign(estimate=-0.99), "'INNOVA 2026' lies outside"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(frame, word):
    with pytest.raises(ArgumentError, match=word):
        draw(frame)
