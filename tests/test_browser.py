"""The pages in a real browser: ask, follow a citation, and see exactly the cited words marked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from index.embed import Embedder
from index.ingest import remove
from qa.api import create_app
from qa.decide import Calibration
from qa.pipeline import QA
from qa.read import Reader
from tests.browsing import PHONE, Scripted, ask, browser, cited, no_sideways_scroll, visiting
from tests.conftest import MakeQA, put, qa_over, serving

pytestmark = pytest.mark.browser

__all__ = ["browser"]  # a fixture

LIGHT = """Skerrow Light

Skerrow Light was built in 1871 by the engineer Ada Brandt. It stands 34 metres tall on the island of Skerrow.
"""
HOSTILE = (
    """<script>document.title = "owned"</script> & <img src=x onerror="document.title='owned'"> </article>\r\n\r\n"""
    + "🦉🦉🏽 The owl sanctuary 🏝️ was founded by Rosa Linde in 1988. "
    + "x" * 500
    + " \u202eright to left\u202c, \u2066isolated\u2069 \u202e and never closed. e\u0301\r\n\r\n"
    + "The \u200fsanctuary keeps 52 owls 🦉 and <b>3</b> ravens.\r\nIt is closed in winter.\r\n"
)
LONG = "Filler one goes on and on.\n\n" * 150 + "The ferry to Skerrow leaves at noon.\n\n" + "More filler.\n\n" * 150


@pytest.fixture(scope="module")
def qa(models: tuple[Embedder, Reader, Calibration], tmp_path_factory: pytest.TempPathFactory) -> QA:
    texts = {"light.txt": LIGHT, "hostile.txt": HOSTILE, "long.txt": LONG}
    return qa_over(texts, models, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module")
def site(qa: QA) -> Iterator[str]:
    with serving(create_app(qa)) as address:
        yield address


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    with visiting(browser, site) as page:
        yield page


def test_from_question_to_marked_source(page: Page, site: str) -> None:
    page.goto("/")
    ask(page, "How tall is Skerrow Light?")
    expect(page.get_by_text("How this was answered")).to_be_visible()
    sentence = page.locator(".quote .sentence", has_text="34 metres")
    expect(sentence).to_contain_text("It stands 34 metres tall on the island of Skerrow.")
    page.get_by_text("How this was answered").click()
    expect(page.get_by_text("The source’s own words")).to_be_visible()
    sentence.get_by_role("link", name=re.compile("Source")).click()
    page.wait_for_url("**/documents/**")
    mark = page.locator("mark")
    expect(mark).to_have_text("It stands 34 metres tall on the island of Skerrow.")
    expect(mark).to_be_focused()
    assert mark.text_content() == cited(site, page)
    assert page.locator("#text").text_content() == LIGHT
    page.get_by_role("link", name="Ask a question").click()
    expect(page.get_by_label("Your question")).to_be_visible()


def test_by_keyboard_alone(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Your question").focus()
    page.keyboard.type("Who founded the owl sanctuary?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("How this was answered")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.shadowRoot?.activeElement?.className") == "chip":
            break
    expect(page.get_by_role("tooltip")).to_contain_text("Rosa Linde")
    page.keyboard.press("Enter")
    expect(page.locator("mark")).to_contain_text("Rosa Linde")


def test_a_refusal_shows_the_nearest_passages_as_such(page: Page) -> None:
    page.goto("/")
    ask(page, "What is the capital of Mongolia?")
    expect(page.get_by_role("heading", name="No answer in these documents")).to_be_visible()
    assert page.locator(".quote, .written, .chip").count() == 0
    nearest = page.locator(".nearest")
    expect(nearest.get_by_role("heading")).to_contain_text("do not answer")
    nearest.get_by_role("link").first.click()
    expect(page.locator("mark")).not_to_be_empty()


def test_what_is_left_open_of_two_questions_is_named(page: Page) -> None:
    page.goto("/")
    ask(page, "When was Skerrow Light built, and who painted it?")
    expect(page.get_by_text("Not answered: Who painted Skerrow Light?")).to_be_visible()
    expect(page.get_by_text("built in 1871").first).to_be_visible()


def test_hostile_text_is_shown_as_text_and_marked_exactly(browser: Browser, site: str) -> None:
    for viewport in (None, PHONE):
        with visiting(browser, site, **({"viewport": viewport} if viewport else {})) as page:
            page.goto("/")
            ask(page, "How many owls does the sanctuary keep?")
            expect(page.get_by_text("How this was answered")).to_be_visible()
            assert no_sideways_scroll(page)
            page.locator(".quote .chip").last.click()
            mark = page.locator("mark")
            expect(mark).to_contain_text("52 owls")
            assert mark.text_content() == cited(site, page)
            assert page.locator("#text").text_content() == HOSTILE
            assert page.locator("#text *").count() == 1
            assert "owned" not in page.title().split("<script>")[0]
            assert page.title().startswith("<script>")
            assert no_sideways_scroll(page)


def test_several_citations_and_a_changed_fragment(page: Page, site: str, qa: QA) -> None:
    answer = qa.ask("How tall is Skerrow Light?")
    passage = next(p for p in answer.passages if p.document_id == answer.citations[0].document_id)
    first, second = (citation.id for citation in answer.citations)
    base = answer.citations[0].viewer_url.partition("#")[0]
    page.goto(f"{base}#{first},{second}")
    expect(page.locator("mark")).to_have_text([citation.cited_text for citation in answer.citations])
    page.evaluate("id => { location.hash = id }", second)
    expect(page.locator("mark")).to_have_text([answer.citations[1].cited_text])
    whole = passage.viewer_url.partition("#")[2]
    page.evaluate("ids => { location.hash = ids }", f"{second},{whole}")
    expect(page.locator("mark")).to_contain_text("Skerrow Light was built")
    assert page.locator("mark").all_text_contents() == [passage.text]
    page.evaluate("location.hash = ''")
    expect(page.locator("mark")).to_have_count(0)
    assert page.locator("#text").text_content() == LIGHT


def test_a_fragment_that_names_no_citation_leaves_the_marks(page: Page, qa: QA) -> None:
    citation = qa.ask("How tall is Skerrow Light?").citations[0]
    page.goto(citation.viewer_url)
    expect(page.locator("mark")).to_have_text(citation.cited_text)
    page.get_by_role("link", name="Skip to the content").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**#main")
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(page.locator("mark[aria-current]")).to_have_text(citation.cited_text)


def test_the_mark_is_scrolled_into_view(browser: Browser, site: str) -> None:
    with visiting(browser, site, viewport=PHONE) as page:
        page.goto("/")
        ask(page, "When does the ferry to Skerrow leave?")
        page.locator(".quote .chip").first.click()
        expect(page.locator("mark")).to_have_text("The ferry to Skerrow leaves at noon.")
        expect(page.locator("mark")).to_be_in_viewport()


def test_an_unknown_citation_leaves_the_whole_document(browser: Browser, site: str, qa: QA) -> None:
    url = qa.ask("How tall is Skerrow Light?").citations[0].viewer_url.partition("#")[0]
    context = browser.new_context(base_url=site)
    page = context.new_page()
    page.goto(f"{url}#cit_AAAA")
    expect(page.get_by_text("The cited place cannot be found")).to_be_visible()
    assert page.locator("#text").text_content() == LIGHT
    context.close()


def test_without_javascript_the_text_is_there(browser: Browser, site: str, qa: QA) -> None:
    with visiting(browser, site, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("link", name="Skerrow Light").click()
        expect(page.locator("#text")).to_contain_text("It stands 34 metres tall")


def test_a_stale_citation_and_a_deleted_document(browser: Browser, make_qa: MakeQA, tmp_path: Path) -> None:
    qa = make_qa({"light.txt": LIGHT})
    citation = qa.ask("How tall is Skerrow Light?").citations[-1]
    put(qa, tmp_path, "light.txt", LIGHT.replace("34 metres", "36 metres") + "🦉 A later line.\n")
    with serving(create_app(qa)) as site:
        with visiting(browser, site) as page:
            page.goto(citation.viewer_url)
            expect(page.locator("#text mark")).to_have_text(citation.cited_text)
            assert page.locator("#text").text_content() == LIGHT
            expect(page.get_by_text("This is an earlier version")).to_be_visible()
            assert f"version={citation.document_version}" in page.url
            page.get_by_role("link", name="Read the current version").click()
            expect(page.locator("#text")).to_contain_text("36 metres")
            expect(page.get_by_text("This is an earlier version")).to_have_count(0)
        remove(qa.collections.get("default"), [citation.document_id])
        context = browser.new_context(base_url=site)
        page = context.new_page()
        response = page.goto(citation.viewer_url)
        assert response
        assert response.status == 410
        expect(page.get_by_role("heading")).to_have_text("The document was deleted")
        page.get_by_role("link", name="Ask a question").click()
        expect(page.get_by_label("Your question")).to_be_visible()
        context.close()


def test_collections_are_picked_and_documents_listed(browser: Browser, make_qa: MakeQA) -> None:
    qa = make_qa({"light.txt": LIGHT, "other/light.txt": LIGHT.replace("34", "12")})
    with serving(create_app(qa)) as site, visiting(browser, site, viewport=PHONE, color_scheme="dark") as page:
        page.goto("/")
        assert no_sideways_scroll(page)
        page.get_by_label("Collection").select_option("other")
        page.get_by_role("combobox", name="Answer").select_option("extractive")
        ask(page, "How tall is Skerrow Light?")
        expect(page.locator(".quote")).to_contain_text("12 metres")
        assert no_sideways_scroll(page)
        page.get_by_text("other: 1 document").click()
        page.locator(".documents[open] a").click()
        expect(page.locator("#text")).to_contain_text("12 metres")


def behind_proxy(app: ASGIApp) -> ASGIApp:
    """`app` as a proxy serves it below /qa that takes the prefix off and does not say so."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["raw_path"].removeprefix(b"/qa")
            scope = {**scope, "path": scope["path"].removeprefix("/qa"), "raw_path": path}
        await app(scope, receive, send)

    return proxy


