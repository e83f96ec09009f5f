"""Computations on what is claimed of trials: counts, rates, doses, courses, and harms."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ldn_meta.evidence.answer.directions import side_of_contrast
from ldn_meta.evidence.answer.dose import design_shares, widest
from ldn_meta.evidence.answer.pools import Pool, find_pool
from ldn_meta.evidence.audit.claim_material import (
    OWN_TEXTS,
    SHOWN,
    SIGNIFICANT,
    Case,
    Claimed,
    Finding,
    NotOnFileError,
    Span,
    computes,
    first,
    judged,
    of_outcome,
    printed_numbers,
    prints_as,
    span_of,
    together,
)
from ldn_meta.evidence.audit.claims_reviews import asked, claimed_by, held_by, pool_beside_ours
from ldn_meta.evidence.effects.routes import counts_behind
from ldn_meta.evidence.effects.rows import (
    COMPARATOR,
    POOL,
    TREATMENT,
    Row,
    number,
    plain_rows,
    select,
)
from ldn_meta.evidence.raw.review import listed
from ldn_meta.stats.arrays import two_sided_quantile
from ldn_meta.stats.convert import ci_from_se, se_from_ci
from ldn_meta.stats.effects import log_odds_ratio, log_rate_ratio, log_risk_ratio
from ldn_meta.stats.printed import (
    JointCount,
    counts_from_percent,
    p_interval,
    rounded_interval,
)
from ldn_meta.stats.proportions import (
    risk_difference_interval,
    wilson_interval,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from ldn_meta.evidence.raw.protocol import Protocol
    from ldn_meta.evidence.raw.review import Rule


BOTH = {TREATMENT, COMPARATOR}
CELLS = ("events_1", "n_1", "events_2", "n_2")
THRESHOLDS = ("lower", "higher", "sum")
RATIOS = [f"{ratio}{end}" for ratio in ("rr", "or", "pool") for end in ("", "_low", "_high")]
# The interval of two one-sided tests at 5% (Schuirmann 1987, J Pharmacokinet Biopharm 15:657).
EQUIVALENCE_LEVEL = 0.90
MICROGRAMS_PER_MG = 1000.0
INTERVAL = {"estimate": "estimate", "ci_low": "low", "ci_high": "high"}


@computes("reason", outcomes="any", gives="estimate low high k n", argument="reason")
def reason(case: Case) -> Finding:
    """Why no published number can test a claim."""
    return case.answer("any", case.argument, **case.claimed(**INTERVAL, k="k", n="n"))


# -- counts ----------------------------------------------------------------------------------


def ratio_of(counts: JointCount, *, odds: bool = False) -> Span:
    """Risk ratio of one pair of arms, or odds ratio, with its normal interval on the log scale."""
    effect = log_odds_ratio(*counts.cells) if odds else log_risk_ratio(*counts.cells)
    ends = ci_from_se(effect.yi, math.sqrt(float(effect.vi)))
    return Span(*(math.exp(float(end)) for end in (effect.yi, *ends)))


def of_cells(pair: JointCount, before: str = "") -> dict[str, float]:
    """Events and people of the two arms, by name."""
    return {f"{before}{name}": n for name, n in zip(CELLS, pair.cells, strict=True)}


def ends(name: str, values: Iterable[float]) -> dict[str, float]:
    """The lowest and the highest of some values, by name."""
    found = list(values)
    return {f"{name}_low": min(found), f"{name}_high": max(found)}


def _decimals(printed: str) -> int:
    return len(printed.partition(".")[2])


@computes(
    "counts behind two percentages",
    outcomes="none not_all_away all_away",
    says="none one_fits several_fit these all_of_them any_test unfit worst worst_range "
    "chi-squared chi-squared-corrected fisher",
    gives="possible fitting first second kept any_low any_high events_1 n_1 events_2 n_2 tests "
    "rr_low rr_high limit_low limit_high rd_low rd_high nnt_low nnt_high away unfit all_1 all_2 "
    "worst_low worst_high",
    argument="construct",
)
def counts_behind_percentages(case: Case) -> Finding:
    """Every pair of counts that prints as two percentages and, of these, fits the P.

    Arms are not larger than those who began the trial. P may come from Pearson's chi-squared
    test, with or without Yates' correction, or from Fisher's exact test.
    """
    study_id = str(case.material.study(case.claim)["study_id"])
    shares = _percentages(case, study_id, case.argument)
    if not set(shares) >= BOTH:
        raise NotOnFileError("a percentage of both groups")
    sizes = {
        group: number(case.context.arms[row["arm_id"]]["n_randomised"])
        for group, row in shares.items()
    }
    if any(math.isnan(size) for size in sizes.values()):
        raise NotOnFileError("how many people began in each group")
    tests = case.context.about("contrasts", study_id, case.argument, preferred=True)
    test = first(
        (row for row in tests if row["p_value"] is not None),
        "the P of the difference of the two percentages",
    )
    pair = shares[TREATMENT], shares[COMPARATOR]
    one, two = (number(row["percent"]) for row in pair)
    ranges = [range(1, int(sizes[group]) + 1) for group in (TREATMENT, COMPARATOR)]
    possible = counts_behind(*pair, ranges)
    p = p_interval(test["p_relation"], number(test["p_value"]), decimals=int(test["p_decimals"]))
    fitting = counts_behind(*pair, ranges, p)
    began = {"all_1": sizes[TREATMENT], "all_2": sizes[COMPARATOR]}
    if not possible:
        return case.answer("none", "none", first=one, second=two, **began)
    kept = fitting or possible
    ratios = [ratio_of(pair) for pair in kept]
    differences = [risk_difference_interval(*pair.cells) for pair in kept]
    away = sum(ratio.low > 1 for ratio in ratios)
    is_away = all(ratio_of(pair).low > 1 for pair in possible)
    stated = _stated_sizes(case, study_id)
    totals = {pair.n_1 + pair.n_2 for pair in possible}
    unfit = [n for n in stated if n not in totals]
    worst = [_worst_case(pair, int(sizes[TREATMENT]), int(sizes[COMPARATOR])) for pair in kept]
    nnt_worst = min(float(i.low) for i in differences)
    sentences = ["one_fits" if len(fitting) == 1 else "several_fit"]
    if len(fitting) < len(possible):
        sentences.append("any_test")
    if unfit:
        sentences.append("unfit")
    return case.answer(
        "all_away" if is_away else "not_all_away",
        *sentences,
        "worst" if min(worst) == max(worst) else "worst_range",
        possible=len(possible),
        fitting=len(fitting),
        first=one,
        second=two,
        kept=case.say("these" if fitting else "all_of_them"),
        **ends("any", (end for pair in possible for end in ratio_of(pair)[1:])),
        **of_cells(kept[0]),
        tests=listed(case.say(name) for name in kept[0].tests),
        **ends("rr", (ratio.estimate for ratio in ratios)),
        **ends("limit", (end for ratio in ratios for end in ratio[1:])),
        **ends("rd", (pair.events_1 / pair.n_1 - pair.events_2 / pair.n_2 for pair in kept)),
        nnt_low=1 / max(float(i.high) for i in differences),
        nnt_high=1 / nnt_worst if nnt_worst > 0 else math.inf,
        away=away,
        unfit=listed((f"{n:g}" for n in unfit), "or"),
        **{f"stated_{place}": n for place, n in enumerate(stated, 1)},
        **began,
        **ends("worst", worst),
    )


def _percentages(case: Case, study_id: object, construct: str) -> dict[int, Row]:
    """Preferred rows with a percentage, by group."""
    rows = case.context.about("arm_events", study_id, construct, preferred=True)
    told = (row for row in rows if row["percent"] is not None)
    return {case.context.arms[row["arm_id"]]["group"]: row for row in told}


def _stated_sizes(case: Case, study_id: str) -> list[float]:
    """Sizes of the trial at its beginning that some source states, and what the claim prints."""
    of_sources = {
        number(row["value"])
        for row in case.material.facts
        if row["study_id"] == study_id
        and row["fact"] in ("n_enrolled", "n_randomised")
        and row["value"] is not None
    }
    return sorted(of_sources | set(case.claimed(n="n").values()))


def _worst_case(pair: JointCount, all_1: int, all_2: int) -> float:
    """Risk ratio if everybody missing did badly on treatment and well on the comparator."""
    return (pair.events_1 / all_1) / ((pair.events_2 + all_2 - pair.n_2) / all_2)


@computes(
    "share of one group",
    outcomes="no_count elsewhere alone",
    says="share elsewhere alone fit unfit fixed_order",
    gives="count people share low high where size order sources fit unfit",
    words="own_rule",
)
def share_of_one_group(case: Case) -> Finding:
    """A share without that of a comparison group, as people with its interval."""
    claim, material = case.claim, case.material
    study_id, people = str(claim["study_id"]), number(claim["n"])
    estimate, is_percent = claim["estimate"], claim["measure"] == "percent"

    def counts_of(n: float) -> Sequence[int]:
        return counts_from_percent(number(estimate), 0, int(n))

    counts = counts_of(people) if is_percent else (int(case.printed[0]),)
    constructs = {str(claim["construct"]), case.rule.words["own_rule"]}
    agreeing = [
        row
        for row in material.results(study_id, constructs, without=claim["read_in"])
        if (row.get("percent") == estimate if is_percent else row.get("events") in counts)
    ]
    known = sorted({number(row["value"]) for row in material.sizes(study_id)})
    others = [n for n in known if n != people] * is_percent
    sizes = {
        name: [f"{n:g}" for n in others if bool(counts_of(n)) == fits]
        for name, fits in (("fit", True), ("unfit", False))
    }
    where = "elsewhere" if agreeing else "alone"
    sources = listed(dict.fromkeys(material.source(row) for row in agreeing))
    count = counts[0] if counts else math.nan
    low, high = wilson_interval(count, people)
    is_fixed = not case.context.studies[study_id]["is_randomised"]
    return case.answer(
        where if counts else "no_count",
        "share",
        count=count,
        people=people,
        share=count / people,
        low=float(low),
        high=float(high),
        where=case.say(where, sources=sources),
        size="".join(case.say(name, **{name: listed(n, "or")}) for name, n in sizes.items() if n),
        order=case.say("fixed_order") if is_fixed else "",
        **{f"size_{place}": n for place, n in enumerate(known, 1)},
    )


class WhatIf(NamedTuple):
    """One way to count the responders of a trial, and what it does to the pool."""

    name: str
    counts: JointCount
    risk_ratio: Span
    odds_ratio: Span
    pooled: Pool | None

    @property
    def pooled_ratio(self) -> Span:
        """The pooled risk ratio; NaN without a pool."""
        ends = (math.nan,) * 3 if self.pooled is None else self.pooled.read[:3]
        return Span(*map(math.exp, ends))


def threshold_sums(effects: pd.DataFrame, protocol: Protocol, rule: Rule) -> list[WhatIf]:
    """Count the responders of the rule's trial at two thresholds, and as the sum of both.

    Whoever passes the higher threshold is also among those who pass the lower: the sum counts
    him twice. The pool is that of the lower threshold with this trial's counts replaced.
    """
    words = rule.words
    if effects.empty:
        return []
    chosen = {"study_id": words["study_id"], "measure": "RR", "is_selected": True}
    rows = [
        plain_rows(of_outcome(effects, words[name], **chosen))[-1:] for name in ("lower", "higher")
    ]
    if not all(rows):
        return []
    lower, higher = (
        JointCount(int(row["events_1"]), int(row["n_1"]), int(row["events_2"]), int(row["n_2"]))
        for (row,) in rows
    )
    both = JointCount(
        lower.events_1 + higher.events_1, lower.n_1, lower.events_2 + higher.events_2, lower.n_2
    )
    return [
        WhatIf(
            rule.sentences[f"{name}_name"],
            counts,
            ratio_of(counts),
            ratio_of(counts, odds=True),
            _pooled(effects, protocol, rule, counts),
        )
        for name, counts in zip(THRESHOLDS, (lower, higher, both), strict=True)
    ]


def _pooled(
    effects: pd.DataFrame, protocol: Protocol, rule: Rule, counts: JointCount
) -> Pool | None:
    """The pool of the lower threshold with other counts for one trial; None of one trial."""
    study_id = rule.words["study_id"]
    indication_id = effects.loc[effects["study_id"] == study_id, "indication_id"].iloc[0]
    same = of_outcome(effects, rule.words["lower"], indication_id=indication_id)
    chosen, _ = select(same, protocol.selection)
    trials = same[chosen].copy()
    if len(trials) < 2:
        return None
    effect = log_risk_ratio(*counts.cells)
    own = trials["study_id"] == study_id
    trials["yi"] = trials["yi"].mask(own, float(effect.yi))
    trials["vi"] = trials["vi"].mask(own, float(effect.vi))
    key = {name: str(trials[name].iloc[0]) for name in POOL}
    return Pool(key, trials, protocol.model)


@computes(
    "two thresholds added up",
    outcomes="silent added",
    says="silent added alone end lower_name higher_name sum_name",
    gives=" ".join(f"{one}_{name}" for one in THRESHOLDS for name in (*CELLS, *RATIOS)),
    words="study_id lower higher",
)
def two_thresholds_added_up(case: Case) -> Finding:
    """What adding up the responders at two thresholds would do. A what-if, no accusation."""
    cases = threshold_sums(case.material.answers.effects, case.material.protocol, case.rule)
    if not cases or cases[0].pooled is None:
        return case.answer("silent", "silent")
    values: dict[str, float] = {}
    for key, one in zip(THRESHOLDS, cases, strict=True):
        ratios = (*one.risk_ratio, *one.odds_ratio, *one.pooled_ratio)
        values |= of_cells(one.counts, f"{key}_")
        values |= {f"{key}_{name}": v for name, v in zip(RATIOS, ratios, strict=True)}
    *counted, summed = (one.risk_ratio.low > 1 for one in cases)
    turns = summed and not any(counted)
    return case.answer("added", "added", *(["alone"] if turns else []), "end", **values)


# -- two groups ------------------------------------------------------------------------------


@computes(
    "interval inside a margin",
    outcomes="silent inside beyond",
    says="silent difference inside beyond start no_control spread",
    gives="estimate low high people margin narrow mid mid_source spread width start end",
    words="construct start",
    numbers="longest",
)
def interval_inside_a_margin(case: Case) -> Finding:
    """For which margins an interval would show that two drugs are about equally good.

    Two drugs are equivalent within a margin if the whole interval of their difference lies
    between minus and plus the margin. The margin has to be named before the results are known,
    and the trial has to be able to tell a drug that works from one that does not (assay
    sensitivity): two drugs of which neither works are equivalent too.
    """
    material, construct = case.material, case.rule.words["construct"]
    rows = material.effects(construct, study_id=case.claim["study_id"], is_selected=True)
    scale = material.protocol.scales.get(construct)
    if rows.empty or scale is None:
        return case.answer("silent", "silent")
    row = rows.iloc[0]
    printed: Row = case.context.rows[str(row["rows"]).split()[0]]
    outcome = case.context.outcomes[printed["outcome_id"]]
    estimate, low, high = (number(printed[name]) for name in INTERVAL)
    width = number(outcome["scale_max"]) - number(outcome["scale_min"])
    mid = scale.minimal_important_difference * width / (scale.maximum - scale.minimum)
    se = float(se_from_ci(low, high))
    half = float(two_sided_quantile(EQUIVALENCE_LEVEL)) * se
    margin = max(abs(low), abs(high))
    spread = se * math.sqrt(float(row["n_1"]))
    start = material.fact(case.claim["study_id"], "dose", case.rule.words["start"])
    is_inside = "inside" if margin <= mid else "beyond"
    sentences = ["difference", is_inside, *(["start"] if start else []), "no_control"]
    # A scale cannot spread differences further than its length, but for a little in a sample.
    if spread > case.rule.numbers["longest"]:
        sentences.append("spread")
    return case.answer(
        is_inside,
        *sentences,
        estimate=estimate,
        low=low,
        high=high,
        people=float(row["n_1"]),
        margin=margin,
        narrow=max(abs(estimate - half), abs(estimate + half)),
        mid=mid,
        mid_source=scale.mid_source,
        spread=spread,
        width=width,
        start=number(start["value"]) if start else math.nan,
    )


@computes(
    "event rates of two groups",
    outcomes="silent includes excludes",
    says="silent rates",
    gives="first second ratio low high visits wide_low wide_high limit people needed",
)
def event_rates(case: Case) -> Finding:
    """Adverse events per time on two drugs that the same people took in turn.

    Given how prone each person is to report events, the share of all events that falls on the
    treatment is binomial, so a Poisson interval of the rate ratio needs no correction for people
    who report many. It does need one for complaints that are counted again at every visit: the
    variance then grows by as many times as one complaint is counted.
    """
    material, study_id = case.material, case.claim["study_id"]
    rows = case.context.by_group("arm_events", study_id, counted="events", preferred=True)
    study = material.study(case.claim)
    if not set(rows) >= BOTH:
        return case.answer("silent", "silent")
    one, two = (number(rows[group]["events"]) for group in (TREATMENT, COMPARATOR))
    # Both drugs were taken for the same time by the same people, so time cancels.
    effect = log_rate_ratio(one, 1, two, 1)
    estimate, se = float(effect.yi), math.sqrt(float(effect.vi))
    z = float(two_sided_quantile(0.95))
    period = material.fact(study_id, "duration", "each period")
    between = material.fact(study_id, "duration", "between visits")
    visits = number(period["value"]) / number(between["value"]) if period and between else 1.0
    wide = z * se * math.sqrt(visits)
    people = material.size(study)
    if math.isnan(people):
        raise NotOnFileError("how many people took both drugs")
    return case.answer(
        "includes" if abs(estimate) <= wide else "excludes",
        "rates",
        first=one,
        second=two,
        ratio=math.exp(estimate),
        low=math.exp(estimate - z * se),
        high=math.exp(estimate + z * se),
        visits=visits,
        wide_low=math.exp(estimate - wide),
        wide_high=math.exp(estimate + wide),
        limit=(estimate / (z * se)) ** 2,
        people=people,
        needed=_people_needed(one, people),
    )


def _people_needed(one: float, people: float) -> float:
    """Fewest people with an event in group 2 whose risk ratio interval excludes 1; else NaN."""
    first, n = int(one), int(people)
    pairs = (JointCount(first, n, second, n) for second in range(first, n + 1))
    return next((float(pair.events_2) for pair in pairs if ratio_of(pair).high < 1), math.nan)


@computes(
    "people with events beside ours",
    outcomes="silent shown either excluded",
    says="silent pairs by_risks margin one_event few_events odds_ratio risk_ratio unclear",
    gives="label estimate low high study measure pairs events_1 n_1 events_2 n_2 ratio_low "
    "ratio_high limit_low limit_high risks_low risks_high events certainty margin_low "
    "margin_high mid_source",
    argument="construct",
    words="comparator under",
    numbers="few_events",
)
def people_with_events(case: Case) -> Finding:
    """A published result on people with an event beside the trials on file.

    If the trials print counts, our pool is taken. If a trial prints only percentages, every pair
    of whole counts that gives them is found, for every size of the two groups between the fewest
    people analysed and all who began; each pair gives a ratio.
    """
    claim, material = case.claim, case.material
    question = indication_id, construct, _ = asked(case)
    pools = material.pools(*question)
    if pools.strict is not None:
        found = pool_beside_ours(case.under(case.rule.words["under"]))
        trials = pools.strict.trials
        events = float((trials["events_1"] + trials["events_2"]).sum())
        if events >= case.rule.numbers["few_events"]:
            return found
        remark = case.say("one_event" if events == 1 else "few_events")
        numbers = {**found.numbers, "events": events}
        return replace(found, sentence=f"{found.sentence} {remark}", numbers=numbers)
    values: dict[str, float | str] = {"label": material.label(construct)}
    pairs = _pairs(case, indication_id, construct)
    if not pairs:
        return case.answer("silent", "silent", **values, **case.claimed(**INTERVAL))
    study, counts = next(iter(pairs.items()))
    is_odds = claim["measure"] == "OR"
    every = {odds: [ratio_of(pair, odds=odds) for pair in counts] for odds in (False, True)}
    claimed, ends_of = claimed_by(case), material.unimportant_ratio
    # By either ratio, for which of the two a source takes is no difference between drugs.
    outcome = together(
        judged(claimed, Span(*map(math.log, ratio)), ends_of)
        for ratios in every.values()
        for ratio in ratios
    )
    ratios = every[is_odds]
    values |= {
        "study": study,
        "measure": case.say("odds_ratio" if is_odds else "risk_ratio"),
        "pairs": len(counts),
        **of_cells(counts[0]),
        **ends("ratio", (ratio.estimate for ratio in ratios)),
        **ends("limit", (end for ratio in ratios for end in ratio[1:])),
        **ends("risks", (end for ratio in every[False] for end in ratio[1:])),
        **case.claimed(**INTERVAL),
    }
    sentences = ["pairs", *["by_risks"] * is_odds]
    if not claimed.is_difference and not claimed.is_unclear:
        margins = zip(("margin_low", "margin_high"), map(math.exp, ends_of), strict=True)
        values |= {**dict(margins), "mid_source": material.protocol.certainty.ratio_source}
        sentences.append("margin")
    if claimed.is_unclear:
        values["certainty"] = material.certainty(*question)
        sentences.append("unclear")
    return replace(case.answer(outcome, *sentences, **values), trials=(study,))


@computes(
    "events that reports tell",
    outcomes="silent none some",
    says="silent told study",
    gives="label year events source",
    argument="construct",
)
def events_reported(case: Case) -> Finding:
    """A statement that nobody had an event, beside the reports on file of its time."""
    context, material = case.context, case.material
    year = number(material.sources[case.claim["claimed_in"]]["year"])
    rows = [
        (study, row)
        for study in context.studies.values()
        if study["indication_id"] == case.indication_id and number(study["year"]) <= year
        for row in context.about("arm_events", study["study_id"], case.argument, preferred=True)
        if context.arms[row["arm_id"]]["group"] == TREATMENT and row["events"] is not None
    ]
    values: dict[str, float | str] = {"label": material.label(case.argument), "year": year}
    if not rows:
        return case.answer("silent", "silent", **values)
    told = [
        case.say("study", source=f"{study['label']}, {row['read_from']}", events=row["events"])
        for study, row in rows
    ]
    events = sum(number(row["events"]) for _, row in rows)
    found = case.answer("some" if events else "none", "told", **values, events=events)
    return replace(
        found,
        sentence=f"{found.sentence} {'; '.join(told)}.",
        trials=tuple(dict.fromkeys(str(study["label"]) for study, _ in rows)),
    )


def _pairs(case: Case, indication_id: str, construct: str) -> dict[str, tuple[JointCount, ...]]:
    """Counts behind percentages without denominators, by randomised trial."""
    material, found = case.material, {}
    for study in material.randomised(indication_id):
        rows = _percentages(case, study["study_id"], construct)
        stated = material.sizes(study["study_id"])
        sizes = [int(number(row["value"])) for row in stated if row["preferred"]]
        if not set(rows) >= BOTH or not sizes:
            continue
        either = range(min(sizes), max(sizes) + 1)
        counts = counts_behind(rows[TREATMENT], rows[COMPARATOR], (either, either))
        if counts:
            found[str(study["label"])] = counts
    return found


@computes(
    "events of two groups",
    outcomes="silent shown either excluded",
    says="silent any most stopped serious no_serious end",
    gives="trials most any_1 n_1 share_1 any_2 n_2 share_2 ratio ratio_low ratio_high stopped_1 "
    "stopped_n_1 stopped_2 stopped_n_2 serious_1 serious_n_1 serious_2 serious_n_2 upper method "
    "now now_low now_high now_k margin mid_source",
    words="any serious stopped comparator",
)
def events_of_two_groups(case: Case) -> Finding:
    """People with adverse events in the randomised comparisons on file.

    People with serious events are those of any cause, over all comparisons; events judged
    related to treatment are another count, and are not added.
    """
    material, words = case.material, case.rule.words
    found = find_pool(
        material.pooled, construct=words["any"], comparator_class=words["comparator"]
    )
    if found is None:
        return case.answer("silent", "silent")
    ours = span_of(found)
    stopped = material.effects(words["stopped"], measure="RR", is_selected=True)
    serious = material.effects(
        words["serious"],
        measure="RR",
        comparator_class=words["comparator"],
        kind="contrast",
    ).drop_duplicates("study_id")
    values: dict[str, float | str] = {}
    for name, rows in (("any", found.trials), ("stopped", stopped), ("serious", serious)):
        for group in (1, 2):
            events, people = (float(rows[f"{cell}_{group}"].sum()) for cell in ("events", "n"))
            values[f"{name}_{group}"] = events
            values[f"n_{group}" if name == "any" else f"{name}_n_{group}"] = people
            if name == "any":
                values[f"share_{group}"] = events / people
    for end, value in zip(("", "_low", "_high"), map(math.exp, ours), strict=True):
        values |= {f"ratio{end}": value, f"now{end}": value}
    values["now_k"] = len(found.trials)
    one, all_1 = number(values["serious_1"]), number(values["serious_n_1"])
    values["upper"] = float(wilson_interval(one, all_1).high) if all_1 > 0 else math.nan
    is_most = min(number(values["share_1"]), number(values["share_2"])) > 0.5
    # No more people than on the comparator: fewer would bear it out as well.
    ends = material.unimportant(found)
    outcome = SHOWN if ours.high < ends[1] else judged(Claimed(False), ours, ends)
    answer = case.answer(
        outcome,
        "any",
        *(["stopped"] if len(stopped) else []),
        "serious" if all_1 > 0 else "no_serious",
        "end",
        trials=listed(found.trials["study_label"]),
        most=case.say("most") if is_most else "",
        method=found.read.method,
        margin=math.exp(ends[1]),
        mid_source=material.mid_source(found),
        **values,
    )
    return replace(
        answer, agrees=ours.estimate < ends[1], trials=tuple(found.trials["study_label"])
    )


# -- course ----------------------------------------------------------------------------------


@computes(
    "change of a cohort beside its controls",
    outcomes="subgroup small_p large_p",
    says="beside subgroup p",
    gives="p_first p_first_value p_second p_second_value claimed fewest most whole control "
    "n_treatment n_control points points_control stopped_low stopped_high diluted_low "
    "diluted_high relation p_printed",
    words="construct stopped",
    lists="subgroups stayed",
)
def change_of_a_cohort(case: Case) -> Finding:
    """A change in per cent of those who stayed on a drug, beside that of their controls.

    What the difference would be if those who stopped had changed as the controls did is computed
    from the shares that stopped in other cohorts on file. If two subgroups make up the cohort and
    percentages are means over people, their sizes follow from the three percentages.
    """
    material, words = case.material, case.rule.words
    study = material.study(case.claim)["study_id"]
    percent = case.context.by_group(
        "arm_stats", study, statistic_of="percent change", preferred=True
    )
    if not set(percent) >= BOTH:
        raise NotOnFileError("the change of both groups in per cent")
    start = {
        group: number(row["mean"])
        for group, row in case.context.by_group(
            "arm_stats", study, statistic_of="baseline"
        ).items()
    }
    stopped = _stopped(case)
    whole, control = (-number(percent[group]["mean"]) for group in (TREATMENT, COMPARATOR))
    values = {
        "whole": whole,
        "control": control,
        "n_treatment": number(percent[TREATMENT]["n"]),
        "n_control": number(percent[COMPARATOR]["n"]),
        "points": whole * start.get(TREATMENT, math.nan) / 100,
        "points_control": control * start.get(COMPARATOR, math.nan) / 100,
        "stopped_low": min(stopped, default=math.nan),
        "stopped_high": max(stopped, default=math.nan),
    }
    for end in ("low", "high"):
        share = values[f"stopped_{end}"]
        values[f"diluted_{end}"] = (1 - share) * whole + share * control
    if case.claim["construct"] == words["construct"]:
        row = first(
            (
                r
                for r in case.context.about("contrasts", study, words["construct"])
                if r["p_value"] is not None and r["timepoint"] != "baseline"
            ),
            "the P of the difference of the two groups",
        )
        p = number(row["p_value"])
        return case.answer(
            "small_p" if p < SIGNIFICANT else "large_p",
            "beside",
            "p",
            relation=str(row["p_relation"]),
            p_printed=p,
            **values,
        )
    printed: dict[str, float | str] = {}
    for name, construct in zip(("first", "second"), case.rule.lists["subgroups"], strict=True):
        for row in case.context.about("contrasts", study, construct):
            printed[f"p_{name}"] = f"{row['p_relation']} {number(row['p_value']):g}"
            printed[f"p_{name}_value"] = number(row["p_value"])
    sizes = _subgroup_sizes(case, study, percent[TREATMENT])
    return case.answer(
        "subgroup",
        "subgroup",
        "beside",
        **printed,
        claimed=abs(number(case.claim["estimate"])),
        fewest=min(sizes, default=math.nan),
        most=max(sizes, default=math.nan),
        **values,
    )


def _stopped(case: Case) -> list[float]:
    """Shares that stopped for any reason in cohorts without a comparison."""
    shares = []
    for row in case.context.table("arm_events"):
        study = case.context.studies[row["study_id"]]
        is_any = case.context.construct(row) == case.rule.words["stopped"]
        if not (is_any and study["design"] in case.rule.lists["stayed"] and row["preferred"]):
            continue
        if row["events"] is not None and row["n"] is not None:
            shares.append(number(row["events"]) / number(row["n"]))
        elif row["percent"] is not None:
            shares.append(number(row["percent"]) / 100)
    return shares


def _subgroup_sizes(case: Case, study: object, whole: Row) -> list[int]:
    """Sizes of the second subgroup that fit three rounded percentages.

    (people - k) a + k b = people c must have a solution inside what a, b and c round from.
    """
    people = number(whole["n"])
    found = [
        case.context.about("contrasts", study, construct, measure="percent change")[-1:]
        for construct in case.rule.lists["subgroups"]
    ]
    if not all(found):
        return []
    a, b = (
        rounded_interval(abs(number(row["estimate"])), int(row["estimate_decimals"]))
        for (row,) in found
    )
    printed = printed_numbers(whole["as_reported"])[0]
    c = rounded_interval(abs(number(whole["mean"])), _decimals(printed))
    return [
        k
        for k in range(int(people) + 1)
        if (people - k) * a.low + k * b.low <= people * c.high
        and (people - k) * a.high + k * b.high >= people * c.low
    ]


@computes(
    "change beside that of the comparator",
    outcomes="own none",
    says="own alone trials of_trial twins",
    gives="of_treatment of_comparator difference share estimate low high twins trials label",
    words="construct",
)
def change_beside_comparator(case: Case) -> Finding:
    """A change from start to end of treatment beside the change of a comparison group.

    That of the same study is looked for first, then those of other trials of the condition with
    changes in both groups. Two outcomes of one review with the same estimate and interval to the
    last digit are named.
    """
    claim, material = case.claim, case.material
    own = _percent_changes(case)
    if own:
        one, two = own
        return case.answer(
            "own",
            "own",
            of_treatment=one,
            of_comparator=two,
            difference=one - two,
            share=two / one,
        )
    twins = [
        material.label(str(row["construct"]))
        for key, row in material.claims.items()
        if key != claim["claim_id"]
        and row["claimed_in"] == claim["claimed_in"]
        and claim["estimate"] is not None
        and [row[n] for n in INTERVAL] == [claim[n] for n in INTERVAL]
    ]
    values: dict[str, float] = {}
    texts = []
    for place, (label, changes) in enumerate(_changes_in_trials(case).items(), 1):
        pair = dict(zip(("of_treatment", "of_comparator"), changes, strict=True))
        texts.append(case.say("of_trial", label=label, **pair))
        values |= {f"{name}_{place}": value for name, value in pair.items()}
    sentences = ["alone", *(["trials"] if texts else []), *(["twins"] if twins else [])]
    return case.answer(
        "none",
        *sentences,
        trials="; ".join(texts),
        twins=listed(twins),
        **values,
        **case.claimed(**INTERVAL),
    )


def _percent_changes(case: Case) -> tuple[float, float] | None:
    """Falls in per cent of the two groups of the claim's own study, closest text first."""
    claim = case.claim
    if claim["study_id"] is None:
        return None
    found: dict[int, float] = {}
    for row in case.material.results(
        str(claim["study_id"]), {str(claim["construct"])}, without=claim["read_in"]
    ):
        if row.get("statistic_of") == "percent change":
            found.setdefault(case.context.arms[row["arm_id"]]["group"], -number(row["mean"]))
    return (found[TREATMENT], found[COMPARATOR]) if set(found) >= BOTH else None


