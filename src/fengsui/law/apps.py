"""Django's registration of the room."""

from django.apps import AppConfig
from django.conf import settings


class LawConfig(AppConfig):
    """The law's room: a data folder's own numbers are laid over the shipped ones, and grading gets its standard."""

    name = "fengsui.law"
    label = "law"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from fengsui.region import grading

        from . import gb18218, numbers

        numbers.overlay(settings.DATA_DIR / "law")
        grading.use(gb18218.STANDARD)
