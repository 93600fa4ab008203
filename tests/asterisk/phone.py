"""A telephone for tests: dials, rings, answers after a while or is busy, talks, hangs up. No authentication, no transfer."""

import socket
import threading
import time
from dataclasses import dataclass

from tests.asterisk.rtp import Stream
from tests.asterisk.sip import AGENT, Message, media_port, offer, response, token


@dataclass(frozen=True)
class Behaviour:
    """What a phone does with a call: answer after so many seconds (None: let it ring), or refuse with a SIP status."""

    answer_after: float | None = None
    refuse: int | None = None
    reason: str = "Busy Here"


RINGS = Behaviour()
BUSY = Behaviour(refuse=486)
REJECTS = Behaviour(refuse=603, reason="Decline")


class Call:
    """One call at this phone. `state` goes calling -> ringing -> up -> ended; some are skipped."""

    ORDER = ("calling", "ringing", "up", "ended")

    def __init__(self, phone: "Phone", call_id: str, incoming: bool) -> None:
        self.phone, self.call_id, self.incoming = phone, call_id, incoming
        self.state, self.status = "calling", 0
        self.stream = Stream(f"{phone.user}/{call_id}")
        self.local = self.remote = self.target = ""
        self.invite: Message | None = None
        self.tag, self.cseq = token(), 1
        self._changed = threading.Condition()

    def becomes(self, state: str) -> None:
        """The call is in that state and whoever waits for it knows."""
        with self._changed:
            if self.ORDER.index(state) > self.ORDER.index(self.state):
                self.state = state
                self._changed.notify_all()
        if state == "ended":
            self.phone.forget(self)

    def wait(self, state: str, timeout: float = 10.0) -> "Call":
        """The call has reached that state; raises AssertionError when it does not in time."""
        with self._changed:
            reached = self._changed.wait_for(lambda: self.ORDER.index(self.state) >= self.ORDER.index(state), timeout)
        assert reached, f"{self.phone.user}: still {self.state} after {timeout} s, wanted {state}"
        return self

    def answer(self) -> None:
        """The ringing call is taken."""
        assert self.invite is not None
        if self.state == "ringing":
            self.phone.reply(self, 200, "OK", sdp=True)
            self.becomes("up")

    def hang_up(self) -> None:
        """The call is over, whatever its state."""
        if self.state == "up":
            self.phone.request(self, "BYE")
        elif self.state != "ended":
            if self.incoming:
                self.phone.reply(self, 486, "Busy Here")
            else:
                self.phone.cancel(self)
        self.becomes("ended")


