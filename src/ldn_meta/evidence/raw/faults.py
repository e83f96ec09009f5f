"""Every rule that the raw tables are held to, and what breaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ldn_meta.errors import Fault, did_you_mean
from ldn_meta.evidence.raw.bias import (
    ELIGIBLE,
    NOBODY,
    NOT_READABLE,
    NOT_TOLD,
    OVERALL,
    RISK_OF_BIAS,
    TOOLS,
    Tool,
    fitting_tool,
)
from ldn_meta.evidence.raw.tables import (
    ACCEPT,
    GUARDED,
    VALUE_TABLES,
    Correction,
    Dictionary,
    Evidence,
    as_records,
    as_text,
    typed,
)
from ldn_meta.files import EMPTY, TO_DO

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.evidence.raw.tables import Table


# Decimal notation as papers print it. Schema validators and pandas also take inf, nan, 1_000
# and digits of other scripts, and not both the same of them.
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# What a number of a computer keeps.
MOST_DIGITS = 15
# Ways to say "no value" that are not a label of the dictionary, once points, strokes and spaces
# are gone; "none" is not among them: a study without a comparator has the comparator "none".
NO_VALUE = frozenset({"", "nr", "na", "todo", "nan", "null", "tbd", "?"})


# What Markdown, MyST, Jinja, TeX or HTML would act on, and what a spreadsheet would compute: no
# printed words need it, and refused here it reaches no page, figure, README or export.
MARKUP = re.compile(
    r"[`{}]|<[A-Za-z/!?]|\]\(|\]\[|\[\^|\$[^$\s][^$]*\$|&#?\w+;|:::|^[=@].|^\+[^\d./]|^-[^\d.]"
)


def cell_faults(text: Mapping[str, pd.DataFrame], dictionary: Dictionary) -> list[Fault]:
    """Find cells that are blank, padded, broken over lines, or say "missing" in other words."""
    labels = "; ".join(f"{label} ({words})" for label, words in dictionary.missing.items())
    found = []
    for name, frame in text.items():
        numeric = set(dictionary.tables[name].of_type("number", "integer"))
        for column in frame.columns:
            cells = frame[column].tolist()
            told = {
                cell: fault
                for cell in set(cells).difference(dictionary.missing)
                if (fault := _fault_of(cell, is_number=column in numeric, labels=labels))
            }
            found += [
                Fault(name, int(line), str(column), cell, *told[cell])
                for line, cell in zip(frame.index if told else (), cells, strict=False)
                if cell in told
            ]
    return found


def _fault_of(cell: str, *, is_number: bool, labels: str) -> tuple[str, str] | None:
    """Rule and remedy of a bad cell."""
    if cell.strip() == "":
        return "blank cell", f"write the value, or a label: {labels}"
    if "\n" in cell:
        return "line break inside a cell", "put the text on one line"
    if cell != cell.strip():
        return "space around the value", "remove it"
    if re.sub(r"[\s./\\_-]", "", cell).casefold() in NO_VALUE:
        return "no label for a missing value", f"use one of these, spelt exactly: {labels}"
    if not cell.isprintable():
        return "holds a character that cannot be seen", "type the cell again"
    markup = MARKUP.search(cell)
    if markup and not is_number:
        return f"would be read as markup or as a formula ({markup[0]})", "type it as plain words"
    if is_number and not NUMBER.fullmatch(cell):
        return "not a plain number", "type digits with a decimal point, or NR / NA / TODO"
    if is_number and sum(map(str.isdigit, cell)) > MOST_DIGITS:
        return f"has more than {MOST_DIGITS} digits", "type what is printed"
    return None


_OF_RESULT = ("outcome_id", "timepoint_weeks", "timepoint", "analysis_set")
# Rows that agree in these columns state the same fact, whatever their source.
FACT_KEYS = {
    "arm_stats": ["study_id", "arm_id", *_OF_RESULT, "statistic_of"],
    "arm_events": ["study_id", "arm_id", *_OF_RESULT, "counted"],
    "contrasts": ["study_id", "arm_1", "arm_2", *_OF_RESULT, "measure"],
    "study_facts": ["study_id", "fact", "qualifier"],
}
# The columns that hold the stated value. As text: 4.50 and 4.5 differ, for a printed digit more
# is a different statement.
VALUES = {
    "arm_stats": ["n", "mean", "sd", "se", "ci_low", "ci_high", "median"],
    "arm_events": ["events", "n", "percent"],
    "contrasts": ["estimate", "ci_low", "ci_high"],
    "study_facts": ["value", "value_low", "value_high"],
}
LOG = "extraction_log"
# What names a source for others; the label where nothing does; hosts that look unfit to be cited.
IDENTIFIERS = ("doi", "pmid", "pmcid", "registry_id", "url")
UNTRACEABLE = "untraceable: "
STAGING = re.compile(r"^https?://(?:test\.|[^/]*(?:-ma\d+\.|\bstag|\w+dev\.))", re.IGNORECASE)
# The one way to say that nobody noted where in a text a number stands.
NO_PLACE = "place not recorded"
OTHER_WORDS = re.compile(r"not recorded|not noted|place unknown|somewhere", re.IGNORECASE)
PREFERRED, NOT_STATED = "yes", "not stated"
P_NUMBERED = ("=", "<", ">")


class Fact(NamedTuple):
    """Rows about one fact: those in use, and those beside them."""

    used: pd.DataFrame
    others: pd.DataFrame


def fact_columns(table: str) -> list[str]:
    """Columns that name a fact; a bare "no difference" may contradict an estimate."""
    return [name for name in FACT_KEYS[table] if name != "measure"]


def stated_twice(text: pd.DataFrame, table: str, missing: Collection[str]) -> Iterator[Fact]:
    """Facts with rows that are not preferred.

    Such a row alone is set against the preferred rows of the same people, outcome and time in
    any analysis set: secondary sources seldom say which set they quote.
    """
    for used, others in _stated_twice(text, table, missing):
        yield Fact(text.iloc[used], text.iloc[others])


def _stated_twice(
    text: pd.DataFrame, table: str, missing: Collection[str]
) -> Iterator[tuple[list[int], list[int]]]:
    """Places of the rows in use and of those beside them, fact by fact."""
    cells = {name: text[name].tolist() for name in fact_columns(table)}
    is_preferred = [cell == PREFERRED for cell in text["preferred"].tolist()]
    facts: dict[tuple[str, ...], list[int]] = {}
    for place, fact in enumerate(zip(*cells.values(), strict=True)):
        facts.setdefault(fact, []).append(place)
    people = _same_people(cells, missing)
    in_use: dict[tuple[str, ...], list[int]] = {}
    for place, one in enumerate(people):
        if is_preferred[place]:
            in_use.setdefault(one, []).append(place)
    for fact in sorted(facts):
        places = facts[fact]
        others = [place for place in places if not is_preferred[place]]
        if others:
            chosen = [place for place in places if is_preferred[place]]
            yield chosen or in_use.get(people[others[0]], []), others


def _same_people(
    cells: Mapping[str, Sequence[str]], missing: Collection[str]
) -> list[tuple[str, ...]]:
    """People, outcome and time of each row; of the time, a known week is enough."""
    times = ("analysis_set", "timepoint", "timepoint_weeks")
    who = zip(*(column for name, column in cells.items() if name not in times), strict=True)
    if "timepoint" not in cells:
        return list(who)
    when = zip(cells["timepoint_weeks"], cells["timepoint"], strict=True)
    return [
        (*one, words if week in missing else week)
        for one, (week, words) in zip(who, when, strict=True)
    ]


def fault_at(
    evidence: Evidence, table: str, line: Any, column: str, rule: str, remedy: str
) -> Fault:
    """Build a fault with the cell as people typed it; column "-" is the row as a whole."""
    value = "" if column == "-" else str(evidence.text[table].loc[line, column])
    return Fault(table, int(line), column, value, rule, remedy)


def is_given(evidence: Evidence, table: str, column: str) -> pd.Series:
    """Whether cells hold something other than a label for a missing value."""
    return ~evidence.text[table][column].isin(list(evidence.dictionary.missing))


def _broken(
    evidence: Evidence,
    table: str,
    is_broken: pd.Series,
    column: str,
    rule: str,
    remedy: str,
    **beside: pd.Series,
) -> Iterator[Fault]:
    """A fault for each line that breaks a rule; {column} stands for what its row says there.

    What else a rule names goes beside: values by line.
    """
    text = evidence.text[table]
    for line in is_broken.index[is_broken.fillna(False).astype(bool)]:
        cells = {**text.loc[line], **{name: values[line] for name, values in beside.items()}}
        told = rule.format_map(cells), remedy.format_map(cells)
        yield fault_at(evidence, table, line, column, *told)


class _Table(NamedTuple):
    """One table as the rules of a row see it: typed, as text, and which cells say something."""

    frame: pd.DataFrame
    text: pd.DataFrame
    given: Callable[[str], pd.Series]


class _Rule(NamedTuple):
    """What one row can break alone."""

    table: str
    column: str
    is_broken: Callable[[_Table], pd.Series]
    rule: str
    remedy: str


def _in_order(table: str, low: str, high: str) -> _Rule:
    return _Rule(
        table,
        low,
        lambda t: t.frame[low] > t.frame[high],
        f"{low} is above {high} ({{{high}}})",
        "swap or correct the two",
    )


def _counted(table: str, number: str, count: str) -> _Rule:
    return _Rule(
        table,
        count,
        lambda t: t.given(number) & ~t.given(count),
        f"{number} without the count of its printed decimals",
        "count them (3 for 0.016)",
    )


def _no_more_decimals(table: str, number: str, count: str) -> _Rule:
    def is_broken(t: _Table) -> pd.Series:
        typed = t.text[number].str.extract(r"\.([0-9]*)$", expand=False).str.len()
        return t.given(number) & (typed > t.frame[count]).fillna(False)

    rule = f"has more decimals than {count} says ({{{count}}})"
    return _Rule(table, number, is_broken, rule, "correct one of the two")


ROW_RULES = (
    _in_order("arm_stats", "ci_low", "ci_high"),
    _in_order("arm_stats", "q1", "median"),
    _in_order("arm_stats", "median", "q3"),
    _in_order("arm_stats", "q1", "q3"),
    _in_order("arm_stats", "range_low", "range_high"),
    _in_order("contrasts", "ci_low", "ci_high"),
    _in_order("study_facts", "value_low", "value_high"),
    _in_order("claims", "ci_low", "ci_high"),
    _in_order("studies", "dose_low_mg_per_day", "dose_high_mg_per_day"),
    _in_order("outcomes", "scale_min", "scale_max"),
    *(
        _in_order(table, later, "n_randomised")
        for table in ("arms", "studies")
        for later in ("n_completed", "n_analysed")
    ),
    _Rule(
        "arm_events",
        "events",
        lambda t: (
            (t.frame["events"] > t.frame["n"]).fillna(False) & (t.frame["counted"] == "people")
        ),
        "more people with the event than people ({n})",
        "correct one of the two, or set counted to events",
    ),
    _Rule(
        "arm_events",
        "-",
        lambda t: ~t.given("events") & ~t.given("percent"),
        "neither events nor percent is given",
        "state one, or move the row to contrasts as a statement",
    ),
    _counted("arm_events", "percent", "percent_decimals"),
    _no_more_decimals("arm_events", "percent", "percent_decimals"),
    _counted("contrasts", "p_value", "p_decimals"),
    _no_more_decimals("contrasts", "p_value", "p_decimals"),
    _no_more_decimals("contrasts", "estimate", "estimate_decimals"),
    _Rule(
        "contrasts",
        "p_value",
        lambda t: t.frame["p_relation"].isin(P_NUMBERED) & ~t.given("p_value"),
        "p_relation needs a p_value",
        "type the printed p, or use ns / sig / NR as relation",
    ),
    _Rule(
        "contrasts",
        "p_relation",
        lambda t: ~t.frame["p_relation"].isin(P_NUMBERED) & t.given("p_value"),
        "p_value needs a relation",
        "use =, < or >",
    ),
    _Rule(
        "contrasts",
        "n_2",
        lambda t: t.frame["is_paired"].fillna(False).astype(bool) & t.given("n_2"),
        "a paired comparison has one n",
        "put the number of pairs in n_1 and NA here",
    ),
    _Rule(
        "contrasts",
        "correlation_basis",
        lambda t: t.given("correlation") != t.given("correlation_basis"),
        "correlation and its basis come together",
        "fill both or neither",
    ),
    _Rule(
        "sources",
        "note",
        lambda t: (
            t.text[list(IDENTIFIERS)].isin([*EMPTY]).all(axis=1)
            & ~t.text["note"].str.startswith(UNTRACEABLE)
        ),
        "a source without any identifier or address, and no reason",
        f'give one, or begin the note with "{UNTRACEABLE}" and say why there is none',
    ),
    _Rule(
        "sources",
        "note",
        lambda t: t.text["url"].str.contains(STAGING) & ~t.text["note"].str.contains("staging"),
        "the address ({url}) looks like a machine for tests of a site",
        "name the public address, or begin the note with 'address on a staging machine'",
    ),
    _Rule(
        RISK_OF_BIAS,
        "judgement",
        lambda t: ~t.given("judgement") & (t.text["judgement"] != TO_DO),
        "neither a judgement nor TODO",
        "judge, or type TODO until judged",
    ),
    _Rule(
        RISK_OF_BIAS,
        "judged_by",
        lambda t: (t.text["judgement"] == TO_DO) & (t.text["judged_by"] != NOBODY),
        "a judgement that is TODO was made by nobody",
        f"type {NOBODY}, or judge",
    ),
    _Rule(
        RISK_OF_BIAS,
        "judged_by",
        lambda t: t.given("judgement") & (t.text["judged_by"] == NOBODY),
        "somebody made this judgement",
        "say who judged, or set the judgement to TODO",
    ),
    _Rule(
        "checklists",
        "place",
        lambda t: t.given("place") == (t.text["status"] == "not done"),
        "an item has a place exactly if something of it is done",
        "name the place, or say that it is not done",
    ),
    _Rule(
        RISK_OF_BIAS,
        "judgement",
        lambda t: (t.text["judgement"] == NOT_READABLE) & (t.text["read_from"] == "full text"),
        "the full text was read",
        "judge what it says, or that it does not say",
    ),
    _Rule(
        RISK_OF_BIAS,
        "judgement",
        lambda t: (
            t.text["judgement"].isin(NOT_TOLD)
            & (t.text["domain"] != OVERALL)
            & (t.text["read_from"] != "full text")
        ),
        "what was not read is scored as not reported",
        f"type {NOT_READABLE}, or read the full text",
    ),
)


def row_faults(evidence: Evidence) -> list[Fault]:
    """Every breach of a rule that one row can break alone."""
    seen = {
        name: _Table(frame, evidence.text[name], partial(is_given, evidence, name))
        for name, frame in evidence.tables.items()
    }
    return [
        fault
        for table, column, is_broken, rule, remedy in ROW_RULES
        for fault in _broken(evidence, table, is_broken(seen[table]), column, rule, remedy)
    ]


def bias_faults(evidence: Evidence, *, unread: Collection[str] = ()) -> list[Fault]:
    """Every breach of a rule of the tools, and every eligible study that nobody lists."""
    if RISK_OF_BIAS in unread:
        return []
    found: list[Fault] = []
    studies = {row["study_id"]: row for row in evidence.text["studies"].to_dict("records")}
    is_judged = is_given(evidence, RISK_OF_BIAS, "judgement")
    for study_id, rows in evidence.text[RISK_OF_BIAS].groupby("study_id", sort=False):
        found += _tools(evidence, rows)
        tool = TOOLS.get(rows["tool"].iloc[0])
        if tool is None:
            continue
        if study_id in studies:
            found += _fit(evidence, rows, tool, studies[study_id])
        own = rows[rows["tool"] == tool.name]
        found += _domains(evidence, own, tool, is_judged)
        found += _overall(evidence, own, tool)
    if "studies" not in unread:
        found += _unlisted(evidence)
    return found


def _tools(evidence: Evidence, rows: pd.DataFrame) -> Iterator[Fault]:
    first = rows.index[0]
    tool = rows.loc[first, "tool"]
    rule = f"a second tool for {{study_id}}, after line {first}"
    is_broken = rows["tool"] != tool
    yield from _broken(evidence, RISK_OF_BIAS, is_broken, "tool", rule, f"use {tool} throughout")


def _fit(
    evidence: Evidence, rows: pd.DataFrame, tool: Tool, study: Mapping[Hashable, str]
) -> Iterator[Fault]:
    if study["eligible_for"] not in ELIGIBLE:
        return
    fitting = _tool_of(study)
    if tool.name != fitting:
        rule = (
            f"does not fit a study of design {study['design']}, randomised: "
            f"{study['is_randomised']}, eligible for {study['eligible_for']}"
        )
        yield _fault(evidence, rows.index[0], "tool", rule, f"use {fitting}, or correct the study")


def _domains(
    evidence: Evidence, rows: pd.DataFrame, tool: Tool, is_judged: pd.Series
) -> Iterator[Fault]:
    known = tool.domain_names
    for line in rows.index[~rows["domain"].isin(known)]:
        hint = did_you_mean(rows.loc[line, "domain"], known, " Else ")
        remedy = f"{hint}use one of {', '.join(known)}"
        yield _fault(evidence, line, "domain", f"no domain of {tool.name}", remedy)
    for line in rows.index[rows["domain"].duplicated()]:
        same = rows.index[rows["domain"] == rows.loc[line, "domain"]][0]
        rule = f"judged on line {same} already"
        yield _fault(evidence, line, "domain", rule, "keep one of the two")
    judged = rows[rows["domain"].isin(known) & is_judged.loc[rows.index]]
    for line, domain, judgement in zip(
        judged.index, judged["domain"], judged["judgement"], strict=True
    ):
        allowed = tool.judgements(domain)
        if judgement not in allowed:
            rule = f"is not on the scale of {tool.name}"
            yield _fault(evidence, line, "judgement", rule, f"use one of {', '.join(allowed)}")
    # A study that waits for its judgement needs no more than one row that says so.
    if (rows["judgement"] != TO_DO).any():
        for name in known:
            if name not in set(rows["domain"]):
                rule = f"{rows['study_id'].iloc[0]} has no row for {name} of {tool.name}"
                remedy = "add the row; its judgement may be TODO"
                yield _fault(evidence, rows.index[0], "-", rule, remedy)


def _overall(evidence: Evidence, rows: pd.DataFrame, tool: Tool) -> Iterator[Fault]:
    """An overall judgement may be worse than the worst domain, with a note, and never better."""
    is_overall = rows["domain"] == OVERALL
    least = tool.least_overall(rows.loc[~is_overall, "judgement"])
    for line in rows.index[is_overall & rows["judgement"].isin(list(tool.ranks))]:
        stated = rows.loc[line, "judgement"]
        if least is None or stated == least:
            continue
        if tool.ranks[stated] < tool.ranks[least]:
            rule = f"is better than its domains allow ({least})"
            yield _fault(evidence, line, "judgement", rule, f"use {least}, or a worse one")
        elif not is_given(evidence, RISK_OF_BIAS, "note")[line]:
            rule = f"the overall judgement is worse than its worst domain ({least})"
            yield _fault(evidence, line, "note", rule, "say why, or use the worst domain's")


def _unlisted(evidence: Evidence) -> Iterator[Fault]:
    studies = evidence.text["studies"]
    listed = evidence.text[RISK_OF_BIAS]["study_id"]
    eligible = studies["eligible_for"].isin(ELIGIBLE)
    for line in studies.index[eligible & ~studies["study_id"].isin(listed)]:
        rule = f"no row of {RISK_OF_BIAS} is about this study"
        remedy = (
            f"add one row a domain of {_tool_of(studies.loc[line].to_dict())}, "
            f"or one with domain {OVERALL} and judgement {TO_DO}"
        )
        yield fault_at(evidence, "studies", line, "study_id", rule, remedy)


def _tool_of(study: Mapping[Hashable, str]) -> str:
    return fitting_tool(
        study["design"],
        is_randomised=study["is_randomised"],
        eligible_for=study["eligible_for"],
    )


def _fault(evidence: Evidence, line: Any, column: str, rule: str, remedy: str) -> Fault:
    return fault_at(evidence, RISK_OF_BIAS, line, column, rule, remedy)


SIZES = ("n_enrolled", "n_randomised", "n_completed", "n_analysed")
# Designs in which everybody is in one arm, so that arms add up to the study.
SPLIT_DESIGNS = ("parallel", "factorial")
LEVELS = ("baseline", "end")


def latest_stage(study: Mapping[Any, str]) -> tuple[int, str]:
    """People of a study at the last stage that its row states, and that stage; 0 and no word."""
    stated = ((int(study[name]), name) for name in reversed(SIZES) if study[name].isdigit())
    return next(stated, (0, ""))


def latest_size(study: Mapping[Any, str]) -> int:
    """People of a study at the last stage that its row states: who counts where nobody says."""
    return latest_stage(study)[0]


def link_faults(evidence: Evidence, *, unread: Collection[str]) -> list[Fault]:
    """Every breach of a rule that joins rows."""
    found = list(_references(evidence, unread))
    for rule in (_duplicates, _readings, _arms, _arm_sums, _scales, _preferred):
        found.extend(rule(evidence))
    if "study_facts" not in unread:
        found.extend(_sizes(evidence))
    if not set(FACT_KEYS) & set(unread):
        found.extend(_logged(evidence))
    return found


def fact_faults(evidence: Evidence) -> list[Fault]:
    """Facts of which no row is preferred; rows find each other only where all else is in order."""
    rule = "no row states this fact as the preferred one"
    remedy = "set preferred to yes for the row to be used"
    return [
        fault_at(evidence, name, text.index[others[0]], "preferred", rule, remedy)
        for name in FACT_KEYS
        for text in [evidence.text[name]]
        for used, others in _stated_twice(text, name, evidence.dictionary.missing)
        if not used
    ]


def _references(evidence: Evidence, unread: Collection[str]) -> Iterator[Fault]:
    for table in evidence.dictionary.tables.values():
        for column, target, key in table.foreign_keys:
            if target in unread:
                continue
            known = set(evidence.text[target][key])
            cells = evidence.text[table.name][column]
            lost = is_given(evidence, table.name, column) & ~cells.isin(list(known))
            for line in cells.index[lost]:
                hint = did_you_mean(cells[line], known, " Else ")
                rule = f"no such {key} in {target}"
                remedy = f"{hint}add the row to {target}.csv, or correct the key"
                yield fault_at(evidence, table.name, line, column, rule, remedy)


# How a source says that it is there for itself.
UNCITED = "no row cites it"


def source_faults(evidence: Evidence) -> Iterator[Fault]:
    """Sources that no row names, or that are said to be."""
    text = evidence.text["sources"]
    links = [
        evidence.text[table.name][column]
        for table in evidence.dictionary.tables.values()
        for column, target, _ in table.foreign_keys
        if target == "sources"
    ]
    is_cited = text["source_id"].isin({key for cells in links for key in cells})
    says = text["note"].str.contains(UNCITED, regex=False)
    remedy = f"cite it, delete it, or say in its note: {UNCITED}"
    rule = "is a source that no row cites"
    yield from _broken(evidence, "sources", ~is_cited & ~says, "source_id", rule, remedy)
    rule = "says that no row cites it, and one does"
    yield from _broken(evidence, "sources", is_cited & says, "note", rule, "correct the note")


def _duplicates(evidence: Evidence) -> Iterator[Fault]:
    for table in evidence.dictionary.tables.values():
        # Of a copy with its key, the schema check has told already that the key is there twice.
        again = evidence.text[table.name].drop(columns=table.key).duplicated()
        rule = "the same row again under another key"
        yield from _broken(evidence, table.name, again, table.key, rule, "delete one of the two")


# Kinds of source that can be read as a paper is, and words of a place in another text.
OF_A_PAPER = (
    *("journal article", "letter", "preprint", "narrative review", "systematic review"),
    "meta-analysis",
)
ITSELF = ("full text", "abstract")
OF_OTHERS = re.compile(
    r"\b(?:digest|secondary note|third.party|transcri\w+|quoted)\b", re.IGNORECASE
)


def _readings(evidence: Evidence) -> Iterator[Fault]:
    """Rows that name the report although another text was read, or the other way round."""
    kinds = evidence.text["sources"].drop_duplicates("source_id").set_index("source_id")["kind"]
    for name, text in evidence.text.items():
        if "read_in" not in text:
            continue
        # Of a claim, whose words it is.
        reported = "reported_in" if "reported_in" in text else "claimed_in"
        kind = text["read_in"].map(kinds)
        is_itself = text["read_from"].isin(ITSELF)
        yield from _broken(
            evidence,
            name,
            kind.notna()
            & is_itself
            & (~kind.isin(OF_A_PAPER) | (text["read_in"] != text[reported])),
            "read_in",
            f"is not the report itself ({{{reported}}}), of which the {{read_from}} was read",
            "name the report, or say in read_from what kind of text {read_in} is",
        )
        yield from _broken(
            evidence,
            name,
            kind.isin(OF_A_PAPER) & text["locator"].str.contains(OF_OTHERS),
            "read_in",
            "is the report, but the locator ({locator}) tells of another text",
            "give that text a row in sources.csv and name it in read_in",
        )
        yield from _broken(
            evidence,
            name,
            text["locator"].str.contains(OTHER_WORDS) & (text["locator"] != NO_PLACE),
            "locator",
            "says in other words that the place is not known",
            f"type {NO_PLACE}, which is counted, or name the place",
        )


def _logged(evidence: Evidence) -> Iterator[Fault]:
    """Lines of the extraction log about rows that do not exist."""
    log, rows = evidence.text[LOG], set[str]()
    for name in FACT_KEYS:
        rows |= set(f"{name}:" + evidence.text[name]["row_id"])
    named = is_given(evidence, LOG, "address")
    remedy = "write table:row_id of a value row that is on file"
    lost = named & ~log["address"].isin(list(rows))
    yield from _broken(evidence, LOG, lost, "address", "is no value row", remedy)


def _arms(evidence: Evidence) -> Iterator[Fault]:
    arms = evidence.tables["arms"].drop_duplicates("arm_id").set_index("arm_id")
    for name, column in (
        ("arm_stats", "arm_id"),
        ("arm_events", "arm_id"),
        ("contrasts", "arm_1"),
        ("contrasts", "arm_2"),
    ):
        frame = evidence.tables[name]
        owner = frame[column].map(arms["study_id"])
        is_strange = owner.notna() & (owner != frame["study_id"])
        remedy = "use an arm of {study_id}"
        yield from _broken(evidence, name, is_strange, column, "arm of another study", remedy)
    frame = evidence.tables["contrasts"]
    first, second = frame["arm_1"].map(arms["group"]), frame["arm_2"].map(arms["group"])
    yield from _broken(
        evidence,
        "contrasts",
        first.isin([2, 3]) & (second == 1),
        "arm_1",
        "the comparator stands first, but effects are treatment minus comparator",
        "swap the two arms and turn the sign of the estimate",
    )
    yield from _broken(
        evidence,
        "contrasts",
        frame["arm_1"] == frame["arm_2"],
        "arm_2",
        "an arm against itself",
        "name the comparator, or NA for a change from baseline",
    )


def _arm_sums(evidence: Evidence) -> Iterator[Fault]:
    studies, arms = evidence.tables["studies"], evidence.tables["arms"]
    sizes = arms.groupby("study_id")["n_randomised"]
    # An arm without its number leaves the sum unknown, not smaller.
    total = studies["study_id"].map(sizes.sum().where(sizes.count() == sizes.size()))
    is_wrong = (studies["n_randomised"] != total).fillna(False)
    yield from _broken(
        evidence,
        "studies",
        is_wrong & studies["design"].isin(SPLIT_DESIGNS),
        "n_randomised",
        "its arms add up to {total}",
        "correct the study or its arms",
        total=total,
    )


def _sizes(evidence: Evidence) -> Iterator[Fault]:
    facts, studies = evidence.tables["study_facts"], evidence.tables["studies"]
    plain = facts[
        (evidence.text["study_facts"]["qualifier"] == "NA")
        & facts["preferred"].fillna(False).astype(bool)
        & is_given(evidence, "study_facts", "value")
    ]
    for column in SIZES:
        of_size = plain[plain["fact"] == column].drop_duplicates("study_id")
        stated = studies["study_id"].map(of_size.set_index("study_id")["value"])
        here = studies[column].astype("float64")
        yield from _broken(
            evidence,
            "studies",
            stated.notna() & (stated != here),
            column,
            "the preferred row of study_facts says {stated:g}",
            "make the two agree, or change which fact is preferred",
            stated=stated,
        )
        yield from _broken(
            evidence,
            "studies",
            here.notna() & ~studies["study_id"].isin(of_size["study_id"]),
            column,
            "no row of study_facts says where this number was read",
            f"add a study_facts row with fact {column}, or write NR",
        )


def _scales(evidence: Evidence) -> Iterator[Fault]:
    outcomes = evidence.tables["outcomes"].drop_duplicates("outcome_id").set_index("outcome_id")
    frame = evidence.tables["arm_stats"]
    # Of a table without rows, pandas with pyarrow makes texts, which no number can be under.
    low = frame["outcome_id"].map(outcomes["scale_min"]).astype("float64")
    high = frame["outcome_id"].map(outcomes["scale_max"]).astype("float64")
    is_level = frame["statistic_of"].isin(LEVELS)
    for column in ("mean", "median", "q1", "q3", "range_low", "range_high"):
        yield from _broken(
            evidence,
            "arm_stats",
            is_level & ((frame[column] < low) | (frame[column] > high)),
            column,
            "outside the scale {low:g} to {high:g}",
            "correct the value, or name the instrument it was measured with",
            low=low,
            high=high,
        )


def _preferred(evidence: Evidence) -> Iterator[Fault]:
    for name, key in FACT_KEYS.items():
        text = evidence.text[name]
        chosen = text[text["preferred"] == PREFERRED]
        for line in chosen.index[chosen.duplicated(key)]:
            same = (chosen[key] == chosen.loc[line, key]).all(axis=1)
            rule = f"line {same.idxmax()} states the same fact and is preferred too"
            remedy = "set one of the two to no, with the reason"
            yield fault_at(evidence, name, line, "preferred", rule, remedy)
        yield from _broken(
            evidence,
            name,
            (text["preferred"] == "no") & ~is_given(evidence, name, "preferred_reason"),
            "preferred_reason",
            "a row that is not preferred needs the reason",
            "say why in a few words",
        )


KINDS = {"integer": "a whole number", "number": "a number", "boolean": "yes or no"}
# What frictionless calls an error, the rule and the remedy.
ERRORS = {
    "type-error": ("is not {kind}", "type {kind}, or NR / NA / TODO"),
    "primary-key": ("key is given twice", "give every row its own key, or delete the copy"),
    "unique-error": ("value is given twice", "give every row its own value"),
}
CONSTRAINTS = {
    "required": "a value is required here",
    "enum": "is not one of the categories",
    "minimum": "is out of range",
    "maximum": "is out of range",
    "pattern": "does not match the pattern",
}
# The header is row 1 of frictionless.
FIRST_ROW = 2


def schema_faults(text: Mapping[str, pd.DataFrame], dictionary: Dictionary) -> list[Fault]:
    """Faults of types, categories, ranges, patterns and keys inside each table.

    Foreign keys are checked by ``link_faults``: frictionless opens every table again for each
    of them, which takes three times as long as everything else.
    """
    return [
        fault
        for table in dictionary.tables.values()
        for fault in _table_faults(table, text[table.name], dictionary)
    ]


def _table_faults(table: Table, text: pd.DataFrame, dictionary: Dictionary) -> Iterator[Fault]:
    if text.empty:
        return
    described = {str(field["name"]): field for field in table.fields}
    # Else a key given twice is told twice, as a key and as a value.
    limits = {
        k: v for k, v in described[table.key].get("constraints", {}).items() if k != "unique"
    }
    fields = {**described, table.key: {**described[table.key], "constraints": limits}}
    descriptor = {
        "fields": list(fields.values()),
        "primaryKey": [table.key],
        "missingValues": list(dictionary.missing),
    }
    rows = tuple(zip(*(text[name].tolist() for name in table.columns), strict=True))
    for error in _schema_errors(json.dumps(descriptor), rows):
        position = int(getattr(error, "row_number", FIRST_ROW)) - FIRST_ROW
        line = int(text.index[position])
        column = str(getattr(error, "field_name", "") or table.key)
        value = str(text[column].iloc[position])
        yield Fault(table.name, line, column, value, *_told(error, described[column]))


# Whoever adds a row has the whole folder judged before and after; most tables are the same then.
@lru_cache(maxsize=64)
def _schema_errors(descriptor: str, rows: tuple[tuple[str, ...], ...]) -> tuple[Any, ...]:
    """What frictionless finds in the rows of a table."""
    from frictionless import Resource

    schema = _schema(descriptor)
    table = [schema.field_names, *map(list, rows)]
    report = Resource(name="table", data=table, schema=schema).validate()
    return tuple(report.tasks[0].errors)


@cache
def _schema(descriptor: str) -> Any:
    from frictionless import Schema

    return Schema.from_descriptor(json.loads(descriptor))


def _told(error: Any, field: Mapping[str, Any]) -> tuple[str, str]:
    """Rule and remedy of one error of frictionless."""
    kind = KINDS.get(str(field["type"]), "text")
    if error.type in ERRORS:
        rule, remedy = ERRORS[error.type]
        return rule.format(kind=kind), remedy.format(kind=kind)
    broken = re.search(r'constraint "(\w+)"', str(error.note))
    name = broken.group(1) if broken else ""
    if name not in CONSTRAINTS:
        return f"{error.type}: {error.note}", "compare with datapackage.json"
    verb = "type" if name == "required" else "use"
    return CONSTRAINTS[name], f"{verb} {_allowed(kind, field.get('constraints', {}))}"


def _allowed(kind: str, constraints: Mapping[str, Any]) -> str:
    if "enum" in constraints:
        return "one of " + ", ".join(str(value) for value in constraints["enum"])
    words = {"minimum": "at least", "maximum": "at most", "pattern": "matching"}
    limits = [f"{said} {constraints[name]}" for name, said in words.items() if name in constraints]
    return " ".join([kind, *limits])


THE_ROW = 1
# A column that no table has.
ROW = "-"


def cell_check(dictionary: Dictionary, table: str, column: str, text: str) -> list[Fault]:
    """Faults of one cell by itself: blanks, types, categories, ranges, patterns."""
    whole = dictionary.tables[table]
    field = next(entry for entry in whole.fields if entry["name"] == column)
    # The checks ask for a key, and take a row that holds nothing else for a blank one.
    fields = ({"name": ROW, "type": "string", "constraints": {}}, {"constraints": {}, **field})
    alone = replace(whole, fields=fields, key=ROW, foreign_keys=())
    small = Dictionary({table: alone}, dictionary.missing)
    frames = {table: _frame(small, table, [{ROW: "this", column: text}])}
    return cell_faults(frames, small) or schema_faults(frames, small)


def row_check(dictionary: Dictionary, table: str, row: Mapping[str, str]) -> list[Fault]:
    """Faults of the cells of one row, and of the row: ends in order, decimals, p, pairs."""
    text = {
        name: _frame(dictionary, name, [row] if name == table else [])
        for name in dictionary.tables
    }
    tables = {
        name: typed(dictionary.tables[name], frame, dictionary) for name, frame in text.items()
    }
    return (
        cell_faults(text, dictionary)
        or schema_faults(text, dictionary)
        or row_faults(Evidence(tables, text, dictionary))
    )


def _frame(dictionary: Dictionary, table: str, rows: list[Mapping[str, str]]) -> pd.DataFrame:
    whole = dictionary.tables[table]
    cells = [[row[column] for column in whole.columns] for row in rows]
    return as_text(whole, cells, range(THE_ROW, THE_ROW + len(rows)))


def correction_faults(
    evidence: Evidence,
    *,
    checks: Collection[str],
    checked_tables: Collection[str],
    unread: Collection[str] = (),
) -> list[Fault]:
    """Entries of corrections.yml that do not belong to the tables."""
    return [
        fault
        for entry in evidence.corrections
        if entry.table not in unread
        for fault in _entry_faults(evidence, entry, checks, checked_tables)
    ]


def _entry_faults(
    evidence: Evidence,
    entry: Correction,
    checks: Collection[str],
    checked_tables: Collection[str],
) -> Iterator[Fault]:
    if entry.action != ACCEPT:
        remedy = (
            f"use {ACCEPT}; a wrong cell is corrected in its table, with a note there and a line "
            "in CHANGELOG.md"
        )
        yield entry.fault("action", "is no action", remedy)
    if entry.check not in checks:
        hint = did_you_mean(entry.check, checks, " ")
        yield entry.fault("check", "is no check", f"{hint}Use one of {', '.join(checks)}")
    if entry.table not in checked_tables:
        yield entry.fault("table", "is not checked", f"use one of {', '.join(checked_tables)}")
        return
    text = evidence.text[entry.table]
    rows = text[text[evidence.dictionary.tables[entry.table].key] == entry.row]
    if not len(rows):
        yield entry.fault("row", f"is no row of {entry.table}", "correct it, or delete the entry")
        return
    if GUARDED in rows.columns and rows[GUARDED].iloc[0] != entry.expect:
        rule = f"is not what the row says now ({rows[GUARDED].iloc[0]!r})"
        yield entry.fault("expect", rule, "look at the row again, then quote it")
    address = entry.table, entry.row, entry.check
    same = next(c for c in evidence.corrections if (c.table, c.row, c.check) == address)
    if same is not entry:
        yield entry.fault("row", f"has an entry at line {same.line}", "delete one of the two")


# -- slips of the hand: what is typed is held against what else is on file ---------------------

# Where the number of a cell must stand in what the row says is printed.
TYPED = {
    "arm_stats": (
        *(name for name in VALUES["arm_stats"] if name != "n"),
        *("unlabelled_spread", "q1", "q3", "range_low", "range_high"),
    ),
    "arm_events": ("events", "percent"),
    "contrasts": (*VALUES["contrasts"], "statistic", "p_value"),
    "study_facts": VALUES["study_facts"],
    "claims": ("estimate", "ci_low", "ci_high", "p_value"),
}
PEOPLE = {"arm_stats": {"n": "arm_id"}, "arm_events": {"n": "arm_id"}}
PEOPLE["contrasts"] = {"n_1": "arm_1", "n_2": "arm_2"}
DIGITS = re.compile(
    r"(?<![\d.])((?<![\w)\]%.])-)?"
    r"(\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?(?![\d,])|\d+(?:[.,]\d+)?|\.\d+)"
)
# What a row says after this word is how a number was made that nobody printed.
COMPUTED = re.compile(r"\bcomputed\b:?(.*)", re.IGNORECASE | re.DOTALL)
# A change printed by its size: the word beside it has the sign.
DOWN = re.compile(
    r"\b(?:reduction|decrease|improve\w+|less|fewer|above|without a sign|stored (?:as )?"
    r"(?:a )?negative)\b"
)
UNITS = (
    *("no", "none", "single", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
WORDS = {"one": 1, "i": 1, "ii": 2, "iii": 3, "iv": 4, "nobody": 0, "never": 0} | {
    word: max(place - 1, 0) for place, word in enumerate(UNITS)
}
TENS = {
    word: 10 * place
    for place, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
THOUSANDTH = re.compile(r"\b(?:ug|mcg|micrograms?|gg)\b")


@lru_cache(maxsize=4096)
def numbers_in(text: str) -> tuple[Decimal, ...]:
    """Every number of a text, with its sign, in digits or in words."""
    plain = text.translate(_DASHES)
    found = []
    for sign, digits in DIGITS.findall(plain):
        parts = re.split(r"[, ]", digits)
        grouped = len(parts) > 1 and all(len(part.split(".")[0]) == 3 for part in parts[1:])
        number = "".join(parts) if grouped else digits.replace(",", ".")
        found.append(Decimal(sign + number))
        found += [Decimal(part) for part in parts] if len(parts) > 1 else []
    ten = 0
    for word in re.findall(r"[a-z]+", plain.lower()):
        if word in TENS:
            ten = TENS[word]
            found.append(Decimal(ten))
        elif word in WORDS:
            found.append(Decimal(ten + WORDS[word]))
            ten = 0
        else:
            ten = 0
    return tuple(found)


_DASHES = str.maketrans({"\u2212": "-", "\u2013": "-", "\u00b7": "."})


def _told_by(row: Mapping[str, str]) -> tuple[Decimal, ...]:
    """Numbers that a row says are printed, and those it says are computed."""
    made = COMPUTED.search(row["note"])
    return numbers_in(row["as_reported"]) + (numbers_in(made.group(1)) if made else ())


class _Cells:
    """The rows of every table by line, as text, and what is given of them."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.missing = {*evidence.dictionary.missing, ""}
        self.rows = {
            name: list(zip(frame.index.tolist(), as_records(frame), strict=True))
            for name, frame in evidence.text.items()
        }
        keys = {name: table.key for name, table in evidence.dictionary.tables.items()}
        self.by_key = {
            name: {row[keys[name]]: row for _, row in rows} for name, rows in self.rows.items()
        }
        self.facts: dict[str, list[dict[str, str]]] = {}
        for _, row in self.rows["study_facts"]:
            self.facts.setdefault(row["study_id"], []).append(row)

    def number(self, row: Mapping[str, str], column: str) -> Decimal | None:
        cell = row[column]
        return None if cell in self.missing else Decimal(cell)

    def of_facts(self, study_id: str, *kinds: str) -> Iterator[tuple[Decimal, str]]:
        """Numbers of the facts of these kinds about a study, with their units."""
        for row in self.facts.get(study_id, ()):
            if row["fact"].startswith(kinds):
                for column in VALUES["study_facts"]:
                    value = self.number(row, column)
                    if value is not None:
                        yield value, row["unit"]


