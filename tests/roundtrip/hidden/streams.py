"""Bytes on both streams, in order, buffered or not, and a pipe closed early."""
import os
import sys

print("text \u20ac")
sys.stdout.buffer.write(b"\x00\xff raw\n")
os.write(2, b"unbuffered\n")
print(sys.stdin.readline(), sys.stdout.encoding, sys.stdin.isatty(), sys.stdout.line_buffering)
print(sys.stdin.read(), end="")
print("no newline at the end", end="")
