"""For all tests: no test depends on time, and a skip is no pass where all is required."""

import os

import pytest
from hypothesis import settings

# Tests run side by side (make test); threads of BLAS inside each would only get in the way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No deadline: a busy machine is no bug. In CI the same examples each time, so that a pull request
# is judged by its change; elsewhere new ones, so that new faults are found.
settings.register_profile("project", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("project")


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
