"""Forked kernels beside plain ones: the same pages, the same failures, nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from ldn_meta.errors import NotebookError
from ldn_meta.pipeline import fork_server
from ldn_meta.pipeline import kernels as fork_kernels
from ldn_meta.pipeline import run as execution
from ldn_meta.pipeline.kernels import fixed_surroundings, plain_kernels
from ldn_meta.pipeline.notebooks import Job, default_parameters
from ldn_meta.pipeline.run import execute

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux")

CHECKOUT = Path(__file__).parents[2]
PAGE = "20_pooled_effect"
PAGES = {PAGE: "painful_diabetic_neuropathy", "93_printed_numbers": None}
# What a kernel could have from elsewhere: places to import from, surroundings, generators,
# settings of matplotlib, and a figure by pyplot, whose backend looks for the running kernel.
LOOK = """\
import os, random, signal, sys, warnings
import matplotlib, matplotlib.pyplot as plt
import numpy as np

hidden = {"JPY_PARENT_PID", "JPY_SESSION_NAME", "PYTEST_CURRENT_TEST"}
print(sys.path, os.getcwd(), sys.flags, hash("a"), signal.getsignal(signal.SIGTERM))
print({name: value for name, value in sorted(os.environ.items()) if name not in hidden})
print(dict(matplotlib.rcParams), np.geterr())
print([str(rule) for rule in warnings.filters if "__main__" in str(rule)])
plt.plot([1, 2])
"""
DIRTY = """\
import numpy as np, matplotlib, sys, os
print(getattr(np, "left_behind", "clean"), matplotlib.rcParams["lines.linewidth"])
print(np.random.random(3), os.getpid())
np.left_behind = "dirty"
matplotlib.rcParams["lines.linewidth"] = 9
"""
FAILURES = {
    "raises": "1 / 0",
    "dies": "import os\nos._exit(3)",
    "hangs": "import time\ntime.sleep(60)",
}


def cell(source, *, name, tags=()):
    return {
        **{"cell_type": "code", "execution_count": None, "id": name, "outputs": []},
        **{"metadata": {"tags": list(tags)}, "source": source},
    }


def processes_of(root):
    """Processes that were started for a checkout, those that have ended aside."""
    marker = f"LDN_META_ROOT={root}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = marker in (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if is_ours and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


class Checkout:
    """The data and pages of the real one, and cells of our own, in a folder of its own."""

    def __init__(self, root):
        self.root = root
        for name in ("data", "src", "requirements.lock"):
            (root / name).symlink_to(CHECKOUT / name)
        (root / "notebooks").mkdir()

    def page(self, notebook, indication):
        template = CHECKOUT / "notebooks" / f"{notebook}.ipynb"
        parameters = default_parameters(template)
        if indication:
            parameters["indication"] = indication
        return Job(
            indication or "overview",
            notebook,
            template,
            parameters,
            {"label": "it", "treatment": "it"},
        )

    def cells(self, name, source):
        notebook = {
            "cells": [
                cell("level = 1.0", name="parameters", tags=["parameters"]),
                cell(source, name="look"),
            ],
            "metadata": {"kernelspec": {"display_name": "x", "language": "python", "name": "x"}},
            **{"nbformat": 4, "nbformat_minor": 5},
        }
        template = self.root / "notebooks" / f"{name}.ipynb"
        template.write_text(json.dumps(notebook))
        return Job("own", name, template, {"level": 2.0}, {})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    root = tmp_path_factory.mktemp("forked") / "a {checkout} with space"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LDN_META_ROOT", str(root))
        yield Checkout(root)


@contextmanager
def opened(source):
    told = []
    with fixed_surroundings(), source(told.append) as kernel:
        yield kernel
    assert told == []


@pytest.fixture(scope="module")
def forked(checkout):
    """Name of the forked kernel; the server starts once for this file."""
    with opened(fork_kernels.forked_kernels) as kernel:
        yield kernel
    assert processes_of(checkout.root) == []


@pytest.fixture
def plain():
    with opened(plain_kernels) as kernel:
        yield kernel


@pytest.mark.parametrize(
    "notebook",
    # Another page is the same again: two kernels more.
    [PAGE, pytest.param("93_printed_numbers", marks=pytest.mark.slow)],
)
def test_pages_are_the_same_byte_for_byte(checkout, forked, plain, notebook):
    job = checkout.page(notebook, PAGES[notebook])
    ours, theirs = execute(job, kernel=forked), execute(job, kernel=plain)
    assert b"page.headline" in ours.page
    assert ours.page == theirs.page
    assert ours.outputs == theirs.outputs
    assert ours.stderr == theirs.stderr


def test_a_kernel_sees_what_a_plain_one_sees(checkout, forked, plain):
    job = checkout.cells("look", LOOK)
    ours, theirs = (
        json.loads(execute(job, kernel=kernel).page)["cells"][-1]["outputs"]
        for kernel in (forked, plain)
    )
    assert ours[0]["text"] == theirs[0]["text"]
    assert ours == theirs
    assert "image/png" in ours[-1]["data"]


def test_kernels_share_nothing(checkout, forked):
    job = checkout.cells("dirty", DIRTY)
    pages = [json.loads(execute(job, kernel=forked).page) for _ in range(2)]
    (first, one), (second, two) = (page["cells"][-1]["outputs"][0]["text"] for page in pages)
    assert first == second == "clean 1.5\n"
    assert one != two


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_told_the_same(checkout, forked, plain, monkeypatch, name):
    monkeypatch.setattr(execution, "CELL_SECONDS", 2)
    job = checkout.cells(name, FAILURES[name])
    messages = []
    for kernel in (forked, plain):
        with pytest.raises(NotebookError) as error:
            execute(job, kernel=kernel)
        messages.append(str(error.value))
    assert f"own/{name} failed in cell 'look': " in messages[0]
    assert messages[0] == messages[1]


def test_pages_import_next_to_nothing_after_the_fork(checkout, forked):
    """A library that pages came to need is imported before the fork, not in every kernel."""
    source = (
        "import gc, sys\nbefore = set(sys.modules)\nimport ldn_meta as lm\n"
        "page = lm.included_trials(indication='crohns_disease')\n"
        "page.flow, page.traffic_light, page.bias_summary, page.headline\n"
        "page = lm.pooled_effect(indication='fibromyalgia')\npage.forest, page.footer()\n"
        "print(len({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    page = json.loads(execute(checkout.cells("late", source), kernel=forked).page)
    assert int(page["cells"][-1]["outputs"][0]["text"][0]) <= 5, page


DRIVER = """\
from ldn_meta.pipeline import kernels
from ldn_meta.pipeline.cli import main

