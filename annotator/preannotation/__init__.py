"""Machines look: the only part of the app that calls a model. Every look is stored before the next is built on it.

advance.py    one worker's turn at a run: hold it, work through what is waiting, pause with the endpoint's words
desk.py       what those below share: a run's waiting items in batches, and how an item ends
crew.py       several looks at once
blame.py      whose fault a failed look is: the solution's or the endpoint's
leaving.py    what a run that stops in the middle leaves behind
judging.py    a judge over many solutions at once
voting.py     answers of whole solutions in place of a reference answer that is not known
rolling.py    the planner's rollouts over many solutions at once
spending.py   what each rollout costs the planner
scoring.py    a PRM's step scores over many solutions at once
searching.py  tree search over many problems at once
forest.py     rows → its trees, and its new solutions → rows
ledger.py     what came back → rows, in groups, one transaction each
clients.py    an endpoint's row → a client within the project's budgets
"""

from annotator.preannotation.advance import advance
from annotator.preannotation.clients import answer_test
from annotator.preannotation.desk import decide_outdated, decide_problem

__all__ = ["advance", "answer_test", "decide_outdated", "decide_problem"]
