"""What the doctor found, in the reader's language: a title, what was found, and why it matters, by code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

VERDICT: Mapping[str, LazyString] = {
    "ok": _l("OK"),
    "unseen": _l("Not seen"),
    "warning": _l("Warning"),
    "wrong": _l("Wrong"),
}
ORDER = ("wrong", "warning", "unseen", "ok")
TITLE: Mapping[str, LazyString] = {
    "reach": _l("Switch answers"),
    "login": _l("Sign-in of the listener"),
    "version": _l("Version"),
    "rights": _l("Rights of the listener"),
    "actor": _l("Rights of the actor"),
    "twice": _l("Signing in twice"),
    "clock": _l("Clock"),
    "systemname": _l("System name"),
    "classes": _l("Classes of events"),
    "hidden": _l("Event filters"),
    "flood": _l("Events nobody reads"),
    "stamps": _l("Time of events"),
    "writetimeout": _l("Patience with the listener"),
    "cel": _l("CEL for voicemail"),
    "cdr": _l("Unanswered calls in CDR"),
    "queuelog": _l("Queue log"),
    "files": _l("Files of the switch"),
    "trunks": _l("Contexts of the provider"),
    "queues": _l("Queues"),
    "seats": _l("Phones and people"),
    "recording": _l("Recording in the dialplan"),
    "withheld": _l("Withheld numbers"),
    "forged": _l("Forged lines"),
    "recordings": _l("Folder of recordings"),
    "vault": _l("Vault"),
    "journal": _l("Journal"),
}
WHY: Mapping[str, LazyString] = {
    "reach": _l("Without the switch nothing rings on a screen and no call is written down."),
    "login": _l("Only a signed-in listener is told what happens at the phones."),
    "version": _l("Some versions hang or let strangers in, however well they are set up."),
    "rights": _l("Whoever learns this secret can do all that the user may; even with few rights, callers can be thrown out of a queue, so permit one address only."),
    "actor": _l("Dialling, passing on, pausing an agent or a recording are refused by the switch when a right is missing; system, command and config give the whole machine away."),
    "twice": _l("After a cut the switch may hold the dead connection for a while, and a listener that stands by would be kept out."),
    "clock": _l("Calls get the switch's time and tickets get ours; deadlines and reports mix both."),
    "systemname": _l("Ids of channels are counted anew on each switch; without a name in them two switches give the same one."),
    "classes": _l("What is not sent is not known: no ringing, no queue, no end of a call."),
    "hidden": _l("A call whose end is filtered away would ring for ever."),
    "flood": _l("Each needless event takes its time on both sides, and pops wait behind it."),
    "stamps": _l("With the switch's own time waiting and talk stay right even when events come late."),
    "writetimeout": _l("The switch throws a listener out that is busy for longer than this; the default is a tenth of a second."),
    "cel": _l("Without it a caller who leaves a message looks like one who gave up."),
    "cdr": _l("Calls of a gap that nobody answered can only be found there."),
    "queuelog": _l("What happened in the queues while the listener was down stands nowhere else."),
    "files": _l("Without them no gap is filled."),
    "trunks": _l("A call that does not begin outside counts as internal, and pops for nobody."),
    "queues": _l("A queue without a branch belongs to the headquarters, and its figures to nobody else."),
    "seats": _l("A phone at which nobody sits opens no pop, and its calls are credited to nobody."),
    "recording": _l("A recording is found again by its name, which says the switch, the day and the channel."),
    "withheld": _l("The number arrives all the same, and no event says that the caller does not want it shown."),
    "forged": _l("A caller can write lines into what the switch sends, through the From header; the dialplan runs too late to stop it."),
    "recordings": _l("Without it calls have no voice here, however well the switch records them."),
    "vault": _l("A recording that cannot be kept waits at the switch until the switch deletes it."),
    "journal": _l("The listener stops rather than hear what it cannot write down."),
}
SAID: Mapping[str, LazyString] = {
    "reach.ok": _l("An Asterisk answers at %(host)s:%(port)s."),
    "reach.away": _l("Nobody answers at %(host)s:%(port)s (%(why)s). Check the address, the firewall, and that AMI is switched on."),
    "reach.silent": _l("%(host)s:%(port)s takes the connection and says nothing. Check that AMI is switched on there and not overloaded."),
    "reach.stranger": _l("What answers at %(host)s:%(port)s is not AMI; it says “%(said)s”. Correct host and port."),
    "reach.cut": _l("%(host)s:%(port)s hung up in the midst of it (%(why)s)."),
    "login.ok": _l("%(user)s is let in."),
    "login.refused": _l("%(user)s is refused (%(why)s). Name, secret or permitted address is wrong."),
    "login.in-use": _l("%(user)s is in already and is not let in a second time; what needs an answer was not looked at, the rest comes from the journal."),
    "version.ok": _l("Asterisk %(version)s, AMI %(ami)s; nothing bad is known of it."),
    "version.unseen": _l("The switch does not tell its version (AMI %(banner)s)."),
    "version.mute-deadlock": _l("Asterisk %(version)s hangs when the recording of a call is paused that is not recorded. Take the newest release of its branch."),
    "version.lock-up": _l("Asterisk %(version)s is reported to lock up under load. Take the newest release of its branch."),
    "version.originate": _l("In Asterisk %(version)s a user with the right originate can run programs (CVE-2024-42365). Take 18.24.2, 20.9.2, 21.4.2 or anything newer."),
    "version.old": _l("Asterisk %(version)s gets no more corrections. Plan the step to a branch that does."),
    "rights.ok": _l("It may ask and not act."),
    "actor.ok": _l("It may do what the desk asks for, and no more."),
    "actor.refused": _l("%(user)s is not let in. Correct actor_username and actor_secret, or the secret at the switch."),
    "actor.unseen": _l("The switch does not tell what the user may do."),
    "actor.grave": _l("It may do more than it needs: %(rights)s."),
    "actor.missing": _l("%(actions)s is not allowed to it; the class %(rights)s is missing."),
    "rights.unseen": _l("The switch does not tell what the user may do."),
    "rights.refused": _l("%(actions)s is refused. Without it calls that end in a gap stay open."),
    "rights.grave": _l("It may act too: %(rights)s. Listening needs none of these; give acting a user of its own."),
    "twice.ok": _l("A second listener can stand by."),
    "twice.no": _l("The switch lets the user in only once."),
    "clock.ok": _l("Both agree to within %(most)s s."),
    "clock.off": _l("The switch is %(offset)s s off (give or take %(doubt)s s). Let both follow the same time server."),
    "clock.far": _l("The switch is %(offset)s s off: calls land in the wrong hour. Let both follow the same time server."),
    "clock.unseen": _l("The switch does not tell its time."),
    "systemname.ok": _l("Its ids begin with “%(name)s”."),
    "systemname.single": _l("None, and with one switch none is needed."),
    "systemname.missing": _l("It has none, and %(count)s switches are set up. It takes a restart in a quiet hour."),
    "systemname.twin": _l("Its name “%(name)s” is also that of %(others)s."),
    "classes.ok": _l("All come: %(classes)s."),
    "classes.system": _l("Nothing of class system comes, or a filter hides FullyBooted: a restart of the switch would not be noticed."),
    "classes.call": _l("Nothing of class call comes, though calls are made."),
    "classes.cdr": _l("Calls end and no Cdr comes."),
    "classes.agent": _l("Queues ring phones and nothing of class agent comes."),
    "classes.unseen": _l("Not heard yet: %(classes)s. Let a call through a queue ring and look again."),
    "hidden.ok": _l("Nothing that is needed is filtered away."),
    "hidden.lost": _l("These never come, though their partners do: %(events)s. Remove the filter that hides them."),
    "hidden.loose": _l("These filters match anywhere in an event: %(filters)s. A caller who has that text in the name becomes invisible; tie them to the beginning."),
    "hidden.unseen": _l("Too few calls were heard to tell."),
    "flood.ok": _l("%(events)s events looked at, all of a kind that was asked for."),
    "flood.classes": _l("%(share)s %% of all events are of classes that nobody reads: %(classes)s. Do not ask for them, or filter their events."),
    "flood.unseen": _l("Too few events were heard to tell."),
    "stamps.ok": _l("Events carry the switch's time."),
    "stamps.off": _l("%(events)s events came without the switch's time."),
    "stamps.unseen": _l("No event came yet that would show it."),
    "writetimeout.ok": _l("%(ms)s ms."),
    "writetimeout.short": _l("%(ms)s ms: a moment of a busy machine, and the listener is thrown out."),
    "writetimeout.unseen": _l("AMI does not tell it. See that the line stands in the section of %(user)s, or mount the switch's configuration and name it as etc."),
    "cel.ok": _l("It is told when somebody speaks to a mailbox."),
    "cel.no-mailbox": _l("The dialplan has no mailbox, so none is needed."),
    "cel.off": _l("CEL does not come over AMI."),
    "cel.apps": _l("CEL comes, but not of VoiceMail."),
    "cel.unseen": _l("Not heard yet. Leave a message in a mailbox and look again."),
    "cdr.ok": _l("They are written."),
    "cdr.off": _l("CDR is switched off."),
    "cdr.unanswered": _l("Only answered calls are written."),
    "cdr.nameless": _l("Its rows do not name their calls, so that none of them can be used."),
    "cdr.unseen": _l("None was heard yet. On the switch `cdr show status` tells it too."),
    "queuelog.ok": _l("%(path)s can be read."),
    "queuelog.off": _l("The switch does not write it."),
    "queuelog.unset": _l("It cannot be read from here. Mount it and name it in the settings, or let it be fetched by SFTP (files_url)."),
    "queuelog.away": _l("It cannot be fetched by SFTP: %(why)s"),
    "queuelog.unreadable": _l("%(path)s is not there or may not be read."),
    "queuelog.stale": _l("Nothing was written to %(path)s for %(days)s days."),
    "files.ok": _l("They can be fetched by SFTP: %(paths)s."),
    "files.away": _l("Not all of them can be fetched by SFTP: %(why)s"),
    "queuelog.names": _l("It writes names of people in place of devices; two of one name cannot be told apart, and none can be tied to a phone for certain."),
    "trunks.ok": _l("Calls from outside begin in %(contexts)s."),
    "trunks.strange": _l("Calls by %(endpoints)s begin in %(contexts)s, which does not count as outside (%(rules)s)."),
    "trunks.none": _l("No context of the dialplan counts as outside (%(rules)s). It has: %(contexts)s."),
    "trunks.unseen": _l("The dialplan may not be seen, and no call from outside was heard yet (%(rules)s)."),
    "queues.ok": _l("Each of %(count)s has its branch."),
    "queues.unknown": _l("Nobody said whose these are: %(queues)s. Give each its branch and a name that people know."),
    "queues.gone": _l("On file here, and not on the switch: %(queues)s. Renamed, or not loaded?"),
    "queues.away": _l("The database is away; queues and seats were not compared."),
    "seats.ok": _l("Somebody sits at each of %(count)s phones that queues ring."),
    "seats.empty": _l("Nobody sits at %(extensions)s. Whoever does signs in, opens the own name at the top right and types the number."),
    "seats.odd": _l("Not a phone's number by the pattern %(pattern)s: %(interfaces)s. Correct extension_pattern of this switch."),
    "recording.ok": _l("Recordings are named %(pbx)s/…; %(seen)s were announced lately."),
    "recording.missing": _l("The subroutine ringdesk-record is not there."),
    "recording.unused": _l("The subroutine ringdesk-record is there and nobody calls it."),
    "recording.pbx": _l("Recordings are named “%(pbx)s”, but this switch is “%(name)s” in the settings."),
    "withheld.called": _l("The dialplan tells it; %(seen)s such calls came lately."),
    "withheld.seen": _l("It is told; %(seen)s such calls came lately."),
    "withheld.missing": _l("The dialplan does not tell it, so that the number would be shown. A firm that may see it sets shows_withheld for this switch."),
    "withheld.waived": _l("The dialplan does not tell it, and shows_withheld says that this is settled: whoever withholds the number is shown with it."),
    "withheld.unseen": _l("The dialplan may not be seen, and no such call was heard yet."),
    "forged.none": _l("None was heard. Keep them out all the same: by a rule at the session border controller, or at the firewall where SIP is not encrypted."),
    "forged.seen": _l("%(count)s frames were kept back so far. Stop them at the session border controller, or at the firewall where SIP is not encrypted."),
    "recordings.ok": _l("%(path)s holds %(count)s recordings of the last days; %(free)s GiB are free."),
    "recordings.empty": _l("%(path)s can be read and holds no recording yet; %(free)s GiB are free."),
    "recordings.link": _l("They are fetched from %(url)s; the page Recordings says when that cannot be done."),
    "recordings.unset": _l("No folder is named for this switch."),
    "recordings.missing": _l("%(path)s does not exist. Mount the switch's monitor folder there."),
    "recordings.unreadable": _l("%(path)s may not be read. Give this user the right, or mount it so that it has it."),
    "recordings.strange": _l("%(path)s holds %(count)s recordings, none under this switch's name."),
    "recordings.low": _l("%(path)s has %(free)s GiB left."),
    "vault.ok": _l("%(path)s can be written; %(free)s GiB are free."),
    "vault.unwritable": _l("%(path)s cannot be written. Give this user the right, or free the disk."),
    "vault.low": _l("%(path)s has %(free)s GiB left. Free some, or shorten how long recordings are kept."),
    "journal.ok": _l("%(path)s can be written; %(free)s GiB are free."),
    "journal.unwritable": _l("%(path)s cannot be written. Give this user the right, or free the disk."),
    "journal.low": _l("%(path)s has %(free)s GiB left."),
}


@dataclass(frozen=True)
class Told:
    """One finding as a person reads it."""

    verdict: str
    label: str
    title: str
    said: str
    why: str
    fixes: tuple[Mapping[str, Any], ...]


def told(finding: Mapping[str, Any]) -> Told:
    """The finding in the language of the request."""
    check, code, verdict = str(finding["check"]), str(finding["code"]), str(finding["verdict"])
    values = {name: value or "—" for name, value in dict(finding.get("values") or {}).items()}
    return Told(
        verdict=verdict,
        label=str(VERDICT.get(verdict, verdict)),
        title=str(TITLE.get(check, check)),
        said=str(SAID[code]) % values if code in SAID else code,
        why=str(WHY.get(check, "")),
        fixes=tuple(finding.get("fixes") or ()),
    )


def in_order(findings: Iterable[Mapping[str, Any]]) -> list[Told]:
    """The worst first, and among equals in the order of the checks."""
    return sorted((told(one) for one in findings), key=lambda one: ORDER.index(one.verdict) if one.verdict in ORDER else 0)


def counts(findings: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many of each verdict, the worst first, those of which there are none left out."""
    listed = [str(one["verdict"]) for one in findings]
    return {verdict: listed.count(verdict) for verdict in ORDER if verdict in listed}
