"""Django's registration of the room."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class LedgerConfig(AppConfig):
    """The ledger's room: conditions and effects register themselves, and each migration is followed by the role's rights."""

    name = "fengsui.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from fengsui.ledger import amending, beneath, conditions, database, effects, erasure  # noqa: F401 - they register themselves

        beneath.stand()

        post_migrate.connect(database.after_migrations, sender=self, dispatch_uid="ledger.privileges")
