"""What moved: every kind of change between two states, told the same for the same bytes."""

import csv
import io
import json
import math
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ldn_meta import files
from ldn_meta.errors import ArgumentError
from ldn_meta.files import code_of, sha256
from ldn_meta.pipeline import compare as compare_sources
from ldn_meta.pipeline.cli import FAIL_ON, main
from ldn_meta.pipeline.compare import (
    GRADES,
    KEYS,
    Checkout,
    compare,
    compare_leaves,
    compare_tables,
    edited,
    open_checkout,
    read_table,
)
from ldn_meta.pipeline.compare_report import as_json, headline, listings, markdown, reworded

REPOSITORY = Path(__file__).resolve().parents[2]
# Of a project without code.
CODE = code_of(Path("/nowhere"))
DICTIONARY = {
    "resources": [
        {
            "name": "contrasts",
            "schema": {
                "primaryKey": ["row_id"],
                "fields": [
                    {"name": "row_id", "type": "string"},
                    {"name": "estimate", "type": "number"},
                    {"name": "pmid", "type": "string"},
                    {"name": "as_reported", "type": "string"},
                ],
            },
        }
    ]
}
CONTRASTS = """\
row_id,estimate,pmid,as_reported
ames-pain,-1.0,012,-1.0 (p=0.02)
bell-pain,0.5,7,0.5
"""
POOLED = """\
indication_id,construct,comparator_class,measure,unit,analysis,k,estimate,ci_low,ci_high,trials
headache,pain,placebo,MD,points,main,2,-0.5,-1,-0.1,ames bell
headache,pain,placebo,MD,points,common effect,2,-0.5,-0.8,-0.2,ames bell
headache,relief,placebo,RR,log risk ratio,main,2,0.1,-0.2,0.4,ames bell
headache,relief,placebo,RR,log risk ratio,common effect,2,0.1,-0.2,0.4,ames bell
"""
FACTS = {
    "20_pooled_effect": {
        "answer": {"sentence": "Two trials: -0.5 points. The end.", "people": 100},
        "synthesis": {"direction": "favours treatment", "estimate": -0.5, "measure": "MD"},
        "weight_pct": [60.0, 40.0],
        "beside": [{"study_id": "cole", "yi": 1.0}, {"study_id": "dent", "yi": 2.0}],
        "is_blind": True,
        "trials": ["ames", "bell"],
    }
}


def checkout(label="x", **changed):
    """A small state of the project; texts replace files, None takes one away."""
    raw = {
        "contrasts.csv": CONTRASTS,
        "datapackage.json": json.dumps(DICTIONARY),
        "protocol.toml": '[pooling]\ntau2_method = "reml"\n',
        "corrections.yml": "- {table: contrasts, row: ames-pain, check: p, reason: why}\n",
    }
    derived = {"pooled.csv": POOLED}
    facts = {"headache": json.dumps(FACTS)}
    settings = changed.pop("settings", "[once]\nlevel = 0.95\n")
    for tables, name in ((raw, "raw"), (derived, "derived"), (facts, "facts")):
        tables.update(changed.pop(name, {}))
    assert not changed

    def encoded(files):
        return {name: text.encode() for name, text in files.items() if text is not None}

    raw, derived = encoded(raw), encoded(derived)
    made_from = {name: sha256(data) for name, data in raw.items()}
    derived.setdefault("manifest.json", json.dumps({"raw": made_from, **CODE}).encode())
    return Checkout(label, raw, derived, encoded(facts), settings.encode())


def pooled(*replacements):
    text = POOLED
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return {"derived": {"pooled.csv": text}}


def moved(**changed):
    """What the small state and a changed one compare to."""
    return compare(checkout(), checkout(**changed))


def listed(found, title):
    return next((listing.rows for listing in listings(found) if listing.title == title), ())


# Nothing, and what only looks like something.


@pytest.mark.parametrize(
    "same",
    [
        {},
        # Rows and columns in another order, numbers written otherwise, the last digit of a float.
        pooled(("0.1,-0.2,0.4", "1e-1,-0.20,0.40000000001"), ("main,2,-0.5", "main,2.0,-.5")),
        {
            "derived": {
                "pooled.csv": "\n".join([POOLED.splitlines()[0], *POOLED.splitlines()[:0:-1]])
            }
        },
        {"raw": {"contrasts.csv": CONTRASTS.replace("-1.0,012", "-1.00,012")}},
        {"raw": {"protocol.toml": 'pooling = {tau2_method = "reml"} # a comment\n'}},
        {"facts": {"headache": json.dumps(FACTS, indent=1, sort_keys=True)}},
    ],
)
def test_the_same_values_are_no_change(same):
    found = moved(**same)
    assert not any(row for table in (*found.inputs, *found.results) for row in table.rows)
    assert (found.settings, found.facts, found.verdicts) == ((), (), ())
    assert not found.reaches("result")
    assert "no verdict changed" in headline(found) or "nothing moved" in headline(found)


