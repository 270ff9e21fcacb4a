"""The one API object, with every room's router."""

from __future__ import annotations

from ninja import NinjaAPI

from fengsui import __version__
from fengsui.api import problems
from fengsui.api.signin import BySession, ByToken
from fengsui.law.api import router as law
from fengsui.ledger.api import router as ledger
from fengsui.ledger.persons_acts.api import router as persons_acts
from fengsui.region.api import router as region
from fengsui.region.change_api import router as changes
from fengsui.watch.api import router as watch

api = NinjaAPI(
    title="Fengsui 烽燧",
    version=__version__,
    urls_namespace="api",
    docs_url=None,  # its page loads scripts from elsewhere; the cockpit shows the document itself
    auth=[ByToken(), BySession()],
    parser=problems.Body(),
)
problems.install(api)
api.add_router("", ledger)
api.add_router("", persons_acts)
api.add_router("", region)
api.add_router("", changes)
api.add_router("", law)
api.add_router("", watch)
