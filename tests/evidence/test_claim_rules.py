"""What claim_rules.toml may state, and that nothing else is taken for a rule."""

import copy
import tomllib

import pytest

from ldn_meta.errors import ArgumentError
from ldn_meta.evidence.audit.claim_material import Case
from ldn_meta.evidence.audit.claim_rules import FILE, SUPPORTED, VERDICTS, read_rules
from ldn_meta.evidence.audit.claims import FORMS, rules_of
from ldn_meta.evidence.raw.review import Review

OTHER = Review("XYZ", "the other drug")


@pytest.fixture(scope="module")
def stated(raw_folder):
    return tomllib.loads((raw_folder / FILE).read_text(encoding="utf-8"))


def test_a_rule_names_the_treatment_of_the_review(stated):
    rules = read_rules(stated, FORMS, OTHER).rules
    assert "in people on XYZ against" in rules["cohort-change"].question
    assert "favours XYZ" in rules["onset"].told
    assert set(rules["nnt"].verdicts.values()) <= set(VERDICTS)
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


NNT = "rules/nnt"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("rulez", {}, "claim_rules.toml: unknown choice rulez"),
        ("rules", None, "claim_rules.toml: 'rules' is missing"),
        ("remarks/misfit", None, "remarks: 'misfit' is missing"),
        ("remarks/misfit", "{p_lowe}", "remarks.misfit: {p_lowe} is .* did you mean 'p_low'"),
        (NNT, 3, "rules.nnt: 3 is not allowed; allowed: a table"),
        (f"{NNT}/told", None, "rules.nnt: 'told' is missing"),
        (f"{NNT}/question", "Does {treatmnt} help?", "{treatmnt} .* did you mean 'treatment'"),
        (f"{NNT}/verdict", "Verdict", "rules.nnt: unknown choice verdict; allowed: computes, "),
        (f"{NNT}/computes", "trial on file", "'trial on file' is no .* mean 'trials on file'"),
        (f"{NNT}/verdicts/none", None, "rules.nnt.verdicts: 'none' is missing"),
        (f"{NNT}/verdicts/most", "supported", "verdicts: unknown choice most; allowed: none, so"),
        (f"{NNT}/verdicts/all", "suported", "'suported' is no verdict; did you mean 'supported'"),
        (f"{NNT}/sentences/counts", None, "rules.nnt.sentences: 'counts' is missing"),
        (f"{NNT}/sentences/more", "x", "sentences: unknown choice more; allowed: counts, not_"),
        (f"{NNT}/sentences/counts", "{pair}", "counts: {pair} is .* did you mean 'pairs'"),
        (f"{NNT}/sentences/counts", 4, "sentences.counts: 4 is not allowed; allowed: text"),
        (f"{NNT}/parameters", {"arm": 1}, "rules.nnt.parameters: unknown choice arm"),
        (f"{NNT}/filed", {"no": "yes"}, "rules.nnt.filed: unknown choice no; allowed: away, "),
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

    wrong = changed(stated, f"{NNT}/told", None)
    with pytest.raises(ArgumentError, match="'told' is missing"):
        rules_of(dataclasses.replace(evidence, wording={FILE: wrong}))


class _Material:
    def __init__(self, review):
        self.evidence = type("Evidence", (), {"review": review})


def test_a_case_says_what_the_rule_says_and_files_numbers_alone(stated):
    where = "rules/sizes-add-up"
    wording = changed(stated, f"{where}/sentences/fits", "{way} on {treatment}: {people:n}")
    wording = changed(wording, f"{where}/filed", {"people": "n_people"})
    rules = read_rules(wording, FORMS, OTHER).rules
    case = Case({}, _Material(OTHER), rules, rules["sizes-add-up"])
    found = case.finding(SUPPORTED, case.say("fits", way="a", people=7), way="a", people=7, k=0.5)
    assert found.sentence == "a on XYZ: 7"
    assert found.numbers == {"n_people": 7.0, "k": 0.5}
    assert case.answer("fits", "fits", way="a", people=7).verdict == "supported with caveats"
    with pytest.raises(ArgumentError, match="no rule 'of-none'; allowed: agrees-with-source, "):
        case.under("of-none")
