"""What the tests in a browser share: Debian's Chromium, visitors, and what they look at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
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
def visiting(browser: Browser, site: str, *others: str, **options: Any) -> Iterator[Page]:
    """A page of a fresh visitor, that may log no error and ask no host but `site` and `others` for anything."""
    context: BrowserContext = browser.new_context(base_url=site, **options)
    context.set_default_timeout(20_000)
    wrong: list[str] = []

    def look(request: Request) -> None:
        if not request.url.startswith((site, *others)):
            wrong.append(f"request to {request.url}")

    context.on("request", look)
    context.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    try:
        yield context.new_page()
        assert not wrong
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
