"""Tables of other programs: what columns hold, which lines are studies, what becomes of them."""

import io
import json
import math
import zipfile

import openpyxl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ldn_meta.errors import ParameterError
from ldn_meta.evidence.foreign import (
    MEASURES,
    ROLES,
    Line,
    Wanted,
    chosen_lines,
    effect_cells,
    number_cells,
    place_bias,
    place_lines,
    place_sources,
    read_foreign,
    recognise,
)
from ldn_meta.evidence.raw.faults import NUMBER

# Headers as the programs write them: R's meta::read.rm5 and meta::read.cdir document the exports
# of RevMan 5 and RevMan Web, metafor::escalc its arguments.
REVMAN_5 = (
    "Comparison Number,Outcome Number,Subgroup Number,Name,Data Type,Statistical Method,"
    "Effect Measure,Analysis Model,Events 1,Mean 1,SD 1,Total 1,Events 2,Mean 2,SD 2,Total 2,"
    "Effect Estimate,SE,CI Start,CI End,Weight,Q,P(Q),I\u00b2(Q),Tau\u00b2,Year of study"
)
REVMAN_WEB = (
    "Analysis group,Analysis number,Analysis name,Subgroup,Applicability,Study,Study year,"
    "GIV Mean,GIV SE,Experimental cases,Experimental N,Control cases,Control N,"
    "Experimental mean,Experimental SD,Control mean,Control SD,O-E,Variance,Weight,Mean,"
    "CI start,CI end,Footnotes"
)
ARMS = {
    "studies": [
        {"study_id": "ames2001", "label": "Ames 2001", "design": "parallel"},
        {"study_id": "bell2002", "label": "Bell (TRIAL)", "design": "crossover"},
        {"study_id": "cole2003", "label": "Cole 2003", "design": "parallel"},
    ],
    "arms": [
        {"arm_id": f"{study}-{name}", "study_id": study, "group": group}
        for study, name, group in [
            ("ames2001", "ldn", "1"),
            ("ames2001", "placebo", "2"),
            ("bell2002", "ldn", "1"),
            ("bell2002", "placebo", "2"),
            ("cole2003", "low", "1"),
            ("cole2003", "high", "1"),
            ("cole2003", "placebo", "2"),
        ]
    ],
}


def table(text):
    header, *lines = text.strip().split("\n")
    names = header.split(",")
    rows = [(place, tuple(line.split(","))) for place, line in enumerate(lines, 2)]
    assert all(len(cells) == len(names) for _, cells in rows)
    return names, rows


def place(text, *, named=None, analysis="", layout="", **wanted):
    names, rows = table(text)
    columns = recognise(names, named or {})
    chosen = chosen_lines(rows, columns, analysis=analysis, layout=layout)
    assert (columns.problems, chosen.problems) == ((), ())
    return place_lines(
        chosen.lines,
        columns,
        chosen.layout,
        Wanted(**({"file": "f.csv", "shared": {}, "treatment": "LDN"} | wanted)),
        ARMS,
    )


def problems(text, *, named=None, **options):
    names, rows = table(text)
    columns = recognise(names, named or {})
    return [*columns.problems, *chosen_lines(rows, columns, **options).problems]


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        ("m1i,sd1i,n1i,m2i,sd2i,n2i,yi,vi", "mean_1 sd_1 n_1 mean_2 sd_2 n_2 estimate variance"),
        ("ai,n1i,ci,n2i", "events_1 n_1 events_2 n_2"),
        ("ai,bi,ci,di", "events_1 non_events_1 events_2 non_events_2"),
        ("slab,yi,sei", "study estimate se"),
        ("n.e,mean.e,sd.e,n.c,mean.c,sd.c", "n_1 mean_1 sd_1 n_2 mean_2 sd_2"),
        ("event.e,n.e,event.c,n.c", "events_1 n_1 events_2 n_2"),
        ("studlab,TE,seTE,lower,upper", "study estimate se ci_low ci_high"),
        ("Study,Mean LDN,SD LDN,N LDN", "study mean_1 sd_1 n_1"),
        ("Placebo mean,Placebo SD,Placebo N", "mean_2 sd_2 n_2"),
        ("Treatment_events,Treatment_total,Control_events", "events_1 n_1 events_2"),
        ("mean1,sd1,n1,mean2,sd2,n2", "mean_1 sd_1 n_1 mean_2 sd_2 n_2"),
    ],
)
def test_names_of_columns_are_known(header, roles):
    columns = recognise(header.split(","), {}, ("LDN", "naltrexone"))
    assert columns.problems == ()
    assert [columns.name[role] for role in roles.split()] == header.split(",")
    assert columns.not_placed == {}


