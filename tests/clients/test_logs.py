"""CloudWatch Logs through boto3 and the command line, and the lines of functions in it."""
import json
import subprocess
import time
import unittest

from boto import Boto, client_of

BAD, NONE, THERE = "InvalidParameterException", "ResourceNotFoundException", "ResourceAlreadyExistsException"
NO_GROUP, NO_STREAM = "The specified log group does not exist.", "The specified log stream does not exist."


class LogsCase(Boto):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.w = client_of(cls.s, "logs")

    def raw_logs(self, operation, body):
        """For what Debian's boto3 does not know yet."""
        status, _, reply = self.s.request("POST", "/", json.dumps(body), {
            "X-Amz-Target": "Logs_20140328." + operation, "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, "
                             "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64, "X-Amz-Date": "20260101T000000Z"})
        return status, json.loads(reply or b"null")

    def group(self, *streams):
        name = self.name()
        self.w.create_log_group(logGroupName=name)
        for stream in streams:
            self.w.create_log_stream(logGroupName=name, logStreamName=stream)
        return name

    def put(self, group, stream, *events):
        return self.w.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[
            {"timestamp": t, "message": m} for t, m in events])

    def now(self):
        return int(time.time() * 1000)


class Groups(LogsCase):
    def test_groups_from_creation_to_deletion(self):
        g = self.name()
        self.w.create_log_group(logGroupName=g, tags={"a": "1"})
        self.fails(THERE, "The specified log group already exists", self.w.create_log_group, logGroupName=g)
        got = self.w.describe_log_groups(logGroupNamePrefix=g)["logGroups"]
        self.assertEqual([(x["logGroupName"], x["arn"], x["metricFilterCount"], x["storedBytes"]) for x in got],
                         [(g, "arn:aws:logs:us-east-1:000000000000:log-group:%s:*" % g, 0, 0)])
        self.assertNotIn("retentionInDays", got[0])
        self.w.put_retention_policy(logGroupName=g, retentionInDays=14)
        self.assertEqual(self.w.describe_log_groups(logGroupNamePrefix=g)["logGroups"][0]["retentionInDays"], 14)
        self.w.delete_retention_policy(logGroupName=g)
        self.assertNotIn("retentionInDays", self.w.describe_log_groups(logGroupNamePrefix=g)["logGroups"][0])
        self.fails(BAD, "1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: Member "
                   "must satisfy enum value set: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, "
                   "2192, 2557, 2922, 3288, 3653]", self.w.put_retention_policy, logGroupName=g, retentionInDays=2)
        self.w.delete_log_group(logGroupName=g)
        for call, more in ((self.w.delete_log_group, {}), (self.w.put_retention_policy, {"retentionInDays": 1}),
                           (self.w.create_log_stream, {"logStreamName": "s"}), (self.w.describe_log_streams, {}),
                           (self.w.filter_log_events, {}), (self.w.list_tags_log_group, {})):
            self.fails(NONE, NO_GROUP, call, logGroupName=g, **more)
        self.fails(BAD, "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member "
                   r"must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+", self.w.create_log_group, logGroupName="a b")

    def test_pages_and_list_log_groups(self):
        names = ["/pages/%d" % i for i in range(5)]
        for n in names:
            self.w.create_log_group(logGroupName=n)
        pages = list(self.w.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix="/pages", PaginationConfig={"PageSize": 2}))
        self.assertEqual([len(p["logGroups"]) for p in pages], [2, 2, 1])
        self.assertEqual([x["logGroupName"] for p in pages for x in p["logGroups"]], names)
        found = self.w.describe_log_groups(logGroupNamePattern="ages/3")["logGroups"]
        self.assertEqual([x["logGroupName"] for x in found], ["/pages/3"])
        status, got = self.raw_logs("ListLogGroups", {"logGroupNamePattern": "^/pages"})
        self.assertEqual((status, [x["logGroupName"] for x in got["logGroups"]]), (200, names))
        self.fails(BAD, "The specified nextToken is invalid.", self.w.describe_log_groups, nextToken="what")

    def test_tags(self):
        g = self.group()
        arn = "arn:aws:logs:us-east-1:000000000000:log-group:" + g
        self.w.tag_log_group(logGroupName=g, tags={"a": "1", "b": "2"})
        self.w.untag_log_group(logGroupName=g, tags=["a"])
        self.assertEqual(self.w.list_tags_log_group(logGroupName=g)["tags"], {"b": "2"})
        self.w.tag_resource(resourceArn=arn, tags={"c": "3"})
        self.assertEqual(self.w.list_tags_for_resource(resourceArn=arn)["tags"], {"b": "2", "c": "3"})
        self.w.untag_resource(resourceArn=arn, tagKeys=["b", "c"])
        self.assertEqual(self.w.list_tags_for_resource(resourceArn=arn)["tags"], {})
        self.assertRaises(self.w.exceptions.ClientError, self.w.tag_resource, resourceArn=arn,
                          tags={"k%d" % i: "" for i in range(51)})

    def test_streams(self):
        g = self.group("b", "a", "c")
        self.fails(THERE, "The specified log stream already exists", self.w.create_log_stream, logGroupName=g, logStreamName="a")
        self.fails(NONE, NO_STREAM, self.w.delete_log_stream, logGroupName=g, logStreamName="none")
        now = self.now()
        self.put(g, "c", (now - 5, "x"))
        self.put(g, "a", (now, "y"))
        names = lambda **more: [x["logStreamName"] for x in self.w.describe_log_streams(logGroupName=g, **more)["logStreams"]]
        self.assertEqual(names(), ["a", "b", "c"])
        self.assertEqual(names(descending=True), ["c", "b", "a"])
        self.assertEqual(names(orderBy="LastEventTime", descending=True, limit=2), ["a", "c"])
        self.assertEqual(names(logStreamNamePrefix="a"), ["a"])
        pages = self.w.get_paginator("describe_log_streams").paginate(logGroupName=g, PaginationConfig={"PageSize": 2})
        self.assertEqual([[x["logStreamName"] for x in p["logStreams"]] for p in pages], [["a", "b"], ["c"]])
        c = self.w.describe_log_streams(logGroupName=g, logStreamNamePrefix="c")["logStreams"][0]
        self.assertEqual((c["firstEventTimestamp"], c["lastEventTimestamp"]), (now - 5, now - 5))
        self.fails(BAD, "Cannot order by LastEventTime with a logStreamNamePrefix.", self.w.describe_log_streams,
                   logGroupName=g, orderBy="LastEventTime", logStreamNamePrefix="a")
        self.w.delete_log_stream(logGroupName=g, logStreamName="c")
        self.assertEqual(names(), ["a", "b"])
        self.assertEqual([e["message"] for e in self.w.filter_log_events(logGroupName=g)["events"]], ["y"])


