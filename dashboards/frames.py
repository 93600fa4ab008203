"""Rows carried by pandas from the archive to figures and sheets; money and waits stay Decimal until they are drawn."""

import pandas as pd

from warehouse.read import Answer


def frame(answer: Answer) -> pd.DataFrame:
    """The answer as a frame. Every column is of objects: pandas must not make floats of money or of counts with gaps."""
    return pd.DataFrame(answer.rows, columns=list(answer.columns), dtype=object)
