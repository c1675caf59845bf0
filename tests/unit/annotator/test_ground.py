"""Environment, health, metrics and the two commands that scripts rely on."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pydantic import ValidationError

from annotator.environment import Environment, database_settings
from annotator.health import Readiness
from annotator.models import Membership, Person, Project, Role, Token


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DATABASE_URL", "CELERY_BROKER_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_addresses_follow_from_the_home(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("STEPWISE_HOME", "/srv/sw")
    found = Environment()
    assert found.database_url.startswith("postgresql://postgres@/stepwise?host=%2Fsrv%2Fsw%2Frun%2Fpostgres-")
    assert found.celery_broker_url.startswith("redis+socket:///srv/sw/run/broker-")


def test_a_public_address_over_tls_makes_cookies_secure_and_its_name_known(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("STEPWISE_ORIGIN", "https://label.example.org/")
    found = Environment()
    assert found.origin == "https://label.example.org"
    assert found.behind_tls
    assert "label.example.org" in found.hosts


@pytest.mark.parametrize("origin", ["label.example.org", "ftp://label.example.org", "https://label.example.org/path"])
def test_a_public_address_that_is_none_is_refused(environment: pytest.MonkeyPatch, origin: str) -> None:
    environment.setenv("STEPWISE_ORIGIN", origin)
    with pytest.raises(ValidationError, match="STEPWISE_ORIGIN must look like"):
        Environment()


def test_listening_everywhere_does_not_answer_to_every_name(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("HOST", "0.0.0.0")  # noqa: S104
    assert Environment().hosts == ["127.0.0.1", "[::1]", "localhost"]


def test_database_urls_are_read_as_libpq_reads_them() -> None:
    found = database_settings("postgresql://ann:s%40crit@db.example.org:5433/labels?sslmode=require")
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db.example.org", "5433", "labels")
    assert (found["USER"], found["PASSWORD"]) == ("ann", "s@crit")
    assert found["OPTIONS"]["sslmode"] == "require"


def test_alive_needs_nothing(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_not_ready_names_what_does_not_answer(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "ok"
    assert answer.json()["broker"].startswith("does not answer: ")
    assert answer.headers["Cache-Control"].startswith("max-age=0")


def test_a_look_at_the_parts_is_shared_for_two_seconds_when_all_is_well() -> None:
    now, looks, state = [0.0], [], ["ok"]

    def check() -> str:
        looks.append(now[0])
        return state[0]

    readiness = Readiness({"part": check}, clock=lambda: now[0])
    assert [readiness.look(), readiness.look()] == [{"part": "ok"}] * 2
    now[0], state[0] = 1.9, "gone"
    assert readiness.look() == {"part": "ok"}
    now[0] = 2.0
    assert readiness.look() == {"part": "gone"}
    now[0], state[0] = 2.5, "ok"
    assert readiness.look() == {"part": "ok"}
    assert looks == [0.0, 2.0, 2.5]


@pytest.mark.django_db
def test_metrics_are_for_this_machine_or_the_token(client: Client, settings: object) -> None:
    here = client.get("/metrics")
    assert here.status_code == 200
    assert b"stepwise_http_requests_total" in here.content
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403
    bearer = {"Authorization": "Bearer open-sesame"}
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers=bearer).status_code == 403
    settings.METRICS_TOKEN = "open-sesame"  # type: ignore[attr-defined]
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9", headers=bearer).status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403


def test_pages_carry_the_strict_policy(client: Client) -> None:
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    assert set(policy.split("; ")) == {
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    }


def command(*arguments: str) -> tuple[str, str]:
    """Standard output and standard error of a command."""
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_create_user_gives_a_role_in_a_project() -> None:
    project = Project.objects.create(slug="maths", name="Maths")
    out, err = command(
        "create_user", "ada", "--password", "difference-engine", "--project", "maths", "--role", "trainer"
    )
    assert (out, "ada as trainer of maths" in err) == ("", True)
    ada = Person.objects.get(username="ada")
    assert ada.check_password("difference-engine")
    assert not ada.is_staff
    assert Membership.objects.get(person=ada, project=project).role == Role.TRAINER


@pytest.mark.django_db
def test_create_user_again_changes_password_and_role() -> None:
    Project.objects.create(slug="maths", name="Maths")
    command("create_user", "ada", "--password", "difference-engine", "--project", "maths")
    command("create_user", "ada", "--password", "analytical-engine", "--project", "maths", "--role", "reviewer")
    ada = Person.objects.get(username="ada")
    assert ada.check_password("analytical-engine")
    assert Membership.objects.get(person=ada).role == Role.REVIEWER


@pytest.mark.django_db
def test_create_user_as_manager_of_no_project_runs_the_installation() -> None:
    command("create_user", "boss", "--password", "difference-engine", "--role", "manager")
    assert Person.objects.get(username="boss").is_staff


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--password", "short"], "too short"),
        (["--password", "difference-engine", "--project", "none"], "There is no project none"),
        (["--password", "difference-engine", "--role", "trainer"], "needs --project"),
    ],
)
def test_create_user_refuses_and_makes_nothing(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        command("create_user", "ada", *arguments)
    assert not Person.objects.exists()


@pytest.mark.django_db
def test_create_token_prints_the_secret_alone_on_its_last_line() -> None:
    ada = Person.objects.create_user("ada")
    out, err = command("create_token", "ada", "--scope", "label,read")
    secret = out.splitlines()[-1]
    assert out == f"{secret}\n"
    assert secret not in err
    token = Token.objects.find(secret)
    assert token is not None
    assert (token.person, token.scopes) == (ada, ["read", "label"])


@pytest.mark.django_db
def test_create_token_refuses_unknown_scopes_and_people() -> None:
    Person.objects.create_user("ada")
    with pytest.raises(CommandError, match=r"not \['everything'\]"):
        command("create_token", "ada", "--scope", "read,everything")
    with pytest.raises(CommandError, match="There is no account eve"):
        command("create_token", "eve", "--scope", "read")
    assert not Token.objects.exists()
