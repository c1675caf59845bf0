"""The audit draw, and the threshold that machines are held to.

Audits are drawn before a solution is routed for the first time, by a hash that nobody chooses: the same solutions in
whatever order and batches they come. What is routed already cannot be drawn any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from annotator.models import Audit, Certificate, Project, Routing, Solution

_SPAN: Final = 2**64


def chance(*parts: str) -> float:
    """A number in [0, 1) that only these strings decide."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / _SPAN


def draw_audit(solutions: Sequence[Solution]) -> set[int]:
    """Pks of those that are audits: drawn earlier, or now where never routed. The draw is stored; it happens once."""
    pks = [solution.pk for solution in solutions]
    audits = set(Audit.objects.filter(solution__in=pks).values_list("solution_id", flat=True))
    routed = set(Routing.objects.filter(solution__in=pks).values_list("solution_id", flat=True))
    drawn = [
        Audit(project=solution.project, solution=solution, share=solution.project.audit_share)
        for solution in solutions
        if solution.pk not in audits | routed
        and chance(solution.project.audit_seed, solution.code) < solution.project.audit_share
    ]
    Audit.objects.bulk_create(drawn)
    return audits | {audit.solution_id for audit in drawn}


def in_force(project: Project) -> Certificate | None:
    """The project's certificate, unless there is none or it was withdrawn."""
    return Certificate.objects.filter(project=project, withdrawn_at=None).first()


def threshold_of(project: Project) -> tuple[float, Certificate | None]:
    """What max P must reach for a machine label, and the certificate that proves it; without one it is provisional."""
    certificate = in_force(project)
    return (certificate.threshold, certificate) if certificate else (project.threshold, None)


def audit_readers(project: Project) -> int:
    """People who read each audit: as many as any solution has, two at least while a certificate rests on them."""
    return max(project.overlap, 2) if in_force(project) else project.overlap