def _changes_in_trials(case: Case) -> dict[str, tuple[float, float]]:
    """Changes in both groups, on the scale's points, by randomised trial of the condition."""
    construct = case.rule.words["construct"]
    if case.claim["construct"] != construct:
        return {}
    found = {}
    for study in case.material.randomised(case.indication_id):
        rows = case.context.by_group(
            "arm_stats", study["study_id"], construct, statistic_of="change", preferred=True
        )
        if set(rows) >= BOTH:
            found[str(study["label"])] = (
                number(rows[TREATMENT]["mean"]),
                number(rows[COMPARATOR]["mean"]),
            )
    return found


@computes(
    "early comparisons",
    outcomes="none early_for early_not",
    says="dated",
    gives="trials early limit both names first",
    lists="groups",
    numbers="weeks",
)
def early_comparisons(case: Case) -> Finding:
    """Randomised comparisons at more than one time, one of them early."""
    material, limit = case.material, case.rule.numbers["weeks"]
    weeks: dict[str, set[float]] = {}
    early: dict[str, float] = {}
    wanted = set(material.constructs(case.rule.lists["groups"]))
    labels = {s["study_id"]: str(s["label"]) for s in material.randomised()}
    for row in case.context.contrasts:
        week = number(row["timepoint_weeks"])
        is_comparison = row["arm_2"] is not None and row["study_id"] in labels
        if not is_comparison or case.context.construct(row) not in wanted or not week > 0:
            continue
        label = labels[row["study_id"]]
        weeks.setdefault(label, set()).add(week)
        if week <= limit:
            early.setdefault(label, side_of_contrast(case.context, row)[0])
    both = [label for label in early if max(weeks[label]) > limit]
    is_for = any(early[label] > 0 for label in both)
    others = (min(found) for label, found in weeks.items() if label not in early)
    return case.answer(
        ("early_for" if is_for else "early_not") if both else "none",
        "dated",
        trials=len(weeks),
        early=len(early),
        limit=limit,
        both=len(both),
        names=listed(early),
        first=min(others, default=math.nan),
    )


