"""The whole event of every payload format, member by member, for requests of every kind
(facts/lambda.md section 4; for HTTP APIs also what the tests of AWS's .NET Lambda test tool saw)."""
import base64
import json
import re
import unittest

from gateways import KINDS, Gateways, difference, exchange

ECHO = {"index.js": "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });"}
VARIABLES = {"env": "test", "table": "t-1"}
TRACE = re.compile(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHORT_ID = re.compile(r"[A-Za-z0-9_-]{15}=")
TIME = re.compile(r"\d\d/(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/20\d\d:\d\d:\d\d:\d\d \+0000")
IDENTITY = dict.fromkeys(("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType",
                          "cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn"))


def lists(pairs):
    return {name: [value] for name, value in pairs.items()}


def single(multi):
    return None if multi is None else {name: values[-1] for name, values in multi.items()}


def v1(g, kind, case):
    """The event of format 1.0 that a case's members say; what a case does not name is a plain GET's."""
    http, host, member = kind == "http1", g.hosts[kind], case.get
    multi = {"Host": [host], "X-Amzn-Trace-Id": [TRACE], "X-Forwarded-For": [member("forwarded", "127.0.0.1")],
             "X-Forwarded-Port": [str(g.s.port)], "X-Forwarded-Proto": ["http"], **({"Content-Length": ["0"]} if http else {}),
             **member("headers", {})}
    path, resource = member("path", "/a"), member("resource", "/{proxy+}")
    event = {
        "resource": resource, "path": path, "httpMethod": member("method", "GET"),
        "headers": single(multi), "multiValueHeaders": multi,
        "queryStringParameters": single(member("query")), "multiValueQueryStringParameters": member("query"),
        "pathParameters": member("params", {"proxy": "a"}), "stageVariables": VARIABLES,
        "requestContext": {
            "accountId": "000000000000", "apiId": g.ids[kind], "domainName": host, "domainPrefix": g.ids[kind],
            "extendedRequestId": SHORT_ID, "httpMethod": member("method", "GET"),
            "identity": {**IDENTITY, "sourceIp": "127.0.0.1", "userAgent": member("agent")},
            "path": member("context_path", path if http else "/dev" + path), "protocol": "HTTP/1.1",
            "requestId": SHORT_ID if http else UUID, "requestTime": TIME, "requestTimeEpoch": 0,
            "resourceId": None if http else g.resources[resource], "resourcePath": resource,
            "stage": "$default" if http else "dev"},
        "body": member("body"), "isBase64Encoded": member("encoded", False)}
    if http:
        event["version"] = "1.0"
    else:
        event["requestContext"]["deploymentId"] = g.deployment
    return event


def v2(g, kind, case):
    url, host, member = kind == "url", g.hosts[kind], case.get
    key = member("key", "$default" if url else "ANY /{proxy+}")
    event = {
        "version": "2.0", "routeKey": key, "rawPath": member("path", "/a"), "rawQueryString": member("raw_query", ""),
        "headers": {"host": host, "x-amzn-trace-id": TRACE, "x-forwarded-for": member("forwarded", "127.0.0.1"),
                    "x-forwarded-port": str(g.s.port), "x-forwarded-proto": "http", **({} if url else {"content-length": "0"}),
                    **member("headers", {})},
        "requestContext": {
            "accountId": "anonymous" if url else "000000000000", "apiId": g.ids[kind], "domainName": host,
            "domainPrefix": g.ids[kind],
            "http": {"method": member("method", "GET"), "path": member("path", "/a"), "protocol": "HTTP/1.1",
                     "sourceIp": "127.0.0.1", "userAgent": member("agent", "")},
            "requestId": UUID if url else SHORT_ID, "routeKey": key, "stage": "$default", "time": TIME, "timeEpoch": 0},
        "isBase64Encoded": member("encoded", False)}
    optional = {"queryStringParameters": member("query"), "cookies": member("cookies"), "body": member("body"),
                "pathParameters": None if url else member("params", {"proxy": "a"}), "stageVariables": None if url else VARIABLES}
    event.update({name: value for name, value in optional.items() if value is not None})
    return event


BINARY = bytes(range(256))
ENCODED = base64.b64encode(BINARY).decode()
FORM = base64.b64encode(b"a=1&b=%20").decode()
LONG = "x" * 6000
MANY = "&".join("k%d=%d" % (i, i) for i in range(700))

# name, method, target, headers, body, then what is different from a plain "GET /a" in each format
CASES = [
    ("plain", "GET", "/a", [], b"", {}, {}, {}, {}),
    ("root", "GET", "/", [], b"",
     {"path": "/", "resource": "/", "params": None, "context_path": "/dev/"},
     {"path": "/", "resource": "$default", "params": None},
     {"path": "/", "key": "$default", "params": None}, {"path": "/"}),
    ("static part and parameter, a method of its own", "POST", "/p/n1/s", [], b"",
     {"method": "POST", "path": "/p/n1/s", "resource": "/p/{name}/s", "params": {"name": "n1"}},
     {"method": "POST", "path": "/p/n1/s", "resource": "/p/{name}/s", "params": {"name": "n1"}},
     {"method": "POST", "path": "/p/n1/s", "key": "POST /p/{name}/s", "params": {"name": "n1"}},
     {"method": "POST", "path": "/p/n1/s"}),
    ("percent-encoded path", "GET", "/p/a%20b%2Bc+d%C3%A4%2Fe", [], b"",
     {"path": "/p/a%20b%2Bc+d%C3%A4%2Fe", "resource": "/p/{name}", "params": {"name": "a%20b%2Bc+d%C3%A4%2Fe"}},
     {"path": "/p/a%20b%2Bc+d%C3%A4%2Fe", "resource": "/p/{name}", "params": {"name": "a b+c+d\u00e4/e"}},
     {"path": "/p/a b+c+d\u00e4/e", "key": "ANY /p/{name}", "params": {"name": "a b+c+d\u00e4/e"}},
     {"path": "/p/a%20b%2Bc+d%C3%A4%2Fe"}),
    ("malformed percent signs", "GET", "/pa2%Fth/1?q=%zz&r=%4&s=100%", [], b"",
     *[{"path": "/pa2%Fth/1", "params": {"proxy": "pa2%Fth/1"}, "query": {"q": ["%zz"], "r": ["%4"], "s": ["100%"]}}] * 2,
     *[{"path": "/pa2%Fth/1", "params": {"proxy": "pa2%Fth/1"}, "query": {"q": "%zz", "r": "%4", "s": "100%"},
        "raw_query": "q=%zz&r=%4&s=100%"}] * 2),
    ("bytes that are no UTF-8", "GET", "/a?q=%FF", [], b"",
     *[{"query": {"q": ["\ufffd"]}}] * 2, *[{"query": {"q": "\ufffd"}, "raw_query": "q=%FF"}] * 2),
    ("trailing slash", "GET", "/x/", [], b"",
     {"path": "/x/", "params": {"proxy": "x"}}, {"path": "/x/", "params": {"proxy": "x"}},
     {"path": "/x/", "params": {"proxy": "x"}}, {"path": "/x/"}),
    ("inner double slash", "GET", "/x//y", [], b"",
     *[{"path": "/x//y", "params": {"proxy": "x//y"}}] * 3, {"path": "/x//y"}),
    ("duplicate, empty and bare query keys", "GET", "/a?q=1&q=2&e=&n&q=3", [], b"",
     *[{"query": {"q": ["1", "2", "3"], "e": [""], "n": [""]}}] * 2,
     *[{"query": {"q": "1,2,3", "e": "", "n": ""}, "raw_query": "q=1&q=2&e=&n&q=3"}] * 2),
    ("encoded query", "GET", "/a?a%20b=c+d&u=%C3%A4%E2%82%AC&c=x%2Cy&c=%2F", [], b"",
     *[{"query": {"a b": ["c d"], "u": ["\u00e4\u20ac"], "c": ["x,y", "/"]}}] * 2,
     *[{"query": {"a b": "c d", "u": "\u00e4\u20ac", "c": "x,y,/"}, "raw_query": "a%20b=c+d&u=%C3%A4%E2%82%AC&c=x%2Cy&c=%2F"}] * 2),
    ("a question mark alone", "GET", "/a?", [], b"", {}, {}, {}, {}),
    ("seven hundred query keys", "GET", "/a?" + MANY, [], b"",
     *[{"query": {"k%d" % i: [str(i)] for i in range(700)}}] * 2,
     *[{"query": {"k%d" % i: str(i) for i in range(700)}, "raw_query": MANY}] * 2),
    ("a long query value", "GET", "/a?q=" + LONG, [], b"",
     *[{"query": {"q": [LONG]}}] * 2, *[{"query": {"q": LONG}, "raw_query": "q=" + LONG}] * 2),
    ("case of header names", "GET", "/a", [("x-LOWER-Case", "A b"), ("authorization", "Bearer x"), ("user-agent", "me/1")], b"",
     {"headers": lists({"x-LOWER-Case": "A b", "Authorization": "Bearer x", "User-Agent": "me/1"}), "agent": "me/1"},
     {"headers": lists({"x-lower-case": "A b", "authorization": "Bearer x", "User-Agent": "me/1"}), "agent": "me/1"},
     *[{"headers": {"x-lower-case": "A b", "authorization": "Bearer x", "user-agent": "me/1"}, "agent": "me/1"}] * 2),
    ("duplicate headers", "GET", "/a", [("X-Dup", "1"), ("X-Other", "o"), ("X-Dup", "2"), ("x-dup", "3, 4")], b"",
     {"headers": {"X-Dup": ["1", "2", "3, 4"], "X-Other": ["o"]}}, {"headers": {"x-dup": ["1", "2", "3, 4"], "x-other": ["o"]}},
     *[{"headers": {"x-dup": "1,2,3, 4", "x-other": "o"}}] * 2),
    ("an empty header and one in UTF-8", "GET", "/a", [("X-Empty", ""), ("X-U", "\u00e4\u20ac")], b"",
     {"headers": lists({"X-Empty": "", "X-U": "\u00e4\u20ac"})}, {"headers": lists({"x-empty": "", "x-u": "\u00e4\u20ac"})},
     *[{"headers": {"x-empty": "", "x-u": "\u00e4\u20ac"}}] * 2),
    ("headers between hops", "GET", "/a", [("Connection", "keep-alive"), ("TE", "trailers"), ("Max-Forwards", "3"), ("X-Kept", "1")], b"",
     {"headers": lists({"X-Kept": "1"})}, {"headers": lists({"x-kept": "1"})},
     *[{"headers": {"max-forwards": "3", "x-kept": "1"}}] * 2),
    ("a proxy before us", "GET", "/a", [("X-Forwarded-For", "10.1.1.1"), ("X-Forwarded-Proto", "https")], b"",
     *[{"forwarded": "10.1.1.1, 127.0.0.1"}] * 4),
    ("cookies", "GET", "/a", [("Cookie", "c=1; d=2"), ("cookie", "e=x y")], b"",
     {"headers": {"Cookie": ["c=1; d=2", "e=x y"]}}, {"headers": {"cookie": ["c=1; d=2", "e=x y"]}},
     *[{"cookies": ["c=1", "d=2", "e=x y"]}] * 2),
    ("text", "POST", "/a", [("Content-Type", "application/json; charset=utf-8")], '{"k":"\u00e4"}'.encode(),
     {"method": "POST", "body": '{"k":"\u00e4"}', "headers": lists({"Content-Type": "application/json; charset=utf-8"})},
     {"method": "POST", "body": '{"k":"\u00e4"}', "headers": lists({"content-type": "application/json; charset=utf-8", "Content-Length": "10"})},
     *[{"method": "POST", "body": '{"k":"\u00e4"}', "headers": {"content-type": "application/json; charset=utf-8",
                                                                "content-length": "10"}}] * 2),
    ("a form", "POST", "/a", [("Content-Type", "application/x-www-form-urlencoded")], b"a=1&b=%20",
     {"method": "POST", "body": "a=1&b=%20", "headers": lists({"Content-Type": "application/x-www-form-urlencoded"})},
     {"method": "POST", "body": FORM, "encoded": True, "headers": lists({"content-type": "application/x-www-form-urlencoded",
                                                                          "Content-Length": "9"})},
     *[{"method": "POST", "body": FORM, "encoded": True, "headers": {"content-type": "application/x-www-form-urlencoded",
                                                                     "content-length": "9"}}] * 2),
    ("a binary body", "PUT", "/a", [("Content-Type", "image/png")], BINARY,
     {"method": "PUT", "body": ENCODED, "encoded": True, "headers": lists({"Content-Type": "image/png"})},
     {"method": "PUT", "body": ENCODED, "encoded": True, "headers": lists({"content-type": "image/png", "Content-Length": "256"})},
     *[{"method": "PUT", "body": ENCODED, "encoded": True, "headers": {"content-type": "image/png", "content-length": "256"}}] * 2),
    ("a body without a type", "PATCH", "/a", [], b"hi",
     {"method": "PATCH", "body": "hi"},
     {"method": "PATCH", "body": "aGk=", "encoded": True, "headers": lists({"Content-Length": "2"})},
     *[{"method": "PATCH", "body": "aGk=", "encoded": True, "headers": {"content-length": "2"}}] * 2),
    ("an empty body with a binary type", "DELETE", "/a", [("Content-Type", "image/png"), ("Content-Length", "0")], b"",
     {"method": "DELETE", "headers": lists({"Content-Type": "image/png"})},
     {"method": "DELETE", "headers": lists({"content-type": "image/png"})},
     {"method": "DELETE", "headers": {"content-type": "image/png"}},
     {"method": "DELETE", "headers": {"content-type": "image/png", "content-length": "0"}}),
]


class GoldenEvents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateways(ECHO, variables=VARIABLES, rest={"binaryMediaTypes": ["image/png", "application/zip"]})
        cls.addClassCleanup(cls.g.close)

    def event(self, kind, method, target, headers=(), body=b"", **more):
        status, _, text = self.g.send(kind, method, target, headers, body, **more)
        self.assertEqual(status, 200, text)
        event = json.loads(text)
        context = event["requestContext"]
        for name in ("requestTimeEpoch", "timeEpoch"):
            if name in context:
                self.assertTrue(abs(context[name] - self.now()) < 60000)
                context[name] = 0
        return event

    def now(self):
        return json.loads(self.g.s.request("GET", "/_puddle/clock")[2])["now_ms"]

    def test_every_request_gives_the_event_of_its_format(self):
        for name, method, target, headers, body, *wanted in CASES:
            for kind, case in zip(KINDS, wanted):
                with self.subTest(name, kind=kind):
                    want = (v1 if kind in ("rest", "http1") else v2)(self.g, kind, case)
                    self.assertIsNone(difference(want, self.event(kind, method, target, headers, body)))

    def test_slashes_after_the_stage_are_one_in_path_only(self):
        event = self.event("rest", "GET", "//x")
        self.assertEqual((event["path"], event["requestContext"]["path"], event["pathParameters"]),
                         ("/x", "/dev//x", {"proxy": "x"}))

    def test_the_clients_trace_goes_on(self):
        root = "Root=1-5759e988-bd862e3fe1be46a994272793"
        for kind in KINDS:
            headers = self.event(kind, "GET", "/a", [("X-Amzn-Trace-Id", root + ";Sampled=1")])["headers"]
            self.assertEqual(headers["x-amzn-trace-id" if kind in ("http2", "url") else "X-Amzn-Trace-Id"], root)

    def test_a_body_of_many_bytes_arrives_whole(self):
        text = "\u00e4" * 1_000_000
        for kind in KINDS:
            event = self.event(kind, "POST", "/a", [("Content-Type", "text/plain")], text.encode())
            self.assertEqual((len(event["body"]), event["body"] == text, event["isBase64Encoded"]), (1_000_000, True, False))

    def test_chunked_bodies_are_bodies(self):
        for kind in KINDS:
            g = self.g
            status, _, text = exchange(g.s.port, "POST", g.prefix[kind] + "/a", [
                ("Host", g.hosts[kind]), ("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked\r\n\r\n2\r\nhi\r\n0")])
            self.assertEqual((status, json.loads(text)["body"]), (200, "hi"), kind)

    def test_a_stage_with_a_name_is_in_the_path_of_http_apis(self):
        for kind in ("http1", "http2"):
            api = self.g.client("apigatewayv2")
            api.create_stage(ApiId=self.g.ids[kind], StageName="two", AutoDeploy=True)
            event = self.event(kind, "GET", "/two/p/a%20b")
            api.delete_stage(ApiId=self.g.ids[kind], StageName="two")
            self.assertEqual(event["pathParameters"], {"name": "a b"})
            self.assertEqual(event["path" if kind == "http1" else "rawPath"], "/two/p/a%20b" if kind == "http1" else "/two/p/a b")
            self.assertEqual(event["requestContext"]["stage"], "two")
            self.assertIsNone(event.get("stageVariables"))

    def test_all_binary_types_and_no_stage_variables(self):
        api, rest = self.g.client("apigateway"), self.g.ids["rest"]
        made = api.create_deployment(restApiId=rest, stageName="bare")["id"]
        api.update_rest_api(restApiId=rest, patchOperations=[{"op": "add", "path": "/binaryMediaTypes/*~1*"}])
        self.addCleanup(api.update_rest_api, restApiId=rest, patchOperations=[{"op": "remove", "path": "/binaryMediaTypes/*~1*"}])
        all_types = api.create_deployment(restApiId=rest, stageName="all")["id"]
        for stage, deployment, body in (("bare", made, "hi"), ("all", all_types, "aGk=")):
            status, _, text = exchange(self.g.s.port, "POST", "/%s/a" % stage, [
                ("Host", self.g.hosts["rest"]), ("Content-Type", "text/plain")], b"hi")
            event = json.loads(text)
            self.assertEqual((status, event["body"], event["isBase64Encoded"]), (200, body, stage == "all"))
            self.assertIsNone(event["stageVariables"])
            self.assertEqual(event["requestContext"]["deploymentId"], deployment)

    def test_other_addresses_give_the_same_path(self):
        g, rest = self.g, self.g.ids["rest"]
        for target in ("/_aws/execute-api/%s/dev/a/b" % rest, "/restapis/%s/dev/_user_request_/a/b" % rest):
            status, _, text = exchange(g.s.port, "GET", target, [("Host", "127.0.0.1")])
            event = json.loads(text)
            self.assertEqual((status, event["path"], event["requestContext"]["path"]), (200, "/a/b", "/dev/a/b"), target)
            self.assertEqual(event["requestContext"]["domainName"], rest + ".execute-api.us-east-1.amazonaws.com")


if __name__ == "__main__":
    unittest.main()
