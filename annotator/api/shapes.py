"""The shapes of the API's answers, for the OpenAPI schema."""

from __future__ import annotations

from rest_framework import serializers

from annotator.api.asked import RatingShape
from annotator.models import FinishReason, Purpose, RunKind, SolutionStatus, Source, WorkState


class Accepted(serializers.Serializer[object]):
    """What was asked for is on its way: its own call says how far it is."""

    code = serializers.CharField()


class Begun(Accepted):
    """`id` is `code` by the name that it had first; it stays."""

    id = serializers.CharField(help_text="The same as `code`")


def begun(code: str) -> dict[str, str]:
    return {"code": code, "id": code}


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


class IntakeRowShape(Begun):
    name = serializers.CharField()
    format = serializers.CharField()
    state = serializers.ChoiceField(WorkState.choices)
    detail = serializers.CharField()
    counts = CountsShape()
    withdrawn = serializers.BooleanField()


class IntakeShape(IntakeRowShape):
    refusals = RefusalShape(many=True, help_text="The first 200")


class EstimateShape(serializers.Serializer[object]):
    unit = serializers.ChoiceField(
        ["solutions", "problems"], help_text="What `solutions` counts: a search looks at problems"
    )
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


class YieldShape(serializers.Serializer[object]):
    selections = serializers.IntegerField(help_text="Wrong continuations and solutions that were taken up")
    solutions = serializers.IntegerField(help_text="New ones")
    preferences = serializers.IntegerField(help_text="Pairs of steps")


class FailureShape(serializers.Serializer[object]):
    reason = serializers.CharField()
    count = serializers.IntegerField()
    skipped = serializers.BooleanField(help_text="They got no look at all")
    examples = serializers.ListField(child=serializers.CharField(), help_text="Codes of up to three solutions")


class RunShape(Begun):
    kind = serializers.ChoiceField(RunKind.choices)
    state = serializers.ChoiceField(WorkState.choices)
    detail = serializers.CharField()
    endpoint = serializers.CharField(allow_null=True)
    progress = ProgressShape()
    cost = CostShape()
    yielded = YieldShape(allow_null=True, help_text="Of a search; null for other kinds")
    failures = FailureShape(many=True, help_text="The most frequent reasons first")
    simulated = serializers.BooleanField()


class FitShape(serializers.Serializer[object]):
    code = serializers.CharField()
    state = serializers.ChoiceField(WorkState.choices)
    detail = serializers.CharField()
    in_force = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    report = serializers.DictField(help_text="Empty until it is done")
    parameters = serializers.DictField(allow_null=True)
    defaults = serializers.DictField(allow_null=True, help_text="What it started from")


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
    returned = serializers.CharField(
        allow_null=True, help_text="A reviewer's comment where this is work of yours that was returned; else null"
    )


class ReviewShape(serializers.Serializer[object]):
    accepted = serializers.BooleanField()
    comment = serializers.CharField()
    created_at = serializers.DateTimeField()


class ReviewableShape(serializers.Serializer[object]):
    code = serializers.CharField()
    rater = serializers.CharField()
    purpose = serializers.ChoiceField(Purpose.choices)
    finish_reason = serializers.ChoiceField(FinishReason.choices)
    blind = serializers.BooleanField()
    comment = serializers.CharField()
    ratings = RatingShape(many=True)
    reviews = ReviewShape(many=True)


class AnnotationShape(serializers.Serializer[object]):
    annotation = serializers.CharField()
    solution = serializers.CharField()
    first_error = serializers.IntegerField(
        allow_null=True, help_text="0-based; -1 where there is none, null where that was left open"
    )
    finish_reason = serializers.ChoiceField(FinishReason.choices)


class LeaseShape(serializers.Serializer[object]):
    assignment = serializers.CharField()
    lease_until = serializers.DateTimeField(required=False)


class StepShape(serializers.Serializer[object]):
    index = serializers.IntegerField()
    text = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()


class StandInShape(serializers.Serializer[object]):
    """The majority of sampled answers, in place of a reference answer. Never one itself."""

    answer = serializers.CharField()
    votes = serializers.IntegerField(help_text="Sampled answers that agree on it")
    total = serializers.IntegerField(help_text="Sampled answers")
    models = serializers.ListField(child=serializers.CharField())
    simulated = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class PosteriorShape(serializers.Serializer[object]):
    probabilities = serializers.ListField(child=serializers.FloatField())
    p_correct = serializers.ListField(child=serializers.FloatField())
    certainty = serializers.FloatField()
    first_error = serializers.IntegerField()
    simulated = serializers.BooleanField()
    stand_in = serializers.BooleanField(help_text="It rests on a majority answer in place of a reference answer")


class LabelShape(serializers.Serializer[object]):
    index = serializers.IntegerField()
    value = serializers.IntegerField()
    source = serializers.ChoiceField(Source.choices)  # type: ignore[assignment]
    provisional = serializers.BooleanField()
    p_correct = serializers.FloatField(allow_null=True)


class SettlementShape(serializers.Serializer[object]):
    first_error = serializers.IntegerField(allow_null=True)
    source = serializers.ChoiceField(Source.choices)  # type: ignore[assignment]
    provisional = serializers.BooleanField()
    simulated = serializers.BooleanField()
    stand_in = serializers.BooleanField(help_text="They rest on a majority answer in place of a reference answer")


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
    forked_from = serializers.CharField(allow_null=True, help_text="The solution that a search let it branch off")
    forked_at = serializers.IntegerField(allow_null=True, help_text="How many leading steps the two share")
    steps = StepShape(many=True)
    posterior = PosteriorShape(allow_null=True)
    stand_in = StandInShape(allow_null=True)
    settlement = SettlementShape(allow_null=True)
    labels = LabelShape(many=True)
    withheld = serializers.CharField(
        help_text="Why posterior, settlement and labels are hidden from you for now; empty where they are not"
    )
    evidence = EvidenceCountsShape()


class PreferenceShape(serializers.Serializer[object]):
    code = serializers.CharField()
    run = serializers.CharField()
    problem = ProblemRowShape()
    solution = serializers.CharField(help_text="Whose first `prefix` steps both follow")
    prefix = serializers.IntegerField()
    steps = serializers.ListField(child=serializers.CharField(), help_text="The texts of those steps")
    chosen = serializers.CharField()
    rejected = serializers.CharField()
    chosen_value = serializers.FloatField(help_text="P(no step up to and with it is wrong)")
    rejected_value = serializers.FloatField()
    simulated = serializers.BooleanField()
    stand_in = serializers.BooleanField(help_text="A majority of sampled answers stood in for the reference answer")


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
    stand_in = serializers.BooleanField(help_text="Some labels rest on majority answers")
    files = FileShape(many=True)
