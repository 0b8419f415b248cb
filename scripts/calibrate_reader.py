#!/usr/bin/env python3
"""Calibrate a reader: from its scores on the passages retrieved to the probability that the answer is right.

All paragraphs of a SQuAD 2.0 file become one collection, all passages of training/data another; each question is
asked of its collection through the real retrieval: those of the file, and as many written ones as --written says,
half of them near misses, on passages that no training touches. People with the paragraph before their eyes ask in its
words, and a calibration on such questions alone trusts no other. An answer is right when the question is answerable
and the sentences shown contain a gold answer.

First the weights of the fused score of retrieval and of the support model's log-odds in choosing a passage: those
with which most questions would be answered rightly. Then a logistic regression (Platt scaling) on the reader's score
of the passage chosen, that of the sentences that would be shown from it, read again, and the log-odds that these bear
out the answer. All is checked by cross-validation over articles and written beside the reader, with the preference
from which on no further passage is read.

    python scripts/calibrate_reader.py --squad dev-v2.0-tune.json --questions 2000 --written 1000 --plots docs
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

sys.path.insert(0, str(Path(__file__).parent.parent))  # `training` is part of the checkout, not of the package

from index.store import Collections
from index.types import Document
from qa.build import build_embedder, build_judge, build_reader, calibration_path
from qa.decide import UNCALIBRATED, Calibration
from qa.evaluation import metrics
from qa.evaluation.corpus import index_documents
from qa.evaluation.questions import Dataset, Evidence, Question, load_dataset
from qa.evaluation.ranking import Ranking
from qa.evaluation.ranking import measure as measure_rankings
from qa.evaluation.readings import Read, read_all
from qa.pipeline import QA
from qa.rerank import close
from qa.settings import load_settings
from training.written import load_questions

WRONG_ANSWER_COST = 0.5
"""What a wrong answer costs, when a right one earns 1 and a refusal 0. Half, since every answer shows its source, and
half of the questions of this set are near misses written to deceive, which few people ask."""

THRESHOLD = WRONG_ANSWER_COST / (1 + WRONG_ANSWER_COST)
"""Answering pays where probability - (1 - probability) × cost is above zero."""

FUSED_WEIGHTS = (0, 1, 2, 3, 5, 7, 10, 12, 15, 20, 25, 30)
ODDS_WEIGHTS = (0, 1, 2, 3, 4, 5, 6)
CHANGED_BY_STOPPING = 0.005
"""Share of the questions whose passage may differ from the one that reading all passages would choose."""


def main() -> None:
    """Read the questions, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, required=True, help="SQuAD 2.0 JSON file that the reader never saw")
    parser.add_argument("--reader", default="minilm", help="as QA_READER (default minilm, the shipped one)")
    parser.add_argument("--questions", type=int, default=2000, help="how many, drawn with the seed (default 2000)")
    parser.add_argument("--written", type=int, default=1000, help="how many written ones, near misses included")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--output", type=Path, help="default: where QA_READER looks for it")
    parser.add_argument("--plots", type=Path, help="folder for risk-coverage.svg and reliability.svg")
    options = parser.parse_args()

    output = options.output or calibration_path(load_settings(reader=options.reader))
    datasets = [load_dataset(options.squad).sample(options.questions, options.seed)]
    datasets += [written(options.written, options.seed)] if options.written else []
    questions = [question for dataset in datasets for question in dataset.questions]
    with ProcessPoolExecutor(len(datasets), mp_context=get_context("spawn")) as pool:  # a quarter of an hour's work
        asked = [reads for part in pool.map(read, datasets, repeat(options.reader)) for reads in part]
    answerable = np.array([bool(question.golds) for question in questions])
    groups = np.array([question.group for question in questions])

    probabilities, ranked = np.empty(len(asked)), list(asked)
    for train, test in GroupKFold(n_splits=min(9, len(set(groups)))).split(asked, groups=groups):
        fitted = fit([asked[i] for i in train])
        for i in test:
            ranked[i] = rank(asked[i], fitted)
            first = ranked[i][0]
            probabilities[i] = fitted.probability(first.score, first.quote_score, first.odds)
    calibration = fit(asked)
    figures = []
    for end, dataset in zip(np.cumsum([len(dataset.questions) for dataset in datasets]), datasets, strict=True):
        part = slice(end - len(dataset.questions), end)
        figures.append(measure(asked[part], ranked[part], probabilities[part], answerable[part]))
        read_of = [passages_read(reads, calibration) for reads in asked[part]]
        figures[-1]["mean_passages_read"] = round(float(np.mean(read_of)), 2)
    record = {
        "fused_weight": calibration.fused_weight,
        "odds_weight": calibration.odds_weight,
        "slope": round(calibration.slope, 4),
        "quote_slope": round(calibration.quote_slope, 4),
        "odds_slope": round(calibration.odds_slope, 4),
        "intercept": round(calibration.intercept, 4),
        "threshold": round(THRESHOLD, 4),
        "enough": round(calibration.enough, 2),
        "made_from": f"{' and '.join(f'{len(d.questions)} of {d.name}' for d in datasets)}, seed {options.seed}",
        "cross_validated_by_article": figures[0],
        **({"cross_validated_on_written": figures[1]} if options.written else {}),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))
    if options.plots:
        end = len(datasets[0].questions)
        plot(probabilities[:end], np.array([reads[0].right for reads in ranked[:end]]), options.plots)
    print(f"written to {output}", file=sys.stderr)


