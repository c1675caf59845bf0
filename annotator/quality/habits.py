"""Are the machines' habits known: is what the posteriors assume fitted to this project, and what does it say?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from annotator.models import LIVE_STATES, Fit, Project, Rater, WorkState
from annotator.quality.figures import Figure, count

_NUMBERS: Final[Mapping[str, Callable[[Mapping[str, Any]], float]]] = {
    "a problem is solved, on average": lambda p: p["solve_rate"][0] / sum(p["solve_rate"]),
    "problems differ by (standard deviation)": lambda p: _deviation(*p["solve_rate"]),
    "a wrong step is recovered from": lambda p: p["recovery"],
    "… times so much after each further step": lambda p: p["fade"],
    "prefixes differ by (log-odds)": lambda p: p["noise"],
    "steps go wrong, times what the solve rate says": lambda p: p["hazard_scale"],
    "… and whatever the problem": lambda p: p["hazard_floor"],
    "the first step, times the others": lambda p: p["first_step"],
    "the answer is graded right though it is wrong": lambda p: p["false_positive"],
    "the answer is graded wrong though it is right": lambda p: p["false_negative"],
    "weight of each further vote of a judge": lambda p: p["vote_temper"],
    "weight of a model's step scores": lambda p: p["score_tilt"],
}
_CONFUSION: Final = {
    "hit": "names the first error",
    "near": "names a step beside it",
    "miss": "finds none where there is one",
    "false_alarm": "names a step where none is wrong",
}


def _deviation(a: float, b: float) -> float:
    """Of Beta(a, b)."""
    total = a + b
    return float((a * b / (total**2 * (total + 1))) ** 0.5)


def _rows(fitted: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[list[Any]]:
    for words, number in _NUMBERS.items():
        yield [words, f"{number(fitted):.3f}", f"{number(defaults):.3f}"]
    for judge in fitted["judges"]:
        yield from _confusion(f"judge {judge['model']} (prompt {judge['prompt'][:8]})", judge, defaults["judge"])
    called = _names([rater["rater"] for rater in fitted["raters"]])
    for rater in fitted["raters"]:
        yield from _confusion(called.get(rater["rater"], rater["rater"]), rater, defaults["rater"])


def _confusion(who: str, fitted: Mapping[str, Any], default: Mapping[str, Any]) -> Iterator[list[Any]]:
    for name, words in _CONFUSION.items():
        yield [f"{who} {words}", f"{fitted[name]:.3f}", f"{default[name]:.3f}"]


def _names(codes: list[str]) -> dict[str, str]:
    """The account's name, or the rater's code where the account was cut off."""
    rows = Rater.objects.filter(code__in=codes).values_list("code", "person__username")
    return {code: username or f"rater {code}" for code, username in rows} | {"imported": "annotators of files"}


def _answer(current: Fit | None, last: Fit | None) -> str:
    said = [_in_force(current)]
    if last is not None and last.state in LIVE_STATES:
        said.append("A fit is under way.")
    elif last is not None and last.state == WorkState.FAILED:
        said.append(f"The last fit failed: {last.detail.rstrip('.')}.")
    return " ".join(said)


def _in_force(current: Fit | None) -> str:
    if current is None:
        return "Not yet: the defaults hold, which were fitted to nothing in particular."
    report = current.report
    if not report:
        return "Fitted, by a version that kept no report."
    if report["fell_back"]:
        return f"No: the defaults hold. {_capital(report['reason'])}."
    read = f"{report['told']:,} of them read or labelled by people"
    return (
        f"Fitted on {count(report['solutions'], 'solution')}, {read}; held-out log-likelihood "
        f"{_signed(report['log_likelihood'])} a solution against {_signed(report['log_likelihood_before'])} with the "
        f"defaults (± {_signed(report['standard_error'])}, {report['held_out']:,} held out)."
    )


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".")


def _signed(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}".replace("-", "−")


def figure(project: Project) -> Figure:
    fits = Fit.objects.filter(project=project)
    current, last = fits.filter(state=WorkState.DONE, superseded_at=None).first(), fits.first()
    report = dict(current.report) if current else {}
    defaults = report.pop("defaults", None)
    parameters = current.parameters if current else None
    return {
        "question": "Are the machines' habits known?",
        "answer": _answer(current, last),
        "values": {
            "fit": current.code if current else None,
            "under_way": last is not None and last.state in LIVE_STATES,
            "fitted_at": current.ended_at.isoformat() if current and current.ended_at else None,
            "report": report,
            "parameters": parameters,
            "defaults": defaults,
        },
        "table": {
            "columns": ["how often, or how much", "fitted", "default"],
            "rows": list(_rows(parameters, defaults)) if parameters and defaults and not report["fell_back"] else [],
        },
        "chart": None,
    }
