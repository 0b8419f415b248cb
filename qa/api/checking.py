"""Checking a text against facts or a collection, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from qa.api.asking import Asking
from qa.api.lookup import existing
from qa.api.problems import (
    BAD_REQUEST,
    BUSY,
    COLLECTION_NOT_FOUND,
    INDEX_UNAVAILABLE,
    INVALID_COLLECTION,
    INVALID_JSON,
    INVALID_REQUEST,
    INVALID_TEXT,
    MODEL_UNAVAILABLE,
    NOT_JSON,
    TOO_LARGE,
    documented,
)
from qa.api.routes import require_json
from qa.api.schemas import NoParameters
from qa.grounding import MAX_FACTS, MAX_TEXT, Fact, Grounding
from qa.pipeline import QA


class CheckRequest(BaseModel):
    """A text, and what to check it against."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    answer_candidate: str = Field(
        description=f"The text to check, at most {MAX_TEXT:,} characters.", examples=["The library opens at nine."]
    )
    facts: list[Fact] | None = Field(
        None,
        max_length=1000,
        description=f"Texts to check it against, at most {MAX_FACTS:,} characters together. Left out, it is checked "
        "against the documents of `collection`.",
        examples=[[{"fact_text": "The library opens at nine on weekdays."}]],
    )
    collection: str | None = Field(
        None, description="The collection to check against where there are no facts; `default` if left out.",
        examples=[None],
    )  # fmt: skip
    citation_threshold: float | None = Field(
        None, ge=0, le=1, description="Cite only for a claim with at least this score; null for the service's setting.",
        examples=[0.6],
    )  # fmt: skip

    @model_validator(mode="after")
    def one_source(self) -> CheckRequest:
        """Facts or a collection, not both."""
        if self.facts is not None and self.collection is not None:
            raise ValueError("Give facts or a collection, not both.")
        return self


def check_routes(qa: QA, asking: Asking) -> APIRouter:
    """The route of the JSON API that checks a text."""
    router = APIRouter()

    @router.post(
        "/v1/check-grounding",
        operation_id="checkGrounding",
        response_model=Grounding,
        tags=["ask"],
        summary="Check what a text rests on",
        description="Every sentence of the text with the sentences of the facts, or of the collection's documents, "
        "that support it, by the same verifier that decides what a language model's answer may say. The shape is that "
        "of Vertex AI's check grounding API, with two differences: positions count Unicode code points, not bytes, and "
        "`reasons` say why a claim is not supported. A claim that the exact checks reject has the score 0.",
        response_description="The sentences, their scores, and what they cite.",
        dependencies=[Depends(require_json)],
        responses=documented(
            BAD_REQUEST, INVALID_JSON, COLLECTION_NOT_FOUND, TOO_LARGE, NOT_JSON, INVALID_REQUEST, INVALID_TEXT,
            INVALID_COLLECTION, BUSY, INDEX_UNAVAILABLE, MODEL_UNAVAILABLE,
        ),
    )  # fmt: skip
    async def check(body: CheckRequest, request: Request, _: Annotated[NoParameters, Query()]) -> Grounding | Response:
        collection = body.collection or "default"

        def work(cancelled: Callable[[], bool]) -> Grounding:
            if body.facts is None:
                existing(qa, collection)
            return qa.check(
                body.answer_candidate,
                facts=body.facts,
                collection=collection,
                threshold=body.citation_threshold,
                cancelled=cancelled,
            )

        found = await asking.turn(work, request.receive)
        return Response(status_code=499) if found is None else found  # the client has gone, nobody will see it

    return router
