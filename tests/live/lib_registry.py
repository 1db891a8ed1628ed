#!/usr/bin/env python3
"""A schema registry over HTTP, as far as asking for a schema by its id goes.

usage: lib_registry.py PORTFILE DIR [away]

Takes a free port, writes its number to PORTFILE, and serves GET /schemas/ids/N with the file N.json of DIR until it is
ended; one line is printed for each request. With `away` it refuses connections until it gets SIGUSR1: the port is its
own all the while.
"""
import http.server
import os
import pathlib
import signal
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
    daemon_threads = True


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.server_bind()
    pathlib.Path(sys.argv[1] + ".new").write_text(str(server.server_port), encoding="ascii")
    os.replace(sys.argv[1] + ".new", sys.argv[1])
    # Bound but not listening.
    if "away" in sys.argv[3:]:
        signal.sigwait({signal.SIGUSR1})
    server.server_activate()
    server.serve_forever()


if __name__ == "__main__":
    main()
