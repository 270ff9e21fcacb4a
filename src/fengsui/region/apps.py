"""Django's registration of the room."""

from django.apps import AppConfig


class RegionConfig(AppConfig):
    """The region's room: an own password, once chosen, ends the one-time one."""

    name = "fengsui.region"
    label = "region"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from allauth.account.signals import password_changed, password_set

        from . import firstsignin

        password_changed.connect(firstsignin.chosen, dispatch_uid="region.password_changed")
        password_set.connect(firstsignin.chosen, dispatch_uid="region.password_set")
