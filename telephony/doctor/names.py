"""Do the names on the switch mean what Ringdesk takes them for?"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from telephony.doctor.facts import Facts
from telephony.doctor.finding import Finding, Fix, ok, unseen, warning, wrong

DIALPLAN = 'asterisk -rx "dialplan reload"'
OWN_CONTEXTS = ("ringdesk-record", "ringdesk-withheld", "parkedcalls", "default")


def trunks(facts: Facts) -> Iterator[Finding]:
    """Do calls from the provider begin in a context that counts as outside?"""
    rules, visit = facts.switch.trunk_contexts, facts.visit
    met = {context: endpoint for (endpoint, context), count in facts.evidence.inbound.items() if count}
    met |= {context: endpoint for endpoint, context in visit.trunks.items()}
    strange = sorted(context for context in met if not _outside(context, rules))
    if strange:
        yield wrong("trunks", "strange", _trunk_lines(facts, strange), contexts=strange, endpoints={met[one] for one in strange}, rules=rules)
    elif met:
        yield ok("trunks", "ok", contexts=sorted(met))
    elif visit.dialplan is None:
        if visit.inside:
            yield unseen("trunks", "unseen", rules=rules)
    elif not any(_outside(step.context, rules) for step in visit.dialplan):
        known = {step.context for step in visit.dialplan} - set(OWN_CONTEXTS)
        yield wrong("trunks", "none", _trunk_lines(facts, ["…"]), rules=rules, contexts=known)
    else:
        yield ok("trunks", "ok", contexts={step.context for step in visit.dialplan if _outside(step.context, rules)})


def _outside(context: str, rules: tuple[str, ...]) -> bool:
    return any(fnmatchcase(context, rule) for rule in rules)


def _trunk_lines(facts: Facts, more: list[str]) -> Fix:
    listed = ", ".join(f'"{one}"' for one in (*facts.switch.trunk_contexts, *more) if '"' not in one)
    return Fix("ringdesk.toml", ("[[switches]]", f'name = "{facts.switch.name}"', f"trunk_contexts = [{listed}]"))


def queues(facts: Facts) -> Iterator[Finding]:
    """Does each queue of the switch have its branch and its name here?"""
    if not facts.desk.known:
        yield unseen("queues", "away")
        return
    if facts.visit.queues is None:
        return
    there = (frozenset(facts.visit.queues) | facts.evidence.queues) - {"default"}
    unknown, gone = there - facts.desk.queues, facts.desk.queues - there
    if unknown:
        yield warning("queues", "unknown", Fix("psql", tuple(_on_file(facts.switch.name, name) for name in sorted(unknown))), queues=unknown)
    if gone:
        yield warning("queues", "gone", queues=gone)
    if not unknown and not gone:
        yield ok("queues", "ok", count=len(there))


def _on_file(switch: str, name: str) -> str:
    """The statement that gives a queue its branch; a quote in a name stays part of it."""
    switch, name = switch.replace("'", "''"), name.replace("'", "''")
    return (f"insert into phone_line (switch, kind, name, label, branch_id) "  # noqa: S608  shown to a person, never run
            f"select '{switch}', 'queue', '{name}', '{name}', id from branch where code = '…';")


def seats(facts: Facts) -> Iterator[Finding]:
    """Does somebody sit at each phone that the queues ring?"""
    if not facts.desk.known or not facts.visit.inside or facts.visit.queues is None:
        return
    rung = {member.interface: facts.names.extension(_device(member.interface)) for member in facts.visit.members}
    odd = {interface for interface, extension in rung.items() if extension is None}
    empty = {extension for extension in rung.values() if extension} - facts.desk.seats
    if odd:
        yield warning("seats", "odd", interfaces=odd, pattern=facts.switch.extension_pattern)
    if empty:
        yield warning("seats", "empty", extensions=empty)
    if not odd and not empty:
        yield ok("seats", "ok", count=len(rung))


def _device(interface: str) -> str:
    """`Local/1002@from-queue/n`, as FreePBX names members, is the phone 1002."""
    technology, slash, rest = interface.partition("/")
    return f"{technology}{slash}{rest.partition('@')[0]}" if technology == "Local" else interface


def recording(facts: Facts) -> Iterator[Finding]:
    """Are calls recorded under names that can be found again?"""
    plan, pbx = facts.visit.dialplan, facts.visit.pbx
    if plan is None:
        return
    name = facts.switch.name
    call = Fix("extensions.conf", ('#include "extensions_ringdesk.conf"', "[globals]", f"RINGDESK_PBX = {name}", "[from-…]",
                                   "exten => …,n,Gosub(ringdesk-record,s,1)"), DIALPLAN)
    if not any(step.context == "ringdesk-record" for step in plan):
        yield warning("recording", "missing", call)
    elif pbx != name:
        yield wrong("recording", "pbx", Fix("extensions.conf", ("[globals]", f"RINGDESK_PBX = {name}"), DIALPLAN), pbx=pbx or "—", name=name)
    elif not _calls(facts, "ringdesk-record") and not facts.evidence.recordings:
        yield warning("recording", "unused", call)
    else:
        yield ok("recording", "ok", pbx=name, seen=facts.evidence.recordings)


def _calls(facts: Facts, subroutine: str) -> bool:
    return any(subroutine in step.data for step in facts.visit.dialplan or () if step.context != subroutine)


def withheld(facts: Facts) -> Iterator[Finding]:
    """Is it told when a caller does not want the number to be seen?"""
    lines = Fix("extensions.conf", ('#include "extensions_ringdesk.conf"', "[from-…]", "exten => …,1,Gosub(ringdesk-withheld,s,1)"), DIALPLAN)
    snippet = Fix("extensions_ringdesk.conf", (
        "[ringdesk-withheld]",
        'exten => s,1,GotoIf($["${CALLERID(num-pres):0:6}" != "prohib"]?done)',
        " same => n,UserEvent(RingdeskWithheld,Presentation: ${CALLERID(num-pres)})",
        " same => n(done),Return()",
    ), DIALPLAN)
    seen = facts.evidence.withheld
    if facts.visit.dialplan is None:
        if facts.visit.inside or seen:
            yield ok("withheld", "seen", lines, snippet, seen=seen) if seen else unseen("withheld", "unseen", lines, snippet)
    elif _calls(facts, "ringdesk-withheld"):
        yield ok("withheld", "called", seen=seen)
    elif facts.switch.shows_withheld:
        yield warning("withheld", "waived", lines, snippet)
    else:
        yield wrong("withheld", "missing", lines, snippet)


def forged(facts: Facts) -> Iterator[Finding]:
    """Is it stopped at the door when a caller writes lines into the switch's stream?"""
    sbc = Fix("kamailio.cfg", ('if ($fu =~ "%0[adAD]" || $(hdr(P-Asserted-Identity)) =~ "%0[adAD]"', '    || $(hdr(Remote-Party-ID)) =~ "%0[adAD]") {',
                               '    sl_send_reply("400", "Bad caller");', "    exit;", "}"), "systemctl restart kamailio")
    firewall = Fix("/etc/iptables/rules.v4", tuple(
        f'-A INPUT -p {protocol} --dport 5060 -m string --algo bm --icase --string "%0{letter}" -j DROP'
        for protocol in ("udp", "tcp") for letter in "da"), "netfilter-persistent reload")
    pjsip = Fix("pjsip.conf", ("[global]", "type = global", "endpoint_identifier_order = auth_username,username,ip", "; [anonymous]: no such endpoint",
                               "[trunk]", "type = endpoint", "identify_by = ip", "[trunk]", "type = identify", "endpoint = trunk", "match = …"),
                'asterisk -rx "pjsip reload"')
    count = max(facts.evidence.doubts, facts.desk.doubted)
    yield (warning("forged", "seen", sbc, firewall, pjsip, count=count) if count else ok("forged", "none", sbc, firewall, pjsip))
