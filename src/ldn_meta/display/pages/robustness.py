"""Page 50: how fragile the main answer is, in the order a sceptic asks."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ldn_meta.display.outputs import Facts, Table, Text, rows_of
from ldn_meta.display.pages.effect import EffectPage, pool_facts
from ldn_meta.display.pages.effect_words import bayes_facts, benefit, crossing
from ldn_meta.display.pages.page import BY_PROTOCOL, Opened, open_page
from ldn_meta.display.words import (
    MEASURES,
    agree,
    capitalised,
    count,
    estimate_with_interval,
    fixed,
    people,
    percent,
    share_words,
    shown,
)
from ldn_meta.evidence.answer.answer import BETTER, INSIDE, WORSE, smallest_size
from ldn_meta.evidence.answer.multiverse import (
    Multiverse,
    node_table,
    summary,
)
from ldn_meta.evidence.answer.pools import has_unknown_sign
from ldn_meta.evidence.effects.rows import RATIO_MEASURES
from ldn_meta.stats.small_study import ENOUGH_TRIALS

if TYPE_CHECKING:
    import pandas as pd

    from ldn_meta.display.outputs import FigureOutput
    from ldn_meta.evidence.answer.pools import Pool
    from ldn_meta.stats.sequential import SequentialLook


def without_each_table(page: RobustnessPage) -> Table:
    """The pool without each trial in turn."""
    import pandas as pd

    pool = page.effect.pool
    rows = []
    if pool is not None and len(page.without_each_frame):
        measure = pool.key["measure"]
        r = pool.result
        rows.append(
            {
                "left out": "none",
                "trials": str(len(pool.trials)),
                "effect (95% CI)": estimate_with_interval(
                    r.estimate, r.ci_low, r.ci_high, measure=measure
                ),
            }
        )
        rows += [
            {
                "left out": row["label"],
                "trials": str(row["k"]),
                "effect (95% CI)": estimate_with_interval(
                    row["estimate"], row["ci_low"], row["ci_high"], measure=measure
                ),
            }
            for row in rows_of(page.without_each_frame)
        ]
    return Table(
        pd.DataFrame(rows),
        "Without each trial in turn",
        "Methods by the number of trials that are left, as the protocol states.",
        "Fewer than two trials: there is none to leave out.",
    )


def nodes_table(page: RobustnessPage) -> Table:
    """Every choice, its options, and how much it moves the answer."""
    import pandas as pd

    rows = []
    if page.found is not None:
        measure = page.found.measure
        for row in rows_of(page.node_frame):
            share = float(row["share_explained"])
            (alone,) = shown((row["farthest"],), measure=measure)
            moves = abs(float(row["shift"])) > 0
            rows.append(
                {
                    "choice": row["node"],
                    "options, the protocol's first": row["options"],
                    "of the variance": percent(share) if math.isfinite(share) else "none",
                    "changed alone": f"{fixed(alone)} ({row['farthest_option']})"
                    if moves
                    else "nothing moves",
                    "verdict turns": "yes" if row["changes_verdict"] else "no",
                    "why answers differ": row["reason"],
                }
            )
    return Table(
        pd.DataFrame(rows),
        "Choices, and what each does to the answer",
        "Of the variance: share of the variance of all estimates that the options of this choice "
        "explain; the rest is other choices and choices together. Changed alone: the estimate "
        "farthest from the protocol's own when nothing else changes. Choices and reasons: "
        "data/raw/protocol.toml; one more needs no code.",
        "No trial gives an effect under any choice.",
    )


SHORT = {
    BETTER: "wholly on the side of LDN",
    WORSE: "wholly on the side of the comparator",
    INSIDE: "wholly inside the region of equivalence",
}


def verdict(pool: Pool) -> str:
    """Say what the main interval says of no difference."""
    return crossing(pool)


def unit(measure: str, unit_of_pool: str) -> str:
    """Name what the estimates are, for an axis."""
    words = MEASURES[measure]
    return words if measure in RATIO_MEASURES else f"{words}, {unit_of_pool}"


def sides(page: EffectPage) -> tuple[str, str]:
    """Words for the left and the right of no effect."""
    if page.pool is not None and has_unknown_sign(page.pool):
        return ("negative as printed", "positive as printed")
    found = ("favours LDN", f"favours {page.comparator_class}")
    sign = page.opened.derived.evidence.outcomes
    own = sign.loc[sign["construct"] == page.construct, "benefit_sign"].iloc[0]
    if own != own:
        return ("lower with LDN", "higher with LDN")
    return found if own < 0 else (found[1], found[0])


def answer(page: RobustnessPage) -> str:
    """What would change the answer, in the order a sceptic asks."""
    pool = page.effect.pool
    if pool is None:
        return (
            "There is no result to be shaken: no trial gave an effect with its uncertainty. What "
            "the reports tell without one stands on the page of results without pooling."
        )
    parts = [f"The main answer: {crossing(pool)}.", _one_trial(page, pool)]
    if page.choices is not None:
        parts.append(_choices_short(page))
    if page.effect.bayes_result is not None and math.isfinite(
        benefit(page.effect.bayes_result, pool)
    ):
        chance = percent(benefit(page.effect.bayes_result, pool))
        parts.append(
            "With a prior for the spread between trials, the probability that LDN is better on "
            f"average is {chance}."
        )
    if page.look is not None:
        parts.append(_looked(page))
    parts.append(next_trial(page))
    return " ".join(part for part in parts if part)


def _one_trial(page: RobustnessPage, pool: Pool) -> str:
    if len(pool.trials) == 1:
        return "It rests on one trial, so nothing has tested it yet."
    frame = page.without_each_frame
    main = _side(float(pool.result.ci_low), float(pool.result.ci_high))
    turned = [
        row["label"]
        for row in frame.to_dict("records")
        if _side(row["ci_low"], row["ci_high"]) != main
    ]
    measure = pool.key["measure"]
    low, high = shown((frame["estimate"].min(), frame["estimate"].max()), measure=measure)
    moved = f"Without each trial in turn the estimate runs from {fixed(low)} to {fixed(high)}"
    if not turned:
        return f"{moved}, and the interval says the same of no difference each time."
    return f"{moved}; without {' or '.join(turned)} the interval would say otherwise."


def _choices_short(page: RobustnessPage) -> str:
    c = page.choices
    if c is None:
        return ""
    if c["results"] == 1:
        return (
            f"All {c['analyses']:,} combinations of the choices in the protocol give the same "
            "result."
        )
    most = {
        "includes no difference": c["either_way"],
        "lies on the side of LDN": c["favours_treatment"],
        "lies on the side of the comparator": c["favours_comparator"],
    }
    words = max(most, key=lambda name: most[name])
    if page.effect.pool is not None and has_unknown_sign(page.effect.pool):
        words = words if words == "includes no difference" else "excludes no difference"
    return (
        f"Over {c['analyses']:,} combinations of defensible choices "
        f"({count(c['results'], 'distinct result')}) the interval {words} in "
        f"{_share(max(most.values()))} of those with a result."
    )


def choices(page: RobustnessPage) -> str:
    """Where all analyses end up, and which choice moves them most."""
    c = page.choices
    if c is None or page.found is None:
        return "No trial gives an effect under any choice."
    measure = page.found.measure
    low, middle, high = shown((c["lowest"], c["median"], c["highest"]), measure=measure)
    parts = [_choices_short(page)]
    if c["results"] > 1:
        parts.append(
            f"The estimates run from {fixed(low)} to {fixed(high)}, half of them at or below "
            f"{fixed(middle)}."
        )
    if c["without_result"]:
        parts.append(
            f"{percent(c['without_result'] / c['analyses'])} of the combinations leave no trial "
            "with an effect."
        )
    has_sides = page.effect.pool is None or not has_unknown_sign(page.effect.pool)
    if math.isfinite(c["beyond_mid"]) and has_sides:
        parts.append(
            f"An estimate of at least the minimal important difference ({c['mid']:g}) in favour "
            f"of LDN comes out in {_share(c['beyond_mid'])}; an interval that reaches it, in "
            f"{_share(c['ci_beyond_mid'])}."
        )
    top = page.node_frame.iloc[0]
    if top["share_explained"] > 0:
        parts.append(
            f'The choice that moves the estimates most: "{top["node"]}" '
            f"({_share(float(top['share_explained']))} of their variance)."
        )
    idle = int((page.node_frame["share_explained"].fillna(0.0) == 0).sum())
    if c["results"] > 1 and idle:
        parts.append(f"{capitalised(agree(idle, 'choice moves', 'choices move'))} none of them.")
    parts.append("Shares count choices; they are no probabilities.")
    return " ".join(parts)


def _looked(page: RobustnessPage) -> str:
    look = page.look
    if look is None:
        return ""
    last = {
        "effect (positive)": "crosses the boundary",
        "effect (negative)": "crosses the boundary",
        "futility": "is below the bound at which looking for such an effect is futile",
        "none": "crosses no boundary",
        "not defined": "has no boundary to cross",
    }[look.crossed[-1]]
    fraction = float(look.information_fraction[-1])
    reached = f"{percent(fraction)} of the information needed"
    measure = page.effect.pool.key["measure"] if page.effect.pool is not None else ""
    effect = fixed(shown((look.minimal_effect,), measure=measure)[0])
    return (
        f"Held against boundaries that allow for looking after every trial, {reached} to find "
        f"an effect of {effect} ({MEASURES[measure]}) is there, and the last look {last}."
    )


def sequential(page: RobustnessPage) -> str:
    """What the boundaries say, look by look."""
    look = page.look
    if look is None:
        pool = page.effect.pool
        if pool is None or len(pool.trials) < 2:
            return "Fewer than two trials: there is no second look."
        return (
            "No minimal important difference is stated for this outcome, so there is no effect "
            "to size the information for."
        )
    steps = "; ".join(
        f"after {label}: Z = {fixed(z)}, boundary "
        f"{fixed(bound) if math.isfinite(bound) else 'not defined'}"
        for label, z, bound in zip(look.labels, look.z, look.boundary, strict=True)
    )
    needed = (
        f" About {look.required_people:,.0f} people would be required"
        f" (spread between trials D2 = {fixed(look.diversity)})."
        if math.isfinite(look.required_people)
        else ""
    )
    notes = f" Noted: {'; '.join(look.notes)}." if look.notes else ""
    return f"{_looked(page)} {capitalised(steps)}.{needed}{notes}"


def next_trial(page: RobustnessPage) -> str:
    """How large the next trial would have to be to move the interval."""
    frame, pool = page.next_frame, page.effect.pool
    if pool is None or frame.empty:
        return ""
    if has_unknown_sign(pool):
        return "What the next trial could do is not worked out: which side is which is not known."
    if len(pool.trials) == 1:
        return (
            "What the next trial could do is not worked out: one trial does not tell how far "
            "trials lie apart."
        )
    enough = page.opened.protocol.next_probability
    sign = float(pool.trials["benefit_sign"].iloc[0])
    sayings = []
    for supposed, what in (
        ("the minimal important difference", BETTER),
        ("the pooled effect", BETTER),
        ("no effect", INSIDE),
    ):
        if supposed == "the pooled effect" and float(pool.result.estimate) * sign <= 0:
            # Nobody asks how a trial would show a benefit that is not supposed.
            continue
        if not ((frame["supposed"] == supposed) & (frame["what"] == what)).any():
            continue
        size = smallest_size(frame, supposed=supposed, what=what, probability=enough)
        least, most = int(frame["people"].min()), int(frame["people"].max())
        need = f"{size:,.0f} people" if math.isfinite(size) else f"not even {most:,} people"
        need += " or fewer" if size == least else ""
        verb = "keep" if _lies(pool, what) else "put"
        sayings.append(
            f"if its true effect is {supposed}, {need} {verb} the interval {SHORT[what]}"
        )
    if not sayings:
        return ""
    return f"One more trial, with {percent(enough)} probability: {'; '.join(sayings)}."


def _lies(pool: Pool, what: str) -> bool:
    """Whether the interval lies on the side of LDN already."""
    side = _side(float(pool.result.ci_low), float(pool.result.ci_high))
    return what == BETTER and side == float(pool.trials["benefit_sign"].iloc[0])


def small_studies(page: EffectPage) -> str:
    """Whether small-study effects can be looked at."""
    k = 0 if page.pool is None else len(page.pool.trials)
    if k >= ENOUGH_TRIALS:
        return f"{capitalised(count(k, 'trial'))}: enough to look for small-study effects."
    return (
        f"Funnel plot and tests of small-study effects need {count(ENOUGH_TRIALS, 'trial')}; the "
        f"pool has {count(k, 'trial')}, so nothing is shown. Whether trials were held back is "
        "judged on page 60."
    )


def _side(low: float, high: float) -> int:
    """-1 below no effect, 1 above, 0 across; 2 where there is no interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return 2
    return -1 if high < 0 else 1 if low > 0 else 0


