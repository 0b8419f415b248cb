#!/usr/bin/env python3
"""Measure a reader by itself, on questions with the paragraph they were asked about, as the SQuAD evaluation does.

    python scripts/measure_reader.py --squad dev-v2.0.json
    python scripts/measure_reader.py --squad dev-v2.0.json --reader .qa/reader-run --against .qa/reader-run/checkpoint

Every question counts. Answerable ones: exact match and F1 of the best span, no threshold. All: how well the best span's
score tells answerable questions from the others (AUROC). With --against, also how far two readers agree, such as an
int8 export with the float32 checkpoint that it was made from.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from qa.build import build_reader
from qa.evaluation.metrics import exact_match, f1
from qa.evaluation.questions import load_dataset
from qa.read import Reader
from qa.settings import load_settings


def main() -> None:
    """Read, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--squad", type=Path, required=True, help="SQuAD 2.0 JSON file that the reader never saw")
    parser.add_argument("--reader", default="minilm", help="as QA_READER (default minilm, the shipped one)")
    parser.add_argument("--against", help="another reader, to compare spans and scores with")
    parser.add_argument("--questions", type=int, help="how many, drawn with the seed (default all)")
    parser.add_argument("--seed", type=int, default=13)
    options = parser.parse_args()

    dataset = load_dataset(options.squad).sample(options.questions, options.seed)
    questions = dataset.questions
    texts = {document.uri: document.text for document in dataset.paragraphs}
    pairs = [(question.question, texts[question.paragraph]) for question in questions]
    found = [best(options.reader, *pair) for pair in tqdm(pairs, desc="read", file=sys.stderr)]
    answered = [(words, q.golds) for (words, _), q in zip(found, questions, strict=True) if q.golds]
    scores = np.array([score for _, score in found])
    figures = {
        "questions": len(questions),
        "answerable": len(answered),
        "exact_match": np.mean([exact_match(words, golds) for words, golds in answered]),
        "f1": np.mean([f1(words, golds) for words, golds in answered]),
        "auroc_answerable": roc_auc_score([bool(q.golds) for q in questions], scores),
    }
    if options.against:
        other = [best(options.against, *pair) for pair in tqdm(pairs, desc="read again", file=sys.stderr)]
        same = [words == again for (words, _), (again, _) in zip(found, other, strict=True)]
        apart = np.abs(scores - [score for _, score in other])
        figures |= {"same_words": np.mean(same), "score_apart_mean": apart.mean(), "score_apart_max": apart.max()}
    print(json.dumps({name: round(float(value), 4) for name, value in figures.items()}, indent=2))


def best(name: str, question: str, passage: str) -> tuple[str, float]:
    """The best span's words, and its score."""
    candidate = reader(name).read(question, [passage], 1)[0][0]
    return candidate.span.of(passage), candidate.score


@cache
def reader(name: str) -> Reader:
    """The reader of this name, loaded once."""
    return build_reader(load_settings(reader=name))


if __name__ == "__main__":
    main()
