"""The explore page: what it draws, says and keeps in its address; that it needs nobody else."""

import json
import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import pairwise

import pytest

import ldn_meta as lm
from builders import seven_trials
from explore_in_browser import browser
from explore_node import ask
from ldn_meta.evidence.answer.multiverse import explored
from ldn_meta.evidence.derived import load_derived
from ldn_meta.evidence.raw.protocol import load_protocol
from ldn_meta.evidence.raw.selection import BIAS_STEP
from ldn_meta.pipeline import site
from ldn_meta.pipeline.site import answers_html, explore_words

SVG = "{http://www.w3.org/2000/svg}"
MODEL = {
    "tau2_method": "reml",
    "ci_method": None,
    "ci_method_two_trials": "wald",
    "ci_method_more_trials": "knapp-hartung-floored",
    "two_trials": 2,
    "pi_method": "k-1",
    "level": 0.95,
}
SELECTION = {
    "analysis_sets": ["intention to treat", "per protocol"],
    "read_from": ["abstract", "press"],
    "estimands": [],
    "allow_approximate": False,
    "target_weeks": 12,
    "earliest_weeks": 2,
    "latest_weeks": 26,
}
NODES = [
    ("time", ("nearest to 12 weeks", {}), ("any time", {"target_weeks": 52, "latest_weeks": 104})),
    ("approximated effects", ("left out", {}), ("used", {"allow_approximate": True})),
    ("spread", ("REML", {}), ("common effect", {"tau2_method": "common"})),
]
RULES = [
    {"reason": "never", "lifted_by": []},
    {"reason": "rests on an approximation", "lifted_by": ["allow_approximate"]},
    {"reason": "borrows its error", "lifted_by": ["allow_approximate", "estimands"]},
]
EFFECT = {
    "year": 2001,
    "analysis_set": "intention to treat",
    "estimand": "not stated",
    "read_from": "abstract",
    "comparator": "placebo",
    "route_rank": 1,
    "yi": -1.0,
    "vi": 0.25,
    "n_1": 20,
    "n_2": 22,
    "arm_1_data": "-1.3",
    "arm_2_data": "-0.3",
    "is_preferred": True,
    "is_paired": False,
    "week": 12,
    "bars": [],
    "has_window": True,
    "sign_is_as_printed": False,
}


def invented(*effects, measure="MD", sign=-1.0):
    """Data of one outcome; effects state what matters."""
    rows = []
    for number, effect in enumerate(effects):
        name = effect.get("trial_id", f"trial{number}")
        own = {"effect_id": f"e{number:02d}", "study_id": name, "study_label": name}
        whole = EFFECT | own | {"trial_id": name} | effect
        half = 1.959963984540054 * whole["vi"] ** 0.5
        limits = {"ci_low": whole["yi"] - half, "ci_high": whole["yi"] + half, "df": None}
        rows.append(limits | whole)
    outcome = {
        "construct": "pain",
        "label": "pain",
        "measure": measure,
        "unit": "points (0-10)",
        "benefit_sign": sign,
        "effects": rows,
        "states": [{"changes": {}, "measure": measure, "effects": list(range(len(rows)))}],
    }
    indication = {
        "indication_id": "headache",
        "label": "headache",
        "drug": "LDN",
        "treatment": "LDN",
        "comparator_class": "placebo",
        "main_construct": "pain",
        "outcomes": [outcome, outcome | {"construct": "sleep", "label": "sleep"}],
    }
    nodes = [
        {"name": n, "reason": "r", "options": [{"name": o, "changes": c} for o, c in options]}
        for n, *options in NODES
    ]
    return {
        "selection": SELECTION,
        "model": MODEL,
        "nodes": nodes,
        "rules": RULES,
        "bias_steps": BIAS_STEP,
        "of_people": ["RR"],
        "limits": {"designs": ["parallel", "crossover"], "risk_of_bias": ["low", "some concerns"]},
        "indications": [indication],
        "words": explore_words(),
        "study_pages": {},
    }


