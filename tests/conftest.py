"""Fixtures for every test; how Hypothesis runs: the same examples each time, on slow machines too.
And what one test leaves in the process (the last reader's language, what is known for five seconds) is not the next one's.

``HYPOTHESIS_PROFILE=wide`` looks further, with other examples each time.
"""

from __future__ import annotations

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache
from django.core.signals import setting_changed
from django.db import DatabaseError, connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test.client import ClientHandler
from django.test.utils import setup_databases, teardown_databases
from django.utils import translation
from hypothesis import HealthCheck, settings

_STEADY: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("steady", derandomize=True, **_STEADY)
settings.register_profile("wide", max_examples=1000, **_STEADY)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(autouse=True)
def _nobody_was_here() -> None:
    translation.deactivate()
    cache.clear()


_CHAIN = ("_view_middleware", "_template_response_middleware", "_exception_middleware", "_middleware_chain")


@pytest.fixture(autouse=True, scope="session")
def _one_chain_of_middleware() -> Iterator[None]:
    """All clients go through one chain, as all visitors of a server's process do, until a setting changes.

    Each client made its own before, and WhiteNoise looked up every static file for each of them.
    """
    made: list[ClientHandler] = []
    load = ClientHandler.load_middleware

    def shared(handler: ClientHandler, is_async: bool = False) -> None:
        if not made:
            first = ClientHandler()
            load(first, is_async)
            made.append(first)
        for name in _CHAIN:
            setattr(handler, name, getattr(made[0], name))

    def forget(**_: Any) -> None:
        made.clear()

    setting_changed.connect(forget)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", shared)
        yield
    setting_changed.disconnect(forget)


@pytest.fixture(autouse=True, scope="session")
def _passwords_in_no_time() -> Iterator[None]:
    """The hash that is used everywhere, without the seconds that make guessing dear."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1000)
        yield


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One worker at a time."""
    with (folder / "database.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


_EMPTY = """
SET LOCAL session_replication_role = replica;
DO $$
DECLARE line record;
BEGIN
  FOR line IN SELECT relname, relkind FROM pg_class
              WHERE oid = ANY (ARRAY[{}]::regclass[]) AND (relkind = 'p' OR pg_relation_size(oid) > 0)
  LOOP EXECUTE format('DELETE FROM %I', line.relname); END LOOP;
END $$
"""


@pytest.fixture(autouse=True, scope="session")
def _little_is_emptied_soon() -> Iterator[None]:
    """After a test that commits, delete its rows: `TRUNCATE` makes new files for all tables and indexes, a fifth of a second.

    Past the triggers that keep rows for ever, as `TRUNCATE` goes past them; only on the server that the tests started, whose
    owner may do that.
    """

    def rows_alone(_: Any, style: Any, tables: list[str], **more: Any) -> list[str]:
        return [_EMPTY.format(", ".join(f"'{connection.ops.quote_name(one)}'" for one in tables))]

    with pytest.MonkeyPatch.context() as patch:
        if (Path(os.environ["FENGSUI_TEST_PARTS"]) / "pg").is_dir():
            patch.setattr(DatabaseOperations, "sql_flush", rows_alone)
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any, django_db_modify_db_settings: None
) -> Iterator[None]:
    """Each worker's database: the first to need one migrates it, the others copy it on the server that the tests started."""
    folder = Path(os.environ["FENGSUI_TEST_PARTS"])
    migrated, shares = folder / "migrated", (folder / "pg").is_dir() and hasattr(request.config, "workerinput")
    name, model = connection.creation._get_test_db_name(), "test_model"
    with django_db_blocker.unblock(), _alone(folder):
        copied = shares and migrated.exists()
        if copied:
            _copy_database(model, name)
        made = setup_databases(verbosity=0, interactive=False, keepdb=copied, serialized_aliases=[])
        if shares and not copied:
            connection.close()
            _copy_database(name, model)
            migrated.touch()
    yield
    with django_db_blocker.unblock():
        try:
            teardown_databases(made, verbosity=0)
        except DatabaseError as error:  # a thread's connection is still open: no fault of the last test, the server ends anyway
            warnings.warn(f"the test database stays: {error}", stacklevel=1)


def _copy_database(source: str, target: str) -> None:
    quote = connection.ops.quote_name
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {quote(target)} TEMPLATE {quote(source)}")
