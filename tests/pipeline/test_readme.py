import json

import pytest

from ldn_meta.errors import StaleError
from ldn_meta.pipeline import readme

ANSWER = {
    "label": "headache",
    "outcome": "pain, 0-10",
    "comparison": "placebo",
    "comparative_studies": 5,
    "trials": 2,
    "people": 151,
    "effect": "-0.4 (-0.9 to 0.1)",
    "sentence": "Two trials | pooled,\nno clear difference.",
}


def answer(project, indication, *, rated=None, **changes):
    facts = {"20_pooled_effect": {"answer": {**ANSWER, "label": indication, **changes}}}
    if rated is not None:
        facts["60_certainty"] = {"answer": rated}
    project.write(f"reports/{indication}/facts.json", json.dumps(facts))


def test_the_table_is_written_in_order_and_stays_put(project):
    answer(project, "back_pain", trials=0)
    rated = {"certainty": "low", "sentence": "Certainty: low."}
    answer(project, "headache", rated=rated)
    project.write("reports/overview/facts.json", "{}")
    assert project.read("README.md") != readme.with_answers()
    assert readme.write_answers()
    assert project.read("README.md") == readme.with_answers()
    assert not readme.write_answers()
    assert project.read("README.md") == (
        "# Tiny\n\n<!-- answers:begin -->\n"
        "| Indication | Outcome | Compared with | Comparative studies | With usable numbers "
        "| People in them | Effect | Certainty |\n"
        "| --- | --- | --- | --: | --: | --: | --- | --- |\n"
        "| [headache](reports/headache/20_pooled_effect.ipynb) | pain, 0-10 | placebo | 5 | 2 "
        "| 151 | -0.4 (-0.9 to 0.1) | low |\n"
        "| [back_pain](reports/back_pain/20_pooled_effect.ipynb) | pain, 0-10 | placebo | 5 | 0 "
        "| 151 | -0.4 (-0.9 to 0.1) | not rated |\n"
        "\n* **headache**: Two trials \\| pooled, no clear difference; certainty: low.\n"
        "* **back_pain**: Two trials \\| pooled, no clear difference; certainty: not rated.\n"
        "<!-- answers:end -->\n\nThe end.\n"
    )


def test_a_changed_answer_makes_the_table_stale(project):
    answer(project, "headache")
    readme.write_answers()
    answer(project, "headache", people=152)
    assert project.read("README.md") != readme.with_answers()


def test_an_edited_table_is_stale(project):
    answer(project, "headache")
    readme.write_answers()
    project.replace("README.md", "| 151 |", "| 999 |")
    assert project.read("README.md") != readme.with_answers()


def test_lost_marks_are_named(project):
    project.replace("README.md", "<!-- answers:end -->", "")
    with pytest.raises(StaleError, match=r"README\.md needs the lines"):
        readme.write_answers()


@pytest.mark.parametrize("facts", ["{}", "not json", '{"20_pooled_effect": {"answer": {}}}'])
def test_a_report_without_an_answer_is_named(project, facts):
    project.write("reports/headache/facts.json", facts)
    with pytest.raises(StaleError, match=r"reports/headache/facts.json: .* states no label, out"):
        readme.write_answers()


@pytest.mark.parametrize("rated", [None, {}, {"certainty": "low"}])
def test_a_report_whose_certainty_is_not_there_yet_is_still_an_answer(project, rated):
    answer(project, "headache", rated=rated)
    (found,) = readme.read_answers()
    assert found.certainty == ("low" if rated else "not rated")
    assert found.certainty_sentence == ""
    assert readme.answers_block([found], lambda _: "page").endswith(
        f"no clear difference; certainty: {found.certainty}."
    )
