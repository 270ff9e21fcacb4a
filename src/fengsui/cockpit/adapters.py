"""How allauth behaves here: accounts are made by an administrator, never by signing up."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest

from fengsui.ledger.public import limits


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Wrong passwords are counted by axes, for name and address together: a stranger elsewhere shuts nobody out.

        allauth's own count is for the name alone, and each process has its own.
        """

    def get_client_ip(self, request: HttpRequest) -> str:
        """Behind proxies the visitor's address, not the last proxy's, which everybody would share."""
        return limits.address_of(request)


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """The identity provider signs in accounts that exist; it makes none."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Joins the provider's identity to the account of the same user name, once."""
        from django.contrib.auth import get_user_model

        if sociallogin.is_existing:
            return
        name = sociallogin.account.extra_data.get("preferred_username") or ""
        account = get_user_model().objects.filter(username=name, is_active=True).first() if name else None
        if account is not None:
            sociallogin.connect(request, account)
