"""/_puddle/usage: amounts by AWS's units and an estimate by its prices."""
import json
import subprocess
import unittest

from puddle import Server


class Usage(unittest.TestCase):
    def test_amounts_and_estimate(self):
        s = Server("--quiet", ephemeral=True)
        self.addCleanup(s.close)
        usage = lambda: json.loads(s.request("GET", "/_puddle/usage")[2])
        before = usage()
        self.assertEqual((before["lambda"]["requests"], before["dynamodb"]["read_units"], before["dollars"]), (0, 0, 0))
        s.dynamodb("CreateTable", {"TableName": "Tab", "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
                                   "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
                                   "BillingMode": "PAY_PER_REQUEST"})
        s.dynamodb("PutItem", {"TableName": "Tab", "Item": {"a": {"S": "x"}, "b": {"S": "y" * 1500}}})
        s.dynamodb("GetItem", {"TableName": "Tab", "Key": {"a": {"S": "x"}}})
        s.dynamodb("GetItem", {"TableName": "Tab", "Key": {"a": {"S": "x"}}, "ConsistentRead": True})
        s.create_function("f", {"index.js": "exports.handler = async () => 1;"}, MemorySize=1024)
        for _ in range(3):
            self.assertEqual(s.invoke("f")[0], 200)
        got = usage()
        self.assertEqual((got["dynamodb"]["write_units"], got["dynamodb"]["read_units"]), (2, 1.5))
        self.assertEqual(got["lambda"]["requests"], 3)
        self.assertGreaterEqual(got["lambda"]["gb_seconds"], 0.003)
        p = got["prices"]
        self.assertAlmostEqual(got["lambda"]["dollars"], 3 * p["lambda_request"] +
                               got["lambda"]["gb_seconds"] * p["lambda_gb_second_x86_64"], 12)
        self.assertAlmostEqual(got["dynamodb"]["dollars"], 2 * p["dynamodb_write_unit"] + 1.5 * p["dynamodb_read_unit"], 12)
        self.assertAlmostEqual(got["dollars"], got["lambda"]["dollars"] + got["dynamodb"]["dollars"] + got["logs"]["dollars"], 12)
        out = subprocess.run([s.args[0], "status"], env=s.environment(), capture_output=True, text=True, timeout=30)
        self.assertEqual(json.loads(out.stdout)["usage"]["lambda"]["requests"], 3, out.stderr)


if __name__ == "__main__":
    unittest.main()
