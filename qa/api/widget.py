"""The chat widget as it is sent: to any site, and small."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

SCRIPTS = Path(__file__).parent.parent / "web"
_COMMENT = re.compile(r"/\*\*(?:(?!\*/).)*\*/ ?|(?<!\S)// [^\n]*", re.DOTALL)
_BLANK = re.compile(r"^\s+|[ \t]+$", re.MULTILINE)


def widget_scripts() -> dict[str, bytes]:
    """Every module by its address below the root, without the comments and blanks that only its authors need."""
    return {
        path.relative_to(SCRIPTS).as_posix(): _BLANK.sub("", _COMMENT.sub("", path.read_text("utf-8"))).encode()
        for path in sorted(SCRIPTS.rglob("*.js"))
    }


def widget_routes() -> APIRouter:
    """`/widget.js` and the modules that it loads. They hold nothing secret, so that every site may load them."""
    router = APIRouter(include_in_schema=False)
    scripts = widget_scripts()
    packed = {name: gzip.compress(content, mtime=0) for name, content in scripts.items()}

    @router.api_route("/widget.js", methods=["GET", "HEAD"])
    @router.api_route("/widget/{name}", methods=["GET", "HEAD"])
    async def script(request: Request, name: str = "") -> Response:
        name = f"widget/{name}" if name else "widget.js"
        if name not in scripts:
            raise HTTPException(404)
        etag = f'"{hashlib.sha256(scripts[name]).hexdigest()[:16]}"'
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "ETag": etag,
            "Vary": "Accept-Encoding",
        }
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = scripts[name]
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = packed[name]
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers, media_type="text/javascript")

    return router
