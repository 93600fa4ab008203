"""Audio both ways: u-law packets every 20 ms, and what was heard."""

import socket
import struct
import threading
import time

import numpy as np

from telephony.simulator.audio import speech

STEP = 160                             # samples in 20 ms


def ulaw(samples: np.ndarray) -> bytes:
    """G.711 u-law of samples between -1 and 1."""
    pcm = np.clip(samples * 32767, -32635, 32635).astype(np.int32)
    sign, size = np.where(pcm < 0, 0x80, 0), np.abs(pcm) + 132
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    mantissa = (size >> (exponent + 3)) & 15
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8).tobytes()


def linear(data: bytes) -> np.ndarray:
    """Samples between -1 and 1 of G.711 u-law."""
    code = ~np.frombuffer(data, np.uint8).astype(np.int32) & 0xFF
    size = (((code & 15) << 3) + 132 << ((code >> 4) & 7)) - 132
    return np.where(code & 0x80, -size, size) / 32768


class Stream:
    """One side of a talk; says speech made from `seed` for as long as it is open."""

    def __init__(self, seed: str) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self.port: int = self._socket.getsockname()[1]
        self.heard = bytearray()
        self._audio = ulaw(speech(20.0, seed))
        self._open = True
        self._threads: list[threading.Thread] = []

    def start(self, peer_port: int) -> None:
        """Both directions run."""
        if not self._threads:
            self._threads = [threading.Thread(target=self._say, args=(peer_port,), daemon=True),
                             threading.Thread(target=self._hear, daemon=True)]
            for thread in self._threads:
                thread.start()

    def close(self) -> None:
        """Nothing is sent or heard any more."""
        self._open = False
        for thread in self._threads:
            thread.join(1)
        self._socket.close()

    @property
    def loudness(self) -> float:
        """RMS of what was heard, between 0 and 1."""
        return float(np.sqrt(np.mean(linear(bytes(self.heard)) ** 2))) if self.heard else 0.0

    def _say(self, port: int) -> None:
        started, count, ssrc = time.monotonic(), 0, struct.unpack("!I", b"ring")[0]
        while self._open:
            at = count * STEP % (len(self._audio) - STEP)
            header = struct.pack("!BBHII", 0x80, 0, count & 0xFFFF, count * STEP & 0xFFFFFFFF, ssrc)
            try:
                self._socket.sendto(header + self._audio[at:at + STEP], ("127.0.0.1", port))
            except OSError:
                return
            count += 1
            time.sleep(max(0.0, started + count * 0.02 - time.monotonic()))

    def _hear(self) -> None:
        while self._open:
            try:
                packet = self._socket.recv(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            if len(packet) > 12 and packet[1] & 127 == 0:
                self.heard += packet[12:]
