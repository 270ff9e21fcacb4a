"""What a new case is about, held against what the opening post may see.

In: the post, and a site, or a place with another subject. Out: the doors' ``About``. ``PermissionDenied`` (403) for a
site or place outside the post's own; ``Refused`` 422 for a subject that contradicts itself.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext

from fengsui.ledger.doors.shapes import About, refused
from fengsui.numerals import whole
from fengsui.region.acting import Acting, scope
from fengsui.region.models import Office, Place, Site


def of_site(acting: Acting, site: str, title: str, *, place: str = "", duty: str = "", external: str = "") -> About:
    """A site of the post's own; place and field of work are the site's, and only these may be given."""
    number = whole(site)
    if number is None:
        raise refused(422, "bad_value", "id", "Give the site's id, a number")
    found = Site.objects.scoped(scope(acting)).filter(pk=number).first()
    if found is None:
        raise PermissionDenied(gettext("This site lies outside what your post may see."))
    if place and place != found.place_id:
        raise refused(422, "bad_value", "place", "The site stands in %(place)s; leave the place out", place=found.place_id)
    if duty and duty not in found.duties:
        raise refused(422, "bad_value", "duty", "The site's fields of work are: %(duties)s", duties=found.duties)
    return About("site", str(found.pk), found.place_id, duty or (found.duties[0] if found.duties else ""), title, external)


def of_place(
    acting: Acting, place: str, kind: str, title: str, *, subject: str | None = None, duty: str = "", external: str = ""
) -> About:
    """A place within the post's own, its office's where none is given; ``subject`` is the id of what stands there."""
    code = place or Office.objects.values_list("place_id", flat=True).get(pk=acting.office_id)
    if not Place.objects.filter(pk=code, path__startswith=scope(acting).place_path).exists():
        raise PermissionDenied(gettext("This place lies outside your office's own."))
    return About(kind or "place", code if subject is None else subject, code, duty, title, external)
