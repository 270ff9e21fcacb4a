"""`fengsui doctor`: tests what the platform stands on and says what to do.

In: a data folder, running or not. Out: a list of `Finding`. It writes only probes, which it removes.
"""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fengsui.services import folder as folders
from fengsui.services import foundation, reach
from fengsui.services.failure import Failure

Grade = Literal["ok", "warn", "bad"]
_FSYNC_SLOW = 0.02  # seconds; above it a durable commit is felt
_SKEW_WARN, _SKEW_BAD = 1.0, 30.0  # seconds between our clock and the database server's
_LEAST_MEMORY = 4 * 2**30  # bytes; all parts idle take about 1 GiB, the demo 2


@dataclass(frozen=True)
class Finding:
    """One test's result; ``remedy`` says what to do where it is not ok."""

    about: str
    grade: Grade
    says: str
    remedy: str = ""


def examine(path: Path) -> list[Finding]:
    """Run all tests on the data folder at ``path``; a test that breaks is a finding, never an exception."""
    found = [
        *_guarded("machine", machine),
        *_guarded("browser", browsers),
        *_guarded("disk", lambda: disk(path)),
        *_guarded("programs", programs),
    ]
    try:
        folder = folders.find(path)
    except Failure as failure:
        grade: Grade = "warn" if failure.kind == "notready" else "bad"
        return [*found, Finding("folder", grade, *_split(failure))]
    holder = folders.running(folder)
    found.append(
        Finding("folder", "ok", f"{folder.path}, " + (f"running as process {holder['pid']}" if holder else "not running"))
    )
    try:
        with foundation.standing(folder) as environment:
            found += _guarded("database", lambda: database(environment["DATABASE_URL"]))
            found += _guarded("sign-in", lambda: sign_in(environment.get("FENGSUI_APP_DATABASE_URL", "")))
            found += _guarded("proxies", lambda: proxies(environment["DATABASE_URL"]))
            found += _guarded("stream", lambda: stream(environment["NATS_URL"]))
            found += _guarded("site tokens", site_tokens)
            if holder:
                found += _guarded("processes", lambda: processes(environment["DATABASE_URL"]))
    except Failure as failure:
        found.append(Finding("foundation", "bad", *_split(failure)))
    return found


def _split(failure: Failure) -> tuple[str, str]:
    says, _, remedy = failure.message.partition("\n")
    return says, remedy


def _guarded(about: str, test: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from test()
    except Exception as error:
        words = str(error).strip().splitlines() or [type(error).__name__]
        yield Finding(about, "bad", words[0], "Look at the logs in the data folder.")


def machine() -> Iterator[Finding]:
    """Python, cores, memory, the zone data of legal days."""
    import psutil

    version = platform.python_version()
    good = sys.version_info >= (3, 11)
    yield Finding("python", "ok" if good else "bad", version, "" if good else "Install Python 3.11 or newer.")
    memory = psutil.virtual_memory()
    enough = memory.available > _LEAST_MEMORY // 2 and memory.total > _LEAST_MEMORY
    yield Finding(
        "machine",
        "ok" if enough else "warn",
        f"{os.cpu_count()} cores, {memory.total // 2**30} GiB memory ({memory.available // 2**30} free), {platform.machine()}",
        "" if enough else "Give it 4 GiB; 2 of them free.",
    )
    from zoneinfo import ZoneInfo

    ZoneInfo("Asia/Shanghai")


_FLOOR = {"chromium": 111, "google-chrome": 111, "microsoft-edge": 111, "firefox": 113, "firefox-esr": 113}
"""The oldest major version of each program that shows the pages as they are meant."""


def browsers() -> Iterator[Finding]:
    """The browsers of this machine against the floor; people's own machines are theirs to look at, so none here is no fault."""
    floor = "Chromium 111, Firefox 113, Safari 16.4 or newer; WebGL 2 for the map, else an SVG map is shown"
    found = [(name, path) for name in _FLOOR if (path := shutil.which(name))]
    for name, path in found:
        told = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20).stdout.strip()
        major = re.search(r"(\d+)\.", told)
        if major is None:
            yield Finding("browser", "warn", f"{name} does not tell its version", f"The pages need {floor}.")
            continue
        good = int(major[1]) >= _FLOOR[name]
        says = f"{name} {major[1]} here; the pages need {floor}"
        yield Finding("browser", "ok" if good else "warn", says, "" if good else f"Update {name} to {_FLOOR[name]} or newer.")
    if not found:
        yield Finding("browser", "ok", f"none on this machine; people's own need {floor}")