def _share(value: float) -> str:
    """A share of analyses; one that is nearly nought or all is not written as if it were."""
    return {0.0: "none", 1.0: "all"}.get(value) or share_words(value)


WORTH_A_PANEL = 0.05


def cumulative_figure(page: RobustnessPage) -> FigureOutput | Text:
    """Draw the answer after each trial, by year of publication."""
    from ldn_meta.display.figures.cumulative import cumulative_output

    pool = page.effect.pool
    if pool is None:
        return Text("No trial gave an effect, so there is no answer to follow.")
    measure = pool.key["measure"]
    return cumulative_output(
        f"cumulative_{page.effect.construct}",
        page.cumulative_frame,
        direction=sides(page.effect),
        x_label=unit(measure, pool.key["unit"]),
        log_scale=measure in RATIO_MEASURES,
        title=_title(page, "the answer after each trial"),
    )


def sequential_figure(page: RobustnessPage) -> FigureOutput | Text:
    """Draw cumulative Z against its boundaries."""
    import pandas as pd

    from ldn_meta.display.figures.sequential import sequential_output

    look = page.look
    if look is None:
        return Text("There is nothing to draw.")
    design = page.effect.answer.design
    if design is None:
        upper = (look.information_fraction, look.boundary)
        inner = None
    else:
        upper = (design.information_fraction, design.boundary)
        inner = (design.information_fraction, design.futility)
    return sequential_output(
        f"sequential_{page.effect.construct}",
        pd.DataFrame({"label": look.labels, "fraction": look.information_fraction, "z": look.z}),
        boundary=upper,
        futility=inner,
        direction=sides(page.effect),
        ris_people=look.required_people,
        remarks=[
            f"Effect looked for: {look.minimal_effect:g}, two-sided error {percent(look.alpha)}, "
            f"power {percent(look.power)}. A look back: boundaries hold for looks planned "
            "beforehand."
        ],
        title=_title(page, "trial sequential look"),
    )


