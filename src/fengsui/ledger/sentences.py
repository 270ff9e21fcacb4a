"""Why not: every refusal of the kernel and the doors as a full sentence that names what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import get_language, gettext

from fengsui.ledger import titles
from fengsui.ledger.evidence import sniffing
from fengsui.ledger.kernel.people import roles_of
from fengsui.ledger.kernel.shapes import Mechanism, Refusal
from fengsui.region import roles

Sentence = Callable[[Mechanism, Refusal], str]


def _field(mechanism: Mechanism, name: str) -> str:
    kind, _, inner = name.partition(".")
    if inner and kind in mechanism.children:  # a value for the child that the act opens
        return _field(_current(kind), inner)
    return titles.field(mechanism.fields[name]) if name in mechanism.fields else titles.spaced(name)


def _current(kind: str) -> Mechanism:
    from fengsui.ledger import mechanisms

    try:
        return mechanisms.current(kind)
    except LookupError:
        return NO_MECHANISM


MANY = 8
"""More choices than these are not listed in a sentence."""


def _why(mechanism: Mechanism, refusal: Refusal) -> str:
    """What would help, in the reader's language: the msgid with its parameters, without a full stop."""
    args = {name: _value(mechanism, refusal.about, name, value) for name, value in refusal.args.items()}
    if len(refusal.args.get("choices", ())) > MANY:
        return gettext("choose one from the list")
    words = gettext(refusal.needs)
    return (words % args if args else words).rstrip("。.")


def _value(mechanism: Mechanism, about: str, name: str, value: Any) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    if name == "choices" and about in mechanism.fields:
        labels = mechanism.fields[about].labels
        return titles.listed(titles.here(labels.get(one)) or str(one) for one in value)
    if name == "duties":
        return titles.listed(titles.here(roles.duties().get(one)) or str(one) for one in value) or "—"
    if name == "fields":
        return titles.listed(_field(mechanism, one) for one in value)
    return titles.listed(map(str, value))


def english(refusal: Refusal) -> str:
    """What would help, in English, for logs and programs."""
    args = {name: ", ".join(map(str, v)) if isinstance(v, list | tuple) else v for name, v in refusal.args.items()}
    return refusal.needs % args if args and "%(" in refusal.needs else refusal.needs


def _guard(mechanism: Mechanism, refusal: Refusal) -> str:
    words = {refusal.about, refusal.needs}
    known = mechanism.guards.get(refusal.about) or mechanism.guards.get(refusal.needs)
    if known:
        why = _why(mechanism, refusal) if refusal.needs and refusal.needs not in mechanism.guards else ""
        title = titles.here(known.get("title")) or titles.spaced(refusal.about)
        foreign = (get_language() or "zh").startswith("zh") and why.isascii()
        return gettext("Not met: %(condition)s.") % {"condition": title if foreign or not why else why}
    field = next((word for word in words if word in mechanism.fields), "")
    if field and "unset" in words:
        return gettext("“%(field)s” is there already.") % {"field": _field(mechanism, field)}
    if field:
        return gettext("“%(field)s” must be there first.") % {"field": _field(mechanism, field)}
    return gettext("Not met: %(condition)s.") % {"condition": titles.spaced(refusal.about)}


