"""How the pretended switch spells what happens: channels as header blocks, events as bytes."""

from dataclasses import dataclass, field

DOWN, RING, RINGING, UP, BUSY = 0, 4, 5, 6, 7
STATES = {DOWN: "Down", RING: "Ring", RINGING: "Ringing", UP: "Up", BUSY: "Busy"}
UNKNOWN = "<unknown>"
CAUSES = {0: "Unknown", 16: "Normal Clearing", 17: "User busy", 19: "User alerting, no answer", 26: "Answered elsewhere",
          127: "Interworking, unspecified"}
NAME_BYTES = 79                       # a real switch cuts display names here

ESCAPES = {"\\": "\\\\", '"': '\\"', "'": "\\'", "\t": "\\t", "\r": "\\r", "\n": "\\n", "\a": "\\a", "\b": "\\b", "\f": "\\f",
           "\v": "\\v"}


@dataclass(eq=False)
class Channel:
    """One channel of the switch, as every event about it repeats it."""

    name: str
    uniqueid: str
    linkedid: str
    context: str
    exten: str
    born: float
    number: str = UNKNOWN
    display: str = UNKNOWN
    peer_number: str = UNKNOWN
    peer_display: str = UNKNOWN
    state: int = DOWN
    priority: int = 1
    application: str = ""
    data: str = ""
    bridge: str = ""
    dnid: str = ""
    cause: int = 16
    legs: list["Channel"] = field(default_factory=list)

    @property
    def device(self) -> str:
        """PJSIP/801 of PJSIP/801-0000002a."""
        return self.name.rpartition("-")[0]

    def headers(self, prefix: str = "") -> str:
        """The fifteen lines each channel event carries."""
        p = prefix
        return (
            f"{p}Channel: {self.name}\r\n{p}ChannelState: {self.state}\r\n{p}ChannelStateDesc: {STATES[self.state]}\r\n"
            f"{p}CallerIDNum: {self.number}\r\n{p}CallerIDName: {self.display}\r\n{p}ConnectedLineNum: {self.peer_number}\r\n"
            f"{p}ConnectedLineName: {self.peer_display}\r\n{p}Language: en\r\n{p}AccountCode: \r\n{p}Context: {self.context}\r\n"
            f"{p}Exten: {self.exten}\r\n{p}Priority: {self.priority}\r\n{p}Uniqueid: {self.uniqueid}\r\n"
            f"{p}Linkedid: {self.linkedid}\r\n"
        )


def pairs(**values: object) -> str:
    """Header lines; an underscore in a keyword stands for a dash."""
    return "".join(f"{key.replace('_', '-')}: {value}\r\n" for key, value in values.items())


def escaped(name: str) -> str:
    """A display name as the switch sends it: C-escaped and cut, never with a line end of its own."""
    cut = name.encode("utf-8", "surrogateescape")[:NAME_BYTES].decode("utf-8", "surrogateescape")
    whole = cut if cut == name else cut.rstrip("".join(chr(c) for c in range(0xDC80, 0xDD00)))
    return "".join(ESCAPES.get(letter, letter) for letter in whole)


def one_line(number: str) -> str:
    """A number without line ends: this switch sits behind a border that refuses them."""
    return "".join(letter for letter in number if letter.isprintable())


def encoded(text: str) -> bytes:
    """Bytes for the wire; surrogates turn back into the raw bytes they stand for."""
    return text.encode("utf-8", "surrogateescape")


def duration(seconds: float) -> str:
    """HH:MM:SS."""
    whole = max(0, int(seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
