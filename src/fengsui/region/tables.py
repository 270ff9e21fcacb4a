"""Sites and offices as rows of words, and the sites' export."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext
from openpyxl import Workbook

from fengsui.moment import LEGAL_ZONE

from .filters import INDUSTRIES, grade_word, here, name_of
from .models import Office, Site
from .supervision import supervisor_ids

EXPORT_AT_MOST = 20_000


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site in a list."""

    site: Site
    name: str
    place: str
    industry: str
    grade: str
    major: bool
    supervisors: tuple[str, ...]  # by duty; empty where nobody answers for one
    url: str


def site_rows(sites: Iterable[Any], now: datetime) -> list[SiteRow]:
    """The rows of one page; two queries however many there are."""
    page = list(sites)
    wanted = supervisor_ids(((site.pk, duty) for site in page for duty in site.duties), "county", now)
    offices = office_names(office for office in wanted.values() if office)
    return [
        SiteRow(
            site=site,
            name=name_of(site),
            place=name_of(site.place),
            industry=here(INDUSTRIES[site.industry]) if site.industry in INDUSTRIES else site.industry,
            grade=grade_word(site.worst) if site.worst else "",
            major=bool(site.worst),
            supervisors=tuple(offices.get(wanted[site.pk, duty] or 0, "") for duty in site.duties),
            url=site_url(site.code),
        )
        for site in page
    ]


def site_url(code: str) -> str:
    """The site's page, which a room above brings; empty where it is not installed."""
    try:
        return reverse("cockpit:site", args=[code])
    except NoReverseMatch:
        return ""


def office_names(ids: Iterable[int]) -> Mapping[int, str]:
    """Office id → its name in the reader's language."""
    return {office.pk: name_of(office) for office in Office.objects.filter(pk__in=set(ids)).only("name_zh", "name_en")}


def workbook(sites: Iterable[Any], title: str, who: str, now: datetime) -> Workbook:
    """The list of sites as a sheet: filter, who and when in the head, one row a site."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(gettext("Sites"))
    at = now.astimezone(LEGAL_ZONE).strftime("%Y-%m-%d %H:%M")
    sheet.append([title])
    sheet.append([gettext("Exported by %(who)s at %(at)s, internal") % {"who": who, "at": at}])
    heads = ("Code", "Name", "Place", "Industry", "Major hazard", "Supervised by", "Longitude", "Latitude", "Made up")
    sheet.append([gettext(head) for head in heads])
    for row in site_rows(sites, now):
        sheet.append([
            row.site.code, row.name, row.place, row.industry, row.grade, "；".join(filter(None, row.supervisors)),
            row.site.lon, row.site.lat, gettext("yes") if row.site.synthetic else "",
        ])  # fmt: skip
    return book
