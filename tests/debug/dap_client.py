"""A client of the Debug Adapter Protocol, as plain as it gets."""
import json
import os
import select
import socket
import subprocess
import time


class Gone(Exception):
    pass


class Client:
    """Talks to `ptana dap` by pipes, or to one that listens."""

    def __init__(self, argv, env=None, port=None):
        self.process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=env)
        self.socket = None
        if port is not None:
            line = self.process.stderr.readline().decode()
            number = int(line.rsplit(":", 1)[1])
            self.socket = socket.create_connection(("127.0.0.1", number))
            self.read_fd = self.write_fd = self.socket.fileno()
        else:
            self.read_fd = self.process.stdout.fileno()
            self.write_fd = self.process.stdin.fileno()
        self.buffer = b""
        self.seq = 0
        self.events = []

    def send_bytes(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.write_fd, view):]

    def send(self, message):
        body = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def receive(self, timeout=60):
        """The next message of the adapter."""
        end = time.monotonic() + timeout
        while True:
            head, blank, rest = self.buffer.partition(b"\r\n\r\n")
            if blank:
                length = int(head.split(b":")[1])
                if len(rest) >= length:
                    self.buffer = rest[length:]
                    return json.loads(rest[:length].decode())
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.read_fd], [], [], left)[0]:
                raise Gone("the adapter says nothing")
            data = os.read(self.read_fd, 1 << 16)
            if not data:
                raise Gone("the adapter has gone")
            self.buffer += data

    def ask(self, command, **arguments):
        """The response to a request; events on the way are kept."""
        self.seq += 1
        self.send({"seq": self.seq, "type": "request", "command": command,
                   "arguments": arguments})
        while True:
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)
            elif message["request_seq"] == self.seq:
                return message

    def get(self, command, **arguments):
        """The body of a response that has to be a success."""
        answer = self.ask(command, **arguments)
        if not answer["success"]:
            raise AssertionError(f"{command}: {answer.get('message')}")
        return answer["body"]

    def event(self, name):
        """The next event of that name; those before it are dropped."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if event["event"] == name:
                    return event["body"]
            message = self.receive()
            if message["type"] == "event":
                self.events.append(message)

    def begin(self, how="attach", breakpoints=(), filters=(), **arguments):
        """Initializes, opens, sets breakpoints and is told where it stops."""
        self.get("initialize", adapterID="ptana", linesStartAt1=True)
        self.get(how, **arguments)
        self.event("initialized")
        told = [self.get("setBreakpoints", source={"path": path},
                         breakpoints=wanted)["breakpoints"]
                for path, wanted in breakpoints]
        self.get("setExceptionBreakpoints", filters=list(filters))
        self.get("configurationDone")
        return told, self.event("stopped")

    def top(self, thread):
        """Function and line of the innermost Python frame."""
        frames = self.get("stackTrace", threadId=thread)["stackFrames"]
        frame = next(f for f in frames if "source" in f)
        return frame["name"], frame["line"]

    def move(self, command, thread, **arguments):
        self.get(command, threadId=thread, **arguments)
        return self.event("stopped")

    def close(self):
        """Ends the session; the adapter's exit status and what it said."""
        try:
            self.ask("disconnect")
        except (Gone, OSError):
            pass
        return self.finish()

    def finish(self):
        if self.socket:
            self.socket.close()
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said.decode()
