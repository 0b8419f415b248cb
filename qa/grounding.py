"""Check anybody's text: which of its sentences do given facts, or the documents of a collection, support?

The same verifier that decides what a language model's sentence may say (`qa.verify`) looks every sentence up. Names
follow Vertex AI's check grounding API; offsets count Unicode code points where that one counts bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import Field

from index.chunk import chunk_text, split_sentences
from index.embed import Embedder
from index.types import Passage, Span
from qa.cite import citation_id, viewer_url
from qa.errors import InvalidText
from qa.generate import MARKERS
from qa.statement import states
from qa.support import Judge
from qa.types import PlainText, Wire
from qa.verify import Evidence, Support

_MARKER = re.compile(r"^\s*(?:[-*+•‣◦–—]|#{1,6}|>|\(?\d{1,3}[.)])\s+")
_EMPHASIS = re.compile(r"\*\*|__|`|(?<!\w)\*(?=\S)|(?<=\S)\*(?!\w)|\[(?=[^\]]*\]\()|(?<=\w)\]\([^)\s]*\)")


class Fact(Wire):
    """A text to check against."""

    fact_text: str = Field(description="The text.", examples=["The library opens at nine on weekdays."])
    attributes: dict[PlainText, PlainText] = Field(
        default_factory=dict, description="What you know about it; given back where it is cited.", examples=[{}]
    )


class CitedChunk(Wire):
    """A sentence, or several in a row, that claims rest on."""

    chunk_text: str = Field(description="Exactly the text between the two offsets.", examples=["It opens at nine."])
    source: str = Field(description="Position of the fact in `facts`, or id of the document.", examples=["0"])
    start_pos: int = Field(ge=0, description="First code point in the fact's or document's text.", examples=[0])
    end_pos: int = Field(ge=0, description="One past the last code point.", examples=[17])
    source_metadata: dict[str, str] = Field(
        default_factory=dict, description="The fact's attributes; empty for a document.", examples=[{}]
    )
    title: str | None = Field(default=None, description="The document's title; null for a fact.", examples=[None])
    citation: str | None = Field(
        default=None, description="Resolves at `/v1/citations/{id}`; null for a fact.", examples=["cit_AbC"]
    )
    viewer_url: str | None = Field(
        default=None, description="Page of this service with the span marked; null for a fact.", examples=[None]
    )


class GroundedClaim(Wire):
    """A sentence of the text, and what there is for and against it."""

    start_pos: int = Field(ge=0, description="First code point of the sentence in `answer_candidate`.", examples=[0])
    end_pos: int = Field(ge=0, description="One past its last code point.", examples=[38])
    claim_text: str = Field(description="Exactly that text.", examples=["The library opens at nine on weekdays."])
    citation_indices: list[int] = Field(
        description="Positions in `cited_chunks` of what supports it; empty below the threshold.", examples=[[0]]
    )
    grounding_check_required: bool = Field(
        description="False for a sentence that states nothing: a question, a greeting, a heading.", examples=[True]
    )
    score: float | None = Field(
        ge=0,
        le=1,
        description="How well it is supported, from 0 to 1; null where no check is required.",
        examples=[0.9],
    )
    contradiction_score: float | None = Field(
        ge=0, le=1,
        description="Probability that the nearest text says otherwise; null where no check is required, or no model "
        "judges.",
        examples=[0.02],
    )  # fmt: skip
    reasons: list[str] = Field(
        description="What speaks against it where it cites nothing: `number: 300 is not in the evidence`.",
        examples=[[]],
    )


class Grounding(Wire):
    """What a text rests on."""

    support_score: float | None = Field(
        ge=0, le=1, description="Mean score of the claims that need a check; null where none does.", examples=[0.9]
    )
    cited_chunks: list[CitedChunk] = Field(description="All that the claims cite.")
    claims: list[GroundedClaim] = Field(description="The sentences, in order.")


MAX_TEXT, MAX_FACTS = 10_000, 200_000
"""Code points of the text and of all facts together that are checked at once: a minute's work on one core."""
LOOKED_THROUGH = 10
"""Passages of the facts that a claim is looked up in, the nearest ones where there are more."""


def checked(text: str, facts: Sequence[Fact] | None) -> None:
    """Raises `InvalidText` for what cannot be checked."""
    texts = [text, *(fact.fact_text for fact in facts or ())]
    if len(text) > MAX_TEXT or sum(map(len, texts[1:])) > MAX_FACTS:
        raise InvalidText(
            f"the text has {len(text):,} characters and the facts {sum(map(len, texts[1:])):,}",
            help=f"Check at most {MAX_TEXT:,} characters at once, against at most {MAX_FACTS:,}.",
        )
    if not any(character.isalnum() for character in text):
        raise InvalidText("the text is empty", help="Give a text with sentences to check.")
    if facts is not None and not any(character.isalnum() for fact in texts[1:] for character in fact):
        raise InvalidText("there are no facts", help="Give facts with text, or leave them out to check a collection.")
    try:
        "".join(texts).encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidText("the text is not valid Unicode text", help="Send it as UTF-8.") from None