def next_trial_figure(page: RobustnessPage) -> FigureOutput | Text:
    """Draw where the interval could lie with one more trial."""
    from ldn_meta.display.figures.next_trial import next_trial_output

    pool = page.effect.pool
    if pool is None or page.next_frame.empty or has_unknown_sign(pool) or len(pool.trials) == 1:
        return Text("There is nothing to draw.")
    measure = pool.key["measure"]
    frame = page.next_frame
    # A panel in which nothing can happen would be three empty axes.
    likeliest = frame.groupby("what")["probability"].transform("max")
    frame = frame[(frame["what"] != WORSE) | (likeliest >= WORTH_A_PANEL)]
    return next_trial_output(
        f"next_trial_{page.effect.construct}",
        frame.assign(what=frame["what"].map(page.told)),
        direction=sides(page.effect),
        unit_words="" if measure in RATIO_MEASURES else pool.key["unit"],
        log_scale=measure in RATIO_MEASURES,
        remarks=[
            "The new trial is as precise per person as the middle one on file; the spread between "
            "trials is estimated again with it."
        ],
        title=_title(page, "what one more trial could do"),
    )


def _title(page: RobustnessPage, what: str) -> str:
    return f"{capitalised(page.opened.label)}, {page.effect.outcome}: {what}"


