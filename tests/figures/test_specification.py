"""What a specification curve draws: results by size, intervals by side, choices below."""

import math
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from builders import (
    assert_legible,
    grid,
    large,
    made,
    mark,
    marks,
    node,
    plain,
    says,
    slow,
    small,
    text_boxes,
)
from ldn_meta.display.figures.specification import (
    ACROSS,
    BANDS,
    FOR_COMPARATOR,
    FOR_TREATMENT,
    MOST_COLUMNS,
    NEVER,
    NO_INTERVAL,
    NO_RESULT,
    columns_of,
    shade,
    share_words,
    specification_curve,
    verdicts,
)
from ldn_meta.evidence.answer.multiverse import Normalised, build_multiverse, node_table, summary

WORDS = {"direction": ("favours treatment", "favours placebo"), "unit_words": "points (0-10)"}
NAN = math.nan


def odd():
    """Ratios: one analysis without result (the protocol's own), one without interval."""
    nodes = (node("a", ["p", "q"]), node("m", ["risk ratio", "odds ratio"], about="measure"))
    return made(
        nodes,
        [0, 1, 2, 3],
        [[NAN], [0.4], [0.9], [1.1]],
        [[NAN], [NAN], [0.2], [9.0]],
        measure="RR",
        construct="responder_pain_30",
    )


def one_result():
    return made((node("a", ["p", "q"]), node("b", ["x", "y"])), [0] * 4, [[3.3]], 3.1)


def nothing():
    return made((node("a", ["p", "q"]),), [0, 0], [[NAN]], 1.0)


@pytest.fixture(scope="module")
def crowd():
    """Far more results than columns."""
    found, told = large()
    return found, told, columns_of(found)


@pytest.fixture(scope="module")
def figure():
    return draw(small(), title="Pain")


def draw(sample, **options):
    found, told = sample
    return specification_curve(found, told, **(WORDS | options))[0]


# ---------------------------------------------------------------- legible


TITLE = "A title " * 20


@pytest.mark.parametrize(
    ("sample", "title"),
    grid(
        [small, odd, one_result, nothing],
        [None, TITLE],
        fast=[(odd, TITLE), (one_result, TITLE), (nothing, TITLE)],
    ),
)
def test_every_text_can_be_read(sample, title):
    assert_legible(draw(sample(), title=title))


def test_twelve_nodes_with_long_names_can_be_read():
    figure = draw(
        large(many_results=False, long_names=True),
        direction=("favours treatment, which is the smaller number", "favours placebo " * 6),
        unit_words="points on a scale that takes many words to name and many more",
    )
    assert_legible(figure)
    assert len(marks(figure, "option-")) > 34
    assert "option-11-0-name" in marks(figure, "option-11-")


@pytest.mark.parametrize("mid", [0.001, slow(0.2), 40.0])
def test_an_important_difference_of_any_size_is_in_view(mid):
    figure = draw(small(), mid=mid)
    assert_legible(figure)
    axes = mark(figure, "estimate").axes
    bottom, top = axes.get_ylim()
    for name in ("mid-low", "mid-high", "no-effect"):
        assert top < mark(figure, name).get_ydata()[0] < bottom


# ---------------------------------------------------------------- columns


def test_columns_of_a_small_multiverse_by_hand():
    columns = columns_of(small()[0])
    assert columns.edges.tolist() == [0, 6 / 16, 12 / 16, 14 / 16, 1]
    assert columns.estimate.tolist() == pytest.approx([-0.5, -0.4, 0.6, 0.7])
    assert columns.low.tolist() == pytest.approx([-0.8, -1.0, 0.3, -0.1])
    assert columns.high.tolist() == pytest.approx([-0.2, 0.2, 0.9, 1.5])
    assert columns.verdict.tolist() == [FOR_TREATMENT, ACROSS, FOR_COMPARATOR, ACROSS]
    assert columns.protocol == 0
    assert columns.own == pytest.approx((-0.5, -0.8, -0.2))
    assert not columns.is_merged
    assert columns.unmoved == ("idle",)
    shares = {choice.name: choice.shares.tolist() for choice in columns.choices}
    # Set 0 stands for six combinations of trials, time, idle: a-x twice, a-y twice, b-x twice.
    assert shares == {
        "trials": [[2 / 3, 2 / 3, 0, 0], [1 / 3, 1 / 3, 1, 1]],
        "time": [[2 / 3, 2 / 3, 0, 0], [1 / 3, 1 / 3, 1, 1]],
        "method": [[1, 0, 1, 0], [0, 1, 0, 1]],
    }


