"""Who reported, kept apart: the identity encrypted, a secret for following up, messages without names.

In: a case that somebody of the public opened. Out: a receipt's follow-up for the one who knows its secret; messages
both ways between an office and a person it does not know; the identity itself only for who may look, with grounds,
each look an entry. The key lies in the data folder (``keys/reporter.key``, mode 0600), so that the database
alone tells neither names nor secrets.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction

from fengsui import files
from fengsui.ledger import doors
from fengsui.ledger.doors.doubles import survivor
from fengsui.ledger.doors.shapes import Refused, refused
from fengsui.ledger.kernel.shapes import Actor, Refusal
from fengsui.ledger.models import Case, Notice, Receipt, Reporter, ReporterLook, ReporterMessage
from fengsui.ledger.public.intake import intake
from fengsui.ledger.reading.possible import actor_of
from fengsui.ledger.receipts import normal_code
from fengsui.numerals import whole
from fengsui.region import roles
from fengsui.region.acting import Acting

KEY = "reporter.key"
LOOKERS = ("law_office",)
"""Roles that may see who reported. Not the office that handles the matter: it writes to the reporter instead."""
ANSWERERS = ("site_supervisor", "upper_supervisor")
"""Roles that may write to the reporter, besides the office that owns the matter. Never the enterprise."""
LONGEST = 1000
"""Characters of a message."""
_PAD = 256  # bytes; the length of the sealed text must not tell a long name from a short one
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NOBODY = "0" * 64


class NoReporterKey(Refused):
    """503: the key is missing or another one than the identity was sealed with; the refusal says what to restore."""

    def __init__(self, needs: str) -> None:
        super().__init__(503, (Refusal("reporter_key", "reporter", needs),))


# ---------------------------------------------------------------------- the key


@lru_cache(maxsize=4)
def _read(path: Path) -> bytes:
    return bytes.fromhex(path.read_text().strip())


def _key() -> bytes:
    """The 32 bytes of the key; the very first call makes it. Several processes may call at once.

    Raises ``NoReporterKey`` where it is gone though reporters are kept: a new one would shut them all out for ever.
    """
    path = Path(settings.KEYS_DIR) / KEY
    if not path.exists():
        _read.cache_clear()
        if Reporter.objects.exists():
            raise NoReporterKey(f"restore {KEY} into the data folder's keys from a backup")
        files.kept(path, lambda: secrets.token_hex(32) + "\n")
    return _read(path)


def _key_id(key: bytes) -> str:
    return sha256(b"fengsui reporter key\n" + key).hexdigest()[:16]


def _sealed(identity: Mapping[str, str], case_id: str) -> bytes:
    plain = orjson.dumps(dict(identity))
    plain += b" " * (-len(plain) % _PAD)
    nonce = os.urandom(12)
    return nonce + AESGCM(_key()).encrypt(nonce, plain, case_id.encode())


def _opened(sealed: bytes, key_id: str, case_id: str) -> dict[str, str]:
    if key_id != _key_id(_key()):
        raise NoReporterKey(f"this identity was sealed with key {key_id}; restore {KEY} of that time from a backup")
    try:
        known: dict[str, str] = orjson.loads(AESGCM(_key()).decrypt(sealed[:12], sealed[12:], case_id.encode()))
    except InvalidTag:
        raise NoReporterKey("the sealed identity was changed in the database, or belongs to another case") from None
    return known


# ------------------------------------------------------------------- the secret


def secret_of(form_key: str) -> str:
    """The follow-up secret that goes with a form's own random key: three groups of four, sixty bits.

    It is derived, so that a form sent twice (a lost answer on a bad line) gives the same secret, and one-way, so that
    nothing stored gives it back: doors keep ``door_key`` of the form's key, never the key itself.
    """
    number = int.from_bytes(sha256(b"fengsui follow-up secret\n" + form_key.encode()).digest()[:8], "big") >> 4
    letters = "".join(_LETTERS[(number >> shift) & 31] for shift in range(55, -5, -5))
    return "-".join(letters[at : at + 4] for at in range(0, 12, 4))


def door_key(form_key: str) -> str:
    """The idempotency key for the doors, from which neither the form's key nor the secret follows."""
    return sha256(b"fengsui door\n" + form_key.encode()).hexdigest()


