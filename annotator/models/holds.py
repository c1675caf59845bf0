"""Work that one worker at a time carries out: intakes, runs, exports."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone


class WorkState(models.TextChoices):
    """States of intakes, runs and exports."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE_STATES = (WorkState.QUEUED, WorkState.RUNNING)


class Held(models.Model):
    """A row of work, and until when a worker is at it."""

    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.QUEUED)
    held_until: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True, blank=True)
    """A worker is at it until then; a worker that died stops renewing, and the sweep hands the work on."""

    _held: datetime | None = None

    class Meta:
        abstract = True

    @classmethod
    def unattended(cls) -> list[int]:
        """Keys of what should be under way and has no worker: a message was lost, or a worker died."""
        free = models.Q(held_until=None) | models.Q(held_until__lt=timezone.now())
        return list(cls._default_manager.filter(free, state__in=LIVE_STATES).values_list("pk", flat=True))

    @property
    def free(self) -> bool:
        """Nobody is at it, as far as this object knows."""
        return self.held_until is None or self.held_until < timezone.now()

    def hold(self, seconds: float = 60.0) -> bool:
        """Take the right to do this work, or keep what this very object took before.

        False when another worker has it, or the work is not live. Each hold is known by its end, to the microsecond.
        """
        now = timezone.now()
        free = models.Q(held_until=None) | models.Q(held_until__lt=now)
        if self._held is not None:
            free |= models.Q(held_until=self._held)
        until = now + timedelta(seconds=seconds)
        if not type(self)._default_manager.filter(free, pk=self.pk, state__in=LIVE_STATES).update(held_until=until):
            return False
        self._held = until
        return True

    def let_go(self) -> None:
        """Give the hold back, if it still is ours."""
        ours = type(self)._default_manager.filter(pk=self.pk, held_until=self._held)
        ours.exclude(held_until=None).update(held_until=None)
        self._held = None

    @property
    def held_rows(self) -> models.QuerySet[Self]:
        """This work as a row while this object holds it; empty once it was paused, cancelled or taken over."""
        live = type(self)._default_manager.filter(pk=self.pk, state__in=LIVE_STATES, held_until=self._held)
        return live.exclude(held_until=None)
