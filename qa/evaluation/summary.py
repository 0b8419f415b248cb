"""From the lines of all questions to flat metrics, name to number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from qa.evaluation import metrics
from qa.evaluation.scoring import Line

Metrics = dict[str, float]

RESAMPLES = 2000

MEANS = (
    "right", "exact_match", "f1", "contains_gold", "citation_sentence_precision", "citation_sentence_recall",
    "alce_citation_recall", "alce_citation_precision",
)  # fmt: skip
"""Scores whose mean over the questions that have one is a metric; those of rankings join them."""


def summarise(lines: Sequence[Line]) -> Metrics:
    """All metrics that can be computed from these lines; docs/evaluation.md defines each."""
    answerable = [line for line in lines if line["answerable"]]
    others = [line for line in lines if not line["answerable"]]
    answered = [line for line in lines if line["status"] == "answered"]
    refused = [line["status"] == "not_answerable" for line in lines]
    figures: dict[str, float | None] = {
        "questions": len(lines),
        "answerable": len(answerable),
        "unanswerable": len(others),
        "answered": len(answered),
        "errors": _count(lines, lambda line: line["status"] == "error"),
        "timeouts": _count(lines, lambda line: line["status"] == "timeout"),
        "answerable_right": _count(answerable, _right),
        "unanswerable_refused": _count(others, _right),
        "answers_right": _share(answered, _right),
    }
    for name in _scores(lines):
        figures[name] = _mean(lines, name)
    for name in ("exact_match", "f1"):
        figures[f"{name}_has_answer"] = _mean(answerable, name)
    figures["exact_match_no_answer"] = _mean(others, "exact_match")
    if others:
        unanswerable = [not line["answerable"] for line in lines]
        figures["refusal_precision"], figures["refusal_recall"], figures["refusal_f1"] = metrics.precision_recall(
            refused, unanswerable
        )
    figures |= _confidence(lines) | _withheld(lines) | _generation(lines)
    return {name: round(float(value), 6) for name, value in figures.items() if value is not None}


def intervals(lines: Sequence[Line], seed: int) -> dict[str, tuple[float, float]]:
    """95% intervals of the means: the percentile bootstrap over questions (Efron and Tibshirani 1993), seeded."""
    found = {}
    for name in [*MEANS, *(name for name in _scores(lines) if name not in MEANS)]:
        values = np.array([line["scores"][name] for line in lines if line["scores"].get(name) is not None])
        if len(values) > 1:
            found[name] = bootstrap(values, seed)
    return found


def bootstrap(values: np.ndarray, seed: int) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the mean of `values`, (n,), n > 1."""
    if np.ptp(values) == 0:
        return round(float(values[0]), 6), round(float(values[0]), 6)
    from scipy.stats import bootstrap as resample

    found = resample(
        (values,), np.mean, n_resamples=RESAMPLES, batch=100, method="percentile", rng=np.random.default_rng(seed)
    ).confidence_interval
    return round(float(found.low), 6), round(float(found.high), 6)


def curve(lines: Sequence[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and whether the answer is right, (n,) each; a withheld answer counts as what it would have been."""
    probabilities = np.array([line["answerable_probability"] for line in lines], float)
    right = np.array([_right_if_answered(line) for line in lines], bool)
    return probabilities, right


def _confidence(lines: Sequence[Line]) -> dict[str, float | None]:
    """What the probability is worth, as far as it can be seen in the answers themselves."""
    probabilities = np.array([line["answerable_probability"] for line in lines], float)
    answered = np.array([line["status"] == "answered" for line in lines], bool)
    right = np.array([line["status"] == "answered" and _right(line) for line in lines], bool)
    said = [line for line in lines if line["error"] is None]
    return {
        "auroc_answerable": metrics.auroc(
            [line["answerable_probability"] for line in said], [line["answerable"] for line in said]
        ),
        # A refusal ranks below all answers and counts as wrong: what it would have said is not in it.
        "risk_coverage_area": metrics.risk_coverage_area(np.where(answered, 1 + probabilities, probabilities), right),
        "calibration_error": metrics.calibration_error(probabilities[answered], right[answered])
        if answered.any()
        else None,
    }


def _withheld(lines: Sequence[Line]) -> dict[str, float | None]:
    """The same as if nothing had been refused: only where the service tells what it held back, hence not over HTTP."""
    if not lines or any(line["drafted"] is None for line in lines if line["error"] is None):
        return {}
    probabilities, right = curve(lines)
    f1 = np.array([(line["withheld"] or line["scores"])["f1"] for line in lines], float)
    answerable = np.array([line["answerable"] for line in lines], bool)
    failed = np.array([line["error"] is not None for line in lines], bool)  # no refusal, and no probability
    return {
        "withheld_risk_coverage_area": metrics.risk_coverage_area(probabilities, right),
        "withheld_calibration_error": metrics.calibration_error(probabilities[~failed], right[~failed])
        if not failed.all()
        else None,
        "withheld_f1_has_answer": float(f1[answerable].mean()) if answerable.any() else None,
        "withheld_best_f1": metrics.best_f1_threshold(probabilities, f1, answerable | failed),
    }


def _generation(lines: Sequence[Line]) -> dict[str, float | None]:
    claims = [claim["score"] for line in lines for claim in line["claims"]]
    written = [line for line in lines if line["composed_by"] == "llm"]
    figures: dict[str, float | None] = {
        "written_by_llm": len(written),
        "written_by_llm_wrong": _count(written, lambda line: not _right(line)),
        "claims": len(claims),
        "claim_support_mean": float(np.mean(claims)) if claims else None,
        "claim_support_least": min(claims, default=None),
    }
    drafted = [draft for line in lines for draft in line["drafted"] or ()]
    if drafted:
        dropped = sum(not draft["shown"] for draft in drafted)
        figures |= {"sentences_drafted": len(drafted), "sentences_dropped": dropped}
    return figures


def _scores(lines: Sequence[Line]) -> list[str]:
    return list(dict.fromkeys(name for line in lines for name in line["scores"]))


def _mean(lines: Sequence[Line], name: str) -> float | None:
    values = [line["scores"][name] for line in lines if line["scores"].get(name) is not None]
    return sum(values) / len(values) if values else None


def _count(lines: Sequence[Line], holds: Callable[[Line], bool]) -> int:
    return sum(map(holds, lines))


def _share(lines: Sequence[Line], holds: Callable[[Line], bool]) -> float | None:
    return _count(lines, holds) / len(lines) if lines else None


def _right(line: Line) -> bool:
    return bool(line["scores"]["right"])


def _right_if_answered(line: Line) -> bool:
    if line["status"] == "answered":
        return _right(line)
    return bool(line["answerable"] and line["withheld"] and line["withheld"]["contains_gold"])
