"""The shapes of what is sent to the API: read by them, or only described where a domain module reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotator import exports, runs
from annotator.models import Endpoint, FinishReason, Project, RunKind, SolutionStatus, Spend
from annotator.models.projects import MOST_EXAMPLES


class Finite(serializers.FloatField):
    """REST framework takes true for 1, and lets NaN and infinity through every bound."""

    def to_internal_value(self, data: Any) -> float:
        value = float("nan") if isinstance(data, bool) else super().to_internal_value(data)
        if not math.isfinite(value):
            self.fail("invalid")
        return value


class EndpointName(serializers.SlugRelatedField[Endpoint]):
    """An endpoint by its name."""

    def __init__(self, kind: str) -> None:
        endpoints = Endpoint.objects.filter(kind=kind)
        super().__init__(slug_field="name", queryset=endpoints, allow_null=True, required=False)

    def to_internal_value(self, data: Any) -> Endpoint:
        if not isinstance(data, str) or "\0" in data:
            self.fail("invalid")
        return super().to_internal_value(data)


class Strict(serializers.Serializer[Any]):
    """Refuses fields that it does not know: a misspelt setting must not look as if it were set."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError(dict.fromkeys(unknown, "is not known"))
        return super().to_internal_value(data)


class ProjectShape(Strict, serializers.ModelSerializer[Project]):
    judge = EndpointName("judge")
    completer = EndpointName("completer")
    simulated = serializers.BooleanField(source="rests_on_simulator", read_only=True)
    archived = serializers.SerializerMethodField()

    serializer_field_mapping: ClassVar = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.FloatField: Finite,
    }

    class Meta:
        model = Project
        fields = (
            "slug",
            "name",
            "description",
            "guidelines",
            "threshold",
            "audit_share",
            "overlap",
            "evidence_mode",
            "lease_minutes",
            "judge",
            "completer",
            "judge_votes",
            "judge_examples",
            "rollout_price",
            "rollout_cap",
            "stand_ins",
            "stand_in_samples",
            "token_budget",
            "money_budget",
            "rollout_budget",
            "simulated",
            "archived",
            "created_at",
        )
        # Which slugs are taken is setup.create_project's to say, in one place.
        extra_kwargs: ClassVar[dict[str, Any]] = {"slug": {"validators": []}}

    def get_archived(self, project: Project) -> bool:
        return project.archived_at is not None

    def validate_slug(self, slug: str) -> str:
        if self.instance is not None and slug != self.instance.slug:
            raise serializers.ValidationError("cannot be changed: it is part of addresses")
        return slug


@extend_schema_field(
    {
        "type": "object",
        "description": "Without one: the solutions that lack this evidence. `limit` 5 is a try on five",
        "properties": {
            "status": {"type": "string", "enum": SolutionStatus.values},
            "ids": {"type": "array", "items": {"type": "string"}},
            "intake": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1},
            "decided": {"type": "boolean", "description": "Those that machines labelled or that wait for people"},
            "again": {"type": "boolean", "description": "Also those that have this evidence"},
        },
        "additionalProperties": False,
    }
)
class SelectionField(serializers.DictField):
    """Checked by runs.selected."""


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "votes": {"type": "integer", "minimum": 1, "maximum": 32},
            "examples": {
                "type": "integer",
                "minimum": 0,
                "maximum": MOST_EXAMPLES,
                "description": "Solutions settled by people that a judge is shown first",
            },
            "temperature": {"type": "number", "minimum": 0, "maximum": 2},
            "price": {"type": "number", "minimum": 0, "maximum": 1},
            "spend": {
                "type": "string",
                "enum": Spend.values,
                "description": "Rollouts (the default) count alike, or by the tokens that each reads and writes",
            },
            "cap": {"type": "integer", "minimum": 1},
            "max_tokens": {"type": "integer", "minimum": 1},
            **{
                name: {"type": "integer" if kind is int else "number", "minimum": low, "maximum": high}
                for name, (kind, low, high) in runs.SEARCH_LIMITS.items()
            },
        },
        "additionalProperties": False,
    }
)
class ConfigField(serializers.DictField):
    """Checked by runs.start."""


class AnswerRequest(Strict):
    answer = serializers.CharField(max_length=2_000)


class RunRequest(Strict):
    kind = serializers.ChoiceField(RunKind.choices)
    selection = SelectionField(required=False)
    config = ConfigField(required=False)
    seed = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**62)


@extend_schema_field({"enum": [-1, 0, 1, "unsure"]})
class RatingField(serializers.JSONField):
    """Checked by queue.read_submission."""


class RatingShape(serializers.Serializer[object]):
    index = serializers.IntegerField(min_value=0, help_text="0-based")
    rating = RatingField()
    reason = serializers.CharField(required=False, allow_blank=True)
    correction = serializers.CharField(required=False, allow_blank=True)


class SubmitRequest(serializers.Serializer[object]):
    ratings = RatingShape(many=True)
    finish_reason = serializers.ChoiceField(FinishReason.choices)
    comment = serializers.CharField(required=False, allow_blank=True)
    seconds = serializers.FloatField(required=False, min_value=0)


class ReviewRequest(Strict):
    accepted = serializers.BooleanField(help_text="False returns it to whoever made it")
    comment = serializers.CharField(required=False, allow_blank=True, max_length=10_000)


@extend_schema_field(
    {
        "description": 'Shares by name, {"train": 0.9, "test": 0.1} or "train=0.9,test=0.1", or the share of "test"',
        "oneOf": [
            {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}},
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string"},
        ],
    }
)
class SplitField(serializers.JSONField):
    """Checked by exports.request."""


def _choice(name: str, help_text: str) -> serializers.ChoiceField:
    return serializers.ChoiceField(list(exports.CHOICES[name]), required=False, help_text=help_text)


class ExportRequest(serializers.Serializer[object]):
    """For the schema alone: exports.request checks what is sent, by what each format can hold."""

    format = serializers.ChoiceField(sorted(exports.FORMATS))
    split = SplitField(required=False)
    min_source = _choice("min_source", "The weakest source that goes out; `machine` where it is not named")
    provisional = serializers.BooleanField(required=False, help_text="True is `min_source` `provisional`")
    neutral = _choice("neutral", "What a neutral step becomes; `positive` in most formats")
    after_error = _choice("after_error", "Steps after the first error; `drop` in most formats")
    unrated = _choice("unrated", "A step before the first error that nobody rated")
    unlabelled = _choice("unlabelled", "Solutions without a first error")
    evidence = _choice("evidence", "What machines and people said, beside the labels; `keep` in native only")
    container = _choice("container", "How rows lie in the file")
