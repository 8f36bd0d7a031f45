"""An uncaught exception with a chain and a note, after a warning."""
import warnings


def fails(n):
    if n:
        return fails(n - 1)
    try:
        {}["key"]
    except KeyError as error:
        new = ValueError("uncaught")
        new.add_note("a note")
        raise new from error


class Unraisable:
    def __del__(self):
        raise OSError("in __del__")


warnings.warn("a warning")
Unraisable()
fails(3)