def code_of(form_key: str) -> str:
    """The reporter's code: a name for somebody without a name, the same for a form sent twice."""
    return "R" + sha256(b"fengsui reporter code\n" + form_key.encode()).hexdigest()[:10].upper()


def _hash(secret: str) -> str:
    return hmac.new(_key(), b"follow\n" + normal_code(secret).encode(), sha256).hexdigest()


def keep(case_id: str, secret: str, identity: Mapping[str, str], now: datetime) -> None:
    """Keep the hash of the secret, and who reported where they said so. Repeated for the same case it changes nothing.

    Call it in the transaction that opened the case.
    """
    said = {name: text for name, text in identity.items() if text}
    known: dict[str, Any] = {"secret_hash": _hash(secret), "at": now}
    if said:
        known |= {"sealed": _sealed(said, str(case_id)), "key_id": _key_id(_key())}
    Reporter.objects.get_or_create(case_id=case_id, defaults=known)


def follow(code: str, secret: str) -> Case | None:
    """The case of a receipt code for who knows its secret; None for a wrong secret and for an unknown code alike.

    Both take one query and one comparison, so that the time does not tell them apart.
    """
    found = Receipt.objects.filter(code=normal_code(code) or "-").values_list("case_id", "case__reporter__secret_hash").first()
    wanted = (found[1] if found else None) or _NOBODY
    same = hmac.compare_digest(wanted, _hash(secret))
    if found is None or not same:
        return None
    return Case.objects.get(pk=found[0])


def reported(case: Case) -> bool:
    """Whether somebody of the public stands behind the case and can be written to."""
    return Reporter.objects.filter(case=case).exists()


# --------------------------------------------------------------------- messages


def messages(case: Case) -> list[ReporterMessage]:
    """What was written both ways, oldest first."""
    return list(ReporterMessage.objects.filter(case=case))


def say(case: Case, text: str, now: datetime) -> ReporterMessage:
    """The reporter writes. The entry says that they did, not what. Refuses 422 an empty or too long text."""
    with transaction.atomic():
        given = doors.append(str(case.pk), "message", Actor(kind="public"), now=now, values={"from": "reporter"})
        kept = ReporterMessage.objects.create(case=case, from_reporter=True, text=_text(text), at=now)
        case.refresh_from_db()
        Notice.objects.create(
            case=case, role="owner", office_id=_answering(case, now), kind="message", text="The reporter has written",
            args={"act": "message", "mechanism": case.mechanism, "seq": given.seq}, at=now, exercise=case.exercise,
        )  # fmt: skip
    return kept


def answer(case: Case, text: str, acting: Acting, now: datetime) -> ReporterMessage:
    """The handling office writes back. Refuses 403 for who may not, 422 an empty or too long text."""
    if not may_answer(case, acting, now):
        raise refused(403, "not_yours", "message", "site_supervisor")
    with transaction.atomic():
        doors.append(str(case.pk), "message", actor_of(acting), now=now, values={"from": "office"})
        seen(case, now)
        return ReporterMessage.objects.create(
            case=case, from_reporter=False, text=_text(text), person_id=acting.person_id, office_id=acting.office_id, at=now
        )


def seen(case: Case, now: datetime, *, by_reporter: bool = False) -> None:
    """Mark what the other side wrote as seen."""
    ReporterMessage.objects.filter(case=case, from_reporter=not by_reporter, seen_at__isnull=True).update(seen_at=now)


def _text(text: str) -> str:
    said = text.strip()
    if not said:
        raise refused(422, "missing", "text", "Write what you want to say")
    if len(said) > LONGEST:
        raise refused(422, "bad_value", "text", "at most %(most)s characters", most=LONGEST)
    return said


# ------------------------------------------------------------------ who may what


def _resolved(name: str, case: Case, now: datetime) -> int | None:
    site = whole(case.about_id) if case.about_kind == "site" else None
    about = roles.About(case.place_code or None, case.duty, site, opener=case.opener_id, owner=case.owner_id)
    return roles.resolve(name, about, now)


