"""Page 60: how certain each answer is, domain by domain."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.page import Page, open_page, settings_of, whose_weights
from ldn_meta.display.words import (
    DOMAIN_WORDS,
    MEASURES,
    VERY_LOW,
    agree,
    capitalised,
    count,
    effect_of,
    estimate_with_interval,
    fixed,
    in_words,
    interval,
    joined,
    levels,
    listed,
    people,
    reason,
    shown,
    shown_facts,
    statement,
    symbols,
    taken_off,
    why,
)
from ldn_meta.evidence.answer.directions import KNOWN_BY, PRINTED_BESIDE, WORDS
from ldn_meta.evidence.answer.pools import (
    DIRECTION_ONLY,
    FAVOURS_COMPARATOR,
    FAVOURS_TREATMENT,
    SAME_IN_BOTH,
    SIDE_UNKNOWN,
)
from ldn_meta.evidence.effects.rows import RATIO_MEASURES, WITH_BORROWED_ERROR
from ldn_meta.evidence.grade import (
    FOR_ITSELF,
    MAIN_OUTCOME,
    NOT_RATED,
    OVERRIDDEN,
    TOLD_ELSEWHERE,
)
from ldn_meta.evidence.raw.protocol import GRADES
from ldn_meta.evidence.raw.review import UNNAMED, Review

HEAD = (
    "Outcome",
    "Studies (people)",
    "Relative effect (95% interval)",
    "Absolute effect (95% interval)",
    "Certainty (GRADE)",
    "In words",
)
WIDTHS = ("17%", "11%", "13%", "22%", "13%", "24%")


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

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
    """A summary-of-findings table that displays itself as HTML, or as plain text."""

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


NONE = "none"
HARM = "harm"
DASH = "-"
# Of a known side: what is not known beside it, by whether a size is printed.
NO_SIZE, NO_SPREAD = "size not known", "how uncertain the size is is not known"
NO_SHARES = "not defined: nobody had the event without it, or people were not counted"


def relative(row: dict[str, Any]) -> str:
    """Write a ratio with its interval; a dash for what is no ratio."""
    if row["measure"] not in RATIO_MEASURES:
        return DASH
    return f"{MEASURES[str(row['measure'])]} {effect_of(row)}"


def absolute(
    row: dict[str, Any],
    *,
    drug: str,
    review: Review = UNNAMED,
    source: str = "",
    told_in: str = "",
    size: str = NO_SIZE,
) -> str:
    """Write people per 1,000 for ratios, points with the important difference and its source."""
    printed = "" if row["printed"] == NONE else f"printed: {row['printed']}"
    if row["certainty"] == NOT_RATED:
        return printed or DASH
    if row["synthesis"] == DIRECTION_ONLY:
        is_open = row["direction"] == SIDE_UNKNOWN
        side = "size and side not known"
        told = side if is_open else f"{size}; {review.side(row['direction'])}{told_in}"
        return f"{told}; {printed}" if printed else told
    if row["measure"] in RATIO_MEASURES and math.isfinite(float(row["per_1000_without"])):
        return _per_thousand(row, drug=drug)
    if row["measure"] in RATIO_MEASURES:
        return f"no shares of people to compare; {printed}" if printed else NO_SHARES
    unit = str(row["unit"])
    values = [float(row[name]) for name in ("estimate", "ci_low", "ci_high")]
    if row["change"] == "not known":
        ends = interval(values[1], values[2])
        words = f"{fixed(values[0])} {unit} ({ends}), sign as printed"
    else:
        first, low, high = _differences(values)
        words = f"{first.replace(' ', f' {unit} ', 1)} ({low} to {high})"
    mid = float(row["important_high"])
    if not math.isfinite(mid):
        return f"{words}; important difference not stated"
    return f"{words}; a difference matters from {mid:g}{f' ({source})' if source else ''}"


def _per_thousand(row: dict[str, Any], *, drug: str) -> str:
    names = ("without", "with", "low", "high")
    without, with_drug, low, high = (float(row[f"per_1000_{name}"]) for name in names)
    shares = [float(row[f"per_1000_difference_{name}"]) for name in ("with", "low", "high")]
    more, least, most = _differences(shares, "more", "fewer", digits=0)
    return (
        f"without {drug} {without:.0f} per 1,000, with it {with_drug:.0f} ({low:.0f} to "
        f"{high:.0f}): {more} ({least} to {most})"
    )


def _differences(
    values: Sequence[float], above: str = "higher", below: str = "lower", *, digits: int = 2
) -> list[str]:
    """Write ``0.78 lower``: differences by size and side; nought as an end has no side."""
    return [
        "no difference"
        if place and not round(value, digits)
        else f"{fixed(abs(value), digits)} {above if value >= 0 else below}"
        for place, value in enumerate(values)
    ]


def _people(row: dict[str, Any]) -> str:
    """How many people, and at what stage they were counted where it was not the analysis."""
    early, stage = int(row["counted_before"]), row["counted_at"]
    if not early:
        return people(int(row["people"]))
    if early == row["people"]:
        return f"{early} people {stage}; how many were analysed is not known"
    return (
        f"{people(int(row['people']))}, {early} of them counted as {stage}: how many of these "
        "were analysed is not known"
    )


def _detail(row: dict[str, Any]) -> str:
    """When it was measured, in what unit, and which way is better."""
    first, last = float(row["week_first"]), float(row["week_last"])
    parts = []
    if math.isfinite(first):
        parts.append(f"week {first:g}" if first == last else f"weeks {first:g} to {last:g}")
    if row["unit"] not in (NONE, None) and row["measure"] not in RATIO_MEASURES:
        parts.append(str(row["unit"]))
    sign = float(row["benefit_sign"])
    if math.isfinite(sign):
        parts.append(f"{'more' if sign > 0 else 'less'} is better")
    return ", ".join(parts)


NOTEBOOK = "60_certainty"
ANY_HARM = "any_adverse_event"
PLURAL = "studies that were found compare"
# What a rating says to somebody who has never heard of ratings.
SURE = {NOT_RATED: ""} | dict(
    zip(
        GRADES,
        (
            "This is so unsure that the next study may say something else.",
            "This is not very sure.",
            "This is fairly sure.",
            "This is sure enough that further studies will hardly change it.",
        ),
        strict=True,
    )
)
KEY = ("construct", "comparator_class")
# Of harms: on which side what is printed lies.
OFTEN = {FAVOURS_COMPARATOR: "more often", FAVOURS_TREATMENT: "less often"}


class CertaintyPage(Page):
    """Every rated outcome of one indication."""

    USED = ("certainty", "certainty_domains")

    @cached_property
    def outcomes(self) -> list[dict[str, Any]]:
        """Rows of certainty.csv of the indication that were to be rated, in reading order."""
        rows = rows_of(self.opened.derived.certainty)
        return [row for row in rows if row["outcome"] != TOLD_ELSEWHERE]

    @cached_property
    def domain_rows(self) -> list[dict[str, Any]]:
        """Rows of certainty_domains.csv of the indication, in reading order."""
        return rows_of(self.opened.derived.certainty_domains)

    def domains_of(self, outcome: dict[str, Any]) -> list[dict[str, Any]]:
        """The five domains of an outcome; none when it is not rated."""
        return [d for d in self.domain_rows if all(d[name] == outcome[name] for name in KEY)]

    @property
    def rated(self) -> list[dict[str, Any]]:
        """Outcomes with a comparison that tells something."""
        return [row for row in self.outcomes if row["certainty"] != NOT_RATED]

    @property
    def main(self) -> dict[str, Any]:
        """The indication's main outcome; against its main comparator where that is rated."""
        asked = self.opened.indication["main_comparator"]
        own = [row for row in self.outcomes if row["outcome"] == MAIN_OUTCOME]
        return min(own, key=lambda row: row["comparator_class"] != asked)

    @property
    def headline(self) -> Text:
        """Indication, and how certain its outcomes are."""
        words = [row["certainty"] for row in self.rated]
        found = ", ".join(
            f"{words.count(word)} {word}" for word in reversed(GRADES) if word in words
        )
        unrated = len(self.outcomes) - len(self.rated)
        rated = count(len(self.rated), "outcome")
        return Text(
            f"**{capitalised(self.opened.label)}, certainty of the evidence (GRADE)**: "
            f"{rated} rated{f' ({found})' if found else ''}, {unrated} not ratable."
        )

    @property
    def summary(self) -> SummaryOfFindings:
        """Summary of findings: one line an outcome."""
        return SummaryOfFindings(
            name=f"sof-{self.opened.indication['indication_id'].replace('_', '-')}",
            title=f"Summary of findings: {self.opened.label}",
            subtitle=self.opened.indication["question"],
            findings=[self._finding(row) for row in self.outcomes],
            closing=self._closing(),
        )

    def _finding(self, row: dict[str, Any]) -> Finding:
        """One line of the summary; a footnote for every level taken off, or why none was."""
        studies, notes = "none to rate", [f"Not rated: {row['why_not_rated']}."]
        if row["certainty"] != NOT_RATED:
            studies = f"{count(int(row['studies']), 'study')} ({_people(row)})"
            notes = [
                f"{capitalised(DOMAIN_WORDS[d['domain']])}, {levels(int(d['level']))}: "
                f"{reason(d)}{'' if d['note'] == NONE else '; ' + d['note']}."
                for d in self.domains_of(row)
                if d["level"] < 0
            ]
            notes += [] if row["caution"] == NONE else [f"Take care: {row['caution']}"]
            notes += filter(None, [self._beside_the_map(row)])
        return Finding(
            group=f"{self.drug} against {row['comparator']}",
            outcome=capitalised(str(row["construct_label"])),
            outcome_detail=_detail(row),
            studies=studies,
            relative=relative(row),
            absolute=absolute(
                row,
                drug=self.drug,
                review=self.opened.review,
                source=self.opened.mid_source(row["construct"]),
                told_in=self._told_in(row),
                size=self._size(row),
            ),
            symbols=symbols(str(row["certainty"])),
            certainty=str(row["certainty"]),
            statement=statement(row, drug=self.drug),
            notes=tuple(notes),
        )

    def _beside_the_map(self, row: dict[str, Any]) -> str:
        """Why the evidence map counts other studies in the cell of an outcome, where it does."""
        labels = self.opened.derived.evidence.text["studies"].set_index("study_id")["label"]
        here = [str(labels[name]) for name in str(row["study_ids"]).split()]
        for group in self.opened.groups:
            cell, measured = group.cell, group.results.set_index("study_label")["construct_label"]
            if any(row[name] != cell[name] for name in KEY) or set(here) == set(cell["studies"]):
                continue
            only_here = [
                f"without {name}, {group.reasons.get(name) or 'there by ' + measured[name]}"
                for name in here
                if name not in cell["studies"]
            ]
            only_there = [
                f"with {name}, by {measured[name]}" for name in cell["studies"] if name not in here
            ]
            return (
                f"The evidence map counts {count(cell['trials'], 'study')} in this cell: "
                f"{'; '.join(only_here + only_there)}."
            )
        return ""

    def _closing(self) -> tuple[str, ...]:
        grades = (
            "High: the true effect lies close to the estimate. Moderate: probably close. Low: it "
            "may be substantially different. Very low: it is likely to be."
        )
        # Outcomes by how they are read: the interval shown is the one that is rated.
        read: dict[str, list[str]] = {}
        for row in self.outcomes:
            if row["interval"] != NONE:
                how = f"{row['interval']}, {row['method']}"
                read.setdefault(how, []).append(str(row["construct_label"]))
        closing = [
            f"Interval shown and rated: {how} ({', '.join(dict.fromkeys(of))})."
            for how, of in read.items()
        ]
        if any(math.isfinite(row["per_1000_without"]) for row in self.outcomes):
            limits = self.opened.protocol.certainty
            closing.append(
                f"Important: fewer or more than {limits['imprecision.per_1000']:g} of 1,000 "
                f"people, or a ratio of {limits['imprecision.ratio_low']:g} or "
                f"{limits['imprecision.ratio_high']:g} where that is less "
                f"({limits.ratio_source})."
            )
            closing.append(
                f"Per 1,000: the risk without {self.drug} is that of the comparison arms of the "
                "same trials, all people together; the ratio is assumed to hold at that risk."
            )
        return (*closing, grades)

    @cached_property
    def sentence(self) -> Text:
        """The main outcome in words, with the reasons of its certainty."""
        return Text(self._with_reasons(self.main))

    @property
    def statements(self) -> Text:
        """Every other outcome in words; a note that several share stands once, after them."""
        main = self.main
        told = [
            (
                str(row["construct_label"])
                if row["comparator"] == main["comparator"]
                else _named(row),
                row,
                self._parts(row),
            )
            for row in self.outcomes
            if row is not main
        ]
        every = [part for _, _, parts in told for part in parts]
        shared = [part for part in dict.fromkeys(every) if every.count(part) > 1]
        alike: dict[str, list[str]] = {}
        for name, row, parts in told:
            own = [part for part in parts if part not in shared]
            alike.setdefault(" ".join([f"{self._rated(row)}.", *own]), []).append(name)
        lines = [f"{capitalised(joined(names))}: {said}" for said, names in alike.items()]
        for part in shared:
            of = [str(row["construct_label"]) for _, row, parts in told if part in parts]
            lines.append(f"{capitalised(joined(list(dict.fromkeys(of))))}: {part}")
        return Text("\n".join(f"- {line}" for line in lines))

    def _parts(self, row: dict[str, Any]) -> list[str]:
        """What has to be known of a rating beside its reasons."""
        notes = [f"{capitalised(d['note'])}." for d in self.domains_of(row) if d["note"] != NONE]
        notes += [row["caution"]] if row["caution"] != NONE else []
        notes += [self._otherwise(row)] if row["other_choice"] != NONE else []
        answer = self.opened.answer(row["construct"], row["comparator_class"])
        return [*notes, *settings_of(answer, self.drug)]

    def _with_reasons(self, row: dict[str, Any]) -> str:
        other = f" {self._otherwise(row)}" if row["other_choice"] != NONE else ""
        said = f"{statement(row, drug=self.drug)} Certainty: {self._rated(row)}."
        return f"{said}{self._noted(row)}{other}{self._moved_by(row)}"

    @cached_property
    def _moved(self) -> list[dict[str, Any]]:
        """Rows of certainty_otherwise.csv of the indication by which a rating would move."""
        rows = rows_of(self.opened.derived.certainty_otherwise)
        return [row for row in rows if row["certainty"] != row["certainty_otherwise"]]

    def _moved_by(self, row: dict[str, Any]) -> str:
        """Every other answer by which the rating of an outcome would move, and where to."""
        own = [one for one in self._moved if all(one[name] == row[name] for name in KEY)]
        told = [f'"{one["answer"]}" ({one["certainty_otherwise"]})' for one in own]
        said = f" Other answers on file that would move the rating: {joined(told)}."
        return said if told else ""

    @property
    def otherwise(self) -> Table:
        """Every rating that another answer to one choice would move."""
        names = {tuple(row[name] for name in KEY): _named(row) for row in self.rated}
        rows = [
            {
                "outcome": names[one["construct"], one["comparator_class"]],
                "choice": one["choice"],
                "answered otherwise": one["answer"],
                "levels": one["domains"],
                "certainty": one["certainty"],
                "otherwise": one["certainty_otherwise"],
            }
            for one in self._moved
        ]
        return Table(
            pd.DataFrame(rows),
            "Ratings that another answer to one choice would move",
            empty="Other answers move no rating.",
        )

    def _noted(self, row: dict[str, Any]) -> str:
        """What has to be known of a level that was taken, or of one that was not."""
        notes = [f"{d['note']}." for d in self.domains_of(row) if d["note"] != NONE]
        notes += [row["caution"]] if row["caution"] != NONE else []
        return "".join(f" {capitalised(note)}" for note in notes)

    def _otherwise(self, row: dict[str, Any]) -> str:
        """Say whether the rating turns on the kind of difference that goes first."""
        numbers = (float(row[f"other_{name}"]) for name in ("estimate", "low", "high"))
        effect = estimate_with_interval(*numbers, measure=str(row["measure"]))
        effects = self.opened.derived.effects.set_index("effect_id")
        own = effects.loc[str(row["other_effects"]).split(" ")]
        assumed = [
            f"{one['study_label']} as {fixed(one['yi'])}, with the standard error of the "
            "difference it printed"
            for one in rows_of(own[own["route"].isin(WITH_BORROWED_ERROR)])
        ]
        taken = f" (it takes {joined(assumed)}, an assumption)" if assumed else ""
        changes = []
        for change in str(row["other_domains"]).split("; "):
            if change != NONE:
                domain, _, told = change.partition(": ")
                before, after = (taken_off(float(level)) for level in told.split(" to "))
                changes.append(f"{DOMAIN_WORDS[domain]} takes {after} instead of {before}")
        why_so = f" ({'; '.join(changes)})" if changes else ""
        other, now = str(row["other_certainty"]), str(row["certainty"])
        verdict = (
            f"would be {other}{why_so}: the rating turns on that choice"
            if other != now
            else f"would be the same{why_so}"
        )
        return (
            f'In the pool "{row["other_choice"]}"{taken} the effect is {effect} and the '
            f"certainty {verdict}."
        )

    def _rated(self, row: dict[str, Any]) -> str:
        """The certainty, and what it was taken down for or why it was not rated."""
        if row["certainty"] == NOT_RATED:
            return f"not rated, {row['why_not_rated']}"
        return f"{row['certainty']}, {why(self.domains_of(row))}"

    @property
    def domains(self) -> Table:
        """Every domain of every rated outcome: what was found, the decision and its reason."""
        rows = [
            {
                "outcome": _named(row),
                "domain": DOMAIN_WORDS[d["domain"]],
                "found": d["value"],
                "taken off": taken_off(d["level"]),
                "decided by": d["status"]
                if d["status"] == "computed"
                else f"{d['judged_by']}, {d['status']}",
                "reason": "as found" if d["reason"] == NONE else d["reason"],
            }
            for row in self.rated
            for d in self.domains_of(row)
        ]
        pools = (pool for pool in self.opened.pools if pool.read.has_prior)
        weighed = {f" {whose_weights(pool)}" for pool in pools}
        return Table(
            pd.DataFrame(rows),
            "Domain by domain",
            "Randomised comparisons start high, and so do those judged against the randomised "
            "trial they stand for; others low. By this project: one reading, mostly of abstracts."
            + "".join(weighed),
            "No outcome could be rated.",
        )

    @property
    def told_elsewhere(self) -> Table:
        """What pages and tables tell of and nobody rated, with the reason."""
        rows = [
            {
                "outcome": _named(row),
                "printed": "nothing" if row["printed"] == NONE else row["printed"],
                "why it is not rated": row["why_not_rated"],
            }
            for row in rows_of(self.opened.derived.certainty)
            if row["outcome"] == TOLD_ELSEWHERE
        ]
        return Table(
            pd.DataFrame(rows),
            "Told by a study and not rated",
            "Every comparison that isolates the drug is here or rated.",
            "Every comparison that isolates the drug is rated.",
        )

    @property
    def rules(self) -> Table:
        """Every rule that was applied, with its thresholds."""
        found = dict.fromkeys((DOMAIN_WORDS[d["domain"]], d["rule"]) for d in self.domain_rows)
        order = list(DOMAIN_WORDS.values())
        rows = sorted(found, key=lambda pair: order.index(pair[0]))
        return Table(
            pd.DataFrame(rows, columns=["domain", "rule"]),
            "The rules",
            "Nothing is lower than very low.",
            "No outcome could be rated.",
        )

    @property
    def overrides(self) -> Table:
        """Where a person decided otherwise than the rule."""
        names = {tuple(row[name] for name in KEY): _named(row) for row in self.rated}
        rows = [
            {
                "outcome": names[d["construct"], d["comparator_class"]],
                "domain": DOMAIN_WORDS[d["domain"]],
                "the rule takes off": taken_off(d["computed_level"]),
                "taken off": taken_off(d["level"]),
                "reason": d["reason"],
                "by": d["judged_by"],
            }
            for d in self.domain_rows
            if d["status"] == OVERRIDDEN
        ]
        return Table(
            pd.DataFrame(rows),
            "Judgements that differ from the rule",
            empty="Every rule stands.",
        )

    @property
    def what_would_raise_it(self) -> Text:
        """What was taken off the main outcome, turned into what would put it back."""
        row = self.main
        lines = [
            f"{capitalised(DOMAIN_WORDS[d['domain']])} ({levels(int(d['level']))}): "
            f"{_remedy(d['domain'], row)}"
            for d in self.domains_of(row)
            if d["level"] < 0
        ]
        if row["certainty"] == NOT_RATED:
            lines.append(
                f"Any comparison of {self.drug} with {row['comparator']} that reports "
                f"{row['construct_label']} would be the first to rate."
            )
        if row["registered"] != "none":
            lines.append(
                "Registered, planned or unpublished trials of the condition on file: "
                f"{row['registered']}."
            )
        return Text("\n".join(f"- {line}" for line in lines) or "- Nothing was taken off.")

    @cached_property
    def plain(self) -> Text:
        """The answer as one would tell it to somebody who asks, and how sure it is."""
        row, opened = self.main, self.opened
        compared = len(opened.compared)
        parts = [opened.indication["question"]]
        if not compared:
            parts.append("No study that was found compared it with anything, so nobody knows.")
            return Text(" ".join(parts))
        parts.append(
            f"{capitalised(agree(compared, 'study that was found compares', PLURAL))} "
            f"{self.drug} with something."
        )
        if row["certainty"] != NOT_RATED and row["people"]:
            parts.append(
                f"The answer rests on {count(int(row['studies']), 'study')} with {_people(row)}."
            )
        parts += [self._in_plain_words(row), SURE[str(row["certainty"])]]
        # Every other rated outcome, of benefit and of harm alike.
        others = [other for other in self.rated if other is not row]
        for certainty in dict.fromkeys(str(other["certainty"]) for other in others):
            parts += self._each([other for other in others if other["certainty"] == certainty])
            is_alike = certainty == row["certainty"]
            parts.append("This is no surer." if is_alike else SURE[certainty])
        if ANY_HARM not in [other["construct"] for other in others]:
            parts.append(
                "How many people have an unwanted effect could not be compared from what was read."
            )
        return Text(" ".join(part for part in parts if part))

    def _in_plain_words(self, row: dict[str, Any]) -> str:
        """One result without a word of statistics."""
        what, other = row["construct_label"], row["comparator"]
        if row["certainty"] == NOT_RATED:
            return f"What it does to {what} is not known."
        per = [float(row[f"per_1000_{name}"]) for name in ("without", "with", "low", "high")]
        if row["measure"] in RATIO_MEASURES and math.isfinite(per[0]):
            without, with_it, low, high = (f"{value:.0f}" for value in per)
            return (
                f"{capitalised(what)}: {without} of 1,000 people with {other}, {with_it} of 1,000 "
                f"with {self.drug}; the truth may lie anywhere from {low} to {high}."
            )
        values = [float(row[name]) for name in ("estimate", "ci_low", "ci_high")]
        if row["measure"] in RATIO_MEASURES and all(map(math.isfinite, values)):
            ratio, low, high = (fixed(value) for value in shown(values, measure=row["measure"]))
            said = f"{capitalised(what)}: {ratio} times as many with {self.drug} as with {other};"
            if row["measure"] == "IRR":
                # Its interval takes events as independent.
                return (
                    f"{said} the truth may lie further off than from {low} to {high}, for one "
                    "person may have several."
                )
            return f"{said} the truth may lie anywhere from {low} to {high} times."
        if not all(map(math.isfinite, values)):
            if row["direction"] == SIDE_UNKNOWN:
                return f"{capitalised(what)}: neither size nor side is told."
            return f"{capitalised(what)}: {self._size(row)}; {self._told(row)}."
        if row["change"] == "not known":
            return (
                f"{capitalised(what)} differed by {fixed(abs(values[0]))} {row['unit']} between "
                f"{self.drug} and {other}; which of the two did better is not told. "
                f"{self._possible(row)}"
            ).strip()
        first, low, high = _differences(values)
        first = first.replace(" ", f" {row['unit']} ", 1)
        said = (
            f"{capitalised(what)}: {first} with {self.drug} "
            f"than with {other}; the truth may lie anywhere from {low} to {high}."
        )
        return f"{said} {self._possible(row)}".strip()

    def _told(self, row: dict[str, Any]) -> str:
        """On which side what is printed lies, and in how many of the studies one can tell."""
        sides = {
            FAVOURS_TREATMENT: f"lies on the side of {self.drug}",
            FAVOURS_COMPARATOR: f"lies on the side of {row['comparator']}",
            SAME_IN_BOTH: "is the same in both",
        }
        how = self.opened.inferred(
            **{name: str(row[name]) for name in ("indication_id", "construct", "comparator_class")}
        )
        if row["domain"] == HARM and row["direction"] in OFTEN:
            return f"{OFTEN[row['direction']]} with {self.drug}{self._told_in(row)}{how}"
        lies = sides.get(str(row["direction"]), "points both ways")
        return f"what is printed{self._told_in(row)} {lies}{how}"

    def _told_in(self, row: dict[str, Any]) -> str:
        """In how many of the studies of an outcome the side is known, where not in all."""
        told, every = self._sided(row)["study_id"].nunique(), int(row["studies"])
        return "" if told >= every else f" in {in_words(told)} of {count(every, 'study')}"

    def _size(self, row: dict[str, Any]) -> str:
        """What is not known of an outcome with a side: its size, or only how uncertain it is."""
        own = self._sided(row)
        is_printed = own["sign_from"].str.contains(PRINTED_BESIDE)
        return NO_SPREAD if (is_printed | own["known_by"].ne(KNOWN_BY[WORDS])).any() else NO_SIZE

    def _sided(self, row: dict[str, Any]) -> pd.DataFrame:
        """Results of an outcome whose side is known."""
        table = self.opened.derived.directions
        is_own = table["construct"].eq(row["construct"]) & table["sign"].notna()
        is_own &= table["indication_id"].eq(row["indication_id"])
        return table[is_own & table["comparator_class"].eq(row["comparator_class"])]

    def _each(self, rows: list[dict[str, Any]]) -> list[str]:
        """A sentence for each outcome; those that only have a direction stand with the alike."""
        alike: dict[Any, list[dict[str, Any]]] = {}
        for row in rows:
            is_told = row["synthesis"] == DIRECTION_ONLY
            told = (row["direction"], self._size(row), self._told(row), row["comparator"])
            alike.setdefault(told if is_told else row["construct"], []).append(row)
        asked = self.main["comparator_class"]
        return [
            self._in_plain_words(
                {
                    **of[0],
                    "construct_label": joined([str(row["construct_label"]) for row in of])
                    + f" against {of[0]['comparator']}" * (of[0]["comparator_class"] != asked),
                }
            )
            for of in alike.values()
        ]

    @property
    def _also_with_numbers(self) -> str:
        """Those of them that have an effect, for a line that names the main outcome alone."""
        told = []
        for row in self.rated:
            values = [float(row[name]) for name in ("estimate", "ci_low", "ci_high")]
            if (
                row["outcome"] == FOR_ITSELF
                and row["domain"] != HARM
                and row["measure"] not in RATIO_MEASURES
                and all(map(math.isfinite, values))
            ):
                effect = estimate_with_interval(*values, measure=str(row["measure"]))
                told.append(f"{row['construct_label']} {effect}, {row['certainty']}")
        return f" Also rated: {'; '.join(told)}." if told else ""

    def _possible(self, row: dict[str, Any]) -> str:
        """Whether a difference that people notice is still possible, and to which side."""
        mid, sign = float(row["important_high"]), float(row["benefit_sign"])
        if not (math.isfinite(mid) and math.isfinite(sign)):
            return ""
        matters = f"A difference that matters (from {mid:g}) is"
        better, worse = float(row["ci_high"]), float(row["ci_low"])
        if sign < 0:
            better, worse = -worse, -better
        left = [word for word, is_left in (("better", better >= mid), ("worse", worse <= -mid))
                if is_left]  # fmt: skip
        if len(left) < 2 and row["certainty"] in ("low", VERY_LOW):
            # What the next study may turn over is not ruled out.
            which = (
                f"a difference that matters (from {mid:g}) for the {left[0]} only"
                if left
                else (f"no difference that matters (from {mid:g})")
            )
            return f"What may be true includes {which}."
        if len(left) == 1:
            return f"{matters} possible for the {left[0]} only."
        return f"{matters} {'possible for better and for worse' if left else 'ruled out'}."

    @cached_property
    def implications(self) -> Text:
        """What follows for practice and for research, from ratings and missing numbers."""
        row = self.main
        if row["certainty"] in (NOT_RATED, VERY_LOW):
            practice = (
                f"whether {self.drug} helps with {row['construct_label']} is not known: the "
                "studies on file are no reason for it and none against it."
            )
        else:
            practice = statement(row, drug=self.drug)
        answer = self.opened.answer(row["construct"], row["comparator_class"])
        # As page 90 lists them, but for those in people whom the question does not ask about.
        pooled = [] if answer.pool is None else list(answer.pool.trials["study_id"])
        studies = self.opened.compared.sort_values(["year", "study_id"], kind="stable")
        missing = [
            study["label"]
            for study in rows_of(studies)
            if study["comparator_class"] == row["comparator_class"]
            and study["study_id"] not in (*pooled, *self.opened.derived.evidence.review.beside)
        ]
        wanted = (
            f"numbers with their uncertainty are wanted of {listed(missing)}; what else would "
            "raise the certainty:"
            if missing
            else "what would raise the certainty:"
        )
        return Text(
            f"For practice: {practice} This is this project's reading and no "
            "recommendation: values, costs and other treatments were not weighed.\n\n"
            f"For research: {wanted}"
        )

    @cached_property
    def facts(self) -> Facts:
        """Ratings, the numbers of the cells, and the sentence of the main outcome."""
        row = self.main
        said = "" if row["certainty"] == NOT_RATED else f" {statement(row, drug=self.drug)}"
        numbers = ("estimate", "ci_low", "ci_high")
        return self.opened.facts(
            headline=str(self.headline),
            sentence=str(self.sentence),
            plain=str(self.plain),
            implications=str(self.implications),
            # By which answers the main rating would move, with their numbers.
            otherwise=[
                {
                    **{name: one[name] for name in ("choice", "answer", "certainty_otherwise")},
                    "numbers": [float(n) for n in re.findall(r"\d+(?:\.\d+)?", one["answer"])],
                }
                for one in self._moved
                if all(one[name] == row[name] for name in KEY)
            ],
            # To stand behind the answer of page 20.
            answer={
                "certainty": row["certainty"],
                "sentence": f"Certainty (GRADE): {self._rated(row)}.{self._noted(row)}{said}"
                f"{self._also_with_numbers}",
            },
            outcomes=[
                {
                    **row,
                    **shown_facts(row, numbers, measure=str(row["measure"])),
                    "statement": statement(row, drug=self.drug),
                    "domains": {d["domain"]: int(d["level"]) for d in self.domains_of(row)},
                }
                for row in self.outcomes
            ],
        )


def _named(row: dict[str, Any]) -> str:
    return f"{row['construct_label']}, against {row['comparator']}"


def _remedy(domain: str, row: dict[str, Any]) -> str:
    """What evidence would put a level back."""
    needed = float(row["information_size"])
    size = f"; one trial of full power needs {needed:,.0f}" if needed > row["people"] else ""
    words = {
        "risk_of_bias": "trials at low risk of bias, or full reports that show these to be.",
        "inconsistency": "trials that agree, or a reason why these do not.",
        "indirectness": "trials of the dose, duration, people and comparator in question.",
        "imprecision": "more people, reported with an interval that excludes either no important "
        f"effect or an important one{size}.",
        "publication_bias": "results of the trials known to exist, and of any a search missed.",
    }
    return words[domain]


def certainty(*, indication: str, **choices: Any) -> CertaintyPage:
    """Open page 60 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    **choices
        Those of ``ldn-meta parameters``; by the protocol unless given. Under other choices the
        rules rate, without what people confirmed.

    Returns
    -------
    CertaintyPage

    Raises
    ------
    ArgumentError
        If the indication or a choice is unknown.
    """
    return CertaintyPage(open_page(NOTEBOOK, indication=indication, **choices))
