"""Pinned answers of R, and metafor's words for our options."""

import json
from functools import cache
from pathlib import Path

import numpy as np

REFERENCE = Path(__file__).parent / "reference"

# metafor's word -> ours
TAU2_METHODS = {
    "EE": "common",
    "DL": "dl",
    "HE": "he",
    "HS": "hs",
    "SJ": "sj",
    "ML": "ml",
    "REML": "reml",
    "EB": "eb",
    "PM": "pm",
}
CI_METHODS = {"z": "wald", "knha": "knapp-hartung", "adhoc": "knapp-hartung-floored"}

# Closed forms differ by rounding only: worst seen 1e-13, and 1e-9 for regression on a raw year,
# where metafor inverts a matrix of condition 1e11 and we do not.
CLOSED_FORM = 1e-8
# metafor stops iterating when a step is small: worst seen 3e-12 in pools and 2e-9
# in Q-profile bounds at the tightest settings it takes.
ITERATED = 1e-6
ITERATED_METHODS = ("ml", "reml", "eb", "pm")
# metafor stops at tau2 = 1e-15 where the answer is the boundary 0.
TAU2_ZERO = 1e-12


@cache
def reference(name):
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


def generic_sets():
    """The ten data sets of metafor_reference.json that have yi and vi."""
    return reference("metafor_reference")["generic"]


def designs():
    """Every pinned design with effect sizes: (name, record)."""
    pinned, edges = reference("metafor_reference"), reference("effects_reference")
    for section in ("two_by_two", "proportions", "means", "paired", "rates"):
        for record in pinned[section]:
            yield record["name"], record
        yield f"edge cases, {section}", edges[section]
    for record in reference("dependent_reference")["designs"]:
        yield record["name"], record


def numbers_of(values):
    """R's null is our NaN."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def relative_difference(ours, theirs):
    """The largest |ours / theirs - 1|, absolute where theirs is 0; NaN must meet NaN."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    known = ~np.isnan(theirs)
    scale = np.where(theirs == 0, 1.0, np.abs(theirs))[known]
    return float(np.max(np.abs(ours[known] - theirs[known]) / scale, initial=0.0))


def tolerance(tau2_method):
    return ITERATED if tau2_method in ITERATED_METHODS else CLOSED_FORM


def assert_close(ours, theirs, rtol, what, atol=0.0, may_lack=0):
    """Compare; metafor may have failed on at most `may_lack` of the values."""
    ours, theirs = np.atleast_1d(ours), numbers_of(np.atleast_1d(theirs))
    assert ours.shape == theirs.shape, what
    there = ~np.isnan(theirs)
    assert theirs.size - there.sum() <= may_lack, what
    np.testing.assert_allclose(ours[there], theirs[there], rtol=rtol, atol=atol, err_msg=what)
