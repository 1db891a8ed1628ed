"""Thousands of bent requests to the whole of `urenwacht serve`, built with sanitizers, from a seed: methods, targets,
escapes, headers, cookies, bodies, chunks, floods, halves. It must not crash, not answer 5xx but 503 for what it refuses
for want of room, leak nothing, and not grow."""
import json
import os
import random
import re
import socket
import sys
import time
import urllib.parse

import yaml

from lib_serve import Program, check, finish, psql, token, until

SANITIZED, SOURCE = os.environ["UW_SANITIZED"], os.environ["UW_SOURCE"]
SEED, SECONDS = int(os.environ.get("UW_SEED", "1")), float(os.environ.get("UW_SECONDS", "18"))
LEAST = 2000
WORK = sys.argv[1]
# What it may hold after the first third and what more at the end, with the sanitizers' own.
GROWTH_MIB = 64


def serve():
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:quarantine_size_mb=8",
                       UBSAN_OPTIONS="print_stacktrace=1")
    server = Program("serve", lambda _: ["serve", "--port", "0", "--set", "serve.secure_cookie=false", "--set",
                                         "serve.stream_bytes=8MiB", "--set", "serve.workers=4", "--set", "log.level=debug"],
                     command=SANITIZED, environment=environment)
    if not until(lambda: is_good(server)):
        raise SystemExit("serve does not answer: " + server.text()[-2000:])
    return server