def test_names_of_revman_are_known_and_its_own_results_are_told():
    columns = recognise(REVMAN_5.split(","), {})
    assert columns.problems == ()
    assert (columns.name["study"], columns.name["events_2"]) == ("Name", "Events 2")
    assert set(columns.not_placed) == {
        *("Statistical Method", "Effect Measure", "Analysis Model", "Weight", "Q", "P(Q)"),
        *("I\u00b2(Q)", "Tau\u00b2"),
    }
    assert not any("unknown" in why for why in columns.not_placed.values())
    web = recognise(REVMAN_WEB.split(","), {})
    assert web.problems == ()
    assert (web.name["estimate"], web.name["se"]) == ("GIV Mean", "GIV SE")
    # The variance is that of O-E, and the limits stand on another scale than GIV Mean.
    assert "variance" not in web.place and "ci_low" not in web.place
    assert web.not_placed["CI start"] == "not on the scale of GIV Mean"


def test_ci_is_a_count_beside_ai_and_nothing_alone():
    assert "events_2" not in recognise(["study", "yi", "ci"], {}).place
    assert recognise(["ai", "ci"], {}).name["events_2"] == "ci"


def test_two_columns_for_one_thing_are_refused_until_one_is_named():
    header = ["author", "trial", "mean1", "m1i"]
    found = recognise(header, {}).problems
    assert len(found) == 2
    assert "'author', 'trial' could all be study" in found[0]
    named = recognise(header, {"study": "author", "mean_1": "m1i"})
    assert named.problems == ()
    assert named.not_placed["trial"] == "another column was named for it"
    wrong = recognise(header, {"studdy": "author", "study": "autor"}).problems
    assert "no such role; there are study, year" in wrong[0]
    assert "no such column; there are author, trial" in wrong[1]


def test_means_become_two_rows_with_the_digits_of_the_file():
    placed = place(
        "study,m1i,sd1i,n1i,m2i,sd2i,n2i\nAmes 2001,5.10,2.0,40,6.0,2.20,41.0",
        shared={"locator": "Figure 2"},
    )
    first, second = placed.answers.rows["arm_stats"]
    assert first == {
        "study_id": "ames2001",
        "arm_id": "ames2001-ldn",
        "locator": "Figure 2; f.csv, line 2",
        "mean": "5.10",
        "sd": "2.0",
        "n": "40",
        "as_reported": "m1i 5.10; sd1i 2.0; n1i 40",
    }
    assert (second["arm_id"], second["mean"], second["n"]) == ("ames2001-placebo", "6.0", "41")
    assert placed.lines == {2: "ames2001"}
    assert (placed.new_studies, placed.not_placed) == ([], [])


def test_the_comparator_may_come_first():
    placed = place("study,ai,n1i,ci,n2i\nAmes 2001,3,40,9,41", is_swapped=True)
    rows = {row["arm_id"]: row["events"] for row in placed.answers.rows["arm_events"]}
    assert rows == {"ames2001-ldn": "9", "ames2001-placebo": "3"}


def test_a_two_by_two_table_has_its_totals():
    placed = place("study,ai,bi,ci,di\nAmes 2001,3,37,9,32")
    first, second = placed.answers.rows["arm_events"]
    assert (first["events"], first["n"], first["as_reported"]) == ("3", "40", "ai 3; bi 37")
    assert (second["events"], second["n"]) == ("9", "41")


@pytest.mark.parametrize(
    ("label", "study"),
    [("ames2001", "ames2001"), ("AMES, 2001", "ames2001"), ("Bell (Trial)", "bell2002")],
)
def test_studies_are_found_by_key_or_label(label, study):
    label = label.replace(",", "")
    placed = place(f"study,ai,n1i,ci,n2i\n{label},1,9,2,9")
    assert placed.lines == {2: study}
    assert "studies" not in placed.answers.rows


def test_a_year_in_its_own_column_belongs_to_the_label():
    placed = place("author,year,ai,n1i,ci,n2i\nAmes,2001,1,9,2,9\nDoe,2004,1,9,2,9")
    assert placed.lines == {2: "ames2001", 3: "doe2004"}
    assert placed.answers.rows["studies"] == [
        {"study_id": "doe2004", "label": "Doe 2004", "year": "2004"}
    ]
    arms = [(arm["arm_id"], arm["group"]) for arm in placed.answers.rows["arms"]]
    assert arms == [("doe2004-ldn", "1"), ("doe2004-comparator", "2")]


