"""The old password asked for when a new one is chosen: not to be guessed by whoever holds somebody's open session.

In: allauth's form. Out: the same, with the tries of one account counted in the database, for all web processes.
"""

from __future__ import annotations

from datetime import timedelta

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm

from fengsui import moment
from fengsui.ledger.public import limits

TRIES = limits.Limit("old-password", 10, timedelta(minutes=15))


class ChangePassword(ChangePasswordForm):
    """allauth's form; ``ValidationError`` at the old password after too many wrong ones."""

    def clean_oldpassword(self) -> str:
        """The old password, counted before it is looked at; a right one begins the count anew."""
        who = str(self.user.pk)
        if not limits.spend(TRIES, who, moment.now()):
            raise get_adapter().validation_error("too_many_login_attempts")
        given: str = super().clean_oldpassword()
        limits.forget(TRIES, who)
        return given
