"""Django's registration of the room."""

from django.apps import AppConfig


class WatchConfig(AppConfig):
    name = "fengsui.watch"
    label = "watch"
    default_auto_field = "django.db.models.BigAutoField"
