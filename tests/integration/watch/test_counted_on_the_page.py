"""Whatever is wrong with what devices send is counted on a page: published by hand over MQTT and HTTP to the real parts."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from fengsui.region.models import Point
from fengsui.watch import api, line, reading, rules
from fengsui.watch.models import Rule, SiteCredential
from tests.integration.watch.conftest import NOW, Child, StreamServer, until
from tests.integration.watch.test_devices import device, message
from tests.small_region import build

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def page(client: Client) -> dict[str, int]:
    """The page's totals, by the words that stand before them."""
    text = client.get("/ingest/").content.decode()
    return {words: int(number) for words, number in re.findall(r"<dt>([^<]+)</dt><dd>(\d+)</dd>", text)}


def refused(folder: Path) -> int:
    """How often the server's log says that it refused a name or a subject."""
    return len(re.findall(rb"Publish Violation|authentication error - User", (folder / "nats" / "nats.log").read_bytes()))


def payloads(now: float) -> list[str]:
    """One of each kind, with a good sample at each end."""
    return [
        message(1.0, now - 5), "{broken", " " * (300 * 1024), message(1.0, now + 600), message(1.0, now - 5),
        message(1.0, now - 9), message(1.0, tag="XX-9"), message(1.1, now),
    ]  # fmt: skip


def test_each_kind_is_counted_once_by_either_door(
    server: StreamServer, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = build(NOW)
    common = {"quantity": "pressure", "measure": "MPa", "range_low": 0, "range_high": 3}
    point = Point.objects.create(site=small.site, tag="PT-1", name_zh="压力", name_en="Pressure", high=1.8, **common)
    Rule.objects.bulk_create(rules.derive([point], NOW))
    token = server.tokens["HC-1"]
    digest = hashlib.sha256(token.encode()).hexdigest()
    SiteCredential.objects.create(site=small.site, digest=digest, issued_at=NOW)
    settings.KEYS_DIR, settings.NATS_URL = folder / "keys", server.url
    for room in (api, reading):
        monkeypatch.setattr(room, "line", line.Line())
    at = connection.settings_dict
    database = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    children = [Child(f"fengsui.watch.{name}", folder, server.url, database) for name in ("engine_worker", "relay")]
    reader = Client()
    reader.force_login(small.one("top").account, backend="django.contrib.auth.backends.ModelBackend")
    reader.cookies["django_language"] = "en"
    try:
        until(lambda: Rule.objects.unscoped("test").filter(taken_at__isnull=False).exists(), 120)
        gateway = device(server)
        now = time.time()
        for body in payloads(now):
            gateway.publish("tele/HC-1/json", body, qos=1)
        gateway.publish("tele/HC-2/json", message(1.0), qos=1).wait_for_publish(10)
        stranger = device(server, "HC-2", "0" * 64)
        by_mqtt = {
            "Messages": 8, "Samples accepted": 2, "Doubled samples": 1, "Late samples": 1, "Future-dated samples": 1,
            "Samples of unknown points": 1, "Malformed messages": 1, "Oversized messages": 1, "Unauthorised": 2,
        }  # fmt: skip
        until(lambda: page(reader).get("Messages") == 8 and page(reader)["Unauthorised"] >= 2, 60)
        stranger.loop_stop()
        shown = page(reader)
        assert shown | {"Unauthorised": 2} == by_mqtt, shown
        until(lambda: page(reader)["Unauthorised"] == refused(folder), 30)  # also the stranger's very last try
        before = refused(folder)

        def send(body: str | bytes, secret: str = token) -> int:
            headers = {"Authorization": f"Bearer {secret}"}
            return Client().post("/api/ingest/json", body, content_type="application/json", headers=headers).status_code

        statuses = [send(body) for body in payloads(now + 10)]
        assert statuses == [202, 400, 413, 202, 202, 202, 202, 202]
        assert [send(message(1.0), "0" * 64), send(b" " * (5 << 20))] == [401, 413]
        wanted = {word: 2 * number for word, number in by_mqtt.items()} | {"Messages": 14, "Unauthorised": before + 1}
        wanted["Oversized messages"] += 1
        until(lambda: page(reader).get("Messages") == 14, 60)
        assert page(reader) == wanted
        gateway.disconnect()
    finally:
        for child in children:
            child.stop()


def test_the_page_names_the_kinds_in_the_reader_s_language(db: None) -> None:
    from fengsui.watch import intrusions

    small = build(NOW)
    for kind in ("malformed", "oversized", "late"):
        intrusions.add("HC-1", "http", kind, 1, "text", NOW)
    reader = Client()
    reader.force_login(small.one("plant").account, backend="django.contrib.auth.backends.ModelBackend")
    reader.cookies["django_language"] = "zh-hans"
    said = reader.get("/ingest/").content.decode()
    assert "<td>malformed</td>" not in said and said.count("格式错误") >= 2