def written(number: int, seed: int) -> Dataset:
    """Questions in other words than the text's, and a near miss of each, on passages that no reader is trained on."""
    trained, kept = load_questions([])
    texts = dict.fromkeys(asked.question.paragraph.text for asked in (*trained, *kept))
    documents = {text: Document(f"written-{i}", f"Written {i}", text, "training/data") for i, text in enumerate(texts)}
    rng = random.Random(seed)  # noqa: S311 - no secret
    questions = []
    for i, asked in enumerate(rng.sample([item for item in kept if item.near], number // 2)):
        question, name = asked.question, documents[asked.question.paragraph.text].uri
        golds, evidence = (question.answer.of(question.paragraph.text),), (Evidence(name, question.answer),)
        questions += [
            Question(f"{i}", question.text, golds, evidence, name),
            Question(f"{i} near", rng.choice(asked.near), (), (), name),
        ]
    return Dataset("training/data", "", tuple(questions), tuple(documents.values()))


def read(dataset: Dataset, name: str) -> list[list[Read]]:
    """What the reader of this name makes of the passages retrieved for each question from all of the data set's."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), llm="none", reader=name, threads=1)  # another reads beside it
        asking = replace(UNCALIBRATED, odds_slope=1)  # has the support model heard
        embedder, reader, judge = build_embedder(settings), build_reader(settings), build_judge(settings)
        qa = QA(Collections(settings.data_dir), embedder, reader, asking, None, settings, judge)
        index_documents(qa.collections.get("default"), embedder, dataset.paragraphs)
        return read_all(qa, dataset.questions, settings.top_k)


def fit(asked: list[list[Read]]) -> Calibration:
    """The weights of fused score and odds, of equally good ones the smaller; slopes; intercept; where to stop."""

    def weighted(fused: float, odds: float) -> Calibration:
        return Calibration(fused, 1, 0, 0, THRESHOLD, math.inf, "", odds_weight=odds)

    pairs = [weighted(fused, odds) for fused in FUSED_WEIGHTS for odds in ODDS_WEIGHTS]
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
    ranked = sorted(reads, key=lambda read: -calibration.preference(read.score, read.fused))
    rivals = close([calibration.preference(read.score, read.fused) for read in ranked])
    best = sorted(ranked[:rivals], key=lambda read: -calibration.preference(read.score, read.fused, read.odds))
    return best + ranked[rivals:]


def stop_at(asked: list[list[Read]], calibration: Calibration) -> float:
    """The least preference at which to stop reading that changes the passage of hardly any question."""
    beaten = []  # for each question the highest preference that a later passage overtook
    for reads in asked:
        preferences = [calibration.preference(read.score, read.fused) for read in reads]
        earlier = preferences[: preferences.index(max(preferences))]
        beaten.append(max(earlier, default=-math.inf))
    beaten.sort(reverse=True)
    return beaten[int(CHANGED_BY_STOPPING * len(beaten))] + 1e-6


def passages_read(reads: list[Read], calibration: Calibration) -> int:
    """How many of the passages are read before one is good enough."""
    preferences = (calibration.preference(read.score, read.fused) for read in reads)
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
