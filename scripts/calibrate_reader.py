#!/usr/bin/env python3
"""Calibrate the reader: from its scores on the passages retrieved to the probability that the answer is right.

All paragraphs of a SQuAD 2.0 file become one collection; each question is asked of it through the real retrieval. An
answer is right when the question is answerable and the sentence shown contains a gold answer. First the weight of the
cosine in choosing a passage: the smallest one that is within a standard error of the best (the one-standard-error rule
of Hastie et al., The Elements of Statistical Learning, 7.10). Then a logistic regression on two scores of the reader
(Platt scaling): that of the passage chosen, and that of the sentences that would be shown from it, read again.
Both are checked by cross-validation over articles and written beside the reader.

    python scripts/calibrate_reader.py --squad dev-v2.0-tune.json --questions 2000
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import sys
import tempfile
import unicodedata
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from tqdm import tqdm

from index.chunk import CHUNKER, chunk_text
from index.store import ChunkedDocument, Collections
from index.types import Document, Span, content_hash
from qa.build import build_embedder
from qa.decide import Calibration
from qa.extract import excerpt
from qa.pipeline import QA
from qa.read import MODEL_DIR, OnnxReader
from qa.retrieve import retrieve
from qa.settings import load_settings

WRONG_ANSWER_COST = 0.5
"""What a wrong answer costs, when a right one earns 1 and a refusal 0. Half, since every answer shows its source, and
half of the questions of this set are near misses written to deceive, which few people ask."""


UNCALIBRATED = Calibration(0, slope=1, quote_slope=0, intercept=0, threshold=0, made_from="")
COSINE_WEIGHTS = (0, 1, 2, 3, 5, 7, 10, 15, 20)


class Read(NamedTuple):
    """Score of a passage, cosine of question and passage, score of what would be shown of it, and if it is right."""

    score: float
    cosine: float
    quote_score: float
    right: bool


def main() -> None:
    """Read the questions, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, required=True, help="SQuAD 2.0 JSON file that the reader never saw")
    parser.add_argument("--questions", type=int, default=2000, help="how many, drawn with the seed (default 2000)")
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--output", type=Path, default=MODEL_DIR / "calibration.json")
    options = parser.parse_args()

    articles = json.loads(options.squad.read_text(encoding="utf-8"))["data"]
    questions = [
        (article["title"], question)
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]
    questions = random.Random(options.seed).sample(questions, min(options.questions, len(questions)))  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), llm="none")
        reader = OnnxReader(threads=settings.thread_count())
        qa = QA(Collections(settings.data_dir), build_embedder(settings), reader, UNCALIBRATED, None, settings)
        index_paragraphs(qa, articles)
        asked = [read(qa, question) for _, question in tqdm(questions, desc="read", file=sys.stderr)]
    answerable = np.array([not question.get("is_impossible", False) for _, question in questions])
    articles_of = np.array([title for title, _ in questions])

    held_out, right = np.empty(len(asked)), np.empty(len(asked), bool)
    for train, test in GroupKFold(n_splits=min(9, len(set(articles_of)))).split(asked, groups=articles_of):
        fitted = fit([asked[i] for i in train])
        for i in test:
            chosen = choose(asked[i], fitted.cosine_weight)
            held_out[i], right[i] = fitted.probability(chosen.score, chosen.quote_score), chosen.right
    calibration = fit(asked)
    threshold = WRONG_ANSWER_COST / (1 + WRONG_ANSWER_COST)
    answered = held_out >= threshold
    figures = {
        "questions": len(asked),
        "answerable": int(answerable.sum()),
        "right_without_threshold": round(float(right[answerable].mean()), 4),
        "auroc_answerable": round(float(roc_auc_score(answerable, held_out)), 4),
        "expected_calibration_error": round(calibration_error(held_out, right), 4),
        "answered": int(answered.sum()),
        "precision_at_threshold": round(float(right[answered].mean()), 4),
        "answerable_answered_right": round(float((right & answered)[answerable].mean()), 4),
        "unanswerable_refused": round(float((~answered)[~answerable].mean()), 4),
    }
    record = {
        "cosine_weight": calibration.cosine_weight,
        "slope": round(calibration.slope, 4),
        "quote_slope": round(calibration.quote_slope, 4),
        "intercept": round(calibration.intercept, 4),
        "threshold": round(threshold, 4),
        "made_from": f"{options.squad.stem}, {len(asked)} questions on an open corpus, seed {options.seed}",
        "cross_validated_by_article": figures,
    }
    options.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=2))