def test_nothing_moved_is_said_in_so_many_words():
    found = moved()
    assert headline(found) == "nothing moved: the inputs and all 4 results are the same"
    assert listings(found) == reworded(found) == found.notes == ()
    assert not found.reaches("any")


def test_a_text_that_looks_like_a_number_compares_exactly():
    found = moved(raw={"contrasts.csv": CONTRASTS.replace("012", "12")})
    assert listed(found, "Inputs") == (("contrasts", "ames-pain", "pmid", "012", "12"),)


# Inputs.


def test_rows_cells_columns_and_tables_of_the_inputs():
    new = CONTRASTS.replace("-1.0,012", "-2.0,012").replace("bell-pain,0.5", "cole-pain,0.5")
    found = compare(
        checkout(raw={"arms.csv": "arm_id\nx\n"}),
        checkout(raw={"contrasts.csv": new, "studies.csv": "study_id,label\na,A\nb,B\n"}),
    )
    assert listed(found, "Inputs") == (
        ("contrasts", "ames-pain", "estimate", "-1.0", "-2.0"),
        ("arms", "the table, 1 rows", "", "removed", ""),
        ("contrasts", "bell-pain", "", "removed: 0.5", ""),
        ("contrasts", "cole-pain", "", "", "added: 0.5"),
        ("studies", "the table, 2 rows", "", "", "added"),
    )
    assert headline(found).startswith(
        "1 input row changed; 1 input row added; 1 input row removed; "
        "input table studies added; input table arms removed; "
    )
    lines = ["row_id,estimate,pmid,note", "ames-pain,-1.0,012,NA", "bell-pain,0.5,7,NA"]
    found = moved(raw={"contrasts.csv": "\n".join(lines)})
    assert listed(found, "Inputs") == (
        ("contrasts", "the column", "note", "", "added"),
        ("contrasts", "the column", "as_reported", "removed", ""),
    )
    assert "2 input columns added or removed" in headline(found)


def test_settings_leaf_by_leaf():
    accepted = "- {table: contrasts, row: a, check: p, reason: new}\n"
    found = moved(
        raw={
            "protocol.toml": '[pooling]\ntau2_method = "dl"\nlevel = 0.9\n',
            "corrections.yml": accepted + checkout().raw["corrections.yml"].decode(),
        },
        settings="[once]\nlevel = 0.9\n",
    )
    rows = listed(found, "Settings")
    assert ("protocol.toml", "pooling / tau2_method", "reml", "dl") in rows
    assert ("protocol.toml", "pooling / level", "", "added: 0.9") in rows
    assert ("parameters.toml", "once / level", "0.95", "0.9") in rows
    # The entry that was there is found by its names, not by its place.
    assert {row[1].split(" / ")[0] for row in rows if row[0] == "corrections.yml"} == {
        "contrasts a p"
    }
    assert "7 settings changed (corrections.yml 4, protocol.toml 2, parameters.toml 1)" in (
        headline(found)
    )


def test_half_typed_files_are_notes_and_do_not_stop_it():
    found = moved(
        raw={
            "protocol.toml": "[pooling\n",
            "corrections.yml": "- {a: [\n",
            "datapackage.json": "{",
            "contrasts.csv": CONTRASTS + "cole-pain,1\n" + "dent-pain,1,2,3,4,5\n\n",
        },
        facts={"headache": "{"},
    )
    assert [note.split(" cannot be read")[0] for note in found.notes] == [
        "corrections.yml",
        "datapackage.json",
        "protocol.toml",
        "facts.json of headache",
    ]
    assert [row[1] for row in listed(found, "Inputs")] == ["cole-pain", "dent-pain"]
    assert "4 unreadable files left out" in headline(found)
    assert moved(facts={"headache": "{"}).reaches("any")


def test_the_code_is_told_by_the_manifests():
    manifest = json.loads(checkout().derived["manifest.json"])
    other = json.dumps({**manifest, "source": "other"})
    found = moved(derived={"manifest.json": other})
    assert found.code == ("the package source",)
    assert "the package source changed; 0 of 4 results moved" in headline(found)
    assert (found.reaches("result"), found.reaches("any")) == (False, True)


