"""Ask the JavaScript of the explore page."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

BATTERY = Path(__file__).parent / "explore_battery.js"
# What the page promises: JavaScript and Python give the same numbers.
AGREEMENT = 1e-9


def ask(questions, data=None):
    """Answers of the page's own files to [name, arguments ...], in order."""
    node = shutil.which("node")
    if node is None:
        pytest.skip(
            "node is not installed, and the explore page is JavaScript: apt install nodejs"
        )
    done = subprocess.run(
        [node, BATTERY],
        input=json.dumps({"data": data, "questions": questions}, allow_nan=False),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def gap(ours, theirs, *, scale=0.0):
    """The largest |ours - theirs|, relative to theirs or, if that is larger, to `scale`."""
    found = np.array([np.nan if value is None else value for value in ours], dtype=float)
    # JSON says null for what is infinite, too.
    expected = np.where(np.isfinite(theirs), theirs, np.nan)
    known = ~np.isnan(expected)
    assert (known == ~np.isnan(found)).all(), (found, expected)
    apart = np.abs(found - expected)[known]
    is_apart = apart > 0
    if not is_apart.any():
        return 0.0
    size = np.maximum(np.abs(expected), scale)[known]
    return float((apart[is_apart] / size[is_apart]).max())
