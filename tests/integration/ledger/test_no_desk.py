"""Nothing that is open lies on no desk: whoever left, moved or lost a function, somebody finds it waiting."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fengsui.ledger import doors, reading, succession
from fengsui.ledger.doors import About
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, Clock
from fengsui.ledger.reading import byposts
from fengsui.region.acting import actings
from fengsui.region.models import Account, Holding, Office, Post
from tests.integration.ledger.conftest import NOW
from tests.small_region import PEOPLE, Small, Somebody

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def lying() -> dict[str, set[str]]:
    """Each case that lies on a desk, and the user names of those on whose."""
    found: dict[str, set[str]] = defaultdict(set)
    for account in Account.objects.all():
        posts = actings(account, LATER)
        lines = {str(line.case.pk) for line in reading.desk(posts, LATER)}
        assert lines == {str(pk) for pk in reading.waiting(posts, LATER).values_list("pk", flat=True)}
        for case in lines:
            found[case].add(account.username)
    return found


def desks(case: str) -> set[str]:
    """The user names of all on whose desk it lies."""
    return lying()[case]


def paper(small: Small, leader: Somebody) -> str:
    """An instruction that waits for this leader of the top office."""
    clerk = small.one("top")
    about = About(kind="paper", id="1", place_code=small.place.code, duty="", title="国办督查通知")
    case = doors.open("instruction", "register", {"paper": "通知"}, clerk.actor, about, key="", now=NOW).case
    doors.act(case, Call("propose", clerk.actor, {"proposal": "阅", "leader": leader.person.pk}), now=NOW)
    return case


def leave(who: Somebody) -> None:
    for holding in Holding.objects.filter(person=who.person):
        holding.until = NOW
        holding.save()


def test_the_paper_of_a_leader_who_left_waits_for_the_other_leaders(small: Small) -> None:
    first, second, third = small.people["top"]
    case = paper(small, second)
    assert desks(case) == {second.account.username}
    leave(second)
    assert desks(case) == {first.account.username, third.account.username}


def test_the_paper_of_a_leader_who_leads_no_more_waits_for_the_other_leaders(small: Small) -> None:
    first, second, third = small.people["top"]
    case = paper(small, second)
    Post.objects.filter(pk=second.post.pk).update(duties=["registry"])
    assert desks(case) == {first.account.username, third.account.username}


def test_a_field_that_was_never_filled_keeps_no_case_from_the_desk(small: Small) -> None:
    """A denied comparison with a missing key is unknown in SQL, and unknown drops the row."""
    case = paper(small, small.one("top", 1))
    without = {name: value for name, value in Case.objects.get(pk=case).fields.items() if name != "leader"}
    with connection.cursor() as cursor:  # as an older version of the mechanism, which had no such field, left it
        cursor.execute("SET LOCAL session_replication_role = replica")
        Case.objects.filter(pk=case).update(fields=without)
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert desks(case) == {one.account.username for one in small.people["top"]}


def test_a_clock_of_somebody_who_left_runs_on_another_s_desk(small: Small) -> None:
    case = paper(small, small.one("top", 1))
    running = Clock.objects.filter(case=case, stopped__isnull=True)
    assert set(running.values_list("person_id", flat=True)) == {small.one("top", 1).person.pk}

    def held() -> list[bool]:
        return [running.filter(byposts.held(one.acting, LATER)).exists() for one in small.people["top"]]

    assert held() == [False, True, False]
    leave(small.one("top", 1))
    assert held()[::2] == [True, True]


def _open(small: Small, number: int) -> None:
    """One of the kinds of cases that a region opens by itself and by hand."""
    site = About(kind="site", id=str(small.site.pk), duty="hazchem", title=f"隐患{number}")
    officer = small.people["county"][number % 3]
    if number % 4 == 0:
        doors.open("hazard", "found_here", {"finding": "x"}, officer.actor, site, key="", now=NOW)
    elif number % 4 == 1:
        given = {"hazard_kind": "pressure", "colour": "red"}
        doors.open("warning", "by_alarm", given, Actor(kind="event", name="warning.level"), site, key=f"w{number}", now=NOW)
    elif number % 4 == 2:
        paper(small, small.people["top"][number % 3])
    else:
        clerk = small.one("top")
        about = About(kind="paper", id=str(number), place_code=small.place.code, duty="", title="通知")
        doors.open("instruction", "register", {"paper": "通知"}, clerk.actor, about, key="", now=NOW)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["leave", "function", "move"]),
        st.sampled_from(["top", "league", "county", "other", "plant"]),
        st.integers(0, 2),
        st.sampled_from([*PEOPLE, "safety", "finance"]),
    ),
    max_size=14,
)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(numbers=st.lists(st.integers(0, 11), min_size=1, max_size=5, unique=True), changes=CHANGES)
def test_every_open_case_lies_on_a_desk_or_its_office_is_vacant(small: Small, numbers: list[int], changes: Any) -> None:
    with transaction.atomic():
        for number in numbers:
            _open(small, number)
        for what, office, index, word in changes:
            somebody = small.people[office][index % len(small.people[office])]
            if what == "leave":
                leave(somebody)
            elif what == "function":
                Post.objects.filter(office=somebody.post.office_id, pk=somebody.post.pk).update(duties=[word])
            else:
                Post.objects.filter(pk=somebody.post.pk).update(office=small.league)
        succession.of_offices(Office.objects.values_list("pk", flat=True), LATER)
        found = lying()
        for case in Case.objects.filter(ended=False):
            assert found.get(str(case.pk)) or _vacant(case), (case.mechanism, case.state, case.fields, changes)
        transaction.set_rollback(True)


def _vacant(case: Case) -> bool:
    """Whether nobody at all sits in the offices that have it in hand: then the page of vacancies shows them."""
    holders = set(Clock.objects.filter(case=case, current=True, stopped__isnull=True).values_list("holder_id", flat=True))
    offices = {case.owner_id, *holders} - {None}
    sitting = Holding.objects.filter(post__office__in=offices).exclude(until__lte=LATER)
    return not sitting.exists()
