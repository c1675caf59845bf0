"""The shapes of the API's answers, for the OpenAPI schema and for reading what is sent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from annotator import exports
from annotator.models import Endpoint, FinishReason, Project, RunKind, SolutionStatus, WorkState


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
            "rollout_price",
            "rollout_cap",
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


class Accepted(serializers.Serializer[object]):
    id = serializers.CharField()


class RefusalShape(serializers.Serializer[object]):
    line = serializers.IntegerField()
    field = serializers.CharField()
    reason = serializers.CharField()
    excerpt = serializers.CharField()


class CountsShape(serializers.Serializer[object]):
    read = serializers.IntegerField()
    new = serializers.IntegerField()
    known = serializers.IntegerField()
    refused = serializers.IntegerField()


class IntakeRowShape(serializers.Serializer[object]):
    id = serializers.CharField()
    name = serializers.CharField()
    format = serializers.CharField()
    state = serializers.ChoiceField(WorkState.choices)
    detail = serializers.CharField()
    counts = CountsShape()
    withdrawn = serializers.BooleanField()


class IntakeShape(IntakeRowShape):
    refusals = RefusalShape(many=True, help_text="The first 200")


@extend_schema_field(
    {
        "type": "object",
        "description": "Without one: the solutions that lack this evidence. `limit` 5 is a try on five",
        "properties": {
            "status": {"type": "string", "enum": SolutionStatus.values},
            "ids": {"type": "array", "items": {"type": "string"}},
            "intake": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1},
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
            "temperature": {"type": "number", "minimum": 0, "maximum": 2},
            "price": {"type": "number", "minimum": 0, "maximum": 1},
            "cap": {"type": "integer", "minimum": 1},
            "max_tokens": {"type": "integer", "minimum": 1},
        },
        "additionalProperties": False,
    }
)
class ConfigField(serializers.DictField):
    """Checked by runs.start."""


class RunRequest(Strict):
    kind = serializers.ChoiceField(RunKind.choices)
    selection = SelectionField(required=False)
    config = ConfigField(required=False)
    seed = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**62)


class EstimateShape(serializers.Serializer[object]):
    solutions = serializers.IntegerField()
    skipped = serializers.DictField(child=serializers.IntegerField())
    calls = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    cost = serializers.FloatField()
    basis = serializers.CharField()


class ProgressShape(serializers.Serializer[object]):
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    skipped = serializers.IntegerField()
    waiting = serializers.IntegerField()
    per_minute = serializers.FloatField()
    eta_seconds = serializers.FloatField(allow_null=True)


class CostShape(serializers.Serializer[object]):
    calls = serializers.IntegerField()
    rollouts = serializers.IntegerField()
    prompt_tokens = serializers.IntegerField()
    completion_tokens = serializers.IntegerField()
    money = serializers.FloatField()


class RunShape(serializers.Serializer[object]):
    id = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.ChoiceField(WorkState.choices)
    detail = serializers.CharField()
    endpoint = serializers.CharField(allow_null=True)
    progress = ProgressShape()
    cost = CostShape()
    failures = serializers.ListField(child=serializers.DictField())
    simulated = serializers.BooleanField()


class AskedStepShape(serializers.Serializer[object]):
    index = serializers.IntegerField()
    text = serializers.CharField()
    asked = serializers.BooleanField()


class ClaimShape(serializers.Serializer[object]):
    assignment = serializers.CharField()
    lease_until = serializers.DateTimeField()
    problem = serializers.CharField()
    answer = serializers.CharField(allow_null=True)
    solution = serializers.CharField()
    steps = AskedStepShape(many=True)


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


class AnnotationShape(serializers.Serializer[object]):
    annotation = serializers.CharField()
    solution = serializers.CharField()
    first_error = serializers.IntegerField(allow_null=True)
    finish_reason = serializers.CharField()


class LeaseShape(serializers.Serializer[object]):
    assignment = serializers.CharField()
    lease_until = serializers.DateTimeField(required=False)


class StepShape(serializers.Serializer[object]):
    index = serializers.IntegerField()
    text = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class PosteriorShape(serializers.Serializer[object]):
    probabilities = serializers.ListField(child=serializers.FloatField())
    p_correct = serializers.ListField(child=serializers.FloatField())
    certainty = serializers.FloatField()
    first_error = serializers.IntegerField()
    simulated = serializers.BooleanField()


class LabelShape(serializers.Serializer[object]):
    index = serializers.IntegerField()
    value = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]
    provisional = serializers.BooleanField()
    p_correct = serializers.FloatField(allow_null=True)


class SettlementShape(serializers.Serializer[object]):
    first_error = serializers.IntegerField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    provisional = serializers.BooleanField()
    simulated = serializers.BooleanField()


class EvidenceCountsShape(serializers.Serializer[object]):
    judgements = serializers.IntegerField()
    rollouts = serializers.IntegerField()
    scores = serializers.IntegerField()
    annotations = serializers.IntegerField()


class ProblemRowShape(serializers.Serializer[object]):
    code = serializers.CharField()
    statement = serializers.CharField()
    answer = serializers.CharField(allow_null=True)


class SolutionShape(serializers.Serializer[object]):
    code = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    source_id = serializers.CharField(allow_null=True)
    generator = serializers.CharField()
    status = serializers.ChoiceField(SolutionStatus.choices)
    withdrawn = serializers.BooleanField()
    problem = ProblemRowShape()
    steps = StepShape(many=True)
    posterior = PosteriorShape(allow_null=True)
    settlement = SettlementShape(allow_null=True)
    labels = LabelShape(many=True)
    evidence = EvidenceCountsShape()


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
    container = _choice("container", "How rows lie in the file")


class FileShape(serializers.Serializer[object]):
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class ExportShape(serializers.Serializer[object]):
    code = serializers.CharField()
    format = serializers.CharField()
    choices = serializers.DictField()
    state = serializers.ChoiceField(WorkState.choices)
    detail = serializers.CharField()
    rows = serializers.IntegerField()
    cutoff = serializers.DateTimeField()
    simulated = serializers.BooleanField()
    files = FileShape(many=True)


class ExportAccepted(serializers.Serializer[object]):
    code = serializers.CharField()
