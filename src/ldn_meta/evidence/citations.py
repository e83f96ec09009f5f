"""How a source is cited in a word or two."""

from __future__ import annotations

from typing import Any

MISSING = ("NR", "NA", "TODO", "None")


def short_citation(row: Any) -> str:
    """First author and year, or the key where nobody is named."""
    authors = str(row["authors"])
    if authors in MISSING:
        return str(row["source_id"])
    words = authors.split(",")[0].removesuffix(" et al.").split(" ")
    # "Due Bruun K": initials go, a double surname stays.
    first = " ".join(words[:-1] if len(words) > 1 and words[-1].isupper() else words)
    year = str(row["year"])
    return first if year in MISSING else f"{first} {year}"
