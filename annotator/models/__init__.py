"""All tables. What the database refuses is stated here and, where Django has no words for it, in migration 0002."""

from annotator.models.decisions import (
    Audit,
    Certificate,
    Destination,
    Disagreement,
    Label,
    Posterior,
    Routing,
    Settlement,
    Source,
)
from annotator.models.endpoints import Call, Endpoint, EndpointKind, Run, RunItem, RunItemState, RunKind, Spend
from annotator.models.events import Event, record
from annotator.models.evidence import Grade, ImportedAnnotation, Judgement, OwnGrade, Rollout, Score, StandIn
from annotator.models.exports import Export, ExportFile, Snapshot
from annotator.models.fits import Fit
from annotator.models.holds import LIVE_STATES, WorkState
from annotator.models.people import Membership, Person, Rater, Role, Scope, Token, join
from annotator.models.problems import Intake, Problem, Refusal, Solution, SolutionStatus, Step
from annotator.models.projects import EvidenceMode, Project
from annotator.models.trees import Preference, Selection
from annotator.models.work import (
    Annotation,
    Assignment,
    AssignmentState,
    Draft,
    FinishReason,
    Purpose,
    Rating,
    Review,
    Sighting,
    Slot,
    SlotState,
)

__all__ = [
    "LIVE_STATES",
    "Annotation",
    "Assignment",
    "AssignmentState",
    "Audit",
    "Call",
    "Certificate",
    "Destination",
    "Disagreement",
    "Draft",
    "Endpoint",
    "EndpointKind",
    "Event",
    "EvidenceMode",
    "Export",
    "ExportFile",
    "FinishReason",
    "Fit",
    "Grade",
    "ImportedAnnotation",
    "Intake",
    "Judgement",
    "Label",
    "Membership",
    "OwnGrade",
    "Person",
    "Posterior",
    "Preference",
    "Problem",
    "Project",
    "Purpose",
    "Rater",
    "Rating",
    "Refusal",
    "Review",
    "Role",
    "Rollout",
    "Routing",
    "Run",
    "RunItem",
    "RunItemState",
    "RunKind",
    "Scope",
    "Score",
    "Selection",
    "Settlement",
    "Sighting",
    "Slot",
    "SlotState",
    "Snapshot",
    "Solution",
    "SolutionStatus",
    "Source",
    "Spend",
    "StandIn",
    "Step",
    "Token",
    "WorkState",
    "join",
    "record",
]
