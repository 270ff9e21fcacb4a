"""Jobs that a test's own transaction deferred: nobody else sees them there, so the test carries them out itself."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import datetime
from unittest import mock

from django.db import connection
from procrastinate.contrib.django import app


def carry_out(*names: str, at: datetime | None = None) -> int:
    """Run the waiting jobs of these tasks in their order, and take them off; how many there were. ``at``: the moment then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' AND task_name = ANY(%s) RETURNING id, task_name, args",
            [list(names)],
        )
        rows = sorted(cursor.fetchall())
    with mock.patch("fengsui.moment.now", lambda: at) if at is not None else nullcontext():
        for _, name, args in rows:
            app.tasks[name](**json.loads(args))
    return len(rows)
