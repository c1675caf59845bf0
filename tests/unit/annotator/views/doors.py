"""Every address of the pages, read off the resolver, and one of each thing that may stand in it."""

from __future__ import annotations

from typing import Any, Final

from django.test import Client
from django.urls import URLPattern, reverse

from annotator.models import Export, Person, Project, Snapshot, Token
from annotator.views.urls import urlpatterns
from tests import factories as make

ROUTES: Final[dict[str, URLPattern]] = {pattern.name or "": pattern for pattern in urlpatterns}
"""By name."""


def parts_of(name: str) -> list[str]:
    """What is filled into this address."""
    return list(ROUTES[name].pattern.regex.groupindex)


def as_(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


class Doors:
    """Addresses of one project, as `person` comes to them: what is one person's alone is theirs."""

    def __init__(self, project: Project, person: Person) -> None:
        solution, disputed = make.make_solution(project), make.make_solution(project)
        disputed.disagreements.create(project=project, reason="people differ")
        snapshot, _ = Snapshot.objects.get_or_create(project=project, cutoff=project.created_at)
        export = Export.objects.create(
            project=project, snapshot=snapshot, format="trl", choices_hash=f"{person.pk}", choices={}
        )
        token, _ = Token.issue(person, ["read"], "")
        self.parts: dict[str, Any] = {
            "slug": project.slug,
            "act": "pause",
            "index": 0,
            "pk": token.pk,
            "username": make.make_person(project=project).username,
            "annotation": make.make_annotation(solution, make.make_rater(), "1", "-1").code,
        }
        assignment = make.make_assignment(make.make_slot(make.make_solution(project)), person.work_as()).code
        self.codes: dict[str, str] = {
            "solution": solution.code,
            "disagreement": disputed.code,
            "run": make.make_run(project).code,
            "intake": make.make_intake(project).code,
            "export": export.code,
            "endpoint": make.make_endpoint().code,
            "label": assignment,
        }

    def to(self, name: str, /, **parts: Any) -> str:
        """Codes go by the word that the route's name has for what it is about, a solution's else; or as given."""
        known = {**self.parts, "name": "cost" if name == "quality_csv" else "train.jsonl", **parts}
        kinds = {"withdraw": "intake", "refusals_csv": "intake"}
        kind = kinds.get(name) or next((kind for kind in self.codes if kind in name.split("_")), "solution")
        return reverse(name, kwargs={part: known.get(part, self.codes[kind]) for part in parts_of(name)})
