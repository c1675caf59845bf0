"""What the database must refuse and Django has no words for: composite keys, array checks, append-only tables."""

from django.db import migrations

# (table, columns, target table, target columns, what it prevents). IMMEDIATE, so that a wrong row fails where it is
# written; deferrable, because a purge deletes parents and children in one go.
COMPOSITE_KEYS = [
    ("solution", "problem_id, project_id", "problem", "id, project_id", "a solution of another project's problem"),
    ("slot", "solution_id, project_id", "solution", "id, project_id", "a slot counted in another project's queue"),
    ("audit", "solution_id, project_id", "solution", "id, project_id", "an audit counted for another project"),
    ("disagreement", "solution_id, project_id", "solution", "id, project_id", "a disagreement filed elsewhere"),
    ("assignment", "slot_id, solution_id", "slot", "id, solution_id", "work on a solution through another's slot"),
    (
        "annotation",
        "assignment_id, solution_id, rater_id",
        "assignment",
        "id, solution_id, rater_id",
        "work handed in for another's assignment",
    ),
    ("rating", "annotation_id, solution_id", "annotation", "id, solution_id", "a rating filed under another solution"),
    ("rating", "solution_id, index", "step", "solution_id, index", "a rating of a step that the solution lacks"),
    ("label", "solution_id, index", "step", "solution_id, index", "a label of a step that the solution lacks"),
    (
        "label",
        "settlement_id, solution_id, source, provisional",
        "settlement",
        "id, solution_id, source, provisional",
        "a label whose source is not its settlement's",
    ),
    *(
        (
            table,
            "solution_id, step_count",
            "solution",
            "id, step_count",
            "a copied step count that is not the solution's",
        )
        for table in ("judgement", "rollout", "score", "importedannotation", "posterior", "settlement")
    ),
]

# Raw ratings and evidence: never changed, never deleted (but by a purge).
FROZEN = ["rating", "judgement", "grade", "owngrade", "score", "importedannotation", "call", "event", "exportfile"]
# Changed in the named columns only.
SUPERSEDED = {
    "rollout": [],
    "annotation": ["superseded_at"],
    "label": ["superseded_at"],
    "settlement": ["superseded_at"],
    "posterior": ["superseded_at"],
    "routing": ["superseded_at"],
}

CHECKS = [
    (
        "posterior",
        "posterior_is_a_distribution",
        "cardinality(probabilities) = step_count + 1 AND 0 <= ALL(probabilities) AND 1 >= ALL(probabilities)",
        "a posterior of the wrong length, or a probability outside 0..1",
    ),
    (
        "score",
        "score_is_a_probability_a_step",
        "cardinality(values) = step_count AND 0 <= ALL(values) AND 1 >= ALL(values)",
        "scores of the wrong length, or outside 0..1",
    ),
    ("token", "token_has_scopes", "cardinality(scopes) > 0", "a token that may nothing"),
]


def _quoted(columns: str) -> str:
    return ", ".join(f'"{column.strip()}"' for column in columns.split(","))


def composite_keys() -> list[migrations.RunSQL]:
    operations, targets = [], set()
    for number, (table, columns, target, target_columns, prevents) in enumerate(COMPOSITE_KEYS):
        wanted = f"annotator_{target}_{target_columns.replace(', ', '_')}"[:58] + "_key"
        if (target, target_columns) not in targets and target_columns.startswith("id"):
            targets.add((target, target_columns))
            operations.append(
                migrations.RunSQL(
                    f"ALTER TABLE annotator_{target} ADD CONSTRAINT {wanted} UNIQUE ({_quoted(target_columns)})",
                    f"ALTER TABLE annotator_{target} DROP CONSTRAINT {wanted}",
                )
            )
        name = f"{table}_composite_{number}"
        operations.append(
            migrations.RunSQL(
                f"""ALTER TABLE annotator_{table} ADD CONSTRAINT {name}
                    FOREIGN KEY ({_quoted(columns)}) REFERENCES annotator_{target} ({_quoted(target_columns)})
                    DEFERRABLE INITIALLY IMMEDIATE;
                    COMMENT ON CONSTRAINT {name} ON annotator_{table} IS 'prevents {prevents.replace("'", "''")}'""",
                f"ALTER TABLE annotator_{table} DROP CONSTRAINT {name}",
            )
        )
    return operations


def checks() -> list[migrations.RunSQL]:
    return [
        migrations.RunSQL(
            f"""ALTER TABLE annotator_{table} ADD CONSTRAINT {name} CHECK ({condition});
                COMMENT ON CONSTRAINT {name} ON annotator_{table} IS 'prevents {prevents}'""",
            f"ALTER TABLE annotator_{table} DROP CONSTRAINT {name}",
        )
        for table, name, condition, prevents in CHECKS
    ]


# `SET LOCAL stepwise.purge = 'on'` is how the purge command, and nothing else, gets past these.
APPEND_ONLY = """
CREATE FUNCTION stepwise_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed text[] := TG_ARGV;
BEGIN
    IF current_setting('stepwise.purge', true) = 'on' THEN
        RETURN COALESCE(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' AND cardinality(allowed) > 0 AND (to_jsonb(NEW) - allowed) = (to_jsonb(OLD) - allowed) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of % is refused: its rows are append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def append_only() -> list[migrations.RunSQL]:
    operations = [migrations.RunSQL(APPEND_ONLY, "DROP FUNCTION stepwise_append_only()")]
    for table, columns in [*((table, []) for table in FROZEN), *SUPERSEDED.items()]:
        arguments = ", ".join(f"'{column}'" for column in columns)
        operations.append(
            migrations.RunSQL(
                f"""CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON annotator_{table}
                    FOR EACH ROW EXECUTE FUNCTION stepwise_append_only({arguments})""",
                f"DROP TRIGGER append_only ON annotator_{table}",
            )
        )
    return operations


class Migration(migrations.Migration):
    dependencies = [("annotator", "0001_initial")]
    operations = [*composite_keys(), *checks(), *append_only()]
