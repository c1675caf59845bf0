"""Django's settings. What may differ between machines comes from `annotator.environment`, nothing else does."""

from __future__ import annotations

import sys
from typing import Any, Final

from csp.constants import NONE, SELF

from annotator.embedded.home import CHECKOUT, Home
from annotator.environment import Environment, database_settings
from annotator.logs import logging_config

ENVIRONMENT: Final = Environment()
HOME: Final = Home.from_environment()
STEPWISE_HOME = HOME.path
STEPWISE_FILES = HOME.files
STEPWISE_ORIGIN = ENVIRONMENT.origin
STEPWISE_SAMPLE = ENVIRONMENT.sample

DEBUG = ENVIRONMENT.debug
SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value() if ENVIRONMENT.secret_key else HOME.secret_key()

# --- what is installed -------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "annotator.apps.AnnotatorConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]
MIDDLEWARE = [
    "annotator.metrics.RequestMetrics",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "annotator.views.account.PasswordFirst",
    "annotator.views.errors.DomainErrors",
]
ROOT_URLCONF = "annotator.urls"
WSGI_APPLICATION = "annotator.wsgi.application"
ASGI_APPLICATION = "annotator.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [CHECKOUT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "annotator.views.access.shell",
            ]
        },
    }
]

# --- database ----------------------------------------------------------------------------------------------------


DATABASES = {"default": database_settings(ENVIRONMENT.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people ------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "annotator.Person"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
CSRF_FAILURE_VIEW = "annotator.views.errors.csrf_failure"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- security ----------------------------------------------------------------------------------------------------

ALLOWED_HOSTS = ENVIRONMENT.hosts
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.origin] if ENVIRONMENT.origin else []
# Pages hand the token over once, in hx-headers on <body>, so no script ever needs to read the cookie.
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = ENVIRONMENT.behind_tls
SESSION_COOKIE_AGE = 14 * 24 * 3600
# Cookies do not tell ports apart: two installations on one machine must not sign each other's people out.
SESSION_COOKIE_NAME = f"stepwise_session_{ENVIRONMENT.port}"
CSRF_COOKIE_NAME = f"stepwise_csrf_{ENVIRONMENT.port}"
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if ENVIRONMENT.behind_tls else 0
# The proxy that ends TLS must set this header itself; docs/operator.md says so.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.behind_tls else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
# A row of 88,000 characters with a rating for each of its steps is a form too.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- pages and files ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "static/"
STATIC_ROOT = HOME.static
STATICFILES_DIRS = [folder for folder in [CHECKOUT / "static"] if folder.is_dir()]
MEDIA_ROOT = STEPWISE_FILES
PLAIN_STATIC = ENVIRONMENT.plain_static or DEBUG
"""Serve static files from where they lie, unhashed: for tests and development."""
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = PLAIN_STATIC
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if PLAIN_STATIC
        else "annotator.staticfiles.HashedStaticStorage"
    },
}

# --- API ---------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["annotator.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["annotator.api.bodies.JSON"],
    "DEFAULT_PARSER_CLASSES": ["annotator.api.bodies.JSONBody"],
    "DEFAULT_SCHEMA_CLASS": "annotator.api.schema.Operations",
    "EXCEPTION_HANDLER": "annotator.api.problems.handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stepwise",
    "DESCRIPTION": "Step-level labels for process reward models.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": ["annotator.api.schema.describe"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- tasks -------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = ENVIRONMENT.celery_broker_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
# After SIGQUIT (what the supervisor sends): seconds to finish, then unfinished tasks go back to the broker.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 4.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The broker carries hints only: a page must not wait long for one that is down, the sweep makes up for it.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_TASK_SOFT_TIME_LIMIT = 30 * 60
CELERY_TASK_TIME_LIMIT = 31 * 60
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "stepwise.sweep", "schedule": 15.0, "options": {"expires": 15.0}},
    # It counts evidence, which is a second's work in a large project.
    "fits": {"task": "stepwise.fit_when_due", "schedule": 300.0, "options": {"expires": 300.0}},
}
# Nothing of the schedule is worth keeping, so it lives in memory.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {
        # Longer than the longest task and countdown, or tasks would run twice while they are still running.
        "visibility_timeout": 2 * CELERY_TASK_TIME_LIMIT,
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        # How long a page waits for a broker that is away before it leaves the work to the sweep: 0.2 s, not 6.
        "max_retries": 1,
        "interval_start": 0.1,
        "interval_step": 0.1,
        "interval_max": 0.2,
    }
    if ENVIRONMENT.celery_broker_url.startswith(("redis", "rediss", "valkey"))
    else {"confirm_publish": True}
)

# --- machines ----------------------------------------------------------------------------------------------------

OPENAI_BASE_URL = ENVIRONMENT.openai_base_url
OPENAI_API_KEY = ENVIRONMENT.openai_api_key.get_secret_value() if ENVIRONMENT.openai_api_key else ""
STEPWISE_JUDGE_MODEL = ENVIRONMENT.judge_model
STEPWISE_COMPLETER_MODEL = ENVIRONMENT.completer_model
STEPWISE_SIMULATOR_URL = ENVIRONMENT.simulator_url

# --- watching ----------------------------------------------------------------------------------------------------

METRICS_TOKEN = ENVIRONMENT.metrics_token.get_secret_value() if ENVIRONMENT.metrics_token else ""
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(
    ENVIRONMENT.log_format if sys.stderr.isatty() or ENVIRONMENT.log_format == "json" else "json",
    "DEBUG" if DEBUG else ENVIRONMENT.log_level,
)
