"""python -m telephony.simulator: play a day, or tell a running one to make a call ring."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path

from telephony.simulator import control, scenario, server
from telephony.simulator.scenario import Agent, Scenario


def main(argv: list[str] | None = None) -> int:
    """Runs one command; the exit code is 0 when it did what was asked."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] in ("ring", "answer", "hangup", "calls"):
        return _order(_order_parser().parse_args(words))
    return _serve(_serve_parser().parse_args(words[1:] if words[:1] == ["serve"] else words))


def _serve_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m telephony.simulator", description="Plays a working day over AMI.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5038)
    parser.add_argument("--control-port", type=int, default=5039, help="where `ring` finds it (loopback)")
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


def _order_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m telephony.simulator")
    parser.add_argument("verb", choices=("ring", "answer", "hangup", "calls"))
    parser.add_argument("--control-port", type=int, default=5039)
    parser.add_argument("--number", help="who rings; without it the number is withheld")
    parser.add_argument("--name")
    parser.add_argument("--extension", help="ring: this phone alone; answer: who answers")
    parser.add_argument("--queue", help="ring: this queue instead of one phone")
    parser.add_argument("--answer-by", help="ring: which extension of the queue answers")
    parser.add_argument("--after", type=float, help="ring: answered after so many seconds; otherwise it rings on")
    parser.add_argument("--talk", type=float, help="ring: hang up after so many seconds of talk")
    parser.add_argument("--patience", type=float, help="ring: the caller gives up after so many seconds")
    parser.add_argument("--call", help="answer, hangup: which call")
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


def _order(given: argparse.Namespace) -> int:
    order = {key: value for key, value in vars(given).items() if value is not None and key != "control_port"}
    try:
        answer = asyncio.run(control.ask(given.control_port, order))
    except OSError:
        return _say(f"No simulated switch takes orders on port {given.control_port}. Start the demo first.")
    if not answer.get("ok"):
        return _say(str(answer.get("why")))
    print(answer.get("call") or json.dumps(answer.get("calls", "done"), ensure_ascii=False))
    return 0


def _say(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
