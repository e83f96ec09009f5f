"""What the study flow draws: boxes in order, counts that add up, the same bytes twice."""

import io
import re
from xml.etree import ElementTree

import pytest
from matplotlib.image import imread

from ldn_meta.display.figures.sheet import line_width
from ldn_meta.display.figures.studies import (
    FONT,
    OTHER_REASONS,
    PITCH,
    describe,
    flow_layout,
    study_flow,
    study_flow_output,
    study_flow_png,
)
from ldn_meta.errors import ArgumentError

SVG = "{http://www.w3.org/2000/svg}"
COUNTS = {
    "sources": 31,
    "studies": 22,
    "contrast": 9,
    "single_arm": 6,
    "excluded": 7,
    "excluded_reasons": {
        "standard dose, not low dose": 2,
        "registered, no results yet": 3,
        "overlaps with another report of the same people, <and> that one is the more complete": 2,
    },
    "in_a_pool": 4,
    "not_pooled": 2,
    "narrative": 3,
    "value_rows": 400,
}
ZERO = {key: 0 for key in COUNTS if key != "excluded_reasons"}
MANY = COUNTS | {
    "studies": 35,
    "excluded": 20,
    "excluded_reasons": {f"reason {i} that needs some words": 1 for i in range(20)},
}


def said(svg):
    """Lines of text in each box, by the name of the box."""
    root = ElementTree.fromstring(svg)
    return {
        node.attrib["id"]: [
            "".join(part.itertext()).replace("\N{NO-BREAK SPACE}", " ")
            for part in node.iter(f"{SVG}tspan")
        ]
        for node in root.iter(f"{SVG}g")
        if "id" in node.attrib
    }


@pytest.mark.parametrize("counts", [COUNTS, ZERO, MANY])
def test_lines_stay_inside_their_boxes(counts):
    layout = flow_layout(counts, treatment="treatment", title="Study flow")
    lines = said(study_flow(counts, indication_label="fibromyalgia"))
    for node in layout.nodes:
        if node.kind == "header":
            continue
        drawn = lines[node.id]
        assert drawn == node.text.replace("\N{NO-BREAK SPACE}", " ").split("\n")
        assert max(line_width(line, FONT) for line in drawn) <= node.rect.width - 28
        assert len(drawn) * PITCH <= node.rect.height - 10


@pytest.mark.parametrize("counts", [COUNTS, ZERO, MANY])
def test_boxes_stay_on_the_page_and_apart(counts):
    layout = flow_layout(counts, treatment="treatment", title="Study flow")
    for node in layout.nodes:
        assert node.rect.x >= 0
        assert node.rect.x + node.rect.width <= layout.width
        assert node.rect.y + node.rect.height <= layout.height
    for edge in layout.edges:
        source, target = layout.node_by_id(edge.source_id), layout.node_by_id(edge.target_id)
        if edge.path:
            # The arrow meets the side of the box it points to.
            assert target.rect.y < edge.path[-1].y < target.rect.y + target.rect.height
        else:
            assert source.rect.y + source.rect.height < target.rect.y


def test_counts_stand_in_their_boxes():
    lines = said(study_flow(COUNTS, indication_label="fibromyalgia"))
    for name, number in {
        "sources": 31,
        "studies": 22,
        "eligible": 15,
        "single_arm": 6,
        "contrast": 9,
        "in_a_pool": 4,
        "not_pooled": 2,
        "narrative": 3,
    }.items():
        assert lines[name][-1] == f"(n = {number})"
    assert lines["excluded"][0] == "Set aside (n = 7)"


def test_reasons_come_with_counts_most_frequent_first():
    drawn = " ".join(said(study_flow(COUNTS, indication_label="x"))["excluded"])
    places = [drawn.index(text) for text in ("no results yet (n = 3)", "low dose (n = 2)")]
    assert places == sorted(places)
    assert "<and>" in drawn


def test_many_reasons_are_added_up_and_none_is_lost():
    drawn = " ".join(said(study_flow(MANY, indication_label="x"))["excluded"])
    numbers = [int(n) for n in re.findall(r"\(n = (\d+)\)", drawn)]
    assert numbers[0] == sum(numbers[1:]) == 20
    assert f"{OTHER_REASONS} (n = 12)" in drawn


def test_style_is_bound_to_this_drawing():
    svg = study_flow(COUNTS, indication_label="fibromyalgia")
    root = ElementTree.fromstring(svg)
    assert root.attrib["class"] == "study-flow"
    rules = re.findall(r"^\s*([^{}\n]+) \{", root.find(f"{SVG}style").text, flags=re.MULTILINE)
    assert len(rules) > 5
    assert all(rule.startswith(".study-flow") for rule in rules)
    assert "Study flow: fibromyalgia" in "".join(root.itertext())
    assert root.find(f"{SVG}desc").text == describe(COUNTS, indication_label="fibromyalgia")


def test_alt_text_has_every_count_and_reason():
    words = describe(COUNTS, indication_label="fibromyalgia")
    for number in (31, 22, 7, 6, 9):
        assert str(number) in words
    assert "registered, no results yet: 3" in words


def test_png_shows_the_whole_drawing():
    svg = study_flow(COUNTS, indication_label="fibromyalgia")
    picture = imread(io.BytesIO(study_flow_png(svg)))
    height, width = picture.shape[:2]
    root = ElementTree.fromstring(svg)
    shape = float(root.attrib["width"]) / float(root.attrib["height"])
    assert width / height == pytest.approx(shape, rel=0.01)
    ink = (picture[..., :3].min(axis=2) < 0.5).nonzero()
    # Boxes reach both edges of the drawing, so nothing is cut and nothing shrunk.
    assert ink[1].min() < 0.06 * width
    assert ink[1].max() > 0.94 * width
    assert ink[0].max() > 0.94 * height


def test_bytes_are_the_same_twice():
    one, other = (study_flow_output(COUNTS, indication_label="x") for _ in range(2))
    assert one.svg() == other.svg()
    assert one.png() == other.png()
    assert one.name == "study_flow"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"studies": 21}, "studies"),
        ({"narrative": 4}, "contrast"),
        ({"excluded_reasons": {"other": 1}}, "reasons"),
    ],
)
def test_counts_that_do_not_add_up_are_refused(change, word):
    with pytest.raises(ArgumentError, match=word):
        study_flow(COUNTS | change, indication_label="x")


def test_a_missing_count_is_named():
    with pytest.raises(ArgumentError, match="in_a_pool"):
        study_flow({k: v for k, v in COUNTS.items() if k != "in_a_pool"}, indication_label="x")