Slips: TypeAlias = Iterator[tuple[str, int, str, str, str]]


def _as_printed(cells: _Cells) -> Slips:
    """Numbers that do not stand in the words of their row, with sign and digits."""
    for table, columns in TYPED.items():
        for line, row in cells.rows[table]:
            if table == "claims" and row["as_reported"] in cells.missing:
                continue
            told, words = _told_by(row), f"{row['as_reported']} {row['note']}"
            if THOUSANDTH.search(row["as_reported"]):
                told += tuple(number / 1000 for number in told)
            for column in columns:
                value = cells.number(row, column)
                if value is None or value in told:
                    continue
                remedy = "correct the cell or as_reported, or say in note 'computed: ...'"
                if -value not in told:
                    rule = f"does not stand in as_reported ({row['as_reported']})"
                    yield table, line, column, rule, remedy
                elif column == "p_value" or value > 0 or not DOWN.search(words):
                    rule = f"has another sign in as_reported ({row['as_reported']})"
                    yield table, line, column, rule, remedy


def _events_apart(cells: _Cells) -> Slips:
    """Events that are the number of people, where that number is printed once."""
    for line, row in cells.rows["arm_events"]:
        told = [n for n in numbers_in(row["as_reported"]) if n == n.to_integral_value()]
        events, n = cells.number(row, "events"), cells.number(row, "n")
        others = [number for number in told if number < (n or 0)]
        if events is not None and events == n and told.count(events) == 1 and others:
            rule = f"is the number of people, which as_reported has once ({row['as_reported']})"
            yield "arm_events", line, "events", rule, "correct the cell"


