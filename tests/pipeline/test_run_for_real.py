"""Three kernels (3 s each): what only real ones can show."""

import json
import os
from pathlib import Path

from click.testing import CliRunner

from ldn_meta.pipeline import readme
from ldn_meta.pipeline.cli import main

SHOW = """\
from IPython.display import display

PNG = "iVBORw0KGgo="
answer = {"label": indication, "outcome": construct, "comparison": "placebo",
          "comparative_studies": 1, "trials": 1,
          "people": 31, "effect": "-1.0", "sentence": f"One trial in {indication}."}
facts = {"answer": answer, "level": level / 3}
display({"application/vnd.ldn-meta.facts+json": facts, "text/plain": answer["sentence"]}, raw=True)
display({"image/png": PNG, "image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>"}, raw=True,
        metadata={"ldn-meta": {"figure": "dot", "alt": "one dot"}})
"""
PRINT = """\
import os
import sys
import warnings

print("one", flush=True)
print(object(), os.getcwd(), os.environ["TZ"], hash("a"), flush=True)
warnings.warn("mind the step")
print("two", file=sys.stderr, flush=True)
print("three")
"""
BREAK = "assert indication == 'headache', 'no evidence on ' + indication"


def command(*arguments):
    return CliRunner().invoke(main, [*arguments], catch_exceptions=False)


def test_a_good_page_a_broken_one_and_the_same_bytes_again(derived, code, monkeypatch):
    derived.page(code(PRINT, name="print"), code(SHOW, name="show"), code(BREAK, name="break"))
    old = derived.write("reports/back_pain/20_pooled_effect.ipynb", "the last good page")
    answer = dict.fromkeys(("label", "outcome", "comparison", "effect", "sentence"), "x")
    old_facts = {
        "20_pooled_effect": {
            "answer": {**answer, "comparative_studies": 0, "trials": 0, "people": 0}
        }
    }
    derived.write("reports/back_pain/facts.json", json.dumps(old_facts))
    before = derived.snapshot("reports"), Path.cwd(), dict(os.environ)

    result = command("run", "headache", "back_pain")

    # The broken page: named, kept for a look, and nothing of its report touched.
    assert result.exit_code == 1
    assert (
        "back_pain/20_pooled_effect failed in cell 'break': "
        "AssertionError: no evidence on back_pain" in result.stderr
    )
    assert "build/failed/back_pain/20_pooled_effect.ipynb" in result.stderr
    failed = json.loads(derived.read("build/failed/back_pain/20_pooled_effect.ipynb"))
    assert any("AssertionError" in json.dumps(cell) for cell in failed["cells"])
    after = derived.snapshot("reports")
    assert {name: after[name] for name in before[0]} == before[0]
    assert old.read_text() == "the last good page"
    assert (Path.cwd(), dict(os.environ)) == before[1:]

    # The good page went on.
    assert "headache/20_pooled_effect wrote to stderr:" in result.stderr
    assert "UserWarning: mind the step" in result.stderr
    facts = json.loads(derived.read("reports/headache/facts.json"))["20_pooled_effect"]
    assert facts["level"] == 0.316667
    assert facts["answer"]["sentence"] == "One trial in headache."
    assert after["headache/figures/dot.png"] == b"\x89PNG\r\n\x1a\n"
    assert after["headache/figures/dot.svg"].startswith(b"<svg")
    page = json.loads(derived.read("reports/headache/20_pooled_effect.ipynb"))
    by_id = {cell["id"]: cell for cell in page["cells"]}
    assert by_id["question"]["source"] == ["# Does it help in headache?"]
    assert 'indication = "headache"\n' in by_id["injected-parameters"]["source"]
    printed = by_id["print"]["outputs"]
    assert [output["output_type"] for output in printed] == ["stream"]
    assert printed[0]["text"][1].startswith("<object object>")
    assert [cell["execution_count"] for cell in page["cells"][1:]] == [1, 2, 3, 4, 5]
    assert page["metadata"]["papermill"]["parameters"]["tau2_method"] == "reml"
    assert readme.answers_are_current()
    assert "One trial in headache." in derived.read("README.md")
    assert not [f for f in derived.snapshot("build") if f.startswith("executing/")]

    # The same page again, in another surrounding: the same bytes.
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    again = command("run", "headache", "--force")
    assert again.exit_code == 0
    assert derived.snapshot("reports") == after
    assert command("run", "headache").stdout.endswith("reports: up to date\n")
