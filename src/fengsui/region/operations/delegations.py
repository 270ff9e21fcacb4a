"""Delegations 代签: whoever holds a post lets somebody do named acts of it for a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.numerals import whole
from fengsui.region.acting import Acting
from fengsui.region.changing import Changing, NotPossible, listen, may_administer, midnight
from fengsui.region.models import Change, Delegation, Holding, Office, Person, Post
from fengsui.region.tree import tree
from fengsui.region.widgets import Boxes, Pick

from .posts import GroundsOnly, say_besides
from .shape import ChangeForm, Operation, Outcome, day, operation

LONGEST_DAYS = 366
"""A delegation is for a time: a longer one is a post of its own."""

Groups = list[tuple[str, list[tuple[str, str]]]]
_lists: list[Callable[[Iterable[str]], Groups]] = []


def acts_from(listing: Callable[[Iterable[str]], Groups]) -> None:
    """Let a room above list the acts that a post with these functions may do, as (group, [(name, words)])."""
    _lists.append(listing)


class DelegationForm(ChangeForm):
    """Who acts, which acts, from and to."""

    deputy = forms.CharField(label=_("Deputy"), widget=Pick(reverse_lazy("region:people_found")))
    which = forms.ChoiceField(
        label=_("Which acts"), choices=[("all", _("Every act of the post")), ("named", _("Only those named"))]
    )
    acts = forms.MultipleChoiceField(label=_("Acts"), required=False, widget=Boxes())
    since = day(_("From"))
    last_day = day(_("To"), _("Its last day; every delegation ends"))

    def prepare(self) -> None:
        box: Any = self.fields["acts"]
        box.choices = [group for listing in _lists for group in listing(self.subject.duties)]
        self.initial.setdefault("since", self.today)
        widget: Any = self.fields["deputy"].widget
        widget.named = lambda ids: {
            pk: one.name
            for pk in ids
            if (number := whole(pk)) is not None and (one := colleague(self.subject, number, self.now)) is not None
        }

    def clean_deputy(self) -> int:
        number = whole(self.cleaned_data["deputy"])
        if number is None:
            raise forms.ValidationError(_("Choose one from the list."))
        return number

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("which") == "named" and not found.get("acts"):
            raise forms.ValidationError({"acts": _("Tick at least one act, or give every act of the post.")})
        since, last = found.get("since"), found.get("last_day")
        if since and last and last < since:
            raise forms.ValidationError({"last_day": _("The last day lies before the first.")})
        if since and last and (last - since).days >= LONGEST_DAYS:
            raise forms.ValidationError({"last_day": _("At most a year at a time.")})
        return found


def colleague(post: Post, number: int, now: datetime) -> Person | None:
    """The person of this id, where they hold a post now in the post's own office or in one of its divisions."""
    if number >= 1 << 63:
        return None
    picture = tree()
    house = picture.offices[post.office_id]
    while house.kind == Office.Kind.DIVISION and house.parent is not None:
        house = picture.offices[house.parent]
    rooms, found = [house.id], [house.id]
    while found:  # divisions of divisions; what hangs below as an office of its own is another authority
        found = [one.id for one in picture.offices.values() if one.kind == Office.Kind.DIVISION and one.parent in found]
        rooms += found
    running = Holding.running(now).filter(person=number, post__office__in=rooms)
    return (
        Person.objects.unscoped("whether this is a colleague was asked").filter(pk=number).first() if running.exists() else None
    )


def _delegate(changing: Changing, post: Post, form: ChangeForm) -> Outcome:
    said = form.cleaned_data
    deputy = colleague(post, said["deputy"], changing.now)
    if deputy is None or deputy.pk == changing.acting.person_id:
        raise NotPossible(gettext("Choose somebody else who holds a post in your office."), "deputy")
    if deputy.account_id is None:
        raise NotPossible(gettext("%(name)s has no account and could not act.") % {"name": deputy.name}, "deputy")
    since, until = midnight(said["since"]), midnight(said["last_day"] + timedelta(days=1))
    if until <= changing.now:
        raise NotPossible(gettext("This time is over; choose a later day."), "last_day")
    acts = ["*"] if said["which"] == "all" else sorted(said["acts"])
    made = Delegation.objects.create(
        principal_id=changing.acting.person_id, deputy=deputy, post=post, acts=acts, since=since, until=until
    )
    after = {"deputy": deputy.name, "acts": acts, "since": since, "until": until}
    changing.note("delegate", post.office_id, post, after=after, since=since)
    return Outcome(gettext("%(name)s may sign for you in this time; each entry says so.") % {"name": deputy.name}, subject=made)


