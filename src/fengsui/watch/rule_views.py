"""A site's alarm rules: the list with what the engine judges by now, the change of one point's, the record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from fengsui import moment
from fengsui.kept import taken
from fengsui.ledger import names
from fengsui.moment import LEGAL_ZONE
from fengsui.region.acting import Acting, mine, scope
from fengsui.region.models import Point, Site
from fengsui.textboxes import Textarea
from fengsui.watch import handling, listing, origins, rulechanges, rules
from fengsui.watch.models import Alarm, Rule, RuleChange
from fengsui.watch.rulechanges import LEVELS, TIMED, Unfit, Wanted

RECENT = 50
_ORDER = (*LEVELS, *TIMED)


class RulesForm(forms.Form):
    """One point's rules: limit, deadband and delays of each level, silence, bad quality, the grounds."""

    grounds = forms.CharField(
        label=_("Grounds"), max_length=rulechanges.GROUNDS, widget=Textarea(attrs={"rows": 2}),
        help_text=_("Why, and on what paper: for example “hazard and operability study of 2026-11, item 14”"),
        error_messages={"required": _("Say why, and on what paper.")},
    )  # fmt: skip

    def __init__(self, *args: Any, point: Point, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.point, self.now = point, now
        present = rulechanges.running(point, now)
        on = now.astimezone(LEGAL_ZONE).date()
        for level in LEVELS:
            self._limit(level, present.get(level), rulechanges.bounds(point, level, on))
        for level in TIMED:
            self._timed(level, present.get(level))
        self.order_fields([*(name for name in self.fields if name != "grounds"), "grounds"])

    def _limit(self, level: str, rule: Rule | None, known: Sequence[rulechanges.Bound]) -> None:
        says = "；".join(f"{bound.value:g} ({bound.source})" for bound in known)
        sign = "≤ " if level in ("H", "HH") else "≥ "
        word = Rule.Level(level).label
        self._number(
            f"{level}_limit", f"{word} · {self.point.measure}", rule.limit if rule else None, f"{sign}{says}" if says else ""
        )
        on, usual = rules.on_delay_of(self.point.quantity), rules.defaults(self.now)
        limit = next((value for value in (rule.limit if rule else None, *(one.value for one in known)) if value is not None), 0.0)
        band = rules.deadband_of(self.point, limit, usual)
        self._number(
            f"{level}_deadband", gettext("Deadband"), rule.deadband if rule else None, self._usual("alarm.deadband", band)
        )
        self._number(f"{level}_on", gettext("Delay before the alarm, s"), rule.on_s if rule else None, self._usual(on, usual[on]))
        self._number(
            f"{level}_off", gettext("Delay before it clears, s"), rule.off_s if rule else None,
            self._usual("alarm.off_delay", usual["alarm.off_delay"]),
        )  # fmt: skip

    def _usual(self, name: str, value: float) -> str:
        """What a default is and whether a regulation stands behind it; nothing for a deadband of an unknown range."""
        return origins.default_words(name, value, self.now) if value or name != "alarm.deadband" else ""

    def _timed(self, level: str, rule: Rule | None) -> None:
        said = {"SILENT": gettext("No data for, s"), "BAD": gettext("Bad quality for, s")}[level]
        name = {"SILENT": "alarm.silent_after", "BAD": "alarm.bad_after"}[level]
        usual = self._usual(name, rules.defaults(self.now)[name])
        self._number(f"{level}_on", said, rule.on_s if rule else None, usual, required=rule is not None)

    def _number(self, name: str, label: Any, value: float | None, says: str = "", *, required: bool = False) -> None:
        box = forms.FloatField(
            label=label, required=required, help_text=says, widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            error_messages={
                "invalid": gettext("Enter a number, for example 2.5"),
                "required": gettext("Fill in “%(field)s”.") % {"field": label},
            },
        )  # fmt: skip
        self.fields[name] = box
        self.initial.setdefault(name, None if value is None else float(f"{value:.10g}"))

    @property
    def levels(self) -> list[tuple[str, list[Any]]]:
        """The limits' fields by level, for the page."""
        found = []
        for level in LEVELS:
            parts = ("limit", "deadband", "on", "off")
            found.append((level, [self[f"{level}_{part}"] for part in parts]))
        return found

    @property
    def timed(self) -> list[Any]:
        """The fields of silence and bad quality."""
        return [self[f"{level}_on"] for level in TIMED]

    def wanted(self) -> dict[str, Wanted]:
        """What the form asks for, by level; a level without a limit is to be none."""
        said = self.cleaned_data
        found = {
            level: Wanted(
                said[f"{level}_limit"], said[f"{level}_deadband"] or 0.0, said[f"{level}_on"] or 0.0, said[f"{level}_off"] or 0.0
            )
            for level in LEVELS
        }
        return found | {level: Wanted(None, on_delay_s=said[f"{level}_on"]) for level in TIMED if said[f"{level}_on"] is not None}


def site_of(posts: Sequence[Acting], code: str) -> Site:
    """The site in the reader's scope, or 404."""
    site: Site | None = (
        Site.objects.scoped(*(scope(one) for one in posts)).select_related("office", "place").filter(code=code).first()
    )
    if site is None:
        raise Http404
    return site


def point_of(posts: Sequence[Acting], code: str, point: int) -> tuple[Site, Point]:
    """The site in the reader's scope and its point, as long as that is not closed; or 404."""
    site = site_of(posts, code)
    found = site.points.filter(pk=point, closed_on__isnull=True).first()
    if found is None:
        raise Http404
    return site, found


def changer(posts: Sequence[Acting], site: Site) -> Acting | None:
    """The acting that may change the site's rules; ``None`` for those who only look."""
    return next((one for one in posts if rulechanges.may_change(one, site)), None)


@require_safe
@login_required
def rule_list(request: HttpRequest, code: str) -> HttpResponse:
    """The rules that run, by point, with whether the engine judges by them; the record of changes."""
    now = moment.now()
    posts = mine(request, now)
    site = site_of(posts, code)
    wanted = Rule.objects.unscoped("the site was found in the reader's scope").filter(point__site=site, since__lte=now)
    rows: dict[int, dict[str, Rule]] = defaultdict(dict)
    for rule in wanted.exclude(until__lte=now):
        rows[rule.point_id][rule.level] = rule
    points = site.points.filter(closed_on__isnull=True).select_related("unit").order_by("unit_id", "tag")
    shown: list[dict[str, Any]] = [
        {
            "point": point,
            "rules": [rows[point.pk].get(level) for level in _ORDER],
            **_origins(point, rows[point.pk], now),
            "watched": bool(rows[point.pk]),
            "waits": any(rule.taken_at is None for rule in rows[point.pk].values()),
        }
        for point in points
    ]
    hider = listing.handler(posts, site, *handling.HIDING)
    context = {
        "site": site,
        "rows": shown,
        "may": changer(posts, site) is not None,
        "hides": listing.named(hider) if hider else "",
        "changes": record(site),
        "waiting": sum(bool(row["waits"]) for row in shown),
    }
    return render(request, "watch/rules.html", context)


def _origins(point: Point, running: Mapping[str, Rule], now: datetime) -> dict[str, Any]:
    """Beside each number where it comes from: of limits one each, of deadband, delays and silence what there is."""
    of = {level: origins.of_rule(rule, point, now) for level, rule in running.items()}

    def distinct(*names: str) -> list[origins.Origin]:
        return list(dict.fromkeys(of[level][name] for level in LEVELS if level in of for name in names))

    return {
        "limits": [(running.get(level), of.get(level, {}).get("limit")) for level in LEVELS],
        "deadbands": distinct("deadband"),
        "delays": distinct("on_delay", "off_delay"),
        "silence": of.get("SILENT", {}).get("on_delay"),
    }


def record(site: Site) -> list[dict[str, Any]]:
    """The newest changes of the site's rules in words, with when the engine took each over."""
    found = RuleChange.objects.unscoped("the site was found in the reader's scope").filter(site=site)
    rows = list(found.select_related("point", "old", "new")[:RECENT])
    people = names.persons([one for row in rows for one in (row.person_id, row.principal_id)])
    return [
        {"change": row, "by": people.get(row.person_id, ""), "principal": people.get(row.principal_id or 0, ""),
         "taken": row.new.taken_at if row.new else row.old.left_at if row.old else None, "differs": _differs(row),
         "hidden": _hidden(row)}
        for row in rows
    ]  # fmt: skip


WORDS = {
    "limit": _("Limit"), "deadband": _("Deadband"), "on_delay_ms": _("Delay before the alarm, s"),
    "off_delay_ms": _("Delay before it clears, s"),
}  # fmt: skip


def _differs(row: RuleChange) -> list[tuple[Any, str, str]]:
    def said(values: Mapping[str, Any], name: str) -> str:
        value = values.get(name)
        if value is None:
            return ""
        return f"{value / 1000:g}" if name.endswith("_ms") else f"{value:g}"

    return [
        (word, said(row.before, name), said(row.after, name))
        for name, word in WORDS.items()
        if row.before.get(name) != row.after.get(name)
    ]


def _hidden(row: RuleChange) -> dict[str, Any] | None:
    """What hid the rule's alarms and went on under the new one: how, and until when where that has an end."""
    kind, until = row.after.get("hidden"), row.after.get("hidden_until")
    if kind is None:
        return None
    return {"how": Alarm.Hidden(kind).label, "until": datetime.fromisoformat(until) if until else None}


@login_required
def change(request: HttpRequest, code: str, point: int) -> HttpResponse:
    """The form of one point's rules; a POST changes them and returns to the list."""
    now = moment.now()
    posts = mine(request, now)
    site, found = point_of(posts, code, point)
    acting = changer(posts, site)
    if acting is None:
        raise PermissionDenied(gettext("Alarm rules are changed by the enterprise's own safety management; others look on."))
    form = RulesForm(request.POST or None, point=found, now=now)
    status = 200
    if request.method == "POST":
        if form.is_valid() and carry_out(form, acting, now):
            messages.success(
                request, gettext("Changed and recorded. The engine takes it over within seconds; the list shows when.")
            )
            return taken(request, redirect("watch:rules", code=code))
        status = 422
    return render(request, "watch/rule_change.html", {"site": site, "point": found, "form": form}, status=status)


def carry_out(form: RulesForm, acting: Acting, now: datetime) -> list[RuleChange]:
    """Change the rules as the valid form asks; an empty list where they cannot stand so, and the form says why."""
    try:
        made = rulechanges.change(form.point, form.wanted(), form.cleaned_data["grounds"], acting, now)
    except Unfit as wrong:
        form.add_error(wrong.field if wrong.field in form.fields else None, str(wrong))
        return []
    if not made:
        form.add_error(None, gettext("Nothing differs from the rules that run: change a value, or go back."))
    return made
