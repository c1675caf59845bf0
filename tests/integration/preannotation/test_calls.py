"""What stands in the books of calls that failed."""

from __future__ import annotations

import pytest

from annotator import preannotation, runs
from annotator.models import Call, Judgement
from annotator.preannotation import clients
from tests.factories import make_endpoint, make_problem, make_project, make_solution

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("fault", ["blank", "cutoff"])
def test_what_a_failed_reply_took_is_stored_with_its_call_and_counts_for_the_budget(url: str, fault: str) -> None:
    judge = make_endpoint("judge", base_url=url, model=f"simulated/fault-{fault}", slots=1, prompt_price=1.0)
    project = make_project(judge=judge)
    problem = make_problem(project, "What is 6 × 7?", answer="42")
    for step in ("It is 42.", "It is 43."):
        make_solution(project, problem=problem, steps=[step], own_answer=None)
    run = runs.start(project, "judge")
    preannotation.advance(run.pk)
    run.refresh_from_db()
    calls = Call.objects.filter(run=run)
    assert (calls.count(), calls.filter(ok=True).count(), Judgement.objects.count()) == (4, 0, 0)
    assert all(call.prompt_tokens > 100 and call.cost > 0 for call in calls)
    spent = clients.spent_in(project)
    assert spent.tokens == sum(call.prompt_tokens + call.completion_tokens for call in calls)
    assert spent.money == pytest.approx(sum(call.cost for call in calls))
