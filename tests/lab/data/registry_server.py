"""A package registry on this machine: it heeds ranges, breaks off, dawdles and lies as a test wants."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Registry:
    """Serves ``content`` under every address.

    ``asked`` has the start of each request's range, or None. The first ``breaks`` answers end after ``most`` bytes.
    """

    def __init__(self, content, *, breaks=0, most=0, ranges=True, pause=0.0, status=200):
        self.content, self.breaks, self.most = content, breaks, most
        self.ranges, self.pause, self.status = ranges, pause, status
        self.asked, self.paths = [], []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                registry.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def answer(self, handler):
        given = handler.headers.get("Range")
        start = int(given.removeprefix("bytes=").rstrip("-")) if given else None
        self.asked.append(start)
        self.paths.append(handler.path)
        if self.status != 200:
            return handler.send_error(self.status)
        begin = start if start is not None and self.ranges else 0
        body = self.content[begin:]
        handler.send_response(206 if begin else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if len(self.asked) <= self.breaks:
            body = body[: self.most]
        for at in range(0, len(body), 1 << 14):
            try:
                handler.wfile.write(body[at : at + (1 << 14)])
            except (BrokenPipeError, ConnectionResetError):
                return None
            time.sleep(self.pause)
        return None

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
