"""The doors without a sign-in: report, receipt, follow-up, verify; what is refused, and what nobody finds anywhere."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import ExifTags, Image

from fengsui import moment
from fengsui.ledger import doors, evidence, mechanisms, reading, reporters, sealer, sealing
from fengsui.ledger.doors import About
from fengsui.ledger.evidence import path_of
from fengsui.ledger.kernel.shapes import Call
from fengsui.ledger.models import Case, Entry, Evidence, IdempotencyKey, Notice, Reporter
from fengsui.ledger.proof.form import every_act
from fengsui.ledger.public.intake import told
from fengsui.ledger.public.words import SHOWN_KINDS
from fengsui.ledger.verify import receipt as verify_receipt
from tests.integration.ledger.test_doors import first_criterion
from tests.integration.ledger.test_reporters import law_officer
from tests.small_region import Small, Somebody, brought_by_all, build

pytestmark = pytest.mark.django_db

NAME, PHONE = "额尔敦举报", "13847201234"
SEEN = "冷库后门一直有氨味，下午更重"


@pytest.fixture
def small(db: None) -> Small:
    return build(moment.now())


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Any) -> None:
    settings.KEYS_DIR, settings.EVIDENCE_DIR = tmp_path / "keys", tmp_path / "evidence"


def photo(name: str = "额尔敦的手机.jpg", size: tuple[int, int] = (60, 40)) -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.new("RGB", size, (90, 120, 90)).save(out, "JPEG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")


def report(client: Client, **changes: Any) -> Any:
    """Send the form as a phone does; ``changes`` replace fields."""
    fields = {"key": str(uuid.uuid4()), "county": "150207", "finding": SEEN, "where": "金桥路东侧", "name": NAME, "phone": PHONE}
    return client.post("/report/", {**fields, **changes})


def of(somebody: Somebody) -> Client:
    client = Client()
    client.force_login(somebody.account, backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(client: Client) -> tuple[str, str]:
    """Code and secret from the receipt's page."""
    answer = client.get("/report/receipt/")
    assert answer.status_code == 200
    return answer.context["promise"].code, answer.context["secret"]


# ------------------------------------------------------------------------- report


def test_a_report_becomes_a_case_with_a_receipt_that_verifies(small: Small) -> None:
    client = Client()
    answer = report(client, site_name="示例化工", photos=[photo(), photo(size=(80, 40))])
    assert (answer.status_code, answer["Location"]) == (302, "/report/receipt/")
    case = Case.objects.get()
    assert (case.mechanism, case.state, case.about_id, case.owner_id) == (
        "hazard",
        "reported",
        str(small.site.pk),
        small.county.pk,
    )
    assert (case.title_zh, case.title_en) == (f"{small.site.name_zh} {SEEN}", f"{small.site.name_en}: Major hazard · {SEEN}")
    assert "金桥路东侧" in case.fields["finding"]
    assert Evidence.objects.count() == 2
    assert not any("额尔敦" in one.name for one in Evidence.objects.all()), "a file's own name may tell who took it"
    code, secret = shown(client)
    page = client.get("/report/receipt/").content.decode()
    assert code in page and secret in page and "<svg" in page
    file = client.get("/report/receipt/?file=1")
    assert verify_receipt.alone(file.content).ok and verify_receipt.here(file.content).ok
    assert NAME.encode() not in file.content


def test_where_the_camera_was_is_not_kept(small: Small) -> None:
    out, exif = io.BytesIO(), Image.Exif()
    where = exif.get_ifd(ExifTags.IFD.GPSInfo)
    where[ExifTags.GPS.GPSLatitudeRef], where[ExifTags.GPS.GPSLatitude] = "N", (40.0, 36.0, 18.0)
    where[ExifTags.GPS.GPSLongitudeRef], where[ExifTags.GPS.GPSLongitude] = "E", (109.0, 54.0, 36.0)
    Image.new("RGB", (60, 40)).save(out, "JPEG", exif=exif)
    report(Client(), photos=[SimpleUploadedFile("a.jpg", out.getvalue())])
    kept = Evidence.objects.get()
    assert kept.position is None and b"GPS" not in path_of(kept.digest).read_bytes()


