"""The app's own errors: raised early by domain modules, mapped once at the edge (views, api/problems.py).

DomainError
├── Invalid         422: a field of what was sent is wrong; nothing was stored
├── NotAllowed      403: the person lacks the right
├── Conflict        409: somebody or something was first; the message says who or what
│   ├── LeaseGone       the assignment's lease went to somebody else, or it is no longer open
│   └── StaleDraft      a newer draft of the same assignment exists
├── Reused          422: an idempotency key came back with another body
└── Unusable        the system cannot do it as it is set up (no endpoint, no broker); the message says what to set
"""

from __future__ import annotations


class DomainError(Exception):
    status = 400
    title = "Refused"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(DomainError):
    status = 422
    title = "Invalid"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        """Path of the field, such as `ratings[2].rating`."""
        self.reason = reason


class NotAllowed(DomainError):
    status = 403
    title = "Not allowed"


class Conflict(DomainError):
    status = 409
    title = "Conflict"


class LeaseGone(Conflict):
    title = "Lease gone"


class StaleDraft(Conflict):
    title = "Stale draft"


class Reused(DomainError):
    status = 422
    title = "Idempotency key reused"


class Unusable(DomainError):
    status = 409
    title = "Not set up"
