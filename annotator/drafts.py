"""Work not yet handed in: kept on the server, so that it survives a closed window, with its undo log."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from annotator import leases
from annotator.errors import Invalid, StaleDraft
from annotator.models import Draft, Rater
from annotator.models.work import RATINGS
from annotator.submissions import LONGEST
from reasoning.characters import escape

_INDEX: Final = re.compile("0|[1-9][0-9]{0,8}")
UNDO_KEPT: Final = 500
"""The newest entries of an undo log that are kept."""


@transaction.atomic
def save_draft(
    code: str,
    rater: Rater,
    *,
    ratings: Mapping[str, Mapping[str, Any]],
    undo: Sequence[Any],
    comment: str,
    seconds: float,
    version: int,
) -> Draft:
    """Replace the draft of an open assignment; `version` is the one that was read (0 where there was none).

    Returns it with its new version; the lease is renewed, for somebody is evidently at work. Raises StaleDraft when
    another window saved meanwhile, LeaseGone when the assignment is no longer the rater's, Invalid for ratings that
    are not `{"<index>": {"rating": −1 | 0 | 1 | "unsure", …}}`.
    """
    assignment = leases.renew(code, rater)
    if not 0 <= seconds <= LONGEST:  # NaN is neither
        raise Invalid("seconds", f"must be 0 to {LONGEST:,}")
    _check(ratings, assignment.solution.step_count)
    draft, _ = Draft.objects.get_or_create(assignment=assignment)  # one at a time: renew holds the assignment's row
    if draft.version != version:
        raise StaleDraft(f"version {draft.version} was saved meanwhile, from another window perhaps")
    draft.ratings = _escaped(dict(ratings))
    draft.undo = _escaped(list(undo)[-UNDO_KEPT:])
    draft.comment = escape(comment)
    draft.seconds = seconds
    draft.version += 1
    draft.updated_at = timezone.now()
    draft.save()
    return draft


def _check(ratings: Mapping[str, Mapping[str, Any]], steps: int) -> None:
    for index, each in ratings.items():
        if not (isinstance(index, str) and _INDEX.fullmatch(index) and int(index) < steps):
            raise Invalid("ratings", f"the solution has no step {index[:20]}: they run 0 … {steps - 1}")
        rating = each.get("rating") if isinstance(each, Mapping) else None
        if isinstance(rating, bool) or str(rating) not in RATINGS:
            raise Invalid(f"ratings.{index}.rating", 'must be -1, 0, 1 or "unsure"')


def _escaped(value: Any) -> Any:
    """JSON with every text in it escaped: jsonb cannot hold NUL either."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, Mapping):
        return {escape(str(key)): _escaped(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_escaped(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise Invalid("undo", f"holds {value}, which is no number in JSON")
    return value
