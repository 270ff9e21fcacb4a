"""Telling people: notices inside the application, by mail and gateways, and lists of calls to make.

In: notice rows written by doors and the clock. Out: words in both languages, unread counts, deliveries, call lines
with their results. A notice of a confidential matter says no more than that there is one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import yaml
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from fengsui.ledger import mechanisms, names, titles
from fengsui.ledger.doors.shapes import refused
from fengsui.ledger.models import CallLine, CallRecord, Case, Delivery, Notice, NoticeSight, Party
from fengsui.ledger.registry import EffectCall
from fengsui.moment import LEGAL_ZONE
from fengsui.region.filters import here
from fengsui.region.models import Contact, Holding
from fengsui.region.models.people import last_day_before
from fengsui.region.roles import duties

log = logging.getLogger(__name__)

OLD = timedelta(days=1)
"""A notice older than this is no longer sent by mail: it would only confuse."""
MOST_TRIES = 5
NOBODY = 0
"""The person of a reader without one: has seen nothing."""

_TEXTS = (
    gettext_noop("This matter has ended"),
    gettext_noop("Something was done in this matter"),
    gettext_noop("A deadline comes near"),
    gettext_noop("A deadline has passed"),
    gettext_noop("A matter is overdue and has come up to you"),
    gettext_noop("Sound the alarm and clear the people from the site"),
    gettext_noop("A paper was made public"),
    gettext_noop("The reporter has written"),
)
SCOPE_SHARED = gettext_noop("An office lets yours read its matters")
SCOPE_ENDED = gettext_noop("An office's matters are no longer shared with yours")


# ------------------------------------------------------------------------ words


def words(notice: Notice, language: str) -> tuple[str, str]:
    """(subject, text) of a notice in ``zh-hans`` or ``en``; a confidential matter is not named."""
    case = notice.case
    with translation.override(language):
        said = gettext(notice.text)
        if case is None:
            return f"{said}: {shared_by(notice)}", f"{said}\n{shared_by(notice)}\n{shared_what(notice)}"
        if case.confidential:
            return said, gettext("A confidential matter. Sign in to read it.")
        name = " ".join(part for part in (case.number, case.title) if part)
        lines = [said, f"{titles.mechanism(mechanisms.version(case.version_id))} {name}"]
        if due := notice.args.get("due"):
            local = datetime.fromisoformat(due).astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")
            lines.append(gettext("Due: %(due)s") % {"due": local})
        return f"{said}: {case.number or case.title}", "\n".join(lines)


def shared_by(notice: Notice) -> str:
    """The office whose scope a notice without a case is about, in the reader's language."""
    by = notice.args["by_office"]
    return titles.here(names.offices([by]).get(by))


def shared_what(notice: Notice) -> str:
    """The fields of work and the last day of the sharing that such a notice is about."""
    known = duties()
    works = [here(known[one]) if one in known else gettext("Every field of work") for one in notice.args["works"]]
    said = {"works": " · ".join(works), "day": last_day_before(datetime.fromisoformat(notice.args["until"]))}
    if notice.text == SCOPE_ENDED:
        return gettext("%(works)s; it was shared until %(day)s") % said
    return gettext("%(works)s, until %(day)s") % said


def tell_shared(text: str, reader: int, by_office: int, works: Sequence[str], until: datetime, now: datetime) -> None:
    """Tell an office that another one's scope is shared with it (``SCOPE_SHARED``) or no more; ``until`` is exclusive."""
    args = {"by_office": by_office, "works": list(works), "until": until.isoformat()}
    Notice.objects.create(role="shared", office_id=reader, kind="share", text=text, args=args, at=now)


def link(notice: Notice) -> str:
    """The address of the matter's page, without host; of a shared scope the reading office's own page, which lists it."""
    if notice.case_id is None:
        return reverse("region:office", args=[notice.office_id])
    try:
        return reverse("ledger:case", args=[notice.case_id])
    except NoReverseMatch:
        return f"/cases/{notice.case_id}/"


# ---------------------------------------------------------------------- in-app


def of(offices: Iterable[int], person: int | None) -> QuerySet[Notice]:
    """Notices to these offices or this person, newest first. Confidential ones only where the office may read the case."""
    mine = list(offices)
    to_me = Q(office_id__in=mine) | Q(person_id=person) if person else Q(office_id__in=mine)
    readable = Q(case__isnull=True) | Q(case__confidential=False) | Q(case__readers__overlap=mine)
    return Notice.objects.filter(to_me & readable).select_related("case").order_by("-at", "-id")


def readable(told: QuerySet[Notice], cases: QuerySet[Case]) -> QuerySet[Notice]:
    """Those about one of these cases, or about none."""
    return told.filter(Q(case__isnull=True) | Q(case__in=cases))


