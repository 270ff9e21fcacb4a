"""The first administrator of a new region: the department, a post of administration, a person and a password for once.

Whatever else the region has is entered by that person in the pages. In: names. Out: rows, their record, and the password,
which is printed once and kept nowhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import TextIO

from .acting import Acting
from .changing import ADMINISTRATION, Changing, change
from .models import Account, Holding, Office, Person, Place, Post
from .naming import sorting
from .operations.people import ONE_TIME_DAYS, set_one_time

GROUNDS = "First administrator, made by command on the server 首位系统管理员，由服务器命令设立"
TITLE = ("系统管理员", "System administrator")


class Standing(RuntimeError):
    """Somebody administers the region already."""


def administrators(now: datetime) -> list[str]:
    """The user names of those who administer the region's top office now."""
    held = Holding.running(now).filter(post__office__parent__isnull=True, post__duties__contains=[ADMINISTRATION])
    names = held.filter(person__account__is_active=True)
    return sorted(names.values_list("person__account__username", flat=True))


def found(office: tuple[str, str], name: str, username: str, now: datetime) -> str:
    """Make what is missing up to an administrator who can sign in; gives the password for once.

    Raises ``Standing`` where there is an administrator, ``LookupError`` where no place is in the database,
    ``ValueError`` for a user name that is taken.
    """
    if there := administrators(now):
        raise Standing(", ".join(there))
    if Account.objects.filter(username=username).exists():
        raise ValueError(f"the user name {username!r} is taken; choose another")
    place = Place.objects.filter(parent__isnull=True).first()
    if place is None:
        raise LookupError("the database has no places yet; start `fengsui up` once, it brings them")
    top = Office.objects.filter(parent__isnull=True, kind=Office.Kind.DEPARTMENT).order_by("pk").first()
    if top is None:
        top = Office(
            name_zh=office[0], name_en=office[1], pinyin=sorting(office[0]), kind=Office.Kind.DEPARTMENT, place=place,
            duties=["comprehensive", "leading"],
        )  # fmt: skip
        top.save()
    account = Account(username=username)
    secret = set_one_time(account, now)
    person: Person = Person.objects.create(name=name, pinyin=sorting(name)[:120], account=account)
    post = Post.objects.create(office=top, title_zh=TITLE[0], title_en=TITLE[1], duties=[ADMINISTRATION])
    change(Acting(person.pk, post.pk, top.pk), now, GROUNDS, lambda changing: _begin(changing, top, post, person))
    return secret


def _begin(changing: Changing, top: Office, post: Post, person: Person) -> None:
    Holding.objects.create(post=post, person=person, since=changing.now)
    changing.note("add_office", top, top, after={"name_zh": top.name_zh, "name_en": top.name_en})
    changing.note("add_post", top, post, after={"title_zh": post.title_zh, "duties": post.duties})
    changing.note("begin_holding", top, post, after={"person": person.name, "since": changing.now})


def main(office: tuple[str, str], name: str, username: str, now: datetime, out: TextIO) -> int:
    """The command ``fengsui administrator``; returns the exit code."""
    from django.db import transaction

    try:
        with transaction.atomic():
            secret = found(office, name, username, now)
    except Standing as there:
        out.write(f"The region has an administrator already: {there}. That account invites others in the pages.\n")
        return 1
    except (LookupError, ValueError) as wrong:
        out.write(f"{wrong}\n")
        return 1
    out.write(f"User name: {username}\nOne-time password: {secret}\n")
    out.write(f"It is shown this once and holds for {ONE_TIME_DAYS} days: sign in and choose your own password.\n")
    return 0
