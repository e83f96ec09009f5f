"""How wide a text is, and where it must break: measured, never guessed."""

from __future__ import annotations

from functools import lru_cache

from ldn_meta.display.figures.style import LINE_HEIGHT, TEXT_SIZE


@lru_cache(maxsize=4096)
def line_width(text: str, size: float = TEXT_SIZE, weight: str = "normal") -> float:
    """Width of one line in points, from the outlines of the letters."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)


def text_width(text: str, size: float = TEXT_SIZE, weight: str = "normal") -> float:
    """Width in points of the widest line."""
    return max(line_width(line, size, weight) for line in text.split("\n"))


def text_height(text: str, size: float = TEXT_SIZE) -> float:
    """Height in points that the lines of a text take in this project's line spacing."""
    return size * LINE_HEIGHT * (text.count("\n") + 1)


def wrap(text: str, width: float, size: float = TEXT_SIZE, weight: str = "normal") -> str:
    """Break a text so that no line is wider than ``width`` points.

    Breaks at spaces, not at no-break spaces. A single word that is too wide is cut, since a
    figure may clip nothing.
    """
    return "\n".join(
        line for part in text.split("\n") for line in _wrap_line(part, width, size, weight)
    )


def _wrap_line(text: str, width: float, size: float, weight: str) -> list[str]:
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        longer = f"{current} {word}" if current else word
        if line_width(longer, size, weight) <= width:
            current = longer
            continue
        if current:
            lines.append(current)
        while line_width(word, size, weight) > width and len(word) > 1:
            keep = _fitting(word, width, size, weight)
            lines.append(word[:keep])
            word = word[keep:]
        current = word
    lines.append(current)
    return lines


def _fitting(word: str, width: float, size: float, weight: str) -> int:
    """Count the letters of a word that fit; at least one, or wrapping would never end."""
    keep = 1
    while line_width(word[: keep + 1], size, weight) <= width:
        keep += 1
    return keep