def disk(path: Path) -> Iterator[Finding]:
    """Free space where the folder lies, and what a durable write costs there."""
    place = path.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    roomy, enough = free > 10 * 2**30, free > folders.LEAST_FREE
    yield Finding(
        "disk",
        "ok" if roomy else "warn" if enough else "bad",
        f"{free / 2**30:.1f} GiB free at {place}",
        "" if roomy else "A day of 6,000 points a second takes about 3 GiB of history and 8 GiB of stream; free some space.",
    )
    probe = place / f".doctor-{os.getpid()}"
    try:
        with probe.open("wb") as file:
            started = time.perf_counter()
            for _ in range(10):
                file.write(b"x" * 4096)
                file.flush()
                os.fsync(file.fileno())
            each = (time.perf_counter() - started) / 10
    finally:
        probe.unlink(missing_ok=True)
    slow = each > _FSYNC_SLOW
    says = f"{each * 1000:.1f} ms: about {1 / each:,.0f} acknowledged messages a second, each may carry 1,000 samples"
    yield Finding("durable write", "warn" if slow else "ok", says, "Use a local SSD, not a network disk." if slow else "")


def programs() -> Iterator[Finding]:
    """The embedded servers' programs, unless the operator names own servers."""
    from fengsui.services import nats, postgres

    if not folders.external_database():
        yield Finding("postgresql program", "ok", postgres.binaries().parent.name)
        postgres.own_user()
    if not folders.external_stream():
        yield Finding("nats program", "ok", nats.binary().name)