@computes(
    "shares that left",
    outcomes="none all_below some_above all_above",
    says="shares",
    gives="low high limit tiers silent",
    argument="studies",
    numbers="limit",
)
def shares_that_left(case: Case) -> Finding:
    """Shares of people who left some trials, named by the argument."""
    limit, studies = case.rule.numbers["limit"], case.argument.split("+")
    rows = [
        row
        for row in case.material.all_facts
        if row["study_id"] in studies and str(row["qualifier"]).startswith("dropout percent")
    ]
    told = [
        row
        for row in rows
        if "anticipated" not in row["qualifier"] and row["reliability"] != "low"
    ]
    shares = [percent / 100 for row in told for percent in held_by(row)]
    tiers = {str(row["read_from"]) for row in told}
    heard = {row["study_id"] for row in told}
    if not shares:
        outcome = "none"
    elif max(shares) < limit:
        outcome = "all_below"
    else:
        is_own = bool(tiers & OWN_TEXTS)
        outcome = "all_above" if is_own and min(shares) >= limit else "some_above"
    return case.answer(
        outcome,
        "shares",
        low=min(shares, default=math.nan),
        high=max(shares, default=math.nan),
        limit=limit,
        tiers=listed(sorted(tiers)),
        silent=listed(
            str(case.context.studies[key]["label"]) for key in studies if key not in heard
        ),
    )