def mounted(app: ASGIApp) -> ASGIApp:
    return Starlette(routes=[Mount("/qa", app)])


@pytest.mark.parametrize("below", [behind_proxy, mounted])
def test_all_works_under_a_prefix(browser: Browser, qa: QA, below: Callable[[ASGIApp], ASGIApp]) -> None:
    with serving(below(create_app(qa))) as address:
        site = f"{address}/qa/"
        with visiting(browser, site, may_fail=True) as page:  # nothing beside the prefix may be asked for
            page.goto(site)
            expect(page.get_by_label("Snippet")).to_contain_text(f'src="{site}widget.js"')
            page.get_by_role("link", name="Skerrow Light").click()
            expect(page.locator("#text")).to_have_text(LIGHT)
            page.get_by_role("link", name="Ask a question").click()
            ask(page, "How tall is Skerrow Light?")
            page.locator(".sentence", has_text="34 metres").get_by_role("link").click()
            expect(page.locator("mark")).to_have_text("It stands 34 metres tall on the island of Skerrow.")
            for path in ("", "problems", "documents/doc_0", "no/such/page"):
                page.goto(site + path)
                width = page.locator("body").evaluate("e => getComputedStyle(e).maxWidth")
                assert width == "736px", path  # the style sheet is there
                if path:
                    page.get_by_role("link", name="Ask a question").click()
                    assert page.url == site


