"""What the application's role may do in the database.

In: a connection of the owner, after migrations. Out: the role ``fengsui_app`` with its privileges.
The processes sign in as that role; only migrations, backup and restore run as the owner.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, connections, transaction
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

ROLE = "fengsui_app"
APPEND_ONLY = (
    "ledger_entry",
    "ledger_leaf",
    "ledger_tile",
    "ledger_head",
    "ledger_sealkey",
    "ledger_receipt",
    "ledger_callrecord",
    "ledger_reporterlook",
)
NEVER_DELETED = ("ledger_case", "ledger_mechanismversion", "ledger_evidence", "ledger_rung")

_MAKE_ROLE = f"""
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN
    BEGIN
      CREATE ROLE {ROLE} NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this cluster was first
    END;
  END IF;
  IF NOT pg_has_role(current_user, '{ROLE}', 'MEMBER') THEN
    BEGIN
      EXECUTE format('GRANT {ROLE} TO %I', current_user);
    EXCEPTION WHEN internal_error THEN NULL; -- granted at the same moment from another database
    END;
  END IF;
END $$
"""  # noqa: S608 - constants of this module only

_GRANTS = f"""
GRANT USAGE ON SCHEMA public TO {ROLE};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {ROLE};
REVOKE UPDATE, DELETE, TRUNCATE ON {", ".join(APPEND_ONLY)} FROM {ROLE};
REVOKE DELETE, TRUNCATE ON {", ".join(NEVER_DELETED)} FROM {ROLE};
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON django_migrations FROM {ROLE};
"""  # noqa: S608 - constants of this module only


def grant(alias: str = "default") -> None:
    """Make the role where it is missing and give it exactly its privileges; safe to repeat.

    Raises ``django.db.ProgrammingError`` where the owner may not create roles: then a database
    administrator runs ``CREATE ROLE fengsui_app NOLOGIN; GRANT fengsui_app TO owner`` once.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(_MAKE_ROLE)
        cursor.execute(_GRANTS)


def let_sign_in(address: str, alias: str = "default") -> None:
    """Let the role sign in as ``address`` (``postgresql://fengsui_app:SECRET@…``) says, where it cannot yet.

    The server gets only the secret's SCRAM verifier, so no log of its can show it. A process that signed in as the
    role has no owner to go back to, whatever SQL it is made to run. Raises ``psycopg.Error`` where that is not to be had.
    """
    wanted = conninfo_to_dict(address)
    try:
        psycopg.connect(address, connect_timeout=5).close()
    except psycopg.OperationalError:
        if wanted.get("user") != ROLE:
            raise
        with connections[alias].cursor() as cursor:
            secret = str(wanted.get("password", "")).encode()
            verifier = cursor.connection.pgconn.encrypt_password(secret, ROLE.encode(), b"scram-sha-256").decode()
            cursor.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(ROLE), sql.Literal(verifier)))


def after_migrations(*, using: str, **_: Any) -> None:
    """The ``post_migrate`` receiver: only the owner grants, and only where the tables are there."""
    connection = connections[using]
    if connection.vendor != "postgresql" or os.environ.get("FENGSUI_DB_ROLE"):
        return
    if "ledger_receipt" in connection.introspection.table_names():
        grant(using)


def conninfo() -> str:
    """How libpq reaches the database that Django uses, for connections of one's own: listening, streaming."""
    known = connection.get_connection_params()
    wanted = ("dbname", "user", "password", "host", "port", "options")
    return make_conninfo(**{name: known[name] for name in wanted if known.get(name)})


@contextmanager
def one_moment() -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection that sees the database as it is now, whatever others write meanwhile, and lends that sight.

    Other connections see the same through `snapshot_of`: so a check that reads with several of them, or one query
    after the other, finds nothing amiss while people go on working. Survives a fork that does not touch it.
    """
    with psycopg.connect(conninfo()) as keeper:
        keeper.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        keeper.read_only = True
        yield keeper


def snapshot_of(keeper: psycopg.Connection[tuple[Any, ...]]) -> str:
    """The name under which other connections enter the keeper's sight, as long as it lasts."""
    row = keeper.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    return str(row[0])


@contextmanager
def seeing(snapshot: str) -> Iterator[None]:
    """Let Django's own queries inside see the snapshot. Raises ``django.db.Error`` inside another transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
        yield
