"""What a notebook gets from a figure: picture, words, and nothing left behind."""

import base64
import json
import subprocess
import sys

import pytest

from builders import assert_legible
from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.sheet import Sheet
from ldn_meta.display.outputs import FigureOutput, Picture
from ldn_meta.errors import ArgumentError

PNG_START = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def output():
    with style.settings():
        sheet = Sheet(200, 60)
        sheet.write(10, 30, "one trial & nothing pooled")
    return FigureOutput(sheet.figure, "forest_pain", "One trial: -0.34 (-0.95 to 0.27) & no pool.")


def test_bundle_has_picture_words_and_metadata(output):
    data, metadata = output._repr_mimebundle_(include=None, exclude=None)
    assert set(data) == {"image/png", "image/svg+xml", "text/plain"}
    assert base64.b64decode(data["image/png"]).startswith(PNG_START)
    assert "<svg" in data["image/svg+xml"]
    assert data["text/plain"] == output.alt
    assert metadata == {
        "ldn-meta": {"figure": "forest_pain", "alt": output.alt},
        "image/png": {"alt": output.alt},
    }
    json.dumps([data, metadata])


def test_a_figure_of_nothing_says_so():
    from ldn_meta.display.figures.sheet import words_only

    figure, _ = words_only(["No trial."], "Pain", "Forest plot: Pain. No trial.")
    _, metadata = FigureOutput(figure, "forest", figure.alt)._repr_mimebundle_(include=())
    assert metadata["ldn-meta"] == {
        "figure": "forest", "alt": figure.alt, "is_words_only": True,
    }  # fmt: skip


def test_bundle_follows_include_and_exclude(output):
    assert set(output._repr_mimebundle_(include={"image/png"})[0]) == {"image/png"}
    assert "image/svg+xml" not in output._repr_mimebundle_(exclude={"image/svg+xml"})[0]


def test_jupyter_shows_it(output):
    formatters = pytest.importorskip("IPython.core.formatters")
    data, metadata = formatters.DisplayFormatter().format(output)
    assert {"image/png", "image/svg+xml", "text/plain"} <= set(data)
    assert metadata["ldn-meta"]["figure"] == "forest_pain"


def test_size_is_points_at_110_dots_an_inch(output):
    width, height = (int.from_bytes(output.png()[i : i + 4], "big") for i in (16, 20))
    assert abs(width - 200 / 72 * 110) <= 1
    assert abs(height - 60 / 72 * 110) <= 1


def test_bytes_carry_no_date_and_no_program(output):
    assert output.png() == output.png()
    assert output.svg() == output.svg()
    assert b"Software" not in output.png()
    assert "<dc:date>" not in output.svg()
    assert "&amp; no pool." in output.svg()


def test_a_finished_picture_is_passed_on():
    made = FigureOutput(Picture("<svg/>", b"png"), "flow", "Flow.")
    data, _ = made._repr_mimebundle_()
    assert data["image/svg+xml"] == "<svg/>"
    assert base64.b64decode(data["image/png"]) == b"png"


@pytest.mark.parametrize("name", ["", "Forest", "a b", "a/b", "../a", "a.png", "-a", "a_"])
def test_a_name_that_cannot_be_filed_is_refused(name):
    with pytest.raises(ArgumentError, match="name"):
        FigureOutput(Picture("", b""), name, "Words.")


def test_a_figure_without_words_is_refused():
    with pytest.raises(ArgumentError, match="alt"):
        FigureOutput(Picture("", b""), "flow", "  ")


@pytest.mark.parametrize(
    ("places", "word"),
    [(((10, 20), (30, 22)), "lies on"), (((10, 20), (150, 20)), "leaves the page")],
)
def test_the_legibility_check_sees_faults(places, word):
    sheet = Sheet(200, 60)
    for x, y in places:
        sheet.write(x, y, "a text of some length")
    with pytest.raises(AssertionError, match=word):
        assert_legible(sheet.figure)


def test_importing_figures_loads_no_plotting_library():
    code = (
        "import sys, ldn_meta.display.outputs;"
        "from ldn_meta.display.figures import forest, responders, studies;"
        "from ldn_meta.display.figures import funnel, sequential, next_trial;"
        "from ldn_meta.display.figures import specification;"
        "heavy = {'matplotlib', 'pandas', 'prismaflow', 'resvg', 'scipy.stats'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
