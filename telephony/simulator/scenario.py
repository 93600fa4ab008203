"""Who works here and who rings: everything a played day is made of, frozen, decided by its seed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True)
class Agent:
    """A person with a phone."""

    extension: str
    name: str


@dataclass(frozen=True)
class Queue:
    """A queue, the number that leads into it, and the extensions that serve it."""

    name: str
    number: str
    strategy: str                      # ringall | rrmemory
    members: tuple[str, ...]
    ring_seconds: float = 15.0


@dataclass(frozen=True)
class Caller:
    """Somebody outside. A number of None is withheld; a name of None was not sent."""

    number: str | None
    name: str | None = None


AGENTS = (Agent("801", "Ada 艾达"), Agent("802", "Ben 本"), Agent("803", "Chloé Çelik"), Agent("804", "Dan O'Dell"))

QUEUES = (
    Queue("support", "02150800100", "ringall", ("801", "802", "803")),
    Queue("sales", "02150800101", "rrmemory", ("802", "804"), ring_seconds=6.0),
)

# Mobiles, area-code landlines, international and trunk-prefixed forms: providers send all of these.
STRANGERS = (
    Caller("13800002001", "陈晓明"), Caller("13900002002"), Caller("+8613700002003", "Zhou Wei"), Caller("008618600002004"),
    Caller("013500002005"), Caller("02162002006", "上海申达贸易"), Caller("01065002007"), Caller("057187002008", "杭州云栖酒店"),
    Caller("075526002009"), Caller("+441632960123", "Maria Mustermann"), Caller("15900002010", "李娜"), Caller("18800002011"),
)
WITHHELD = (Caller(None), Caller("anonymous", "Anonymous"))

# What a hostile or broken provider sends; a GBK name keeps its raw bytes as surrogates.
NASTY = (
    Caller("13800003001", '=HYPERLINK("http://example.invalid";"x")'),
    Caller("13800003002", "<script>alert(1)</script>"),
    Caller("13800003003", "100% \"真\" 客户\r\nEvent: Hangup"),
    Caller("13800003004", "长" * 300),
    Caller("13800003005", "王小姐".encode("gbk").decode("utf-8", "surrogateescape")),
    Caller("13800003006", "'; DROP TABLE party; --"),
    Caller("+CMD|calc", "@SUM(1+1)"),
)

MIX: Mapping[str, float] = MappingProxyType({
    "answered": 0.50, "abandoned": 0.10, "passed-on": 0.10, "direct": 0.08, "direct-no-answer": 0.02, "direct-busy": 0.02,
    "direct-cancelled": 0.02, "outbound": 0.09, "outbound-busy": 0.02, "internal": 0.05,
})


@dataclass(frozen=True)
class Scenario:
    """One day. Seconds are the switch's; `speed` says how many of them pass in one of ours."""

    seed: int = 1
    calls_per_hour: float = 60.0
    speed: float = 1.0
    agents: tuple[Agent, ...] = AGENTS
    queues: tuple[Queue, ...] = QUEUES
    known: tuple[Caller, ...] = ()
    strangers: tuple[Caller, ...] = STRANGERS
    mix: Mapping[str, float] = field(default_factory=lambda: MIX)
    known_share: float = 0.7
    withheld_share: float = 0.04
    nasty_share: float = 0.03
    ring_seconds: tuple[float, float] = (2.5, 9.0)
    talk_seconds: tuple[float, float] = (20.0, 180.0)
    patience_seconds: tuple[float, float] = (6.0, 25.0)
    company_number: str = "02150800100"
    direct_prefix: str = "02150800"    # + extension is that agent's own number
    pbx: str = "pbx1"
    systemname: str = ""
    recordings: Path | None = None     # None: nothing is recorded
    timestamps: bool = True

    def agent(self, extension: str) -> Agent:
        """The agent of that extension; an unknown one is a nameless phone."""
        return next((a for a in self.agents if a.extension == extension), Agent(extension, extension))

    def queue(self, name: str) -> Queue:
        """The queue of that name; raises KeyError."""
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise KeyError(name)


def with_callers(scenario: Scenario, callers: Iterable[tuple[str, str | None]]) -> Scenario:
    """The same day, in which mostly these (number, name) ring."""
    return replace(scenario, known=tuple(Caller(number, name) for number, name in callers))


def with_agents(scenario: Scenario, agents: Iterable[Agent]) -> Scenario:
    """The same day with this staff: the first three serve the hotline, all but the first take turns in sales."""
    staff = tuple(agents)
    extensions = tuple(a.extension for a in staff)
    hotline, sales = scenario.queues
    queues = (replace(hotline, members=extensions[:3]), replace(sales, members=extensions[1:] or extensions))
    return replace(scenario, agents=staff, queues=queues)


def load(rate: float, *, seed: int = 1, agents: int = 150) -> Scenario:
    """`rate` short calls a second into one queue, one phone each, nothing recorded: for measuring a listener."""
    staff = tuple(Agent(str(2001 + n), f"Load {2001 + n}") for n in range(agents))
    queue = Queue("load", "02150800190", "rrmemory", tuple(a.extension for a in staff))
    return Scenario(
        seed=seed, calls_per_hour=3600 * rate, agents=staff, queues=(queue,), mix=MappingProxyType({"answered": 1.0}),
        ring_seconds=(0.1, 0.4), talk_seconds=(0.4, 2.0), nasty_share=0.0,
    )
