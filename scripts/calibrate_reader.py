#!/usr/bin/env python3
"""Calibrate a reader: from its scores on the passages retrieved to the probability that the answer is right.

All paragraphs of a SQuAD 2.0 file become one collection; each question is asked of it through the real retrieval. An
answer is right when the question is answerable and the sentences shown contain a gold answer. First the weights of
the cosine and of the support model's log-odds in choosing a passage: those with which most questions would be
answered rightly. Then a logistic regression (Platt scaling) on the reader's score of the passage chosen, that of the
sentences that would be shown from it, read again, and the log-odds that these bear out the answer. All is checked by
cross-validation over articles and written beside the reader, with the preference from which on no further passage is
read.

    python scripts/calibrate_reader.py --squad dev-v2.0-tune.json --questions 2000 --plots docs
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from index.store import Collections
from qa.build import build_embedder, build_judge, build_reader, calibration_path
from qa.decide import UNCALIBRATED, Calibration
from qa.evaluation import metrics
from qa.evaluation.corpus import index_documents
from qa.evaluation.questions import load_dataset
from qa.evaluation.ranking import Ranking
from qa.evaluation.ranking import measure as measure_rankings
from qa.evaluation.readings import Read, read_all
from qa.pipeline import QA
from qa.rerank import close
from qa.settings import load_settings

WRONG_ANSWER_COST = 0.5
"""What a wrong answer costs, when a right one earns 1 and a refusal 0. Half, since every answer shows its source, and
half of the questions of this set are near misses written to deceive, which few people ask."""

THRESHOLD = WRONG_ANSWER_COST / (1 + WRONG_ANSWER_COST)
"""Answering pays where probability - (1 - probability) × cost is above zero."""

COSINE_WEIGHTS = (0, 1, 2, 3, 5, 7, 10, 12, 15, 20)
ODDS_WEIGHTS = (0, 1, 2, 3, 4, 5, 6)
CHANGED_BY_STOPPING = 0.005
"""Share of the questions whose passage may differ from the one that reading all passages would choose."""


def main() -> None:
    """Read the questions, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, required=True, help="SQuAD 2.0 JSON file that the reader never saw")
    parser.add_argument("--reader", default="minilm", help="as QA_READER (default minilm, the shipped one)")
    parser.add_argument("--questions", type=int, default=2000, help="how many, drawn with the seed (default 2000)")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--output", type=Path, help="default: where QA_READER looks for it")
    parser.add_argument("--plots", type=Path, help="folder for risk-coverage.svg and reliability.svg")
    options = parser.parse_args()

    output = options.output or calibration_path(load_settings(reader=options.reader))
    dataset = load_dataset(options.squad).sample(options.questions, options.seed)
    questions = dataset.questions
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), llm="none", reader=options.reader)
        reader = build_reader(settings)
        judge = build_judge(settings)
        asking = replace(UNCALIBRATED, odds_slope=1)  # has the support model heard
        qa = QA(Collections(settings.data_dir), build_embedder(settings), reader, asking, None, settings, judge)
        index_documents(qa.collections.get("default"), qa.embedder, dataset.paragraphs)
        asked = read_all(qa, questions, settings.top_k)
    answerable = np.array([bool(question.golds) for question in questions])
    articles = np.array([question.group for question in questions])

    probabilities, ranked = np.empty(len(asked)), list(asked)
    for train, test in GroupKFold(n_splits=min(9, len(set(articles)))).split(asked, groups=articles):
        fitted = fit([asked[i] for i in train])
        for i in test:
            ranked[i] = rank(asked[i], fitted)
            first = ranked[i][0]
            probabilities[i] = fitted.probability(first.score, first.quote_score, first.odds)
    figures = measure(asked, ranked, probabilities, answerable)
    calibration = fit(asked)
    figures["mean_passages_read"] = round(float(np.mean([passages_read(reads, calibration) for reads in asked])), 2)
    record = {
        "cosine_weight": calibration.cosine_weight,
        "odds_weight": calibration.odds_weight,
        "slope": round(calibration.slope, 4),
        "quote_slope": round(calibration.quote_slope, 4),
        "odds_slope": round(calibration.odds_slope, 4),
        "intercept": round(calibration.intercept, 4),
        "threshold": round(THRESHOLD, 4),
        "enough": round(calibration.enough, 2),
        "made_from": f"{options.squad.stem}, {len(asked)} questions on an open corpus, seed {options.seed}",
        "cross_validated_by_article": figures,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))
    if options.plots:
        plot(probabilities, np.array([reads[0].right for reads in ranked]), options.plots)
    print(f"written to {output}", file=sys.stderr)


def fit(asked: list[list[Read]]) -> Calibration:
    """The weights of cosine and odds, of equally good ones the smaller; slopes; intercept; where to stop reading."""

    def weighted(cosine: float, odds: float = 0) -> Calibration:
        return Calibration(cosine, 1, 0, 0, THRESHOLD, math.inf, "", odds_weight=odds)

    pairs = [weighted(cosine, odds) for cosine in COSINE_WEIGHTS for odds in ODDS_WEIGHTS]
    weights = max(pairs, key=lambda pair: sum(rank(reads, pair)[0].right for reads in asked))
    chosen = [rank(reads, weights)[0] for reads in asked]
    scores = np.array([[read.score, read.quote_score, read.odds] for read in chosen])
    platt = LogisticRegression(C=1e6).fit(scores, [read.right for read in chosen])  # Platt 1999, on three scores
    slope, quote_slope, odds_slope = map(float, platt.coef_[0])
    return replace(
        weights,
        slope=slope,
        quote_slope=quote_slope,
        odds_slope=odds_slope,
        intercept=float(platt.intercept_[0]),
        enough=stop_at(asked, weights),
    )


