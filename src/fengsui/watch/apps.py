"""Django's registration of the room."""

from django.apps import AppConfig


class WatchConfig(AppConfig):
    """Registers what mechanisms may ask the watch about."""

    name = "fengsui.watch"
    label = "watch"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from fengsui.watch import beneath, facts

        facts.register()
        beneath.stand()
