"""An exercise's clocks: minutes and hours are shortened, legal days never."""

from hypothesis import given
from hypothesis import strategies as st

from fengsui import shipped
from fengsui.law.amounts import Duration
from fengsui.ledger import registry
from fengsui.ledger.kernel import load, pace


@given(st.integers(1, 10**6), st.integers(1, 3600))
def test_seconds_are_shortened_but_never_to_nothing(seconds: int, times: int) -> None:
    found = pace.shortened(Duration(seconds=seconds), times).seconds
    assert found is not None
    assert 1 <= found <= seconds
    assert found == max(1, seconds // times) or times == 1


@given(st.integers(-400, 400), st.integers(1, 3600))
def test_legal_days_stay(days: int, times: int) -> None:
    assert pace.shortened(Duration(days=days), times) == Duration(days=days)
    assert pace.shortened(Duration(workdays=days), times) == Duration(workdays=days)


def test_a_version_at_another_pace_is_another_version_with_the_same_life() -> None:
    text = shipped.file("mechanisms/warning.yaml").read_text(encoding="utf-8")
    plain = load.load_text(text, registry.names())
    quick = load.mechanism({**plain.source, "pace": 30}, registry.names(), titles=True)
    assert quick.digest != plain.digest
    assert quick.states.keys() == plain.states.keys()
    assert [rung.offset.seconds for rung in quick.ladders["minutes"]] == [
        (rung.offset.seconds or 0) // 30 for rung in plain.ladders["minutes"]
    ]
    assert quick.ladders["minutes"][-1].repeats == "60s"
