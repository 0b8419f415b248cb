"""The widget on a page of another site: hostile styles, a strict content security policy, and all that can happen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route as Address

from index.embed import Embedder
from qa.api import create_app
from qa.decide import Calibration
from qa.pipeline import QA
from qa.read import Reader
from tests.browsing import PHONE, Scripted, ask, axe, browser, no_sideways_scroll, visiting
from tests.conftest import qa_over, serving

pytestmark = pytest.mark.browser

__all__ = ["browser"]  # a fixture

LIGHT = """Skerrow Light

Skerrow Light was built in 1871 by the engineer Ada Brandt. It stands 34 metres tall on the island of Skerrow.
"""
HOSTILE = (
    "<script>document.title = 'owned'</script> <img src=x onerror=\"document.title='owned'\">\n\n"
    "The owl sanctuary \u202ewas founded by Rosa Linde in 1988, " + "x" * 400 + " and it stands on a hill.\n"
)
HOSTILE_CSS = (
    "* { all: unset !important; color: red !important; font: 9px cursive !important }"
    "html { font-size: 4px !important } button, a, dialog, section { display: none !important }"
)
TALL = "How tall is Skerrow Light?"


class HostPage:
    """A site that embeds the widget; a test writes its page."""

    def __init__(self) -> None:
        self.site = self.body = self.css = self.script = ""
        self.app = Starlette(
            routes=[
                Address("/", self.page),
                Address("/host.css", self.style),
                Address("/host.js", self.code),
                Address("/favicon.ico", self.style),
            ]
        )

    def show(self, body: str, css: str = "", script: str = "") -> None:
        self.body, self.css, self.script = body, css, script

    async def page(self, _: Request) -> Response:
        policy = f"default-src 'none'; script-src 'self' {self.site}; connect-src {self.site}; style-src 'self'; "
        policy += "img-src 'self'"
        html = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="stylesheet" href="/host.css"><script type="module" src="/host.js"></script></head><body>'
            f"<main><h1>The Skerrow Post</h1>{self.body.replace('SITE', self.site)}</main></body></html>"
        )
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def style(self, _: Request) -> Response:
        return Response(self.css, media_type="text/css")

    async def code(self, _: Request) -> Response:
        return Response(self.script.replace("SITE", self.site), media_type="text/javascript")


SCRIPT = '<script type="module" src="SITE/widget.js"></script>'
FLOATING = f'{SCRIPT}<qa-chat endpoint="SITE"></qa-chat><p>After it.</p>'
INLINE = f'{SCRIPT}<qa-chat inline endpoint="SITE"></qa-chat><p>After it.</p>'


@pytest.fixture(scope="module")
def qa(models: tuple[Embedder, Reader, Calibration], tmp_path_factory: pytest.TempPathFactory) -> QA:
    texts = {"light.txt": LIGHT, "hostile.txt": HOSTILE, "other/light.txt": LIGHT.replace("34", "12")}
    return qa_over(texts, models, tmp_path_factory.mktemp("widget"))


@pytest.fixture(scope="module")
def host(qa: QA) -> Iterator[tuple[HostPage, str]]:
    """The page, and the address of its site; the service lets this site in."""
    page = HostPage()
    with serving(page.app) as origin:
        settings = qa.settings.model_copy(update={"allowed_origins": (origin,)})
        service = Scripted(qa)
        service.settings = settings
        service.begin = qa.begin  # type: ignore[method-assign]
        with serving(create_app(service)) as site:
            page.site = site
            yield page, origin


@pytest.fixture
def visit(browser: Browser, host: tuple[HostPage, str]) -> Callable[..., Any]:
    @contextmanager
    def visit(body: str, css: str = "", script: str = "", **options: Any) -> Iterator[Page]:
        page, origin = host
        page.show(body, css, script)
        with visiting(browser, origin, page.site, **options) as visitor:
            visitor.goto("/")
            yield visitor

    return visit


def replay(page: Page, *events: tuple[str, object]) -> None:
    """From now on, every question is answered with these events."""
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    headers = {"Content-Type": "text/event-stream", "Access-Control-Allow-Origin": "*"}
    page.route("**/v1/ask", lambda route: route.fulfill(body=body, headers=headers))


def answered(page: Page, count: int = 1) -> None:
    expect(page.get_by_text("How this was answered")).to_have_count(count)


def test_on_a_hostile_page_with_a_strict_policy(visit: Callable[..., Any]) -> None:
    with visit(FLOATING, HOSTILE_CSS) as page:
        page.get_by_role("button", name="Ask a question").click()
        panel = page.get_by_role("dialog", name="Ask the documents")
        expect(panel).to_be_visible()
        expect(page.get_by_label("Your question")).to_be_focused()
        box, size = panel.bounding_box(), page.viewport_size
        assert box
        assert size
        assert box["y"] >= 0
        assert 0 < size["width"] - box["x"] - box["width"] < 40  # in the corner
        assert 0 < size["height"] - box["y"] - box["height"] < 40
        ask(page, TALL)
        answered(page)
        sentence = page.locator(".sentence", has_text="34 metres")
        assert sentence.evaluate("e => getComputedStyle(e).color") == "rgb(28, 27, 25)"
        assert sentence.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 16
        chip = sentence.get_by_role("link")
        chip.hover()
        expect(page.get_by_role("tooltip").locator("mark")).to_have_text(
            "It stands 34 metres tall on the island of Skerrow."
        )
        expect(page.get_by_role("tooltip")).to_contain_text("Skerrow Light was built in 1871")
        with page.expect_popup() as popup:
            chip.click()
        expect(popup.value.locator("mark[aria-current]")).to_have_text(
            "It stands 34 metres tall on the island of Skerrow."
        )
        assert no_sideways_scroll(page)


def test_by_keyboard_alone_escape_closes_and_focus_returns(visit: Callable[..., Any]) -> None:
    with visit(FLOATING) as page:
        launcher = page.get_by_role("button", name="Ask a question")
        page.keyboard.press("Tab")
        expect(launcher).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_label("Your question")).to_be_focused()
        page.keyboard.type(TALL)
        page.keyboard.press("Enter")
        answered(page)
        for _ in range(12):
            page.keyboard.press("Shift+Tab")
            if page.evaluate("document.activeElement.shadowRoot?.activeElement?.className") == "chip":
                break
        expect(page.get_by_role("tooltip")).to_be_visible()
        page.keyboard.press("Escape")  # the preview first, then the panel
        expect(page.get_by_role("tooltip")).to_be_hidden()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(launcher).to_be_focused()


def test_it_survives_a_reload_and_can_be_cleared(visit: Callable[..., Any]) -> None:
    with visit(INLINE) as page:
        ask(page, TALL)
        answered(page)
        page.reload()
        answered(page)
        expect(page.locator(".sentence").last).to_contain_text("34 metres")
        page.locator(".chip").last.hover()
        expect(page.get_by_role("tooltip")).to_contain_text("was built in 1871")
        page.get_by_role("button", name="Clear the conversation").click()
        answered(page, 0)
        page.reload()
        expect(page.get_by_label("Your question")).to_be_visible()
        answered(page, 0)
        for broken in ("no JSON", '{"version": 0}', '{"version": 1, "turns": [{"answer": {"question": 1}}]}'):
            page.evaluate(
                "([site, text]) => sessionStorage.setItem(`qa-chat ${site}/ default`, text)",
                [page.evaluate("document.querySelector('qa-chat').endpoint"), broken],
            )
            page.reload()
            expect(page.get_by_label("Your question")).to_be_visible()
            answered(page, 0)


def test_a_question_that_was_left_before_its_answer_is_kept(visit: Callable[..., Any]) -> None:
    with visit(INLINE) as page:
        ask(page, TALL)
        answered(page)
        page.route("**/v1/ask", lambda route: None)
        ask(page, "Who built it?")
        expect(page.locator(".status.busy")).to_be_visible()
        page.reload()
        expect(page.locator(".question")).to_have_text([TALL, "Who built it?"])
        expect(page.locator(".actions").get_by_text("Stopped.")).to_be_visible()
        page.unroute("**/v1/ask")
        page.get_by_role("button", name="Ask again").click()
        expect(page.locator(".turn").last).to_contain_text("How this was answered")
        expect(page.locator(".turn").last).to_contain_text("Ada Brandt")


def top_of_last_turn(page: Page) -> float:
    """How far below the top of the log the last turn begins, in pixels."""
    script = "turn => turn.getBoundingClientRect().top - turn.closest('.log').getBoundingClientRect().top"
    return abs(float(page.locator(".turn").last.evaluate(script)))


@pytest.mark.parametrize("body", [INLINE, FLOATING])
def test_a_conversation_is_found_at_its_end(visit: Callable[..., Any], body: str) -> None:
    with visit(body) as page:
        for count in (1, 2, 3):
            launcher = page.get_by_role("button", name="Ask a question")
            if launcher.is_visible():
                launcher.click()
            ask(page, TALL)
            answered(page, count)
        page.reload()
        if body == FLOATING:
            page.get_by_role("button", name="Ask a question").click()
        answered(page, 3)
        assert top_of_last_turn(page) < 3


def test_a_follow_up_takes_the_conversation_along(visit: Callable[..., Any]) -> None:
    with visit(INLINE) as page:
        sent: list[dict[str, Any]] = []

        def look(route: Route) -> None:
            if route.request.method == "POST":
                sent.append(route.request.post_data_json)
            route.continue_()

        page.route("**/v1/ask", look)
        ask(page, TALL)
        answered(page)
        ask(page, "Who built it?")
        expect(page.locator(".question")).to_have_count(2)
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        assert "history" not in sent[0]
        assert [turn["question"] for turn in sent[1]["history"]] == [TALL]
        assert "34 metres" in sent[1]["history"][0]["answer"]


def test_what_the_service_understood_is_shown(visit: Callable[..., Any], qa: QA) -> None:
    with visit(INLINE) as page:
        answer = qa.ask(TALL).model_dump(mode="json") | {"standalone_question": "How tall is <b>Skerrow</b> Light?"}
        replay(page, ("answer", answer))
        ask(page, "And how tall is it?")
        expect(page.get_by_text("Understood as: How tall is <b>Skerrow</b> Light?")).to_be_visible()


def test_offline_and_back(visit: Callable[..., Any]) -> None:
    with visit(INLINE, may_fail=True) as page:
        page.context.set_offline(True)
        ask(page, TALL)
        expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
        page.context.set_offline(False)
        answered(page)
        expect(page.get_by_role("heading", name="You are offline")).to_have_count(0)


def test_a_busy_service_is_asked_again(visit: Callable[..., Any]) -> None:
    with visit(INLINE, may_fail=True) as page:
        turned_away = 0

        def route(route: Route) -> None:
            nonlocal turned_away
            if route.request.method == "POST" and turned_away < 1:
                turned_away += 1
                headers = {
                    "Retry-After": "1",
                    "Access-Control-Allow-Origin": "*",
                    "Access-Control-Expose-Headers": "Retry-After",
                }
                route.fulfill(status=429, headers=headers, json={"title": "Too many questions at once"})
            else:
                route.continue_()

        page.route("**/v1/ask", route)
        ask(page, TALL)
        expect(page.get_by_role("heading", name="Many people are asking just now")).to_be_visible()
        answered(page)
        assert turned_away == 1


def test_errors_are_told_and_asked_again(visit: Callable[..., Any]) -> None:
    script = "document.addEventListener('qa-error', (event) => { document.title = `error ${event.detail.kind}` })"
    with visit(INLINE, script=script, may_fail=True) as page:
        page.route("**/v1/ask", lambda route: route.abort())
        ask(page, TALL)
        expect(page.get_by_role("alert")).to_contain_text("The service cannot be reached")
        expect(page).to_have_title("error unreachable")
        page.unroute("**/v1/ask")
        replay(page, ("passages", {"passages": []}))
        page.get_by_role("button", name="Ask again").click()
        expect(page.get_by_role("alert")).to_contain_text("The answer broke off")
        expect(page).to_have_title("error broken")
        page.unroute("**/v1/ask")
        page.get_by_role("button", name="Ask again").click()
        answered(page)
        expect(page.get_by_role("alert")).to_have_count(0)
        ask(page, "??!")
        expect(page.get_by_role("alert")).to_contain_text("This cannot be asked")
        expect(page).to_have_title("error told")


def test_feedback_copy_and_events(visit: Callable[..., Any]) -> None:
    script = """
    window.heard = []
    for (const name of ["qa-answer", "qa-citation", "qa-feedback"]) document.addEventListener(name, (event) => {
      window.heard.push([name, event.target.localName, Object.keys(event.detail)])
      if (name === "qa-citation") event.preventDefault()
    })"""
    with visit(INLINE, script=script) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        sent: list[dict[str, Any]] = []

        def keep(route: Route) -> None:
            sent.append(route.request.post_data_json)
            route.fulfill(status=201, json={}, headers={"Access-Control-Allow-Origin": "*"})

        page.route("**/v1/feedback", keep)
        ask(page, TALL)
        answered(page)
        page.locator(".chip").last.click()  # the host page wants to show it itself
        page.get_by_role("button", name="Copy with sources").click()
        expect(page.locator(".actions").get_by_text("Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert f"**{TALL}**" in copied
        assert re.search(r"34 metres tall on the island of Skerrow\. \[\d\]", copied)
        assert re.search(r"\d\. “It stands .*” — \[.*\]\(http://127.*#cit_", copied)
        page.get_by_role("button", name="Helpful", exact=True).click()
        expect(page.locator(".actions").get_by_text("Thank you.")).to_be_visible()
        expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Not helpful").click()
        expect(page.get_by_label("What is wrong with it?")).to_be_focused()
        page.keyboard.type("Too short")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("button", name="Not helpful")).to_be_focused()
        assert [one["rating"] for one in sent] == ["up", "down"]
        assert "reason" not in sent[0]
        assert sent[1] | {"reason": "Too short", "question": TALL, "status": "answered"} == sent[1]
        assert all(one.startswith("cit_") for one in sent[1]["citations"])
        heard = page.evaluate("window.heard")
        assert [one[0] for one in heard] == ["qa-answer", "qa-citation", "qa-feedback", "qa-feedback"]
        assert {one[1] for one in heard} == {"qa-chat"}
        assert len(page.context.pages) == 1


def search_without_end(page: Page) -> None:
    """Ask what the service never answers, on a page whose clock the test moves."""
    page.clock.install()
    page.reload()
    page.route("**/v1/ask", lambda route: None)
    ask(page, TALL)
    expect(page.locator(".status")).to_have_text("Searching the documents…")


def test_a_slow_answer_is_said_to_be_slow(visit: Callable[..., Any]) -> None:
    with visit(INLINE) as page:
        search_without_end(page)
        page.clock.fast_forward(10_000)
        expect(page.locator(".status")).to_have_text("This takes longer than usual…")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".actions").get_by_text("Stopped.")).to_be_visible()


def test_a_change_of_attributes_keeps_focus_and_draft(visit: Callable[..., Any]) -> None:
    with visit(FLOATING + "<button>Elsewhere</button>") as page:
        page.get_by_role("button", name="Ask a question").click()
        page.get_by_label("Your question").fill("A draft")
        page.get_by_role("button", name="Elsewhere").focus()
        page.evaluate("document.querySelector('qa-chat').setAttribute('title', 'Another title')")
        expect(page.get_by_role("heading", name="Another title")).to_be_visible()
        expect(page.get_by_role("button", name="Elsewhere")).to_be_focused()
        expect(page.get_by_label("Your question")).to_have_value("A draft")
        page.evaluate("document.querySelector('qa-chat').open = false")
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_change_of_attributes_keeps_the_place_and_what_is_written(visit: Callable[..., Any]) -> None:
    with visit(INLINE) as page:
        for count in (1, 2, 3):
            ask(page, TALL)
            answered(page, count)
        page.get_by_role("button", name="Not helpful").nth(1).click()
        page.keyboard.type("Too sh")
        page.locator(".log").evaluate("log => { log.scrollTop = 123 }")
        for name, value in (("theme", "dark"), ("lang", "en-GB"), ("title", "Another"), ("mode", "extractive")):
            page.locator("qa-chat").evaluate("(chat, [name, value]) => chat.setAttribute(name, value)", [name, value])
            page.evaluate("new Promise(requestAnimationFrame)")
            assert page.locator(".log").evaluate("log => log.scrollTop") == 123, name
            expect(page.get_by_label("What is wrong with it?").nth(1)).to_be_focused()
        page.keyboard.type("ort")
        expect(page.get_by_label("What is wrong with it?").nth(1)).to_have_value("Too short")
        ground = page.locator(".panel").evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground == "rgb(22, 25, 29)"
        expect(page.get_by_role("heading", name="Another")).to_be_visible()
        page.locator(".log").evaluate("log => { log.scrollTop = 123 }")
        page.locator("qa-chat").evaluate("chat => { chat.strings = { about: 'Why' } }")
        expect(page.get_by_text("Why", exact=True)).to_have_count(3)  # turns are built anew for other words
        assert page.locator(".log").evaluate("log => log.scrollTop") == 123


def test_two_of_the_same_keep_their_own_conversations(visit: Callable[..., Any]) -> None:
    with visit(INLINE + '<qa-chat inline endpoint="SITE"></qa-chat>') as page:
        questions = (TALL, "Who founded the owl sanctuary?")
        for chat, question in zip(page.locator("qa-chat").all(), questions, strict=True):
            chat.get_by_label("Your question").fill(question)
            chat.get_by_label("Your question").press("Enter")
            expect(chat.get_by_text("How this was answered")).to_be_visible()
        page.evaluate("document.body.prepend(document.querySelectorAll('qa-chat')[1])")  # moved, it stays the second
        page.get_by_role("button", name="Helpful", exact=True).first.click()
        expect(page.locator(".actions").get_by_text("Thank you.")).to_be_visible()
        page.reload()
        for chat, question in zip(page.locator("qa-chat").all(), questions, strict=True):
            expect(chat.locator(".question")).to_have_text([question])


def test_two_on_a_page(visit: Callable[..., Any]) -> None:
    two = f"{INLINE}<qa-chat inline endpoint='SITE' collection='other' title='The other'></qa-chat>"
    with visit(two) as page:
        first, second = page.locator("qa-chat").nth(0), page.locator("qa-chat").nth(1)
        for chat, metres in ((first, "34 metres"), (second, "12 metres")):
            chat.get_by_label("Your question").fill(TALL)
            chat.get_by_label("Your question").press("Enter")
            expect(chat.locator(".sentence").last).to_contain_text(metres)
        expect(second.get_by_role("heading", name="The other")).to_be_visible()
        page.reload()
        expect(first.locator(".sentence").last).to_contain_text("34 metres")
        expect(second.locator(".sentence").last).to_contain_text("12 metres")


def test_on_a_phone_a_tap_shows_the_source(visit: Callable[..., Any]) -> None:
    with visit(FLOATING, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        page.get_by_role("button", name="Ask a question").tap()
        box = page.get_by_role("dialog").bounding_box()
        assert box
        assert (box["width"], box["height"]) == (PHONE["width"], PHONE["height"])
        ask(page, "Who founded the owl sanctuary?")
        answered(page)
        assert no_sideways_scroll(page)
        assert page.locator(".log").evaluate("log => log.scrollWidth <= log.clientWidth")
        page.locator(".chip").last.tap()
        expect(page.get_by_role("tooltip")).to_contain_text("Rosa Linde")
        assert page.evaluate("document.title") == "Host"
        with page.expect_popup() as popup:
            page.locator(".chip").last.tap()
        expect(popup.value.locator("mark[aria-current]")).to_contain_text("Rosa Linde")
        page.bring_to_front()
        page.get_by_role("button", name="Close").tap()
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_words_properties_and_direction(visit: Callable[..., Any]) -> None:
    body = f'<div dir="rtl"><qa-chat inline endpoint="SITE" lang="he"></qa-chat></div>{SCRIPT}'
    script = """
    const chat = document.querySelector("qa-chat")
    const early = !customElements.get("qa-chat")
    chat.suggestions = ["How tall is Skerrow Light?"]
    chat.strings = { title: "שאלו", placeholder: "השאלה שלכם", ask: "שאלו", about: "איך נענתה", clear: "ניקוי" }
    document.title = early ? "early" : "late" """
    with visit(body, script=script) as page:
        expect(page).to_have_title("early")
        expect(page.get_by_role("heading", name="שאלו")).to_be_visible()
        page.get_by_role("button", name=TALL).click()
        expect(page.get_by_text("איך נענתה")).to_be_visible()
        assert page.locator(".header").evaluate("e => getComputedStyle(e).direction") == "rtl"
        send, field = page.locator(".send").bounding_box(), page.get_by_label("השאלה שלכם").bounding_box()
        assert send
        assert field
        assert send["x"] < field["x"]
        assert page.evaluate("document.querySelector('qa-chat').suggestions") == [TALL]
        page.evaluate("document.querySelector('qa-chat').strings = null")
        expect(page.get_by_text("How this was answered")).to_be_visible()  # what stands there speaks it, too


def test_sentences_from_right_to_left_stand_so(visit: Callable[..., Any], qa: QA) -> None:
    said = ["המגדלור נבנה.", "הוא גבוה (34 m)."]
    answer = qa.ask(TALL).model_dump(mode="json")
    citations = [{**answer["citations"][0], "cited_text": one} for one in said]
    quote = {"text": " ".join(said), "citation_indices": [0, 1]}
    claims = [{"text": f"{one} 1.", "citation_indices": [i]} for i, one in enumerate(said)]
    with visit(INLINE) as page:
        replay(
            page,
            ("quote", {"quote": quote, "citations": citations}),
            *(("claim", {"claim": one, "citations": [citations[i]]}) for i, one in enumerate(claims)),
            ("answer", answer | {"quote": quote, "claims": claims, "citations": citations}),
        )
        ask(page, "כמה הוא גבוה?")
        answered(page)
        for where in ("blockquote", ".written"):
            assert page.locator(where).evaluate("e => getComputedStyle(e).direction") == "rtl"
            first, second = (one.bounding_box() for one in page.locator(f"{where} .words").all())
            assert first
            assert second
            assert first["y"] == second["y"]
            assert first["x"] > second["x"]


def test_it_can_be_moved_removed_and_defined_twice(
    visit: Callable[..., Any], host: tuple[HostPage, str], qa: QA
) -> None:
    scripted = Scripted(qa)
    page, origin = host
    scripted.settings = qa.settings.model_copy(update={"allowed_origins": (origin,)})
    body = (
        '<qa-chat inline endpoint="ENDPOINT"></qa-chat>'
        + SCRIPT
        + '<script type="module" src="SITE/widget.js?again"></script>'
    )
    before = page.site
    with serving(create_app(scripted)) as site:
        page.site = site
        try:
            with visit(body.replace("ENDPOINT", "SITE")) as visitor:
                ask(visitor, "Wait")
                expect(visitor.locator(".quote")).to_contain_text("34 metres")
                visitor.evaluate("document.body.prepend(document.querySelector('qa-chat'))")
                expect(visitor.get_by_role("button", name="Stop")).to_be_visible()
                assert not scripted.closed.is_set()
                visitor.evaluate("document.querySelector('qa-chat').remove()")
                assert scripted.closed.wait(5)
        finally:
            page.site = before


def test_nothing_moves_while_an_answer_comes(visit: Callable[..., Any]) -> None:
    script = """
    window.shift = 0
    new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shift += one.value }).observe(
      { type: "layout-shift", buffered: true })"""
    with visit(INLINE, "qa-chat:not(:defined) { display: block; height: 34em }", script) as page:
        ask(page, TALL)
        answered(page)
        assert page.evaluate("window.shift") < 0.01


def test_it_leaves_nothing_in_the_page(visit: Callable[..., Any]) -> None:
    script = """
    const before = Object.getOwnPropertyNames(window)
    await import("SITE/widget.js")
    document.title = `new: ${Object.getOwnPropertyNames(window).filter((name) => !before.includes(name))}`"""
    with visit("<p>Nothing yet.</p>", script=script) as page:
        expect(page).to_have_title("new: ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit: Callable[..., Any], scheme: str) -> None:
    with visit(FLOATING, color_scheme=scheme, may_fail=True) as page:
        assert axe(page) == []
        page.get_by_role("button", name="Ask a question").click()
        ask(page, TALL)
        answered(page)
        page.get_by_text("How this was answered").click()
        assert axe(page) == []
        page.locator(".chip").last.hover()
        expect(page.get_by_role("tooltip")).to_be_visible()
        ground = page.get_by_role("dialog").evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 29)"}[scheme]
        assert axe(page) == []
        page.keyboard.press("Escape")
        ask(page, "What is the capital of Mongolia?")
        expect(page.get_by_role("heading", name="No answer in these documents")).to_be_visible()
        page.get_by_role("button", name="Not helpful").last.click()
        page.get_by_label("Your question").fill("?!")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        assert axe(page) == []


def test_the_reader_hears_sentences(visit: Callable[..., Any]) -> None:
    with visit(INLINE) as page:
        ask(page, TALL)
        answered(page)
        said = page.locator("[aria-live=polite] p").all_text_contents()
        assert said[0] == "Searching the documents…"
        assert said[-1] == "The answer is complete. Sources: 2."
        assert sum("34 metres" in one for one in said) == 1


def test_nothing_is_said_of_an_answer_that_was_cleared(visit: Callable[..., Any]) -> None:
    with visit(INLINE) as page:
        search_without_end(page)
        page.get_by_role("button", name="Clear the conversation").click()
        expect(page.locator("[aria-live=polite] p").last).to_have_text("Stopped.")
        page.clock.fast_forward(10_000)
        assert "This takes longer than usual…" not in page.locator("[aria-live=polite] p").all_text_contents()


def test_enter_that_ends_a_composition_sends_nothing(visit: Callable[..., Any]) -> None:
    with visit(INLINE) as page:
        field = page.get_by_label("Your question")
        field.fill("スケロー")
        for composing in ({"isComposing": True}, {"keyCode": 229}):  # the latter is Safari's
            field.dispatch_event("keydown", {"key": "Enter", "bubbles": True, "cancelable": True, **composing})
        expect(field).to_have_value("スケロー")
        expect(page.locator(".question")).to_have_count(0)


def test_the_launcher_focuses_the_field_while_the_page_still_loads(visit: Callable[..., Any]) -> None:
    with visit(FLOATING + '<img src="/slow.png" alt="">', may_fail=True) as page:
        page.route("**/slow.png", lambda route: None)
        page.reload(wait_until="domcontentloaded")
        page.get_by_role("button", name="Ask a question").click()
        expect(page.get_by_label("Your question")).to_be_focused()
        assert page.evaluate("document.readyState") == "interactive"


def test_inline_escape_is_left_to_the_page(visit: Callable[..., Any]) -> None:
    body = f'{SCRIPT}<dialog aria-label="Help"><qa-chat inline endpoint="SITE"></qa-chat></dialog>'
    with visit(body, script="document.querySelector('dialog').showModal()") as page:
        ask(page, TALL)
        answered(page)
        page.locator(".chip").last.focus()
        expect(page.get_by_role("tooltip")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("tooltip")).to_be_hidden()
        expect(page.get_by_role("dialog", name="Help")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog", name="Help")).to_be_hidden()
