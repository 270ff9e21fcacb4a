"""Why not: every refusal of the kernel and the doors as a full sentence that names what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.utils.translation import gettext

from fengsui.ledger import titles
from fengsui.ledger.kernel.shapes import Mechanism, Refusal

Sentence = Callable[[Mechanism, Refusal], str]


def _field(mechanism: Mechanism, name: str) -> str:
    return titles.field(mechanism.fields[name]) if name in mechanism.fields else titles.spaced(name)


def _guard(mechanism: Mechanism, refusal: Refusal) -> str:
    known = getattr(mechanism, "guards", {}).get(refusal.needs) or getattr(mechanism, "guards", {}).get(refusal.about) or {}
    said = titles.here(known.get("says") or known.get("title"))
    if said:
        return gettext("Not met: %(condition)s.") % {"condition": said}
    if refusal.needs == "set":
        return gettext("“%(field)s” must be there first.") % {"field": _field(mechanism, refusal.about)}
    if refusal.needs == "unset":
        return gettext("“%(field)s” is there already.") % {"field": _field(mechanism, refusal.about)}
    return gettext("Not met: %(condition)s.") % {"condition": refusal.needs or titles.spaced(refusal.about)}


SENTENCES: dict[str, Sentence] = {
    "ended": lambda m, r: gettext("The case has ended; nothing more is done to it."),
    "version": lambda m, r: gettext("Somebody acted on this case meanwhile. Look at it again, then act."),
    "not_offered": lambda m, r: gettext("Not possible in this state; first: %(state)s.") % {"state": _states(m, r)},
    "state": lambda m, r: gettext("Not possible in this state; first: %(state)s.") % {"state": _states(m, r)},
    "by": lambda m, r: gettext("Done by %(role)s.") % {"role": _roles(r)},
    "actor": lambda m, r: gettext("Done by %(role)s.") % {"role": _roles(r)},
    "role": lambda m, r: gettext("Done by %(role)s.") % {"role": _roles(r)},
    "spent": lambda m, r: gettext("Done already %(n)s times, the most that this mechanism allows.") % {"n": r.needs or "1"},
    "at_once": lambda m, r: gettext("One of these is still open; end it first."),
    "child_open": lambda m, r: gettext("A part of this case is still open: %(part)s.") % {"part": titles.spaced(r.about)},
    "clock_stopped": lambda m, r: gettext("Its deadline is not running."),
    "unverified": lambda m, r: gettext("“%(act)s” has not been verified by another person.") % {"act": titles.act(m, r.about)},
    "field_missing": lambda m, r: gettext("“%(field)s” must be filled in.") % {"field": _field(m, r.about)},
    "missing": lambda m, r: gettext("“%(field)s” must be filled in.") % {"field": _field(m, r.about)},
    "field": lambda m, r: gettext("“%(field)s” is not valid: %(why)s.") % {"field": _field(m, r.about), "why": r.needs},
    "person": lambda m, r: gettext("Whoever did the work may not verify it; another person must."),
    "doer": lambda m, r: gettext("Whoever did the work may not verify it; another person must."),
    "signed": lambda m, r: gettext("You have signed already; a second person must sign."),
    "delegation": lambda m, r: gettext("The delegation does not cover this act."),
    "guard": _guard,
}


def _roles(refusal: Refusal) -> str:
    names = [name for name in (refusal.needs or refusal.about).replace(",", " ").split() if name]
    return "、".join(dict.fromkeys(titles.role(name) for name in names)) or gettext("another office")


def _states(mechanism: Mechanism, refusal: Refusal) -> str:
    names = [name for name in refusal.needs.replace(",", " ").split() if name in mechanism.states]
    return gettext(", or ").join(titles.state(mechanism, name) for name in names) or titles.spaced(refusal.needs or refusal.about)


def of(mechanism: Mechanism, refusal: Refusal) -> str:
    """One reason as a sentence; a code that nobody wrote words for still says what it is about."""
    known = SENTENCES.get(refusal.code)
    if known:
        return known(mechanism, refusal)
    return refusal.needs or f"{titles.spaced(refusal.code)} {refusal.about}".strip()


def all_of(mechanism: Mechanism, refusals: Iterable[Refusal]) -> list[str]:
    """Each different sentence once, in the order of the checks."""
    return list(dict.fromkeys(of(mechanism, one) for one in refusals))