def test_without_an_enterprise_the_countys_duty_room_gets_it(small: Small) -> None:
    assert report(Client(), site_name="不知道叫什么的冷库").status_code == 302
    case = Case.objects.get()
    assert (case.about_kind, case.place_code, case.owner_id) == ("place", "150207", small.county.pk)
    assert "不知道叫什么的冷库" in case.fields["finding"]
    assert of(small.one("county")).get(f"/cases/{case.pk}/").status_code == 200
    assert of(small.one("other")).get(f"/cases/{case.pk}/").status_code == 404


def test_the_same_form_sent_twice_is_one_case_one_receipt_one_secret(small: Small) -> None:
    key, first, second = str(uuid.uuid4()), Client(), Client()
    assert report(first, key=key).status_code == report(second, key=key).status_code == 302
    assert Case.objects.count() == 1
    assert shown(first) == shown(second)


def test_nothing_stored_gives_the_forms_key_or_the_secret_back(small: Small) -> None:
    key = str(uuid.uuid4())
    report(Client(), key=key)
    assert not Entry.objects.filter(key__contains=key).exists() and not IdempotencyKey.objects.filter(key=key).exists()
    assert Reporter.objects.get().secret_hash != reporters.secret_of(key)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"finding": ""}, "请说明看到了什么"),
        ({"county": ""}, "请选择旗县区"),
        ({"county": "110101"}, "请选择旗县区"),
        ({"phone": "打我"}, "电话号码"),
        ({"website": "http://x"}, "机器"),
        ({"finding": "长" * 2001}, "2,000"),
        ({"key": "guess"}, "打开得太久"),
    ],
)
def test_a_mistake_is_told_and_what_was_typed_stays(small: Small, changes: dict[str, str], said: str) -> None:
    answer = report(Client(), **changes)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not Case.objects.exists() and not Reporter.objects.exists()
    for name, value in {"where": "金桥路东侧", "name": NAME, "finding": SEEN}.items():
        if name not in changes:
            assert value in answer.content.decode()


def test_fifty_megabytes_are_413_and_a_program_is_415_and_nothing_is_written(small: Small) -> None:
    large = SimpleUploadedFile("big.jpg", b"\xff\xd8\xff" + b"0" * 50_000_000, content_type="image/jpeg")
    answer = report(Client(), photos=[photo(), large])
    assert answer.status_code == 413 and "50" in answer.content.decode() and SEEN in answer.content.decode()
    wrong = SimpleUploadedFile("a.jpg", b"MZ\x90\x00 this is a program", content_type="image/jpeg")
    answer = report(Client(), photos=[photo(), wrong])
    assert answer.status_code == 415 and "JPEG" in answer.content.decode()
    broken = SimpleUploadedFile("a.jpg", b"\xff\xd8\xff\xe0 no picture", content_type="image/jpeg")
    assert report(Client(), photos=[photo(), broken]).status_code == 415
    assert report(Client(), photos=[photo()] * 7).status_code == 422
    assert not Case.objects.exists() and not Evidence.objects.exists() and not Reporter.objects.exists()


def test_one_address_may_send_ten_an_hour_and_keeps_its_text(small: Small) -> None:
    for number in range(10):
        assert report(Client(), finding=f"{SEEN} {number}").status_code == 302
    answer = report(Client())
    assert answer.status_code == 429 and "12350" in answer.content.decode() and SEEN in answer.content.decode()
    assert Case.objects.count() == 10
    assert Client(REMOTE_ADDR="198.51.100.7").get("/report/").status_code == 200
    assert report(Client(REMOTE_ADDR="198.51.100.7")).status_code == 302


