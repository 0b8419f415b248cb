"""From passages read to the answers found in them: the best one, and others where the question asks for several."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.decide import Calibration, Odds
from qa.extract import Before, Excerpt, excerpt
from qa.read import Candidate, Reader
from qa.rerank import ReadPassage
from qa.wording import collapse

MOST_ANSWERS = 5
_FARTHEST = 3.0  # logits below the best answer that another one may have
_MORE_LIKELY_THAN_NOT = 0.5

_PLURAL = r"\w+[^s\W]s"  # near enough: "chips", not "business"
_SINGULAR = r"(?:is|was|does|has|this|its|his|as|of)\b"
_WORDS = rf"(?:(?!{_SINGULAR})\w+\s+){{0,2}}?(?!{_SINGULAR})"
_AUXILIARY = "(?:are|were|have|do|does|did|will|can)"
_SEVERAL = re.compile(
    rf"""\s*(?:please\s+)?(?:
      (?:list|enumerate)\b
      | (?:name|give|tell\s+me|mention)\s+(?:me\s+)?(?:all|some|every|the\s+(?:\w+\s+){{0,2}}?{_PLURAL}\b)
      | which\s+(?!{_SINGULAR}){_PLURAL}\s+\w
      | which\s+of\s.*?{_PLURAL}\s+(?:are|were|have|do|did)\b
      | which\s+{_WORDS}{_PLURAL}\s+(?:{_AUXILIARY}|\w+ed)\b
      | what\s+{_WORDS}{_PLURAL}\s+{_AUXILIARY}\b
      | (?:who|what|which)\s+(?:are|were)\s+(?:all|some|the|its|their)\b.*?{_PLURAL}\b
      | (?:who|what)\s+(?:all|else)\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer to a question: the sentences to show, the words in them, and how probable it is that they are right."""

    question: str
    excerpt: Excerpt
    words: str
    score: float
    quote_score: float
    odds: float
    probability: float


def wants_several(question: str) -> bool:
    """Whether the question asks for more than one thing, as in "Which companies…" and "List the…"."""
    return bool(_SEVERAL.match(question))


def find(
    question: str,
    read: Sequence[ReadPassage],
    reader: Reader,
    calibration: Calibration,
    odds: Odds,
    threshold: float,
    before: Before,
    *,
    several: bool,
) -> list[Found]:
    """The answer from the most preferred passage, whatever its probability; none where there is no word to read.

    Where it has at least the threshold and the question asks for `several`, others follow that are more likely right
    than not and nearly as good: nobody misses the fifth company as much as a wrong one misleads.
    """
    found: list[Found] = []
    shown: set[tuple[str, int]] = set()
    told: set[str] = set()  # two documents may say the same
    for item, candidate in _candidates(read, several=several):
        if found and (candidate.score < found[0].score - _FARTHEST or len(found) == MOST_ANSWERS):
            continue
        quoted = excerpt(item.ranked.passage, item.place(candidate), before)
        evidence = collapse(quoted.evidence())
        if not shown.isdisjoint(quoted.places()) or evidence in told:
            continue
        answer = judge(question, item, candidate, quoted, reader, calibration, odds)
        if found and answer.probability < max(threshold, _MORE_LIKELY_THAN_NOT):
            continue
        found.append(answer)
        shown.update(quoted.places())
        told.add(evidence)
        if answer.probability < threshold:
            break
    return found


def judge(
    question: str,
    item: ReadPassage,
    candidate: Candidate,
    quoted: Excerpt,
    reader: Reader,
    calibration: Calibration,
    odds: Odds,
) -> Found:
    """How probable it is that `quoted`, the sentences around a candidate, answers.

    It is read once more by itself, and the support model says whether it bears the answer out.
    """
    words = candidate.span.of(item.ranked.passage.text)
    quote_score = max(again[0].score for again in reader.read(question, quoted.readings(), 1))
    borne_out = odds(quoted.text(), words)
    probability = calibration.probability(candidate.score, quote_score, borne_out)
    return Found(question, quoted, words, candidate.score, quote_score, borne_out, probability)


def _candidates(read: Sequence[ReadPassage], *, several: bool) -> Iterator[tuple[ReadPassage, Candidate]]:
    """What to look at: the best of the first passage, or all of all, the highest scores first after that one."""
    pairs = [(item, candidate) for item in read for candidate in item.candidates or []]
    if pairs:
        yield pairs[0]
    if several:
        yield from sorted(pairs[1:], key=lambda pair: -pair[1].score)
