"""Our dialplan and AMI users on a real Asterisk, and the pretended switch beside it."""

import re
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from telephony.simulator import Agent, Caller, Queue, Scenario
from telephony.simulator.day import Day
from telephony.simulator.plan import Plan
from tests.asterisk.ami_tap import Frame, Tap
from tests.asterisk.lab import HOTLINE, STAFF, Lab
from tests.asterisk.phone import BUSY, RINGS, Call

pytestmark = pytest.mark.asterisk
NAME = re.compile(r"pbx1/20\d\d/\d\d/\d\d/\d{9,11}\.\d+\.1\.wav")


@pytest.fixture(autouse=True)
def quiet_phones(asterisk: Lab) -> None:
    """Each test begins with phones that only ring."""
    for phone in (*map(asterisk.phone, STAFF), asterisk.customers):
        phone.behaviour = RINGS


def talk(asterisk: Lab, seconds: float, *, number: str = "+441632960381", name: str | None = "Maria", did: str = HOTLINE) -> Call:
    """A customer's call that was answered, talked so long, and was hung up by the customer."""
    call = asterisk.call_in(number, name, did).wait("up")
    asterisk.phone("1001").ringing().wait("up")
    time.sleep(seconds)
    call.hang_up()
    return call


def settled(lab: Lab, name: str) -> Path:
    """The recording, once Asterisk has finished writing it."""
    path = lab.recordings_dir / name
    size = -1
    for _ in range(50):
        if path.exists() and path.stat().st_size == size:
            return path
        size = path.stat().st_size if path.exists() else -1
        time.sleep(0.1)
    raise AssertionError(f"{name} was not finished")


