"""Django's registration of the room."""

from django.apps import AppConfig


class LawConfig(AppConfig):
    name = "fengsui.law"
    label = "law"
    default_auto_field = "django.db.models.BigAutoField"