def rank(reads: list[Read], calibration: Calibration) -> list[Read]:
    """The passages, the one that would be answered from first, as `qa.rerank` has them."""
    ranked = sorted(reads, key=lambda read: -calibration.preference(read.score, read.cosine))
    rivals = close([calibration.preference(read.score, read.cosine) for read in ranked])
    best = sorted(ranked[:rivals], key=lambda read: -calibration.preference(read.score, read.cosine, read.odds))
    return best + ranked[rivals:]


def stop_at(asked: list[list[Read]], calibration: Calibration) -> float:
    """The least preference at which to stop reading that changes the passage of hardly any question."""
    beaten = []  # for each question the highest preference that a later passage overtook
    for reads in asked:
        preferences = [calibration.preference(read.score, read.cosine) for read in reads]
        earlier = preferences[: preferences.index(max(preferences))]
        beaten.append(max(earlier, default=-math.inf))
    beaten.sort(reverse=True)
    return beaten[int(CHANGED_BY_STOPPING * len(beaten))] + 1e-6


def passages_read(reads: list[Read], calibration: Calibration) -> int:
    """How many of the passages are read before one is good enough."""
    preferences = (calibration.preference(read.score, read.cosine) for read in reads)
    return next((i for i, preference in enumerate(preferences, 1) if preference >= calibration.enough), len(reads))


def measure(
    asked: list[list[Read]], ranked: list[list[Read]], probabilities: np.ndarray, answerable: np.ndarray
) -> dict[str, float]:
    """The figures that the model card and docs/deciding.md give, with probabilities that were held out by article."""
    chosen = [reads[0] for reads in ranked]
    right = np.array([read.right for read in chosen])
    answered = probabilities >= THRESHOLD
    most = max(map(len, asked))
    before, after = (ranking_figures(every, answerable, most) for every in (asked, ranked))
    figures = {
        "recall_at_1_retrieved": before["hit@1"],
        "recall_at_1_read": after["hit@1"],
        "mrr_retrieved": before["mrr"],
        "mrr_read": after["mrr"],
        "recall_at_k": before[f"hit@{most}"],
        "span_f1_without_threshold": np.mean([read.span_f1 for read, a in zip(chosen, answerable, strict=True) if a]),
        "right_without_threshold": right[answerable].mean(),
        "auroc_answerable": roc_auc_score(answerable, probabilities),
        "risk_coverage_area": metrics.risk_coverage_area(probabilities, right),
        "answerable_right_at_70_percent_precision": metrics.right_at_precision(probabilities, right, answerable, 0.7),
        "expected_calibration_error": metrics.calibration_error(probabilities, right),
        "precision_at_threshold": right[answered].mean(),
        "answerable_answered_right": (right & answered)[answerable].mean(),
        "unanswerable_refused": (~answered)[~answerable].mean(),
    }
    counts = {"questions": len(asked), "answerable": int(answerable.sum()), "answered": int(answered.sum())}
    return {**counts, **{name: round(float(value), 4) for name, value in figures.items()}}


def ranking_figures(asked: list[list[Read]], answerable: np.ndarray, most: int) -> dict[str, float]:
    """Over the answerable questions: `hit@1`, `hit@most`, `mrr` of the passages that hold a gold answer in place."""
    rankings = {
        str(i): Ranking(tuple(read.relevant for read in reads), missed=int(not any(read.relevant for read in reads)))
        for i, reads in enumerate(asked)
        if answerable[i]
    }
    measured = list(measure_rankings(rankings, sorted({1, most})).values())
    return {name: float(np.mean([values[name] for values in measured])) for name in measured[0]}


def plot(probabilities: np.ndarray, right: np.ndarray, folder: Path) -> None:
    """Risk against coverage, and share right against probability, as SVG."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "cited-qa", "font.size": 10, "axes.grid": True, "grid.alpha": 0.3})
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(figsize=(5, 3.5), layout="constrained")
    axes.plot(*metrics.risk_coverage(probabilities, right))
    axes.set(xlabel="coverage: share of the questions answered", ylabel="risk: share of the answers wrong", ylim=(0, 1))
    figure.savefig(folder / "risk-coverage.svg", metadata={"Date": None})
    figure, axes = pyplot.subplots(figsize=(5, 3.5), layout="constrained")
    mean, share, n = map(np.array, zip(*metrics.reliability(probabilities, right), strict=True))
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", label="ideal")
    axes.errorbar(mean, share, yerr=np.sqrt(share * (1 - share) / n), fmt="o-", capsize=3, label="held out by article")
    axes.set(xlabel="answerable_probability", ylabel="share right", xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    figure.savefig(folder / "reliability.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
