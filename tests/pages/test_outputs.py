"""What cells end in says what it holds, in a notebook and as text."""

import math

import pandas as pd

from ldn_meta.display.outputs import FACTS_MIME, Facts, Table, linked


def test_tables_escape_and_link():
    table = Table(pd.DataFrame({"a": ["<b>", linked("x & y", "https://doi.org/10.1/z")]}), "c")
    html = table._repr_html_()
    assert "&lt;b&gt;" in html
    assert '<a href="https://doi.org/10.1/z">x &amp; y</a>' in html
    assert "https" not in repr(table)


def test_facts_hold_only_what_json_can():
    bundle = Facts({"a": math.nan, "b": [1.5, {"c": math.inf}]})._repr_mimebundle_()
    assert bundle[FACTS_MIME] == {"a": None, "b": [1.5, {"c": None}]}
