"""What the ear makes of queues' members and phones, and how an order becomes an action: tables without a switch."""

from datetime import UTC, datetime
from typing import Any

import pytest

from telephony import acts
from telephony.acts import Order, Refused
from telephony.event import Event
from telephony.floor import Floor
from telephony.members import Members
from telephony.phones import Phones
from telephony.switch import Switch

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def event(name: str, **headers: str) -> Event:
    return Event(name, {key.lower(): value for key, value in headers.items()}, AT)


def member(name: str, queue: str = "support", **more: str) -> Event:
    return event(name, **{"Queue": queue, "Interface": "PJSIP/1001", "Status": "1", "Paused": "0", "Membership": "static"} | more)


def test_members_are_told_only_when_they_change_and_go_when_a_list_lacks_them() -> None:
    members = Members(Switch())
    assert len(members.hear(member("QueueMemberStatus"))) == 1
    assert members.hear(member("QueueMemberStatus")) == []
    paused, = members.hear(member("QueueMemberPause", Paused="1", PausedReason="ACW"))
    assert (paused.extension, paused.paused, paused.reason) == ("1001", True, "ACW")
    free, = members.hear(member("QueueMemberPause"))
    assert (free.paused, free.reason) == (False, "")
    other = members.hear(member("QueueMemberAdded", Interface="PJSIP/1002", Membership="dynamic"))
    assert other[0].dynamic

    members.hear(event("QueueParams", Queue="support"))
    members.hear(member("QueueMember"))
    gone = members.hear(event("QueueStatusComplete"))
    assert [(one.interface, one.gone) for one in gone] == [("PJSIP/1002", True)]
    assert [one.gone for one in members.hear(member("QueueMemberRemoved"))] == [True]
    assert members.hear(member("QueueMemberRemoved")) == []
    assert members.all == {}


@pytest.mark.parametrize(("interface", "state", "extension"), [
    ("PJSIP/1001", "PJSIP/1001", "1001"), ("Local/1001@from-queue/n", "PJSIP/1001", "1001"),
    ("Local/1001@from-queue/n", "hint:1001@ext-local", "1001"), ("SIP/1001", "", "1001"),
])
def test_the_phone_behind_a_member(interface: str, state: str, extension: str) -> None:
    found, = Members(Switch()).hear(member("QueueMemberAdded", Interface=interface, StateInterface=state))
    assert found.extension == extension


def channel(uniqueid: str, name: str, state: str, context: str = "internal", linkedid: str = "1.1", exten: str = "s") -> dict[str, str]:
    return {"Channel": name, "ChannelState": state, "Context": context, "Exten": exten, "Uniqueid": uniqueid, "Linkedid": linkedid,
            "CallerIDNum": "13800001001"}


def heard(*events: Event) -> tuple[Floor, list[tuple[str, str, bool]]]:
    """The floor, and each phone's news."""
    floor, phones, told = Floor(), Phones(), []
    for one in events:
        for change in floor.hear(one):
            told += [(doing.extension, doing.phase, doing.customer) for doing in phones.hear(change)]
    return floor, told


TRUNK = event("Newchannel", **channel("1.1", "PJSIP/trunk-00000001", "4", "from-trunk", exten="02150800100"))
PHONE = event("Newchannel", **channel("1.2", "PJSIP/1001-00000002", "0"))
DIAL = event("DialBegin", **channel("1.1", "PJSIP/trunk-00000001", "4", "from-trunk"),
             **{f"Dest{k}": v for k, v in channel("1.2", "PJSIP/1001-00000002", "0").items()})
RING = event("Newstate", **channel("1.2", "PJSIP/1001-00000002", "5"))
UP = event("Newstate", **channel("1.2", "PJSIP/1001-00000002", "6"))
HOLD, BACK = (event(name, **channel("1.2", "PJSIP/1001-00000002", "6")) for name in ("Hold", "Unhold"))
ENDS = [event("Hangup", **channel(i, n, "6"), Cause="16") for i, n in (("1.2", "PJSIP/1001-00000002"), ("1.1", "PJSIP/trunk-00000001"))]


def test_a_phone_rings_talks_holds_and_is_idle_again() -> None:
    _, told = heard(TRUNK, PHONE, DIAL, RING, UP, HOLD, BACK, *ENDS)

    assert told == [("1001", "ringing", True), ("1001", "talking", True), ("1001", "hold", True), ("1001", "talking", True),
                    ("1001", "idle", False)]


