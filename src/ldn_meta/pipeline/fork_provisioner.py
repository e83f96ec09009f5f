"""How Jupyter starts and watches a kernel that a fork server makes."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from pathlib import Path
from typing import Any, Protocol, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner


class Server(Protocol):
    """What a provisioner needs of a fork server."""

    def fork(self, command: list[str]) -> tuple[int, int]:
        """Make a kernel; return process id and descriptor."""


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

    def __init__(self, *, server: Server, **options: Any) -> None:
        super().__init__(**options)
        self._server = server

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start a kernel; its surroundings and folder are those of the server."""
        process = ForkedProcess(*self._server.fork(cmd))
        self.process = cast("subprocess.Popen[bytes]", process)
        self.pid = self.pgid = process.pid
        self.cwd = Path.cwd()
        return self.connection_info
