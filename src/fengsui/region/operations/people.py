"""People and their sign-ins: names and telephones, invitation, locking."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.region import naming
from fengsui.region.acting import Acting
from fengsui.region.changing import Changing, NotPossible, may_administer
from fengsui.region.models import Account, Delegation, Holding, Person

from .posts import GroundsOnly
from .shape import ChangeForm, Operation, Outcome, operation, text

ONE_TIME_DAYS = 7
"""So long a one-time password may be used: a working week and a weekend; later another is made."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else when read out


def one_time_password() -> str:
    """Sixteen letters and figures in fours, 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _place in range(4)) for _group in range(4))


def offices_of(person: Person, now: datetime) -> list[int]:
    """The offices where the person holds a post now or later; else the last one."""
    held = Holding.objects.filter(person=person).order_by("-since")
    present = list(held.filter(Q(until__isnull=True) | Q(until__gt=now)).values_list("post__office_id", flat=True))
    return present or list(held.values_list("post__office_id", flat=True)[:1])


def register_of(person: Person) -> int:
    """The office in whose register the person stands: that of the newest term."""
    found = Holding.objects.filter(person=person).order_by("-since").values_list("post__office_id", flat=True).first()
    return int(found or 0)


def _may(acting: Acting, person: Person) -> bool:
    from fengsui import moment

    offices = offices_of(person, moment.now())  # all of them: whoever sets a password gets everything that its owner may do
    return bool(offices) and all(may_administer(acting, office) for office in offices)


def _may_open(acting: Acting, person: Person) -> bool:
    """Whether the acting may give out or open the person's sign-in, and with it every post that was lent to them.

    A deputy may stand far below whoever lent them a post: only who administers that post's office, too, gets hold of it.
    """
    from fengsui import moment

    lent = Delegation.objects.filter(deputy=person, until__gt=moment.now()).values_list("post__office_id", flat=True)
    return _may(acting, person) and all(may_administer(acting, office) for office in lent.distinct().order_by())


class PersonForm(ChangeForm):
    """A person's name and telephone."""

    name = text(_("Name"), 80)
    phone = text(_("Telephone"), 40, required=False)

    def prepare(self) -> None:
        self.initial.update({"name": self.subject.name, "phone": self.subject.phone})


def _edit(changing: Changing, person: Person, form: ChangeForm) -> None:
    values = form.given("name", "phone")
    changing.edit("edit_person", register_of(person), person, values)
    Person.objects.unscoped("the person in hand").filter(pk=person.pk).update(pinyin=naming.sorting(person.name)[:120])


class InviteForm(ChangeForm):
    """The user name."""

    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        help_text=_("Small letters, figures, dots and hyphens"),
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9.\-]*$", _("Use small letters, figures, dots and hyphens."))],
    )

    def prepare(self) -> None:
        plain = "".join(part.rstrip("12345") for part in naming.sorting(self.subject.name).split())
        self.initial.setdefault("username", "".join(one for one in plain.lower() if one.isascii() and one.isalnum()))

    def clean_username(self) -> str:
        name = str(self.cleaned_data["username"])
        if Account.objects.filter(username=name).exists():
            raise forms.ValidationError(_("This user name is taken; choose another."))
        return name


def _invite(changing: Changing, person: Person, form: ChangeForm) -> Outcome:
    if person.account_id is not None:
        raise NotPossible(gettext("%(name)s has an account already.") % {"name": person.name})
    account = Account(username=form.cleaned_data["username"])
    secret = set_one_time(account, changing.now)
    person.account = account
    person.save(update_fields=["account"])
    changing.note("invite", register_of(person), person, after={"username": account.username})
    return Outcome(secret={"username": account.username, "password": secret})


def set_one_time(account: Account, now: datetime) -> str:
    """Give the account a password for once and save it; the only time the password is known."""
    secret = one_time_password()
    account.set_password(secret)
    account.one_time_until = now + timedelta(days=ONE_TIME_DAYS)
    account.save()
    return secret


def _new_password(changing: Changing, person: Person, form: ChangeForm) -> Outcome:
    secret = set_one_time(_account(person), changing.now)
    changing.note("new_password", register_of(person), person, after={"username": _account(person).username})
    return Outcome(secret={"username": _account(person).username, "password": secret})


def _account(person: Person) -> Account:
    if person.account is None:
        raise NotPossible(gettext("%(name)s has no account; invite them first.") % {"name": person.name})
    account: Account = person.account
    return account


def _lock(changing: Changing, person: Person, form: ChangeForm) -> Outcome:
    if person.pk == changing.acting.person_id:
        raise NotPossible(gettext("You cannot lock your own account."))
    changing.edit("lock", register_of(person), _account(person), {"is_active": False})
    return Outcome(gettext("The account is locked: its sessions and tokens no longer work."))


def _unlock(changing: Changing, person: Person, form: ChangeForm) -> Outcome:
    changing.edit("unlock", register_of(person), _account(person), {"is_active": True})
    return Outcome(gettext("The account works again."))


def _has(active: bool) -> Any:
    return lambda person, now: person.account is not None and person.account.is_active is active


def _person(
    name: str, title: Any, form: type[ChangeForm], run: Any, icon: str, fits: Any, says: Any = "", own: Any = _may
) -> Operation:
    return operation(Operation(name, "person", title, form, run, register_of, says, icon, fits, own=own))


_person("edit_person", _("Change name or telephone"), PersonForm, _edit, "edit", lambda person, now: True)
_person(
    "invite",
    _("Invite"),
    InviteForm,
    _invite,
    "send",
    lambda person, now: person.account is None,
    _(
        "An account is made with a one-time password. It is shown once: print it or read it out. Whoever signs in with it "
        "chooses an own password first."
    ),
    _may_open,
)
_person(
    "new_password",
    _("Make a one-time password"),
    GroundsOnly,
    _new_password,
    "key",
    _has(True),
    _("The present password ends at once."),
    _may_open,
)
_person(
    "lock",
    _("Lock the account"),
    GroundsOnly,
    _lock,
    "lock",
    _has(True),
    _("Nobody can sign in with it until it is unlocked; posts and records stay."),
)
_person("unlock", _("Unlock the account"), GroundsOnly, _unlock, "key", _has(False), own=_may_open)
