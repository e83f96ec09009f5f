"""The figure that plots return: matplotlib's, with its own words; imported when one is drawn."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from matplotlib.figure import Figure


class ShownFigure(Figure):
    """A matplotlib figure that knows what it shows, and that Jupyter asks for its picture.

    pyplot tells Jupyter how to show figures, and then shows those it knows once more at the end
    of the cell. This one is not known to pyplot. Its bytes depend on the drawing alone: it is
    saved under ``settings`` whatever those of the session are, without date or program.
    """

    def __init__(
        self, settings: Callable[[], AbstractContextManager[None]], dpi: float, **options: Any
    ) -> None:
        super().__init__(**options)
        self._settings, self._dots = settings, dpi
        self.alt = ""

    def png(self) -> bytes:
        """Return the picture as PNG."""
        page = io.BytesIO()
        with self._settings():
            self.savefig(page, format="png", dpi=self._dots, metadata={"Software": None})
        return page.getvalue()

    def svg(self, title: str, description: str) -> str:
        """Return the picture as SVG, letters as outlines."""
        page = io.StringIO()
        words = {"Date": None, "Creator": None, "Title": title, "Description": description}
        with self._settings():
            self.savefig(page, format="svg", metadata=words)
        return page.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()
