"""Native handlers, layers, extensions and telemetry, a stranger's runtime."""
import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.request

import test_lambda_run as run
from puddle import ROOT, make_zip


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def port_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Native(run.Base):
    """Shared objects with one exported C function (lambda_rie/include/puddle/handler.h)."""
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        out = os.path.join(cls.s.folder, "hello.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-I", str(ROOT / "lambda_rie/include"), "-o", out,
                        str(ROOT / "fixtures/handlers/native/hello.c")], check=True)
        with open(out, "rb") as f:
            cls.files = {"hello.so": f.read()}

    def native(self, entry, payload=None, **more):
        return self.invoke(self.make(entry, files=self.files, runtime="provided.al2023", **more), payload, tail=True)

    def test_results(self):
        self.assertEqual(self.native("hello.so", {"a": "\u00e4"})[1], {"a": "\u00e4"})
        error, body, log = self.native("hello.so.about", "abc")
        self.assertEqual((body["memory"], body["late"]), ("512", False))
        self.assertIn("\nsize 5\n", log)
        self.assertIsNone(self.native("hello.so.nothing")[1])

    def test_failures_are_the_invocations(self):
        self.assertEqual(self.native("hello.so.fails")[:2],
                         ("Unhandled", {"errorType": "My.Error", "errorMessage": 'a "quoted"\nline'}))
        self.assertEqual(self.native("hello.so.returns_five")[1]["errorMessage"], "the handler returned 5")
        name = self.make("hello.so.crashes", files=self.files, runtime="provided.al2023")
        for _ in range(2):
            error, body, log = self.invoke(name, 1, tail=True)
            self.assertEqual(error, "Unhandled")
            self.assertRegex(body["errorMessage"], "Runtime exited with error: signal: segmentation fault$")
        error, body, log = self.native("hello.so.missing")
        self.assertEqual(body["errorType"], "Runtime.ImportModuleError")
        self.assertIn("undefined symbol: missing", body["errorMessage"])
        self.assertEqual(self.native("gone.so")[1]["errorType"], "Runtime.ImportModuleError")

    def test_sizes_at_and_past_the_limit(self):
        name = self.make("hello.so.big", files=self.files, runtime="provided.al2023")
        self.assertEqual(len(self.invoke(name, 6291556)[1]), 6291554)
        self.assertEqual(self.invoke(name, 6291557)[1]["errorType"], "Function.ResponseSizeTooLarge")
        self.assertEqual(len(self.invoke(name, 10)[1]), 8)


EXTENSION = """#!/usr/bin/python3
import http.server, json, os, threading, urllib.request
api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API']
events, seen = [], []

class Listener(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        events.extend(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
        self.answer(b'')
    def do_GET(self):
        hidden = [k for k in os.environ if k.startswith('_') or k.startswith('AWS_LAMBDA_LOG')]
        self.answer(json.dumps({'events': events, 'seen': seen, 'hidden': hidden}).encode())
    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(('127.0.0.1', PORT), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()

def call(method, path, body=None, **headers):
    return urllib.request.urlopen(urllib.request.Request(api + path, body, headers, method=method))

reply = call('POST', '/2020-01-01/extension/register', json.dumps({'events': ['INVOKE', 'SHUTDOWN']}).encode(),
             **{'Lambda-Extension-Name': 'watch', 'Lambda-Extension-Accept-Feature': 'accountId'})
me = {'Lambda-Extension-Identifier': reply.headers['Lambda-Extension-Identifier']}
seen.append(json.loads(reply.read()))
call('PUT', '/2022-07-01/telemetry', json.dumps({
    'schemaVersion': '2022-12-13', 'types': ['platform', 'function'],
    'buffering': {'maxItems': 1000, 'maxBytes': 262144, 'timeoutMs': 25},
    'destination': {'protocol': 'HTTP', 'URI': 'http://sandbox.localdomain:PORT'}}).encode(), **me)
while True:
    event = json.loads(call('GET', '/2020-01-01/extension/event/next', **me).read())
    seen.append(event)
    if event['eventType'] == 'SHUTDOWN':
        urllib.request.urlopen(urllib.request.Request('http://127.0.0.1:WITNESS/' + event['shutdownReason'], b'', method='POST'))
        break
"""

REFUSES = """#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
id=$(curl -s -D - -o /dev/null -H "Lambda-Extension-Name: refuses" -d '{"events":[]}' "$api/register" |
     tr -d '\\r' | sed -n 's/^[Ll]ambda-[Ee]xtension-[Ii]dentifier: //p')
curl -s -H "Lambda-Extension-Identifier: $id" -H "Lambda-Extension-Function-Error-Type: Extension.NoConfig" -d '{}' "$api/init/error"
sleep 100
"""


