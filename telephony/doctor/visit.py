"""Asks a switch about itself as the listener's user may: nothing is changed, no phone rings, no caller is touched."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

from service.core.config import SwitchSettings
from telephony import wire
from telephony.doctor.evidence import Reader
from telephony.doctor.facts import Evidence, Member, Step, Visit
from telephony.switch import Switch, parted

PATIENCE = 5.0
LISTEN = 1.0          # seconds of listening besides what is asked
LIST_LIMIT = 60_000   # lines of a dialplan; a bigger one is judged by what came
TRUNKS = 8            # endpoints of the provider's side that are asked for their context
PINGS = 3
Headers = dict[str, str]


@dataclass(frozen=True)
class Answer:
    """What an action was answered with, and the list that came with it."""

    headers: Headers
    items: tuple[Headers, ...] = ()

    @property
    def good(self) -> bool:
        """True unless the switch refused or does not know it."""
        return self.headers.get("response") in ("Success", "Follows", "Goodbye")


class Talk:
    """One connection, one question at a time; what comes beside the answers is kept as events."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._framer = wire.Framer()
        self._waiting: list[bytes] = []
        self.heard = bytearray()

    async def greeting(self) -> bytes:
        """The first line, which a switch says without being asked; empty when it says nothing."""
        said = b""
        with suppress(TimeoutError):
            while b"\n" not in said and len(said) < 1000:
                data = await asyncio.wait_for(self._reader.read(1000), PATIENCE)
                if not data:
                    break
                said += data
        self._waiting += [frame for _, frame in self._framer.feed(said)]
        return said.partition(b"\n")[0].strip()

    async def frame(self, patience: float = PATIENCE) -> bytes | None:
        """The next frame; None when none came in time. Raises ConnectionError when the switch hangs up."""
        end = time.monotonic() + patience
        while not self._waiting:
            left = end - time.monotonic()
            if left <= 0:
                return None
            try:
                data = await asyncio.wait_for(self._reader.read(65536), left)
            except TimeoutError:
                return None
            if not data:
                raise ConnectionResetError
            self._waiting += [frame for _, frame in self._framer.feed(data)]
        return self._waiting.pop(0)

    async def ask(self, action: str, *fields: tuple[str, str], patience: float = PATIENCE) -> Answer:
        """The action's answer with its list; an empty one when it did not come in time."""
        mark = secrets.token_hex(8)  # a caller who writes lines of his own cannot know it
        self._writer.write(wire.action(action, [*fields, ("ActionID", mark)]))
        answer, items, end = Answer({}), list[Headers](), time.monotonic() + patience
        while (left := end - time.monotonic()) > 0 and (frame := await self.frame(left)) is not None:
            headers = wire.headers(frame)[0]
            if headers.get("actionid") != mark:
                self.keep(frame)
                continue
            if "response" in headers:
                answer = Answer(headers)
                if headers.get("eventlist", "").lower() != "start":
                    break
            elif headers.get("eventlist", "").lower() == "complete":
                break
            elif len(items) < LIST_LIMIT:
                items.append(headers)
        return Answer(answer.headers, tuple(items))

    def keep(self, frame: bytes) -> None:
        """Remember what came by itself."""
        if not frame.startswith(wire.BANNER):
            self.heard += frame + b"\r\n\r\n"

    async def listen(self, seconds: float) -> None:
        """Keep what comes by itself for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            frame = await self.frame(left)
            if frame is not None:
                self.keep(frame)

    async def log_in(self, username: str, secret: str) -> Answer:
        """Signed in by challenge, so that the secret does not travel."""
        challenge = await self.ask("Challenge", ("AuthType", "MD5"))
        words = [("Username", username), ("Events", "on")]
        given = challenge.headers.get("challenge")
        if not given:
            return await self.ask("Login", *words, ("Secret", secret))
        key = hashlib.md5((given + secret).encode(), usedforsecurity=False).hexdigest()
        return await self.ask("Login", *words, ("AuthType", "MD5"), ("Key", key))


@asynccontextmanager
async def _talk(host: str, port: int) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), PATIENCE)
    try:
        yield Talk(reader, writer)
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(writer.wait_closed(), 1.0)


def visit(switch: SwitchSettings, endpoints: Iterable[str] = (), listen: float = LISTEN) -> tuple[Visit, Evidence]:
    """What the switch says of itself; `endpoints` are names of the provider's side that were heard before."""
    return asyncio.run(_visit(switch, tuple(endpoints), listen))


async def _visit(switch: SwitchSettings, endpoints: tuple[str, ...], listen: float) -> tuple[Visit, Evidence]:
    seen, reader = Visit(), Reader(Switch(switch.name, switch.trunk_contexts, switch.extension_pattern))
    try:
        async with _talk(switch.host, switch.port) as talk:
            seen = await _enter(talk, switch)
            if seen.inside:
                seen = await _look_round(talk, seen, switch, endpoints, listen)
            reader.read(bytes(talk.heard))
    except TimeoutError:
        return replace(seen, outcome="silent"), reader.evidence()
    except (OSError, UnicodeError) as error:  # a host's name may be none
        return replace(seen, outcome="away" if seen.outcome != "in" else "cut", why=_plain(error)), reader.evidence()
    return seen, reader.evidence()


def _plain(error: OSError | UnicodeError) -> str:
    return str(getattr(error, "strerror", None) or type(error).__name__).partition("\n")[0][:120]


