"""The user's example, as a user runs it: a fresh copy of its folder, curl-like requests."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from puddle import BINARY, ROOT, Server

EXAMPLE = ROOT / "fixtures/example"


class Example(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not (EXAMPLE / "node_modules/aws-sdk").exists():
            raise unittest.SkipTest("fixtures/example has no node_modules (npm)")
        cls.folder = tempfile.mkdtemp(prefix="puddle-example-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        for name in ("handler.ts", "template.yaml", "package.json"):
            shutil.copy(EXAMPLE / name, cls.folder)
        os.symlink(EXAMPLE / "node_modules", os.path.join(cls.folder, "node_modules"))

    def start(self, *args):
        s = Server("-t", os.path.join(self.folder, "template.yaml"), *args)
        self.addCleanup(s.close)
        return s

    def save(self, s, body='{"id":"42","data":"hello"}'):
        status, headers, data = s.request("POST", "/save", body)
        return status, data.decode()

    def item(self, s):
        return json.loads(s.dynamodb("GetItem", {"TableName": "ExampleTable", "Key": {"id": {"S": "42"}}})[2])

    def test_the_handler_is_the_users_own_file(self):
        theirs = ROOT.parent / "shared/example/handler.ts"
        if not theirs.exists():
            self.skipTest("../shared/example is not here")
        self.assertEqual((EXAMPLE / "handler.ts").read_bytes(), theirs.read_bytes())

    def test_the_example_saves_answers_errors_and_survives(self):
        s = self.start()
        self.assertIn("puddle: http://127.0.0.1:%d (1 functions, 1 tables, 1 APIs)" % s.port, s.lines[-2])
        self.assertEqual(self.save(s), (200, '{"message":"Data saved successfully"}'), s.stderr()[-3000:])
        self.assertEqual(self.item(s), {"Item": {"id": {"S": "42"}, "data": {"S": "hello"}}})
        self.assertEqual(self.save(s, "not json"), (502, '{"message": "Internal server error"}'))
        # a restart and a kill -9 keep the item
        self.assertEqual(s.stop(), 0)
        s.start()
        self.assertIn("Item", self.item(s))
        s.dynamodb("PutItem", {"TableName": "ExampleTable", "Item": {"id": {"S": "42"}, "data": {"S": "again"}}})
        s.stop(signal.SIGKILL)
        s.start()
        self.assertEqual(self.item(s)["Item"]["data"], {"S": "again"})
        s.dynamodb("DeleteTable", {"TableName": "ExampleTable"})
        self.assertEqual(self.save(s), (500, '{"error":"Could not save data"}'))

    def test_its_event_can_be_invoked_by_hand(self):
        s = self.start("--quiet")
        event = EXAMPLE / "events/save.json"
        done = subprocess.run([BINARY, "invoke", "SaveFunction", "-e", str(event), "--port", str(s.port)],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(json.loads(done.stdout), {"statusCode": 200, "body": '{"message":"Data saved successfully"}'})
        self.assertEqual(self.item(s), {"Item": {"id": {"S": "42"}, "data": {"S": "hello"}}})

    def test_an_edit_is_seen_by_the_next_invocation(self):
        s = self.start("--quiet")
        self.assertEqual(self.save(s)[0], 200)
        path = os.path.join(self.folder, "handler.ts")
        text = open(path).read()
        self.addCleanup(lambda: open(path, "w").write(text))
        open(path, "w").write(text.replace("Data saved successfully", "Edited"))
        self.assertEqual(self.save(s), (200, '{"message":"Edited"}'))

    def test_no_child_survives_kill_9(self):
        s = self.start("--quiet")
        self.save(s)
        children = subprocess.run(["pgrep", "-P", str(s.process.pid)], capture_output=True, text=True).stdout.split()
        self.assertTrue(children)
        s.stop(signal.SIGKILL)
        deadline = time.monotonic() + 1
        for pid in children:
            while time.monotonic() < deadline:
                try:
                    with open("/proc/%s/stat" % pid) as f:
                        if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                            break
                except (FileNotFoundError, ProcessLookupError):
                    break
                time.sleep(0.002)
            else:
                self.fail("process %s is still there" % pid)
