"""A page for each study, and a list of them."""

from __future__ import annotations

import html
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ldn_meta.evidence.derived import load_derived
from ldn_meta.pipeline.parameters import OVERVIEW, reported_indications
from ldn_meta.pipeline.site_downloads import data_bar
from ldn_meta.pipeline.site_links import STUDIES, Links, scrolling

if TYPE_CHECKING:
    from ldn_meta.display.pages.study import StudyPage
    from ldn_meta.evidence.derived import Derived

# Of no notebook's own: nothing in the sidebar, which would be eighty lines longer.
_ORPHAN = "---\norphan: true\n---\n"
_USES = ("contrast", "single-arm", "excluded")


def study_sources(pages: Collection[str]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Write a page for each study on file.

    Parameters
    ----------
    pages : collection of str
        Pages of the site without ending, so that only what exists is linked to:
        ``indications/fibromyalgia/20_pooled_effect``.

    Returns
    -------
    labels : dict of str to str
        Label by study_id.
    sources : dict of str to bytes
        Markdown by path below the folder that Sphinx reads.

    Raises
    ------
    StaleError
        If data/derived was not made from the data/raw on disk.
    """
    from ldn_meta.display.pages.study import study_page

    derived = load_derived()
    studies = derived.evidence.text["studies"]
    labels = dict(zip(studies["study_id"], studies["label"], strict=True))
    sources = {f"{STUDIES}/index.md": _index(derived).encode()}
    for key in labels:
        page = study_page(key, derived)
        sources[f"{STUDIES}/{key}.md"] = study_markdown(page, _links(page, pages)).encode()
    return labels, sources


def study_markdown(page: StudyPage, links: Links) -> str:
    """Write one study.

    Parameters
    ----------
    page : StudyPage
    links : Links
        From names of notebooks to their pages, seen from the folder of the studies.

    Returns
    -------
    str
        Markdown with the tables as HTML.
    """
    headline = html.escape(str(page.headline).replace("**", ""), quote=False)
    parts = [f"{_ORPHAN}# {page.label}", _raw(f"<p>{headline}</p>")]
    for heading, tables in page.sections:
        shown = "".join(links.in_html(table._repr_html_()) for table in tables)
        parts += [f"## {heading}", _raw(shown)]
    parts += ["## Downloads", _raw(data_bar("raw", "../") + data_bar("derived", "../"))]
    return "\n\n".join(parts) + "\n"


def _links(page: StudyPage, pages: Collection[str]) -> Links:
    """Notebooks of the study's condition, and those across conditions, if they have pages."""
    folders = (f"indications/{page.study['indication_id']}/", f"{OVERVIEW}/")
    return Links(
        {
            name.removeprefix(folder): f"../{name}.html"
            for folder in folders
            for name in pages
            if name.startswith(folder) and not name.endswith("/index")
        }
    )


def _index(derived: Derived) -> str:
    """All studies, condition by condition, what is compared first."""
    studies = derived.evidence.text["studies"]
    indications = derived.evidence.text["indications"]
    order = {use: place for place, use in enumerate(_USES)}
    parts = [
        "# Studies",
        "Everything on file about each study: what was read where, what became of each number, "
        "and what rests on it.",
    ]
    names = dict(zip(indications["indication_id"], indications["label"], strict=True))
    for key in dict.fromkeys([*reported_indications(), *names]):
        own = studies[studies["indication_id"] == key]
        if not len(own):
            continue
        own = own.assign(place=own["eligible_for"].map(order))
        own = own.sort_values(["place", "year", "study_id"], kind="stable")
        rows = [
            {str(name): str(cell) for name, cell in row.items()} for row in own.to_dict("records")
        ]
        parts += [f"## {names[key][:1].upper()}{names[key][1:]}", _raw(_list(rows))]
    return "\n\n".join(parts) + "\n"


def _list(rows: Sequence[Mapping[str, str]]) -> str:
    head = "".join(
        f"<th>{word}</th>" for word in ("study", "design", "against", "used for", "why")
    )
    lines = []
    for row in rows:
        cells = [row[n] for n in ("design", "comparator", "eligible_for", "eligibility_reason")]
        told = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        link = f'<a href="{row["study_id"]}.html">{html.escape(row["label"])}</a>'
        lines.append(f"<tr><td>{link}</td>{told}</tr>")
    return scrolling(
        f'<table class="ldn-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def _raw(markup: str) -> str:
    return f"````{{raw}} html\n{markup}\n````"
