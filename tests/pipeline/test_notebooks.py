"""Which notebooks run with which parameters, and what is kept of an executed one."""

import base64
import json

import nbformat
import pytest

from ldn_meta.display.outputs import FACTS_MIME
from ldn_meta.errors import NotebookError, ParameterError
from ldn_meta.pipeline.notebooks import (
    facts_bytes,
    fill_titles,
    normalise,
    parameter_lines,
    parse_assignment,
    plan,
    read_parameters,
    take_outputs,
)
from ldn_meta.pipeline.run import notebook_bytes


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


def test_only_pages_that_read_what_was_changed_run(project):
    assert [job.label for job in plan(None, {"years": [1999]})] == [
        "headache/20_pooled_effect",
        "back_pain/20_pooled_effect",
    ]


def test_choices_of_the_analysis_reach_every_page_that_they_can_change():
    jobs = by_label(plan(["fibromyalgia"], {"designs": "Parallel, cross-over"}))
    assert [label.partition("/")[2][:2] for label in jobs] == ["20", "30", "40", "50", "60"]
    for job in jobs.values():
        assert job.parameters["designs"] == ["parallel", "crossover"]
        assert job.parameters["without"] == "protocol"
    (page,) = plan(["fibromyalgia"], {"responder_construct": "responder_pain_50"})
    assert page.notebook == "30_responder_rates"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"designs": "paralel"}, r"-p: designs: 'paralel' .* did you mean 'parallel'\?"),
        ({"without": "INOVA 2026"}, r"-p: without: .* did you mean 'INNOVA 2026'\?"),
        # A trial of another condition is none of this one.
        ({"trials": "smith2011"}, r"-p: trials: 'smith2011' is not allowed; "),
        ({"timepoint_weeks": 30}, r"target_weeks \(timepoint_weeks\): 30 is not allowed; "),
        ({"construct": "pain_intensity,fatige"}, r"'fatige' of 'construct' .* 'fatigue'\?"),
        ({"construct": "pain"}, r"'pain' of 'construct' is unknown; did you mean 'pain_intensit"),
    ],
)
def test_a_wrong_choice_is_refused_before_anything_runs(given, message):
    with pytest.raises(ParameterError, match=message):
        plan(["fibromyalgia"], given)


def test_words_of_other_programs_are_named_back():
    words = ["tau2_method=DL", "ci_method=knha", "timepoint_weeks=26", "designs=parallel"]
    given, told = read_parameters(words, ["fibromyalgia"])
    assert given == {
        "tau2_method": "dl",
        "ci_method": "knapp-hartung",
        "timepoint_weeks": 26.0,
        "designs": ["parallel"],
    }
    assert told == [
        "tau2_method = dl (given as DL)",
        "ci_method = knapp-hartung (given as knha)",
    ]
    # Read once more, they stay what they are.
    assert plan(["fibromyalgia"], given) == plan(
        ["fibromyalgia"], dict(map(parse_assignment, words))
    )


def test_a_printed_label_is_an_outcome():
    for name in ("construct", "harm_construct"):
        given, _ = read_parameters([f"{name}=Pain intensity"], ["fibromyalgia"])
        assert given == {name: "pain_intensity"}


def test_a_parameter_is_named_once():
    with pytest.raises(ParameterError, match="-p tau2_method is given 2 times: name it once"):
        read_parameters(["tau2_method=dl", "tau2_method=pm"])


def test_every_parameter_is_listed_with_values_and_pages():
    rows = {name: rest for name, *rest in parameter_lines()}
    said, on_file, pages = rows["designs"]
    assert said == "only these designs, such as parallel"
    assert on_file.startswith("parallel, crossover, ")
    assert pages == "20 30 40 50 60"
    assert "innova2026" in rows["without"][1]
    assert "smith2007" not in rows["without"][1]
    assert rows["tau2_method"][0].endswith("common, dl, he, hs, sj, ml, reml, eb, pm")
    assert rows["simulated_trials"][2] == "92"


