"""What a stranger can send: an error of AWS or a clear 4xx, and the server is as before."""
import base64
import io
import json
import os
import subprocess
import socket
import unittest
import zipfile

from puddle import AUTH, ROLE, Server

TABLE = {"TableName": "Bad", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
         "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}
MIB = 1 << 20


class BadInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Server("--quiet", ephemeral=True)
        cls.addClassCleanup(cls.s.close)
        assert cls.s.dynamodb("CreateTable", TABLE)[0] == 200

    def tearDown(self):
        self.assertEqual(self.s.request("GET", "/_puddle/health")[0], 200)
        self.assertIsNone(self.s.process.poll())

    def raw(self, data, close=True):
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=20) as c:
            try:
                c.sendall(data)
                if close:
                    c.shutdown(socket.SHUT_WR)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all was sent: the answer is there to be read
            out = b""
            while True:
                try:
                    part = c.recv(65536)
                except ConnectionResetError:
                    return out
                if not part:
                    return out
                out += part

    def head(self, length, **more):
        lines = ["POST / HTTP/1.1", "Host: localhost", "X-Amz-Target: DynamoDB_20120810.PutItem",
                 "Content-Type: application/x-amz-json-1.0", "Authorization: " + AUTH % "dynamodb",
                 "X-Amz-Date: 20260101T000000Z", "Content-Length: %d" % length]
        return ("\r\n".join(lines + ["%s: %s" % pair for pair in more.items()]) + "\r\n\r\n").encode()

    def put(self, text):
        status, _, body = self.s.dynamodb("PutItem", '{"TableName":"Bad","Item":%s}' % text)
        return status, json.loads(body).get("__type", "").split("#")[-1]

    def item(self, key):
        return json.loads(self.s.dynamodb("GetItem", {"TableName": "Bad", "Key": {"id": {"S": key}}})[2]).get("Item")

    # ---- DynamoDB ----

    def test_attribute_values_that_are_none(self):
        for value in ('{"S":1}', '{"N":1}', '{"BOOL":"true"}', '{"L":{}}', '{"M":[]}', '{"SS":[1]}', '{"B":1}', "1", '"x"', "[]"):
            self.assertEqual(self.put('{"id":{"S":"type"},"v":%s}' % value), (400, "SerializationException"), value)
        for value in ('{"N":"x"}', '{"N":"1e126"}', '{"N":"%s"}' % ("1" * 39), '{"N":""}', '{"SS":[]}', '{"SS":["a","a"]}',
                      '{"NS":["1","1.0"]}', "{}", '{"S":"a","N":"1"}', '{"NULL":false}'):
            self.assertEqual(self.put('{"id":{"S":"value"},"v":%s}' % value), (400, "ValidationException"), value)
        self.assertIsNone(self.item("type"))
        self.assertIsNone(self.item("value"))

    def test_nesting_at_and_past_the_limit(self):
        def nested(levels):
            return '{"id":{"S":"deep%d"},"v":%s{"S":"x"}%s}' % (levels, '{"L":[' * levels, "]}" * levels)
        self.assertEqual(self.put(nested(31))[0], 200)
        self.assertEqual(self.put(nested(33)), (400, "ValidationException"))
        self.assertEqual(self.put(nested(1000))[0], 400)
        self.assertEqual(self.put(nested(100000))[0], 400)
        self.assertIsNone(self.item("deep33"))

    def test_duplicate_keys_are_one_answer(self):
        self.assertIn(self.put('{"id":{"S":"dup"},"id":{"S":"dup2"}}')[0], (200, 400))

    def test_an_item_at_and_past_400_kib(self):
        size = 400 * 1024 - len("id") - len("big") - len("v")
        self.assertEqual(self.put(json.dumps({"id": {"S": "big"}, "v": {"S": "x" * size}}))[0], 200)
        self.assertEqual(self.put(json.dumps({"id": {"S": "big"}, "v": {"S": "x" * (size + 1)}})), (400, "ValidationException"))
        self.assertEqual(len(self.item("big")["v"]["S"]), size)

    def test_a_body_past_16_mib(self):
        status, _, body = self.s.dynamodb("PutItem", b'{"TableName":"Bad"' + b" " * (16 * MIB) + b"}")
        self.assertEqual(status, 413, body[:200])

    def test_the_largest_body_of_all_and_one_past_it(self):
        reply = self.raw(self.head(1 << 40), close=False)
        self.assertTrue(reply.startswith(b"HTTP/1.1 413"), reply[:60])

    def test_truncated_bodies_change_nothing(self):
        body = b'{"TableName":"Bad","Item":{"id":{"S":"half"}}}'
        for n in (0, 1, len(body) // 2, len(body) - 1):
            reply = self.raw(self.head(len(body)) + body[:n])
            self.assertNotIn(b" 200 ", reply[:20])
        self.assertIsNone(self.item("half"))
        self.assertIn(b" 200 ", self.raw(self.head(len(body)) + body)[:20])
        self.assertIsNotNone(self.item("half"))

    def test_chunks_that_are_none(self):
        head = self.head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        for chunk in (b"zz\r\n", b"-1\r\n\r\n", b"ffffffffffffffffff\r\n", b"1\r\nab\r\n0\r\n\r\n", b"0x1\r\na\r\n0\r\n\r\n"):
            reply = self.raw(head + chunk)
            self.assertFalse(reply.startswith(b"HTTP/1.1 2"), (chunk, reply[:60]))
            self.assertLessEqual(reply.count(b"HTTP/1.1 "), 1)

    def test_heads_past_16_kib(self):
        for extra in ("X-Long: " + "a" * 20000, "\r\n".join("X-%d: %s" % (i, "b" * 200) for i in range(90))):
            reply = self.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + extra.encode() + b"\r\n\r\n")
            self.assertTrue(reply.startswith(b"HTTP/1.1 4"), reply[:60])
        reply = self.raw(b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(reply.startswith(b"HTTP/1.1 4"), reply[:60])

    def test_noise(self):
        import random
        rng = random.Random(20260101)
        for _ in range(50):
            data = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 400)))
            reply = self.raw(data)
            self.assertFalse(reply.startswith(b"HTTP/1.1 2"), data)

    def test_names_made_to_hurt(self):
        for name in ("", "ab", "a" * 256, "a/b", "../..", "a'; DROP TABLE x;--", "a\u0000b", "ä" * 5, "%s%n", '"'):
            status, _, body = self.s.dynamodb("CreateTable", json.dumps({**TABLE, "TableName": name}))
            self.assertEqual((status, json.loads(body)["__type"].split("#")[-1]), (400, "ValidationException"), name)
        for key in ("'; DROP TABLE x;--", "a\u0000b", "__proto__", "%s", "\U0001f600", "\u2028"):
            self.assertEqual(self.put(json.dumps({"id": {"S": key}, key: {"S": key}}))[0], 200, key)
            self.assertEqual(self.item(key), {"id": {"S": key}, key: {"S": key}})

    # ---- Lambda ----

    def upload(self, name, archive, handler="index.handler", **more):
        body = {"FunctionName": name, "Runtime": "nodejs20.x", "Handler": handler, "Role": ROLE,
                "Code": {"ZipFile": base64.b64encode(archive).decode()}, **more}
        return self.s.lambda_("POST", "/2015-03-31/functions", json.dumps(body))

    def function(self, name, code, **more):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            z.writestr("index.js", code)
        self.assertEqual(self.upload(name, out.getvalue(), **more)[0], 201)

    def test_packages_with_links_that_lead_out(self):
        for label, name, target in (("up", "link", "../../../../etc"), ("absolute", "link", "/etc"), ("through", "a/link", "../..")):
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w") as z:
                info = zipfile.ZipInfo(name)
                info.create_system, info.external_attr = 3, (0o120777 << 16)
                z.writestr(info, target)
                z.writestr(name + "/puddle-was-here", "x")
            self.assertEqual(self.upload("link-" + label, out.getvalue())[0], 400, label)
        self.assertFalse(os.path.exists("/etc/puddle-was-here"))

    def test_packages_that_break_off(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as z:
            z.writestr("index.js", "exports.handler = async () => 1;" * 100)
        whole = out.getvalue()
        for cut in (0, 1, 10, len(whole) // 2):
            self.assertEqual(self.upload("cut-%d" % cut, whole[:cut])[0], 400, cut)
        for text in ("!!!!", "AAA", "AAA=A", " "):
            body = {"FunctionName": "b64", "Runtime": "nodejs20.x", "Handler": "a.b", "Role": ROLE, "Code": {"ZipFile": text}}
            self.assertEqual(self.s.lambda_("POST", "/2015-03-31/functions", json.dumps(body))[0], 400, text)
        self.assertEqual(json.loads(self.s.lambda_("GET", "/2015-03-31/functions")[2])["Functions"], [
            f for f in json.loads(self.s.lambda_("GET", "/2015-03-31/functions")[2])["Functions"] if not f["FunctionName"].startswith("cut")])

    def test_function_names_made_to_hurt(self):
        for name in ("a b", "../x", "a" * 141, "$(id)", "a;b", "ä"):
            status, headers, _ = self.upload(name, b"PK")
            self.assertEqual((status, headers["x-amzn-errortype"]), (400, "ValidationException"), name)

    def test_a_handler_that_loops_is_ended_and_does_not_hold_others(self):
        self.function("loops", "exports.handler = async () => { for (;;); };", Timeout=1)
        self.function("fine", "exports.handler = async () => 'fine';")
        import threading
        result = []
        t = threading.Thread(target=lambda: result.append(self.s.invoke("loops")))
        t.start()
        self.assertEqual(self.s.invoke("fine")[2], b'"fine"')
        t.join()
        self.assertIn("Task timed out after 1.00 seconds", json.loads(result[0][2])["errorMessage"])

    def test_what_a_handler_forks_ends_with_it(self):
        mark = "600.%d" % os.getpid()  # the handler's own process ids are those of its namespace
        self.function("forks", "const { spawn } = require('child_process'); exports.handler = async () => {"
                               " spawn('sleep', ['%s'], { stdio: 'ignore' }); };" % mark)
        self.s.invoke("forks")
        pids = subprocess.run(["pgrep", "-f", "sleep " + mark.replace(".", "[.]")], capture_output=True, text=True).stdout.split()
        self.assertEqual(len(pids), 1)
        pid = int(pids[0])
        self.assertEqual(self.s.lambda_("DELETE", "/2015-03-31/functions/forks")[0], 204)
        for _ in range(20000):
            try:
                with open("/proc/%d/stat" % pid) as f:
                    if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                        return
            except (FileNotFoundError, ProcessLookupError):
                return
            self.s.request("GET", "/_puddle/health")
        self.fail("process %d is still there" % pid)

    def test_a_handler_that_speaks_nonsense_to_the_runtime_api(self):
        self.function("rude", """
const http = require('http');
const call = (method, path, body) => new Promise((done) => { const r = http.request({ method, path, host: '127.0.0.1',
  port: process.env.AWS_LAMBDA_RUNTIME_API.split(':')[1] }, (res) => { res.resume(); res.on('end', () => done(res.statusCode)); });
  r.on('error', () => done(0)); r.end(body); });
exports.handler = async (event, context) => {
  const base = '/2018-06-01/runtime/';
  return [await call('POST', base + 'invocation/00000000-0000-0000-0000-000000000000/response', '"forged"'),
          await call('POST', base + 'invocation/x/error', '{'), await call('GET', base + 'nothing'), await call('PUT', '/')];
};""")
        statuses = json.loads(self.s.invoke("rude")[2])
        self.assertTrue(all(400 <= s < 500 for s in statuses), statuses)

    # ---- API Gateway ----

    def test_management_calls_that_are_no_good(self):
        def call(method, path, body=""):
            return self.s.request(method, path, body, {"Authorization": AUTH % "apigateway", "X-Amz-Date": "20260101T000000Z",
                                                       "Content-Type": "application/json"})
        for body in ("", "{", "[]", "{}", '{"name":1}', '{"name":{"a":' * 500):
            self.assertEqual(call("POST", "/restapis", body)[0], 400, body[:30])
        api = json.loads(call("POST", "/restapis", '{"name":"x"}')[2])["id"]
        for method, path in (("GET", "/restapis/none"), ("POST", "/restapis/none/resources/x"), ("DELETE", "/restapis/none"),
                             ("GET", "/restapis/%s/resources/none" % api), ("POST", "/restapis/%s/resources/none" % api)):
            self.assertIn(call(method, path, '{"pathPart":"x"}' if method == "POST" else "")[0], (400, 404), path)
        for part in ("a/b", "", "{", "{a", "a}", "{a b}", "{+}"):
            root = json.loads(call("GET", "/restapis/%s/resources" % api)[2])["item"][0]["id"]
            self.assertEqual(call("POST", "/restapis/%s/resources/%s" % (api, root), json.dumps({"pathPart": part}))[0], 400, part)
