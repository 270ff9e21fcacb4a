"""The demo's one-click roles: they exist only where ``FENGSUI_DEMO=1``.

Only the accounts of ``data/demo/roles.yaml`` are among them: a name that a browser sends is looked up in that
list, never in the accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from django.conf import settings


@dataclass(frozen=True, slots=True)
class DemoRole:
    """A role that a visitor of the demo may take: its key, its account, its words ({zh, en})."""

    key: str
    account: str
    icon: str
    title: dict[str, str]
    line: dict[str, str]
    who: dict[str, str]
    front: bool = True  # stands on the sign-in page itself
    stands_in: str = ""  # the role whose place it takes in the split screen while it acts


@cache
def _listed() -> tuple[DemoRole, ...]:
    rows: list[dict[str, Any]] = yaml.safe_load((settings.BASE_DIR / "data" / "demo" / "roles.yaml").read_text(encoding="utf-8"))
    return tuple(DemoRole(**row) for row in rows)


def demo_roles() -> tuple[DemoRole, ...]:
    """The server's list of one-click roles, empty outside the demo."""
    return _listed() if settings.DEMO else ()
