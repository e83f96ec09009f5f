"""What an albatross plot draws: places of p and people, ranges, curves, and names."""

import itertools
import math
import re
from statistics import NormalDist

import numpy as np
import pytest
from matplotlib.text import Text

from builders import (
    NAN,
    assert_legible,
    described,
    drawn,
    frame,
    many,
    mark,
    marks,
    overlap,
    plain,
    result,
    says,
    slow,
    text_boxes,
    texts,
)
from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.albatross import NOTHING_TO_PLACE, albatross_plot


def people_for(p, d):
    """Two equal groups, variance of d as 4 / N + d^2 / 2N: N = 4 z^2 / d^2 + z^2 / 2."""
    z = NormalDist().inv_cdf(1 - p / 2)
    return 4 * z * z / d**2 + z * z / 2


PS = np.geomspace(1e-11, 0.999, 200)
CURVES = {f"{d:g}": (PS, np.array([people_for(p, d) for p in PS])) for d in (0.2, 0.5, 0.8)}

FRAME = frame(
    result("exact2011", year=2011.0, p_low=0.0085, p_high=0.0095, n_people=40.0),
    result("against2012", year=2012.0, p_low=0.235, p_high=0.237, n_people=96.0, sign=-1.0),
    result("below2013", year=2013.0, p_low=0.0, p_high=0.05, n_people=350.0),
    result("ns2014", year=2014.0, p_low=0.05, p_high=1.0, n_people=12.0, sign=-1.0),
    result("nowhere2015", year=2015.0, p_low=0.05, p_high=1.0, n_people=60.0, sign=NAN,
           direction="no difference"),
    result("paired2016", year=2016.0, p_low=0.0035, p_high=0.0045, n_people=28.0, is_paired=True,
           is_randomised=False),
    result("unplaced2017", year=2017.0, p_low=NAN, p_high=NAN),
    result("uncounted2018", year=2018.0, n_people=NAN),
)  # fmt: skip


@pytest.fixture(scope="module")
def plotted():
    return albatross_plot(FRAME, contours=CURVES, title="Crohn's disease")


@pytest.fixture(scope="module")
def figure(plotted):
    return plotted[0]


def y_of(figure, people):
    """Where a number of people stands, from the printed ticks: straight on a log axis."""
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    places = [
        (math.log(float(says(figure, name))), 72 / 110 * (figure.bbox.y1 - middle(boxes[name])))
        for name in marks(figure, "people-tick-")
    ]
    assert len(places) >= 2
    (first, top), (last, bottom) = places[0], places[-1]
    return top + (math.log(people) - first) / (last - first) * (bottom - top)


def middle(box):
    return (box.y0 + box.y1) / 2


# ---------------------------------------------------------------- legible


@pytest.fixture(scope="module", params=[(3, CURVES), slow((1, CURVES)), slow((1, None))])
def crowd(request):
    seed, contours = request.param
    return albatross_plot(many(12, 4, seed=seed), contours=contours)


def test_every_text_can_be_read(figure, crowd):
    assert_legible(figure)
    assert_legible(crowd[0])


@pytest.mark.parametrize(
    ("studies", "outcomes", "long_labels"), [slow(2, 1, False), (6, 1, True), slow(12, 4, True)]
)
def test_few_and_many_results_can_be_read(studies, outcomes, long_labels):
    directions = many(studies, outcomes, long_labels=long_labels)
    assert_legible(albatross_plot(directions, contours=CURVES, title="A title " * 20)[0])


def test_forty_results_in_one_spot_can_be_read():
    crowd = frame(
        *(
            result(f"s{i:02}", p_low=0.2 + i * 1e-4, p_high=0.2 + i * 1e-4, n_people=30.0)
            for i in range(40)
        )
    )
    plot, _ = albatross_plot(crowd, contours=CURVES)
    assert_legible(plot)
    names = {says(plot, name) for name in marks(plot, "name-") if "joint" not in name}
    assert names == {str(i + 1) for i in range(40)}


