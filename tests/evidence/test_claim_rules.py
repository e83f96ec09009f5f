"""What claim_rules.toml may state, and that nothing else is taken for a rule."""

import copy
import tomllib

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.audit.claim_material import Case
from ldn_meta.evidence.audit.claims import FORMS, rules_of
from ldn_meta.evidence.raw.review import CLAIM_RULES, VERDICTS, Review, read_rules

OTHER = Review("XYZ", "the other drug")


@pytest.fixture(scope="module")
def stated(raw_folder):
    return tomllib.loads((raw_folder / CLAIM_RULES).read_text(encoding="utf-8"))


def test_a_rule_names_the_treatment_of_the_review(stated):
    rules = read_rules(stated, FORMS, OTHER).rules
    assert "in people on XYZ against" in rules["cohort-change"].question
    assert "favours XYZ" in rules["onset"].told
    assert set(rules["count-pairs"].verdicts.values()) <= set(VERDICTS)
    assert rules["design-limits"].numbers == {"small": 100, "short": 12}
    assert rules["dropout"].numbers["limit"] == 0.2


def test_without_the_file_there_is_no_rule():
    assert read_rules({}, FORMS, OTHER).rules == {}


def changed(stated, path, value):
    """The file with one value set, or taken out where None."""
    changed = copy.deepcopy(stated)
    *way, last = path.split("/")
    part = changed
    for key in way:
        part = part[key]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return changed


PAIRS = "rules/count-pairs"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("rulez", {}, "claim_rules.toml: unknown choice rulez"),
        ("rules", None, "claim_rules.toml: 'rules' is missing"),
        ("legend/contradicted", None, "claim_rules.toml.legend: 'contradicted' is missing"),
        ("legend/false", "It is wrong.", "legend: unknown choice false; allowed: supported, "),
        ("remarks/misfit", None, "remarks: 'misfit' is missing"),
        ("remarks/misfit", "{p_lowe}", "remarks.misfit: {p_lowe} is .* did you mean 'p_low'"),
        (PAIRS, 3, "rules.count-pairs: 3 is not allowed; allowed: a table"),
        (f"{PAIRS}/told", None, "rules.count-pairs: 'told' is missing"),
        (f"{PAIRS}/question", "Does {treatmnt} help?", "{treatmnt} .* did you mean 'treatment'"),
        (
            f"{PAIRS}/verdict",
            "Verdict",
            "unknown choice verdict; allowed: computes, ",
        ),
        (f"{PAIRS}/computes", "trial on file", "'trial on file' is no .* mean 'trials on file'"),
        (f"{PAIRS}/verdicts/none", None, "rules.count-pairs.verdicts: 'none' is missing"),
        (
            f"{PAIRS}/verdicts/most",
            "supported",
            "verdicts: unknown choice most; allowed: none",
        ),
        (
            f"{PAIRS}/verdicts/none",
            "suported",
            "'suported' is no verdict; did you mean 'sup",
        ),
        (f"{PAIRS}/sentences/unfit", None, "rules.count-pairs.sentences: 'unfit' is missing"),
        (f"{PAIRS}/sentences/more", "x", "sentences: unknown choice more; allowed: "),
        (f"{PAIRS}/sentences/unfit", "{unfitt}", "unfit: {unfitt} is .* did you mean 'unfit'"),
        (f"{PAIRS}/sentences/unfit", 4, "sentences.unfit: 4 is not allowed; allowed: text"),
        (f"{PAIRS}/parameters", {"arm": 1}, "rules.count-pairs.parameters: unknown choice arm"),
        (f"{PAIRS}/filed", {"no": "yes"}, "rules.count-pairs.filed: unknown choice no; allowed: "),
        ("rules/onset/parameters/weeks", None, "onset.parameters: 'weeks' is missing"),
        ("rules/onset/parameters/weeks", "four", "'four' is not allowed; allowed: a number"),
        ("rules/onset/parameters/weeks", True, "True is not allowed; allowed: a number"),
        ("rules/onset/parameters/groups", "pain", "'pain' is not allowed; allowed: a list"),
    ],
)
def test_what_a_rule_may_not_state(stated, path, value, message):
    with pytest.raises(ArgumentError, match=message):
        read_rules(changed(stated, path, value), FORMS, OTHER)


def test_a_wrong_rule_stops_whoever_loads_the_folder(evidence, stated):
    import dataclasses

    wrong = changed(stated, f"{PAIRS}/told", None)
    with pytest.raises(ArgumentError, match="'told' is missing"):
        rules_of(dataclasses.replace(evidence, wording={CLAIM_RULES: wrong}))


class _Material:
    def __init__(self, review):
        self.evidence = type("Evidence", (), {"review": review})


def test_a_case_says_what_the_rule_says_and_files_numbers_alone(stated):
    where = "rules/sizes-add-up"
    wording = changed(stated, f"{where}/sentences/fits", "{way} on {treatment}: {people:n}")
    wording = changed(wording, f"{where}/filed", {"people": "n_people"})
    rules = read_rules(wording, FORMS, OTHER).rules
    case = Case({}, _Material(OTHER), rules, rules["sizes-add-up"])
    found = case.by("fits", case.say("fits", way="a", people=7), way="a", people=7, k=0.5)
    assert found.sentence == "a on XYZ: 7"
    assert found.numbers == {"n_people": 7.0, "k": 0.5}
    assert case.answer("fits", "fits", way="a", people=7).verdict == "supported with caveats"
    with pytest.raises(ArgumentError, match="no rule 'of-none'; allowed: agrees-with-source, "):
        case.under("of-none")