@computes(
    "people without comparison",
    outcomes="any",
    says="course person people",
    gives="label people noun",
)
def people_without_comparison(case: Case) -> Finding:
    """What one person's course can show."""
    study = case.material.study(case.claim)
    people = case.material.size(study)
    noun = case.say("person" if people == 1 else "people")
    return case.answer("any", "course", label=str(study["label"]), people=people, noun=noun)


# -- doses -----------------------------------------------------------------------------------


@computes(
    "effective dose of an up-and-down trial",
    outcomes="unknown beyond within",
    says="responded curve leaves stays interval no_interval",
    gives="dose low high share events people design_low design_high half_low half_high lowest "
    "highest step tried above everybody needed",
    argument="share",
    words="own_rule",
    tables="shares",
)
def effective_dose(case: Case) -> Finding:
    """A dose said to work in a share of people, from an up-and-down trial.

    Is the number that of the paper, does its interval stay inside the doses that were tried, and
    could as few people show such a share at one dose? The share that responded over all doses is
    no argument: the design holds it near one half, whatever the drug does.
    """
    claim, material = case.claim, case.material
    share = case.rule.tables["shares"][case.argument]
    study = material.study(claim)
    dose = number(claim["estimate"])
    low, high = _interval(case)
    paper = material.fact(claim["study_id"], case.argument)
    responders = first(
        (
            row
            for row in case.context.about("arm_events", claim["study_id"], preferred=True)
            if row["outcome_id"] == case.rule.words["own_rule"]
        ),
        "people who responded over all doses",
    )
    events, people = number(responders["events"]), number(responders["n"])
    highest = number(study["dose_high_mg_per_day"])
    lowest = number(study["dose_low_mg_per_day"])
    step = material.fact(claim["study_id"], "dose", "step")
    if step is None:
        raise NotOnFileError("the step between doses")
    steps = number(step["value"])
    tried = round((highest - lowest) / steps) + 1
    choices = case.material.protocol.dose
    if choices is None:
        raise NotOnFileError("the section [dose] of protocol.toml")
    ladder = [lowest + steps * i for i in range(tried)]
    design_low, design_high = widest(design_shares(ladder, int(people), choices), "means")
    everybody = float(wilson_interval(people, people).low)
    # n / (n + z^2) >= share: the least n at which n of n shows the share.
    z2 = float(two_sided_quantile(0.95)) ** 2
    is_printed = paper is not None and prints_as(number(paper["value"]), f"{dose:g}")
    is_most, leaves = share > 0.5, high > highest
    beyond = leaves or (is_most and everybody < share)
    has_interval = not math.isnan(high)
    sentences = ["responded", *(["curve"] if is_most else [])]
    if has_interval:
        sentences.append("leaves" if leaves else "stays")
    return case.answer(
        ("beyond" if beyond else "within") if is_printed else "unknown",
        *sentences,
        "interval" if has_interval else "no_interval",
        dose=dose,
        low=low,
        high=high,
        share=share,
        events=events,
        people=people,
        design_low=design_low,
        design_high=design_high,
        half_low=choices.design_ed50_low_mg,
        half_high=choices.design_ed50_high_mg,
        lowest=lowest,
        highest=highest,
        step=steps,
        tried=tried,
        above=sum(rung >= dose for rung in ladder),
        everybody=everybody,
        needed=math.ceil(z2 * share / (1 - share)),
    )


