"""Errors as RFC 9457 problem details, and as plain pages for people.

Every kind of problem stands in one table, from which the handlers, the schema and the page `/problems` are made. The
texts are written for whoever calls the API: messages of the inner errors may name files of this machine, so only those
known not to are passed on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.responses import Response

from index import errors as index_errors
from qa import errors as qa_errors

log = logging.getLogger("qa.api")

MEDIA_TYPE = "application/problem+json"
MAX_TEXT = 300
MAX_ERRORS = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: what is the same whenever it happens."""

    slug: str
    status: int
    title: str
    help: str

    @property
    def type(self) -> str:
        """URI reference of the paragraph about it on this service's page of problems."""
        return f"/problems#{self.slug}"


_LIST = "GET /v1/documents lists what is there."
_OPERATOR = "Whoever runs the service finds the reason in its log."

BAD_REQUEST = Kind("bad-request", 400, "The request cannot be read", "Send valid JSON as UTF-8, not deeply nested.")
INVALID_JSON = Kind("invalid-json", 400, "The body is not JSON", "Send one JSON object as UTF-8.")
NOT_FOUND = Kind("not-found", 404, "There is nothing at this address", "GET /openapi.json lists every address.")
COLLECTION_NOT_FOUND = Kind(
    "collection-not-found", 404, "There is no such collection", "GET /v1/collections lists what is there."
)
DOCUMENT_NOT_FOUND = Kind("document-not-found", 404, "There is no such document", _LIST)
CITATION_NOT_FOUND = Kind(
    "citation-not-found", 404, "There is no such citation", "Use an id from an answer of this service, unchanged."
)
CONVERSATION_NOT_FOUND = Kind(
    "conversation-not-found",
    404,
    "There is no such conversation",
    "It was deleted, has expired, or never was. POST /v1/conversations begins a new one.",
)
CONVERSATIONS_OFF = Kind(
    "conversations-not-kept",
    403,
    "This service keeps no conversations",
    "Send the turns as `history`; or have QA_KEEP_CONVERSATIONS set to the days that they are kept.",
)
METHOD_NOT_ALLOWED = Kind(
    "method-not-allowed", 405, "This address does not take this method", "Use a method that the Allow header names."
)
INGEST_RUNNING = Kind(
    "ingest-running", 409, "The collection is being written to", "Try again when the ingest has finished."
)
DOCUMENT_DELETED = Kind("document-deleted", 410, "The document was deleted", f"Its text is gone. {_LIST}")
TOO_LARGE = Kind("body-too-large", 413, "The body is too large", "Send a shorter question.")
NOT_JSON = Kind(
    "unsupported-media-type", 415, "The body is not declared as JSON", "Send it with Content-Type: application/json."
)
INVALID_REQUEST = Kind(
    "invalid-request", 422, "The request does not fit", "`errors` says what is wrong; GET /openapi.json what is right."
)
INVALID_QUESTION = Kind("invalid-question", 422, "This cannot be asked", "Ask a short question in words.")
INVALID_TEXT = Kind("invalid-text", 422, "This cannot be checked", "Give a text of sentences, and facts with text.")
INVALID_COLLECTION = Kind(
    "invalid-collection-name",
    422,
    "This cannot name a collection",
    "Use up to 64 lower-case letters, digits, `-` and `_`, beginning with a letter or digit.",
)
CONVERSATION_FULL = Kind(
    "conversation-full", 422, "The conversation takes no further turn", "POST /v1/conversations begins a new one."
)
BUSY = Kind("too-many-questions", 429, "Too many questions at once", "Ask again after the seconds in Retry-After.")
INTERNAL = Kind("internal-error", 500, "Something went wrong here", f"Try again. {_OPERATOR}")
INDEX_UNAVAILABLE = Kind("index-unavailable", 503, "The collection cannot be opened", f"Try again later. {_OPERATOR}")
RECORDS_UNAVAILABLE = Kind(
    "records-unavailable", 503, "Conversations and feedback cannot be kept now", f"Try again later. {_OPERATOR}"
)
MODEL_UNAVAILABLE = Kind("model-unavailable", 503, "A model cannot be used", f"Try again later. {_OPERATOR}")

KINDS = (
    BAD_REQUEST, INVALID_JSON, NOT_FOUND, COLLECTION_NOT_FOUND, DOCUMENT_NOT_FOUND, CITATION_NOT_FOUND,
    CONVERSATION_NOT_FOUND, CONVERSATIONS_OFF, METHOD_NOT_ALLOWED, INGEST_RUNNING, DOCUMENT_DELETED, TOO_LARGE,
    NOT_JSON, INVALID_REQUEST, INVALID_QUESTION, INVALID_TEXT, INVALID_COLLECTION, CONVERSATION_FULL, BUSY, INTERNAL,
    INDEX_UNAVAILABLE, RECORDS_UNAVAILABLE, MODEL_UNAVAILABLE,
)  # fmt: skip

