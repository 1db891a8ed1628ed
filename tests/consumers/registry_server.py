#!/usr/bin/env python3
"""A schema registry as its REST API is documented, as far as GET /schemas/ids/N goes, with faults by id.

usage: registry_server.py AVSC

Prints its port and serves until its standard input is closed. Under /private, user `me` with the password `p@ss:w`
is required.
"""
import base64
import http.server
import json
import sys
import threading
import time

SCHEMA = open(sys.argv[1], encoding="utf-8").read()
ANSWERS = {
    1: (200, {"schema": SCHEMA}),
    2: (200, {"schema": SCHEMA, "schemaType": "AVRO", "references": []}),
    3: (200, {"schema": "syntax = \"proto3\";", "schemaType": "PROTOBUF"}),
    4: (200, {"schema": SCHEMA, "references": [{"name": "x", "subject": "x", "version": 1}]}),
    5: (500, {"error_code": 50001, "message": "Error in the backend datastore"}),
    6: (429, {"error_code": 42901, "message": "Too many requests"}),
    7: (404, "<html>no such page</html>"),
    8: (200, {"something": "else"}),
    9: (200, {"schema": "x" * 2000000}),
    10: (302, ""),
}
# Longer than anybody waits; the thread ends with the process.
SILENT_SECONDS = 600
# From here on the number of a schema is also the size of the answer that has it.
SIZED_FROM = 100000


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path
        if path.startswith("/private"):
            path = path[len("/private"):]
            if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"me:p@ss:w").decode():
                self.answer(401, {"error_code": 401, "message": "Unauthorized"})
                return
        prefix = "/schemas/ids/"
        if not path.startswith(prefix):
            self.answer(404, {"error_code": 404, "message": "HTTP 404 Not Found"})
            return
        number = int(path[len(prefix):])
        if number == 11:
            time.sleep(SILENT_SECONDS)
        if number >= SIZED_FROM:
            bare = len(json.dumps({"schema": SCHEMA, "description": ""}).encode())
            self.answer(200, {"schema": SCHEMA, "description": "x" * (number - bare)})
            return
        self.answer(*ANSWERS.get(number, (404, {"error_code": 40403, "message": "Schema %d not found" % number})))

    def answer(self, status, body):
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(data)))
        if status == 302:
            self.send_header("Location", "/schemas/ids/1")
        self.end_headers()
        try:
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
server.handle_error = lambda *_: None  # a client that hangs up is part of the test
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
