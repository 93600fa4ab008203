"""Packs what was played for the tests: `keep.py PLAYED DIR` writes each capture as .ami.gz, its .times and its truth."""
import gzip
import json
import pathlib
import sys

LEFT_OUT = ("timeline", "tolerance", "started_unix", "about")


def keep(played, out):
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(played.glob("*.expected.json")):
        truth = json.loads(path.read_text())
        names = [piece["file"] for piece in truth["captures"]]
        for name in names:
            packed = gzip.compress((played / name).read_bytes(), 9, mtime=0)
            (out / (name + ".gz")).write_bytes(packed)
            (out / (name + ".times")).write_text((played / (name + ".times")).read_text())
        kept = {key: value for key, value in truth.items() if key not in LEFT_OUT} | {"captures": [name + ".gz" for name in names]}
        for call in kept["calls"]:
            call.pop("hangup_causes", None)
        (out / path.name).write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    keep(*map(pathlib.Path, sys.argv[1:]))
