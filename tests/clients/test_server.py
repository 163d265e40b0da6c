"""Starting, stopping and who may come in."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import unittest

from puddle import BINARY, Server


def run(*args, cwd=None):
    p = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=20, cwd=cwd or tempfile.gettempdir())
    return p.returncode, p.stdout, p.stderr


class Start(unittest.TestCase):
    def server(self, *args, **more):
        s = Server(*args, **more)
        self.addCleanup(s.close)
        return s

    def test_the_second_server_on_a_folder_is_refused_in_one_line(self):
        s = self.server()
        status, out, err = run("start", "--port", "0", "--data", s.data)
        self.assertEqual((status, out, err.count("\n")), (1, "", 1), err)

    def test_a_port_in_use_is_one_line(self):
        s = self.server()
        status, out, err = run("start", "--port", str(s.port), "--ephemeral")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("port %d is in use" % s.port, err)

    def test_a_broken_template_names_its_line(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
            f.write("Resources:\n  A:\n   - [\n")
            f.flush()
            status, out, err = run("start", "--port", "0", "--ephemeral", "-t", f.name)
        self.assertEqual((status, out), (1, ""))
        self.assertRegex(err, r"\.yaml:\d+:")

    def test_wrong_usage_exits_2(self):
        self.assertEqual(run("start", "--nonsense")[0], 2)
        self.assertEqual(run("nonsense")[0], 2)

    def test_help_and_version(self):
        self.assertEqual(run("help", "start")[0], 0)
        self.assertRegex(run("version")[1], r"^puddle \d")

    def test_ephemeral_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as tmp:
            s = self.server(ephemeral=True, env={"TMPDIR": tmp})
            s.create_function("f", {"index.js": "exports.handler = async () => 1;"})
            self.assertEqual(len(os.listdir(tmp)), 1)
            self.assertEqual(s.stop(), 0)
            self.assertEqual(os.listdir(tmp), [])
            self.assertEqual([n for n in os.listdir(s.folder) if n != "stderr"], [])

    def test_what_a_killed_ephemeral_server_left_is_removed_by_the_next(self):
        with tempfile.TemporaryDirectory() as tmp:
            first = self.server(ephemeral=True, env={"TMPDIR": tmp})
            left = os.listdir(tmp)
            living = self.server(ephemeral=True, env={"TMPDIR": tmp})
            first.stop(signal.SIGKILL)
            self.assertEqual(len(os.listdir(tmp)), 2)
            self.server(ephemeral=True, env={"TMPDIR": tmp})
            self.assertEqual(len(os.listdir(tmp)), 2)
            self.assertNotIn(left[0], os.listdir(tmp))
            self.assertEqual(living.request("GET", "/_puddle/health")[0], 200)

    def test_sigint_ends_with_status_0(self):
        self.assertEqual(self.server().stop(signal.SIGINT), 0)

    def test_sigterm_lets_a_running_invocation_finish(self):
        import threading
        s = self.server("--quiet")
        s.create_function("f", {"index.js": "exports.handler = async () => { await new Promise(r => setTimeout(r, 1500));"
                                           " return 'done'; };"}, Timeout=10)
        s.invoke("f")
        result = []
        t = threading.Thread(target=lambda: result.append(s.invoke("f")))
        t.start()
        while json.loads(s.request("GET", "/_puddle/status")[2])["functions"][0]["busy"] == 0:
            pass
        self.assertEqual(s.stop(), 0)
        t.join()
        self.assertEqual((result[0][0], result[0][2]), (200, b'"done"'))


class FrontDoor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server(ephemeral=True)
        cls.addClassCleanup(cls.s.close)

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=10) as c:
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
            out = b""
            while True:
                part = c.recv(65536)
                if not part:
                    return out
                out += part

    def test_health(self):
        body = json.loads(self.s.request("GET", "/_puddle/health")[2])
        self.assertEqual((body["status"], body["services"]["dynamodb"]), ("running", "running"))
        self.assertEqual(self.s.request("GET", "/_localstack/health")[0], 200)
        self.assertTrue(self.s.request("GET", "/")[2].startswith(b"healthy: "))

    def test_operations_and_status(self):
        body = json.loads(self.s.request("GET", "/_puddle/operations")[2])
        self.assertTrue(body["dynamodb"]["GetItem"])
        self.assertFalse(body["lambda"]["CreateCapacityProvider"])
        self.assertEqual(self.s.request("GET", "/_puddle/status")[0], 200)

    def test_a_foreign_origin_is_refused_before_any_effect(self):
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            self.assertEqual(self.s.dynamodb("CreateTable", {
                "TableName": "Evil", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST"}, **headers)[0], 403)
            self.assertEqual(self.s.request("POST", "/_puddle/reset", headers=headers)[0], 403)
        self.assertEqual(json.loads(self.s.dynamodb("ListTables", {})[2]), {"TableNames": []})

    def test_a_loopback_origin_gets_cors_headers(self):
        status, headers, _ = self.s.dynamodb("ListTables", {}, Origin="http://localhost:3000")
        self.assertEqual((status, headers["access-control-allow-origin"]), (200, "*"))
        status, headers, body = self.s.request("OPTIONS", "/", headers={
            "Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-amz-target"})
        self.assertEqual((status, body, headers["access-control-max-age"]), (200, b"", "172800"))

    def test_a_foreign_host_is_refused(self):
        self.assertEqual(self.s.request("GET", "/", headers={"Host": "evil.example"})[0], 403)
        self.assertEqual(self.s.request("GET", "/", headers={"Host": "dynamodb.us-east-1.amazonaws.com"})[0], 200)

    def test_an_operation_that_is_not_there_is_never_a_success(self):
        status, _, body = self.s.dynamodb("SearchVectors", {})
        self.assertEqual(status, 400)
        self.assertEqual(json.loads(body), {"__type": "com.amazon.coral.service#UnknownOperationException"})
        status, headers, _ = self.s.lambda_("GET", "/2025-11-30/capacity-providers")
        self.assertEqual((status, headers["x-amzn-errortype"]), (404, "UnknownOperationException"))

    def test_pipelined_requests_are_all_answered(self):
        one = b"GET /_puddle/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        self.assertEqual(self.raw(one * 5).count(b"HTTP/1.1 200"), 5)

    def test_contradictory_framing_is_refused(self):
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
        for framing in (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"):
            reply = self.raw(head + framing + b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(reply.startswith(b"HTTP/1.1 400"), reply[:80])
            self.assertEqual(reply.count(b"HTTP/1.1"), 1)

    def test_head_has_no_body(self):
        reply = self.raw(b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        self.assertTrue(reply.endswith(b"\r\n\r\n"))

    def test_bodies_that_are_not_json(self):
        for body in (b"", b"{", b"[1,]", b'{"a":1}x', b'{"a":"\xff"}', b'{"TableName":1}', b"[" * 100000, b"{}" * 2,
                     b'{"a":01}', b'{"a":"\x00"}', b'{"a":' * 5000):
            status, headers, reply = self.s.dynamodb("GetItem", body)
            self.assertEqual(status, 400, body[:20])
            self.assertIn("SerializationException", json.loads(reply)["__type"])

    def test_a_missing_or_broken_signature(self):
        base = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
        status, _, body = self.s.request("POST", "/", "{}", base)
        self.assertEqual(json.loads(body)["message"], "Request is missing Authentication Token")
        status, _, body = self.s.request("POST", "/", "{}", {**base, "Authorization": "AWS4-HMAC-SHA256 x=y"})
        self.assertIn("IncompleteSignatureException", json.loads(body)["__type"])

    def test_the_crc_and_request_id_of_every_reply(self):
        import zlib
        for operation in ("ListTables", "GetItem", "Nonsense"):
            _, headers, body = self.s.dynamodb(operation, {})
            self.assertEqual(int(headers["x-amz-crc32"]), zlib.crc32(body))
            self.assertRegex(headers["x-amzn-requestid"], "^[0-9A-Z]{52}$")

    def test_the_clock_can_be_moved(self):
        before = json.loads(self.s.request("GET", "/_puddle/clock")[2])["now_ms"]
        after = json.loads(self.s.request("POST", "/_puddle/clock", '{"shift_ms":3600000}')[2])["now_ms"]
        self.assertGreaterEqual(after - before, 3600000)
        self.s.request("POST", "/_puddle/clock", '{"shift_ms":-3600000}')
