"""Who listens in is no customer's agent: by the order of the desk, or by what the switch says of it."""

from datetime import UTC, datetime, timedelta

from telephony import facts
from telephony.event import Event
from telephony.floor import Change, Floor
from telephony.news import current, news

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SPY = {"channel": "PJSIP/1009-00000003", "uniqueid": "1795395600.3", "linkedid": "1795395600.3"}


def said(floor: Floor, name: str, second: int, **headers: str) -> list[Change]:
    return floor.hear(Event(name, {"event": name.lower(), **headers}, AT + timedelta(seconds=second)))


def listens(floor: Floor, uniqueid: str, *, tells: bool = True) -> list[Change]:
    """Ordered at phone 1009: it rings, is picked up, and hears the talk at 1001."""
    own = SPY | {"uniqueid": uniqueid, "linkedid": uniqueid}
    changes = said(floor, "Newchannel", 0, **own, channelstate="0", calleridnum="", exten="s", context="internal")
    changes += said(floor, "NewCallerid", 0, **own, calleridnum="1001")
    changes += said(floor, "DialBegin", 0, **{f"dest{name}": value for name, value in own.items()})
    changes += said(floor, "Newstate", 1, **own, channelstate="5")
    changes += said(floor, "Newstate", 2, **own, channelstate="6")
    if tells:
        spyee = {"spyeechannel": "PJSIP/1001-00000001", "spyeeuniqueid": "1795395600.1", "spyeelinkedid": "1795395600.0"}
        changes += said(floor, "ChanSpyStart", 2, **{f"spyer{name}": value for name, value in own.items()}, **spyee)
    return changes + said(floor, "Hangup", 30, **own, cause="16")


def test_an_order_to_listen_is_known_before_the_phone_rings() -> None:
    floor = Floor()
    floor.listens_in("ringdesk-1795395600-7")

    changes = listens(floor, "ringdesk-1795395600-7", tells=False)

    assert {change.new.role for change in changes} == {"supervision"}
    assert [item.leg for change in changes for item in news(change)] == [None]  # only that it ended, for whoever had a pop
    call = changes[-1].new
    assert (facts.direction(call), facts.called(call), facts.agent(call), facts.disposition(call)) == ("internal", "1001", "1009", "answered")
    assert not list(current(changes[-2].new, AT))


def test_who_dials_a_code_is_told_by_the_switch() -> None:
    floor = Floor()
    call = listens(floor, "1795395600.3")[-1].new
    assert (call.role, facts.direction(call)) == ("supervision", "internal")
    assert not floor.calls and floor.live_ids == 0


def test_nobody_who_is_only_named_becomes_a_call() -> None:
    floor = Floor()
    assert said(floor, "ChanSpyStart", 0, **{f"spyer{name}": value for name, value in SPY.items()}) == []
    assert not floor.calls