kernels.SERVER = "light_server"
main(["run", "headache"])
"""


def wait_for(what, *, seconds=60):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def temporary():
    """A folder with a name that is short enough for sockets."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda n: n.name)
def test_nothing_outlives_a_driver_that_is_stopped(derived, code, temporary, light_server, number):
    """Ctrl-C, which a terminal sends to the whole group, and the end nobody can prepare for."""
    derived.page(
        code("import pathlib, time\npathlib.Path('began').touch()\ntime.sleep(600)", name="wait")
    )
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER],
        start_new_session=True,
        # As a shell starts what runs in the background; Ctrl-C has to reach it all the same.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as driver:
        wait_for((derived.root / "began").exists)
        assert len(processes_of(derived.root)) == 3  # driver, server, kernel
        os.killpg(driver.pid, number)
        driver.wait(timeout=60)
    wait_for(lambda: not processes_of(derived.root), seconds=10)
    assert not (derived.root / "reports").exists()
    if number == signal.SIGINT:
        assert not list(temporary.iterdir())


def test_a_kernel_ends_with_a_server_that_is_killed(project, tmp_path, light_server):
    connection = tmp_path / "kernel.json"
    with fixed_surroundings(), fork_kernels.ForkServer() as server:
        server.wait_until_ready()
        server.fork(["ldn-kernel", "-f", str(connection)])
        wait_for(connection.exists)
        (_, kernel) = sorted(processes_of(project.root))
        for process in processes_of(project.root):
            if process != kernel:
                os.kill(process, signal.SIGKILL)
        wait_for(lambda: not processes_of(project.root), seconds=10)
        with pytest.raises(fork_kernels.ForkServerError, match="the fork server"):
            server.fork(["ldn-kernel"])


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("raise SystemExit(3)", "the fork server ended with status 3"),
        ("import time; time.sleep(60)", "the fork server did not answer within 0.5 s"),
    ],
)
def test_without_a_server_kernels_are_plain_and_one_line_says_why(
    project, monkeypatch, tmp_path, program, told
):
    (tmp_path / "no_server.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(fork_kernels, "SERVER", "no_server")
    monkeypatch.setattr(fork_kernels, "SECONDS_TO_START", 0.5)
    monkeypatch.setattr(fork_kernels, "SECONDS_TO_FORK", 0.5)
    lines = []
    with fixed_surroundings(), fork_kernels.forked_kernels(lines.append) as kernel:
        assert kernel == "python3"
    assert lines == [f"kernels cannot be forked, so each starts from nothing: {told}"]
    assert processes_of(project.root) == []


def test_a_server_says_why_it_is_not_ready(monkeypatch):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    monkeypatch.setattr(fork_server, "LIBRARIES", ("no_such_library",))
    monkeypatch.setattr(sys, "argv", ["server", str(theirs.detach())])
    monkeypatch.setattr(sys, "path", [*sys.path])
    with ours:
        fork_server.main()
        assert ours.recv(1000) == b"ModuleNotFoundError: No module named 'no_such_library'"
        assert ours.recv(1000) == b""


def test_forked_where_the_system_can_and_plain_on_request(monkeypatch):
    source = fork_kernels.kernel_source
    assert source() is (fork_kernels.forked_kernels if sys.platform == "linux" else plain_kernels)
    assert source("plain") is plain_kernels
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert source() is plain_kernels
    assert source("forked") is fork_kernels.forked_kernels
