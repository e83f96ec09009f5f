"""The summary-of-findings table: one line an outcome, footnotes for every level taken off."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

HEAD = (
    "Outcome",
    "Studies (people)",
    "Relative effect (95% CI)",
    "Absolute effect (95% CI)",
    "Certainty (GRADE)",
    "In words",
)
WIDTHS = ("17%", "11%", "13%", "22%", "13%", "24%")


@dataclass(frozen=True)
class Finding:
    """One line of the table.

    Attributes
    ----------
    group : str
        What was compared; lines of a group stand under it.
    outcome, outcome_detail : str
        Outcome; when and how it was measured.
    studies, relative, absolute : str
        Cells as readers see them.
    symbols, certainty : str
        Circles, and the word they stand for.
    statement : str
        The finding in words.
    notes : tuple of str
        Footnotes of the certainty, in order.
    """

    group: str
    outcome: str
    outcome_detail: str
    studies: str
    relative: str
    absolute: str
    symbols: str
    certainty: str
    statement: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SummaryOfFindings:
    """A summary-of-findings table that displays itself as HTML, or as plain text.

    Attributes
    ----------
    name : str
        Of the table in the page: letters, digits and hyphens.
    title, subtitle : str
    findings : sequence of Finding
    closing : sequence of str
        Notes under the footnotes.
    """

    name: str
    title: str
    subtitle: str
    findings: Sequence[Finding]
    closing: Sequence[str] = ()

    @property
    def footnotes(self) -> list[str]:
        """Footnotes in the order of their numbers; equal ones share a number."""
        return list(dict.fromkeys(note for finding in self.findings for note in finding.notes))

    def numbers(self, finding: Finding) -> str:
        """Numbers of the footnotes of a line, with commas."""
        place = {note: number for number, note in enumerate(self.footnotes, 1)}
        return ", ".join(map(str, sorted(place[note] for note in finding.notes)))

    def _repr_html_(self) -> str:
        import pandas as pd
        from great_tables import GT, loc, style

        frame = pd.DataFrame([self._cells(f) for f in self.findings], columns=["group", *HEAD])
        table = (
            GT(frame, id=self.name, groupname_col="group")
            .tab_header(title=self.title, subtitle=self.subtitle)
            .fmt_passthrough(list(HEAD), escape=False)
            .cols_align(align="left")
            .cols_width(dict(zip(HEAD, WIDTHS, strict=True)))
            .tab_style(style=style.css("vertical-align: top;"), locations=loc.body())
            .tab_options(
                table_width="100%",
                table_font_size="13px",
                heading_title_font_size="16px",
                heading_subtitle_font_size="13px",
                heading_align="left",
                column_labels_font_weight="bold",
                row_group_font_weight="bold",
                data_row_padding="6px",
            )
        )
        for number, note in enumerate(self.footnotes, 1):
            # Numbered by us: great_tables writes marks that are superscript by CSS alone, which
            # is stripped from notebooks on GitHub.
            table = table.tab_source_note(f"{number}. {note}")
        for note in self.closing:
            table = table.tab_source_note(note)
        return str(table.as_raw_html())

    def _cells(self, finding: Finding) -> tuple[str, ...]:
        marks = self.numbers(finding)
        raised = f"<sup>{marks}</sup>" if marks else ""
        circles = f"{finding.symbols}<br>" if finding.symbols else ""
        detail = html.escape(finding.outcome_detail)
        return (
            # great_tables escapes groups, titles and notes, but no cell that is passed on.
            finding.group,
            f"<strong>{html.escape(finding.outcome)}</strong><br><small>{detail}</small>",
            html.escape(finding.studies),
            html.escape(finding.relative),
            html.escape(finding.absolute),
            f"{circles}{html.escape(finding.certainty)}{raised}",
            html.escape(finding.statement),
        )

    def __repr__(self) -> str:
        """Return the table as plain text, one paragraph a line."""
        lines = [self.title, self.subtitle]
        for f in self.findings:
            marks = self.numbers(f)
            lines.append(
                f"{f.outcome} ({f.outcome_detail}), {f.group}: {f.studies}; {f.relative}; "
                f"{f.absolute}; certainty {f.certainty}{f' [{marks}]' if marks else ''}. "
                f"{f.statement}"
            )
        lines += [f"[{number}] {note}" for number, note in enumerate(self.footnotes, 1)]
        return "\n".join([*lines, *self.closing])
