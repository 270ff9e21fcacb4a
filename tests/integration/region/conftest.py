"""A small region with an administrator at the top and one in county A, and somebody who reads the record only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fengsui.region import subjects
from fengsui.region.change_views import run
from fengsui.region.models import Certificate
from fengsui.region.operations import Outcome
from tests import deferred
from tests.small_region import Small, Somebody, _somebody, build

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@dataclass
class House:
    """The region and its administrators; ``do`` carries out an operation as one of them."""

    small: Small
    admin: Somebody
    local: Somebody
    auditor: Somebody
    now: datetime = NOW

    def form(self, who: Somebody, subject: Any, name: str, /, **values: Any) -> Any:
        """The form filled in, whether it is right or not."""
        ready = subjects.ready(type(subject).__name__.lower(), subject.pk, name, [who.acting], self.now)
        given = {"grounds": "任免〔2026〕12号", **values}
        return ready, ready.operation.form(given, subject=ready.subject, acting=ready.acting, now=self.now)

    def do(self, who: Somebody, subject: Any, name: str, /, **values: Any) -> Outcome:
        """Do it, and what it leaves to the jobs; fails where the form or the operation refuses."""
        ready, form = self.form(who, subject, name, **values)
        assert form.is_valid(), form.errors
        done = run(ready, form, self.now)
        assert done is not None, form.errors
        deferred.carry_out("ledger.follow_staff", at=self.now)
        return done

    def officer(self, person: Any) -> None:
        """Make the person one who answers: with a sign-in, and a certificate to enforce."""
        Certificate.objects.create(
            person=person, kind="enforcement", number=f"N{person.pk}", fields=[], issued=self.now.date() - timedelta(days=30),
            expires=self.now.date() + timedelta(days=300),
        )  # fmt: skip
        self.do(self.admin, person, "invite", username=f"new{person.pk}")

    def refused(self, who: Somebody, subject: Any, name: str, /, **values: Any) -> dict[str, list[str]]:
        """Try it; the errors by field."""
        ready, form = self.form(who, subject, name, **values)
        if form.is_valid():
            assert run(ready, form, self.now) is None, "it was not refused"
        return {field: [str(one) for one in errors] for field, errors in form.errors.items()}


@pytest.fixture
def house(db: None) -> House:
    small = build(NOW)
    return House(
        small,
        _somebody(small.top, "admin1", ("administration",), NOW),
        _somebody(small.county, "local1", ("administration",), NOW),
        _somebody(small.top, "audit1", ("audit",), NOW),
    )
