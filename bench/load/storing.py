"""`python -m bench.load.storing HOST PORT USER FILE`: the peer of the load. It signs in and stores bytes, and nothing else."""

import os
import socket
import sys
import time
from pathlib import Path


def main(host: str, port: str, user: str, file: str) -> None:
    """What the switch sends is in the file, the time of each read in the one beside it; the secret is in BENCH_SECRET."""
    with (socket.create_connection((host, int(port)), 5) as link, Path(file).open("wb") as data,
          Path(f"{file}.times").open("wb") as times):
        link.settimeout(None)
        link.sendall(f"Action: Login\r\nUsername: {user}\r\nSecret: {os.environ['BENCH_SECRET']}\r\n\r\n".encode())
        offset = 0
        while got := link.recv(1 << 18):
            times.write(b"%d %.6f\n" % (offset, time.time()))
            data.write(got)
            data.flush()
            times.flush()
            offset += len(got)


if __name__ == "__main__":
    main(*sys.argv[1:5])