SENTENCES: dict[str, Sentence] = {
    "ended": lambda m, r: gettext("The case has ended; nothing more is done to it."),
    "version": lambda m, r: gettext("Somebody acted on this case meanwhile. Look at it again, then act."),
    "not_offered": lambda m, r: gettext("Not possible in this state."),
    "no_such_act": lambda m, r: gettext("This mechanism knows no such act."),
    "not_yours": lambda m, r: gettext("Done by %(role)s.") % {"role": _roles(m, r)},
    "not_due": lambda m, r: gettext("Its deadline has not come yet."),
    "no_length": lambda m, r: gettext("The law's length of time for it is not supplied yet: %(name)s.") % {"name": r.about},
    "outside_proof": lambda m, r: gettext(
        "The new version was not proven for a case in this position: map its state to another, or let it end as it is."
    ),
    "too_large": lambda m, r: gettext("The file is too large: photos up to 20 MB, papers 30 MB, films 200 MB."),
    "wrong_type": lambda m, r: (
        gettext("This file cannot be read or is not accepted: send %(kinds)s.") % {"kinds": sniffing.ACCEPTED}
    ),
    "too_many": lambda m, r: gettext("Too many files in one hour; go on later."),
    "delegation": lambda m, r: gettext("The delegation does not cover this act."),
    "no_office": lambda m, r: gettext("No office could be found for it; ask the region's duty room."),
    "spent": lambda m, r: gettext("Done already %(n)s times, the most that this mechanism allows.") % {"n": r.needs or "1"},
    "at_once": lambda m, r: gettext("One of these is still open; end it first."),
    "child_open": lambda m, r: gettext("Still open: %(part)s.") % {"part": child(r.about)},
    "clock_stopped": lambda m, r: gettext("Its deadline is not running: already answered."),
    "unverified": lambda m, r: gettext("“%(act)s” has not been verified by another person.") % {"act": titles.act(m, r.about)},
    "missing": lambda m, r: gettext("“%(field)s” must be filled in.") % {"field": _field(m, r.about)},
    "bad_value": lambda m, r: gettext("“%(field)s”: %(why)s.") % {"field": _field(m, r.about), "why": _why(m, r)},
    "too_few_people": lambda m, r: (
        gettext("“%(field)s”: choose an office where at least %(people)s persons have this work: %(posts)s.")
        % {"field": _field(m, r.about), "people": r.args.get("people", 1), "posts": titles.posts(r.needs.split(","))}
    ),
    "not_of_role": lambda m, r: (
        gettext("“%(field)s”: choose somebody who is one of: %(role)s.") % {"field": _field(m, r.about), "role": _roles(m, r)}
    ),
    "unknown": lambda m, r: gettext("“%(field)s” does not belong to this act.") % {"field": _field(m, r.about)},
    "differs": lambda m, r: gettext("“%(field)s” differs from what the first person signed.") % {"field": _field(m, r.about)},
    "same_person": lambda m, r: gettext("Whoever did the work may not verify it; another person must."),
    "already_signed": lambda m, r: gettext("You have signed already; a second person must sign."),
    "key_taken": lambda m, r: gettext("A case about the same matter is open: %(number)s. Act on that one.") % {"number": r.about},
    "key_reused": lambda m, r: gettext("This form was sent already with other content. Open it again."),
    "no_such_case": lambda m, r: gettext("No such matter, or it is not yours to see"),
    "steers": lambda m, r: gettext("“%(field)s”: %(why)s.") % {"field": _field(m, r.about), "why": gettext(r.needs)},
    "merge": lambda m, r: gettext(r.needs).rstrip("。.") + titles.stop(),
    "share": lambda m, r: gettext(r.needs).rstrip("。.") + titles.stop(),
    "erased": lambda m, r: gettext(r.needs).rstrip("。.") + titles.stop(),
    "reporter_key": lambda m, r: gettext(
        "Reporters' identities and passwords cannot be read now: their key is missing or another one. "
        "The administrator must restore keys/reporter.key from a backup."
    ),
    "effect": lambda m, r: gettext("Could not be carried out: %(why)s.") % {"why": _why(m, r)},
    "guard": _guard,
}


def child(name: str) -> str:
    """What a kind of child case is called; the name itself, spaced, where no mechanism has it."""
    from fengsui.ledger import mechanisms

    try:
        return titles.mechanism(mechanisms.current(name))
    except LookupError:
        return titles.spaced(name)


def _roles(mechanism: Mechanism, refusal: Refusal) -> str:
    names = [name for name in (refusal.needs or refusal.about).replace(",", " ").split() if name]
    return titles.listed(dict.fromkeys(_role(name, mechanism) for name in names)) or gettext("another office")


def _role(name: str, mechanism: Mechanism) -> str:
    """A role's title; of an office that the case names, also which of its posts act for it."""
    title = titles.role(name, mechanism)
    if not name.startswith(("field.", "holder.")):
        return title
    posts = titles.posts(roles_of(mechanism, name))
    return gettext("%(office)s (posts: %(posts)s)") % {"office": title, "posts": posts} if posts else title


def of(mechanism: Mechanism, refusal: Refusal) -> str:
    """One reason as a sentence; a code that nobody wrote words for still says what it is about."""
    known = SENTENCES.get(refusal.code)
    if known:
        return known(mechanism, refusal)
    return _why(mechanism, refusal) or gettext("Refused")


NO_MECHANISM = Mechanism(
    name="", digest="", title={}, about="", fields={}, clocks={}, opening={}, states={}, always={}, ends={}, children={},
    ladder="", ladders={},
)  # fmt: skip
"""For refusals before it is known what a case is: fields are then called by their bare names."""


def reason(mechanism: Mechanism | None, refusal: Refusal) -> dict[str, Any]:
    """A refusal for programs: its code, parameters and English, and its sentence in the reader's language."""
    return {
        "code": refusal.code,
        "about": refusal.about,
        "needs": english(refusal),
        "params": dict(refusal.args),
        "sentence": of(mechanism or NO_MECHANISM, refusal),
    }


def all_of(mechanism: Mechanism, refusals: Iterable[Refusal]) -> list[str]:
    """Each different sentence once, in the order of the checks."""
    return list(dict.fromkeys(of(mechanism, one) for one in refusals))
