"""Effects as normalisation writes them, without raw tables behind them."""

import pandas as pd

ROW = {
    "indication_id": "headache",
    "study_id": "ames2001",
    "year": 2001.0,
    "kind": "contrast",
    "construct": "pain_intensity",
    "construct_label": "pain",
    "outcome_id": "pain",
    "domain": "benefit",
    "benefit_sign": -1.0,
    "direction": "not stated",
    "arm": "LDN",
    "comparator": "placebo",
    "comparator_class": "placebo",
    "timepoint_weeks": 12.0,
    "analysis_set": "intention to treat",
    "design": "parallel",
    "eligible_for": "contrast",
    "is_randomised": True,
    "blinding": "double-blind",
    "is_paired": False,
    "measure": "MD",
    "unit": "points (0-10)",
    "has_known_scale": True,
    "yi": -1.0,
    "vi": 0.25,
    "n_1": 50.0,
    "n_2": 50.0,
    "events_1": float("nan"),
    "events_2": float("nan"),
    "route_rank": 1,
    "is_approximate": False,
    "read_from": "full text",
    "is_transcribed": False,
    "is_preferred": True,
    "is_selected": True,
    "selected_why": "",
    "source_id": "paper",
    "locator": "Table 1",
    "notes": "none",
}


def effect_rows(*rows):
    """A frame of effects; each row states what differs from a plain one."""
    complete = []
    for place, row in enumerate(rows):
        whole = ROW | {"effect_id": f"effect-{place}"} | row
        whole.setdefault("trial_id", whole["study_id"])
        whole.setdefault("study_label", whole["study_id"])
        complete.append(whole)
    return pd.DataFrame(complete)
