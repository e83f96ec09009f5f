"""Pages of the real evidence, each opened once by a process however many tests ask."""

from dataclasses import replace
from functools import cache

import pytest


@pytest.fixture(scope="session")
def opened_once():
    """The page of a function of ``lm`` and its choices; what is computed on it stays."""
    import ldn_meta as lm

    @cache
    def opened(name, **choices):
        return getattr(lm, name)(**choices)

    return opened


@pytest.fixture(scope="session")
def effect_page(opened_once):
    return opened_once("pooled_effect", indication="fibromyalgia")


@pytest.fixture(scope="session")
def dose_page():
    """The page of a smaller trial: every course that it can take is counted in no time."""
    import ldn_meta as lm
    from ldn_meta.evidence.answer.dose import DoseReadings

    page = lm.dose(trials=400)
    smaller = {"people": 13, "responders": 6, "changes": 4, "pairs": 3}
    page.trial = replace(page.trial, **smaller)
    page.readings = DoseReadings(page.trial, page.readings.choices, **page.parameters)
    return page
