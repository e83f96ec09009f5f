"""What tests are made of, by kind: evidence, effects, directions, bodies, multiverses, figures."""

import csv
import functools
import itertools
import json
import math
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from ldn_meta import files
from ldn_meta.display.pages.page import Opened
from ldn_meta.errors import DataError
from ldn_meta.evidence.answer.multiverse import NUMBERS, Multiverse, is_about_model, summary
from ldn_meta.evidence.answer.pools import DIRECTION_ONLY, META_ANALYSIS, ONE_TRIAL, build_pools
from ldn_meta.evidence.derive import tables_of_run
from ldn_meta.evidence.derived import TABLES, Derived
from ldn_meta.evidence.grade import FILE, Body, Study, read_sentences
from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.bias import fitting_tool
from ldn_meta.evidence.raw.faults import SLIPS, TYPED, UNCITED
from ldn_meta.evidence.raw.protocol import Node, Option, load_protocol
from ldn_meta.evidence.raw.review import load_wording

# Values that are checked by `make test-all` alone.
slow = functools.partial(pytest.param, marks=pytest.mark.slow)


def cases(name):
    """The rows of a table in tests/cases, one JSON value a line; # begins a remark."""
    lines = (Path(__file__).parent / "cases" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.splitlines() if not line.startswith("#")]


