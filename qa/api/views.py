"""The pages: one to ask on, one to read a document on, one on problems. Templates and scripts lie in `pages/`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from qa.api.lookup import collection_rows, document_rows, document_view, web_address
from qa.api.problems import KINDS, Problem
from qa.cite import viewer_url
from qa.pipeline import QA

PAGES = Path(__file__).parent / "pages"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
MAX_LISTED = 200
"""Documents of a collection that the first page lists; `GET /v1/documents` lists all."""


def exact(text: str) -> Markup:
    """`text` as HTML that a browser turns into the same code points.

    An HTML parser makes a carriage return a newline and drops a NUL, which would move every offset behind it. As
    character references the one stays what it is, and the other becomes one replacement character.
    """
    return Markup(str(escape(text)).replace("\r", "&#13;").replace("\0", "&#0;"))  # noqa: S704 - escaped just here


_templates = Environment(
    loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_templates.filters["exact"] = exact


def wants_page(request: Request) -> bool:
    """Whether a person is looking: at a page of ours, or with a browser at an address that is no part of the API."""
    path = _below_root(request)
    if path.startswith("/v1/"):
        return False
    return path.startswith("/documents/") or "text/html" in request.headers.get("accept", "")


def error_page(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """A problem in plain words, with the way home."""
    return _page(request, "error.html", problem.status, headers, problem=problem)


def page_routes(qa: QA) -> APIRouter:
    """The pages and what they load."""
    router = APIRouter(include_in_schema=False)
    assets = {path.name: path.read_bytes() for path in sorted(PAGES.iterdir()) if path.suffix in MEDIA_TYPES}

    @router.api_route("/", methods=["GET", "HEAD"])
    def ask_page(request: Request) -> Response:
        collections = []
        for row, snapshot in collection_rows(qa):
            documents = document_rows(snapshot, row.name)
            collections.append({"name": row.name, "documents": documents[:MAX_LISTED], "count": len(documents)})
        generative = qa.llm is not None and qa.llm.capable
        return _page(
            request,
            "index.html",
            collections=collections,
            generative=generative,
            threshold=f"{qa.threshold():.0%}".replace("%", " %"),
            service=request.base_url,
        )

    @router.api_route("/documents/{id}", methods=["GET", "HEAD"])
    def document_page(request: Request, id: str, collection: str = "default", version: str | None = None) -> Response:
        document = document_view(qa, id, collection, version)
        current = None if document.current else document_view(qa, id, collection, None)
        return _page(
            request,
            "document.html",
            document=document,
            current=current,
            collection=collection,
            current_url=viewer_url(document.id, collection, "").removesuffix("#"),
            source_url=web_address(document.source_url),
        )

    @router.api_route("/problems", methods=["GET", "HEAD"])
    def problems_page(request: Request) -> Response:
        return _page(request, "problems.html", kinds=KINDS)

    @router.api_route("/assets/{name}", methods=["GET", "HEAD"])
    async def asset(name: str, request: Request) -> Response:
        content = assets.get(name)
        if content is None:
            raise HTTPException(404)
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": etag})
        return Response(content, headers={"ETag": etag}, media_type=MEDIA_TYPES[Path(name).suffix])

    return router


def _page(
    request: Request, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    # Every link is relative: a proxy may serve this under a prefix, and need not say so.
    root = "../" * (_below_root(request).count("/") - 1) or "./"
    return HTMLResponse(_templates.get_template(template).render(values, root=root), status, headers)


def _below_root(request: Request) -> str:
    """The path as it was sent, where an escaped slash is not a slash, without what the application is mounted at."""
    path = request.scope.get("raw_path") or request.scope["path"].encode()
    return str(path.decode("latin-1")).removeprefix(request.scope.get("root_path", ""))
