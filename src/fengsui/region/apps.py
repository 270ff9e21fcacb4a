"""Django's registration of the room."""

from django.apps import AppConfig


class RegionConfig(AppConfig):
    name = "fengsui.region"
    label = "region"
    default_auto_field = "django.db.models.BigAutoField"