def _people(cells: _Cells) -> Slips:
    """Sizes that neither the row, nor its arm, nor a fact of the study states."""
    for table, columns in PEOPLE.items():
        for line, row in cells.rows[table]:
            study, found = cells.by_key["studies"][row["study_id"]], {}
            told = _told_by(row)
            stated = {value for value, _ in cells.of_facts(row["study_id"], "n_", "pairs")}
            if study["design"] not in SPLIT_DESIGNS:
                stated |= {n for name in SIZES if (n := cells.number(study, name)) is not None}
            for column, arm in columns.items():
                own = cells.by_key["arms"].get(row[arm], {})
                sizes = {n for name in SIZES[1:] if own and (n := cells.number(own, name))}
                value = cells.number(row, column)
                found[column] = value, sizes
                if value is not None and value not in {*told, *sizes, *stated}:
                    rule = f"is no size of {row[arm]}, nor in as_reported ({row['as_reported']})"
                    remedy = "correct it, or give the arm or a fact this size"
                    yield table, line, column, rule, remedy
            if len(found) == 2:
                (one, first), (two, second) = found.values()
                if one in second - first and two in first - second:
                    rule = "is the size of the other arm, and n_2 of this one"
                    yield table, line, "n_1", rule, "swap the two"


# Differences on the scale itself, which cannot be longer than the scale.
ON_SCALE = ("MD", "median difference")


