"""The mail server's address: TLS wherever a password leaves the machine."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fengsui.mailserver import HERE, MailServer, WrongMailServer, mail_server


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", None),
        ("smtps://u:p@mail.example.cn", MailServer("mail.example.cn", 465, "u", "p", True, False)),
        ("smtps://u:p@mail.example.cn:2465", MailServer("mail.example.cn", 2465, "u", "p", True, False)),
        ("smtp+starttls://u:p%40x@mail.example.cn", MailServer("mail.example.cn", 587, "u", "p@x", False, True)),
        ("smtp+starttls://u:p@mail.example.cn:25", MailServer("mail.example.cn", 25, "u", "p", False, True)),
        ("smtp://u:p@mail.example.cn:587", MailServer("mail.example.cn", 587, "u", "p", False, True)),
        ("smtp://relay.example.cn", MailServer("relay.example.cn", 25, "", "", False, False)),
        ("smtp://u:p@127.0.0.1:2525", MailServer("127.0.0.1", 2525, "u", "p", False, False)),
        ("smtp://u:p@[::1]", MailServer("::1", 25, "u", "p", False, False)),
    ],
)
def test_an_address_is_read(url: str, found: MailServer | None) -> None:
    assert mail_server(url) == found


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("smtp://u:p@mail.example.cn", "in clear to mail.example.cn:25"),
        ("smtp://u:p@mail.example.cn:2525", "in clear to mail.example.cn:2525"),
        ("smtp://u@mail.example.cn", "in clear"),
        ("smtp://u:p@127.0.0.1.example.cn", "in clear"),
        ("mail.example.cn", "no mail server's address"),
        ("https://mail.example.cn", "no mail server's address"),
        ("smtps://", "no mail server's address"),
        ("smtps://mail.example.cn:99999", "cannot be read"),
        ("smtps://[mail", "cannot be read"),
    ],
)
def test_a_wrong_one_is_refused_with_what_to_write(url: str, says: str) -> None:
    with pytest.raises(WrongMailServer, match=says) as refused:
        mail_server(url)
    assert "smtps://USER:PASSWORD@HOST" in str(refused.value)
    assert ":p@" not in str(refused.value), "the password is not repeated"


@pytest.mark.parametrize("password", ["12/pass#word", "pass/word", "12?pass", "12#pass", "pass@word", "pass[word", "12/p@ss"])
@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_a_password_with_signs_is_neither_cut_nor_repeated(scheme: str, password: str) -> None:
    with pytest.raises(WrongMailServer, match=r"/ as %2F, # as %23, \? as %3F, @ as %40") as refused:
        mail_server(f"{scheme}://u:{password}@mail.example.cn")
    told = "".join(traceback.format_exception(refused.value))
    assert "12" not in told and "word" not in told.replace("password", "")


@given(st.text(max_size=40), st.text(max_size=20), st.sampled_from(["smtp", "smtps", "smtp+starttls", "SMTP", "x", ""]))
def test_no_password_leaves_the_machine_in_clear(rest: str, user: str, scheme: str) -> None:
    try:
        found = mail_server(f"{scheme}://{user}:secret@{rest}")
    except WrongMailServer:
        return
    if found is not None and (found.user or found.password):
        assert found.tls or found.starttls or found.host in HERE


def test_a_process_says_it_in_one_sentence(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "NATS_URL": "nats://127.0.0.1:1"}
    environment = {**os.environ, **away, "FENGSUI_MAIL_URL": "smtp://u:secret@mail.example.cn"}
    words = [sys.executable, "-m", "fengsui.services.cli", "clock", "--data", str(tmp_path)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 23 and "Traceback" not in done.stderr
    assert done.stderr.startswith("fengsui: FENGSUI_MAIL_URL would send") and "secret" not in done.stderr
