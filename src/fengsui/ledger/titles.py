"""The words of mechanisms in both languages: states, acts, clocks, roles, lengths of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import get_language, gettext

from fengsui.ledger.kernel.shapes import Act, Field, Mechanism
from fengsui.region import roles
from fengsui.region.filters import mark as mark

Words = Mapping[str, str]


def here(words: Mapping[str, Any] | None) -> str:
    """The reader's language of ``{zh, en}``."""
    if not words:
        return ""
    own = (get_language() or "zh").startswith("zh")
    return str(words.get("zh" if own else "en") or words.get("en") or words.get("zh") or "")


def stop() -> str:
    """The full stop of the reader's language."""
    return "。" if (get_language() or "zh").startswith("zh") else "."


def listed(words: Iterable[str], sign: str = "、") -> str:
    """Words in a row with the language's own comma."""
    return mark(sign).join(words)


def spaced(name: str) -> str:
    """A bare name for people: ``order_interim`` → ``order interim``."""
    return name.replace("_", " ").replace(".", " ")


def mechanism(found: Mechanism) -> str:
    """The mechanism's title."""
    return here(found.title) or spaced(found.name)


def act(found: Mechanism, name: str, *, own: bool | None = None) -> str:
    """The title of an act, also of the ledger's own (``climb``, ``again`` …) and of one that an earlier version had.

    ``own`` tells whether an entry is one of the ledger's, where a version's act has the same name; None: it is not known.
    """
    if not own and (title := _declared(found, name)) is not None:
        return title
    if own is not False and name in LEDGER_ACTS:
        return LEDGER_ACTS[name]()
    return _once(found.name, name)


def _declared(found: Mechanism, name: str) -> str | None:
    """What this wording calls the act; None where it has none of that name."""
    for known in (found.opening, found.always, *(state.offers for state in found.states.values())):
        if name in known:
            return here(known[name].title) or spaced(name)
    return None


def _once(mechanism: str, name: str) -> str:
    """What an earlier version called the act: a case that was moved to a newer one keeps the entries from before."""
    from fengsui.ledger import mechanisms

    return here(mechanisms.former_acts(mechanism).get(name)) or spaced(name)


LEDGER_ACTS = {
    "climb": lambda: gettext("Climbed to the office above"),
    "rung": lambda: gettext("Reminder sent"),
    "adopt": lambda: gettext("Taken over from the old system"),
    "look": lambda: gettext("Looked at the reporter's identity"),
    "message": lambda: gettext("Message with the reporter"),
    "erase": lambda: gettext("Erased by law"),
    "recompute": lambda: gettext("Deadlines recomputed"),
    "call": lambda: gettext("Call recorded"),
    "correct": lambda: gettext("Corrected"),
    "merge": lambda: gettext("Merged with a double"),
    "share": lambda: gettext("Shared"),
    "move": lambda: gettext("Moved to a newer mechanism"),
    "succeed": lambda: gettext("Passed to the office that answers for it now"),
}


def state(found: Mechanism, name: str) -> str:
    """The title of a state or an end."""
    one = found.states.get(name) or found.ends.get(name)
    if one is None and name == "merged":
        return gettext("Merged into another case")
    return (here(one.title) if one else "") or spaced(name)


def field(one: Field) -> str:
    """The label of a field."""
    return here(one.title) or spaced(one.name)


def role(name: str, mechanism: Mechanism | None = None) -> str:
    """The title of a role; ``field.F`` by the field's own title where the mechanism is given."""
    if mechanism is not None and name.startswith("field.") and name[6:] in mechanism.fields:
        return field(mechanism.fields[name[6:]])
    if mechanism is not None and name.startswith("holder.") and name[7:] in mechanism.clocks:
        return role(mechanism.clocks[name[7:]].holder, mechanism)
    if name == "raiser":
        return gettext("whoever raised it")
    if name == "parties":
        return gettext("all who took part")
    if name in roles.roles():
        return here(roles.roles()[name].title) or spaced(name)
    if name.startswith(("field.", "holder.")):
        return gettext("the office named in the case")
    if name.startswith(("event.", "clock.", "child.", "parent.")):
        return gettext("the system")
    return spaced(name)


def posts(names: Iterable[str]) -> str:
    """The work of the posts that act in these roles, in words."""
    known = [roles.roles()[name] for name in names if name in roles.roles()]
    work = {word for role in known for word in role.posts}
    return listed(here(title) for word, title in roles.functions().items() if word in work)


def clock(found: Mechanism, name: str) -> str:
    """What a clock is called: its own title, the state it belongs to, the report it owes."""
    kind, _, rest = name.partition(":")
    if kind == "within":
        return gettext("Time for “%(state)s”") % {"state": state(found, rest)}
    if kind == "owes":
        return gettext("“%(act)s” owed") % {"act": act(found, rest)}
    declared = found.clocks.get(name)
    return (here(declared.title) if declared else "") or spaced(name)


UNITS = {
    "s": lambda n: gettext("%(n)s s") % {"n": n},
    "min": lambda n: gettext("%(n)s min") % {"n": n},
    "h": lambda n: gettext("%(n)s h") % {"n": n},
    "d": lambda n: gettext("%(n)s d") % {"n": n},
    "wd": lambda n: gettext("%(n)s working days") % {"n": n},
    "w": lambda n: gettext("%(n)s weeks") % {"n": n},
    "mo": lambda n: gettext("%(n)s months") % {"n": n},
    "y": lambda n: gettext("%(n)s years") % {"n": n},
}


def amount(written: str) -> str:
    """``3wd`` → ``3 working days``; what cannot be read stays as written."""
    text = written.strip().lstrip("+").lstrip("-").replace(" ", "")
    digits = text[: len(text) - len(text.lstrip("0123456789."))]
    unit = {"m": "min"}.get(text[len(digits) :], text[len(digits) :])
    return UNITS[unit](digits) if digits and unit in UNITS else written


def by(one: Act) -> str:
    """Who may do an act, in words."""
    return listed(dict.fromkeys(role(name) for name in one.by)) if one.by else ""
