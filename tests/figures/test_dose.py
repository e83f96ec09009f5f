"""What the dose figure draws, read back from it."""

import numpy as np
import pytest

from builders import assert_legible, described, mark, marks, says
from ldn_meta.display.figures.dose import (
    CURVES_HEIGHT,
    CurveBands,
    DoseSpread,
    PrintedDose,
    dose_figure,
)

DOSE = np.linspace(0, 16, 33)
MEDIAN = np.clip((DOSE - 1) / 6, 0, 1)
BANDS = CurveBands(
    DOSE,
    np.clip(MEDIAN - 0.4, 0, 1),
    np.clip(MEDIAN - 0.1, 0, 1),
    MEDIAN,
    np.clip(MEDIAN + 0.1, 0, 1),
    np.clip(MEDIAN + 0.4, 0, 1),
)
LONG = "every number in a report that is far too long for one line of a figure " * 3
SPREADS = [
    DoseSpread("11 of 25 responded", 3.2, 5.0, 6.3, 9.2, 15.2),
    DoseSpread(LONG.strip(), 4.5, 7.2, 9.5, 12.3, 16.2),
]
PRINTED = [
    PrintedDose("ed50", 0.5, 3.88, 3.39, 4.35),
    PrintedDose("ed95", 0.95, 5.4, 4.66, 6.13),
]
OPTIONS = {"ladder": (0.75, 6.0), "title": "Response by dose"}


@pytest.fixture(scope="module")
def drawn():
    figure, curves = dose_figure(BANDS, SPREADS, PRINTED, **OPTIONS)
    return figure, curves, figure.axes[-1]


def test_every_text_can_be_read(drawn):
    figure, _, rows = drawn
    assert_legible(figure)
    # Words inside the lower part lie on no interval.
    for i in range(2):
        words = mark(figure, f"row-{i}-words").get_window_extent()
        line = rows.transData.transform((0, mark(figure, f"row-{i}-wide").get_ydata()[0]))
        assert words.y0 > line[1] + 3
        assert words.x1 < rows.get_window_extent().x1


def test_curves_stand_at_their_shares(drawn):
    figure, curves, _ = drawn
    bottom, top = curves.get_ylim()
    assert bottom - top == pytest.approx(CURVES_HEIGHT)
    line = mark(figure, "curve-median")
    np.testing.assert_allclose(line.get_xdata(), DOSE)
    np.testing.assert_allclose(bottom - line.get_ydata(), CURVES_HEIGHT * MEDIAN, atol=1e-3)
    for i, one in enumerate(PRINTED):
        point = mark(figure, f"printed-{i}")
        assert point.get_xdata()[0] == one.dose
        assert bottom - point.get_ydata()[0] == pytest.approx(CURVES_HEIGHT * one.share, abs=1e-3)
        assert list(mark(figure, f"printed-{i}-interval").get_xdata()) == [one.low, one.high]


def test_rows_stand_in_order_at_their_doses(drawn):
    figure, _, rows = drawn
    heights = []
    for i, one in enumerate(SPREADS):
        assert list(mark(figure, f"row-{i}-wide").get_xdata()) == [one.low, one.high]
        assert list(mark(figure, f"row-{i}-half").get_xdata()) == [one.lower, one.upper]
        assert mark(figure, f"row-{i}-median").get_xdata()[0] == one.median
        heights.append(mark(figure, f"row-{i}-median").get_ydata()[0])
    assert heights == sorted(heights)
    assert says(figure, "row-0-words") == "If 11 of 25 responded: 6.3 (3.2 to 15.2)"
    assert says(figure, "row-1-words").count("\n") >= 2
    assert rows.get_xlim()[1] > 16.2


def test_both_parts_share_the_axis_and_tint_what_was_tested(drawn):
    figure, curves, rows = drawn
    assert curves.get_xlim() == rows.get_xlim()
    for axes in (curves, rows):
        tint = next(a for a in axes.get_children() if a.get_gid() == "ladder")
        assert (tint.get_x(), tint.get_x() + tint.get_width()) == (0.75, 6.0)
    span = mark(figure, "printed-span")
    assert (span.get_x(), span.get_x() + span.get_width()) == pytest.approx((4.66, 6.13))
    assert mark(figure, "printed-at").get_xdata()[0] == 5.4


def test_without_an_interval_none_is_drawn_or_told():
    alone = [PrintedDose("ed95", 0.95, 5.4, np.nan, np.nan)]
    figure, _ = dose_figure(BANDS, SPREADS[:1], alone, **OPTIONS)
    assert_legible(figure)
    names = {*marks(figure, "printed")}
    assert names == {"printed-0", "printed-at"}
    assert "interval" not in described(dose_figure, BANDS, SPREADS[:1], alone, **OPTIONS)


def test_words_tell_every_dose(drawn):
    words = drawn[0].alt
    assert "5.40 mg for 95% of people (interval 4.66 to 6.13)" in words
    assert "median 6.3 mg, middle 95% 3.2 to 15.2 mg" in words