def test_more_is_better_turns_the_verdicts():
    columns = columns_of(small(benefit_sign=1.0)[0])
    assert columns.verdict.tolist() == [FOR_COMPARATOR, ACROSS, FOR_TREATMENT, ACROSS]
    low, high = np.array([0.1, NAN, -1.0, 0.0]), np.array([0.2, NAN, -0.5, 3.0])
    assert verdicts(low, high, 1.0).tolist() == [
        FOR_TREATMENT,
        NO_INTERVAL,
        FOR_COMPARATOR,
        ACROSS,
    ]
    assert verdicts(low, high, -1.0).tolist() == [
        FOR_COMPARATOR,
        NO_INTERVAL,
        FOR_TREATMENT,
        ACROSS,
    ]


def random_multiverse(seed):
    """Few sets, some without result, and effects that repeat: ties and gaps of every kind."""
    random = np.random.default_rng(seed)
    sizes, models = [2, 3, 2], [2, 3]
    nodes = [node(f"d{i}", [f"{i}.{o}" for o in range(s)]) for i, s in enumerate(sizes)]
    nodes.insert(1, node("m0", ["0", "1"], about="model"))
    nodes.append(node("m1", ["0", "1", "2"], about="model"))
    estimate = random.choice([-0.5, 0.0, 0.25, 1.0, NAN], (4, math.prod(models)))
    half = random.choice([0.1, 0.3, 2.0, NAN], estimate.shape)
    set_of = random.integers(0, 4, math.prod(sizes))
    set_of[:4] = range(4)
    return made(nodes, set_of, estimate, half)


@pytest.mark.parametrize("seed", range(8))
def test_columns_are_the_analyses_counted_one_by_one(seed):
    found, _ = random_multiverse(seed)
    columns = columns_of(found)
    frame = found.frame().dropna(subset="estimate")
    key = ["estimate", "ci_low", "ci_high"]
    counted = frame.groupby(key, dropna=False, sort=False).size()
    widths = pd.Series(
        np.diff(columns.edges) * len(frame),
        index=pd.MultiIndex.from_arrays([columns.estimate, columns.low, columns.high]),
    )
    assert len(columns) == len(counted)
    for (estimate, low, high), width in widths.items():
        same = np.isclose(frame[key], [estimate, low, high], atol=1e-9, equal_nan=True).all(axis=1)
        assert width == pytest.approx(same.sum())
    assert list(columns.estimate) == sorted(columns.estimate)
    for choice in columns.choices:
        for column in range(len(columns)):
            here = (columns.estimate[column], columns.low[column], columns.high[column])
            own = frame[np.isclose(frame[key], here, atol=1e-9, equal_nan=True).all(axis=1)]
            taken = [(own[choice.name] == option).mean() for option in choice.options]
            assert choice.shares[:, column].tolist() == pytest.approx(taken)


@pytest.mark.parametrize("seed", [*range(4), *map(slow, range(4, 8))])
def test_a_node_is_shown_if_and_only_if_an_option_changes_a_result(seed):
    found, _ = random_multiverse(seed)
    frame = found.frame()
    key = ["estimate", "ci_low", "ci_high"]
    names = [one.name for one in found.nodes]
    changing = set()
    for name in names:
        others = [other for other in names if other != name]
        for _, same in frame.groupby(others, observed=True):
            if len(same[key].round(9).drop_duplicates()) > 1:
                changing.add(name)
    columns = columns_of(found)
    assert {choice.name for choice in columns.choices} == changing
    assert set(columns.unmoved) == set(names) - changing
    order = [n for n in node_table(found)["node"] if n in changing]
    assert [choice.name for choice in columns.choices] == order


def test_a_change_too_small_to_be_seen_is_no_change():
    nodes = (node("a", ["p", "q"]), node("b", ["x", "y"]))
    found, _ = made(nodes, [0, 1, 2, 3], [[0.2], [0.2 + 1e-7], [0.5], [0.5]], 0.4)
    columns = columns_of(found)
    assert columns.unmoved == ("b",)
    assert [choice.name for choice in columns.choices] == ["a"]


