"""How functions run: one fixture handler a behaviour, the Runtime API, streams, containment."""
import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import time
import unittest
import zlib

from puddle import AUTH, ROLE, ROOT, Server

NODE = {"index.js": (ROOT / "fixtures/handlers/node/index.js").read_text(),
        "esm.mjs": (ROOT / "fixtures/handlers/node/esm.mjs").read_text()}
PYTHON = {"main.py": (ROOT / "fixtures/handlers/python/main.py").read_text()}
BASH = {"bootstrap": (ROOT / "fixtures/handlers/bash/bootstrap").read_text()}
ID = "[-0-9a-f]{36}"


def wait_for(condition, seconds=10.0):
    """Polls a condition of the world outside."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    return condition()


def running(mark):
    """Processes whose command line holds mark."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                line = open("/proc/%s/cmdline" % entry, "rb").read()
                state = open("/proc/%s/stat" % entry).read().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            if mark.encode() in line and state != "Z":
                found.append(int(entry))
    return found


class Base(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        # a sanitizer keeps freed memory for a while: not so much that it hides growth
        sanitizer = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"}
        cls.s = Server("--quiet", *cls.options, env=sanitizer)
        cls.addClassCleanup(cls.s.close)
        cls.made = set()

    def make(self, handler, files=NODE, runtime="nodejs20.x", **more):
        name = re.sub("[^A-Za-z0-9_-]", "-", self.id().split(".")[-1])[:50] + "-" + str(len(self.made))
        self.made.add(name)
        if "." not in handler and files is NODE:
            handler = "index." + handler
        status, _, body = self.s.create_function(name, files, handler, runtime, **{"MemorySize": 512, **more})
        self.assertEqual(status, 201, body)
        return name

    def invoke(self, name, payload=None, tail=False):
        status, headers, body = self.s.invoke(name, json.dumps(payload if payload is not None else {}),
                                              **({"X-Amz-Log-Type": "Tail"} if tail else {}))
        self.assertEqual(status, 200, body)
        log = base64.b64decode(headers.get("x-amz-log-result", "")).decode()
        return headers.get("x-amz-function-error"), json.loads(body), log

    def call(self, handler, payload=None, **more):
        error, body, _ = self.invoke(self.make(handler, **more), payload)
        self.assertIsNone(error, body)
        return body

    def fails(self, handler, payload=None, **more):
        error, body, log = self.invoke(self.make(handler, **more), payload, tail=True)
        self.assertEqual(error, "Unhandled", body)
        return body, log


class Node(Base):
    def test_thrown_and_rejected_errors(self):
        body, log = self.fails("throws")
        self.assertEqual(list(body), ["errorType", "errorMessage", "trace"])
        self.assertEqual((body["errorType"], body["errorMessage"], body["trace"][0]), ("RangeError", "thrown", "RangeError: thrown"))
        self.assertIn("/var/task/index.js", body["trace"][1])
        self.assertRegex(log, r"\d\d\dZ\t%s\tERROR\tInvoke Error \t\{\"errorType\":\"RangeError\",\"errorMessage\":\"thrown\",\"stack\":\[" % ID)
        self.assertEqual(self.fails("rejects")[0]["errorType"], "TypeError")
        self.assertEqual(self.fails("string")[0], {"errorType": "string", "errorMessage": "just text", "trace": []})

    def test_values_that_json_does_not_have(self):
        self.assertRegex(self.fails("circular")[0]["errorMessage"], "^Unable to stringify response body")
        self.assertEqual(self.fails("bigint")[0]["errorType"], "Runtime.MarshalError")
        self.assertIsNone(self.call("undefinedValue"))

    def test_unicode(self):
        text = "\u00fc\U0001f600\u0000 \u2028"
        self.assertEqual(self.call("unicode", text), {"got": text, "own": "\u00e4\U0001f600\u0000\u2028", "length": 6})

    def test_ends_of_the_process(self):
        for handler, payload, reason in (("exits", 3, "exit status 3"), ("killed", None, "signal: killed"),
                                         ("aborts", None, "signal: aborted")):
            body, log = self.fails(handler, payload)
            self.assertEqual(list(body), ["errorType", "errorMessage"])
            self.assertRegex(body["errorMessage"], "^RequestId: %s Error: Runtime exited with error: %s$" % (ID, reason))
            self.assertRegex(log, "\tStatus: error\tError Type: Runtime.ExitError\n$")
        self.assertRegex(self.fails("exits", 0)[0]["errorMessage"], "Error: Runtime exited without providing a reason$")

    def test_unhandled_rejections_and_exceptions(self):
        body, log = self.fails("unhandled")
        self.assertEqual((body["errorType"], body["errorMessage"]), ("Runtime.UnhandledPromiseRejection", "Error: nobody"))
        self.assertIn("\tERROR\tUnhandled Promise Rejection \t{", log)
        body, log = self.fails("uncaught")
        self.assertEqual((body["errorType"], body["errorMessage"]), ("Error", "later"))
        self.assertIn("\tERROR\tUncaught Exception \t{", log)

    def test_handler_names(self):
        self.assertEqual(self.call("index.nested.deep.handler"), "nested")
        self.assertEqual(self.call("esm.handler", 1), {"loaded": "module", "event": 1, "main": True})
        for handler, kind, message in (
                ("index.nowhere", "Runtime.HandlerNotFound", "^index.nowhere is undefined or not exported$"),
                ("index.notAFunction", "Runtime.HandlerNotFound", "^index.notAFunction is not a function$"),
                ("nowhere.handler", "Runtime.ImportModuleError", "^Error: Cannot find module 'nowhere'"),
                ("../index.echo", "Runtime.MalformedHandlerName", "^'../index.echo' is not a valid handler name"),
                ("index", "Runtime.MalformedHandlerName", "^Bad handler$")):
            body, log = self.fails(handler if "." in handler else handler, files=dict(NODE))
            self.assertEqual(body["errorType"], kind)
            self.assertRegex(body["errorMessage"], message)
            self.assertRegex(log, "INIT_REPORT Init Duration: [0-9.]+ ms\tPhase: init\tStatus: error\tError Type: " + kind)
        body, _ = self.fails("bad.handler", files={"bad.js": "exports.handler = ("})
        self.assertEqual(body["errorType"], "Runtime.UserCodeSyntaxError")

    def test_callbacks(self):
        error, body, log = self.invoke(self.make("waits"), None, tail=True)
        self.assertEqual(body, "held")
        self.assertGreater(float(re.search(r"\tDuration: ([0-9.]+)", log).group(1)), 250)
        self.assertEqual(self.call("doesNotWait", Timeout=3), "at once")
        name = self.make("late")
        self.assertEqual(self.invoke(name)[1], "early")

    def test_a_callback_handler_on_node_24_is_warned_about(self):
        _, _, log = self.invoke(self.make("waits", runtime="nodejs24.x"), None, tail=True)
        self.assertIn("AWS nodejs24.x refuses it at init (Runtime.CallbackHandlerDeprecated)", log)

    def test_log_lines(self):
        _, _, log = self.invoke(self.make("log"), None, tail=True)
        lines = log.split("\n")
        self.assertRegex(lines[0], "^START RequestId: %s Version: \\$LATEST$" % ID)
        self.assertRegex(lines[1], "^[-0-9T:.]{23}Z\t%s\tINFO\tone\rtwo 3$" % ID)
        self.assertRegex(lines[2], "\tERROR\tError: inside\r    at ")
        self.assertRegex(lines[3], r"\tDEBUG\t\{ a: 1 \}$")
        self.assertRegex(lines[4], r"\tWARN\tw \{ b: \[ 1 \] \}$")

    def test_json_logs_and_levels(self):
        name = self.make("log", LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "DEBUG"})
        _, _, log = self.invoke(name, None, tail=True)
        lines = [json.loads(line) for line in log.strip().split("\n")]
        self.assertEqual([line.get("type", line.get("level")) for line in lines],
                         ["platform.start", "INFO", "ERROR", "WARN", "platform.runtimeDone", "platform.report"])
        self.assertEqual(lines[1]["message"], "one\ntwo 3")
        self.assertEqual(lines[2]["message"]["errorType"], "Error")
        self.assertEqual(lines[3]["message"], "w { b: [ 1 ] }")
        self.assertEqual(list(lines[1]), ["timestamp", "level", "requestId", "message"])
        report = lines[5]["record"]
        self.assertEqual(report["status"], "success")
        self.assertEqual(report["metrics"]["memorySizeMB"], 512)
        self.assertIn("initDurationMs", report["metrics"])
        self.s.lambda_("PUT", "/2015-03-31/functions/%s/configuration" % name, json.dumps(
            {"LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "ERROR", "SystemLogLevel": "WARN"}}))
        _, _, log = self.invoke(name, None, tail=True)
        self.assertEqual([json.loads(line)["level"] for line in log.strip().split("\n")], ["ERROR"])

    def test_client_context(self):
        name = self.make("index.handler", files={"index.js": "exports.handler = async (e, c) => [c.clientContext, c.identity === undefined];"})
        context = {"custom": {"a": "\u00e4"}}
        _, _, body = self.s.invoke(name, "{}", **{"X-Amz-Client-Context": base64.b64encode(json.dumps(context).encode()).decode()})
        self.assertEqual(json.loads(body), [context, True])

    def test_sizes_at_and_past_the_limit(self):
        name = self.make("big", Timeout=20)
        self.assertEqual(len(self.invoke(name, 6291556 - 2)[1]), 6291554)
        error, body, _ = self.invoke(name, 6291556 - 1)
        self.assertEqual(body, {"errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
                                "errorType": "Function.ResponseSizeTooLarge"})
        self.assertEqual(len(self.invoke(name, 10)[1]), 10)  # the same environment goes on


class Python(Base):
    def call(self, handler, payload=None, **more):
        return super().call("main." + handler, payload, files=PYTHON, runtime="python3.12", **more)

    def fails(self, handler, payload=None, **more):
        return super().fails(handler if "." in handler or more.get("files") else "main." + handler, payload,
                             **{"files": PYTHON, "runtime": "python3.12", **more})

    def raw(self, handler, runtime):
        name = self.make("main." + handler, files=PYTHON, runtime=runtime)
        return self.s.invoke(name, '{"hello": "w\u00f6rld"}'.encode())[2]

    def test_results_as_the_runtime_writes_them(self):
        self.assertEqual(self.raw("echo", "python3.12"), '{"hello": "w\u00f6rld"}'.encode())
        self.assertEqual(self.raw("echo", "python3.11"), b'{"hello": "w\\u00f6rld"}')
        self.assertEqual(self.raw("shapes", "python3.13"), '{"d": 1.10, "t": [1, 2], "n": null, "nan": NaN, "u": "\u00e4"}'.encode())
        self.assertEqual(self.raw("data", "python3.12"), b"\x00raw")
        body, _ = self.fails("unserialisable")
        self.assertEqual((body["errorType"], body["errorMessage"]),
                         ("Runtime.MarshalError", "Unable to marshal response: Object of type object is not JSON serializable"))

    def test_errors(self):
        body, log = self.fails("fails_inside")
        self.assertEqual(list(body), ["errorMessage", "errorType", "requestId", "stackTrace"])
        self.assertEqual((body["errorMessage"], body["errorType"]), ("caf\u00e9", "Custom"))
        self.assertRegex(body["requestId"], "^%s$" % ID)
        self.assertEqual(body["stackTrace"][0].split(", in")[0].split(", line")[0], '  File "/var/task/main.py"')
        self.assertEqual(len(body["stackTrace"]), 2)
        self.assertIn("[ERROR] Custom: caf\u00e9\rTraceback (most recent call last):\r\u00a0\u00a0File \"/var/task/main.py\"", log)

    def test_handlers_that_cannot_be_loaded(self):
        cases = (("nope", "Runtime.MalformedHandlerName", "Bad handler 'nope': not enough values to unpack (expected 2, got 1)"),
                 ("gone.handler", "Runtime.ImportModuleError", "Unable to import module 'gone': No module named 'gone'"),
                 ("main.gone", "Runtime.HandlerNotFound", "Handler 'gone' missing on module 'main'"),
                 ("bad.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'bad': "),
                 ("time.handler", "Runtime.BuiltInModuleConflict", "Cannot use built-in module time as a handler module"))
        for handler, kind, message in cases:
            body, _ = self.fails(handler, files={**PYTHON, "bad.py": "def handler(:\n"})
            self.assertEqual((body["errorType"], body["requestId"]), (kind, ""))
            self.assertTrue(body["errorMessage"].startswith(message), body)

    def test_ends(self):
        self.assertRegex(self.fails("exits", 4)[0]["errorMessage"], "exit status 4$")
        self.assertRegex(self.fails("os_exits", 0)[0]["errorMessage"], "without providing a reason$")
        self.assertRegex(self.fails("hangs", Timeout=1)[0]["errorMessage"], "Task timed out after 1.00 seconds$")

    def test_logging(self):
        name = self.make("main.logs", files=PYTHON, runtime="python3.12")
        _, request, log = self.invoke(name, None, tail=True)
        self.assertIn("\nprinted\n[WARNING]\t", log)
        self.assertRegex(log, r"\n\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,3}Z\t%s\twarned 1\n" % request)
        self.assertNotIn("not shown", log)
        self.assertIn("to stderr\n", log)
        self.assertRegex(log, r"\[ERROR\]\t.*\twith trace\nTraceback \(most recent call last\):\n")
        name = self.make("main.logs", files=PYTHON, runtime="python3.12",
                         LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"})
        _, request, log = self.invoke(name, None, tail=True)
        lines = [json.loads(line) for line in log.split("\n") if line.startswith("{")]
        self.assertEqual([line["message"] for line in lines if "message" in line], ["warned 1", "not shown", "with trace"])
        self.assertEqual(list(lines[0]), ["timestamp", "level", "message", "logger", "requestId"])
        self.assertEqual(lines[2]["errorType"], "KeyError")

    def test_context_and_state(self):
        context = self.call("context_of")
        self.assertEqual((context["memory"], context["version"]), ("512", "$LATEST"))
        self.assertGreater(context["left"], 1000)
        self.assertLessEqual(context["left"], 3000)
        name = self.make("main.count", files=PYTHON, runtime="python3.12")
        self.assertEqual([self.invoke(name)[1] for _ in range(3)], [1, 2, 3])

    def test_sizes_at_and_past_the_limit(self):
        name = self.make("main.big", files=PYTHON, runtime="python3.12", Timeout=20)
        self.assertEqual(len(self.invoke(name, 6291556 - 2)[1]), 6291554)
        self.assertEqual(self.invoke(name, 6291556 - 1)[1]["errorType"], "Function.ResponseSizeTooLarge")

    def test_where_it_runs(self):
        paths = self.call("paths")
        self.assertEqual((paths["cwd"], paths["path"][0], paths["file"]), ("/var/task", "/var/task", "/var/task/main.py"))
        environment = self.call("environment")
        self.assertEqual((environment["LAMBDA_TASK_ROOT"], environment["AWS_EXECUTION_ENV"], environment["LC_CTYPE"]),
                         ("/var/task", "AWS_Lambda_python3.12", "C.UTF-8"))


class Contained(Base):
    def test_the_file_system(self):
        out = self.call("files", {"data": self.s.data})
        self.assertEqual((out["cwd"], out["root"]), ("/var/task", "/var/task"))
        self.assertIsNone(out["data"])
        self.assertEqual((out["/var/task/new"], out["/usr/new"], out["/tmp/new"]), ("EROFS", "EROFS", "written"))
        self.assertEqual(out["tmp"], ["new"])

    def test_the_data_folder_is_empty_where_it_can_be_seen(self):
        data = "/var/lib/puddle-test-%d" % os.getpid()
        if os.geteuid() != 0:
            self.skipTest("needs a folder outside of /tmp")
        s = Server("--quiet", data=data)
        self.addCleanup(lambda: (s.close(), subprocess.run(["rm", "-rf", data])))
        s.create_function("f", NODE, "index.files")
        self.assertEqual(json.loads(s.invoke("f", json.dumps({"data": data}))[2])["data"], [])

    def test_the_size_of_tmp(self):
        out = self.call("fillTmp", Timeout=60, EphemeralStorage={"Size": 600})
        self.assertEqual(out["code"], "ENOSPC")
        self.assertTrue(595 <= out["mib"] <= 600, out)

    def test_descriptors(self):
        fds = dict((fd, path) for fd, path in self.call("fds"))
        self.assertEqual(fds[0], "/dev/null")
        self.assertEqual({path.split(":")[0] for fd, path in fds.items() if fd > 2} - {"socket", "anon_inode", "pipe", "/dev/null"} -
                         {path for path in fds.values() if path.startswith("/proc/")}, set())

    def test_memory(self):
        started = time.monotonic()
        body, log = self.fails("eats", MemorySize=128, Timeout=20)
        self.assertRegex(body["errorMessage"], "Error: Runtime exited with error: signal: killed$")
        self.assertRegex(log, "Max Memory Used: 128 MB\t")
        self.assertLess(time.monotonic() - started, 15)

    def test_a_flood_of_output(self):
        before = self.rss()
        self.assertEqual(self.call("prints", 128 * 1024, Timeout=60), "printed")
        # the store may cache 64 MB, the recent lines take 4; a sanitizer adds its own
        self.assertLess(self.rss() - before, 128 << 20)

    def rss(self):
        return int(open("/proc/%d/statm" % self.s.process.pid).read().split()[1]) * 4096

    def test_children_do_not_outlive_a_timeout(self):
        mark = "98765.%d" % os.getpid()
        body, _ = self.fails("setsid", {"mark": mark}, Timeout=1)
        self.assertEqual(body["errorType"], "Sandbox.Timedout")
        self.assertEqual(wait_for(lambda: not running(mark), 2), True)

    def test_a_handler_that_ignores_sigterm_ends_all_the_same(self):
        started = time.monotonic()
        body, log = self.fails("ignoresTerm", Timeout=1)
        self.assertLess(time.monotonic() - started, 3)
        self.assertRegex(log, "Z %s Task timed out after 1.00 seconds\nEND " % ID)
        self.assertRegex(log, "\tStatus: timeout\n$")

    def test_a_handler_that_closes_its_descriptors(self):
        name = self.make("closes")
        self.assertEqual(self.invoke(name)[1], "closed")
        self.assertEqual(self.invoke(name)[0], None if self.invoke(name)[0] is None else "Unhandled")

    def test_a_timeout_replaces_the_environment(self):
        name = self.make("index.handler", Timeout=1, files={"index.js":
            "let n = 0; exports.handler = async (e) => { n++; if (e.hang) await new Promise(() => setInterval(() => {}, 99)); return n; };"})
        self.assertEqual(self.invoke(name)[1], 1)
        self.assertEqual(self.invoke(name, {"hang": True})[1]["errorType"], "Sandbox.Timedout")
        self.assertEqual(self.invoke(name)[1], 1)

    def test_random_crashes_leave_nothing_behind(self):
        import random
        r = random.Random(7)
        name = self.make("random", Timeout=10)
        rounds = int(os.environ.get("PUDDLE_CRASHES", "60"))
        for what in ("ok", "throw", "exit", "kill"):
            self.invoke(name, {"what": what})
        fds = len(os.listdir("/proc/%d/fd" % self.s.process.pid))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda what: self.invoke(name, {"what": what}),
                          [r.choice(["ok"] * 7 + ["throw", "exit", "kill"]) for _ in range(rounds)]))
        self.s.lambda_("DELETE", "/2015-03-31/functions/" + name)
        wait_for(lambda: len(os.listdir("/proc/%d/fd" % self.s.process.pid)) <= fds)
        self.assertLessEqual(len(os.listdir("/proc/%d/fd" % self.s.process.pid)), fds)
        children = subprocess.run(["ps", "-o", "stat=", "--ppid", str(self.s.process.pid)], capture_output=True, text=True).stdout
        self.assertNotIn("Z", children)


class NotIsolated(Contained):
    """The same without namespaces, as on machines that refuse them."""
    options = ("--no-isolation",)

    def test_the_file_system(self):
        env = self.call("index.handler", files={"index.js": "exports.handler = async () => process.env.TMPDIR;"})
        self.assertTrue(env.startswith("/tmp/puddle-env-"), env)

    def test_the_data_folder_is_empty_where_it_can_be_seen(self):
        script = "exports.handler = async (e) => { try { return require('fs').readFileSync(e.path).length; } catch (x) { return x.code; } };"
        landlock = "landlock" in (open("/sys/kernel/security/lsm").read() if os.path.exists("/sys/kernel/security/lsm") else "")
        got = self.call("index.handler", {"path": os.path.join(self.s.data, "puddle.db")}, files={"index.js": script})
        if landlock or got == "EACCES":
            self.assertEqual(got, "EACCES")
        else:
            self.skipTest("no Landlock on this machine")

    def test_the_size_of_tmp(self):
        self.skipTest("not enforced without namespaces")


class OrdinaryUser(unittest.TestCase):
    def test_an_ordinary_user_gets_the_same_containment(self):
        if os.geteuid() != 0:
            self.skipTest("the whole suite runs as an ordinary user")
        folder = "/tmp/puddle-user-%d" % os.getpid()
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        binary = os.path.join(folder, "puddle")
        subprocess.run(["cp", os.environ.get("PUDDLE", str(ROOT / "build/puddle")), binary], check=True)
        os.chmod(binary, 0o755)
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", folder]))
        import puddle
        plain, puddle.BINARY = puddle.BINARY, binary
        self.addCleanup(lambda: setattr(puddle, "BINARY", plain))

        class UserServer(Server):
            def start(self):
                self.args = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"] + self.args
                super().start()

        s = UserServer("--quiet", data=os.path.join(folder, "data"), cwd=folder)
        self.addCleanup(s.close)
        s.create_function("files", NODE, "index.files", MemorySize=512)
        status, _, body = s.invoke("files", json.dumps({"data": s.data}))
        out = json.loads(body)
        if out.get("root") != "/var/task":
            self.skipTest("this machine refuses user namespaces: " + s.stderr())
        self.assertEqual((out["/var/task/new"], out["/tmp/new"]), ("EROFS", "written"))
        self.assertIsNone(out["data"])
        s.create_function("uid", {"index.js": "exports.handler = async () => process.getuid();"}, "index.handler")
        self.assertEqual(json.loads(s.invoke("uid")[2]), 65534)


class Killed(unittest.TestCase):
    def kill_with_handlers(self, *options, seconds=2):
        s = Server("--quiet", *options)
        self.addCleanup(s.close)
        mark = "87654.%d" % os.getpid()
        s.create_function("f", {"index.js": """
exports.handler = async () => {
  require('child_process').spawn('setsid', ['sleep', '%s'], { detached: true, stdio: 'ignore' }).unref();
  await new Promise((r) => setTimeout(r, 100000));
};""" % mark}, "index.handler", Timeout=300, MemorySize=512)
        pool = concurrent.futures.ThreadPoolExecutor(20)
        for _ in range(20):
            pool.submit(s.invoke, "f")
        self.assertTrue(wait_for(lambda: len(running(mark)) >= 20, 120), len(running(mark)))
        s.stop(signal.SIGKILL)
        gone = wait_for(lambda: not running(mark) and not running(s.data), seconds)
        self.assertTrue(gone, (running(mark), running(s.data)))
        pool.shutdown(wait=False, cancel_futures=True)

    def test_kill_9_leaves_no_child(self):
        self.kill_with_handlers()

    def test_kill_9_leaves_no_child_without_namespaces(self):
        self.kill_with_handlers("--no-isolation")


class RuntimeApi(Base):
    def bash(self):
        return self.make("x", files=BASH, runtime="provided.al2023")

    def test_a_runtime_in_bash(self):
        name = self.bash()
        self.assertEqual(self.invoke(name, {"a": 1})[1], {"got": {"a": 1}})
        error, body, log = self.invoke(name, "error", tail=True)
        self.assertEqual((error, body), ("Unhandled", {"errorMessage": "mine", "errorType": "Mine"}))
        error, body, _ = self.invoke(name, "mode")
        self.assertEqual(body["errorType"], "Runtime.InvalidResponseModeHeader")

    def test_states_that_do_not_fit(self):
        name = self.bash()
        _, body, _ = self.invoke(name, "forged")
        self.assertEqual(body[0], '{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"} 400')
        self.assertEqual(body[1], '{"errorMessage":"Transition from Running to Ready failed for runtime. Error: State '
                         'transition is not allowed","errorType":"InvalidStateTransition"} 403')
        self.assertEqual(self.invoke(name, "twice")[1], 1)
        self.assertEqual(self.invoke(name, "last")[1],
                         '{"errorMessage":"Transition from ResponseSent to InvocationResponse failed for runtime. Error: '
                         'State transition is not allowed","errorType":"InvalidStateTransition"} 403')

    def test_a_package_without_a_bootstrap(self):
        name = self.make("x", files={"x": ""}, runtime="provided.al2")
        error, body, _ = self.invoke(name)
        self.assertEqual(body["errorType"], "Runtime.InvalidEntrypoint")
        self.assertIn("Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]", body["errorMessage"])

    def test_a_bootstrap_that_cannot_be_run(self):
        name = self.make("x", files={"bootstrap": "#!/no/such/program\n"}, runtime="provided.al2023")
        error, body, _ = self.invoke(name)
        self.assertRegex(body["errorMessage"], "Error: Runtime exited with error: exit status 127$")


def frames(data):
    """The messages of an event stream: (event type, payload)."""
    while data:
        total, headers_n, crc = struct.unpack(">III", data[:12])
        assert zlib.crc32(data[:8]) == crc
        assert zlib.crc32(data[:total - 4]) == struct.unpack(">I", data[total - 4:total])[0]
        headers, rest = {}, data[12:12 + headers_n]
        while rest:
            n = rest[0]
            name, rest = rest[1:1 + n].decode(), rest[1 + n:]
            assert rest[0] == 7
            n = struct.unpack(">H", rest[1:3])[0]
            headers[name], rest = rest[3:3 + n].decode(), rest[3 + n:]
        assert headers[":message-type"] == "event"
        yield headers[":event-type"], data[12 + headers_n:total - 4]
        data = data[total:]


class Streams(Base):
    def stream(self, name, payload=None, **headers):
        status, headers, body = self.s.lambda_(
            "POST", "/2021-11-15/functions/%s/response-streaming-invocations" % name, json.dumps(payload or {}), **headers)
        return status, headers, body

    def test_invoke_with_response_stream(self):
        name = self.make("stream")
        status, headers, body = self.stream(name, {"n": 3, "ms": 30}, **{"X-Amz-Log-Type": "Tail"})
        self.assertEqual((status, headers["content-type"]), (200, "application/vnd.amazon.eventstream"))
        self.assertEqual(headers["x-amz-executed-version"], "$LATEST")
        events = list(frames(body))
        self.assertEqual(b"".join(p for kind, p in events if kind == "PayloadChunk"), b"part 0;part 1;part 2;")
        self.assertGreaterEqual(len(events), 3)
        self.assertEqual(events[-1][0], "InvokeComplete")
        self.assertIn("REPORT RequestId", base64.b64decode(json.loads(events[-1][1])["LogResult"]).decode())

    def test_a_function_that_does_not_stream(self):
        events = list(frames(self.stream(self.make("echo"), {"a": 1})[2]))
        self.assertEqual(events[0], ("PayloadChunk", b'{"a":1}'))
        self.assertEqual(json.loads(events[1][1]), {})

    def test_failures(self):
        events = list(frames(self.stream(self.make("streamFails"))[2]))
        self.assertEqual(events[0], ("PayloadChunk", b"some"))
        done = json.loads(events[-1][1])
        self.assertEqual(done["ErrorCode"], "SyntaxError")
        self.assertEqual(json.loads(done["ErrorDetails"])["errorMessage"], "in the stream")
        events = list(frames(self.stream(self.make("streamFails"), {"early": True})[2]))
        self.assertEqual([kind for kind, _ in events], ["InvokeComplete"])
        status, headers, body = self.stream("no-such-function")
        self.assertEqual((status, headers["x-amzn-errortype"]), (404, "ResourceNotFoundException"))
        name = self.make("hangs", Timeout=1)
        events = list(frames(self.stream(name)[2]))
        self.assertEqual(json.loads(events[-1][1])["ErrorCode"], "Sandbox.Timedout")

    def test_more_than_the_buffered_limit(self):
        name = self.make("streamBig", Timeout=60)
        events = list(frames(self.stream(name, {"mib": 20})[2]))
        self.assertEqual(sum(len(p) for kind, p in events if kind == "PayloadChunk"), 20 << 20)
        self.assertEqual(self.invoke(name, {"mib": 7})[1]["errorType"], "Function.ResponseSizeTooLarge")

    def test_a_client_that_leaves_and_one_that_reads_slowly(self):
        name = self.make("streamBig", Timeout=60)
        request = json.dumps({"mib": 60})
        c = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=60)
        c.request("POST", "/2021-11-15/functions/%s/response-streaming-invocations" % name, request,
                  {"Authorization": AUTH % "lambda", "X-Amz-Date": "20260101T000000Z"})
        reply = c.getresponse()
        reply.read(100)
        before = int(open("/proc/%d/statm" % self.s.process.pid).read().split()[1]) * 4096
        time.sleep(0.3)  # unread bytes must not pile up in the server
        self.assertLess(int(open("/proc/%d/statm" % self.s.process.pid).read().split()[1]) * 4096 - before, 24 << 20)
        c.close()
        self.assertEqual(self.invoke(self.make("echo"), 1)[1], 1)

    def test_streams_come_as_they_are_written(self):
        name = self.make("stream")
        self.stream(name)
        c = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=60)
        c.request("POST", "/2021-11-15/functions/%s/response-streaming-invocations" % name, json.dumps({"n": 2, "ms": 700}),
                  {"Authorization": AUTH % "lambda", "X-Amz-Date": "20260101T000000Z"})
        started = time.monotonic()
        reply = c.getresponse()
        first = reply.read1(1000)
        self.assertIn(b"part 0;", first)
        self.assertLess(time.monotonic() - started, 0.6)
        reply.read()
        self.assertGreater(time.monotonic() - started, 1.2)
        c.close()