def loudness(path: Path) -> tuple[float, float]:
    """Seconds and RMS of a recording."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        return file.getnframes() / file.getframerate(), float(np.sqrt(np.mean(samples**2)))


def test_a_call_is_recorded_under_a_name_of_our_own_and_both_sides_are_on_it(asterisk: Lab) -> None:
    asterisk.phone("1001").answers_after(0.5)
    with Tap(asterisk) as tap:
        customer = talk(asterisk, 2.0)

    call, = tap.calls()
    assert (call["answered_by"], call["agents_rung"], call["hangup_by"]) == ("1001", ["1001", "1002"], "caller")
    assert call["talk_seconds"] == pytest.approx(2.0, abs=0.3)
    assert NAME.fullmatch(call["recording"])
    seconds, rms = loudness(settled(asterisk, call["recording"]))
    assert seconds == pytest.approx(2.0, abs=0.4)
    assert rms > 0.01
    assert customer.stream.loudness > 0.01
    assert asterisk.phone("1001").past[-1].stream.loudness > 0.01


def test_nothing_a_caller_says_is_in_a_file_name(asterisk: Lab) -> None:
    asterisk.phone("1001").answers_after(0.2)
    before = set(asterisk.recordings())
    for number, name in (("..%2F..%2Fevil", "../../evil; rm -rf /"), ("1$(reboot)", "`id`|x,b,touch /tmp/x"), ("anonymous", "Anonymous")):
        talk(asterisk, 0.5, number=number, name=name)
        time.sleep(0.3)

    made = set(asterisk.recordings()) - before
    assert len(made) == 3
    assert all(NAME.fullmatch(str(path)) for path in made)


def test_a_call_to_a_customer_is_recorded_on_the_customers_channel(asterisk: Lab) -> None:
    asterisk.customers.answers_after(0.3)
    with Tap(asterisk) as tap:
        call = asterisk.phone("1002").dial("+441632960999").wait("up")
        time.sleep(1.0)
        call.hang_up()

    heard, = tap.calls()
    assert (heard["direction"], heard["agent"], heard["called"]) == ("outbound", "1002", "+441632960999")
    trunk_leg = heard["uniqueids"][-1]
    assert heard["recording"].endswith(f"/{trunk_leg}.1.wav")
    assert loudness(settled(asterisk, heard["recording"]))[1] > 0.01


def test_a_caller_who_gives_up_leaves_a_bare_header(asterisk: Lab) -> None:
    with Tap(asterisk) as tap:
        call = asterisk.call_in("+441632960381", "Abel").wait("up")
        asterisk.phone("1002").ringing()
        call.hang_up()
        asterisk.phone("1002").past and asterisk.phone("1002").past[-1].wait("ended")

    heard, = tap.calls()
    assert (heard["disposition"], heard["answered_by"]) == ("abandoned", None)
    assert settled(asterisk, heard["recording"]).stat().st_size == 44


def test_a_busy_phone_is_heard_as_busy(asterisk: Lab) -> None:
    asterisk.phone("1003").behaviour = BUSY
    with Tap(asterisk) as tap:
        asterisk.call_in("+441632960381", None, "+442079461003").wait("ended")

    heard, = tap.calls()
    assert heard["disposition"] == "busy"


def test_no_event_of_ours_has_a_header_twice(asterisk: Lab) -> None:
    asterisk.phone("1001").answers_after(0.2)
    with Tap(asterisk) as tap:
        talk(asterisk, 0.3)

    ours = [f for f in tap.frames() if ("UserEvent", "RingdeskRecording") in f]
    assert len(ours) == 1
    for frame in tap.frames():
        keys = [key.lower() for key, _ in frame]
        assert len(keys) == len(set(keys)), frame


@pytest.mark.parametrize(("user", "action", "allowed"), [
    ("listener", "CoreShowChannels", True), ("listener", "QueueStatus", True), ("listener", "CoreStatus", True),
    ("listener", "Hangup\r\nChannel: x", False), ("listener", "Originate\r\nChannel: x", False),
    ("actor", "Command\r\nCommand: core show version", False), ("actor", "MixMonitor\r\nChannel: x", False),
])
def test_each_ami_user_may_do_its_own_and_no_more(asterisk: Lab, user: str, action: str, allowed: bool) -> None:
    with asterisk.ami(user) as link:
        link.settimeout(3)
        link.sendall(f"Action: {action}\r\nActionID: probe\r\n\r\n".encode())
        heard = b""
        while b"ActionID: probe" not in heard or not heard.endswith(b"\r\n\r\n"):
            heard += link.recv(65536)

    assert (b"Permission denied" not in heard) is allowed


def test_a_killed_switch_starts_again_and_takes_calls(asterisk: Lab) -> None:
    asterisk.kill()
    asterisk.start()
    asterisk.phone("1001").answers_after(0.2)

    talk(asterisk, 0.3)


def test_the_pretended_switch_speaks_as_the_real_one_does(asterisk: Lab) -> None:
    asterisk.phone("1001").answers_after(0.5)
    with Tap(asterisk) as tap:
        talk(asterisk, 1.0)
    real, pretended = tap.frames(), _pretended_hotline_call()

    assert _order(pretended) == _order(real)
    shapes = _shapes(real)
    said = _shapes(pretended)
    assert set(said) - set(shapes) <= RACING  # the test switch sends no DeviceStateChange: that shape is not compared yet
    for event in set(said) & set(shapes):
        assert said[event] == shapes[event], event


def _pretended_hotline_call() -> list[Frame]:
    said: list[bytes] = []
    queue = Queue("support", HOTLINE, "ringall", ("1001", "1002"))
    staff = tuple(Agent(e, n) for e, n in STAFF.items())
    day = Day(Scenario(agents=staff, queues=(queue,), recordings=Path("unused")), time.time(), said.append, arrivals=False)
    day.begin(Plan("answered", Caller("+441632960381", "Maria"), queue=queue, answer_by="1001", answer_after=0.5, talk=1.0))
    day.finish()
    return [[(k, v) for k, _, v in (line.partition(": ") for line in frame.decode().split("\r\n") if line)] for frame in said]


# Several threads of a real switch race for these, so that their places differ from call to call.
RACING = {"DeviceStateChange", "QueueMemberStatus", "Cdr", "MusicOnHoldStart", "MusicOnHoldStop", "DialState", "FullyBooted",
          "Hangup", "BridgeLeave", "SoftHangupRequest", "BridgeDestroy", "Newstate", "NewConnectedLine"}


def _order(frames: list[Frame]) -> list[str]:
    return [frame[0][1] for frame in frames if frame[0][1] not in RACING]


def _shapes(frames: list[Frame]) -> dict[str, set[str]]:
    """Header names by event; TechCause and Cause are there or not depending on how a real phone hung up."""
    found: dict[str, set[str]] = {}
    for frame in frames:
        found.setdefault(frame[0][1], set()).update(key for key, _ in frame if key not in ("TechCause", "Cause"))
    return found


def test_a_number_that_its_caller_withholds_is_told_to_nobody(asterisk: Lab) -> None:
    """The provider says who it is all the same, in confidence."""
    asterisk.phone("1001").answers_after(0.3)
    with Tap(asterisk) as tap:
        call = asterisk.customers.dial(HOTLINE, user="anonymous", name="Anonymous", asserted="+441632960777").wait("up")
        asterisk.phone("1001").ringing().wait("up")
        call.hang_up()

    heard, = tap.calls()
    assert (heard["caller_number"], heard["caller_name"], heard["answered_by"]) == ("anonymous", None, "1001")