def one(data, question, *choices):
    options, without, *more = choices
    return ask([[question, "headache", "pain", options, without, *more]], data)[0]


def brought(data, options=(0, 0, 0), without=()):
    found = one(data, "analysis", list(options), list(without))
    return {t["trial_id"]: t["why"] or t["effect"]["effect_id"] for t in found["trials"]}


ORDER = [
    ({"analysis_set": "intention to treat", "week": 20}, {"analysis_set": "per protocol"}),
    ({"week": 13}, {"week": 8}),
    ({"week": 20}, {"week": None}),
    ({"read_from": "abstract", "route_rank": 9}, {"read_from": "press"}),
    ({"is_preferred": True, "route_rank": 9}, {"is_preferred": False}),
    ({"route_rank": 2}, {"route_rank": 3}),
    # 12.5 weeks rounds to the even 12, as near as 12 itself; then the name decides.
    ({"week": 12.5, "effect_id": "a"}, {"week": 12, "effect_id": "b"}),
]


def test_a_list_that_names_something_lifts_and_ranks():
    pair = [
        {"trial_id": "a", "estimand": "end level", "effect_id": "printed"},
        {"trial_id": "a", "estimand": "change", "effect_id": "worked-out", "bars": [2]},
    ]
    data = invented(*pair)
    changes = {"estimands": ["change", "end level"]}
    data["nodes"][0]["options"][1]["changes"] = changes
    assert brought(data) == {"a": "printed"}
    assert brought(data, (1, 0, 0)) == {"a": "worked-out"}


@pytest.mark.parametrize(("first", "second"), ORDER)
def test_one_effect_a_trial_by_the_ranks_of_the_protocol(first, second):
    same = {"trial_id": "t"}
    data = invented(same | second, same | first)
    wanted = data["indications"][0]["outcomes"][0]["effects"][1]["effect_id"]
    assert brought(data) == {"t": wanted}


def test_what_bars_a_trial_is_told_and_lifted():
    data = invented(
        {"trial_id": "a", "bars": [1]},
        {"trial_id": "b", "bars": [0]},
        {"trial_id": "c", "week": 52},
        {"trial_id": "d", "week": 52, "has_window": False},
        {"trial_id": "e"},
    )
    late = "measured outside weeks 2 to 26"
    assert brought(data, without=["e"]) == {
        "a": "rests on an approximation",
        "b": "never",
        "c": late,
        "d": "e03",
        "e": "taken out here",
    }
    assert brought(data, (1, 1, 0))["a"] == "e00"
    assert brought(data, (1, 1, 0))["c"] == "e02"
    assert brought(data, (1, 1, 0))["b"] == "never"
    *_, a, b, c, _, _ = one(data, "sentences", [0, 0, 0], [])
    assert a.startswith('Not in: rests on an approximation; see "approximated effects". It would')
    assert b.startswith("Not in: never. It would be")
    assert c.startswith(f'Not in: {late}; see "time". It would be')


