"""Text of several lines as a form sends it.

A page counts the end of a line as one character, as its scripts see it; a browser sends it as two (CR LF, HTML 4.10.21.4). One
box for all forms, so that page, bound and record count alike, and a text is the same bytes whoever sent it.
"""

from __future__ import annotations

from typing import Any

from django import forms


def plain_lines(text: str) -> str:
    """The text with every end of a line as one LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class Textarea(forms.Textarea):
    """Django's box, whose value has plain ends of lines."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """What was sent under ``name``; None for nothing."""
        sent = super().value_from_datadict(data, files, name)
        return plain_lines(sent) if isinstance(sent, str) else sent
