"""Where kernels come from, and the surroundings that make them give the same bytes."""

from __future__ import annotations

import functools
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from papermill.engines import NBClientEngine, papermill_engines

from ldn_meta import files
from ldn_meta.files import write_whole
from ldn_meta.pipeline.fork_server import LONGEST_MESSAGE, READY

NAME = "ldn-meta"


class SavingAtTheEnd(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Saves once, when the notebook has ended, well or badly: 50 times were a sixth of a page."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Execute the cells; the caller saves what came of it."""
        path, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = path


papermill_engines.register(NAME, SavingAtTheEnd)


class ForkedProcess:
    """A process that is not our child, as ``subprocess.Popen`` would show it.

    Its exit status is known to its parent only; Jupyter asks no more than whether it has ended.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._descriptor = descriptor

    def poll(self) -> int | None:
        """Return 0 once the process has ended, None before."""
        return self._ended_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end."""
        if self._ended_within(None if timeout is None else timeout * 1000) is None:
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0.0)
        return 0

    def send_signal(self, number: int) -> None:
        """Send a signal to the process, never to another that got its number."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._descriptor, number)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    def _ended_within(self, milliseconds: float | None) -> int | None:
        if self.returncode is None:
            poller = select.poll()
            poller.register(self._descriptor, select.POLLIN)
            if poller.poll(milliseconds):
                os.close(self._descriptor)
                self.returncode = 0
        return self.returncode


class ForkedProvisioner(LocalProvisioner):
    """Starts kernels by asking a fork server."""

    def __init__(self, *, server: ForkServer, **options: Any) -> None:
        super().__init__(**options)
        self._server = server

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start a kernel; its surroundings and folder are those of the server."""
        process = ForkedProcess(*self._server.fork(cmd))
        self.process = cast("subprocess.Popen[bytes]", process)
        self.pid = self.pgid = process.pid
        self.cwd = Path.cwd()
        return self.connection_info


# Opened once around a run, with a function to tell people things; gives the name of the kernel
# that papermill is to start. Another one is in fork_kernels.py.
KernelSource: TypeAlias = Callable[[Callable[[str], None]], AbstractContextManager[str]]


@contextmanager
def plain_kernels(tell: Callable[[str], None]) -> Iterator[str]:
    """Start a new Python process for every notebook."""
    yield "python3"


@contextmanager
def fixed_surroundings() -> Iterator[None]:
    """Run kernels in the checkout, with the same environment on every machine.

    Process-wide, because papermill's own ``cwd`` is not safe in threads.
    """
    before_folder, before = Path.cwd(), dict(os.environ)
    # papermill warns of parameters whose annotation it cannot read; ours are checked before.
    level = logging.getLogger("papermill").level
    logging.getLogger("papermill").setLevel(logging.ERROR)
    os.environ.update(_environment())
    os.chdir(files.project_root())
    try:
        yield
    finally:
        logging.getLogger("papermill").setLevel(level)
        os.chdir(before_folder)
        os.environ.clear()
        os.environ.update(before)


def own_kernels() -> Path:
    """Folder where Jupyter looks for kernels of ours before it looks in the environment."""
    return files.build() / "kernels"