def test_sentences_of_none_one_two_and_three_trials():
    trials = [{"yi": -1.0}, {"yi": 0.4}, {"yi": -0.2, "n_2": 20, "is_paired": True}]

    def said(k, options=(0, 0, 0), without=(), **outcome):
        return one(invented(*trials[:k], **outcome), "sentences", list(options), list(without))

    first, more, distance, departures, *_ = said(2, without=["trial0", "trial1"])
    assert first == (
        "Under these choices no trial of LDN against placebo gives pain in numbers that may be "
        "used: nothing is estimated."
    )
    assert more == ""
    assert distance.startswith("The plan's answer is \u22120.30 points (0-10), 95% CI ")
    assert departures == "Changed: without trial0, trial1."

    # One trial: -1 and 1.96 standard errors of 0.5.
    first, more, distance, departures, *_ = said(1)
    assert first == (
        "Only one trial: trial0 (42 people) compared LDN with placebo. The mean difference "
        "in pain is \u22121.00 points (0-10), 95% CI \u22121.98 to \u22120.02; the interval lies "
        "on the side of LDN. Nothing is pooled."
    )
    assert more == "Negative numbers favour LDN."
    assert (distance, departures) == ("These are the choices of the analysis plan.", "")

    first, more, *_ = said(2)
    assert first.startswith("Two trials (84 people) compared LDN with placebo. The pooled mean")
    assert "\u22120.30 points (0-10), 95% CI" in first
    assert first.endswith("(REML, Wald interval); the interval includes no difference.")
    assert more.endswith("With two trials this interval takes the spread between them as known.")

    # Two trials read with the plan's prior: the numbers stand in the data, for every pair.
    read = {"pairs": [[0, 1, -0.25, -1.9, 1.4]], "read_by": "Bayesian, some prior"}
    plan = MODEL | {"ci_method_two_trials": "bayesian"}
    data = invented(*trials[:2])
    data["indications"][0]["outcomes"][0].update(read)
    first, more, *_ = one(data | {"model": plan}, "sentences", [0, 0, 0], [])
    assert "\u22120.25 points (0-10), 95% credible interval \u22121.90 to 1.40 (Bayesian" in first
    assert "stands on the robustness page" in more

    first, more, *_ = said(3)
    # Pairs are the same people: 42 + 42 + 20.
    assert first.startswith("Three trials (104 people)")
    assert "floored Knapp-Hartung interval" in first
    assert re.search(r"expected between \u2212[\d.]+ and [\d.]+\.$", more)

    first, more, distance, departures, caption, *_ = said(3, (0, 0, 1), ["trial1"])
    assert "common effect, Wald interval" in first
    assert distance.endswith(
        "The choices made here move it by 0.33 points (0-10), towards LDN; "
        "the interval is 0.40 times as wide."
    )
    assert departures == "Changed: spread: common effect; without trial1."
    assert caption.startswith("Common-effect model; 95% CI: Wald interval. Heterogeneity: Q = ")

    ratio = said(2, without=["trial1"], measure="RR", sign=1.0)
    # exp(-1) and exp(-0.3): the ratio of the two is exp(-0.7).
    assert "The risk ratio in pain is 0.37, 95% CI 0.14 to 0.98" in ratio[0]
    assert "the interval lies on the side of the comparator" in ratio[0]
    assert ratio[1] == "Below 1 favours placebo."
    assert ratio[2].startswith("The plan's answer is a risk ratio of 0.74, 95% CI ")
    assert "; its interval includes no difference. The choices" in ratio[2]
    assert ratio[2].endswith(
        "multiply it by 0.50, towards placebo; the interval is 0.71 times as wide."
    )

    unclear = one(invented({"sign_is_as_printed": True, "yi": 2.0}), "sentences", [0, 0, 0], [])
    assert "the interval excludes no difference" in unclear[0]
    assert unclear[1].startswith("The sign is the printed one; what could be read of trial0")


class Drawn:
    """A plot taken apart."""

    def __init__(self, data, options=(0, 0, 0), without=(), width=900, markup=""):
        self.root = ET.fromstring(
            markup or one(data, "drawn", list(options), list(without), width)
        )
        self.width = width
        self.texts = [
            (float(t.get("x")), float(t.get("y")), t.text, t.get("text-anchor", "start"), t)
            for t in self.root.iter(f"{SVG}text")
        ]

    def words(self):
        return [text for _, _, text, _, _ in self.texts]

    def of_class(self, name):
        return [e for e in self.root.iter() if e.get("class") == name]

    def scale(self, is_log=False):
        """Position of a value, from the ticks that are printed."""
        ticks = [(float(t.get("x")), t.text) for *_, t in self.texts if t.get("class") == "tick"]
        values = [float(text.replace("\u2212", "-")) for _, text in ticks]
        if is_log:
            values = [math.log(value) for value in values]
        (a, b), (x, y) = (values[0], values[-1]), (ticks[0][0], ticks[-1][0])
        return lambda value: x + (value - a) / (b - a) * (y - x)

    def check_inside(self):
        _, _, width, height = map(float, self.root.get("viewBox").split())
        assert width == self.width
        for x, y, text, anchor, element in self.texts:
            long = 7 * len(text) * (8 / 7 if element.get("font-weight") else 1)
            start = x - {"start": 0, "middle": long / 2, "end": long}[anchor]
            assert start >= -1, text
            assert start + long <= width + 1, text
            assert 0 < y < height
        for line in self.root.iter(f"{SVG}line"):
            assert 0 <= float(line.get("x1")) <= float(line.get("x2")) <= width

    def check_apart(self):
        """No two texts of one line touch."""
        lines = {}
        for x, y, text, anchor, element in self.texts:
            long = 7 * len(text) * (8 / 7 if element.get("font-weight") else 1)
            start = x - {"start": 0, "middle": long / 2, "end": long}[anchor]
            if text:
                lines.setdefault(y, []).append((start, start + long, text))
        for found in lines.values():
            found.sort()
            for (_, end, left), (start, _, right) in pairwise(found):
                assert start >= end - 1, (left, right)


