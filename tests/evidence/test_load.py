"""All of data/raw is taken, or refused; what every floor has to say comes at once."""

from builders import faults_of
from ldn_meta.evidence.load import load_evidence


def test_the_builder_of_these_tests_makes_evidence_in_order(build):
    build.trial()
    whole = {"estimate": "-1.0", "ci_low": "-2.0", "ci_high": "0.0", "ci_level": 0.95}
    build.contrast(**whole, n_1=50, n_2=50, as_reported="-1.0 (-2.0 to 0.0)")
    build.stats(n=50, mean="-1.5", sd="2.0", as_reported="-1.5 (SD 2.0)")
    build.events(n=50, events=20, as_reported="20 of 50")
    # One person may have several events.
    build.events(n=50, events=70, counted="events", as_reported="70 in all")
    assert len(build.load(validate=True).contrasts) == 1


def test_a_fact_of_which_no_row_is_preferred(raw):
    row = raw.find("arm_stats", study_id="smith2007", preferred="yes")
    row |= {"preferred": "no", "preferred_reason": "both may be wrong"}
    (fault,) = faults_of(raw.save()).faults
    assert (fault.table, fault.line) == ("arm_stats", raw.line("arm_stats", row))
    assert fault.rule == "no row states this fact as the preferred one"
    assert fault.remedy == "set preferred to yes for the row to be used"


def test_without_validation_the_shape_is_still_checked(raw):
    raw.find("studies")["blinding"] = "double"
    folder = raw.save()
    assert load_evidence(folder, validate=False).studies["blinding"].eq("double").sum() == 1
    raw.path("arms").unlink()
    assert [f.table for f in faults_of(folder, validate=False).faults] == ["arms"]


def test_an_independent_validator_finds_no_fault_either(raw_folder):
    from frictionless import Package

    report = Package(str(raw_folder / "datapackage.json")).validate()
    assert report.flatten(["name", "rowNumber", "fieldName", "note"]) == []
