"""Reading in order: the passages ranked by the reader, the best-ranked read first, and no more than are needed.

Of the two that are preferred then, the support model says how far they bear out the answers found in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from index.types import Span
from qa.decide import Calibration, Odds
from qa.extract import Before, excerpt
from qa.read import Candidate, Reader
from qa.retrieve import RankedPassage

CANDIDATES = 3  # spans of a passage that are kept, for --explain
CANDIDATES_OF_SEVERAL = 10  # when the question asks for several answers
RIVALS, CLOSE = 2, 4.0
"""The support model compares this many of the passages that the reader prefers, where these are so close, in logits."""


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """A retrieved passage and what the reader made of it; `candidates` is None where it was not read."""

    ranked: RankedPassage
    candidates: list[Candidate] | None
    preference: float

    @property
    def score(self) -> float | None:
        """The reader's best span against no answer, in logits; None where there is none."""
        return self.candidates[0].score if self.candidates else None

    def place(self, candidate: Candidate) -> Span:
        """A candidate's span in the document."""
        start = self.ranked.passage.start
        return Span(start + candidate.span.start, start + candidate.span.end)


def rerank(
    reader: Reader,
    question: str,
    ranked: Sequence[RankedPassage],
    calibration: Calibration,
    odds: Odds,
    before: Before,
    *,
    several: bool,
) -> list[ReadPassage]:
    """The passages, the most preferred first; those that were not read follow in the order they came in.

    Reading stops at a passage that hardly any later one would beat (`Calibration.enough`), unless `several` answers are
    wanted; then more candidates are kept of each, too.
    """
    read: list[ReadPassage] = []
    rest: list[ReadPassage] = []
    enough = False
    for item in ranked:
        if enough and not several:
            rest.append(ReadPassage(item, None, float("-inf")))
            continue
        candidates = reader.read(question, [item.passage.text], CANDIDATES_OF_SEVERAL if several else CANDIDATES)[0]
        if not candidates:
            rest.append(ReadPassage(item, candidates, float("-inf")))
            continue
        preference = calibration.preference(candidates[0].score, item.score)
        enough = enough or preference >= calibration.enough
        read.append(ReadPassage(item, candidates, preference))
    read.sort(key=lambda passage: -passage.preference)
    rivals = close([item.preference for item in read])
    if calibration.odds_weight and rivals > 1:
        weighed = [_weighed(item, calibration, odds, before) for item in read[:rivals]]
        read[:rivals] = sorted(weighed, key=lambda passage: -passage.preference)
    return read + rest


def close(preferences: Sequence[float]) -> int:
    """How many of the passages, the preferred first, are near enough to the first for the support model to choose."""
    return sum(preference >= preferences[0] - CLOSE for preference in preferences[:RIVALS])


def _weighed(item: ReadPassage, calibration: Calibration, odds: Odds, before: Before) -> ReadPassage:
    """With what the support model says of the answer found in it."""
    assert item.candidates  # noqa: S101 - it was read
    best, passage = item.candidates[0], item.ranked.passage
    borne_out = odds(excerpt(passage, item.place(best), before).text(), best.span.of(passage.text))
    return replace(item, preference=calibration.preference(best.score, item.ranked.score, borne_out))


def merged(read: Sequence[Sequence[ReadPassage]]) -> list[ReadPassage]:
    """What was read for each part of a question as one list, the first of each before the second; none twice."""
    turns = [item for items in zip_longest(*read) for item in items if item is not None]
    best: dict[int, ReadPassage] = {}
    for item in turns:
        known = best.setdefault(item.ranked.passage.id, item)
        if item.preference > known.preference:
            best[item.ranked.passage.id] = item
    return list(best.values())
