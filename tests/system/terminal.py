"""The live views on a real terminal of their own, driven by keys as a person would:
terminal.py RELUSWEEP SWEEP. The sweep must be running for at least ten more seconds. A small
terminal emulator keeps what is on the screen."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PROGRAM, SWEEP = sys.argv[1:3]
SEQUENCE = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])")


class Screen:
    """Cursor addressing, erasing and the alternate screen: what the views use."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.alternate, self.cursor, self.shell = False, True, ""
        self.outdated = False
        self.clear()

    def resize(self, columns, rows):
        """What is still on its way was drawn for the old size: it is dropped until the view
        erases the screen, which it must do."""
        self.columns, self.rows, self.outdated = columns, rows, True
        self.clear()

    def clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]
        self.x = self.y = 0

    def act(self, private, numbers, letter):
        n = [int(v) if v else 0 for v in numbers.split(";")]
        if private:
            if n[0] == 1049:
                self.alternate, self.outdated = letter == "h", False
                self.clear()
            elif n[0] == 25:
                self.cursor = letter == "h"
        elif letter == "H":
            self.y, self.x = max(n[0], 1) - 1, max(n[1] if len(n) > 1 else 1, 1) - 1
        elif letter == "J":
            self.outdated = False
            self.clear()
        elif letter == "K" and not self.outdated:
            self.cells[self.y][self.x:] = [" "] * (self.columns - self.x)
        elif letter not in "Km":
            raise AssertionError(f"unknown sequence {letter}")

    def put(self, text):
        for c in text:
            if not self.alternate:
                self.shell += c
            elif c not in "\r\n" and not self.outdated:
                assert self.x < self.columns - 1, f"row {self.y} reaches the last column"
                assert self.y < self.rows, f"row {self.y} is below the screen"
                self.cells[self.y][self.x] = c
                self.x += 1

    def feed(self, data):
        at = 0
        for m in SEQUENCE.finditer(data):
            self.put(data[at:m.start()].decode())
            self.act(m[1], m[2].decode(), m[3].decode())
            at = m.end()
        self.put(data[at:].decode())

    def text(self):
        return "\n".join("".join(row).rstrip() for row in self.cells)


class Terminal:
    def __init__(self, arguments, columns, rows):
        self.screen = Screen(columns, rows)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", LC_ALL="C.UTF-8")
            os.execv(PROGRAM, [PROGRAM, *arguments])
        self.resize(columns, rows)
        self.mode = termios.tcgetattr(self.fd)
        self.left, self.rest = False, b""

    def resize(self, columns, rows):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(columns, rows)

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return
        try:
            data = self.rest + os.read(self.fd, 65536)
        except OSError:  # the program has closed its side
            data = b""
        if not data:
            self.left = True
            return
        # a sequence or a character that is cut in two waits for its other half
        keep = re.search(rb"(\x1b\[?\??[0-9;]*|[\xc0-\xff][\x80-\xbf]{0,2})$", data)
        whole = keep is None or complete(keep[0])
        self.rest = b"" if whole else keep[0]
        self.screen.feed(data if whole else data[: keep.start()])

    def until(self, what, predicate, seconds=15):
        end = time.monotonic() + seconds
        while not predicate(self.screen):
            assert time.monotonic() < end and not self.left, (
                f"no {what}:\n{self.screen.text()}\n{self.screen.shell}")
            self.read(0.1)

    def end(self, code):
        end = time.monotonic() + 15
        while not self.left and time.monotonic() < end:
            self.read(0.1)
        got = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        assert got == code, f"exit code {got}, not {code}: {self.screen.shell}"
        assert not self.screen.alternate, "the alternate screen was left on"
        assert self.screen.cursor, "the cursor was left hidden"


def complete(tail):
    if tail[0] == 0x1B:
        return False
    return len(tail) == (2 if tail[0] < 0xE0 else 3 if tail[0] < 0xF0 else 4)


def same_mode(t):
    assert termios.tcgetattr(t.fd) == t.mode, "the terminal's mode is another one"


def shows_sweep(screen):
    text = screen.text()
    return (screen.alternate and not screen.cursor and text.startswith(SWEEP)
            and "slots busy" in text and "mask " in text and "leaves" in text)


def leave_by_key():
    t = Terminal(["watch", SWEEP], 80, 24)
    t.until("view", shows_sweep)
    for columns, rows in ((60, 20), (132, 40), (30, 10)):
        t.resize(columns, rows)
        t.until(f"view of {columns} columns",
                lambda s: s.text().split("\n")[0].startswith(SWEEP)
                and "leaves" in s.text().split("\n")[-1])
    assert not termios.tcgetattr(t.fd)[3] & termios.ECHO, "keys are shown"
    os.write(t.fd, b"xq")
    t.until("terminal as it was", lambda s: not s.alternate and "no longer" in s.shell)
    same_mode(t)
    t.end(0)
    assert re.search(rf"{SWEEP}: \d+ jobs: ", t.screen.shell), "it says how it stands"


def leave_by_interrupt():
    t = Terminal(["watch", SWEEP], 80, 24)
    t.until("view", shows_sweep)
    os.write(t.fd, b"\x03")
    t.until("terminal as it was", lambda s: not s.alternate and "no longer" in s.shell)
    same_mode(t)
    t.end(130)


def leave_by_signal():
    t = Terminal(["watch", SWEEP], 80, 24)
    t.until("view", shows_sweep)
    os.kill(t.pid, signal.SIGTERM)
    t.until("terminal as it was", lambda s: not s.alternate and "no longer" in s.shell)
    same_mode(t)
    t.end(130)


def no_flicker():
    """Once it stands, the screen is never erased and lines that stay are not written."""
    t = Terminal(["watch", SWEEP], 80, 24)
    t.until("view", shows_sweep)
    before, written = time.monotonic(), 0
    original = t.screen.feed

    def feed(data):
        nonlocal written
        written += len(data)
        assert b"\x1b[2J" not in data, "the whole screen was erased"
        assert "leaves".encode() not in data, "a line that stays was written again"
        original(data)

    t.screen.feed = feed
    while time.monotonic() - before < 2:
        t.read(0.1)
    assert written > 0, "nothing moved"
    t.screen.feed = original
    os.write(t.fd, b"q")
    t.end(0)


def stopped_and_continued():
    t = Terminal(["watch", SWEEP], 80, 24)
    t.until("view", shows_sweep)
    os.kill(t.pid, signal.SIGTSTP)
    t.until("terminal as it was", lambda s: not s.alternate and s.cursor)
    os.waitpid(t.pid, os.WUNTRACED)
    same_mode(t)
    os.kill(t.pid, signal.SIGCONT)
    t.until("view", shows_sweep)
    os.write(t.fd, b"q")
    t.end(0)


for test in (leave_by_key, leave_by_interrupt, leave_by_signal, no_flicker,
             stopped_and_continued):
    test()
    print(f"{test.__name__}: ok")
