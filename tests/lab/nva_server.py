#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A small HTTPS server in the NVA's place: serves one folder, with ETags.

usage: nva_server.py --root DIR --cert PEM --key PEM [--client-ca PEM] [--bind ADDR] [--port N]
A file named `fault` in the folder makes it misbehave: its word is one of
truncate (declares the whole length, sends half), error (500), stall (never answers).
A FIFO named `gate` holds every answer back until somebody opens it for writing.
"""

import argparse
import hashlib
import http.server
import os
import ssl
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root = "."
    stalled = threading.Event()

    def fault(self):
        try:
            with open(os.path.join(self.root, "fault"), encoding="ascii") as f:
                return f.read().strip()
        except FileNotFoundError:
            return ""

    def wait_at_gate(self):
        try:
            os.close(os.open(os.path.join(self.root, "gate"), os.O_RDONLY))
        except FileNotFoundError:
            pass

    def answer(self, code, body=b"", etag=None, declared=None):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body) if declared is None else declared))
        if etag:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        name = os.path.basename(self.path.split("?")[0])
        path = os.path.join(self.root, name)
        fault = self.fault()
        self.wait_at_gate()
        if fault == "stall":
            self.stalled.wait()
            return
        if fault == "error":
            self.answer(500)
            return
        if name.startswith(".") or name in ("fault", "gate") or not os.path.isfile(path):
            self.answer(404)
            return
        with open(path, "rb") as f:
            body = f.read()
        etag = '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
        if fault == "truncate":
            self.answer(200, body[:len(body) // 2], declared=len(body))
            self.close_connection = True
            return
        if self.headers.get("If-None-Match") == etag:
            self.answer(304, etag=etag)
        else:
            self.answer(200, body, etag)

    def log_message(self, fmt, *args):
        print(f"{self.client_address[0]} {fmt % args}", flush=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        print(f"{client_address[0]} connection failed: {sys.exc_info()[1]}", flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("root", "cert", "key"):
        ap.add_argument("--" + name, required=True)
    ap.add_argument("--client-ca")
    ap.add_argument("--bind", default="0.0.0.0")
    ap.add_argument("--port", type=int, default=443)
    args = ap.parse_args()
    Handler.root = args.root
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(args.cert, args.key)
    if args.client_ca:
        ctx.load_verify_locations(args.client_ca)
        ctx.verify_mode = ssl.CERT_REQUIRED
    server = Server((args.bind, args.port), Handler)
    server.socket = ctx.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(f"serving {args.root} on {args.bind}:{args.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
