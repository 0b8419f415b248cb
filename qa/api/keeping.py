"""The routes to what is kept: conversations, where that is asked for, and feedback."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from qa.api.lookup import existing
from qa.api.problems import (
    BAD_REQUEST,
    COLLECTION_NOT_FOUND,
    CONVERSATION_NOT_FOUND,
    CONVERSATIONS_OFF,
    INVALID_COLLECTION,
    INVALID_JSON,
    INVALID_REQUEST,
    NOT_JSON,
    RECORDS_UNAVAILABLE,
    TOO_LARGE,
    documented,
)
from qa.api.routes import require_json
from qa.api.schemas import ConversationStart, ConversationView, FeedbackRequest, NewConversation, NoParameters
from qa.feedback import Rated
from qa.pipeline import QA

ConversationId = Annotated[str, Path(description="Id of the conversation.", max_length=100, examples=["conv_AbC"])]
_BODY = (BAD_REQUEST, INVALID_JSON, TOO_LARGE, NOT_JSON, INVALID_REQUEST)


def keeping_routes(qa: QA) -> APIRouter:
    """The routes of conversations and feedback."""
    router = APIRouter()

    @router.post(
        "/v1/conversations",
        operation_id="beginConversation",
        tags=["conversation"],
        summary="Begin a conversation that is kept",
        description="Send its `id` as `conversation_id` with each question. Its questions and answers are kept on this "
        "service until they expire or are deleted; without this, nothing that is asked is.",
        status_code=201,
        response_description="The conversation, without a turn.",
        dependencies=[Depends(require_json)],
        responses=documented(*_BODY, CONVERSATIONS_OFF, RECORDS_UNAVAILABLE),
    )
    def begin_conversation(body: NewConversation, _: Annotated[NoParameters, Query()]) -> ConversationStart:
        begun = qa.conversations.begin()
        return ConversationStart(id=begun.id, expires=_moment(begun.expires))

    @router.get(
        "/v1/conversations/{id}",
        operation_id="getConversation",
        tags=["conversation"],
        summary="Replay a conversation",
        description="Every answer as it was given, with its citations, which resolve as long as their documents do.",
        response_description="The conversation.",
        responses=documented(CONVERSATION_NOT_FOUND, INVALID_REQUEST, RECORDS_UNAVAILABLE),
    )
    def get_conversation(
        id: ConversationId, _: Annotated[NoParameters, Query()], response: Response
    ) -> ConversationView:
        response.headers["Cache-Control"] = "private, no-store"  # what is deleted here is to be gone everywhere
        found = qa.conversations.get(id)
        return ConversationView(
            id=found.id, created=_moment(found.created), expires=_moment(found.expires), turns=list(found.answers)
        )

    @router.delete(
        "/v1/conversations/{id}",
        operation_id="deleteConversation",
        tags=["conversation"],
        summary="Delete a conversation",
        description="All its turns are gone for good.",
        status_code=204,
        response_description="It is deleted.",
        responses=documented(CONVERSATION_NOT_FOUND, INVALID_REQUEST, RECORDS_UNAVAILABLE),
    )
    def delete_conversation(id: ConversationId, _: Annotated[NoParameters, Query()]) -> None:
        qa.conversations.delete(id)

    @router.post(
        "/v1/feedback",
        operation_id="giveFeedback",
        tags=["conversation"],
        summary="Rate an answer",
        description="What is sent here is kept, and nothing else, for `qa feedback` of whoever runs the service.",
        status_code=204,
        response_description="It is kept.",
        dependencies=[Depends(require_json)],
        responses=documented(*_BODY, COLLECTION_NOT_FOUND, INVALID_COLLECTION, RECORDS_UNAVAILABLE),
    )
    def give_feedback(body: FeedbackRequest, _: Annotated[NoParameters, Query()]) -> None:
        existing(qa, body.collection)
        qa.feedback.rate(
            Rated(
                answer_id=body.answer_id,
                rating=body.rating,
                question=body.standalone_question or body.question,
                collection=body.collection,
                status=body.status,
                reason=body.reason or "",
                answer=body.answer or "",
                short_answer=body.short_answer or "",
                citations=tuple(body.citations),
            )
        )

    return router


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