def _spans(cells: _Cells) -> Slips:
    """Differences longer than the scale, spreads over half of it, shares over the whole."""
    for table, columns in (("contrasts", VALUES["contrasts"]), ("arm_stats", TYPED["arm_stats"])):
        for line, row in cells.rows[table]:
            outcome = cells.by_key["outcomes"][row["outcome_id"]]
            low, high = (cells.number(outcome, f"scale_{end}") for end in ("min", "max"))
            kind = row["measure"] if table == "contrasts" else row["statistic_of"]
            if kind in ("percent point difference", "relative reduction"):
                low, high = Decimal(0), Decimal(100)
            elif kind not in (*ON_SCALE, *LEVELS, "change"):
                continue
            if low is None or high is None:
                continue
            span = high - low
            for column in columns:
                value = cells.number(row, column)
                is_spread = column in ("sd", "se", "unlabelled_spread")
                limit = span / 2 if is_spread and kind in LEVELS else span
                if value is not None and abs(value) > limit and (is_spread or kind not in LEVELS):
                    rule = f"is more than the scale of {low} to {high} has room for ({limit})"
                    yield table, line, column, rule, "correct the value, or name its instrument"
    for line, row in cells.rows["outcomes"]:
        ends = [cells.number(row, f"scale_{end}") for end in ("min", "max")]
        told = re.search(r"\((-?\d+)-(\d+)\)", row["unit"])
        if told and None not in ends:
            for end, said, stands in zip(("min", "max"), told.groups(), ends, strict=True):
                if Decimal(said) != stands:
                    rule = f"is not what the unit says ({row['unit']})"
                    yield "outcomes", line, f"scale_{end}", rule, "make the two agree"