# Error class, kind, and whether its message may be passed on; the first that fits counts.
_OF_ERROR: tuple[tuple[type[Exception], Kind, bool], ...] = (
    (qa_errors.InvalidQuestion, INVALID_QUESTION, True),
    (qa_errors.InvalidText, INVALID_TEXT, True),
    (qa_errors.InvalidCitation, CITATION_NOT_FOUND, True),
    (qa_errors.ConversationMissing, CONVERSATION_NOT_FOUND, True),
    (qa_errors.ConversationsOff, CONVERSATIONS_OFF, True),
    (qa_errors.ConversationFull, CONVERSATION_FULL, True),
    (qa_errors.RecordsUnavailable, RECORDS_UNAVAILABLE, False),
    (qa_errors.ModelMissing, MODEL_UNAVAILABLE, False),
    (qa_errors.LLMError, MODEL_UNAVAILABLE, False),
    (index_errors.CollectionName, INVALID_COLLECTION, True),
    (index_errors.CollectionMissing, COLLECTION_NOT_FOUND, False),
    (index_errors.DocumentGone, DOCUMENT_DELETED, True),
    (index_errors.DocumentMissing, DOCUMENT_NOT_FOUND, True),
    (index_errors.IngestBusy, INGEST_RUNNING, False),
    (index_errors.IndexingError, INDEX_UNAVAILABLE, False),
)
_OF_STATUS = {400: BAD_REQUEST, 404: NOT_FOUND, 405: METHOD_NOT_ALLOWED, 413: TOO_LARGE, 415: NOT_JSON}


class FieldError(BaseModel):
    """What is wrong with one field. What was sent is not repeated."""

    model_config = ConfigDict(extra="forbid")

    field: str = Field(description="Where: `body` or `query`, and the name.", examples=["body.top_k"])
    message: str = Field(description="What is wrong with it.", examples=["Input should be less than or equal to 50"])


class Problem(BaseModel):
    """An RFC 9457 problem."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="What kind of problem, as a URI reference.", examples=[DOCUMENT_NOT_FOUND.type])
    title: str = Field(description="The kind in words.", examples=[DOCUMENT_NOT_FOUND.title])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What happened this time.", examples=["There is no document doc_0000000000000000."])
    help: str = Field(description="What to do next.", examples=[DOCUMENT_NOT_FOUND.help])
    errors: list[FieldError] | None = Field(
        default=None, description="Field by field, when the request does not fit; left out otherwise."
    )


PROBLEM_SCHEMAS: dict[str, Any] = models_json_schema(
    [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
)[1]["$defs"]
"""The components that error responses refer to; FastAPI would file a model under `application/json`."""


class ProblemError(HTTPException):
    """A problem found by the HTTP side itself. FastAPI lets no other exception out of reading a body."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(kind.status, detail)
        self.kind = kind


def documented(*kinds: Kind) -> dict[int | str, dict[str, Any]]:
    """These problems, and those that any request can meet, as `responses` of a route."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for kind in (*kinds, INTERNAL):
        body = Problem(type=kind.type, title=kind.title, status=kind.status, detail=f"{kind.title}.", help=kind.help)
        entry = by_status.setdefault(
            kind.status,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        entry["description"] = "; ".join(filter(None, [entry["description"], kind.title]))
        entry["content"][MEDIA_TYPE]["examples"][kind.slug] = {
            "summary": kind.title,
            "value": body.model_dump(exclude_none=True),
        }
    return by_status


def problem_of(error: Exception) -> Problem:
    """The problem that an error is to whoever asked; an unexpected one is logged, and said to be no more than that."""
    if isinstance(error, ProblemError):
        return _problem(error.kind, error.detail)
    if isinstance(error, RequestValidationError):
        return _invalid(error.errors())
    if isinstance(error, HTTPException):
        kind = _OF_STATUS.get(error.status_code)
        if kind:
            return _problem(kind, f"{kind.title}.")
        return Problem(
            type="about:blank",
            title=str(error.detail),
            status=error.status_code,
            detail=str(error.detail),
            help="GET /openapi.json describes every request.",
        )
    for cls, kind, public in _OF_ERROR:
        if isinstance(error, cls):
            if kind.status >= 500:
                log.error("%s: %s", type(error).__name__, error)
            return _problem(kind, _sentence(str(error)) if public else f"{kind.title}.")
    log.error("unexpected error", exc_info=error)
    return _problem(INTERNAL, "An unexpected error occurred.")


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as it is sent."""
    extra = dict(headers or {})
    if problem.status in (409, 429, 503):
        extra.setdefault("Retry-After", "5")
    return Response(problem.model_dump_json(exclude_none=True), problem.status, extra, MEDIA_TYPE)


def _problem(kind: Kind, detail: str, errors: list[FieldError] | None = None) -> Problem:
    return Problem(
        type=kind.type, title=kind.title, status=kind.status, detail=_clean(detail), help=kind.help, errors=errors
    )


def _invalid(errors: Sequence[Mapping[str, Any]]) -> Problem:
    first = errors[0]
    if first["type"] == "json_invalid":
        return _problem(INVALID_JSON, f"{first['ctx']['error']} at character {first['loc'][-1]}.")
    found = [
        FieldError(field=_clean(".".join(map(str, error["loc"]))), message=_clean(error["msg"]))
        for error in errors[:MAX_ERRORS]
    ]
    count = "1 field is" if len(errors) == 1 else f"{len(errors):,} fields are"
    return _problem(INVALID_REQUEST, f"{count} wrong.", found)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".") + "."


def _clean(text: str) -> str:
    """Short, and text: what was sent may be neither, and a lone surrogate cannot be sent back."""
    text = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return text.encode("utf-8", "replace").decode("utf-8")
