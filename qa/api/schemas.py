"""What the API takes and gives besides the answer, which `qa.types` defines."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from qa.types import AskedMode, Citation, Wire

_DOCUMENT = "doc_49ac9bf1ec0a1b11"
_VERSION = "9b1c3f0de1f3ae5c4a1a2f6c0f5b7d21"


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("A NUL character cannot be part of it.")
    return text


class Turn(BaseModel):
    """An earlier question and its answer."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    question: str = Field(max_length=2_000, description="The question.", examples=["When does the library open?"])
    answer: str = Field(max_length=10_000, description="The answer.", examples=["The library opens at nine."])


class AskRequest(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    question: Annotated[str, AfterValidator(_no_nul)] = Field(
        description="The question in words, at most 2,000 characters unless the service is set otherwise.",
        examples=["When does the library open?"],
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
    history: list[Turn] = Field(
        [], max_length=20, description="Earlier questions of the conversation, oldest first.", examples=[[]]
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


class Health(Wire):
    """The process is up."""

    status: Literal["ok"] = Field("ok", description="Always `ok`.", examples=["ok"])


class Readiness(Wire):
    """The service can answer."""

    status: Literal["ready"] = Field("ready", description="Always `ready`; otherwise a problem.", examples=["ready"])
    collection: str = Field(description="The collection that was opened.", examples=["default"])
