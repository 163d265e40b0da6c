#!/usr/bin/python3
"""Runs the .case files against one server; see README.md. Arguments select cases by a part of their name.

  run.py [--endpoint URL] [--peer NAME] [--region R] [--verbose] [WORD ...]

Without --endpoint it starts $PUDDLE (default build/puddle) with --ephemeral. --peer NAME says what answers at the
endpoint: a case marked "differs NAME: why" is then expected to fail. Every case has an account of its own (the
access key), so cases do not see each other's tables. Ends with "N passed, N failed, N skipped"."""
import argparse
import hashlib
import http.client
import json
import pathlib
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]
from casefile import CaseError, expand, parse  # noqa: E402
from match import fill, match  # noqa: E402

PREFIX = {"SerializationException": "com.amazon.coral.service", "UnknownOperationException": "com.amazon.coral.service",
          "MissingAuthenticationTokenException": "com.amazon.coral.service",
          "IncompleteSignatureException": "com.amazon.coral.service",
          "InvalidSignatureException": "com.amazon.coral.service",
          "UnrecognizedClientException": "com.amazon.coral.service",
          "ValidationException": "com.amazon.coral.validate"}
EVENTUALLY_SECONDS = 20


class Endpoint:
    def __init__(self, url, region, peer):
        self.where = urllib.parse.urlsplit(url)
        self.region, self.peer, self.connection = region, peer, None

    def send(self, method, path, body, headers):
        for attempt in (0, 1):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.where.hostname, self.where.port, timeout=30)
            try:
                self.connection.request(method, path, body, headers)
                reply = self.connection.getresponse()
                data = reply.read()
                break
            except (http.client.HTTPException, OSError):  # a kept connection may have been closed
                self.connection.close()
                self.connection = None
                if attempt:
                    raise
        got = [(k.lower(), v) for k, v in reply.getheaders()]
        if ("connection", "close") in got:
            self.connection.close()
            self.connection = None
        return reply.status, got, data

    def headers(self, operation, account):
        service, _, name = operation.rpartition(".")
        target = ("DynamoDBStreams_20120810." if service == "Streams" else "DynamoDB_20120810.") + name
        return {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime()),
                "Authorization": "AWS4-HMAC-SHA256 Credential=%s/%s/%s/dynamodb/aws4_request, SignedHeaders=host;x-amz-"
                                 "date;x-amz-target, Signature=%s" % (account, time.strftime("%Y%m%d", time.gmtime()),
                                                                      self.region, "0" * 64)}

    def call(self, operation, body, account):
        status, _, data = self.send("POST", "/", json.dumps(body), self.headers(operation, account))
        return status, json.loads(data or b"{}")


class Run:
    """One case on its way."""

    def __init__(self, endpoint, case):
        self.e, self.case, self.bound, self.tables = endpoint, case, {}, []
        digest = hashlib.sha256(case.name.encode()).hexdigest()
        self.account = str(10 ** 11 + int(digest[:12], 16) % (9 * 10 ** 11))
        self.unique = digest[:10]
        self.region = endpoint.region

    def table(self, variable):
        name = "t-%s%s" % (self.unique, variable[2:])
        if name not in self.tables:
            self.tables.append(name)
        return name

    def run(self):
        for step in self.case.steps:
            bad = self.step(step)
            if bad:
                return "line %d, %s: %s" % (step.line, step.operation, bad)
        return None

    def step(self, step):
        if step.operation == "clock":
            self.e.send("POST", "/_puddle/clock", json.dumps({"shift_ms": int(step.text) * 1000}), {})
            return None
        deadline = time.monotonic() + EVENTUALLY_SECONDS
        while True:
            bad = self.once(step)
            if bad is None or not step.eventually or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        if bad is None and step.operation == "CreateTable" and step.status in (None, 200):
            self.wait_active()
        return bad

    def once(self, step):
        text = expand(step.text, self.table).strip()
        if not step.raw:
            try:
                text = json.dumps(fill(json.loads(text or "{}"), self.bound), ensure_ascii=False)
            except json.JSONDecodeError as error:
                raise CaseError("line %d: the request is not JSON: %s" % (step.line, error))
        headers = self.e.headers(step.operation, self.account)
        for name, value in step.headers.items():
            for k in [k for k in headers if k.lower() == name.lower()]:
                del headers[k]
            if value:
                headers[name] = value
        status, got_headers, data = self.e.send(step.method, step.path, text.encode(), headers)
        try:
            body = json.loads(data) if data else {}
        except ValueError:
            body = None
        bad = self.judge(step, status, body, data)
        for name, want in step.want_headers:
            have = [v for k, v in got_headers if k == name]
            if want == "<absent>":
                bad = bad or ("header %s: %s" % (name, have) if have else None)
            else:
                bad = bad or match(expand(want, self.table), have[0] if have else None, "header " + name, self.bound)
        return bad

    def judge(self, step, status, body, data):
        shown = data.decode("utf-8", "replace")
        if status != (step.status or 200):
            return "expected status %d, got %d %s" % (step.status or 200, status, shown[:2000])
        if step.error:
            bad = self.judge_error(step, body, shown)
            if bad or not step.want_text:
                return bad
            body = {k: v for k, v in body.items() if k.lower() not in ("__type", "message")}
        if not step.want_text:
            return None
        want = expand(step.want_text, self.table).strip()
        if want.startswith("text "):
            return match(want[5:].strip(), shown.rstrip("\n"))
        if want == "empty":
            return None if data == b"" else "expected an empty body, got " + shown
        try:
            want = json.loads(want)
        except json.JSONDecodeError as error:
            raise CaseError("line %d: the expected body is not JSON: %s" % (step.line, error))
        return match(want, body, "body", self.bound) if body is not None else "the body is not JSON: " + shown

    def judge_error(self, step, body, shown):
        if body is None or "__type" not in body:
            return "expected an error, got " + shown
        prefix, _, name = body["__type"].rpartition("#")
        right = PREFIX.get(step.error, "com.amazonaws.dynamodb.v20120810")
        if name != step.error or (prefix != right and not self.e.peer and not step.operation.startswith("Streams.")):
            return "expected %s#%s, got %s" % (right, step.error, shown)
        if step.message is None:
            return None
        message = body.get("message", body.get("Message", ""))
        want = expand(step.message, self.table)
        return match("~" + want if step.pattern else want, message, "message") if step.pattern or \
            want != message else None

    def wait_active(self):
        """On Puddle a table is there at once; elsewhere it takes a while."""
        for name in self.tables:
            for _ in range(1000):
                status, reply = self.e.call("DescribeTable", {"TableName": name}, self.account)
                if status != 200 or reply["Table"]["TableStatus"] != "CREATING":
                    break
                time.sleep(0.02)

    def clean(self):
        for name in self.tables:
            self.e.call("DeleteTable", {"TableName": name}, self.account)


