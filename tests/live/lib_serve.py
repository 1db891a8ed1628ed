"""What the suites of `urenwacht serve` share: counting, asking the database, the command and the server."""
import http.client
import json
import os
import signal
import subprocess
import sys
import time

COMMAND = os.environ["UW_COMMAND"]
counts = {"passed": 0, "failed": 0}


def check(what, good, why=""):
    counts["passed" if good else "failed"] += 1
    print(("passed " if good else "FAILED ") + what + ("" if good else f": {str(why)[:2000]}"), flush=True)


def finish():
    print(f"{counts['passed']} passed, {counts['failed']} failed")
    sys.exit(counts["failed"] > 0)


def until(holds, seconds=180):
    """Whether the condition holds within the time, which is long: other work on the machine must not fail a test."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def psql(sql):
    out = subprocess.run(["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", os.environ["URENWACHT_DSN"], "-c", sql],
                         check=True, capture_output=True, text=True)
    return out.stdout.strip()


def run(*arguments):
    """What the command prints; it has to succeed."""
    return subprocess.run([COMMAND, *arguments], check=True, capture_output=True, text=True, timeout=600).stdout.strip()


def token(name, role, *more):
    return run("token", "create", "--name", name, "--role", role, *more)


def exchange(port, method, path, headers=None, body=None):
    """One request on a connection of its own: status, headers, bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def ask(port, method, path, who=None, body=None, headers=None, raw=None):
    """The same with a token and a body as JSON."""
    send = dict(headers or {})
    if who:
        send["Authorization"] = "Bearer " + who
    if body is not None:
        raw = json.dumps(body)
        send.setdefault("Content-Type", "application/json")
    return exchange(port, method, path, send, raw)


class Program:
    """A running command that logs the port on which it answers, behind the words `says`. `arguments` makes its words
    from the port that it had before, or 0. With `ready` it is waited for until that path is answered with 200."""

    def __init__(self, name, arguments, says="serving on", ready=None, command=COMMAND, environment=None):
        self.log, self.says, self.ready, self.peak, self.port = f"{sys.argv[1]}/{name}.log", says, ready, 0, 0
        self.arguments, self.environment, self.command = arguments, environment, command
        self.start()

    def start(self, seconds=180):
        begin = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.command, *self.arguments(self.port)], stderr=log, env=self.environment)
        found = []

        def told():
            found[:] = [line for line in self.text(begin).splitlines() if self.says in line and line[-1].isdigit()]
            return found or self.process.poll() is not None
        if not until(told, seconds) or not found:
            raise SystemExit(f"{self.command} does not start: {self.text(begin)[-2000:]}")
        self.port = int(found[-1].rsplit(" ", 1)[1])
        if self.ready and not until(self.is_ready, seconds):
            raise SystemExit(f"{self.command} does not get ready: {self.text(begin)[-2000:]}")

    def is_ready(self):
        try:
            return exchange(self.port, "GET", self.ready)[0] == 200
        except OSError:
            return False

    def text(self, begin=0):
        """What it has logged, over restarts."""
        with open(self.log, "rb") as file:
            file.seek(begin)
            return file.read().decode("utf-8", "replace")

    def memory(self, field="VmHWM"):
        """MiB now; at the highest, also over restarts."""
        value = 0
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as file:
                for line in file:
                    if line.startswith(field + ":"):
                        value = int(line.split()[1]) // 1024
        except OSError:
            pass  # it has ended
        if field == "VmHWM":
            value = self.peak = max(self.peak, value)
        return value

    def figure(self, name):
        """A figure without labels of /metrics."""
        for line in exchange(self.port, "GET", "/metrics")[2].decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split(" ")[1])
        return None

    def stop(self, how=signal.SIGTERM):
        self.memory()
        self.process.send_signal(how)
        return self.process.wait(120)
