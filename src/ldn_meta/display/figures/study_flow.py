"""The study flow: from sources read to studies on file to what stands in a pool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures import sheet as style
from ldn_meta.display.figures.sheet import unbroken, wrap
from ldn_meta.display.outputs import FigureOutput, Picture
from ldn_meta.display.words import count
from ldn_meta.errors import ArgumentError

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


def flow_layout(counts: Mapping[str, Any], *, treatment: str, title: str) -> DiagramLayout:
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
        f"Compare {treatment} with something else\n(n = {counts['contrast']})",
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


_COUNTS = (
    "sources",
    "studies",
    "contrast",
    "single_arm",
    "excluded",
    "in_a_pool",
    "single_trial",
    "narrative",
)
# 96 SVG pixels an inch against the 110 dots of the other figures, and a little for fine lines.
_PNG_SCALE = 1.4
_SIZE = re.compile(r'\b(width|height)="([0-9.]+)"')
_AS_IT_IS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
# Every rule is bound to the class of this drawing: an SVG inside a page shares its style sheet.
_STYLE = f"""<style>
  .study-flow {{ background: #ffffff; }}
  .study-flow text {{
    font-family: "DejaVu Sans", Verdana, Arial, sans-serif;
    font-size: {FONT}px;
    fill: {style.INK};
    dominant-baseline: central;
  }}
  .study-flow text.diagram-title {{ font-size: 15px; font-weight: 700; text-anchor: middle; }}
  .study-flow .node rect {{ fill: #ffffff; stroke: {style.INK}; stroke-width: 1.1; }}
  .study-flow .node.exclusion rect {{ fill: {style.BAND}; stroke: {style.SOFT_INK}; }}
  .study-flow .node.pooled rect {{ stroke: {style.POOLED}; stroke-width: 2.6; }}
  .study-flow .node.stage-label rect {{ fill: {style.POOLED}; stroke: none; rx: 4; ry: 4; }}
  .study-flow .node.stage-label text {{ fill: #ffffff; font-size: 11px; font-weight: 700; }}
  .study-flow .edge {{ fill: none; stroke: {style.INK}; stroke-width: 1.2; }}
  .study-flow marker polygon {{ fill: {style.INK}; }}
</style>"""


def study_flow(
    counts: Mapping[str, Any], *, indication_label: str, treatment: str = "treatment"
) -> str:
    """Draw the flow of studies as SVG, with prisma-flow's boxes, arrows and renderer.

    prisma-flow's ready-made template speaks of databases, screening and retrieval, which
    studies collected from dossiers have not gone through; so the boxes are this project's own.
    """
    from prismaflow.renderers import SVGRenderer

    _check(counts)
    layout = flow_layout(counts, treatment=treatment, title=f"Study flow: {indication_label}")
    drawn = SVGRenderer(font_size=FONT, line_height=PITCH).render(layout)
    words = describe(counts, indication_label=indication_label)
    described = f'<desc id="desc">{escape(words)}</desc>'
    drawn = re.sub(r"<style>.*?</style>", lambda _: _STYLE, drawn, count=1, flags=re.DOTALL)
    drawn = re.sub(r'<desc id="desc">.*?</desc>', lambda _: described, drawn, count=1)
    return drawn.replace('role="img"', 'class="study-flow" role="img"', 1)


def study_flow_png(svg: str) -> bytes:
    """Turn the SVG of `study_flow` into PNG with the rasteriser that prisma-flow brings along.

    Only matplotlib's own copy of DejaVu Sans is loaded, so the machine's fonts do not matter.
    """
    import matplotlib as mpl
    import resvg

    options = resvg.usvg.Options.default()
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"):
        options.load_font_file(str(fonts / name))
    enlarged = _SIZE.sub(
        lambda found: f'{found[1]}="{float(found[2]) * _PNG_SCALE:.0f}"', svg, count=2
    )
    tree = resvg.usvg.Tree.from_str(enlarged, options)
    return resvg.render(tree, _AS_IT_IS, bg_color=(255, 255, 255, 255))


def describe(counts: Mapping[str, Any], *, indication_label: str) -> str:
    """Describe the study flow in plain words."""
    reasons = "; ".join(f"{why}: {n}" for why, n in counts.get("excluded_reasons", {}).items())
    aside = f"{counts['excluded']} set aside{f' ({reasons})' if reasons else ''}"
    text = (
        f"Study flow for {indication_label}: {count(counts['sources'], 'source')} read, "
        f"{count(counts['studies'], 'study', plural='studies')} on file. {aside}; "
        f"{counts['single_arm']} without comparison group, listed beside and never pooled; "
        f"{counts['contrast']} with a comparison, of these {counts['in_a_pool']} in a pool, "
        f"{counts['single_trial']} alone with an estimate, {counts['narrative']} described in "
        "words only."
    )
    return style.spoken(text)


def study_flow_output(
    counts: Mapping[str, Any], *, indication_label: str, treatment: str = "treatment"
) -> FigureOutput:
    """Make the study flow ready to end a notebook cell: SVG, PNG, file name, words."""
    svg = study_flow(counts, indication_label=indication_label, treatment=treatment)
    words = describe(counts, indication_label=indication_label)
    return FigureOutput(Picture(svg, study_flow_png(svg)), "study_flow", words)


def _check(counts: Mapping[str, Any]) -> None:
    missing = [key for key in _COUNTS if key not in counts]
    if missing:
        message = f"counts lacks {', '.join(missing)}: needs {', '.join(_COUNTS)}"
        raise ArgumentError(message)
    sums = {
        "studies": ("contrast", "single_arm", "excluded"),
        "contrast": ("in_a_pool", "single_trial", "narrative"),
    }
    for total, parts in sums.items():
        added = sum(counts[part] for part in parts)
        if counts[total] != added:
            message = f"counts: {total} is {counts[total]}, but {' + '.join(parts)} is {added}"
            raise ArgumentError(message)
    stated = sum(counts.get("excluded_reasons", {}).values())
    if stated not in (0, counts["excluded"]):
        message = f"counts: excluded is {counts['excluded']}, but its reasons add up to {stated}"
        raise ArgumentError(message)
