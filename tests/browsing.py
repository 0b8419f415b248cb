"""What the tests in a browser share: Debian's Chromium, visitors, and what they look at."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize, sync_playwright

from qa.pipeline import QA, Inquiry
from qa.types import Answer, AnswerEvent, Claim, ClaimEvent, Event, PassagesEvent, QuoteEvent

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parent.parent / "node_modules" / "axe-core" / "axe.min.js"
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: ViewportSize = {"width": 375, "height": 700}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        message = f"there is no {CHROMIUM}: install the package chromium to run the browser tests"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, site: str, *others: str, may_fail: bool = False, **options: Any) -> Iterator[Page]:
    """A page of a fresh visitor, that may log no error and ask no host but `site` and `others` for anything.

    With `may_fail` a request may end badly.
    """
    context: BrowserContext = browser.new_context(base_url=site, **options)
    context.set_default_timeout(20_000)
    wrong: list[str] = []

    def look(request: Request) -> None:
        if not request.url.startswith((site, *others)):
            wrong.append(f"request to {request.url}")

    context.on("request", look)

    def listen(message: ConsoleMessage) -> None:
        failed = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not (may_fail and failed):
            wrong.append(message.text)

    context.on("console", listen)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    try:
        yield context.new_page()
        assert not wrong, wrong
    finally:
        context.close()


def ask(page: Page, question: str) -> None:
    """Type a question into the widget and send it."""
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def get(site: str, path: str) -> Any:
    return httpx.get(site + path, trust_env=False).json()


def cited(site: str, page: Page) -> str:
    """What the citation in the page's address says is cited."""
    return str(get(site, f"/v1/citations/{page.url.partition('#')[2]}")["cited_text"])


def no_sideways_scroll(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def axe(page: Page) -> list[str]:
    """What axe finds wrong with the page, open shadow roots included."""
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})")
    return [f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}" for one in found["violations"]]


class Scripted(QA):
    """A service whose stream a test writes."""

    def __init__(self, qa: QA) -> None:
        super().__init__(qa.collections, qa.embedder, qa.reader, qa.calibration, None, qa.settings)
        self.closed = threading.Event()
        self.answer = qa.ask("How tall is Skerrow Light?")

    def begin(self, question: str, **options: Any) -> Inquiry:
        inquiry = super().begin(question, **options)
        inquiry.read = lambda: self.events(question)  # type: ignore[method-assign]
        inquiry.write = lambda **_: (event for event in ())  # type: ignore[method-assign]
        return inquiry

    def events(self, question: str) -> Iterator[Event]:
        answer = self.answer
        assert answer.quote
        yield PassagesEvent(passages=answer.passages)
        yield QuoteEvent(quote=answer.quote, citations=answer.citations)
        if question == "Break":
            raise RuntimeError("broken")
        if question == "Wait":
            try:
                for _ in range(200):
                    time.sleep(0.05)
                    yield PassagesEvent(passages=[])
            finally:
                self.closed.set()
        written = self.written()
        for claim in written.claims:
            yield ClaimEvent(claim=claim, citations=[answer.citations[i] for i in claim.citation_indices])
        yield AnswerEvent(answer=written)

    def written(self) -> Answer:
        """The answer as an LLM might have phrased it, with markup that it should not have."""
        text = "It is <b>34</b> metres tall."
        claim = Claim(start=0, end=len(text), text=text, score=0.91, citation_indices=[0, 1])
        models = self.answer.models.model_copy(update={"llm": "some-model"})
        return self.answer.model_copy(
            update={"answer": text, "claims": [claim], "composed_by": "llm", "support_score": 0.91, "models": models}
        )