def test_no_name_lies_on_a_mark(crowd):
    plot, axes = crowd
    names = [box for text, box in text_boxes(plot) if text.axes is axes and text.get_gid()]
    points = [
        artist.get_window_extent()
        for name, artist in marks(plot, "mark-").items()
        if re.fullmatch(r"mark-\d+-(treatment|comparator)", name)
    ]
    assert len(points) > 5
    for point, name in itertools.product(points, names):
        assert not overlap(point, name)


# ---------------------------------------------------------------- places


def test_p_stands_on_the_side_of_the_estimate_at_its_logarithm(figure):
    point = mark(figure, "mark-0-treatment")
    assert point.get_xdata()[0] == pytest.approx(-math.log10(0.009), rel=1e-5)
    against = mark(figure, "mark-1-comparator")
    assert against.get_xdata()[0] == pytest.approx(math.log10(0.236), rel=1e-5)
    assert "mark-0-comparator" not in marks(figure, "mark-0")


def test_people_stand_on_a_log_axis(figure):
    for name, people in (
        ("mark-0-treatment", 40),
        ("mark-1-comparator", 96),
        ("mark-5-treatment", 28),
    ):
        assert mark(figure, name).get_ydata()[0] == pytest.approx(y_of(figure, people), abs=1.0)


def test_axis_is_symmetric_with_p_of_one_in_the_middle(plotted):
    figure, axes = plotted
    low, high = axes.get_xlim()
    assert low == -high
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["0.001", "0.01", "0.1", "1", "0.1", "0.01", "0.001"]
    assert list(axes.get_xticks()) == pytest.approx([-3, -2, -1, 0, 1, 2, 3])
    assert set(mark(figure, "no-effect").get_xdata()) == {0}


def test_words_for_both_ends_stand_on_their_side(plotted):
    figure, axes = plotted
    drawn(figure)
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    centre = axes.transData.transform((0, 0))[0]
    assert boxes["favours-low"].x1 < centre < boxes["favours-high"].x0
    assert "comparator" in says(figure, "favours-low")
    assert "treatment" in says(figure, "favours-high")


def test_rounding_of_a_printed_p_is_a_thin_line_behind_the_point(figure):
    line = mark(figure, "mark-0-treatment-range")
    assert sorted(line.get_xdata()) == pytest.approx(
        [-math.log10(0.0095), -math.log10(0.0085)], rel=1e-4
    )
    assert line.get_linewidth() < mark(figure, "mark-2-treatment-range").get_linewidth()


def test_p_below_a_bound_is_a_bar_with_an_open_end(plotted):
    figure, axes = plotted
    bar = mark(figure, "mark-2-treatment-range")
    assert sorted(bar.get_xdata()) == pytest.approx([-math.log10(0.05), axes.get_xlim()[1]])
    assert mark(figure, "mark-2-treatment-open").get_xdata()[0] == pytest.approx(
        axes.get_xlim()[1]
    )
    assert mark(figure, "mark-2-treatment-end-0").get_xdata()[0] == pytest.approx(
        -math.log10(0.05)
    )
    assert "mark-2-treatment" not in marks(figure, "mark-2")


def test_not_significant_is_a_bar_from_the_bound_to_the_middle(figure):
    bar = mark(figure, "mark-3-comparator-range")
    assert sorted(bar.get_xdata()) == pytest.approx([math.log10(0.05), 0.0])
    assert "mark-3-comparator-open" not in marks(figure, "mark-3")


def test_a_result_without_side_stands_on_both(figure):
    left, right = mark(figure, "mark-4-comparator-range"), mark(figure, "mark-4-treatment-range")
    assert sorted(left.get_xdata()) == pytest.approx(sorted(-x for x in right.get_xdata()))
    assert (
        left.get_color() == right.get_color() != mark(figure, "mark-2-treatment-range").get_color()
    )
    both, _ = albatross_plot(frame(result(sign=NAN, direction="not stated")))
    near = mark(both, "mark-0-treatment").get_xdata()[0]
    assert mark(both, "mark-0-comparator").get_xdata()[0] == -near
    assert mark(both, "mark-0-joint").get_xdata()[1] < near
    unsure, sure = mark(both, "mark-0-treatment"), mark(figure, "mark-0-treatment")
    assert unsure.get_markersize() < sure.get_markersize()
    assert unsure.get_markerfacecolor() not in (unsure.get_markeredgecolor(), style.PAPER)


