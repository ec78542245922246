# SPDX-License-Identifier: GPL-3.0-or-later
"""A slow way to a port of 127.0.0.1: ``slow.py PORT MILLISECONDS`` prints its own port and relays until it is ended.

A program of its own, so that it takes nothing from what is measured. Bytes arrive half a round trip after they were
sent, however many are under way; a new connection costs a round trip, as the handshake of TCP does. The bandwidth is
that of loopback.
"""

import asyncio
import contextlib
import os
import signal
import sys


async def carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float, handshake: float = 0.0
) -> None:
    """Pass on what comes, each piece after its time, until either end hangs up."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    early = loop.time() + handshake

    async def receive() -> None:
        data = b"-"
        while data:
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            pieces.put_nowait((max(loop.time(), early) + seconds, data))

    receiving = asyncio.ensure_future(receive())
    with contextlib.suppress(OSError):
        while True:
            due, data = await pieces.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
    writer.close()
    await receiving


async def main(port: int, seconds: float) -> None:
    """Relay to a port with this round trip."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            carry(reader, to_server, seconds / 2, handshake=seconds), carry(from_server, writer, seconds / 2)
        )

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_given: os._exit(0))
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]) / 1000))
