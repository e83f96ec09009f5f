"""Build and check everything of a release up to the deposit: `make release`, into build/release.

Wheel, archive of the data (an RO-Crate with CITATION.cff, CodeMeta and checksums), site, metadata
for Zenodo, and notes from CHANGELOG.md. The same commit gives the same archive. A deposit and a
tag need a person; the last lines say what to do.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "release"
SITE = ROOT / "build" / "site"
# What the archive of the data holds.
HELD = ("data/raw", "data/derived", "reports", "notebooks")
ALONE = ("CITATION.cff", "LICENSE-DATA", "CHANGELOG.md", "README.md", "requirements.lock")
MADE = {
    "derive": ("data/raw", "data/derived", "Derived tables from the extracted ones"),
    "run": ("data/derived", "reports", "Executed pages from the derived tables"),
}
CONTEXT = "https://w3id.org/ro/crate/1.2/context"
PROFILE = "https://w3id.org/ro/crate/1.2"


def stop(*problems: str) -> None:
    """End with what is wrong, if anything is."""
    if problems:
        sys.exit("\n".join(["release: nothing was made", *(f"  {one}" for one in problems)]))


def output(*command: str) -> str:
    """What a command of the repository prints."""
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def facts() -> dict[str, Any]:
    """What the files of the repository say of themselves; they have to agree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    data = json.loads((ROOT / "data/raw/datapackage.json").read_text())
    version = project["version"]
    problems = [
        f"{name} says version {said}, pyproject.toml {version}"
        for name, said in (("CITATION.cff", citation.get("version")),)
        if said != version
    ]
    problems += [
        f"{name}: {said!r} is no semantic version"
        for name, said in (("pyproject.toml", version), ("datapackage.json", data.get("version")))
        if not re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", str(said))
    ]
    if not citation.get("date-released"):
        problems.append("CITATION.cff has no date-released")
    if output("git", "status", "--porcelain"):
        problems.append("the checkout has changes that are in no commit")
    if not (SITE / "index.html").is_file():
        problems.append("build/site is not built: make reports")
    stop(*problems)
    return {"project": project, "citation": citation, "data": data, "version": version}


def notes(version: str) -> str:
    """The section of CHANGELOG.md for this version, or what is not released yet."""
    sections = re.split(r"(?m)^## ", (ROOT / "CHANGELOG.md").read_text())[1:]
    found = {one.partition("\n")[0].split(" ")[0]: one.partition("\n")[2] for one in sections}
    text = found.get(version) or found.get("Unreleased") or ""
    stop(*(["CHANGELOG.md has nothing to say of this version"] if not text.strip() else []))
    return text.strip() + "\n"


def people(citation: dict[str, Any]) -> list[dict[str, str]]:
    """Who made it, as CITATION.cff has them."""
    return [{"name": one["name"]} for one in citation["authors"]]


def codemeta(told: dict[str, Any], day: str) -> dict[str, Any]:
    """CodeMeta 3.0 of the software."""
    project = told["project"]
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "@type": "SoftwareSourceCode",
        "name": project["name"],
        "description": project["description"],
        "version": told["version"],
        "dateModified": day,
        "license": "https://spdx.org/licenses/MIT",
        "programmingLanguage": f"Python {project['requires-python']}",
        "keywords": project["keywords"],
        "author": [{"@type": "Organization", **one} for one in people(told["citation"])],
        "softwareRequirements": project["dependencies"],
    }


def zenodo(told: dict[str, Any], day: str) -> dict[str, Any]:
    """What Zenodo asks of a deposit."""
    citation = told["citation"]
    return {
        "metadata": {
            "title": citation["title"],
            "upload_type": "dataset",
            "description": " ".join(citation["abstract"].split()),
            "creators": people(citation),
            "version": told["version"],
            "publication_date": day,
            "license": "cc-by-4.0",
            "keywords": citation["keywords"],
        }
    }


