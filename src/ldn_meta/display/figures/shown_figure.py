"""A figure that shows itself when a notebook cell ends in it, without pyplot."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from ldn_meta.display.figures import style


class ShownFigure(Figure):
    """A matplotlib figure that Jupyter asks for its picture.

    pyplot tells Jupyter how to show figures, and then shows those it knows once more at the end
    of the cell. This one is not known to pyplot.
    """

    def _repr_png_(self) -> bytes:
        return png_of(self)


def png_of(figure: Figure) -> bytes:
    """Return a figure as PNG, 110 dots an inch; the bytes depend on the drawing alone.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    bytes
    """
    page = io.BytesIO()
    with style.settings():
        figure.savefig(page, format="png", dpi=style.DOTS_PER_INCH, metadata={"Software": None})
    return page.getvalue()
