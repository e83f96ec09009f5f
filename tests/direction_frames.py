"""Frames of directions by hand: what figures without pooling are drawn from."""

import itertools
import math

import numpy as np
import pandas as pd

NAN = math.nan
WORDS = (
    "favours treatment",
    "partly favours treatment",
    "no difference",
    "conflicting",
    "partly favours comparator",
    "favours comparator",
    "not stated",
)
JUDGEMENTS = ("low", "some concerns", "high", "", "serious", "moderate", "critical", "unclear")
DESIGNS = ("parallel", "crossover", "fixed-order crossover", "cohort with controls")
LONG = "A study whose label is far too long for one line of a table and must be broken, number"


def result(study="smith2011", construct="clinical_response", **changes):
    """One row of a directions frame: a randomised trial whose estimate favours treatment."""
    return {
        "indication_id": "crohns_disease",
        "study_id": study,
        "study_label": study.capitalize(),
        "year": 2011.0,
        "design": "parallel",
        "eligible_for": "contrast",
        "is_randomised": True,
        "blinding": "double-blind",
        "comparator_class": "placebo",
        "construct": construct,
        "construct_label": construct.replace("_", " "),
        "domain": "benefit",
        "group": "response or remission",
        "direction": "favours treatment",
        "sign": 1.0,
        "sign_from": "printed shares of people",
        "p_low": 0.0085,
        "p_high": 0.0095,
        "p_printed": "p = 0.009",
        "n_people": 40.0,
        "is_paired": False,
        "overall_bias": "some concerns",
        "source_id": "smith2011",
        "locator": "Abstract",
        "rows": "contrasts:smith2011-response",
        **changes,
    }


def frame(*rows):
    return pd.DataFrame(list(rows), columns=list(result()))


def many(studies, outcomes=3, *, long_labels=False, seed=1):
    """As many studies as wanted, with every word, judgement, design and kind of p."""
    random = np.random.default_rng(seed)
    words, biases = itertools.cycle(WORDS), itertools.cycle(JUDGEMENTS)
    groups = ("pain", "impact and quality of life", "any adverse event", "other")
    rows = []
    for i in range(studies):
        bias, design = next(biases), DESIGNS[i % 4]
        people = NAN if i % 7 == 6 else float(random.choice([1, 12, 49, 50, 300, 301, 98765]))
        for j in range(outcomes):
            word = next(words)
            p = float(random.uniform(0.001, 1))
            low, high = [(p, p), (0.0, 0.05), (0.05, 1.0), (NAN, NAN)][random.integers(4)]
            rows.append(
                result(
                    f"study{i}",
                    f"outcome_{j}",
                    study_label=f"{LONG if long_labels else 'Author'} {1980 + i}",
                    year=1980.0 + i,
                    design=design,
                    blinding=["double-blind", "open", "not stated"][i % 3],
                    is_randomised=i % 4 < 2,
                    group=groups[j % 4],
                    direction=word,
                    sign={"favours treatment": 1.0, "favours comparator": -1.0}.get(word, NAN),
                    p_low=low,
                    p_high=high,
                    n_people=people,
                    is_paired=i % 4 in (1, 2),
                    overall_bias=bias,
                )
            )
    return frame(*rows)
