"""What is drawn, read back from a figure: boxes of texts, marks by name."""

import itertools
from xml.etree import ElementTree

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

# Half a pixel: two letters that touch without sharing a pixel are legible.
SLACK = 0.5


def drawn(figure: Figure) -> RendererAgg:
    """Settle all positions at the resolution of the PNG, without spending time on pixels."""
    figure.set_dpi(110)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    return renderer


def text_boxes(figure: Figure) -> list[tuple[Text, Bbox]]:
    """Every visible text that is not empty, with its box in pixels."""
    renderer = drawn(figure)
    shown = []
    for axes in figure.axes:
        shown += axes.texts
        # The page itself has its axis switched off.
        shown += axes.get_xticklabels() if axes.axison else []
    shown = [text for text in shown if text.get_text()]
    return [(text, text.get_window_extent(renderer)) for text in shown]


def assert_legible(figure: Figure) -> None:
    """No text leaves the page, none lies on another, none on the drawn part of a plot."""
    boxes = text_boxes(figure)
    assert boxes
    page = figure.bbox
    for text, box in boxes:
        inside = (
            box.x0 >= page.x0 and box.x1 <= page.x1 and box.y0 >= page.y0 and box.y1 <= page.y1
        )
        assert inside, f"{text.get_text()!r} leaves the page: {box} outside {page}"
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        assert not overlap(first, second), f"{one.get_text()!r} lies on {other.get_text()!r}"
    for axes in figure.axes[1:]:
        frame = axes.get_window_extent()
        for text, box in boxes:
            if text.axes is not axes:
                assert not overlap(box, frame), f"{text.get_text()!r} lies on the plot"


def overlap(first: Bbox, second: Bbox) -> bool:
    return (
        min(first.x1, second.x1) - max(first.x0, second.x0) > SLACK
        and min(first.y1, second.y1) - max(first.y0, second.y0) > SLACK
    )


def texts(figure: Figure) -> list[str]:
    """All texts, from the top of the page down and from left to right."""
    boxes = sorted(text_boxes(figure), key=lambda item: (-item[1].y1, item[1].x0))
    return [text.get_text() for text, _ in boxes]


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


def svg_ids(svg: str) -> list[str]:
    """Ids of an SVG, which is thereby known to be well-formed."""
    return [
        node.attrib["id"] for node in ElementTree.fromstring(svg).iter() if "id" in node.attrib
    ]