# Weeks of a unit; a month is a twelfth of 52 weeks.
WEEKS = {
    "days": Fraction(1, 7),
    "weeks": Fraction(1),
    "months": Fraction(13, 3),
    "years": Fraction(52),
}


def _weeks(cells: _Cells, study_id: str, *facts: str) -> set[float]:
    return {
        round(float(Fraction(value) * weeks), 1)
        for value, unit in cells.of_facts(study_id, *facts)
        for name, weeks in WEEKS.items()
        if unit.startswith(name[:-1])
    }


def _times(cells: _Cells) -> Slips:
    """Moments after the end of their study, or that no fact of it names; durations, years."""
    for table in VALUE_TABLES:
        for line, row in cells.rows[table]:
            at = cells.number(row, "timepoint_weeks")
            length = cells.number(cells.by_key["studies"][row["study_id"]], "duration_weeks")
            if at is None or length is None or at in (0, length):
                continue
            named = _weeks(cells, row["study_id"], "timing", "followed_after", "duration")
            words = numbers_in(f"{row['timepoint']} {row['locator']} {row['as_reported']}")
            named |= {float(n) for n in words} | {round(float(n) * 13 / 3, 1) for n in words}
            named |= {float(length) + week for week in named}
            after = at > length and row["timepoint"] in cells.missing
            if after or round(float(at), 1) not in named:
                rule = f"is not the end of the study ({length}), nor a moment on file"
                remedy = "type weeks, or name the moment in timepoint or in a fact (timing)"
                yield table, line, "timepoint_weeks", rule, remedy
    for line, row in cells.rows["studies"]:
        length, study_id = cells.number(row, "duration_weeks"), row["study_id"]
        stated = _weeks(cells, study_id, "duration")
        if length is not None and stated and round(float(length), 1) not in stated:
            rule = "is no duration that a fact of this study states, in weeks"
            yield "studies", line, "duration_weeks", rule, "make the two agree"
        year = cells.by_key["sources"][row["source_id"]]["year"]
        # A review tells of older studies.
        if not {row["year"], year} & cells.missing and int(row["year"]) > int(year):
            rule = f"is after its source ({row['source_id']}: {year})"
            yield "studies", line, "year", rule, "correct one of the two"


