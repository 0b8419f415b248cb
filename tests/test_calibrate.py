"""Calibration: from scores whose meaning is known to probabilities that say so."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qa.evaluation.readings import Read
from scripts.calibrate_reader import CHANGED_BY_STOPPING, fit, measure, passages_read, plot, rank, stop_at, written
from tests.fakes import FAKE_CALIBRATION
from training.written import load_questions


def read(score: float, *, right: bool = False, fused: float = 0.5, odds: float = 0.0) -> Read:
    return Read(score, fused, score, odds, float(right), right, right)


def asked(n: int, seed: int) -> list[list[Read]]:
    """Questions whose best passage is right with the probability sigmoid(score - 1)."""
    rng = np.random.default_rng(seed)
    questions = []
    for _ in range(n):
        scores = np.sort(rng.normal(1, 2, 4))[::-1]
        right = bool(rng.random() < 1 / (1 + math.exp(1 - scores[0])))
        reads = [read(s, right=right and i == 0) for i, s in enumerate(scores)]
        rng.shuffle(reads)  # type: ignore[arg-type]
        questions.append(reads)
    return questions


def test_probabilities_are_those_that_the_scores_were_drawn_with() -> None:
    calibration = fit(asked(4000, seed=1))
    for score in (-1.0, 1.0, 3.0):
        assert calibration.probability(score, score, 0) == pytest.approx(1 / (1 + math.exp(1 - score)), abs=0.05)


def test_a_fused_score_that_tells_the_right_passage_is_weighed_and_one_that_does_not_is_left_alone() -> None:
    rng = np.random.default_rng(2)
    telling = [
        [read(rng.normal(), right=i == 0, fused=rng.normal(0.7 if i == 0 else 0.5, 0.1)) for i in rng.permutation(3)]
        for _ in range(300)
    ]
    assert fit(telling).fused_weight > 0
    assert fit(asked(300, seed=3)).fused_weight == 0


def test_what_the_support_model_says_is_weighed_where_it_tells_and_left_alone_where_it_does_not() -> None:
    rng = np.random.default_rng(6)
    telling = [
        [read(rng.normal(), right=i == 0, odds=rng.normal(2 if i == 0 else 0, 1)) for i in rng.permutation(2)]
        for _ in range(300)
    ]
    fitted = fit(telling)
    assert fitted.odds_weight > 0
    assert fitted.odds_slope > 0
    assert fit(asked(300, seed=7)).odds_weight == 0


def test_half_of_the_written_questions_are_near_misses_and_none_is_trained_on() -> None:
    dataset = written(60, seed=3)
    assert [question.answerable for question in dataset.questions] == [True, False] * 30
    texts = {document.uri: document.text for document in dataset.paragraphs}
    trained = {item.question.paragraph.text for item in load_questions([])[0]}
    assert trained < set(texts.values())  # what is trained on is searched, too
    for question in dataset.questions:
        assert texts[question.group] not in trained
        for gold, evidence in zip(question.golds, question.evidence, strict=True):
            assert evidence.span.of(texts[evidence.document]) == gold
    assert written(60, seed=3) == dataset


def test_stopping_changes_the_passage_of_hardly_any_question() -> None:
    questions = asked(1000, seed=4)
    calibration = replace(FAKE_CALIBRATION, fused_weight=1)
    enough = stop_at(questions, calibration)
    changed = 0
    for reads in questions:
        stop = passages_read(reads, replace(calibration, enough=enough))
        changed += rank(reads[:stop], calibration)[0] != rank(reads, calibration)[0]
    assert changed <= CHANGED_BY_STOPPING * len(questions)
    assert enough < max(r.score + r.fused for reads in questions for r in reads)  # it does stop


def test_the_figures_and_plots_of_a_calibration(tmp_path: Path) -> None:
    questions = asked(200, seed=5)
    ranked = [rank(reads, FAKE_CALIBRATION) for reads in questions]
    probabilities = np.array([FAKE_CALIBRATION.probability(reads[0].score, 0, 0) for reads in ranked])
    answerable = np.array([any(r.right for r in reads) for reads in questions])
    figures = measure(questions, ranked, probabilities, answerable)
    assert figures["right_without_threshold"] == figures["recall_at_1_read"] == 1
    assert figures["recall_at_1_retrieved"] < figures["mrr_retrieved"] < 1
    plot(probabilities, np.array([reads[0].right for reads in ranked]), tmp_path)
    first = (tmp_path / "reliability.svg").read_bytes()
    plot(probabilities, np.array([reads[0].right for reads in ranked]), tmp_path)
    assert (tmp_path / "reliability.svg").read_bytes() == first
    assert b"coverage" in (tmp_path / "risk-coverage.svg").read_bytes()
