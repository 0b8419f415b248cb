"""Metrics against cases worked by hand, and against scikit-learn on random inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation import metrics


@pytest.mark.parametrize(
    ("answer", "golds", "exact", "f1"),
    [
        ("The Alder Bridge", ["Alder bridge."], 1, 1),
        ("a bridge", ["the boat"], 0, 0),
        ("the old Alder Bridge", ["Alder Bridge"], 0, 0.8),
        ("1871", ["in 1871", "1871"], 1, 1),
        ("red red boat", ["red boat"], 0, 0.8),  # a repeated word counts as often as it stands in both
        ("the", ["an"], 1, 1),
        ("the", ["boat"], 0, 0),
    ],
)
def test_exact_match_and_f1(answer: str, golds: list[str], exact: float, f1: float) -> None:
    assert metrics.exact_match(answer, golds) == exact
    assert metrics.f1(answer, golds) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("text", "gold", "contained"),
    [
        ("It was built in 1871–1880.", "1871", True),
        ("It was built in 1871.", "187", False),
        ("Built by the Harbour Company.", "The harbour company", True),
        ("Built by Harbour, a Company.", "harbour company", True),
        ("Built by Harbour and Company.", "harbour company", False),
    ],
)
def test_gold_words_stand_in_a_row(text: str, gold: str, contained: bool) -> None:
    assert metrics.contains_gold(text, [gold]) is contained
    assert not metrics.contains_gold(text, [])


def test_risk_and_coverage_by_hand() -> None:
    probabilities, right = np.array([0.9, 0.2, 0.6, 0.4]), np.array([True, False, False, True])
    coverage, risk = metrics.risk_coverage(probabilities, right)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert metrics.risk_coverage_area(probabilities, right) == pytest.approx(1 / 3)


def test_right_at_a_precision_takes_the_most_coverage_that_has_it() -> None:
    probabilities, right = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([True, False, True, True, False])
    answerable = np.array([True, True, True, True, False])
    assert metrics.right_at_precision(probabilities, right, answerable, 0.75) == 3 / 4
    assert metrics.right_at_precision(probabilities, right, answerable, 0.7) == 3 / 4
    assert metrics.right_at_precision(probabilities, right, answerable, 1.0) == 1 / 4
    assert metrics.right_at_precision(probabilities, ~right, answerable, 1.0) == 0


def test_calibration_error_by_hand() -> None:
    probabilities = np.array([0.95, 0.95, 0.15, 0.15])
    assert metrics.calibration_error(probabilities, np.array([True, True, False, False])) == pytest.approx(0.1)
    assert metrics.calibration_error(probabilities, np.array([True, False, True, False])) == pytest.approx(0.4)
    assert metrics.calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_what_must_hold_of_any_answers(rows: list[tuple[float, bool]]) -> None:
    probabilities, right = np.array([p for p, _ in rows]), np.array([r for _, r in rows])
    assert 0 <= metrics.calibration_error(probabilities, right) <= 1
    assert sum(n for _, _, n in metrics.reliability(probabilities, right)) == len(rows)
    coverage, risk = metrics.risk_coverage(probabilities, right)
    assert risk[-1] == pytest.approx(1 - right.mean())
    assert coverage[-1] == 1


def test_bins_are_those_of_scikit_learn() -> None:
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(1)
    probabilities = rng.random(500)
    right = rng.random(500) < probabilities
    share, mean = calibration_curve(right, probabilities, n_bins=10)
    np.testing.assert_allclose([row[:2] for row in metrics.reliability(probabilities, right)], np.c_[mean, share])


def test_squad_two_counts_a_refusal_as_the_empty_answer() -> None:
    assert metrics.squad("", []) == (1, 1)
    assert metrics.squad("Ada", []) == (0, 0)
    assert metrics.squad("", ["Ada"]) == (0, 0)
    assert metrics.squad("the Ada", ["Ada", "the"]) == (1, 1)
    assert metrics.squad("", ["the"]) == (1, 1)  # as the official script has it: nothing else is gold


WORDS = st.lists(st.sampled_from("Ada bridge the a 1871 red, (old) river's".split()), min_size=1, max_size=6)


@given(st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=1, max_size=3)), min_size=1, max_size=5))
def test_squad_scores_are_those_of_torchmetrics(rows: list[tuple[list[str], list[list[str]]]]) -> None:
    from torchmetrics.functional.text import squad

    predicted = [{"id": str(i), "prediction_text": " ".join(words)} for i, (words, _) in enumerate(rows)]
    golds = [[" ".join(gold) for gold in golds] for _, golds in rows]
    target = [
        {"id": str(i), "answers": {"text": texts, "answer_start": [0] * len(texts)}} for i, texts in enumerate(golds)
    ]
    theirs = squad(predicted, target)
    ours = [(metrics.exact_match(p["prediction_text"], g), metrics.f1(p["prediction_text"], g))
            for p, g in zip(predicted, golds, strict=True)]  # fmt: skip
    assert float(theirs["exact_match"]) == pytest.approx(100 * np.mean([em for em, _ in ours]), abs=1e-3)
    # The official 1.1 script gives 0 where neither side has a word; that of 2.0, which is ours, gives 1.
    if all(metrics.normalise(p["prediction_text"]) for p in predicted):
        assert float(theirs["f1"]) == pytest.approx(100 * np.mean([f1 for _, f1 in ours]), abs=1e-3)


def test_precision_recall_auroc_and_balanced_accuracy_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import balanced_accuracy_score, precision_recall_fscore_support, roc_auc_score

    rng = np.random.default_rng(2)
    for _ in range(20):
        said, wanted = rng.random(30) < 0.4, rng.random(30) < 0.5
        scores = rng.integers(0, 5, 30) / 4
        theirs = precision_recall_fscore_support(wanted, said, average="binary", zero_division=0)
        assert metrics.precision_recall(list(said), list(wanted)) == pytest.approx(theirs[:3])
        assert metrics.auroc(list(scores), list(wanted)) == pytest.approx(roc_auc_score(wanted, scores))
        assert metrics.balanced_accuracy(said, wanted) == pytest.approx(balanced_accuracy_score(wanted, said))
    assert metrics.precision_recall([False], [True]) == (0, 0, 0)
    assert metrics.auroc([0.1, 0.2], [True, True]) is None


def test_calibration_error_is_that_of_torchmetrics() -> None:
    import torch
    from torchmetrics.functional.classification import binary_calibration_error

    rng = np.random.default_rng(3)
    probabilities = rng.random(400)
    right = rng.random(400) < probabilities**2
    theirs = binary_calibration_error(torch.tensor(probabilities), torch.tensor(right.astype(int)), n_bins=10)
    assert metrics.calibration_error(probabilities, right) == pytest.approx(float(theirs), abs=1e-5)


def test_the_best_f1_threshold_is_the_best_of_all_thresholds() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        probabilities, f1s, answerable = rng.random(25), rng.random(25), rng.random(25) < 0.5
        every = []
        for threshold in [*probabilities, 2.0]:
            answered = probabilities >= threshold
            every.append(np.where(answered, np.where(answerable, f1s, 0), ~answerable).mean())
        assert metrics.best_f1_threshold(probabilities, f1s, answerable) == pytest.approx(max(every))
