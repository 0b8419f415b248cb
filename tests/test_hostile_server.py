"""The hostile server does what it is told to, as clients see it."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import openai
import pytest

from tests.hostile import ENDLESS_CHARS, Behaviour, HostileServer, Reply, hostile_server

TEXT = "The café opens at nine [1]. It closes at five [2]. "
HALF = TEXT[: len(TEXT) // 2]
MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When is it open?"}]
BOTH = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as server:
        yield server


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def ask(server: HostileServer) -> Iterator[Callable[..., str]]:
    """Ask with OpenAI's own client, and put the answer together."""
    with (
        httpx.Client(trust_env=False) as http,
        openai.OpenAI(base_url=server.url, api_key="x", max_retries=0, timeout=10, http_client=http) as client,
    ):

        def ask(stream: bool, timeout: float = 10) -> str:
            create = client.chat.completions.create
            if not stream:
                return create(model="m", messages=MESSAGES, timeout=timeout).choices[0].message.content or ""
            with create(model="m", messages=MESSAGES, timeout=timeout, stream=True) as chunks:
                return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

        yield ask


def post(client: httpx.Client, server: HostileServer, stream: bool, **options: Any) -> httpx.Response:
    body = {"model": "m", "messages": MESSAGES, "stream": stream}
    return client.post(f"{server.url}/chat/completions", json=body, **options)


def streaming(client: httpx.Client, server: HostileServer, stream: bool = True, **options: Any) -> Any:
    body = {"model": "m", "messages": MESSAGES, "stream": stream}
    return client.stream("POST", f"{server.url}/chat/completions", json=body, **options)


def receive(response: httpx.Response) -> Iterator[str]:
    """The content deltas of a stream, as they come."""
    for line in response.iter_lines():
        if line and line != "data: [DONE]":
            yield json.loads(line.removeprefix("data: "))["choices"][0]["delta"].get("content", "")


def collect(pieces: Iterator[str], error: type[Exception]) -> str:
    """What came before the error."""
    received: list[str] = []
    with pytest.raises(error):
        received.extend(pieces)
    return "".join(received)


@BOTH
@pytest.mark.parametrize(
    ("behaviour", "answer"),
    [("text", TEXT), ("slow", TEXT), ("empty", ""), ("leak", "Be brief.\nWhen is it open?")],
)
def test_answers(
    server: HostileServer, ask: Callable[..., str], stream: bool, behaviour: Behaviour, answer: str
) -> None:
    server.say(Reply(TEXT, behaviour))
    assert ask(stream) == answer
    assert server.requests == [{"model": "m", "messages": MESSAGES} | ({"stream": True} if stream else {})]
    assert server.wait_idle()


def test_a_stream_is_openais(server: HostileServer, client: httpx.Client) -> None:
    server.say(Reply("Nine [1].", chunk=5))
    response = post(client, server, stream=True)
    assert response.headers["content-type"] == "text/event-stream"
    *events, done, last = response.text.split("\n\n")
    assert (done, last) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    choices = [chunk["choices"][0] for chunk in chunks]
    assert [choice["finish_reason"] for choice in choices] == [None, None, None, "stop"]
    assert [choice["delta"] for choice in choices[1:]] == [{"content": "Nine "}, {"content": "[1]."}, {}]


def test_replies_come_in_turn_and_the_last_one_repeats(server: HostileServer, ask: Callable[..., str]) -> None:
    with pytest.raises(openai.InternalServerError, match="has not said"):
        ask(stream=False)
    server.say(Reply("One."), Reply("Two."))
    assert [ask(stream) for stream in (False, True, False)] == ["One.", "Two.", "Two."]
    server.say(Reply("Three."))
    assert ask(stream=True) == "Three."
    assert len(server.requests) == 5


def test_a_reply_nobody_asked_for_is_not_left_to_whoever_asks_next(
    server: HostileServer, ask: Callable[..., str]
) -> None:
    """On a busy machine a request can come after its client has given up: it must not shift all that follow."""
    server.say(Reply("One."))
    server.say(Reply("Two."))
    assert [ask(stream=False), ask(stream=False)] == ["Two.", "Two."]


def test_a_request_at_a_time_is_not_all_it_serves(server: HostileServer, ask: Callable[..., str]) -> None:
    server.say(Reply(TEXT, "slow", pause=0.02))
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, [True, False] * 4)) == [TEXT] * 8


@BOTH
def test_slow(server: HostileServer, ask: Callable[..., str], stream: bool) -> None:
    server.say(Reply("12345", "slow", chunk=1, pause=0.06))
    start = time.monotonic()
    assert ask(stream) == "12345"
    assert time.monotonic() - start >= 5 * 0.06


def test_endless_streamed(server: HostileServer, client: httpx.Client) -> None:
    server.say(Reply(TEXT, "endless"))
    # Kept to the end: dropping the generator hangs up, and the server may notice before it is looked at.
    with streaming(client, server) as response, closing(receive(response)) as deltas:
        received = ""
        for delta in deltas:
            received += delta
            if len(received) > 3 * len(TEXT):
                break
        assert received.startswith(TEXT * 3)
        assert server.open_streams == 1
    assert server.wait_idle()


