"""Writes package-lock.json anew: exact versions and hashes, no registry addresses, no addresses of donors."""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from hatch_build import find_node, npm  # noqa: E402


def main() -> None:
    """package-lock.json matches package.json."""
    node, lock = find_node(), HERE / "package-lock.json"
    lock.unlink(missing_ok=True)
    subprocess.run([*npm(node), "install", "--package-lock-only", "--ignore-scripts"], cwd=HERE, check=True)
    content = json.loads(lock.read_text("utf-8"))
    for package in content["packages"].values():
        for name in ("resolved", "funding"):
            package.pop(name, None)
    lock.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
