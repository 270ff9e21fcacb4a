"""Tells open pages that the alarms of a site changed; the publisher spreads it once that is committed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fengsui.ledger.models import Outbox
from fengsui.region.models import Site


def spread(sites: Iterable[int | None], now: datetime) -> None:
    """One line of news (topic ``alarm``, the site's id) for each site."""
    known = Site.objects.unscoped("who may hear it is decided at the page").filter(pk__in=[s for s in sites if s is not None])
    rows = [
        Outbox(
            topic="alarm",
            payload={"id": str(pk), "place_path": path, "duty": duties[0] if duties else "", "offices": [office]},
            at=now,
            done_at=now,
        )
        for pk, path, duties, office in known.values_list("pk", "place__path", "duties", "office_id")
    ]
    Outbox.objects.bulk_create(rows)
