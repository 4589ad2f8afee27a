"""What a real node of OpenSearch answered, kept as a recording, and played to a client that asks the same.

`Recorder` stands between a client and a node and notes every request and its answer; `Player` answers from such notes,
in their order, and refuses what was not asked then. It says that it is Elasticsearch, whose client asks nobody else.
"""

from __future__ import annotations

import gzip
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

RECORDING = Path(__file__).with_name("opensearch_recording.json.gz")
Note = dict[str, Any]
"""method, path (without the query), body (parsed; of a bulk request its lines), status, answer."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, answer = self.server.asked(self.command, self.path, body, dict(self.headers))  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class Recorder(ThreadingHTTPServer):
    """`target`: host:port of the node."""

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._target = target
        self.notes: list[Note] = []

    def asked(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._target)
        kept = {name: value for name, value in headers.items() if name.lower() in ("content-type", "accept")}
        connection.request(method, path, body, kept)
        answer = connection.getresponse()
        said = answer.read()
        connection.close()
        self.notes.append({**_question(method, path, body), "status": answer.status, "answer": said.decode()})
        return answer.status, said


class Player(ThreadingHTTPServer):
    def __init__(self, notes: list[Note]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._notes = notes
        self._at = 0
        self.strange: list[Note] = []

    def asked(self, method: str, path: str, body: bytes, _headers: dict[str, str]) -> tuple[int, bytes]:
        question = _question(method, path, body)
        note = self._notes[self._at] if self._at < len(self._notes) else None
        if note is None or any(note[name] != question[name] for name in question):
            self.strange.append({"asked": question, "expected": note})
            return 500, b'{"error": "not in the recording"}'
        self._at += 1
        return int(note["status"]), str(note["answer"]).encode()


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[str]:
    """Its URL."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def read() -> dict[str, list[Note]]:
    """Name of a test -> its notes."""
    found: dict[str, list[Note]] = json.loads(gzip.decompress(RECORDING.read_bytes()))
    return found


def write(notes: dict[str, list[Note]]) -> None:
    RECORDING.write_bytes(gzip.compress(json.dumps(notes, indent=1).encode(), mtime=0))


def _question(method: str, path: str, body: bytes) -> Note:
    """A bulk request may be a POST or a PUT: the two clients differ in it."""
    lines, plain = [json.loads(line) for line in body.splitlines() if line.strip()], urlsplit(path).path
    return {"method": "POST" if plain == "/_bulk" else method, "path": plain, "body": lines}