def test_a_label_can_be_told_by_hand():
    placed = place("study,ai,n1i,ci,n2i\nA et al.,1,9,2,9", studies={"A et al.": "ames2001"})
    assert placed.lines == {2: "ames2001"}


def test_what_cannot_be_placed_says_why():
    placed = place(
        "study,m1i,sd1i,n1i,m2i,sd2i,n2i\n"
        "Ames 2001,5,2,40,6,2.2,41\n"
        "Doe 2004,5,NA,40,6,2.2,41\n"
        "Eve 2005,5,about 2,40,6,2.2,41\n"
        "Cole 2003,5,2,40,6,2.2,41\n"
        "Fox 2006,5,2,40.5,6,2.2,41"
    )
    assert placed.lines == {2: "ames2001"}
    told = [(line, column, why) for line, column, why in placed.not_placed]
    assert told == [
        (3, "sd1i", "no number, so 'Doe 2004' is not placed"),
        (4, "sd1i", "'about 2' is not a plain number"),
        (4, "sd1i", "no number, so 'Eve 2005' is not placed"),
        (
            5,
            "study",
            "cole2003 has not one arm of group 1 and one of group 2 "
            "(cole2003-low, cole2003-high, cole2003-placebo); type it by hand",
        ),
        (6, "n1i", "'40.5' is not a whole number of people"),
        (6, "n1i", "no number, so 'Fox 2006' is not placed"),
    ]


REVMAN_ROWS = f"""{REVMAN_5}
1,0,0,LDN against placebo,,,,,,,,,,,,,,,,,,,,,,
1,1,0,Any adverse event,DIC,MH,OR,Fixed,40,,,80,30,,,80,1.2,,0.8,1.5,100,9.9,0.1,39,0,
1,1,0,Ames 2001,,,,,20,0,0,40,15,0,0,40,0.72,0.2,0.49,1.06,3.2,,,,,2001
1,2,0,Pain,CON,IV,MD,Fixed,0,,,53,0,,,54,-0.7,,-1.2,-0.1,100,5.7,0.2,29,0,
1,2,1,Women,,,,,0,,,40,0,,,40,-1.5,,-2.4,-0.5,50,0,1,0,0,
1,2,1,Ames 2001,,,,,0,5.0,2.10,40,0,6.5,2.2,40,-1.5,0.48,-2.4,-0.5,50,,,,,2001
1,2,2,Doe 2004,,,,,0,4.9,1.71,13,0,6.1,2.0,14,-1.2,0.45,-2.1,-0.3,50,,,,,2004"""


def test_a_revman_5_export_holds_several_analyses():
    assert problems(REVMAN_ROWS) == [
        "several analyses; say which with --analysis: 1.1 (Any adverse event, 1 studies), "
        "1.2 (Pain, 2 studies)"
    ]
    assert "no analysis 2.1; there are 1.1" in problems(REVMAN_ROWS, analysis="2.1")[0]
    pain = place(REVMAN_ROWS, analysis="1.2")
    assert pain.lines == {7: "ames2001", 8: "doe2004"}
    # The zeros that RevMan writes for events are no events.
    assert "arm_events" not in pain.answers.rows
    assert [row["mean"] for row in pain.answers.rows["arm_stats"]] == ["5.0", "6.5", "4.9", "6.1"]
    harm = place(REVMAN_ROWS, analysis="1.1")
    assert [row["events"] for row in harm.answers.rows["arm_events"]] == ["20", "15"]


def test_lines_that_are_no_study_are_told():
    names, rows = table(REVMAN_ROWS)
    chosen = chosen_lines(rows, recognise(names, {}), analysis="1.2")
    assert dict(chosen.passed_over) == {
        2: "names a comparison",
        3: "of analysis 1.1",
        4: "of analysis 1.1",
        5: "names an analysis",
        6: "names a subgroup",
    }
    names, rows = table("study,yi,sei\nAmes,1,1\n,2,1\nTotal,1.5,1\nSubtotal (95% CI),1,1\nDoe,,")
    assert dict(chosen_lines(rows, recognise(names, {})).passed_over) == {
        3: "names no study",
        4: "a line of totals",
        5: "a line of totals",
        6: "holds no number",
    }