def _answering(case: Case, now: datetime) -> int | None:
    """Who reads what the reporter writes: the supervising office, also while the enterprise owns the matter."""
    named = case.fields.get(intake().answering)
    return named if isinstance(named, int) else _resolved(ANSWERERS[0], case, now)


def _holds(names: tuple[str, ...], case: Case, acting: Acting, now: datetime, act: str, *, itself: bool = False) -> bool:
    """Whether the post fills one of the roles; whoever deputises, only if that very act was lent to them."""
    return acting.may_do(case.mechanism, act, own=True) and any(
        roles.holds(acting.person_id, acting.post_id, name, _resolved(name, case, now), now, itself=itself) for name in names
    )


def may_answer(case: Case, acting: Acting, now: datetime) -> bool:
    """Whether this post writes with the reporter: who answers for the matter, never the enterprise."""
    if acting.office_id == _answering(case, now) and acting.may_do(case.mechanism, "message", own=True):
        return roles.holds(acting.person_id, acting.post_id, ANSWERERS[0], acting.office_id, now)
    return _holds(ANSWERERS, case, acting, now, "message")


def may_look(case: Case, acting: Acting, now: datetime) -> bool:
    """Whether this post may see who reported."""
    return _holds(LOOKERS, case, acting, now, "look", itself=True)


def look(case: Case, grounds: str, acting: Acting, now: datetime) -> dict[str, str]:
    """Who reported; empty where they did not say. Writes the entry and the look before anything is shown.

    Refuses 404 where nobody reported, 403 for who may not look, 422 without grounds or with too many of them.
    """
    kept = Reporter.objects.filter(case=case).first()
    if kept is None:
        raise refused(404, "no_such_case", "reporter", "Nobody of the public reported this matter")
    if not may_look(case, acting, now):
        raise refused(403, "not_yours", "reporter", " ".join(LOOKERS))
    if not grounds.strip():
        raise refused(422, "missing", "grounds", "Say why the reporter's identity must be known")
    if len(grounds.strip()) > LONGEST:
        raise refused(422, "bad_value", "grounds", "at most %(most)s characters", most=LONGEST)
    with transaction.atomic():
        given = doors.append(str(case.pk), "look", actor_of(acting), now=now)
        ReporterLook.objects.create(
            case=case, entry_id=given.entry, person_id=acting.person_id, post_id=acting.post_id,
            office_id=acting.office_id, at=now, grounds=grounds.strip(),
        )  # fmt: skip
        return _opened(bytes(kept.sealed), kept.key_id, str(case.pk)) if kept.sealed else {}


# --------------------------------------------------------------- who may be paid


def claimed_by_secret(case: Case) -> Case | None:
    """The reported case whose reward this one is, if it is one: its parent, with a reporter behind it."""
    above = Case.objects.filter(pk=case.parent_id).first() if case.parent_id and case.confidential else None
    return above if above is not None and reported(above) else None


def prove(case: Case, code: str, secret: str, acting: Acting, now: datetime) -> bool:
    """Whether somebody who stands before the payer is the reporter: by receipt code and password, never by name.

    The entry in the reward's case says that it was asked and what came of it. Refuses 404 where nothing is claimed, 403
    for whoever does not own the case now.
    """
    above = claimed_by_secret(case)
    if above is None:
        raise refused(404, "no_such_case", "reporter", "Nobody of the public reported this matter")
    if case.ended or acting.office_id != case.owner_id or not acting.may_do(case.mechanism, "message", own=True):
        raise refused(403, "not_yours", "reporter", "owner")
    found = follow(code, secret)
    same = found is not None and (found.pk == above.pk or survivor(found.pk) == above.pk)
    doors.append(str(case.pk), "message", actor_of(acting), now=now, values={"from": "payee", "proved": same})
    return same


def beside(case: Case, acting: Acting, now: datetime) -> dict[str, Any]:
    """What the case's page shows: whether there is a reporter to write to, and how many letters wait."""
    if not reported(case):
        return {}
    answer, look = may_answer(case, acting, now), may_look(case, acting, now)
    if not answer and not look:
        return {}
    letters = messages(case) if answer else []
    waiting = sum(one.from_reporter and one.seen_at is None for one in letters)
    return {"letters": len(letters), "waiting": waiting, "may_look": look, "post": acting.post_id}
