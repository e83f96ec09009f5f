"""Six questions that every figure answers, asked of all of them.

Can every text be read, do words say what is drawn, what is said of nothing, do long names fit,
do ratios stand on a log axis, and are the bytes the same whoever draws them.
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from builders import (
    assert_legible,
    drawn,
    frame,
    mark,
    marks,
    result,
    slow,
    small,
    svg_ids,
    text_boxes,
    texts,
)
from ldn_meta.display.figures import (
    albatross,
    bias,
    directions,
    dose,
    forest,
    funnel,
    influence,
    next_trial,
    responders,
    sequential,
    specification,
)
from ldn_meta.display.figures import studies as evidence_map
from ldn_meta.display.outputs import FigureOutput
from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.raw.bias import TOOLS
from ldn_meta.stats.pool import pool
from ldn_meta.stats.regression import meta_regression, subgroups

NAN = math.nan
LONG = "A name that is far too long for one line of a table and must be broken, "
WORDS = {"direction": ("favours treatment", "favours placebo")}
LONG_WORDS = {"direction": ("favours a treatment whose name is long " * 3, "favours placebo")}


def named(names, is_long):
    return [f"{LONG if is_long else ''}{name}" for name in names]


def of_forest(by, is_long):
    yi, vi = np.array([-0.5, 0.36, -1.2, 0.9]) * by, [0.25, 0.04, 1.0, 0.09]
    labels = named(["A 2001", "B 2002", "C 2003", "D 2004"], is_long)
    arms = pd.DataFrame({"Treatment\nmean (SD), n": ["-1.5 (2.3), 20"] * 4})
    beside = {"label": LONG, "yi": -2.1, "ci_low": -9.0, "ci_high": 4.2, "note": LONG}
    return [pool(yi, vi, measure="MD", labels=labels)], {
        **(LONG_WORDS if is_long else WORDS),
        "columns": arms,
        "shown_only": pd.DataFrame([beside]),
        "summaries": [("without crossovers", pool(yi[:2], vi[:2], measure="MD")), ("none", None)],
        "dots": pd.DataFrame({"D1": ["low", "high", "TODO", "unclear"], "All": ["low"] * 4}),
    }


def of_subgroups(by, is_long):
    yi, vi = np.array([-0.5, 0.36, -1.2, 0.9, 0.1]) * by, [0.25, 0.04, 1.0, 0.09, 0.2]
    labels = named(["A 2001", "B 2002", "C 2003", "D 2004", "E 2005"], is_long)
    one, other, alone = named(["crossover", "parallel", "cluster"], is_long)
    design = [one, other, one, other, alone]
    arms = pd.DataFrame({"Treatment\nmean (SD), n": ["-1.5 (2.3), 20"] * 5})
    found = subgroups(yi, vi, by=design, measure="MD", labels=labels, groups=[one, other, alone])
    return [found], {**(LONG_WORDS if is_long else WORDS), "columns": arms, "totals": ["n = 99"]}


def of_pool(by, is_long):
    yi, vi = np.array([-0.5, 0.36, -1.2, 0.9]) * by, [0.25, 0.04, 1.0, 0.09]
    labels = named(["A 2001", "B 2002", "C 2003", "D 2004"], is_long)
    return [pool(yi, vi, measure="MD", labels=labels)], {}


def of_leave_one_out(by, is_long):
    arguments, _ = of_pool(by, is_long)
    label = LONG * 3 if is_long else "points (0-10)"
    return arguments, {**(LONG_WORDS if is_long else WORDS), "x_label": label}


def of_labbe(by, is_long):
    counts = [[np.array([3, 9, 0, 12]) * by], [20, 31, 15, 40], [1, 9, 2, 20], [22, 30, 14, 41]]
    found = pool(np.array([-0.2, 0.1]) * by, [0.1, 0.1], measure="RR")
    one, other, event = named(["treatment", "placebo", "nausea"], is_long)
    labels = named("ABCD", is_long)
    return [counts[0][0], *counts[1:]], {
        "result": found, "labels": labels, "arms": (one, other), "event": event,
    }  # fmt: skip


def of_bubble(by, is_long):
    yi, vi = np.array([-0.5, 0.36, -1.2, 0.9, 0.1]) * by, [0.25, 0.04, 1.0, 0.09, 0.2]
    names = named(["dose", "year"], is_long)
    x = np.array([[1.0, 2001], [2, 2008], [3, 2004], [4.5, 2009], [5, 2002]])
    found = meta_regression(yi, vi, x, names=names)
    labels = named("ABCDE", is_long)
    options = {"covariate": names[0], "labels": labels, "measure": "MD"}
    return [found], {**(LONG_WORDS if is_long else WORDS), **options}


def of_cumulative(by, is_long):
    ends = [(-0.55, -0.97, -0.13), (-0.45, -0.80, -0.10), (-0.21, -0.70, 0.27)]
    rows = [
        (name, 2013 + i, i + 1, 27.0 + 99 * i, *(end * by for end in ends[i]))
        for i, name in enumerate(named(["A", "B", "C"], is_long))
    ]
    table = pd.DataFrame(rows, columns=forest.CUMULATIVE_COLUMNS)
    return [table], {**(LONG_WORDS if is_long else WORDS), "x_label": "mean difference"}


def of_funnel(by, is_long):
    table = pd.DataFrame(
        {
            "label": named("ABCD", is_long),
            "yi": np.array([-0.5, 0.36, -2.2, 0.9]) * by,
            "vi": [0.25, 0.04, 1.0, 0.09],
            "imputed": [False, False, False, True],
        }
    )
    label = LONG * 3 if is_long else "mean difference, points (0-10)"
    return [table], {**(LONG_WORDS if is_long else WORDS), "x_label": label, "centre": -0.7 * by}


def of_sequential(by, is_long):
    at = np.linspace(0.01, 1, 100)
    late = np.linspace(0.4, 1, 40)
    rows = zip(named("ABC", is_long), (0.25, 0.49, 0.64), (-1.2, -2.4, -2.6 * by), strict=True)
    return [pd.DataFrame(rows, columns=sequential.LOOK_COLUMNS)], {
        **(LONG_WORDS if is_long else WORDS),
        "boundary": (at, sequential.CONVENTIONAL / np.sqrt(at)),
        "futility": (late, sequential.CONVENTIONAL * (late - 0.4) / 0.6),
        "ris_people": 1723.4,
    }


def of_next_trial(by, is_long):
    rows = [
        (people, effect, share * by, what)
        for what in named(["the pooled interval lies off no effect", "it lies inside"], is_long)
        for people, effect, share in (
            (100, -1.0, 0.5), (200, -1.0, 0.8), (400, -1.0, 0.9), (100, 0.0, 0.05), (400, 0.0, 0.1)
        )
    ]  # fmt: skip
    unit = LONG if is_long else "points (0-10)"
    return [pd.DataFrame(rows, columns=next_trial.NEXT_TRIAL_COLUMNS)], {
        **WORDS,
        "unit_words": unit,
    }


def of_responders(by, is_long):
    name = named(["Smith 2011"], is_long)[0]
    rows = [
        (name, "treatment", 1, "At least 30% less pain", 22, 49, 0.449 * by, 0.3184, 0.5871, LONG),
        (name, "placebo", 2, "At least 30% less pain", 14, 50, 0.28, 0.1747, 0.4167, "NA"),
        ("Alone 2012", name, 3, "At least 50% less pain", NAN, 60, 0.41, NAN, NAN, "no count"),
    ]
    return [pd.DataFrame(rows, columns=list(responders.RESPONDER_COLUMNS))], {}


def of_directions(by, is_long):
    first, second = named(["smith2011", "young2020"], is_long)
    rows = [
        result(first, p_low=0.0085 * by),
        result(first, "remission", sign=-1.0),
        result(second, year=2020.0, p_low=0.0, p_high=0.05, n_people=350.0, sign=NAN),
        result("old2001", year=2001.0, n_people=28.0, is_paired=True, overall_bias="high"),
    ]
    return [frame(*rows)], {}


def of_albatross(by, is_long):
    arguments, _ = of_directions(by, is_long)
    return arguments, {"contours": {"0.5": ([0.5, 0.05, 0.001], [8.0 * by, 62.0, 180.0])}}


def of_specification(by, is_long):
    found, told = small()
    found = replace(found, results={name: v * by for name, v in found.results.items()})
    unit = LONG * 2 if is_long else "points (0-10)"
    return [found, told], {**(LONG_WORDS if is_long else WORDS), "unit_words": unit}


def of_map(by, is_long):
    one, other = named(["fibromyalgia", "Crohn's disease"], is_long)
    rows = [
        (one, "pain", 3, 195 * by, "same in both", "meta-analysis"),
        (one, "any adverse event", 1, 99, "favours comparator", "one trial"),
        (other, "pain", 0, 0, "side not known", evidence_map.NOTHING),
        (other, "any adverse event", 2, 0, "favours treatment", "direction only"),
    ]
    told = [
        (*row, False, "very low", other, "0.02 (-1.33 to 1.45)", "", 0, 0, "LDN") for row in rows
    ]
    return [pd.DataFrame(told, columns=list(evidence_map.MAP_COLUMNS))], {}


def of_bias(_by, is_long):
    rows = [
        (name, name, tool.name, domain, word, "this project")
        for name, tool, words in (
            (named(["Good 2001"], is_long)[0], TOOLS["RoB 2"], ["low"] * 6),
            ("Bad 2002", TOOLS["RoB 2"], ["low", "low", "high", "some concerns", "low", "high"]),
        )
        for domain, word in zip(tool.domain_names, words, strict=True)
    ]
    return [pd.DataFrame(rows, columns=list(bias.COLUMNS))], {}


def of_dose(by, is_long):
    doses = np.linspace(0, 15, 31)
    middle = doses / (doses + 3.9)
    share = [middle * part for part in (0.5, 0.8, 1.0, 1.05, 1.1)]
    name = named(["11 of 25 responded"], is_long)[0]
    return [
        dose.CurveBands(doses, *share),
        [dose.DoseSpread(name, 3.2, 5.0, 6.3 * by, 8.0, 15.2)],
        [dose.PrintedDose("ed95", 0.95, 5.4, 4.66, 6.13)],
    ], {"ladder": (0.75, 6.0)}


@dataclass(frozen=True)
class Sample:
    """A figure, how it is made of data ``by`` times as large, and what it says of none."""

    plot: Callable[..., Any]
    output: Callable[..., Any]
    make: Callable[[float, bool], tuple[list[Any], dict[str, Any]]]
    kind: str
    nothing: str = ""
    none: Callable[[Any], Any] = lambda table: table[:0]

    def draw(self, *, by=1.0, is_long=False, title="Pain in all", **options):
        arguments, own = self.make(by, is_long)
        return self.plot(*arguments, **own, title=title, **options)


FIGURES = {
    "forest": Sample(
        forest.forest_plot, forest.forest_output, of_forest, "Forest plot", forest.NO_TRIAL,
        none=lambda _: None,
    ),
    "subgroups": Sample(
        forest.forest_plot, forest.forest_output, of_subgroups, "Forest plot of five trials",
    ),
    "leave one out": Sample(
        influence.leave_one_out_plot, influence.leave_one_out_output, of_leave_one_out,
        "Leave-one-out forest plot", forest.NO_TRIAL, none=lambda _: pool([], []),
    ),
    "baujat": Sample(
        influence.baujat_plot, influence.baujat_output, of_pool, "Baujat plot",
        influence.FEW_TO_COMPARE, none=lambda _: pool([0.1, 0.2], [0.1, 0.1]),
    ),
    "labbe": Sample(
        influence.labbe_plot, influence.labbe_output, of_labbe, "L'Abbe plot",
        influence.NO_TABLE, none=lambda table: [NAN] * len(table),
    ),
    "bubble": Sample(
        influence.bubble_plot, influence.bubble_output, of_bubble, "Bubble plot",
        "No more trials than coefficients: nothing was estimated.",
        none=lambda _: meta_regression([0.1], [0.1], [[1.0, 2.0]], names=["dose", "year"]),
    ),
    "cumulative": Sample(
        forest.cumulative_plot, forest.cumulative_output, of_cumulative, "Cumulative forest plot",
        forest.NO_TRIAL,
    ),
    "funnel": Sample(
        funnel.funnel_plot, funnel.funnel_output, of_funnel, "Funnel plot", forest.NO_TRIAL
    ),
    "sequential": Sample(
        sequential.sequential_plot, sequential.sequential_output, of_sequential,
        "Sequential figure", sequential.NO_LOOK,
    ),
    "next trial": Sample(
        next_trial.next_trial_plot, next_trial.next_trial_output, of_next_trial,
        "Value of a next trial", next_trial.NO_CURVE,
    ),
    "responders": Sample(
        responders.responder_plot, responders.responder_output, of_responders, "Responder plot",
        responders.NOTHING_REPORTED,
    ),
    "effect directions": Sample(
        directions.effect_direction_plot, directions.effect_direction_output, of_directions,
        "Effect direction plot", directions.NO_DIRECTION,
    ),
    "harvest": Sample(
        directions.harvest_plot, directions.harvest_output, of_directions, "Harvest plot",
        directions.NO_DIRECTION,
    ),
    "albatross": Sample(
        albatross.albatross_plot, albatross.albatross_output, of_albatross, "Albatross plot",
        albatross.NOTHING_TO_PLACE,
    ),
    "specification": Sample(
        specification.specification_curve, specification.specification_curve_output,
        of_specification, "Specification curve",
    ),
    "evidence map": Sample(
        evidence_map.evidence_map, evidence_map.evidence_map_output, of_map, "Evidence map",
        evidence_map.NOTHING_MAPPED,
    ),
    "traffic light": Sample(
        bias.traffic_light, bias.traffic_light_output, of_bias,
        "Risk of bias by study and domain", bias.NOTHING_JUDGED,
    ),
    "bias summary": Sample(
        bias.bias_summary, bias.bias_summary_output, of_bias, "Risk of bias, summed up",
        bias.NOTHING_TO_SUM_UP,
    ),
    "dose": Sample(dose.dose_figure, dose.dose_output, of_dose, "Dose figure"),
}  # fmt: skip
EVERY = pytest.mark.parametrize("name", FIGURES)


@pytest.fixture(scope="module")
def plain():
    """Each figure once; questions do not change it."""
    return {name: sample.draw()[0] for name, sample in FIGURES.items()}


@EVERY
def test_every_text_can_be_read(plain, name):
    assert_legible(plain[name])


@EVERY
def test_words_say_what_the_figure_is(plain, name):
    words = plain[name].alt
    assert words.startswith(FIGURES[name].kind)
    assert "Pain in all" in words
    assert words.isascii()
    assert len(words) > 100


@pytest.mark.parametrize("name", [name for name, sample in FIGURES.items() if sample.nothing])
@pytest.mark.parametrize("title", ["Pain in none", LONG * 3])
def test_nothing_is_said_in_words(name, title):
    sample = FIGURES[name]
    (table, *rest), options = sample.make(1.0, False)
    options = {} if name in ("forest", "leave one out", "bubble") else options
    options |= {"covariate": "dose"} if name == "bubble" else {}
    figure, axes = sample.plot(sample.none(table), *rest, **options, title=title)
    said = [text.replace("\n", " ") for text in texts(figure)]
    assert [text.strip() for text in said] == [title.strip(), sample.nothing]
    assert sample.nothing in figure.alt
    assert figure.axes == [axes]
    assert_legible(figure)


@EVERY
def test_long_names_can_be_read(name):
    assert_legible(FIGURES[name].draw(is_long=True, title="A title " * 30)[0])


@pytest.mark.parametrize("name", ["forest", "subgroups", "cumulative"])
@pytest.mark.parametrize("is_long", [False, True])
def test_rows_stand_on_a_telephone_in_letters_of_eleven_pixels(name, is_long):
    wide, axes = FIGURES[name].draw(is_long=is_long)
    narrow = wide.narrow()
    assert_legible(narrow, is_stacked=True)
    shown_at = 358 / (72 * narrow.get_figwidth())
    assert min(text.get_fontsize() for text, _ in text_boxes(narrow)) * shown_at >= 11
    assert narrow.alt == wide.alt
    # The same marks on the same scale, and every effect in words.
    assert narrow.axes[1].get_xlim() == pytest.approx(axes.get_xlim(), rel=0.2)
    drawn_wide = {name for name in marks(wide, "trial-") if name.endswith("-interval")}
    assert drawn_wide <= set(marks(narrow, "trial-"))


@pytest.mark.parametrize("name", ["forest", "subgroups", "cumulative", "funnel"])
@pytest.mark.parametrize("is_long", [slow(False), True])
def test_ratios_stand_on_a_log_axis(name, is_long):
    figure, axes = FIGURES[name].draw(is_long=is_long, log_scale=True)
    assert axes.get_xscale() == "log"
    assert set(mark(figure, "no-effect").get_xdata()) == {1}
    assert "Values below 1: " in figure.alt
    assert_legible(figure)


def test_a_ratio_as_true_effect_is_printed_as_a_ratio():
    figure, _ = FIGURES["next trial"].draw(log_scale=True)
    assert "True effect below 1: " in figure.alt
    assert "0.37" in texts(figure)
    assert_legible(figure)


HOSTILE = {
    "font.size": 20,
    "svg.fonttype": "none",
    "axes.facecolor": "red",
    "savefig.bbox": "tight",
    "savefig.dpi": 30,
    "lines.linewidth": 9,
    "text.color": "green",
}


@pytest.mark.parametrize(
    ("name", "is_png"),
    [
        *((name, name == "forest") for name in FIGURES),
        *(slow(name, True) for name in FIGURES if name != "forest"),
    ],
)
def test_bytes_are_the_same_twice(plain, name, is_png):
    """Neither settings of the session nor the last digits of a computer change a byte."""
    sample = FIGURES[name]
    one = FigureOutput(plain[name], "figure", plain[name].alt)
    svg = one.svg()
    # Every PNG is saved by the same few lines, so others than that of the forest are slow.
    png = one.png() if is_png else b""
    arguments, options = sample.make(1 + 1e-13, False)
    with mpl.rc_context(HOSTILE):
        other = sample.output("figure", *arguments, **options, title="Pain in all")
        assert other.svg() == svg
        assert not is_png or other.png() == png
    assert other.alt == one.alt
    # What the trial tested is tinted in both parts of the dose figure.
    ids = [name for name in svg_ids(svg) if name != "ladder"]
    assert len(ids) == len(set(ids))
    assert "<text" in svg, "letters stay letters"
    for word in ("dc:date", "Matplotlib"):
        assert word not in svg


@EVERY
def test_figure_is_unknown_to_pyplot_and_has_true_minus_signs(plain, name):
    drawn(plain[name])
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []
    for text, _ in text_boxes(plain[name]):
        assert not text.get_text().startswith("-")
    assert marks(plain[name], "title")


def twice(table):
    return pd.concat([table, table[:1]])


LIMITED = ("forest", "leave one out", "labbe", "bubble", "funnel")
# What is wrong with the table of the figure above, and what is said of it.
REFUSED = [
    ("cumulative", lambda table: table[::-1], "2014 of 'B' stands below 2015"),
    ("cumulative", {"estimate": -0.99}, "'A' lies outside -0.97 to -0.13"),
    ("cumulative", {"estimate": -0.99}, "'C' lies outside"),
    ("funnel", lambda table: table.drop(columns=["yi", "vi"]), "lacks yi, vi"),
    ("funnel", {"yi": [NAN, 0, 0, 0]}, "yi nan of 'A'"),
    ("funnel", {"yi": [0, math.inf, 0, 0]}, "yi inf of 'B'"),
    ("funnel", {"vi": [1, NAN, 1, 1]}, "vi nan of 'B'"),
    ("funnel", {"vi": [1, 1, 0, 1]}, "vi 0 of 'C'"),
    ("funnel", {"vi": [1, NAN, 1, -1]}, "vi nan of 'B'.*vi -1 of 'D'"),
    ("funnel", {"imputed": [True, False, NAN, False]}, "imputed nan of 'C'"),
    ("funnel", {"imputed": "no"}, "imputed 'no' of 'A'"),
    ("sequential", {"fraction": [0.25, 0.5, 0.5]}, "fraction 0.5 of 'C'"),
    ("sequential", {"fraction": [0.0, 0.5, 0.6]}, "fraction 0 of 'A'"),
    ("sequential", {"z": NAN}, "z nan of 'A'"),
    ("next trial", {"people": 0}, "people 0 in row 0"),
    ("next trial", {"true_effect": NAN}, "true_effect nan in row 0"),
    ("next trial", {"probability": 1.2}, "probability 1.2 in row 0"),
    ("next trial", {"probability": NAN}, "probability nan in row 0"),
    ("next trial", {"people": 0, "probability": 7}, "row 0.*row 1"),
    ("next trial", twice, "is there twice"),
    ("next trial", {"true_effect": [*range(9), 0]}, "9 true effects: allowed are 8"),
    ("evidence map", {"side": "up"}, "side"),
    ("evidence map", {"synthesis": "magic"}, "synthesis"),
    ("evidence map", twice, "twice"),
    ("responders", {"group": 4}, "frame"),
    ("responders", {"group": NAN}, "frame"),
    *(
        (name, change, word)
        for name in ("traffic light", "bias summary")
        for change, word in (
            ({"tool": "QUADAS"}, "tool is 'QUADAS': allowed are RoB 2"),
            ({"domain": "luck"}, "domain of RoB 2 is 'luck'"),
            ({"judgement": "serious"}, "judgement with RoB 2 is 'serious'"),
            (twice, "twice"),
        )
    ),
    ("effect directions", {"sign": 0.5}, "sign is 0.5"),
    ("effect directions", {"eligible_for": "single-arm"}, "single-arm"),
    ("effect directions", {"p_low": 0.5, "p_high": 0.1}, "p_low is 0.5"),
    ("effect directions", {"p_low": NAN}, "p_low is nan"),
    ("effect directions", {"p_high": 1.5}, "p_high 1.5"),
    ("effect directions", {"n_people": 0.0}, "n_people is 0"),
    ("effect directions", {"n_people": math.inf}, "n_people is inf"),
    ("effect directions", twice, "2 times"),
    ("effect directions", {"overall_bias": "splendid"}, "splendid"),
    ("effect directions", {"overall_bias": ["low", "high", "low", "low"]}, "one word a study"),
    ("harvest", {"eligible_for": "excluded"}, "excluded"),
    ("harvest", {"overall_bias": "splendid"}, "splendid"),
    ("albatross", {"eligible_for": "single-arm"}, "old2001"),
]


@pytest.mark.parametrize(("name", "change", "word"), REFUSED)
def test_a_frame_that_does_not_fit_is_refused(name, change, word):
    (table, *rest), options = FIGURES[name].make(1.0, False)
    broken = table.assign(**change) if isinstance(change, dict) else change(table)
    with pytest.raises(ArgumentError, match=word):
        FIGURES[name].plot(broken, *rest, **options, title="Pain")


@pytest.mark.parametrize("name", sorted({name for name, _, _ in REFUSED}))
def test_a_missing_column_is_named(name):
    (table, *rest), options = FIGURES[name].make(1.0, False)
    needed = directions.DIRECTION_COLUMNS if "n_people" in table else table.columns
    for column in set(needed) - {"imputed"}:
        with pytest.raises(ArgumentError, match=column):
            FIGURES[name].plot(table.drop(columns=column), *rest, **options, title="Pain")


@pytest.mark.parametrize(
    ("name", "options", "word"),
    [
        ("forest", {"labels": ["one"]}, "labels has 1 rows"),
        ("forest", {"columns": pd.DataFrame({"n": [1, 2]})}, "columns has 2 rows"),
        ("forest", {"totals": ["n", "n"]}, "totals has 2 texts"),
        (
            "forest",
            {"shown_only": pd.DataFrame({"label": ["A"], "yi": [0.1]})},
            "lacks ci_low, ci_high, note",
        ),
        (
            "forest",
            {"shown_only": pd.DataFrame({"label": ["A"], "yi": 0.1, "ci_low": 0, "ci_high": 1})},
            "lacks note",
        ),
        ("forest", {"dots": pd.DataFrame({"D1": ["low"] * 3})}, "dots has 3 rows"),
        ("forest", {"dots": pd.DataFrame({"D1": ["splendid"] * 4})}, "'splendid'"),
        *(("forest", {"digits": digits}, "digits=.*whole") for digits in (-1, 1.5, "2", True)),
        ("forest", {"x_label": None}, "x_label=None"),
        *(
            ("forest", {"direction": direction}, "direction=.*two texts")
            for direction in ("ab", ("a",), (1, 2), None)
        ),
        ("funnel", {"centre": NAN}, "centre=nan"),
        ("funnel", {"level": 95}, "level=95"),
        ("funnel", {"limits": (-1.0, 1.0)}, "leaves out 'C' at -2.2"),
        ("funnel", {"limits": (-3.0, 1.0), "centre": 2.0}, "leaves out centre at 2"),
        ("funnel", {"limits": (1.0, -3.0)}, "is no range"),
        *((name, {"limits": (0.5, 0.1)}, "is no range") for name in LIMITED),
        *((name, {"limits": "ab"}, "is no range") for name in LIMITED),
        ("forest", {"limits": (1.0, 0.0)}, "is no range"),
        ("leave one out", {"limits": (0.1, 0.5)}, "leaves out no effect at 0"),
        ("leave one out", {"labels": ["A"]}, "labels has 1 entries"),
        ("baujat", {"labels": "ABCD"}, "labels='ABCD' is one text"),
        ("labbe", {"limits": (0.0, 1.2)}, "within 0 to 1"),
        ("labbe", {"limits": (0.0, 0.3)}, "leaves out 'D' at 0.487"),
        ("labbe", {"result": pool([0.1, 0.2], [0.1, 0.1], measure="MD")}, "allowed: RR, OR, RD"),
        ("labbe", {"labels": ["A"]}, "labels has 1 entries"),
        ("bubble", {"covariate": "age"}, "covariate='age' is not known; allowed: dose, year"),
        ("bubble", {"covariate": None}, "allowed: dose, year"),
        ("bubble", {"limits": (-0.3, 1.0)}, "leaves out 'A' at -0.5, 'C' at -1.2"),
        ("bubble", {"labels": ["A"]}, "labels has 1 entries"),
        ("forest", {"limits": (1.0, 2.0)}, "leaves out no effect at 0"),
        ("forest", {"limits": (-1.0, math.inf)}, "is no range"),
        ("forest", {"limits": 3}, "is no range"),
        ("forest", {"limits": (-60.0, 2.0), "log_scale": True}, "is no range"),
        ("funnel", {"limits": (-math.inf, 3.0)}, "is no range"),
        ("funnel", {"limits": (-60.0, 3.0), "log_scale": True}, "is no range"),
        ("funnel", {"centre": 51.0, "log_scale": True}, "centre=51"),
        ("sequential", {"boundary": ([0.1, 0.2], [1.0])}, r"shapes \(2,\) and \(1,\)"),
        ("sequential", {"boundary": ([0.2, 0.1], [1.0, 2.0])}, "boundary has fractions"),
        ("sequential", {"futility": ([0.1, 0.2], [-1.0, 2.0])}, "futility has fractions"),
        *(("specification", {"mid": mid}, "mid=") for mid in (0.0, -1.0, math.inf, NAN)),
        *(
            ("bias summary", {"weights": {"Good 2001": weight}}, "weights has")
            for weight in (-1.0, NAN, math.inf)
        ),
        ("effect directions", {"by": "study"}, "by is 'study'"),
        ("albatross", {"contours": {"0.2": ([0.1, 0.2], [10.0])}}, "shapes"),
        ("albatross", {"contours": {"0.2": ([[0.1]], [[10.0]])}}, "shapes"),
        ("albatross", {"contours": {"0.2": ([0.0, 0.2], [10.0, 20.0])}}, "0 < p <= 1"),
        ("albatross", {"contours": {"0.2": ([0.1, 1.2], [10.0, 20.0])}}, "0 < p <= 1"),
        ("albatross", {"contours": {"0.2": ([0.1, 0.2], [-10.0, 20.0])}}, "people >= 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(name, options, word):
    arguments, own = FIGURES[name].make(1.0, False)
    with pytest.raises(ArgumentError, match=word):
        FIGURES[name].plot(*arguments, **(own | options))