def middle(rect):
    return float(rect.get("x")) + float(rect.get("width")) / 2


def numbers(polygon):
    return [tuple(map(float, point.split(","))) for point in polygon.get("points").split()]


TRIALS = [
    {"trial_id": "b", "yi": -1.0, "vi": 0.25, "year": 2003},
    {"trial_id": "a", "yi": 0.4, "vi": 0.04, "year": 2001},
    {"trial_id": "c", "yi": -0.2, "vi": 0.09, "year": 2009, "bars": [1]},
]


def test_the_plot_shows_the_analysis_in_its_order_and_at_its_places():
    data = invented(*TRIALS)
    found = Drawn(data, width=1100)
    found.check_inside()
    found.check_apart()
    assert found.words()[:8] == [
        *("Trial", "Week", "LDN", "n", "Placebo", "n", "Effect (95% CI)", "Weight"),
    ]
    starts = [text for x, _, text, _, _ in found.texts if x == 0]
    assert starts == ["Trial", "a", "b", "Pooled, random effects", "Shown, not pooled", "c"]
    result = one(data, "analysis", [0, 0, 0], [])["result"]
    x = found.scale()
    assert [middle(r) for r in found.of_class("trial")] == pytest.approx([x(0.4), x(-1.0)], abs=1)
    assert [middle(r) for r in found.of_class("shown")] == pytest.approx([x(-0.2)], abs=1)
    (diamond,) = found.of_class("pooled")
    wanted = [x(result[name]) for name in ("ci_low", "estimate", "ci_high")]
    assert [p[0] for p in numbers(diamond)[:3]] == pytest.approx(wanted, abs=1)
    assert [float(e.get("x1")) for e in found.of_class("no-effect")] == pytest.approx(
        [x(0)], abs=1
    )
    first, second = (float(r.get("width")) ** 2 for r in found.of_class("trial"))
    weights = result["weight_pct"]
    # Effects come in the order of the trials; areas are as weights.
    assert first / second == pytest.approx(weights[0] / weights[1], rel=0.05)
    assert "0.40 (0.01 to 0.79)" in found.words()
    assert found.words()[-3:-1] == ["\u2190 favours LDN", "favours placebo \u2192"]
    assert found.words()[-1] == "Mean difference, points (0-10)"
    assert not found.of_class("summary"), "the protocol's own answer is not drawn twice"


def test_the_plot_says_in_words_what_it_draws():
    root = Drawn(invented(*TRIALS)).root
    assert root.get("role") == "img"
    named = root.get("aria-labelledby").split()
    title, described = (next(e for e in root if e.get("id") == name).text for name in named)
    assert title == "Forest plot: pain in headache"
    assert described.startswith("Values below 0: favours LDN; values above 0: favours placebo. a ")
    assert "a 0.40 (0.01 to 0.79), weight" in described
    assert "c \u22120.20 (\u22120.79 to 0.39), rests on an approximation." in described