def _interval(case: Case) -> tuple[float, float]:
    """Interval of the dose, of the claim or else in the same source; NaN where it prints none."""
    claim = case.claim
    pairs = [(claim["ci_low"], claim["ci_high"])] + [
        (row["value_low"], row["value_high"])
        for row in case.material.facts
        if row["study_id"] == claim["study_id"]
        and row["fact"] == case.argument
        and row["read_in"] == claim["read_in"]
    ]
    low, high = next((pair for pair in pairs if pair[0] is not None), pairs[0])
    return number(low), number(high)


@computes(
    "most common dose",
    outcomes="most_common other",
    says="doses",
    gives="total claimed claimed_in top studies",
)
def most_common_dose(case: Case) -> Finding:
    """The highest dose of each study on file, and which is the most common."""
    doses = Counter(number(study["dose_high_mg_per_day"]) for study in _with_a_dose(case))
    top, studies = first(doses.most_common(1), "a study that states a dose")
    claimed = number(case.claim["estimate"])
    return case.answer(
        "most_common" if top == claimed else "other",
        "doses",
        total=doses.total(),
        claimed=claimed,
        claimed_in=doses[claimed],
        top=top,
        studies=studies,
    )


def _with_a_dose(case: Case) -> list[Row]:
    """Published studies of the treatment alone that state a dose in mg a day."""
    return [
        study
        for study in case.context.studies.values()
        if not case.material.is_apart(study["indication_id"])
        and study["status"] == "published"
        and study["eligible_for"] != "excluded"
        and study["dose_high_mg_per_day"] is not None
    ]


