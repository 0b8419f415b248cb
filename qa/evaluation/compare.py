"""One report against another, question by question."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from qa.evaluation.questions import InvalidDataset
from qa.evaluation.scoring import Line
from qa.evaluation.summary import bootstrap

COMPARED = (
    "right", "f1", "exact_match", "contains_gold", "citation_sentence_precision", "citation_sentence_recall",
    "alce_citation_recall", "reranked_mrr", "retrieved_mrr",
)  # fmt: skip


def load_baseline(path: Path) -> Mapping[str, Any]:
    """A `report.json`. Raises `InvalidDataset` for anything else."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        if not {line["id"] for line in report["questions"]}:
            raise ValueError("it lists no question")
        by_score = [line["scores"]["right"] for line in report["questions"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidDataset(
            f"{path} cannot be compared with: {type(error).__name__}: {error}",
            help="Name a report.json that this command has written, with its questions.",
        ) from error
    assert by_score  # noqa: S101 - looked at above
    found: Mapping[str, Any] = report
    return found


def compare(lines: Sequence[Line], baseline: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """For each score the mean difference over the questions that both have it for, and which got better or worse.

    The 95% interval is that of a paired bootstrap over questions (Koehn, EMNLP 2004), seeded: where it does not hold 0,
    the difference is hardly chance.
    """
    before: dict[str, Line] = {line["id"]: line for line in baseline["questions"]}
    both = [(before[line["id"]], line) for line in lines if line["id"] in before]
    scores = {}
    for name in COMPARED:
        pairs = [(old["scores"].get(name), new["scores"].get(name)) for old, new in both]
        values = np.array([(a, b) for a, b in pairs if a is not None and b is not None], float).reshape(-1, 2)
        if len(values) < 2:
            continue
        difference = values[:, 1] - values[:, 0]
        low, high = bootstrap(difference, seed)
        scores[name] = {
            "questions": len(values),
            "before": round(float(values[:, 0].mean()), 6),
            "now": round(float(values[:, 1].mean()), 6),
            "difference": round(float(difference.mean()), 6),
            "interval": [low, high],
        }
    changed = [(_gain(old, new), _change(old, new)) for old, new in both]
    return {
        "baseline": {"dataset": baseline.get("dataset"), "versions": baseline.get("versions")},
        "same_questions": len(both),
        "only_here": len(lines) - len(both),
        "only_in_baseline": len(before) - len(both),
        "scores": scores,
        "better": [change for gain, change in changed if gain > (0, 0)],
        "worse": [change for gain, change in changed if gain < (0, 0)],
    }


def _gain(old: Line, new: Line) -> tuple[float, float]:
    """What counts first is whether the answer is right, then its words."""
    return (new["scores"]["right"] - old["scores"]["right"], round(new["scores"]["f1"] - old["scores"]["f1"], 6))


def _change(old: Line, new: Line) -> dict[str, Any]:
    kept = ("status", "answer", "short_answer")
    return {
        "id": new["id"],
        "question": new["question"],
        "before": {name: old[name] for name in kept} | {name: old["scores"][name] for name in ("right", "f1")},
        "now": {name: new[name] for name in kept} | {name: new["scores"][name] for name in ("right", "f1")},
    }
