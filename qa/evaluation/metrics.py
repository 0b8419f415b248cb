"""Metrics of short answers, of refusal and of probabilities: small pure functions, each with its source."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np


def normalise(text: str) -> list[str]:
    """Words in lower case, without punctuation and articles: the official SQuAD 1.1 evaluation script."""
    kept = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1 if the normalised answer is one of the gold answers, else 0 (Rajpurkar et al. 2016)."""
    return float(any(normalise(answer) == normalise(gold) for gold in golds))


def f1(answer: str, golds: Sequence[str]) -> float:
    """Harmonic mean of word precision and recall against the gold answer that fits best (Rajpurkar et al. 2016)."""
    return max(_f1(normalise(answer), normalise(gold)) for gold in golds)


def _f1(answer: list[str], gold: list[str]) -> float:
    if not answer or not gold:  # the SQuAD 2.0 script: no words match only no words
        return float(answer == gold)
    shared = sum((Counter(answer) & Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold))


def squad(answer: str, golds: Sequence[str]) -> tuple[float, float]:
    """Exact match and F1 as the official SQuAD 2.0 script scores a prediction (Rajpurkar, Jia and Liang 2018).

    A refusal is the empty prediction. Where nothing answers, `golds` is empty and only a refusal is right: 1, else 0.
    A gold answer without a word ("the") counts for nothing beside others.
    """
    wanted = [gold for gold in golds if normalise(gold)] or [""]
    return exact_match(answer, wanted), f1(answer, wanted)


def contains_gold(text: str, golds: Sequence[str]) -> bool:
    """Whether the words of a gold answer stand in the text, in a row, case, articles and punctuation aside.

    Punctuation parts words here, unlike in SQuAD's normalisation: "1871" stands in "1871–1880".
    """
    words = _words(text)
    return any(f" {_words(gold)} " in f" {words} " for gold in golds)


def _words(text: str) -> str:
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", " ".join(re.findall(r"[^\W_]+", text.casefold()))).split())


def precision_recall(predicted: Sequence[bool], wanted: Sequence[bool]) -> tuple[float, float, float]:
    """Precision, recall and their harmonic mean; 0 where a share of nothing would be taken (van Rijsbergen 1979)."""
    both = sum(p and w for p, w in zip(predicted, wanted, strict=True))
    precision, recall = (both / n if n else 0.0 for n in (sum(predicted), sum(wanted)))
    return precision, recall, 2 * precision * recall / (precision + recall) if both else 0.0


def auroc(scores: Sequence[float], wanted: Sequence[bool]) -> float | None:
    """The chance that a wanted item has a higher score than another one, ties half (Hanley and McNeil 1982).

    None where there is only one kind.
    """
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(wanted, scores)) if any(wanted) and not all(wanted) else None


def best_f1_threshold(probabilities: np.ndarray, f1_if_answered: np.ndarray, answerable: np.ndarray) -> float:
    """The mean F1 over all questions at the threshold that gives most: `best_f1` of the official SQuAD 2.0 script.

    Answering an unanswerable question earns nothing and refusing it 1; refusing an answerable one earns nothing.
    """
    order = np.argsort(-probabilities, kind="stable")
    gains = np.where(answerable, f1_if_answered, -1.0)[order]
    return float(((~answerable).sum() + max(0.0, gains.cumsum().max(initial=0.0))) / len(order))


def balanced_accuracy(said: np.ndarray, true: np.ndarray) -> float:
    """The mean of the shares right among the true and among the false (Brodersen et al., ICPR 2010)."""
    return float((said[true].mean() + (~said[~true]).mean()) / 2)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p95 and p99, by linear interpolation."""
    return {f"p{q}": round(float(np.percentile(values, q)), 2) for q in (50, 95, 99)}


def risk_coverage(probabilities: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coverage and risk, (n,) each: the share answered and the share wrong among it, the most probable first.

    El-Yaniv and Wiener, On the Foundations of Noise-free Selective Classification, JMLR 2010.
    """
    order = np.argsort(-probabilities, kind="stable")
    answered = np.arange(1, len(order) + 1)
    return answered / len(order), 1 - np.cumsum(right[order]) / answered


def risk_coverage_area(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Mean risk over all coverages; 0 is best (AURC, Geifman, Uziel and El-Yaniv, ICLR 2019)."""
    return float(risk_coverage(probabilities, right)[1].mean())


def right_at_precision(probabilities: np.ndarray, right: np.ndarray, answerable: np.ndarray, precision: float) -> float:
    """Share of the answerable answered right, at the most coverage that still has this precision."""
    risk = risk_coverage(probabilities, right)[1]
    enough = np.flatnonzero(1 - risk >= precision)
    if not len(enough):
        return 0.0
    answered = enough[-1] + 1
    return float((1 - risk[enough[-1]]) * answered / answerable.sum())


def reliability(probabilities: np.ndarray, right: np.ndarray, bins: int = 10) -> list[tuple[float, float, int]]:
    """For each bin of equal width that is not empty: mean probability, share right, how many."""
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        (float(probabilities[which == b].mean()), float(right[which == b].mean()), int((which == b).sum()))
        for b in range(bins)
        if (which == b).any()
    ]


def calibration_error(probabilities: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015)."""
    rows = reliability(probabilities, right, bins)
    return sum(n * abs(share - mean) for mean, share, n in rows) / len(probabilities)
