"""Prints what dis says of each instruction of a file's code objects, as JSON lines."""
import dis
import json
import sys
import types


def show(code):
    for ins in dis.get_instructions(code):
        jumps = ins.opcode in dis.hasjrel or ins.opcode in dis.hasjabs
        print(json.dumps({"func": code.co_qualname, "off": ins.offset, "op": ins.opname,
                          "arg": ins.arg, "argrepr": ins.argrepr,
                          "target": ins.argval if jumps else None,
                          "positions": list(ins.positions)}))
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            show(const)


with open(sys.argv[1], encoding="utf-8") as file:
    show(compile(file.read(), sys.argv[1], "exec", dont_inherit=True))
