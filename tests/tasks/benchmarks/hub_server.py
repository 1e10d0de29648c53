"""A Hub on the loopback: one data set with the same files at each of its commits, as the client library asks for it."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def hub_server(dataset, files, *, broken=(), commits=(COMMIT,), moved=None):
    """Serves `files` (bytes by name) at `commits`, the newest first; those in `broken` are answered with 500.

    `moved` is a former id of the data set, whose addresses lead to the present ones. Yields the address and the paths that were asked for.
    """
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, *, body):
            path = unquote(self.path.partition("?")[0])
            asked.append(path)
            status, headers, content = self.found(path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def found(self, path):
            api, resolve = f"/api/datasets/{dataset}", f"/datasets/{dataset}/resolve/"
            if moved and f"/datasets/{moved}" in path:
                return 307, {"Location": self.path.replace(f"/datasets/{moved}", f"/datasets/{dataset}")}, b""
            revision = path.removeprefix(api + "/revision/") if path.startswith(api + "/revision/") else "main"
            if revision not in {"main", *commits}:
                return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
            if path.startswith(f"{api}/tree/"):
                rows = [{"type": "file", "path": name, "oid": oid(data), "size": len(data)} for name, data in files.items()]
                return 200, {"Content-Type": "application/json"}, json.dumps(rows).encode()
            if path == api or path.startswith(api + "/"):
                siblings = [{"rfilename": name, "size": len(data)} for name, data in files.items()]
                sha = commits[0] if revision == "main" else revision
                about = {"id": dataset, "sha": sha, "siblings": siblings, "private": False, "tags": [], "downloads": 0, "likes": 0}
                return 200, {"Content-Type": "application/json"}, json.dumps(about).encode()
            commit, _, name = path.removeprefix(resolve).partition("/")
            if name in broken:
                return 500, {}, b""
            if path.startswith(resolve) and commit in commits and name in files:
                return 200, {"ETag": f'"{oid(files[name])}"', "X-Repo-Commit": commit}, files[name]
            return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def oid(data):
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
