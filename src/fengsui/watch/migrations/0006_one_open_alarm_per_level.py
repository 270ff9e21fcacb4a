"""A point's level has at most one open alarm, whichever rule it was raised by.

Two of a folder that was written before, one under each of a rule and its successor, become one first: the latest goes on, the
others end in it, with their warning and a line in their record.
"""

from django.db import migrations, models
from django.db.models import Q

DOUBLES = """
CREATE TEMPORARY TABLE watch_double ON COMMIT DROP AS
SELECT id, stays, raised, stays_case FROM (
    SELECT a.id, first_value(a.id) OVER latest AS stays, first_value(a.raised_at) OVER latest AS raised,
           first_value(c.id) OVER (
               PARTITION BY a.point_id, a.level ORDER BY c.id IS NULL, a.order_seq DESC, a.order_index DESC, a.id DESC
           ) AS stays_case
    FROM watch_alarm a LEFT JOIN ledger_case c ON c.id = a."case" AND NOT c.ended  -- an ended warning answers no alarm
    WHERE a.closed_at IS NULL
    WINDOW latest AS (PARTITION BY a.point_id, a.level ORDER BY a.order_seq DESC, a.order_index DESC, a.id DESC)
) AS ranked WHERE id <> stays;
UPDATE watch_alarm SET "case" = d.stays_case FROM watch_double d WHERE watch_alarm.id = d.stays AND watch_alarm."case" IS NULL;
INSERT INTO watch_alarmevent (event_id, alarm_id, kind, rule_id, point_id, at, stored_at, text)
SELECT 'double-' || a.id, a.id, 'double', a.rule_id, a.point_id, greatest(a.raised_at, d.raised), greatest(a.raised_at, d.raised),
       '→ ' || d.stays
FROM watch_double d JOIN watch_alarm a USING (id);
UPDATE watch_alarm a SET state = 'normal', closed_at = greatest(a.raised_at, d.raised),
       cleared_at = coalesce(a.cleared_at, greatest(a.raised_at, d.raised))
FROM watch_double d WHERE a.id = d.id;
DROP TABLE watch_double;
"""


class Migration(migrations.Migration):
    dependencies = [("watch", "0005_event_text"), ("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(DOUBLES, migrations.RunSQL.noop),
        migrations.RemoveConstraint("alarm", "watch_alarm_one_open"),
        migrations.AddConstraint(
            "alarm",
            models.UniqueConstraint(
                fields=["point", "level"], condition=Q(closed_at__isnull=True), nulls_distinct=False, name="watch_alarm_one_open"
            ),
        ),
    ]
