"""The verbatim answer: the sentence that holds the words found, and the one before it where it cannot stand alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from index.types import Passage, Span

# A sentence that opens like this speaks of something that an earlier sentence names.
UNRESOLVED = re.compile(
    r"""["'“‘(\[]*(?:(?:and|but|so|yet|then|however|also)\b,?\s+)?
    (?:(?:he|she|it|they|this|that|these|those|his|her|hers|its|their|theirs|both|such)\b
      |the\s+(?:two|three|four|company|companies|firm|firms|group|groups|organi[sz]ation|agency|country|city|team
        |man|woman|former|latter|pair|duo|couple|author|authors)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
FULL_SENTENCE_END = re.compile(r"""[.!?…。！？]["'”’)\]]*$""")


Sentence = tuple[Passage, Span]
"""A sentence, and the passage it lies in."""
Before = Callable[[Passage], Passage | None]
"""Gives the passage before another in its document."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The sentences around the words found. `lead`, the sentence before them, is shown only where they need it.

    `also` is another sentence of the passage that helps to answer.
    """

    lead: Sentence | None
    holding: tuple[Sentence, ...]
    needs_lead: bool
    also: Sentence | None = None

    @property
    def shown(self) -> tuple[Sentence, ...]:
        """The verbatim answer: one sentence or a few, in reading order."""
        extra = [self.lead if self.needs_lead else None, self.also]
        sentences = dict.fromkeys((*(sentence for sentence in extra if sentence), *self.holding))
        return tuple(sorted(sentences, key=lambda sentence: sentence[1]))

    def places(self) -> set[tuple[str, int]]:
        """Document and offset of each sentence that holds the words found."""
        return {(passage.document_id, span.start) for passage, span in self.holding}

    def text(self) -> str:
        """What is shown, as one text."""
        return _text(self.shown)

    def evidence(self) -> str:
        """The sentences that hold the words found: a lead makes them clear, but supports nothing by itself."""
        return _text(self.holding)

    def readings(self) -> list[str]:
        """What has to answer the question by itself: what is shown, or that with the sentence before it."""
        whole = _text((self.lead, *self.holding)) if self.lead else self.evidence()
        return [self.text()] if whole == self.text() else [self.text(), whole]


def excerpt(passage: Passage, found: Span, before: Before) -> Excerpt:
    """The sentences around `found`, a document span inside `passage`.

    `before` gives the passage before one in its document; it is asked when the words stand in its first sentence.
    """
    first = next(i for i, span in enumerate(passage.sentences) if span.overlaps(found))
    holding = tuple((passage, span) for span in passage.sentences if span.overlaps(found))
    other = passage if first else before(passage)
    lead = None
    if other:
        lead = (other, passage.sentences[first - 1] if first else other.sentences[-1])
        if not FULL_SENTENCE_END.search(_text([lead])):  # a heading resolves nothing
            lead = None
    needs_lead = len(holding) == 1 and bool(UNRESOLVED.match(_text(holding)))
    return Excerpt(lead, holding, needs_lead)


def _text(sentences: Iterable[Sentence]) -> str:
    return " ".join(passage.slice(span) for passage, span in sentences)
