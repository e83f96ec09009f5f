"""Minimal tables for one test: rows state what matters, everything else has a plain default."""

import csv
import json
import shutil

from ldn_meta.evidence.load import load_evidence
from ldn_meta.evidence.raw.bias_tools import fitting_tool

MISSING = "NR"
# What rows are unless a test says otherwise; columns that are not named here are not reported.
DEFAULTS = {
    "indications": {
        "label": "headache",
        "sort_order": 1,
        "is_reported": "yes",
        "main_construct": "pain_intensity",
        "main_comparator": "placebo",
        "question": "Does it help?",
    },
    "sources": {"kind": "journal article"},
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
    "arms": {"treatment": "tablets", "source_id": "paper"},
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
    "contrasts": {"measure": "MD", "is_paired": "no", "direction": "not stated"},
    "risk_of_bias": {"source_id": "paper"},
}
VALUE_DEFAULTS = {
    "outcome_id": "pain",
    "timepoint_weeks": 12,
    "timepoint": "NA",
    "analysis_set": "intention to treat",
    "source_id": "paper",
    "read_from": "full text",
    "reliability": "normal",
    "preferred": "yes",
    "preferred_reason": "NA",
}
FILLERS = {"checked_by": "TODO", "note": "NA", "read_from": "full text"}
DECIMALS = {
    "estimate": "estimate_decimals",
    "p_value": "p_decimals",
    "percent": "percent_decimals",
}


class Builder:
    """Collects rows, writes them in the shape of data/raw and loads them.

    Numbers are given as they are printed: 0.30 is "0.30", and its decimals are counted.
    """

    def __init__(self, folder, raw_folder):
        self.folder = folder
        # Neither the rows nor what is accepted in them.
        shutil.copytree(raw_folder, folder, ignore=shutil.ignore_patterns("*.csv", "*.yml"))
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
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
        """One row; the key of a value row is made up."""
        row = dict.fromkeys(self.columns[table], MISSING) | {
            name: value for name, value in FILLERS.items() if name in self.columns[table]
        }
        if table in ("arm_stats", "arm_events", "contrasts"):
            row |= VALUE_DEFAULTS | {"row_id": f"row-{len(self.rows[table]) + 1}"}
        row |= DEFAULTS.get(table, {})
        for name in self.required[table]:
            if row[name] == MISSING and name not in cells:
                row[name] = "stated"
        for number, count in DECIMALS.items():
            if number in cells and count in row:
                row[count] = len(str(cells[number]).partition(".")[2])
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