def test_the_pickers_give_names_only(small: Small) -> None:
    client = Client()
    assert client.get("/report/sites/?county=150207&q=示例").json() == {"found": [{"id": small.site.pk, "name": "示例化工"}]}
    assert client.get("/report/sites/?county=150203&q=示例").json() == {"found": []}
    assert client.get("/report/county/?lon=x&lat=1").status_code == 422
    assert client.get("/report/townships/?county=150207").json() == {"found": []}


# ------------------------------------------------------------------------- follow


def reported(small: Small) -> tuple[Case, str, str]:
    client = Client()
    report(client, site_name="示例化工")
    return (Case.objects.get(), *shown(client))


def follow(code: str, secret: str, client: Client | None = None) -> tuple[Client, Any]:
    client = client or Client()
    return client, client.post("/follow/", {"code": code, "secret": secret})


def test_the_secret_shows_state_and_each_decision_with_its_grounds(small: Small) -> None:
    case, code, secret = reported(small)
    client, answer = follow(code.lower(), secret.replace("-", " "))
    assert (answer.status_code, answer["Location"]) == (302, "/follow/report/")
    page = client.get("/follow/report/").content.decode()
    assert "待受理" in page and "甲旗局" in page and NAME not in page
    now = moment.now()
    for number in range(2):
        call = Call("nothing", small.one("county", number).actor, {"grounds": "现场未闻到氨味，检测为零"})
        doors.act(str(case.pk), call, now=now)
    page = client.get("/follow/report/").content.decode()
    assert "不构成隐患" in page and "现场未闻到氨味" in page
    assert "甲旗局0" not in page, "an officer's name is not the reporter's business"


def test_what_offices_write_to_each_other_stays_inside(small: Small) -> None:
    client = Client()
    report(client)
    case, (code, secret), now, county = Case.objects.get(), shown(client), moment.now(), small.one("county")
    steps: list[tuple[str, Somebody, dict[str, Any]]] = [
        ("accept", county, {}),
        ("order_interim", county, {"interim_control": "内部要求降液位"}),
        ("put_to_site", county, {"site": small.site.pk}),
        ("send_back", county, {"reason": "举报人疑为该厂职工"}),
        ("assign_down", small.one("league"), {"answering": small.county.pk}),
        ("sign", county, {}),
        ("order_stop", county, {"interim_control": "停用 V-102"}),
        ("countersign", county, {"decision": "应急停决〔2026〕9号"}),
        ("countersign", small.one("county", 1), {}),
        ("list", county, {"criterion": first_criterion()}),
        ("list", small.one("county", 1), {}),
    ]
    for act, who, values in steps:
        doors.act(str(case.pk), Call(act, who.actor, values), now=now)
    follower, _ = follow(code, secret)
    page = follower.get("/follow/report/").content.decode()
    for title in ("受理", "采取临时管控措施", "退回上级", "责令停产停用", "补签停产撤人决定书", "列入清单"):
        assert title in page, "each decision is told"
    for inside in ("内部要求降液位", "疑为该厂职工", "停用 V-102", "9号"):
        assert inside not in page
    assert "判定标准条款：" in page, "the grounds of the judgement on the report, signed by two"


def test_the_fields_that_reporters_read_are_there_and_name_nobody() -> None:
    for name, acts in told().items():
        mechanism = mechanisms.on_disk()[name]
        known = {act.name: act for _, act in every_act(mechanism)}
        for act, fields in acts.items():
            assert set(fields) <= set(known[act].sets), (name, act)
            assert all(mechanism.fields[one].kind in SHOWN_KINDS for one in fields), (name, act)
            assert not any(mechanism.fields[one].sealed or mechanism.fields[one].sealed_until for one in fields)


