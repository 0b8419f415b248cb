"""What the API takes and gives besides the answer, which `qa.types` defines."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from qa.types import (
    MAX_TURN_ANSWER,
    MAX_TURN_QUESTION,
    MAX_TURNS,
    Answer,
    AskedMode,
    Citation,
    PlainText,
    QuestionText,
    Turn,
    Wire,
)

_DOCUMENT = "doc_49ac9bf1ec0a1b11"
_VERSION = "9b1c3f0de1f3ae5c4a1a2f6c0f5b7d21"


class AskRequest(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    question: QuestionText = Field(
        description="The question in words, at most 2,000 characters unless the service is set otherwise.",
        examples=["When does the library open?"],
    )
    history: list[Turn] = Field(
        default=[],
        max_length=MAX_TURNS,
        description="What was asked and answered before, the latest last. A follow-up (“and to China?”, “who said "
        "that?”) is completed from it; `standalone_question` of the answer says how it was understood. Nothing of it "
        "is kept.",
    )
    conversation_id: str | None = Field(
        None,
        max_length=100,
        description="A kept conversation (`POST /v1/conversations`) that this question goes on with, in place of "
        "`history`; the answer becomes part of it.",
        examples=[None],
    )
    collection: str = Field("default", description="The collection to ask.", examples=["default"])
    mode: AskedMode = Field(
        "auto",
        description="`extractive` answers with verbatim sentences; `generative` lets the service's LLM, if it is "
        "capable of it, read the passages and write, and shows what passes verification; `auto` chooses by question "
        "and LLM.",
        examples=["auto"],
    )
    top_k: int | None = Field(
        None, ge=1, le=50, description="Passages to retrieve and read; null for the service's setting.", examples=[5]
    )
    stream: bool = Field(
        False, description="Send server-sent events as the answer comes about, not one JSON object.", examples=[False]
    )

    @model_validator(mode="after")
    def _one_conversation(self) -> Self:
        if self.history and self.conversation_id is not None:
            raise ValueError("Send `history` or `conversation_id`, not both: a kept conversation has its own turns.")
        return self


class NewConversation(BaseModel):
    """What a conversation is begun with: nothing, as `{}`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class FeedbackRequest(BaseModel):
    """What somebody thought of an answer. A second one of the same answer takes the place of the first."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    answer_id: PlainText = Field(
        min_length=1, max_length=100, description="`id` of the answer.", examples=["ans_5e0b0c6a"]
    )
    question: PlainText = Field(
        min_length=1, max_length=MAX_TURN_QUESTION, description="Its question.", examples=["And on Sundays?"]
    )
    standalone_question: PlainText | None = Field(
        None,
        max_length=MAX_TURN_QUESTION,
        description="Its `standalone_question`: the one that was answered, where it was a follow-up.",
        examples=["When does the library open on Sundays?"],
    )
    collection: str = Field("default", description="The collection that was asked.", examples=["default"])
    rating: Literal["up", "down"] = Field(description="Thumb up or down.", examples=["up"])
    reason: PlainText | None = Field(
        None, max_length=1000, description="Why, in a few words.", examples=["It is the hours of the café."]
    )
    status: Literal["answered", "not_answerable"] = Field(description="Its `status`.", examples=["answered"])
    answer: PlainText | None = Field(None, max_length=MAX_TURN_ANSWER, description="Its text.", examples=["At ten."])
    short_answer: PlainText | None = Field(
        None, max_length=1000, description="Its `short_answer`: what an evaluation looks for.", examples=["ten"]
    )
    citations: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[], max_length=100, description="Ids of its citations.", examples=[["cit_AbC"]]
    )


class InCollection(BaseModel):
    """The query parameter that says where; any other is refused, so that a misspelt one is not overlooked."""

    model_config = ConfigDict(extra="forbid")

    collection: str = Field("default", description="The collection to look in.", examples=["default"])


class OfVersion(InCollection):
    """The query parameters that name a version of a document."""

    version: str | None = Field(
        None, description="A version of the document; the current one if left out.", examples=[_VERSION]
    )


class NoParameters(BaseModel):
    """No query parameter."""

    model_config = ConfigDict(extra="forbid")


class DocumentRow(Wire):
    """A document in a list: no text."""

    id: str = Field(description="Id of the document: a hash of its URI.", examples=[_DOCUMENT])
    title: str = Field(description="Its title.", examples=["Opening hours"])
    uri: str = Field(description="Its name inside the collection.", examples=["hours.txt"])
    version: str = Field(description="The current version: a hash of the text.", examples=[_VERSION])
    characters: int = Field(description="Length of its text in code points.", examples=[1204])
    chunks: int = Field(description="Passages that it is cut into.", examples=[3])
    source_url: str | None = Field(description="Where it came from, if it has an address.", examples=[None])
    viewer_url: str = Field(
        description="Page of this service that shows it, relative to its root.",
        examples=[f"/documents/{_DOCUMENT}?collection=default"],
    )


class DocumentList(Wire):
    """The documents of one generation of a collection."""

    collection: str = Field(description="The collection.", examples=["default"])
    generation: int = Field(description="Generation of the index: it grows with every change.", examples=[4])
    documents: list[DocumentRow] = Field(description="The current version of every document, by URI.")


class DocumentView(Wire):
    """One version of a document with its text."""

    id: str = Field(description="Id of the document: a hash of its URI.", examples=[_DOCUMENT])
    title: str = Field(description="Its title.", examples=["Opening hours"])
    uri: str = Field(description="Its name inside the collection.", examples=["hours.txt"])
    version: str = Field(description="This version: a hash of the text.", examples=[_VERSION])
    text: str = Field(
        description="The whole text, exactly; offsets of citations of this version count its Unicode code points.",
        examples=["Opening hours\n\nThe library opens at nine on weekdays."],
    )
    source_url: str | None = Field(description="Where it came from, if it has an address.", examples=[None])
    current: bool = Field(description="Whether this is the current version.", examples=[True])
    current_version: str = Field(description="The current version.", examples=[_VERSION])
    generation: int = Field(description="Generation of the index that brought this version.", examples=[4])


class CollectionRow(Wire):
    """A collection and how large it is."""

    name: str = Field(description="Its name.", examples=["default"])
    documents: int = Field(description="Documents in it.", examples=[12])
    chunks: int = Field(description="Passages that they are cut into.", examples=[340])
    generation: int = Field(description="Generation of the index: it grows with every change.", examples=[4])
    embedder: str = Field(description="The model that made its vectors.", examples=["all-MiniLM-L6-v2-onnx-int8"])


class CollectionList(Wire):
    """All collections of this service."""

    collections: list[CollectionRow] = Field(description="The collections, by name.")


class CitationView(Citation):
    """A citation, resolved again. Its `score` is 1: the text is verbatim, whatever it was cited for."""

    collection: str = Field(description="The collection of the document.", examples=["default"])
    stale: bool = Field(
        description="Whether the document has moved on to another version; the text is still that of the cited one.",
        examples=[False],
    )
    current_version: str = Field(description="The current version of the document.", examples=[_VERSION])
    source_text_url: str | None = Field(
        description="`source_url` with a text fragment that opens it at the cited words; null where the words alone "
        "would not find one place only.",
        examples=["https://example.org/hours#:~:text=The%20library%20opens%20at%20nine"],
    )


class ConversationStart(Wire):
    """A conversation that is kept from now on."""

    id: str = Field(description="Its id: whoever has it can read and delete the conversation.", examples=["conv_AbC"])
    expires: datetime = Field(description="When it is deleted; each turn puts that off.")


class ConversationView(ConversationStart):
    """A kept conversation, replayed."""

    created: datetime = Field(description="When it was begun.")
    turns: list[Answer] = Field(description="The answers in order, as they were given, each with its question.")


class Health(Wire):
    """The process is up."""

    status: Literal["ok"] = Field("ok", description="Always `ok`.", examples=["ok"])


class Readiness(Wire):
    """The service can answer."""

    status: Literal["ready"] = Field("ready", description="Always `ready`; otherwise a problem.", examples=["ready"])
    collection: str = Field(description="The collection that was opened.", examples=["default"])
