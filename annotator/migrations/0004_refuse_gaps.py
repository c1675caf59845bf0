"""What migration 0002 let through: a NULL among probabilities (a CHECK that is NULL passes), work without an assignment,
and a decision that rests on another solution's posterior."""

from django.db import migrations

CHECKS = [
    (
        "posterior",
        "posterior_has_no_gap",
        "array_position(probabilities, NULL) IS NULL",
        "a posterior with an unknown probability in it",
    ),
    ("score", "score_has_no_gap", 'array_position("values", NULL) IS NULL', "scores with an unknown value in them"),
    (
        "annotation",
        "annotation_has_an_assignment",
        "purpose = 'adjudication' OR assignment_id IS NOT NULL",
        "more work than slots: only an adjudication needs none",
    ),
]


def check(table: str, name: str, condition: str, prevents: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""ALTER TABLE annotator_{table} ADD CONSTRAINT {name} CHECK ({condition});
            COMMENT ON CONSTRAINT {name} ON annotator_{table} IS 'prevents {prevents}'""",
        f"ALTER TABLE annotator_{table} DROP CONSTRAINT {name}",
    )


def own_posterior(table: str) -> migrations.RunSQL:
    name = f"{table}_posterior_is_its_own"
    return migrations.RunSQL(
        f"""ALTER TABLE annotator_{table} ADD CONSTRAINT {name}
            FOREIGN KEY (posterior_id, solution_id) REFERENCES annotator_posterior (id, solution_id)
            DEFERRABLE INITIALLY IMMEDIATE;
            COMMENT ON CONSTRAINT {name} ON annotator_{table}
            IS 'prevents a decision that rests on the posterior of another solution'""",
        f"ALTER TABLE annotator_{table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("annotator", "0003_skipped_assignments")]
    operations = [
        *(check(*each) for each in CHECKS),
        migrations.RunSQL(
            """ALTER TABLE annotator_posterior
               ADD CONSTRAINT annotator_posterior_id_solution_id_key UNIQUE (id, solution_id)""",
            "ALTER TABLE annotator_posterior DROP CONSTRAINT annotator_posterior_id_solution_id_key",
        ),
        own_posterior("settlement"),
        own_posterior("routing"),
    ]