def test_results_older_than_their_inputs_are_said_first():
    new = checkout("work tree")
    new.raw["contrasts.csv"] = CONTRASTS.replace("-1.0,", "-3.0,").encode()
    found = compare(checkout(), new)
    assert (
        "work tree: data/derived was not made from what is there now (contrasts.csv)"
        in (found.notes[0])
    )
    assert "results are older than their inputs or code; 0 of 4 results moved" in headline(found)
    nothing = Checkout("empty", new.raw, {}, {})
    assert "no data/derived" in compare(checkout(), nothing).notes[0]


def test_results_without_new_pages_are_noted():
    edit = pooled(("main,2,-0.5", "main,2,-0.6"))
    assert "run `make reports`" in moved(**edit).notes[0]
    facts = json.dumps({"20_pooled_effect": {}})
    assert moved(**edit, facts={"headache": facts}).notes == ()


# Results and verdicts.


@pytest.mark.parametrize(
    ("replaced", "turn", "words"),
    [
        # By hand: which side of nought, which ends.
        (("-0.5,-1,-0.1", "-0.5,-1.1,0.1"), "interval", "includes no difference; before, it lay"),
        (("-0.5,-1,-0.1", "-0.5,-1,0"), "interval", "the interval includes no difference"),
        (("-0.5,-1,-0.1", "-0.6,-1.1,-0.1"), "", ""),
        (("-0.5,-1,-0.1", "0.5,0.1,1"), "interval", "lies above no difference; before, it lay be"),
        (("0.1,-0.2,0.4", "-0.1,-0.4,0.2"), "side", "is below no difference, was above it"),
        (("0.1,-0.2,0.4", "0,-0.3,0.3"), "side", "is exactly at no difference, was above it"),
        # The last bits of a sum are no side.
        (("0.1,-0.2,0.4", "-1e-17,-0.3,0.3"), "side", "is exactly at no difference"),
        (("0.1,-0.2,0.4", "NA,NA,NA"), "result", "no estimate any more"),
        (("0.1,-0.2,0.4", "0.1,NA,NA"), "interval", "is not defined; before, it included"),
        (("relief,placebo,RR", "relief,none,RR"), "result", "a main result was"),
    ],
)
def test_what_reads_otherwise(replaced, turn, words):
    found = moved(**pooled(replaced))
    assert {row.turn for row in found.verdicts} == ({turn} if turn else set())
    assert all(words in row.verdict for row in found.verdicts)
    assert found.reaches("verdict") == bool(turn)
    assert found.reaches("result")


def test_intervals_go_before_sides_and_main_results_before_others():
    changed = pooled(
        ("main,2,-0.5,-1,-0.1", "main,2,-0.5,-1,0.1"),
        ("common effect,2,-0.5,-0.8,-0.2", "common effect,2,-0.4,-0.8,0.2"),
        ("main,2,0.1,-0.2", "main,2,-0.1,-0.2"),
        ("common effect,2,0.1,-0.2", "common effect,2,-0.1,-0.2"),
    )
    found = moved(**changed)
    assert [dict(row.key)["construct"] for row in found.verdicts] == [
        *("pain", "pain"),
        *("relief", "relief"),
    ]
    assert [dict(row.key)["analysis"] for row in found.verdicts[:2]] == ["main", "common effect"]
    assert (
        "4 verdicts changed (intervals across no difference 2, estimates on the other side 2)"
        in headline(found)
    )
    # Two analyses that say the same are one line for a reader; ratios are ratios.
    relief = "headache, relief, placebo, RR, log risk ratio, main; common effect"
    assert listed(found, "Verdicts")[-1][:4] == (
        *("pooled", relief),
        *("1.11 (0.82 to 1.49)", "0.90 (0.82 to 1.49)"),
    )


def test_a_share_without_a_comparison_has_no_side():
    text = "effect_id,comparator_class,measure,yi,ci_low,ci_high\nx,none,PLO,{},-1,1\n"
    old, new = (checkout(derived={"effects.csv": text.format(yi)}) for yi in ("0.1", "-0.1"))
    found = compare(old, new)
    assert (found.verdicts, found.reaches("result")) == ((), True)


