"""Find what waits for an office without walking along all of its clocks: of one case, and of urgent ones."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ledger", "0012_room_for_moves")]

    operations = [
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("ended", False), ("level__in", ("red", "orange"))),
                fields=["owner_id", "next_due"],
                name="case_owner_urgent",
            ),
        ),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("stopped__isnull", True)), fields=["holder_id", "case"], name="clock_holder_case"
            ),
        ),
    ]
