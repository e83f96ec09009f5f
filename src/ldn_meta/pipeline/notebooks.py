"""Which notebook runs with which parameters, and which have to run again.

Anything misspelt is refused, never ignored. What is stale is told by content, because git does
not keep file times.
"""

from __future__ import annotations

import ast
import base64
import json
import re
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ldn_meta import files
from ldn_meta.display.outputs import FACTS_MIME, NARROW_MIME, PDF_MIME
from ldn_meta.errors import ArgumentError, NotebookError, ParameterError, did_you_mean
from ldn_meta.evidence.effects.rows import CONTRAST
from ldn_meta.evidence.raw.protocol import load_protocol
from ldn_meta.evidence.raw.review import load_review, read_toml
from ldn_meta.evidence.raw.selection import (
    BY_PLAN,
    CHOICES,
    PAGE_SECTIONS,
    known_words,
    named_back,
    outcome_words,
    plain_word,
    read_choice,
)
from ldn_meta.evidence.raw.tables import VALUE_TABLES, load_dictionary
from ldn_meta.files import csv_records, rounded

INJECTED_TAG = "injected-parameters"
ANSWER_TAG = "answer"
TITLE_TAG = "title"

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}")
_CELL_FILE = re.compile(r"[^\s\"']*/ipykernel_\d+/\d+\.py")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_FIELD = re.compile(r"\{(\w+)\}")


def fill_titles(notebook: Any, fields: Mapping[str, str], *, name: str) -> None:
    """Put indication and treatment into the cells tagged ``title``, in place."""

    def value(match: re.Match[str]) -> str:
        try:
            return fields[match[1]]
        except KeyError:
            message = (
                f"{name}: the title asks for {match[0]}; "
                f"fields are {', '.join(fields) or 'none (this notebook runs once)'}"
            )
            raise NotebookError(message) from None

    for cell in notebook["cells"]:
        if TITLE_TAG in cell["metadata"].get("tags", []):
            cell["source"] = _FIELD.sub(value, cell["source"])


def normalise(notebook: Any) -> str:
    """Remove from an executed notebook what differs between two runs, in place.

    Run times, random cell ids, memory addresses, temporary file names, the place of the
    checkout, the version of Python, the chunks in which printed text arrived, and everything
    written to stderr (it arrives between the other outputs in no fixed order).
    """
    stamp = notebook["metadata"].get("papermill", {})
    notebook["metadata"] = type(notebook)(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={
            "file_extension": ".py",
            "mimetype": "text/x-python",
            "name": "python",
            "pygments_lexer": "ipython3",
        },
        papermill={"parameters": stamp.get("parameters", {}), "version": stamp.get("version")},
    )
    notebook["nbformat"], notebook["nbformat_minor"] = 4, 5
    stderr: list[str] = []
    for position, cell in enumerate(notebook["cells"]):
        _normalise_cell(cell, position)
        if cell["cell_type"] == "code":
            cell["outputs"] = _normalised_outputs(cell["outputs"], stderr)
    notebook["cells"] = [cell for part in _sections(notebook["cells"]) for cell in part]
    return "".join(stderr)


def _sections(cells: Iterable[Any]) -> Iterator[list[Any]]:
    """Cells by the headings above them, without the sections that ran and have nothing to show."""
    parts: list[list[Any]] = [[]]
    for cell in cells:
        # Source is a text, or a list of lines.
        if cell["cell_type"] == "markdown" and "".join(cell["source"]).startswith("## "):
            parts.append([])
        parts[-1].append(cell)
    for part in parts:
        code = [cell for cell in part if cell["cell_type"] == "code"]
        ran = all(cell["execution_count"] for cell in code)
        if part is parts[0] or not code or not ran or any(cell["outputs"] for cell in code):
            yield part


