"""What cells end in says what it holds, in a notebook and as text."""

import math
import re

import pandas as pd
import pytest

from builders import REPORTED
from ldn_meta.display.figures.studies import TOLD_OF_ALL
from ldn_meta.display.outputs import FACTS_MIME, Facts, Table, linked
from ldn_meta.display.words import capitalised, count


def test_tables_escape_and_link():
    table = Table(pd.DataFrame({"a": ["<b>", linked("x & y", "https://doi.org/10.1/z")]}), "c")
    html = table._repr_html_()
    assert "&lt;b&gt;" in html
    assert '<a href="https://doi.org/10.1/z">x &amp; y</a>' in html
    assert "https" not in repr(table)


def test_facts_hold_only_what_json_can():
    bundle = Facts({"a": math.nan, "b": [1.5, {"c": math.inf}]})._repr_mimebundle_()
    assert bundle[FACTS_MIME] == {"a": None, "b": [1.5, {"c": None}]}


EFFECT = r"-?\d+\.\d+ \(-?\d+\.\d+ to -?\d+\.\d+\)"


def trials_of(page):
    """Trials with their effect and interval: of the forest plot, and of the table beside it."""
    alt = page.forest.alt
    pooled, _, beside = alt.partition("Shown, not pooled: ")
    parts = re.split(r"Pooled|Heterogeneity|Other pools", pooled)[0]
    drawn = re.findall(EFFECT, parts) + re.findall(EFFECT, beside)
    names = sorted(set(page.trials.frame.get("trial", [])), key=alt.index)
    return (names, drawn), (
        list(page.trials.frame.get("trial", [])),
        list(page.trials.frame.get("effect (95% CI)", [])),
    )


def shares_of(page):
    """Groups of people told of alone, with their counts: of the plot and of the table."""
    drawn = page.shares.alt.partition("Counted, but no share")[0].partition("No comparison")[2]
    table = page.single_arms.frame
    counts = [text.split(" ")[0] for text in table.get("people", [])]
    return re.findall(r"(\d+/\d+),", drawn), counts


def compared_of(page):
    """Pairs of arms: each of the plot is in the table, and no outcome of a trial is missing."""
    drawn = page.shares.alt.partition("No comparison")[0]
    table, label = page.comparisons.frame, page.opened.treatment
    pairs = [
        (row[label].split(" ")[0], row["comparator"].split(" ")[-2]) for _, row in table.iterrows()
    ]
    found = re.findall(r"(\d+/\d+),[^;.]*(?:\.\d[^;.]*)*; .*?(\d+/\d+),", drawn)
    outcomes = {(row["outcome"], row["trial"]) for _, row in table.iterrows()}
    return (len(found), set(found) <= set(pairs)), (len(outcomes), True)


def flow_of(page):
    """Studies by what they are used for: of the flow and of the table of studies."""
    alt = page.flow.alt
    counts = page.studies.frame["used for"].value_counts()
    drawn = [
        int(re.search(pattern, alt)[1])
        for pattern in (r"(\d+) set aside", r"(\d+) without a comparison", r"(\d+) with a comp")
    ]
    return drawn, [int(counts.get(use, 0)) for use in ("excluded", "single-arm", "contrast")]


def judged_of(page):
    """Studies judged: of the traffic lights and of the table of judgements."""
    alt, table = page.traffic_light.alt, page.bias.frame
    names = list(dict.fromkeys(table["study"]))
    return [name for name in names if f"{name}: " in alt or f"{name} (" in alt], names


def sides_of(page):
    """Studies and what they tell of: of the effect direction plot and of the table."""
    alt, table = page.direction_figure.alt, page.directions.frame
    if table.empty:
        return True, True
    names = set(table["study"])
    assert f"{capitalised(count(len(names), 'study'))}, " in alt
    return {name for name in names if f"{name} (" in alt}, names


AGREE = {
    "included_trials": (flow_of, judged_of),
    "pooled_effect": (trials_of,),
    "without_pooling": (sides_of,),
    "responder_rates": (shares_of, compared_of),
    "safety": (shares_of, compared_of),
}
CONSTRUCT = {"responder_rates": "responder_pain_30", "safety": "any_adverse_event"}


@pytest.mark.parametrize("indication", REPORTED)
@pytest.mark.parametrize("name", AGREE)
def test_figure_and_table_of_a_page_hold_the_same_rows_and_counts(opened_once, name, indication):
    choices = {"construct": CONSTRUCT[name]} if name in CONSTRUCT else {}
    page = opened_once(name, indication=indication, **choices)
    for compare in AGREE[name]:
        drawn, told = compare(page)
        assert drawn == told, compare.__doc__


def test_the_map_and_its_table_hold_the_same_cells(opened_once):
    page = opened_once("overview")
    alt = " ".join(page.map.alt.split())
    for row in page.table.frame.to_dict("records"):
        if row["synthesis"] == TOLD_OF_ALL:
            assert row["beside it"] in alt
            continue
        start = alt.index(f"{row['condition'][:1].upper()}{row['condition'][1:]}: ")
        cell = alt[alt.index(f"{row['outcome']} (", start) :]
        cell = re.split(r"; [a-z ]+ \(|\. [A-Z]", cell.partition("): ")[2])[0]
        people = row["people"].partition(" (")[0]
        if of_them := re.fullmatch(r"(\d+), (\d+) of them (\w+)", people):
            early = int(of_them[2])
            people = f"{int(of_them[1]) - early} + {early} {of_them[3]}"
        number, _, stage = people.partition(" ")
        if not of_them:
            people = "people not given" if people == "NR" else f"{number} p"
        assert stage in cell
        assert people in cell
        if row["effect (95% interval)"] != "none":
            assert row["effect (95% interval)"] in cell
        if row["side of the estimate"].startswith("favours"):
            assert row["side of the estimate"].partition(" (")[0] in cell
            assert row["certainty"] in cell
        assert ("not randomised" in cell) == (
            row["randomised"] == "no" and row["synthesis"] != "no comparison"
        )
    cells = page.cells
    shown = cells[(cells["trials"] > 0) | (cells["told"] != "")]
    assert list(page.table.frame["outcome"]) == list(shown["outcome_label"])


def test_published_pools_and_ours_are_the_same_in_figure_and_table(opened_once):
    page = opened_once("claims")
    table = page.pools_table.frame
    for figure in (page.pools_in_points, page.pools_standardised):
        scale = re.search(r"published: (.+?)\. Values", figure.alt)[1]
        effects = table.loc[table["scale"] == scale, "effect (95% CI)"]
        assert len(effects) > 3
        assert not [effect for effect in effects if effect not in figure.alt]


def test_the_dose_figure_has_the_medians_of_its_table(dose_page):
    page = dose_page
    table = page.compatible.frame.drop_duplicates("if")
    doses = table["dose for 95%, mg (middle 95%)"].str.replace(")", " mg", regex=False)
    alt = page.figure.alt
    for name, told in zip(table["if"], doses, strict=True):
        assert f"If {name}: median {told.replace(' (', ' mg, middle 95% ')}" in alt


def test_the_flow_counts_what_the_forest_plot_shows(opened_once):
    for indication in REPORTED:
        counts = opened_once("included_trials", indication=indication).counts
        answer = opened_once("pooled_effect", indication=indication).answer
        drawn = set(answer.beside["study_id"]) if len(answer.beside) else set()
        alone = answer.pool is not None and answer.pool.is_alone
        assert counts["not_pooled"] >= len(drawn) + alone