@dataclass(frozen=True, slots=True)
class Source:
    """Where claims are looked up: the passages for one, and how a sentence of them is cited."""

    passages: Callable[[str], Sequence[Passage]]
    cite: Callable[[Passage, Span], CitedChunk]


def ground(
    text: str,
    source: Source,
    embedder: Embedder,
    judge: Judge | None,
    threshold: float,
    cancelled: Callable[[], bool] = lambda: False,
) -> Grounding:
    """Look every sentence of `text` up, each with what the one before it is about; none any more when `cancelled`."""
    chunks: list[CitedChunk] = []
    claims: list[GroundedClaim] = []
    evidence: dict[tuple[int, ...], Evidence] = {}
    previous: str | None = None
    for span in split_sentences(text):
        if cancelled():
            break
        claim = plain(span.of(text))
        if not states(claim):
            claims.append(_claim(text, span, None, []))
            continue
        passages = source.passages(claim)
        key = tuple(passage.id for passage in passages)
        if key not in evidence:
            evidence[key] = Evidence.of(embedder, passages, judge)
        found = evidence[key].support(ended(claim), previous or "")
        previous = claim
        cited = [source.cite(*sentence) for sentence in found.sentences] if found.score >= threshold else []
        for chunk in cited:
            if chunk not in chunks:
                chunks.append(chunk)
        claims.append(_claim(text, span, found, [chunks.index(chunk) for chunk in cited]))
    scores = [claim.score for claim in claims if claim.score is not None]
    return Grounding(
        support_score=round(sum(scores) / len(scores), 4) if scores else None, cited_chunks=chunks, claims=claims
    )


def of_facts(facts: Sequence[Fact], embedder: Embedder) -> Source:
    """Facts as a source, each a document of its own."""
    passages: list[Passage] = []
    for number, fact in enumerate(facts):
        for chunk in chunk_text(fact.fact_text, embedder.count_tokens):
            part = fact.fact_text[chunk.start : chunk.end]
            passages.append(
                Passage(len(passages), str(number), "", "", None, chunk.start, chunk.end, part, chunk.sentences)
            )

    def cite(passage: Passage, span: Span) -> CitedChunk:
        return CitedChunk(
            chunk_text=passage.slice(span),
            source=passage.document_id,
            start_pos=span.start,
            end_pos=span.end,
            source_metadata=facts[int(passage.document_id)].attributes,
        )

    if len(passages) <= LOOKED_THROUGH:
        return Source(lambda claim: passages, cite)
    vectors = embedder.embed_documents([passage.text for passage in passages])

    def nearest(claim: str) -> list[Passage]:
        order = (-(vectors @ embedder.embed_query(claim))).argsort(kind="stable")[:LOOKED_THROUGH]
        return [passages[i] for i in sorted(order)]

    return Source(nearest, cite)


def of_collection(collection: str, passages: Callable[[str], Sequence[Passage]]) -> Source:
    """A collection as a source; `passages` retrieves those for a claim."""

    def cite(passage: Passage, span: Span) -> CitedChunk:
        cited = citation_id(passage, span, collection)
        return CitedChunk(
            chunk_text=passage.slice(span),
            source=passage.document_id,
            start_pos=span.start,
            end_pos=span.end,
            title=passage.document_title,
            citation=cited,
            viewer_url=viewer_url(passage.document_id, collection, cited),
        )

    return Source(passages, cite)


def plain(sentence: str) -> str:
    """A sentence without the marks of a list, of Markdown, or of citations."""
    return " ".join(_EMPHASIS.sub("", MARKERS.sub("", _MARKER.sub("", sentence))).split())


def ended(claim: str) -> str:
    """With a full stop where a list item has none."""
    return claim if re.search(r"[.!?][\"'”’)]*$", claim) else f"{claim.rstrip(' ;:,')}."


def _claim(text: str, span: Span, found: Support | None, cited: list[int]) -> GroundedClaim:
    return GroundedClaim(
        start_pos=span.start,
        end_pos=span.end,
        claim_text=span.of(text),
        citation_indices=cited,
        grounding_check_required=found is not None,
        score=None if found is None else round(found.score, 4),
        contradiction_score=None if found is None or found.contradicted is None else round(found.contradicted, 4),
        reasons=[] if found is None or cited else list(found.reasons),
    )
