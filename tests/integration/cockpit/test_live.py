"""The event stream: who may open it, and who hears of what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.test import AsyncClient
from hypothesis import given
from hypothesis import strategies as st

from fengsui import moment
from fengsui.cockpit import live
from fengsui.cockpit.live import Ear, News
from fengsui.region.models import Account, Delegation, Holding
from fengsui.region.scoping import Scope
from tests.small_region import Small, build

COUNTY = Scope("/1/2/3/", "/150000/150200/150207/", frozenset({"hazchem"}), frozenset({3}))
NEIGHBOUR = Scope("/1/2/4/", "/150000/150200/150203/", frozenset({"hazchem"}), frozenset({4}))
HERE = "/150000/150200/150207/"


@pytest.mark.django_db
def test_nobody_signed_in_gets_no_stream() -> None:
    answer = async_to_sync(AsyncClient().get)("/live/")
    assert answer.status_code == 401


def test_a_change_is_heard_in_its_territory_and_duty_alone() -> None:
    news = News(1, "case", "x", HERE, "hazchem")
    assert Ear((COUNTY,)).hears(news)
    assert not Ear((NEIGHBOUR,)).hears(news)
    assert not Ear((COUNTY,)).hears(News(1, "case", "x", HERE, "mines"))
    assert not Ear(()).hears(news)


def test_an_office_that_takes_part_hears_of_it_anywhere() -> None:
    assert Ear((NEIGHBOUR,)).hears(News(1, "case", "x", HERE, "mines", frozenset({4})))


@given(st.sampled_from([HERE, "/150000/", "/"]), st.sampled_from(["", "hazchem"]), st.frozensets(st.integers(1, 5)))
def test_a_confidential_change_is_heard_by_its_readers_only(place: str, duty: str, readers: frozenset[int]) -> None:
    news = News(1, "case", "x", place, duty, frozenset({3, 4}), readers)
    assert Ear((COUNTY,)).hears(news) is (3 in readers)


def test_topics_and_ids_narrow() -> None:
    news = News(1, "case", "x", HERE, "hazchem")
    assert not Ear((COUNTY,), frozenset({"alarm"})).hears(news)
    assert not Ear((COUNTY,), frozenset(), frozenset({"y"})).hears(news)
    assert Ear((COUNTY,), frozenset({"case"}), frozenset({"x"})).hears(news)


# ------------------------------------------------------------------ streams that are open

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HERE_NEWS = News(1, "case", "x", HERE, "hazchem")


@pytest.fixture
def small(db: None, monkeypatch: pytest.MonkeyPatch) -> Small:
    monkeypatch.setattr(live.Board, "_poll", lambda self: None)  # its own line to the database sees no open transaction
    monkeypatch.setattr(moment, "now", lambda: NOW)
    return build(NOW)


async def _next(lines: AsyncIterator[Any]) -> str | None:
    """What comes next; None where the stream has ended, and nothing (empty) where it stays open and silent."""
    try:
        async with asyncio.timeout(0.5):
            return bytes(await anext(lines)).decode()
    except StopAsyncIteration:
        return None
    except TimeoutError:
        return ""


def _after(small: Small, change: Callable[[AsyncClient, Account], Any], later: timedelta = timedelta(seconds=5)) -> str | None:
    """What an officer's open stream gives for news of the county once ``change`` was done and the poller has looked again."""

    async def play() -> str | None:
        client, account = AsyncClient(), small.one("county").account
        await sync_to_async(client.force_login)(account)
        answer = await client.get("/live/")
        lines = aiter(answer.streaming_content)  # type: ignore[attr-defined]
        assert await _next(lines) == "retry: 3000\n\n"
        live.board.spread(HERE_NEWS)
        assert "event: news" in str(await _next(lines)), "it hears of its county"
        await sync_to_async(change)(client, account)
        await sync_to_async(live.board.look_again)(NOW + later)
        live.board.spread(HERE_NEWS)
        return await _next(lines)

    return async_to_sync(play)()


def _password(client: AsyncClient, account: Account) -> None:
    account.set_password("another-one-2026")
    account.save()


@pytest.mark.parametrize(
    "change",
    [
        lambda client, account: client.logout(),
        lambda client, account: Account.objects.filter(pk=account.pk).update(is_active=False),
        lambda client, account: Session.objects.all().delete(),
        lambda client, account: Session.objects.update(expire_date=NOW),
        _password,
    ],
    ids=["sign-out", "lock", "session ended elsewhere", "session run out", "password"],
)
def test_a_stream_ends_with_its_session(small: Small, change: Callable[[AsyncClient, Account], Any]) -> None:
    assert _after(small, change) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda client, account: Holding.objects.filter(person__account=account).update(until=NOW),
        lambda client, account: Holding.objects.filter(person__account=account).delete(),
    ],
    ids=["post ended", "post taken"],
)
def test_a_lost_post_is_heard_no_more(small: Small, change: Callable[[AsyncClient, Account], Any]) -> None:
    assert _after(small, change) == ""


