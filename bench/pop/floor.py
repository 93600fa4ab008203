"""The floor under a pop: a NOTIFY that goes straight to a plain socket, with nothing of ours between.

Prints the port of that socket; whoever connects hears every notification of `bench_floor`.
"""

import asyncio
import sys
from typing import Any

import psycopg2


async def main(dsn: str) -> None:
    """Every notification is written to every socket, until standard input ends."""
    sockets: set[asyncio.StreamWriter] = set()

    async def joined(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sockets.add(writer)

    server = await asyncio.start_server(joined, "127.0.0.1", 0)
    connection: Any = psycopg2.connect(dsn)
    connection.autocommit = True
    connection.cursor().execute("listen bench_floor")

    def heard() -> None:
        connection.poll()
        while connection.notifies:
            line = connection.notifies.pop(0).payload.encode() + b"\n"
            for writer in sockets:
                writer.write(line)

    loop = asyncio.get_running_loop()
    loop.add_reader(connection.fileno(), heard)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