LOOK = (
    *("labels", "minimal_effect", "alpha", "power", "estimate", "z", "diversity"),
    *("required_information", "required_people", "information_fraction", "boundary"),
    *("futility", "crossed", "inflation", "notes"),
)


def robustness_facts(page: RobustnessPage) -> dict[str, Any]:
    """Everything the sentences of the page state."""
    pool = page.effect.pool
    measure = "MD" if pool is None else pool.key["measure"]
    frame = page.without_each_frame
    return {
        "headline": str(page.headline),
        "sentence": str(page.sentence),
        "construct": page.effect.construct,
        "pool": pool_facts(pool),
        "without_each": [
            {**row, "shown_estimate": shown((row["estimate"],), measure=measure)[0]}
            for row in rows_of(frame)
        ],
        "bayes": bayes_facts(page.effect),
        "choices": _choices(page),
        "nodes": rows_of(page.node_frame.drop(columns="reason", errors="ignore")),
        "choices_sentence": choices(page),
        "sequential": None
        if page.look is None
        else {name: _plain(getattr(page.look, name)) for name in LOOK},
        "sequential_sentence": sequential(page),
        "cumulative": rows_of(page.cumulative_frame),
        "next_trial": rows_of(page.next_told),
        "next_enough": _sizes(page),
        "next_probability": page.opened.protocol.next_probability,
        "next_sentence": next_trial(page),
    }


