"""What every test of a run has: waits that are short, and no worker but itself."""

from __future__ import annotations

import pytest

from annotator import enqueue
from annotator.preannotation import clients
from reasoning.llm.retries import RetryPolicy


@pytest.fixture(autouse=True)
def _alone_and_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same policy with shorter waits; a worker that another test left running must not take these runs."""
    monkeypatch.setattr(enqueue, "_send", lambda name, ids: None)
    monkeypatch.setattr(clients, "RETRIES", RetryPolicy(attempts=2, first_wait=0.01, longest_wait=0.02))