def test_an_outcome_that_nothing_on_file_is_about_is_refused():
    """An outcome of another condition is none of this one; a page of nothing tells nobody."""
    for name in ("protocol", "pain_intensity"):
        assert plan(["fibromyalgia"], {"construct": name})
    for name, message in (
        ("pain_intensit", r"'pain_intensit' of 'construct' is unknown; did you mean 'pain_int"),
        ("endoscopic_response", r"'endoscopic_response' of 'construct' is unknown.*protocol, "),
    ):
        with pytest.raises(ParameterError, match=message):
            plan(["fibromyalgia"], {"construct": name})
    assert plan(["crohns_disease"], {"construct": "endoscopic_response"})


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
        ('["90_overview"]', "[", "parameters.toml is no TOML"),
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


new = nbformat.v4


def executed(root, *, seed):
    """The same notebook as two runs would leave it."""
    address = f"0x7f{seed:010x}"
    cell_file = f"/tmp/ipykernel_{seed}/{seed * 7}.py"
    printed = ["one ", "two\n"] if seed % 2 else ["one two\n"]
    out = [new.new_output("stream", name="stdout", text=text) for text in printed]
    noise = new.new_output("stream", name="stderr", text=f"{cell_file}:1: Warning\n")
    out.insert(seed % 2, noise)
    result = new.new_output(
        "execute_result",
        data={
            "text/plain": f"<Figure at {address}> {root}/data/raw",
            "text/html": f"<b>{root}/reports</b> at {address}",
            FACTS_MIME: {"estimate": 0.1 + seed * 1e-15, "k": 3, "none": float("nan")},
        },
        execution_count=1,
    )
    cells = [
        new.new_markdown_cell("# Title", id="question"),
        new.new_code_cell("p = 1", metadata={"tags": ["injected-parameters"]}),
        new.new_code_cell(
            "f()",
            id="table",
            outputs=[*out, result],
            execution_count=1,
            metadata={
                "tags": [],
                "execution": {"iopub.status.busy": f"2026-01-0{seed}"},
                "papermill": {"duration": seed, "status": "completed"},
            },
        ),
    ]
    metadata = {
        "papermill": {
            "parameters": {"p": 1},
            "version": "2.7.0",
            "start_time": str(seed),
            "output_path": f"/tmp/{seed}",
        },
        "language_info": {"name": "python", "version": f"3.11.{seed}"},
        "kernelspec": {"name": "ldn-fork", "display_name": "x", "language": "python"},
        "widgets": {},
    }
    return new.new_notebook(cells=cells, metadata=metadata)


def test_two_runs_in_two_places_give_the_same_bytes(project, monkeypatch, tmp_path):
    first = executed(project.root, seed=1)
    assert normalise(first) == "/tmp/ipykernel_1/7.py:1: Warning\n"
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setenv("LDN_META_ROOT", str(elsewhere))
    second = executed(elsewhere, seed=2)
    normalise(second)
    assert notebook_bytes(first) == notebook_bytes(second)
    text = notebook_bytes(first).decode()
    for noise in ("0x7f", "ipykernel", "2026", "duration", "3.11", "stderr", str(tmp_path)):
        assert noise not in text
    kept = json.loads(text)
    assert kept["metadata"]["papermill"] == {"parameters": {"p": 1}, "version": "2.7.0"}
    assert [cell["id"] for cell in kept["cells"]] == ["question", "injected-parameters", "table"]
    outputs = kept["cells"][2]["outputs"]
    assert outputs[0]["text"] == ["one two\n"]
    assert outputs[1]["data"][FACTS_MIME] == {"estimate": 0.1, "k": 3, "none": None}
    assert outputs[1]["data"]["text/plain"] == ["<Figure> data/raw"]
    nbformat.validate(nbformat.from_dict(kept))


def test_normalising_twice_changes_nothing(project):
    notebook = executed(project.root, seed=1)
    normalise(notebook)
    once = notebook_bytes(notebook)
    normalise(notebook)
    assert notebook_bytes(notebook) == once
    assert once.endswith(b"}\n")


