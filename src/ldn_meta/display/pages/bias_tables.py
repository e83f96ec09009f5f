"""Risk of bias on a page: the judgements with their reasons, two figures, a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ldn_meta.display.figures.bias_words import who_judged
from ldn_meta.display.outputs import Table, Text, rows_of
from ldn_meta.display.provenance import source_cell
from ldn_meta.display.wording import capitalised, count
from ldn_meta.evidence.bias import RANDOMISED, bias_reasons
from ldn_meta.evidence.bias_tools import OVERALL, TO_DO, TOOLS

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.figure_output import FigureOutput
    from ldn_meta.display.pages.opened import Opened
    from ldn_meta.evidence.load import Evidence

TRIAL_TOOLS = [tool.name for tool in TOOLS.values() if tool.family == RANDOMISED]


def bias_table(opened: Opened) -> Table:
    """One row a study and domain: judgement, reason, who judged, where it was read.

    Parameters
    ----------
    opened : Opened

    Returns
    -------
    Table
    """
    return judgements_table(opened.derived.evidence, _rows(opened))


def judgements_table(evidence: Evidence, rows: pd.DataFrame) -> Table:
    """Write judgements for readers, of one indication or one study.

    Parameters
    ----------
    evidence : Evidence
    rows : pandas.DataFrame
        As ``bias_reasons`` gives them.

    Returns
    -------
    Table
    """
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
    from ldn_meta.display.figures.traffic_light import traffic_light_output

    title = f"{capitalised(opened.label)}: risk of bias"
    return traffic_light_output("risk_of_bias", _rows(opened), title=title)


def bias_summary_figure(opened: Opened) -> FigureOutput:
    """Draw how much of the trials of the indication was judged how, domain by domain."""
    from ldn_meta.display.figures.bias_summary import bias_summary_output

    title = f"{capitalised(opened.label)}: risk of bias of trials"
    return bias_summary_output("risk_of_bias_summary", _rows(opened), title=title)


def bias_counts(opened: Opened) -> dict[str, Any]:
    """Count overall judgements: the facts behind ``bias_sentence``.

    Parameters
    ----------
    opened : Opened

    Returns
    -------
    dict
        ``trials`` (judged with RoB 2), one entry a judgement of theirs, ``other_comparisons``
        (ROBINS-I), ``without_comparison`` (JBI), ``not_judged``.
    """
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
    missing = ("NA", "NR", TO_DO)
    return [
        reason if note in missing else f"{reason}; note: {note}"
        for reason, note in zip(rows["reason"], rows["note"], strict=True)
    ]
