"""Who works here. Ratings carry a rater, never a person: erasing a person cuts the link and keeps the work."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from annotator.models.codes import new_code

if TYPE_CHECKING:
    from annotator.models.projects import Project


class Rater(models.Model):
    """The pseudonymous identity that ratings carry."""

    code = models.CharField(max_length=12, unique=True, default=new_code, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"rater {self.code}"


class Person(AbstractUser):
    """An account. `is_staff` runs the installation: projects, endpoints, people."""

    rater = models.OneToOneField(Rater, null=True, blank=True, on_delete=models.PROTECT, related_name="person")
    must_change_password = models.BooleanField(default=False)

    memberships: models.Manager[Membership]

    def work_as(self) -> Rater:
        """This person's rater; made the first time that they work."""
        if self.rater is None:
            self.rater = Rater.objects.create()
            self.save(update_fields=["rater"])
        return self.rater


class Role(models.TextChoices):
    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    MANAGER = "manager"
    TRAINER = "trainer"


class Membership(models.Model):
    """What one person may do in one project."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="memberships")
    project = models.ForeignKey("annotator.Project", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            # One role a project: two rows would make "may they?" depend on which is read first.
            models.UniqueConstraint(fields=["person", "project"], name="membership_one_role"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.person} as {self.role}"


class Scope(models.TextChoices):
    READ = "read"
    INTAKE = "intake"
    LABEL = "label"
    EXPORT = "export"
    MANAGE = "manage"


class TokenQuerySet(models.QuerySet["Token"]):
    def find(self, secret: str) -> Token | None:
        """The live token of this secret, with its person."""
        digest = hash_secret(secret)
        live = self.filter(digest=digest, revoked_at=None, person__is_active=True)
        return live.select_related("person", "person__rater").first()


def hash_secret(secret: str) -> str:
    """Secrets are 256 random bits, so a plain hash cannot be guessed backwards."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Token(models.Model):
    """An API key. Only its hash is kept; the secret is shown once."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=12, choices=Scope))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(null=True, blank=True)

    objects = TokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"token {self.name or self.pk}"

    def revoke(self) -> None:
        """From now on it opens nothing."""
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])

    @classmethod
    def issue(cls, person: Person, scopes: list[str], name: str = "") -> tuple[Token, str]:
        """A new token and its secret, which nobody can read again."""
        secret = "sw_" + secrets.token_urlsafe(32)
        return cls.objects.create(person=person, scopes=scopes, name=name, digest=hash_secret(secret)), secret


def join(person: Person, project: Project, role: str) -> Membership:
    """Give `person` this role in `project`, in place of any other."""
    membership, _ = Membership.objects.update_or_create(person=person, project=project, defaults={"role": role})
    return membership
