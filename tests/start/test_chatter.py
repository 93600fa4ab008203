"""What children say to their supervisor, however they say it."""

import asyncio
from pathlib import Path

import pytest

from service.supervisor import Child, Supervisor


@pytest.mark.parametrize("length", [700, 65536, 70_000, 300_000])
def test_a_child_that_says_one_endless_line_is_heard_and_started_again(length: int, tmp_path: Path) -> None:
    (tmp_path / "chatter.py").write_text(f"print('x' * {length})")
    said: list[str] = []

    async def two_falls() -> None:
        kept = Supervisor([Child("chatter", ("chatter",), {"PYTHONPATH": str(tmp_path)})], None, said.append)
        task = asyncio.create_task(kept._keep(kept.children[0]))
        async with asyncio.timeout(60):
            while sum("ended with 0" in line for line in said) < 2:
                await asyncio.sleep(0.02)
        kept.stopping.set()
        await task

    asyncio.run(two_falls())

    first = said[: next(n for n, line in enumerate(said) if "ended with" in line)]
    assert "".join(line.removeprefix("chatter: ") for line in first) == "x" * length
