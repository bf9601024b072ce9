"""The one error of reading: why a file cannot be trained on."""

from lofid.errors import LofidError


class UnreadableFile(LofidError):  # noqa: N818 (it names the file's state, as a person says it)
    """A file that cannot be trained on.

    ``reason`` is short and shared by all files with this fault, so that they can be counted
    together; ``detail`` is this file's own.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason
