"""Page 92 says what was computed: every number of a sentence is a fact, every table its rows."""

import json
import re

import numpy as np
import pytest

import ldn_meta as lm
from builders import numbers_in
from ldn_meta import files
from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.display.pages import dose as words
from ldn_meta.display.pages.dose import NO_TRIAL, DosePage, NoDosePage


@pytest.fixture(scope="module")
def page(dose_page):
    return dose_page


@pytest.fixture(scope="module")
def reported():
    """The facts on file: those of the whole trial, made again by each run of the reports."""
    file = files.reports() / "overview" / "facts.json"
    return json.loads(file.read_text(encoding="utf-8"))["92_dose"]


@pytest.fixture(scope="module")
def facts(page):
    return page.facts._repr_mimebundle_()[FACTS_MIME]


@pytest.mark.parametrize("name", ["sentence", "what_fits", "again", "moderator"])
@pytest.mark.parametrize("which", ["facts", "reported"])
def test_every_number_of_a_sentence_is_a_fact(request, which, name):
    facts = request.getfixturevalue(which)
    values = list(numbers_in(facts))
    values.append(sum(found["trials"] for found in facts["possible"]))
    text = re.sub(r"points \(0-10\)|\(?95% CI|middle 95%|95% interval", " ", facts[name])
    for number in re.findall(r"(?<![\w.])-?\d(?:[\d,]*\d)?(?:\.\d+)?", text):
        digits = len(number.partition(".")[2])
        stated = float(number.replace(",", ""))
        near = [
            v
            for v in values
            if abs(round(v, digits) - stated) < 0.6 * 10.0**-digits
            or abs(round(100 * v) - stated) < 0.6
        ]
        assert near, f"{number} of {facts[name]!r}"


def test_the_answer_by_an_independent_sum(page, facts):
    """6 of 13, no changes: the statement's probability from a plain sum over a plain chain."""
    from scipy.special import ndtr

    choices = page.readings.choices
    ladder = np.array(page.trial.ladder)
    ed50 = np.linspace(choices.ed50_low_mg, choices.ed50_high_mg, choices.ed50_steps)
    spread = np.geomspace(choices.spread_low_mg, choices.spread_high_mg, choices.spread_steps)
    weight = right = 0.0
    for m in ed50:
        chance = ndtr((ladder - m) / spread[:, None])
        for start in range(8):
            # [spread, dose, responders so far]
            state = np.zeros((spread.size, 8, page.trial.responders + 1))
            state[:, start, 0] = 1.0
            for _ in range(page.trial.people):
                new = np.zeros_like(state)
                for d in range(8):
                    p = chance[:, d, None]
                    new[:, min(d + 1, 7)] += state[:, d] * (1 - p)
                    new[:, max(d - 1, 0), 1:] += state[:, d, :-1] * p
                state = new
            seen = state[:, :, -1].sum(axis=1)
            weight += seen.sum()
            right += seen[ndtr((5.4 - m) / spread) >= 0.95].sum()
    assert facts["readings"][0]["statement"] == pytest.approx(right / weight, rel=1e-9)


def test_tables_have_a_row_for_every_case(page):
    assert len(page.reported.frame) == 13
    assert list(page.reported.frame["reported"][-3:]) == ["NR"] * 3
    assert len(page.compatible.frame) == 9
    assert list(page.by_start.frame["first dose"]) == [f"{d:g} mg" for d in page.trial.ladder]
    assert len(page.fits.frame) == 14
    assert len(page.repeated.frame) == 6
    trials = page.moderator.frame["trial"]
    assert set(trials) == {"INNOVA 2026", "Younger 2013", "Due Bruun 2024 (FINAL)"}


def test_no_possible_trial_prints_both_numbers(reported):
    assert [found["changes"] for found in reported["possible"]] == [10, 11]
    assert all(fit[2] == 0 for found in reported["possible"] for fit in found["fits"].values())
    assert reported["what_fits"].startswith(
        "None of 8,792,784 possible trials gives 3.88 and 5.40"
    )
    assert reported["possible"][1]["pair_mean_fits"] == 42_871


def test_headline_and_figure_name_what_they_show(page):
    assert str(lm.dose().headline).startswith("**One trial of 25 people**, Bruun-Plesner 2020")
    assert "5.40 mg for 95% of people" in page.figure.alt
    assert "4.5 to 6 mg" in str(page.moderator_sentence)
    assert "cannot tell" in str(page.moderator_sentence)


def test_words_where_there_is_nothing_to_regress():
    found = {
        "k": 1,
        "slope": np.nan,
        "trials": [{"dose": 4.5}, {"dose": np.nan}],
        "unit": "points",
    }
    assert words.across_trials(found) == (
        "No regression on dose: one trial at doses from 4.5 to 4.5 mg cannot tell an effect of "
        "dose from anything else in which they differ."
    )


def test_footer_has_the_seed(page):
    assert "seed = 2020, trials = 400" in page.footer().frame["value"].iloc[0]


def test_a_review_without_a_dose_finding_trial_says_so(page, monkeypatch):
    monkeypatch.setattr(words, "load_dose_choices", lambda: None)
    without = lm.dose()
    assert isinstance(without, NoDosePage)
    assert str(without.headline) == without.facts.values["headline"] == NO_TRIAL
    shown = [name for name in vars(DosePage) if not name.startswith("_") and name != "facts"]
    assert all(repr(getattr(without, name)) for name in ("headline", "footer"))
    assert {str(getattr(without, name)) for name in shown} >= {"", NO_TRIAL}
    with pytest.raises(AttributeError):
        _ = without.no_such_part
