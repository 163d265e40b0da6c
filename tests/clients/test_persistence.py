"""What was acknowledged is there again after a stop, and after kill -9."""
import json
import signal
import threading
import unittest

from puddle import AUTH, Server

TABLE = {"TableName": "Keep", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
         "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}


class Persistence(unittest.TestCase):
    def server(self, *args):
        s = Server("--quiet", *args)
        self.addCleanup(s.close)
        return s

    def api(self, s, method, path, body=""):
        status, _, reply = s.request(method, path, json.dumps(body) if body else "", {
            "Authorization": AUTH % "apigateway", "X-Amz-Date": "20260101T000000Z", "Content-Type": "application/json"})
        self.assertIn(status, (200, 201), reply)
        return json.loads(reply)

    def test_functions_tables_and_apis_survive_a_stop_and_a_kill(self):
        s = self.server()
        self.assertEqual(s.create_function("f", {"index.js": "exports.handler = async () => ({ body: 'kept' });"})[0], 201)
        s.dynamodb("CreateTable", TABLE)
        s.dynamodb("PutItem", {"TableName": "Keep", "Item": {"id": {"S": "1"}, "n": {"N": "1"}}})
        api = self.api(s, "POST", "/restapis", {"name": "x"})["id"]
        root = self.api(s, "GET", "/restapis/%s/resources" % api)["item"][0]["id"]
        self.api(s, "PUT", "/restapis/%s/resources/%s/methods/GET" % (api, root), {"authorizationType": "NONE"})
        self.api(s, "PUT", "/restapis/%s/resources/%s/methods/GET/integration" % (api, root), {
            "type": "AWS_PROXY", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:us-east-1:000000000000:function:f/invocations"})
        self.api(s, "POST", "/restapis/%s/deployments" % api, {"stageName": "prod"})
        for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            s.stop(number)
            s.start()
            self.assertIn("(1 functions, 1 tables, 1 APIs)", s.lines[-2])
            self.assertEqual(s.request("GET", "/_aws/execute-api/%s/prod/" % api)[::2], (200, b"kept"))
            reply = s.dynamodb("GetItem", {"TableName": "Keep", "Key": {"id": {"S": "1"}}})
            self.assertEqual(json.loads(reply[2]), {"Item": {"id": {"S": "1"}, "n": {"N": "1"}}})

    def check_acknowledged_writes(self, *args):
        s = self.server(*args)
        s.dynamodb("CreateTable", TABLE)
        acknowledged, enough = [[] for _ in range(4)], threading.Event()

        def write(worker):
            for i in range(100000):
                key = "%d-%d" % (worker, i)
                try:
                    if s.dynamodb("PutItem", {"TableName": "Keep", "Item": {"id": {"S": key}}})[0] != 200:
                        return
                except OSError:
                    return
                except Exception:  # http.client: the connection ended in the middle
                    return
                acknowledged[worker].append(key)
                if worker == 0 and i == 200:
                    enough.set()
        threads = [threading.Thread(target=write, args=(w,)) for w in range(4)]
        for t in threads:
            t.start()
        self.assertTrue(enough.wait(60))
        s.stop(signal.SIGKILL)
        for t in threads:
            t.join()
        s.start()
        for keys in acknowledged:
            self.assertTrue(keys)
            for key in keys:
                reply = s.dynamodb("GetItem", {"TableName": "Keep", "Key": {"id": {"S": key}}})
                self.assertEqual(json.loads(reply[2]), {"Item": {"id": {"S": key}}})

    def test_kill_9_in_the_middle_of_writes_loses_no_acknowledged_one(self):
        self.check_acknowledged_writes()

    def test_kill_9_with_durable(self):
        self.check_acknowledged_writes("--durable")

    def test_a_commit_that_fails_is_an_error_and_no_half_write(self):
        s = self.server()
        s.dynamodb("CreateTable", TABLE)
        s.stop()
        s.env["PUDDLE_FAULT"] = "db.commit:3"  # the first is the start's own
        s.start()
        answers = [s.dynamodb("PutItem", {"TableName": "Keep", "Item": {"id": {"S": str(i)}}}) for i in range(4)]
        self.assertEqual([a[0] for a in answers], [200, 500, 200, 200])
        self.assertIn("InternalServerError", json.loads(answers[1][2])["__type"])
        for restart in (False, True):
            if restart:
                s.stop()
                del s.env["PUDDLE_FAULT"]
                s.start()
            there = ["Item" in json.loads(s.dynamodb("GetItem", {"TableName": "Keep", "Key": {"id": {"S": str(i)}}})[2])
                     for i in range(4)]
            self.assertEqual(there, [True, False, True, True])
