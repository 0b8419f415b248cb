"""From scores to a probability, and from a probability to a decision."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.decide import Calibration
from qa.read import MODEL_DIR

CALIBRATION = Calibration.load(MODEL_DIR / "calibration.json")


def test_the_shipped_calibration_is_whole() -> None:
    assert 0 < CALIBRATION.threshold < 1
    assert CALIBRATION.made_from
    assert min(CALIBRATION.slope, CALIBRATION.quote_slope) > 0


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0, 1))
def test_a_higher_score_is_preferred_and_more_probable(score: float, quote_score: float, cosine: float) -> None:
    probability = CALIBRATION.probability(score, quote_score)
    assert 0 <= probability < CALIBRATION.probability(score + 1, quote_score) <= 1
    assert probability < CALIBRATION.probability(score, quote_score + 1)
    assert CALIBRATION.preference(score, cosine) < CALIBRATION.preference(score + 1, cosine)


def test_of_equal_scores_the_nearer_passage_is_preferred() -> None:
    assert CALIBRATION.preference(3, 0.9) > CALIBRATION.preference(3, 0.1)


@pytest.mark.parametrize("score", [-1e9, 1e9])
def test_extreme_scores_do_not_overflow(score: float) -> None:
    assert 0 <= CALIBRATION.probability(score, score) <= 1
