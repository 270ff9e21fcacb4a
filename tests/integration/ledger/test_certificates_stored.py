"""Each stored wording carries the certificate of exactly that wording, the exercise's too."""

from __future__ import annotations

import pytest

from fengsui import moment
from fengsui.ledger import mechanisms
from fengsui.ledger.models import MechanismVersion
from fengsui.services.prepare import _certificates


@pytest.mark.django_db
def test_every_version_has_its_own_certificate() -> None:
    mechanisms.store(moment.now(), _certificates())
    versions = list(MechanismVersion.objects.all())
    assert {version.name for version in versions} == mechanisms.on_disk().keys()
    assert all(version.certificate["digest"] == version.digest for version in versions)
    assert _certificates() == {}, "what is stored is not proven again"
