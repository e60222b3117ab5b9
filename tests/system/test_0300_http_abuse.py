"""Hostile HTTP against the real server: raw bytes in, JSON refusals out, and the workers stay."""

import json
import re
import socket
import struct
import threading
import time

import pytest

from net import wait_until
from server import HOST, META, MODERN, Server

H = "Host: localhost\r\n"
DISCOVER = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": META}})
MODERN_HEADERS = f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: server/discover\r\n"
CHUNKED = f"POST /mcp HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n"


def good(close=False):
    return (f"POST /mcp HTTP/1.1\r\n{H}Content-Type: application/json\r\n{MODERN_HEADERS}"
            f"{'Connection: close' + chr(13) + chr(10) if close else ''}"
            f"Content-Length: {len(DISCOVER)}\r\n\r\n{DISCOVER}")


class Raw:
    """A connection of bytes."""

    def __init__(self, server, timeout=15):
        self.socket = socket.create_connection((HOST, server.port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""

    def send(self, text, piece=0):
        data = text.encode("latin-1") if isinstance(text, str) else text
        step = piece or max(1, len(data))
        try:
            for at in range(0, len(data), step):
                self.socket.sendall(data[at:at + step])
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def until(self, what):
        """Reads until `what` has come."""
        while what not in self.got:
            more = self.socket.recv(65536)
            assert more, f"end before {what!r}: {self.got[:500]!r}"
            self.got += more
        return self.got

    def all(self):
        """Everything up to the end of the connection."""
        try:
            while more := self.socket.recv(65536):
                self.got += more
        except ConnectionResetError:
            pass
        return self.got

    def statuses(self):
        return [int(x) for x in re.findall(rb"HTTP/1\.1 (\d\d\d) ", self.all())]

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


@pytest.fixture(autouse=True)
def the_workers_stay(server):
    before = server.workers
    yield
    assert server.workers == before
    assert server.health()[0] == 200


REFUSED = {
    "bare LF": (f"GET /health HTTP/1.1\n{H}\r\n", 400),
    "bare LF in headers": ("GET /health HTTP/1.1\r\nHost: x\n\r\n", 400),
    "bare CR": ("GET /health HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", 400),
    "folded line": (f"GET /health HTTP/1.1\r\n{H}X: a\r\n b\r\n\r\n", 400),
    "blank before colon": ("GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    "empty name": (f"GET /health HTTP/1.1\r\n{H}: x\r\n\r\n", 400),
    "NUL in a value": (f"GET /health HTTP/1.1\r\n{H}X: a\0b\r\n\r\n", 400),
    "NUL in a name": (f"GET /health HTTP/1.1\r\n{H}X\0: a\r\n\r\n", 400),
    "blank in the target": (f"GET /he alth HTTP/1.1\r\n{H}\r\n", 400),
    "control character in the target": (f"GET /health\x01 HTTP/1.1\r\n{H}\r\n", 400),
    "no Host": ("GET /health HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (f"GET /health HTTP/1.1\r\n{H}{H}\r\n", 400),
    "HTTP/1.9": (f"GET /health HTTP/1.9\r\n{H}\r\n", 505),
    "HTTP/2.0": (f"GET /health HTTP/2.0\r\n{H}\r\n", 505),
    "preface of HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405),
    "version that wraps": (f"GET /health HTTP/4294967297.1\r\n{H}\r\n", 400),
    "HTTP/0.9": ("GET /health\r\n", 400),
    "TLS": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\x00" * 40, 400),
    "two lengths": (f"POST /mcp HTTP/1.1\r\n{H}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
    "two equal lengths": (f"POST /mcp HTTP/1.1\r\n{H}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400),
    "length list": (f"POST /mcp HTTP/1.1\r\n{H}Content-Length: 1, 1\r\n\r\nx", 400),
    "signed length": (f"POST /mcp HTTP/1.1\r\n{H}Content-Length: +7\r\n\r\n1234567", 400),
    "length and coding": (f"POST /mcp HTTP/1.1\r\n{H}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "0\r\n\r\n", 400),
    "coding of HTTP/1.0": (f"POST /mcp HTTP/1.0\r\n{H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "unknown coding": (f"POST /mcp HTTP/1.1\r\n{H}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "disguised coding": (f"POST /mcp HTTP/1.1\r\n{H}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "HEAD with a body": (f"HEAD /health HTTP/1.1\r\n{H}Content-Length: 20\r\n\r\nGET /x HTTP/1.1\r\n\r\n", 400),
    "TRACE": (f"TRACE /mcp HTTP/1.1\r\n{H}\r\n", 405),
    "CONNECT": (f"CONNECT example.com:443 HTTP/1.1\r\n{H}\r\n", 405),
    "unknown method": (f"BREW /mcp HTTP/1.1\r\n{H}\r\n", 405),
    "hex prefix in a chunk size": (CHUNKED + "0x4\r\nabcd\r\n0\r\n\r\n", 400),
    "signed chunk size": (CHUNKED + "+4\r\nabcd\r\n0\r\n\r\n", 400),
    "chunk extension": (CHUNKED + "4;ext=1\r\nabcd\r\n0\r\n\r\n", 400),
    "chunk without line end": (CHUNKED + "4\r\nabcd0\r\n\r\n", 400),
    "chunk size that wraps": (CHUNKED + "10000000000000000\r\nabcd", 400),
    "huge chunk": (CHUNKED + "fffffffffffffff\r\nabcd", 413),
    "folded trailer": (CHUNKED + "0\r\nA: b\r\n c\r\n\r\n", 400),
    "other expectation": (f"POST /mcp HTTP/1.1\r\n{H}Expect: tea\r\nContent-Length: 1\r\n\r\nx", 417),
    "long target": ("GET /" + "a" * 20000 + f" HTTP/1.1\r\n{H}\r\n", 414),
    "long header": (f"GET /health HTTP/1.1\r\n{H}X: " + "a" * 20000 + "\r\n\r\n", 431),
    "long header name": (f"GET /health HTTP/1.1\r\n{H}" + "a" * 20000 + ": x\r\n\r\n", 431),
    "many headers": (f"GET /health HTTP/1.1\r\n{H}" + "X: y\r\n" * 500 + "\r\n", 431),
    "large body": (f"POST /mcp HTTP/1.1\r\n{H}Content-Length: 99999999999999999999\r\n\r\n", 413),
    "user in the target": (f"GET http://a@localhost/mcp HTTP/1.1\r\n{H}\r\n", 400),
    "fragment": (f"GET /health#x HTTP/1.1\r\n{H}\r\n", 400),
    "encoded NUL": (f"GET /health%00 HTTP/1.1\r\n{H}\r\n", 400),
}


@pytest.mark.parametrize("case", REFUSED)
def test_malformed_is_refused_in_json_and_closed(server, case):
    data, status = REFUSED[case]
    data = data.encode("latin-1") if isinstance(data, str) else data
    smuggled = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for piece in (0, 7):
        with Raw(server) as c:
            c.send(data + smuggled, piece)
            assert c.statuses() == [status], c.got[:400]
            head, body = c.got.split(b"\r\n\r\n", 1)
            assert b"Connection: close" in head
            assert b"Content-Type: application/json" in head
            if not data.startswith(b"HEAD"):
                assert json.loads(body)["error"]["code"] == -32600


@pytest.mark.parametrize("case", ["two lengths", "chunk without line end", "bare LF", "HEAD with a body"])
def test_good_requests_in_front_are_answered_first(server, case):
    data, status = REFUSED[case]
    with Raw(server) as c:
        c.send(good() + good() + data + good())
        assert c.statuses() == [200, 200, status]


def test_every_cutting_gives_the_same_answers(server):
    text = good() + "\r\n" + good() + (
        f"POST /mcp HTTP/1.1\r\n{H}Content-Type: application/json\r\n{MODERN_HEADERS}"
        f"Transfer-Encoding: chunked\r\n\r\n{len(DISCOVER):x}\r\n{DISCOVER}\r\n0\r\nT: x\r\n\r\n"
    ) + good(close=True)
    for piece in (1, 2, 3, 50, 1000, 0):
        with Raw(server) as c:
            c.send(text, piece)
            assert c.statuses() == [200, 200, 200, 200]
            assert c.got.count(b"supportedVersions") == 4


def test_expect_100_continue(server):
    head, body = good(close=True).split("\r\n\r\n")
    with Raw(server) as c:
        c.send(head + "\r\nExpect: 100-continue\r\n\r\n")
        c.until(b"HTTP/1.1 100 ")
        c.send(body)
        assert c.statuses() == [100, 200]
    with Raw(server) as c:
        c.send(f"POST /mcp HTTP/1.1\r\n{H}Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n")
        assert c.statuses() == [413]


def test_a_large_upload_can_read_its_refusal(server):
    with Raw(server) as c:
        c.send(f"POST /mcp HTTP/1.1\r\n{H}Content-Type: application/json\r\nContent-Length: 20000000\r\n\r\n")
        c.send(b"x" * 20000000)
        assert c.statuses() == [413]


def test_an_endless_chunk_size_costs_nothing(server):
    before = sum(rss(p) for p in server.workers.values())
    with Raw(server) as c:
        c.send(CHUNKED)
        for _ in range(400):
            c.send(b"0" * 65536)
        assert c.statuses() == [400]
    assert sum(rss(p) for p in server.workers.values()) - before < 16 << 20


def rss(pid):
    with open(f"/proc/{pid}/statm") as f:
        return int(f.read().split()[1]) * 4096


def test_slow_requests_get_408_and_quick_ones_do_not_wait(emulator):
    with Server(emulator=emulator, workers=1, env={"MCP_SERVER_REQUEST_TIME": "1s"}) as s:
        slow = [Raw(s) for _ in range(200)]
        stop = threading.Event()

        def trickle():
            at = 0
            text = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nX: "
            while not stop.wait(0.1):
                for c in slow:
                    c.send(text[at] if at < len(text) else "x")
                at += 1
        t = threading.Thread(target=trickle)
        t.start()
        try:
            for _ in range(10):
                begun = time.monotonic()
                assert s.health()[0] == 200
                assert time.monotonic() - begun < 1
            for c in slow:
                assert c.statuses() == [408]
        finally:
            stop.set()
            t.join()
            for c in slow:
                c.close()
        s.stop()


def test_idle_connections_end(emulator):
    with Server(emulator=emulator, workers=1, env={"MCP_SERVER_IDLE_TIME": "1s"}) as s:
        with Raw(s) as silent, Raw(s) as used:
            used.send(good())
            used.until(b"supportedVersions")
            assert silent.all() == b""
            assert used.statuses() == [200]
        s.stop()


def test_connections_past_the_limit_are_refused(emulator):
    with Server(emulator=emulator, workers=1, env={"MCP_SERVER_MAX_CONNECTIONS": "20"}) as s:
        held = [Raw(s) for _ in range(20)]
        wait_until(lambda: s.metric("mcp_http_open_connections") >= 20, "20 connections")
        with Raw(s) as c:
            assert c.statuses() == [503]
        for c in held:
            c.close()
        wait_until(lambda: s.health()[0] == 200, "room again")
        s.stop()


def test_routes(server):
    for path, status in (("/", 404), ("/mcp/", 404), ("/sse", 404), ("/%6dcp", 405), ("//mcp", 404),
                         ("/.well-known/oauth-protected-resource/mcp", 404), ("/mcp", 405)):
        answer = server.get(path)
        assert answer.status == status, path
        assert answer.json()["error"]["code"] == -32600
    assert server.get("/mcp").headers["Allow"] == "POST, OPTIONS"
    with Raw(server) as c:
        assert c.send(f"DELETE /mcp HTTP/1.1\r\n{H}Connection: close\r\n\r\n").statuses() == [405]


@pytest.mark.parametrize("headers, status", [
    ("Host: evil.example\r\n", 403),
    ("Host: localhost.evil.example\r\n", 403),
    ("Host: localhost:8000@evil.example\r\n", 400),
    ("Host: 127.0.0.1:99999\r\n", 403),
    ("Host: localhost\r\nOrigin: http://evil.example\r\n", 403),
    ("Host: localhost\r\nOrigin: null\r\n", 403),
    ("Host: localhost\r\nOrigin: http://localhost:1\r\nOrigin: http://evil.example\r\n", 403),
    ("Host: LOCALHOST:1234\r\nOrigin: http://localhost:6274\r\n", 200),
    ("Host: [::1]:1\r\n", 200),
])
def test_hosts_and_origins(server, headers, status):
    text = good(close=True).replace(H, headers)
    with Raw(server) as c:
        assert c.send(text).statuses() == [status]


def test_media_types(server):
    for content_type, accept, status in (
            ("text/plain", "*/*", 415), ("application/jsonp", "*/*", 415),
            ("Application/JSON; charset=utf-8", "*/*", 200), ("application/json", "text/html", 406),
            ("application/json", "application/*;q=0.1", 200),
            ("application/json", "*/*, application/json;q=0, text/event-stream;q=0", 406)):
        text = good(close=True).replace("application/json\r\n", content_type + "\r\nAccept: " + accept + "\r\n")
        with Raw(server) as c:
            assert c.send(text).statuses() == [status], (content_type, accept)


def test_refusals_are_counted_and_the_log_says_security(server):
    before = server.metric("mcp_http_refused_total")
    with Raw(server) as c:
        c.send("GET / HTTP/1.1\nHost: x\r\n\r\n").all()
    wait_until(lambda: server.metric("mcp_http_refused_total") == before + 1, "the refusal is counted")
    assert re.search(r"^warning: security ", server.log(), re.M)


def test_floods_of_connections_do_no_harm(server):
    """Opened and dropped at every stage, by FIN and by RST."""
    texts = ["", "G", good()[:60], good()[:-10], good(), good() * 3, "GARBAGE\r\n\r\n", CHUNKED + "5\r\nab"]
    for i in range(600):
        c = Raw(server)
        c.send(texts[i % len(texts)])
        c.close(reset=i % 3 == 0)
    assert server.health()[0] == 200
    wait_until(lambda: server.metric("mcp_http_open_connections") <= 1, "all gone")
