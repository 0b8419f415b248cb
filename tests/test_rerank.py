"""The passages in the reader's order, and no more of them read than are needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from index.types import Passage, Span
from qa.decide import Calibration, Odds
from qa.read import Candidate
from qa.rerank import ReadPassage, rerank
from qa.retrieve import RankedPassage
from tests.fakes import FAKE_CALIBRATION


class ScoreReader:
    """Finds in every passage the number that it is, and counts what it was given."""

    name = "scores"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def read(self, question: str, passages: Sequence[str], top: int = 3) -> list[list[Candidate]]:
        self.seen += passages
        return [[Candidate(Span(0, 1), float(p))] * top if p.strip() else [] for p in passages]


def ranked(scores: Sequence[float | None], fused: float = 0.5) -> list[RankedPassage]:
    texts = [" " if score is None else str(score) for score in scores]
    passages = [Passage(i, "doc_0", "0", "T", None, 0, len(t), t, (Span(0, len(t)),)) for i, t in enumerate(texts)]
    return [RankedPassage(p, fused, 0.5, i + 1, None, None) for i, p in enumerate(passages)]


def nothing_said(evidence: str, words: str) -> float:
    return 0.0


def reranked(
    reader: ScoreReader,
    items: Sequence[RankedPassage],
    calibration: Calibration,
    odds: Odds = nothing_said,
    *,
    several: bool = False,
) -> list[ReadPassage]:
    return rerank(reader, "q", items, calibration, odds, lambda passage: None, several=several)


SCORES = st.lists(st.one_of(st.none(), st.integers(-9, 9)), max_size=8)


@given(SCORES, st.one_of(st.just(math.inf), st.integers(-9, 9)))
def test_every_passage_once_the_preferred_first_the_unread_last(scores: list[float | None], enough: float) -> None:
    reader = ScoreReader()
    found = reranked(reader, ranked(scores), replace(FAKE_CALIBRATION, enough=enough))
    assert sorted(item.ranked.passage.id for item in found) == list(range(len(scores)))
    read = [item.score for item in found if item.candidates]
    assert read == sorted(read, reverse=True)
    rest = [item.ranked.passage.id for item in found if not item.candidates]
    assert rest == sorted(rest)
    assert found[: len(read)] == [item for item in found if item.candidates]


def test_ties_go_to_the_better_rank() -> None:
    found = reranked(ScoreReader(), ranked([2, 7, 7, 1]), FAKE_CALIBRATION)
    assert [item.ranked.passage.id for item in found] == [1, 2, 0, 3]


def test_reading_stops_at_a_passage_that_is_good_enough() -> None:
    reader = ScoreReader()
    found = reranked(reader, ranked([1, 8, 9, 2]), replace(FAKE_CALIBRATION, enough=8))
    assert reader.seen == ["1", "8"]
    assert [(item.ranked.passage.id, item.score) for item in found] == [(1, 8), (0, 1), (2, None), (3, None)]


def test_where_several_answers_are_wanted_all_are_read() -> None:
    reader = ScoreReader()
    reranked(reader, ranked([1, 8, 9, 2]), replace(FAKE_CALIBRATION, enough=8), several=True)
    assert len(reader.seen) == 4


def test_what_retrieval_says_counts_as_much_as_the_calibration_says() -> None:
    near, far = ranked([3], fused=0.9)[0], ranked([4], fused=0.1)[0]
    calibration = replace(FAKE_CALIBRATION, fused_weight=2)
    assert reranked(ScoreReader(), [far, near], calibration)[0].ranked is near
    assert reranked(ScoreReader(), [far, near], FAKE_CALIBRATION)[0].ranked is far


def test_of_the_best_two_the_one_whose_answer_is_borne_out_is_preferred() -> None:
    asked: list[tuple[str, str]] = []

    def odds(evidence: str, words: str) -> float:
        asked.append((evidence, words))
        return {"9": -2.0, "8": 2.0}[evidence]

    calibration = replace(FAKE_CALIBRATION, odds_weight=1)
    found = reranked(ScoreReader(), ranked([1, 8, 9, 2]), calibration, odds=odds)
    assert [item.ranked.passage.text for item in found] == ["8", "9", "2", "1"]
    assert asked == [("9", "9"), ("8", "8")]  # the others are not looked at
    far = reranked(ScoreReader(), ranked([4, 9]), calibration, odds=odds)
    assert [item.ranked.passage.text for item in far] == ["9", "4"]
    assert len(asked) == 2  # nothing could make up for so much
    unheard = reranked(ScoreReader(), ranked([1, 8, 9, 2]), FAKE_CALIBRATION, odds=odds)
    assert [item.ranked.passage.text for item in unheard] == ["9", "8", "2", "1"]
    assert len(asked) == 2
