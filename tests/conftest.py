"""For all tests: what is expensive is made once, no test depends on time, a skip is no pass."""

import fcntl
import gc
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import settings

# Tests run side by side (make test); threads of BLAS inside each would only get in the way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: a busy machine is no bug. In CI the same examples each time, so that a pull request
# is judged by its change; elsewhere new ones, so that new faults are found.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
# `make test` shows each property with a quarter of the examples of `make test-all`.
settings.register_profile("quick", settings.get_profile("project"), max_examples=25)


def pytest_configure(config):
    is_quick = config.getoption("markexpr") == "not slow"
    settings.load_profile("quick" if is_quick else "project")


def _is_required():
    return os.environ.get("LDN_META_REQUIRE_ALL") == "1"


def _fail_instead(report):
    if report.skipped and _is_required() and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"LDN_META_REQUIRE_ALL=1 lets nothing be skipped. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return _fail_instead((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return _fail_instead((yield))


def pytest_collection_finish():
    """What is collected and imported stays: nobody need look through it for garbage again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite-golden", action="store_true", help="write the files of tests/golden again"
    )


@pytest.fixture
def golden(request):
    """Compare a text with a file of tests/golden, or write that file (make golden)."""

    def compare(name, text):
        file = Path(__file__).parent / "golden" / name
        if request.config.getoption("rewrite_golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.is_file(), f"tests/golden/{name} is missing: make golden"
        reviewed = file.read_text(encoding="utf-8").splitlines()
        assert text.splitlines() == reviewed, "if the new words are right: make golden"

    return compare


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """Make something once a run: the first process that asks makes it, the others read it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def get(name, make, *arguments):
        file = folder / f"{name}.pickle"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                file.write_bytes(pickle.dumps(make(*arguments)))
        return pickle.loads(file.read_bytes())

    return get


# The project is imported where it is needed: most tests of its shape need none of it.


@pytest.fixture(scope="session")
def raw_folder():
    from ldn_meta import files

    return files.raw_data()


@pytest.fixture(scope="session")
def evidence(once, raw_folder):
    """The whole of data/raw: that it loads is the first test of all."""
    from ldn_meta.evidence.load import load_evidence

    return once("evidence", load_evidence, raw_folder)


@pytest.fixture(scope="session")
def protocol(raw_folder):
    from ldn_meta.evidence.raw.protocol import load_protocol

    return load_protocol(raw_folder)


@pytest.fixture(scope="session")
def normalised(evidence, protocol):
    from ldn_meta.evidence.effects.effects import normalise

    return normalise(evidence, protocol)


@pytest.fixture(scope="session")
def effects(normalised):
    return normalised[0]


@pytest.fixture(scope="session")
def left_out(normalised):
    return normalised[1]


def _derive(evidence, protocol):
    from ldn_meta.evidence.derive import derive_tables
    from pool_calls import pool_calls

    with pool_calls() as pooled:
        return derive_tables(evidence, protocol), pooled


@pytest.fixture(scope="session")
def derivation(once, evidence, protocol):
    """The derived tables of the real evidence, and what was pooled on the way."""
    return once("derivation", _derive, evidence, protocol)


@pytest.fixture(scope="session")
def tables(derivation):
    return derivation[0]


@pytest.fixture
def build(tmp_path, raw_folder):
    """A builder of evidence from nothing."""
    from builders import Builder

    return Builder(tmp_path / "built", raw_folder)
