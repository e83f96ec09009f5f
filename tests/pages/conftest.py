"""Pages read the derived tables once a process."""

import functools

import pytest

from ldn_meta.evidence import derived


@pytest.fixture(scope="session", autouse=True)
def read_once():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("read_evidence", "_read"):
            patch.setattr(derived, name, functools.cache(getattr(derived, name)))
        yield
