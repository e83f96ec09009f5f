"""The checks of printed numbers: what each asks, and where it points."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One question put to printed numbers.

    Attributes
    ----------
    name : str
        As in `consistency.csv` and `corrections.yml`.
    asks : str
        The question, for readers.
    column : str
        The cell a fault points at.
    is_plausibility : bool
        Whether a bad answer is only unlikely; such findings have low severity.
    unit : str
        What a recomputed number counts; empty if it is of the kind that is printed.
    """

    name: str
    asks: str
    column: str
    is_plausibility: bool = False
    unit: str = ""


CHECKS = {
    check.name: check
    for check in (
        Check(
            "estimate inside interval",
            "Is the estimate inside its own interval?",
            "ci_low",
        ),
        Check(
            "estimate at centre",
            "Is the estimate in the middle of its interval (geometric for ratios)?",
            "ci_low",
        ),
        Check(
            "p against interval",
            "Does the p-value belong to the estimate and its interval (normal or t)?",
            "p_value",
        ),
        Check(
            "word against interval",
            "Does 'significant' or 'not significant' fit the interval?",
            "p_relation",
        ),
        Check(
            "p against statistic",
            "Does the p-value belong to the test statistic and its degrees of freedom?",
            "p_value",
        ),
        Check(
            "p against counts",
            "Can the p-value come from the counts of the two arms by any test of a 2x2 table?",
            "p_value",
        ),
        Check(
            "percentage of n",
            "Is the percentage a whole number of the people it is said to be of (GRIM)?",
            "percent",
        ),
        Check(
            "percentage of the arm",
            "Without a stated n: is the percentage a whole number of any number of people "
            "between the smallest and the largest size of the arm on file?",
            "percent",
            unit="people",
        ),
        Check(
            "percentages together",
            "Can percentages of one instrument, arm and time be of one number of people?",
            "percent",
            unit="people",
        ),
        Check(
            "NNT against percentages",
            "Does the number needed to treat belong to the percentages of the arms?",
            "estimate",
        ),
        Check(
            "difference of arms",
            "Is the difference what the two arms, or baseline and end, leave?",
            "estimate",
        ),
        Check(
            "SD against SE",
            "Is the SD the SE times the root of n?",
            "sd",
        ),
        Check(
            "SD against interval",
            "Does the SD belong to the interval of the same mean?",
            "sd",
        ),
        Check(
            "SD on its scale",
            "Can scores on this scale have this mean and this SD?",
            "sd",
        ),
        Check(
            "SD or SE",
            "Are two means implausibly many SDs apart, as if an SE stood for an SD?",
            "sd",
            is_plausibility=True,
        ),
        Check(
            "mean of whole scores",
            "Is the mean possible for whole-number scores of n people (GRIM)?",
            "mean",
            is_plausibility=True,
        ),
        Check(
            "standardised difference",
            "Is the standardised difference the difference over a printed SD?",
            "estimate",
            is_plausibility=True,
        ),
        Check(
            "parts and total",
            "Do arms or sequences add up to the total?",
            "value",
            unit="people",
        ),
        Check(
            "people in order",
            "Are no more people analysed or completed than began?",
            "n",
            unit="people",
        ),
        Check(
            "source against source",
            "Does another source state the same fact with the same value?",
            "as_reported",
        ),
    )
}
