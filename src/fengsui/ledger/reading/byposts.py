"""What of an office's work is a post's own: an office's papers wait on the desk of whoever may deal with them.

In: somebody's posts. Out: conditions over cases and running clocks. A case belongs to the posts that fill the role
which owns its state, and where that role is one named person to that person (or the deputy signing for them); a clock
to those who fill its holder's role, or, once it has climbed, to those who oversee. Where the named person left, or holds
such a post no more, it waits for whoever fills the role, who names somebody else. What nobody in the office could deal
with is everybody's there: nothing may lie on no desk at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from fengsui.ledger import mechanisms
from fengsui.ledger.kernel.people import roles_of
from fengsui.ledger.kernel.shapes import Mechanism
from fengsui.region import roles
from fengsui.region.acting import Acting
from fengsui.region.tree import once, steady

PERSONS = ("person", "people")
OVERSEES = ("up",)


def owned(acting: Acting, now: datetime) -> Q:
    """Over ``Case``: what the acting's office must act on and its post deals with."""
    with steady():
        return once(("owned", acting), lambda: Q(owner_id=acting.office_id) & ~_others(acting, now))


def held(acting: Acting, now: datetime) -> Q:
    """Over ``Clock``: running rows of the acting's office that its post answers for."""
    with steady():
        return once(("held", acting), lambda: _held(acting, now))


def owns(acting: Acting, version: str, state: str, now: datetime) -> bool:
    """Whether the post deals with this state of that version; of a state that belongs to a person, whether by its role."""
    mechanism = mechanisms.version(version)
    here = mechanism.states.get(state)
    with steady():
        return here is None or _fits(acting, roles_of(mechanism, here.owner), now)


def _fits(acting: Acting, names: Sequence[str], now: datetime) -> bool:
    """Whether the post's work is that of one of these roles, or nobody's in its office is."""
    known = [name for name in names if name in roles.roles()]
    if not known or any(roles.fills(acting.post_id, name) for name in known):
        return True
    return not roles.people_in(known, acting.office_id, now)


def _people(acting: Acting) -> frozenset[int]:
    return frozenset(one for one in (acting.person_id, acting.principal_id) if one is not None)


def _person_field(mechanism: Mechanism, word: str) -> tuple[str, str] | None:
    """The field (name, kind) that names the person whom the word stands for; None where it stands for an office."""
    name = word.removeprefix("field.")
    declared = mechanism.fields.get(name) if word.startswith("field.") else None
    return (name, declared.kind) if declared is not None and declared.kind in PERSONS else None


def _names(people: Iterable[int], field: str, kind: str) -> Q:
    """Over ``Case``: the field names one of these persons; false, never unknown, where it is not set at all."""
    ids = sorted(people)
    named = Q(pk__in=[])
    if kind == "person" and ids:
        named = Q(**{f"fields__{field}__in": ids})
    for one in ids if kind != "person" else ():
        named |= Q(**{f"fields__{field}__contains": [one]})
    return Q(fields__has_key=field) & named  # without the key the comparison is NULL, and its denial drops the row


def _able(acting: Acting, names: Sequence[str], now: datetime) -> frozenset[int]:
    """The persons of the office who may act there as one of these roles now."""
    return roles.people_in([name for name in names if name in roles.roles()], acting.office_id, now)


def _others(acting: Acting, now: datetime) -> Q:
    """Over ``Case``: states that other posts of the office, or other persons, deal with."""
    people = _people(acting)
    found = Q(pk__in=[])
    for digest in mechanisms.digests():
        mechanism = mechanisms.version(digest)
        strange = []
        for state in mechanism.states.values():
            words = roles_of(mechanism, state.owner)
            if not _fits(acting, words, now):
                strange.append(state.name)
            elif named := _person_field(mechanism, state.owner):
                able = _able(acting, words, now)
                others = _names(able - people, *named) & ~_names(able & people, *named)
                found |= Q(version_id=digest, state=state.name) & others
        if strange:
            found |= Q(version_id=digest, state__in=strange)
    return found


def _held(acting: Acting, now: datetime) -> Q:
    people = _people(acting)
    strange = Q(pk__in=[])
    for digest in mechanisms.digests():
        mechanism = mechanisms.version(digest)
        words = {name: clock.holder for name, clock in mechanism.clocks.items()}
        for state in mechanism.states.values():
            words |= {f"within:{state.name}": state.owner} | {f"owes:{one.act}": state.owner for one in state.owes}
        names, of_people = [], defaultdict[frozenset[int], list[str]](list)
        for name, word in words.items():
            if not _fits(acting, roles_of(mechanism, word), now):
                names.append(name)
            elif _person_field(mechanism, word) and (able := _able(acting, roles_of(mechanism, word), now) - people):
                of_people[able].append(name)
        if names:
            strange |= Q(case__version_id=digest, name__in=names)
        for able, theirs in of_people.items():
            strange |= Q(case__version_id=digest, name__in=theirs, person_id__isnull=False, person_id__in=sorted(able))
    ours = ~strange
    if _fits(acting, OVERSEES, now):
        ours |= Q(case__core__overseers__contains=[acting.office_id], person_id__isnull=True)
    return Q(holder_id=acting.office_id, stopped__isnull=True) & ours
