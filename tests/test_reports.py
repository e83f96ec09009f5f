"""The executed reports as committed: complete, clean, and every stated number is a fact."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from builders import numbers_in
from ldn_meta import files

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "notebooks" / "parameters.toml").read_text(encoding="utf-8"))
EXPECTED = [
    (target, notebook)
    for target in SETTINGS["indications"]
    for notebook in SETTINGS["notebooks"]["per_indication"]
] + [("overview", notebook) for notebook in SETTINGS["notebooks"]["once"]]
NUMBER = re.compile(r"(?<![\w.])-?\d(?:[\d,]*\d)?(?:\.\d+)?")


@pytest.fixture(params=EXPECTED, ids=lambda pair: "/".join(pair))
def report(request):
    target, notebook = request.param
    folder = ROOT / "reports" / target
    page = json.loads((folder / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return page, facts[notebook]


def outputs(page):
    for cell in page["cells"]:
        yield from cell.get("outputs", [])


def test_ran_to_the_end_without_errors_or_warnings(report):
    page, _ = report
    code = [cell for cell in page["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in code]
    # Once each and in order; a section with nothing to show ran and is left out.
    assert counts == sorted(set(counts))
    assert counts[0] == 1
    for output in outputs(page):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr"


def test_every_picture_has_words(report):
    page, _ = report
    for output in outputs(page):
        if "image/png" in output.get("data", {}):
            assert len(output["metadata"]["image/png"]["alt"]) > 20


def test_no_place_or_time_in_the_page(report):
    page, _ = report
    for output in outputs(page):
        output.get("data", {}).pop("image/png", None)
    text = json.dumps(page)
    assert str(ROOT) not in text
    assert not re.search(r" at 0x[0-9a-f]{6,}|/tmp/|\"duration\"|start_time|end_time", text)


def printed_numbers(facts):
    """Numbers quoted from reports, and estimates of studies outside the pool."""
    for quoted in facts.get("printed", {}).values():
        yield from (float(n.replace(",", "")) for n in NUMBER.findall(quoted))


def stated_sentences(facts):
    answer = facts.get("answer", {})
    for text in (facts.get("sentence"), answer.get("sentence"), answer.get("effect")):
        if text:
            yield text


# Words of the field with digits in them: interval level, scale, threshold of a responder,
# denominators and natural frequencies, names of trials and years.
NAMES = re.compile(
    r"95% (?:CI|credible interval)|points \(0-100?\)|points \(\d+-\d+\)|1,000"
    r"|at least \d+% less( pain)?|tau2?"
    r"|[A-Z][\w&. -]+ \d{4}[^;:,]*?(?=[;:,.]| found| does| \d+/\d+)|\d+/\d+"
)


def test_every_number_of_a_sentence_is_a_fact(report):
    _, facts = report
    values = [*numbers_in(facts), *printed_numbers(facts)]
    for sentence in stated_sentences(facts):
        for number in NUMBER.findall(NAMES.sub(" ", sentence)):
            digits = len(number.partition(".")[2])
            stated = float(number.replace(",", ""))
            near = [
                v
                for v in values
                if abs(round(v, digits) - stated) < 0.6 * 10.0**-digits
                or abs(round(100 * v) - stated) < 0.5
            ]
            assert near, f"{number} of {sentence!r} is in no fact"


def test_readme_answers_are_current():
    from ldn_meta.pipeline.readme import with_answers

    assert (files.project_root() / "README.md").read_text(encoding="utf-8") == with_answers()


def test_generated_parts_of_the_methods_page_are_current():
    from ldn_meta.pipeline.readme import with_tables

    page = files.project_root() / "docs" / "methods.md"
    assert page.read_text(encoding="utf-8") == with_tables()
