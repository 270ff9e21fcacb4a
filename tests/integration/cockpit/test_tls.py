"""Behind TLS: cookies never go over plain HTTP, and only a proxy of ours may say that a visitor came by https."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

ASK = """
import json
from fengsui import settings as s
names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER", "PROXIES")
print(json.dumps({name: getattr(s, name, None) for name in names}))
"""
HEADER = ["HTTP_X_FORWARDED_PROTO", "https"]


def settings(**environment: str) -> dict[str, object]:
    """What the product's settings become in this environment."""
    done = subprocess.run(
        [sys.executable, "-c", ASK], env={**os.environ, **environment}, capture_output=True, text=True, check=True, timeout=60
    )
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("origins", "proxies", "secure", "header"),
    [
        ("", "0", False, None),
        ("http://fengsui.example.org", "1", False, None),
        ("https://fengsui.example.org", "1", True, HEADER),
        ("https://fengsui.example.org", "0", True, None),
    ],
)
def test_what_an_origin_means(origins: str, proxies: str, secure: bool, header: object) -> None:
    seen = settings(FENGSUI_ORIGINS=origins, FENGSUI_PROXIES=proxies)
    assert seen["SESSION_COOKIE_SECURE"] == seen["CSRF_COOKIE_SECURE"] == secure
    assert bool(seen["SECURE_HSTS_SECONDS"]) == secure
    assert seen["SECURE_PROXY_SSL_HEADER"] == header
