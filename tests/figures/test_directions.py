"""What plots without pooling draw: arrows by study, bars by direction, the rule within one."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from builders import (
    NAN,
    assert_legible,
    frame,
    grid,
    many,
    mark,
    marks,
    overlap,
    plain,
    result,
    says,
    slow,
    svg_ids,
    text_boxes,
    texts,
)
from ldn_meta.display.figures.bias import JUDGEMENTS
from ldn_meta.display.figures.directions import (
    MIXED,
    NOT_KNOWN,
    direction_rows,
    effect_direction_output,
    effect_direction_plot,
    harvest_plot,
    letters,
    together,
    verdict_words,
)
from ldn_meta.errors import ArgumentError

LDN, COMPARATOR, NEITHER = "favours treatment", "favours comparator", "same in both"
ORDER = ("pain", "response or remission", "any adverse event")

FRAME = frame(
    result("young2020", "pain", year=2020.0, group="pain", sign=-1.0, n_people=301.0),
    result("young2020", "nausea", year=2020.0, group="other", n_people=300.0),
    result("old2011", "pain", group="pain", sign=0.0, n_people=49.0),
    result("old2011", "response", n_people=50.0),
    result("old2011", "remission", n_people=50.0),
    result(
        "undated", "response", year=NAN, direction="not stated", sign=NAN, n_people=NAN,
        overall_bias="", is_randomised=False, design="cohort with controls",
    ),
    result("undated", "pain", year=NAN, group="pain", n_people=NAN, overall_bias="",
           is_randomised=False, design="cohort with controls"),
)  # fmt: skip


@pytest.fixture(scope="module")
def figure():
    return effect_direction_plot(FRAME, order=ORDER, title="Crohn's disease")[0]


def corners(figure, name):
    return mark(figure, name).get_path().vertices


def height(figure, name):
    y = corners(figure, name)[:, 1]
    return y.max() - y.min()


def points_up(figure, name):
    """The tip is one point, the foot has two; a tip at the top leads up."""
    found = np.unique(np.round(corners(figure, name), 6), axis=0)
    return (found[:, 1] == found[:, 1].min()).sum() < (found[:, 1] == found[:, 1].max()).sum()


# ---------------------------------------------------------------- legible


@pytest.fixture(scope="module")
def crowd():
    return effect_direction_plot(many(40, 4))[0]


@pytest.fixture(scope="module")
def harvest_crowd():
    return harvest_plot(many(40, 4))[0]


def test_every_text_can_be_read(figure, crowd, harvest, harvest_crowd):
    for drawn in (figure, crowd, harvest, harvest_crowd, effect_direction_plot(many(1, 1))[0]):
        assert_legible(drawn)


FEW = (3, 8, True)


@pytest.mark.parametrize(
    ("size", "by"),
    grid([(1, 1, False), FEW, (40, 4, False)], ["group", "construct"], fast=[(FEW, "construct")]),
)
def test_few_and_many_studies_can_be_read(size, by):
    studies, outcomes, long_labels = size
    directions = many(studies, outcomes, long_labels=long_labels)
    assert_legible(effect_direction_plot(directions, by=by, title="A title " * 20)[0])


def test_no_arrow_lies_on_a_text_or_another_arrow():
    drawn, _ = effect_direction_plot(many(40, 8, long_labels=True), by="construct")
    boxes = [box for _, box in text_boxes(drawn)]
    arrows = [m.get_window_extent() for m in drawn.axes[0].patches if m.get_gid()]
    assert len(arrows) > 150
    for index, arrow in enumerate(arrows):
        assert not any(overlap(arrow, box) for box in boxes)
        assert not any(overlap(arrow, other) for other in arrows[index + 1 :])


# ---------------------------------------------------------------- rows and columns


def test_oldest_study_first_and_one_without_year_last(figure):
    assert [says(figure, f"study-{i}-label") for i in range(3)] == [
        "Old2011",
        "Young2020",
        "Undated",
    ]
    y = [mark(figure, f"study-{i}-label").get_position()[1] for i in range(3)]
    assert y == sorted(y)


def test_columns_follow_the_order_wished_and_other_is_last(figure):
    heads = [text.get_text().replace("\n", " ") for text in marks(figure, "column-").values()]
    assert heads == ["Pain", "Response or remission", "Other"]


def test_columns_can_be_single_outcomes():
    drawn, _ = effect_direction_plot(FRAME, by="construct")
    heads = [text.get_text() for text in marks(drawn, "column-").values()]
    assert heads == ["Pain", "Response", "Remission", "Nausea"]


def test_design_people_and_risk_of_bias_stand_in_the_row(figure):
    assert says(figure, "study-0-design") == "parallel, randomised"
    assert says(figure, "study-0-people") == "49 to 50"
    assert says(figure, "study-0-bias-letter") == "C"
    assert says(figure, "study-2-design").replace("\n", " ") == (
        "cohort with controls, not randomised"
    )
    assert says(figure, "study-2-people") == "NR"
    assert not marks(figure, "study-2-bias")
    assert "No dot: risk of bias not judged." in texts(figure)


def test_randomisation_that_nobody_reported_is_not_called_absent():
    drawn, _ = effect_direction_plot(frame(result(is_randomised=None, design="NR")))
    assert says(drawn, "study-0-design").replace("\n", " ") == "randomisation not reported"


# ---------------------------------------------------------------- directions


def test_arrow_up_is_ldn_and_down_the_comparator(figure):
    assert points_up(figure, "study-2-0")
    assert not points_up(figure, "study-1-0")
    assert mark(figure, "study-2-0").get_edgecolor() != mark(figure, "study-1-0").get_edgecolor()


def test_no_difference_is_a_sideways_arrow_as_wide_as_others_are_high(figure):
    found = corners(figure, "study-0-0")
    width = found[:, 0].max() - found[:, 0].min()
    assert width > height(figure, "study-0-0")
    assert width == pytest.approx(2 * (found[:, 0].max() - found[:, 0].mean()), rel=0.2)


def test_direction_not_known_is_a_question_mark_and_not_reported_is_blank(figure):
    assert says(figure, "study-2-1") == "?"
    assert not marks(figure, "study-1-1")
    assert not marks(figure, "study-0-2")


def test_mixed_is_a_sideways_arrow_in_two_parts():
    drawn, _ = effect_direction_plot(
        frame(
            result(construct="a"),
            result(construct="b", sign=-1.0),
            result("other2012", "a", year=2012.0, sign=0.0),
        )
    )
    from matplotlib.path import Path

    mixed, neither = mark(drawn, "study-0-0").get_path(), mark(drawn, "study-1-0").get_path()
    assert list(mixed.codes).count(Path.MOVETO) == 2
    assert list(neither.codes).count(Path.MOVETO) == 1


def test_size_of_arrows_changes_at_50_and_300_people():
    people = (1, 49, 50, 300, 301, 1e6)
    studies = [result(f"s{i}", n_people=float(number)) for i, number in enumerate(people)]
    drawn, _ = effect_direction_plot(frame(*studies))
    sizes = [height(drawn, f"study-{i}-0") for i in range(6)]
    assert sizes[::2] == pytest.approx(sizes[1::2], rel=1e-6)
    assert sizes[0] < sizes[2] < sizes[4]


def test_unknown_number_of_people_is_hollow_and_middle_sized(figure):
    hollow, solid = mark(figure, "study-2-0"), mark(figure, "study-0-1")
    assert hollow.get_facecolor()[:3] == (1, 1, 1)
    assert solid.get_facecolor() == solid.get_edgecolor()
    assert height(figure, "study-2-0") == pytest.approx(height(figure, "study-0-1"))


def test_arrows_of_one_study_stand_level_with_its_label_under_their_heads(figure):
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    for study, column in ((0, 0), (0, 1), (1, 0), (1, 2), (2, 0)):
        arrow = mark(figure, f"study-{study}-{column}").get_window_extent()
        middle = ((arrow.x0 + arrow.x1) / 2, (arrow.y0 + arrow.y1) / 2)
        head, label = boxes[f"column-{column}"], boxes[f"study-{study}-label"]
        assert middle[0] == pytest.approx((head.x0 + head.x1) / 2, abs=2)
        assert label.y0 < middle[1] < label.y1


def test_sign_goes_before_words_whatever_the_p_value():
    row = result(direction="no difference", sign=1.0, p_low=0.05, p_high=1.0)
    assert direction_rows(frame(row))[0].verdict == LDN


@pytest.mark.parametrize(
    ("sign", "words", "verdict"),
    [
        (1.0, "conflicting", LDN),
        (-1.0, "not stated", COMPARATOR),
        (0.0, "favours treatment", NEITHER),
        # Words that claim a side give the sign before anything is drawn; others give none.
        (NAN, "favours treatment", NOT_KNOWN),
        (NAN, "no difference", NOT_KNOWN),
        (NAN, "not stated", NOT_KNOWN),
    ],
)
def test_direction_of_a_single_result(sign, words, verdict):
    assert direction_rows(frame(result(sign=sign, direction=words)))[0].verdict == verdict


# ---------------------------------------------------------------- several outcomes of a study


@pytest.mark.parametrize(
    ("verdicts", "direction"),
    [
        ([LDN], LDN),
        ([LDN, LDN], LDN),
        ([LDN] * 7 + [COMPARATOR] * 3, LDN),
        ([LDN] * 2 + [COMPARATOR], MIXED),
        ([LDN] * 69 + [COMPARATOR] * 31, MIXED),
        ([LDN] * 70 + [COMPARATOR] * 30, LDN),
        ([LDN, NEITHER], MIXED),
        ([NEITHER] * 3 + [COMPARATOR], NEITHER),
        ([LDN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN], LDN),
        ([NOT_KNOWN, NOT_KNOWN], NOT_KNOWN),
        ([MIXED, MIXED], MIXED),
    ],
)
def test_seventy_per_cent_give_the_direction(verdicts, direction):
    assert together(verdicts) == direction


@given(
    st.lists(st.sampled_from(list(verdict_words("treatment"))), min_size=1, max_size=30),
    st.randoms(),
)
def test_direction_of_several_does_not_depend_on_order_and_mirrors(verdicts, random):
    shuffled = random.sample(verdicts, len(verdicts))
    assert together(shuffled) == together(verdicts)
    swap = {LDN: COMPARATOR, COMPARATOR: LDN}
    mirrored = [swap.get(verdict, verdict) for verdict in verdicts]
    assert together(mirrored) == swap.get(together(verdicts), together(verdicts))
    if together(verdicts) not in (MIXED, NOT_KNOWN):
        known = [verdict for verdict in verdicts if verdict != NOT_KNOWN]
        assert known.count(together(verdicts)) >= 0.7 * len(known) - 1e-9


def test_number_of_outcomes_stands_beside_the_arrow_if_more_than_one(figure):
    assert says(figure, "study-0-1-outcomes") == "2"
    assert "study-0-0-outcomes" not in marks(figure, "study-0-0")


def test_outcomes_without_direction_are_not_counted_as_combined():
    drawn, _ = effect_direction_plot(
        frame(
            result(construct="a"),
            result(construct="b"),
            result(construct="c", direction="not stated", sign=NAN),
        )
    )
    assert says(drawn, "study-0-0-outcomes") == "2"


def test_the_rule_is_told_only_where_it_was_used(figure):
    assert any("at least 70%" in text for text in texts(figure))
    single, _ = effect_direction_plot(frame(result()))
    assert not any("70%" in text for text in texts(single))


# ---------------------------------------------------------------- counts and words


def test_counts_below_are_those_of_the_arrows(figure):
    lines = [text.get_text() for text in marks(figure, "count-").values()]
    assert lines == [
        "Favours treatment", "1", "1", "1",
        "Favours comparator", "1", "0", "0",
        "Same in both", "1", "0", "0",
        "Direction not known", "0", "1", "0",
    ]  # fmt: skip


def test_counts_of_every_column_add_up_to_its_studies(crowd):
    for column in range(len(marks(crowd, "column-"))):
        shown = sum(f"study-{i}-{column}" in marks(crowd, "study-") for i in range(40))
        counts = marks(crowd, "count-").items()
        told = [int(text.get_text()) for name, text in counts if name.endswith(f"-{column}")]
        assert sum(told) == shown == 40


def test_legend_explains_what_occurs_and_no_more(figure):
    said = " ".join(texts(figure))
    assert "favours treatment" in said
    assert "blank: not reported" in said
    assert "reported, but direction not known" in said
    assert "hollow: number not reported" in said
    assert "mixed" not in said
    simple, _ = effect_direction_plot(frame(result()))
    assert not any("No dot" in text for text in texts(simple))
    legend = [a.get_text() for n, a in marks(simple, "legend-").items() if n.endswith("-words")]
    assert legend == ["favours treatment", "fewer than 50"]


def test_legend_arrows_are_those_of_the_table(figure):
    names = {a.get_text(): n for n, a in marks(figure, "legend-").items() if n.endswith("-words")}
    up = names["favours treatment"].replace("words", "mark")
    assert points_up(figure, up)
    assert mark(figure, up).get_edgecolor() == mark(figure, "study-2-0").get_edgecolor()
    small = names["fewer than 50"].replace("words", "mark")
    assert height(figure, small) < height(figure, up)


def test_alt_text_tells_every_study_and_the_counts(figure):
    words = figure.alt
    assert words.startswith("Effect direction plot: Crohn's disease. Three studies, three columns")
    assert (
        "Old2011 (parallel, randomised; 49 to 50 people): pain same in both; "
        "response or remission favours treatment (two outcomes)." in words
    )
    assert "Undated (cohort with controls, not randomised; people not reported)" in words
    assert (
        "Pain: one favours treatment, one favours comparator, one shows the same in both." in words
    )
    assert "Overall risk of bias: some concerns in 2, not judged in 1." in words
    assert words.isascii()


def test_alt_text_of_many_studies_is_counts(crowd):
    words = crowd.alt
    assert "Author 1985" not in words
    assert "40 studies" in words
    assert len(words) < 1200


# ---------------------------------------------------------------- refusals and bytes


def test_all_faults_are_named_at_once():
    broken = FRAME.assign(p_low=2.0, sign=7.0)
    with pytest.raises(ArgumentError) as caught:
        effect_direction_plot(broken)
    assert str(caught.value).count("p_low is 2") == len(broken)
    assert str(caught.value).count("sign is 7") == len(broken)


@pytest.mark.parametrize("is_png", [False, slow(True)])
def test_bytes_are_the_same_twice_and_order_of_rows_within_a_study_changes_no_arrow(is_png):
    one, other = (
        effect_direction_output("directions", rows, order=ORDER) for rows in (FRAME, FRAME[::-1])
    )
    assert one.svg() == other.svg()
    assert not is_png or one.png() == other.png()
    ids = svg_ids(one.svg())
    assert len(ids) == len(set(ids))


def test_directions_differ_in_shape_and_not_in_colour_alone():
    from ldn_meta.display.figures.directions import _OUTLINES, COLOURS

    assert len(set(_OUTLINES.values())) == len(_OUTLINES) == len(COLOURS)


# ---------------------------------------------------------------- harvest: where, how high

LEFT, MIDDLE, RIGHT, UNKNOWN = range(4)

HARVEST = frame(
    result("old2009", "pain", year=2009.0, group="pain", is_randomised=False, blinding="open",
           overall_bias="serious", n_people=10.0),
    result("blind2013", "pain", year=2013.0, group="pain", n_people=28.0, overall_bias="low"),
    result("open2014", "pain", year=2014.0, group="pain", blinding="open", sign=-1.0,
           overall_bias="high", n_people=NAN),
    result("open2014", "response", year=2014.0, blinding="open", sign=-1.0,
           overall_bias="high", n_people=60.0),
    result("blind2013", "response", year=2013.0, overall_bias="low", n_people=28.0),
    result("blind2013", "remission", year=2013.0, overall_bias="low", n_people=27.0, sign=-1.0),
    result("new2026", "pain", year=2026.0, group="pain", sign=0.0,
           blinding="not stated", overall_bias="", n_people=96.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def harvest():
    return harvest_plot(HARVEST, title="Crohn's disease")[0]


def bars(figure, row, panel):
    """Bars of a panel as (height, letter, people), from left to right."""
    found = []
    for index in itertools.count():
        name = f"bar-{row}-{panel}-{index}"
        if name not in marks(figure, name):
            return found
        bar = mark(figure, name)
        found.append(
            (bar.get_height(), says(figure, f"{name}-key"), says(figure, f"{name}-people"))
        )


@pytest.mark.parametrize(("studies", "outcomes"), [(1, 1), (3, 8), slow(40, 4)])
def test_few_and_many_bars_can_be_read(studies, outcomes):
    directions = many(studies, outcomes, long_labels=True)
    assert_legible(harvest_plot(directions, title="A title " * 20)[0])


def test_no_bar_lies_on_a_text_or_another_bar_and_all_stay_in_their_panel(harvest_crowd):
    drawn = harvest_crowd
    boxes = [box for _, box in text_boxes(drawn)]
    found = {n: m.get_window_extent() for n, m in marks(drawn, "bar-").items() if n[-1].isdigit()}
    assert len(found) == 160
    for one, other in itertools.combinations(found.values(), 2):
        assert not overlap(one, other)
    for box in found.values():
        assert not any(overlap(box, text) for text in boxes)
    panels = [[box for n, box in found.items() if n.split("-")[2] == str(i)] for i in range(4)]
    for left, right in itertools.pairwise(panels):
        assert max(box.x1 for box in left) < min(box.x0 for box in right)


# ---------------------------------------------------------------- where, how high, what pattern


def test_panels_run_from_comparator_to_ldn(harvest):
    heads = [a.get_text().replace("\n", " ") for a in marks(harvest, "panel-").values()]
    assert heads == ["Favours comparator", "Same in both, or mixed", "Favours treatment"]
    boxes = [
        box for text, box in text_boxes(harvest) if (text.get_gid() or "").startswith("panel")
    ]
    assert [box.x0 for box in boxes] == sorted(box.x0 for box in boxes)


def test_direction_not_known_has_a_panel_only_where_it_occurs():
    unknown, _ = harvest_plot(frame(result(), result("b2012", direction="not stated", sign=NAN)))
    assert says(unknown, "panel-3").replace("\n", " ") == "Direction not known"
    assert bars(unknown, 0, UNKNOWN)
    assert not bars(unknown, 0, MIDDLE)


def test_each_study_stands_once_in_the_panel_of_its_direction(harvest):
    assert [letter for _, letter, _ in bars(harvest, 0, RIGHT)] == ["B", "A"]
    assert [letter for _, letter, _ in bars(harvest, 0, LEFT)] == ["C"]
    assert [letter for _, letter, _ in bars(harvest, 0, MIDDLE)] == ["D"]
    assert [letter for _, letter, _ in bars(harvest, 1, LEFT)] == ["C"]
    assert [letter for _, letter, _ in bars(harvest, 1, MIDDLE)] == ["B"]
    assert says(harvest, "bar-1-2-none") == "none"


def test_panels_agree_with_the_arrows_of_the_effect_direction_plot(harvest_crowd, crowd):
    panels, arrows = harvest_crowd, crowd
    counted = {a.get_text(): n[:-6] for n, a in marks(arrows, "count-").items() if "label" in n}
    for column in range(4):
        count = {word: int(says(arrows, f"{name}-{column}")) for word, name in counted.items()}
        assert len(bars(panels, column, RIGHT)) == count["Favours treatment"]
        assert len(bars(panels, column, LEFT)) == count["Favours comparator"]
        assert len(bars(panels, column, MIDDLE)) == count["Same in both"] + count.get("Mixed", 0)
        assert len(bars(panels, column, UNKNOWN)) == count["Direction not known"]


def test_height_is_the_suitability_of_the_design(harvest):
    blind, by_choice = (height for height, _, _ in bars(harvest, 0, RIGHT))
    ((open_label, _, _),) = bars(harvest, 0, LEFT)
    ((not_stated, _, _),) = bars(harvest, 0, MIDDLE)
    assert blind == 3 * by_choice
    assert open_label == not_stated == 2 * by_choice


def test_bars_stand_on_one_line(harvest):
    feet = [mark(harvest, f"bar-0-{i}-0").get_y() + bars(harvest, 0, i)[0][0] for i in range(3)]
    assert max(feet) == pytest.approx(min(feet))


def test_people_stand_above_the_bar_and_the_letter_below(harvest):
    assert [people for _, _, people in bars(harvest, 0, RIGHT)] == ["28", "10"]
    assert bars(harvest, 0, LEFT)[0][2] == "NR"
    boxes = {text.get_gid(): box for text, box in text_boxes(harvest)}
    bar = mark(harvest, "bar-0-2-0").get_window_extent()
    assert boxes["bar-0-2-0-people"].y0 > bar.y1 - 1
    assert boxes["bar-0-2-0-key"].y1 < bar.y0 + 1


def test_a_study_whose_outcomes_differ_is_starred_and_the_star_explained(harvest):
    assert bars(harvest, 1, MIDDLE)[0][2] == "28*"
    assert any(text.startswith("* mixed") for text in texts(harvest))
    plain, _ = harvest_plot(HARVEST[:3])
    assert not any("*" in text for text in texts(plain))


def test_colour_and_pattern_are_the_risk_of_bias(harvest):
    low, serious = mark(harvest, "bar-0-2-0"), mark(harvest, "bar-0-2-1")
    assert to_hex(low.get_facecolor()) == JUDGEMENTS["low"].fill
    assert to_hex(serious.get_facecolor()) == JUDGEMENTS["serious"].fill
    assert low.get_hatch() != serious.get_hatch()
    not_judged = mark(harvest, "bar-0-1-0")
    assert to_hex(not_judged.get_facecolor()) == "#ffffff"
    assert not_judged.get_hatch()


def test_no_two_judgements_look_the_same():
    biases = [word for word in JUDGEMENTS if word not in ("yes", "no", "unclear")]
    rows = [result(f"s{i}", overall_bias=word) for i, word in enumerate([*biases, ""])]
    drawn, _ = harvest_plot(frame(*rows))
    found = [mark(drawn, f"bar-0-2-{i}") for i in range(len(rows))]
    looks = [(to_hex(bar.get_facecolor()), bar.get_hatch()) for bar in found]
    assert len(set(looks)) == len(rows)


def test_key_names_every_study_oldest_first(harvest):
    said = plain(harvest)
    assert "A: Old2009; B: Blind2013; C: Open2014; D: New2026." in said


def test_harvest_legend_explains_what_occurs_and_no_more(harvest):
    words = [a.get_text() for n, a in marks(harvest, "legend-").items() if n.endswith("-words")]
    assert words == [
        "randomised, double-blind",
        "randomised, not or not said to be double-blind",
        "not randomised, or not said to be",
        "low",
        "serious",
        "high",
        "not judged",
    ]


def test_letters_go_on_after_z():
    names = letters(60)
    assert names[:2] == ["A", "B"]
    assert names[25:28] == ["Z", "AA", "AB"]
    assert len(set(names)) == 60


def test_many_studies_of_one_direction_break_into_lines():
    drawn, _ = harvest_plot(frame(*(result(f"s{i:02}") for i in range(30))))
    lines = {round(mark(drawn, f"bar-0-2-{i}").get_y(), 3) for i in range(30)}
    assert len(lines) == 3
    assert len(bars(drawn, 0, RIGHT)) == 30
    assert_legible(drawn)


# ---------------------------------------------------------------- words, refusals, bytes


def test_alt_text_tells_every_panel_and_bar(harvest):
    words = harvest.alt
    assert words.startswith("Harvest plot: Crohn's disease.")
    assert (
        "Pain: favours comparator one study, Open2014 (randomised, not or not said to be "
        "double-blind; risk of bias high; people not reported)" in words
    )
    assert "Old2009 (not randomised, or not said to be; risk of bias serious; 10 people)" in words
    assert "Blind2013 (randomised, double-blind; risk of bias low; 28 people, mixed)" in words
    assert "favours treatment no studies" in words
    assert "direction not known" not in words
    assert words.isascii()


def test_alt_text_of_many_bars_is_counts(harvest_crowd):
    words = harvest_crowd.alt
    assert "Author" not in words
    assert len(words) < 2500


def test_people_counted_before_the_analysis_are_said_to_be():
    from ldn_meta.display.figures.directions import counted_early

    assert counted_early([]) == []
    told = counted_early([("A", "58 randomised"), ("A", "58 randomised")])
    assert told == ["Counted before the analysis, which is not told: A: 58 randomised."]
