"""What the ledger's own acts by persons have in common: correcting, merging, sharing.

In: a case, who acts in which post, what the form saw. Out: a receipt, or ``Refused`` as ``act`` does it: 404 what they may
not know of, 412 a case that moved meanwhile, 403 without a delegation, the first receipt again for a repeated key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_noop

from fengsui.ledger.doors import answered, facts, sight, wellformed
from fengsui.ledger.doors.applying import Passage
from fengsui.ledger.doors.held import Held
from fengsui.ledger.doors.shapes import Receipt, refused
from fengsui.ledger.doors.single import demand_delegation, in_transaction, lock_lines, missing
from fengsui.ledger.doors.work import Notice, Work, Written
from fengsui.ledger.kernel.people import is_by, natural
from fengsui.ledger.kernel.shapes import Act, Actor, Call
from fengsui.ledger.models import Entry, SearchText
from fengsui.ledger.words import bigrams
from fengsui.region.tree import tree

GROUNDS = 500
"""Characters that the grounds of such an act may have."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One wish: the act's name, the case, who, the version that was read, an idempotency key, everything given."""

    act: str
    case: str
    actor: Actor
    given: Mapping[str, Any]
    expects: int | None = None
    key: str = ""


def carry_out(
    asked: Asked,
    doing: Callable[[Passage, Held], Written],
    now: datetime,
    *besides: str,
    around: Callable[[str], Iterable[str]] | None = None,
    after: Callable[[Written], object] | None = None,
) -> Receipt:
    """Run ``doing`` on the locked case, those named in ``besides`` and those that ``around`` finds for the case.

    All are locked with their ancestors, in the order in which every door locks.
    ``after`` runs once the entry is written, in the same transaction: for rows that name it.
    """
    wellformed.demand(key=asked.key, version=asked.expects, values=asked.given)
    body = answered.body_hash(act=asked.act, case=asked.case, actor=asdict(asked.actor), values=asked.given)

    def one() -> Receipt:
        passage = Passage(Work(now))
        _lock(passage, asked.case, besides, around)
        held = passage.held.get(asked.case)
        if held is None:
            raise missing()
        sight.demand(held, asked.actor)
        if (known := answered.receipt(asked.actor, asked.key, body)) is not None:
            return known
        if asked.expects is not None and asked.expects != held.case.seq:
            raise refused(412, "version", str(asked.expects), str(held.case.seq))
        demand_delegation(held.mechanism.name, Call(asked.act, asked.actor), now, own=True)
        written = doing(passage, held)
        passage.work.flush()
        if after is not None:
            after(written)
        given = written.receipt(at=now)
        answered.keep(asked.actor, asked.key, body, given.plain(), now)
        return given

    return in_transaction(one)


def _lock(passage: Passage, case: str, besides: Iterable[str], around: Callable[[str], Iterable[str]] | None) -> None:
    wanted = {case, *besides, *(around(case) if around else ())}
    while wanted:
        lock_lines(passage, *wanted)
        # what was linked while this waited is locked late: should that cross somebody, the transaction starts again
        wanted = set(around(case)) - wanted - passage.held.keys() if around else set()


def demand_grounds(grounds: str) -> str:
    """The grounds without blanks around. Refuses 422 where nothing or far too much is said."""
    said = grounds.strip()
    if not said:
        raise refused(422, "missing", "grounds", gettext_noop("Say why"))
    if len(said) > GROUNDS:
        raise refused(422, "bad_value", "grounds", gettext_noop("at most 500 characters"))
    return said


# -------------------------------------------------------------- who answers


def answers(held: Held, actor: Actor, now: datetime) -> bool:
    """Whether the actor's post answers for the case: the state's owner.

    Once it has ended: in the office that ended it, whoever did something in it, and who leads that office.
    """
    if held.case.ended:
        ours = actor.office is not None and actor.office == ended_by(held)
        return ours and (_took_part(held, actor) or leads(actor))
    state = held.mechanism.states[held.case.state]
    gathered = facts.gather(held, (), actor, {}, now, judged=False)
    return is_by(held.mechanism, Act("", (state.owner,)), held.case, actor, gathered.facts)


def leads(actor: Actor) -> bool:
    """Whether the post acted in is one of leadership."""
    post = tree().posts.get(actor.post) if actor.post is not None else None
    return post is not None and bool({"leading", "principal"} & set(post.duties))


def _took_part(held: Held, actor: Actor) -> bool:
    """Whether the person, or whoever that person deputises, did any act of the case for this office."""
    people = natural(actor)
    acts = Entry.objects.filter(case_id=held.case.id, office_id=actor.office)
    return acts.filter(Q(person_id__in=people) | Q(principal_id__in=people)).exists()


def ended_by(held: Held) -> int | None:
    """The office whose act ended the case; its opener where a clock or a child did."""
    last = Entry.objects.filter(case_id=held.case.id, state_after=held.case.state).exclude(state_before=held.case.state)
    office = last.order_by("-seq").values_list("office_id", flat=True).first()
    return office if office is not None else held.row["opener_id"]


def is_enterprise(office: int | None) -> bool:
    """Whether the office is an enterprise's own (or none that is known)."""
    node = tree().offices.get(office) if office is not None else None
    return node is None or node.kind == "enterprise"


# -------------------------------------------------------------- told, found


def tell(work: Work, written: Written, text: str, *recipients: tuple[str, int | None, int | None], kind: str = "act") -> None:
    """Notices about an entry to (role, office, person), each once; of a confidential case to readers and the raiser only."""
    case, row = written.after, written.held.row
    args = {"act": written.act, "state": case.state, "mechanism": case.mechanism, "seq": case.seq}
    for role, office, person in dict.fromkeys(recipients):
        if row["confidential"] and office not in row["readers"]:
            office = None
            if person is None:
                continue
        work.notices.append(Notice(written, role, office, person, kind, text, args))


def raiser_of(held: Held) -> tuple[str, int | None, int | None] | None:
    """(role, office, person) of whoever raised the case; the public has neither office nor person. None: the system."""
    raiser = held.case.raiser
    if raiser.get("office") or raiser.get("person"):
        return "raiser", raiser.get("office"), raiser.get("person")
    return ("raiser", None, None) if raiser.get("kind") == "public" else None


def rewrite_words(held: Held) -> None:
    """Let search find the case by what it says now, and by nothing that it said before."""
    text = [
        str(held.case.fields[name])
        for name, one in held.mechanism.fields.items()
        if one.kind == "text" and not one.sealed and not one.sealed_until and held.case.fields.get(name)
    ]
    row = held.row
    grams = bigrams(row["number"] or "", row["title"], row["title_en"], row["external_number"], *text)
    SearchText.objects.filter(case_id=held.case.id).update(bigrams=grams)
