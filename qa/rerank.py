"""Reading in order: the passages ranked by the reader, the best-ranked read first, and no more than are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from index.types import Span
from qa.decide import Calibration
from qa.read import Candidate, Reader
from qa.retrieve import RankedPassage

CANDIDATES = 3  # spans of a passage that are kept, for --explain
CANDIDATES_OF_SEVERAL = 10  # when the question asks for several answers


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
    reader: Reader, question: str, ranked: Sequence[RankedPassage], calibration: Calibration, *, several: bool
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
        preference = calibration.preference(candidates[0].score, item.cosine)
        enough = enough or preference >= calibration.enough
        read.append(ReadPassage(item, candidates, preference))
    return sorted(read, key=lambda passage: -passage.preference) + rest


def merged(read: Sequence[Sequence[ReadPassage]]) -> list[ReadPassage]:
    """What was read for each part of a question as one list, the first of each before the second; none twice."""
    turns = [item for items in zip_longest(*read) for item in items if item is not None]
    best: dict[int, ReadPassage] = {}
    for item in turns:
        known = best.setdefault(item.ranked.passage.id, item)
        if item.preference > known.preference:
            best[item.ranked.passage.id] = item
    return list(best.values())