def crate(members: dict[str, bytes], told: dict[str, Any], time: str) -> dict[str, Any]:
    """RO-Crate 1.2: every file, and one CreateAction for each of derive and run."""

    def within(folder: str) -> list[dict[str, str]]:
        return [{"@id": name} for name in members if name.startswith(f"{folder}/")]

    app = {
        "@id": "#ldn-meta",
        "@type": "SoftwareApplication",
        "name": told["project"]["name"],
        "version": told["version"],
    }
    actions = [
        {
            "@id": f"#{name}",
            "@type": "CreateAction",
            "name": f"ldn-meta {name}",
            "description": what,
            "endTime": time,
            "instrument": {"@id": app["@id"]},
            "object": within(source),
            "result": within(result),
        }
        for name, (source, result, what) in MADE.items()
    ]
    files = [
        {
            "@id": name,
            "@type": "File",
            "contentSize": str(len(data)),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        for name, data in members.items()
    ]
    authors = [
        {"@id": f"#author-{n}", "@type": "Organization", **one}
        for n, one in enumerate(people(told["citation"]), 1)
    ]
    licence = told["data"]["licenses"][0]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": told["data"]["title"],
        "description": told["data"]["description"],
        "datePublished": time[:10],
        "version": told["data"]["version"],
        "license": {"@id": licence["path"]},
        "author": [{"@id": one["@id"]} for one in authors],
        "hasPart": [{"@id": name} for name in members],
        "mentions": [{"@id": one["@id"]} for one in actions],
    }
    about = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": PROFILE},
        "about": {"@id": "./"},
    }
    named = {"@id": licence["path"], "@type": "CreativeWork", "name": licence["title"]}
    graph = [about, root, named, app, *authors, *actions, *files]
    return {"@context": CONTEXT, "@graph": graph}


def as_json(content: object) -> bytes:
    """Write JSON as people read it."""
    return f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode()


def archive(members: dict[str, bytes], top: str, day: str) -> bytes:
    """A ZIP file without the clock."""
    date = tuple(map(int, day.split("-")))
    target = OUT / f"{top}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in sorted(members.items()):
            info = zipfile.ZipInfo(f"{top}/{name}", (*date, 0, 0, 0))  # type: ignore[arg-type]
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            packed.writestr(info, data)
    with zipfile.ZipFile(target) as packed:
        stop(*([f"{target.name} is damaged"] if packed.testzip() else []))
    return target.read_bytes()


def release() -> None:
    """Build, check, and say what is left to a person."""
    told = facts()
    text = notes(told["version"])
    time = output("git", "log", "-1", "--format=%cI")
    day, name = time[:10], f"{told['project']['name']}-{told['version']}"
    subprocess.run(["rm", "-rf", OUT], check=True)
    OUT.mkdir(parents=True)
    uv = next((ROOT / ".tools").glob("uv-*/bin/uv"))
    output(str(uv), "build", "--quiet", "--wheel", "--out-dir", str(OUT), ".")
    (wheel,) = OUT.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        inside = set(packed.namelist())
    wanted = {"ldn_meta/kit/data/raw/datapackage.json", "ldn_meta/kit/notebooks/parameters.toml"}
    stop(*(f"{wheel.name} lacks {one}" for one in sorted(wanted - inside)))

    listed = output("git", "ls-files", "-z", "--", *HELD, *ALONE).strip("\0").split("\0")
    members = {one: (ROOT / one).read_bytes() for one in sorted(listed)}
    members["codemeta.json"] = as_json(codemeta(told, day))
    members["ro-crate-metadata.json"] = as_json(crate(members, told, time))
    sums = "".join(f"{hashlib.sha256(d).hexdigest()}  {n}\n" for n, d in sorted(members.items()))
    archive(members | {"SHA256SUMS": sums.encode()}, f"{name}-data", day)
    shown = (file for file in SITE.rglob("*") if file.is_file())
    pages = {file.relative_to(SITE).as_posix(): file.read_bytes() for file in shown}
    archive(pages, f"{name}-site", day)
    (OUT / "zenodo.json").write_bytes(as_json(zenodo(told, day)))
    (OUT / "NOTES.md").write_text(text)
    made = {file.name: file.read_bytes() for file in sorted(OUT.iterdir()) if file.is_file()}
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {n}\n" for n, data in made.items())
    (OUT / "SHA256SUMS").write_text(sums)
    for file_name, data in made.items():
        print(f"build/release/{file_name}: {len(data) / 1000:,.0f} kB")
    print(f"left to a person: git tag -a v{told['version']}, and a deposit with zenodo.json")


if __name__ == "__main__":
    release()
