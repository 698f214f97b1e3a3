"""Runs a program on a pseudo-terminal and talks with it.

Standard input holds one JSON object: {"argv": [...], "rows": 24, "columns": 80, "timeout": seconds, "steps": [...]}. A step waits
until "expect" (a regular expression) stands in the output behind what the step before has found, and then does what it has of
"send" (a text that is typed), "resize" ([rows, columns]) and "raw" (waits until the terminal is in raw mode). Standard output
gets one JSON object: {"output": text, "code": exit code, "restored": whether the terminal is as it was}, or {"failure": what}.
"""

import fcntl
import json
import os
import re
import select
import signal
import struct
import sys
import termios
import time


class Session:
    def __init__(self, order):
        self.order = order
        self.output = b""
        self.position = 0
        self.ends_at = time.monotonic() + order["timeout"]
        self.master, self.slave = os.openpty()
        self.resize(order["rows"], order["columns"])
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if self.pid == 0:
            self.become()

    def become(self):
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
        for number in range(3):
            os.dup2(self.slave, number)
        os.closerange(3, 256)
        os.execvp(self.order["argv"][0], self.order["argv"])

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def check_time(self, what):
        if time.monotonic() > self.ends_at:
            raise TimeoutError(f"{what} did not come; output so far: {self.text()!r}")

    def read(self):
        if not select.select([self.master], [], [], 0.05)[0]:
            return
        self.output += os.read(self.master, 65536)

    def text(self):
        return self.output.decode("utf-8", "replace")

    def expect(self, pattern):
        while True:
            found = re.compile(pattern, re.M).search(self.text(), self.position)
            if found:
                self.position = found.end()
                return
            self.check_time(pattern)
            self.read()

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def step(self, step):
        if "expect" in step:
            self.expect(step["expect"])
        while step.get("raw") and not self.is_raw():
            self.check_time("raw mode")
            self.read()
        if "resize" in step:
            self.resize(*step["resize"])
        if "send" in step:
            os.write(self.master, step["send"].encode())

    def end(self):
        """Reads on until the program has ended and nothing of it is left."""
        status = None
        while status is None:
            self.read()
            pid, waited = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                status = waited
            self.check_time("the end")
        while select.select([self.master], [], [], 0)[0]:
            self.read()
        return os.waitstatus_to_exitcode(status)

    def run(self):
        try:
            for step in self.order["steps"]:
                self.step(step)
            code = self.end()
            restored = termios.tcgetattr(self.slave) == self.before
            return {"output": self.text(), "code": code, "restored": restored}
        except TimeoutError as failure:
            os.kill(self.pid, signal.SIGKILL)
            return {"failure": str(failure)}


json.dump(Session(json.load(sys.stdin)).run(), sys.stdout)
