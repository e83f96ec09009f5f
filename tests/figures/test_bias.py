"""What the figures of risk of bias draw, read back from the figure."""

import itertools
from functools import cache

import pandas as pd
import pytest
from hypothesis import strategies as st

from builders import (
    assert_legible,
    described,
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
from ldn_meta.display.figures.bias import (
    CHECKLIST_NOTE,
    COLUMNS,
    JUDGEMENTS,
    NOTHING_TO_SUM_UP,
    bias_summary,
    dots_note,
    traffic_light,
    who_judged,
)
from ldn_meta.evidence.raw.bias import TOOLS, bias_reasons

ROB2, CROSSOVER = TOOLS["RoB 2"], TOOLS["RoB 2 crossover"]


def study(tool, name, *words, judged_by="this project"):
    """Rows of one study; the last word is the overall judgement."""
    key = name.lower().replace(" ", "")
    return [
        (key, name, tool.name, domain, word, judged_by)
        for domain, word in zip(tool.domain_names, words, strict=True)
    ]


def table(*studies):
    return pd.DataFrame(list(itertools.chain(*studies)), columns=list(COLUMNS))


GOOD = study(ROB2, "Good 2001", *["low"] * 6)
BAD = study(ROB2, "Bad 2002", "low", "low", "high", "some concerns", "low", "high")
CROSSED = study(
    CROSSOVER, "Crossed 2003", "low", "high", "low", "low", "low", "some concerns", "high"
)
OPEN = study(
    TOOLS["ROBINS-I"],
    "Open 2004",
    "serious",
    "moderate",
    *["low"] * 3,
    "no information",
    "low",
    "serious",
)
SERIES = study(
    TOOLS["JBI case series"], "Series 2005", *["yes"] * 8, "not applicable", "unclear", "unclear"
)
FRAME = table(BAD, CROSSED, OPEN, SERIES, GOOD)


def many(number):
    words = itertools.cycle(ROB2.ranks)
    names = (f"A trial with a name that is rather long, {i}" for i in range(number))
    return table(*(study(ROB2, name, *itertools.islice(words, 6)) for name in names))


@pytest.fixture(scope="module")
def light():
    return traffic_light(FRAME, title="Who was judged how")[0]


@pytest.fixture(scope="module")
def summary():
    return bias_summary(FRAME, title="How much was judged how")[0]


# ---------------------------------------------------------------- traffic light


@cache
def crowd(number=60):
    return traffic_light(many(number), title="A title that is long enough to be broken " * 2)[0]


@pytest.mark.parametrize("number", [slow(1), slow(6), slow(16), 60])
def test_every_text_can_be_read(number):
    # Letters lie on dots of their own; dots are no texts.
    assert_legible(crowd(number))


def test_real_judgements_can_be_read(evidence):
    figure, _ = traffic_light(bias_reasons(evidence), title="All studies")
    assert_legible(figure)
    assert len([name for name in marks(figure, "block-") if name.endswith("-name")]) == 5


def test_no_dot_lies_on_another_or_on_a_word(light):
    # Texts first: measuring them settles the figure at the resolution of the PNG.
    words = [
        box for text, box in text_boxes(light) if not (text.get_gid() or "").endswith("letter")
    ]
    dots = {
        name: artist
        for name, artist in marks(light, "block-").items()
        if "-cell-" in name and not name.endswith(("-letter", "-blank"))
    }
    assert len(dots) == 6 * 2 + 7 + 8 + 10
    boxes = [artist.get_window_extent() for artist in dots.values()]
    for one, other in itertools.combinations(boxes, 2):
        assert not overlap(one, other)
    for box in boxes:
        assert not any(overlap(box, word) for word in words)


def test_blocks_come_in_the_order_of_the_tools(light):
    names = [says(light, f"block-{i}-name") for i in range(4)]
    assert names[0] == "RoB 2 for trials (two studies)"
    assert names[1] == "RoB 2 for crossover trials (one study)"
    assert names[2].startswith("ROBINS-I")
    assert names[3].startswith("JBI checklist for case series")


def test_studies_keep_their_order(light):
    assert says(light, "block-0-row-0-label") == "Bad 2002"
    assert says(light, "block-0-row-1-label") == "Good 2001"
    upper = mark(light, "block-0-row-0-label").get_position()[1]
    assert upper < mark(light, "block-0-row-1-label").get_position()[1]


def test_every_judgement_is_where_its_head_is(light):
    heads = [says(light, f"block-1-head-{i}") for i in range(7)]
    assert heads == ["D1", "DS", "D2", "D3", "D4", "D5", "Overall"]
    letters = [says(light, f"block-1-row-0-cell-{i}-letter") for i in range(7)]
    assert letters == ["L", "H", "L", "L", "L", "C", "H"]
    for column in range(7):
        dot = mark(light, f"block-1-row-0-cell-{column}")
        assert dot.get_xdata()[0] == mark(light, f"block-1-head-{column}").get_position()[0]


def test_a_colour_is_the_letter_s(light):
    for column, word in enumerate(["low", "low", "high", "some concerns", "low", "high"]):
        dot = mark(light, f"block-0-row-0-cell-{column}")
        assert dot.get_markerfacecolor() == JUDGEMENTS[word].fill


def test_what_was_not_judged_has_no_dot():
    rows = study(ROB2, "Waiting 2006", "low", *["TODO"] * 5)
    figure, _ = traffic_light(table(rows[:3]))
    assert says(figure, "block-0-row-0-cell-1-blank") == "\N{EN DASH}"
    # Rows that are not there are not judged either.
    assert says(figure, "block-0-row-0-cell-5-blank") == "\N{EN DASH}"
    assert any("not judged yet" in text for text in texts(figure))
    assert "Waiting 2006: not judged yet." in described(traffic_light, table(rows))


def test_an_item_that_does_not_apply_says_so(light):
    assert says(light, "block-3-row-0-cell-8-blank") == "n/a"
    assert any("n/a not applicable" in text for text in texts(light))


def test_heads_and_letters_are_explained(light):
    words = plain(light)
    assert "DS period and carryover effects" in words
    assert "L low, Y yes, C some concerns, M moderate, S serious, H high" in words
    assert "? no information or unclear" in words
    assert "Judged by this project, from what could be read" in words
    assert CHECKLIST_NOTE in words


def test_without_a_checklist_none_is_explained():
    words = plain(traffic_light(table(GOOD))[0])
    assert CHECKLIST_NOTE not in words
    assert "C some concerns" not in words


def test_alt_text_tells_every_study(light):
    words = light.alt
    assert "Risk of bias by study and domain: Who was judged how." in words
    assert "RoB 2 for trials, two studies:" in words
    assert (
        "Bad 2002: overall high (high for missing outcome data; "
        "some concerns for measurement of the outcome)." in words
    )
    assert "Good 2001: overall low." in words
    assert "Series 2005: overall unclear (unclear for 1 of 10 items)." in words
    assert words.isascii()


def test_alt_text_counts_where_there_are_many():
    words = crowd().alt
    assert "overall not readable here in 30, high in 30." in words
    assert "name that is rather long" not in words


# ---------------------------------------------------------------- summary


@pytest.mark.parametrize("number", [slow(1), slow(6), 16])
def test_the_summary_can_be_read(number):
    assert_legible(bias_summary(many(number), title="A title that is long enough " * 4)[0])


def test_bars_have_their_domains_in_order(summary):
    labels = [says(summary, f"bar-{i}-label") for i in range(7)]
    assert [label.split()[0] for label in labels] == [
        "D1",
        "DS",
        "D2",
        "D3",
        "D4",
        "D5",
        "Overall",
    ]


def test_parts_of_a_bar_are_shares_of_its_trials(summary):
    # D3 over three trials: low in Good and Crossed, high in Bad.
    low, high = (mark(summary, f"bar-3-part-{i}") for i in range(2))
    assert low.get_width() == pytest.approx(2 * high.get_width(), rel=1e-4)
    assert high.get_x() == pytest.approx(low.get_x() + low.get_width(), rel=1e-4)
    assert low.get_facecolor() != high.get_facecolor()
    assert says(summary, "bar-3-numbers") == "L 2, H 1"


def test_carryover_is_summed_up_over_crossover_trials_alone(summary):
    (only,) = list(marks(summary, "bar-1-part"))
    whole = sum(part.get_width() for name, part in marks(summary, "bar-2-part").items())
    assert mark(summary, only).get_width() == pytest.approx(whole, rel=1e-4)
    assert says(summary, "bar-1-numbers") == "H 1 (one trial)"


def test_other_tools_are_passed_over():
    assert texts(bias_summary(table(OPEN, SERIES))[0]) == [NOTHING_TO_SUM_UP]


def test_without_crossover_trials_there_is_no_bar_for_carryover():
    figure, _ = bias_summary(table(GOOD, BAD))
    assert says(figure, "bar-1-label").startswith("D2")
    assert not any("crossover" in text for text in texts(figure))


def test_weights_are_shares_of_the_pool():
    figure, _ = bias_summary(FRAME, weights={"good2001": 75.0, "bad2002": 25.0})
    # Crossed has no weight, so it is not in the pool.
    assert says(figure, "bar-0-numbers") == "L 100%"
    assert says(figure, "bar-2-numbers") == "L 75%, H 25%"
    low, high = (mark(figure, f"bar-2-part-{i}") for i in range(2))
    assert low.get_width() == pytest.approx(3 * high.get_width(), rel=1e-4)
    words = figure.alt
    assert "Overall (two trials): low 75%, high 25% of the weight." in words
    assert any(text == "share of the weight in the pool" for text in texts(figure))


def test_a_trial_that_waits_is_not_in_the_shares():
    waiting = study(ROB2, "Waiting 2006", *["TODO"] * 6)
    assert described(bias_summary, table(GOOD, waiting)) == described(bias_summary, table(GOOD))


def test_letters_stand_only_where_they_have_room():
    figure, _ = bias_summary(table(*[study(ROB2, f"G {i}", *["low"] * 6) for i in range(40)], BAD))
    assert "bar-2-letter-0" in marks(figure, "bar-2")
    assert "bar-2-letter-1" not in marks(figure, "bar-2")
    assert says(figure, "bar-2-numbers") == "L 40, H 1"


@holds_for(
    10,
    25,
    judged=st.lists(
        st.lists(st.sampled_from(list(ROB2.ranks)), min_size=6, max_size=6), min_size=1
    ),
)
def test_shares_of_any_trials_fill_their_bar(judged):
    frame = table(*(study(ROB2, f"T {i}", *words) for i, words in enumerate(judged)))
    figure, _ = bias_summary(frame)
    for bar, words in enumerate(zip(*judged, strict=True)):
        parts = marks(figure, f"bar-{bar}-part-")
        assert len(parts) == len(set(words))
        whole = sum(part.get_width() for part in parts.values())
        assert whole == pytest.approx(260.0, rel=1e-4)
        first = next(iter(parts.values())).get_width() / whole
        best = min(words, key=ROB2.ranks.__getitem__)
        assert first == pytest.approx(words.count(best) / len(words), rel=1e-4)


# ---------------------------------------------------------------- refusals, bytes, words


def test_who_judged_is_said():
    assert who_judged(["nobody yet"]) == ""
    both = who_judged(["published review", "this project"])
    assert "by this project" in both
    assert "by published reviews" in both


def test_a_note_explains_the_heads_that_are_shown(evidence):
    note = dots_note(evidence, ["younger2013", "innova2026"]).replace(style.NO_BREAK, " ")
    assert "DS period and carryover effects (RoB 2 crossover)" in note
    alone = dots_note(evidence, ["younger2013"]).replace(style.NO_BREAK, " ")
    assert "DS period and carryover effects;" in alone
    mixed = dots_note(evidence, ["innova2026", "younger2009"])
    assert "ROBINS-I: overall only" in mixed
    assert dots_note(evidence, ["anodyne4"]) == ""
    assert dots_note(evidence, ["younger2009", "irwin2024"]).startswith("Judged by this project")