class Layered(run.Base):
    """Layers in /opt, and the extensions that come with them."""
    def layer(self, files):
        name = "layer-%d" % len(self.made)
        self.made.add(name)
        status, _, body = self.s.lambda_("POST", "/2018-10-31/layers/%s/versions" % name, json.dumps(
            {"Content": {"ZipFile": base64.b64encode(make_zip(files, executable=True)).decode()}}))
        self.assertEqual(status, 201, body)
        return json.loads(body)["LayerVersionArn"]

    def test_layers_are_merged_in_opt_and_the_later_one_wins(self):
        one = self.layer({"nodejs/node_modules/one/index.js": "module.exports = 'one';", "text": "first", "a/b": "1"})
        two = self.layer({"nodejs/node_modules/two/index.js": "module.exports = 'two';", "text": "second", "a/c": "2"})
        out = self.call("index.handler", Layers=[one, two], files={"index.js": """
const fs = require('fs');
exports.handler = async () => [require('one'), require('two'), fs.readFileSync('/opt/text', 'utf8'), fs.readdirSync('/opt/a').sort()];"""})
        self.assertEqual(out, ["one", "two", "second", ["b", "c"]])

    def test_a_runtime_in_a_layer(self):
        arn = self.layer(run.BASH)
        self.assertEqual(self.call("x", 5, files={"x": ""}, runtime="provided.al2023", Layers=[arn]), {"got": 5})

    def test_an_extension_gets_events_and_telemetry(self):
        port = free_port()
        witness = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(witness.close)
        witness.settimeout(10)
        script = EXTENSION.replace("PORT", str(port)).replace("WITNESS", str(witness.getsockname()[1]))
        arn = self.layer({"extensions/watch": script})
        name = self.make("index.handler", Layers=[arn], Timeout=10, files={
            "index.js": "exports.handler = async () => { console.log('hello'); return 'ok'; };"})
        self.assertEqual(self.invoke(name)[1], "ok")
        ask = lambda: json.loads(urllib.request.urlopen("http://127.0.0.1:%d/" % port, timeout=5).read())
        seen = ask()["seen"]
        self.assertEqual(seen[0], {"functionName": name, "functionVersion": "$LATEST", "handler": "index.handler",
                                   "accountId": "000000000000"})
        self.assertEqual(list(seen[1]), ["eventType", "deadlineMs", "requestId", "invokedFunctionArn", "tracing"])
        self.assertEqual(ask()["hidden"], [])
        run.wait_for(lambda: {"platform.report", "function"} <= {e["type"] for e in ask()["events"]})
        events = ask()["events"]
        kinds = [e["type"] for e in events]
        self.assertIn("platform.start", kinds)
        report = [e for e in events if e["type"] == "platform.report"][0]["record"]
        self.assertEqual((report["status"], report["requestId"]), ("success", seen[1]["requestId"]))
        self.assertIn("hello", [e for e in events if e["type"] == "function"][0]["record"])
        self.s.lambda_("PUT", "/2015-03-31/functions/%s/configuration" % name, '{"Timeout":9}')  # replaces it
        connection, _ = witness.accept()
        self.assertIn(b"POST /spindown ", connection.recv(1000))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.close()
        self.assertTrue(run.wait_for(lambda: not port_open(port), 5))

    def test_an_extension_that_crashes_and_one_that_refuses_in_init(self):
        body, log = self.fails("echo", Layers=[self.layer({"extensions/dies": "#!/bin/sh\nexit 3\n"})])
        self.assertEqual(body["errorType"], "Extension.Crash")
        body, log = self.fails("echo", Layers=[self.layer({"extensions/refuses": REFUSES})])
        self.assertEqual(body["errorType"], "Extension.NoConfig")

    def test_the_extensions_api_refuses(self):
        script = """
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API;
const ask = async (method, path, headers, body) => { const r = await fetch(api + path, { method, headers, body }); return [r.status, (await r.json()).errorType]; };
exports.handler = async () => [
  await ask('GET', '/2020-01-01/extension/event/next', {}),
  await ask('GET', '/2020-01-01/extension/event/next', { 'Lambda-Extension-Identifier': 'x' }),
  await ask('POST', '/2020-01-01/extension/register', { 'Lambda-Extension-Name': 'late' }, '{}'),
  await ask('PUT', '/2022-07-01/telemetry', { 'Lambda-Extension-Identifier': 'x' }, '{}'),
];"""
        self.assertEqual(self.call("index.handler", files={"index.js": script}), [
            [403, "Extension.MissingExtensionIdentifier"], [403, "Extension.InvalidExtensionIdentifier"],
            [403, "Extension.RegistrationClosed"], [403, "Extension.UnknownExtensionIdentifier"]])