class Events(LogsCase):
    def test_get_log_events_forward_and_backward(self):
        g = self.group("s")
        now = self.now() - 10000
        for i in range(0, 10, 5):
            self.put(g, "s", *((now + j, "m%d" % j) for j in range(i, i + 5)))
        get = lambda **more: self.w.get_log_events(logGroupName=g, logStreamName="s", **more)
        messages = lambda reply: [e["message"] for e in reply["events"]]
        self.assertEqual(messages(get()), ["m%d" % i for i in range(10)])
        first = get(startFromHead=True, limit=4)
        self.assertEqual(messages(first), ["m0", "m1", "m2", "m3"])
        second = get(nextToken=first["nextForwardToken"], limit=4)
        self.assertEqual(messages(second), ["m4", "m5", "m6", "m7"])
        self.assertEqual(messages(get(nextToken=second["nextBackwardToken"], limit=2)), ["m2", "m3"])
        last = get(limit=3)
        self.assertEqual(messages(last), ["m7", "m8", "m9"])
        older = get(nextToken=last["nextBackwardToken"], limit=3)
        self.assertEqual(messages(older), ["m4", "m5", "m6"])
        end = get(nextToken=last["nextForwardToken"])
        self.assertEqual((messages(end), end["nextForwardToken"]), ([], last["nextForwardToken"]))
        self.put(g, "s", (now + 100, "late"))
        self.assertEqual(messages(get(nextToken=last["nextForwardToken"])), ["late"])
        self.assertEqual(messages(get(startTime=now + 3, endTime=now + 6)), ["m3", "m4", "m5"])
        self.fails(BAD, "The specified nextToken is invalid.", get, nextToken="f/1/s")
        self.fails(NONE, NO_STREAM, self.w.get_log_events, logGroupName=g, logStreamName="none")

    def test_what_put_log_events_refuses(self):
        g = self.group("s")
        now = self.now()
        put = lambda *events: dict(logGroupName=g, logStreamName="s", logEvents=[{"timestamp": t, "message": m} for t, m in events])
        self.fails(BAD, "Log events in a single PutLogEvents request must be in chronological order.", self.w.put_log_events,
                   **put((now, "a"), (now - 1, "b")))
        self.fails(BAD, "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
                   self.w.put_log_events, **put((now - 86400001, "a"), (now, "b")))
        self.w.put_log_events(**put((now - 86400000, "a"), (now, "b")))
        big = "x" * (1048576 - 26)
        self.w.put_log_events(**put((now, big)))
        self.fails(BAD, "Log event too large: 1048577 bytes exceeds limit of 1048576", self.w.put_log_events, **put((now, big + "x")))
        self.fails(BAD, "Upload too large: 1048577 bytes exceeds limit of 1048576", self.w.put_log_events,
                   **put((now, big[:-27]), (now, "xx")))
        self.fails(NONE, NO_STREAM, self.w.put_log_events, **{**put((now, "a")), "logStreamName": "none"})
        day = 86400000
        old = self.w.put_log_events(**put((now - 15 * day, "old")))
        self.assertEqual(old["rejectedLogEventsInfo"], {"tooOldLogEventEndIndex": 1})
        new = self.w.put_log_events(**put((now, "ok"), (now + 3 * 3600000, "new")))
        self.assertEqual(new["rejectedLogEventsInfo"], {"tooNewLogEventStartIndex": 1})
        self.w.put_retention_policy(logGroupName=g, retentionInDays=1)
        expired = self.w.put_log_events(**put((now - 2 * day, "expired")))
        self.assertEqual(expired["rejectedLogEventsInfo"], {"expiredLogEventEndIndex": 1})

    def test_filter_log_events(self):
        g = self.group("one", "two", "other")
        now = self.now() - 10000
        self.put(g, "one", (now, '{"level":"ERROR","n":5}'), (now + 2, "ERROR plain failure"))
        self.put(g, "two", (now + 1, '{"level":"INFO","n":50}'), (now + 3, '127.0.0.1 frank "GET /" 404'))
        self.put(g, "other", (now + 4, "ERROR in other"))
        find = lambda pattern="", **more: [e["message"] for e in self.w.filter_log_events(
            logGroupName=g, filterPattern=pattern, **more)["events"]]
        everything = ['{"level":"ERROR","n":5}', '{"level":"INFO","n":50}', "ERROR plain failure",
                      '127.0.0.1 frank "GET /" 404', "ERROR in other"]
        self.assertEqual(find(), everything)
        self.assertEqual(find('{ $.level = "ERROR" }'), everything[:1])
        self.assertEqual(find("{ $.n > 10 && $.level != DEBUG }"), everything[1:2])
        self.assertEqual(find("ERROR -other"), [everything[0], everything[2]])
        self.assertEqual(find("?frank ?other"), everything[3:])
        self.assertEqual(find("[ip, user, request, status=4*]"), everything[3:4])
        self.assertEqual(find(logStreamNames=["two", "other"]), [everything[1], everything[3], everything[4]])
        self.assertEqual(find(logStreamNamePrefix="o"), [everything[0], everything[2], everything[4]])
        self.assertEqual(find(startTime=now + 1, endTime=now + 2), everything[1:3])
        pages = self.w.get_paginator("filter_log_events").paginate(logGroupName=g, PaginationConfig={"PageSize": 2})
        ids = [e["eventId"] for p in pages for e in p["events"]]
        self.assertEqual((len(ids), sorted(ids)), (5, ids))
        self.fails(BAD, "Invalid filter pattern", self.w.filter_log_events, logGroupName=g, filterPattern="{ $.a = }")
        self.fails(NONE, NO_STREAM, self.w.filter_log_events, logGroupName=g, logStreamNames=["none"])

    def test_retention_follows_the_clock(self):
        g = self.group("s")
        self.w.put_retention_policy(logGroupName=g, retentionInDays=1)
        self.put(g, "s", (self.now(), "gone tomorrow"))
        shift = lambda ms: self.s.request("POST", "/_puddle/clock", json.dumps({"shift_ms": ms}))
        shift(86400000 + 5000)
        try:
            self.assertEqual(self.w.filter_log_events(logGroupName=g)["events"], [])
            self.assertEqual(self.w.describe_log_groups(logGroupNamePrefix=g)["logGroups"][0]["storedBytes"], 0)
        finally:
            shift(-86400000 - 5000)