def _doses(cells: _Cells) -> Slips:
    """Doses in no text, arm or fact of their study."""
    treatments: dict[str, list[str]] = {}
    for _, arm in cells.rows["arms"]:
        treatments.setdefault(arm["study_id"], []).append(arm["treatment"])
    for line, row in cells.rows["studies"]:
        text = " | ".join([row["intervention"], *treatments.get(row["study_id"], ())])
        made = COMPUTED.search(row["note"])
        told = {*numbers_in(text), *(numbers_in(made.group(1)) if made else ())}
        told |= {value for value, _ in cells.of_facts(row["study_id"], "dose")}
        for column in ("dose_low_mg_per_day", "dose_high_mg_per_day"):
            dose = cells.number(row, column)
            if dose is not None and dose not in told:
                rule = "stands in no text, arm or fact (dose) of this study"
                remedy = "type mg a day, or add the fact, or say in note 'computed: ...'"
                yield "studies", line, column, rule, remedy


RATIOS = ("RR", "OR", "HR", "IRR", "ROM")
AWAY = ("favours treatment", "favours comparator")


def _directions(cells: _Cells) -> Slips:
    """Words that say the opposite of the number, and signs that do not suit their domain."""
    for line, row in cells.rows["contrasts"]:
        estimate, measure = cells.number(row, "estimate"), row["measure"]
        sign = cells.by_key["outcomes"][row["outcome_id"]]["benefit_sign"]
        if estimate is None or row["direction"] not in AWAY:
            continue
        if sign in cells.missing:
            rule = f"says whom a difference favours, and {row['outcome_id']} has no benefit_sign"
            yield "contrasts", line, "direction", rule, "type 1 (more is better) or -1 there"
            continue
        size = estimate - 1 if measure in RATIOS else estimate
        # A reduction has its direction in its name.
        gain = size if measure in ("relative reduction", "NNT") else size * int(sign)
        if gain and (gain > 0) != (row["direction"] == AWAY[0]):
            rule = f"does not fit the estimate ({estimate}) of an outcome with benefit_sign {sign}"
            remedy = "correct the sign, the direction or the outcome"
            yield "contrasts", line, "direction", rule, remedy
    twice: dict[str, dict[str, str]] = {}
    for line, row in cells.rows["outcomes"]:
        first = twice.setdefault(row["construct"], row)
        for column in ("benefit_sign", "domain", "construct_label"):
            if row[column] != first[column] and not {row[column], first[column]} & cells.missing:
                rule = f"differs from {first['outcome_id']}, of the same construct"
                yield "outcomes", line, column, f"{rule} ({first[column]})", "make the two agree"


