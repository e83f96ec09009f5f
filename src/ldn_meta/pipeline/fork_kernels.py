"""Kernels forked from one process that has imported everything: most of their start is saved."""

from __future__ import annotations

import functools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any

from ldn_meta.pipeline import publish
from ldn_meta.pipeline.fork_server import LONGEST_MESSAGE, READY
from ldn_meta.pipeline.kernels import (
    KernelSource,
    fixed_surroundings,
    own_kernels,
    plain_kernels,
)

NAME = "ldn-forked"
SERVER = "ldn_meta.pipeline.fork_server"
# Importing takes 3 s on an idle machine, forking nothing.
SECONDS_TO_START = 120.0
SECONDS_TO_FORK = 30.0


class ForkServerError(RuntimeError):
    """A fork server that cannot give a kernel."""


def kernel_source(name: str | None = None) -> KernelSource:
    """Return kernels by name; without a name the fastest that this system has.

    Parameters
    ----------
    name : str, optional
        One of SOURCES.

    Returns
    -------
    callable
    """
    can_fork = sys.platform == "linux" and hasattr(os, "pidfd_open")
    return SOURCES[name or ("forked" if can_fork else "plain")]


@contextmanager
def started_ahead(kernels: KernelSource) -> Iterator[KernelSource]:
    """Let a fork server import while the caller does something else before the notebooks.

    Parameters
    ----------
    kernels : callable
        Where kernels will come from; nothing is started ahead for plain ones.

    Yields
    ------
    callable
        The same kernels, from the server that is on its way.
    """
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
    """Fork the kernel of every notebook from a process that has imported what pages import.

    Parameters
    ----------
    tell : callable
        Told once if that is not possible; kernels are plain then.
    server : ForkServer, optional
        One that was started ahead; its owner ends it.

    Yields
    ------
    str
        Name of the kernel.
    """
    with ExitStack() as stack:
        try:
            server = server or stack.enter_context(ForkServer())
            # papermill, here, because the server is importing as well.
            from ldn_meta.pipeline import engine  # noqa: F401

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
        """Wait for the end of its imports.

        Raises
        ------
        ForkServerError
            If it cannot fork, ended or hangs; says why.
        """
        answer, _ = self._answer(SECONDS_TO_START)
        if answer != READY:
            message = answer.decode(errors="replace")
            raise ForkServerError(message)
        self._is_ready = True

    def fork(self, command: list[str]) -> tuple[int, int]:
        """Make a kernel; safe in threads.

        Parameters
        ----------
        command : list of str
            Program name and arguments of ipykernel.

        Returns
        -------
        pid, descriptor : int
            The process; the descriptor becomes readable when it ends, and is the caller's to
            close.

        Raises
        ------
        ForkServerError
            If the server is gone or hangs.
        """
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

    from ldn_meta.pipeline.fork_provisioner import ForkedProvisioner

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
            "kernel_provisioner": {"provisioner_name": NAME},
            "supported_encryption": ["curve"],
        },
    }
    file = own_kernels() / "kernels" / NAME / "kernel.json"
    publish.write_whole(file, json.dumps(spec).encode())
    KernelProvisionerFactory.provisioners[NAME] = Entry(
        NAME, f"{ForkedProvisioner.__module__}:{ForkedProvisioner.__name__}", ""
    )
    try:
        yield NAME
    finally:
        del KernelProvisionerFactory.provisioners[NAME]


SOURCES: Mapping[str, KernelSource] = {"forked": forked_kernels, "plain": plain_kernels}
