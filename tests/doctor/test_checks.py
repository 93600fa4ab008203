"""What the doctor makes of what it is told: one row, one fact, one finding."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.core.config import SwitchSettings
from telephony.doctor import CHECKS, examine
from telephony.doctor.conf import Conf
from telephony.doctor.door import parsed
from telephony.doctor.facts import Desk, Evidence, Facts, Member, Place, Step, Visit
from telephony.doctor.finding import Finding, Verdict

PLAN = (
    Step("from-trunk", "_X.", "Gosub", "ringdesk-withheld,s,1"),
    Step("from-trunk", "_X.", "Gosub", "ringdesk-record,s,1"),
    Step("from-trunk", "_X.", "Queue", "support,tT"),
    Step("ringdesk-record", "s", "MixMonitor", "${RINGDESK_FILE},b"),
    Step("ringdesk-withheld", "s", "Return", ""),
)
RIGHTS = {"Ping": (), "CoreShowChannels": ("system", "reporting", "all"), "Getvar": ("call", "reporting", "all")}
EVENTS = {"Newchannel": 9, "Newstate": 30, "Hangup": 9, "DialBegin": 9, "DialEnd": 9, "BridgeEnter": 8, "BridgeLeave": 8,
          "QueueCallerJoin": 6, "QueueCallerLeave": 6, "Cdr": 9}
HEARD = Evidence(
    events=Counter(EVENTS), classes=Counter(system=2, call=80, agent=40, user=6, cdr=9), stamped=137,
    inbound=Counter({("trunk", "from-trunk"): 6}), queues=frozenset({"support"}), unanswered=1, recordings=6,
)  # fmt: skip
ACTS = {"Originate": ("originate", "all"), "QueuePause": ("agent", "all"), "BlindTransfer": ("call", "all"), "Ping": (),
        "Hangup": ("system", "call", "all"), "MixMonitorMute": ("system", "call", "all")}
INSIDE = Visit(
    outcome="in", banner="11.0.0", booted=True, twice=True, commands=RIGHTS, queues=("support",), dialplan=PLAN, pbx="pbx1",
    settings={"asteriskversion": "22.10.1", "systemname": "", "corecdrenabled": "Yes"}, trunks={"trunk": "from-trunk"},
    members=(Member("support", "Ada", "PJSIP/1001"),), offset=0.02, doubt=0.001, actor="in", acts=ACTS,
)  # fmt: skip
WELL = Facts(
    SwitchSettings(name="pbx1", recordings=Path("/mnt/pbx1"), actor_username="actor", actor_secret="s"), INSIDE, HEARD, desk=Desk(frozenset({"support"}), frozenset({"1001"})),
    recordings=Place("/mnt/pbx1/pbx1", ours=40), vault=Place("/data/vault"), journal=Place("/data/journal/pbx1"),
    queue_log=Place("/mnt/log/queue_log", age=timedelta(minutes=3)),
)  # fmt: skip


def visited(**more: Any) -> Facts:
    return replace(WELL, visit=replace(INSIDE, **more))


def heard(events: dict[str, int] | None = None, classes: dict[str, int] | None = None, **more: Any) -> Facts:
    new = replace(HEARD, events=Counter(EVENTS | (events or {})), classes=Counter(dict(HEARD.classes) | (classes or {})), **more)
    return replace(WELL, evidence=new)


def version(said: str, **more: Any) -> Facts:
    return visited(settings={"asteriskversion": said}, **more)


def found(facts: Facts) -> dict[str, Verdict]:
    return {finding.code: finding.verdict for finding in examine(facts)}


def test_a_switch_that_is_set_up_well_has_nothing_to_change() -> None:
    answers = found(WELL)
    assert {code for code, verdict in answers.items() if verdict is not Verdict.OK} == {"writetimeout.unseen"}
    assert len(answers) == len(CHECKS)


CASES: list[tuple[str, Verdict, Facts]] = [
    ("reach.away", Verdict.WRONG, replace(WELL, visit=Visit(why="Connection refused"))),
    ("reach.silent", Verdict.WRONG, replace(WELL, visit=Visit("silent"))),
    ("reach.stranger", Verdict.WRONG, replace(WELL, visit=Visit("stranger", "SSH-2.0"))),
    ("reach.cut", Verdict.WRONG, replace(WELL, visit=Visit("cut", "reset"))),
    ("login.refused", Verdict.WRONG, replace(WELL, visit=Visit("refused", "Authentication failed"))),
    ("login.in-use", Verdict.WARNING, replace(WELL, visit=Visit("in-use"))),
    ("version.mute-deadlock", Verdict.WRONG, version("18.18.0")),
    ("version.mute-deadlock", Verdict.WRONG, version("20.4.0")),
    ("version.lock-up", Verdict.WARNING, version("22.9.0")),
    ("version.originate", Verdict.WARNING, version("20.9.1")),
    ("version.originate", Verdict.WRONG, version("21.4.1", commands={"Originate": ("originate", "all")})),
    ("version.originate", Verdict.WARNING, version("certified/18.9-cert10")),
    ("version.old", Verdict.WARNING, version("16.28.0~dfsg-0+deb11u3")),
    ("version.unseen", Verdict.UNSEEN, version("")),
    ("rights.grave", Verdict.WARNING, visited(commands={"Command": ("command", "all")})),
    ("rights.refused", Verdict.WRONG, visited(refused=frozenset({"CoreShowChannels"}))),
    ("recordings.link", Verdict.UNSEEN, replace(WELL, recordings=None, switch=replace(WELL.switch, recordings=None, recordings_url="sftp://u@pbx/m"))),
    ("actor.refused", Verdict.WRONG, visited(actor="refused", acts={})),
    ("actor.unseen", Verdict.UNSEEN, visited(actor="", acts={})),
    ("actor.grave", Verdict.WARNING, visited(acts=ACTS | {"Command": ("command", "all")})),
    ("actor.missing", Verdict.WRONG, visited(acts={name: classes for name, classes in ACTS.items() if name != "MixMonitorMute"})),
    ("twice.no", Verdict.WARNING, visited(twice=False)),
    ("clock.off", Verdict.WARNING, visited(offset=-1.5)),
    ("clock.far", Verdict.WRONG, visited(offset=3600.0)),
    ("clock.ok", Verdict.OK, visited(offset=1.5, doubt=0.8)),
    ("clock.unseen", Verdict.UNSEEN, visited(offset=None)),
    ("systemname.missing", Verdict.WRONG, replace(WELL, switches=2)),
    ("systemname.twin", Verdict.WRONG, replace(WELL, switches=2, twins=("pbx2",))),
    ("classes.system", Verdict.WRONG, visited(booted=False)),
    ("classes.call", Verdict.WRONG, heard(classes={"call": 0})),
    ("classes.cdr", Verdict.WARNING, heard(classes={"cdr": 0})),
    ("classes.agent", Verdict.WARNING, heard(classes={"agent": 0})),
    ("classes.unseen", Verdict.UNSEEN, heard(classes={"user": 0})),
    ("hidden.lost", Verdict.WRONG, heard({"Newstate": 0})),
    ("hidden.unseen", Verdict.UNSEEN, heard({"Newchannel": 0, "Hangup": 1})),
    ("flood.classes", Verdict.WARNING, heard({"VarSet": 60, "Newexten": 40}, {"dialplan": 100})),
    ("flood.unseen", Verdict.UNSEEN, replace(WELL, evidence=Evidence())),
    ("stamps.off", Verdict.WARNING, heard(stamped=0, bare=137)),
    ("stamps.unseen", Verdict.UNSEEN, heard(stamped=0)),
    ("cel.no-mailbox", Verdict.OK, WELL),
    ("cel.off", Verdict.WARNING, visited(dialplan=(*PLAN, Step("from-trunk", "9", "VoiceMail", "2000")))),
    ("cel.unseen", Verdict.UNSEEN, replace(WELL, visit=replace(INSIDE, dialplan=None), evidence=Evidence())),
    ("cdr.off", Verdict.WARNING, replace(visited(settings={"asteriskversion": "22.10.1", "corecdrenabled": "No"}))),
    ("cdr.unseen", Verdict.UNSEEN, heard(unanswered=0)),
    ("queuelog.unset", Verdict.UNSEEN, replace(WELL, queue_log=None)),
    ("queuelog.unreadable", Verdict.WRONG, replace(WELL, queue_log=Place("/mnt/log/queue_log", there=False))),
    ("queuelog.away", Verdict.WRONG, replace(WELL, queue_log=Place("sftp://u@pbx/log/queue_log", why="pbx:22 does not let u in."))),
    ("queuelog.ok", Verdict.OK, replace(WELL, queue_log=Place("sftp://u@pbx/log/queue_log", age=timedelta(hours=1)))),
    ("files.away", Verdict.WRONG, replace(WELL, fetched={"cel": Place("sftp://u@pbx/log/cel", why="sftp://u@pbx/log/cel is not there.")})),
    ("files.ok", Verdict.OK, replace(WELL, fetched={"cel": Place("sftp://u@pbx/log/cel", age=timedelta(hours=1))})),
    ("queuelog.stale", Verdict.WARNING, replace(WELL, queue_log=Place("/mnt/log/queue_log", age=timedelta(days=30)))),
    ("trunks.strange", Verdict.WRONG, visited(trunks={"sip-provider": "incoming"})),
    ("trunks.strange", Verdict.WRONG, heard(inbound=Counter({("sip-provider", "incoming"): 3}))),
    ("trunks.none", Verdict.WRONG, replace(heard(inbound=Counter()), visit=replace(INSIDE, trunks={}, dialplan=(Step("in", "s", "Queue", "a"),)))),
    ("trunks.unseen", Verdict.UNSEEN, replace(heard(inbound=Counter()), visit=replace(INSIDE, trunks={}, dialplan=None))),
    ("queues.unknown", Verdict.WARNING, visited(queues=("support", "sales"))),
    ("queues.gone", Verdict.WARNING, replace(WELL, desk=Desk(frozenset({"support", "old"}), frozenset({"1001"})))),
    ("queues.away", Verdict.UNSEEN, replace(WELL, desk=Desk(known=False))),
    ("seats.empty", Verdict.WARNING, replace(WELL, desk=Desk(frozenset({"support"}), frozenset()))),
    ("seats.ok", Verdict.OK, visited(members=(Member("support", "Ada", "Local/1001@from-queue/n"),))),
    ("seats.odd", Verdict.WARNING, visited(members=(Member("support", "Ada", "PJSIP/ada"),))),
    ("recording.missing", Verdict.WARNING, visited(dialplan=PLAN[:1])),
    ("recording.pbx", Verdict.WRONG, visited(pbx="other")),
    ("recording.unused", Verdict.WARNING, replace(visited(dialplan=PLAN[3:]), evidence=replace(HEARD, recordings=0))),
    ("withheld.missing", Verdict.WRONG, visited(dialplan=PLAN[1:4])),
    ("withheld.waived", Verdict.WARNING, replace(visited(dialplan=PLAN[1:4]), switch=replace(WELL.switch, shows_withheld=True))),
    ("withheld.unseen", Verdict.UNSEEN, visited(dialplan=None)),
    ("withheld.seen", Verdict.OK, replace(visited(dialplan=None), evidence=replace(HEARD, withheld=2))),
    ("forged.seen", Verdict.WARNING, heard(doubts=3)),
    ("forged.seen", Verdict.WARNING, replace(WELL, desk=replace(WELL.desk, doubted=2))),
    ("recordings.unset", Verdict.UNSEEN, replace(WELL, recordings=None)),
    ("recordings.missing", Verdict.WRONG, replace(WELL, recordings=Place("/mnt/pbx1", there=False))),
    ("recordings.unreadable", Verdict.WRONG, replace(WELL, recordings=Place("/mnt/pbx1", readable=False))),
    ("recordings.strange", Verdict.WARNING, replace(WELL, recordings=Place("/mnt/pbx1", strange=7))),
    ("recordings.empty", Verdict.OK, replace(WELL, recordings=Place("/mnt/pbx1"))),
    ("recordings.low", Verdict.WARNING, replace(WELL, recordings=Place("/mnt/pbx1", ours=1, free=2**31))),
    ("vault.unwritable", Verdict.WRONG, replace(WELL, vault=Place("/data/vault", writable=False))),
    ("vault.low", Verdict.WRONG, replace(WELL, vault=Place("/data/vault", free=1000))),
    ("journal.unwritable", Verdict.WRONG, replace(WELL, journal=Place("/data/journal", writable=False))),
    ("journal.low", Verdict.WARNING, replace(WELL, journal=Place("/data/journal", free=2**31))),
]  # fmt: skip


@pytest.mark.parametrize(("code", "verdict", "facts"), CASES, ids=[f"{n}-{case[0]}" for n, case in enumerate(CASES)])
def test_each_fault_is_found(code: str, verdict: Verdict, facts: Facts) -> None:
    assert found(facts).get(code) is verdict


CONF = {
    "manager.conf": "[general]\ntimestampevents = yes ; the switch's clock\n#include \"manager.d/*.conf\"\n",
    "manager.d/ringdesk.conf": "[listener]\nsecret = a;b\nwritetimeout = 5000\neventfilter = !^Event: VarSet\n",
    "cel.conf": "[general]\nenable = yes\napps = voicemail,queue\n[manager]\nenabled = yes\n",
    "cdr.conf": "[general]\nunanswered = yes\n[csv]\nloguniqueid = yes\nnewcdrcolumns = yes\n",
    "logger.conf": "[general]\nqueue_log = yes\n",
    "queues.conf": "[base](!)\nstrategy = ringall\n[support](base)\n[general]\n",
}  # fmt: skip
CONF_CASES = [
    ("writetimeout.ok", "ok", {}),
    ("writetimeout.short", "wrong", {"manager.d/ringdesk.conf": "[listener]\nread = call\n"}),
    ("writetimeout.short", "wrong", {"manager.d/ringdesk.conf": "[quick](!)\nwritetimeout = 200\n[listener](quick)\n"}),
    ("writetimeout.unseen", "unseen", {"manager.d/ringdesk.conf": "[other]\n"}),
    ("stamps.ok", "ok", {}),
    ("stamps.off", "warning", {"manager.conf": "[general]\n; timestampevents = yes\n"}),
    ("hidden.loose", "wrong", {"manager.d/ringdesk.conf": "[listener]\neventfilter=!Event: VarSet\n"}),
    ("cel.ok", "ok", {}),
    ("cel.apps", "warning", {"cel.conf": "[general]\nenable=yes\napps=queue\n[manager]\nenabled=yes\n"}),
    ("cel.off", "warning", {"cel.conf": "[general]\nenable=yes\napps=all\n"}),
    ("cdr.ok", "ok", {}),
    ("cdr.unanswered", "warning", {"cdr.conf": "[general]\nenable = yes\n"}),
    ("cdr.nameless", "warning", {"cdr.conf": "[general]\nunanswered = yes\n[csv]\nloguniqueid = yes\n"}),
    ("cdr.off", "warning", {"cdr.conf": "[general]\nenable = no\n"}),
    ("queuelog.off", "warning", {"logger.conf": "[general]\nqueue_log => no\n"}),
    ("queuelog.names", "warning", {"queues.conf": "[general]\nlog_membername_as_agent = yes\n"}),
]


@pytest.mark.parametrize(("code", "verdict", "changed"), CONF_CASES)
def test_files_of_the_switch_are_read_where_they_are_mounted(code: str, verdict: str, changed: dict[str, str], tmp_path: Path) -> None:
    for name, content in (CONF | changed).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")

    assert found(replace(WELL, conf=Conf(tmp_path))).get(code) == verdict


def test_an_include_never_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.conf").write_text("[listener]\nwritetimeout = 1\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "manager.conf").write_text('#include "../secret.conf"\n#include "manager.conf"\n[listener]\nread = call\n')
    conf = Conf(tmp_path / "etc")
    assert (conf.value("manager.conf", "listener", "writetimeout"), conf.value("manager.conf", "listener", "read")) == (None, "call")


@pytest.mark.parametrize(("said", "number"), [
    ("22.10.1+dfsg+~cs6.17.60671434-1", ((22, 10, 1), 0)), ("certified-20.7-cert2", ((20, 7, 0), 2)), ("16.28.0~dfsg", ((16, 28, 0), 0)),
    ("GIT-master-1a2b", None), ("", None),
])  # fmt: skip
def test_versions_are_read_as_they_are_written(said: str, number: object) -> None:
    assert parsed(said) == number


def test_a_certified_build_with_the_correction_is_not_blamed() -> None:
    assert found(version("certified-20.7-cert2")).get("version.ok") is Verdict.OK


def test_a_name_with_a_quote_stays_one_name() -> None:
    unknown, = (f for f in examine(visited(queues=("support", "o'neill'); drop table call; --"))) if f.code == "queues.unknown")
    assert "'o''neill''); drop table call; --'" in unknown.fixes[0].lines[0]


def test_what_is_kept_is_plain() -> None:
    import json

    assert json.loads(json.dumps([finding.plain() for finding in examine(WELL)]))[0]["check"] == "reach"
    assert isinstance(examine(WELL)[0], Finding)
