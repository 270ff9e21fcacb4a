"""Codes of a second factor: how often they may be guessed, and that each opens once.

In: a code typed at sign-in, before something weighty, or at setting the factor up. Out: allauth's own answer, unless too many
were wrong. allauth keeps both counts in a cache, which here each web process has for itself and loses at a restart;
these are kept in the database instead.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.adapter import get_adapter as account_adapter
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm

from fengsui import moment
from fengsui.ledger.public import limits

SHORT = limits.Limit("second-factor", 10, timedelta(minutes=15))
LONG = limits.Limit("second-factor-day", 50, timedelta(days=1))
"""Wrong codes of one account, wherever they come from: whoever guesses knows the password already. NIST SP 800-63B 5.2.2
allows 100 in a row; 50 a day hit one code of a million with a chance of 1 in 20,000. A right code is no guess and is not
counted, but it makes the day's guesses no fewer, or whoever guesses would gain by every sign-in of the account's owner."""
ONCE = limits.Limit("second-factor-used", 1, timedelta(minutes=5))
"""A code opens once (RFC 6238 5.2); after five minutes no clock's drift makes it hold again."""


class Counted:
    """A form with a code, counted before it is looked at, so that guesses at once count one by one."""

    user: Any
    authenticator: Authenticator
    too_many = "too_many_login_attempts"

    def clean_code(self) -> str:
        """The code; ``ValidationError`` for a wrong one, a used one and after too many."""
        now, who = moment.now(), str(self.user.pk)
        if not all(limits.spend(one, who, now) for one in (SHORT, LONG)):
            raise account_adapter().validation_error(self.too_many)
        code: str = super().clean_code()  # type: ignore[misc]
        used = getattr(self, "authenticator", None)
        once = used is None or used.type == Authenticator.Type.TOTP
        if once and not limits.spend(ONCE, f"{who} {normalize_user_code(code)}", now):
            raise get_adapter().validation_error("incorrect_code")
        limits.forget(SHORT, who)
        limits.give_back(LONG, who)
        return code


class Authenticate(Counted, AuthenticateForm):
    """The code asked for after the password."""


class Reauthenticate(Counted, ReauthenticateForm):
    """The code asked for again before something weighty."""


class Activate(Counted, ActivateTOTPForm):
    """The first code of a new authenticator."""

    too_many = "rate_limited"
