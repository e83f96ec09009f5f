"""What a notebook cell ends in so that the reader sees a figure and the runner can file it."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ldn_meta.display.figures import style
from ldn_meta.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A name becomes a file name and an anchor, on every system.
_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Picture:
    """A finished drawing that matplotlib did not make: its SVG text and its PNG bytes."""

    svg: str
    png: bytes


@dataclass(frozen=True, repr=False)
class FigureOutput:
    """A figure with its name and its words, which shows itself in a notebook.

    The bytes depend on the drawing alone: no date, no program version, no session settings.

    Parameters
    ----------
    figure : matplotlib.figure.Figure or Picture
        What to show.
    name : str
        Lower-case letters, digits, hyphens, underscores: the stem of the filed images.
    alt : str
        The figure in plain words, for people who cannot see it.

    Raises
    ------
    ArgumentError
        If the name cannot be a file name, or the words are missing.
    """

    figure: Figure | Picture
    name: str
    alt: str

    def __post_init__(self) -> None:
        """Refuse a name that cannot be filed and a figure without words."""
        if not _NAME.fullmatch(self.name):
            message = (
                f"name is {self.name!r}: allowed are lower-case letters and digits, "
                "joined by hyphens or underscores"
            )
            raise ArgumentError(message)
        if not self.alt.strip():
            message = f"alt is empty for figure {self.name!r}: say in words what it shows"
            raise ArgumentError(message)

    def png(self) -> bytes:
        """Return the image as PNG, 110 dots an inch."""
        if isinstance(self.figure, Picture):
            return self.figure.png
        from ldn_meta.display.figures.shown_figure import png_of

        return png_of(self.figure)

    def svg(self) -> str:
        """Return the image as SVG, letters as outlines, with title and description."""
        if isinstance(self.figure, Picture):
            return self.figure.svg
        page = io.StringIO()
        words = {"Date": None, "Creator": None, "Title": self.name, "Description": self.alt}
        with style.settings():
            self.figure.savefig(page, format="svg", metadata=words)
        return page.getvalue()

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> tuple[dict[str, str], dict[str, object]]:
        """Hand Jupyter the picture in three forms; one that is not wanted is not drawn."""
        makers: dict[str, Callable[[], str]] = {
            "image/png": lambda: base64.b64encode(self.png()).decode("ascii"),
            "image/svg+xml": self.svg,
            "text/plain": lambda: self.alt,
        }
        data = {
            mime: make()
            for mime, make in makers.items()
            if (include is None or mime in include) and mime not in (exclude or ())
        }
        metadata: dict[str, object] = {
            "ldn-meta": {"figure": self.name, "alt": self.alt},
            "image/png": {"alt": self.alt},
        }
        return data, metadata

    def __repr__(self) -> str:
        """Name the figure and say what it shows."""
        return f"FigureOutput({self.name!r}: {self.alt})"