def test_ratios_move_by_factors():
    text = (
        "effect_id,comparator_class,measure,yi,rr,rr_low,rr_high,rd\nx,placebo,{},{},{},1.1,3,{}\n"
    )
    old = checkout(derived={"effects.csv": text.format("RR", math.log(1.5), 1.5, 0.1)})
    new = checkout(derived={"effects.csv": text.format("RR", math.log(3.0), 3.0, 0.2)})
    assert listed(compare(old, new), "effects")[0][3] == "x2"
    old, new = (
        checkout(derived={"responders.csv": text.format("NA", "NA", rr, "NA")})
        for rr in (1.5, 1.2)
    )
    assert listed(compare(old, new), "responders") == (
        ("x", "1.50 (1.10 to 3.00)", "1.20 (1.10 to 3.00)", "x0.8", ""),
    )
    # A table without a measure has the one of its outcome.
    outcome = "indication_id,construct,comparator_class"
    multiverse = f"{outcome},measure\nheadache,relief,placebo,RR\n"
    nodes = outcome + ",node,farthest\nheadache,relief,placebo,time,{}\n"
    old, new = (
        checkout(
            derived={"multiverse.csv": multiverse, "multiverse_nodes.csv": nodes.format(farthest)}
        )
        for farthest in (0.5, 0.5 + math.log(1.25))
    )
    assert listed(compare(old, new), "multiverse_nodes")[0][3] == "x1.25"


def test_judgements_and_words():
    text = "indication_id,outcome,certainty,reason\nheadache,pain,{},{}\n"
    states = [("low", "few"), ("very low", "few"), ("very low", "other words")]
    first, second, third = (
        checkout(derived={"certainty.csv": text.format(*state)}) for state in states
    )
    judged = compare(first, second)
    assert [(row.turn, row.verdict) for row in judged.verdicts] == [
        ("judgement", "certainty: low -> very low")
    ]
    assert "1 verdict changed (judgements 1)" in headline(judged)
    worded = compare(second, third)
    assert "0 of 5 results moved; 1 differs in words only; no verdict changed" in headline(worded)
    assert [worded.reaches(grade) for grade in ("verdict", "result", "any")] == [
        False,
        False,
        True,
    ]
    # What a study says of itself is no conclusion of ours.
    left_out = "table,row_id,direction\ncontrasts,x,{}\n"
    old, new = (checkout(derived={"left_out.csv": left_out.format(d)}) for d in ("a", "b"))
    assert compare(old, new).verdicts == ()


def test_an_unknown_table_is_found_by_its_first_columns():
    old = "trial,arm,mean,note\nx,1,0.5,a\nx,2,0.5,b\ny,1,2,c\n"
    new = "trial,arm,mean,note\nw,1,9,n\nx,1,0.5,a\nx,2,0.75,b\n"
    change = compare_tables("doses", old.encode(), new.encode())
    assert [(row.kind, dict(row.key)) for row in change.rows] == [
        ("added", {"trial": "w", "arm": "1"}),
        ("changed", {"trial": "x", "arm": "2"}),
        ("removed", {"trial": "y", "arm": "1"}),
    ]
    assert change.total == 4
    found = moved(derived={"doses.csv": old})
    assert "table doses added" in headline(found)
    assert listed(found, "Tables of data/derived") == (
        ("doses", "3", "", "", "", "", "table added"),
    )
    assert found.reaches("result")


def test_rows_with_the_same_key_are_paired_equal_ones_first():
    old, new = "k,v\na,1.5\na,2.5\na,3.5\n", "k,v\na,9.5\na,2.5\na,3.5\na,1\n"
    change = compare_tables("t", old.encode(), new.encode(), key=("k",))
    assert [(row.kind, row.old.get("v"), row.new.get("v")) for row in change.rows] == [
        ("changed", "1.5", "9.5"),
        ("added", None, "1"),
    ]


CELL = st.sampled_from(["NA", "a", "b", "0.5", "1", "-2", "1e3"])
ROWS = st.lists(st.tuples(st.integers(0, 6), CELL, CELL), max_size=6)


def csv_of(rows, columns=("key", "x", "y")):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({"key": f"k{k}", "x": x, "y": y} for k, x, y in rows)
    return text.getvalue().encode()


@given(old=ROWS, new=ROWS, data=st.data())
def test_backwards_is_the_mirror_and_order_does_not_matter(old, new, data):
    there = compare_tables("t", csv_of(old), csv_of(new), key=("key",))
    back = compare_tables("t", csv_of(new), csv_of(old), key=("key",))
    other = {"added": "removed", "removed": "added", "changed": "changed"}
    assert sorted((other[row.kind], row.key) for row in there.rows) == sorted(
        (row.kind, row.key) for row in back.rows
    )
    assert there.total == back.total >= max(len(old), len(new))
    if len({row[0] for row in old}) == len(old) and len({row[0] for row in new}) == len(new):
        mixed = csv_of(data.draw(st.permutations(new)), ("y", "key", "x"))
        shuffled = compare_tables("t", csv_of(old), mixed, key=("key",))
        assert [(row.kind, row.key, {c.column for c in row.cells}) for row in shuffled.rows] == [
            (row.kind, row.key, {c.column for c in row.cells}) for row in there.rows
        ]