def test_other_choices_are_compared_with_the_protocol():
    found = Drawn(invented(*TRIALS), options=(0, 1, 0), without=["a"])
    assert "For comparison" in found.words()
    assert "Plan's answer (two trials)" in found.words()
    assert len(found.of_class("summary")) == 1
    three = Drawn(invented(*TRIALS), options=(0, 1, 0))
    (bar,) = three.of_class("prediction")
    result = one(invented(*TRIALS), "analysis", [0, 1, 0], [])["result"]
    assert middle(bar) == pytest.approx(three.scale()(result["estimate"]), abs=1)
    apart = [
        {"yi": yi, "vi": 1e-3, "ci_low": yi - 0.06, "ci_high": yi + 0.06}
        for yi in (-1.0, 0.0, 1.0)
    ]
    far = Drawn(
        invented(*({**trial, **own} for trial, own in zip(TRIALS, apart, strict=True))),
        options=(0, 1, 0),
    )
    # Ends that leave the axis are arrows.
    assert len(far.of_class("prediction")) == 1
    assert len(far.of_class("goes-on")) == 4, "those of the pool as well"


def test_ratios_are_drawn_on_a_log_axis():
    trials = [{"yi": -1.0}, {"yi": 0.7}]
    found = Drawn(invented(*trials, measure="RR", sign=1.0))
    found.check_inside()
    x = found.scale(is_log=True)
    assert [middle(r) for r in found.of_class("trial")] == pytest.approx([x(-1.0), x(0.7)], abs=1)
    assert found.words()[-3:] == [
        "\u2190 favours placebo",
        "favours LDN \u2192",
        "Risk ratio (log axis)",
    ]
    assert "0.37 (0.14 to 0.98)" in found.words()


WIDTHS = [290, 368, 599, 600, 760, 1000]
SETS = [
    [],
    TRIALS[:1],
    [*TRIALS, {"vi": 400.0, "study_label": "A trial with quite a long name 2013"}],
    [{"yi": 0.05 * n - 1, "vi": 0.04 + 0.01 * n} for n in range(60)],
]


@pytest.fixture(scope="module")
def plots():
    """Every set of trials at every width; one call of node a set."""
    found = {width: [] for width in WIDTHS}
    for trials in SETS:
        data = invented(*trials)
        asked = [["drawn", "headache", "pain", [0, 0, 0], [], width] for width in WIDTHS]
        for width, markup in zip(WIDTHS, ask(asked, data), strict=True):
            found[width].append(Drawn(data, width=width, markup=markup))
    return found


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_outside_or_overlaps_at_any_width(plots, width):
    for found in plots[width]:
        found.check_inside()
        found.check_apart()
    _, _, cut, many = plots[width]
    assert len(many.of_class("trial")) == 60
    assert len(cut.of_class("goes-on")) == 2
    assert any("A trial with" in text for text in cut.words())


def test_texts_of_the_data_cannot_become_markup():
    data = invented({"study_label": 'A & B <script>"x"'}, {})
    found = Drawn(data)
    assert 'A & B <script>"x"' in found.words()
    assert not list(found.root.iter(f"{SVG}script"))
    text = site.script_json({"a": "</script><!-- & \u2028 -->"})
    assert "<" not in text
    assert text.isascii()
    assert json.loads(text) == {"a": "</script><!-- & \u2028 -->"}


def test_a_view_is_kept_in_the_address():
    data = invented(*TRIALS)
    full = "#headache/sleep/time=any-time/spread=common-effect/without=a,c"
    bad = "#headache/pain/spread=magic/colour=red/without=a,z"
    asked = [full, "", "#nowhere/pain", bad, "#headache/toothache"]
    whole, empty, nowhere, wrong, toothache = ask([["fragment", a] for a in asked], data)
    assert whole == {
        "indication": "headache",
        "outcome": "sleep",
        "options": [1, 0, 1],
        "without": ["a", "c"],
        "unknown": [],
        "written": full,
    }
    assert empty["written"] == "#headache/pain"
    assert nowhere["unknown"] == ["nowhere"]
    assert wrong["unknown"] == ["spread=magic", "colour=red", "z"]
    assert wrong["written"] == "#headache/pain/without=a"
    assert (toothache["outcome"], toothache["unknown"]) == ("pain", ["toothache"])


