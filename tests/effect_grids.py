"""The pinned answers of R for effect sizes, as arrays."""

import json
from functools import cache
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).parent / "reference"


@cache
def reference(name):
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


def numbers_of(values):
    """R's null is our NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def designs():
    """Every pinned design with effect sizes: (name, record)."""
    pinned = reference("metafor_reference")
    for section in ("two_by_two", "proportions", "means", "paired", "rates"):
        for record in pinned[section]:
            yield record["name"], record
    edges = reference("effects_reference")
    for section in ("two_by_two", "proportions", "means", "paired", "rates"):
        yield f"edge cases, {section}", edges[section]


def relative_difference(ours, theirs):
    """The largest |ours / theirs - 1|, absolute where theirs is 0; NaN must meet NaN."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    known = ~np.isnan(theirs)
    scale = np.where(theirs == 0, 1.0, np.abs(theirs))[known]
    return float(np.max(np.abs(ours[known] - theirs[known]) / scale, initial=0.0))
