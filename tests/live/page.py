"""The web page as `urenwacht serve` answers it, against the files of a second build. Standard library."""
import os
import re
import sys

from lib_serve import Program, check, exchange, finish

BUILD = os.environ["UW_BUILD"]
WORK, DIST = sys.argv[1:3]
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml"}


def files_below(folder):
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as file:
                found["/" + os.path.relpath(path, folder)] = file.read()
    return found


def ask(port, path, headers=None):
    return exchange(port, "GET", path, headers)


def test_build(files):
    first = files_below(BUILD + "/dashboard/page/dist")
    check("a second build has the same files", sorted(files) == sorted(first), (sorted(files), sorted(first)))
    check("with the same bytes", files == first, [name for name in files if files[name] != first.get(name)])
    with open(WORK + "/built.c", "rb") as again, open(BUILD + "/dashboard/page_built.c", "rb") as before:
        check("and so does the C file", again.read() == before.read())
    hashed = [name for name in files if name.startswith("/assets/")]
    check("every asset's name has a hash", hashed and all(re.fullmatch(r".*-[0-9a-z]{8,}\.[a-z]+", name) for name in hashed), hashed)


def test_html(files):
    html = files["/index.html"].decode()
    check("the page has no script or style of its own", re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", html) is None)
    links = re.findall(r'(?:src|href)="([^"]*)"', html)
    check("and asks only for its own files", links and all(link.startswith("./") and link[1:] in files for link in links), links)
    styles = b"".join(content for name, content in files.items() if name.endswith(".css"))
    check("styles load nothing", b"url(" not in styles and b"@import" not in styles)


def test_answers(files, port):
    for path, content in files.items():
        status, headers, got = ask(port, path)
        kept = "immutable" in headers["Cache-Control"]
        check(f"{path} is answered as it was built", status == 200 and got == content and
              headers["Content-Type"] == TYPES[os.path.splitext(path)[1]], (status, headers["Content-Type"], len(got)))
        check(f"{path} is kept by browsers only with its hash", kept == path.startswith("/assets/"), headers["Cache-Control"])
        again, _, nothing = ask(port, path, {"If-None-Match": headers["ETag"]})
        check(f"{path} is not sent again", (again, nothing) == (304, b""), again)
    for path in ("/", "/overview"):
        status, headers, got = ask(port, path)
        policy = headers["Content-Security-Policy"]
        check(f"{path} is the page", status == 200 and got == files["/index.html"], status)
        check(f"{path} allows its own scripts and styles only", "default-src 'none'" in policy and "unsafe" not in policy and
              "script-src 'self'" in policy and "style-src 'self'" in policy, policy)
    check("a file that is not there is 404", ask(port, "/assets/none-00000000.js")[0] == 404)


built = files_below(DIST)
test_build(built)
test_html(built)
server = Program("serve", lambda _: ["serve", "--port", "0"])
try:
    test_answers(built, server.port)
finally:
    check("it ends in good order", server.stop() == 0)
finish()