@given(rows=ROWS)
def test_a_table_is_itself(rows):
    assert not compare_tables("t", csv_of(rows), csv_of(rows) + b"\n", key=("key",)).rows


def test_a_table_of_pools_that_goes_takes_its_results_along():
    found = moved(derived={"pooled.csv": None})
    assert [(row.turn, dict(row.key)["analysis"]) for row in found.verdicts] == [
        ("result", "main"),
        ("result", "main"),
    ]
    assert "table pooled removed; 2 verdicts changed (main results that came or went 2)" in (
        headline(found)
    )
    assert listed(found, "pooled") == ()


# Facts and sentences.


def test_facts_by_name_and_value():
    new = json.loads(json.dumps(FACTS))
    page = new["20_pooled_effect"]
    page["answer"]["sentence"] = "Two trials: -0.7 points. The end."
    page["synthesis"] = {"direction": "either way", "estimate": -0.7, "measure": "MD"}
    page["weight_pct"] = [60.0, 41.0]
    page["beside"].insert(0, {"study_id": "aaron", "yi": 9.0})
    page["is_blind"] = 1
    page["trials"] = ["ames", "bell", "cole"]
    found = moved(facts={"headache": json.dumps(new)})
    assert {" / ".join(fact.path[1:]): (fact.old, fact.new) for fact in found.facts} == {
        "answer / sentence": (
            "Two trials: -0.5 points. The end.",
            "Two trials: -0.7 points. The end.",
        ),
        "synthesis / direction": ("favours treatment", "either way"),
        "synthesis / estimate": (-0.5, -0.7),
        "weight_pct / 2": (40.0, 41.0),
        "beside / aaron / study_id": (None, "aaron"),
        "beside / aaron / yi": (None, 9.0),
        "is_blind": (True, 1),
        "trials": (["ames", "bell"], ["ames", "bell", "cole"]),
    }
    assert listed(found, "Verdicts") == (
        (
            *("reports/headache", "20_pooled_effect / synthesis / direction"),
            *("favours treatment", "either way", "what the page concludes"),
        ),
    )
    assert headline(found) == (
        "no input changed; 0 of 4 results moved; 1 verdict changed (conclusions of pages 1); "
        "1 sentence changed"
    )
    (sentence,) = reworded(found)
    assert sentence.pieces == (
        ("same", "Two trials:"),
        ("gone", "-0.5"),
        ("new", "-0.7"),
        ("same", "points. The end."),
    )


def test_a_long_text_shows_what_is_around_the_change():
    words = [f"w{number}" for number in range(200)]
    old, new = " ".join(words), " ".join([*words[:100], "changed", *words[101:]])
    facts = {"headache": json.dumps({"p": {"sentence": old}})}
    after = {"headache": json.dumps({"p": {"sentence": new}})}
    ((sentence),) = reworded(compare(checkout(facts=facts), checkout(facts=after)))
    assert sentence.pieces[1:3] == (("gone", "w100"), ("new", "changed"))
    assert sentence.pieces[0][1].endswith("w7 [...] w92 w93 w94 w95 w96 w97 w98 w99")


def test_a_page_that_came_and_one_that_went():
    found = moved(facts={"headache": None, "overview": '{"p": {"n": 1}}'})
    assert {(fact.where, fact.kind) for fact in found.facts} == {
        ("headache", "removed"),
        ("overview", "added"),
    }
    # Direction went with the page: nothing is concluded otherwise.
    assert found.told_verdicts == ()


def test_numbers_of_lists_of_unlike_length_stay_whole():
    (change,) = compare_leaves("x", {"w": [1.0, 2.0]}, {"w": [1.0, 2.0, 3.0]})
    assert (change.path, change.new) == (("w",), [1.0, 2.0, 3.0])


# What is written.


@pytest.fixture
def hostile():
    """A pull request whose cells try to be markup, links, or commands of a terminal."""
    evil = "</td><script>x</script> | [a](http://b) `c` *d* @e \x1b[31mred"
    rows = f'{CONTRASTS}zoe-pain,1,7,"{evil}"\n'
    facts = json.dumps({"p": {"sentence": f"{evil}."}})
    return compare(
        checkout(facts={"headache": '{"p": {"sentence": "Fine."}}'}),
        checkout(raw={"contrasts.csv": rows}, facts={"headache": facts}, **pooled(("-1,", "-2,"))),
    )


