"""Brings the code objects of the files named in argv[1] into the trace without
running them: as constants of a function that runs."""
import sys
import warnings


def carrier():
    pass


warnings.simplefilter("ignore")
with open(sys.argv[1]) as names:
    for path in names.read().split("\n"):
        with open(path, "rb") as source:
            code = compile(source.read(), path, "exec", dont_inherit=True)
        empty = carrier.__code__
        carrier.__code__ = empty.replace(co_consts=(None, code))
        carrier()
        carrier.__code__ = empty
