"""A real Asterisk with forty phones that take everything, and SIPp that calls it: each caller has a number of its own."""

import re
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.asterisk.lab import Lab

HERE = Path(__file__).parent
PHONES = 40
DIDS = ("+442079460190", "+442079460191")  # through a queue, straight to a phone


class BusyLab(Lab):
    """The lab's switch with room for load."""

    def __init__(self, phones: int = PHONES) -> None:
        super().__init__()
        self.uas_port, self.phones = 0, phones

    def _values(self) -> dict[str, str]:
        values = super()._values()
        first = int(values["@RTP_FIRST@"]) + 10000
        return values | {"@RTP_FIRST@": str(first), "@RTP_LAST@": str(first + 3999), "@PHONES@": values["@PHONES@"] + self._loaded()}

    def _loaded(self) -> str:
        from tests.asterisk.lab import _udp_ports

        self.uas_port, self.uac_port = _udp_ports(2)
        return "\n".join(
            f"[{3000 + n}](extension)\naors = {3000 + n}\n[{3000 + n}]\ntype = aor\ncontact = sip:{3000 + n}@127.0.0.1:{self.uas_port}"
            for n in range(self.phones)
        )

    def _configure(self) -> None:
        """Two numbers more, one queue more."""
        super()._configure()
        etc = self.home / "etc"
        members = "\n".join(f"member => PJSIP/{3000 + n},0,Load {n},PJSIP/{3000 + n}" for n in range(self.phones))
        with (etc / "queues.conf").open("a") as file:
            file.write(f"\n[load](team)\nstrategy = rrmemory\ntimeout = 30\n{members}\n")
        text = (etc / "extensions.conf").read_text("utf-8")
        own = (f"[from-trunk]\nexten => {DIDS[0]},1,Queue(load,I,,,60)\n same => n,Hangup()\n"
               f"exten => {DIDS[1]},1,Dial(PJSIP/${{IF($[${{RAND(0,1)}}]?3001:3002)}},30,I)\n same => n,Hangup()\n")
        (etc / "extensions.conf").write_text(text.replace("[from-trunk]\n", own, 1), "utf-8")
        with (etc / "modules.conf").open("a") as file:
            file.write("load => func_logic.so\nload => func_rand.so\n")


class Load:
    """Callers at a rate, until told to stop; what became of each is read from SIPp's own log."""

    def __init__(self, lab: BusyLab, folder: Path, rate: float) -> None:
        self.lab, self.folder, self.rate = lab, folder, rate
        self._children: list[subprocess.Popen[bytes]] = []
        self._round = 0

    def begin(self) -> None:
        """The phones answer."""
        self._run("-sn", "uas", "-p", str(self.lab.uas_port))

    def calls(self, seconds: float, did: str | None = None) -> "subprocess.Popen[bytes]":
        """Callers come for so long, to that line or a round to a queue and a round to a phone, under numbers that nobody had before."""
        self._round += 1
        count = int(self.rate * seconds)
        numbers = self.folder / f"numbers-{self._round}.csv"
        numbers.write_text("SEQUENTIAL\n" + "".join(f"+4416{self._round:03d}{n:05d};\n" for n in range(count)))
        return self._run("-sf", str(HERE / "caller.xml"), "-inf", str(numbers), "-s", did or DIDS[self._round % 2], "-p", str(self.lab.uac_port),
                         "-r", str(self.rate), "-m", str(count), "-l", "500", "-trace_logs", "-log_file", str(self.folder / f"calls-{self._round}.log"),
                         "-timeout", f"{seconds + 40:.0f}s")

    def _run(self, *words: str) -> "subprocess.Popen[bytes]":
        if shutil.which("sipp") is None:
            raise SystemExit("SIPp is not here. Install the package sip-tester and try again.")
        child = subprocess.Popen(["sipp", *words, "-i", "127.0.0.1", "-nostdin", f"127.0.0.1:{self.lab.sip_port}"], cwd=self.folder,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._children.append(child)
        return child

    def truth(self) -> tuple[set[str], set[str]]:
        """The numbers whose call was answered, and those whose call was also ended by themselves."""
        said = "".join(path.read_text("utf-8", "replace") for path in self.folder.glob("calls-*.log"))
        return set(re.findall(r"answered (\+\d+)", said)), set(re.findall(r"over (\+\d+)", said))

    def end(self) -> None:
        """Nobody calls any more."""
        for child in self._children:
            child.kill()
            with suppress(subprocess.TimeoutExpired):
                child.wait(5)


def until_quiet(lab: BusyLab, patience: float = 40.0) -> None:
    """No channel is up any more."""
    end = time.monotonic() + patience
    while time.monotonic() < end and "0 active channels" not in lab.cli("core show channels count"):
        time.sleep(0.5)