async def _enter(talk: Talk, switch: SwitchSettings) -> Visit:
    first = await talk.greeting()
    if not first.startswith(wire.BANNER):
        return Visit(outcome="stranger" if first else "silent", why=ascii(first[:60].decode("latin-1"))[1:-1])
    banner = first.removeprefix(wire.BANNER).decode("ascii", "replace")
    answer = await talk.log_in(switch.username, switch.secret)
    if answer.good:
        return Visit(outcome="in", banner=banner)
    why = ascii(answer.headers.get("message", ""))[1:-1][:100]
    outcome = "in-use" if "already in use" in why.lower() else "refused" if answer.headers else "silent"
    return Visit(outcome=outcome, why=why, banner=banner)


async def _look_round(talk: Talk, seen: Visit, switch: SwitchSettings, endpoints: tuple[str, ...], listen: float) -> Visit:
    offset, doubt = await _clock(talk)
    core, commands = await talk.ask("CoreSettings"), await talk.ask("ListCommands")
    channels, queues = await talk.ask("CoreShowChannels"), await talk.ask("QueueStatus")
    plan = await talk.ask("ShowDialPlan", patience=4 * PATIENCE)
    asked = {"CoreShowChannels": channels, "QueueStatus": queues}
    named = [*endpoints, *_dialled(plan.items, Switch(extension_pattern=switch.extension_pattern))]
    seen = replace(
        seen, settings=core.headers if core.good else {}, commands=_commands(commands.headers), offset=offset, doubt=doubt,
        refused=frozenset(name for name, answer in asked.items() if not answer.good),
        queues=_queues(queues), members=tuple(_members(queues)), dialplan=_dialplan(plan),
        pbx=await _value(talk, "RINGDESK_PBX"), trunks=await _trunks(talk, list(dict.fromkeys(named))[:TRUNKS]),
        twice=await _twice(switch),
    )  # fmt: skip
    actor, acts = await _acting(switch)
    seen = replace(seen, actor=actor, acts=acts)
    await talk.listen(listen)
    return replace(seen, booted=b"Event: FullyBooted" in talk.heard)


async def _clock(talk: Talk) -> tuple[float | None, float]:
    """How far the switch's clock is ahead, by the ping that came back soonest, and how sure that is."""
    best: tuple[float | None, float] = (None, 1e9)
    for _ in range(PINGS):
        sent, began = time.time(), time.monotonic()
        answer = await talk.ask("Ping")
        half = (time.monotonic() - began) / 2
        with suppress(ValueError):
            if half < best[1]:
                best = (float(answer.headers.get("timestamp", "")) - (sent + half), half)
    return best if best[0] is not None else (None, 0.0)


def _commands(headers: Headers) -> dict[str, tuple[str, ...]]:
    """Allowed actions by name, with the classes of rights of which any one is enough."""
    found = {}
    for name, words in headers.items():
        _, mark, classes = words.rpartition("(Priv: ")
        if mark and classes.rstrip().endswith(")"):
            plain = classes.rstrip()[:-1]
            found[name] = () if plain == "<none>" else tuple(plain.split(","))
    return found


def _queues(answer: Answer) -> tuple[str, ...] | None:
    if not answer.good:
        return None
    return tuple(item["queue"] for item in answer.items if item.get("event") == "QueueParams" and item.get("queue"))


def _members(answer: Answer) -> Iterable[Member]:
    for item in answer.items:
        if item.get("event") == "QueueMember":
            interface = item.get("stateinterface") or item.get("location", "")
            yield Member(item.get("queue", ""), item.get("name", ""), interface)


def _dialplan(answer: Answer) -> tuple[Step, ...] | None:
    """Every line that does something; None when it may not be seen."""
    if not answer.good:
        return None
    return tuple(Step(item.get("context", ""), item.get("extension", ""), item["application"], item.get("appdata", ""))
                 for item in answer.items if "application" in item)


def _dialled(items: Iterable[Headers], names: Switch) -> Iterable[str]:
    """Endpoints through which the dialplan dials out: `PJSIP/…@trunk`."""
    for item in items:
        if item.get("application") == "Dial" and item.get("appdata", "").startswith("PJSIP/"):
            endpoint = item["appdata"].partition(",")[0].partition("&")[0].rpartition("@")[2]
            if "$" not in endpoint and "/" not in endpoint and names.extension(f"PJSIP/{endpoint}") is None:
                yield endpoint


async def _value(talk: Talk, variable: str) -> str | None:
    answer = await talk.ask("Getvar", ("Variable", variable))
    return answer.headers.get("value", "") if answer.good else None


async def _trunks(talk: Talk, endpoints: list[str]) -> dict[str, str]:
    found = {}
    for endpoint in endpoints:
        with suppress(wire.WireError):
            context = await _value(talk, f"PJSIP_ENDPOINT({parted(endpoint)[1]},context)")
            if context:
                found[endpoint] = context
    return found


async def _acting(switch: SwitchSettings) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Whether the user that acts is let in, and what it may do; it does nothing here but ask that."""
    if switch.acts:
        with suppress(OSError, TimeoutError):
            async with _talk(switch.host, switch.port) as second:
                await second.greeting()
                answer = await second.log_in(switch.actor_username, switch.actor_secret)
                if answer.good:
                    commands = await second.ask("ListCommands")
                    await second.ask("Logoff")
                    return "in", _commands(commands.headers)
                return "refused" if answer.headers and "already in use" not in answer.headers.get("message", "").lower() else "", {}
    return "", {}


async def _twice(switch: SwitchSettings) -> bool | None:
    """Whether the user is let in while it is in; None when that cannot be told."""
    with suppress(OSError, TimeoutError):
        async with _talk(switch.host, switch.port) as second:
            await second.greeting()
            answer = await second.log_in(switch.username, switch.secret)
            if answer.good:
                await second.ask("Logoff")
                return True
            return False if "already in use" in answer.headers.get("message", "").lower() else None
    return None
