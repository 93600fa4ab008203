"""Settings: frozen, from the environment and one file; a wrong value stops the start with a sentence."""

import json
import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_REASON = re.compile(r"[^\W_][\w -]{0,39}")
_SFTP = re.compile(r"sftp://[^@/:\s]+@(?:\[[0-9A-Fa-f:]+\]|[^@/:\s]+)(?::(\d{1,5}))?/\S*")
_HOST_KEY = re.compile(r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]{40,}={0,3}")
_SWITCH_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
FORMATS = ("wav", "flac", "opus")
LOCALES = ("zh_Hans_CN", "en")
PLAIN = (
    "address",
    "hotline",
    "dsn_owner",
    "dsn_app",
    "dsn_night",
    "host",
    "port",
    "boards_port",
    "workers",
    "threads",
    "secret_key",
    "timezone",
    "locale",
    "night_at",
    "secure_cookies",
    "trusted_proxies",
    "acw_seconds",
    "master_key_file",
    "delete_at_switch_after_days",
    "recording_format",
)


class BadSetting(Exception):
    """A setting cannot be used; the message names it and what would be right."""


@dataclass(frozen=True)
class SwitchSettings:
    """How to reach one Asterisk and how to read its names."""

    name: str = "pbx1"
    host: str = "127.0.0.1"
    port: int = 5038
    username: str = "listener"
    secret: str = ""
    recordings: Path | None = None
    recordings_url: str = ""  # sftp://user@host:port/path in place of a folder of this machine
    sftp_key_file: Path | None = None  # our private key there
    sftp_host_key: str = ""  # "ssh-ed25519 AAAA…": the only host that is spoken to
    files_url: str = ""  # sftp://user@host:port/path of the three files below, where no folder can be mounted
    queue_log: Path | None = None  # files that the switch writes, as they are seen from here or below files_url; the backfill reads them
    cel: Path | None = None
    cdr: Path | None = None
    cel_columns: tuple[str, ...] = ()  # empty: Asterisk's own sample, or ours, told by their number
    files_timezone: str = ""  # of times without a zone in these files; empty: the firm's
    etc: Path | None = None  # the switch's /etc/asterisk, as it is seen from here; only the doctor reads it
    trunk_contexts: tuple[str, ...] = ("from-*",)
    extension_pattern: str = r"\d+"
    actor_username: str = ""  # a second AMI user that may act; without it orders are refused in words
    actor_secret: str = ""
    technology: str = "PJSIP"  # a phone's device is this, a slash and the extension
    dial_context: str = "internal"  # where the dialplan takes numbers that people dial
    shows_withheld: bool = False  # the firm has settled that withheld numbers may be seen here, so that the dialplan need not tell of them

    @property
    def acts(self) -> bool:
        """True when Ringdesk may ask this switch for something."""
        return bool(self.actor_username and self.actor_secret)

    @property
    def collects(self) -> bool:
        """True when its recordings can be fetched."""
        return self.recordings is not None or bool(self.recordings_url)

    @property
    def files(self) -> dict[str, Path]:
        """The files that are named, by their kind; relative ones when they are fetched from files_url."""
        named = {"cel": self.cel, "queue_log": self.queue_log, "cdr": self.cdr}
        return {kind: path for kind, path in named.items() if path is not None}

    def __repr__(self) -> str:
        return f"SwitchSettings({self.name!r}, {self.username}@{self.host}:{self.port})"


