"""A terminal for what a test starts, with a screen that the test can read."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

from harness import binary

_ESCAPE = re.compile(rb"\x1b\[(\d*)([A-Za-z])")


class Terminal:
    """Runs ezio-cli with its standard error on a terminal of so many rows and columns. `screen()` is what is seen on it."""

    def __init__(self, rows, columns, *arguments, wrapper=(), **environment):
        self.rows, self.columns = rows, columns
        self._lines, self._row, self._column = [""] * rows, 0, 0
        self._lock = threading.Lock()
        self._master, slave = pty.openpty()
        self._set_size(slave)
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *wrapper, binary(), *map(str, arguments)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", **environment})
        os.close(slave)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._reader.join()
        os.close(self._master)

    def _set_size(self, terminal):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def resize(self, rows, columns):
        """As a terminal that cuts lines off, and keeps the last rows."""
        with self._lock:
            gone = max(0, self._row - rows + 1)
            self._lines = [line[:columns] for line in self._lines[gone:]][:rows]
            self._lines += [""] * (rows - len(self._lines))
            self._row -= gone
            self.rows, self.columns = rows, columns
            self._set_size(self._master)

    def signal(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def screen(self):
        with self._lock:
            return [line.rstrip() for line in self._lines]

    def text(self):
        return "\n".join(self.screen())

    def __str__(self):
        return f"--- {self.rows} x {self.columns}: {self.process.poll()}\n{self.text()}\n---"

    def _read(self):
        data = b""
        while True:
            try:
                part = os.read(self._master, 65536)
            except OSError:  # the last who had it open is gone
                return
            if not part:
                return
            with self._lock:
                data = self._show(data + part)

    def _show(self, data):
        """Returns what is not whole yet."""
        while data:
            if data[:1] == b"\x1b":
                escape = _ESCAPE.match(data)
                if not escape:
                    return data
                self._obey(escape[2], int(escape[1] or 1))
                data = data[escape.end():]
                continue
            length = next(count for first, count in ((0xf0, 4), (0xe0, 3), (0xc0, 2), (0, 1)) if data[0] >= first)
            if len(data) < length:
                return data
            self._put(data[:length].decode(errors="replace"))
            data = data[length:]
        return b""

    def _obey(self, command, number):
        line = self._lines[self._row]
        if command == b"A":
            self._row = max(0, self._row - number)
        elif command == b"K":
            self._lines[self._row] = line[:self._column]
        elif command == b"J":
            self._lines[self._row:] = [line[:self._column]] + [""] * (self.rows - self._row - 1)

    def _put(self, character):
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._next_row()
        else:
            if self._column == self.columns:
                self._next_row()
                self._column = 0
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[:self._column] + character + line[self._column + 1:]
            self._column += 1

    def _next_row(self):
        self._row += 1
        if self._row == self.rows:
            self._lines = [*self._lines[1:], ""]
            self._row -= 1
