"""The servers under the faults: a stack of deploy/local, and what can be done to it."""
import glob
import os
import shutil
import re
import signal
import subprocess
import threading
import time


# Debian's psql is a script that looks for the real one, which takes longer than most queries.
PSQL = max(glob.glob("/usr/lib/postgresql/*/bin/psql"), default=shutil.which("psql") or "psql")

START_TURNS = 4
# Said of a transaction whose partitions have no leader at this moment, although they are not deleted at all.
FORGOTTEN_END = "these partitions are likely deleted already and hence can be skipped"
# Said when what the coordinator of groups has loaded is thrown away and loaded once more.
FORGOTTEN_MEMBERS = "is out of sync with the underlying log"


class Skipped(Exception):
    """A fault that this machine cannot have, and why."""


class Servers:
    """One broker and one PostgreSQL cluster, in a folder of their own or the one that the environment names."""

    def __init__(self, source, folder, own):
        self.source, self.folder, self.own = source, folder, own
        self.lock = threading.Lock()

    def local(self, *words, patience=400):
        """Runs deploy/local; returns what it printed."""
        done = subprocess.run([f"{self.source}/deploy/local", "--dir", self.folder, *words], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=patience)
        if done.returncode:
            raise RuntimeError(f"deploy/local {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def patiently(self, command):
        """A broker that was killed reads its logs anew, which takes minutes where the machine has other work."""
        for _ in range(START_TURNS - 1):
            try:
                return self.local(command)
            except RuntimeError as error:
                if "does not answer" not in str(error):
                    raise
        return self.local(command)

    def up(self):
        self.patiently("up")
        for name, value in re.findall(r"^export (\w+)='(.*)'$", self.local("env", "--admin"), re.M):
            os.environ[name] = value
        self.dsn, self.admin_dsn = os.environ["URENWACHT_DSN"], os.environ["URENWACHT_ADMIN_DSN"]
        self.brokers = os.environ["URENWACHT_KAFKA_BOOTSTRAP_SERVERS"]

    def close(self):
        if self.own:
            self.local("remove")

    def forgotten_ends(self, name):
        """Lines of the broker's log, of this run and the one before, that say that it left transactions of
        topics with this name without their end (docs/faults.md, "What they found")."""
        found = set()
        for path in (f"{self.folder}/kafka/log.1", f"{self.folder}/kafka/log"):
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    found.update(line for line in file if FORGOTTEN_END in line and f"{name}." in line)
            except FileNotFoundError:
                pass
        return found

    def forgets_members(self):
        """Whether the broker that runs now lost its timers of groups when it started, so that a member that is gone is
        waited for until the rebalance times out (docs/faults.md, "What they found")."""
        try:
            with open(f"{self.folder}/kafka/log", encoding="utf-8", errors="replace") as file:
                return any(FORGOTTEN_MEMBERS in line for line in file)
        except FileNotFoundError:
            return False

    def postgres_log(self):
        """Path of what PostgreSQL says; deploy/local has its data elsewhere where the server may not enter the folder."""
        with open(f"{self.folder}/state", encoding="utf-8") as file:
            return re.search(r"^postgres_data=(.*)$", file.read(), re.M)[1] + ".log"

    def keep_logs(self, folder):
        """Copies what the servers have said, the broker's former run too; returns the names of the copies."""
        copies = []
        for path in (f"{self.folder}/kafka/log.1", f"{self.folder}/kafka/log", self.postgres_log()):
            copy = f"{folder}/{'-'.join(path.split('/')[-2:])}"
            try:
                shutil.copyfile(path, copy)
                copies.append(copy)
            except OSError:
                pass
        return ", ".join(copies)

    def pids(self):
        return {name: int(pid) for name, pid in re.findall(r"^(\w+)=(\d+)$", self.local("pids"), re.M)}

    def admin(self, text, database=None):
        dsn = self.admin_dsn if database is None else self.admin_dsn.rsplit("/", 1)[0] + "/" + database
        done = subprocess.run([PSQL, "-XAtq", "-v", "ON_ERROR_STOP=1", dsn, "-c", "SET client_min_messages = warning",
                               "-c", text], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()


def sql(dsn, text, patience=60):
    """The rows of a query, or None when the server does not answer."""
    try:
        done = subprocess.run([PSQL, "-XAtq", "-v", "ON_ERROR_STOP=1", dsn, "-c", text], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=patience,
                              env={**os.environ, "PGCONNECT_TIMEOUT": "3"})
    except subprocess.TimeoutExpired:
        return None
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else None


class Process:
    """A run of the command, whose words go to a file."""

    def __init__(self, words, log, environment):
        self.log = log
        self.words = words
        with open(log, "ab") as out:
            self.began_at = out.tell()
            self.popen = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        self.started = time.monotonic()

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def send(self, number):
        if self.running():
            os.kill(self.pid, number)

    def end(self, number=signal.SIGKILL, patience=10):
        """Sends the signal and waits; the exit status, or None when it had to be killed after all."""
        self.send(number)
        return self.wait(patience)

    def wait(self, patience):
        try:
            return self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait(10)
            return None

    def says(self):
        with open(self.log, "rb") as file:
            file.seek(self.began_at)
            return file.read().decode(errors="replace")


class Watcher(threading.Thread):
    """Samples how many messages have been applied, so that it can be told afterwards when work went on."""

    PERIOD_SECONDS = 0.1

    def __init__(self, dsn):
        super().__init__(daemon=True)
        self.dsn, self.samples, self.closing = dsn, [(time.monotonic(), 0)], threading.Event()
        self.start()

    def run(self):
        while not self.closing.wait(self.PERIOD_SECONDS):
            began = time.monotonic()
            rows = sql(self.dsn, "SELECT coalesce(sum(next_offset), 0) FROM urenwacht.progress", 20)
            if rows:
                self.samples.append((began, int(rows[0])))

    def close(self):
        self.closing.set()
        self.join(10)

    @property
    def applied(self):
        return self.samples[-1][1]

    def recovered_after(self, moment):
        """Seconds from the moment until more was applied than then; None when nothing ever was."""
        before = max(count for at, count in self.samples if at <= moment)
        for at, count in self.samples:
            if at > moment and count > before:
                return at - moment
        return None

    def slowest_after(self, moments):
        spans = (self.recovered_after(moment) for moment in moments)
        return max((span for span in spans if span is not None), default=None)
