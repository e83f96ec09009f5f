"""Every single fault is refused, told by name, or changes nothing; none ends in a traceback."""

import pytest

from builders import cut_down, slow
from faults.battery import MISSED, TRACEBACK, Project, faults
from ldn_meta import files

SHARES = 12
LEAST = 700


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        # Put back when the tests of this file are done.
        patch.setenv("LDN_META_ROOT", str(root))
        yield Project(root, cut_down(files.kit() / "data" / "raw", root))


@pytest.fixture(scope="module")
def every(project):
    return faults(project.folder)


def test_there_are_enough_of_them(every):
    assert len(every) >= LEAST
    assert len({str(fault) for fault in every}) == len(every)


@pytest.mark.parametrize("share", [0, *map(slow, range(1, SHARES))])
def test_nothing_is_missed(project, every, share):
    found = [(fault, *project.outcome(fault)) for fault in every[share::SHARES]]
    bad = [f"{o}: {f} {words}" for f, o, words in found if o in (MISSED, TRACEBACK)]
    assert bad == []
