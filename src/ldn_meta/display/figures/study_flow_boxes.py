"""Boxes and arrows of the study flow, each box as high as its measured text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures.lettering import wrap
from ldn_meta.display.figures.style import unbroken

if TYPE_CHECKING:
    from prismaflow.layout import DiagramEdge, DiagramLayout, DiagramNode

# All lengths are SVG pixels; prisma-flow writes text this far from the edge of a box.
FONT = 12
PITCH = 15
OTHER_REASONS = "other reasons, see the table of studies"
_BULLET = "\N{BULLET}"
_INDENT = 14.0
_AIR = 20.0
# More reasons than these are added up.
_MOST_REASONS = 8
_LABEL_X, _LABEL_WIDTH = 20.0, 28.0
_MAIN_X, _MAIN_WIDTH = 62.0, 290.0
_SIDE_X, _SIDE_WIDTH = 396.0, 344.0
_THIRD_WIDTH, _THIRD_GAP = 212.0, 21.0
_WIDTH = _SIDE_X + _SIDE_WIDTH + 20.0
_TOP, _STEP, _BOTTOM = 62.0, 34.0, 18.0


def flow_layout(counts: Mapping[str, Any], *, title: str) -> DiagramLayout:
    """Place the boxes from the top down; prisma-flow checks that none overlap."""
    from prismaflow.layout import DiagramLayout, assert_no_overlaps

    sources = _box("sources", _main(), _TOP, f"Sources read\n(n = {counts['sources']})")
    studies = _box(
        "studies", _main(), _below(sources), f"Studies on file\n(n = {counts['studies']})"
    )
    excluded = _box("excluded", _side(), studies.rect.y, _excluded_text(counts), is_side=True)
    eligible = _box(
        "eligible",
        _main(),
        _below(studies, excluded),
        f"Eligible for a synthesis\n(n = {counts['contrast'] + counts['single_arm']})",
    )
    single_arm = _box(
        "single_arm",
        _side(),
        eligible.rect.y,
        "No comparison group: listed beside the trials, never pooled\n"
        f"(n = {counts['single_arm']})",
        is_side=True,
    )
    contrast = _box(
        "contrast",
        _main(),
        _below(eligible, single_arm),
        f"Compare LDN with something else\n(n = {counts['contrast']})",
    )
    ends = _ends(counts, _below(contrast) + 6)
    stages = [
        _stage("Identified", sources, excluded),
        _stage("Eligible", eligible, contrast),
        _stage("Synthesis", ends[0], ends[0]),
    ]
    layout = DiagramLayout(
        width=_WIDTH,
        height=ends[0].rect.y + ends[0].rect.height + _BOTTOM,
        nodes=[*stages, sources, studies, excluded, eligible, single_arm, contrast, *ends],
        edges=[
            _down(sources, studies),
            _across(studies, excluded),
            _down(studies, eligible),
            _across(eligible, single_arm),
            _down(eligible, contrast),
            *(_down(contrast, end) for end in ends),
        ],
        title=title,
    )
    assert_no_overlaps(layout)
    return layout


def _ends(counts: Mapping[str, Any], top: float) -> list[DiagramNode]:
    """Place what became of the comparisons side by side, in boxes of one height."""
    texts = {
        "in_a_pool": "In a pool of two or more trials",
        "single_trial": "One trial with an estimate, shown and not pooled",
        "narrative": "No estimate under the main rules, described in words",
    }
    boxes = []
    for index, (key, text) in enumerate(texts.items()):
        across = (_MAIN_X + index * (_THIRD_WIDTH + _THIRD_GAP), _THIRD_WIDTH)
        # The counted number stands on a line of its own, so the boxes compare at a glance.
        boxes.append((key, across, f"{text}\n(n = {counts[key]})"))
    height = max(_height(_broken(text, across[1])) for _, across, text in boxes)
    return [
        _box(key, across, top, text, height=height, is_pooled=key == "in_a_pool")
        for key, across, text in boxes
    ]


def _excluded_text(counts: Mapping[str, Any]) -> str:
    reasons: dict[str, int] = dict(counts.get("excluded_reasons", {}))
    ordered = sorted(reasons.items(), key=lambda item: -item[1])
    lines = [f"Set aside (n = {counts['excluded']})"]
    # One reason too many is shown rather than called "other".
    most = _MOST_REASONS if len(ordered) > _MOST_REASONS + 1 else len(ordered)
    lines += [f"{_BULLET} {reason} (n = {number})" for reason, number in ordered[:most]]
    if ordered[most:]:
        rest = sum(number for _, number in ordered[most:])
        lines.append(f"{_BULLET} {OTHER_REASONS} (n = {rest})")
    return "\n".join(lines)


def _box(
    name: str,
    across: tuple[float, float],
    top: float,
    text: str,
    *,
    height: float | None = None,
    is_side: bool = False,
    is_pooled: bool = False,
) -> DiagramNode:
    from prismaflow.layout import DiagramNode, Rect

    left, width = across
    broken = _broken(text, width)
    return DiagramNode(
        id=name,
        rect=Rect(left, top, width, height or _height(broken)),
        text=broken,
        kind="exclusion" if is_side else "stage",
        css_class="pooled" if is_pooled else None,
    )


def _stage(text: str, first: DiagramNode, last: DiagramNode) -> DiagramNode:
    from prismaflow.layout import DiagramNode, Rect

    top = first.rect.y
    height = last.rect.y + last.rect.height - top
    return DiagramNode(
        id=f"stage_{text.lower()}",
        rect=Rect(_LABEL_X, top, _LABEL_WIDTH, height),
        text=text,
        kind="header",
        css_class="stage-label",
    )


def _down(source: DiagramNode, target: DiagramNode) -> DiagramEdge:
    from prismaflow.layout import DiagramEdge

    name = f"{source.id}_to_{target.id}"
    return DiagramEdge(name, source.id, target.id, source_anchor="bottom", target_anchor="top")


def _across(source: DiagramNode, target: DiagramNode) -> DiagramEdge:
    from prismaflow.layout import DiagramEdge, Point

    start = source.rect.right_center
    return DiagramEdge(
        f"{source.id}_to_{target.id}",
        source.id,
        target.id,
        source_anchor="right",
        target_anchor="left",
        path=[start, Point(target.rect.x, start.y)],
    )


def _main() -> tuple[float, float]:
    return _MAIN_X, _MAIN_WIDTH


def _side() -> tuple[float, float]:
    return _SIDE_X, _SIDE_WIDTH


def _below(*boxes: DiagramNode) -> float:
    return max(box.rect.y + box.rect.height for box in boxes) + _STEP


def _broken(text: str, width: float) -> str:
    """Break by measured width; prisma-flow, which counts letters, must not break again."""
    return unbroken(wrap(text, width - 2 * _INDENT, FONT))


def _height(broken: str) -> float:
    return (broken.count("\n") + 1) * PITCH + _AIR
