"""The password asked for in an open session: not to be guessed by whoever holds somebody else's.

In: allauth's forms, where a new password is chosen and before something weighty. Out: the same, with the tries of one account
counted in the database, for both forms and all web processes together.
"""

from __future__ import annotations

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm, ReauthenticateForm

from fengsui import moment
from fengsui.ledger.public import limits

TRIES = limits.Limit("old-password", 10, timedelta(minutes=15))


def _count(account: int) -> None:
    """One more try, before the password is looked at. Raises ``ValidationError`` after too many wrong ones."""
    if not limits.spend(TRIES, str(account), moment.now()):
        raise get_adapter().validation_error("too_many_login_attempts")


class ChangePassword(ChangePasswordForm):
    """allauth's form; ``ValidationError`` at the old password after too many wrong ones."""

    def clean_oldpassword(self) -> str:
        """The old password; a right one begins the count anew."""
        _count(self.user.pk)
        given: str = super().clean_oldpassword()
        limits.forget(TRIES, str(self.user.pk))
        return given


class Reauthenticate(ReauthenticateForm):
    """The password asked for again; ``ValidationError`` after too many wrong ones."""

    def clean_password(self) -> str:
        """The password; a right one begins the count anew."""
        _count(self.user.pk)
        given: str = super().clean_password()
        limits.forget(TRIES, str(self.user.pk))
        return given
