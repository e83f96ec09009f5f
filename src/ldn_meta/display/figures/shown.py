"""The figure that plots return: matplotlib's, with its own words; imported when one is drawn."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from ldn_meta.display.figures.sheet import DOTS_PER_INCH, settings


class ShownFigure(Figure):
    """A matplotlib figure that knows what it shows, and that Jupyter asks for its picture.

    pyplot tells Jupyter how to show figures, and then shows those it knows once more at the end
    of the cell. This one is not known to pyplot.
    """

    alt: str = ""

    def _repr_png_(self) -> bytes:
        return png_of(self)


def png_of(figure: Figure) -> bytes:
    """Return a figure as PNG, 110 dots an inch; the bytes depend on the drawing alone."""
    page = io.BytesIO()
    with settings():
        figure.savefig(page, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return page.getvalue()
