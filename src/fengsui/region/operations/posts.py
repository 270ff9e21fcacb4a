"""Posts and who holds them: add, change, take away; begin and end a term."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.urls import reverse_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fengsui.numerals import whole
from fengsui.region import coming, naming
from fengsui.region.acting import Acting
from fengsui.region.changing import (
    ADMINISTRATION,
    Changing,
    NotPossible,
    is_own,
    may_administer,
    may_give_functions,
    midnight,
    plain,
    today,
)
from fengsui.region.matters import open_matters
from fengsui.region.models import Change, Coming, Delegation, Holding, Office, Person, Post
from fengsui.region.tree import once
from fengsui.region.widgets import Boxes, Pick

from .shape import ChangeForm, Operation, Outcome, day, duty_choices, function_choices, operation, several, text, with_known

_WHY = "the administrator's own subtree was checked"


class PostForm(ChangeForm):
    """A post's titles, what its holders may do, what they are in charge of."""

    title_zh = text(_("Title in Chinese"), 80)
    title_en = text(_("Title in English"), 120)
    duties = several(_("Functions"), says=_("What a holder may do; a post of administration may change this register"))
    charges = several(_("In charge of"), says=_("Fields of work, for leaders"))

    def prepare(self) -> None:
        present = self.subject if isinstance(self.subject, Post) else Post(duties=[], charges=[])
        for name, choices in (("duties", function_choices()), ("charges", duty_choices())):
            box: Any = self.fields[name]
            box.widget, box.choices = Boxes(), with_known(choices, getattr(present, name))
        if present.pk:
            self.initial.update({name: getattr(present, name) for name in ("title_zh", "title_en", "duties", "charges")})


def _demand_functions(changing: Changing, office: int, works: Iterable[str]) -> None:
    if not may_give_functions(changing.acting, office, works):
        raise NotPossible(
            gettext(
                "These functions are not in your own authority, or an enterprise does not have them: an administrator above "
                "gives them."
            ),
            "duties",
        )


def _add(changing: Changing, office: Office, form: ChangeForm) -> Outcome:
    _demand_functions(changing, office.pk, form.cleaned_data["duties"])
    post = Post.objects.create(office=office, **form.given("title_zh", "title_en", "duties", "charges"))
    changing.note("add_post", office, post, after=form.given("title_zh", "title_en", "duties", "charges"))
    return Outcome(gettext("The post was added; it is vacant until somebody is entered."), subject=post)


def _edit(changing: Changing, post: Post, form: ChangeForm) -> None:
    if any(_acts_in(one, post, changing.now) for one in (changing.acting.person_id, changing.acting.principal_id) if one):
        for name in ("duties", "charges"):
            if set(form.cleaned_data[name]) != set(getattr(post, name)):
                raise NotPossible(gettext("Your own posts are changed by another administrator."), name)
    _demand_functions(changing, post.office_id, set(form.cleaned_data["duties"]) - set(post.duties))
    changing.edit("edit_post", post.office_id, post, form.given("title_zh", "title_en", "duties", "charges"))


class GroundsOnly(ChangeForm):
    """Nothing but the grounds."""


def _remove(changing: Changing, post: Post, form: ChangeForm) -> Outcome:
    if post.holdings.exists():
        raise NotPossible(gettext("Somebody has held this post: it stays on record. End the term, then it is vacant."))
    changing.note(
        "remove_post", post.office_id, post, before={"title_zh": post.title_zh, "title_en": post.title_en, "duties": post.duties}
    )
    office = post.office
    post.delete()
    return Outcome(gettext("The post was taken away."), subject=office)


class BeginForm(ChangeForm):
    """Who enters the post and from when: somebody known, or a new person."""

    person = forms.CharField(
        label=_("Person"),
        required=False,
        help_text=_("Somebody who is entered already"),
        widget=Pick(reverse_lazy("region:people_found")),
    )
    name = text(_("Or a new person's name"), 80, required=False)
    phone = text(_("Telephone"), 40, _("Of the new person"), required=False)
    since = day(_("In the post from"))

    def prepare(self) -> None:
        self.initial.setdefault("since", self.today)
        widget: Any = self.fields["person"].widget
        widget.named = lambda ids: {
            pk: one.name
            for pk in ids
            if (number := whole(pk)) is not None and (one := within_reach(self.acting, number, self.now)) is not None
        }

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        person, name = found.get("person"), (found.get("name") or "").strip()
        if bool(person) == bool(name):
            raise forms.ValidationError({"person": _("Choose a person from the list, or write a new person's name; not both.")})
        if person and whole(person) is None:
            raise forms.ValidationError({"person": _("Choose one from the list.")})
        return found


