"""The least that a webhook's receiver can do: 200 to every POST. `python -m benchmarks.kit.webhook_server PORT`

Counts different keys (header webhook-id); a GET tells "requests keys". A process of its own, because it must not take
the worker's time.
"""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

seen: set[bytes] = set()
requests = 0


class Receiver(asyncio.Protocol):
    """Keeps the connection; requests may come one after the other in any pieces."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (request := self._next()) is not None:
            self._transport.write(self._answer(request))  # type: ignore[attr-defined]

    def _next(self) -> bytes | None:
        """The head of a request that is complete."""
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found:
            return None
        lower = head.lower()
        length = 0
        if (at := lower.find(b"content-length:")) >= 0:
            length = int(lower[at + 15 :].partition(b"\r\n")[0])
        if len(rest) < length:
            return None
        self._data = rest[length:]
        return head

    def _answer(self, head: bytes) -> bytes:
        global requests
        if head.startswith(b"GET"):
            body = b"%d %d" % (requests, len(seen))
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        requests += 1
        at = head.lower().find(b"webhook-id:")
        seen.add(head[at + 11 :].partition(b"\r\n")[0].strip())
        return ANSWER


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