@computes(
    "range of doses",
    outcomes="all most few",
    says="range single apart",
    gives="inside total low high most claimed using fitting least names k",
    argument="indication",
)
def range_of_doses(case: Case) -> Finding:
    """Studies on file whose doses lie inside the claimed ones.

    The argument names an indication with another combination, whose doses are micrograms.
    """
    if case.argument:
        return _doses_apart(case)
    doses = [
        (number(study["dose_low_mg_per_day"]), number(study["dose_high_mg_per_day"]))
        for study in _with_a_dose(case)
    ]
    total, span = len(doses), case.claimed(ci_low="low", ci_high="high")
    if "low" not in span:
        claimed = number(case.claim["estimate"])
        using = sum(low <= claimed <= high for low, high in doses)
        outcome = "most" if using else "few"
        return case.answer(outcome, "single", claimed=claimed, using=using, total=total)
    first(doses, "a study that states a dose")
    inside = sum(span["low"] <= low and high <= span["high"] for low, high in doses)
    return case.answer(
        "all" if inside == total else "most" if 2 * inside >= total else "few",
        "range",
        **span,
        inside=inside,
        total=total,
        most=max(high for _, high in doses),
    )


def _doses_apart(case: Case) -> Finding:
    """Doses of an indication apart, in micrograms a day, beside those that a claim lists."""
    claimed = {float(printed) for printed in case.printed}
    used = _micrograms(case, case.argument)
    fitting = [label for label, doses in used.items() if set(doses) <= claimed]
    k = number(case.claim["k"])
    outcome = "all" if len(fitting) == k else "most"
    return case.answer(
        outcome if fitting else "few",
        "apart",
        fitting=len(fitting),
        least=min(claimed),
        most=max(claimed),
        k=k,
        names=listed(fitting),
    )