class Phone:
    """A SIP telephone on a loopback port."""

    def __init__(self, user: str, port: int, pbx_port: int) -> None:
        self.user, self.pbx = user, ("127.0.0.1", pbx_port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.behaviour = RINGS
        self.calls: dict[str, Call] = {}
        self.past: list[Call] = []
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    # what a test says

    def answers_after(self, seconds: float) -> None:
        """Calls that come are taken after so long."""
        self.behaviour = Behaviour(answer_after=seconds)

    def dial(self, number: str, *, user: str | None = None, name: str | None = None, asserted: str | None = None) -> Call:
        """A call to the switch is on its way, as `user` with that display name; `asserted` is who it is, told in confidence."""
        call = Call(self, token(), incoming=False)
        shown = "" if name is None else '"{}" '.format(name.replace("\\", "\\\\").replace('"', '\\"'))
        host = "anonymous.invalid" if user == "anonymous" else "127.0.0.1"
        call.local = f"{shown}<sip:{user or self.user}@{host}>;tag={call.tag}"
        call.target = f"sip:{number}@127.0.0.1:{self.pbx[1]}"
        call.remote = f"<{call.target}>"
        self.calls[call.call_id] = call
        call.invite = self._build(call, "INVITE", offer(call.stream.port))
        if asserted:
            call.invite.headers += [("p-asserted-identity", f"<sip:{asserted}@127.0.0.1>"), ("privacy", "id")]
        self._send(call.invite)
        return call

    def ringing(self, timeout: float = 10.0) -> Call:
        """The call that rings here now; raises AssertionError when none does in time."""
        with self._arrived:
            found = self._arrived.wait_for(lambda: any(c.state == "ringing" for c in list(self.calls.values())), timeout)
        assert found, f"{self.user} did not ring within {timeout} s"
        return next(c for c in list(self.calls.values()) if c.state == "ringing")

    def close(self) -> None:
        """All calls are hung up and the port is free."""
        for call in list(self.calls.values()):
            call.hang_up()
        time.sleep(0.05)
        self._socket.close()

    # what calls need

    def reply(self, call: Call, status: int, reason: str, *, sdp: bool = False) -> None:
        """The call's INVITE is answered."""
        assert call.invite is not None
        body = offer(call.stream.port) if sdp else ""
        self._send(response(call.invite, status, reason, tag=call.tag, contact=self._contact, sdp=body))

    def request(self, call: Call, method: str) -> None:
        """A request within the call is sent."""
        call.cseq += 1
        self._send(self._build(call, method))

    def cancel(self, call: Call) -> None:
        """The call that was not answered yet is taken back."""
        assert call.invite is not None
        headers = [(n, v.replace("INVITE", "CANCEL") if n == "cseq" else v) for n, v in call.invite.headers
                   if n not in ("content-type", "contact")]
        self._send(Message(call.invite.start.replace("INVITE", "CANCEL", 1), headers))

    def forget(self, call: Call) -> None:
        """The call is history here."""
        if self.calls.pop(call.call_id, None) is not None:
            self.past.append(call)
            call.stream.close()

    # the wire

    @property
    def _contact(self) -> str:
        return f"<sip:{self.user}@127.0.0.1:{self.port}>"

    def _send(self, message: Message) -> None:
        self._socket.sendto(message.encode(), self.pbx)

    def _build(self, call: Call, method: str, body: str = "") -> Message:
        headers = [("via", f"SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{token()}"), ("max-forwards", "70"),
                   ("from", call.local), ("to", call.remote), ("call-id", call.call_id),
                   ("cseq", f"{call.cseq} {method}"), ("contact", self._contact), ("user-agent", AGENT)]
        if body:
            headers.append(("content-type", "application/sdp"))
        return Message(f"{method} {call.target} SIP/2.0", headers, body)

    def _listen(self) -> None:
        while True:
            try:
                data = self._socket.recv(65535)
            except OSError:
                return
            if data.strip():
                self._heard(Message.parse(data))

    def _heard(self, message: Message) -> None:
        call = self.calls.get(message.get("call-id"))
        if message.status:
            if call is not None and message.method == "INVITE":
                self._outcome(call, message)
        elif message.method == "INVITE":
            self._invited(call, message)
        elif message.method != "ACK":
            self._told(call, message)

    def _outcome(self, call: Call, answer: Message) -> None:
        call.status = answer.status
        if answer.status < 200:
            if answer.status >= 180:
                call.becomes("ringing")
            return
        call.remote = answer.get("to")
        if answer.status < 300:
            contact = answer.get("contact")
            call.target = contact[contact.find("<") + 1:contact.find(">")] if "<" in contact else call.target
            self._send(self._build(call, "ACK"))
            self._talk(call, answer)
            return
        assert call.invite is not None
        ack = self._build(call, "ACK")
        ack.start = call.invite.start.replace("INVITE", "ACK", 1)
        ack.headers = [("via", call.invite.get("via")) if n == "via" else (n, v) for n, v in ack.headers]
        self._send(ack)
        call.becomes("ended")

    def _invited(self, call: Call | None, invite: Message) -> None:
        if call is not None and call.invite is not None and call.invite.branch != invite.branch and call.state == "up":
            self._send(response(invite, 200, "OK", tag=call.tag, contact=self._contact, sdp=offer(call.stream.port)))
            return
        if call is not None:
            return                                        # the same INVITE again: our answer is on its way
        call = Call(self, invite.get("call-id"), incoming=True)
        call.invite, call.remote, call.local = invite, invite.get("from"), f"{invite.get('to')};tag={call.tag}"
        contact = invite.get("contact")
        call.target = contact[contact.find("<") + 1:contact.find(">")]
        self.calls[call.call_id] = call
        self._behave(call, self.behaviour)

    def _behave(self, call: Call, behaviour: Behaviour) -> None:
        if behaviour.refuse:
            self.reply(call, behaviour.refuse, behaviour.reason)
            call.becomes("ended")
            return
        self.reply(call, 180, "Ringing")
        call.becomes("ringing")
        with self._arrived:
            self._arrived.notify_all()
        assert call.invite is not None
        self._prepare(call, call.invite)
        if behaviour.answer_after is not None:
            timer = threading.Timer(behaviour.answer_after, call.answer)
            timer.daemon = True
            timer.start()

    def _prepare(self, call: Call, message: Message) -> None:
        port = media_port(message.body)
        if port is None:
            return
        threading.Thread(target=lambda: call.wait("up", 600).stream.start(port), daemon=True).start()

    def _talk(self, call: Call, answer: Message) -> None:
        port = media_port(answer.body)
        if port is not None:
            call.stream.start(port)
        call.becomes("up")

    def _told(self, call: Call | None, request: Message) -> None:
        self._send(response(request, 200, "OK", tag=call.tag if call else token(), contact=self._contact))
        if call is not None and request.method in ("BYE", "CANCEL"):
            if request.method == "CANCEL":
                self.reply(call, 487, "Request Terminated")
            call.becomes("ended")