def test_endless_in_one_body(server: HostileServer, ask: Callable[..., str]) -> None:
    server.say(Reply(TEXT, "endless"))
    answer = ask(stream=False)
    assert len(answer) >= ENDLESS_CHARS
    assert answer == TEXT * (len(answer) // len(TEXT))


def test_a_client_that_does_not_read_is_noticed_too(server: HostileServer, client: httpx.Client) -> None:
    server.say(Reply(TEXT, "endless", chunk=10_000))
    with streaming(client, server):
        time.sleep(0.1)
        assert server.open_streams == 1
    assert server.wait_idle()


@BOTH
def test_broken_json(server: HostileServer, client: httpx.Client, ask: Callable[..., str], stream: bool) -> None:
    server.say(Reply(TEXT, "broken_json"))
    response = post(client, server, stream)  # whole, as far as HTTP goes
    if stream:
        assert collect(receive(response), json.JSONDecodeError) == HALF
        assert response.text.endswith("\n\ndata: [DONE]\n\n")
    else:
        assert response.headers["content-type"] == "application/json"
        with pytest.raises(json.JSONDecodeError):
            response.json()
    with pytest.raises(json.JSONDecodeError):
        ask(stream)


@BOTH
def test_stall(server: HostileServer, client: httpx.Client, ask: Callable[..., str], stream: bool) -> None:
    server.say(Reply(TEXT, "stall"))
    with pytest.raises(httpx.ReadTimeout):
        post(client, server, stream, timeout=0.2)
    with pytest.raises(openai.APITimeoutError):
        ask(stream, timeout=0.2)
    assert server.wait_idle()
    assert len(server.requests) == 2


@BOTH
def test_stall_midway(server: HostileServer, client: httpx.Client, stream: bool) -> None:
    server.say(Reply(TEXT, "stall_midway"))
    with streaming(client, server, stream, timeout=0.3) as response:
        received = collect(receive(response) if stream else response.iter_text(), httpx.ReadTimeout)
    assert server.wait_idle()
    if stream:
        assert received == HALF
    else:
        assert len(received) == int(response.headers["content-length"]) // 2


@BOTH
def test_disconnect(server: HostileServer, client: httpx.Client, ask: Callable[..., str], stream: bool) -> None:
    server.say(Reply(TEXT, "disconnect"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        post(client, server, stream)
    with pytest.raises(openai.APIConnectionError):
        ask(stream)


@BOTH
def test_disconnect_midway(server: HostileServer, client: httpx.Client, stream: bool) -> None:
    server.say(Reply(TEXT, "disconnect_midway"))
    with streaming(client, server, stream) as response:
        pieces = receive(response) if stream else response.iter_text()
        received = collect(pieces, httpx.RemoteProtocolError)
    if stream:
        assert received == HALF
    else:
        assert len(received) == int(response.headers["content-length"]) // 2


@BOTH
def test_status(server: HostileServer, client: httpx.Client, ask: Callable[..., str], stream: bool) -> None:
    server.say(Reply("Too many.", "status", status=429, retry_after="7"), Reply(behaviour="status"))
    response = post(client, server, stream)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.json() == {"error": {"message": "Too many.", "type": "invalid_request_error"}}
    with pytest.raises(openai.InternalServerError) as raised:
        ask(stream)
    assert raised.value.status_code == 500
    assert "retry-after" not in raised.value.response.headers


@BOTH
def test_not_json(server: HostileServer, client: httpx.Client, stream: bool) -> None:
    server.say(Reply("Sign in", "not_json"))
    response = post(client, server, stream)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html"
    assert response.text == "<html><body>Sign in</body></html>"


@BOTH
def test_wrong_shape(server: HostileServer, client: httpx.Client, ask: Callable[..., str], stream: bool) -> None:
    server.say(Reply(TEXT, "wrong_shape"))
    response = post(client, server, stream)
    if stream:
        events = [event.removeprefix("data: ") for event in response.text.split("\n\n")[:-1]]
        assert events.pop() == "[DONE]"
        first, second, third = map(json.loads, events)
        assert first == {}
        assert second == {"choices": []}
        assert third["choices"][0]["delta"] is None
    else:
        assert response.json() == {"choices": []}
    with pytest.raises((TypeError, IndexError, AttributeError)):
        ask(stream)


def test_models(server: HostileServer, client: httpx.Client) -> None:
    assert [model["id"] for model in client.get(f"{server.url}/models").json()["data"]] == ["hostile"]
    server.models = Reply(behaviour="status", status=401)
    assert client.get(f"{server.url}/models").status_code == 401
    server.models = Reply(behaviour="stall")
    with pytest.raises(httpx.ReadTimeout):
        client.get(f"{server.url}/models", timeout=0.1)
    assert not server.requests


def test_other_requests_are_refused(server: HostileServer, client: httpx.Client) -> None:
    assert client.get(f"{server.url}/embeddings").status_code == 404
    assert client.post(f"{server.url}/completions", json={}).status_code == 404
    for data in (b"", b"{", b"[]"):
        assert client.post(f"{server.url}/chat/completions", content=data).status_code == 400
    assert not server.requests


def test_closing_ends_everything(capfd: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    with httpx.Client(timeout=10, trust_env=False) as client, ThreadPoolExecutor(3) as pool:
        with hostile_server() as server:
            server.say(*(Reply(TEXT, behaviour) for behaviour in ("stall", "stall_midway", "endless")))
            answers = [pool.submit(post, client, server, True) for _ in range(3)]
            idle = socket.create_connection(("127.0.0.1", server.server_address[1]))
            while server.open_streams < 3:
                time.sleep(0.01)
            start = time.monotonic()
        assert time.monotonic() - start < 1
        assert server.open_streams == 0
        assert idle.recv(1) == b""
        idle.close()
        for answer in answers:
            with pytest.raises(httpx.TransportError):
                answer.result(5)
    assert set(threading.enumerate()) <= before
    assert capfd.readouterr() == ("", "")


def test_a_failure_of_the_server_itself_is_raised(client: httpx.Client) -> None:
    def run() -> None:
        with hostile_server() as server:
            server.say(Reply(TEXT, chunk=0))
            with pytest.raises(httpx.RemoteProtocolError):
                post(client, server, stream=False)

    with pytest.raises(ZeroDivisionError):
        run()