def order(kind: str, **args: Any) -> Order:
    return Order(7, kind, args.pop("extension", "1001"), args, "ringdesk-1-7", "PJSIP/1001")


def sent(one: Order) -> tuple[str, dict[str, str], str]:
    floor, _ = heard(TRUNK, PHONE, DIAL, RING, UP)
    name, fields, leg = acts.action(one, floor.calls, f"PJSIP/{one.extension}")
    return name, dict(fields), leg


def test_a_number_is_dialled_from_the_phone_of_the_order_in_a_fixed_context() -> None:
    name, fields, _ = sent(order("dial", number="+8613800001001", name="恒通"))

    assert name == "Originate"
    assert fields == {"Channel": "PJSIP/1001", "Context": "internal", "Exten": "+8613800001001", "Priority": "1", "Timeout": "30000",
                      "CallerID": '"恒通" <+8613800001001>', "ChannelId": "ringdesk-1-7", "Async": "true"}


@pytest.mark.parametrize(("kind", "wanted"), [
    ("hangup", ("Hangup", "PJSIP/1001-00000002", "1.2")), ("blind", ("BlindTransfer", "PJSIP/1001-00000002", "1.2")),
    ("atxfer", ("Atxfer", "PJSIP/1001-00000002", "1.2")), ("park", ("Park", "PJSIP/trunk-00000001", "1.1")),
])
def test_only_the_legs_of_the_own_call_are_touched(kind: str, wanted: tuple[str, str, str]) -> None:
    name, fields, leg = sent(order(kind, call_key="1.1", to="1003"))
    assert (name, fields["Channel"], leg) == wanted


@pytest.mark.parametrize(("one", "code"), [
    (order("hangup", call_key="1.1", extension="1002"), "not-yours"), (order("blind", call_key="9.9", to="1003"), "call-over"),
    (order("blind", call_key="1.1", to="1003&x"), "bad-number"), (order("dial", number="1003,Set(x)"), "bad-number"),
    (order("listen", target="PJSIP/1001"), "bad-number"), (order("queue_add", queue="a\r\nb"), "bad-queue"),
])
def test_what_is_refused_before_it_is_sent(one: Order, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        sent(one)
    assert refusal.value.code == code


@pytest.mark.parametrize(("kind", "success", "message", "wanted"), [
    ("dial", True, "Originate successfully queued", ("accepted", "")),
    ("queue_add", False, "Unable to add interface: Already there", ("confirmed", "")),
    ("queue_remove", False, "Unable to remove interface: Not there", ("confirmed", "")),
    ("queue_add", False, "Unable to add interface to queue: No such queue", ("failed", "refused")),
    ("park", False, "Permission denied", ("failed", "no-right")),
    ("park", False, "Invalid/unknown command: Park.", ("failed", "unknown-action")),
])
def test_what_an_answer_means(kind: str, success: bool, message: str, wanted: tuple[str, str]) -> None:
    assert acts.answered(order(kind), success, message) == wanted


@pytest.mark.parametrize(("kind", "said", "wanted"), [
    ("dial", event("OriginateResponse", ActionID="ringdesk-order-7", Response="Success", Reason="4"), ("confirmed", "")),
    ("dial", event("OriginateResponse", ActionID="ringdesk-order-7", Response="Failure", Reason="5"), ("failed", "phone-busy")),
    ("dial", event("OriginateResponse", ActionID="ringdesk-order-7", Response="Failure", Reason="0"), ("soon", "phone-away")),
    ("dial", event("OriginateResponse", ActionID="ringdesk-order-8", Response="Success", Reason="4"), None),
    ("dial", event("Hangup", Uniqueid="ringdesk-1-7", Cause="17"), ("failed", "phone-busy")),
    ("pause", member("QueueMemberPause", Paused="1"), ("confirmed", "")),
    ("pause", member("QueueMemberPause"), None),
    ("unpause", member("QueueMemberPause"), ("confirmed", "")),
    ("unpause", member("QueueMemberPause", Interface="PJSIP/1002"), None),
])
def test_what_an_event_means(kind: str, said: Event, wanted: tuple[str, str] | None) -> None:
    assert acts.outcome(order(kind), said) == wanted
