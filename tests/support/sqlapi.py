"""A bare client of the SQL API v2, for tests of the emulator itself: nothing of our server's in it."""

import base64
import gzip
import http.client
import json
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from net import wait_until


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class KeyPair:
    """A throw-away RSA key, and JWTs signed with it by the openssl command."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="key-")
        self.private = Path(self.folder.name) / "key.pem"
        self.public = Path(self.folder.name) / "key.pub"
        self._openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                      "-out", self.private)
        self._openssl("pkey", "-in", self.private, "-pubout", "-out", self.public)
        der = self._openssl("pkey", "-pubin", "-in", self.public, "-outform", "DER")
        digest = self._openssl("dgst", "-sha256", "-binary", input=der)
        self.fingerprint = "SHA256:" + base64.b64encode(digest).decode()

    @staticmethod
    def _openssl(*args, input=None):
        return subprocess.run(["openssl", *map(str, args)], input=input, check=True,
                              capture_output=True).stdout

    def jwt(self, account="DEMO", user="DEMO", header=None, unit=1, **claims):
        """claims replace the usual ones; None leaves one out.  unit=1000: milliseconds."""
        now = time.time()
        body = {"iss": f"{account}.{user}.{self.fingerprint}", "sub": f"{account}.{user}",
                "iat": int(now * unit), "exp": int((now + 3600) * unit)}
        body.update(claims)
        body = {k: v for k, v in body.items() if v is not None}
        head = header or {"alg": "RS256", "typ": "JWT"}
        text = b64url(json.dumps(head).encode()) + "." + b64url(json.dumps(body).encode())
        signature = self._openssl("dgst", "-sha256", "-sign", self.private, input=text.encode())
        return text + "." + b64url(signature)


class Answer:
    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.raw = body

    @property
    def body(self):
        raw = self.raw
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        return json.loads(raw)

    def __getitem__(self, key):
        return self.body[key]

    @property
    def rows(self):
        assert self.status == 200, self.raw
        return self.body["data"]

    @property
    def types(self):
        return [c["type"] for c in self.body["resultSetMetaData"]["rowType"]]

    @property
    def columns(self):
        return [c["name"] for c in self.body["resultSetMetaData"]["rowType"]]

    @property
    def error(self):
        """(status, code, sqlState)"""
        return self.status, self["code"], self.body.get("sqlState")


class SqlApi:
    def __init__(self, port, token, token_type="PROGRAMMATIC_ACCESS_TOKEN"):
        self.port = port
        self.headers = {"Accept": "application/json", "User-Agent": "test/1.0"}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        if token_type is not None:
            self.headers["X-Snowflake-Authorization-Token-Type"] = token_type

    def request(self, method, path, body=None, headers=(), timeout=60):
        """headers: a dict of changes; None takes one away."""
        all_headers = dict(self.headers)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if method == "POST":
            all_headers["Content-Type"] = "application/json"
        all_headers.update(dict(headers))
        all_headers = {k: v for k, v in all_headers.items() if v is not None}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, all_headers)
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def submit(self, sql, query="", headers=(), **body):
        return self.request("POST", "/api/v2/statements" + query, {"statement": sql, **body},
                            headers)

    def sql(self, sql, **body):
        """Rows, whatever it takes; fails on an error."""
        answer = self.submit(sql, **body)
        if answer.status == 202:
            answer = self.wait(answer["statementHandle"])
        assert answer.status == 200, answer.raw
        return answer

    def error(self, sql, **body):
        answer = self.submit(sql, **body)
        assert answer.status == 422, answer.raw
        return answer

    def start(self, sql, **body):
        """The handle of a statement that runs."""
        answer = self.submit(sql, "?async=true", **body)
        assert answer.status == 202, answer.raw
        return answer["statementHandle"]

    def get(self, handle, query=""):
        return self.request("GET", f"/api/v2/statements/{handle}{query}")

    def cancel(self, handle):
        return self.request("POST", f"/api/v2/statements/{handle}/cancel")

    def wait(self, handle, limit=20):
        def ended():
            answer = self.get(handle)
            return answer if answer.status != 202 else None
        return wait_until(ended, f"the end of {handle}", limit)


def new_id():
    return str(uuid.uuid4())