def test_what_became_of_a_report_judged_ordinary_is_told_to_its_reporter(small: Small) -> None:
    case, code, secret = reported(small)
    now = moment.now()
    doors.act(str(case.pk), Call("accept", small.one("county").actor, {}), now=now)
    for number in range(2):
        call = Call("downgrade", small.one("county", number).actor, {"grounds": "危害和整改难度较小"})
        doors.act(str(case.pk), call, now=now)
    ordinary = str(Case.objects.get(parent=case, mechanism="ordinary_hazard").pk)
    done = {"result": "已更换垫片", "evidence": [evidence.store(photo(), small.one("plant").actor, now).digest]}
    doors.act(ordinary, Call("rectify", small.one("plant").actor, done), now=now)
    doors.act(ordinary, Call("pass", small.one("county", 2).actor, {}), now=now + timedelta(days=3))
    client, _ = follow(code, secret)
    assert "已整改" in client.get("/follow/report/").content.decode()
    officers = doors.open(
        "ordinary_hazard", "found", {"finding": "标识不清"}, small.one("county").actor,
        doors.About("site", str(small.site.pk), "150207", "hazchem", "标识"), key="", now=now,
    ).case  # fmt: skip
    doors.act(officers, Call("rectify", small.one("plant").actor, done), now=now)
    doors.act(officers, Call("pass", small.one("county", 2).actor, {}), now=now)
    assert not Notice.objects.filter(case=officers, role="reporter").exists(), "nobody of the public reported that one"


def test_a_wrong_secret_and_an_unknown_code_get_the_same_page(small: Small) -> None:
    _case, code, secret = reported(small)
    answers = [follow(code, "0000-0000-0000")[1], follow("0000-0000-0000-0000", secret)[1]]
    pages = [
        one.content.decode().replace(str(one.context["csrf_token"]), "").replace(typed, "")
        for one, typed in zip(answers, (code, "0000-0000-0000-0000"), strict=True)
    ]
    assert [one.status_code for one in answers] == [422, 422]
    cut = [page[page.index("<main") : page.index("<form method")] for page in pages]
    assert cut[0] == cut[1] and "逐字核对" in cut[0]


def test_a_wrong_secret_costs_what_an_unknown_code_costs(small: Small) -> None:
    _case, code, secret = reported(small)
    asked = []
    for pair in ((code, "0000-0000-0000"), ("0000-0000-0000-0000", secret), (code, "0000-0000-0001"), ("Z", "Z")):
        with CaptureQueriesContext(connection) as queries:
            follow(*pair)
        asked.append([one["sql"][:30] for one in queries if "law_lawedit" not in one["sql"]])
    assert asked[0] == asked[1] == asked[2] == asked[3]


def test_ten_wrong_secrets_lock_the_address_out_even_for_the_right_one(small: Small) -> None:
    _case, code, secret = reported(small)
    for _ in range(10):
        assert follow(code, "0000-0000-0000")[1].status_code == 422
    assert follow(code, secret)[1].status_code == 429
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    assert follow(code, secret, elsewhere)[1].status_code == 302


def test_without_the_secret_there_is_no_report(small: Small) -> None:
    reported(small)
    client = Client()
    assert client.get("/follow/report/")["Location"] == "/follow/"
    assert client.get("/follow/report/receipt/")["Location"] == "/follow/"
    client.cookies["fs_follow"] = "A" * 80
    assert client.get("/follow/report/")["Location"] == "/follow/"
    assert Client().get("/report/receipt/").status_code == 404


def test_messages_go_both_ways_and_only_the_office_reads_them(small: Small) -> None:
    case, code, secret = reported(small)
    client, _ = follow(code, secret)
    assert client.post("/follow/report/", {"text": "今天气味更重了"}).status_code == 302
    assert Notice.objects.get(kind="message").office_id == small.county.pk
    office = of(small.one("county"))
    assert "1 条未读" in office.get(f"/cases/{case.pk}/").content.decode()
    address = f"/cases/{case.pk}/reporter/"
    assert "今天气味更重了" in office.get(address).content.decode()
    post = {"post": small.one("county").post.pk}
    assert office.post(address, {"text": "请说明是哪个门", **post}).status_code == 302
    assert "请说明是哪个门" in client.get("/follow/report/").content.decode()
    assert of(small.one("plant")).get(address).status_code == 404
    assert of(small.one("other")).get(address).status_code == 404
    assert client.post("/follow/report/", {"text": ""}).status_code == 422


