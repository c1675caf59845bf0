"""`manifest.json` and the dataset card of an export: the same snapshot and choices give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from django.db.models import Count, Q

from annotator.exports.choices import Choices
from annotator.exports.counting import Counts
from annotator.exports.files import Written
from annotator.exports.formats import Writer
from annotator.exports.items import solutions_of
from annotator.exports.looks import scores_at
from annotator.models import Certificate, Export, Judgement, Project, Rollout

VERSION: Final = 1
SIMULATED: Final = "simulated/"
"""Model names of the built-in simulator start so."""
NOTICE: Final = (
    "Some of these labels rest on evidence from the built-in simulator, not from a real model. "
    "They show how the system works; do not train on them."
)
STAND_IN_NOTICE: Final = (
    "Some of these labels rest on majority answers of sampled solutions, where problems have no reference answer. "
    "Those by machines are provisional, whatever certificate is in force."
)


def manifest(
    export: Export, writer: Writer, choices: Choices, counts: Counts, parts: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Everything but the files' hashes. `parts`: name, file, rows and problems of each."""
    cutoff = export.snapshot.cutoff
    machines = machines_of(export.project, cutoff)
    notices = {NOTICE: counts.simulated, STAND_IN_NOTICE: counts.stand_ins}
    return {
        "manifest_version": VERSION,
        "project": export.project.slug,
        "format": {"name": writer.name, "title": writer.title, "version": writer.version, "indices": writer.indices},
        "cutoff": cutoff.isoformat(),
        "choices": choices.as_json(),
        "rows": counts.rows,
        "parts": list(parts),
        "labels": _sorted(counts.labels),
        "first_errors": _sorted(counts.first_errors),
        "sources": _sorted(counts.sources),
        "label_sources": _sorted(counts.label_sources),
        f"{writer.unit}_considered": counts.solutions,
        "left_out": _sorted(counts.left_out),
        "certificate": certificate_at(export.project, cutoff),
        "machines": machines,
        "simulated": counts.simulated > 0,
        "simulated_rows": counts.simulated,
        "stand_in_rows": counts.stand_ins,
        "notice": " ".join(notice for notice, rows in notices.items() if rows),
    }


def as_bytes(content: Mapping[str, Any], files: Sequence[Written]) -> bytes:
    """The manifest's bytes, with name, size and sha256 of every other file."""
    listed = [{"name": file.name, "bytes": file.bytes, "sha256": file.sha256} for file in files]
    return orjson.dumps({**content, "files": listed}, option=orjson.OPT_INDENT_2) + b"\n"


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}


def certificate_at(project: Project, cutoff: datetime) -> dict[str, Any] | None:
    """The certificate in force at the cutoff: what its machine labels are promised to be."""
    in_force = Q(withdrawn_at=None) | Q(withdrawn_at__gt=cutoff)
    found = Certificate.objects.filter(in_force, project=project, issued_at__lte=cutoff).order_by("-issued_at").first()
    if found is None:
        return None
    return {
        "alpha": found.alpha,
        "delta": found.delta,
        "threshold": found.threshold,
        "bound": found.bound,
        "audits": found.audits,
        "accepted": found.accepted,
        "wrong": found.wrong,
        "issued_at": found.issued_at.isoformat(),
    }


def machines_of(project: Project, cutoff: datetime) -> list[dict[str, Any]]:
    """Models and prompts (by hash) whose looks stood at the cutoff, with how many looks each."""
    live = solutions_of(project, cutoff).order_by().values("pk")
    found: list[dict[str, Any]] = []
    for kind, table, columns in (
        ("judge", Judgement.objects.all(), ("model", "prompt", "parameters")),
        ("completer", Rollout.objects.all(), ("model", "parameters")),
        ("scorer", scores_at(cutoff), ("model", "parameters")),
    ):
        looks = table.filter(solution__in=live, created_at__lte=cutoff)
        rows = looks.values(*columns).annotate(looks=Count("pk")).order_by(*columns)
        found += [{"kind": kind, **row, "simulated": row["model"].startswith(SIMULATED)} for row in rows]
    return found


def card(content: Mapping[str, Any], writer: Writer) -> str:
    """README.md in the form that dataset hubs read: a YAML head, then text."""
    head = [
        "---",
        f'pretty_name: "{content["project"]} ({writer.title})"',
        "tags:",
        "- process-reward-model",
        "configs:",
    ]
    head += ["- config_name: default", "  data_files:"]
    for part in content["parts"]:
        head += [f"  - split: {part['name']}", f"    path: {part['file']}"]
    considered = content[f"{writer.unit}_considered"]
    body = [
        "---",
        "",
        f"# {content['project']}: step labels in the {writer.title} format",
        "",
        *([f"**{content['notice']}**", ""] if content["notice"] else []),
        f"{content['rows']} rows of {considered} {writer.unit}, as they stood at {content['cutoff']}.",
        f"Steps: {writer.indices}.",
        "",
        *_table("Part", {part["name"]: part["rows"] for part in content["parts"]}),
        *_table(f"{writer.unit.capitalize()} labelled by", content["sources"]),
        *_table("Step labels", content["labels"]),
        *_table("Left out because", content["left_out"]),
        *_choices(content["choices"]),
        *_certificate(content),
        "Models, prompts by hash and the sha256 of every file stand in `manifest.json`.",
    ]
    return "\n".join([*head, *body]) + "\n"


def _table(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    return [f"| {title} | |", "|---|---:|", *(f"| {name} | {count} |" for name, count in counts.items()), ""]


def _choices(choices: Mapping[str, Any]) -> list[str]:
    def shown(value: Any) -> str:
        return ", ".join(f"{k} {v:g}" for k, v in value.items()) if isinstance(value, dict) else str(value)

    rows = [f"| {name} | {shown(value)} |" for name, value in choices.items()]
    return ["| Choice | |", "|---|---|", *rows, ""]


def _certificate(content: Mapping[str, Any]) -> list[str]:
    found = content["certificate"]
    if found is None:
        return ["No certificate was in force: machine labels, where there are any, are provisional.", ""]
    bound = f"at most {found['alpha']:.1%} wrong with probability {1 - found['delta']:.0%}"
    return [f"Certified machine labels: {bound}, by {found['audits']} audits.", ""]