class FunctionLines(LogsCase):
    TEXT = "exports.handler = async () => { console.log('hello', 1); console.log('two\\nlines \\u00e4'); };"

    def lines(self, group, **more):
        return [e["message"] for e in self.w.filter_log_events(logGroupName=group, **more)["events"]]

    def test_lines_of_an_invocation(self):
        f = self.make(self.TEXT)
        self.invoke(f)
        lines = self.lines("/aws/lambda/" + f)
        self.assertTrue(all(l.endswith("\n") for l in lines), lines)
        text = "".join(lines)
        for part in ("START RequestId: ", "\thello 1\n", "\u00e4", "END RequestId: ", "REPORT RequestId: "):
            self.assertIn(part, text)
        streams = self.w.describe_log_streams(logGroupName="/aws/lambda/" + f)["logStreams"]
        self.assertRegex(streams[0]["logStreamName"], r"^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$")
        self.l.publish_version(FunctionName=f)
        self.invoke(f, Qualifier="1")
        names = [x["logStreamName"] for x in self.w.describe_log_streams(logGroupName="/aws/lambda/" + f)["logStreams"]]
        self.assertTrue(any("/[1]" in n for n in names), names)

    def test_a_group_of_the_users_own(self):
        f = self.make(self.TEXT)
        self.l.update_function_configuration(FunctionName=f)
        status, _ = self.raw("PUT", "/2015-03-31/functions/%s/configuration" % f, {"LoggingConfig": {"LogGroup": "/my/own"}})
        self.assertEqual(status, 200)
        self.invoke(f)
        self.assertIn("hello 1", "".join(self.lines("/my/own")))

    def test_the_command_lines(self):
        f = self.make(self.TEXT)
        self.invoke(f)
        out = subprocess.run([self.s.args[0], "logs", f], env={**self.s.environment()}, capture_output=True, text=True, timeout=30)
        self.assertIn("hello 1", out.stdout, out.stderr)
        out = subprocess.run(["aws", "logs", "filter-log-events", "--log-group-name", "/aws/lambda/" + f, "--filter-pattern",
                              "hello", "--query", "events[].message", "--output", "text", "--endpoint-url", self.s.url],
                             env=self.s.environment(), capture_output=True, text=True, timeout=60)
        self.assertIn("hello 1", out.stdout, out.stderr)

    def test_lines_survive_a_restart(self):
        from puddle import ROLE, Server
        s = Server("--quiet")
        self.addCleanup(s.close)
        s.create_function("kept", {"index.js": self.TEXT})
        s.invoke("kept")
        s.stop()
        s.start()
        self.assertTrue(ROLE)
        events = client_of(s, "logs").filter_log_events(logGroupName="/aws/lambda/kept", filterPattern="hello")["events"]
        self.assertEqual(len(events), 1)


if __name__ == "__main__":
    unittest.main()
