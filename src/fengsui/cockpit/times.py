"""How times are written on a page: remaining, overdue, and the moment itself.

All arguments are aware; the written time is that of the legal zone (Asia/Shanghai).
The forms are those of ``look/tokens.md`` §2: never ``1:12``, which may be hours or minutes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext, pgettext

from fengsui.moment import LEGAL_ZONE

SOON = timedelta(hours=1)
"""Below this a clock is written in the strong weight when its ladder does not say otherwise."""


def length(span: timedelta) -> str:
    """A length of time in words: ``03:40``, ``24 min``, ``1 h 12 min``, ``2 d 4 h``."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 600:
        return f"{seconds // 60:02d}:{seconds % 60:02d}"
    return coarse(seconds)


def coarse(seconds: int) -> str:
    """The same without seconds: what an overdue clock says."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 1:
        return gettext("under 1 min")
    if hours < 1:
        return gettext("%(minutes)s min") % {"minutes": minutes}
    if days < 1:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes % 60}
    return gettext("%(days)s d %(hours)s h") % {"days": days, "hours": hours % 24}


def remaining(due: datetime, now: datetime) -> str:
    """``24 min`` before the due time, ``6 min overdue`` after it."""
    if due >= now:
        return length(due - now)
    return gettext("%(length)s overdue") % {"length": coarse(int((now - due).total_seconds()))}


def _legal(when: datetime) -> tuple[datetime, str]:
    """Midnight as the law writes it: 24:00 of the day that ends; every other time as it is."""
    here = when.astimezone(LEGAL_ZONE)
    if (here.hour, here.minute, here.second) == (0, 0, 0):
        return here - timedelta(days=1), "24:00"
    return here, here.strftime("%H:%M")


def deadline_text(when: datetime, now: datetime) -> str:
    """``moment_text`` of a deadline: ``10-25 24:00``."""
    here, clock = _legal(when)
    today = now.astimezone(LEGAL_ZONE)
    if here.date() == today.date():
        return clock
    return here.strftime("%m-%d " if here.year == today.year else "%Y-%m-%d ") + clock


def moment_text(when: datetime, now: datetime) -> str:
    """``14:36`` today, ``10-15 09:12`` this year, ``2025-09-30 09:12`` otherwise."""
    here, today = when.astimezone(LEGAL_ZONE), now.astimezone(LEGAL_ZONE)
    if here.date() == today.date():
        return here.strftime("%H:%M")
    if here.year == today.year:
        return here.strftime("%m-%d %H:%M")
    return here.strftime("%Y-%m-%d %H:%M")


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def due_text(due: datetime) -> str:
    """``10-18 (Sunday) 18:40``: the day of a deadline with its weekday."""
    here, clock = _legal(due)
    day = pgettext("weekday", WEEKDAYS[here.weekday()])
    return gettext("%(day)s (%(weekday)s) %(time)s") % {
        "day": here.strftime("%m-%d"),
        "weekday": day,
        "time": clock,
    }
