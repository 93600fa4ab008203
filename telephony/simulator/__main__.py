"""python -m telephony.simulator: play a day. Orders to a running one go over its control port (control.py)."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from telephony.simulator import scenario, server
from telephony.simulator.scenario import Agent, Scenario


def main(argv: list[str] | None = None) -> int:
    """Plays until stopped; the exit code is 0 when it could."""
    return _serve(_parser().parse_args(argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m telephony.simulator", description="Plays a working day over AMI.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5038)
    parser.add_argument("--control-port", type=int, default=5039, help="where `ringdesk ring` finds it (loopback)")
    parser.add_argument("--secret-env", default="RINGDESK_SWITCH_SECRET", help="the variable that holds the AMI secret")
    parser.add_argument("--recordings", type=Path, help="folder for the audio of recorded calls")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--calls-per-hour", type=float, default=60.0)
    parser.add_argument("--pbx", default="pbx1", help="the switch's name in recording names")
    parser.add_argument("--agents", help="801=Ada,802=Ben: the first three serve the hotline")
    parser.add_argument("--callers", type=Path, help="JSON list of [number, name] of people who ring")
    parser.add_argument("--load", type=float, help="instead: so many short calls a second, nothing recorded")
    return parser


def _serve(given: argparse.Namespace) -> int:
    secret = os.environ.get(given.secret_env, "")
    if not secret:
        return _say(f"The variable {given.secret_env} is empty. Put the AMI secret into it.")
    try:
        day = _scenario(given)
        asyncio.run(_until_stopped(day, secret, given))
    except OSError as error:
        return _say(f"The simulated switch cannot start on {given.host}:{given.port}: {error.strerror or error}.")
    except ValueError as error:
        return _say(f"The simulated switch cannot start: {error}.")
    except KeyboardInterrupt:
        return 0
    return 0


async def _until_stopped(day: Scenario, secret: str, given: argparse.Namespace) -> None:
    import signal

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(name, stop.set)
    await server.run(day, secret=secret, host=given.host, port=given.port, control_port=given.control_port, stop=stop,
                     ready=lambda it: print(f"simulated switch: AMI {it.host}:{it.port}, orders {it.control_port}", flush=True))


def _scenario(given: argparse.Namespace) -> Scenario:
    if given.load:
        return scenario.load(given.load, seed=given.seed)
    day = Scenario(seed=given.seed, speed=given.speed, calls_per_hour=given.calls_per_hour, pbx=given.pbx,
                   recordings=given.recordings)
    if given.agents:
        day = scenario.with_agents(day, [Agent(*item.split("=", 1)) for item in given.agents.split(",")])
    if given.callers:
        pairs = json.loads(given.callers.read_text("utf-8"))
        day = scenario.with_callers(day, [(str(number), name) for number, name in pairs])
    return day


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