class Spares(run.Base):
    """A runtime started ahead becomes the next environment."""
    NODE = {"index.js": "exports.handler = async () => [process.uptime(), process.env, process.argv.length, process.cwd(),"
                        " process.stdin.fd, require('fs').readlinkSync('/proc/self/fd/0'), require('fs').readdirSync('/')];"}
    PYTHON = {"index.py": "import os, sys\ndef handler(event, context):\n"
                          "    started = float(open('/proc/self/stat').read().rsplit(')', 1)[1].split()[19]) / os.sysconf('SC_CLK_TCK')\n"
                          "    return [float(open('/proc/uptime').read().split()[0]) - started, dict(os.environ), len(sys.argv), os.getcwd(),"
                          " sys.stdin.fileno(), os.readlink('/proc/self/fd/0'), os.listdir('/')]\n"}

    def spares(self):
        found = []
        for pid in run.running("--spare"):
            try:
                with open("/proc/%d/stat" % pid) as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
                with open("/proc/%d/stat" % parent) as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == self.s.process.pid:
                        found.append(pid)
            except OSError:
                continue
        return found

    def check(self, files, runtime, word):
        first = self.call("index.handler", files=files, runtime=runtime)
        run.wait_for(lambda: any(word in open("/proc/%d/cmdline" % p).read() for p in self.spares()))
        run.time.sleep(1.5)  # it shall be older than any new process could be
        second = self.call("index.handler", files=files, runtime=runtime)
        self.assertGreater(second[0], 0.9)
        own = {"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "_X_AMZN_TRACE_ID"}
        self.assertEqual({k: v for k, v in first[1].items() if k not in own}, {k: v for k, v in second[1].items() if k not in own})
        self.assertEqual(first[2:6], second[2:6])
        self.assertNotEqual(first[1]["AWS_LAMBDA_FUNCTION_NAME"], second[1]["AWS_LAMBDA_FUNCTION_NAME"])

    def test_node(self):
        self.check(self.NODE, "nodejs20.x", "node")

    def test_python(self):
        self.check(self.PYTHON, "python3.12", "python")

    def test_a_spare_that_does_not_fit_is_not_used(self):
        self.call("echo")
        self.assertTrue(run.wait_for(self.spares))
        run.time.sleep(1.5)
        out = self.call("index.handler", files=self.NODE, Environment={"Variables": {"NODE_OPTIONS": "--no-warnings"}})
        self.assertLess(out[0], 0.9)
        out = self.call("index.handler", files=self.NODE, Environment={"Variables": {"NODE_ENV": "production", "MINE": "\u00e4=\n"}})
        self.assertGreater(out[0], 0.9)
        self.assertEqual((out[1]["NODE_ENV"], out[1]["MINE"]), ("production", "\u00e4=\n"))

    def test_the_root_of_a_spare_ends_up_like_any_other(self):
        self.call("echo")
        self.assertTrue(run.wait_for(self.spares))
        run.time.sleep(1.5)
        out = self.call("files", {"data": self.s.data})
        self.assertEqual((out["cwd"], out["data"], out["/var/task/new"], out["/usr/new"], out["/tmp/new"], out["tmp"]),
                         ("/var/task", None, "EROFS", "EROFS", "written", ["new"]))
        self.assertEqual(self.call("index.handler", files={"index.js": "exports.handler = async () => require('fs').readdirSync('/.old');"}), [])


class Stranger(run.Base):
    """AWS's own runtime client, unmodified: npm's aws-lambda-ric 3.x built in the folder that PUDDLE_RIC names (it needs
    autoconf, libtool and a network to build, so it is not part of the set-up)."""
    SOURCE = """
exports.echo = async (event, context) => { console.log('in', event); return { event, left: context.getRemainingTimeInMillis() > 0 }; };
exports.fails = async () => { throw new TypeError('bad'); };
exports.stream = awslambda.streamifyResponse(async (event, stream) => { stream.write('a'); stream.write('b'); stream.end(); });
exports.streamFails = awslambda.streamifyResponse(async (event, stream) => {
  stream.write('a');
  await new Promise((r) => setTimeout(r, 30));
  throw new Error('mid');
});
"""

    def test_aws_lambda_ric(self):
        import pathlib
        base = os.environ.get("PUDDLE_RIC")
        if not base:
            self.skipTest("PUDDLE_RIC is not set")
        files = {"bootstrap": "#!/bin/sh\nexec node ric/bin/index.mjs \"$_HANDLER\"\n", "index.js": self.SOURCE}
        for path in pathlib.Path(base).rglob("*"):
            if path.relative_to(base).parts[0] in ("bin", "dist", "package.json") and path.is_file():
                files["ric/" + str(path.relative_to(base))] = path.read_bytes()
        make = lambda handler: self.make(handler, files=files, runtime="provided.al2023", Timeout=10)
        name = make("index.echo")
        for _ in range(2):
            error, body, log = self.invoke(name, {"a": 1}, tail=True)
            self.assertEqual((error, body), (None, {"event": {"a": 1}, "left": True}))
            self.assertRegex(log, "\tINFO\tin { a: 1 }\n")
        self.assertEqual(self.invoke(make("index.fails"))[1]["errorType"], "TypeError")
        self.assertEqual(self.invoke(make("index.gone"))[1]["errorType"], "Runtime.HandlerNotFound")
        for handler, code in (("index.stream", None), ("index.streamFails", "Error")):
            _, _, body = self.s.lambda_("POST", "/2021-11-15/functions/%s/response-streaming-invocations" % make(handler), "{}")
            events = list(run.frames(body))
            self.assertEqual(events[0], ("PayloadChunk", b"a"))
            self.assertEqual(json.loads(events[-1][1]).get("ErrorCode"), code)