def test_closing_on_the_device_forgets_it(small: Small) -> None:
    _case, code, secret = reported(small)
    client, _ = follow(code, secret)
    client.post("/follow/leave/")
    assert client.get("/follow/report/").status_code == 302


# --------------------------------------------------------- the name, nowhere to be found


SEES = ("",)
"""Pages of a case that answer whoever may see it, after ``/cases/{id}``."""


def everywhere(small: Small, office: str, case: Case) -> tuple[bytes, set[int]]:
    """All that pages, lists, search, exports and the API give this office about the case, and what its own addresses answer."""
    somebody = small.one(office)
    client, post = of(somebody), {"X-Acting-Post": str(somebody.post.pk)}
    own = [f"/cases/{case.pk}{page or '/'}" for page in SEES] + [f"/api/cases/{case.pk}", f"/api/cases/{case.pk}/entries"]
    paths = [
        "/desk/", "/cases/", "/cases/?q=额尔敦", f"/cases/?q={case.number or case.pk}", f"/cases/{case.pk}/?drawing=whole",
        "/notices/", "/find/?q=额尔敦", f"/find/?q={PHONE}", f"/find/?q={case.number or case.pk}", f"/cases/{case.pk}/reporter/",
        f"/cases/{case.pk}/act/accept/", f"/cases/{case.pk}/act/settle/", "/api/cases", f"/api/cases/{case.pk}/may",
        f"/verify/?number={case.pk}", f"/cases/{case.pk}/receipt/1/", f"/cases/{case.pk}/receipt/1/?file=1",
    ]  # fmt: skip
    answers = [client.get(path, headers=post) for path in own]
    given = [one.getvalue() for one in answers] + [client.get(path, headers=post).getvalue() for path in paths]
    sheet = client.get("/cases/export.xlsx", headers=post)
    assert sheet.status_code == 200
    book = openpyxl.load_workbook(io.BytesIO(sheet.getvalue()))
    given.append("\n".join(str(cell) for row in book.active.iter_rows(values_only=True) for cell in row).encode())
    return b"\n".join(given), {one.status_code for one in answers}


def listed(small: Small, case: Case) -> None:
    """Taken up and listed: from now on the enterprise has the case in hand."""
    now = moment.now()
    doors.act(str(case.pk), Call("accept", small.one("county").actor, {}), now=now)
    for number in range(2):
        values = {"criterion": first_criterion()}
        doors.act(str(case.pk), Call("list", small.one("county", number).actor, values), now=now)
    case.refresh_from_db()
    assert case.state == "settling"


def rewarded(small: Small, case: Case) -> Case:
    """From listed to a cancelled number and a reward that waits to be paid."""
    now = moment.now()
    digest = evidence.store(photo(), small.one("plant").actor, now).digest
    brought_by_all(digest, now)
    plan = {
        "responsibility": small.one("plant").person.pk, "measures": "更换垫片", "funds": 100, "contingency": "预案",
        "deadline": (now + timedelta(days=20)).date().isoformat(),
    }  # fmt: skip
    papers = {"grounds": "材料齐全", "photos": [digest]}
    for act, who, values in (
        ("settle", small.one("plant"), plan),
        ("approve", small.one("county"), {}),
        ("submit", small.one("plant"), {"evidence": [digest]}),
        ("pass_off_site", small.one("county", 1), papers),
        ("pass_off_site", small.one("county", 2), papers),
    ):
        doors.act(str(case.pk), Call(act, who.actor, values), now=now)
    reward = Case.objects.get(parent=case, mechanism="reward")
    doors.act(str(reward.pk), Call("compute", small.one("county").actor, {"amount": 100000, "grounds": "按百分之一"}), now=now)
    doors.act(str(reward.pk), Call("approve", small.one("league").actor, {}), now=now)
    return Case.objects.get(pk=reward.pk)


