import pytest

from ldn_meta.errors import ParameterError
from ldn_meta.pipeline.notebooks import parse_assignment, plan


def by_label(jobs):
    return {job.label: job for job in jobs}


def test_plan_has_every_page_with_effective_values(project):
    jobs = by_label(plan())
    assert list(jobs) == [
        "headache/20_pooled_effect",
        "back_pain/20_pooled_effect",
        "overview/90_overview",
    ]
    page = jobs["back_pain/20_pooled_effect"]
    assert page.parameters == {
        "indication": "back_pain",
        "construct": "function",
        "tau2_method": "pm",
        "level": 0.95,
        "years": [2000, 2001],
        "is_blind": True,
        "correlation": None,
    }
    assert page.title_fields["label"] == "back pain"
    assert jobs["overview/90_overview"].parameters == {"level": 0.9}


def test_named_indications_only(project):
    assert [job.label for job in plan(["overview", "headache"])] == [
        "headache/20_pooled_effect",
        "overview/90_overview",
    ]


def test_override_goes_to_every_notebook_that_has_the_parameter(project):
    jobs = by_label(plan(None, {"level": 0.8, "correlation": 0.5}))
    assert jobs["headache/20_pooled_effect"].parameters["correlation"] == 0.5
    assert jobs["headache/20_pooled_effect"].parameters["level"] == 0.8
    assert jobs["overview/90_overview"].parameters == {"level": 0.8}


@pytest.mark.parametrize(
    ("indications", "overrides", "message"),
    [
        (["headahce"], {}, r"'headahce' is unknown; did you mean 'headache'\?"),
        (["other"], {}, "'other' is unknown.*allowed: headache, back_pain, overview"),
        ([""], {}, "allowed: headache, back_pain, overview"),
        (None, {"tau2_metod": "pm"}, r"'tau2_metod' is unknown; did you mean 'tau2_method'\?"),
        (None, {"tau2_method": "remml"}, r"did you mean 'reml'\? allowed: reml, pm, dl"),
        (None, {"level": "high"}, "'level' is 'high': must be a number"),
        (None, {"level": True}, "must be a number"),
        (None, {"is_blind": 1}, "must be true or false"),
        (None, {"years": [2000, "x"]}, "must be a list of a whole number values"),
        (None, {"years": 2000}, "must be a list"),
        (None, {"indication": "headache"}, "name the indication as an argument"),
        (["overview"], {"construct": "pain"}, "'construct' is unknown"),
    ],
)
def test_wrong_requests_are_refused(project, indications, overrides, message):
    with pytest.raises(ParameterError, match=message):
        plan(indications, overrides)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('construct = "pain"', 'constuct = "pain"', r"\[indications.headache\].*did you mean"),
        ('tau2_method = "pm"', 'tau2_method = "mp"', r"\[indications.back_pain\] value 'mp'"),
        ("[indications.headache]", "[indications.headach]", "did you mean 'headache'"),
        ("[indications.headache]", "[indications.other]", "'?other'?.*is unknown"),
        ('[indications.headache]\nconstruct = "pain"', "", r"no table \[indications.headache\]"),
        ("[once]", "[onec]", "did you mean 'once'"),
        ("level = 0.9", 'level = "x"', r"\[once\] parameter 'level'"),
        ("tau2_method = [", "tau2_metod = [", r"\[allowed\] parameter 'tau2_metod'"),
        ('["reml", "pm", "dl"]', '["pm", "dl"]', "20_pooled_effect.ipynb value 'reml'"),
        ('"20_pooled_effect"', '"20_poled_effect"', "no notebook '20_poled_effect'"),
        ('["90_overview"]', "[", "parameters.toml cannot be read"),
    ],
)
def test_wrong_settings_are_refused_also_for_pages_not_asked_for(project, old, new, message):
    project.replace("notebooks/parameters.toml", old, new)
    with pytest.raises(ParameterError, match=message):
        plan(["overview"])


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("indication = choose()", "not 'name = literal'"),
        ("indication = 'a'\nlevel = 1 - alpha", "not 'name = literal'"),
        ("import os", "not 'name = literal'"),
        ("indication = ", "not 'name = literal'"),
        ("level = 0.95", "no parameter 'indication'"),
    ],
)
def test_parameters_cell_holds_literals_only(project, cell, message):
    project.page(parameters=cell)
    project.write(
        "notebooks/parameters.toml",
        '[notebooks]\nper_indication = ["20_pooled_effect"]\n'
        "[indications.headache]\n[indications.back_pain]\n",
    )
    with pytest.raises(ParameterError, match=message):
        plan()


def test_negative_numbers_are_literals(project):
    project.page(parameters=project_cell("low = -1.5"))
    assert plan()[0].parameters["low"] == -1.5


def project_cell(extra):
    return (
        'indication = "headache"\nconstruct = "pain"\ntau2_method = "reml"\n'
        f"level: float = 0.95\n{extra}\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("level=0.9", ("level", 0.9)),
        ("k=3", ("k", 3)),
        ("flag=true", ("flag", True)),
        ("seed=null", ("seed", None)),
        ('years=["a", "b"]', ("years", ["a", "b"])),
        ("years=['a', 'b']", ("years", ["a", "b"])),
        ("method=pm", ("method", "pm")),
        ("method='pm'", ("method", "pm")),
        ("seed=007", ("seed", "007")),
        ("flag=None", ("flag", "None")),
        ("rule=a=b", ("rule", "a=b")),
    ],
)
def test_values_on_the_command_line(text, expected):
    assert parse_assignment(text) == expected


@pytest.mark.parametrize("text", ["level", "=3", "1x=3", ""])
def test_no_assignment(text):
    with pytest.raises(ParameterError, match="is not name=value"):
        parse_assignment(text)


def test_a_whole_number_may_stand_for_a_float(project):
    assert plan(["headache"], {"level": 1})[0].parameters["level"] == 1