def test_markdown_holds_no_markup_of_others(hostile):
    text = markdown(hostile, limit=20)
    assert text.splitlines()[0].startswith("## 1 input row added; 1 of 4 results moved")
    assert text.endswith("</details>\n")
    for mark in ("<script", "</td", " [a]", " `c`", " *d", " @e", "\x1b", "http://"):
        assert mark not in text
    rows = [line for line in text.splitlines() if line.startswith("| contrasts")]
    assert [row.count("|") for row in rows] == [6]
    assert text.count("<details>") == text.count("</details>") == 2


def test_json_has_every_change(hostile):
    content = json.loads(as_json(hostile))
    assert content["headline"] == headline(hostile)
    assert (content["has_new_verdict"], content["has_moved_result"]) == (False, True)
    (added,) = content["inputs"][0]["changes"]
    assert added["kind"] == "added"
    assert "\x1b" in added["row"]["as_reported"]
    (moved,) = content["results"][0]["changes"]
    assert moved["cells"] == [{"column": "ci_low", "old": "-1", "new": "-2"}]
    assert content["facts"][0]["is_sentence"]


def test_a_table_from_before_results_were_read_by_a_prior_is_read_by_its_own_interval():
    lines = POOLED.replace("-0.5,-1,-0.1", "-0.5,-5,4").splitlines()
    read = ",read_estimate,read_low,read_high"
    text = "\n".join(
        [lines[0] + read]
        + [line + (",-0.6,-1.5,0.2" if "MD" in line else ",0.1,-0.2,0.4") for line in lines[1:]]
    )
    found = moved(derived={"pooled.csv": text + "\n"})
    (row, *_) = listed(found, "Verdicts")
    assert row[2:4] == ("-0.50 (-1.00 to -0.10)", "-0.60 (-1.50 to 0.20)")
    assert "the interval includes no difference" in row[4]
    assert "where there was none" not in row[4]


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        (
            "claims",
            "claim_id,verdict,sentence\na,supported,x\n",
            "claim_id,verdict,sentence\na,contradicted,Two trials say so.\n",
            "verdict: supported -> contradicted; because: Two trials say so.",
        ),
        (
            "certainty_domains",
            "indication_id,construct,comparator_class,domain,level,reason,note\na,b,c,d,0,none,x\n",
            "indication_id,construct,comparator_class,domain,level,reason,note\na,b,c,d,-1,none,y\n",
            "level: 0 -> -1; because: y",
        ),
    ],
)
def test_a_verdict_that_changed_says_why(table, old, new, said):
    tables = [{"derived": {f"{table}.csv": text}} for text in (old, new)]
    found = compare(*(checkout(**one) for one in tables))
    (row,) = listed(found, "Verdicts")
    assert row[-1] == said


def test_the_limit_cuts_everything_but_verdicts():
    rows = "".join(f"r{number:02d},0,0,x\n" for number in range(30))
    lines = [f"headache,pain,placebo,MD,points,a{n},2,{{}},-1,1,x" for n in range(30)]
    header = POOLED.splitlines()[0]
    old, new = (
        "\n".join([header, *(line.format(f"{sign}0.{n:02d}1") for n, line in enumerate(lines))])
        for sign in ("", "-")
    )
    found = compare(
        checkout(derived={"pooled.csv": old}),
        checkout(raw={"contrasts.csv": CONTRASTS + rows}, derived={"pooled.csv": new}),
    )
    cut, whole = (markdown(found, limit=limit) for limit in (5, 0))
    assert cut.count("was above it") == 30
    assert "and 25 more" in cut
    assert "and 25 more" not in whole
    assert whole.count("| contrasts |") == 30


# The command, on folders and on git.


def git(folder, *arguments):
    identity = ("-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True
    )


