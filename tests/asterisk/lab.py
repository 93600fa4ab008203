"""A real Asterisk for tests, on loopback and on ports of its own, with docs/asterisk laid over a small office.

    with Lab() as lab:
        lab.phone("1001").answers_after(1.0)
        call = lab.call_in("+441632960381", "Maria", "+442079460100").wait("up")
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path

from tests.asterisk.phone import Call, Phone

HERE = Path(__file__).parent
OVERLAY = HERE.parents[1] / "docs" / "asterisk" / "etc"
STAFF = {"1001": "Ada", "1002": "Ben", "1003": "Chloé Çelik"}
HOTLINE = "+442079460100"
BOOT_SECONDS = 30.0


class NoAsterisk(Exception):
    """No Asterisk can be had here; the message says what to do."""


def find_root() -> Path:
    """The folder that holds an Asterisk; / for one installed on the machine. Raises NoAsterisk."""
    named = [os.environ[n] for n in ("RINGDESK_ASTERISK_ROOT", "ASTERISK_ROOT") if os.environ.get(n)]
    cache = Path.home() / ".cache"
    for root in (*map(Path, named), cache / "ringdesk-asterisk", cache / "asterisk-22"):
        if (root / "usr/sbin/asterisk").exists() and os.geteuid() == 0:
            return root
    if shutil.which("asterisk"):
        return Path("/")
    raise NoAsterisk("No Asterisk to test with. Run tests/asterisk/install as root, or name a chroot in RINGDESK_ASTERISK_ROOT.")


class Lab:
    """One Asterisk in a folder of its own; several may run beside each other."""

    def __init__(self, *, systemname: str = "", overlay: Path | None = OVERLAY) -> None:
        self.root = find_root()
        place = self.root / ("tmp" if self.root == Path("/") else "var/tmp")
        self.home = Path(tempfile.mkdtemp(prefix="ringdesk-lab-", dir=place))
        self.secret = secrets.token_hex(8)
        self.host, self.username, self.systemname, self._overlay = "127.0.0.1", "listener", systemname, overlay
        self.ami_port, (self.sip_port, self._trunk_port, *self._phone_ports) = _tcp_port(), _udp_ports(2 + len(STAFF))
        self._process: subprocess.Popen[bytes] | None = None
        self._phones: dict[str, Phone] = {}

    # running it

    def __enter__(self) -> "Lab":
        try:
            self._configure()
            self._trunk = Phone("trunk", self._trunk_port, self.sip_port)
            for extension, port in zip(STAFF, self._phone_ports, strict=True):
                self._phones[extension] = Phone(extension, port, self.sip_port)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for phone in (*self._phones.values(), *([self._trunk] if hasattr(self, "_trunk") else [])):
            phone.close()
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self) -> None:
        """Asterisk runs and its AMI says FullyBooted; raises AssertionError with its last words."""
        command = ["/usr/sbin/asterisk", "-f", "-C", f"{self._inside}/etc/asterisk.conf"]
        if os.geteuid() == 0:
            command += ["-U", "asterisk", "-G", "asterisk"]
        if self.root != Path("/"):
            command = ["chroot", str(self.root), *command]
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8"}
        with (self.home / "log/stdout").open("ab") as out:
            self._process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                             start_new_session=True)
        self._wait_until_booted()

    def stop(self) -> None:
        """Asterisk has hung up everything and is gone."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Asterisk has crashed."""
        self._end(signal.SIGKILL)

    # using it

    def phone(self, extension: str) -> Phone:
        """The telephone of that extension."""
        return self._phones[extension]

    def call_in(self, number: str, name: str | None = None, did: str = HOTLINE) -> Call:
        """A customer calls over the trunk."""
        return self._trunk.dial(did, user=number, name=name)

    @property
    def customers(self) -> Phone:
        """The provider's side: where calls to customers ring."""
        return self._trunk

    @property
    def recordings_dir(self) -> Path:
        """Where MixMonitor's relative names begin."""
        return self.home / "spool/monitor"

    @property
    def files(self) -> dict[str, Path]:
        """What this switch writes down, by kind."""
        log = self.home / "log"
        return {"cel": log / "cel-custom/Master.csv", "queue_log": log / "queue_log", "cdr": log / "cdr-csv/Master.csv"}

    def recordings(self) -> list[Path]:
        """Files recorded so far, relative to the recordings folder."""
        return sorted(p.relative_to(self.recordings_dir) for p in self.recordings_dir.rglob("*.wav"))

    def cli(self, command: str) -> str:
        """What Asterisk's own command line says."""
        words = ["/usr/sbin/asterisk", "-C", f"{self._inside}/etc/asterisk.conf", "-rx", command]
        if self.root != Path("/"):
            words = ["chroot", str(self.root), *words]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=10).stdout

    @contextlib.contextmanager
    def ami(self, username: str = "listener") -> Iterator[socket.socket]:
        """A signed-in AMI connection."""
        with socket.create_connection((self.host, self.ami_port), 5) as link:
            link.sendall(f"Action: Login\r\nUsername: {username}\r\nSecret: {self.secret}\r\n\r\n".encode())
            yield link

    # inside

    @property
    def _inside(self) -> str:
        return "/" + str(self.home.relative_to(self.root))

    def _configure(self) -> None:
        etc = self.home / "etc"
        shutil.copytree(HERE / "etc", etc)
        if self._overlay is not None:
            shutil.copytree(self._overlay, etc, dirs_exist_ok=True)
        for folder in ("spool/monitor", "spool/tmp", "log/cdr-csv", "log/cel-custom", "run", "db", "moh"):
            (self.home / folder).mkdir(parents=True)
        with wave.open(str(self.home / "silence.wav"), "wb") as sound:
            sound.setparams((1, 2, 8000, 0, "NONE", ""))
            sound.writeframes(bytes(3200))
        values = self._values()
        for file in etc.rglob("*.conf"):
            text = file.read_text("utf-8")
            for key, value in values.items():
                text = text.replace(key, value)
            file.write_text(text, "utf-8")
        self.home.chmod(0o755)
        if os.geteuid() == 0:
            self._give_away()

    def _values(self) -> dict[str, str]:
        first = 10000 + secrets.randbelow(200) * 100
        return {
            "@HOME@": self._inside, "@AMI_PORT@": str(self.ami_port), "@SIP_PORT@": str(self.sip_port),
            "@TRUNK_PORT@": str(self._trunk_port), "@RTP_FIRST@": str(first), "@RTP_LAST@": str(first + 99),
            "@SYSTEMNAME@": f"systemname = {self.systemname}" if self.systemname else "",
            "@PHONES@": "\n".join(_phone_lines(e, n, p) for (e, n), p in zip(STAFF.items(), self._phone_ports, strict=True)),
            "change-this-listener-secret": self.secret, "change-this-actor-secret": self.secret,
        }

    def _give_away(self) -> None:
        found = [line.split(":") for line in (self.root / "etc/passwd").read_text().splitlines()]
        user, group = next((int(f[2]), int(f[3])) for f in found if f[0] == "asterisk")
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, user, group)

    def _wait_until_booted(self) -> None:
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            with contextlib.suppress(OSError), self.ami() as link:
                link.settimeout(2)
                heard = b""
                while b"FullyBooted" not in heard and (got := link.recv(4096)):
                    heard += got
                if b"FullyBooted" in heard:
                    return
            time.sleep(0.1)
        raise AssertionError(f"Asterisk does not answer:\n{self._last_words()}")

    def _last_words(self) -> str:
        logs = [self.home / "log/stdout", self.home / "log/messages"]
        return "\n".join(log.read_text("utf-8", "replace")[-1500:] for log in logs if log.exists())

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _phone_lines(extension: str, name: str, port: int) -> str:
    return (f"[{extension}](extension)\naors = {extension}\ncallerid = \"{name}\" <{extension}>\n"
            f"[{extension}]\ntype = aor\ncontact = sip:{extension}@127.0.0.1:{port}\n")


def _tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _udp_ports(count: int) -> list[int]:
    probes = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