def test_an_estimate_of_exactly_none_has_no_side():
    plot, _ = albatross_plot(frame(result(sign=0.0, p_low=0.95, p_high=1.0)))
    assert {"mark-0-treatment", "mark-0-comparator"} <= set(marks(plot, "mark-0"))


def test_shape_says_who_was_compared_and_filling_how(figure):
    groups, pairs = mark(figure, "mark-0-treatment"), mark(figure, "mark-5-treatment")
    assert groups.get_marker() != pairs.get_marker()
    assert pairs.get_markerfacecolor() == style.PAPER
    assert groups.get_markerfacecolor() == groups.get_markeredgecolor()


def test_results_that_coincide_share_a_mark():
    rows = [result(f"s{i}", p_low=0.05, p_high=1.0, n_people=30.0, sign=-1.0) for i in range(3)]
    plot, _ = albatross_plot(frame(*rows))
    assert says(plot, "name-0").replace("\n", " ") == "S0 and S1 and S2"
    assert not marks(plot, "mark-1")


def test_a_tiny_p_is_open_and_does_not_press_the_others_together():
    tiny = frame(result(), result("tiny", p_low=1e-40, p_high=1e-40))
    plot, axes = albatross_plot(tiny, contours=CURVES)
    assert axes.get_xlim()[1] < 11
    assert "mark-1-treatment-open" in marks(plot, "mark-1")
    assert_legible(plot)


@pytest.mark.parametrize(
    ("low", "high", "is_point"),
    [(0.005, 0.015, True), (0.0, 0.0005, False), (0.01, 0.05, False), (0.3, 0.3, True)],
)
def test_a_point_is_a_p_known_to_its_rounding(low, high, is_point):
    plot, _ = albatross_plot(frame(result(p_low=low, p_high=high)))
    assert ("mark-0-treatment" in marks(plot, "mark-0")) == is_point


# ---------------------------------------------------------------- curves


def test_curves_hold_on_both_sides(plotted):
    figure, _ = plotted
    for index, d in enumerate((0.2, 0.5, 0.8)):
        right = mark(figure, f"curve-{index}-treatment")
        left = mark(figure, f"curve-{index}-comparator")
        assert list(left.get_xdata()) == [-x for x in right.get_xdata()]
        assert list(left.get_ydata()) == list(right.get_ydata())
        x, y = right.get_xdata(), right.get_ydata()
        at = min(range(len(x)), key=lambda i: abs(x[i] - 2))
        assert y[at] == pytest.approx(y_of(figure, people_for(10 ** -x[at], d)), abs=1.0)


def test_curves_carry_their_names_and_differ_in_dashes(figure):
    dashes = set()
    for index, name in enumerate(CURVES):
        assert says(figure, f"curve-{index}-treatment-name") == name
        dashes.add(
            str(mark(figure, f"curve-{index}-treatment").get_linestyle())
            + str(mark(figure, f"curve-{index}-treatment")._unscaled_dash_pattern)
        )
    assert len(dashes) == 3


def test_without_contours_nothing_is_said_of_curves():
    plot, _ = albatross_plot(FRAME)
    assert not marks(plot, "curve-")
    assert not any("Curve" in text for text in texts(plot))


def test_what_the_curves_are_is_said():
    plot, _ = albatross_plot(FRAME, contours=CURVES, measure="odds ratio")
    said = plain(plot)
    assert "the odds ratio is 0.2, 0.5, 0.8 to either side" in said
    assert "do not hold where the same people stand in both arms" in said


# ---------------------------------------------------------------- names and words


def test_few_results_carry_their_names(figure):
    assert says(figure, "name-0") == "Exact2011"
    assert "\n".join(texts(figure)).count("Exact2011") == 1


def test_outcome_is_named_where_a_study_has_several_results():
    rows = frame(result(), result(construct="remission", p_low=0.3, p_high=0.3))
    plot, _ = albatross_plot(rows)
    names = [says(plot, f"name-{i}").replace("\n", " ") for i in range(2)]
    assert names == ["Smith2011: clinical response", "Smith2011: remission"]