def percent(share):
    """Less than all the examples of the profile in use, for a test of which each one is long."""
    return settings(max_examples=max(1, settings.default.max_examples * share // 100))


def grid(*axes, fast):
    """Every combination of values; those that are not among the fast ones are slow."""
    fast = list(fast)
    return [one if one in fast else slow(*one) for one in itertools.product(*axes)]


def holds_for(few, many, **strategies):
    """Try what follows on few examples; many are slow."""

    def tried(check):
        @pytest.mark.parametrize("examples", [few, slow(many)])
        def test(examples):
            settings(max_examples=examples)(given(**strategies)(check))()

        return test

    return tried


# Evidence from nothing: rows state what matters, everything else has a plain default.

MISSING = "NR"
# What rows are unless a test says otherwise; columns that are not named here are not reported.
DEFAULTS = {
    "indications": {
        "label": "headache",
        "intervention": "LDN",
        "sort_order": 1,
        "is_reported": "yes",
        "main_construct": "pain_intensity",
        "main_comparator": "placebo",
        "question": "Does it help?",
    },
    "sources": {"kind": "journal article", "note": "untraceable: made up"},
    "studies": {
        "indication_id": "headache",
        "year": 2020,
        "status": "published",
        "design": "parallel",
        "is_randomised": "yes",
        "blinding": "double-blind",
        "population": "people",
        "intervention": "LDN",
        "comparator": "placebo",
        "comparator_class": "placebo",
        "eligible_for": "contrast",
        "eligibility_reason": "randomised",
        "overlaps_with": "NA",
        "source_id": "paper",
    },
    "arms": {"treatment": "tablets"},
    "outcomes": {
        "construct": "pain_intensity",
        "construct_label": "pain",
        "instrument": "scale",
        "kind": "continuous",
        "domain": "benefit",
        "benefit_sign": -1,
        "scale_min": 0,
        "scale_max": 10,
        "unit": "points (0-10)",
    },
    "arm_stats": {"statistic_of": "change"},
    "arm_events": {"counted": "people"},
    "claims": {
        "claimed_in": "review",
        "indication_id": "headache",
        "study_id": "NA",
        "role": "result",
        "is_headline": "no",
        "measure": "statement",
    },
    "contrasts": {
        "measure": "MD",
        "is_paired": "no",
        "estimand": "not stated",
        "direction": "not stated",
    },
}
VALUE_DEFAULTS = {
    "outcome_id": "pain",
    "timepoint_weeks": 12,
    "timepoint": "NA",
    "analysis_set": "intention to treat",
    "read_from": "full text",
    "reliability": "normal",
    "preferred": "yes",
    "preferred_reason": "NA",
}
FILLERS = {"note": "NA", "read_from": "full text"}
DECIMALS = {
    "estimate": "estimate_decimals",
    "p_value": "p_decimals",
    "percent": "percent_decimals",
}

# Columns of value rows that hold printed numbers.
PRINTED = sorted({name for names in TYPED.values() for name in names})
SIZES = ("n", "n_1", "n_2")


def unsealed(folder):
    """Rows of these tables may come and go."""
    file = folder / "datapackage.json"
    descriptor = json.loads(file.read_text(encoding="utf-8"))
    for resource in descriptor["resources"]:
        resource.pop("rows", None)
        resource.pop("hash", None)
    file.write_text(json.dumps(descriptor, indent=1, ensure_ascii=False), encoding="utf-8")


class Builder:
    """Collects rows, writes them in the shape of data/raw and loads them.

    Numbers are given as they are printed: 0.30 is "0.30", and its decimals are counted.
    """

    def __init__(self, folder, raw_folder):
        self.folder = folder
        # Neither the rows nor what is accepted in them.
        shutil.copytree(raw_folder, folder, ignore=shutil.ignore_patterns("*.csv", "*.yml"))
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        unsealed(folder)
        self.columns = {
            resource["name"]: [field["name"] for field in resource["schema"]["fields"]]
            for resource in descriptor["resources"]
        }
        # Texts that must be there and that no test looks at.
        self.required = {
            resource["name"]: [
                field["name"]
                for field in resource["schema"]["fields"]
                if field["type"] == "string"
                and field.get("constraints", {}).get("required")
                and "enum" not in field["constraints"]
            ]
            for resource in descriptor["resources"]
        }
        self.rows = {name: [] for name in self.columns}
        self.add("indications", indication_id="headache")
        self.add("sources", source_id="paper")
        self.add("outcomes", outcome_id="pain")

    def add(self, table, **cells):
        """One row; the key of a value row is made up, one source stands for both it may name."""
        if "reported_in" in self.columns[table]:
            source = cells.pop("source_id", "paper")
            cells = {"reported_in": source, "read_in": source} | cells
        row = dict.fromkeys(self.columns[table], MISSING) | {
            name: value for name, value in FILLERS.items() if name in self.columns[table]
        }
        if table in ("arm_stats", "arm_events", "contrasts"):
            row |= VALUE_DEFAULTS | {"row_id": f"row-{len(self.rows[table]) + 1}"}
        row |= DEFAULTS.get(table, {})
        if table == "claims":
            row["read_in"] = cells.get("claimed_in", row["claimed_in"])
        for name in self.required[table]:
            if row[name] == MISSING and name not in cells:
                row[name] = "stated"
        for number, count in DECIMALS.items():
            if number in cells and count in row:
                row[count] = len(str(cells[number]).partition(".")[2])
        if row.get("as_reported") == "stated":
            # What is typed is what is printed.
            told = [str(cells[name]) for name in (*PRINTED, *SIZES) if name in cells]
            row["as_reported"] = "; ".join(told) or "stated"
        unknown = set(cells) - set(row)
        assert not unknown, f"{table} has no column {unknown}"
        self.rows[table].append(row | cells)
        return f"{table}:{self.rows[table][-1].get('row_id', '')}"

    def trial(self, study_id="ames2001", *, n=(50, 50), **cells):
        """A study with an arm of LDN and one of placebo."""
        self.add("studies", study_id=study_id, **({"label": study_id} | cells))
        for group, (name, size) in enumerate(zip(("ldn", "placebo"), n, strict=True), 1):
            self.arm(study_id, name, group, size)

    def arm(self, study_id, name, group, n=MISSING):
        self.add(
            "arms",
            arm_id=f"{study_id}-{name}",
            study_id=study_id,
            group=group,
            label=name,
            n_analysed=n,
        )

    def contrast(self, study_id="ames2001", **cells):
        arms = {"arm_1": f"{study_id}-ldn", "arm_2": f"{study_id}-placebo"}
        return self.add("contrasts", study_id=study_id, **(arms | cells))

    def stats(self, arm="ldn", study_id="ames2001", **cells):
        return self.add("arm_stats", study_id=study_id, arm_id=f"{study_id}-{arm}", **cells)

    def events(self, arm="ldn", study_id="ames2001", **cells):
        outcome = {"outcome_id": "responder"}
        if not any(row["outcome_id"] == "responder" for row in self.rows["outcomes"]):
            self.outcome("responder", construct="responder_pain_30", domain="responder")
        return self.add(
            "arm_events",
            study_id=study_id,
            arm_id=f"{study_id}-{arm}",
            **(outcome | cells),
        )

    def outcome(self, outcome_id, **cells):
        people = {
            "kind": "binary",
            "benefit_sign": 1,
            "scale_min": "NA",
            "scale_max": "NA",
            "unit": "people",
        }
        extra = {} if cells.get("domain", "benefit") == "benefit" else people
        self.add("outcomes", outcome_id=outcome_id, **(extra | cells))

    def bias(self, study_id="ames2001", **judgements):
        """Judgements by domain; blanks in a name are underlines: missing_outcome_data="low"."""
        tool = self.tool(next(s for s in self.rows["studies"] if s["study_id"] == study_id))
        for name, judgement in judgements.items():
            self.add(
                "risk_of_bias",
                row_id=f"{study_id}-{name.replace('_', '-')}",
                study_id=study_id,
                tool=tool,
                domain=name.replace("_", " "),
                judgement=judgement,
                judged_by="nobody yet" if judgement == "TODO" else "this project",
            )

    def tool(self, study):
        return fitting_tool(
            study["design"],
            is_randomised=study["is_randomised"],
            eligible_for=study["eligible_for"],
        )

    def write(self):
        # Every eligible study has a judgement, or says that it waits for one.
        for study in self.rows["studies"]:
            if all(row["study_id"] != study["study_id"] for row in self.rows["risk_of_bias"]):
                self.bias(study["study_id"], overall="TODO")
        for name, rows in self.rows.items():
            with (self.folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, self.columns[name], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        return self.folder

    def load(self, *, validate=False):
        return load_evidence(self.write(), validate=validate)


MADE_UP = Path(__file__).parent / "reference" / "selection_reference.json"


def seven_trials(folder, raw_folder):
    """The made-up trials of reference/selection_reference.R as raw tables, and R's answers."""
    known = json.loads(MADE_UP.read_text(encoding="utf-8"))
    build = Builder(folder, raw_folder)

    def two_arms(study, row, **cells):
        for place, arm in enumerate(("ldn", "placebo"), 1):
            numbers = {"mean": row[f"m{place}"], "sd": row[f"sd{place}"], "n": row[f"n{place}"]}
            build.stats(arm, study, **numbers, **cells)

    for row in known["trials"]:
        dose = {f"dose_{end}_mg_per_day": row["dose"] for end in ("low", "high")}
        cells = {"design": row["design"], "blinding": row["blinding"], "year": row["id"][-4:]}
        label = {"label": f"{row['id'][:-4].capitalize()} {row['id'][-4:]}"}
        build.trial(row["id"], n=(row["n1"], row["n2"]), **dose, **cells, **label)
        build.bias(row["id"], overall=row["bias"])
        two_arms(row["id"], row, statistic_of=row["what"])
        if row["start"] is not None:
            start = {f"sd{arm}": row["start"] for arm in (1, 2)} | {"m1": 6, "m2": 6}
            two_arms(row["id"], row | start, statistic_of="baseline", timepoint_weeks=0)
    two_arms("ames2001", known["late"][0], statistic_of="end", timepoint_weeks=26)
    done = {"statistic_of": "end", "analysis_set": "per protocol"}
    two_arms("berg2003", known["done"][0], **done)
    for row in known["counts"]:
        for arm, counted, n in (("ldn", "ai", "n1"), ("placebo", "ci", "n2")):
            build.events(arm, row["id"], events=row[counted], n=row[n])
    return build, known


def made_page(evidence, protocol, **parameters):
    """What a page opens: tables made from evidence of one condition, under a protocol."""
    frames = {name: pd.DataFrame() for name in TABLES} | tables_of_run(evidence, protocol)
    row = evidence.text["indications"].iloc[0].to_dict()
    told = {"indication": row["indication_id"], **parameters}
    derived = Derived(evidence=evidence, protocol=protocol, **frames)
    return Opened("20_pooled_effect", row, derived, protocol, told)


# A copy of data/raw to break, cell by cell.

FIRST_DATA_LINE = 2


class RawCopy:
    """The tables of data/raw as lists of dicts, written back by ``save``."""

    def __init__(self, source, folder):
        shutil.copytree(source, folder)
        unsealed(folder)
        self.folder = folder
        self.columns, self.rows = {}, {}
        for file in sorted(folder.glob("*.csv")):
            with file.open(newline="", encoding="utf-8") as stream:
                reader = csv.DictReader(stream)
                self.rows[file.stem] = list(reader)
                self.columns[file.stem] = reader.fieldnames
        self.taken = set()

    def find(self, table, **wanted):
        """The first row, not broken yet, whose cells pass; a test is a value or a function."""
        for row in self.rows[table]:
            passes = all(
                test(row[name]) if callable(test) else row[name] == test
                for name, test in wanted.items()
            )
            if passes and id(row) not in self.taken:
                self.taken.add(id(row))
                return row
        raise LookupError(f"{table} has no row with {wanted}")

    def line(self, table, row):
        return next(i for i, r in enumerate(self.rows[table]) if r is row) + FIRST_DATA_LINE

    def append(self, table, row):
        self.rows[table].append(row)
        self.taken.add(id(row))
        return row

    def save(self):
        for name, rows in self.rows.items():
            with self.path(name).open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, self.columns[name], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        return self.folder

    def path(self, table):
        return self.folder / f"{table}.csv"


def faults_of(folder, **options):
    """What a folder is refused for."""
    with pytest.raises(DataError) as refused:
        load_evidence(folder, **options)
    return refused.value


def addressed(faults):
    return {(f.table, f.line, f.column, f.value, f.rule) for f in faults}


ENTRY = {
    "table": "arm_events",
    "row": "row-1",
    "check": "percentage of the arm",
    "expect": "88%",
    "action": "accept",
    "reason": "fewer were analysed",
    "by": "a test",
}


def entry_lines(**changes):
    """An entry of corrections.yml; a key that is None is not there."""
    cells = {key: value for key, value in (ENTRY | changes).items() if value is not None}
    return "- " + "\n  ".join(f"{key}: {value}" for key, value in cells.items()) + "\n"


# The real tables cut down to a few studies, in a project of their own: quick to check whole.

STUDIES = ("duebruun2024", "younger2013", "cree2010", "raknes2018")


def cut_down(raw_folder, root):
    """Copy data/raw with the rows of STUDIES only, and what is accepted of the cells of these."""
    folder = root / "data" / "raw"
    shutil.copytree(raw_folder, folder, ignore=shutil.ignore_patterns("*.yml"))
    unsealed(folder)
    for file in folder.glob("*.csv"):
        rows = read(file)
        header = list(rows[0])
        if "study_id" in header:
            rows = [row for row in rows if row["study_id"] in STUDIES]
        elif file.name == "certainty.csv":
            told = told_by(raw_folder)
            rows = [row for row in rows if (row["indication_id"], row["construct"]) in told]
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, header, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    # What cites a source went with its rows.
    columns = ("source_id", "reported_in", "read_in", "claimed_in", "corrected_in")
    tables = [read(file) for file in folder.glob("*.csv") if file.name != "sources.csv"]
    named = {row.get(name) for rows in tables for row in rows for name in columns}
    with (folder / "sources.csv").open(newline="", encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    with (folder / "sources.csv").open("w", newline="", encoding="utf-8") as stream:
        kept = [row for row in rows if row[0] in named or UNCITED in row[-1]]
        csv.writer(stream, lineterminator="\n").writerows([header, *kept])
    entries = (raw_folder / "corrections.yml").read_text(encoding="utf-8").split("\n- ")[1:]
    kept_keys = {
        (file.stem, next(iter(row.values())))
        for file in folder.glob("*.csv")
        for row in read(file)
    }
    # A finding of a recomputed number may need rows that are gone.
    accepted = [
        f"- {entry}\n"
        for entry in entries
        if any(f"check: {check}\n" in entry for check in SLIPS)
        and re.match(r"table: (.*)\n  row: (.*)", entry).groups() in kept_keys
    ]
    (folder / "corrections.yml").write_text("".join(accepted), encoding="utf-8")
    # Of the multiverse one node is enough, too.
    protocol = folder / "protocol.toml"
    first, *_, last = protocol.read_text(encoding="utf-8").split("[[multiverse.node]]")
    # The SD that the certainty of pain is judged by is of a trial that is not among STUDIES.
    first = re.sub(r'(?m)^sd_row = "arm_stats:.*$', 'sd_row = "none"', first)
    # The trial that looked for the dose is not among STUDIES either.
    first = re.sub(r"(?s)# Page 92.*?\n\n(?=# Pools shown)", "", first)
    # What is varied by a node that is gone is varied by none.
    kept = re.sub(r"\nvaried_by = [^\n]*", "", f"{first}[[multiverse.node]]{last}")
    protocol.write_text(kept, encoding="utf-8")
    return folder


def told_by(raw_folder):
    """Indication and construct of everything that STUDIES report."""
    of_study = {row["study_id"]: row["indication_id"] for row in read(raw_folder / "studies.csv")}
    of_outcome = {row["outcome_id"]: row["construct"] for row in read(raw_folder / "outcomes.csv")}
    return {
        (of_study[row["study_id"]], of_outcome[row["outcome_id"]])
        for table in ("arm_stats", "arm_events", "contrasts")
        for row in read(raw_folder / f"{table}.csv")
        if row["study_id"] in STUDIES
    }


def read(file):
    with Path(file).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def snapshot(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def added(before, folder):
    """New lines by file; that no other line changed is checked on the way."""
    found = {}
    for name, data in snapshot(folder).items():
        old, new = before[name].splitlines(), data.splitlines()
        fresh = [line for line in new if line not in old]
        assert [line for line in new if line in old] == old, name
        if fresh:
            found[name.removesuffix(".csv")] = [line.decode() for line in fresh]
    return found


# Effects as normalisation writes them.

EFFECT = {
    "indication_id": "headache",
    "study_id": "ames2001",
    "year": 2001.0,
    "kind": "contrast",
    "construct": "pain_intensity",
    "construct_label": "pain",
    "outcome_id": "pain",
    "domain": "benefit",
    "benefit_sign": -1.0,
    "direction": "not stated",
    "arm": "LDN",
    "comparator": "placebo",
    "comparator_class": "placebo",
    "timepoint_weeks": 12.0,
    "analysis_set": "intention to treat",
    "design": "parallel",
    "eligible_for": "contrast",
    "is_randomised": True,
    "blinding": "double-blind",
    "is_paired": False,
    "measure": "MD",
    "unit": "points (0-10)",
    "has_known_scale": True,
    "yi": -1.0,
    "vi": 0.25,
    "df": float("nan"),
    "estimand": "not stated",
    "route": "events and n per arm",
    "n_1": 50.0,
    "n_2": 50.0,
    "events_1": float("nan"),
    "events_2": float("nan"),
    "rows": "arm_stats:treated arm_stats:untreated",
    "route_rank": 1,
    "is_approximate": False,
    "read_from": "full text",
    "is_transcribed": False,
    "is_preferred": True,
    "is_selected": True,
    "selected_why": "",
    "reported_in": "paper",
    "read_in": "paper",
    "locator": "Table 1",
    "notes": "none",
}


def effect_rows(*rows):
    """A frame of effects; each row states what differs from a plain one."""
    complete = []
    for place, row in enumerate(rows):
        whole = EFFECT | {"effect_id": f"effect-{place}"} | row
        whole.setdefault("trial_id", whole["study_id"])
        whole.setdefault("study_label", whole["study_id"])
        half = 1.959963984540054 * whole["vi"] ** 0.5
        whole.setdefault("ci_low", whole["yi"] - half)
        whole.setdefault("ci_high", whole["yi"] + half)
        complete.append(whole)
    return pd.DataFrame(complete)


# Directions as the derived table has them.

DIRECTION = {
    "indication_id": "headache",
    "year": 2001.0,
    "design": "parallel",
    "eligible_for": "contrast",
    "is_randomised": True,
    "comparator_class": "placebo",
    "construct": "pain_intensity",
    "construct_label": "pain",
    "group": "pain",
    "direction": "not stated",
    "rows": "contrasts:printed",
    "sign": 1.0,
    "sign_from": "printed MD of -1",
    "known_by": "printed numbers",
    "p_low": float("nan"),
    "p_high": float("nan"),
    "p_printed": "NR",
    "people_are": "analysed",
    "n_people": 100.0,
    "blinding": "double-blind",
}


def direction_rows(*rows):
    """A frame of directions; each row names its study and states what differs from a plain one."""
    complete = []
    for row in rows:
        whole = DIRECTION | row
        whole.setdefault("study_id", whole["study_label"])
        whole.setdefault("trial_id", whole["study_id"])
        complete.append(whole)
    columns = [*DIRECTION, "study_label", "study_id", "trial_id"]
    return pd.DataFrame(complete, columns=columns)


# Bodies of evidence to rate.

PROTOCOL = load_protocol()
CHOICES = PROTOCOL.certainty
SENTENCES = read_sentences(load_wording(files.raw_data())[FILE])
STUDY = {
    "is_randomised": "yes",
    "dose_high_mg_per_day": "4.5",
    "duration_weeks": "12",
    "year": "2020",
}


def study(name, people=100, tool="", **cells):
    return Study.of({**STUDY, "study_id": name, "label": name, **cells}, (people, ""), tool)


def body(*rows, studies=None, told=None, **what):
    """A body of one pool; effects as `effect_rows`, or none with only what studies tell."""
    pool = None
    if rows:
        effects = effect_rows(*rows)
        (pool,) = build_pools(effects, PROTOCOL.selection, PROTOCOL.model)
    told = told or {}
    names = list(told) if pool is None else list(pool.trials["study_id"])
    studies = studies or [study(name) for name in names]
    kind = DIRECTION_ONLY if pool is None else META_ANALYSIS if len(rows) > 1 else ONE_TRIAL
    values = {
        "indication": {
            "indication_id": "headache",
            "intervention": "LDN",
            "main_comparator": "placebo",
        },
        "outcome": "main outcome",
        "construct": "pain_intensity",
        "construct_label": "pain",
        "domain": "benefit",
        "counted": "continuous",
        "benefit_sign": -1.0,
        "comparator_class": "placebo",
        "comparator": "placebo",
        "kind": kind,
        "pool": pool,
        "told": told,
        "studies": tuple(studies),
        "registered": (),
        "sentences": SENTENCES,
    }
    return Body(**(values | what))


def trial(low, high, name="ames2001", **cells):
    """A trial whose 95% interval runs from low to high."""
    half = (high - low) / 2
    return {
        "study_id": name,
        "yi": (low + high) / 2,
        "vi": (half / 1.959963984540054) ** 2,
        **cells,
    }


def counts(events_1, n_1, events_2, n_2, name="ames2001", **cells):
    """A trial that counted people; a risk ratio."""
    return {
        "study_id": name,
        "measure": "RR",
        "unit": "log risk ratio",
        "construct": "responder_pain_30",
        "domain": "responder",
        "benefit_sign": 1.0,
        "yi": math.log(events_1 / n_1 * n_2 / events_2),
        "vi": 1 / events_1 - 1 / n_1 + 1 / events_2 - 1 / n_2,
        "events_1": events_1,
        "n_1": n_1,
        "events_2": events_2,
        "n_2": n_2,
        **cells,
    }


# Directions that figures without pooling are drawn from.

NAN = math.nan
WORDS = (
    "favours treatment",
    "partly favours treatment",
    "same in both",
    "conflicting",
    "partly favours comparator",
    "favours comparator",
    "not stated",
)
SIGNS = {
    "favours treatment": 1.0,
    "partly favours treatment": 1.0,
    "same in both": 0.0,
    "partly favours comparator": -1.0,
    "favours comparator": -1.0,
}
JUDGEMENTS = ("low", "some concerns", "high", "", "serious", "moderate", "critical", "unclear")
DESIGNS = ("parallel", "crossover", "fixed-order crossover", "cohort with controls")
LONG = "A study whose label is far too long for one line of a table and must be broken, number"


def result(study="smith2011", construct="clinical_response", **changes):
    """One row of a directions frame: a randomised trial whose estimate favours treatment."""
    return {
        "indication_id": "crohns_disease",
        "study_id": study,
        "study_label": study.capitalize(),
        "year": 2011.0,
        "design": "parallel",
        "eligible_for": "contrast",
        "is_randomised": True,
        "blinding": "double-blind",
        "comparator_class": "placebo",
        "construct": construct,
        "construct_label": construct.replace("_", " "),
        "domain": "benefit",
        "group": "response or remission",
        "direction": "favours treatment",
        "sign": 1.0,
        "sign_from": "printed shares of people",
        "p_low": 0.0085,
        "p_high": 0.0095,
        "p_printed": "p = 0.009",
        "n_people": 40.0,
        "is_paired": False,
        "overall_bias": "some concerns",
        "reported_in": "smith2011",
        "read_in": "smith2011",
        "locator": "Abstract",
        "rows": "contrasts:smith2011-response",
        **changes,
    }


def frame(*rows):
    return pd.DataFrame(list(rows), columns=list(result()))


def many(studies, outcomes=3, *, long_labels=False, seed=1):
    """As many studies as wanted, with every word, judgement, design and kind of p."""
    random = np.random.default_rng(seed)
    words, biases = itertools.cycle(WORDS), itertools.cycle(JUDGEMENTS)
    groups = ("pain", "impact and quality of life", "any adverse event", "other")
    rows = []
    for i in range(studies):
        bias, design = next(biases), DESIGNS[i % 4]
        people = NAN if i % 7 == 6 else float(random.choice([1, 12, 49, 50, 300, 301, 98765]))
        for j in range(outcomes):
            word = next(words)
            p = float(random.uniform(0.001, 1))
            low, high = [(p, p), (0.0, 0.05), (0.05, 1.0), (NAN, NAN)][random.integers(4)]
            rows.append(
                result(
                    f"study{i}",
                    f"outcome_{j}",
                    study_label=f"{LONG if long_labels else 'Author'} {1980 + i}",
                    year=1980.0 + i,
                    design=design,
                    blinding=["double-blind", "open", "not stated"][i % 3],
                    is_randomised=i % 4 < 2,
                    group=groups[j % 4],
                    direction=word,
                    sign=SIGNS.get(word, NAN),
                    p_low=low,
                    p_high=high,
                    n_people=people,
                    is_paired=i % 4 in (1, 2),
                    overall_bias=bias,
                )
            )
    return frame(*rows)


# Multiverses made by rule, in the shape that `build_multiverse` gives.


def node(name, options, *, about="data"):
    """A node with options of given names; the first is the protocol's own."""
    change = {"data": "allow_approximate", "model": "tau2_method", "measure": "measure"}[about]
    value = "OR" if about == "measure" else "dl" if about == "model" else True
    first, *others = options
    return Node(
        name, "because", (Option(first), *(Option(text, {change: value}) for text in others))
    )


def made(nodes, set_of, estimate, half, **fields):
    """A multiverse whose sets and models have given estimates and half-widths of intervals."""
    estimate = np.asarray(estimate, dtype=float)
    half = np.broadcast_to(np.asarray(half, dtype=float), estimate.shape)
    results = {name: np.full(estimate.shape, np.nan) for name in NUMBERS}
    results["k"] = np.where(np.isnan(estimate), 0.0, 2.0)
    results |= {"estimate": estimate, "ci_low": estimate - half, "ci_high": estimate + half}
    sizes = [len(one.options) for one in nodes if not is_about_model(one)]
    set_of = np.asarray(set_of)
    assert set_of.size == math.prod(sizes)
    assert set_of.max() < len(estimate)
    yi = np.where(np.isnan(estimate[:, :1]), np.nan, 1.0)
    found = Multiverse(
        **{
            "indication_id": "x",
            "construct": "pain_intensity",
            "comparator_class": "placebo",
            "measure": "MD",
            "unit": "points (0-10)",
            "benefit_sign": -1.0,
            "nodes": tuple(nodes),
            "trials": ("A 2001",),
            "yi": yi,
            "vi": yi,
            "set_of": set_of,
            "results": results,
            **fields,
        }
    )
    return found, summary(found, load_protocol())


def small(**fields):
    """Two sets by two models: four results, of 6, 6, 2 and 2 of the 16 analyses.

    Node "trials" (a, b) decides the set with node "time" (x, y): only b at y gives set 1; node
    "idle" (on, off) changes nothing; node "method" (one, two) decides the model.
    """
    nodes = (
        node("trials", ["a", "b"]),
        node("time", ["x", "y"]),
        node("idle", ["on", "off"]),
        node("method", ["one", "two"], about="model"),
    )
    # trials, time, idle: the last counts fastest.
    set_of = [0, 0, 0, 0, 0, 0, 1, 1]
    return made(nodes, set_of, [[-0.5, -0.4], [0.6, 0.7]], [[0.3, 0.6], [0.3, 0.8]], **fields)


def large(nodes=12, *, many_results=True, long_names=False):
    """Millions of analyses: 12 nodes with 34 options, results without any order."""
    random = np.random.default_rng(7)
    long = " that is told at more length than one line of the block at the left has room for"
    sizes = [3, 4, 2, 5, 2, 3, 2, 3, 2, 2, 7, 4][:nodes]
    made_nodes = [
        node(
            f"node {number}{long if long_names else ''}",
            [f"option {number}.{o}{long if long_names and o == 1 else ''}" for o in range(size)],
            about="model" if number >= nodes - 2 else "data",
        )
        for number, size in enumerate(sizes)
    ]
    combinations = math.prod(sizes[:-2])
    sets = 3000 if many_results else 12
    effects = random.normal(-0.3, 0.4, (sets, 1)) + random.normal(
        0, 0.05, (1, math.prod(sizes[-2:]))
    )
    half = random.uniform(0.2, 0.9, effects.shape)
    half[:, -3:] = 6.0
    set_of = random.integers(0, sets, combinations)
    set_of[:sets] = range(sets)
    return made(made_nodes, set_of, effects, half)


# What is drawn, read back from a figure: boxes of texts, marks by name.

# Half a pixel: two letters that touch without sharing a pixel are legible.
SLACK = 0.5


# Where letters end depends on the resolution alone, so one renderer measures all figures: it
# remembers each text.
RENDERER = RendererAgg(1, 1, 110)


def drawn(figure: Figure) -> RendererAgg:
    """Settle all positions at the resolution of the PNG, without spending time on pixels."""
    figure.set_dpi(110)
    return RENDERER


def text_boxes(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Every visible text that is not empty, with its box in pixels."""
    # A drawing does not change once it is made, so it is measured once and keeps what was found.
    if not hasattr(figure, "measured"):
        renderer = drawn(figure)
        shown = []
        for axes in figure.axes:
            shown += axes.texts
            # The page itself has its axis switched off.
            shown += axes.get_xticklabels() if axes.axison else []
        figure.measured = [
            (text, text.get_window_extent(renderer)) for text in shown if text.get_text()
        ]
    return figure.measured


def assert_legible(figure: Figure, *, is_stacked: bool = False) -> None:
    """No text leaves the page, none lies on another, none on the drawn part of a plot.

    In rows stacked for a telephone words and marks take turns.
    """
    found = text_boxes(figure)
    assert found
    words = [text.get_text() for text, _ in found]
    boxes = np.array([box.extents for _, box in found])
    page = figure.bbox.extents
    leaves = (boxes[:, :2] < page[:2]).any(axis=1) | (boxes[:, 2:] > page[2:]).any(axis=1)
    assert not leaves.any(), f"{words[leaves.argmax()]!r} leaves the page"
    one, other = np.nonzero(np.triu(meeting(boxes, boxes), 1))
    assert not one.size, f"{words[one[0]]!r} lies on {words[other[0]]!r}"
    for axes in () if is_stacked else figure.axes[1:]:
        frame = np.array([axes.get_window_extent().extents])
        hit = meeting(boxes, frame)[:, 0] & [text.axes is not axes for text, _ in found]
        assert not hit.any(), f"{words[hit.argmax()]!r} lies on the plot"


def meeting(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Which of the first boxes (left, bottom, right, top) overlap which of the second."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    return (high - low > SLACK).all(axis=2)


def overlap(first: Bbox, second: Bbox) -> bool:
    return (
        min(first.x1, second.x1) - max(first.x0, second.x0) > SLACK
        and min(first.y1, second.y1) - max(first.y0, second.y0) > SLACK
    )


def texts(figure: Figure) -> list[str]:
    """All texts, from the top of the page down and from left to right."""
    boxes = sorted(text_boxes(figure), key=lambda item: (-item[1].y1, item[1].x0))
    return [text.get_text() for text, _ in boxes]


def plain(figure: Figure) -> str:
    """All that is written, as one line."""
    return " ".join(texts(figure)).replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def marks(figure: Figure, start: str) -> dict[str, Artist]:
    """Artists whose name begins with ``start``, in the order they were drawn."""
    found = {}
    for axes in figure.axes:
        for artist in axes.get_children():
            gid = artist.get_gid()
            if gid and gid.startswith(start):
                found[gid] = artist
    return found


def mark(figure: Figure, name: str) -> Artist:
    return marks(figure, name)[name]


def says(figure: Figure, name: str) -> str:
    """Text of a named artist."""
    artist = mark(figure, name)
    assert isinstance(artist, Text)
    return artist.get_text()


def described(plot, *args, **options):
    """What a figure of these arguments says to people who cannot see it."""
    return plot(*args, **options)[0].alt


def svg_ids(svg: str) -> list[str]:
    """Ids of an SVG, which is thereby known to be well-formed."""
    return [
        node.attrib["id"] for node in ElementTree.fromstring(svg).iter() if "id" in node.attrib
    ]


# The numbers that a page states for machines, and which indications have pages.

with (files.raw_data() / "indications.csv").open(newline="", encoding="utf-8") as stream:
    REPORTED = [
        row["indication_id"] for row in csv.DictReader(stream) if row["is_reported"] == "yes"
    ]


def numbers_in(facts):
    """Yield every number of nested facts as a float; truth values are none."""
    if isinstance(facts, dict):
        for value in facts.values():
            yield from numbers_in(value)
    elif isinstance(facts, list):
        for value in facts:
            yield from numbers_in(value)
    elif isinstance(facts, int | float) and not isinstance(facts, bool):
        yield float(facts)


# -- what a notebook shows ----------------------------------------------------------------------


def html_row(*cells):
    """The HTML of a row of words."""
    style = ' style="text-align:left"'
    name, *rest = cells
    values = "".join(f"<td{style}>{cell}</td>" for cell in rest)
    return f'<tr><th scope="row"{style}>{name}</th>{values}</tr>'
