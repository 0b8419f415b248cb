"""The JSON API."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from index.errors import CollectionMissing, IngestBusy
from index.ingest import remove
from qa.api.asking import AnswerStream, Asking, data_of
from qa.api.lookup import citation_view, collection_rows, document_rows, document_view, existing, opened
from qa.api.problems import (
    BAD_REQUEST,
    BUSY,
    CITATION_NOT_FOUND,
    COLLECTION_NOT_FOUND,
    CONVERSATION_FULL,
    CONVERSATION_NOT_FOUND,
    CONVERSATIONS_OFF,
    DOCUMENT_DELETED,
    DOCUMENT_NOT_FOUND,
    INDEX_UNAVAILABLE,
    INGEST_RUNNING,
    INVALID_COLLECTION,
    INVALID_JSON,
    INVALID_QUESTION,
    INVALID_REQUEST,
    MODEL_UNAVAILABLE,
    NOT_JSON,
    RECORDS_UNAVAILABLE,
    TOO_LARGE,
    ProblemError,
    documented,
)
from qa.api.schemas import (
    AskRequest,
    CitationView,
    CollectionList,
    DocumentList,
    DocumentView,
    Health,
    InCollection,
    NoParameters,
    OfVersion,
    Readiness,
)
from qa.pipeline import QA, Inquiry
from qa.types import Answer, AnswerEvent, Event

DocumentId = Annotated[str, Path(description="Id of the document.", examples=["doc_49ac9bf1ec0a1b11"])]
CitationId = Annotated[str, Path(description="Id of the citation, from an answer.", examples=["cit_AbC"])]

log = logging.getLogger("qa.api")

DEFAULT = "default"

STREAM = """With `"stream": true`, server-sent events; the name of each is its `event` field, its data one JSON object:

| event | data |
| --- | --- |
| `passages` | `{"passages": […]}`: what was retrieved |
| `quote` | `{"quote": {…}, "citations": […]}`: the verbatim answer, at once; not sent when refused |
| `claim` | `{"claim": {…}, "citations": […]}`: one verified sentence; none when refused |
| `answer` | the whole answer, as without `stream`; always the last |
| `error` | a problem, in place of the rest, when something breaks in mid-stream |

`citation_indices` count in the `citations` of the final answer; an event carries the citations it needs, in that order.
What a `quote` or `claim` says stands unchanged in the final answer."""

STREAM_EXAMPLE = (
    'event: passages\ndata: {"passages": []}\n\n'
    'event: answer\ndata: {"id": "ans_5e0b0c6a", "status": "not_answerable", "…": "…"}\n\n'
)


async def require_json(request: Request) -> None:
    """Refuse a body that is not declared as JSON, which also keeps forms of other sites from posting here."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not (declared.startswith("application/") and declared.endswith("+json")):
        raise ProblemError(NOT_JSON, f"The body is declared as {declared or 'nothing'}.")