def _end(changing: Changing, one: Delegation, form: ChangeForm) -> Outcome:
    _ended(changing, one)
    return Outcome(gettext("The delegation has ended."), subject=one.post.office)


def _ended(changing: Changing, one: Delegation) -> None:
    """End a delegation on record."""
    before = {"deputy": one.deputy.name, "acts": one.acts, "since": one.since, "until": one.until}
    changing.note("end_delegation", one.post.office_id, one.post, before=before, after={"until": changing.now})
    if one.since >= changing.now:
        one.delete()
    else:
        one.until = changing.now
        one.save(update_fields=["until"])


def _without_post(change: Change, now: datetime) -> None:
    """A term in this office ended: with it end what its holder lent of the post and, once no post is left, what was lent to
    them. On record, on the grounds of what ended the term."""
    left = Holding.objects.filter(post__office=change.office_id, until__lte=now)
    mine = Q(principal__in=left.values("person"), post__office=change.office_id) | Q(deputy__in=left.values("person"))
    for one in _without_holder(now).filter(mine).select_related("post__office", "deputy").order_by("pk"):
        _ended(Changing.as_ordered(change, now), one)


def _without_holder(at: datetime) -> QuerySet[Delegation]:
    """What is lent for longer than ``at`` by whom the post is not theirs then, or to whom no post is."""
    lasting = Holding.objects.filter(Q(until__isnull=True) | Q(until__gt=at))
    return Delegation.objects.filter(until__gt=at).exclude(
        Exists(lasting.filter(person=OuterRef("principal"), post=OuterRef("post"))),
        Exists(lasting.filter(person=OuterRef("deputy"))),
    )


def _ending_with(holding: Holding) -> list[str]:
    """A sentence about the delegations that end with this term, which has its end already; none where there are none."""
    assert holding.until is not None
    mine = Q(principal=holding.person_id, post=holding.post_id) | Q(deputy=holding.person_id)
    found = _without_holder(holding.until).filter(mine).select_related("principal", "deputy").order_by("pk")
    who = [f"{one.principal.name} → {one.deputy.name}" for one in found]
    return [gettext("With it end the delegations: %(who)s.") % {"who": "; ".join(who)}] if who else []


say_besides(_ending_with)
for _kind in ("end_holding", "merge", "dissolve"):
    listen(_kind, _without_post)


def _holds(acting: Acting, post: Post) -> bool:
    """The holder in person; a deputy does not lend on."""
    return acting.principal_id is None and acting.post_id == post.pk


def _may_end(acting: Acting, one: Delegation) -> bool:
    own = acting.principal_id is None and acting.person_id == one.principal_id
    return own or may_administer(acting, one.post.office_id)


def _held(post: Post, now: datetime) -> bool:
    return any(one.since <= now and (one.until is None or one.until > now) for one in post.holdings.all())


operation(
    Operation(
        "delegate",
        "post",
        _("Let somebody sign for you"),
        DelegationForm,
        _delegate,
        lambda one: one.office_id,
        says=_(
            "Entries then read “name (signed by the deputy)”. Who did a work and who verifies it stay two persons, you and "
            "your deputy counting as one."
        ),
        icon="writing-sign",
        fits=_held,
        own=_holds,
    )
)
operation(
    Operation(
        "end_delegation",
        "delegation",
        _("End the delegation"),
        GroundsOnly,
        _end,
        lambda one: one.post.office_id,
        icon="x",
        fits=lambda one, now: one.until > now,
        own=_may_end,
    )
)