@dataclass(frozen=True)
class Settings:
    """Everything a process needs to know before it starts. Empty DSNs mean the embedded PostgreSQL."""

    data: Path
    dsn_owner: str = ""
    dsn_app: str = ""
    dsn_night: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    boards_port: int = 0  # of the boards' own process on this machine; 0 draws them in the web process
    workers: int = 1
    threads: int = 4  # pages that are made at once in a web process; more only make pops wait (bench/pop)
    secret_key: str = ""
    timezone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    locale: str = "zh_Hans_CN"
    night_at: time = time(2, 0)
    secure_cookies: bool = False  # it is served over HTTPS: cookies travel nowhere else and plain HTTP is turned away
    address: str = ""  # under which people reach Ringdesk, for the labels on devices: https://desk.example.com; empty: as the browser says
    hotline: str = ""  # the number on the labels of devices
    trusted_proxies: str = "127.0.0.1"  # whose word about the browser's address and scheme is taken; addresses or ranges with commas
    master_key_file: str = ""  # of the recordings; empty means keys/recordings.key in the data folder
    delete_at_switch_after_days: int = 0  # what is safe in the vault is deleted at the switch so many days later; 0 never
    recording_format: str = "wav"  # what the vault keeps; made of the switch's WAV after it was collected
    switches: tuple[SwitchSettings, ...] = ()
    acw_seconds: int = 60  # how long after a call an agent is left alone; 0 leaves it out
    pause_reasons: tuple[str, ...] = ("break", "meeting", "training", "lunch", "coaching")

    @property
    def attachments_dir(self) -> Path:
        """Pictures that people took."""
        return self.data / "attachments"

    @property
    def journal_dir(self) -> Path:
        """Raw AMI frames, one folder a switch."""
        return self.data / "journal"

    @property
    def vault_dir(self) -> Path:
        """Recordings that were collected."""
        return self.data / "vault"

    @property
    def imports_dir(self) -> Path:
        """Tables that people brought, until they are forgotten."""
        return self.data / "imports"

    @property
    def feeds_dir(self) -> Path:
        """What was fetched of the switches' own files, a folder each."""
        return self.data / "feeds"

    @property
    def key_file(self) -> Path:
        """Master keys of the recordings, apart from the vault."""
        own = self.data / "keys" / "recordings.key"
        return Path(self.master_key_file).expanduser() if self.master_key_file else own

    @property
    def warehouse_dir(self) -> Path:
        """Archive generations and their pointer."""
        return self.data / "archive"

    def __repr__(self) -> str:
        return f"Settings(data={str(self.data)!r}, host={self.host!r}, port={self.port})"


def load(environ: Mapping[str, str] | None = None, *, existing: bool = False) -> Settings:
    """Settings from RINGDESK_* variables over the file; raises BadSetting with a sentence.

    With `existing` a folder without a firm is refused instead of being given an empty one.
    """
    env = os.environ if environ is None else environ
    data = Path(env.get("RINGDESK_DATA") or "ringdesk-data").expanduser().resolve()
    values = _file(env, data)
    for name in (*PLAIN, "pause_reasons"):
        if f"RINGDESK_{name.upper()}" in env:
            values[name] = env[f"RINGDESK_{name.upper()}"]
    if env.get("RINGDESK_SWITCHES"):
        values["switches"] = _switches(env["RINGDESK_SWITCHES"])
    named = any(values.get(name) for name in ("dsn_owner", "dsn_app", "dsn_night"))
    if existing and not named and not (data / "postgresql").is_dir():
        raise BadSetting(
            f"There is no Ringdesk in {data}. Set RINGDESK_DATA to the folder of yours, "
            "or make one with `ringdesk demo` (to look around) or `ringdesk up`."
        )
    return _settings(data, values)


