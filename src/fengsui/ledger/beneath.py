"""What the ledger hangs on the region's room beneath it: the check of vacancies around every change of its registers,
cases that follow their offices, the matters that a page of the region lists, the acts that a delegation may name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from fengsui.ledger import lending, live_check, mechanisms, succession, titles
from fengsui.ledger.kernel.people import for_people
from fengsui.ledger.kernel.shapes import Act, Mechanism
from fengsui.ledger.models import Case, Clock
from fengsui.ledger.reading import cases
from fengsui.region import changerecord, changing, coming, enforcement, matters, roles
from fengsui.region.acting import Acting
from fengsui.region.models import Change, Delegation, Holding, Person
from fengsui.region.operations import delegations
from fengsui.region.supervision import supervisor_id
from fengsui.region.tree import tree


def stand() -> None:
    """Register all of it; called once, when the room starts."""
    changing.around(live_check.changing_posts)
    enforcement.ahead_from(live_check.certificates_ahead)
    for kind in ("merge", "dissolve"):
        changing.listen(kind, _of_office)
    changing.listen("duties_moved", _of_duties)
    for kind in ("begin_holding", "end_holding"):
        changing.listen(kind, _of_people)
    for kind in ("begin_holding", "end_holding", "edit_post", "delegate", "end_delegation"):
        changing.listen(kind, lambda change, now: _of_staff([change.office_id]))
    for kind in ("invite", "new_password", "lock", "unlock"):
        changing.listen(kind, _of_sign_in)
    changing.listen("supervision", _of_site)
    matters.register(open_matters)
    matters.register_any(anything_open)
    delegations.acts_from(acts_for)
    changerecord.say_acts(act_words)
    lending.stand()


def _of_office(change: Change, now: datetime) -> None:
    succession.of_offices([change.office_id], now)


def _of_duties(change: Change, now: datetime) -> None:
    succession.of_duties(change.office_id, change.before["duties"], now)


def _of_staff(offices: Iterable[int]) -> None:
    """Who may act there is others now. What follows for its cases and its vacancy is a job of its own after the commit: the
    change itself, such as the locking of a stolen account, waits for no case and fails with none."""
    from fengsui.ledger import tasks

    if asked := sorted(set(offices)):
        tasks.follow_staff.defer(offices=asked)


def _of_people(change: Change, now: datetime) -> None:
    """A term that began or ended on its day: no row changed, so that nothing else has the office checked."""
    if change.at < change.since:
        live_check.check_offices([change.office_id], now)


def _of_sign_in(change: Change, now: datetime) -> None:
    """Somebody can sign in now, or no more: it concerns the offices of their posts, and of those lent to them."""
    whose = Q(account=change.subject_id) if change.subject_kind == "account" else Q(pk=change.subject_id)
    person = Person.objects.unscoped("what follows from a recorded change").filter(whose).first()
    held = Holding.running(now).filter(person=person)
    lent = Delegation.in_force(now).filter(deputy=person)
    _of_staff([*held.values_list("post__office_id", flat=True), *lent.values_list("post__office_id", flat=True)])


def _of_site(change: Change, now: datetime) -> None:
    duty = change.after.get("duty", "")
    after = supervisor_id(change.subject_id, duty, "county", now) if duty else None
    moved = {one: after for one in _gave_up(change, duty, now) if after and one != after}
    succession.of_site(change.subject_id, now, duty=duty, moved=moved)


def _gave_up(change: Change, duty: str, now: datetime) -> set[int]:
    """Who supervised the site until then. Of an order dated ahead not who did when it was entered, but up to its day: others
    may have been given it in between; and their heir, where they were merged on the very day. Of one that overtook orders
    which could not be done on their day, also who did up to that day: they have in hand what was to move then.
    """
    found: set[int | None] = set()
    days = coming.late(change) if duty else []
    if change.at < change.since:
        days.append(change.since)
    else:
        found.add(change.before.get("office"))
    for day in days if duty else ():
        last = supervisor_id(change.subject_id, duty, "county", day - timedelta(microseconds=1))
        heir = tree().living(last, changing.today(now))
        found |= {last, heir.id if heir else None}
    return {office for office in found if office}


# ------------------------------------------------------------------ matters


def open_matters(kind: matters.Kind, subject: int, actings: Sequence[Acting], most: int) -> matters.Found:
    """Open cases that an office has in hand, that are about a site, or that name a person; those the actings may see."""
    found = _concerned(cases(actings).filter(ended=False), kind, subject)
    count = found.count()
    first = found.order_by("next_due", "opened_at").select_related("version")[:most] if count else ()
    return matters.Found(tuple(map(_matter, first)), count)


def anything_open(kind: matters.Kind, subject: int) -> bool:
    """Whether any open case hangs there, confidential ones and those of other fields of work included."""
    return _concerned(Case.objects.filter(ended=False), kind, subject).exists()


def _concerned(found: QuerySet[Case], kind: matters.Kind, subject: int) -> QuerySet[Case]:
    if kind == "site":
        return found.filter(about_kind="site", about_id=str(subject))
    running = Clock.objects.filter(case=OuterRef("pk"), current=True, stopped__isnull=True)
    if kind == "office":
        return found.filter(Q(owner_id=subject) | Q(holder_id=subject) | Exists(running.filter(holder_id=subject)))
    names = {name for one in mechanisms.on_disk().values() for name, field in one.fields.items() if field.kind == "person"}
    many = {name for one in mechanisms.on_disk().values() for name, field in one.fields.items() if field.kind == "people"}
    named = Exists(running.filter(person_id=subject))
    wanted = Q(named)
    for name in sorted(names):
        wanted |= Q(**{f"fields__{name}": subject})
    for name in sorted(many):
        wanted |= Q(**{f"fields__{name}__contains": [subject]})
    return found.filter(wanted)


def _matter(case: Case) -> matters.Matter:
    wording = mechanisms.version(case.version_id)
    return matters.Matter(
        case.number or titles.mechanism(wording),
        case.title,
        titles.state(wording, case.state),
        f"/cases/{case.pk}/",
        case.next_due,
    )


# ------------------------------------------------------------------ delegations


def acts_for(functions: Iterable[str]) -> delegations.Groups:
    """The acts that holders of these functions may do, by mechanism."""
    mine = set(functions)
    groups = []
    for mechanism in mechanisms.on_disk().values():
        acts = {}
        for owner, act in _acts(mechanism):
            if for_people(act) and any(_fits(word, mine) for word in (*act.by, owner)):
                acts[f"{mechanism.name}.{act.name}"] = titles.here(act.title) or titles.spaced(act.name)
        if acts:
            groups.append((titles.mechanism(mechanism), list(acts.items())))
    return groups


def _acts(mechanism: Mechanism) -> Iterable[tuple[str, Act]]:
    """Each act with the owner of its state."""
    yield from (("", act) for act in mechanism.opening.values())
    for state in mechanism.states.values():
        yield from ((state.owner, act) for act in state.actions)


def _fits(word: str, functions: set[str]) -> bool:
    role = roles.roles().get(word.removesuffix(".up"))
    return role is not None and ("*" in role.posts or bool(role.posts & functions))


def act_words(name: str) -> str:
    """``warning.acknowledge`` → 预警：签收; empty for what no mechanism has."""
    mechanism, _, act = name.partition(".")
    found = mechanisms.on_disk().get(mechanism)
    if found is None or not act:
        return ""
    return f"{titles.mechanism(found)}{titles.mark('：')}{titles.act(found, act)}"
