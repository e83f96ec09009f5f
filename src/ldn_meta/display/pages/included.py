"""Page 10: which studies were found, and what each may be used for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from ldn_meta.display.figures.bias import who_judged
from ldn_meta.display.outputs import Facts, Table, Text, rows_of, source_cell
from ldn_meta.display.pages.page import Opened, conflict_table, open_page
from ldn_meta.display.words import agree, capitalised, count
from ldn_meta.evidence.audit.consistency import UNUSED, roles_of_rows
from ldn_meta.evidence.effects.effects import used_rows
from ldn_meta.evidence.grade.bias import RANDOMISED, bias_reasons
from ldn_meta.evidence.raw.bias_tools import OVERALL, TOOLS
from ldn_meta.evidence.raw.tables import VALUE_TABLES, short_citation
from ldn_meta.files import MISSING, TO_DO
from ldn_meta.stats.consistency import INCONSISTENT, NOT_CHECKABLE

if TYPE_CHECKING:
    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.derived import Derived
    from ldn_meta.evidence.raw.tables import Evidence


TRIAL_TOOLS = [tool.name for tool in TOOLS.values() if tool.family == RANDOMISED]


def bias_table(opened: Opened) -> Table:
    """One row a study and domain: judgement, reason, who judged, where it was read."""
    return judgements_table(opened.derived.evidence, _rows(opened))


def judgements_table(evidence: Evidence, rows: pd.DataFrame) -> Table:
    """Write judgements for readers, of one indication or one study."""
    import pandas as pd

    frame = pd.DataFrame(
        {
            "study": rows["study_label"],
            "tool": rows["tool"],
            "domain": [
                capitalised(domain) if domain == OVERALL else f"{head} {domain}"
                for head, domain in zip(rows["head"], rows["domain"], strict=True)
            ],
            "judgement": rows["judgement"],
            "reason": _with_notes(rows),
            "judged by": rows["judged_by"],
            "source": [
                source_cell(evidence, row["source_id"], row["locator"], row["read_from"])
                for row in rows_of(rows)
            ],
        }
    )
    return Table(
        frame,
        "Risk of bias, domain by domain",
        "In brackets: the signalling question of RoB 2 that decides, and the answer. The overall "
        "judgement is never better than the worst domain. How the tools were chosen and what "
        "stands for missing information: docs/decisions.md.",
        empty="No eligible study.",
    )


def traffic_light_figure(opened: Opened) -> FigureOutput:
    """Draw every judgement of the indication, a block a tool."""
    from ldn_meta.display.figures.bias import traffic_light_output

    title = f"{capitalised(opened.label)}: risk of bias"
    return traffic_light_output("risk_of_bias", _rows(opened), title=title)


def bias_summary_figure(opened: Opened) -> FigureOutput:
    """Draw how much of the trials of the indication was judged how, domain by domain."""
    from ldn_meta.display.figures.bias import bias_summary_output

    title = f"{capitalised(opened.label)}: risk of bias of trials"
    return bias_summary_output("risk_of_bias_summary", _rows(opened), title=title)


def bias_counts(opened: Opened) -> dict[str, Any]:
    """Count overall judgements: the facts behind ``bias_sentence``."""
    rows = _rows(opened)
    overall = rows[rows["domain"] == OVERALL]
    judged = overall[overall["judgement"] != TO_DO]
    trials = judged[judged["tool"].isin(TRIAL_TOOLS)]
    ranks = TOOLS[RANDOMISED].ranks
    return {
        "trials": len(trials),
        **{word: int((trials["judgement"] == word).sum()) for word in ranks},
        "other_comparisons": int((judged["tool"] == "ROBINS-I").sum()),
        "without_comparison": int(judged["tool"].str.startswith("JBI").sum()),
        "not_judged": len(overall) - len(judged),
    }


def bias_sentence(opened: Opened) -> Text:
    """Say how the studies were judged, and by whom; every number is in ``bias_counts``."""
    c, ranks = bias_counts(opened), TOOLS[RANDOMISED].ranks
    parts = []
    if c["trials"]:
        found = [f"{word} in {count(c[word], 'trial')}" for word in ranks if c[word]]
        said = ", ".join(found) if c["trials"] > 1 else next(word for word in ranks if c[word])
        parts.append(f"Risk of bias of {count(c['trials'], 'trial')} judged with RoB 2: {said}.")
    else:
        parts.append("There is no trial whose risk of bias could be judged with RoB 2.")
    if c["other_comparisons"]:
        number = capitalised(count(c["other_comparisons"], "comparison"))
        verb = "was" if c["other_comparisons"] == 1 else "were"
        parts.append(f"{number} that {verb} not randomised {verb} judged with ROBINS-I.")
    if c["without_comparison"]:
        number = capitalised(count(c["without_comparison"], "study", plural="studies"))
        parts.append(
            f"{number} without a comparison went through a checklist, which cannot make an "
            "effect credible."
        )
    if c["not_judged"]:
        number = capitalised(count(c["not_judged"], "study", plural="studies"))
        parts.append(f"{number} nobody has judged yet.")
    parts.append(who_judged(_rows(opened)["judged_by"]))
    return Text(" ".join(part for part in parts if part))


def _rows(opened: Opened) -> pd.DataFrame:
    return bias_reasons(opened.derived.evidence)


def _with_notes(rows: pd.DataFrame) -> list[str]:
    return [
        reason if note in MISSING else f"{reason}; note: {note}"
        for reason, note in zip(rows["reason"], rows["note"], strict=True)
    ]


SEVERITIES = ("high", "medium", "low")
SOURCES = "source against source"
COLUMN_OF_SOURCE = {"claims": "claimed_in"}
NOTE = (
    "Recomputed: from what else is printed, with all that rounding allows; a number is called "
    "inconsistent only if no numbers that print as given fit together. Severity: high if the "
    "number is behind an effect or told as a result of a comparison, or if a conclusion turns; "
    "low if it is only unlikely or not used. A finding is about print, not about people: it says "
    "that two numbers do not fit, not which is wrong nor why."
)
NO_FINDING = "None: every number that could be checked fits what else is printed."


def consistency_table(opened: Opened) -> Table:
    """Printed numbers of one indication that do not fit each other."""
    return findings_table(
        opened.derived,
        inconsistent(opened.derived.consistency),
        caption="Printed numbers that do not fit each other",
    )


def inconsistent(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of `consistency.csv` that are inconsistent, the gravest first."""
    found = frame[frame["verdict"] == INCONSISTENT]
    order = found["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    return found.assign(order=order).sort_values(
        ["order", "study_id", "table", "row_id", "check"], kind="stable", ignore_index=True
    )