def index_paragraphs(qa: QA, articles: list[dict]) -> None:
    """Every paragraph a document of the default collection."""
    documents = [
        Document(f"{article['title']}/{number}", article["title"].replace("_", " "), paragraph["context"], "squad")
        for article in articles
        for number, paragraph in enumerate(article["paragraphs"])
    ]
    chunked = [ChunkedDocument(d, tuple(chunk_text(d.text, qa.embedder.count_tokens))) for d in documents]
    texts = {d.text[c.start : c.end] for d in documents for c in chunk_text(d.text, qa.embedder.count_tokens)}
    index = qa.collections.get("default")
    index.save_vectors(
        qa.embedder.name,
        {content_hash(t): qa.embedder.embed_query(t) for t in tqdm(sorted(texts), desc="embed", file=sys.stderr)},
    )
    index.commit(chunked, [], embedder=qa.embedder.name, dim=qa.embedder.dim, chunker=CHUNKER)


def read(qa: QA, question: dict) -> list[Read]:
    """What the reader made of each passage."""
    gold = [] if question.get("is_impossible") else [normalise(answer["text"]) for answer in question["answers"]]
    rows = []
    with qa.collections.get("default").snapshot() as snapshot:
        ranked = retrieve(
            snapshot, qa.embedder, question["question"], top_k=qa.settings.top_k, candidates=qa.settings.candidates
        )
        found = qa.reader.read(question["question"], [item.passage.text for item in ranked])
        for item, (best, *_) in zip(ranked, found, strict=True):
            passage = item.passage
            span = Span(passage.start + best.span.start, passage.start + best.span.end)
            quoted = excerpt(passage, span, partial(snapshot.passage_before, passage))
            quote_score = max(found[0].score for found in qa.reader.read(question["question"], quoted.readings()))
            shown = normalise(quoted.text())
            right = any(f" {answer} " in f" {shown} " for answer in gold)
            rows.append(Read(best.score, item.cosine, quote_score, right))
    return rows


def normalise(text: str) -> str:
    """Lower case, without punctuation and articles: the SQuAD evaluation's normalisation."""
    kept = "".join(" " if unicodedata.category(c)[0] in "PZ" else c for c in text.casefold())
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


def fit(asked: list[list[Read]]) -> Calibration:
    """The weight of the cosine, then slope and intercept."""
    n = sum(any(read.right for read in reads) for reads in asked)
    accuracy = {weight: sum(choose(reads, weight).right for reads in asked) / n for weight in COSINE_WEIGHTS}
    best = max(accuracy.values())
    weight = min(w for w, a in accuracy.items() if a >= best - math.sqrt(best * (1 - best) / n))
    chosen = [choose(reads, weight) for reads in asked]
    scores = np.array([[read.score, read.quote_score] for read in chosen])
    platt = LogisticRegression(C=1e6).fit(scores, [read.right for read in chosen])  # Platt 1999, on two scores
    slope, quote_slope = map(float, platt.coef_[0])
    return Calibration(weight, slope, quote_slope, float(platt.intercept_[0]), threshold=0, made_from="")


def choose(reads: list[Read], cosine_weight: float) -> Read:
    """The passage that would be answered from."""
    return max(reads, key=lambda read: read.score + cosine_weight * read.cosine)


def calibration_error(probabilities: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015) over bins of equal width."""
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        (which == b).mean() * abs(right[which == b].mean() - probabilities[which == b].mean())
        for b in range(bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


if __name__ == "__main__":
    main()
