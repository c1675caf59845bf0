"""Fits become work that one worker at a time carries out, like runs and exports."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import annotator.models.codes

LIVE = ["queued", "running"]

# What stood in the table was in force or superseded: done. Codes are made up here, since a column's default is one value.
FILL = """
UPDATE annotator_fit
SET state = 'done', started_at = created_at, ended_at = created_at, code = substr(md5(random()::text || id), 1, 12)
"""
# A fit that is not done has no place in the old table. The constraints are checked now: tables cannot be altered with
# checks left open.
LEAVE_OUT = """
SET CONSTRAINTS ALL IMMEDIATE;
DELETE FROM annotator_fit WHERE state <> 'done';
SET CONSTRAINTS ALL DEFERRED
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotator", "0008_judge_examples_and_score_files"),
    ]

    operations = [
        migrations.AlterModelOptions(name="fit", options={"ordering": ["-pk"]}),
        migrations.RemoveConstraint(model_name="fit", name="fit_one_current"),
        migrations.AddField("fit", "code", models.CharField(max_length=12, null=True, editable=False)),
        migrations.AddField(
            "fit",
            "created_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("fit", "detail", models.TextField(blank=True, default=""), preserve_default=False),
        migrations.AddField("fit", "ended_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("fit", "held_until", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "fit",
            "looked",
            models.PositiveIntegerField(default=0, help_text="Solutions with rollouts when it was asked for"),
        ),
        migrations.AddField("fit", "started_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField(
            "fit",
            "state",
            models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("running", "Running"),
                    ("paused", "Paused"),
                    ("done", "Done"),
                    ("failed", "Failed"),
                    ("cancelled", "Cancelled"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
        migrations.AddField(
            "fit",
            "told",
            models.PositiveIntegerField(default=0, help_text="Solutions that people had told of when it was asked for"),
        ),
        migrations.AlterField("fit", "parameters", models.JSONField(null=True)),
        migrations.RunSQL(FILL, LEAVE_OUT),
        migrations.AlterField(
            "fit",
            "code",
            models.CharField(default=annotator.models.codes.new_code, editable=False, max_length=12, unique=True),
        ),
        migrations.AddConstraint(
            model_name="fit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "done"), ("superseded_at", None)),
                fields=("project",),
                name="fit_one_current",
            ),
        ),
        migrations.AddConstraint(
            model_name="fit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", LIVE)), fields=("project",), name="fit_one_under_way"
            ),
        ),
        migrations.AddConstraint(
            model_name="fit",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["queued", "running", "paused", "done", "failed", "cancelled"])),
                name="fit_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="fit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("parameters__isnull", False), ("state", "done")),
                    models.Q(models.Q(("state", "done"), _negated=True), ("parameters__isnull", True)),
                    _connector="OR",
                ),
                name="fit_done_has_parameters",
            ),
        ),
    ]