def findings_table(derived: Derived, found: pd.DataFrame, *, caption: str) -> Table:
    """Show findings with what they mean, whether they enter a result, and their source."""
    if found.empty:
        return Table(pd.DataFrame(), caption, NOTE, NO_FINDING)
    roles = roles_of_rows(derived.evidence, derived.effects, derived.left_out)
    rows = []
    for finding in rows_of(found):
        raw = _raw(derived, finding)
        rows.append(
            {
                "study": _study(derived, raw),
                "result": _result(derived, finding["table"], raw),
                "check": finding["check"],
                "printed": finding["printed"],
                "recomputed": finding["recomputed"],
                "what it means": finding["explanation"],
                "severity": finding["severity"],
                "enters": roles.get(f"{finding['table']}:{finding['row_id']}", UNUSED),
                "it stands, because": _why(derived, finding, raw),
                "source": _source(derived, finding["table"], raw),
            }
        )
    return Table(pd.DataFrame(rows), caption, NOTE, NO_FINDING)


def undecided_table(derived: Derived) -> Table:
    """Show what a reader would expect to be checked and cannot be."""
    found = derived.consistency[derived.consistency["verdict"] == NOT_CHECKABLE]
    rows = []
    for finding in rows_of(found):
        raw = _raw(derived, finding)
        rows.append(
            {
                "study": _study(derived, raw),
                "result": _result(derived, finding["table"], raw),
                "check": finding["check"],
                "printed": finding["printed"],
                "why it cannot be decided": finding["explanation"],
                "source": _source(derived, finding["table"], raw),
            }
        )
    return Table(pd.DataFrame(rows), "Cannot be checked with what is printed")


def _raw(derived: Derived, finding: dict[str, Any]) -> dict[str, Any]:
    """The row of data/raw that a finding is about, as typed."""
    table = str(finding["table"])
    text = derived.evidence.text[table]
    key = derived.evidence.dictionary.tables[table].key
    return rows_of(text[text[key] == finding["row_id"]])[0]