def _switches(text: str) -> list[dict[str, Any]]:
    """A process that starts others hands its switches over as JSON."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise BadSetting("RINGDESK_SWITCHES is not a JSON list. Leave it empty and name switches in the file.")
    return found


def exported(settings: Settings) -> dict[str, str]:
    """The settings as variables, so that a child process loads exactly these."""
    values = {name: str(getattr(settings, name)) for name in PLAIN}
    values["secure_cookies"] = "1" if settings.secure_cookies else ""
    values["pause_reasons"] = ",".join(settings.pause_reasons)
    switches = [{k: v for k, v in asdict(switch).items() if v is not None} for switch in settings.switches]
    return {"RINGDESK_DATA": str(settings.data), "RINGDESK_SWITCHES": json.dumps(switches, default=str)} | {
        f"RINGDESK_{name.upper()}": value for name, value in values.items()
    }


def _file(env: Mapping[str, str], data: Path) -> dict[str, Any]:
    named = env.get("RINGDESK_CONFIG")
    path = Path(named).expanduser() if named else data / "ringdesk.toml"
    if not path.exists():
        if named:
            raise BadSetting(f"RINGDESK_CONFIG names {path}, which does not exist. Create it or unset the variable.")
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} cannot be read: {error}. Mend that line and start again.") from error


def _settings(data: Path, values: dict[str, Any]) -> Settings:
    known = {field: values.pop(field) for field in list(values) if field in Settings.__dataclass_fields__}
    switches = tuple(_switch(item) for item in _tables(known.pop("switches", values.pop("switch", []))))
    names = [switch.name for switch in switches]
    if len(set(names)) != len(names):
        raise BadSetting("Two switches have one name. Give each a name of its own; recordings carry it.")
    if values:
        raise BadSetting(f"Unknown setting {', '.join(sorted(values))}. Remove it or correct its name.")
    text = {k: normal_dsn(str(known[k]), k) for k in ("dsn_owner", "dsn_app", "dsn_night") if known.get(k)}
    return Settings(
        data=data,
        switches=switches,
        **text,
        host=str(known.get("host", "127.0.0.1")),
        port=_number("port", known.get("port", 8080), 0, 65535),
        boards_port=_number("boards_port", known.get("boards_port", 0), 0, 65535),
        workers=_number("workers", known.get("workers", 1), 1, 64),
        threads=_number("threads", known.get("threads", 4), 2, 64),
        secret_key=str(known.get("secret_key") or _secret(data)),
        timezone=_zone(str(known.get("timezone", "Asia/Shanghai"))),
        locale=_locale(str(known.get("locale", "zh_Hans_CN"))),
        night_at=_time(str(known.get("night_at", "02:00"))),
        secure_cookies=_yes("secure_cookies", known.get("secure_cookies", False)),
        address=_address(str(known.get("address", ""))),
        hotline=_hotline(known.get("hotline", "")),
        trusted_proxies=_proxies(str(known.get("trusted_proxies", Settings.trusted_proxies))),
        acw_seconds=_number("acw_seconds", known.get("acw_seconds", 60), 0, 3600),
        pause_reasons=_reasons(known.get("pause_reasons", Settings.pause_reasons)),
        recording_format=_format(str(known.get("recording_format", "wav"))),
        master_key_file=str(known.get("master_key_file", "")),
        delete_at_switch_after_days=_number(
            "delete_at_switch_after_days", known.get("delete_at_switch_after_days", 0), 0, 3650
        ),
    )


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadSetting("switches must be a list. Write each switch under a heading of its own, [[switches]].")
    return value


def _switch(item: dict[str, Any]) -> SwitchSettings:
    unknown = set(item) - set(SwitchSettings.__dataclass_fields__)
    if unknown:
        raise BadSetting(f"Unknown switch setting {', '.join(sorted(unknown))}. Remove it or correct its name.")
    for field in ("name", "host", "username", "secret", "extension_pattern", "actor_username", "actor_secret", "technology", "dial_context"):
        _line(field, item.get(field, ""))
    if not _SWITCH_NAME.fullmatch(item.get("name", "pbx1")):  # it names a folder, and recordings
        raise BadSetting(f"A switch is named {item['name']!r}. Use letters, digits, - and _ only.")
    item = _sftp(item)
    kept = dict(item)
    kept["port"] = _number("switch port", item.get("port", 5038), 1, 65535)
    for field in ("recordings", "queue_log", "cel", "cdr", "etc", "sftp_key_file"):
        kept[field] = Path(str(item[field])).expanduser() if item.get(field) else None
    for field in ("trunk_contexts", "cel_columns"):
        if field in item:
            kept[field] = _patterns(field, item[field])
    kept["shows_withheld"] = _yes("shows_withheld", item.get("shows_withheld", False))
    if item.get("files_timezone"):
        _zone(str(item["files_timezone"]), "files_timezone")
    try:
        re.compile(item.get("extension_pattern", ""))
    except re.error as error:
        raise BadSetting(f"extension_pattern is {item['extension_pattern']!r}, which cannot be read: {error}.") from error
    return SwitchSettings(**kept)


def _sftp(item: dict[str, Any]) -> dict[str, Any]:
    """The switch with the address of its recordings told apart; without a key of our own and a known host anybody could answer."""
    if str(item.get("recordings") or "").startswith("sftp://"):
        item = item | {"recordings": None, "recordings_url": str(item["recordings"])}
    if item.get("recordings_url"):
        _reached("recordings", item["recordings_url"], item)
    if item.get("files_url"):
        _reached("files_url", item["files_url"], item)
        _below(item)
    return item


def _reached(field: str, url: object, item: dict[str, Any]) -> None:
    """The address can be used, and what it takes to trust it is there."""
    found = _SFTP.fullmatch(url) if isinstance(url, str) else None
    if found is None or not 0 < int(found[1] or 22) < 65536:
        raise BadSetting(f"{field} is {url!r}; write sftp://user@host:port/path, without a password.")
    what = "recordings" if field == "recordings" else "files"
    if not item.get("sftp_key_file"):
        raise BadSetting(f"A switch whose {what} are fetched by SFTP needs sftp_key_file, the private key to sign in with.")
    if not _HOST_KEY.match(str(item.get("sftp_host_key", ""))):
        raise BadSetting(f'A switch whose {what} are fetched by SFTP needs sftp_host_key, a line such as "ssh-ed25519 AAAA…" (ssh-keyscan prints it).')


def _below(item: dict[str, Any]) -> None:
    """With files_url each file is a path below it, and there is one at least."""
    named = {kind: str(item[kind]) for kind in ("queue_log", "cel", "cdr") if item.get(kind)}
    if not named:
        raise BadSetting('files_url is set and no file is named. Give queue_log, cel and cdr as paths below it, such as cel = "cel-custom/Master.csv".')
    for kind, path in named.items():
        parts = path.split("/")
        if not path.isprintable() or any(part in ("", ".", "..") for part in parts) or parts[-1].startswith("."):
            raise BadSetting(f'{kind} is {path!r}; with files_url it is a path below that folder, such as "cel-custom/Master.csv".')


def _reasons(value: Any) -> tuple[str, ...]:
    """The firm's reasons for a pause; they stand in the switch's queue_log, so they are one short line each."""
    found = tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value
    if not isinstance(found, list | tuple) or not found or not all(isinstance(one, str) and _REASON.fullmatch(one) for one in found):
        raise BadSetting(f'pause_reasons is {value!r}; write a list of short words such as ["break", "lunch"], without commas or signs.')
    return tuple(found)


def _address(value: str) -> str:
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", value.rstrip("/")):
        raise BadSetting(f"address is {value!r}; write how people reach Ringdesk, such as https://desk.example.com.")
    return value.rstrip("/")


def _hotline(value: Any) -> str:
    if not str(value).isprintable() or len(str(value)) > 40:
        raise BadSetting("hotline is no number for a label. Write it on one line, with at most 40 signs.")
    return str(value)


def _line(field: str, value: Any) -> None:
    if not isinstance(value, str) or not value.isprintable():
        raise BadSetting(f"The {field} of a switch is no line of text. Write it in quotes, on one line.")


def _patterns(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        example = '["from-*"]' if name == "trunk_contexts" else '["eventtype", "eventtime"]'
        raise BadSetting(f"{name} is {value!r}; write a list such as {example}.")
    return tuple(value)


def _yes(name: str, value: Any) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False, "": False}
    if str(value).lower() not in known:
        raise BadSetting(f"{name} is {value!r}; use true or false.")
    return known[str(value).lower()]


def _proxies(value: str) -> str:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return ",".join(str(ip_network(part, strict=False)) for part in parts)
    except ValueError as error:
        raise BadSetting(f"trusted_proxies is {value!r}; write addresses or ranges with commas, such as 127.0.0.1, 10.0.0.0/24.") from error


def normal_dsn(dsn: str, name: str) -> str:
    """The DSN with the driver named, since a bare postgresql:// would pick another one."""
    for prefix in ("postgresql+psycopg2://", "postgresql://", "postgres://"):
        if dsn.startswith(prefix):
            return "postgresql+psycopg2://" + dsn[len(prefix) :]
    raise BadSetting(f"{name} must begin with postgresql://user@host/database.")


