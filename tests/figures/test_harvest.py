"""What a harvest plot draws: a bar for each study, in the panel of its direction."""

import itertools

import pytest
from matplotlib.colors import to_hex

from builders import (
    NAN,
    assert_legible,
    described,
    frame,
    many,
    mark,
    marks,
    overlap,
    result,
    says,
    text_boxes,
    texts,
)
from ldn_meta.display.figures.bias import JUDGEMENTS
from ldn_meta.display.figures.directions import effect_direction_plot, harvest_plot, letters
from ldn_meta.errors import ArgumentError

AGAINST, NEITHER, FOR, UNKNOWN = range(4)

FRAME = frame(
    result("old2009", "pain", year=2009.0, group="pain", is_randomised=False, blinding="open",
           overall_bias="serious", n_people=10.0),
    result("blind2013", "pain", year=2013.0, group="pain", n_people=28.0, overall_bias="low"),
    result("open2014", "pain", year=2014.0, group="pain", blinding="open", sign=-1.0,
           overall_bias="high", n_people=NAN),
    result("open2014", "response", year=2014.0, blinding="open", sign=-1.0,
           overall_bias="high", n_people=60.0),
    result("blind2013", "response", year=2013.0, overall_bias="low", n_people=28.0),
    result("blind2013", "remission", year=2013.0, overall_bias="low", n_people=27.0, sign=-1.0),
    result("new2026", "pain", year=2026.0, group="pain", direction="no difference", sign=NAN,
           blinding="not stated", overall_bias="", n_people=96.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def figure():
    return harvest_plot(FRAME, title="Crohn's disease")[0]


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


# ---------------------------------------------------------------- legible


def test_every_text_can_be_read(figure):
    assert_legible(figure)


@pytest.mark.parametrize(("studies", "outcomes"), [(1, 1), (3, 8), (40, 4)])
def test_few_and_many_studies_can_be_read(studies, outcomes):
    drawn, _ = harvest_plot(many(studies, outcomes, long_labels=True), title="A title " * 20)
    assert_legible(drawn)


def test_no_bar_lies_on_a_text_or_another_bar_and_all_stay_in_their_panel():
    drawn, _ = harvest_plot(many(40, 4))
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


def test_panels_run_from_comparator_to_ldn(figure):
    heads = [a.get_text().replace("\n", " ") for a in marks(figure, "panel-").values()]
    assert heads == ["Favours comparator", "No difference, or mixed", "Favours treatment"]
    boxes = [box for text, box in text_boxes(figure) if (text.get_gid() or "").startswith("panel")]
    assert [box.x0 for box in boxes] == sorted(box.x0 for box in boxes)


def test_direction_not_known_has_a_panel_only_where_it_occurs():
    unknown, _ = harvest_plot(frame(result(), result("b2012", direction="not stated", sign=NAN)))
    assert says(unknown, "panel-3").replace("\n", " ") == "Direction not known"
    assert bars(unknown, 0, UNKNOWN)
    assert not bars(unknown, 0, NEITHER)


def test_each_study_stands_once_in_the_panel_of_its_direction(figure):
    assert [letter for _, letter, _ in bars(figure, 0, FOR)] == ["B", "A"]
    assert [letter for _, letter, _ in bars(figure, 0, AGAINST)] == ["C"]
    assert [letter for _, letter, _ in bars(figure, 0, NEITHER)] == ["D"]
    assert [letter for _, letter, _ in bars(figure, 1, AGAINST)] == ["C"]
    assert [letter for _, letter, _ in bars(figure, 1, NEITHER)] == ["B"]
    assert says(figure, "bar-1-2-none") == "none"


def test_panels_agree_with_the_arrows_of_the_effect_direction_plot():
    directions = many(25, 4)
    harvest, _ = harvest_plot(directions)
    arrows, _ = effect_direction_plot(directions)
    counted = {a.get_text(): n[:-6] for n, a in marks(arrows, "count-").items() if "label" in n}
    for column in range(4):
        count = {word: int(says(arrows, f"{name}-{column}")) for word, name in counted.items()}
        assert len(bars(harvest, column, FOR)) == count["Favours treatment"]
        assert len(bars(harvest, column, AGAINST)) == count["Favours comparator"]
        assert len(bars(harvest, column, NEITHER)) == count["No difference"] + count["Mixed"]
        assert len(bars(harvest, column, UNKNOWN)) == count["Direction not known"]


def test_height_is_the_suitability_of_the_design(figure):
    blind, by_choice = (height for height, _, _ in bars(figure, 0, FOR))
    ((open_label, _, _),) = bars(figure, 0, AGAINST)
    ((not_stated, _, _),) = bars(figure, 0, NEITHER)
    assert blind == 3 * by_choice
    assert open_label == not_stated == 2 * by_choice


def test_bars_stand_on_one_line(figure):
    feet = [mark(figure, f"bar-0-{i}-0").get_y() + bars(figure, 0, i)[0][0] for i in range(3)]
    assert max(feet) == pytest.approx(min(feet))


def test_people_stand_above_the_bar_and_the_letter_below(figure):
    assert [people for _, _, people in bars(figure, 0, FOR)] == ["28", "10"]
    assert bars(figure, 0, AGAINST)[0][2] == "NR"
    boxes = {text.get_gid(): box for text, box in text_boxes(figure)}
    bar = mark(figure, "bar-0-2-0").get_window_extent()
    assert boxes["bar-0-2-0-people"].y0 > bar.y1 - 1
    assert boxes["bar-0-2-0-key"].y1 < bar.y0 + 1


def test_a_study_whose_outcomes_differ_is_starred_and_the_star_explained(figure):
    assert bars(figure, 1, NEITHER)[0][2] == "28*"
    assert any(text.startswith("* mixed") for text in texts(figure))
    plain, _ = harvest_plot(FRAME[:3])
    assert not any("*" in text for text in texts(plain))


def test_colour_and_pattern_are_the_risk_of_bias(figure):
    low, serious = mark(figure, "bar-0-2-0"), mark(figure, "bar-0-2-1")
    assert to_hex(low.get_facecolor()) == JUDGEMENTS["low"].fill
    assert to_hex(serious.get_facecolor()) == JUDGEMENTS["serious"].fill
    assert low.get_hatch() != serious.get_hatch()
    not_judged = mark(figure, "bar-0-1-0")
    assert to_hex(not_judged.get_facecolor()) == "#ffffff"
    assert not_judged.get_hatch()


def test_no_two_judgements_look_the_same():
    biases = [word for word in JUDGEMENTS if word not in ("yes", "no", "unclear")]
    rows = [result(f"s{i}", overall_bias=word) for i, word in enumerate([*biases, ""])]
    drawn, _ = harvest_plot(frame(*rows))
    found = [mark(drawn, f"bar-0-2-{i}") for i in range(len(rows))]
    looks = [(to_hex(bar.get_facecolor()), bar.get_hatch()) for bar in found]
    assert len(set(looks)) == len(rows)


def test_key_names_every_study_oldest_first(figure):
    said = " ".join(texts(figure)).replace("\N{NO-BREAK SPACE}", " ").replace("\n", " ")
    assert "A: Old2009; B: Blind2013; C: Open2014; D: New2026." in said


def test_legend_explains_what_occurs_and_no_more(figure):
    words = [a.get_text() for n, a in marks(figure, "legend-").items() if n.endswith("-words")]
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
    assert len(bars(drawn, 0, FOR)) == 30
    assert_legible(drawn)


# ---------------------------------------------------------------- words, refusals, bytes


def test_alt_text_tells_every_panel_and_bar():
    words = described(harvest_plot, FRAME, title="Crohn's")
    assert words.startswith("Harvest plot: Crohn's.")
    assert (
        "Pain: favours comparator one study, Open2014 (randomised, not or not said to be "
        "double-blind; risk of bias high; people not reported)" in words
    )
    assert "Old2009 (not randomised, or not said to be; risk of bias serious; 10 people)" in words
    assert "Blind2013 (randomised, double-blind; risk of bias low; 28 people, mixed)" in words
    assert "favours treatment no studies" in words
    assert "direction not known" not in words
    assert words.isascii()


def test_alt_text_of_many_bars_is_counts():
    words = described(harvest_plot, many(40, 4))
    assert "Author" not in words
    assert len(words) < 2500


@pytest.mark.parametrize(
    ("directions", "word"),
    [
        (FRAME.drop(columns="blinding"), "blinding"),
        (FRAME.assign(eligible_for="excluded"), "excluded"),
        (FRAME.assign(overall_bias="splendid"), "splendid"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(directions, word):
    with pytest.raises(ArgumentError, match=word):
        harvest_plot(directions)
