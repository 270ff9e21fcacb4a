"""What every page must say of the stream server, and what it need not."""

import pytest

from fengsui.watch.capacity import Fill, judge


@pytest.mark.parametrize(
    ("fill", "free", "refused", "found"),
    [
        (Fill("TELE", 10, 3, 24), 50, "", []),
        (Fill("TELE", 99, 20, 24), 50, "", []),  # full, but it reaches back nearly as far as it should
        (Fill("TELE", 99, 3, 24), 50, "", ["short"]),
        (Fill("TELE", 10, 3, 24), 4, "", ["disk"]),
        (Fill("TELE", 99, 3, 24), 4, "maximum bytes exceeded", ["refused", "disk", "short"]),
    ],
)
def test_troubles_worst_first(fill, free, refused, found):
    assert [one["what"] for one in judge([fill], free, refused)] == found
