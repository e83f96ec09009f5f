"""The executed reports as committed: complete, clean, and every stated number is a fact."""

import html
import itertools
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


def words_of(page):
    """What is read on a page: no address, no code, not the choices it was computed with."""
    for output in outputs(page):
        data = output.get("data", {})
        text = "".join(data.get("text/html") or data.get("text/markdown") or [])
        if "<strong>Computed with</strong>" not in text:
            yield re.sub(r"<(code|a)\b.*?</\1>|`[^`]*`", "", text, flags=re.DOTALL)


def test_what_has_a_name_is_not_called_by_its_key(report, evidence):
    named = {
        "arms": ["arm_id"],
        "claims": ["claim_id"],
        "indications": ["indication_id"],
        "outcomes": ["outcome_id", "construct"],
        "sources": ["source_id"],
        "studies": ["study_id"],
    }
    text = evidence.text
    keys = {key for table, names in named.items() for name in names for key in text[table][name]}
    # A word that is a key too, as "mood", is a word.
    keys = {key for key in keys if re.search(r"[-_\d]", key)}
    shown = {word for text in words_of(report[0]) for word in re.findall(r"[\w-]+", text)}
    assert not shown & keys


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


TABLE = re.compile(r"<(style|table).*?</\1>", re.S)
TAG = re.compile(r"<[^>]+>")
WORD = re.compile(r"\S*\w\S*")
# Words of one page outside its tables, where nothing could be pooled.
LONGEST_WITHOUT_A_POOL = 700
BUDGETS = {
    "fibromyalgia": 6000,
    "multiple_sclerosis": 3500,
    "crohns_disease": 3000,
    "complex_regional_pain_syndrome": 2000,
    "painful_diabetic_neuropathy": 3500,
    "mixed_chronic_pain": 3500,
    "opioid_combination": 3500,
    "overview": 3000,
}
# What no reader should meet outside code, tables and addresses.
FORBIDDEN = re.compile(
    r"told: favours|important from 1|\d of \d \(p = [\d.]+\) towards|\ba odds\b|found a "
    r"|[+-]?\b1 (?:points|studies|trials|results)\b|\bNone\.|\bpage \d\d\b"
    r"|\bNR\b(?! not reported)|\bnan\b"
    # Codes of the tables: direction-in-sources, innova2026, responder_pain_30.
    r"|\b[a-z]+-in-[a-z]+\b|(?<!/)\b[a-z]{4,}(?:19|20)\d\d\b|(?<![/\w])[a-z]+_[a-z_]+\b(?!\.)"
)
LONGEST_SENTENCE = 45
README_WORDS = 40


def in_words(page):
    """Text of an executed page outside code and tables, cell by cell."""
    for cell in page["cells"]:
        if cell["cell_type"] == "markdown":
            yield "".join(cell["source"])
        for output in cell.get("outputs", []):
            data = {mime: "".join(text) for mime, text in output.get("data", {}).items()
                    if mime.startswith("text/")}  # fmt: skip
            if "text/html" in data:
                yield html.unescape(TAG.sub(" ", TABLE.sub(" ", data["text/html"])))
            elif "image/png" not in output.get("data", {}):
                yield data.get("text/markdown", data.get("text/plain", ""))


def words(text):
    return len(WORD.findall(text))


def pages_of(target):
    for file in sorted((ROOT / "reports" / target).glob("*.ipynb")):
        yield file.stem, json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("target", BUDGETS)
def test_a_condition_is_told_within_its_budget_of_words(target):
    counted = {name: sum(map(words, in_words(page))) for name, page in pages_of(target)}
    assert sum(counted.values()) <= BUDGETS[target], counted
    facts = json.loads((ROOT / "reports" / target / "facts.json").read_text(encoding="utf-8"))
    if facts.get("20_pooled_effect", {}).get("answer", {}).get("trials") == 0:
        assert max(counted.values()) <= LONGEST_WITHOUT_A_POOL, counted


def test_no_code_and_no_clumsy_word_reaches_a_reader(report):
    page, _ = report
    for text in in_words(page):
        # The footer and the count of facts name files on purpose.
        told = re.sub(r"\S+\.(?:csv|json|toml|md)\b|\S*/\S*|https?://\S+", " ", text)
        assert not (found := FORBIDDEN.search(told)), told[max(0, found.start() - 60) :][:160]


@pytest.mark.parametrize("target", SETTINGS["indications"])
def test_an_answer_is_told_in_sentences_that_can_be_read_aloud(target):
    facts = json.loads((ROOT / "reports" / target / "facts.json").read_text(encoding="utf-8"))
    for notebook in ("20_pooled_effect", "30_responder_rates", "40_safety"):
        for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z*])", facts[notebook].get("sentence", "")):
            assert words(sentence) <= LONGEST_SENTENCE, sentence
    for sentence in re.split(
        r"(?<=[.?!])\s+(?=[A-Z*])", facts["20_pooled_effect"]["answer"]["sentence"]
    ):
        assert words(sentence) <= LONGEST_SENTENCE, sentence


def test_the_answer_stands_under_the_title_and_parameters_once(report):
    page, _ = report
    tags = [cell["metadata"].get("tags", []) for cell in page["cells"]]
    assert sum("parameters" in some for some in tags) == 1
    assert not any("injected-parameters" in some for some in tags)
    answers = [place for place, some in enumerate(tags) if "answer" in some]
    assert answers in ([], [1])
    # A heading has something under it, and no table says that there is none.
    kinds = [cell["cell_type"] == "markdown" and "".join(cell["source"]).startswith("## ")
             for cell in page["cells"]]  # fmt: skip
    assert not any(one and other for one, other in itertools.pairwise([*kinds, True]))


def test_the_readme_tells_each_condition_in_one_short_sentence():
    from ldn_meta.pipeline.readme import with_answers

    told = [line for line in with_answers().splitlines() if line.startswith("* **")]
    told = [line for line in told if "; certainty: " in line]
    assert len(told) == len(SETTINGS["indications"])
    for line in told:
        assert words(line.partition("**: ")[2]) <= README_WORDS, line


def test_readme_answers_are_current():
    from ldn_meta.pipeline.readme import with_answers

    assert (files.project_root() / "README.md").read_text(encoding="utf-8") == with_answers()


def test_generated_parts_of_the_methods_page_are_current():
    from ldn_meta.pipeline.readme import with_tables

    page = files.project_root() / "docs" / "methods.md"
    assert page.read_text(encoding="utf-8") == with_tables()
