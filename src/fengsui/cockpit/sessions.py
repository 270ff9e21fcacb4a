"""Which sessions still stand: read for many at once, outside of any request.

In: session keys. Out: the accounts that they sign in. A session stands until it ends or runs out, its account is
locked, or its password changes (the same test as Django's own at each request).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils.crypto import constant_time_compare

from fengsui.region.models import Account


def accounts_of(keys: Collection[str], now: datetime) -> dict[str, Account]:
    """Session key → its account, for those that stand at ``now``. Two queries, however many keys."""
    kept = {row.session_key: row.get_decoded() for row in Session.objects.filter(session_key__in=list(keys), expire_date__gt=now)}
    ids = {str(said[SESSION_KEY]) for said in kept.values() if SESSION_KEY in said}
    accounts = {str(one.pk): one for one in Account.objects.filter(pk__in=ids, is_active=True).select_related("person")}
    found: dict[str, Account] = {}
    for key, said in kept.items():
        account = accounts.get(str(said.get(SESSION_KEY)))
        if account and constant_time_compare(str(said.get(HASH_SESSION_KEY, "")), account.get_session_auth_hash()):
            found[key] = account
    return found