def test_a_post_that_ends_by_the_calendar_is_heard_until_then(small: Small) -> None:
    def until_tomorrow(client: AsyncClient, account: Account) -> None:
        Holding.objects.filter(person__account=account).update(until=NOW + timedelta(days=1))

    assert "event: news" in str(_after(small, until_tomorrow))
    assert _after(small, lambda client, account: None, later=timedelta(days=1)) == ""


def test_a_deputy_hears_until_the_time_is_over(small: Small) -> None:
    lender, deputy = small.one("county"), small.one("other")

    def lent(client: AsyncClient, account: Account) -> None:
        Holding.objects.filter(person__account=account).update(person=deputy.person)
        Holding.objects.create(person=lender.person, post=deputy.post, since=NOW - timedelta(days=1))
        Delegation.objects.create(
            principal=deputy.person, post=lender.post, deputy=lender.person, acts=["*"], since=NOW, until=NOW + timedelta(hours=1)
        )

    assert "event: news" in str(_after(small, lent))
    assert _after(small, lambda client, account: None, later=timedelta(hours=1)) == ""


def test_an_unchanged_reader_goes_on_hearing(small: Small) -> None:
    assert "event: news" in str(_after(small, lambda client, account: None))


def test_looking_again_asks_the_database_a_fixed_number_of_times(small: Small, django_assert_num_queries: Any) -> None:
    async def play() -> None:
        for somebody in (*small.people["county"], *small.people["other"], *small.people["league"]):
            client = AsyncClient()
            await sync_to_async(client.force_login)(somebody.account)
            lines = aiter((await client.get("/live/")).streaming_content)  # type: ignore[attr-defined]
            await _next(lines)

        def look() -> None:
            with django_assert_num_queries(5):  # sessions, accounts, posts, deputies, whether the region changed
                live.board.look_again(NOW)

        await sync_to_async(look)()

    async_to_sync(play)()


@pytest.mark.django_db(transaction=True)
def test_the_poller_itself_ends_a_locked_accounts_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own line to the database and the real clock: within seconds, not at the next sign-in."""
    board = live.Board()
    monkeypatch.setattr(live, "board", board)
    monkeypatch.setattr(live, "LOOK", 0.2)
    account = build(moment.now()).one("county").account

    async def play() -> bool:
        client = AsyncClient()
        await sync_to_async(client.force_login)(account)
        lines = aiter((await client.get("/live/")).streaming_content)  # type: ignore[attr-defined]
        assert await _next(lines) == "retry: 3000\n\n"
        assert await _next(lines) == "", "it stays open"
        await Account.objects.filter(pk=account.pk).aupdate(is_active=False)
        async with asyncio.timeout(20):
            return [one async for one in lines] == []

    try:
        assert async_to_sync(play)()
    finally:
        board._stop.set()
        if board._thread is not None:
            board._thread.join(10)


@pytest.mark.parametrize(
    ("change", "hears"),
    [(lambda one: None, True), (lambda one: Holding.objects.filter(person__account=one).delete(), False), ("lock", None)],
    ids=["nothing", "post taken", "lock"],
)
def test_the_demo_s_stream_of_several_seats_is_asked_anew_as_well(
    small: Small, settings: Any, change: Any, hears: bool | None
) -> None:
    settings.DEMO = True
    account = small.one("county").account
    Account.objects.filter(pk=account.pk).update(username="demo.county")

    def changed() -> None:
        Account.objects.filter(pk=account.pk).update(is_active=False) if change == "lock" else change(account)

    async def play() -> str | None:
        answer = await AsyncClient().get("/demo/four/live/?as=county&as=league")
        lines = aiter(answer.streaming_content)  # type: ignore[attr-defined]
        assert await _next(lines) == "retry: 3000\n\n"
        live.board.spread(HERE_NEWS)
        assert '"seats": ["county"]' in str(await _next(lines))
        await sync_to_async(changed)()
        await sync_to_async(live.board.look_again)(NOW + timedelta(seconds=5))
        live.board.spread(HERE_NEWS)
        return await _next(lines)

    came = async_to_sync(play)()
    assert came is None if hears is None else ("event: news" in str(came)) == hears
