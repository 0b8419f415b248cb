"""An OpenAI-compatible server on loopback that answers as it is told to, well or badly, over real sockets."""

from __future__ import annotations

import itertools
import json
import math
import socket
import socketserver
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal

Behaviour = Literal[
    "text",  # the text, as OpenAI sends it
    "empty",  # a proper answer without content
    "endless",  # the text over and over, exactly as given; 2 MB of it where it is not streamed
    "broken_json",  # half of the text, a line of broken JSON, and a proper end; half of a body where not streamed
    "stall",  # nothing, not even headers
    "stall_midway",  # half of the answer, then nothing
    "disconnect",  # the end of the connection instead of a response
    "disconnect_midway",  # half of the answer, then the end of the connection
    "status",  # an HTTP error, with the text as its message
    "leak",  # the contents of the messages received, joined by newlines
    "slow",  # the text, with `pause` between deltas; as late as the stream would end where it is not streamed
    "not_json",  # the text as an HTML page
    "wrong_shape",  # JSON without what a chat completion has
]

ENDLESS_CHARS = 2_000_000
POLL_S = 0.05  # how often a wait looks whether the client went away


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer and the way it is given."""

    text: str = ""
    behaviour: Behaviour = "text"
    status: int = 500  # for "status"
    retry_after: str | None = None  # the header, for "status"
    chunk: int = 4  # characters per streamed delta
    pause: float = 0.0  # seconds before each content delta, in any behaviour that has them


class HostileServer(socketserver.ThreadingTCPServer):
    """What a test sees of the server: `url`, `say`, `models`, `requests`, `open_streams` and `wait_idle`."""

    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v1"
        self.requests: list[dict[str, Any]] = []  # the bodies of the chat requests, in order
        self.open_streams = 0  # chat answers being given now, streamed or not, stalled ones too
        self.models = Reply()  # how GET /v1/models is answered, always; "text" is the proper list
        self.closing = threading.Event()
        self.failures: list[BaseException] = []  # of the server itself: raised when it is closed
        self._changed = threading.Condition()
        self._queue: deque[Reply] = deque()
        self._last = Reply("The test has not said what to answer.", "status")
        self._connections: list[tuple[socket.socket, threading.Thread]] = []

    def say(self, *replies: Reply) -> None:
        """Answer each chat request from now on with the next of these; the last one repeats.

        What an earlier `say` left unasked is dropped: a client that gave up before its request arrived would leave
        its reply to the next one.
        """
        with self._changed:
            self._queue = deque(replies)

    def wait_idle(self, seconds: float = 5.0) -> bool:
        """Wait until no stream is open; False if one still is after that time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.open_streams, seconds)

    @contextmanager
    def answering(self, body: dict[str, Any]) -> Iterator[Reply]:
        """Record a request and count its stream as open while it is answered with the reply given here."""
        with self._changed:
            self.requests.append(body)
            self.open_streams += 1
            if self._queue:
                self._last = self._queue.popleft()
            reply = self._last
        try:
            yield reply
        finally:
            with self._changed:
                self.open_streams -= 1
                self._changed.notify_all()

    def stop(self) -> None:
        """End every connection and thread."""
        self.closing.set()
        self.shutdown()
        for connection, _ in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in self._connections:
            thread.join(5)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a daemon thread that is remembered, which socketserver's are not."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._connections.append((request, thread))
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a lost connection is expected here, and anything else is for `hostile_server` to raise."""
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.failures.append(error)


@contextmanager
def hostile_server() -> Iterator[HostileServer]:
    """A running server, of which nothing is left at the end."""
    server = HostileServer()
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(5)
    if server.failures:
        raise server.failures[0]


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection; an OSError anywhere ends it."""

    server: HostileServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            listed = {"id": "hostile", "object": "model", "created": 0, "owned_by": "tests"}
            self._answer(self.server.models, {"object": "list", "data": [listed]})
        else:
            self._send_error(404, f"There is no {self.path}.")

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/v1/chat/completions":
            self._send_error(404, f"There is no {self.path}.")
            return
        try:
            body = json.loads(data)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._send_error(400, "The body is not a JSON object.")
            return
        with self.server.answering(body) as reply:
            said = _said(reply, body)
            if body.get("stream"):
                self._answer(reply, self._events(reply, said))
            else:
                self._wait(reply.pause * math.ceil(len(said) / reply.chunk))
                times = math.ceil(ENDLESS_CHARS / len(said)) if reply.behaviour == "endless" else 1
                self._answer(reply, _completion(said * times))

    def _answer(self, reply: Reply, answer: dict[str, Any] | Iterator[str]) -> None:
        """Answer with a JSON object or with the events of a stream, or with whatever the reply has instead."""
        match reply.behaviour:
            case "stall":
                self._wait(math.inf)
            case "disconnect":
                self.close_connection = True
            case "status":
                self._send_error(reply.status, reply.text or "The server fails.", reply.retry_after)
            case "not_json":
                self._send(200, "text/html", f"<html><body>{reply.text}</body></html>".encode())
            case _ if isinstance(answer, dict):
                self._send_object(reply, answer)
            case _:
                self._send_events(reply, answer)

    def _send_object(self, reply: Reply, answer: dict[str, Any]) -> None:
        data = _json({"choices": []} if reply.behaviour == "wrong_shape" else answer)
        half = data[: len(data) // 2]
        if reply.behaviour in ("stall_midway", "disconnect_midway"):
            self._send_head(200, "application/json", {"Content-Length": str(len(data))})
            self.wfile.write(half)
            self._break_off(reply)
        else:
            self._send(200, "application/json", half if reply.behaviour == "broken_json" else data)

    def _send_events(self, reply: Reply, events: Iterator[str]) -> None:
        self._send_head(200, "text/event-stream", {"Transfer-Encoding": "chunked"})
        for event in events:
            self._wait(0)  # a client that went away is noticed before the socket's buffer is full
            data = f"data: {event}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        if reply.behaviour in ("stall_midway", "disconnect_midway"):
            self._break_off(reply)
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _events(self, reply: Reply, said: str) -> Iterator[str]:
        """The data of a stream's events, up to where it breaks off if it does."""
        if reply.behaviour == "wrong_shape":
            yield from ("{}", '{"choices": []}', _chunk(None), "[DONE]")
            return
        yield _chunk({"role": "assistant", "content": ""})
        halved = reply.behaviour in ("broken_json", "stall_midway", "disconnect_midway")
        sent, rest = (said[: len(said) // 2], said[len(said) // 2 :]) if halved else (said, "")
        pieces: Iterator[str] = (sent[start : start + reply.chunk] for start in range(0, len(sent), reply.chunk))
        for piece in itertools.cycle(pieces) if reply.behaviour == "endless" else pieces:
            self._wait(reply.pause)
            yield _chunk({"content": piece})
        if reply.behaviour == "broken_json":
            yield _chunk({"content": rest}).removesuffix("}")
        if reply.behaviour not in ("stall_midway", "disconnect_midway"):
            yield _chunk({}, "stop")
            yield "[DONE]"

    def _break_off(self, reply: Reply) -> None:
        """Go on as the reply does after half of its answer."""
        if reply.behaviour == "stall_midway":
            self._wait(math.inf)
        self.close_connection = True

    def _send_error(self, status: int, message: str, retry_after: str | None = None) -> None:
        error = {"message": message, "type": "server_error" if status >= 500 else "invalid_request_error"}
        headers = {} if retry_after is None else {"Retry-After": retry_after}
        self._send(status, "application/json", _json({"error": error}), headers)

    def _send(self, status: int, media_type: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        self._send_head(status, media_type, {"Content-Length": str(len(data)), **(headers or {})})
        self.wfile.write(data)

    def _send_head(self, status: int, media_type: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _wait(self, seconds: float) -> None:
        """Wait so long, or until the client goes away or the server closes, which ends the connection."""
        end = time.monotonic() + seconds
        while True:
            if self.server.closing.is_set() or self._client_is_gone():
                raise ConnectionAbortedError
            left = end - time.monotonic()
            if left <= 0:
                return
            self.server.closing.wait(min(left, POLL_S))

    def _client_is_gone(self) -> bool:
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:  # nothing to read: the client waits
            return False


def _said(reply: Reply, body: dict[str, Any]) -> str:
    """What an answer says, once where it is endless."""
    match reply.behaviour:
        case "empty":
            return ""
        case "leak":
            return "\n".join(_content(message) for message in body.get("messages", []))
        case "endless":
            return reply.text or "And so on. "
        case _:
            return reply.text


def _content(message: dict[str, Any]) -> str:
    """The text of a message, whose content is a string or a list of parts."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _chunk(delta: dict[str, str] | None, finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return json.dumps(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "hostile", "choices": [choice]}
    )


def _completion(said: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "hostile", "choices": [choice]}


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
