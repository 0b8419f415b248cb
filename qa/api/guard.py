"""What holds for every request: errors become problems, bodies are small, responses carry security headers."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import IndexingError
from qa.api.problems import TOO_LARGE, ProblemError, problem_of, problem_response
from qa.api.views import error_page, wants_page
from qa.errors import QAError

log = logging.getLogger("qa.api")

HEADERS = {
    # No inline script or style, nothing from elsewhere, and only this site may show its pages inside others.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # What was deleted must not go on living in a cache.
    "Cache-Control": "no-cache",
}


def respond(request: Request, error: Exception) -> Response:
    """The response to an error: a page where a person is looking, a problem for everyone else."""
    problem = problem_of(error)
    headers = error.headers if isinstance(error, HTTPException) else None
    return error_page(request, problem, headers) if wants_page(request) else problem_response(problem, headers)


def install_handlers(app: FastAPI) -> None:
    """Make the errors that are foreseen problems. The others reach `Guard`."""

    async def handle(request: Request, error: Exception) -> Response:
        return respond(request, error)

    for cls in (RequestValidationError, HTTPException, IndexingError, QAError):
        app.add_exception_handler(cls, handle)


class Guard:
    """The outermost middleware. Plain ASGI, so that a stream passes through it unbuffered and a disconnect is seen."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self.app = app
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False
        received = 0

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        async def guarded_receive() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > self.max_body_bytes:
                    raise self._too_large()
            return message

        try:
            # Starlette's own limit answers a declared length in plain text, past every handler.
            declared = Headers(scope=scope).get("content-length", "")
            if declared.isdecimal() and int(declared[:18]) > self.max_body_bytes:
                raise self._too_large()
            await self.app(scope, guarded_receive, guarded_send)
        except Exception as error:
            if started:
                raise  # too late to say anything: the server breaks the connection off
            await respond(Request(scope), error)(scope, receive, guarded_send)

    def _too_large(self) -> ProblemError:
        return ProblemError(TOO_LARGE, f"At most {self.max_body_bytes:,} bytes are read.")