def for_readers(notebook: Any) -> None:
    """Put an executed notebook in reading order, in place.

    The answer stands under the title, the parameters once and with their values, and cells
    that say that there is none are left out with the headings over nothing else.
    """
    cells = _with_values(notebook["cells"])
    is_code = [cell["cell_type"] == "code" for cell in cells]
    answers = [
        cell for cell, code in zip(cells, is_code, strict=True) if code and _is_answer(cell)
    ]
    kept = [
        cell
        for cell in cells
        if cell not in answers and not (cell.get("outputs") and all(map(is_nothing, cell.outputs)))
    ]
    for cell in answers:
        # A cell whose code was moved above what it needs could not be run again: words can.
        cell["cell_type"] = "markdown"
        cell["source"] = "\n\n".join(out["data"]["text/markdown"] for out in cell.pop("outputs"))
        cell.pop("execution_count")
    title = next((n for n, cell in enumerate(kept, 1) if cell["cell_type"] == "markdown"), 0)
    kept[title:title] = answers
    notebook["cells"] = without_empty_sections(kept)


def _is_answer(cell: Any) -> bool:
    return ANSWER_TAG in tags_of(cell) and all(
        "text/markdown" in output.get("data", {}) for output in cell["outputs"]
    )


def shown_cells(pages: Iterable[Path]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each cell of executed pages as page/cell, with what it shows."""
    for page in pages:
        for cell in json.loads(page.read_bytes())["cells"]:
            yield f"{page.stem}/{cell['id']}", _outputs_of(cell)


def _outputs_of(cell: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a cell of an executed page shows, the answer's words among it."""
    if cell["cell_type"] == "code":
        return list(cell["outputs"])
    if ANSWER_TAG not in tags_of(cell):
        return []
    return [{"data": {"text/markdown": "".join(cell["source"])}, "metadata": {}}]


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """Tags of a cell."""
    return list(cell["metadata"].get("tags", []))


def figure_label(output: Mapping[str, Any]) -> dict[str, Any]:
    """Name and words of the figure in an output; empty if it is none."""
    return dict(output.get("metadata", {}).get("ldn-meta", {}))


def without_empty_sections(cells: Iterable[Any]) -> list[Any]:
    """Cells without the sections that have nothing to show or are a heading alone."""
    return [
        cell
        for place, part in enumerate(_sections(cells))
        if place == 0 or len(part) > 1 or "\n" in "".join(part[0]["source"]).strip()
        for cell in part
    ]


def _with_values(cells: Sequence[Any]) -> list[Any]:
    """Cells with the values of a run in the one cell of parameters."""
    tagged = {tag: cell for cell in cells for tag in tags_of(cell)}
    stated, given = tagged.get(PARAMETERS_TAG), tagged.get(INJECTED_TAG)
    if stated is None or given is None:
        return list(cells)
    values = {
        statement.targets[0].id: ast.unparse(statement.value)
        for statement in ast.parse(given["source"]).body
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
    }
    lines = []
    for line in stated["source"].splitlines():
        target, _, _ = line.partition(" = ")
        mark, comment = line.partition("  # ")[1:]
        value = values.get(target.partition(":")[0])
        lines.append(line if value is None else f"{target} = {value}{mark}{comment}")
    stated["source"] = "\n".join(lines)
    return [cell for cell in cells if cell is not given]


def is_nothing(output: Mapping[str, Any]) -> bool:
    """Whether an output says that there is none: no row, no word, a picture of words."""
    if label := figure_label(output):
        return bool(label.get("is_words_only"))
    data = output.get("data", {})
    if "text/html" in data:
        return _CAPTION_ALONE.match("".join(data["text/html"])) is not None
    return "text/markdown" in data and not "".join(data["text/markdown"]).strip()


# A caption, and one paragraph where the table would be.
_CAPTION_ALONE = re.compile(r"\s*<p><strong>[^<]*</strong></p>\s*<p>[^<]*</p>\s*$")


def _normalise_cell(cell: Any, position: int) -> None:
    for name in ("execution", "papermill"):
        cell["metadata"].pop(name, None)
    tags = cell["metadata"].get("tags", [])
    if not tags:
        cell["metadata"].pop("tags", None)
    if INJECTED_TAG in tags:
        cell["id"] = INJECTED_TAG
    elif any(tag.startswith("papermill-error") for tag in tags) or "id" not in cell:
        cell["id"] = f"cell-{position}"


def _normalised_outputs(outputs: Iterable[Any], stderr: list[str]) -> list[Any]:
    kept: list[Any] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream" and output["name"] == "stderr":
            stderr.append(output["text"])
        elif kind == "stream" and kept and kept[-1]["output_type"] == "stream":
            kept[-1]["text"] += output["text"]
        else:
            kept.append(output)
    root = f"{files.project_root()}/"

    def clean(text: str) -> str:
        """Without addresses in memory and places of the checkout."""
        text = _CELL_FILE.sub("<cell>", text)
        return _ADDRESS.sub("", text.replace(root, ""))

    for output in kept:
        if output["output_type"] == "stream":
            output["text"] = clean(output["text"])
        elif output["output_type"] == "error":
            # Tracebacks stand in failed notebooks only, which are looked at on screen.
            output["traceback"] = [_COLOUR.sub("", clean(line)) for line in output["traceback"]]
        else:
            for mime, content in output["data"].items():
                if mime.startswith("text/"):
                    output["data"][mime] = clean(content)
                elif mime == FACTS_MIME:
                    output["data"][mime] = rounded(content)
    return kept


FIGURES = "figures"
_PNG, _SVG = "image/png", "image/svg+xml"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class Outputs:
    """What was found in one notebook."""

    facts: dict[str, Any]
    figures: dict[str, bytes]


def take_outputs(notebook: Any, *, name: str) -> Outputs:
    """Collect facts and figures; the SVG of a figure leaves the notebook, in place.

    GitHub does not show SVG in notebooks, so the PNG stays; both become files.
    """
    facts: dict[str, Any] = {}
    figures: dict[str, bytes] = {}
    displayed = [
        output
        for cell in notebook["cells"]
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    for output in displayed:
        for key, value in output["data"].get(FACTS_MIME, {}).items():
            if key in facts and facts[key] != value:
                message = f"{name}: fact {key!r} has two values: {facts[key]!r} and {value!r}"
                raise NotebookError(message)
            facts[key] = value
        label = output["metadata"].get("ldn-meta", {})
        if "figure" in label:
            for file, content in _take_figure(output, label, name).items():
                if file in figures:
                    raise NotebookError(f"{name}: two figures are called {label['figure']!r}")
                figures[file] = content
    return Outputs(facts, figures)


def facts_bytes(facts: dict[str, Any]) -> bytes:
    """Write facts as the repository keeps them: sorted, indented, final newline."""
    text = json.dumps(facts, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _take_figure(output: Any, label: Any, name: str) -> dict[str, bytes]:
    figure, alt = str(label["figure"]), str(label.get("alt", "")).strip()
    if not _NAME.fullmatch(figure):
        message = f"{name}: figure {figure!r} is not named in small letters, digits, '-' and '_'"
        raise NotebookError(message)
    if not alt:
        raise NotebookError(f"{name}: figure {figure!r} has no alternative text")
    if _PNG not in output["data"]:
        raise NotebookError(f"{name}: figure {figure!r} has no PNG, which GitHub needs")
    # Where Jupyter looks for the alternative text of an image.
    output["metadata"].setdefault(_PNG, {})["alt"] = alt
    files = {f"{FIGURES}/{figure}.png": base64.b64decode(output["data"][_PNG])}
    for mime, ending in ((_SVG, "svg"), (NARROW_MIME, "narrow.svg")):
        if mime in output["data"]:
            files[f"{FIGURES}/{figure}.{ending}"] = output["data"].pop(mime).encode()
    if PDF_MIME in output["data"]:
        files[f"{FIGURES}/{figure}.pdf"] = base64.b64decode(output["data"].pop(PDF_MIME))
    return files


PARAMETERS_TAG = "parameters"


def default_parameters(template: Path) -> dict[str, Any]:
    """Read the defaults from the cell tagged ``parameters``."""
    try:
        # Source is a text, or a list of lines.
        statements = ast.parse("".join(_parameters_cell(template)["source"])).body
        return dict(_assignment(statement) for statement in statements)
    except (SyntaxError, ValueError) as error:
        if isinstance(error, ParameterError):
            raise
        line = getattr(error, "lineno", None) or "?"
        message = (
            f"{template.name}: line {line} of the parameters cell is not 'name = literal': {error}"
        )
        raise ParameterError(message) from error


def _parameters_cell(template: Path) -> Any:
    try:
        cells = json.loads(template.read_bytes())["cells"]
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in template.parent.glob("*.ipynb")))
        message = f"there is no notebook {template.stem!r}; in {template.parent.name}/: {known}"
        raise ParameterError(message) from None
    except (ValueError, KeyError, TypeError) as error:
        message = f"{template.name} is not a notebook: {error}"
        raise ParameterError(message) from error
    tagged = [cell for cell in cells if PARAMETERS_TAG in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        message = f"{template.name} needs one cell tagged 'parameters' and has {len(tagged)}"
        raise ParameterError(message)
    return tagged[0]


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, ast.literal_eval(value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return name, ast.literal_eval(value)
    message = ast.unparse(statement)
    raise ValueError(message)


def fits(value: Any, default: Any) -> bool:
    """Whether a value can stand in for a default without changing its type."""
    if default is None:
        return not isinstance(value, Mapping)
    if isinstance(default, list):
        return isinstance(value, list) and (
            not default or all(fits(item, default[0]) for item in value)
        )
    if isinstance(default, float):
        return isinstance(value, float | int) and not isinstance(value, bool)
    return type(value) is type(default)


def type_words(default: Any) -> str:
    """Name the type of a default as a person would."""
    if isinstance(default, list):
        return f"a list of {type_words(default[0])} values" if default else "a list"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return words.get(type(default), "a single value")


# Parameters that end so name an outcome.
CONSTRUCT = "construct"
OVERVIEW = "overview"
SETTINGS = "parameters.toml"
_TABLES = ("notebooks", "allowed", "once", "indications")


@dataclass(frozen=True)
class Job:
    """One notebook to be executed for one page of the report."""

    target: str
    notebook: str
    template: Path
    parameters: Mapping[str, Any]
    title_fields: Mapping[str, str]

    @property
    def label(self) -> str:
        """Name for people: ``headache/20_pooled_effect``."""
        return f"{self.target}/{self.notebook}"


def reported_indications() -> dict[str, dict[str, str]]:
    """Read the indications that get pages."""
    file = files.raw_data() / "indications.csv"
    try:
        rows = [row for row in csv_records(file) if row["is_reported"] == "yes"]
        rows.sort(key=lambda row: int(row["sort_order"]))
        return {row["indication_id"]: row for row in rows}
    except (OSError, ValueError, KeyError) as error:
        message = f"data/raw/{file.name} cannot be read ({error!r}): run `ldn-meta check`"
        raise ParameterError(message) from error


def constructs_of(indications: Collection[str]) -> list[str]:
    """Outcomes that some result on file of these indications is about."""
    raw = files.raw_data()
    construct = {r["outcome_id"]: r["construct"] for r in csv_records(raw / "outcomes.csv")}
    studies = {
        row["study_id"]
        for row in csv_records(raw / "studies.csv")
        if row["indication_id"] in indications
    }
    rows = (row for table in VALUE_TABLES for row in csv_records(raw / f"{table}.csv"))
    return sorted(
        {construct.get(row["outcome_id"], "") for row in rows if row["study_id"] in studies} - {""}
    )


def plan(
    indications: Sequence[str] | None = None, overrides: Mapping[str, Any] | None = None
) -> list[Job]:
    """List the notebooks to run, with the effective value of every parameter."""
    settings = _read_settings()
    reported = reported_indications()
    named = {"treatment": load_review(files.raw_data()).name}
    targets = [*reported, OVERVIEW]
    pages: dict[str, list[str]] = {}
    for name in indications or ():
        target, _, page = name.partition("/")
        if target not in targets:
            raise ParameterError(unknown(f"indication {target!r}", target, targets))
        pages.setdefault(target, []).extend([page] if page else [])
    chosen = list(pages) or targets
    for target, named_pages in pages.items():
        group = "once" if target == OVERVIEW else "per_indication"
        there = settings["notebooks"].get(group, [])
        for page in named_pages:
            if page not in there:
                raise ParameterError(unknown(f"page {page!r} of {target}", page, there))
    _check_indications(settings["indications"], reported)
    templates = {
        group: {
            name: files.notebooks() / f"{name}.ipynb"
            for name in settings["notebooks"].get(group, [])
        }
        for group in ("per_indication", "once")
    }
    defaults_of = {
        group: {name: default_parameters(file) for name, file in some.items()}
        for group, some in templates.items()
    }
    per_indication, once = defaults_of["per_indication"], defaults_of["once"]
    allowed = settings["allowed"]
    _check_names(allowed, [*per_indication.values(), *once.values()], "[allowed]")
    for notebook, defaults in per_indication.items():
        if "indication" not in defaults:
            message = (
                f"{notebook}.ipynb has no parameter 'indication', so every page would "
                "show the same; add it, or list the notebook under 'once'"
            )
            raise ParameterError(message)
    given = dict(overrides or {})
    if "indication" in given:
        message = "indication is no parameter to set: name the indication as an argument"
        raise ParameterError(message)
    selected = [
        defaults
        for target in chosen
        for name, defaults in (once if target == OVERVIEW else per_indication).items()
        if not pages.get(target) or name in pages[target]
    ]
    _check_names(
        given, [[name for name in defaults if name != "indication"] for defaults in selected], "-p"
    )
    given |= _outcomes_by_name(given)
    for name in _outcomes_by_name(given):
        usual = {str(defaults[name]) for defaults in selected if name in defaults}
        main = [reported[one]["main_construct"] for one in chosen if one in reported]
        known = list(dict.fromkeys([*main, *sorted(usual), *constructs_of(set(chosen))]))
        for word in _words_of(given[name]):
            if word not in known:
                hint = did_you_mean(word, [one for one in known if one != BY_PLAN])
                what = f"-p value {word!r} of {name!r}"
                raise ParameterError(
                    f"{what} is unknown; {hint}" if hint else unknown(what, word, known)
                )
    is_choice = {name for name in given if _is_choice(name, selected)}
    given |= {name: value for name, (value, _) in _as_choices(given, is_choice, chosen).items()}

    jobs = []
    for target in targets:
        group, table, where = (
            ("once", settings["once"], "[once]")
            if target == OVERVIEW
            else ("per_indication", settings["indications"][target], f"[indications.{target}]")
        )
        _check_names(table, defaults_of[group].values(), where)
        for notebook, defaults in defaults_of[group].items():
            own = {name: value for name, value in table.items() if name in defaults}
            if target != OVERVIEW:
                own["indication"] = target
            _check_values(own, defaults, allowed, f"{SETTINGS} {where}")
            _check_values(defaults, defaults, allowed, f"{notebook}.ipynb")
            asked = {name: value for name, value in given.items() if name in defaults}
            # A page that reads none of what was changed would only look as if it had.
            is_named = not pages.get(target) or notebook in pages[target]
            if target not in chosen or not is_named or (given and not asked):
                continue
            plain = {name: value for name, value in asked.items() if name not in is_choice}
            _check_values(plain, defaults, allowed, "-p")
            parameters = {**defaults, **own, **asked}
            fields = {**named, **reported.get(target, {})}
            jobs.append(Job(target, notebook, templates[group][notebook], parameters, fields))
    return jobs


def _words_of(value: str | list[Any]) -> list[str]:
    """Words between commas, or in a list."""
    return [str(word).strip() for word in (value.split(",") if isinstance(value, str) else value)]


def _outcomes_by_name(given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters that name outcomes, a label that pages print as the name it stands for."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name.endswith(CONSTRUCT) and isinstance(value, str | list):
            labels = outcome_words(csv_records(files.raw_data() / "outcomes.csv"))
            names = [labels.get(plain_word(word), word) for word in _words_of(value)]
            found[name] = ",".join(names) if isinstance(value, str) else names
    return found


def _is_choice(name: str, templates: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a parameter is a choice of the analysis, which else the plan makes."""
    return name in CHOICES | PAGE_SECTIONS and any(one.get(name) == BY_PLAN for one in templates)


def _as_choices(
    given: Mapping[str, Any], names: Collection[str], indications: Collection[str]
) -> dict[str, tuple[Any, str]]:
    """Choices as they are read, each with what it was read as where other words were given."""
    asked = {name: given[name] for name in given if name in names and given[name] != BY_PLAN}
    if not asked:
        return {}
    raw = files.raw_data()
    studies = [
        row for row in csv_records(raw / "studies.csv") if row["indication_id"] in indications
    ]
    # Its outcomes were looked at already, by what is on file.
    words = known_words(load_dictionary(raw), studies)
    try:
        found = {
            name: read_choice(name, value, words, where="-p") for name, value in asked.items()
        }
        load_protocol(raw).changed(**{n: v for n, v in found.items() if n in CHOICES})
    except ArgumentError as error:
        raise ParameterError(str(error)) from error
    return {
        name: (_as_parameter(name, value), named_back(name, asked[name], value))
        for name, value in found.items()
    }


def _as_parameter(name: str, value: Any) -> Any:
    """A choice as a notebook takes it: several words in a list, one outcome by its name."""
    if not isinstance(value, tuple):
        return value
    return value[0] if name == CONSTRUCT and len(value) == 1 else list(value)


def read_parameters(
    assignments: Iterable[str], indications: Sequence[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """Parameters of a command line, each once, and what was read otherwise than it was given."""
    pairs = [parse_assignment(text) for text in assignments]
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            message = f"-p {name} is given {names.count(name)} times: name it once"
            raise ParameterError(message)
    given = dict(pairs)
    given |= _outcomes_by_name(given)
    # A misspelt name or value is refused before anything else.
    plan(indications or None, given)
    templates = [one.defaults for one in parameters()]
    is_choice = {name for name in given if _is_choice(name, templates)}
    own = [name.partition("/")[0] for name in indications]
    read = _as_choices(given, is_choice, own or reported_indications())
    return given | {name: v for name, (v, _) in read.items()}, [w for _, w in read.values() if w]


class Parameters(NamedTuple):
    """Parameters of one template."""

    notebook: str
    defaults: Mapping[str, Any]
    comments: Mapping[str, str]


def parameters() -> list[Parameters]:
    """What can be set on each page, with the default and what is said of it."""
    settings = _read_settings()["notebooks"]
    found = []
    for name in (*settings.get("per_indication", ()), *settings.get("once", ())):
        template = files.notebooks() / f"{name}.ipynb"
        defaults = default_parameters(template)
        source = "".join(_parameters_cell(template)["source"])
        lines = (line.partition("  # ") for line in source.splitlines())
        comments = {line.partition(":")[0].strip(): comment for line, _, comment in lines}
        defaults.pop("indication", None)
        found.append(Parameters(name, defaults, comments))
    return found


def parameter_lines() -> list[tuple[str, str, str, str]]:
    """Every parameter once: name, what it is, words on file, and the pages that read it."""
    of_page: dict[str, list[str]] = {}
    said: dict[str, str] = {}
    for page in parameters():
        for name in page.defaults:
            of_page.setdefault(name, []).append(page.notebook.partition("_")[0])
            said.setdefault(name, page.comments.get(name, ""))
    raw = files.raw_data()
    compared = [r for r in csv_records(raw / "studies.csv") if r["eligible_for"] == CONTRAST]
    words = known_words(load_dictionary(raw), compared)
    on_file = {name: ", ".join(dict.fromkeys(of.values())) for name, of in words.items()}
    return [
        (name, said[name], on_file.get(name, ""), " ".join(pages))
        for name, pages in of_page.items()
    ]


def parse_assignment(text: str) -> tuple[str, Any]:
    """Read ``name=value`` from a command line."""
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name.isidentifier():
        message = f"-p {text!r} is not name=value, as in -p tau2_method=pm"
        raise ParameterError(message)
    try:
        return name, json.loads(value)
    except ValueError:
        pass
    try:
        return name, tomllib.loads(f"value = {value}")["value"]
    except ValueError:
        return name, value


def unknown(what: str, value: object, allowed: Iterable[object]) -> str:
    """Say that something is unknown, what was probably meant, and what is allowed."""
    known = [str(item) for item in allowed]
    hint = did_you_mean(value, known, " ")
    return f"{what} is unknown; {hint}allowed: {', '.join(known)}"


def _read_settings() -> dict[str, Any]:
    settings = read_toml(files.notebooks() / SETTINGS, error=ParameterError)
    for name in settings:
        if name not in _TABLES:
            raise ParameterError(f"{SETTINGS}: " + unknown(f"table [{name}]", name, _TABLES))
    return {name: settings.get(name, {}) for name in _TABLES}


def _check_indications(tables: Mapping[str, Any], reported: Mapping[str, Any]) -> None:
    for indication in tables:
        if indication not in reported:
            what = f"{SETTINGS}: [indications.{indication}]"
            raise ParameterError(unknown(what, indication, reported))
    for indication in reported:
        if indication not in tables:
            message = (
                f"{SETTINGS} has no table [indications.{indication}], so its notebooks would run "
                "with the values of another indication; add the table"
            )
            raise ParameterError(message)


def _check_names(given: Iterable[str], templates: Iterable[Iterable[str]], where: str) -> None:
    known = dict.fromkeys(name for names in templates for name in names)
    for name in given:
        if name not in known:
            raise ParameterError(unknown(f"{where} parameter {name!r}", name, known))


def _check_values(
    given: Mapping[str, Any],
    defaults: Mapping[str, Any],
    allowed: Mapping[str, list[Any]],
    where: str,
) -> None:
    for name, value in given.items():
        if not fits(value, defaults[name]):
            message = (
                f"{where} parameter {name!r} is {value!r}: must be "
                f"{type_words(defaults[name])}, as {defaults[name]!r} is"
            )
            raise ParameterError(message)
        # TOML has no null: a default of None is an option nobody can list.
        options = [*allowed.get(name, []), *([None] if defaults[name] is None else [])]
        items = value if isinstance(value, list) else [value]
        if name in allowed and not all(item in options for item in items):
            raise ParameterError(unknown(f"{where} value {value!r} of {name!r}", value, options))


Row: TypeAlias = Mapping[str, str]
_WORD = re.compile(r"[A-Za-z0-9_-]+")


def read_data() -> tuple[dict[str, list[dict[str, str]]], dict[str, str]]:
    """Read both data folders: rows of the tables as text, and hashes of the other files."""
    tables: dict[str, list[dict[str, str]]] = {}
    other: dict[str, str] = {}
    for folder in (files.raw_data(), files.derived_data()):
        for name, digest in files.file_hashes(folder).items():
            key = f"{folder.name}/{name}"
            if name.endswith(".csv"):
                tables[key] = files.csv_records(folder / name)
            elif name != files.MANIFEST:
                other[key] = digest
    return tables, other


def indication_slice(tables: Mapping[str, Sequence[Row]], indication: str) -> dict[str, list[Row]]:
    """Keep what belongs to one indication.

    A row belongs to it by its ``indication_id``, or by a ``study_id`` of one of its studies;
    rows of look-up tables (outcomes, sources, a study that a row refers to) follow the rows
    that mention their key. When in doubt a row is kept: a page made again for nothing is
    cheap, a stale page is wrong.
    """
    studies = tables.get("raw/studies.csv", ())
    wanted = {row["study_id"] for row in studies if row.get("indication_id") == indication}
    wanted.add(indication)
    own = {name: [_is_own(row, wanted) for row in rows] for name, rows in tables.items()}
    words = {
        word
        for name, rows in tables.items()
        for row, is_own in zip(rows, own[name], strict=True)
        if is_own
        for cell in row.values()
        for word in _WORD.findall(cell)
    }
    return {
        name: [
            row
            for row, is_own in zip(rows, own[name], strict=True)
            if is_own or (_is_reference(row) and next(iter(row.values())) in words)
        ]
        for name, rows in tables.items()
    }


def _is_reference(row: Row) -> bool:
    """Whether rows are looked up by a key of their own, as outcomes and sources are."""
    first = next(iter(row), "")
    return first.endswith("_id") and first != "row_id"


def _is_own(row: Row, wanted: set[str]) -> bool:
    """Whether a row belongs to an indication by its keys alone, or to none in particular."""
    keys = {row[name] for name in ("indication_id", "study_id") if name in row}
    if not keys:
        return not _is_reference(row)
    return bool(keys & wanted) or keys <= set(files.EMPTY)


FACTS = "facts.json"
# What a run of other choices changed, beside its pages.
CHOICES_FILE = "choices.json"


@dataclass(frozen=True)
class Record:
    """What a notebook was made from and what it wrote."""

    key: str
    outputs: Mapping[str, str]
    facts: str


class Keys:
    """Keys of notebooks; what they share is read and hashed once."""

    def __init__(self) -> None:
        self._tables, self._other = read_data()
        self._shared = {
            **files.code_of(files.project_root()),
            # The lock has markers: another Python is another set of packages.
            "python": [*sys.version_info[:2]],
        }
        self._slices: dict[str, str] = {}

    def key(self, job: Job) -> str:
        """Hash everything that decides what a notebook shows."""
        return files.json_sha256(
            {
                **self._shared,
                "template": files.sha256(job.template.read_bytes()),
                "parameters": dict(job.parameters),
                "data": self._slice(job.target),
            }
        )

    def _slice(self, target: str) -> str:
        """Hash what a target shows: the overview everything, an indication its rows."""
        if target not in self._slices:
            is_all = target == OVERVIEW
            tables = self._tables if is_all else indication_slice(self._tables, target)
            # Rows in their order, cells in theirs.
            rows = {name: [[*row.items()] for row in some] for name, some in tables.items()}
            self._slices[target] = files.json_sha256({"tables": rows, "other": self._other})
        return self._slices[target]


def is_fresh(job: Job, key: str, report: Path) -> bool:
    """Whether the report of a notebook is what running it now would give."""
    record = read_record(job)
    if record is None or record.key != key:
        return False
    for name, digest in record.outputs.items():
        file = report / name
        if not file.is_file() or files.sha256(file.read_bytes()) != digest:
            return False
    return files.json_sha256(read_facts(report).get(job.notebook)) == record.facts


def read_record(job: Job) -> Record | None:
    """Read what is known of the last good run; None if nothing (usable) is."""
    try:
        return Record(**json.loads(_record_file(job).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_record(job: Job, record: Record) -> None:
    """Remember a good run."""
    data = json.dumps(asdict(record), indent=1, sort_keys=True).encode()
    files.write_whole(_record_file(job), data)


def read_facts(report: Path) -> dict[str, Any]:
    """Read the facts of a report by notebook; nothing if there are none (yet)."""
    try:
        facts = json.loads((report / FACTS).read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _record_file(job: Job) -> Path:
    return files.build() / "stale" / job.target / f"{job.notebook}.json"