def database(url: str) -> Iterator[Finding]:
    """Version, clock, durable settings, notification, SKIP LOCKED, the ledger's guards, migrations."""
    import psycopg

    from fengsui import moment

    reach.database(url)
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as one, psycopg.connect(url, autocommit=True) as two:
        yield Finding(
            "database",
            "ok",
            f"PostgreSQL {one.info.server_version // 10000}.{one.info.server_version % 10000} at {reach.shown(url)}",
        )
        before = moment.now()
        theirs = _value(one, "SELECT clock_timestamp()")
        skew = abs((theirs - before).total_seconds())
        grade: Grade = "bad" if skew > _SKEW_BAD else "warn" if skew > _SKEW_WARN else "ok"
        yield Finding(
            "clock",
            grade,
            f"{skew:.2f} s between this machine and the database",
            "" if grade == "ok" else "Run chrony or ntpd on both.",
        )
        settings = {name: _value(one, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")}
        wrong = [name for name, value in settings.items() if value == "off"]
        yield Finding(
            "durability",
            "bad" if wrong else "ok",
            f"{', '.join(wrong)} off" if wrong else "fsync on",
            "Turn it on: acts would be lost." if wrong else "",
        )
        yield from _talk(one, two)
        yield from _guards(one)


def _value(connection: Any, query: str) -> Any:
    return connection.execute(query).fetchone()[0]


def _talk(one: Any, two: Any) -> Iterator[Finding]:
    """LISTEN/NOTIFY between two connections, and SKIP LOCKED."""
    one.execute("LISTEN fengsui_doctor")
    two.execute("NOTIFY fengsui_doctor, 'x'")
    heard = any(True for _ in one.notifies(timeout=2, stop_after=1))
    one.execute("UNLISTEN fengsui_doctor")
    yield Finding(
        "notification",
        "ok" if heard else "bad",
        "LISTEN/NOTIFY works" if heard else "LISTEN/NOTIFY is not heard",
        "" if heard else "Connect to PostgreSQL itself, not through a transaction pooler.",
    )
    with one.transaction(force_rollback=True):
        one.execute("CREATE TEMPORARY TABLE doctor_probe (id int) ON COMMIT DROP")
        one.execute("SELECT id FROM doctor_probe FOR UPDATE SKIP LOCKED")
    yield Finding("row locks", "ok", "FOR UPDATE SKIP LOCKED works")


def _guards(connection: Any) -> Iterator[Finding]:
    """The ledger's triggers and its role, as far as the database is migrated."""
    if _value(connection, "SELECT to_regclass('ledger_entry') IS NULL"):
        yield Finding("ledger", "warn", "not there yet", "Run `fengsui up` once.")
        return
    triggers = _value(
        connection,
        "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D' "
        "AND tgrelid IN ('ledger_case'::regclass, 'ledger_entry'::regclass)",
    )
    changes = _value(
        connection,
        "SELECT has_table_privilege('fengsui_app', 'ledger_entry', 'UPDATE') "
        "OR has_table_privilege('fengsui_app', 'ledger_entry', 'DELETE')",
    )
    yield from _unclaimed(connection)
    yield from _not_set_up(connection)
    good = triggers > 0 and not changes
    says = f"{triggers} triggers; fengsui_app may {'' if changes else 'not '}change entries"
    yield Finding(
        "ledger's guards", "ok" if good else "bad", says, "" if good else "Run `fengsui up` again, then `fengsui verify`."
    )


def _unclaimed(connection: Any) -> Iterator[Finding]:
    """Effects of acts that no room carries out: each waits, and its case's page says so."""
    rows = connection.execute(
        "SELECT topic, count(*) FROM ledger_outbox WHERE done_at IS NULL AND error = 'unclaimed' GROUP BY topic ORDER BY topic"
    ).fetchall()
    for topic, count in rows:
        remedy = "Install the room that brings it, or do it by hand and record it in each case; `fengsui up` tries it again."
        yield Finding("effects", "warn", f"{count} effects {topic!r} of acts wait: nobody carries them out", remedy)


def _not_set_up(connection: Any) -> Iterator[Finding]:
    """Offices with people in post of whom, and of those below, nobody has an account: nobody can act there, and nothing in hand
    there moves by itself (``region.roles.not_set_up`` says it of one office)."""
    count = _value(
        connection,
        "WITH set_up AS (SELECT DISTINCT unnest(string_to_array(trim(BOTH '/' FROM o.path), '/'))::bigint AS id "
        "FROM region_office o JOIN region_post p ON p.office_id = o.id JOIN region_holding h ON h.post_id = p.id "
        "JOIN region_person one ON one.id = h.person_id WHERE one.account_id IS NOT NULL) "
        "SELECT count(DISTINCT o.id) FROM region_office o JOIN region_post p ON p.office_id = o.id "
        "JOIN region_holding h ON h.post_id = p.id WHERE h.since <= now() AND (h.until IS NULL OR h.until > now()) "
        "AND (o.dissolved_on IS NULL OR o.dissolved_on > current_date) AND o.id NOT IN (SELECT id FROM set_up)",
    )
    if count:
        remedy = "Invite their people (each person's page); until then their matters stay, and new ones go to the office above."
        yield Finding("accounts", "warn", f"{count} offices have people in post and not one account", remedy)


def sign_in(url: str) -> Iterator[Finding]:
    """Whether the processes sign in as a role that is not, and cannot become, the ledger's owner."""
    import psycopg

    if not url:
        yield Finding(
            "sign-in",
            "warn",
            "the processes sign in as the owner and only assume the role fengsui_app",
            "Set FENGSUI_APP_DATABASE_URL=postgresql://fengsui_app:SECRET@…, then `fengsui up`; see docs/how-to/run.md.",
        )
        return
    owns = "SELECT bool_or(pg_has_role(session_user, relowner, 'MEMBER')) IS TRUE FROM pg_class WHERE relname = 'ledger_entry'"
    with psycopg.connect(url, connect_timeout=5) as connection:
        name, own = _value(connection, "SELECT session_user"), _value(connection, owns)
    says = f"the processes sign in as {name}, which {'may act as the owner' if own else 'owns nothing'}"
    remedy = "Give them a role of their own: FENGSUI_APP_DATABASE_URL." if own else ""
    yield Finding("sign-in", "bad" if own else "ok", says, remedy)


def proxies(url: str) -> Iterator[Finding]:
    """Whether visitors came through a proxy that nobody told the platform of: all of them count as one address then."""
    import psycopg

    from fengsui import moment
    from fengsui.ledger.public.limits import UNBELIEVED

    seen = "SELECT 1 FROM ledger_publicuse WHERE key = %s AND until > %s"
    with psycopg.connect(url, connect_timeout=5) as connection:
        if _value(connection, "SELECT to_regclass('ledger_publicuse') IS NULL"):
            return
        if connection.execute(seen, [UNBELIEVED, moment.now()]).fetchone():
            yield Finding(
                "proxies",
                "warn",
                "sign-ins of the last day brought X-Forwarded-For while FENGSUI_PROXIES was 0: behind a proxy all visitors "
                "count as one address",
                "Set FENGSUI_PROXIES to the number of your proxies; without one, somebody wrote the header: leave it.",
            )


def processes(url: str) -> Iterator[Finding]:
    """How far the clock, the relay and the sealer lag, from their own sign of life."""
    import psycopg

    from fengsui import moment

    with psycopg.connect(url, connect_timeout=5) as connection:
        query = "SELECT process, at, coalesce(lag_seconds, 0), detail->>'clock_set_back' FROM ledger_beat ORDER BY process"
        for name, at, lag, back in connection.execute(query):
            if back is not None:
                says = f"this machine's clock is {float(back):.0f} s behind the last seal: it was set back"
                yield Finding("clock", "bad", says, "Set it by NTP (`timedatectl`); sealing goes on with the last seal's moment.")
            behind = max(abs((moment.now() - at).total_seconds()), lag)
            late = behind > 30
            remedy = f"Look at logs/{name}.log; every page says so meanwhile." if late else ""
            yield Finding(f"process {name}", "bad" if late else "ok", f"{behind:.0f} s behind", remedy)


def stream(url: str) -> Iterator[Finding]:
    """Publish a message into a stream of its own and fetch it back."""
    reach.stream(url)
    took, version = asyncio.run(asyncio.wait_for(_round_trip(url), 15))
    slow = took > 0.2
    yield Finding(
        "stream",
        "warn" if slow else "ok",
        f"NATS {version}: stored and fetched in {took * 1000:.0f} ms",
        "The disk is slow or busy." if slow else "",
    )


def site_tokens() -> Iterator[Finding]:
    """Whether sites can sign in by MQTT: the platform writes their tokens into its own stream server's file alone."""
    if folders.external_stream():
        yield Finding(
            "site tokens",
            "warn",
            "your own stream server (NATS_URL) does not learn the sites' tokens: MQTT with them is refused there, and what "
            "it refuses is not counted as unauthorised",
            "Let sites send by HTTP with their token, or give them users of that server; see docs/how-to/connect-a-device.md.",
        )


async def _round_trip(url: str) -> tuple[float, str]:
    import nats
    from nats.js.api import StorageType, StreamConfig

    client = await nats.connect(url, connect_timeout=3, max_reconnect_attempts=1)
    try:
        jetstream = client.jetstream()
        name = f"doctor-{os.getpid()}"
        await jetstream.add_stream(
            StreamConfig(name=name, subjects=[f"doctor.{os.getpid()}"], storage=StorageType.FILE, max_bytes=2**20)
        )
        try:
            started = time.perf_counter()
            stored = await jetstream.publish(f"doctor.{os.getpid()}", b"probe", timeout=5)
            await jetstream.get_msg(name, stored.seq)
            return time.perf_counter() - started, str(client.connected_server_version)
        finally:
            await jetstream.delete_stream(name)
    finally:
        await client.close()
