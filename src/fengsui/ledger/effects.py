"""The ledger's own effects, and how an outer one is carried out from its outbox row.

Inner effects run in the act's transaction (``conditions`` has those that only judge). Outer ones are tried until
they succeed; each may run twice, so each writes what it does under a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from fengsui.ledger.doors import held as holding
from fengsui.ledger.kernel.shapes import Actor
from fengsui.ledger.mechanisms import names_used, version
from fengsui.ledger.models import Case, Outbox
from fengsui.ledger.notices import list_calls, publish_notice, tell_office
from fengsui.ledger.registry import EffectCall, effect, has_effect, names, register_effect
from fengsui.region.models import Office


def carry_out(outbox_id: int, now: datetime) -> None:
    """Run the outer effect of one row and mark it done. Raises what the effect raises; then the row counts the try.

    An effect that no room carries out stays undone and is marked so: pages and ``fengsui doctor`` show it.
    """
    row = Outbox.objects.filter(pk=outbox_id, done_at__isnull=True).first()
    if row is None:
        return
    if not has_effect(row.topic):
        Outbox.objects.filter(pk=row.pk).update(error=Outbox.UNCLAIMED, next_attempt_at=None)
        return
    try:
        with transaction.atomic():
            effect(row.topic).run(_call(row, now))
            Outbox.objects.filter(pk=row.pk).update(done_at=now, attempts=row.attempts + 1, error="")
    except Exception as error:
        Outbox.objects.filter(pk=row.pk).update(attempts=row.attempts + 1, error=str(error)[:500], next_attempt_at=now)
        raise


def unclaimed(case: Case) -> list[Mapping[str, str]]:
    """The titles of the case's effects that no room carries out; asks nothing where its version names none such."""
    lacking = [name for name in names_used(version(case.version_id))["effect"] if not has_effect(name)]
    if not lacking:
        return []
    waiting = Outbox.objects.filter(case=case, topic__in=lacking, done_at__isnull=True).order_by().values_list("topic", flat=True)
    known = names().effects
    return [known[name].title if name in known else {} for name in sorted(set(waiting))]


def unclaimed_in_all() -> int:
    """How many effects of all cases wait because no room carries them out."""
    return Outbox.objects.filter(done_at__isnull=True, error=Outbox.UNCLAIMED).count()


def _call(row: Outbox, now: datetime) -> EffectCall:
    case = holding.read([str(row.case_id)], lock=False)[str(row.case_id)]
    values: dict[str, Any] = dict(row.payload.get("values", {}))
    if row.entry_id:
        values.setdefault("entry", row.entry_id)
    return EffectCall(case.case, case.row, row.payload.get("act", ""), Actor("system", name=row.topic), values, now)


@register_effect("number", "inner")
def number(call: EffectCall) -> None:
    """The door gives the number itself, in the same transaction (the kernel says when): nothing is left to do."""


LEAST_CALLED = 1
"""A blue warning wakes no leader: the first number of an office's list is its duty post."""


@register_effect("call_list", "outer")
def call_list(call: EffectCall) -> None:
    """Put the numbers of the offices that must answer on a call list, in order; people ring, the system never does."""
    if "clock" in call.values:
        offices = [call.values.get("office")]
        what = f"{call.values['clock']}:{call.values['rung']}"
    else:
        running = [clock.holder for clock in call.case.clocks if clock.stopped is None]
        offices, what = list(dict.fromkeys(running)), f"entry:{call.values.get('entry', call.case.seq)}"
    most = LEAST_CALLED if call.row["level"] == "blue" else None
    for office in offices:
        if office is not None:
            list_calls(call.case.id, what, office, exercise=bool(call.row["exercise"]), now=call.now, most=most)


@register_effect("alarm_site", "outer")
def alarm_site(call: EffectCall) -> None:
    """Tell the site's control room to sound the alarm and clear people, and put its numbers on the call list."""
    for office in _offices_of_site(call):
        tell_office(call, office, kind="alarm", text="Sound the alarm and clear the people from the site")
        list_calls(call.case.id, f"alarm:{call.case.seq}", office, exercise=bool(call.row["exercise"]), now=call.now)


def _offices_of_site(call: EffectCall) -> list[int]:
    from fengsui.region.models import Site

    if call.row["about_kind"] != "site":
        return []
    site = Site.objects.unscoped("an alarm reaches the site itself").filter(pk=call.row["about_id"]).first()
    return [site.office_id] if site and site.office_id else []


@register_effect("publish", "outer")
def publish(call: EffectCall) -> None:
    """Tell the recipients of a paper, or the raiser and every office that took part, that it was made public."""
    recipients = call.case.fields.get("recipients") or []
    offices = [one for one in recipients if isinstance(one, int)]
    known = set(Office.objects.filter(pk__in=offices).values_list("pk", flat=True))
    publish_notice(call, sorted(known))