def test_a_long_question_does_not_break_what_follows(browser: Browser, qa: QA) -> None:
    scripted = Scripted(qa)
    scripted.settings = qa.settings.model_copy(update={"max_question_chars": 5000})
    with serving(create_app(scripted)) as site, visiting(browser, site) as page:
        page.goto("/")
        ask(page, "How tall is Skerrow Light? " + "🦉" * 3000)
        expect(page.get_by_text("How this was answered")).to_have_count(1)
        page.get_by_role("button", name="Helpful", exact=True).click()
        expect(page.get_by_text("Thank you.").first).to_be_visible()
        ask(page, "How tall?")
        expect(page.get_by_text("How this was answered")).to_have_count(2)


def test_a_written_sentence_follows_its_quote(browser: Browser, qa: QA) -> None:
    with serving(create_app(Scripted(qa))) as site, visiting(browser, site) as page:
        page.goto("/")
        ask(page, "How tall?")
        answer = page.locator(".written")
        expect(answer).to_contain_text("It is <b>34</b> metres tall.")
        expect(answer.locator(".chip")).to_have_text(["1", "2"])
        expect(page.locator(".quote ~ .written")).to_be_visible()
        page.get_by_text("How this was answered").click()
        expect(page.get_by_text("Written by some-model")).to_contain_text("91 %")


def test_stop_ends_the_work_and_an_error_is_told(browser: Browser, qa: QA) -> None:
    scripted = Scripted(qa)
    with serving(create_app(scripted)) as site, visiting(browser, site) as page:
        page.goto("/")
        ask(page, "Wait")
        expect(page.locator(".quote")).to_contain_text("34 metres")  # at once, long before the end
        expect(page.get_by_role("button", name="Ask", exact=True)).to_have_count(0)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".actions").get_by_text("Stopped.")).to_be_visible()
        expect(page.locator(".quote")).to_contain_text("34 metres")  # what had come stays
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)
        assert scripted.closed.wait(5)
        ask(page, "Break")
        expect(page.get_by_role("alert")).to_contain_text("Something went wrong here")
    with serving(create_app(scripted)) as site:
        context = browser.new_context(base_url=site)
        page = context.new_page()
        page.goto("/")
        ask(page, "???")
    ask(page, "How tall?")  # the server has gone
    expect(page.get_by_role("alert").last).to_contain_text("The service cannot be reached")
    context.close()
