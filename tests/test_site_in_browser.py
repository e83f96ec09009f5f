"""The site in a real browser: slow, and only where Debian's chromium is installed."""

import shutil

import pytest

from ldn_meta import files
from ldn_meta.pipeline.site import build_site
from site_in_browser import look_at

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium"),
]
COPIED = ("data", "docs", "notebooks", "reports", "src", "requirements.lock")
PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>x</title></head>
<body><div class="bd-article"><h1>Title</h1>{}</div></body></html>"""


def test_nothing_is_wrong_with_the_site_of_the_reports_at_hand(tmp_path, monkeypatch):
    for name in COPIED:
        source = files.project_root() / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    monkeypatch.setenv("LDN_META_ROOT", str(tmp_path))
    assert build_site()
    assert list(look_at(tmp_path / "build" / "site")) == []


def test_a_browser_finds_what_is_wrong(tmp_path):
    wrong = """<p style="color: #aaa">faint words</p>
    <div style="width: 3000px">wide</div><table style="table-layout: fixed; width: 20px">
    <tr><td style="overflow: hidden">incomprehensibilities</td></tr></table>
    <img src="gone.png" alt="gone"> <img src="http://127.0.0.1:9/x.png" alt="away">
    <script>nowhere();</script>"""
    (tmp_path / "index.html").write_text(PAGE.format(wrong))
    (tmp_path / "studies").mkdir()
    for name in ("studies/index.html", "search.html"):
        (tmp_path / name).write_text(PAGE.format("<p>plain words</p>"))
    condition = tmp_path / "indications" / "x" / "index.html"
    condition.parent.mkdir(parents=True)
    folded = "<details><summary id='trials' hidden>Trials</summary><p>Two.</p></details>"
    condition.write_text(PAGE.format(folded))
    found = list(look_at(tmp_path))
    for fault in (
        "index.html at 390 px: asks for http://127.0.0.1:9/x.png",
        "index.html at 390 px: request failed: net::ERR_FILE_NOT_FOUND",
        "index.html at 390 px: script error",
        "index.html at 1400 px: scrolls sideways",
        "index.html at 1400 px: sticks out: DIV",
        "index.html at 1400 px: cell is cut: 'incomprehensibilities'",
        "index.html at 1400 px: contrast 2.3",
        "index.html at 1400 px: picture is not shown: ",
        "index.html: the first stop does not skip to the content",
        "index.html: the search is not reached",
        "indications/x/index.html: #trials is not unfolded",
        "search: search finds nothing for 'naltrexone'",
    ):
        assert any(line.startswith(fault) for line in found), (fault, found)
    assert not any(line.startswith("search.html at") for line in found), found
