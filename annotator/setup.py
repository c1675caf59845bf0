"""What is there before anybody did anything: the endpoints that the environment names, new projects, the sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from annotator import intake, runs
from annotator.errors import Invalid
from annotator.models import Endpoint, EndpointKind, Event, Intake, Person, Project, Role, Run, RunKind, join, record

ENVIRONMENT: Final = "Environment"
SIMULATOR: Final = "Simulator"
SAMPLE_SLUG: Final = "sample"
SAMPLE_LOADED: Final = "sample.loaded"
RESERVED: Final = frozenset({"new"})
"""Slugs that would hide behind a page: /projects/new/."""
RULES: Final = frozenset({"threshold", "overlap", "stand_ins"})
"""Settings by which it is decided where a solution goes."""


def ensure_endpoints() -> list[Endpoint]:
    """Bring the endpoints that the environment names up to date; pages may add others beside them.

    With OPENAI_BASE_URL they are called "Environment judge" and "Environment completer"; the built-in simulator's are
    always refreshed where it runs, for its port may have moved.
    """
    found = []
    if settings.OPENAI_BASE_URL:
        models = {
            EndpointKind.JUDGE: settings.STEPWISE_JUDGE_MODEL,
            EndpointKind.COMPLETER: settings.STEPWISE_COMPLETER_MODEL,
        }
        for kind, model in models.items():
            if model:
                found.append(
                    _ensure(ENVIRONMENT, kind, base_url=settings.OPENAI_BASE_URL, model=model, simulated=False)
                )
    if settings.STEPWISE_SIMULATOR_URL:
        for kind in (EndpointKind.JUDGE, EndpointKind.COMPLETER):
            url = settings.STEPWISE_SIMULATOR_URL.rstrip("/").removesuffix("/v1") + "/v1"
            found.append(_ensure(SIMULATOR, kind, base_url=url, model=f"simulated/{kind}", simulated=True))
    return found


def _ensure(owner: str, kind: str, **fields: Any) -> Endpoint:
    endpoint, _ = Endpoint.objects.update_or_create(
        name=f"{owner} {kind}", defaults={"kind": kind} | fields, create_defaults={"kind": kind, "slots": 32} | fields
    )
    if owner == ENVIRONMENT:
        endpoint.set_key(settings.OPENAI_API_KEY)
        endpoint.save(update_fields=["key_encrypted"])
    return endpoint


def default_endpoint(kind: str) -> Endpoint | None:
    """What a new project asks: the environment's, else the simulator's, else any of that kind."""
    of_kind = Endpoint.objects.filter(kind=kind)
    return (
        of_kind.filter(name=f"{ENVIRONMENT} {kind}").first()
        or of_kind.filter(name=f"{SIMULATOR} {kind}").first()
        or of_kind.first()
    )


def create_project(slug: str, name: str, person: Person | None, **fields: Any) -> Project:
    """A project with `person` as its manager and the default endpoints. Invalid names the field that is wrong."""
    if slug in RESERVED:
        raise Invalid("slug", f"{slug!r} is an address of the pages themselves")
    if Project.objects.filter(slug=slug).exists():
        raise _taken(slug)
    defaults = {kind.value: default_endpoint(kind) for kind in (EndpointKind.JUDGE, EndpointKind.COMPLETER)}
    project = Project(slug=slug, name=name, **(defaults | fields))
    try:
        project.full_clean()
    except ValidationError as error:
        field, reasons = next(iter(error.message_dict.items()))
        raise Invalid(field, " ".join(reasons)) from error
    try:
        with transaction.atomic():
            project.save()
            if person is not None:
                join(person, project, Role.MANAGER)
            record("project.created", project=project, actor=person, subject=slug)
    except IntegrityError as error:
        if "slug" not in str(error):
            raise
        raise _taken(slug) from error  # somebody took it at this moment
    return project


def _taken(slug: str) -> Invalid:
    return Invalid("slug", f"there is a project {slug!r} already")


def change_project(project: Project, person: Person | None, fields: Mapping[str, Any]) -> Run | None:
    """Set what differs in `fields`, which are valid; logged where anything does.

    Returns the route run that decides again, where the rules of deciding changed and anything had been decided by them.
    """
    changed = sorted(name for name, value in fields.items() if getattr(project, name) != value)
    for name in changed:
        setattr(project, name, fields[name])
    if changed:
        with transaction.atomic():
            project.save(update_fields=changed)
            record("project.changed", project=project, actor=person, subject=project.slug, fields=changed)
            return _decide_again(project, person) if RULES & set(changed) else None
    return None


def _decide_again(project: Project, person: Person | None) -> Run | None:
    decided = {"decided": True}
    if project.archived_at is not None or not runs.selected(project, RunKind.ROUTE, decided, None, {}).exists():
        return None
    return runs.start(project, RunKind.ROUTE, selection=decided, person=person)


def load_sample(person: Person | None) -> Project | None:
    """The sample project, made once in an installation's life: whoever deletes it has seen it."""
    if Event.objects.filter(kind=SAMPLE_LOADED).exists():
        return None
    # The simulator's world is imported here alone: nothing else of the app needs it.
    from reasoning.simulator.world import SAMPLE_PROBLEMS, SAMPLE_SEED, make_problems, native_rows

    project = Project.objects.filter(slug=SAMPLE_SLUG).first() or create_project(
        SAMPLE_SLUG,
        "Sample: word problems",
        person,
        description="Made-up word problems, solved by a made-up model: everything here comes from the simulator.",
    )

    def chunks() -> Iterator[bytes]:
        for row in native_rows(make_problems(SAMPLE_PROBLEMS, SAMPLE_SEED), labels=False):
            yield orjson.dumps(row) + b"\n"

    received: Intake = intake.receive(
        project, chunks(), format="native", options={}, person=person, name="sample.jsonl"
    )
    intake.read(received.pk)
    record(SAMPLE_LOADED, project=project, actor=person, subject=SAMPLE_SLUG)
    return project