def newest(offices: Iterable[int], person: int | None, first: int, last: int) -> list[int]:
    """Ids of the notices ``first`` to before ``last`` to these offices or this person, the newest first.

    Of each office from an index of its own, so that it costs the same however many there are.
    """
    parts = [Notice.objects.filter(office_id=one) for one in offices]
    parts += [Notice.objects.filter(person_id=person)] if person else []
    lines = [part.order_by("-at", "-id").values_list("at", "pk")[:last] for part in parts]
    if not lines:
        return []
    found = {pk: at for at, pk in lines[0].union(*lines[1:], all=True)}
    return sorted(found, key=lambda pk: (found[pk], pk), reverse=True)[first:last]


def marked(notices: QuerySet[Notice], person: int | None) -> QuerySet[Notice]:
    """The same with ``seen``: whether this person has seen each. What a colleague has read stays new to others."""
    return notices.annotate(seen=Exists(NoticeSight.objects.filter(notice=OuterRef("pk"), person_id=person or NOBODY)))


def fresh(notices: QuerySet[Notice], person: int | None) -> QuerySet[Notice]:
    """Those that this person has not seen."""
    return notices.filter(~Exists(NoticeSight.objects.filter(notice=OuterRef("pk"), person_id=person or NOBODY)))


def unread(offices: Iterable[int], person: int | None) -> int:
    """How many of them this person has not seen."""
    return fresh(of(offices, person), person).count()


def see(notices: QuerySet[Notice], person: int, now: datetime) -> int:
    """Mark as seen by this person; how many were new."""
    ids = list(fresh(notices, person).order_by().values_list("pk", flat=True))
    NoticeSight.objects.bulk_create(
        [NoticeSight(notice_id=one, person_id=person, at=now) for one in ids], ignore_conflicts=True, batch_size=2000
    )
    Notice.objects.filter(pk__in=ids, seen_at__isnull=True).update(seen_at=now, seen_by=person)
    return len(ids)


def tell_office(call: EffectCall, office: int, *, kind: str, text: str) -> Notice:
    """A notice from an effect; the same effect carried out again writes no second one."""
    args = {"act": call.act, "mechanism": call.case.mechanism, "seq": call.values.get("entry", call.case.seq)}
    notice, _ = Notice.objects.get_or_create(
        case_id=call.case.id,
        kind=kind,
        text=text,
        office_id=office,
        args=args,
        defaults={"role": kind, "at": call.now, "exercise": bool(call.row["exercise"])},
    )
    return notice


def publish_notice(call: EffectCall, recipients: list[int]) -> None:
    """Tell recipients, or all who took part, that a paper or a result was made public."""
    offices = recipients or list(Party.objects.filter(case_id=call.case.id).order_by().values_list("office_id", flat=True))
    if call.row["confidential"]:
        offices = [office for office in offices if office in call.row["readers"]]
    for office in offices:
        tell_office(call, office, kind="published", text="A paper was made public")


# ----------------------------------------------------------------- calls to answer


def list_calls(case_id: str, what: str, office: int, *, exercise: bool, now: datetime, most: int | None = None) -> list[CallLine]:
    """Put an office's contacts, at most ``most``, on the case's call list; ``what`` made it necessary: once for each."""
    contacts = Contact.objects.unscoped("the call list of an office that must answer").filter(office_id=office)
    lines = []
    for place, contact in enumerate(contacts.order_by("order", "id")[:most], 1):
        known = {
            "contact_id": contact.pk, "name": contact.name, "phone": contact.phone, "listed_at": now, "exercise": exercise,
        }  # fmt: skip
        line, _ = CallLine.objects.get_or_create(case_id=case_id, round=what, office_id=office, order=place, defaults=known)
        lines.append(line)
    return lines


def calls(case_id: str) -> QuerySet[CallLine]:
    """The case's call list with the results so far."""
    return CallLine.objects.filter(case_id=case_id).prefetch_related("records")


def record_call(
    line_id: int, result: str, *, person: int, post: int | None, now: datetime, note: str = "", entry: int | None = None
) -> CallRecord:
    """Keep whom somebody rang, when and with what result. Refuses an unknown result with 422, an unknown line with 404."""
    if result not in CallRecord.RESULTS:
        raise refused(422, "bad_value", "result", "choose one of %(choices)s", choices=CallRecord.RESULTS)
    if not CallLine.objects.filter(pk=line_id).exists():
        raise refused(404, "no_such_call", "call", "There is no such number on a call list")
    return CallRecord.objects.create(
        line_id=line_id, person_id=person, post_id=post, at=now, result=result, note=note[:500], entry_id=entry
    )


