"""Directions as the derived table has them, without raw tables behind them."""

import pandas as pd

ROW = {
    "indication_id": "headache",
    "year": 2001.0,
    "design": "parallel",
    "eligible_for": "contrast",
    "is_randomised": True,
    "comparator_class": "placebo",
    "construct": "pain_intensity",
    "group": "pain",
    "direction": "not stated",
    "sign": 1.0,
    "sign_from": "printed MD of -1",
    "known_by": "printed numbers",
    "p_low": float("nan"),
    "p_high": float("nan"),
    "p_printed": "NR",
    "n_people": 100.0,
    "blinding": "double-blind",
}


def direction_rows(*rows):
    """A frame of directions; each row names its study and states what differs from a plain one."""
    complete = []
    for row in rows:
        whole = ROW | row
        whole.setdefault("study_id", whole["study_label"])
        whole.setdefault("trial_id", whole["study_id"])
        complete.append(whole)
    columns = [*ROW, "study_label", "study_id", "trial_id"]
    return pd.DataFrame(complete, columns=columns)
