"""Refusals: sentences that say what to do next. A view needs no branch for them."""


class DeskError(Exception):
    """The request cannot be carried out as things stand; the message is shown to the user."""

    status = 409

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unreachable(DeskError):
    """Another machine cannot be looked at now; the message says why and what to do."""


class NotFound(DeskError):
    """There is no such thing, or the reader may not know that there is."""

    status = 404


class Forbidden(DeskError):
    """The signed-in person lacks the permission that the sentence names."""

    status = 403

    def __init__(self, message: str, permission: str = "") -> None:
        super().__init__(message)
        self.permission = permission


class Invalid(DeskError):
    """What was typed cannot be taken; `fields` names each field and its sentence."""

    status = 422

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}