def _environment() -> dict[str, str]:
    build = files.build()
    one_thread = dict.fromkeys(
        ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
        "1",
    )
    return {
        **one_thread,  # the order of a sum depends on the number of threads
        "PYTHONHASHSEED": "0",
        # Where this is set, every kernel compiles every library again (8 s).
        "PYTHONDONTWRITEBYTECODE": "",
        "SOURCE_DATE_EPOCH": "1577836800",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "LDN_META_ROOT": str(files.project_root()),
        # The reader's own start-up files and kernels stay out.
        "PYTHONNOUSERSITE": "1",
        "MPLCONFIGDIR": str(build / "mpl"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(build / "ipython"),
        "JUPYTER_CONFIG_DIR": str(build / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(build / "jupyter" / "runtime"),
        "JUPYTER_PATH": f"{own_kernels()}{os.pathsep}{Path(sys.prefix) / 'share' / 'jupyter'}",
    }


NAME_FORK_KERNELS = "ldn-forked"
SERVER = "ldn_meta.pipeline.fork_server"
# Importing takes 3 s on an idle machine, forking nothing.
SECONDS_TO_START = 120.0
SECONDS_TO_FORK = 30.0


class ForkServerError(RuntimeError):
    """A fork server that cannot give a kernel."""


def kernel_source(name: str | None = None) -> KernelSource:
    """Return kernels by name; without a name the fastest that this system has."""
    can_fork = sys.platform == "linux" and hasattr(os, "pidfd_open")
    return SOURCES[name or ("forked" if can_fork else "plain")]


@contextmanager
def started_ahead(kernels: KernelSource) -> Iterator[KernelSource]:
    """Let a fork server import while the caller does something else before the notebooks."""
    with ExitStack() as stack:
        if kernels is forked_kernels:
            with fixed_surroundings(), suppress(OSError):  # told when kernels are wanted
                server = stack.enter_context(ForkServer())
                kernels = functools.partial(forked_kernels, server=server)
        yield kernels


@contextmanager
def forked_kernels(
    tell: Callable[[str], None], *, server: ForkServer | None = None
) -> Iterator[str]:
    """Fork the kernel of every notebook from a process that has imported what pages import."""
    with ExitStack() as stack:
        try:
            server = server or stack.enter_context(ForkServer())
            # papermill, here, because the server is importing as well.

            server.wait_until_ready()
        except (ForkServerError, OSError) as error:
            tell(f"kernels cannot be forked, so each starts from nothing: {error}")
            name = stack.enter_context(plain_kernels(tell))
        else:
            name = stack.enter_context(_known_to_jupyter(server))
        yield name


class ForkServer:
    """The driver's end of a fork server; closes it on leaving."""

    def __init__(self) -> None:
        # One message a packet; no name in any folder, and closed by the system if we are killed.
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = threading.Lock()
        self._is_ready = False
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", SERVER, str(other.fileno())],
                pass_fds=[other.fileno()],
                # As Jupyter does; what a library of C set behind Python's back stays out.
                env=dict(os.environ),
                stdin=subprocess.DEVNULL,
                # Ctrl-C is for us: we end it in our own time.
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Wait for the end of its imports."""
        answer, _ = self._answer(SECONDS_TO_START)
        if answer != READY:
            message = answer.decode(errors="replace")
            raise ForkServerError(message)
        self._is_ready = True

    def fork(self, command: list[str]) -> tuple[int, int]:
        """Make a kernel; safe in threads."""
        with self._turn:
            try:
                self._socket.send("\0".join(command).encode())
            except OSError as error:
                message = f"the fork server is gone: {error}"
                raise ForkServerError(message) from error
            answer, descriptors = self._answer(SECONDS_TO_FORK)
        return int(answer), descriptors[0]

    def __enter__(self) -> ForkServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_ready:  # it has no kernels, and nobody waits for its imports any more
            self._process.kill()
        # Which the server sees; it then ends every kernel that is left, and itself.
        with suppress(OSError):  # gone already
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        try:
            self._process.wait(timeout=SECONDS_TO_FORK)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self, seconds: float) -> tuple[bytes, list[int]]:
        self._socket.settimeout(seconds)
        try:
            answer, descriptors, *_ = socket.recv_fds(
                self._socket, LONGEST_MESSAGE, 1, socket.MSG_CMSG_CLOEXEC
            )
        except TimeoutError:
            message = f"the fork server did not answer within {seconds:g} s"
            raise ForkServerError(message) from None
        if not answer:
            status = self._process.wait(timeout=SECONDS_TO_FORK)
            message = f"the fork server ended with status {status}"
            raise ForkServerError(message)
        return answer, descriptors


@contextmanager
def _known_to_jupyter(server: ForkServer) -> Iterator[str]:
    """Let Jupyter in this process, and only here, find the kernel."""
    from importlib.metadata import EntryPoint

    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    class Entry(EntryPoint):
        """What the factory asks for a class gives it one that knows its server."""

        def load(self) -> Any:
            return functools.partial(ForkedProvisioner, server=server)

    spec = {
        # nbclient adds the second option for kernels called python3 only.
        "argv": ["ldn-kernel", "-f", "{connection_file}", "--HistoryManager.hist_file=:memory:"],
        "display_name": "Python 3 (forked)",
        "language": "python",
        "metadata": {
            "kernel_provisioner": {"provisioner_name": NAME_FORK_KERNELS},
            "supported_encryption": ["curve"],
        },
    }
    file = own_kernels() / "kernels" / NAME_FORK_KERNELS / "kernel.json"
    write_whole(file, json.dumps(spec).encode())
    KernelProvisionerFactory.provisioners[NAME_FORK_KERNELS] = Entry(
        NAME_FORK_KERNELS, f"{ForkedProvisioner.__module__}:{ForkedProvisioner.__name__}", ""
    )
    try:
        yield NAME_FORK_KERNELS
    finally:
        del KernelProvisionerFactory.provisioners[NAME_FORK_KERNELS]


SOURCES: Mapping[str, KernelSource] = {"forked": forked_kernels, "plain": plain_kernels}
