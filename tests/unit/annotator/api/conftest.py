"""One project and the three who may come to it: its manager, a team mate, an outsider."""

from __future__ import annotations

import pytest

from annotator.models import Project, Role
from tests import factories as make
from tests.unit.annotator.api.caller import Caller


@pytest.fixture
def manager(project: Project) -> Caller:
    return Caller(make.make_person(project=project, role=Role.MANAGER))


@pytest.fixture
def annotator(project: Project) -> Caller:
    return Caller(make.make_person(project=project, role=Role.ANNOTATOR))


@pytest.fixture
def trainer(project: Project) -> Caller:
    return Caller(make.make_person(project=project, role=Role.TRAINER))


@pytest.fixture
def outsider(db: None) -> Caller:
    """Manager of a project of their own."""
    return Caller(make.make_person(project=make.make_project(), role=Role.MANAGER))


@pytest.fixture
def admin(db: None) -> Caller:
    return Caller(make.make_person(staff=True))