def _number(name: str, value: Any, low: int, high: int) -> int:
    try:
        number = low - 1 if isinstance(value, (bool, float)) else int(value)
    except (TypeError, ValueError):
        number = low - 1
    if not low <= number <= high:
        raise BadSetting(f"{name} is {value!r}; it must be a whole number from {low} to {high}.")
    return number


def _zone(name: str, setting: str = "timezone") -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadSetting(f"{setting} is {name!r}; use a name such as Asia/Shanghai.") from error


def _locale(name: str) -> str:
    if name not in LOCALES:
        raise BadSetting(f"locale is {name!r}; use one of {', '.join(LOCALES)}.")
    return name


def _format(name: str) -> str:
    if name not in FORMATS:
        raise BadSetting(f"recording_format is {name!r}; use one of {', '.join(FORMATS)}.")
    return name


def _time(value: str) -> time:
    try:
        found = time.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise BadSetting(f"night_at is {value!r}; use a time such as 02:00, which is meant in the firm's timezone.")
    return found


def _secret(data: Path) -> str:
    """The installation's own key, made whole at the first start and kept readable by its owner alone."""
    path = data / "keys" / "secret_key"
    if not path.exists() or not path.stat().st_size:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _made(path, secrets.token_urlsafe(48))
    return path.read_text().strip()


def _made(path: Path, content: str) -> None:
    """Written beside and then linked: a full disk leaves no half key, and of two processes one wins."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(content)
        if path.exists() and not path.stat().st_size:
            path.unlink()
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)
