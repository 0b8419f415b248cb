"""The verbatim answer: the sentence that holds the words found, and the one before it where it cannot stand alone."""

from __future__ import annotations

import re
from collections.abc import Callable

from index.types import Passage, Span

# A sentence that opens like this speaks of something that an earlier sentence names.
_UNRESOLVED = re.compile(
    r"""["'“‘(\[]*(?:(?:and|but|so|yet|then|however|also)\b,?\s+)?
    (?:(?:he|she|it|they|this|that|these|those|his|her|hers|its|their|theirs|both|such)\b
      |the\s+(?:two|three|four|company|companies|firm|firms|group|groups|organi[sz]ation|agency|country|city|team
        |man|woman|former|latter|pair|duo|couple|author|authors)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_FULL_SENTENCE_END = re.compile(r"""[.!?…。！？]["'”’)\]]*$""")


def answer_sentences(passage: Passage, found: Span, before: Callable[[], Passage | None]) -> list[tuple[Passage, Span]]:
    """The one or two sentences that answer, in reading order, each with the passage it lies in.

    `found` is a document span inside `passage`; `before` gives the passage before it in the document, which is asked
    for when the first sentence of `passage` needs the one before it.
    """
    first = next(i for i, span in enumerate(passage.sentences) if span.overlaps(found))
    holding = [span for span in passage.sentences[first : first + 2] if span.overlaps(found)]
    answer = [(passage, span) for span in holding]
    if len(holding) == 1 and _UNRESOLVED.match(passage.slice(holding[0])):
        other = passage if first else before()
        if other:
            span = passage.sentences[first - 1] if first else other.sentences[-1]
            if _FULL_SENTENCE_END.search(other.slice(span)):  # a heading resolves nothing
                answer.insert(0, (other, span))
    return answer
