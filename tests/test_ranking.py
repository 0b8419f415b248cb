"""Measures of rankings, against cases worked by hand and against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from qa.evaluation.ranking import Ranking, measure


def test_a_case_worked_by_hand() -> None:
    found = measure({"q": Ranking((False, True, False, True), missed=1)}, [1, 2, 4])["q"]
    assert [found[f"recall@{k}"] for k in (1, 2, 4)] == pytest.approx([0, 1 / 3, 2 / 3])
    assert [found[f"hit@{k}"] for k in (1, 2, 4)] == [0, 1, 1]
    assert found["mrr"] == 1 / 2
    ideal = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert found["ndcg@4"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / ideal)


def test_a_question_without_any_passage_counts_and_one_without_evidence_does_not() -> None:
    found = measure({"lost": Ranking((), 1), "open": Ranking((False, False), 0)}, [1, 5])
    assert found.keys() == {"lost"}
    assert set(found["lost"].values()) == {0}
    assert measure({}, [1]) == {}


def test_ndcg_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(1)
    for _ in range(30):
        relevant = rng.random(12) < 0.3
        if not relevant.any():
            continue
        ours = measure({"q": Ranking(tuple(bool(r) for r in relevant), 0)}, [3, 12])["q"]
        for k in (3, 12):
            theirs = ndcg_score([relevant.astype(int)], [-np.arange(12)], k=k)
            assert ours[f"ndcg@{k}"] == pytest.approx(theirs, abs=1e-6)


def test_the_order_counts_and_nothing_else() -> None:
    """More than nine passages: names of trec_eval's documents are compared as texts where scores are equal."""
    relevant = [False] * 11 + [True]
    assert measure({"q": Ranking(tuple(relevant), 0)}, [1])["q"]["mrr"] == pytest.approx(1 / 12)