def is_good(server):
    """Whether it answers an honest question as it should."""
    try:
        answer = exchange(server.port, f"GET /api/v1/alerts?limit=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                          f"Authorization: Bearer {ADMIN}\r\n\r\n".encode(), patience=20)
    except OSError:
        return False
    return answer.startswith(b"HTTP/1.1 200 ") and b'"alert_id"' in answer


def exchange(port, data, patience=3.0, pieces=None, limit=1 << 20):
    """Sends (in pieces, perhaps) and reads until the other side closes, is silent, or has sent enough."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=patience)
    answer = b""
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces or [data]:
            connection.sendall(piece)
        while len(answer) < limit:
            part = connection.recv(65536)
            if not part:
                break
            answer += part
            if complete(answer):
                break
    except OSError:
        pass
    connection.close()
    return answer


def complete(answer):
    """Whether one answer is there as a whole; what is chunked is read on."""
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return length is not None and len(body) >= int(length.group(1)) or head[9:12] in (b"304", b"204")


# ---- the requests ----

NASTY = ["", "'", "\"", "\\", "%", "%00", "%0", "%GG", "%C3%28", "%F0%9F%98%80", "%2e%2e", "%2f", "..", ".", "//", "*", ";",
         "--", "' OR '1'='1", "$1", "{}", "[]", "null", "-1", "0", "1", "9" * 30, "1e308", "NaN", "2025-02-30",
         "0000-00-00", "9999-12-31", "\u00e9", "a" * 300, "A" * 5000, "%41" * 500, "\t", " ", "+", "true", "urn:x", "\x7f"]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "", "G" * 3000, "GET\x00",
           "PRI", "\u00e9", "GET GET"]
HEADERS = ["Accept", "Accept-Encoding", "Authorization", "Cookie", "Content-Type", "Content-Length", "Transfer-Encoding",
           "If-None-Match", "Last-Event-ID", "X-CSRF-Token", "Expect", "Upgrade", "Connection", "Host", "Range", "TE", "X",
           "Content-Encoding", "Forwarded", "X-Forwarded-For", "Referer", "Origin", ":", "\u00e9", "A" * 200, "A B", ""]
VALUES = ["", "*/*", "text/csv", "application/json", "text/csv;q=0, application/json", "Bearer ", "Bearer x", "Basic eDp4",
          "chunked", "identity, chunked", "gzip", "0", "5", "-1", "99999999999999999999", "1, 1", "0x10", "100-continue",
          "h2c", "close", "keep-alive, Upgrade", "*", "W/\"x\", *", "\"" + "a" * 1000, "bytes=0-1", "urenwacht_session=x",
          "urenwacht_session=" + "A" * 4000, "; ;;=;=a; a", "a=b; " * 500, "\x01", "\u20ac", "trailers", "AAAA", "DAwAAAAA"]


class Bender:
    def __init__(self, seed):
        self.random = random.Random(seed)
        paths = yaml.safe_load(open(SOURCE + "/dashboard/openapi.yaml", encoding="utf-8"))["paths"]
        self.operations = [(method.upper(), path, operation) for path, item in paths.items()
                           for method, operation in item.items() if method != "parameters"]
        self.operations += [("GET", path, {}) for path in ("/", "/metrics", "/healthz", "/assets/x.js", "/api", "/favicon.ico")]
        self.places = {"alert_id": psql("SELECT alert_id FROM urenwacht.alert LIMIT 20").split(),
                       "anomaly_id": psql("SELECT anomaly_id FROM urenwacht.anomaly LIMIT 20").split(),
                       "decision": psql("SELECT DISTINCT decision FROM urenwacht.account LIMIT 20").split(),
                       "municipality": psql("SELECT DISTINCT municipality FROM urenwacht.account").split(),
                       "grain": ["weekly", "monthly"], "id": ["1", "2", "999999"]}
        self.parameters = sorted({name for name in re.findall(r"name: ([a-z_]+)\b", open(
            SOURCE + "/dashboard/openapi.yaml", encoding="utf-8").read())})

    def some(self, values):
        return values[self.random.randrange(len(values))]

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def noise(self, most):
        return bytes(self.random.randrange(256) for _ in range(self.random.randrange(most)))

    def target(self, path):
        def place(match):
            known = self.places.get(match.group(1))
            return self.some(known) if known and self.chance(70) else self.some(NASTY)
        target = re.sub(r"\{(\w+)\}", place, path)
        if self.chance(10):
            at = self.random.randrange(len(target) + 1)
            target = target[:at] + self.some(NASTY) + target[at:]
        if self.chance(60):
            names = [self.some(self.parameters if self.chance(90) else NASTY) for _ in range(self.random.randrange(6))]
            target += "?" + "&".join(name + ("=" if self.chance(95) else "") + self.value(name) for name in names)
        if self.chance(2):
            target += "&x" * self.random.randrange(3000)
        return target

    def value(self, name):
        known = {"limit": ["1", "10", "1000"], "sort": ["severity", "-observed_at", "decision"], "format": ["csv", "json"],
                 "kind": ["EVALUATION_DUE", "BUDGET_LOW"], "by": ["kind", "municipality,law", "staff"], "status": ["OPEN"],
                 "municipality": self.places["municipality"], "from": ["beginning", "now", "2025-01-01"]}
        if name in known and self.chance(60):
            return self.some(known[name])
        text = self.some(NASTY)
        return urllib.parse.quote(text) if self.chance(50) else text

    def json(self, depth=0):
        kind = self.random.randrange(7 if depth < 4 else 5)
        if kind == 5:
            return [self.json(depth + 1) for _ in range(self.random.randrange(4))]
        if kind == 6:
            names = ["assignee", "note", "until", "state", "held_on", "outcome", "token", "name", "role", "days", "x",
                     "municipalities", "url", "secret", "kinds", "filter", "active"]
            return {self.some(names): self.json(depth + 1) for _ in range(self.random.randrange(6))}
        return [None, self.chance(50), self.random.randrange(-2**63, 2**63), self.some(NASTY),
                self.some(["CONTINUE", "IN_RESEARCH", "2026-01-01", "regional", "Piet", ADMIN])][kind]

    def body(self):
        choice = self.random.randrange(10)
        if choice < 5:
            return json.dumps(self.json(), ensure_ascii=self.chance(50)).encode()
        if choice == 5:
            return self.noise(3000)
        if choice == 6:
            return b"[" * self.random.randrange(70000)
        if choice == 7:
            return b"{\"note\": \"" + b"a" * self.random.randrange(80000) + b"\"}"
        if choice == 8:
            return json.dumps({"note": "x"}).encode()[:self.random.randrange(12)]
        return b""

    def chunked(self, body):
        out = b""
        while body:
            size = self.random.randrange(1, 4000)
            part, body = body[:size], body[size:]
            told = self.some([len(part)] * 20 + [len(part) + 1, 0, 2**31, 2**64, -1])
            out += (b"%x" % told if told >= 0 else b"-1") + self.some([b"", b"", b"", b";x=y", b" "]) + b"\r\n" + part + b"\r\n"
        return out + self.some([b"0\r\n\r\n", b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"", b"zz\r\n"])

    def request(self):
        """The bytes of one request, more or less."""
        method, path, _ = self.some(self.operations)
        if self.chance(12):
            method = self.some(METHODS)
        lines = [f"{method} {self.target(path)} {self.some(['HTTP/1.1'] * 15 + ['HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', '', 'X'])}",
                 "Host: localhost"]
        if self.chance(85):
            lines.append("Authorization: Bearer " + self.some(TOKENS))
        for _ in range(self.random.randrange(5) if self.chance(60) else 0):
            lines.append(self.some(HEADERS) + self.some([": ", ":", " : ", ""]) + self.some(VALUES))
        if self.chance(1):
            lines += [f"X-{i}: " + "y" * 100 for i in range(self.random.randrange(2000))]
        body = b""
        if method in ("POST", "PUT", "DELETE", "PATCH") and self.chance(90) or self.chance(3):
            body = self.body()
            if self.chance(85):
                lines.append("Content-Type: application/json")
            if self.chance(25):
                lines.append("Transfer-Encoding: chunked")
                body = self.chunked(body)
            else:
                lines.append(f"Content-Length: {self.some([len(body)] * 12 + [len(body) + 5, max(0, len(body) - 5), 2**40])}")
        data = "\r\n".join(lines).encode("utf-8", "replace") + self.some([b"\r\n\r\n"] * 20 + [b"\n\n", b"\r\n", b"\r\n\r\n\r\n"]) + body
        if self.chance(6):
            data = bytearray(data)
            for _ in range(self.random.randrange(1, 6)):
                data[self.random.randrange(len(data))] = self.random.randrange(256)
        if self.chance(3):
            data = data[:self.random.randrange(len(data))]
        if self.chance(3):
            data = bytes(data) * self.random.randrange(2, 5)
        if self.chance(2):
            data = self.noise(2000)
        return bytes(data)


TOKENS = [token("Fuzz-admin", "admin"), token("Fuzz-fraud", "fraud"), token("Fuzz-region", "regional"),
          token("Fuzz-cm", "contract-manager", "--municipality",
                psql("SELECT municipality FROM urenwacht.alert GROUP BY 1 ORDER BY 1 LIMIT 1")), "uw_" + "A" * 43, "x", ""]
# Of its own, so that no bent request revokes it.
ADMIN = token("Honest", "admin")


def restore_tokens():
    """Requests by an admin may well have revoked the tokens that the others use."""
    psql("UPDATE urenwacht_data.token SET revoked_at = NULL WHERE revoked_at IS NOT NULL")


def run(server):
    bender, statuses, silent, leaks, first = Bender(SEED), {}, 0, [], 0
    began, number = time.monotonic(), 0
    # So many connections stay half open at any time, as of slow clients.
    halves = []
    patience = 0.2
    while time.monotonic() - began < SECONDS or number < LEAST:
        if time.monotonic() - began > SECONDS * 30 or server.process.poll() is not None:
            break
        if number % 100 == 0:
            # How long a silence is one depends on the machine.
            asked = time.monotonic()
            is_good(server)
            patience = min(1.5, max(0.2, 5 * (time.monotonic() - asked)))
        data = bender.request()
        number += 1
        if bender.chance(4):
            try:
                half = socket.create_connection(("127.0.0.1", server.port), timeout=3)
                half.sendall(data[:bender.random.randrange(len(data) + 1)])
                halves.append(half)
            except OSError:
                pass
            if len(halves) > 100:
                halves.pop(0).close()
            continue
        pieces = None
        if bender.chance(10) and len(data) < 3000:
            size = bender.random.randrange(1, 40)
            pieces = [data[i:i + size] for i in range(0, len(data), size)]
        try:
            answer = exchange(server.port, data, patience, pieces, 1 << 18)
        except OSError:
            answer = b""
        status = answer[9:12].decode("ascii", "replace") if answer.startswith(b"HTTP/1.") else ""
        statuses[status] = statuses.get(status, 0) + 1
        silent += status == ""
        if status.startswith("5") and status not in ("503", "501", "505") or re.search(
                rb"(?i)pg_|urenwacht_data|select |libpq|password|/tmp/|SQLSTATE", answer.partition(b"\r\n\r\n")[2][:2000]
                if status.startswith(("4", "5")) else b""):
            leaks.append((data[:300], answer[:400]))
        if number % 500 == 0:
            restore_tokens()
        if number == LEAST // 2:
            first = server.memory("VmRSS")
    for half in halves:
        half.close()
    return number, statuses, leaks, first, time.monotonic() - began


def main():
    facts = psql("SELECT count(*) FROM urenwacht.fact")
    server = serve()
    number, statuses, leaks, first, seconds = run(server)
    print(f"  {number} requests in {seconds:.1f} s; statuses {dict(sorted(statuses.items()))}")
    check("the server lives", server.process.poll() is None, server.process.returncode)
    check(f"{LEAST} requests and more were made", number >= LEAST, number)
    check("many kinds of answers were met", {"200", "400", "401", "403", "404", "405", "413"} <= set(statuses), statuses)
    check("none fails inside, and none tells of the inside", not leaks, leaks[:3])
    check("503 is rare", statuses.get("503", 0) < number / 10, statuses)
    restore_tokens()
    check("an honest question is answered afterwards", until(lambda: is_good(server)))
    last = server.memory("VmRSS")
    check(f"it has not grown ({first} MiB, then {last} MiB)", last < first + GROWTH_MIB, (first, last))

    def files():
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))
    check("connections were given back", until(lambda: files() < 150), files())
    check("no fact was changed", psql("SELECT count(*) FROM urenwacht.fact") == facts)
    check("the tokens are there", int(psql("SELECT count(*) FROM urenwacht_data.token")) >= 5)
    check("it stops in order, and the sanitizers have nothing to say", server.stop() == 0, server.process.returncode)
    log = server.text()
    check("nothing of the sanitizers is in the log", "Sanitizer" not in log and "runtime error" not in log,
          "\n".join(line for line in log.splitlines() if "rror" in line)[:3000])
    check("no token and no client is in the log", not any(t in log for t in TOKENS[:4] + [ADMIN]) and "c-0000" not in log)


main()
finish()
