"""Why, how, what happened: where no short span says it all, the sentence that the reader and the embedder like best."""

from __future__ import annotations

import re
from dataclasses import replace

from index.embed import Embedder
from index.types import Span
from qa.extract import FULL_SENTENCE_END, Excerpt
from qa.read import Reader

COSINE_WEIGHT = 10
"""Logits that a cosine of 1 between question and sentence adds to the reader's score of the sentence by itself. Of 159
answerable questions of this kind (half of SQuAD 2.0 dev, open corpus) the sentences shown hold a gold answer for 134
with it, for 132 without, and for 129 when only the span's own sentence is shown; chosen on these (docs/deciding.md)."""

_ASKED = re.compile(
    r"""\W*(?:why\b
      | how\s+(?!many\b|much\b|long\b|old\b|far\b|often\b|large\b|big\b|small\b|tall\b|high\b|fast\b|wide\b|deep\b
        |heavy\b|loud\b|late\b|early\b|soon\b|come\s+to\b)
      | what\s+(?:happen\w*|caused?|causes|led|made)\b
      | (?:for\s+)?what\s+reasons?\b
      | explain\b | describe\b)""",
    re.IGNORECASE | re.VERBOSE,
)

_TELLS = re.compile(rf"{FULL_SENTENCE_END.pattern}|^(?:[-*•·]|\d+[.)])\s")


def wants_explanation(question: str) -> bool:
    """Whether the question asks for a reason, a way or a course of events rather than for a thing."""
    return bool(_ASKED.match(question))


def explained(question: str, quoted: Excerpt, reader: Reader, embedder: Embedder) -> Excerpt:
    """The excerpt and, where it is another one, the sentence of its passage that explains best by itself.

    A heading explains nothing; an item of a list may.
    """
    passage = quoted.holding[0][0]
    asked = embedder.embed_query(question)

    def worth(span: Span) -> float:
        text = passage.slice(span)
        found = reader.read(question, [text], 1)[0]
        cosine = float(asked @ embedder.embed_query(text))
        return (found[0].score if found else float("-inf")) + COSINE_WEIGHT * cosine

    told = [span for span in passage.sentences if _TELLS.search(passage.slice(span))]
    return replace(quoted, also=(passage, max(told, key=worth))) if told else quoted