OF_KIND = {
    "binary": ("RR", "OR", "RD", "HR", "IRR", "NNT"),
    "continuous": ("MD", "SMD", "median difference", "percent change", "ROM"),
}
# Kinds and units that say the same.
UNIT_OF = {"binary": ("people",), "count": ("events",)}


def _kinds(cells: _Cells) -> Slips:
    """Measures of another kind of outcome; kinds that do not fit unit, scale or table."""
    kinds = {key: row["kind"] for key, row in cells.by_key["outcomes"].items()}
    for line, row in cells.rows["contrasts"]:
        kind = kinds[row["outcome_id"]]
        own = next((name for name, of in OF_KIND.items() if row["measure"] in of), kind)
        if own != kind and (own, kind) != ("binary", "count"):
            rule = f"is a measure of {own} outcomes, and {row['outcome_id']} is {kind}"
            yield "contrasts", line, "measure", rule, "correct the measure or the outcome"
    for table, fitting in (("arm_stats", ("continuous",)), ("arm_events", ("binary", "count"))):
        for line, row in cells.rows[table]:
            if kinds[row["outcome_id"]] not in fitting:
                rule = f"is {kinds[row['outcome_id']]}, and this table is of {fitting[0]} outcomes"
                yield table, line, "outcome_id", rule, "correct the outcome or its kind"
    for line, row in cells.rows["outcomes"]:
        units = UNIT_OF.get(row["kind"])
        others = [unit for kind, of in UNIT_OF.items() if kind != row["kind"] for unit in of]
        fits = row["unit"] in units if units else row["unit"] not in others
        if not fits and row["kind"] != "other":
            rule = f"does not fit the unit ({row['unit']})"
            yield "outcomes", line, "kind", rule, "make the two agree"