class Urls(Base):
    def url(self, handler, **config):
        name = self.make(handler)
        status, _, body = self.s.lambda_("POST", "/2021-10-31/functions/%s/url" % name, json.dumps({"AuthType": "NONE", **config}))
        self.assertEqual(status, 201, body)
        host = json.loads(body)["FunctionUrl"].split("/")[2]
        return host.split(".")[0] + ".lambda-url.us-east-1.localhost:%d" % self.s.port

    def get(self, host, path, method="GET", body=b"", **headers):
        return self.s.request(method, path, body, {"Host": host, **headers})

    def test_the_event(self):
        host = self.url("url")
        status, headers, body = self.get(host, "/event?a=1&a=2&b=%2Fx+y", "POST", b'{"x":1}', Cookie="k=1; l=2", **{
            "Content-Type": "application/json", "X-Twice": "v"})
        event = json.loads(body)
        self.assertEqual(list(event)[:5], ["version", "routeKey", "rawPath", "rawQueryString", "cookies"])
        self.assertEqual((event["version"], event["routeKey"], event["rawPath"]), ("2.0", "$default", "/event"))
        self.assertEqual(event["queryStringParameters"], {"a": "1,2", "b": "/x y"})
        self.assertEqual(event["cookies"], ["k=1", "l=2"])
        self.assertNotIn("cookie", event["headers"])
        self.assertEqual((event["headers"]["x-twice"], event["body"], event["isBase64Encoded"]), ("v", '{"x":1}', False))
        context = event["requestContext"]
        self.assertEqual((context["accountId"], context["stage"], context["http"]["method"]), ("anonymous", "$default", "POST"))
        self.assertEqual(context["domainPrefix"], host.split(".")[0])
        self.assertEqual(headers["x-amzn-requestid"], context["requestId"])
        self.assertNotIn("pathParameters", event)
        status, _, body = self.get(host, "/event", "POST", b"a=b", **{"Content-Type": "application/x-www-form-urlencoded"})
        event = json.loads(body)
        self.assertEqual((event["body"], event["isBase64Encoded"]), ("YT1i", True))

    def test_results(self):
        host = self.url("url")
        status, headers, body = self.get(host, "/")
        self.assertEqual((status, headers["content-type"], body), (200, "application/json", b'{"hello":"world"}'))
        self.assertEqual(self.get(host, "/text")[2], b"plain text")
        self.assertEqual(self.get(host, "/list")[2], b'["hello",3,true]')
        status, headers, body = self.get(host, "/status")
        self.assertEqual((status, headers["x-a"], body), (418, "b", b"teapot"))
        self.assertEqual(headers["set-cookie"], "d=2")
        status, headers, body = self.get(host, "/binary")
        self.assertEqual((headers["content-type"], body), ("image/png", b"\0\1\2\xff"))
        self.assertEqual(self.get(host, "/fails")[::2], (502, b"Internal Server Error"))

    def test_unknown_and_signed_urls(self):
        status, headers, body = self.get("nosuchurl.lambda-url.us-east-1.localhost:1", "/")
        self.assertEqual((status, body, headers["x-amzn-errortype"]), (403, b'{"Message":null}', "AccessDeniedException"))
        host = self.url("url", AuthType="AWS_IAM")
        self.assertEqual(self.get(host, "/")[::2], (403, b'{"Message":"Forbidden"}'))
        status, _, body = self.get(host, "/event", Authorization=AUTH % "lambda", **{"X-Amz-Date": "20260101T000000Z"})
        self.assertEqual(json.loads(body)["requestContext"]["authorizer"]["iam"]["accountId"], "000000000000")

    def test_cors(self):
        host = self.url("url", Cors={"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET", "PUT"], "MaxAge": 5,
                                     "AllowHeaders": ["x-y"], "ExposeHeaders": ["x-z"]})
        status, headers, body = self.get(host, "/", "OPTIONS", Origin="https://a.example", **{"Access-Control-Request-Method": "PUT"})
        self.assertEqual((status, headers["access-control-allow-origin"], headers["access-control-allow-methods"],
                          headers["access-control-max-age"], headers["access-control-allow-headers"]),
                         (200, "https://a.example", "GET,PUT", "5", "x-y"))
        self.assertEqual(self.get(host, "/", Origin="https://a.example")[1]["access-control-expose-headers"], "x-z")
        self.assertNotIn("access-control-allow-origin", self.get(host, "/", Origin="https://b.example")[1])

    def test_streamed_urls(self):
        status, headers, body = self.get(self.url("stream", InvokeMode="RESPONSE_STREAM"), "/")
        self.assertEqual((status, headers["content-type"], body), (200, "text/plain", b"part 0;part 1;part 2;"))
        host = self.url("streamHttp", InvokeMode="RESPONSE_STREAM")
        status, headers, body = self.get(host, "/")
        self.assertEqual((status, headers["x-mine"], headers["content-type"], body), (201, "yes", "text/html", b"<p></p>"))
        status, headers, body = self.get(self.url("streamHttp"), "/")
        self.assertEqual((status, body), (201, b"<p></p>"))


