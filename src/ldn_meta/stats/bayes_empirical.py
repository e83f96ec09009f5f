"""Priors for the spread between trials that were fitted to the Cochrane Database.

Both papers state distributions of tau2; they are halved here, on the log scale, for tau. Only
drug trials are kept: against placebo or control, and against another drug. The numbers are those
that two packages copied from the tables independently (bayesmeta, rnmamod; they agree in every
cell kept here); the tables themselves were not seen.

* Turner, Jackson, Wei, Thompson and Higgins 2015, Statistics in Medicine 34:984-998, doi
  10.1002/sim.6381, Table IV, and page 993 for outcomes of any kind: log odds ratios. (It follows
  Turner and others 2012, International Journal of Epidemiology 41:818-827, doi
  10.1093/ije/dys041, on the same meta-analyses.)
* Rhodes, Turner and Higgins 2015, Journal of Clinical Epidemiology 68:52-60, doi
  10.1016/j.jclinepi.2014.08.012, Table 3 (neither respiratory disease nor cancer), and section
  3.3 for outcomes of any kind: standardised mean differences.
"""

from __future__ import annotations

from ldn_meta.stats.bayes_priors import LOG_NORMAL, LOG_T, TauPrior
from ldn_meta.stats.inputs import one_of

ANY = "any"
PLACEBO, DRUG = "placebo or control", "drug"
AGAINST = (PLACEBO, DRUG)
TURNER_TABLE = "Turner 2015, Table IV"
RHODES_TABLE = "Rhodes 2015, Table 3"
# Mean and SD of log tau2, against placebo or control; then against another drug.
TURNER = {
    ANY: ((-2.56, 1.74), (-2.56, 1.74)),
    "all-cause mortality": ((-3.95, 1.34), (-4.18, 1.41)),
    "obstetric outcome": ((-3.52, 1.74), (-3.75, 1.79)),
    "cause-specific mortality or major morbidity": ((-3.71, 1.74), (-3.95, 1.79)),
    "resource use or hospital stay": ((-2.34, 1.74), (-2.58, 1.79)),
    "surgical or device success": ((-2.14, 1.74), (-2.37, 1.79)),
    "withdrawal": ((-2.99, 1.74), (-3.23, 1.79)),
    "structure-related outcome": ((-2.71, 1.74), (-2.94, 1.79)),
    "general physical health": ((-2.29, 1.53), (-2.53, 1.58)),
    "adverse event": ((-1.87, 1.52), (-2.10, 1.58)),
    "infection or new disease": ((-2.49, 1.52), (-2.73, 1.58)),
    "signs or symptoms": ((-2.06, 1.51), (-2.29, 1.58)),
    "pain": ((-1.83, 1.52), (-2.06, 1.58)),
    "quality of life": ((-2.54, 1.54), (-2.78, 1.60)),
    "mental health": ((-2.12, 1.53), (-2.35, 1.60)),
    "biological marker": ((-1.77, 1.52), (-2.00, 1.58)),
    "subjective outcome": ((-2.70, 1.52), (-2.93, 1.58)),
}
_PHYSICAL = ((-3.16, 2.50), (-3.44, 2.44))
_DISEASE = ((-3.00, 2.50), (-3.27, 2.47))
# Location and scale of log tau2; one row of the table for several outcomes where they share it.
RHODES = {
    ANY: ((-3.44, 2.59), (-3.44, 2.59)),
    "obstetric outcome": ((-4.13, 2.34), (-4.40, 2.31)),
    "resource use or hospital stay": ((-2.55, 2.73), (-2.83, 2.70)),
    "structure-related outcome": ((-2.43, 2.50), (-2.70, 2.46)),
    "general physical health": _PHYSICAL,
    "adverse event": _PHYSICAL,
    "pain": _PHYSICAL,
    "quality of life": _PHYSICAL,
    "infection or new disease": _DISEASE,
    "signs or symptoms": _DISEASE,
    "mental health": ((-2.99, 2.16), (-3.27, 2.14)),
    "biological marker": ((-3.41, 2.83), (-3.68, 2.78)),
    "subjective outcome": ((-2.76, 2.58), (-3.03, 2.59)),
}


def turner_prior(outcome: str = ANY, *, against: str = PLACEBO) -> TauPrior:
    """Return the log-normal prior of tau for log odds ratios of drug trials.

    Parameters
    ----------
    outcome : str
        A key of `TURNER`, such as "pain"; "any" for outcomes of any kind.
    against : str
        "placebo or control", or "drug".

    Returns
    -------
    TauPrior

    Raises
    ------
    ArgumentError
        If there is no such row or column in the table.

    Examples
    --------
    >>> turner_prior("pain").words
    'log-normal, log tau at -0.915 with scale 0.76'
    """
    mean, sd = TURNER[one_of("outcome", outcome, tuple(TURNER))][_column(against)]
    source = f"{TURNER_TABLE}: {outcome}, drug against {against}"
    return TauPrior(LOG_NORMAL, scale=sd / 2.0, location=mean / 2.0, source=source)


def rhodes_prior(outcome: str = ANY, *, against: str = PLACEBO) -> TauPrior:
    """Return the log-t prior of tau, on five df, for standardised mean differences.

    Parameters
    ----------
    outcome : str
        A key of `RHODES`, such as "pain"; "any" for outcomes of any kind.
    against : str
        "placebo or control", or "drug".

    Returns
    -------
    TauPrior

    Raises
    ------
    ArgumentError
        If there is no such row or column in the table.

    Examples
    --------
    >>> rhodes_prior("pain").words
    'log-t, log tau at -1.58 with scale 1.25'
    """
    location, scale = RHODES[one_of("outcome", outcome, tuple(RHODES))][_column(against)]
    source = f"{RHODES_TABLE}: {outcome}, drug against {against}"
    return TauPrior(LOG_T, scale=scale / 2.0, location=location / 2.0, source=source)


def _column(against: str) -> int:
    return AGAINST.index(one_of("against", against, AGAINST))
