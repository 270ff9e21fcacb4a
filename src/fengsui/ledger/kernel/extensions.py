"""More time: how late a clock's due may become, refused where it is asked for, and clocks that move along with it.

In: the case, the act, the law's numbers. Out: refusals that say the last day and how it comes about; no due is moved here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fengsui.ledger.kernel.shapes import Act, Case, ClockRow, Facts, Json, Mechanism, Refusal, Share
from fengsui.ledger.kernel.times import NoLength, longest_due, moment_of
from fengsui.ledger.kernel.values import written

ALONG = "clock."
"""``extends: {overall: clock.deadline}``: that clock moves by as much as the other one."""

_BY_SHARE = "at the latest %(latest)s: at most %(share)s of the %(term)s days first given, which is %(more)s days more"

_NOTHING_MORE = "later than %(due)s, the day that holds already"


def limits(act: Act) -> dict[str, str]:
    """Clock → the law number that bounds its extension, of the clocks that do not just move along."""
    return {clock: str(limit) for clock, limit in act.extends.items() if not str(limit).startswith(ALONG)}


def along(act: Act) -> dict[str, str]:
    """Clock → the clock that it moves along with."""
    words = {clock: str(limit) for clock, limit in act.extends.items()}
    return {clock: word.removeprefix(ALONG) for clock, word in words.items() if word.startswith(ALONG)}


def beyond(mechanism: Mechanism, case: Case, kind: str, value: Json, facts: Facts) -> Iterator[Refusal]:
    """Refusals of more time, asked for through children of ``kind``, than the act that grants it may give; or of none at all."""
    asked = [one.get("until") for one in (value if isinstance(value, list) else [value]) if isinstance(one, Mapping)]
    acts = [act for state in mechanism.states.values() for act in state.actions if act.extends]
    granting = [act for act in acts if any(by.startswith(f"child.{kind}.") for by in act.by)]
    for name, limit in {pair for act in granting for pair in limits(act).items()}:
        for row in case.clocks:
            if row.name == name and row.stopped is None:
                yield from _late(row, limit, kind, asked, case, facts)


def _late(row: ClockRow, limit: str, kind: str, asked: list[Json], case: Case, facts: Facts) -> Iterator[Refusal]:
    try:
        latest = longest_due(row, limit, case.fields, facts)
    except NoLength:  # granting it would be refused for want of the number
        return
    for until in asked:
        try:
            wished = moment_of(until)
        except ValueError:  # the child's own opening says what is wrong with it
            continue
        if wished > latest:
            yield _refusal(row, limit, f"{kind}.until", written(latest, "date"), facts)
        elif wished <= row.due:  # granting it would move nothing, yet spend the one extension there is
            yield Refusal("bad_value", f"{kind}.until", _NOTHING_MORE, {"due": written(row.due, "date")})


def _refusal(row: ClockRow, limit: str, about: str, latest: str, facts: Facts) -> Refusal:
    share, first = facts.law.get(limit), row.first or row.due
    if not isinstance(share, Share):
        return Refusal("bad_value", about, "at the latest %(latest)s", {"latest": latest})
    term = (first - row.start).days
    more = int((first - row.start).total_seconds() * share.part // 86400)
    args = {"latest": latest, "share": f"{share.part:.0%}", "term": term, "more": more}
    return Refusal("bad_value", about, _BY_SHARE, args)
