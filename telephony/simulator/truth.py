"""What really happened in a played call, kept apart from what the stream says of it."""

from dataclasses import asdict, dataclass, field


@dataclass
class Truth:
    """One call. Seconds are None where the question makes no sense; `recording` is the file's name or None."""

    linkedid: str
    direction: str
    caller_number: str | None
    caller_name: str | None
    called: str
    queue: str | None = None
    agent: str | None = None
    agents_rung: list[str] = field(default_factory=list)
    answered_by: str | None = None
    disposition: str = ""
    hangup_by: str | None = None
    wait_seconds: float | None = None
    talk_seconds: float | None = None
    total_seconds: float | None = None
    recorded: bool = False
    recording: str | None = None
    talk_began: float | None = None
    silent: list[list[float]] = field(default_factory=list)  # moments between which nothing was to be recorded
    started_at: float = 0.0
    ended_at: float | None = None

    def as_dict(self) -> dict[str, object]:
        """Plain values, ready for JSON."""
        return asdict(self)
