"""The pretended switch over a socket: who may come in, what it answers, and a call that rings when it is told to."""

import asyncio
import hashlib
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from telephony.simulator import Scenario, Simulator
from telephony.simulator.__main__ import main
from telephony.simulator.control import ask

SECRET = "correct horse"


class Client:
    """A bare AMI client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> "Client":
        client = cls(*await asyncio.open_connection("127.0.0.1", port))
        assert await client.reader.readline() == b"Asterisk Call Manager/11.0.0\r\n"
        return client

    async def frame(self) -> dict[str, str]:
        """The next message."""
        raw = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        return {k: v for k, _, v in (line.partition(": ") for line in raw.decode().split("\r\n") if line)}

    async def until(self, event: str, **wanted: str) -> dict[str, str]:
        """The next event of that name with these headers."""
        while True:
            frame = await self.frame()
            if frame.get("Event") == event and all(frame.get(k) == v for k, v in wanted.items()):
                return frame

    async def say(self, **headers: str) -> dict[str, str]:
        """The response to an action."""
        self.writer.write("".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n")
        while True:
            frame = await self.frame()
            if "Response" in frame:
                return frame

    async def login(self) -> None:
        assert (await self.say(Action="Login", Username="listener", Secret=SECRET))["Response"] == "Success"
        await self.until("FullyBooted")


def quiet(play: Callable[[Simulator, Client], Awaitable[None]], **kwargs: object) -> None:
    """Runs `play` beside a switch on which nobody rings by himself."""

    async def go() -> None:
        async with Simulator(Scenario(**kwargs), secret=SECRET, arrivals=False) as simulator:  # type: ignore[arg-type]
            client = await Client.connect(simulator.port)
            await play(simulator, client)
            client.writer.close()

    asyncio.run(asyncio.wait_for(go(), 20))


def test_a_challenge_is_answered_and_a_wrong_key_is_refused() -> None:
    async def play(simulator: Simulator, client: Client) -> None:
        challenge = (await client.say(Action="Challenge", AuthType="MD5"))["Challenge"]
        key = hashlib.md5(f"{challenge}{SECRET}".encode()).hexdigest()
        answer = await client.say(Action="Login", Username="listener", AuthType="MD5", Key=key, ActionID="7")
        assert answer == {"Response": "Success", "ActionID": "7", "Message": "Authentication accepted"}

        stranger = await Client.connect(simulator.port)
        refused = await stranger.say(Action="Login", Username="listener", AuthType="MD5", Key=key)
        assert refused == {"Response": "Error", "Message": "Authentication failed"}
        assert await stranger.reader.read() == b""

    quiet(play)


def test_before_the_sign_in_nothing_is_told() -> None:
    async def play(simulator: Simulator, client: Client) -> None:
        assert (await client.say(Action="CoreShowChannels"))["Message"] == "Permission denied"
        await ask(simulator.control_port, {"verb": "ring", "number": "13800001001", "extension": "801"})
        assert (await client.say(Action="Ping"))["Message"] == "Permission denied"

    quiet(play)


def test_a_call_rings_one_phone_when_told_and_the_lists_tell_the_truth() -> None:
    async def play(simulator: Simulator, client: Client) -> None:
        await client.login()
        order = {"verb": "ring", "number": "13800001001", "name": "陈晓明", "extension": "801"}
        linkedid = (await ask(simulator.control_port, order))["call"]
        ringing = await client.until("Newstate", ChannelStateDesc="Ringing")
        assert (ringing["CallerIDNum"], ringing["ConnectedLineNum"], ringing["ConnectedLineName"]) == ("801", "13800001001", "陈晓明")

        await client.say(Action="CoreShowChannels")
        channels = [await client.until("CoreShowChannel") for _ in range(2)]
        assert {c["Linkedid"] for c in channels} == {linkedid}
        assert (await client.until("CoreShowChannelsComplete"))["ListItems"] == "2"
        assert (await client.say(Action="CoreStatus"))["CoreCurrentCalls"] == "2"

        await ask(simulator.control_port, {"verb": "answer", "call": linkedid, "extension": "801"})
        await client.until("BridgeEnter", BridgeNumChannels="2")
        await ask(simulator.control_port, {"verb": "hangup", "call": linkedid, "extension": "agent"})
        assert (await client.until("Hangup", Uniqueid=linkedid))["Cause"] == "16"
        truth = (await ask(simulator.control_port, {"verb": "truths"}))["truths"][0]
        assert (truth["disposition"], truth["answered_by"], truth["hangup_by"]) == ("answered", "801", "agent")

    quiet(play)


def test_another_agent_takes_the_call_when_told() -> None:
    async def play(simulator: Simulator, client: Client) -> None:
        await client.login()
        linkedid = (await ask(simulator.control_port, {"verb": "ring", "number": "13800001001", "queue": "support"}))["call"]
        for _ in range(3):
            await client.until("DialState", DialStatus="RINGING")
        await client.say(Action="QueueStatus", Queue="support")
        assert (await client.until("QueueEntry"))["Uniqueid"] == linkedid
        await ask(simulator.control_port, {"verb": "answer", "call": linkedid, "extension": "802"})
        assert (await client.until("AgentConnect"))["MemberName"] == "Ben 本"
        elsewhere = {(await client.until("Hangup", Cause="26"))["CallerIDNum"] for _ in range(2)}
        assert elsewhere == {"801", "803"}

    quiet(play)


def test_a_caller_who_is_told_to_hang_up_has_abandoned() -> None:
    async def play(simulator: Simulator, client: Client) -> None:
        await client.login()
        linkedid = (await ask(simulator.control_port, {"verb": "ring", "queue": "support"}))["call"]
        await client.until("DialState")
        await ask(simulator.control_port, {"verb": "hangup", "call": linkedid})
        await client.until("QueueCallerAbandon", Uniqueid=linkedid)
        assert (await client.until("Hangup", Uniqueid=linkedid))["Cause"] == "0"

    quiet(play)


def test_a_bad_order_is_answered_with_what_would_be_right() -> None:
    async def play(simulator: Simulator, client: Client) -> None:
        no_phone = await ask(simulator.control_port, {"verb": "ring", "extension": "999"})
        assert no_phone == {"ok": False, "why": "No phone 999. The phones are 801, 802, 803, 804."}
        assert not (await ask(simulator.control_port, {"verb": "answer", "call": "1.1", "extension": "801"}))["ok"]
        assert not (await ask(simulator.control_port, {"verb": "dance"}))["ok"]

    quiet(play)


def test_the_recording_appears_only_when_the_call_is_over(tmp_path: Path) -> None:
    async def play(simulator: Simulator, client: Client) -> None:
        await client.login()
        order = {"verb": "ring", "number": "13800001001", "extension": "801", "after": 1, "talk": 3}
        linkedid = (await ask(simulator.control_port, order))["call"]
        name = (await client.until("UserEvent"))["RecordingFile"]
        await client.until("BridgeEnter", BridgeNumChannels="2")
        assert not (tmp_path / name).exists()
        await client.until("Hangup", Uniqueid=linkedid)
        for _ in range(100):
            if (tmp_path / name).exists():
                break
            await asyncio.sleep(0.05)
        assert (tmp_path / name).stat().st_size == pytest.approx(44 + 3 * 16000, abs=100)

    quiet(play, recordings=tmp_path, speed=4.0)


def test_an_empty_secret_or_a_taken_port_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("RINGDESK_SWITCH_SECRET", raising=False)
    assert main(["--port", "0"]) == 1
    assert capsys.readouterr().err == "The variable RINGDESK_SWITCH_SECRET is empty. Put the AMI secret into it.\n"

    monkeypatch.setenv("RINGDESK_SWITCH_SECRET", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port), "--control-port", "0"]) == 1
    assert capsys.readouterr().err.startswith(f"The simulated switch cannot start on 127.0.0.1:{port}: ")
