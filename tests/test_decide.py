"""From scores to a probability, and from a probability to a decision."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.decide import UNCALIBRATED, Calibration, answer_odds
from qa.errors import SettingsError
from qa.read import MODEL_DIR
from tests.fakes import FakeJudge

CALIBRATION = Calibration.load(MODEL_DIR / "calibration.json")
HEARING = replace(CALIBRATION, odds_weight=0.5, odds_slope=0.3)


def test_the_shipped_calibration_is_whole() -> None:
    assert 0 < CALIBRATION.threshold < 1
    assert CALIBRATION.made_from
    assert min(CALIBRATION.slope, CALIBRATION.quote_slope) > 0


def test_the_calibration_of_an_earlier_release_says_what_to_do(tmp_path: Path) -> None:
    stored = {name: value for name, value in asdict(CALIBRATION).items() if name != "fused_weight"}
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({**stored, "cosine_weight": 12}), encoding="utf-8")
    with pytest.raises(SettingsError, match="another release") as raised:
        Calibration.load(path)
    assert "calibrate_reader.py" in raised.value.help


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(0, 1), st.floats(-9, 9))
def test_a_higher_score_is_preferred_and_more_probable(
    score: float, quote_score: float, fused: float, odds: float
) -> None:
    probability = HEARING.probability(score, quote_score, odds)
    assert 0 <= probability < HEARING.probability(score + 1, quote_score, odds) <= 1
    assert probability < HEARING.probability(score, quote_score + 1, odds)
    assert probability < HEARING.probability(score, quote_score, odds + 1)
    assert HEARING.preference(score, fused, odds) < HEARING.preference(score + 1, fused, odds)
    assert HEARING.preference(score, fused, odds) < HEARING.preference(score, fused, odds + 1)


def test_of_equal_scores_the_passage_that_retrieval_prefers_is_preferred() -> None:
    assert CALIBRATION.preference(3, 0.9) > CALIBRATION.preference(3, 0.1)


@pytest.mark.parametrize("score", [-1e9, 1e9])
def test_extreme_scores_do_not_overflow(score: float) -> None:
    assert 0 <= CALIBRATION.probability(score, score, 0) <= 1


def test_the_support_model_is_asked_about_an_answer_once_and_only_where_it_is_heard() -> None:
    judge = FakeJudge(0.75)
    odds = answer_odds("When was it built?", judge, HEARING)
    assert odds("It was built in 1871.", "1871") == odds("It was built in 1871.", "1871") == pytest.approx(math.log(3))
    assert judge.asked == [("It was built in 1871.", "When was it built? 1871.")]
    deaf = answer_odds("When was it built?", judge, UNCALIBRATED)
    assert deaf("It was built in 1871.", "1871") == answer_odds("When?", None, HEARING)("It was.", "it") == 0
    assert len(judge.asked) == 1


def test_a_calibration_made_without_a_support_model_can_be_loaded(tmp_path: Path) -> None:
    record = {name: value for name, value in asdict(HEARING).items() if not name.startswith("odds")}
    (tmp_path / "calibration.json").write_text(json.dumps(record))
    assert not Calibration.load(tmp_path / "calibration.json").hears_support
