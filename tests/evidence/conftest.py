"""The real evidence, loaded once, and small sets of tables to compute by hand."""

import pytest

from builders import Builder
from ldn_meta import paths
from ldn_meta.evidence.derive import derive_tables
from ldn_meta.evidence.effects.effects import normalise
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.protocol import load_protocol


@pytest.fixture(scope="session")
def raw_folder():
    return paths.raw_data()


@pytest.fixture(scope="session")
def evidence(raw_folder):
    """The whole of data/raw: that it loads is the first test of all."""
    return load_evidence(raw_folder)


@pytest.fixture(scope="session")
def protocol(raw_folder):
    return load_protocol(raw_folder)


@pytest.fixture(scope="session")
def normalised(evidence, protocol):
    return normalise(evidence, protocol)


@pytest.fixture(scope="session")
def effects(normalised):
    return normalised[0]


@pytest.fixture(scope="session")
def left_out(normalised):
    return normalised[1]


@pytest.fixture(scope="session")
def tables(evidence, protocol):
    """The derived tables of the real evidence."""
    return derive_tables(evidence, protocol)


@pytest.fixture
def build(tmp_path, raw_folder):
    """A builder of evidence from nothing."""
    return Builder(tmp_path / "built", raw_folder)