class Async(unittest.TestCase):
    SOURCE = """
const fs = require('fs');
exports.handler = async (event, context) => {
  fs.appendFileSync('/seen/' + event.log, JSON.stringify({ id: context.awsRequestId, event }) + '\\n');
  if (event.fail) throw new Error('again');
  return { done: true };
};
exports.sink = async (event) => { fs.appendFileSync('/seen/sink', JSON.stringify(event) + '\\n'); };
"""

    def server(self, *options):
        s = Server("--quiet", "--no-isolation", *options)
        self.addCleanup(s.close)
        self.seen = os.path.join(s.folder, "seen")
        os.mkdir(self.seen)
        return s

    def make(self, s, name, handler="index.handler"):
        code = self.SOURCE.replace("/seen/", self.seen + "/")
        self.assertEqual(s.create_function(name, {"index.js": code}, handler)[0], 201)

    def lines(self, name):
        try:
            return [json.loads(line) for line in open(os.path.join(self.seen, name))]
        except OSError:
            return []

    def event(self, s, name, event):
        status, _, body = s.invoke(name, json.dumps(event), **{"X-Amz-Invocation-Type": "Event"})
        self.assertEqual((status, body), (202, b""))

    def shift(self, s, seconds):
        status, _, body = s.request("POST", "/_puddle/clock", json.dumps({"advance_ms": seconds * 1000}), {"Content-Type": "application/json"})
        if status != 200:
            status, _, body = s.request("POST", "/_puddle/clock", json.dumps({"shift_ms": seconds * 1000}), {"Content-Type": "application/json"})
        self.assertEqual(status, 200, body)

    def test_two_retries_with_the_same_request_id_then_the_destination(self):
        s = self.server()
        self.make(s, "f")
        self.make(s, "sink", "index.sink")
        status, _, body = s.lambda_("PUT", "/2019-09-25/functions/f/event-invoke-config", json.dumps({"DestinationConfig": {
            "OnFailure": {"Destination": "arn:aws:lambda:us-east-1:000000000000:function:sink"},
            "OnSuccess": {"Destination": "arn:aws:lambda:us-east-1:000000000000:function:sink"}}}))
        self.assertEqual(status, 200, body)
        self.event(s, "f", {"log": "f", "fail": True})
        wait_for(lambda: len(self.lines("f")) == 1)
        time.sleep(0.2)
        self.assertEqual(len(self.lines("f")), 1)
        self.shift(s, 61)
        self.assertTrue(wait_for(lambda: len(self.lines("f")) == 2))
        wait_for(lambda: self.shift(s, 121) or len(self.lines("f")) == 3, 5)
        self.assertEqual(len({line["id"] for line in self.lines("f")}), 1)
        record = wait_for(lambda: self.lines("sink"))[0]
        self.assertEqual(list(record), ["version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"])
        self.assertEqual((record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]), ("RetriesExhausted", 3))
        self.assertEqual(record["requestContext"]["functionArn"], "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST")
        self.assertEqual(record["responseContext"], {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
        self.assertEqual(record["responsePayload"]["errorMessage"], "again")
        self.event(s, "f", {"log": "f"})
        record = wait_for(lambda: len(self.lines("sink")) == 2 and self.lines("sink")[1])
        self.assertEqual((record["requestContext"]["condition"], record["responsePayload"]), ("Success", {"done": True}))

    def test_events_survive_kill_9(self):
        s = self.server()
        self.make(s, "f")
        self.event(s, "f", {"log": "f", "fail": True})
        wait_for(lambda: len(self.lines("f")) == 1)
        s.lambda_("PUT", "/2017-10-31/functions/f/concurrency", '{"ReservedConcurrentExecutions":1}')
        time.sleep(0.1)
        s.stop(signal.SIGKILL)
        s.start()
        wait_for(lambda: self.shift(s, 61) or len(self.lines("f")) >= 2, 5)
        self.assertGreaterEqual(len(self.lines("f")), 2)

    def test_reserved_concurrency_zero_throttles_calls_and_discards_events(self):
        s = self.server()
        self.make(s, "f")
        self.make(s, "sink", "index.sink")
        s.lambda_("PUT", "/2019-09-25/functions/f/event-invoke-config", json.dumps({"DestinationConfig": {
            "OnFailure": {"Destination": "arn:aws:lambda:us-east-1:000000000000:function:sink"}}}))
        status, _, body = s.lambda_("PUT", "/2017-10-31/functions/f/concurrency", '{"ReservedConcurrentExecutions":0}')
        self.assertEqual(status, 200, body)
        status, headers, body = s.invoke("f", '{"log":"f"}')
        self.assertEqual((status, headers["x-amzn-errortype"]), (429, "TooManyRequestsException"))
        self.assertEqual(json.loads(body), {"Type": "User", "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "message": "Rate Exceeded."})
        self.event(s, "f", {"log": "f"})
        record = wait_for(lambda: self.lines("sink"))[0]
        self.assertEqual((record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]), ("ZeroReservedConcurrency", 0))
        self.assertNotIn("responseContext", record)
        self.assertEqual(self.lines("f"), [])

    def test_an_event_too_large_is_refused(self):
        s = self.server()
        self.make(s, "f")
        for size, status in ((1048576, 202), (1048577, 413)):
            text = '{"log":"f","x":"' + "a" * (size - 18) + '"}'
            self.assertEqual(s.invoke("f", text, **{"X-Amz-Invocation-Type": "Event"})[0], status)


class Options(unittest.TestCase):
    def test_fresh_environments_show_hidden_state(self):
        s = Server("--quiet", "--fresh")
        self.addCleanup(s.close)
        s.create_function("f", NODE, "index.count")
        self.assertEqual([json.loads(s.invoke("f")[2]) for _ in range(3)], [1, 1, 1])

    def test_simulated_cold_starts(self):
        s = Server("--quiet", "--cold-start", "900")
        self.addCleanup(s.close)
        s.create_function("f", NODE, "index.echo")
        started = time.monotonic()
        s.invoke("f")
        self.assertGreater(time.monotonic() - started, 0.9)
        started = time.monotonic()
        s.invoke("f")
        self.assertLess(time.monotonic() - started, 0.6)

    def test_strict_runtimes_refuse_callbacks_on_node_24(self):
        s = Server("--quiet", "--strict-runtimes")
        self.addCleanup(s.close)
        s.create_function("f", NODE, "index.waits", "nodejs24.x")
        body = json.loads(s.invoke("f")[2])
        self.assertEqual(body["errorType"], "Runtime.CallbackHandlerDeprecated")

    def test_concurrent_invocations_run_at_the_same_time(self):
        s = Server("--quiet")
        self.addCleanup(s.close)
        s.create_function("f", NODE, "index.sleep", Timeout=60)
        count = int(os.environ.get("PUDDLE_CONCURRENT", "12"))
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            for _ in range(3):
                started = time.monotonic()
                streams = list(pool.map(lambda _: json.loads(s.invoke("f", '{"ms":400}')[2]), range(count)))
                elapsed = time.monotonic() - started
        self.assertGreater(len(set(streams)), count / 2)
        self.assertLess(elapsed, 3)


class Logs(unittest.TestCase):
    def test_the_log_begins_with_init_start_which_is_not_in_the_tail(self):
        s = Server("--quiet")
        self.addCleanup(s.close)
        s.create_function("f", NODE, "index.echo")
        _, headers, _ = s.invoke("f", "{}", **{"X-Amz-Log-Type": "Tail"})
        self.assertNotIn("INIT_START", base64.b64decode(headers["x-amz-log-result"]).decode())
        out = subprocess.run([os.environ.get("PUDDLE", str(ROOT / "build/puddle")), "logs", "f"], capture_output=True, text=True,
                             env={**os.environ, "AWS_ENDPOINT_URL": s.url, "PUDDLE_URL": s.url, "PUDDLE_PORT": str(s.port)}).stdout
        if out:
            self.assertRegex(out, "INIT_START Runtime Version: nodejs:20.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}")
