"""Why a file is no table, as the code of a sentence."""


class Unreadable(Exception):
    """The file cannot be read; `code` names the sentence, `facts` fill it."""

    def __init__(self, code: str, **facts: str | int) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts
