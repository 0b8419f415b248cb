"""The wire: what an answer is made of, the same in Python, JSON, events and OpenAPI.

Offsets count Unicode code points of the stored document text, 0-based, end exclusive:
`text[start_char_index:end_char_index] == cited_text`, always.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

AskedMode = Literal["auto", "extractive", "generative"]
Mode = Literal["extractive", "phrasing", "generative"]

Start = Annotated[
    int, Field(ge=0, description="First code point of the span, counted from 0 in the document's text.", examples=[0])
]
End = Annotated[
    int, Field(ge=0, description="One past the last code point of the span in the document's text.", examples=[172])
]
CitationIndices = Annotated[
    list[int], Field(description="Positions in the answer's `citations` that support this text.", examples=[[0]])
]
Score = Annotated[float, Field(ge=0, le=1, description="Support score from 0 to 1; a verbatim sentence has 1.")]

MAX_TURNS, MAX_TURN_QUESTION, MAX_TURN_ANSWER = 20, 2_000, 10_000
"""Turns of a conversation that are taken with a question, and characters of each."""

_DOCUMENT = "doc_49ac9bf1ec0a1b11"
_VERSION = "9b1c3f0de1f3ae5c4a1a2f6c0f5b7d21"
_SENTENCE = "The library opens at nine on weekdays."


class Wire(BaseModel):
    """Base of everything that is sent: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("A NUL character cannot be part of it.")
    return text