# ------------------------------------------------------------------ mail, gateways


def gateways() -> list[Mapping[str, Any]]:
    """What ``notices.yaml`` of the data folder configures: ``gateways: [{name, url, kinds, offices}]``.

    ``url`` is an apprise address, ``{phone}`` in it the recipient's number; ``kinds`` limits it to kinds of notices.
    """
    path = settings.DATA_DIR / "notices.yaml"
    if not path.exists():
        return []
    known = yaml.safe_load(path.read_text()) or {}
    return [one for one in known.get("gateways", []) if one.get("url")]


def deliver(now: datetime, limit: int = 500) -> int:
    """Send what was told in the last day and not sent yet, by mail and gateways; how many went out.

    Notices of exercises never leave the house. A failure is kept with the delivery and tried again.
    """
    fresh = Notice.objects.filter(at__gt=now - OLD, exercise=False, deliveries__isnull=True).select_related("case").order_by("id")
    for notice in fresh[:limit]:
        _ask(notice, now)
    sent = 0
    waiting = Delivery.objects.filter(sent_at__isnull=True, attempts__lt=MOST_TRIES, at__gt=now - OLD).order_by("at")
    for delivery in waiting.select_related("notice__case")[:limit]:
        sent += _send(delivery, now)
    return sent


def _ask(notice: Notice, now: datetime) -> None:
    """Write the deliveries that a notice wants: to everybody who holds a post of the office and gave an address."""
    addresses = _addresses(notice, now) if settings.MAILS else []
    rows = [Delivery(notice=notice, channel="mail", address=address, at=now) for address in addresses]
    for gateway in gateways():
        if notice.kind in gateway.get("kinds", [notice.kind]) and notice.office_id in gateway.get("offices", [notice.office_id]):
            phones = _phones(notice) if "{phone}" in gateway["url"] else [""]
            rows += [Delivery(notice=notice, channel=str(gateway["name"]), address=phone, at=now) for phone in phones]
    if not rows:  # nobody can be reached outside: a delivery to nowhere, done, so that it is not asked again
        rows = [Delivery(notice=notice, channel="none", at=now, sent_at=now)]
    with transaction.atomic():
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)


def _addresses(notice: Notice, now: datetime) -> list[str]:
    holdings = Holding.running(now)
    if notice.person_id:
        holdings = holdings.filter(person_id=notice.person_id)
    elif notice.office_id:
        holdings = holdings.filter(post__office_id=notice.office_id)
    else:
        return []
    found = holdings.exclude(person__account__email="").exclude(person__account__isnull=True)
    return sorted(set(found.values_list("person__account__email", flat=True)))


def _phones(notice: Notice) -> list[str]:
    if not notice.office_id:
        return []
    contacts = Contact.objects.unscoped("a notice to the office itself").filter(office_id=notice.office_id)
    return list(contacts.order_by("order", "id").values_list("phone", flat=True))


def _send(delivery: Delivery, now: datetime) -> int:
    zh, en = (words(delivery.notice, language) for language in ("zh-hans", "en"))
    subject, text = " ".join(f"{zh[0]} / {en[0]}".split()), f"{zh[1]}\n\n{en[1]}\n\n{_origin()}{link(delivery.notice)}"
    try:
        if delivery.channel == "mail":
            send_mail(subject, text, None, [delivery.address])
        else:
            _through_gateway(delivery, subject, text)
    except Exception as error:  # whatever a gateway raises must not stop the others
        log.warning("delivery %s by %s failed: %s", delivery.pk, delivery.channel, error)
        Delivery.objects.filter(pk=delivery.pk).update(attempts=delivery.attempts + 1, error=str(error)[:500])
        return 0
    Delivery.objects.filter(pk=delivery.pk).update(attempts=delivery.attempts + 1, error="", sent_at=now)
    return 1


def _through_gateway(delivery: Delivery, subject: str, text: str) -> None:
    import apprise

    gateway = next((one for one in gateways() if str(one["name"]) == delivery.channel), None)
    if gateway is None:
        raise LookupError(f"notices.yaml no longer has the gateway {delivery.channel!r}")
    sender = apprise.Apprise()
    if not sender.add(gateway["url"].replace("{phone}", delivery.address)):
        raise ValueError(f"the address of the gateway {delivery.channel!r} is none that apprise knows")
    if not sender.notify(title=subject, body=text):
        raise ConnectionError(f"the gateway {delivery.channel!r} did not take the notice")


def _origin() -> str:
    return str(settings.ORIGIN).rstrip("/")


def told(case: Case) -> QuerySet[Notice]:
    """What the raiser was told, oldest first: for a public raiser's follow-up."""
    return Notice.objects.filter(case=case, role="raiser").order_by("at", "id")
