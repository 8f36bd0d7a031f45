"""A session on a terminal, by tmux: editing, history, completion, repeating,
interrupting."""
import os
import shlex
import shutil
import subprocess
import time

import harness
from harness import require

KEYS = 0.05  # seconds between looks at the screen
PATIENCE = 30


# tmux notices the end of a program late, if at all: a shell tells its status.
SHELL = 'trap : INT; "$@"; echo "status $?"; exec sleep 60'


class Terminal:
    """A program on a terminal of its own, in a tmux server of its own."""

    def __init__(self, directory, argv):
        self.socket = os.path.join(directory, "tmux")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40",
                  shlex.join(["env", "HOME=" + directory, "TERM=screen", "sh", "-c", SHELL,
                              "sh", *argv]))

    def tmux(self, *args):
        return subprocess.run(["tmux", "-S", self.socket, *args], check=True,
                              capture_output=True, text=True).stdout

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def screen(self):
        return self.tmux("capture-pane", "-p", "-S", "-200").rstrip("\n")

    def wait(self, what):
        """Until the screen's text ends with, or `what` (a function) likes it."""
        test = what if callable(what) else lambda text: text.endswith(what)
        deadline = time.monotonic() + PATIENCE
        while not test(text := self.screen()):
            require(time.monotonic() < deadline, "waited for", what, "on\n" + text)
            time.sleep(KEYS)
        return text

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)


def session(directory, trace):
    require(shutil.which("tmux"), "tmux is not installed")
    terminal = Terminal(directory, [harness.PTANA, "debug", trace])
    prompt = "(ptana)"
    try:
        terminal.wait(prompt)
        # An empty line repeats the last motion.
        terminal.type("goto main")
        terminal.press("Enter")
        terminal.wait(prompt)
        terminal.type("step")
        terminal.press("Enter")
        terminal.wait(lambda text: text.count("(ptana)") == 3)
        before = terminal.screen()
        terminal.press("Enter")
        after = terminal.wait(lambda text: text.count("(ptana)") == 4)
        require(after != before, "an empty line did nothing:\n" + after)
        # Tab completes commands, and functions behind them.
        terminal.type("reverse-c")
        terminal.press("Tab")
        terminal.wait("reverse-continue")
        terminal.press("C-u")
        terminal.type("break ev")
        terminal.press("Tab")
        terminal.wait("break even")
        terminal.press("Enter")
        terminal.wait(lambda text: "Breakpoint 1 at" in text and text.endswith(prompt))
        # Up brings back what was typed.
        terminal.press("Up", "Up")
        terminal.wait("(ptana) step")
        terminal.press("C-u")
        # Ctrl-C gives up a line; it does not leave.
        terminal.type("nonsense")
        terminal.press("C-c")
        terminal.wait(prompt)
        terminal.type("continue")
        terminal.press("Enter")
        terminal.wait(lambda text: "Breakpoint 1, even at" in text and text.endswith(prompt))
        require("no command" not in terminal.screen(), "the line was not given up")
        terminal.type("quit")
        terminal.press("Enter")
        text = terminal.wait(lambda text: "\nstatus " in text)
        require("\nstatus 0" in text, "the exit status:", text)
    finally:
        terminal.close()