def test_revman_web_rows_are_events_means_or_effects():
    web = f"""{REVMAN_WEB}
1,1,Relief,,,Ames,2001,,,9,40,4,41,,,,,,,50,2.3,0.8,6.9,
1,2,Pain,,,Ames,2001,,,,40,,41,5.1,2,6,2.2,,,50,-0.9,-1.8,0.02,
1,3,Rate,,,Ames,2001,-0.7,0.3,,,,,,,,,,,50,0.5,0.28,0.89,"""
    relief = place(web, analysis="1.1").answers.rows["arm_events"]
    assert [(row["events"], row["n"]) for row in relief] == [("9", "40"), ("4", "41")]
    pain = place(web, analysis="1.2").answers.rows["arm_stats"]
    assert [(row["mean"], row["sd"], row["n"]) for row in pain] == [
        ("5.1", "2", "40"),
        ("6", "2.2", "41"),
    ]
    (rate,) = place(web, analysis="1.3", measure="logRR").answers.rows["contrasts"]
    assert float(rate["estimate"]) == pytest.approx(math.exp(-0.7), rel=1e-5)
    assert float(rate["ci_low"]) == pytest.approx(math.exp(-0.7 - 1.959964 * 0.3), rel=1e-5)
    assert rate["as_reported"] == "GIV Mean -0.7; GIV SE 0.3"


def test_ambiguous_tables_are_refused():
    both = "study,m1i,sd1i,n1i,m2i,sd2i,n2i,ai,ci\nAmes,5,2,40,6,2,41,3,9"
    assert problems(both) == [
        "both means and events; say which with --data means or --data events"
    ]
    assert problems(both, layout="events") == []
    assert problems(both, layout="effect") == [
        "no line has the numbers of effect; there are means, events"
    ]
    twice = "study,ai,n1i,ci,n2i\nAmes 2001,1,9,2,9\nBell,1,9,2,9\names-2001,2,9,2,9"
    assert problems(twice) == ["lines 2, 4 are one study; keep one result of it in the file"]
    assert "no column names the studies" in problems("x,yi,vi\n1,2,3")[0]
    nothing = problems("study,m1i,n1i\nAmes,5,9")[0]
    assert "Known columns: study (study), m1i (mean_1), n1i (n_1)" in nothing


def test_arms_go_before_an_effect_computed_from_them():
    both = "study,m1i,sd1i,n1i,m2i,sd2i,n2i,yi,vi\nAmes 2001,5,2,40,6,2,41,-1,0.2"
    assert list(place(both).answers.rows) == ["arm_stats"]
    assert list(place(both, layout="effect", measure="MD").answers.rows) == ["contrasts"]


def test_a_crossover_has_one_number_of_pairs():
    placed = place("study,yi,ci.lb,ci.ub,n1i,n2i\nBell (TRIAL),-1.0,-2.0,0.0,20,20", measure="MD")
    (row,) = placed.answers.rows["contrasts"]
    assert (row["is_paired"], row["n_1"]) == ("yes", "20")
    assert "n_2" not in row
    placed = place("study,yi,ci.lb,ci.ub,n1i,n2i\nBell (TRIAL),-1.0,-2.0,0.0,20,21", measure="MD")
    assert placed.answers.rows["contrasts"][0]["n_1"] == "NR"
    assert "two numbers of people" in placed.not_placed[0].why


def cells(measure="MD", *, level=0.95, is_turned=False, **numbers):
    return effect_cells(numbers, measure=measure, level=level, is_turned=is_turned)


def test_an_effect_stays_as_it_is_printed_where_it_can():
    assert cells(estimate="-0.50", ci_low="-1.10", ci_high="0.10") == {
        "measure": "MD",
        "estimate": "-0.50",
        "ci_level": "0.95",
        "ci_low": "-1.10",
        "ci_high": "0.10",
    }
    assert cells(estimate="-0.50") == {"measure": "MD", "estimate": "-0.50"}


def test_limits_are_computed_from_a_standard_error_and_say_so():
    # By hand: 1.959964 * 0.25 = 0.489991.
    for spread in ({"se": "0.25"}, {"variance": "0.0625"}):
        row = cells(estimate="-0.50", **spread)
        assert (row["estimate"], row["ci_low"], row["ci_high"]) == (
            "-0.50",
            "-0.989991",
            "-0.010009",
        )
        made = ", ".join(row[name] for name in ("estimate", "ci_low", "ci_high"))
        assert row["note"] == f"computed on import: limits from the standard error: {made}"
        assert "estimate_decimals" not in row
    # 90%: 1.644854 * 0.25 = 0.411213.
    assert cells(estimate="0", se="0.25", level=0.9)["ci_high"] == "0.411213"