def test_a_run_is_an_address():
    data = invented(*TRIALS)
    run = "#headache/pain/designs=parallel,crossover/risk_of_bias=some-concerns/dose_mg=3,4.5"
    data["limits"]["dose_mg"] = []
    whole, wrong = ask([["fragment", run], ["fragment", "#headache/pain/designs=paralel"]], data)
    assert whole["limits"] == {
        "designs": ["parallel", "crossover"],
        "risk_of_bias": "some concerns",
        "dose_mg": [3, 4.5],
    }
    assert (whole["written"], whole["unknown"]) == (run, [])
    assert wrong["unknown"] == ["designs=paralel"]
    # A choice that a node offers is its option, another method stands as it was written; a prior
    # needs an integral, and that it was left aside is said.
    data["limits"] |= {"tau2_method": ["common", "eb"], "ci_method": ["wald", "knapp-hartung"]}
    data["nodes"][0]["options"][1]["changes"] = {"within_person": 0.3}
    words = "correlation=0.3/tau2_method=common/ci_method=wald/prior_scale=2"
    other = "#headache/pain/tau2_method=eb"
    node, method = ask([["fragment", f"#headache/pain/{words}"], ["fragment", other]], data)
    assert (node["options"], node["limits"]) == ([1, 0, 1], {"ci_method": "wald"})
    assert node["unknown"] == ["prior_scale=2"]
    assert (method["limits"], method["written"]) == ({"tau2_method": "eb"}, other)


@pytest.fixture(scope="module")
def seven(tmp_path_factory, raw_folder):
    """Data of the page for the trials of reference/selection_reference.R, and R's answers."""
    build, known = seven_trials(tmp_path_factory.mktemp("explore") / "raw", raw_folder)
    data = explored(build.load(), load_protocol(raw_folder))
    return data | {"words": explore_words(), "study_pages": {}}, known["pools"]


LIMITED = {
    "plan": {},
    "dl_knha": {"tau2_method": "dl", "ci_method": "knapp-hartung"},
    "trials": {"trials": ["ames2001", "berg2003", "falk2011"]},
    "parallel": {"designs": ["parallel"]},
    "any_blinding": {"blinding": ["double-blind", "single-blind"]},
    "not_high": {"risk_of_bias": "some concerns"},
    "low": {"risk_of_bias": "low"},
    "ends": {"estimand": ["end level"]},
    "dose": {"dose_mg": [3, 5]},
    "per_protocol": {"population": ["per protocol", "intention to treat"]},
}


def test_limits_are_those_of_python(seven):
    """The page takes the trials that metafor was given, and pools them to the same number."""
    data, pools = seven
    plan = [0] * len(data["nodes"])
    asked = [
        ["analysis", "headache", "pain_intensity", plan, [], limits] for limits in LIMITED.values()
    ]
    for name, found in zip(LIMITED, ask(asked, data), strict=True):
        known = pools[name]
        assert [e["study_id"] for e in found["used"]] == known["trials"], name
        assert [e["yi"] for e in found["used"]] == pytest.approx(known["yi"], rel=1e-5)
        if known["k"] > 2:
            assert found["result"]["estimate"] == pytest.approx(known["estimate"], rel=1e-5)


def test_the_page_says_what_a_limit_left_out_as_python_does(seven):
    data, _ = seven
    plan = [0] * len(data["nodes"])
    limits = {"designs": ["parallel"], "risk_of_bias": "low", "dose_mg": [1, 4]}
    ((found),) = ask([["analysis", "headache", "pain_intensity", plan, [], limits]], data)
    dose = "its daily dose is not within 1 to 4 mg, or not reported"
    assert {t["trial_id"]: t["why"] for t in found["trials"]} == {
        "ames2001": "",
        "berg2003": "its risk of bias is above low, or nobody judged it",
        "cole2005": f"its risk of bias is above low, or nobody judged it; {dose}",
        "dahl2007": "its daily dose is not within 1 to 4 mg, or not reported",
        "ekman2009": f"its risk of bias is above low, or nobody judged it; {dose}",
        "falk2011": f"its design is not parallel; {dose}",
        "gray2013": "its risk of bias is above low, or nobody judged it; not double-blind",
    }


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def page():
    return site.explore_page(study_pages={"innova2026": "studies/innova2026.html"})


