"""Where kernels come from, and the surroundings that make them give the same bytes."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

from ldn_meta import paths

# Opened once around a run, with a function to tell people things; gives the name of the kernel
# that papermill is to start. Another one is in fork_kernels.py.
KernelSource: TypeAlias = Callable[[Callable[[str], None]], AbstractContextManager[str]]


@contextmanager
def plain_kernels(tell: Callable[[str], None]) -> Iterator[str]:
    """Start a new Python process for every notebook.

    Parameters
    ----------
    tell : callable
        Not called: there is nothing to tell.

    Yields
    ------
    str
        Name of the kernel.
    """
    yield "python3"


@contextmanager
def fixed_surroundings() -> Iterator[None]:
    """Run kernels in the checkout, with the same environment on every machine.

    Process-wide, because papermill's own ``cwd`` is not safe in threads.

    Yields
    ------
    None
    """
    before_folder, before = Path.cwd(), dict(os.environ)
    # papermill warns of parameters whose annotation it cannot read; ours are checked before.
    level = logging.getLogger("papermill").level
    logging.getLogger("papermill").setLevel(logging.ERROR)
    os.environ.update(_environment())
    os.chdir(paths.project_root())
    try:
        yield
    finally:
        logging.getLogger("papermill").setLevel(level)
        os.chdir(before_folder)
        os.environ.clear()
        os.environ.update(before)


def own_kernels() -> Path:
    """Folder where Jupyter looks for kernels of ours before it looks in the environment."""
    return paths.build() / "kernels"


def _environment() -> dict[str, str]:
    build = paths.build()
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
        "LDN_META_ROOT": str(paths.project_root()),
        # The reader's own start-up files and kernels stay out.
        "PYTHONNOUSERSITE": "1",
        "MPLCONFIGDIR": str(build / "mpl"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(build / "ipython"),
        "JUPYTER_CONFIG_DIR": str(build / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(build / "jupyter" / "runtime"),
        "JUPYTER_PATH": f"{own_kernels()}{os.pathsep}{Path(sys.prefix) / 'share' / 'jupyter'}",
    }
