"""A confidential matter does not exist for anybody but its readers: not by id, number, list, search, count or lineage."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from fengsui.api.assembly import api
from fengsui.ledger import doors, mechanisms, reading, registry
from fengsui.ledger.doors import Refused
from fengsui.ledger.kernel import load
from fengsui.ledger.kernel.shapes import Actor, Call
from fengsui.ledger.models import Case, MechanismVersion
from fengsui.ledger.urls import urlpatterns
from fengsui.moment import now as present
from tests.integration.ledger.test_doors import site
from tests.small_region import Small, build

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(db: None) -> Small:
    return build(present())


@pytest.fixture
def secret(small: Small) -> Case:
    """An accountability lead, whose readers are the top office and the league's safety commission."""
    signal = Actor(kind="clock", name="any", office=small.county.pk)
    receipt = doors.open("accountability_lead", "lead", {}, signal, site(small), key="", now=present())
    return Case.objects.get(pk=receipt.case)


def test_only_readers_see_it(small: Small, secret: Case) -> None:
    assert secret.confidential and secret.readers
    for office, people in small.people.items():
        acting = people[0].acting
        seen = secret in reading.cases([acting])
        assert seen == (acting.office_id in secret.readers), office
        assert (reading.find([acting], str(secret.pk)) is not None) == seen
        assert (secret in reading.search(reading.cases([acting]), secret.title)) == seen
        assert any(line.case == secret for line in reading.desk([acting], present())) in (False, seen)


def test_the_door_answers_as_if_it_did_not_exist(small: Small, secret: Case) -> None:
    outsider = small.one("county")
    assert outsider.acting.office_id not in secret.readers
    with pytest.raises(Refused) as caught:
        doors.act(str(secret.pk), Call("drop", outsider.actor, {"decision": "无"}), now=present() + timedelta(minutes=1))
    assert caught.value.status == 404


@pytest.mark.parametrize("path", ["", "/entries", "/acts"])
def test_every_address_answers_404(small: Small, secret: Case, path: str) -> None:
    client, who = Client(), small.one("county")
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    post: dict[str, Any] = {"X-Acting-Post": str(who.post.pk)}
    answer = client.get(f"/api/cases/{secret.pk}{path}", headers=post)
    nothing = client.get(f"/api/cases/00000000-0000-4000-8000-000000000000{path}", headers=post)
    assert answer.status_code == nothing.status_code == 404
    assert answer.content == nothing.content
    assert secret.title not in client.get("/api/cases", headers=post).content.decode()


WORD = "只许读者见的标题"


@pytest.fixture
def numbered(small: Small) -> Iterator[None]:
    """The shipped confidential mechanisms have no number: one of them in a wording that gives each case one."""
    source = {**mechanisms.current("accountability_lead").source, "number": "WT-{place}-{year}-{serial:04}"}
    found = load.mechanism(source, registry.names(), "accountability_lead numbered", titles=True)
    MechanismVersion.objects.filter(name="accountability_lead").update(current=False)
    MechanismVersion.objects.create(
        digest=found.digest, name="accountability_lead", number=2, source=source, stored_at=present(), current=True
    )
    mechanisms.forget()
    yield
    mechanisms.forget()


@pytest.fixture
def seen_by_nobody(small: Small, numbered: None) -> Case:
    """A confidential matter with a number, a title of its own and letters in its fields, somebody told of it."""
    signal = Actor(kind="clock", name="any", office=small.league.pk)
    about = replace(site(small), title=WORD, title_en=WORD)
    receipt = doors.open("accountability_lead", "lead", {}, signal, about, key="", now=present())
    case = Case.objects.get(pk=receipt.case)
    assert case.number, "its number is what must show nowhere"
    return case


def addresses(case: Case, small: Small) -> list[str]:
    """Every page and endpoint that shows, counts, finds, exports or opens cases."""
    number = case.number or str(case.pk)
    quoted = quote(WORD)
    return [
        "/", "/desk/", "/cases/", f"/cases/?q={quoted}", f"/cases/?q={quote(number)}", "/cases/?mechanism=accountability_lead",
        "/cases/export.xlsx", f"/cases/export.xlsx?q={quoted}", f"/cases/{case.pk}/", f"/cases/number/{quote(number)}/",
        f"/cases/{case.pk}/act/drop/", f"/cases/{case.pk}/receipt/1/", f"/find/?q={quoted}", f"/find/?q={quote(number)}",
        "/notices/", "/map/", "/map/now.json", f"/sites/{small.site.code}/", "/alarms/", "/live/alarm/",
        f"/verify/?number={quote(number)}",
        "/api/cases", f"/api/cases?q={quoted}", f"/api/cases/{case.pk}", f"/api/cases/{case.pk}/entries", "/api/desk",
        "/api/notices",
    ]  # fmt: skip


@pytest.mark.parametrize("office", ["league", "county", "other", "plant"])
def test_it_shows_nowhere(small: Small, seen_by_nobody: Case, office: str) -> None:
    who = small.one(office)
    assert who.acting.office_id not in seen_by_nobody.readers
    client = Client()
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    for path in addresses(seen_by_nobody, small):
        answer = client.get(path, headers={"X-Acting-Post": str(who.post.pk)})
        given = _plain(answer).replace(path, "")  # a page may name its own address
        typed = "q=" in path or "number" in path  # what the reader typed is shown to the reader again
        assert f"/cases/{seen_by_nobody.pk}/" not in given, path
        assert typed or str(seen_by_nobody.pk) not in given, path
        assert typed or WORD not in given, path
        assert typed or not seen_by_nobody.number or seen_by_nobody.number not in given, path
        if path.startswith((f"/cases/{seen_by_nobody.pk}", f"/api/cases/{seen_by_nobody.pk}", "/cases/number/")):
            assert answer.status_code == 404, path