def test_the_page_is_one_file_that_asks_nobody(page):
    elements = Elements(page).found
    for tag, attributes in elements:
        assert "src" not in attributes, tag
        assert tag not in ("link", "iframe", "img", "object"), tag
        assert not attributes.get("href", "").startswith(("http", "//", "/")), attributes
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|@import|url\(|\beval\b", page)
    assert "@@" not in page
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [t for t, _ in elements if re.fullmatch("h[1-6]", t)] == ["h1", "h2"]
    labelled = {a["for"] for t, a in elements if t == "label"}
    assert {a["id"] for t, a in elements if t == "select"} <= labelled
    assert page.isascii()


def test_data_of_the_page_are_read_back(page):
    block = re.search(r'id="explore-data">(.*?)</script>', page)[1]
    data = json.loads(block)
    assert data["study_pages"] == {"innova2026": "studies/innova2026.html"}
    assert data["indications"][0]["indication_id"] == "fibromyalgia"
    sentences = ask(
        [["sentences", "fibromyalgia", "pain_intensity", [0] * len(data["nodes"]), []]], data
    )[0]
    # Page 20 and the explore page say the same under the protocol.
    printed = str(lm.pooled_effect(indication="fibromyalgia").sentence)
    assert printed.startswith(sentences[0].replace("\u2212", "-"))


def test_without_javascript_the_answers_stand_in_a_table(page):
    derived = load_derived()
    table = re.search(r"<table>.*?</table>", page, re.DOTALL)[0]
    rows = [
        re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)
    ]
    rows = [[re.sub("<.*?>", "", cell) for cell in row] for row in rows if row]
    main = derived.pooled.query("analysis == 'main' and construct == 'pain_intensity'")
    own = main[main["indication_id"] == "fibromyalgia"].iloc[0]
    first = rows[0]
    assert first[:3] == ["Fibromyalgia", "pain intensity", "placebo"]
    assert first[3:5] == [str(own["k"]), str(own["people"])]
    assert (
        f"{own['read_estimate']:.2f} ({own['read_low']:.2f} to {own['read_high']:.2f})" in first[5]
    )
    nothing = next(row for row in rows if row[0] == "Crohn&#x27;s disease")
    assert nothing[1:] == ["none with an effect", "placebo", "0", "0", "nothing pooled"]
    assert "<noscript>" in page


def test_an_outcome_that_the_protocol_does_not_pool_says_so():
    data = invented(TRIALS[2])
    empty = load_derived().pooled[:0]
    assert '<td data-head="Effect (95% interval)">nothing pooled</td>' in answers_html(data, empty)


@pytest.fixture(scope="module")
def opened(page, tmp_path_factory):
    """The page in a browser, and where it is."""
    folder = tmp_path_factory.mktemp("browser")
    file = folder / "explore.html"
    file.write_text(page, encoding="utf-8")
    with browser(folder) as window:
        yield window, f"file://{file}"


CROSSOVER = "#fibromyalgia/pain_intensity/approximated-effects=used"


@pytest.mark.slow
def test_in_a_browser_the_address_decides_what_is_shown(opened):
    window, address = opened
    window.open(address, width=1400)
    assert window.text("distance") == "These are the choices of the analysis plan."
    assert window.run("document.getElementById('back').disabled")
    printed = str(lm.pooled_effect(indication="fibromyalgia").sentence)
    assert printed.startswith(window.text("answer"))
    assert window.run("location.hash") == "#fibromyalgia/pain_intensity"

    window.open(f"{address}{CROSSOVER}/without=innova2026", width=1400)
    assert window.text("departures") == "Changed: approximated effects: used; without INNOVA 2026."
    wide = lm.pooled_effect(indication="fibromyalgia", allow_approximate=True)
    kept = wide.pool.trials.query("study_id != 'innova2026'")
    r = wide.pool.of(kept).read
    assert r.has_prior
    size = f"{r.estimate:.2f} points (0-10), 95% credible interval {r.low:.2f} to {r.high:.2f}"
    assert size in window.text("answer")
    assert not window.run("document.getElementById('trial-innova2026').checked")
    assert window.run("document.querySelector('#trials a').getAttribute('href')") == (
        "studies/innova2026.html"
    )
    assert window.complaints == []
    assert [url for url in window.requests if not url.startswith(("file:", "about:"))] == []