def missing(case, operations):
    for name in case.operations():
        if operations and not operations.get(name.rpartition(".")[2], True):
            return name
    return None


def one(endpoint, name, path, operations):
    """Returns (result, why)."""
    try:
        case = parse(name, path.read_text())
        if endpoint.peer and any(s.operation == "clock" for s in case.steps):
            return "skip", "moves the clock"
        gone = missing(case, operations)
        if gone:
            return "skip", "the server has no " + gone
        run = Run(endpoint, case)
        try:
            bad = run.run()
        finally:
            if endpoint.peer:
                run.clean()
    except (CaseError, KeyError, ValueError) as error:
        return "FAIL", "the case is wrong: %s %s" % (type(error).__name__, error)
    except (http.client.HTTPException, OSError) as error:
        return "FAIL", "no answer: %s %s" % (type(error).__name__, error)
    if endpoint.peer and case.differs.get(endpoint.peer):
        return ("differs", case.differs[endpoint.peer]) if bad else ("FAIL", "is marked as differing, but does not")
    if bad and case.todo and not endpoint.peer:
        return "skip", "todo: " + case.todo
    return ("FAIL", bad) if bad else ("ok", "")


def known_operations(endpoint):
    status, _, data = endpoint.send("GET", "/_puddle/operations", None, {})
    services = json.loads(data) if status == 200 else {}
    return {name: there for service, operations in services.items() if service.startswith("dynamodb")
            for name, there in operations.items()}


def run_all(endpoint, words, verbose):
    count = {"ok": 0, "FAIL": 0, "skip": 0, "differs": 0}
    operations = {} if endpoint.peer else known_operations(endpoint)
    for path in sorted(HERE.rglob("*.case")):
        name = str(path.relative_to(HERE))[:-5]
        if words and not any(w in name for w in words):
            continue
        result, why = one(endpoint, name, path, operations)
        count[result] += 1
        if verbose or result != "ok":
            print("%s %s%s" % (result, name, ": " + why if why else ""), flush=True)
    if count["differs"]:
        print("(%d differ as their cases say)" % count["differs"])
    print("%d passed, %d failed, %d skipped" % (count["ok"] + count["differs"], count["FAIL"], count["skip"]))
    return count["FAIL"] == 0


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--endpoint")
    options.add_argument("--peer", default="")
    options.add_argument("--region", default="us-east-1")
    options.add_argument("--verbose", action="store_true")
    options.add_argument("words", nargs="*")
    o = options.parse_args()
    if o.endpoint:
        return run_all(Endpoint(o.endpoint, o.region, o.peer.lower()), o.words, o.verbose)
    from puddle import Server
    server = Server("--quiet", ephemeral=True)
    try:
        ok = run_all(Endpoint(server.url, o.region, ""), o.words, o.verbose)
    finally:
        server.close()
    return ok


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
