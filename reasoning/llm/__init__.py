"""The only door to a model: `complete(request) -> Reply`, `score(request) -> ScoreReply`.

What is imported here is light. `OpenAIChat`, which brings the openai package with it, stands in
`reasoning.llm.openai_chat`.
"""

from reasoning.llm.budget import Budget, Spending
from reasoning.llm.client import Client
from reasoning.llm.probe import Probe, probe
from reasoning.llm.scripted import ScriptedClient
from reasoning.llm.values import (
    CallRecord,
    Completion,
    Endpoint,
    Message,
    Prices,
    Reply,
    Request,
    Schema,
    ScoreReply,
    ScoreRequest,
    TokenLogprob,
)

__all__ = [
    "Budget",
    "CallRecord",
    "Client",
    "Completion",
    "Endpoint",
    "Message",
    "Prices",
    "Probe",
    "Reply",
    "Request",
    "Schema",
    "ScoreReply",
    "ScoreRequest",
    "ScriptedClient",
    "Spending",
    "TokenLogprob",
    "probe",
]
