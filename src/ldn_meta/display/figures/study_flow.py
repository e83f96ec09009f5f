"""The study flow: from sources read to studies on file to what stands in a pool."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from ldn_meta.display.figure_output import FigureOutput, Picture
from ldn_meta.display.figures import style
from ldn_meta.display.figures.study_flow_boxes import FONT, PITCH, flow_layout
from ldn_meta.display.wording import count
from ldn_meta.errors import ArgumentError

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


def study_flow(counts: Mapping[str, Any], *, indication_label: str) -> str:
    """Draw the flow of studies as SVG, with prisma-flow's boxes, arrows and renderer.

    prisma-flow's ready-made template speaks of databases, screening and retrieval, which
    studies collected from dossiers have not gone through; so the boxes are this project's own.

    Parameters
    ----------
    counts : mapping
        Numbers of studies: sources (read), studies (on file), contrast, single_arm, excluded,
        in_a_pool, single_trial, narrative; and excluded_reasons, a mapping of reason to number.
        Further keys are ignored.
    indication_label : str
        The condition, for the title.

    Returns
    -------
    str
        SVG text; letters stay text, in DejaVu Sans where the reader's machine has it.

    Raises
    ------
    ArgumentError
        If a count is missing or the counts do not add up.
    """
    from prismaflow.renderers import SVGRenderer

    _check(counts)
    layout = flow_layout(counts, title=f"Study flow: {indication_label}")
    drawn = SVGRenderer(font_size=FONT, line_height=PITCH).render(layout)
    words = study_flow_alt_text(counts, indication_label=indication_label)
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


def study_flow_alt_text(counts: Mapping[str, Any], *, indication_label: str) -> str:
    """Describe the study flow in plain words."""
    _check(counts)
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
    counts: Mapping[str, Any], *, indication_label: str, name: str = "study_flow"
) -> FigureOutput:
    """Make the study flow ready to end a notebook cell: SVG, PNG, file name, words."""
    svg = study_flow(counts, indication_label=indication_label)
    words = study_flow_alt_text(counts, indication_label=indication_label)
    return FigureOutput(Picture(svg, study_flow_png(svg)), name, words)


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
