"""Django's registration of the room."""

from django.apps import AppConfig


class CockpitConfig(AppConfig):
    name = "fengsui.cockpit"
    label = "cockpit"
    default_auto_field = "django.db.models.BigAutoField"
