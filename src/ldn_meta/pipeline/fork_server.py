"""A process that has imported everything and turns a copy of itself into a kernel when asked.

    python -m ldn_meta.pipeline.fork_server DESCRIPTOR

The descriptor is one end of a pair of sockets; the other end is held by ``fork_kernels``. It is
a process of its own, so that it has one thread when it forks, whatever its caller has, and so
that the fixed surroundings stand before numpy is imported. It ends, and takes every kernel with
it, when the other end closes: also when the caller was killed.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil
import select
import signal
import socket
import sys
from pathlib import Path

READY = b"ready"
LONGEST_MESSAGE = 65536
# What pages import when they first draw, besides our own modules. Not pyplot and not
# matplotlib_inline: they look for a running kernel while they are imported.
LIBRARIES = (
    *("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "ipykernel.debugger"),
    *("pandas.io.formats.html", "scipy.special", "statsmodels.stats.proportion", "yaml"),
    *("prismaflow", "resvg"),
    *("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg"),
)
ROOMS = ("stats", "evidence", "display")
QUIET = "PYDEVD_DISABLE_FILE_VALIDATION"


def main() -> None:
    """Get ready, say so or why not, and fork until the other end closes."""
    # As ipykernel_launcher does: files of the working folder are no modules.
    if sys.path and Path(sys.path[0]) == Path.cwd():
        del sys.path[0]
    with socket.socket(fileno=int(sys.argv[1])) as caller:
        try:
            import_everything()
            _check_can_fork()
        except Exception as error:
            caller.send(f"{type(error).__name__}: {error}".encode()[:LONGEST_MESSAGE])
            return
        caller.send(READY)
        command = serve(caller)
    # Only a copy gets here with a command, outside of everything the server holds open.
    if command is not None:
        _be_kernel(command)


def import_everything() -> None:
    """Import what pages import."""
    # A page makes little garbage and many tables and figures: looking often finds nothing.
    gc.set_threshold(50_000, 20, 20)
    # The debugger, which ipykernel wants and nobody uses, else warns of frozen modules.
    is_quiet = QUIET in os.environ
    os.environ.setdefault(QUIET, "1")
    for name in LIBRARIES:
        importlib.import_module(name)
    if not is_quiet:
        del os.environ[QUIET]
    for room in ROOMS:
        package = importlib.import_module(f"ldn_meta.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    # Collected objects would be copied page by page into every kernel.
    gc.collect()
    gc.freeze()


def serve(caller: socket.socket) -> list[str] | None:
    """Fork a kernel for every message."""
    kernels: dict[int, int] = {}
    poller = select.poll()
    poller.register(caller, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor in kernels:
                poller.unregister(descriptor)
                os.waitpid(kernels.pop(descriptor), 0)
                os.close(descriptor)
                continue
            message = _received(caller)
            if not message:
                _end(kernels)
                return None
            kernel = os.fork()
            if kernel == 0:
                for other in kernels:
                    os.close(other)
                return message.decode().split("\0")
            # A group of its own: signals go to the kernel and what its cells started.
            os.setpgid(kernel, kernel)
            new = os.pidfd_open(kernel)
            kernels[new] = kernel
            poller.register(new, select.POLLIN)
            with contextlib.suppress(OSError):  # gone; the next look at the socket says so too
                socket.send_fds(caller, [str(kernel).encode()], [new])


def _received(caller: socket.socket) -> bytes:
    try:
        return caller.recv(LONGEST_MESSAGE)
    except ConnectionError:
        return b""


def _end(kernels: dict[int, int]) -> None:
    for kernel in kernels.values():
        # Not yet waited for, so the number is still theirs.
        os.killpg(kernel, signal.SIGKILL)
    for descriptor, kernel in kernels.items():
        os.waitpid(kernel, 0)
        os.close(descriptor)


def _check_can_fork() -> None:
    os.close(os.pidfd_open(os.getpid()))
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        message = f"{threads} threads are running after the imports"
        raise RuntimeError(message)


def _be_kernel(command: list[str]) -> None:
    """Run ipykernel as its own launcher would have."""
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    # Python's own generator seeds itself after a fork; this one would repeat in every kernel.
    np.random.seed()
    # The server may be killed: the kernel ends when that is no longer its parent.
    sys.argv = [*command, f"--IPKernelApp.parent_handle={os.getppid()}"]
    IPKernelApp.launch_instance(sys.argv[1:])


if __name__ == "__main__":
    main()
