"""Tokens by which a program acts in one person's post. Only a secret's SHA-256 is kept."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TextIO

from django.db.models import Q

from fengsui.ledger.models import Token
from fengsui.region.acting import Acting, actings
from fengsui.region.models import Account, Holding

PREFIX = "fs_"
"""What a secret begins with, so that scanners for leaked secrets know it."""


def issue(name: str, acting: Acting, *, now: datetime, expires: datetime) -> tuple[Token, str]:
    """A new token for this person in this post, and its secret, which is shown once.

    Raises ``ValueError`` for a deputy (a token is not lent on) and for an end that is not ahead.
    """
    if acting.principal_id is not None:
        raise ValueError("a deputy cannot make a token for another person's post")
    if expires <= now:
        raise ValueError("the token would have expired already; choose a later day")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        name=name,
        secret_hash=_hash(secret),
        person_id=acting.person_id,
        post_id=acting.post_id,
        created_at=now,
        expires_at=expires,
    )
    return token, secret


def acting_of_token(secret: str, now: datetime) -> Acting | None:
    """Who acts by this secret.

    None for an unknown, expired or revoked one, once the post is no longer held, while the person's account is locked,
    and while it waits for its owner to replace a one-time password: whoever reset it ended what was trusted before.
    """
    token = Token.objects.filter(secret_hash=_hash(secret), revoked_at__isnull=True, expires_at__gt=now).first()
    if token is None:
        return None
    held = Holding.running(now).filter(person_id=token.person_id, post_id=token.post_id)
    barred = Q(person__account__is_active=False) | Q(person__account__one_time_until__isnull=False)
    holding = held.exclude(barred).select_related("post").first()
    return Acting(token.person_id, token.post_id, holding.post.office_id) if holding else None


def revoke(token: Token, now: datetime) -> None:
    """End a token at once."""
    Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)


def main(user: str, post: int | None, name: str, days: int, ends: bool, now: datetime, out: TextIO) -> int:
    """The command ``fengsui token``: makes a token for a post of the account ``user``, or ends those of that name.

    Writes what it did to ``out``; returns the exit code.
    """
    account = Account.objects.filter(username=user).first()
    mine = [one for one in actings(account, now) if one.principal_id is None] if account else []
    chosen = [one for one in mine if post in (None, one.post_id)]
    if not chosen:
        out.write(f"{user!r} holds no such post at present; name an account that does.\n")
        return 1
    if ends:
        found = Token.objects.filter(person_id=chosen[0].person_id, name=name, revoked_at__isnull=True)
        out.write(f"{found.update(revoked_at=now)} tokens ended.\n")
        return 0
    if len(chosen) > 1:
        out.write(f"{user!r} holds several posts; choose one: --post {' or --post '.join(str(one.post_id) for one in chosen)}\n")
        return 1
    token, secret = issue(name, chosen[0], now=now, expires=now + timedelta(days=days))
    out.write(f"{secret}\nHolds until {token.expires_at.isoformat(timespec='minutes')}; it is shown this once.\n")
    return 0


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