@pytest.mark.slow
def test_in_a_browser_every_choice_is_in_reach_of_the_keyboard(opened):
    window, address = opened
    window.open(address, width=1400)
    wanted = set(
        window.run(
            "[...document.querySelectorAll('select, input')]"
            ".filter(e => e.checkVisibility()).map(e => e.id)"
        )
    )
    reached = []
    while len(reached) < 60 and not wanted <= set(reached):
        window.press("Tab")
        reached.append(window.run("document.activeElement.id"))
    assert wanted <= set(reached)

    # A trial is taken out, and the keyboard stays where it was although the list is made anew.
    window.run("document.getElementById('trial-innova2026').focus()")
    window.press(" ")
    assert window.run("location.hash").endswith("/without=innova2026")
    assert window.run("document.activeElement.id") == "trial-innova2026"
    assert window.text("answer").startswith("Only one trial: Due Bruun 2024")

    # A choice is made, then everything goes back to the protocol.
    node = next(i for i in range(20) if window.text(f"node-{i}-why").startswith("Crossovers"))
    window.run(f"document.getElementById('node-{node}').focus()")
    window.press("ArrowDown")
    assert window.run("location.hash") == f"{CROSSOVER}/without=innova2026"
    window.run("document.getElementById('back').click()")
    assert window.run("location.hash") == "#fibromyalgia/pain_intensity"
    assert window.text("distance") == "These are the choices of the analysis plan."
    assert window.complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 400, 640, 700, 1000, 1400])
def test_in_a_browser_the_page_never_scrolls_sideways(opened, width):
    window, address = opened
    window.open(f"{address}{CROSSOVER}/without=innova2026", width=width)
    assert window.text("answer").startswith("Two trials")
    # Less than the window by the bar at its side.
    room = window.run("document.documentElement.clientWidth")
    assert window.run("document.documentElement.scrollWidth") == room <= width
    # As letters really are: no text of the plot is outside it.
    outside = """
        [...document.querySelectorAll("#plot text")].filter((text) => {
          const [own, plot] = [text, document.querySelector("#plot svg")].map((element) =>
            element.getBoundingClientRect());
          return own.left < plot.left - 1 || own.right > plot.right + 1;
        }).map((text) => text.textContent)
    """
    assert window.run(outside) == []


@pytest.mark.slow
def test_in_a_browser_all_text_has_contrast(opened):
    window, address = opened
    window.open(f"{address}{CROSSOVER}", width=1400)
    ratios = r"""
        (() => {
          const light = (colour) => {
            const parts = colour.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255);
            const [r, g, b] = parts.map((part) =>
              part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const behind = (element) => {
            for (let at = element; at; at = at.parentElement) {
              const colour = getComputedStyle(at).backgroundColor;
              if (colour !== "rgba(0, 0, 0, 0)") return light(colour);
            }
            return 1;
          };
          const own = (element) => getComputedStyle(element)[
            element.namespaceURI.endsWith("svg") ? "fill" : "color"];
          return [...document.querySelectorAll("p, a, span, label, td, th, button, text, select")]
            .filter((element) => element.textContent.trim())
            .map((element) => {
              const [a, b] = [light(own(element)), behind(element)].sort((x, y) => y - x);
              return [(a + 0.05) / (b + 0.05), element.textContent];
            });
        })()
    """
    found = window.run(ratios)
    assert len(found) > 50
    assert min(found)[0] >= 4.5, min(found)