def _unicode(text: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("It is not valid Unicode text. Send it as UTF-8.") from None
    return text


QuestionText = Annotated[str, AfterValidator(_without_nul)]
"""A question as it comes; `QA` says what else is wrong with it."""
PlainText = Annotated[str, AfterValidator(_without_nul), AfterValidator(_unicode)]


class Turn(Wire):
    """A question that was asked before, and what was answered."""

    question: PlainText = Field(
        max_length=MAX_TURN_QUESTION, description="The question.", examples=["When was the library founded?"]
    )
    answer: PlainText = Field(
        max_length=MAX_TURN_ANSWER,
        description="The answer; empty, or the refusal, where there was none.",
        examples=["Ada Byrne founded it in 1871."],
    )


class Citation(Wire):
    """An exact span of one version of one document."""

    id: str = Field(description="Resolves at `/v1/citations/{id}` until the document is deleted.", examples=["cit_AbC"])
    type: Literal["char_location"] = Field("char_location", description="How the place is given: code point offsets.")
    cited_text: str = Field(description="Exactly the text between the two offsets.", examples=[_SENTENCE])
    document_id: str = Field(description="The cited document.", examples=[_DOCUMENT])
    document_title: str = Field(description="Its title.", examples=["Opening hours"])
    document_version: str = Field(description="The version of its text that the offsets count in.", examples=[_VERSION])
    start_char_index: Start
    end_char_index: End
    score: Score
    viewer_url: str = Field(
        description="Page of this service that shows the document with the span marked, relative to its root.",
        examples=[f"/documents/{_DOCUMENT}?collection=default#cit_AbC"],
    )
    source_url: str | None = Field(description="Where the document came from, if it has an address.", examples=[None])


class Claim(Wire):
    """One sentence of the answer, with what supports it."""

    start: int = Field(ge=0, description="First code point of the sentence in `answer`.", examples=[0])
    end: int = Field(ge=0, description="One past its last code point in `answer`.", examples=[38])
    text: str = Field(description="Exactly that text.", examples=[_SENTENCE])
    score: Score
    citation_indices: CitationIndices


class Quote(Wire):
    """The verbatim answer: a sentence of a document, unchanged, or a few where the question needs them."""

    text: str = Field(description="The sentences, as the document has them.", examples=[_SENTENCE])
    citation_indices: CitationIndices


class PassageResult(Wire):
    """A retrieved passage with its rank at every stage."""

    id: str = Field(description="Id of the passage in this generation of the index.", examples=["17"])
    document_id: str = Field(description="The document it is part of.", examples=[_DOCUMENT])
    document_title: str = Field(description="Its title.", examples=["Opening hours"])
    text: str = Field(description="The passage, unchanged.", examples=[_SENTENCE])
    start_char_index: Start
    end_char_index: End
    score: float = Field(
        description="Fused score, 0 to 1: 0.6 × cosine / best cosine + 0.4 × BM25 / best BM25.", examples=[0.9312]
    )
    dense_rank: int | None = Field(description="Rank by embedding similarity, from 1; null if not found.", examples=[1])
    lexical_rank: int | None = Field(description="Rank by BM25, from 1; null if not found.", examples=[2])
    reader_score: float | None = Field(
        description="The reader's best span against no answer, in logits; null if it was not read.", examples=[7.1]
    )
    viewer_url: str = Field(
        description="Page of this service that shows the document with the passage marked.",
        examples=[f"/documents/{_DOCUMENT}?collection=default#cit_AbC"],
    )


class Models(Wire):
    """Which models made the answer."""

    embedder: str = Field(description="Model of the dense search.", examples=["all-MiniLM-L6-v2-onnx-int8"])
    reader: str = Field(description="Model that found the answer.", examples=["minilm-l6-squad-int8"])
    llm: str | None = Field(description="Model that may phrase or write it; null when none is set up.", examples=[None])
    support: str | None = Field(
        None,
        description="Model that judges what is written, with the exact checks.",
        examples=["minilm-l6-support-int8"],
    )


class Timings(Wire):
    """Milliseconds by step."""

    understand_ms: float = Field(0, description="Completing a follow-up from the conversation.", examples=[0.0])
    retrieve_ms: float = Field(description="Embedding the question, both searches, fusion.", examples=[6.1])
    read_ms: float = Field(description="Reading the passages.", examples=[41.5])
    compose_ms: float = Field(description="Writing the answer.", examples=[0.1])
    verify_ms: float = Field(description="Checking what an LLM wrote.", examples=[0.0])


class Answer(Wire):
    """The whole answer, or a refusal: then `quote` is null and `claims` and `citations` are empty."""

    id: str = Field(description="Id of this answer.", examples=["ans_5e0b0c6a"])
    status: Literal["answered", "not_answerable"] = Field(description="Whether the documents answer the question.")
    question: str = Field(description="The question as it was asked.", examples=["When does the library open?"])
    standalone_question: str | None = Field(
        None,
        description="A follow-up as it was understood: completed from the conversation, and what everything else in "
        "this answer is about. Null where the question stands by itself.",
        examples=[None],
    )
    conversation_id: str | None = Field(
        None,
        description="The kept conversation that this answer is part of; null where there is none, or it could not be "
        "kept.",
        examples=[None],
    )
    collection: str = Field(description="The collection that was asked.", examples=["default"])
    answer: str = Field(description="The answer, or a refusal in plain words.", examples=[_SENTENCE])
    short_answer: str | None = Field(
        description="The words that answer, verbatim, several joined by `; `; null when refused.", examples=["nine"]
    )
    answerable_probability: float = Field(
        ge=0, le=1, description="Calibrated probability that the answer found is right.", examples=[0.93]
    )
    support_score: float | None = Field(
        ge=0, le=1, description="Lowest support score of the claims; null when refused.", examples=[1.0]
    )
    composed_by: Literal["extract", "llm"] | None = Field(
        description="`extract`: sentences of the documents; `llm`: verified sentences of the model; null when refused."
    )
    mode: Mode = Field(
        description="How it was made. `extractive`: from sentences of the documents; `phrasing`: a model may phrase "
        "what was found there; `generative`: a model reads the passages and writes, and what it writes is verified.",
        examples=["extractive"],
    )
    mode_reason: str = Field(description="Why it was made so.", examples=["asked for"])
    quote: Quote | None = Field(description="The verbatim answer; null when refused, and where a model alone answers.")
    claims: list[Claim] = Field(description="The sentences of the answer, in order.")
    citations: list[Citation] = Field(description="Everything that quote and claims cite.")
    passages: list[PassageResult] = Field(description="What was retrieved and read, best first.")
    models: Models = Field(description="The models at work.")
    timings: Timings = Field(description="Where the time went.")
    unanswered: list[str] = Field(
        default_factory=list,
        description="Of a question that asks several things, those that are left open; empty where a model "
        "has read the passages and written the answer.",
        examples=[[]],
    )
    note: str | None = Field(
        None, description="What kept the model from writing, or from ending, its answer.", examples=[None]
    )


class PassagesEvent(Wire):
    """First event of a stream: what was retrieved."""

    event: Literal["passages"] = "passages"
    passages: list[PassageResult]


class QuoteEvent(Wire):
    """The verbatim answer, as soon as the reader has found it."""

    event: Literal["quote"] = "quote"
    quote: Quote
    citations: list[Citation]


class ClaimEvent(Wire):
    """One verified sentence of the answer. `citation_indices` count in `citations` of the final answer."""

    event: Literal["claim"] = "claim"
    claim: Claim
    citations: list[Citation]


class AnswerEvent(Wire):
    """Last event of a stream: the whole answer."""

    event: Literal["answer"] = "answer"
    answer: Answer


Event = PassagesEvent | QuoteEvent | ClaimEvent | AnswerEvent
