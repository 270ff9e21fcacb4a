"""Lives of cases played through the real doors, as patterns for a large ledger.

In: an empty, migrated database. Out: a small region and some hundred hazards, warnings and instructions with their
tasks, extensions and look-backs, in every stage, spread over two counties and two months.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
"""The moment at which the pattern ledger stands."""

SERIAL = re.compile(r"(9\d{6})号装置")
"""Each life has a serial of its own in its title; a large ledger puts another number in its place."""

FIRST_SITE = 7_000_000
"""Sites that lives bring with them are numbered from here: an open warning is the only one of its kind at its site."""

THINGS = ("安全阀根部阀关闭", "可燃气体报警器失效", "储罐液位计损坏", "消防水压力不足", "围堰破损", "静电接地断开", "联锁已摘除")
PROGRESS = (
    "备件已到货，计划周三停车更换", "已更换，等待校验", "校验合格，整理资料", "现场专人值守，每两小时巡检一次并记录",
    "施工方案已报审，动火作业票待批", "厂家技术人员已到现场，完成拆检，发现阀芯磨损，需要重新加工",
)  # fmt: skip
_ENDS = ("cancelled", "cancelled", "rectifying", "rectifying", "review", "ordinary", "found", "settling")
_REPORTS = {"cancelled": 9, "rectifying": 9, "review": 9}


class Player:
    """Plays lives in the region of ``tests.small_region``, with a second plant in the other county."""

    def __init__(self, seed: int = 1) -> None:
        from tests.small_region import build

        self.chance = random.Random(seed)
        self.small = build(NOW)
        self.sides = [("county", self.small.site, "plant"), ("other", self._second_plant(), "second")]
        self.count = 0

    def _second_plant(self) -> Any:
        from tests.small_region import _office, _somebody

        from fengsui.region.models import Site

        small, county = self.small, self.small.other
        plant = _office("示例冶炼", "Example Smelter", "enterprise", county.place, county, ())
        small.people["second"] = [_somebody(plant, f"second{n}", ("control_room", "safety", "principal"), NOW) for n in range(2)]
        return Site.objects.create(
            code="HC-2", name_zh="示例冶炼", name_en="Example Smelter", place=county.place, office=plant, industry="hazchem",
            duties=["hazchem"], lon=110.1, lat=40.1,
        )  # fmt: skip

    def play(self, lives: int) -> None:
        """Play this many lives; of ten, six are hazards, three warnings (one stays open), one is an instruction."""
        for number in range(lives):
            self.count += 1
            self.side = self.sides[number % 2]
            self.at = NOW - timedelta(days=self.chance.uniform(60, 100))
            kind = number // 2 % 10
            if kind < 6:
                self.hazard(_ENDS[number // 20 % len(_ENDS)])
            elif kind < 9:
                self.warning(ended=kind != 8)
            else:
                self.instruction(closed=number // 20 % 3 != 2)

    # ------------------------------------------------------------- the doors

    def do(self, case: str, act: str, office: str, place: int = 0, *, hours: float = 7, **values: Any) -> Any:
        """One act, some hours after the one before."""
        from fengsui.ledger import doors
        from fengsui.ledger.kernel.shapes import Call

        self.at = min(self.at + timedelta(hours=self.chance.uniform(0.2, 2) * hours), NOW)
        return doors.act(case, Call(act, self.small.one(office, place).actor, values), now=self.at)

    def about(self, **more: Any) -> Any:
        """What the life being played is about: the plant of its county."""
        from fengsui.ledger.doors import About

        title = f"{THINGS[self.count % len(THINGS)]}（{self.serial}号装置）"
        return About(kind="site", id=str(self.side[1].pk), duty="hazchem", title=title, **more)

    @property
    def serial(self) -> str:
        """The serial of the life being played."""
        return str(9_000_000 + self.count)

    def file(self, office: str, place: int = 0) -> str:
        """A photo in the evidence store, sent in by that person of the office."""
        from PIL import Image

        from fengsui.ledger import evidence

        image = Image.new("RGB", (64, 48), tuple(self.chance.randrange(256) for _ in range(3)))
        data = io.BytesIO()
        image.save(data, "JPEG")
        data.seek(0)
        who = self.small.one(office, place).actor
        return str(evidence.store(data, who, self.at, name=f"现场{self.count}.jpg").digest)

    # -------------------------------------------------------------- the lives

    def hazard(self, end: str) -> None:
        """A hazard up to ``end``: a state or an end."""
        from fengsui.ledger import doors
        from fengsui.ledger.doors.facts import choices_of
        from fengsui.ledger.mechanisms import current

        county, _site, plant = self.side
        finding = {"finding": f"{THINGS[self.count % len(THINGS)]}，现场已责令立即处置并挂牌，通知属地应急局"}
        opened = doors.open("hazard", "found_here", finding, self.small.one(county).actor, self.about(), key="", now=self.at)
        case = opened.case
        self.do(case, "order_interim", county, interim_control="停用该储罐，降液位至 50% 以下，专人值守")
        if end == "found":
            return
        if end == "ordinary":
            for number in (1, 2):
                self.do(case, "downgrade", county, number, grounds="经评估不构成重大事故隐患，按一般隐患限期整改")
            return
        criterion = self.chance.choice(sorted(choices_of(current("hazard"), self.at)["criterion"]))
        for number in (0, 1):
            self.do(case, "list", county, number, criterion=criterion)
        if end == "settling":
            return
        plan: dict[str, Any] = {"responsibility": self.small.one(plant).person.pk, "funds": self.chance.randrange(1000, 900_000)}
        words: dict[str, Any] = {"measures": "更换并铅封根部阀，增设双人确认", "contingency": "见企业专项应急预案第四章"}
        words["deadline"] = f"{self.at + timedelta(days=55):%Y-%m-%d}"
        self.do(case, "settle", plant, **{**plan, **words})
        self.do(case, "approve", county)
        for number in range(_REPORTS[end]):
            self.do(case, "report", plant, hours=90, progress=PROGRESS[number % len(PROGRESS)])
        if end == "rectifying":
            return
        self.do(case, "submit", plant, evidence=[self.file(plant)])
        if end == "review":
            return
        self.do(case, "return", county, reason="校验报告缺少编号，补正后再报")
        self.do(case, "report", plant, progress="已补正")
        self.do(case, "submit", plant, evidence=[self.file(plant)])
        seen = [self.file(county, 1)]
        for number in (1, 2):
            self.do(case, "pass_off_site", county, number, grounds="资料齐全，符合 GB/T 12243 校验要求", photos=seen)

    def _free_kind(self) -> str:
        """A kind of hazard that no open warning of this county is about."""
        from fengsui.ledger import mechanisms
        from fengsui.ledger.models import Case

        known = mechanisms.current("warning").fields["hazard_kind"].of
        open_ones = Case.objects.filter(mechanism="warning", ended=False, place_code=self.side[1].place_id)
        taken = set(open_ones.values_list("fields__hazard_kind", flat=True))
        return next(str(one) for one in known if one not in taken)

    def _own_site(self) -> Any:
        """A site of this life's own, beside the plant: a copy of a case with a key needs another one."""
        from fengsui.region.models import Site

        plant, number = self.side[1], FIRST_SITE + self.count
        return Site.objects.create(pk=number, **site_cells(number, plant.place_id, plant.office_id))

    def warning(self, *, ended: bool) -> None:
        """A warning raised by an alarm that came again some times, acknowledged and fed back; found unfounded or not yet."""
        from fengsui.ledger import doors
        from fengsui.ledger.kernel.shapes import Actor, Call

        county, _site, plant = self.side
        signal = Actor(kind="event", name="warning.level")
        kind = self._free_kind()
        about = self.about() if ended else replace(self.about(), id=str(self._own_site().pk))
        colour = self.chance.choice(("blue", "yellow", "orange"))
        given = {"hazard_kind": kind, "colour": colour, "seen": "氨气浓度 35 ppm，高高限 30 ppm"}
        case = doors.open("warning", "by_alarm", given, signal, about, key="", now=self.at).case
        self.do(case, "acknowledge", plant, hours=0.05)
        for number in range(4):
            self.at = min(self.at + timedelta(minutes=self.chance.uniform(2, 40)), NOW)
            again = Actor(kind="event", name="alarm.again")
            doors.act(case, Call("again", again, {"seen": f"氨气浓度 {31 + number} ppm"}), now=self.at)
        self.do(case, "note_call", county, hours=0.2, call="电话叫应企业值班长，已到岗")
        if not ended:
            return
        self.do(case, "feed_back", plant, hours=1, feedback="现场复测正常，为仪表零点漂移，已校零")
        for number in (1, 2):
            self.do(case, "unfounded", county, number, hours=2, grounds="仪表故障，已核实，见校准记录")

    def instruction(self, *, closed: bool) -> None:
        """A leader's instruction with a lead and a supporting task."""
        from fengsui.ledger import doors
        from fengsui.ledger.models import Case

        county = self.side[0]
        leader = self.small.one("top", 2)
        about = doors.About(kind="paper", id="1", place_code=self.side[1].place_id, title=f"国办督查通知（{self.serial}号装置）")
        paper = {"paper": "国务院办公厅督查通知：举一反三排查同类隐患"}
        case = doors.open("instruction", "register", paper, self.small.one("top").actor, about, key="", now=self.at).case
        self.do(case, "propose", "top", proposal="拟请厅领导阅示", leader=leader.person.pk)
        self.do(case, "instruct", "top", 2, words="请抓好落实，举一反三，按月报告", due="2027-01-31")
        lead, support = getattr(self.small, county), self.small.league
        given = self.do(case, "assign", "top", lead_office=lead.pk, supporting=[support.pk])
        for number in range(7):
            self.do(case, "report", county, hours=90, progress=PROGRESS[number % len(PROGRESS)])
        tasks = {one.owner_id: str(one.pk) for one in Case.objects.filter(pk__in=given.opened)}
        for office, name in ((lead, county), (support, "league")):
            self.do(tasks[office.pk], "sign", name, measures="制定专项方案，明确责任人")
            for number in range(4):
                self.do(tasks[office.pk], "report", name, hours=60, progress=PROGRESS[number])
            if closed:
                self.do(tasks[office.pk], "submit", name, result="已完成全部排查")
                self.do(tasks[office.pk], "pass", "top")
        if closed:
            self.do(case, "feed_back", county, feedback="全部落实，排查 12 家，整改 31 项")
            self.do(case, "agree", "top")
            self.do(case, "read_closed", "top", 2, view="同意办结")
            self.do(case, "strike_off", "top", 1)