def test_titles_are_filled_in():
    notebook = new.new_notebook(
        cells=[
            new.new_markdown_cell("# Help in {label}?", metadata={"tags": ["title"]}),
            new.new_markdown_cell("{label} stays"),
        ]
    )
    fill_titles(notebook, {"label": "headache"}, name="page")
    assert [cell.source for cell in notebook.cells] == ["# Help in headache?", "{label} stays"]
    notebook.cells[0].source = "# {lable}"
    with pytest.raises(
        NotebookError, match=r"page: the title asks for \{lable\}; fields are label"
    ):
        fill_titles(notebook, {"label": "headache"}, name="page")


def display(data, **label):
    output = new.new_output(
        "display_data", data=data, metadata={"ldn-meta": label} if label else {}
    )
    return new.new_code_cell("show()", outputs=[output])


PNG = base64.b64encode(b"png bytes").decode()


def test_facts_are_merged_and_figures_filed():
    notebook = new.new_notebook(
        cells=[
            new.new_markdown_cell("text"),
            display({FACTS_MIME: {"k": 2}, "text/plain": "k 2"}),
            display({FACTS_MIME: {"estimate": 0.5, "k": 2}}),
            display(
                {"image/png": PNG, "image/svg+xml": "<svg/>\n", "text/plain": "two trials"},
                figure="forest",
                alt="two trials",
            ),
            display({"image/png": PNG}),
        ]
    )
    outputs = take_outputs(notebook, name="page")
    assert outputs.facts == {"k": 2, "estimate": 0.5}
    assert outputs.figures == {
        "figures/forest.png": b"png bytes",
        "figures/forest.svg": b"<svg/>\n",
    }
    shown = notebook.cells[3].outputs[0]
    assert set(shown.data) == {"image/png", "text/plain"}
    assert shown.metadata["image/png"]["alt"] == "two trials"


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([display({FACTS_MIME: {"k": 2}}), display({FACTS_MIME: {"k": 3}})], "'k' has two values"),
        ([display({"image/png": PNG}, figure="a")], "no alternative text"),
        ([display({"image/png": PNG}, figure="a", alt=" ")], "no alternative text"),
        ([display({"image/svg+xml": "<svg/>"}, figure="a", alt="x")], "no PNG"),
        ([display({"image/png": PNG}, figure="../a", alt="x")], "is not named"),
        (
            [display({"image/png": PNG}, figure="a", alt=alt) for alt in "xy"],
            "two figures are called 'a'",
        ),
    ],
)
def test_wrong_outputs_are_refused(cells, message):
    with pytest.raises(NotebookError, match=f"page: .*{message}"):
        take_outputs(new.new_notebook(cells=cells), name="page")


def test_facts_file():
    assert facts_bytes({"b": {"y": 1, "x": "é"}, "a": []}) == (
        '{\n "a": [],\n "b": {\n  "x": "é",\n  "y": 1\n }\n}\n'.encode()
    )


def test_a_section_that_ran_and_shows_nothing_is_left_out():
    def page(outputs, ran=1):
        cells = [
            new.new_markdown_cell("# Page", id="title"),
            new.new_code_cell("import x", id="load", execution_count=1),
            new.new_markdown_cell("## What next?", id="heading"),
            new.new_code_cell("page.next", id="next", execution_count=ran, outputs=outputs),
            new.new_markdown_cell("## Words alone", id="words"),
        ]
        notebook = new.new_notebook(cells=cells)
        normalise(notebook)
        return [cell["id"] for cell in notebook["cells"]]

    assert page([]) == ["title", "load", "words"]
    shown = [new.new_output("stream", name="stdout", text="told")]
    assert page(shown) == ["title", "load", "heading", "next", "words"]
    # What did not run stays: a page that broke is kept as far as it came.
    assert page([], ran=None) == ["title", "load", "heading", "next", "words"]


def test_one_page_can_be_named():
    jobs = plan(["fibromyalgia/20_pooled_effect"], {"without": "innova2026"})
    assert [job.label for job in jobs] == ["fibromyalgia/20_pooled_effect"]
    with pytest.raises(ParameterError, match="did you mean '20_pooled_effect'"):
        plan(["fibromyalgia/20_poled_effect"])
    # A page that reads none of what was changed would only look as if it had.
    with pytest.raises(ParameterError, match="without"):
        plan(["fibromyalgia/10_included_trials"], {"without": "innova2026"})