@pytest.mark.parametrize("office", ["plant", "county", "league", "other", "top"])
def test_nobodys_pages_search_export_or_api_tell_who_reported(small: Small, office: str) -> None:
    """Swept while the enterprise has the case in hand, after the law office looked, and after the reward."""
    case, code, secret = reported(small)
    officer = law_officer(small)
    follow(code, secret)[0].post("/follow/report/", {"text": f"我在三车间，叫{NAME}"})
    hidden = [PHONE, secret, reporters.code_of(str(case.pk)), Entry.objects.get(seq=1).content()["values"]["reporter_code"]]
    hidden += [code, bytes(Entry.objects.get(case=case, seq=1).leaf).hex()]

    def sweep(when: str, of_case: Case, *, seen: bool) -> None:
        given, answers = everywhere(small, office, of_case)
        assert answers == ({200} if seen else {404}), when
        assert (of_case.number or str(of_case.pk)).encode() in given or not seen, when
        for one in hidden:
            assert one.encode() not in given, when
        reads = office in ("county", "league") and of_case == case
        assert (NAME.encode() in given) == reads, f"{when}: only who writes with the reporter reads the letters"
        assert not reading.search(reading.cases([small.one(office).acting]), "额尔敦").exists(), when

    sweep("reported", case, seen=office not in ("plant", "other"))
    listed(small, case)
    sweep("listed", case, seen=office != "other")
    assert reporters.look(case, "核发举报奖励", officer.acting, moment.now())["name"] == NAME
    sweep("looked at", case, seen=office != "other")
    reward = rewarded(small, case)
    sweep("rewarded", case, seen=office != "other")
    sweep("the reward", reward, seen=small.one(office).acting.office_id in reward.readers)


# ------------------------------------------------------------------------- verify


def test_a_code_gives_its_file_and_one_changed_byte_is_found(small: Small) -> None:
    _case, code, _secret = reported(small)
    client = Client()
    file = client.get(f"/verify/receipt/{code}/")
    assert file.status_code == 200
    good = client.post("/verify/kept/", file.content, content_type="application/octet-stream")
    assert good.json() == {
        "ok": True,
        "findings": [],
        "mechanism": "重大事故隐患",
        "act": "群众举报",
        "state": "待受理",
    }
    changed = file.content.replace(b'"state":"reported"', b'"state":"cancelled"')
    bad = client.post("/verify/kept/", changed, content_type="application/octet-stream").json()
    assert not bad["ok"] and "签名不符" in bad["findings"][0]
    assert set(bad) == {"ok", "findings"} and len(bad["findings"]) == 1, "a forger learns nothing of the case"
    assert client.post("/verify/kept/", b"{}", content_type="application/octet-stream").status_code == 422
    assert client.post("/verify/kept/", b"x" * 300_000, content_type="application/octet-stream").status_code == 413
    assert client.get("/verify/receipt/0000-0000-0000-0000/").status_code == 404


def test_a_case_is_checked_here_only_by_who_may_see_it(small: Small) -> None:
    about = About("site", str(small.site.pk), "150207", "hazchem", "x")
    given = doors.open("hazard", "found_here", {"finding": "x"}, small.one("county").actor, about, key="", now=moment.now())
    assert of(small.one("other")).get(f"/verify/?number={given.number}").status_code == 404
    assert Client().get(f"/verify/?number={given.number}").context.get("checked") is None


def test_heads_are_given_to_witnesses(small: Small) -> None:
    reported(small)
    sealer.round_(sealing.Grower.load(), moment.now(), at_once=True)
    head = sealing.latest_head()
    assert head is not None
    client = Client()
    assert f"/verify/heads/{head.size}.json" in client.get("/verify/").content.decode()
    assert client.get(f"/verify/heads/{head.size}.json").json()["kind"] == "fengsui-head"
    assert client.get("/verify/heads/999999.json").status_code == 404