def _designs(cells: _Cells) -> Slips:
    """Comparisons that cannot be paired in their design, or must be."""
    paired: dict[str, set[str]] = {}
    for line, row in cells.rows["contrasts"]:
        if row["arm_2"] in cells.missing:
            continue
        design = cells.by_key["studies"][row["study_id"]]["design"]
        if row["is_paired"] == "yes" and design in SPLIT_DESIGNS:
            rule = f"other people are in each arm of a study of design {design}"
            yield "contrasts", line, "is_paired", rule, "correct the design or the cell"
        paired.setdefault(row["study_id"], set()).add(row["is_paired"])
    for line, row in cells.rows["studies"]:
        if row["design"] in CROSSED and paired.get(row["study_id"]) == {"no"}:
            rule = "the same people are in every arm, and no comparison is paired"
            yield "studies", line, "design", rule, "correct the design, or is_paired in contrasts"


CROSSED = ("crossover", "fixed-order crossover")


def _once(cells: _Cells) -> Slips:
    """Studies, sources and results that are on file twice under two keys."""
    studies: dict[str, list[dict[str, str]]] = {}
    for line, row in cells.rows["studies"]:
        others = studies.setdefault(row["registry_id"], [])
        for other in others if row["registry_id"] not in cells.missing else ():
            pair = {row["study_id"], other["study_id"]}
            of_one = row["overlaps_with"] == other["overlaps_with"] not in cells.missing
            if not of_one and not pair & {row["overlaps_with"], other["overlaps_with"]}:
                rule = f"is the registry number of {other['study_id']} too: one trial, one study"
                remedy = "delete one, or say in overlaps_with that one is part of the other"
                yield "studies", line, "registry_id", rule, remedy
        others.append(row)
    for column in ("doi", "pmid", "pmcid"):
        first: dict[str, str] = {}
        for line, row in cells.rows["sources"]:
            known = first.setdefault(row[column].lower(), row["source_id"])
            if known != row["source_id"] and row[column] not in cells.missing:
                rule = f"is the {column} of {known} too"
                yield "sources", line, column, rule, "correct one, or keep one source"
    beside = ("timepoint_weeks", "timepoint", "analysis_set", "preferred_reason", "note")
    for table in VALUE_TABLES:
        key = cells.evidence.dictionary.tables[table].key
        seen: dict[tuple[str, ...], str] = {}
        for line, row in cells.rows[table]:
            if not any(cells.number(row, name) is not None for name in VALUES[table]):
                continue
            told = tuple(cell for name, cell in row.items() if name not in (key, *beside))
            known = seen.setdefault(told, row[key])
            if known != row[key] and row["preferred"] == PREFERRED:
                rule = f"the same numbers from the same place as {known}, as another result"
                yield table, line, key, rule, "delete one of the two"


def _conditions(cells: _Cells) -> Slips:
    """Main outcomes and comparators of conditions that none of its studies has."""
    constructs = [row["construct"] for _, row in cells.rows["outcomes"]]
    for line, row in cells.rows["indications"]:
        if row["main_construct"] not in constructs:
            hint = did_you_mean(row["main_construct"], constructs, " Else ")
            rule = "is no construct of outcomes.csv"
            yield "indications", line, "main_construct", rule, f"{hint}add the outcome"
        classes = [
            study["comparator_class"]
            for _, study in cells.rows["studies"]
            if study["indication_id"] == row["indication_id"]
            and study["eligible_for"] == "contrast"
        ]
        if classes and row["main_comparator"] not in classes:
            hint = did_you_mean(row["main_comparator"], classes, " Else ")
            rule = "is the comparator of no study that is compared here"
            told = ", ".join(sorted(set(classes)))
            yield "indications", line, "main_comparator", rule, f"{hint}use one of {told}"


PRINTED = "number as printed"
SLIPS: dict[str, Callable[[_Cells], Slips]] = {
    PRINTED: _as_printed,
    "events apart from people": _events_apart,
    "size on file": _people,
    "inside the span": _spans,
    "moment of the study": _times,
    "dose on file": _doses,
    "direction and sign": _directions,
    "measure of the outcome": _kinds,
    "design and pairs": _designs,
    "on file once": _once,
    "outcome of the condition": _conditions,
}


def _says(entry: Correction, evidence: Evidence, line: int, column: str) -> bool:
    """Whether the reason has the number that is accepted: others of its row are none of it."""
    (value,) = numbers_in(str(evidence.text[entry.table].loc[line, column]))
    return abs(value) in map(abs, numbers_in(entry.reason))


def slip_faults(evidence: Evidence) -> list[Fault]:
    """What is typed and does not fit what else is on file, unless corrections.yml accepts it.

    Asked of tables in which all else is in order: a missing row would make slips of its links.
    """
    cells = _Cells(evidence)
    accepted = {(c.table, c.row, c.check): c for c in evidence.corrections if c.check in SLIPS}
    found, needed = [], set()
    for check, ask in SLIPS.items():
        for table, line, column, rule, remedy in ask(cells):
            key = str(evidence.text[table].loc[line, evidence.dictionary.tables[table].key])
            needed.add((table, key, check))
            entry = accepted.get((table, key, check))
            if entry is None or (check == PRINTED and not _says(entry, evidence, line, column)):
                remedy = f"{remedy}, or accept it in corrections.yml ({check})"
                found.append(fault_at(evidence, table, line, column, rule, remedy))
    return found + [
        entry.fault("check", "accepts what is consistent", "delete the entry")
        for address, entry in accepted.items()
        if address not in needed
    ]
