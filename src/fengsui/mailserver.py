"""The mail server's address: how it is written, and that no password goes over a network in clear.

In: ``FENGSUI_MAIL_URL``. Out: what a mail library needs. It imports nothing of ours: settings read it, and so does whatever
looks at the settings before anything starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
"""Scheme → its usual port. ``smtps``: TLS from the start (RFC 8314); ``smtp+starttls``: after STARTTLS, or not at all."""
SUBMISSION = 587
HERE = ("localhost", "127.0.0.1", "::1")
FORM = "Write smtps://USER:PASSWORD@HOST or smtp+starttls://USER:PASSWORD@HOST."
ESCAPED = "In USER and PASSWORD, write / as %2F, # as %23, ? as %3F, @ as %40 and % as %25."


class WrongMailServer(ValueError):
    """The address cannot be used; the message says what is wrong and what to write."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over: ``tls`` from the start, ``starttls`` before anything is said, or neither."""

    host: str
    port: int
    user: str
    password: str
    tls: bool
    starttls: bool


def mail_server(url: str) -> MailServer | None:
    """The server of an address; none for an empty one. ``smtp`` on the submission port 587 gets STARTTLS too.

    Raises ``WrongMailServer`` for an address that is none, and for a user or password that would leave this machine in clear.
    """
    if not url.strip():
        return None
    try:
        parts = urlsplit(url.strip())
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:  # its words quote what stands where the port should: with an unescaped / that is the password
        raise WrongMailServer(f"FENGSUI_MAIL_URL cannot be read. {FORM} {ESCAPED}") from None
    cut = parts.path.strip("/") or parts.query or parts.fragment or parts.netloc.count("@") > 1  # by a sign in the password
    if parts.scheme not in PORTS or not parts.hostname or cut:
        raise WrongMailServer(f"FENGSUI_MAIL_URL is no mail server's address. {FORM} {ESCAPED}")
    tls = parts.scheme == "smtps"
    starttls = parts.scheme == "smtp+starttls" or (parts.scheme == "smtp" and port == SUBMISSION)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if (user or password) and not (tls or starttls) and parts.hostname not in HERE:
        raise WrongMailServer(
            f"FENGSUI_MAIL_URL would send the mail server's password in clear to {parts.hostname}:{port}. {FORM} "
            "Or leave user and password out."
        )
    return MailServer(parts.hostname, port, user, password, tls, starttls)
