"""Just enough SIP to be a telephone on loopback: messages in, messages out."""

import re
import secrets
from dataclasses import dataclass, field

AGENT = "ringdesk-test-phone"


def token() -> str:
    """A tag, branch or call id nobody else has."""
    return secrets.token_hex(8)


@dataclass
class Message:
    """A request or a response; header names are lower case, in the order they came."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        """The message in a datagram; text that is not UTF-8 survives as surrogates."""
        head, _, body = data.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(start, [(name.strip().lower(), value.strip()) for name, _, value in pairs], body)

    def encode(self) -> bytes:
        """The datagram."""
        body = self.body.encode()
        lines = [self.start, *(f"{n}: {v}" for n, v in self.headers), f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body

    def get(self, name: str) -> str:
        """The first header of that name, or nothing."""
        return next((v for n, v in self.headers if n == name), "")

    @property
    def status(self) -> int:
        """The code of a response; 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """INVITE, BYE …; of a response, the method it answers."""
        return self.get("cseq").split()[-1]

    @property
    def branch(self) -> str:
        """What tells one transaction from another."""
        found = re.search(r"branch=([^;,\s]+)", self.get("via"))
        return found.group(1) if found else ""


def response(request: Message, status: int, reason: str, *, tag: str, contact: str, sdp: str = "") -> Message:
    """The answer to a request, with our tag in To."""
    to = request.get("to")
    headers = [(n, v) for n, v in request.headers if n in ("via", "record-route")]
    headers += [("from", request.get("from")), ("to", to if "tag=" in to else f"{to};tag={tag}"),
                ("call-id", request.get("call-id")), ("cseq", request.get("cseq")), ("contact", contact), ("server", AGENT)]
    if sdp:
        headers.append(("content-type", "application/sdp"))
    return Message(f"SIP/2.0 {status} {reason}", headers, sdp)


def offer(port: int) -> str:
    """An SDP body: u-law on that port of loopback."""
    return ("v=0\r\no=phone 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\na=sendrecv\r\n")


def media_port(sdp: str) -> int | None:
    """Where the other side wants to hear audio."""
    found = re.search(r"^m=audio (\d+)", sdp, re.MULTILINE)
    return int(found.group(1)) if found else None