def test_a_node_that_only_takes_results_away_is_shown():
    found, told = made((node("a", ["p", "q"]),), [0, 1], [[0.2], [NAN]], 0.4)
    (choice,) = columns_of(found).choices
    assert choice.shares.tolist() == [[1.0], [0.0]]
    figure = draw((found, told))
    assert says(figure, "option-0-1-never") == NEVER
    assert "option-0-0-never" not in marks(figure, "option-0-0-")
    assert "Not drawn: 1 of the 2 analyses (50%)" in plain(figure)


def test_a_choice_that_moves_intervals_alone_is_not_called_idle(figure):
    nodes = (node("a", ["p", "q"]), node("m", ["one", "two"], about="model"))
    found, told = made(nodes, [0, 1], [[0.2, 0.2], [0.4, 0.4]], [[0.1, 0.9], [0.1, 0.9]])
    other = draw((found, told))
    assert says(other, "choice-0-share") == "100%"
    assert says(other, "choice-1-share") == "0%"
    assert "0%: the choice moves no estimate, but intervals" in plain(other)
    assert "0%: the choice" not in plain(figure)


def test_neighbours_are_averaged_when_there_are_too_many_results(crowd):
    found, told, columns = crowd
    assert told["results"] > 50_000
    assert columns.is_merged
    assert MOST_COLUMNS / 2 < len(columns) < 3 * MOST_COLUMNS
    widths = np.diff(columns.edges)
    assert widths.min() > 0
    assert columns.edges[-1] == pytest.approx(1)
    for verdict, name in (
        (FOR_TREATMENT, "favours_treatment"),
        (ACROSS, "either_way"),
        (FOR_COMPARATOR, "favours_comparator"),
    ):
        assert widths[columns.verdict == verdict].sum() == pytest.approx(told[name])
    mean = found.frame()["estimate"].mean()
    assert (widths * columns.estimate).sum() == pytest.approx(mean)
    # Sorted, but for what nobody could see.
    assert np.diff(columns.estimate).min() > -0.02
    for choice in columns.choices:
        assert choice.shares.sum(axis=0) == pytest.approx(1)
        frequency = 1 / len(choice.options)
        assert (choice.shares * widths).sum(axis=1) == pytest.approx(frequency)


def test_the_protocols_own_result_is_not_averaged(crowd):
    found, told, columns = crowd
    own = (told["default_estimate"], told["default_ci_low"], told["default_ci_high"])
    assert columns.own == own
    figure = draw((found, told))
    line = mark(figure, "protocol-interval").get_ydata()
    per_unit = mark(figure, "mid-low").get_ydata()[0] - mark(figure, "no-effect").get_ydata()[0]
    assert line[0] - line[1] == pytest.approx((own[2] - own[1]) * per_unit / told["mid"], rel=1e-3)


def test_ten_million_analyses_take_no_more_room():
    random = np.random.default_rng(3)
    sizes = [6, 8, 5, 4, 3, 5, 5, 5]
    nodes = [node(f"d{i}", [f"{i}.{o}" for o in range(s)]) for i, s in enumerate(sizes)]
    nodes += [node("m", [str(o) for o in range(28)], about="model")]
    set_of = random.integers(0, 40, math.prod(sizes))
    effects = random.normal(0, 0.3, (40, 28))
    found, told = made(nodes, set_of, effects, 0.5)
    assert len(found) > 10_000_000
    columns = columns_of(found)
    assert told["results"] == 40 * 28
    assert MOST_COLUMNS / 2 < len(columns) < 3 * MOST_COLUMNS
    assert len(columns.choices) == 9
    assert all(choice.shares.shape[1] == len(columns) for choice in columns.choices)


# ---------------------------------------------------------------- what is drawn


def test_estimates_are_steps_as_wide_as_their_analyses(figure):
    line = mark(figure, "estimate")
    assert line.get_xdata().tolist() == [0, 0.375, 0.375, 0.75, 0.75, 0.875, 0.875, 1]
    zero, low = (mark(figure, name).get_ydata()[0] for name in ("no-effect", "mid-low"))
    effects = [(zero - y) / (low - zero) for y in line.get_ydata()]
    assert effects == pytest.approx(
        [v for v in (-0.5, -0.4, 0.6, 0.7) for _ in range(2)], abs=1e-3
    )


