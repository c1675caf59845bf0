"""Labels that come along, settled in bulk: the same rows as `settlement.settle_imported` writes one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import connection

from annotator.intake.prepared import Prepared
from annotator.models import Intake, Settlement, Solution, Source


def settle(stored: Iterable[tuple[Solution, Prepared]], intake: Intake, now: datetime) -> None:
    """Settle new solutions whose first error is known. Their status must be "settled" already."""
    told = [(solution, prepared) for solution, prepared in stored if prepared.first_error is not None]
    settlements = Settlement.objects.bulk_create(
        Settlement(
            solution=solution,
            source=Source.IMPORTED,
            step_count=solution.step_count,
            first_error=prepared.first_error,
            intake=intake,
            finish_reason=prepared.finish_reason,
            created_at=now,
        )
        for solution, prepared in told
    )
    _copy_labels([(settlement, prepared) for settlement, (_, prepared) in zip(settlements, told, strict=True)], now)


def _copy_labels(settled: Sequence[tuple[Settlement, Prepared]], now: datetime) -> None:
    columns = "settlement_id, solution_id, index, value, source, provisional, created_at"
    with connection.cursor() as cursor, cursor.copy(f"COPY annotator_label ({columns}) FROM STDIN") as copy:
        for settlement, prepared in settled:
            for index, value in sorted(prepared.labels.items()):
                key = (settlement.pk, settlement.solution_id, index, value)
                copy.write_row((*key, settlement.source, False, now))
