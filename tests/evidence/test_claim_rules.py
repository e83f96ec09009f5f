"""What claim_rules.toml may state, and that nothing else is taken for a rule."""

import copy
import tomllib

import pytest

from builders import cases
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
    cases("rules_refused"),
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