def test_bands_are_the_intervals_in_the_colour_of_their_side():
    figure = draw(small(), mid=2.0)
    zero, low = (mark(figure, name).get_ydata()[0] for name in ("no-effect", "mid-low"))
    expected = ((FOR_TREATMENT, -0.8, -0.2), (ACROSS, -1, 0.2), (FOR_COMPARATOR, 0.3, 0.9))
    for index, (verdict, bottom, top) in enumerate(expected):
        band = mark(figure, f"band-{index}")
        assert to_hex(band.get_facecolor()) == BANDS[verdict]
        ends = [2 * (zero - y) / (low - zero) for y in band.get_xy()[:, 1]]
        assert (min(ends), max(ends)) == pytest.approx((bottom, top), abs=2e-3)


def test_tones_of_the_bands_differ_in_grey():
    def grey(colour):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    tones = [grey(BANDS[verdict]) for verdict in (ACROSS, FOR_TREATMENT, FOR_COMPARATOR)]
    assert all(lighter - darker > 40 for lighter, darker in pairwise(tones))
    shades = [grey(shade(share)) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert shades == sorted(shades, reverse=True)


def test_the_protocols_own_analysis_is_marked_and_named(figure):
    own = mark(figure, "protocol")
    assert own.get_xdata()[0] == pytest.approx(6 / 16 / 2)
    assert own.get_ydata()[0] == mark(figure, "estimate").get_ydata()[0]
    minus = "\N{MINUS SIGN}"
    said = f"The plan's own analysis: {minus}0.50 ({minus}0.80 to {minus}0.20)"
    assert says(figure, "protocol-words") == said
    first = [name for name in marks(figure, "option-") if name.endswith("-protocol")]
    assert first == ["option-0-0-protocol", "option-1-0-protocol", "option-2-0-protocol"]


def test_cells_stand_level_with_the_option_and_shade_its_share(figure):
    columns = columns_of(small()[0])
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    for number, choice in enumerate(columns.choices):
        assert says(figure, f"choice-{number}") == choice.name
        for option, name in enumerate(choice.options):
            gid = f"option-{number}-{option}"
            assert says(figure, f"{gid}-name") == name
            cells = mark(figure, gid)
            ends = cells.axes.transData.transform(cells.get_paths()[0].vertices)[:, 1]
            words = boxes[f"{gid}-name"]
            assert min(ends) < (words.y0 + words.y1) / 2 < max(ends)
            shown = {
                (round(path.vertices[:, 0].min(), 4), round(path.vertices[:, 0].max(), 4)): to_hex(
                    colour
                )
                for path, colour in zip(cells.get_paths(), cells.get_facecolor(), strict=True)
            }
            for column, share in enumerate(choice.shares[option]):
                middle = columns.middle(column)
                ((_, colour),) = [i for i in shown.items() if i[0][0] < middle < i[0][1]]
                assert colour == shade(share)


def test_curve_and_choices_share_one_axis(figure):
    curve = mark(figure, "estimate").axes.get_window_extent()
    cells = mark(figure, "option-0-0").axes.get_window_extent()
    assert (curve.x0, curve.x1) == pytest.approx((cells.x0, cells.x1))
    assert curve.y0 > cells.y1


def test_share_explained_is_that_of_the_node_table(figure):
    table = node_table(small()[0]).set_index("node")["share_explained"]
    widths = []
    for number, name in enumerate(("trials", "time", "method")):
        assert says(figure, f"choice-{number}-share") == share_words(table[name])
        widths.append(mark(figure, f"choice-{number}-bar").get_width() / table[name])
    assert widths == pytest.approx([widths[0]] * 3, rel=1e-4)


def test_directions_stand_at_the_ends_and_lines_have_names(figure):
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    assert says(figure, "favours-low").endswith("favours treatment")
    assert boxes["favours-low"].y1 < boxes["y-label"].y0
    assert says(figure, "favours-high").endswith("favours placebo")
    assert boxes["favours-high"].y0 > boxes["y-label"].y1
    names = [says(figure, f"line-{i}") for i in range(3)]
    assert names == ["no effect", "MID \N{PLUS-MINUS SIGN}1.00", "MID \N{PLUS-MINUS SIGN}1.00"]
    assert "MID: minimal important difference" in plain(figure)
    without = draw(odd())
    assert "mid-low" not in marks(without, "mid-")
    assert "MID" not in plain(without)


def test_ratios_stand_on_a_log_axis_that_names_both_measures():
    figure = draw(odd())
    ticks = [a.get_text() for a in marks(figure, "y-tick-").values()]
    assert "1" in ticks
    said = plain(figure)
    assert "Risk ratio or odds ratio (log axis)" in said
    assert "distances are not comparable" in said
    assert "Intervals go on beyond the axis, down to 0.00037 and up to 24,343." in said
    assert "The plan's own analysis: no result" in said
    assert not marks(figure, "protocol-interval")
    assert "protocol" not in marks(figure, "protocol")


def test_a_result_without_interval_has_no_band():
    figure = draw(odd())
    found = columns_of(odd()[0])
    assert found.verdict.tolist() == [NO_INTERVAL, FOR_COMPARATOR, ACROSS]
    assert list(marks(figure, "band-")) == ["band-1", "band-2"]
    assert "no interval defined: 33%" in plain(figure)


def test_results_without_interval_are_the_same_if_their_estimates_are():
    nodes = (node("a", ["p", "q"]), node("b", ["x", "y"]))
    found, told = made(nodes, [0, 1, 2, 3], [[0.2], [0.2], [0.2 + 1e-12], [0.2]], NAN)
    assert columns_of(found).results == 1
    assert "Every combination of choices gives the same result." in plain(draw((found, told)))


def test_one_result_is_one_bar_and_words():
    figure = draw(one_result())
    assert list(marks(figure, "band-")) == ["band-0"]
    assert not marks(figure, "option-")
    said = plain(figure)
    assert "Every combination of choices gives the same result." in said
    assert "Choices that change no result visibly here: a; b." in said


def test_intervals_that_end_inside_the_axis_are_not_said_to_go_on():
    assert "beyond the axis" not in plain(draw(one_result()))


def test_the_committed_evidence_is_drawn_whole(evidence, protocol):
    own = Normalised(evidence.for_indication("fibromyalgia"), protocol)
    found = build_multiverse(own, "pain_intensity", "placebo")
    told = summary(found, protocol)
    columns = columns_of(found)
    assert len(columns) == columns.results == told["results"]
    widths = np.diff(columns.edges)
    assert widths[columns.verdict == FOR_TREATMENT].sum() == pytest.approx(
        told["favours_treatment"]
    )
    assert columns.estimate.min() == pytest.approx(told["lowest"])
    assert columns.own[0] == told["default_estimate"]
    names = {one.name for one in found.nodes}
    assert {choice.name for choice in columns.choices} | set(columns.unmoved) == names
    assert_legible(draw((found, told), mid=told["mid"]))


# ---------------------------------------------------------------- words, refusals, bytes


def test_alt_text_says_what_the_picture_shows(figure):
    words = figure.alt
    assert words.startswith("Specification curve: Pain.")
    assert "8 analyses of 2 sets of effects, 4 distinct results." in words
    assert "estimates run from -0.50 to 0.70, half of them at most -0.40." in words
    assert "Below 0: favours treatment; above 0: favours placebo." in words
    assert "The plan's own analysis: -0.50 (-0.80 to -0.20)." in words
    assert (
        "Interval on the side of treatment: 38%; interval across no effect: 50%; "
        "interval on the side of the comparator: 13% of the analyses." in words
    )
    assert "trials 33%, time 33%, method 1%" in words
    assert "Choices that change no result visibly here: idle." in words
    assert words.isascii()


def test_nothing_is_said_in_words():
    found, told = nothing()
    figure = draw((found, told))
    assert NO_RESULT in plain(figure)
    assert len(figure.axes) == 1
    assert NO_RESULT in figure.alt


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "0%"),
        (1e-17, "0%"),
        (0.001, "under 1%"),
        (0.5, "50%"),
        (0.999, "over 99%"),
        (1, "100%"),
    ],
)
def test_little_is_not_rounded_to_none_nor_most_to_all(share, words):
    assert share_words(share) == words


def test_options_of_all_kinds_are_told_apart_by_name(figure):
    names = [says(figure, f"option-{n}-{o}-name") for n, o in product(range(3), range(2))]
    assert names == ["a", "b", "x", "y", "one", "two"]