def site_cells(number: int, place: str, office: int) -> dict[str, Any]:
    """The columns of a site beside its id ``number``."""
    return {
        "code": f"HC-{number}", "name_zh": f"示例企业{number}", "name_en": f"Example Site {number}", "place_id": place,
        "office_id": office, "industry": "hazchem", "duties": ["hazchem"], "lon": 110.0, "lat": 40.0,
    }  # fmt: skip


def region() -> Any:
    """The small region as a filled database has it."""
    from tests.small_region import Small, Somebody

    from fengsui.region.models import Holding, Office, Site

    names = {"top": "应急厅", "league": "盟局", "county": "甲旗局", "other": "乙旗局", "plant": "示例化工", "second": "示例冶炼"}
    offices = {name: Office.objects.get(name_zh=title) for name, title in names.items()}
    site = Site.objects.unscoped("the benchmark's own region").select_related("place").get(code="HC-1")
    top, league, county, other, plant, _second = offices.values()
    small = Small(top, league, county, other, plant, site, site.place)
    for name, office in offices.items():
        held = Holding.objects.filter(post__office=office).select_related("person__account", "post").order_by("id")
        small.people[name] = [Somebody(one.person, one.post, one.person.account) for one in held if one.person.account]
    return small


def families() -> Iterator[list[str]]:
    """The ids of each case that nobody opened, with all that came out of it."""
    from fengsui.ledger.models import Case

    for root in Case.objects.filter(root_id__isnull=True).order_by("opened_at", "id").values_list("pk", flat=True):
        others = Case.objects.filter(root_id=root).order_by("opened_at", "id").values_list("pk", flat=True)
        yield [str(one) for one in (root, *others)]
