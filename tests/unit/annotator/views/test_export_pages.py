"""The page of exports: what it offers, what it says of that, and the file that comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotator import exports
from annotator.exports import CHOICES, FORMATS
from annotator.models import Export, Project, Role
from tests.factories import make_person, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return make_project()


@pytest.fixture
def client(project: Project) -> Client:
    client = Client()
    client.force_login(make_person(project=project, role=Role.MANAGER))
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def at(project: Project) -> str:
    return reverse("exports", args=[project.slug])


def test_the_preview_names_a_choice_that_the_format_cannot_hold(client: Client, project: Project) -> None:
    page = client.get(at(project), {"part": "preview", "format": "trl", "neutral": "keep"})
    assert "in this format" in text(page)


def offered(page: Any) -> dict[str, list[str]]:
    """By name, what a page's form lets one choose."""
    return {
        field.name: [value for value, _ in field.field.widget.choices] for field in page.context["form"].options()[:-1]
    }


def test_an_export_offers_what_its_format_can_hold_and_no_more(client: Client, project: Project) -> None:
    for name, writer in FORMATS.items():
        found = offered(client.get(at(project), {"format": name}))
        for choice, values in CHOICES.items():
            possible = writer.allowed.get(choice, values)
            if choice == "min_source" or len(possible) == 1:
                assert choice not in found
            else:
                assert found[choice] == ["", *possible]
    assert offered(client.get(at(project), {"format": "preference"})).keys() == {"container"}


def test_another_format_brings_its_options_and_keeps_what_fits(client: Client, project: Project) -> None:
    chosen = {"format": "trl", "options_of": "native", "neutral": "keep", "after_error": "negative", "part": "preview"}
    fragment = client.get(at(project), chosen)
    page = text(fragment)
    assert 'hx-swap-oob="innerHTML"' in page
    assert "in this format" not in page
    assert fragment.context["form"].choices() == {"after_error": "negative"}
    assert 'name="options_of" value="trl"' in page
    assert "hx-swap-oob" not in text(client.get(at(project), chosen | {"options_of": "trl"}))


def test_what_a_format_cannot_hold_is_refused_beside_its_field(client: Client, project: Project) -> None:
    response = client.post(at(project), {"format": "preference", "neutral": "drop", "min_source": "human"})
    assert response.status_code == 422
    assert "must be one of positive in this format" in text(response)
    assert not Export.objects.exists()


def test_an_export_is_made_once_downloaded_here_and_by_command(
    client: Client, project: Project, files: Path, settings: Any
) -> None:
    settings.STEPWISE_ORIGIN = "https://stepwise.example.org"
    choices = {"format": "trl", "min_source": "machine"}
    where = client.post(at(project), choices)["Location"]
    assert client.post(at(project), choices)["Location"] == where
    export = exports.build(Export.objects.get().pk)
    page = text(client.get(where))
    file = export.files.first()
    assert file is not None
    assert f"https://stepwise.example.org{reverse('export_file', args=[export.code, file.name])}" in page
    response = client.get(reverse("export_download", args=[project.slug, export.code, file.name]))
    assert b"".join(response.streaming_content) == Path(file.path).read_bytes()  # type: ignore[attr-defined]
    assert response["ETag"] == f'"{file.sha256}"'
