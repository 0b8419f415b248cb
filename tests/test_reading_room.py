"""The reading room: places marked and stepped through, both versions of what has changed, links into the original."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, expect

from qa.api import create_app
from qa.cite import Place, encode, viewer_url
from tests.browsing import PHONE, axe, browser, no_sideways_scroll, visiting
from tests.conftest import MakeQA, put, serving

pytestmark = pytest.mark.browser

__all__ = ["browser"]  # a fixture

SENTENCES = [f"Keeper {name} kept the light for {years} years." for name, years in (("Ada", 12), ("Bo", 7), ("Cy", 31))]
TEXT = "The keepers 🦉\n\n" + ("\n\nFiller goes on and on.\n\n" * 30).join(SENTENCES) + "\n"


def cite(document: dict[str, str], text: str, words: str) -> str:
    start = text.index(words)
    return encode(Place("default", document["id"], document["version"], start, start + len(words)))


def test_next_previous_and_an_anchor_for_each(browser: Browser, make_qa: MakeQA) -> None:
    server = create_app(make_qa({"keepers.txt": TEXT}))
    document = TestClient(server).get("/v1/documents").json()["documents"][0]
    ids = [cite(document, TEXT, one) for one in SENTENCES]
    part = cite(document, TEXT, "Bo kept the light")
    for options in ({}, {"viewport": PHONE, "color_scheme": "dark"}):
        with serving(server) as site, visiting(browser, site, **options) as page:
            page.goto(viewer_url(document["id"], "default", ",".join([ids[1], ids[0], ids[2], part])))
            current = page.locator("mark[aria-current]")
            expect(current).to_have_text(SENTENCES[1])  # the one named first
            expect(current).to_be_in_viewport()
            expect(current).to_be_focused()
            assert page.locator("mark").all_text_contents() == SENTENCES
            for one in [*ids, part]:
                assert page.locator(f"[id='{one}']").count() == 1
            expect(page.get_by_text("Cited place 2 of 4")).to_be_visible()
            page.get_by_role("button", name="Previous").click()
            expect(current).to_have_text(SENTENCES[0])
            page.get_by_role("button", name="Previous").click()
            expect(current).to_have_text(SENTENCES[2])
            expect(current).to_be_in_viewport()
            page.get_by_role("button", name="Next").click()
            expect(current).to_have_text(SENTENCES[0])
            assert page.locator("#text").text_content() == TEXT
            assert no_sideways_scroll(page)
            assert axe(page) == []


def test_a_stale_citation_shows_both_versions(browser: Browser, make_qa: MakeQA, tmp_path: Path) -> None:
    qa = make_qa({"keepers.txt": TEXT})
    server = create_app(qa)
    document = TestClient(server).get("/v1/documents").json()["documents"][0]
    changed, kept = (cite(document, TEXT, one) for one in SENTENCES[:2])
    put(qa, tmp_path, "keepers.txt", TEXT.replace("12 years", "13 years"))
    with serving(server) as site, visiting(browser, site) as page:
        page.goto(viewer_url(document["id"], "default", f"{changed},{kept}"))
        expect(page.locator("#stale")).to_contain_text("The document has changed since this was cited.")
        expect(page.locator("#text mark[aria-current]")).to_have_text(SENTENCES[0])
        expect(page.get_by_text("These words are gone; what is nearest to them is underlined.")).to_be_in_viewport()
        expect(page.locator("#current mark.near")).to_have_text(SENTENCES[0].replace("12", "13"))
        expect(page.locator("#current")).to_contain_text("13 years")
        page.get_by_role("button", name="Next").click()
        expect(page.locator("#current mark")).to_have_text(SENTENCES[1])
        expect(page.locator("#current mark.near")).to_have_count(0)
        expect(page.get_by_text("These words still stand in it.")).to_be_visible()
        page.set_viewport_size(PHONE)
        expect(page.locator("#current")).to_be_hidden()
        page.get_by_role("button", name="As it is now").click()
        expect(page.locator("#current mark")).to_be_in_viewport()
        expect(page.locator("#text")).to_be_hidden()
        page.get_by_role("button", name="As it was cited").click()
        expect(page.locator("#text mark[aria-current]")).to_be_in_viewport()
        page.get_by_role("link", name="Read the current version").click()
        expect(page.locator("#text")).to_contain_text("13 years")


def test_the_link_to_the_original_finds_the_words_in_a_real_browser(browser: Browser, make_qa: MakeQA) -> None:
    said = "It opens at nine."
    filler = "".join(f"<p>Filler {i} goes on.</p>" for i in range(60))
    body = f"<h1>Hours</h1><p>{said} The owls sleep.</p>{filler}<p>{said} The ravens wake.</p>{filler}"
    original = "https://example.org/hours"
    head = f'<head><title>Hours</title><link rel="canonical" href="{original}"></head>'
    html = f'<html lang="en">{head}<body>{body}</body></html>'
    qa = make_qa({"hours.html": html})
    server = create_app(qa)
    client = TestClient(server)
    document = client.get("/v1/documents").json()["documents"][0]
    text = client.get(f"/v1/documents/{document['id']}").json()["text"]
    start = text.rindex(said)
    cited = encode(Place("default", document["id"], document["version"], start, start + len(said)))
    with serving(server) as site, visiting(browser, site, original) as page:
        page.context.route(f"{original}*", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(viewer_url(document["id"], "default", cited))
        link = page.get_by_role("link", name="Open the original at these words")
        address = link.get_attribute("href")
        assert address == f"{original}#:~:text=It%20opens%20at%20nine.,-The%20ravens"
        page.goto(address)
        expect(page.get_by_text("The ravens wake.")).to_be_in_viewport()
        expect(page.get_by_text("The owls sleep.")).not_to_be_in_viewport()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_other_pages(browser: Browser, make_qa: MakeQA, scheme: str) -> None:
    server = create_app(make_qa({"keepers.txt": TEXT, "other/keepers.txt": TEXT}))
    with serving(server) as site, visiting(browser, site, color_scheme=scheme) as page:
        for path in ("/", "/problems"):
            page.goto(path)
            assert axe(page) == []
            assert no_sideways_scroll(page)
