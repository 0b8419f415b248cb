"""Run the HTTP service in this process, until Ctrl-C."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import threading

import click

from qa.build import build_qa
from qa.compose import warm_up
from qa.errors import QAError
from qa.followup import standalone
from qa.pipeline import QA
from qa.types import Turn

log = logging.getLogger(__name__)


class PortUnavailable(QAError):
    """The address cannot be listened on."""


def serve(host: str, port: int) -> None:
    """Listen on `host` and `port` (0: any free one), say where, and answer.

    The port is taken before any model is loaded, so that a port in use is an error at once. Raises
    `PortUnavailable`.
    """
    listening = _listen(host, port)
    if not _is_loopback(host):
        click.secho(
            f"Warning: listening on {host}, and there is no authentication yet: whoever reaches this address can read "
            "and delete every document. Put a proxy that asks for a password in front of it.",
            err=True,
            fg="yellow",
        )
    import uvicorn

    from qa.api import create_app

    qa = build_qa()
    _tidy_up(qa)
    threading.Thread(target=_warm_up, args=(qa,), name="warm-up", daemon=True).start()
    app = create_app(qa)
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Cited QA on http://{shown}:{listening.getsockname()[1]}  (Ctrl-C stops it)")
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)  # so that whoever is told the address is answered, and not refused
    except OSError as error:
        listening.close()
        reason = {errno.EADDRINUSE: "the port is in use", errno.EACCES: "the port needs more rights"}.get(
            error.errno or 0, error.strerror or str(error)
        )
        raise PortUnavailable(
            f"cannot listen on {host}:{port}: {reason}", help=f"Choose another port: qa serve --port {port + 1}"
        ) from error
    return listening


def _tidy_up(qa: QA) -> None:
    """Delete the conversations that have expired while nobody was here."""
    try:
        qa.conversations.forget_expired()
    except QAError as error:
        log.warning("expired conversations could not be deleted: %s", error)


def _warm_up(qa: QA) -> None:
    """Load the models and read the prompt's examples into the LLM's cache, so that the first one to ask need not wait.

    Questions are answered meanwhile; whatever fails here fails again, and is told, when somebody asks.
    """
    try:
        qa.embedder.embed_query("ready?")
        qa.reader.read("Who is ready?", ["The reader is ready."])
        standalone("Why?", [Turn(question="Who is ready?", answer="The reader is ready.")])
        if qa.llm and not qa.llm.capable:
            warm_up(qa.llm)
    except Exception as error:
        log.warning("warming up failed: %s", error)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