def test_logarithms_become_ratios_and_a_ratio_with_a_bare_standard_error_is_refused():
    row = cells("logRR", estimate="0.693147", se="0.1")
    assert row["measure"] == "RR"
    assert float(row["estimate"]) == pytest.approx(2, rel=1e-5)
    assert float(row["ci_low"]) == pytest.approx(2 * math.exp(-0.1959964), rel=1e-5)
    assert row["estimate_decimals"] == "NA"
    assert "of the ratio or of its logarithm?" in cells("RR", estimate="2", se="0.1")
    assert cells("RR", estimate="2.0", ci_low="1.1", ci_high="3.6", se="0.1")["ci_low"] == "1.1"


def test_a_turned_effect_is_minus_or_one_over_what_it_was():
    row = cells(estimate="1.5", ci_low="-0.5", ci_high="3.5", is_turned=True)
    assert [float(row[name]) for name in ("estimate", "ci_low", "ci_high")] == [-1.5, -3.5, 0.5]
    row = cells("RR", estimate="2", ci_low="1", ci_high="4", is_turned=True)
    assert [float(row[name]) for name in ("estimate", "ci_low", "ci_high")] == [0.5, 0.25, 1]
    assert "above 0" in cells("RR", estimate="2", ci_low="0", ci_high="4", is_turned=True)
    assert "not above 0" in cells(estimate="2", se="0")


@given(
    estimate=st.floats(-50, 50).map(lambda x: f"{x:.4f}"),
    se=st.floats(1e-4, 50).map(lambda x: f"{x:.5f}"),
    measure=st.sampled_from([m for m in MEASURES if m not in ("RR", "OR", "IRR")]),
    is_turned=st.booleans(),
)
def test_computed_cells_are_plain_numbers_in_order(estimate, se, measure, is_turned):
    if measure.startswith("log"):
        # Beyond, a limit is so large or small that six digits are no longer decimals.
        assume(abs(float(estimate)) <= 9 and float(se) <= 9)
    row = cells(measure, estimate=estimate, se=se, is_turned=is_turned)
    values = [row[name] for name in ("ci_low", "estimate", "ci_high")]
    assert all(NUMBER.fullmatch(text) for text in values), values
    low, centre, high = map(float, values)
    assert low <= centre <= high
    if measure.startswith("log"):
        middle = math.sqrt(low * high)
        assert middle == pytest.approx(centre, rel=1e-4)
    else:
        assert (low + high) / 2 == pytest.approx(centre, abs=1e-4 * max(1, abs(low), abs(high)))


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=12, unique=True))
def test_every_column_is_placed_told_or_a_problem(header):
    columns = recognise(header, {})
    assert set(columns.place) <= set(ROLES)
    told = {*columns.name.values(), *columns.not_placed}
    for name in set(header) - told:
        assert any(repr(name) in problem for problem in columns.problems)


# Files that are no tables of text

# As R's meta::read.rm5 has it in Fleiss1993.rm5, cut to two trials, one other kind and a swap.
RM5 = """<?xml version="1.0" encoding="UTF-8"?>
<COCHRANE_REVIEW><STUDIES_AND_REFERENCES><STUDIES><INCLUDED_STUDIES>
<STUDY ID="STD-CDP" NAME="CDP" YEAR="1976"/><STUDY ID="STD-MRC_x002d_1" NAME="MRC-1" YEAR="1974"/>
</INCLUDED_STUDIES></STUDIES></STUDIES_AND_REFERENCES>
<ANALYSES_AND_DATA><COMPARISON ID="CMP-001" NO="1"><NAME>Aspirin</NAME>
<DICH_OUTCOME CI_END="0.96" CI_START="0.84" EFFECT_MEASURE="OR" EFFECT_SIZE="0.90" NO="1"
 SWAP_EVENTS="YES">
<NAME>Death</NAME>
<DICH_DATA CI_END="1.06" CI_START="0.49" EFFECT_SIZE="0.72" EVENTS_1="49" EVENTS_2="67" SE="0.197"
 STUDY_ID="STD-MRC_x002d_1" TOTAL_1="615" TOTAL_2="624"/>
<DICH_SUBGROUP NO="1"><NAME>Women</NAME>
<DICH_DATA EVENTS_1="44" EVENTS_2="64" SE="0.2" STUDY_ID="STD-CDP" TOTAL_1="758" TOTAL_2="771"/>
</DICH_SUBGROUP></DICH_OUTCOME>
<IPD_OUTCOME NO="2"><NAME>Time to death</NAME>
<IPD_DATA O_E="-2" STUDY_ID="STD-CDP" VAR="5"/></IPD_OUTCOME>
</COMPARISON></ANALYSES_AND_DATA></COCHRANE_REVIEW>"""


