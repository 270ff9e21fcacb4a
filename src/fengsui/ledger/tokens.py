"""Tokens by which a program acts in one person's post. Only a secret's SHA-256 is kept."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256

from django.db.models import Q

from fengsui.ledger.models import Token
from fengsui.region.acting import Acting
from fengsui.region.models import Holding

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
    """Who acts by this secret; None for an unknown, expired or revoked one, and once the post is no longer held."""
    token = Token.objects.filter(secret_hash=_hash(secret), revoked_at__isnull=True, expires_at__gt=now).first()
    if token is None:
        return None
    running = Q(since__lte=now) & (Q(until__isnull=True) | Q(until__gt=now))
    holding = Holding.objects.filter(running, person_id=token.person_id, post_id=token.post_id).select_related("post").first()
    return Acting(token.person_id, token.post_id, holding.post.office_id) if holding else None


def revoke(token: Token, now: datetime) -> None:
    """End a token at once."""
    Token.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