@computes(
    "dose by weight",
    outcomes="all some none slip",
    says="doses slip",
    gives="weight low high day_low day_high trials inside below least most names same",
    words="indication",
    numbers="weight",
)
def dose_by_weight(case: Case) -> Finding:
    """A dose by body weight against the doses of the trials of an indication apart."""
    weight = case.rule.numbers["weight"]
    low, high = number(case.claim["ci_low"]), number(case.claim["ci_high"])
    day_low, day_high = low * weight, high * weight
    doses = _micrograms(case, case.rule.words["indication"])
    used = {label: max(of_trial) for label, of_trial in doses.items()}
    inside = [label for label, dose in used.items() if day_low <= dose <= day_high]
    below = [dose for dose in used.values() if dose < day_low]
    # The numbers per kg are those that trials gave a day to a whole person.
    same = [label for label, of_trial in doses.items() if of_trial == (low, high)]
    outcome = "all" if len(inside) == len(used) else "some" if inside else "none"
    return case.answer(
        "slip" if same else outcome,
        *(["slip"] if same else []),
        "doses",
        same=listed(same),
        weight=weight,
        low=low,
        high=high,
        day_low=day_low,
        day_high=day_high,
        trials=len(used),
        inside=len(inside),
        below=len(below),
        least=min(below, default=math.nan),
        most=max(below, default=math.nan),
        names=listed(inside),
    )


def _micrograms(case: Case, indication_id: str) -> dict[str, tuple[float, float]]:
    """Lowest and highest dose a day of the randomised trials of an indication."""
    return {
        str(study["label"]): (
            round(number(study["dose_low_mg_per_day"]) * MICROGRAMS_PER_MG, 6),
            round(number(study["dose_high_mg_per_day"]) * MICROGRAMS_PER_MG, 6),
        )
        for study in case.material.randomised(indication_id)
        if study["dose_high_mg_per_day"] is not None
    }
