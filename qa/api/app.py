"""The application: routes, pages and problems put together."""

from __future__ import annotations

import os
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

from qa import __version__
from qa.api.asking import Asking
from qa.api.checking import check_routes
from qa.api.guard import Guard, install_handlers
from qa.api.keeping import keeping_routes
from qa.api.problems import PROBLEM_SCHEMAS
from qa.api.routes import api_routes
from qa.api.views import page_routes
from qa.api.widget import widget_routes
from qa.grounding import MAX_FACTS, MAX_TEXT
from qa.pipeline import QA
from qa.types import MAX_TURN_ANSWER, MAX_TURN_QUESTION, MAX_TURNS

DESCRIPTION = """Answers questions over your own documents, every sentence cited to the exact span that supports it.

Offsets count Unicode code points, 0-based, end exclusive: `text[start_char_index:end_char_index] == cited_text`.
Every error is an RFC 9457 problem with what to do next in `help`; `/problems` lists them all."""

TAGS = [
    {"name": "ask", "description": "Questions and their cited answers."},
    {"name": "conversation", "description": "What is kept when somebody asks for it: conversations, and feedback."},
    {"name": "documents", "description": "Collections, documents and the places that citations point to."},
    {"name": "health", "description": "For whoever runs the service."},
]


def create_app(qa: QA) -> FastAPI:
    """The application over `qa`. Nothing is loaded before the first question, or the first look at `/readyz`."""
    app = FastAPI(
        title="Cited QA",
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        # FastAPI's own documentation pages load their scripts from a CDN, and nothing here phones home.
        docs_url=None,
        redoc_url=None,
        # The same reason: no exporter may come to life because of a variable in the environment.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        redirect_slashes=False,
    )
    install_handlers(app)
    asking = Asking(max(2, os.cpu_count() or 1), qa.llm.parallel if qa.llm else 1, qa.settings.queue)
    app.include_router(api_routes(qa, asking))
    app.include_router(check_routes(qa, asking))
    app.include_router(keeping_routes(qa))
    app.include_router(page_routes(qa))
    app.include_router(widget_routes())
    app.add_middleware(Guard, max_body_bytes=max_body_bytes(qa.settings.max_question_chars))
    if qa.settings.allowed_origins:
        # Around the guard, so that another site can also read its errors. Other sites may ask and read, not delete,
        # and never with the credentials of whoever is looking at them.
        app.add_middleware(
            CORSMiddleware,
            allow_origins=qa.settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type"],
            allow_credentials=False,
            expose_headers=["Retry-After"],
        )

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=DESCRIPTION, tags=TAGS, routes=app.routes
            )
            schema["components"]["schemas"].update(PROBLEM_SCHEMAS)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def max_body_bytes(max_question_chars: int) -> int:
    """Room for the longest question and conversation, or the longest text to check and its facts.

    Each character may be escaped as a surrogate pair (12 bytes).
    """
    asked = max_question_chars + MAX_TURNS * (MAX_TURN_QUESTION + MAX_TURN_ANSWER)
    return 12 * max(asked, MAX_TEXT + MAX_FACTS) + 64_000
