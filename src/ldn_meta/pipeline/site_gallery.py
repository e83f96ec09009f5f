"""A page with one figure of each kind, what it answers, and its alternative text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ldn_meta import paths
from ldn_meta.pipeline.site_downloads import figure_bar

GALLERY = "gallery"
# Start of a figure's name -> its kind and what it answers; the first start that fits counts.
KINDS = {
    "evidence_map": ("Evidence map", "What was studied, against what, and what came out?"),
    "study_flow": (
        "Study flow",
        "How many studies and rows reach a result, and where do others go?",
    ),
    "forest": ("Forest plot", "What did each trial find, and what do they give together?"),
    "shares": ("Shares of people", "How many people had the event, study by study?"),
    "effect_directions": (
        "Effect directions",
        "Which way do results point that cannot be pooled?",
    ),
    "albatross": ("Albatross plot", "Which effect would fit a p-value and a number of people?"),
    "harvest": ("Harvest plot", "Which way do studies point, and how good are they?"),
    "risk_of_bias_summary": ("Risk of bias, summary", "How much of the evidence is judged how?"),
    "risk_of_bias": ("Risk of bias, study by study", "Who was judged how, on what?"),
    "specification_curve": ("Specification curve", "Where do all defensible analyses end up?"),
    "cumulative": ("Cumulative plot", "How did the answer move with each trial?"),
    "sequential": ("Sequential boundaries", "Was it called too early?"),
    "next_trial": ("Next trial", "How large must a next trial be to settle it?"),
    "published": ("Published pools", "What did reviews pool, and what do we?"),
    "dose": ("Dose and response", "Which dose works, and how sure can that be?"),
}


@dataclass(frozen=True)
class Drawn:
    """A figure of a report: its name, its words, and the notebook that drew it."""

    name: str
    alt: str
    report: str
    notebook: str

    @property
    def kind(self) -> tuple[str, str]:
        """Title and question; a kind that nobody described goes by its name."""
        found = next((kind for start, kind in KINDS.items() if self.name.startswith(start)), None)
        return found or (self.name.replace("_", " ").capitalize(), "")


def gallery(reports: Mapping[str, str]) -> dict[str, bytes]:
    """Write the gallery, and the pictures on it.

    Parameters
    ----------
    reports : mapping of str to str
        Folder on the site by report, in the order of the indications; of each kind of figure
        the first is shown.

    Returns
    -------
    dict of str to bytes
        Sources by path; nothing if no report has a figure.
    """
    first: dict[str, Drawn] = {}
    for report in reports:
        for drawn in figures_of(report):
            first.setdefault(drawn.kind[0], drawn)
    if not first:
        return {}
    order = {title: place for place, (title, _) in enumerate(KINDS.values())}
    shown = sorted(first.values(), key=lambda drawn: order.get(drawn.kind[0], len(order)))
    parts = [
        "# Gallery of figures",
        "One figure of each kind, with the words that stand in its place for those who cannot "
        "see it. All are drawn by this project from the tables on file, in colours that stay "
        "apart in grey and for the colour-blind.",
        *(_section(drawn, reports[drawn.report]) for drawn in shown),
    ]
    files = {f"{GALLERY}.md": ("\n\n".join(parts) + "\n").encode()}
    for drawn in shown:
        picture = paths.reports() / drawn.report / "figures" / f"{drawn.name}.png"
        files[_picture(drawn)] = picture.read_bytes()
    return files


def figures_of(report: str) -> Iterator[Drawn]:
    """List the filed figures of a report, in reading order."""
    for file in sorted((paths.reports() / report).glob("*.ipynb")):
        for cell in json.loads(file.read_bytes())["cells"]:
            for output in cell.get("outputs", ()):
                label = figure_label(output)
                if label:
                    yield Drawn(label["figure"], label["alt"], report, file.stem)


def figure_label(output: Mapping[str, Any]) -> dict[str, str]:
    """Name and words of the figure in an output; empty if it is none."""
    return dict(output.get("metadata", {}).get("ldn-meta", {}))


def _section(drawn: Drawn, folder: str) -> str:
    title, question = drawn.kind
    image = "\n".join(
        [f"```{{image}} {_picture(drawn)}", f":alt: {' '.join(drawn.alt.split())}", "```"]
    )
    return "\n\n".join(
        part
        for part in (
            f"## {title}",
            question,
            image,
            figure_bar(drawn.name, drawn.report, ""),
            f"*In words:* {_plain(drawn.alt)}",
            f"From [{drawn.report.replace('_', ' ')}, {drawn.notebook}]"
            f"({folder}/{drawn.notebook}.ipynb).",
        )
        if part
    )


def _picture(drawn: Drawn) -> str:
    return f"pictures/{drawn.report}_{drawn.name}.png"


def _plain(words: str) -> str:
    """Words that Markdown would read as marks stay words."""
    return " ".join(words.split()).translate({ord(mark): f"\\{mark}" for mark in "\\`*_<>[]$#"})