def chosen(content, **options):
    columns = recognise(content.header, {})
    return columns, chosen_lines(content.lines, columns, **options)


def file_of(folder, name, data):
    file = folder / name
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    return file


def test_a_review_of_revman_5_is_the_table_of_its_own_export(tmp_path):
    content = read_foreign(file_of(tmp_path, "r.rm5", RM5))
    _, found = chosen(content)
    assert found.layout == "events"
    roles = ("study", "year", "events_1", "n_1", "events_2", "n_2")
    assert [tuple(line.cell(role) for role in roles) for line in found.lines] == [
        ("MRC-1", "1974", "49", "615", "67", "624"),
        ("CDP", "1976", "44", "758", "64", "771"),
    ]
    assert content.analyses == {"1.1": "OR 0.90 (0.84 to 0.96)"}
    assert content.notes == (
        "1.1: RevMan swaps events and non-events; taken as typed there",
        "1.2 (Time to death), 1 entries: IPD data are of no kind here",
    )


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("r.rm5", "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>", "defines entities"),
        ("r.rm5", "<x>", "is no XML"),
        ("r.rm5", "<x/>", "holds no analysis"),
        ("r.zip", b"PK", "is no ZIP file"),
        ("r.xlsx", b"PK", "is no workbook"),
        ("r.json", "[]", "is no record with results"),
    ],
)
def test_a_file_of_another_kind_than_its_name_says_is_refused(tmp_path, name, data, words):
    with pytest.raises(ParameterError, match=words):
        read_foreign(file_of(tmp_path, name, data))


def package(**members):
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return written.getvalue()


def test_a_data_package_of_revman_is_read_also_inside_that_of_a_review(tmp_path):
    rows = f"{REVMAN_WEB}\n1,1,Pain,,,Ames 2001,2001,,,,40,,41,4.1,2,5,2.2,,,50,,,,\n"
    names = "Analysis group,Analysis number,Effect measure,Mean,CI start,CI end,Analysis model"
    members = {
        "CD1-analysis-data/CD1-data-rows.csv": rows,
        "CD1-analysis-data/CD1-overall-estimates-and-settings.csv": (
            f"{names}\n1,1,Mean Difference,-0.9,-1.8,0.02,Random effects\n"
        ),
        "CD1-study-data/CD1-risk-of-bias.csv": "Study,Domain (judgement): a\nAmes 2001,Low risk\n",
    }
    inner = package(**members)
    for data in (inner, package(**{"CD1-files/CD1-data.zip": inner})):
        content = read_foreign(file_of(tmp_path, "p.zip", data))
        _, found = chosen(content)
        (line,) = found.lines
        assert (found.layout, line.label) == ("means", "Ames 2001")
        assert content.name.endswith("CD1-data-rows.csv")
        told = "Mean Difference -0.9 (-1.8 to 0.02), Random effects"
        assert content.analyses == {"1.1": told}
        assert content.notes == ("risk of bias is another import: --data bias",)
    with pytest.raises(ParameterError, match="no data package of RevMan"):
        read_foreign(file_of(tmp_path, "q.zip", package(**{"a.csv": "x"})))


