"""Django's registration of the room."""

from django.apps import AppConfig


class CockpitConfig(AppConfig):
    """The shell's room as Django knows it."""

    name = "fengsui.cockpit"
    label = "cockpit"
    default_auto_field = "django.db.models.BigAutoField"
