"""What the server does for the widget: small scripts that any site may load, and other sites let in where allowed."""

from __future__ import annotations

import gzip
import re
from urllib.parse import urljoin

import pytest
from fastapi.testclient import TestClient

from qa.api import create_app
from qa.errors import SettingsError
from qa.pipeline import QA
from qa.settings import load_settings
from tests.conftest import MakeQA

BUDGET = 15_000
"""Bytes, gzipped, for all that the widget loads."""

SITE = "https://example.org"


def client(qa: QA, *origins: str) -> TestClient:
    qa.settings = qa.settings.model_copy(update={"allowed_origins": origins})
    return TestClient(create_app(qa))


@pytest.fixture
def qa(make_qa: MakeQA) -> QA:
    return make_qa({"hours.txt": "The library opens at nine on weekdays."})


def modules(client: TestClient) -> dict[str, bytes]:
    """`/widget.js` and all that it imports, by address."""
    waiting, found = ["/widget.js"], {}
    while waiting:
        path = waiting.pop()
        if path not in found:
            response = client.get(path)
            assert response.status_code == 200, path
            found[path] = response.content
            imports = re.findall(r'(?:from|import\()\s*"([^"]+)"', response.text)
            waiting += [urljoin(path, name) for name in imports]
    return found


def test_all_that_it_loads_fits_the_budget(qa: QA) -> None:
    found = modules(client(qa))
    assert len(found) > 5
    total = sum(len(gzip.compress(content, mtime=0)) for content in found.values())
    assert total <= BUDGET, f"{total:,} bytes"
    assert not any(b"innerHTML" in content for content in found.values())


def test_any_site_may_load_it(qa: QA) -> None:
    server = client(qa)
    for path in modules(server):
        response = server.get(path, headers={"Origin": SITE})
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"
        assert response.headers["content-type"].startswith("text/javascript")
        assert response.headers["content-encoding"] == "gzip"
        plain = server.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == response.content
        etag = {"if-none-match": response.headers["etag"]}
        assert server.get(path, headers=etag).status_code == 304
    for missing in ("/widget/nothing.js", "/widget/..%2Fwidget.js", "/widget/wire.d.ts"):
        assert server.get(missing).status_code == 404


def ask(server: TestClient, **more: object) -> object:
    body = {"question": "When does the library open?", **more}
    return server.post("/v1/ask", json=body, headers={"Origin": SITE})


def preflight(server: TestClient, method: str = "POST", origin: str = SITE) -> object:
    return server.options(
        "/v1/ask",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type",
        },
    )


def test_by_default_no_other_site_is_let_in(qa: QA) -> None:
    server = client(qa)
    assert "access-control-allow-origin" not in ask(server).headers
    assert "access-control-allow-origin" not in preflight(server).headers


def test_an_allowed_site_may_ask_and_no_other(qa: QA) -> None:
    server = client(qa, SITE)
    allowed = preflight(server)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == SITE
    assert "DELETE" not in allowed.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in allowed.headers
    for other in ("https://example.com", "http://example.org", "https://example.org.evil.net", "null"):
        refused = preflight(server, origin=other)
        assert refused.status_code == 400
        assert "access-control-allow-origin" not in refused.headers
        assert "access-control-allow-origin" not in server.get("/v1/collections", headers={"Origin": other}).headers
    assert preflight(server, "DELETE").status_code == 400
    for response in (ask(server), ask(server, stream=True), ask(server, top_k=0), ask(server, x="x" * 90_000)):
        assert response.headers["access-control-allow-origin"] == SITE, response.status_code
        assert response.headers["access-control-expose-headers"] == "Retry-After"
        assert "Origin" in response.headers["vary"]
        assert "access-control-allow-credentials" not in response.headers
        assert "default-src 'none'" in response.headers["content-security-policy"]
    assert ask(server, stream=True).headers["content-type"].startswith("text/event-stream")
    assert ask(server, x="x" * 4_000_000).status_code == 413  # with a conversation, a body may have 3 MB


def test_every_site_when_said_so(qa: QA) -> None:
    response = ask(client(qa, "*"))
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers


def test_origins_are_read_as_a_browser_sends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().allowed_origins == ()
    monkeypatch.setenv("QA_ALLOWED_ORIGINS", "https://Example.org/, http://localhost:3000 https://x.org:443")
    assert load_settings().allowed_origins == ("https://example.org", "http://localhost:3000", "https://x.org")
    monkeypatch.setenv("QA_ALLOWED_ORIGINS", "*")
    assert load_settings().allowed_origins == ("*",)
    monkeypatch.setenv("QA_ALLOWED_ORIGINS", " ")
    assert load_settings().allowed_origins == ()


@pytest.mark.parametrize(
    "value",
    ["example.org", "https://example.org/path", "https://*.example.org", "ftp://example.org", "null", "https://",
     "https://a@example.org", "https://example.org:port", "https://example.org,*", "https://bücher.example", "https://["],
)  # fmt: skip
def test_what_is_no_origin_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("QA_ALLOWED_ORIGINS", value)
    with pytest.raises(SettingsError, match="QA_ALLOWED_ORIGINS"):
        load_settings()