def workbook(folder, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = folder / "t.xlsx"
    book.save(file)
    return file


def test_a_workbook_gives_what_its_cells_hold(tmp_path):
    head = ["study", "m1i", "n1i", None]
    file = workbook(tmp_path, trials=[head, ["A 2001", 0.1 + 0.2, 40, None], [None] * 4], empty=[])
    content = read_foreign(file)
    assert content.header == ("study", "m1i", "n1i")
    assert content.lines == ((2, ("A 2001", "0.3", "40")),)
    assert (content.name, content.where) == ("t.xlsx, sheet trials", "row")
    file = workbook(tmp_path, a=[["study"], ["x"]], b=[["study"], ["y"]])
    with pytest.raises(ParameterError, match="several sheets; say which with --sheet: a, b"):
        read_foreign(file)
    assert read_foreign(file, sheet="b").lines == ((2, ("y",)),)
    with pytest.raises(ParameterError, match="no sheet 'c'"):
        read_foreign(file, sheet="c")
    file = workbook(tmp_path, a=[["study", "m1i"], ["x", "=1+1"]])
    with pytest.raises(ParameterError, match="B2 are formulas without values"):
        read_foreign(file)


def test_a_decimal_comma_is_offered_and_never_guessed(tmp_path):
    file = file_of(tmp_path, "t.csv", "study;m1i\nA, 2001;4,9\nB;5\n")
    line = Line(2, {"study": "A, 2001", "mean_1": "4,9"})
    assert number_cells(line)[1] == [
        ("mean_1", "'4,9' is not a plain number; where commas are decimal: --decimal-comma")
    ]
    content = read_foreign(file, has_commas=True)
    assert content.lines == ((2, ("A, 2001", "4.9")), (3, ("B", "5")))
    assert content.notes == ("decimal commas were read as points",)


def test_numbers_as_r_writes_them_are_plain_numbers():
    line = Line(2, {"estimate": "-1e-05", "variance": "1.5E-3", "n_1": "1e+05", "ci_low": "Inf"})
    found, faults = number_cells(line)
    assert found == {"estimate": "-0.00001", "variance": "0.0015", "n_1": "100000"}
    assert faults == [("ci_low", "'Inf' is not a plain number")]


def record(**changes):
    outcome = {
        "title": "Pain",
        "timeFrame": "12 weeks",
        "paramType": "MEAN",
        "dispersionType": "Standard Deviation",
        "unitOfMeasure": "points",
        "groups": [{"id": "OG000", "title": "Drug"}, {"id": "OG001", "title": "Sugar"}],
        "denoms": [
            {
                "units": "Participants",
                "counts": [
                    {"groupId": "OG000", "value": "40"},
                    {"groupId": "OG001", "value": "41"},
                ],
            }
        ],
        "classes": [
            {
                "categories": [
                    {
                        "measurements": [
                            {"groupId": "OG000", "value": "4.1", "spread": "2.0"},
                            {"groupId": "OG001", "value": "5.0", "spread": "2.2"},
                        ]
                    }
                ]
            }
        ],
    } | changes
    return json.dumps(
        {
            "protocolSection": {
                "identificationModule": {"nctId": "NCT01234567"},
                "statusModule": {"completionDateStruct": {"date": "2019-05"}},
            },
            "resultsSection": {"outcomeMeasuresModule": {"outcomeMeasures": [outcome]}},
        }
    )


def test_a_record_of_a_registry_gives_one_outcome_of_two_groups(tmp_path):
    file = file_of(tmp_path, "NCT01234567.json", record())
    with pytest.raises(ParameterError, match=r"(?s)--analysis:\s+1.1 \(Pain; 12 weeks\)"):
        read_foreign(file)
    content = read_foreign(file, analysis="1")
    _, found = chosen(content)
    (line,) = found.lines
    assert found.layout == "means"
    roles = ("study", "year", "mean_1", "sd_1", "n_1", "mean_2", "sd_2", "n_2")
    assert [line.cell(role) for role in roles] == [
        *("NCT01234567", "2019", "4.1", "2.0", "40", "5.0", "2.2", "41")
    ]
    assert content.notes[1:3] == ("group 1 is Drug", "group 2 is Sugar")
    counted = read_foreign(
        file_of(tmp_path, "b.json", record(paramType="COUNT_OF_PARTICIPANTS")), analysis="1.1"
    )
    assert counted.header[2:] == ("Events 1", "Total 1", "Events 2", "Total 2")
    for changes, words in (
        ({"dispersionType": "Standard Error"}, "neither means with SDs nor people counted"),
        ({"groups": [{"id": "OG000", "title": "Drug"}]}, r"it has 1 groups \(Drug\), not two"),
    ):
        file = file_of(tmp_path, "c.json", record(**changes))
        with pytest.raises(ParameterError, match=f"{words}.*type it by hand"):
            read_foreign(file, analysis="1")


RIS = """TY  - JOUR
AU  - Doe, Jane
AU  - Roe, R
PY  - 2020/03/01
TI  - A trial of
 something
T2  - J Trials
VL  - 12
SP  - 34
EP  - 56
DO  - https://doi.org/10.1000/xyz.1
ER  -

TY  - ANCIENT
TI  - A tablet
ER  -
"""
BIB = r"""
@string{x = "y"}
@article{doe2020,
  author = {Doe, Jane and M{\"u}ller, J{\o}rgen and Garc{\'\i}a, A},
  title = {{A trial of \textit{x} \& y: 50\%}},
  journal = "J {T}rials", volume = 12, pages = {34--56}, year = 2020,
  doi = {10.1000/xyz.1}, note = {PMID 12345678}
}
"""


def test_references_become_sources_and_none_comes_twice(tmp_path):
    head = "source_id,kind,title,doi,pmid\n"
    file_of(tmp_path, "sources.csv", head)
    placed = place_sources(file_of(tmp_path, "a.ris", RIS), tmp_path, shared={})
    first, second = placed.answers.rows["sources"]
    assert first == {
        **{"kind": "journal article", "authors": "Doe, Jane; Roe, R", "year": "2020"},
        **{"title": "A trial of something", "container": "J Trials 12 pp. 34-56"},
        **{"doi": "10.1000/xyz.1", "pmid": "NR", "url": "NR", "registry_id": "NR"},
        "note": "no row cites it",
    }
    assert "kind" not in second
    assert placed.not_placed == [
        (14, "kind", "kind of source 'ancient' is none here: --set kind=..., in a file of its own")
    ]
    (row,) = place_sources(file_of(tmp_path, "b.bib", BIB), tmp_path, shared={}).answers.rows[
        "sources"
    ]
    assert row["authors"] == "Doe, Jane; M\u00fcller, J\u00f8rgen; Garc\u00eda, A"
    assert (row["source_id"], row["pmid"]) == ("doe2020", "12345678")
    assert row["container"] == "J Trials 12 pp. 34-56"
    file_of(tmp_path, "sources.csv", f"{head}old1,journal article,x,10.1000/XYZ.1,NA\n")
    placed = place_sources(file_of(tmp_path, "b.bib", BIB), tmp_path, shared={})
    assert placed.not_placed == [(3, "-", "is on file, or in it before: old1")]
    with pytest.raises(ParameterError, match="line 1 opens is never closed"):
        place_sources(file_of(tmp_path, "c.bib", "@article{a, title = {b"), tmp_path, shared={})
    with pytest.raises(ParameterError, match="holds no reference"):
        place_sources(file_of(tmp_path, "c.ris", "x"), tmp_path, shared={})


def test_a_table_for_robvis_judges_studies_on_file(tmp_path):
    file_of(tmp_path, "studies.csv", "study_id,label\names2001,Ames 2001\n")
    table = (
        "Study,D1,D2,D3,D4,D5,Overall,Weight\n"
        "Ames 2001,Low,Some concerns,No information,High,Critical,High,12\n"
        "Zorn 1999,Low,Low,Low,Low,Low,Low,1\n"
    )
    placed = place_bias(file_of(tmp_path, "r.csv", table), tmp_path, shared={}, studies={})
    rows = placed.answers.rows["risk_of_bias"]
    assert [(row["domain"], row["judgement"]) for row in rows] == [
        ("randomisation process", "low"),
        ("deviations from intended interventions", "some concerns"),
        ("missing outcome data", "not readable here"),
        ("measurement of the outcome", "high"),
        ("overall", "high"),
    ]
    assert placed.not_placed == [
        (2, "D5", "'Critical' is no judgement of RoB 2"),
        (3, "-", "no study on file is called 'Zorn 1999'"),
    ]
    with pytest.raises(ParameterError, match="needed are the columns Study"):
        place_bias(
            file_of(tmp_path, "r.csv", "Study,D1,Overall\na,Low,Low\n"),
            tmp_path,
            shared={},
            studies={},
        )
    judged = ",".join(f"Domain (judgement): {n},Domain (support): {n}" for n in range(5))
    text = f"Study,{judged},Overall\nAmes 2001,{'Low risk,why,' * 5}Low risk\n"
    data = package(**{"CD-risk-of-bias.csv": text})
    placed = place_bias(file_of(tmp_path, "p.zip", data), tmp_path, shared={}, studies={})
    assert {row["judgement"] for row in placed.answers.rows["risk_of_bias"]} == {"low"}
    assert len(placed.answers.rows["risk_of_bias"]) == 6
