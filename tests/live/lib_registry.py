#!/usr/bin/env python3
"""A schema registry over HTTP, as far as asking for a schema by its id goes.

usage: lib_registry.py PORT DIR

Serves GET /schemas/ids/N with the file N.json of DIR until it is ended; one line is printed for each request.
"""
import http.server
import pathlib
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = self.path.rpartition("/")[2]
        file = pathlib.Path(sys.argv[2]) / f"{number}.json"
        if self.path == f"/schemas/ids/{number}" and number.isdigit() and file.exists():
            status, body = 200, file.read_bytes()
        else:
            status, body = 404, b'{"error_code": 40403, "message": "Schema not found"}'
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print(self.path, status, flush=True)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