def _begin(changing: Changing, post: Post, form: ChangeForm) -> Outcome:
    since = midnight(form.cleaned_data["since"])
    person = _person(changing, post, form)
    if is_own(changing.acting, person.pk):
        raise NotPossible(gettext("Your own posts are changed by another administrator."), "person")
    running = Holding.objects.filter(post=post, person=person).filter(Q(until__isnull=True) | Q(until__gt=since))
    if running.exists():
        raise NotPossible(gettext("%(name)s holds this post on that day already.") % {"name": person.name}, "person")
    holding = Holding.objects.create(post=post, person=person, since=since)
    line = changing.note("begin_holding", post.office_id, post, after={"person": person.name, "since": since}, since=since)
    if since > changing.now:
        coming.keep(line, _key(holding), holding=holding.pk, person=person.pk)
    said = gettext("%(name)s holds the post from %(day)s on.") % {"name": person.name, "day": form.cleaned_data["since"]}
    if person.account_id is None:
        said += " " + gettext("Invite them, so that they can sign in.")
    return Outcome(said, subject=holding)


def _person(changing: Changing, post: Post, form: ChangeForm) -> Person:
    chosen = form.cleaned_data["person"]
    if chosen:
        known = within_reach(changing.acting, int(chosen), changing.now)
        if known is None:  # the same words whether there is no such person or one of another office
            text = gettext("Choose somebody of an office that you administer; an administrator above both offices moves others.")
            raise NotPossible(text, "person")
        return known
    name = form.cleaned_data["name"].strip()
    person: Person = Person.objects.create(name=name, pinyin=naming.sorting(name)[:120], phone=form.cleaned_data["phone"])
    changing.note("add_person", post.office_id, person, after={"name": name, "phone": person.phone})
    return person


def within_reach(acting: Acting, number: int, at: datetime) -> Person | None:
    """The person of this id whom the administrator may put into a post: of offices administered now, or of none now."""
    person = Person.objects.unscoped(_WHY).filter(pk=number).first() if number < 1 << 63 else None
    if person is None:
        return None
    held = Holding.objects.filter(person=person)
    now = set(held.filter(Q(until__isnull=True) | Q(until__gt=at)).values_list("post__office_id", flat=True))
    before = now or set(held.values_list("post__office_id", flat=True))  # of those who left, whom they left
    return person if not before or any(may_administer(acting, one) for one in before) else None


class EndForm(ChangeForm):
    """The last day in the post."""

    last_day = day(_("Last day in the post"), _("Left empty: the term ends at once"), required=False)


def _end(changing: Changing, holding: Holding, form: ChangeForm) -> Outcome:
    if is_own(changing.acting, holding.person_id):
        raise NotPossible(gettext("Your own posts are changed by another administrator."))
    last, over = form.cleaned_data["last_day"], holding.until is not None and holding.until <= changing.now
    if over and not _end_failed(holding):
        raise NotPossible(gettext("This term has ended already."))
    at_once = holding.until if over and holding.until is not None else changing.now  # whoever is out already stays out
    until = midnight(last + timedelta(days=1)) if last else at_once
    if until <= holding.since:
        raise NotPossible(gettext("The term begins later: choose a day after it, or leave the day empty."), "last_day")
    before, holding.until = holding.until, until
    holding.save(update_fields=["until"])
    line = changing.note(
        "end_holding",
        holding.post.office_id,
        holding.post,
        before={"person": holding.person.name, "until": before},
        after={"until": until},
        since=until,
    )
    coming.overtake(_key(holding), line, kind="end_holding")  # a beginning that is still to come happens all the same
    besides = "".join(f" {said}" for saying in _besides for said in saying(holding))
    if until > changing.now:
        coming.keep(line, _key(holding), holding=holding.pk, person=holding.person_id, until=plain(before))
        said = gettext("The term ends after %(day)s; what belongs to the post passes to whoever may act in that role then.")
        return Outcome(said % {"day": last} + besides)
    return Outcome(gettext("The term ends; what belongs to the post passes to whoever else may act in that role.") + besides)


_besides: list[Callable[[Holding], Iterable[str]]] = []


def say_besides(saying: Callable[[Holding], Iterable[str]]) -> None:
    """Let another file say, as sentences, what else ends with a term that is given its end."""
    _besides.append(saying)


def _end_failed(holding: Holding) -> bool:
    """Whether the term's end could not be carried out on its day: then another may be entered."""
    keys = once(
        "failed ends",
        lambda: frozenset(coming.waiting().filter(change__kind="end_holding").exclude(failed="").values_list("key", flat=True)),
    )
    return _key(holding) in keys


def _key(holding: Holding) -> str:
    return f"holding:{holding.pk}"