def write(folder, state):
    """A state of the project as files; whatever was there goes."""
    for name, data in {
        **{f"data/raw/{name}": data for name, data in state.raw.items()},
        **{f"data/derived/{name}": data for name, data in state.derived.items()},
        **{f"reports/{name}/facts.json": data for name, data in state.facts.items()},
        "notebooks/parameters.toml": state.settings,
        "reports/headache/20_pooled_effect.ipynb": b"not read",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with two commits, and a work tree that has moved on."""
    root = tmp_path / "a repository"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    for estimate in ("-0.5", "-0.6"):
        write(root, checkout(**pooled(("main,2,-0.5", f"main,2,{estimate}"))))
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", estimate)
    write(root, checkout(**pooled(("main,2,-0.5", "main,2,-0.7"))))
    monkeypatch.setenv("LDN_META_ROOT", str(root))
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, "/nowhere")
    return root


def command(*arguments):
    return CliRunner().invoke(main, ["compare", *arguments], catch_exceptions=False)


def snapshot(root):
    return {file: file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_revisions_folders_and_the_work_tree(repository, tmp_path):
    before = snapshot(repository)
    moved = "headache, pain, placebo, MD, points, main"
    for arguments, new in (((), "-0.70"), (("HEAD~1",), "-0.70"), (("HEAD~1", "main"), "-0.60")):
        result = command(*arguments, "--json")
        assert result.exit_code == 0
        (row,) = json.loads(result.stdout)["results"][0]["changes"]
        assert f"{float(row['cells'][0]['new']):.2f}" == new
    assert moved in " ".join(command("--format", "markdown").stdout.split())
    copy = tmp_path / "copy"
    write(copy, checkout())
    assert "nothing moved" in command("HEAD~1", str(copy)).stdout
    assert "HEAD~1 (" in command("HEAD~1", str(copy)).stdout
    assert snapshot(repository) == before


def test_folder_and_revision_with_the_same_files_are_the_same(repository, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name)
    git(repository, "stash", "-q")
    folder, revision = open_checkout(None, "NEW"), open_checkout("HEAD", "OLD")
    assert (folder.raw, folder.derived, folder.facts, folder.settings) == (
        *(revision.raw, revision.derived, revision.facts, revision.settings),
    )
    assert set(revision.facts) == {"headache"}


def test_exit_codes(repository):
    moved, same = ("HEAD",), ("HEAD", "HEAD")
    for arguments, grade, code in (
        (moved, "verdict", 0),
        (moved, "result", 1),
        (moved, "any", 1),
        (same, "any", 0),
    ):
        result = command(*arguments, "--fail-on", grade)
        assert (grade, result.exit_code) == (grade, code)
        assert ("--fail-on" in result.stderr) == bool(code)


def test_what_cannot_be_told_is_no_pass(repository):
    (repository / "data/raw/contrasts.csv").write_text(CONTRASTS.replace("-1.0,", "-3.0,"))
    (repository / "data/derived/pooled.csv").write_bytes(
        open_checkout("HEAD", "OLD").derived["pooled.csv"]
    )
    result = command("--fail-on", "verdict")
    assert result.exit_code == 1
    assert "--fail-on verdict cannot be told" in result.stderr


def test_a_grade_that_is_none():
    assert FAIL_ON == GRADES
    with pytest.raises(ArgumentError, match="grade is 'some'; allowed: verdict, result, any"):
        moved().reaches("some")


def test_output_is_the_same_every_time(repository):
    for layout in (("--format", "markdown"), ("--format", "terminal"), ("--json",)):
        first = command("HEAD~1", *layout).stdout
        assert first == command("HEAD~1", *layout).stdout
        assert first.isascii() or layout == ("--format", "terminal")


def test_the_terminal_has_the_headline_first_and_the_sentence_last(repository):
    facts = json.dumps(FACTS).replace("-0.5 points", "-0.7 points")
    (repository / "reports/headache/facts.json").write_text(facts)
    lines = command().stdout.splitlines()
    assert lines[0].startswith("no input changed; 1 of 4 results moved (pooled 1); no verdict")
    assert lines[-1] == "Two trials: [was: -0.5] [now: -0.7] points. The end."


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nonesuch", "OLD 'nonesuch' is neither a folder of a checkout nor a revision"),
        ("", "OLD '' is neither a folder of a checkout nor a revision"),
        ("--output=x", "OLD '--output=x' is neither"),
        ("HEAD:data", "OLD 'HEAD:data' is neither"),
    ],
)
def test_a_revision_that_is_not_there(repository, named, said):
    result = command("--", named)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "`git log --oneline` lists commits" in result.stderr


def test_folders_that_are_no_checkouts(repository, tmp_path, monkeypatch):
    empty = tmp_path / "empty"
    empty.mkdir()
    result = command("HEAD", str(empty))
    assert result.exit_code == 2
    assert f"NEW '{empty}' is a folder without data/raw and no revision" in result.stderr
    monkeypatch.setenv("LDN_META_ROOT", str(empty))
    result = command("HEAD", str(repository))
    assert result.exit_code == 2
    assert "is no git repository: give two folders of checkouts" in result.stderr
    monkeypatch.setattr(compare_sources.shutil, "which", lambda name: None)
    assert "git is not installed: give two folders" in command("HEAD").stderr


def test_a_revision_without_data_and_one_that_is_not_cloned(repository, tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name)
    git(repository, "checkout", "-q", "--orphan", "bare")
    git(repository, "rm", "-rqf", "data")
    git(repository, "commit", "-q", "-m", "nothing")
    assert "has no data/raw: give a later revision" in command("bare").stderr
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", "-b", "main", f"file://{repository}", "shallow")
    monkeypatch.setenv("LDN_META_ROOT", str(shallow))
    assert "nothing moved" in command().stdout
    assert "`git fetch --unshallow`" in command("HEAD~1").stderr


def test_a_project_inside_another_repository(tmp_path, monkeypatch):
    inner = tmp_path / "outer" / "inner"
    write(inner, checkout())
    write(tmp_path / "outer", checkout(raw={"contrasts.csv": "row_id\nouter\n"}))
    git(tmp_path / "outer", "init", "-q")
    git(tmp_path / "outer", "add", "-A")
    git(tmp_path / "outer", "commit", "-q", "-m", "x")
    monkeypatch.setenv("LDN_META_ROOT", str(inner))
    assert "nothing moved" in command().stdout


# This repository.


def test_this_repository_against_its_last_commit():
    if not (REPOSITORY / ".git").exists():
        pytest.skip("an exported copy has no history")
    root = files.project_root()
    assert root == REPOSITORY
    revision = open_checkout("HEAD", "OLD")
    assert not compare(revision, revision).has_any
    found = compare(revision, open_checkout(None, "NEW"))
    assert sum(table.total for table in found.results) > 1000
    status = ["git", "-c", "safe.directory=*", "-C", str(root), "status", "--porcelain", "--"]
    done = subprocess.run(
        [*status, "data", "reports", "notebooks"], capture_output=True, text=True, check=True
    )
    if not done.stdout:
        assert "nothing moved" in headline(found)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_every_known_table_is_found_by_its_key(name):
    table = read_table((files.derived_data() / f"{name}.csv").read_bytes())
    assert set(KEYS[name]) <= set(table.columns)
    keys = [tuple(row[column] for column in KEYS[name]) for row in table.rows]
    # Several sources may contradict the same fact; those rows are paired by what they say.
    assert name == "conflicts" or len(set(keys)) == len(keys)


def test_a_changed_number_of_this_repository_is_found_everywhere():
    old = compare_sources.from_folder(files.project_root(), "old")
    text = old.derived["pooled.csv"].decode()
    row = next(line for line in read_table(text.encode()).rows if line["measure"] == "MD")
    moved = text.replace(f",{row['estimate']},", ",9.75,")
    new = Checkout("new", old.raw, {**old.derived, "pooled.csv": moved.encode()}, old.facts)
    found = compare(old, new)
    (table,) = [table for table in found.results if table.kind != "same"]
    # One trial is read by its own estimate, so its number stands in both columns.
    moved = {cell.column for change in table.rows for cell in change.cells}
    assert moved == {"estimate", "read_estimate"}
    assert {change.new["estimate"] for change in table.rows} == {"9.75"}


def test_an_edit_since_the_seal_is_told_by_row_until_it_is_sealed(
    raw_folder, tmp_path, monkeypatch
):
    folder = tmp_path / "data" / "raw"
    shutil.copytree(raw_folder, folder)
    monkeypatch.setenv("LDN_META_ROOT", str(tmp_path))
    assert edited()[0] == []
    file = folder / "studies.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("\nduebruun2024,fibromyalgia,", "\nduebruun2024,other,"), "utf-8")
    (told,) = edited()[0]
    assert told.startswith("studies.csv is not as it was sealed: no commit to compare it with; ")
    git(tmp_path, "init", "-q")
    file.write_text(text, "utf-8")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "x")
    file.write_text(text.replace("\nduebruun2024,fibromyalgia,", "\nduebruun2024,other,"), "utf-8")
    (told,) = edited()[0]
    assert "sealed: duebruun2024: indication_id 'fibromyalgia', now 'other'; when it" in told
    # Rows that come and go are named; of many, how many more.
    (folder / "arms.csv").write_text("arm_id\nmine\n", encoding="utf-8")
    told = edited()[0]
    assert len(told) == len(["arms", "studies"])
    assert "more; when it is right" in told[-1]
    assert " is gone; " in told[-1]
    result = CliRunner().invoke(main, ["seal"], catch_exceptions=False)
    assert result.stdout.splitlines() == [*told, "data/raw/datapackage.json: sealed"]
    assert edited()[0] == []
    plan = folder / "protocol.toml"
    plan.write_text(
        plan.read_text("utf-8").replace("\ntau2_method = ", "\ntau2_mehtod = "), "utf-8"
    )
    (told,) = edited()[0]
    assert told.startswith("protocol.toml is not as it was sealed: -tau2_method = ")
    (folder / "arms.csv").unlink()
    result = CliRunner().invoke(main, ["seal"], catch_exceptions=False)
    assert (result.exit_code, "arms:0:-: file arms.csv is missing" in result.stderr) == (1, True)