def _study(derived: Derived, raw: dict[str, Any]) -> str:
    studies = derived.evidence.text["studies"]
    found = studies[studies["study_id"] == raw["study_id"]]
    if len(found):
        return str(found["label"].iloc[0])
    sources = derived.evidence.text["sources"]
    return short_citation(sources[sources["source_id"] == raw["claimed_in"]].iloc[0])


def _result(derived: Derived, table: str, raw: dict[str, Any]) -> str:
    """What a row is about, for readers."""
    if table == "claims":
        return f"pooled by the review: {raw['construct'].replace('_', ' ')}"
    if table == "study_facts":
        qualifier = "" if raw["qualifier"] == "NA" else f", {raw['qualifier']}"
        return f"{raw['fact'].replace('_', ' ')}{qualifier}"
    if "outcome_id" not in raw:
        return table
    evidence = derived.evidence
    labels = evidence.text["outcomes"].set_index("outcome_id")["construct_label"]
    arms = evidence.text["arms"].set_index("arm_id")["label"]
    arm = f", {arms[raw['arm_id']]}" if "arm_id" in raw else ""
    return f"{labels[raw['outcome_id']]}{arm}"


def _why(derived: Derived, finding: dict[str, Any], raw: dict[str, Any]) -> str:
    """Why a number stands as printed: the entry that accepts it, or that another is used."""
    for entry in derived.evidence.corrections:
        address = (entry.table, entry.row, entry.check)
        if address == (finding["table"], finding["row_id"], finding["check"]):
            return entry.reason
    if raw.get("preferred") == "no":
        return f"another row is used: {raw['preferred_reason']}"
    return "a conclusion of others; it enters no result" if finding["table"] == "claims" else "NA"


def _source(derived: Derived, table: str, raw: dict[str, Any]) -> str:
    source = raw[COLUMN_OF_SOURCE.get(table, "source_id")]
    place = str(raw.get("locator", table)), str(raw.get("read_from", "studies table"))
    return source_cell(derived.evidence, str(source), *place)


NOTEBOOK = "10_included_trials"
USES = ("contrast", "single-arm", "excluded")


