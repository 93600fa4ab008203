"""What can happen to a feed: an event lost, doubled or swapped with its neighbour, the line cut and taken up again."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from telephony import facts, replay
from telephony.event import Event
from telephony.feed import Feed
from telephony.livecall import LiveCall

CAPTURES = Path(__file__).parents[1] / "captures"
CUT = 20  # events that are lost in a cut, and how far apart the cuts are


def captures(*folders: str) -> list[str]:
    """Return the names of the captures that are one connection each."""
    found = [path for folder in folders for path in sorted((CAPTURES / folder).glob("*.expected.json"))]
    names = [str(path.relative_to(CAPTURES)).removesuffix(".expected.json") for path in found
             if len(json.loads(path.read_text()).get("captures", [1])) == 1]
    return [name for name in names if (CAPTURES / f"{name}.ami.gz").exists()]


def events(name: str) -> list[Event]:
    """Return what the capture's switch said, as far as a step wants it."""
    feed = Feed()
    return list(feed.hear(gzip.decompress((CAPTURES / f"{name}.ami.gz").read_bytes()), None))


def dropped(heard: list[Event], at: int) -> list[Event]:
    """One event is lost."""
    return heard[:at] + heard[at + 1 :]


def doubled(heard: list[Event], at: int) -> list[Event]:
    """One event comes twice."""
    return [*heard[: at + 1], *heard[at:]]


def swapped(heard: list[Event], at: int) -> list[Event]:
    """Two neighbours change places."""
    return [*heard[:at], *reversed(heard[at : at + 2]), *heard[at + 2 :]]


def cut(heard: list[Event], at: int) -> list[Event]:
    """The line is away for a while; when it is back, the switch says what is up."""
    back = min(at + CUT, len(heard))
    return [*heard[:at], *snapshot(heard[:back]), *heard[back:]]


@dataclass
class _Channel:
    headers: dict[str, str]
    began: Event
    bridge: str = ""


@dataclass
class _World:
    """What the switch knows to be up."""

    channels: dict[str, _Channel] = field(default_factory=dict)
    waiting: dict[str, tuple[str, Event]] = field(default_factory=dict)

    def goes_on(self, event: Event) -> None:
        name = event.headers.get("uniqueid", "")
        if event.name == "Newchannel":
            self.channels[name] = _Channel(dict(event.headers), event)
        here = self.channels.get(name)
        if here is not None:
            shown = ("channelstate", "calleridnum", "calleridname", "connectedlinenum", "connectedlinename", "exten", "context", "linkedid")
            here.headers |= {key: event.headers[key] for key in shown if key in event.headers}
        if event.name == "DialBegin" and event.headers.get("destuniqueid", "") in self.channels:
            self.channels[event.headers["destuniqueid"]].headers["applicationdata"] = "(Outgoing Line)"
        if event.name == "BridgeEnter" and here is not None:
            here.bridge = event.headers["bridgeuniqueid"]
        elif event.name == "BridgeLeave" and here is not None:
            here.bridge = ""
        elif event.name == "Hangup":
            self.channels.pop(name, None)
            self.waiting.pop(name, None)
        elif event.name == "QueueCallerJoin":
            self.waiting[name] = (event.headers["queue"], event)
            if here is not None:
                here.headers |= {"application": "Queue", "applicationdata": event.headers["queue"] + ",tT,,,120"}
        elif event.name == "QueueCallerLeave":
            self.waiting.pop(name, None)


def snapshot(before: list[Event]) -> Iterator[Event]:
    """Yield the answers of a switch to which all this has happened."""
    world = _World()
    for event in before:
        world.goes_on(event)
    now = next((event.at for event in reversed(before) if event.at), None)
    yield Event("FullyBooted", {"event": "FullyBooted", "uptime": "86400"}, now)
    for channel in world.channels.values():
        yield Event("CoreShowChannel", {**_listed(channel, now), "event": "CoreShowChannel"}, now)
    yield Event("CoreShowChannelsComplete", {"listitems": str(len(world.channels))}, now)
    for name, (queue, joined) in world.waiting.items():
        wait = str(int((now - joined.at).total_seconds())) if now and joined.at else "0"
        yield Event("QueueEntry", {"event": "QueueEntry", "queue": queue, "uniqueid": name, "wait": wait}, now)


def _listed(channel: _Channel, now: object) -> dict[str, str]:
    age = now - channel.began.at if channel.began.at and now else timedelta()  # type: ignore[operator]
    seconds = int(age.total_seconds())
    duration = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return {**channel.headers, "duration": duration, "bridgeid": channel.bridge}


def play(heard: Iterable[Event]) -> replay.Played:
    """Return what a floor makes of the events; raises what it would only log."""
    played = replay.Played()
    for event in heard:
        played.keep(played.floor._heard(event))
    played.finish()
    return played


def outcome(played: replay.Played) -> list[tuple[object, ...]]:
    """Return of each call what every figure hangs on."""
    return [_of(call) for call in played.in_order()]


def _of(call: LiveCall) -> tuple[object, ...]:
    moves = tuple((move["type"], move["by"], move["answered"]) for move in facts.transfers(call))
    return (call.key, facts.direction(call), facts.caller_number(call), facts.called(call), call.queue, facts.answered_by(call),
            facts.final_agent(call), facts.disposition(call), moves)
