"""Everything that the environment may set, typed and checked in one place. docs/operator.md explains each."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict
from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from annotator.embedded.home import Home


def _named(name: str) -> AliasChoices:
    return AliasChoices(name)


class Environment(BaseSettings):
    """The process environment. An empty variable counts as not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", populate_by_name=True)

    database_url: str = ""
    celery_broker_url: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    origin: Annotated[str, Field(validation_alias=_named("STEPWISE_ORIGIN"))] = ""
    secret_key: Annotated[SecretStr | None, Field(validation_alias=_named("STEPWISE_SECRET_KEY"))] = None
    debug: Annotated[bool, Field(validation_alias=_named("STEPWISE_DEBUG"))] = False
    log_format: Annotated[Literal["json", "console"], Field(validation_alias=_named("STEPWISE_LOG_FORMAT"))] = "console"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], Field(validation_alias=_named("STEPWISE_LOG_LEVEL"))
    ] = "INFO"
    metrics_token: Annotated[SecretStr | None, Field(validation_alias=_named("STEPWISE_METRICS_TOKEN"))] = None
    plain_static: Annotated[bool, Field(validation_alias=_named("STEPWISE_PLAIN_STATIC"))] = False

    sample: Annotated[bool, Field(validation_alias=_named("STEPWISE_SAMPLE"))] = True
    """Whether a new installation gets the sample project."""

    openai_base_url: str = ""
    openai_api_key: SecretStr | None = None
    judge_model: Annotated[str, Field(validation_alias=_named("STEPWISE_JUDGE_MODEL"))] = ""
    completer_model: Annotated[str, Field(validation_alias=_named("STEPWISE_COMPLETER_MODEL"))] = ""
    simulator_url: Annotated[str, Field(validation_alias=_named("STEPWISE_SIMULATOR_URL"))] = ""

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        home = Home.from_environment()
        self.database_url = self.database_url or home.database_url
        self.celery_broker_url = self.celery_broker_url or home.broker_url
        if self.origin:
            parts = urlsplit(self.origin)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
                raise ValueError("STEPWISE_ORIGIN must look like https://stepwise.example.org, without a path")
            self.origin = f"{parts.scheme}://{parts.netloc}"
        return self

    @property
    def behind_tls(self) -> bool:
        return self.origin.startswith("https://")

    @property
    def hosts(self) -> list[str]:
        """Names under which the pages may be asked for."""
        names = ["127.0.0.1", "localhost", "[::1]"]
        if self.host not in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
            names.append(f"[{self.host}]" if ":" in self.host else self.host)
        if self.origin:
            names.append(urlsplit(self.origin).hostname or "")
        return sorted(set(names))


def database_settings(url: str) -> dict[str, Any]:
    """Django's form of a libpq URL; what libpq knows and Django does not (sslmode …) goes to OPTIONS."""
    parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    own = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{django: parts.pop(libpq, "") for libpq, django in own.items()},
        # One kept connection per web thread and worker process: fewer moving parts than a pool, and safe across fork.
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, "application_name": "stepwise", **parts},
    }
