"""Pages of the real evidence, each opened once by a process however many tests ask."""

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