def test_many_results_carry_numbers_with_a_key(crowd):
    plot, _ = crowd
    said = plain(plot)
    names = [a.get_text() for a in marks(plot, "name-").values() if isinstance(a, Text)]
    assert sorted(names, key=int) == [str(i + 1) for i in range(len(names))]
    for name in names:
        assert f" {name} Author" in f" {said}"


def test_results_without_p_or_people_are_named_below(figure):
    said = plain(figure)
    assert (
        "Not in the plot: Unplaced2017 (p not known); Uncounted2018 (number of people not known)."
        in said
    )


def test_results_without_a_place_are_gathered_by_study_and_reason():
    rows = [
        result(construct="a", n_people=NAN),
        result(construct="b", n_people=NAN),
        result(construct="c", n_people=NAN, p_low=NAN, p_high=NAN),
        result(construct="d", p_low=0.0, p_high=1.0),
    ]
    words = described(albatross_plot, frame(*rows))
    assert (
        "Not in the plot: Smith2011: a, b (number of people not known); Smith2011: c (p and "
        "number of people not known); Smith2011: d (p not known)." in words
    )


def test_nothing_to_place_is_said_in_words_with_what_exists():
    plot, _ = albatross_plot(FRAME[6:], title="Nothing")
    said = plain(plot)
    assert NOTHING_TO_PLACE in said
    assert "Unplaced2017 (p not known)" in said
    assert_legible(plot)
    assert NOTHING_TO_PLACE in described(albatross_plot, FRAME[:0])
    assert_legible(albatross_plot(FRAME[:0])[0])


def test_alt_text_tells_every_result_and_between_which_curves_it_lies(figure):
    words = figure.alt
    assert words.startswith("Albatross plot: Crohn's disease. Six results")
    # By hand: p = 0.009 has z = 2.612; d = 0.8 then needs 4 * 6.823 / 0.64 + 3.41 = 46 people,
    # and these were 40. p = 0.236 has z = 1.185; d = 0.2 needs 141, d = 0.5 23 people; 96.
    smd = "standardised mean difference"
    assert (
        "Exact2011 (p = 0.009, 40 people, two groups): on the side of treatment, "
        f"beyond the curve of {smd} 0.8." in words
    )
    assert (
        "Against2012 (p = 0.236, 96 people, two groups): on the side of the comparator, "
        f"between the curves of {smd} 0.2 and 0.5." in words
    )
    assert "Below2013 (p below 0.05, 350 people, two groups): on the side of treatment." in words
    assert "Ns2014 (p above 0.05, 12 people, two groups): on the side of the comparator." in words
    assert "Nowhere2015 (p above 0.05, 60 people, two groups): on a side that is not known." in (
        words
    )
    assert (
        "Paired2016 (p = 0.004, 28 people, the same people in both arms, not or not said to be "
        "randomised): on the side of treatment." in words
    )
    assert "Not in the plot: Unplaced2017 (p not known)" in words
    assert words.isascii()


def test_a_point_of_little_effect_lies_nearer_to_none_than_all_curves():
    words = described(
        albatross_plot, frame(result(p_low=0.5, p_high=0.5, n_people=500.0)), contours=CURVES
    )
    assert "nearer to no effect than the curve of standardised mean difference 0.2" in words


def test_alt_text_of_many_results_is_counts(crowd):
    placed = crowd[0].alt.partition("Not in the plot")[0]
    assert "Author" not in placed
    assert "side of treatment" in placed
    assert re.search(r"Known p-values run from 0\.\d+ to 0\.\d+", placed)


def test_legend_explains_what_occurs_and_no_more():
    plain, _ = albatross_plot(frame(result()))
    words = [a.get_text() for n, a in marks(plain, "legend-").items() if n.endswith("-words")]
    assert words == ["two groups"]


def test_what_a_bar_cannot_show_is_said_in_words():
    paired = frame(
        result(p_low=0.0, p_high=0.05, is_paired=True, is_randomised=False),
        result("other2012", year=2012.0),
    )
    said = plain(albatross_plot(paired)[0])
    assert "Bars of the same people in both arms: Smith2011." in said
    assert "Bars of studies not, or not said to be, randomised: Smith2011." in said


# ---------------------------------------------------------------- refusals and bytes