def _choices(page: RobustnessPage) -> dict[str, Any] | None:
    if page.choices is None or page.found is None:
        return None
    names = ("lowest", "median", "highest")
    displayed = shown([page.choices[name] for name in names], measure=page.found.measure)
    return {
        **page.choices,
        **{f"shown_{name}": value for name, value in zip(names, displayed, strict=True)},
    }


def _sizes(page: RobustnessPage) -> dict[str, float | None]:
    """Smallest next trial for each supposed effect; None where no size tried is enough."""
    frame = page.next_frame
    if frame.empty:
        return {}
    found: dict[str, float | None] = {"largest tried": float(frame["people"].max())}
    for supposed in dict.fromkeys(frame["supposed"]):
        for what in (BETTER, INSIDE):
            size = smallest_size(
                frame,
                supposed=supposed,
                what=what,
                probability=page.opened.protocol.next_probability,
            )
            found[f"{supposed}: {page.told(what)}"] = size if math.isfinite(size) else None
    return found


def _plain(value: Any) -> Any:
    return (
        value.tolist()
        if hasattr(value, "tolist")
        else list(value)
        if isinstance(value, tuple)
        else value
    )


NOTEBOOK = "50_robustness"


class RobustnessPage:
    """What would change the answer to the main question of one condition."""

    def __init__(self, opened: Opened, construct: str) -> None:
        self.opened = opened
        self.effect = EffectPage(opened, construct)

    @property
    def headline(self) -> Text:
        """Condition, outcome and how much there is to be shaken."""
        e = self.effect
        start = f"**{capitalised(self.opened.label)}, {e.outcome}, robustness**"
        if e.pool is None:
            return Text(f"{start}: there is no result that could be fragile.")
        trials = count(len(e.pool.trials), "trial")
        return Text(f"{start}: {trials}, {people(e.pool.people)}; {verdict(e.pool)}.")

    @cached_property
    def sentence(self) -> Text:
        """What would change the answer, computed."""
        return Text(answer(self))

    @cached_property
    def without_each_frame(self) -> pd.DataFrame:
        """The pool without each trial in turn."""
        return self.effect.answer.without_each

    @property
    def without_each(self) -> Table:
        """The answer without each trial in turn: does one decide."""
        return without_each_table(self)

    @property
    def bayes(self) -> Table:
        """The posterior beside the pool: do few trials mislead the interval."""
        return self.effect.bayes

    @property
    def bayes_sentence(self) -> Text:
        """What the posterior says in words."""
        return self.effect.bayes_sentence

    @cached_property
    def found(self) -> Multiverse | None:
        """Every defensible analysis; None where no trial gives an effect under any choice."""
        return self.effect.answer.multiverse

    @cached_property
    def choices(self) -> dict[str, Any] | None:
        """Where the defensible analyses end up."""
        return None if self.found is None else summary(self.found, self.opened.protocol)

    @cached_property
    def node_frame(self) -> pd.DataFrame:
        """How much each choice moves the answer."""
        import pandas as pd

        return pd.DataFrame() if self.found is None else node_table(self.found)

    @property
    def choices_sentence(self) -> Text:
        """Where all defensible analyses end up: do choices decide."""
        return Text(choices(self))

    @property
    def curve(self) -> FigureOutput | Text:
        """Specification curve: all analyses, sorted, with the choices behind them."""
        from ldn_meta.display.figures.specification import specification_curve_output

        if self.found is None or self.choices is None:
            return Text("No trial gives an effect under any choice, so there is no curve.")
        return specification_curve_output(
            f"specification_curve_{self.effect.construct}",
            self.found,
            self.choices,
            direction=sides(self.effect),
            unit_words="" if self.found.measure in RATIO_MEASURES else self.found.unit,
            title=f"{capitalised(self.opened.label)}: {self.effect.outcome}, all analyses",
        )

    @property
    def nodes(self) -> Table:
        """Which choice moves the answer most."""
        return nodes_table(self)

    @cached_property
    def look(self) -> SequentialLook | None:
        """Boundaries that allow for looking repeatedly; None without two trials or a MID."""
        return self.effect.answer.look

    @property
    def sequential_sentence(self) -> Text:
        """What the boundaries say: was it called too early."""
        return Text(sequential(self))

    @property
    def sequential(self) -> FigureOutput | Text:
        """Cumulative Z against its boundaries."""
        return sequential_figure(self)

    @cached_property
    def cumulative_frame(self) -> pd.DataFrame:
        """The answer after each trial."""
        return self.effect.answer.over_time

    @property
    def cumulative(self) -> FigureOutput | Text:
        """The answer after each trial, drawn."""
        return cumulative_figure(self)

    @cached_property
    def next_frame(self) -> pd.DataFrame:
        """Where the interval could lie with one more trial."""
        return self.effect.answer.next_trials

    @property
    def next_told(self) -> pd.DataFrame:
        """The same with what the treatment is called."""
        frame = self.next_frame
        return frame if frame.empty else frame.assign(what=frame["what"].map(self.told))

    def told(self, what: str) -> str:
        """Say where an interval lies with what the treatment is called."""
        label = self.opened.derived.evidence.review.label
        return what.replace("side of treatment", f"side of {label}")

    @property
    def next_trial(self) -> FigureOutput | Text:
        """What the next trial could do, drawn."""
        return next_trial_figure(self)

    @property
    def next_sentence(self) -> Text:
        """How large the next trial would have to be."""
        return Text(next_trial(self))

    @property
    def small_studies(self) -> Text:
        """Whether small studies tell another story."""
        return Text(small_studies(self.effect))

    @cached_property
    def facts(self) -> Facts:
        """Everything the sentences state, as numbers."""
        return self.opened.facts(**robustness_facts(self))

    def footer(self) -> Table:
        """Provenance."""
        return self.opened.footer()


def robustness(*, indication: str, construct: str = BY_PROTOCOL) -> RobustnessPage:
    """Open page 50 of an indication.

    Parameters
    ----------
    indication : str
        Key in ``indications.csv``.
    construct : str
        Outcome construct; the indication's main one by default.

    Returns
    -------
    RobustnessPage

    Raises
    ------
    ArgumentError
        If the indication is unknown.
    """
    opened = open_page(NOTEBOOK, indication=indication)
    opened.parameters["construct"] = construct
    return RobustnessPage(opened, construct)