class IncludedPage:
    """Studies, flow, sources and conflicts of one indication."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self._studies = opened.derived.evidence.text["studies"]

    @cached_property
    def counts(self) -> dict[str, Any]:
        """Numbers of studies and rows on their way from records to pools."""
        effects = self.opened.derived.effects
        studies = self._studies
        pools = self.opened.pools
        pooled = {s for p in pools if len(p.trials) > 1 for s in p.trials["study_id"]}
        alone = {s for p in pools for s in p.trials["study_id"]} - pooled
        contrast = studies[studies["eligible_for"] == "contrast"]
        reasons = studies.loc[studies["eligible_for"] == "excluded", "eligibility_reason"]
        rows = sum(len(self.opened.derived.evidence.tables[name]) for name in VALUE_TABLES)
        return {
            "sources": self._source_count(),
            "studies": len(studies),
            "contrast": len(contrast),
            "single_arm": int((studies["eligible_for"] == "single-arm").sum()),
            "excluded": int((studies["eligible_for"] == "excluded").sum()),
            "excluded_reasons": reasons.value_counts(sort=False).to_dict(),
            "in_a_pool": len(pooled),
            "single_trial": len(alone),
            "narrative": len(set(contrast["study_id"]) - pooled - alone),
            "value_rows": rows,
            "rows_used": len(used_rows(effects)) if len(effects) else 0,
            "rows_left_out": len(self.opened.derived.left_out),
        }

    def _source_count(self) -> int:
        evidence = self.opened.derived.evidence
        read = set(self._studies["source_id"])
        for name in (*VALUE_TABLES, "study_facts"):
            read |= set(evidence.text[name]["source_id"])
        return len(read)

    @property
    def headline(self) -> Text:
        """Indication and counts in one sentence."""
        c = self.counts
        return Text(
            f"**{capitalised(self.opened.label)}**: "
            f"{count(c['studies'], 'study', plural='studies')} on file, "
            f"read in {count(c['sources'], 'source')}; "
            f"{agree(c['contrast'], 'compares', 'compare')} LDN with something, "
            f"{agree(c['single_arm'], 'is', 'are')} without a comparison group, "
            f"{agree(c['excluded'], 'is', 'are')} set aside. Of "
            f"{count(c['value_rows'], 'row')} of results "
            f"{agree(c['rows_used'], 'stands', 'stand')} behind an effect, a change or "
            "a share of one arm; "
            f"{agree(c['rows_left_out'], 'is', 'are')} left out, each with a reason."
        )

    @property
    def studies(self) -> Table:
        """One row a study."""
        import pandas as pd

        s = self._studies
        order = {use: place for place, use in enumerate(USES)}
        s = s.assign(place=s["eligible_for"].map(order)).sort_values(
            ["place", "year", "study_id"], kind="stable"
        )
        dose = [
            _range(low, high)
            for low, high in zip(s["dose_low_mg_per_day"], s["dose_high_mg_per_day"], strict=True)
        ]
        frame = pd.DataFrame(
            {
                "study": s["label"],
                "design": s["design"] + ", " + s["blinding"],
                "enrolled / randomised / analysed": s["n_enrolled"]
                + " / "
                + s["n_randomised"]
                + " / "
                + s["n_analysed"],
                "LDN, mg a day": dose,
                "weeks": s["duration_weeks"],
                "comparator": s["comparator"],
                "used for": s["eligible_for"],
                "because": s["eligibility_reason"],
            }
        )
        return Table(
            frame, "Studies on file", "NR not reported in what could be read; NA not applicable."
        )

    @property
    def flow(self) -> FigureOutput:
        """From records to pools."""
        from ldn_meta.display.figures.study_flow import study_flow_output

        return study_flow_output(self.counts, indication_label=self.opened.label)

    @property
    def reading(self) -> Table:
        """How close to the papers the numbers were read."""
        import pandas as pd

        evidence = self.opened.derived.evidence
        effects = self.opened.derived.effects
        used = used_rows(effects) if len(effects) else set()
        chosen = effects[effects["is_selected"].astype(bool)] if len(effects) else effects
        main = used_rows(chosen) if len(chosen) else set()
        parts = []
        for name in VALUE_TABLES:
            rows = evidence.text[name]
            address = name + ":" + rows["row_id"]
            parts.append(
                pd.DataFrame(
                    {
                        "read_from": rows["read_from"],
                        "on file": 1,
                        "behind an effect": address.isin(used).astype(int),
                        "behind a main result": address.isin(main).astype(int),
                    }
                )
            )
        table = pd.concat(parts).groupby("read_from").sum()
        order = [t for t in self.opened.protocol.selection.read_from if t in table.index]
        frame = table.loc[order].reset_index().rename(columns={"read_from": "read in"})
        return Table(
            frame,
            "Where the rows of results were read",
            "Transcription: a third party's public data file that cites tables of the "
            "papers; the tables themselves were not seen.",
        )

    @property
    def conflicts(self) -> Table:
        """Facts that sources state differently, which one is used, and the answer with each."""
        return conflict_table(self.opened)

    @property
    def consistency(self) -> Table:
        """Printed numbers that do not fit each other."""
        return consistency_table(self.opened)

    @property
    def traffic_light(self) -> FigureOutput:
        """Risk of bias, study by study."""
        return traffic_light_figure(self.opened)

    @property
    def bias_summary(self) -> FigureOutput:
        """Risk of bias of the trials, domain by domain."""
        return bias_summary_figure(self.opened)

    @property
    def bias_sentence(self) -> Text:
        """How the studies were judged, in words."""
        return bias_sentence(self.opened)

    @property
    def bias(self) -> Table:
        """Every judgement with its reason and source."""
        return bias_table(self.opened)

    @property
    def left_out(self) -> Table:
        """Every row without an effect."""
        return self.opened.left_out(caption="Rows of results that gave no effect")

    @property
    def facts(self) -> Facts:
        """Counts behind the headline."""
        return self.opened.facts(
            headline=str(self.headline),
            **self.counts,
            risk_of_bias=bias_counts(self.opened),
            risk_of_bias_sentence=str(self.bias_sentence),
            inconsistent=rows_of(inconsistent(self.opened.derived.consistency)),
            conflicts=rows_of(self.opened.derived.conflicts),
        )

    def footer(self) -> Table:
        """Provenance."""
        return self.opened.footer()


def included_trials(*, indication: str) -> IncludedPage:
    """Open page 10 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.

    Returns
    -------
    IncludedPage
    """
    return IncludedPage(open_page(NOTEBOOK, indication=indication))


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
