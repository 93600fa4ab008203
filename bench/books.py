"""Books for measuring: an empty migrated database with PostgreSQL's usual safety, rows in masses, and what a question costs."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import text

from service import prepare
from service.core import config, db
from service.core.config import Settings
from service.core.embedded import Embedded


@dataclass(frozen=True)
class Books:
    """The place of one run."""

    folder: Path
    settings: Settings
    database: db.Database

    def plant(self, statements: Sequence[str], values: Mapping[str, object]) -> None:
        """The rows are there and the planner knows them; a statement takes the values that it names."""
        with self.database.owner.begin() as owner:
            for statement in statements:
                owner.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})
        self.settle()

    def settle(self) -> None:
        """What a night does to tables that grew."""
        with self.database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
            owner.execute(text("vacuum analyze"))


@contextmanager
def books() -> Iterator[Books]:
    """Everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="ringdesk-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Embedded(folder / "postgresql")
        server.start()
        try:
            loaded = config.load({"RINGDESK_DATA": str(folder / "data"), "RINGDESK_SECRET_KEY": "k" * 48})
            settings = replace(prepare.resolve(loaded, server), threads=4)
            prepare.migrate(settings)
            database = db.Database(settings, "bench")
            db.use(database.app)
            yield Books(folder, settings, database)
            database.close()
        finally:
            server.stop()


def timed(asked: Callable[[], object]) -> float:
    """How many milliseconds it takes."""
    began = time.perf_counter()
    asked()
    return 1000 * (time.perf_counter() - began)


def p95(times: Sequence[float]) -> float:
    """The time that nineteen of twenty stay under."""
    return statistics.quantiles(times, n=20)[-1]