def _of_another(changing: Changing, one: Coming) -> Holding:
    """The term that a change dated ahead is about, locked; its holder does not take that back."""
    if is_own(changing.acting, one.how["person"]):
        raise NotPossible(gettext("Your own posts are changed by another administrator."))
    terms = Holding.objects.select_for_update(of=("self",)).select_related("post__office", "person")
    found: Holding | None = terms.filter(pk=one.how["holding"]).first()
    if found is None:
        raise NotPossible(gettext("This term is no longer there: enter what is wanted at the post."))
    last = found.post.office.dissolved_on
    if last is not None and last <= changing.today:
        raise NotPossible(gettext("The office of this post exists no more: enter what is wanted at the office that took over."))
    return found


def _not_begun(changing: Changing, one: Coming) -> None:
    """A term that has not begun is taken back: with it goes its end. One whose day has come was acted in: it ends now."""
    holding = _of_another(changing, one)
    assert one.by is not None, "the taking back stands on record first"
    coming.overtake(_key(holding), one.by, kind="end_holding")
    if holding.since >= changing.now:
        holding.delete()
    elif _runs(holding, changing.now):
        before, holding.until = {"person": holding.person.name, "until": holding.until}, changing.now
        holding.save(update_fields=["until"])
        changing.note("end_holding", holding.post.office_id, holding.post, before=before, after={"until": changing.now})


def _goes_on(changing: Changing, one: Coming) -> None:
    """The end of a term is taken back: it lasts as it would have without."""
    holding = _of_another(changing, one)
    before = one.how["until"]
    until = datetime.fromisoformat(before) if before else None
    if until is not None and until <= changing.now:
        raise NotPossible(gettext("The day on which the term ended before is over: end the term on another day instead."))
    holding.until = until
    holding.save(update_fields=["until"])


def pass_on(changing: Changing, holding: Holding, twin: Holding | None, by: Change) -> None:
    """Before a term ends with its office, by that change: what was to come of it is overtaken, and entered for its twin anew."""
    rows = coming.waiting(_key(holding))
    known = list(rows.select_related("change").order_by("change"))
    coming.set_aside(rows, by, changing.now)
    if twin is None:
        return
    for row in known:
        kind, before, after = row.change.kind, row.change.before, row.change.after
        line = changing.note(kind, twin.post.office_id, twin.post, before=before, after=after, since=row.due)
        if row.due > changing.now:
            coming.keep(line, _key(twin), **{**row.how, "holding": twin.pk})


def _acts_in(person: int, post: Post, now: datetime) -> bool:
    """Whether the post is the person's own, now or later: held, or lent to them as a deputy."""
    lasting = Q(until__isnull=True) | Q(until__gt=now)
    held = Holding.objects.filter(lasting, person=person, post=post)
    return held.exists() or Delegation.objects.filter(deputy=person, post=post, until__gt=now).exists()


def alive(office: Office, now: datetime) -> bool:
    """Whether the office works still: neither merged nor dissolved by now."""
    return office.dissolved_on is None or today(now) < office.dissolved_on


def _living(post: Post, now: datetime) -> bool:
    return alive(post.office, now)


def _runs(holding: Holding, now: datetime) -> bool:
    return holding.until is None or holding.until > now


def _may_end(holding: Holding, now: datetime) -> bool:
    return _runs(holding, now) or _end_failed(holding)


def _matters(holding: Holding, actings: Any) -> Any:
    return open_matters("person", holding.person_id, actings)


def administers(acting: Acting) -> bool:
    """Whether the acting's post is one of administration at all."""
    from fengsui.region.tree import tree

    post = tree().posts.get(acting.post_id)
    return post is not None and ADMINISTRATION in post.duties and acting.may_do("region", "change")


operation(Operation("add_post", "office", _("Add a post"), PostForm, _add, lambda one: one.pk, icon="plus", fits=alive))
operation(Operation("edit_post", "post", _("Change the post"), PostForm, _edit, lambda one: one.office_id, fits=_living))
operation(
    Operation(
        "remove_post",
        "post",
        _("Take the post away"),
        GroundsOnly,
        _remove,
        lambda one: one.office_id,
        icon="trash",
        fits=lambda one, now: not one.holdings.exists(),
    )
)
operation(
    Operation(
        "begin_holding",
        "post",
        _("Put somebody into the post"),
        BeginForm,
        _begin,
        lambda one: one.office_id,
        icon="user",
        fits=_living,
    )
)
operation(
    Operation(
        "end_holding",
        "holding",
        _("End the term"),
        EndForm,
        _end,
        lambda one: one.post.office_id,
        icon="user-off",
        says=_(
            "What the person has in hand passes by role: whoever else holds such a post in the office may act; where nobody "
            "does, the office above. Matters that name this person are listed here: name somebody else in them."
        ),
        fits=_may_end,
        matters=_matters,
    )
)
coming.on_the_day("begin_holding", undo=_not_begun)
coming.on_the_day("end_holding", undo=_goes_on)
