"""Small multiples: gaps stay gaps, only the part beyond a raised limit is coloured."""

from hypothesis import given
from hypothesis import strategies as st

from fengsui.cockpit import sparks


def test_a_silence_is_a_gap_and_never_a_joined_line() -> None:
    times = [*range(0, 100), *range(300, 400)]
    drawn = sparks.chart(times, [1.0] * 200, [True] * 200, 0, 400, {})
    assert len(drawn.gaps) == 1
    assert drawn.line.count("M") == 2


def test_bad_samples_are_not_drawn() -> None:
    drawn = sparks.chart([0, 1, 2], [1, 99, 1], [True, False, True], 0, 2, {})
    assert drawn.high < 3


def test_only_what_lies_beyond_the_raised_limit_is_coloured() -> None:
    times = list(range(11))
    values = [1.0] * 5 + [2.0] * 6
    drawn = sparks.chart(times, values, [True] * 11, 0, 10, {"hh": 1.6, "h": 1.5}, raised="hh")
    assert drawn.beyond.count("M") == 1
    first = float(drawn.beyond[1:].split(" ")[0])
    assert 4 / 10 * (sparks.WIDTH - sparks.RIGHT) < first < 5 / 10 * (sparks.WIDTH - sparks.RIGHT)
    assert sparks.chart(times, values, [True] * 11, 0, 10, {"hh": 1.6}).beyond == ""


def test_labels_of_close_limits_do_not_lie_on_each_other() -> None:
    drawn = sparks.chart([0, 1], [0, 100], [True, True], 0, 1, {"hh": 51.0, "h": 50.0})
    labels = sorted(limit.label for limit in drawn.limits)
    assert labels[1] - labels[0] >= 13


@given(
    st.lists(st.tuples(st.floats(0, 1000), st.floats(-1e6, 1e6), st.booleans()), max_size=60),
    st.dictionaries(st.sampled_from(["hh", "h", "l", "ll"]), st.floats(-1e6, 1e6)),
    st.sampled_from(["", "hh", "h", "l", "ll"]),
)
def test_any_samples_are_drawn_inside_the_chart(samples: list, limits: dict, raised: str) -> None:
    samples.sort()
    times, values, good = ([one[i] for one in samples] for i in range(3))
    drawn = sparks.chart(times, values, good, 0, 1000, limits, raised)
    numbers = [float(number) for number in (drawn.line + drawn.beyond).replace("M", " ").replace("L", " ").split()]
    assert all(-0.1 <= number <= sparks.WIDTH for number in numbers)