def test_counts_and_gapless_numbers_do_not_give_it_away(small: Small, secret: Case, numbered: None) -> None:
    outsider = small.one("county")
    assert reading.cases([outsider.acting]).count() == 0
    open_ = {"finding": "阀门关闭"}
    one = doors.open("hazard", "found_here", open_, outsider.actor, site(small), key="a", now=present())
    signal = Actor(kind="clock", name="any", office=small.league.pk)
    lead = doors.open("accountability_lead", "lead", {}, signal, site(small), key="b", now=present())
    two = doors.open("hazard", "found_here", open_, outsider.actor, site(small), key="c", now=present())
    numbers = [str(Case.objects.get(pk=receipt.case).number).rsplit("-", 1) for receipt in (one, lead, two)]
    assert numbers[0][0] == numbers[2][0] != numbers[1][0], "a confidential case takes no number of another's row"
    assert int(numbers[2][1]) == int(numbers[0][1]) + 1
    assert reading.cases([outsider.acting]).count() == 2


def _plain(answer: Any) -> str:
    """All text of an answer, a workbook's cells included."""
    data = b"".join(answer.streaming_content) if answer.streaming else answer.content
    if data[:2] != b"PK":
        return str(data.decode(errors="replace"))
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return "\n".join(book.read(name).decode(errors="replace") for name in book.namelist())


NONE = "00000000-0000-4000-8000-000000000000"
BODIES: dict[str, dict[str, Any]] = {
    "acts": {"act": "drop", "values": {"decision": "无"}},
    "corrections": {"entry": 1, "field": "case.title", "value": "x", "grounds": "依法"},
    "end": {"grounds": "依法"},
    "merge": {"into": NONE, "grounds": "同一事项"},
    "shares": {"office": 1, "until": "2030-01-01T00:00:00Z", "grounds": "依法"},
    "erasures": {"fields": ["decision"], "grounds": "依法", "clause": "第一条"},
}
"""Bodies that are well formed, so that the answer depends on the case alone; other endpoints get an empty one."""


def _everywhere() -> list[tuple[str, str]]:
    """Method and address of every page and endpoint that names a case by its id, with CASE in its place."""
    found = []
    for path, operations in api.get_openapi_schema()["paths"].items():
        for method in operations if "{case_id}" in path else ():
            found.append((method.upper(), path.replace("{case_id}", "CASE").replace("{name}", "drop")))
    for pattern in urlpatterns:
        text = str(pattern.pattern)
        if "<uuid:case>" in text:
            address = "/" + re.sub(r"<int:\w+>", "1", text.replace("<uuid:case>", "CASE"))
            address = address.replace("<slug:act>", "drop").replace("<slug:digest>", "ab" * 32)
            found += [("GET", address), ("POST", address)]
    return [(method, re.sub(r"\{\w+\}", "1", address)) for method, address in found]


@pytest.mark.parametrize("office", ["county", "plant", "other"])
def test_no_address_tells_it_from_a_case_that_does_not_exist(small: Small, seen_by_nobody: Case, office: str) -> None:
    who = small.one(office)
    client = Client(raise_request_exception=False)
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    secret = str(seen_by_nobody.pk)

    def asked(method: str, address: str, case: str) -> tuple[int, str]:
        headers = {"X-Acting-Post": str(who.post.pk), "Idempotency-Key": f"{method}{address}{case}"[:128], "If-Match": '"1"'}
        body: Any = BODIES.get(address.rsplit("/", 1)[-1], {})
        sent = {"data": body | {"into": case} if "into" in body and "CASE" not in address else body}
        if address.startswith("/api/"):
            sent = {"data": json.dumps(body), "content_type": "application/json"}
        answer = client.generic(method, address.replace("CASE", case), headers=headers) if method == "GET" else client.post(
            address.replace("CASE", case), headers=headers, **sent
        )  # fmt: skip
        text = re.sub(r"[A-Za-z0-9]{64}|[-\d]{10}T[\d:.+]+", "", _plain(answer))  # each time another token, another moment
        return answer.status_code, re.sub(r"[0-9a-f-]{32,}|\d{4}-\d\d-\d\d|\d\d(:\d\d)+", "", text.replace(case, "CASE"))

    addresses = _everywhere()
    assert len(addresses) > 30
    for method, address in addresses:
        there, nowhere = asked(method, address, secret), asked(method, address, NONE)
        other = next((n for n, (a, b) in enumerate(zip(there[1], nowhere[1], strict=False)) if a != b), 0)
        assert there == nowhere, (method, address, there[1][other - 80 : other + 80], nowhere[1][other - 80 : other + 80])


def test_naming_it_as_the_case_to_merge_into_tells_nothing(small: Small, seen_by_nobody: Case) -> None:
    who = small.one("county")
    own = doors.open("hazard", "found_here", {"finding": "阀门关闭"}, who.actor, site(small), key="m", now=present())
    client = Client()
    client.force_login(who.account, backend="django.contrib.auth.backends.ModelBackend")
    told = []
    for number, into in enumerate((str(seen_by_nobody.pk), NONE)):
        headers = {"X-Acting-Post": str(who.post.pk), "Idempotency-Key": f"k{number}", "If-Match": '"1"'}
        body = json.dumps({"into": into, "grounds": "同一事项"})
        answer = client.post(f"/api/cases/{own.case}/merge", body, content_type="application/json", headers=headers)
        told.append((answer.status_code, answer.content.decode().replace(into, "CASE")))
    assert told[0] == told[1] and told[0][0] in (404, 409, 422)