def api_routes(qa: QA, asking: Asking) -> APIRouter:
    """The routes of the JSON API about questions, documents and the service itself."""
    router = APIRouter()
    models = _Models(qa)

    @router.post(
        "/v1/ask",
        operation_id="ask",
        tags=["ask"],
        summary="Ask a question",
        description=f"The answer with its citations, or a refusal. {STREAM}",
        response_model=Answer,
        response_description="The answer, or a refusal.",
        dependencies=[Depends(require_json)],
        responses={
            **documented(
                BAD_REQUEST, INVALID_JSON, COLLECTION_NOT_FOUND, TOO_LARGE, NOT_JSON, INVALID_REQUEST,
                INVALID_QUESTION, INVALID_COLLECTION, CONVERSATION_NOT_FOUND, CONVERSATIONS_OFF, CONVERSATION_FULL,
                BUSY, INDEX_UNAVAILABLE, RECORDS_UNAVAILABLE, MODEL_UNAVAILABLE,
            ),
            200: {
                "content": {
                    "text/event-stream": {
                        "schema": {"type": "string", "description": "Server-sent events, as described above."},
                        "example": STREAM_EXAMPLE,
                    }
                }
            },
        },
    )  # fmt: skip
    async def ask(body: AskRequest, request: Request, _: Annotated[NoParameters, Query()]) -> Response:
        def begin(cancelled: Callable[[], bool]) -> Inquiry:
            existing(qa, body.collection)
            return qa.begin(
                body.question,
                history=body.history,
                conversation_id=body.conversation_id,
                collection=body.collection,
                mode=body.mode,
                top_k=body.top_k,
                cancelled=cancelled,
            )

        if body.stream:
            return AnswerStream(asking, begin)
        last: Event | None = None

        async def keep(event: Event) -> None:
            nonlocal last
            last = event

        await asking.run(begin, request.receive, keep)
        if not isinstance(last, AnswerEvent):
            return Response(status_code=499)  # the client has gone, nobody will see this
        return Response(data_of(last), media_type="application/json")

    @router.get(
        "/v1/collections",
        operation_id="listCollections",
        tags=["documents"],
        summary="List the collections",
        response_description="The collections, by name.",
        responses=documented(INVALID_REQUEST, INDEX_UNAVAILABLE),
    )
    def list_collections(_: Annotated[NoParameters, Query()]) -> CollectionList:
        return CollectionList(collections=[row for row, _ in collection_rows(qa)])

    @router.get(
        "/v1/documents",
        operation_id="listDocuments",
        tags=["documents"],
        summary="List the documents of a collection",
        response_description="The current version of every document, by URI.",
        responses=documented(COLLECTION_NOT_FOUND, INVALID_REQUEST, INVALID_COLLECTION, INDEX_UNAVAILABLE),
    )
    def list_documents(where: Annotated[InCollection, Query()]) -> DocumentList:
        with opened(qa, where.collection) as snapshot:
            return DocumentList(
                collection=where.collection,
                generation=snapshot.stats().generation,
                documents=document_rows(snapshot, where.collection),
            )

    @router.get(
        "/v1/documents/{id}",
        operation_id="getDocument",
        tags=["documents"],
        summary="Get a document with its text",
        description="The current version, or the one asked for: versions that were cited stay until the document is "
        "deleted.",
        response_description="The document.",
        responses=documented(
            COLLECTION_NOT_FOUND, DOCUMENT_NOT_FOUND, DOCUMENT_DELETED, INVALID_REQUEST, INVALID_COLLECTION,
            INDEX_UNAVAILABLE,
        ),
    )  # fmt: skip
    def get_document(id: DocumentId, which: Annotated[OfVersion, Query()]) -> DocumentView:
        return document_view(qa, id, which.collection, which.version)

    @router.delete(
        "/v1/documents/{id}",
        operation_id="deleteDocument",
        tags=["documents"],
        summary="Delete a document",
        description="All its versions, and what was derived from them. Its citations are gone from then on.",
        status_code=204,
        response_description="It is deleted.",
        responses=documented(
            COLLECTION_NOT_FOUND, DOCUMENT_NOT_FOUND, DOCUMENT_DELETED, INGEST_RUNNING, INVALID_REQUEST,
            INVALID_COLLECTION, INDEX_UNAVAILABLE,
        ),
    )  # fmt: skip
    def delete_document(id: DocumentId, where: Annotated[InCollection, Query()]) -> None:
        # Looked up first: taking the lock makes the collection's folder, even for a name that nobody ever used.
        with opened(qa, where.collection) as snapshot:
            snapshot.document(id)
        remove(existing(qa, where.collection), [id], on_wait=_do_not_wait)

    @router.get(
        "/v1/citations/{id}",
        operation_id="getCitation",
        tags=["documents"],
        summary="Resolve a citation",
        description="The same text as when it was cited, for as long as the document is not deleted.",
        response_description="The citation, and whether the document has moved on.",
        responses=documented(
            CITATION_NOT_FOUND, COLLECTION_NOT_FOUND, DOCUMENT_NOT_FOUND, DOCUMENT_DELETED, INVALID_REQUEST,
            INVALID_COLLECTION, INDEX_UNAVAILABLE,
        ),
    )  # fmt: skip
    def get_citation(id: CitationId, _: Annotated[NoParameters, Query()]) -> CitationView:
        return citation_view(qa, id)

    @router.get(
        "/healthz",
        operation_id="health",
        tags=["health"],
        summary="Whether the process is up",
        response_description="It is.",
        responses=documented(),
    )
    async def health() -> Health:
        return Health(status="ok")

    @router.get(
        "/readyz",
        operation_id="readiness",
        tags=["health"],
        summary="Whether questions can be answered",
        description="The models answer and the default collection opens. The first call loads the models; after that "
        "it costs one look into the index.",
        response_description="They can.",
        responses=documented(INDEX_UNAVAILABLE, MODEL_UNAVAILABLE),
    )
    def readiness() -> Readiness:
        models.try_out()
        try:
            with qa.collections.get(DEFAULT).snapshot(qa.embedder.name):
                return Readiness(status="ready", collection=DEFAULT)
        except CollectionMissing as error:
            raise ProblemError(INDEX_UNAVAILABLE, f"There is no collection {DEFAULT} yet.") from error

    return router


class _Models:
    """Tries the models out once; what has answered stays in memory."""

    def __init__(self, qa: QA) -> None:
        self._qa = qa
        self._lock = threading.Lock()
        self._answered = False

    def try_out(self) -> None:
        with self._lock:
            if self._answered:
                return
            try:
                self._qa.embedder.embed_query("ready?")
                self._qa.reader.read("Who is ready?", ["The reader is ready."])
            except Exception as error:
                log.exception("the models do not answer")
                raise ProblemError(MODEL_UNAVAILABLE, "The embedder or the reader does not answer.") from error
            self._answered = True


def _do_not_wait() -> None:
    raise IngestBusy("an ingest is running", help="")
