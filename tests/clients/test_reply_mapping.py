"""What a client gets for every kind of result, from each of the four gateways (facts/lambda.md
section 4). The function answers with the bytes it is sent, so results that no JSON library would
write are tried as well."""
import base64
import json
import unittest

from gateways import KINDS, Gateways, exchange
from puddle import make_zip

# The result is text in the request's body; "!x" means: do x.
HANDLER = {"index.js": """
exports.handler = async (event) => {
  const text = event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString() : event.body;
  if (text === '!throw') throw new Error('boom');
  if (text === '!exit') process.exit(1);
  if (text === '!sleep') await new Promise((done) => setTimeout(done, 60000));
  if (text === '!big') return { statusCode: 200, body: 'x'.repeat(6 * 1024 * 1024 + 100) };
  if (text === '!undefined') return undefined;
  return JSON.parse(text);
};
"""}

BAD = {"rest": (502, "application/json", b'{"message": "Internal server error"}'),
       "http1": (500, "application/json", b'{"message":"Internal Server Error"}'),
       "http2": (500, "application/json", b'{"message":"Internal Server Error"}'),
       "url": (502, "application/json", b"Internal Server Error")}
BAD_V2 = {"http2": BAD["http2"], "url": BAD["url"]}
BAD_V1 = {"rest": BAD["rest"], "http1": BAD["http1"]}
TEXT = "text/plain; charset=utf-8"  # what HTTP APIs say where no type is given
JSON = "application/json"


def good(status=200, body=b"", **headers):
    """The same for all, but for the type."""
    return {kind: (status, TEXT if kind.startswith("http") else JSON, body, headers) for kind in KINDS}


def whole(body, kind=JSON):
    """Format 2.0 takes it for the body."""
    return {name: (200, kind, body) for name in ("http2", "url")}


B64 = base64.b64encode(b"\x00\xffbin").decode()

# name, result, {kind: (status, content type, body[, headers])}
CASES = [
    ("no status, no body", {}, {"rest": (200, JSON, b""), "http1": (200, TEXT, b""), **whole(b"{}")}),
    ("status only", {"statusCode": 204}, {kind: (204, None, b"") for kind in KINDS}),
    ("a body", {"statusCode": 201, "body": "hi"}, good(201, b"hi")),
    ("no status but a body", {"body": "hi"}, {"rest": (200, JSON, b"hi"), "http1": (200, TEXT, b"hi"), **whole(b'{"body":"hi"}')}),
    ("status as text", {"statusCode": "418", "body": "t"}, good(418, b"t")),
    ("status as text with blanks that is no number", {"statusCode": "4x8"}, BAD),
    ("status null", {"statusCode": None, "body": "n"},
     {"rest": (200, JSON, b"n"), "http1": (200, TEXT, b"n"), **whole(b'{"statusCode":null,"body":"n"}')}),
    ("status true", {"statusCode": True}, BAD),
    ("status with a fraction", {"statusCode": 200.5, "body": "x"}, BAD),
    ("status 0", {"statusCode": 0, "body": "x"}, BAD),
    ("status 99", {"statusCode": 99}, BAD),
    ("status 599", {"statusCode": 599}, good(599)),
    ("status 600", {"statusCode": 600}, BAD),
    ("status -1", {"statusCode": -1}, BAD),
    ("status beyond any integer", {"statusCode": 10 ** 30}, BAD),
    ("body null", {"statusCode": 200, "body": None}, good()),
    ("body empty", {"statusCode": 200, "body": ""}, good()),
    ("body is an object", {"statusCode": 200, "body": {"a": 1}},
     {**BAD_V1, "http2": (200, TEXT, b'{"a":1}'), "url": (200, JSON, b'{"a":1}')}),
    ("body is a number", {"statusCode": 200, "body": 5}, {**BAD_V1, "http2": (200, TEXT, b"5"), "url": (200, JSON, b"5")}),
    ("body in unicode", {"statusCode": 200, "body": "\u00e4\u20ac\U0001f600"}, good(200, "\u00e4\u20ac\U0001f600".encode())),
    ("null", None, {**BAD_V1, **whole(b"null")}),
    ("a string", "plain", {**BAD_V1, **whole(b"plain")}),
    ("an empty string", "", {**BAD_V1, **whole(b"")}),
    ("a number", 5, {**BAD_V1, **whole(b"5")}),
    ("true", True, {**BAD_V1, **whole(b"true")}),
    ("an array", ["hello", 3, True], {**BAD_V1, **whole(b'["hello",3,true]')}),
    ("an object without status", {"a": [1, {"b": None}], "headers": {"content-type": "x/y"}},
     {**BAD_V1, **whole(b'{"a":[1,{"b":null}],"headers":{"content-type":"x/y"}}')}),
    ("a key more", {"statusCode": 200, "body": "x", "more": 1}, {**BAD_V1, "http2": (200, TEXT, b"x"), "url": (200, JSON, b"x")}),
    ("statuscode in lower case", {"statuscode": 200}, {**BAD_V1, **whole(b'{"statuscode":200}')}),
    ("headers", {"statusCode": 200, "headers": {"X-One": "1", "content-type": "text/x"}, "body": "b"},
     {kind: (200, "text/x", b"b", {"x-one": ["1"]}) for kind in KINDS}),
    ("headers null", {"statusCode": 200, "headers": None, "multiValueHeaders": None, "body": "b"}, good(200, b"b")),
    ("headers are an array", {"statusCode": 200, "headers": ["a"]}, BAD),
    ("headers are text", {"statusCode": 200, "headers": "a"}, BAD),
    ("header values true and 5", {"statusCode": 200, "headers": {"X-B": True, "X-N": 5}},
     {kind: (200, TEXT if kind.startswith("http") else JSON, b"", {"x-b": ["true"], "x-n": ["5"]}) for kind in KINDS}),
    ("a header value that is a list", {"statusCode": 200, "headers": {"X": ["a"]}}, BAD),
    ("a header value that is an object", {"statusCode": 200, "headers": {"X": {}}}, BAD),
    ("a header value that is null", {"statusCode": 200, "headers": {"X": None}}, BAD),
    ("a header value with a line end", {"statusCode": 200, "headers": {"X": "a\r\nEvil: 1"}}, BAD),
    ("a header name with a blank", {"statusCode": 200, "headers": {"X Y": "a"}}, BAD),
    ("several values", {"statusCode": 200, "multiValueHeaders": {"X-M": ["1", "2"], "Set-Cookie": ["a=1", "b=2"]}},
     {"rest": (200, JSON, b"", {"x-m": ["1", "2"], "set-cookie": ["a=1", "b=2"]}),
      "http1": (200, TEXT, b"", {"x-m": ["1", "2"], "set-cookie": ["a=1", "b=2"]}),
      "http2": (200, TEXT, b"", {"x-m": [], "set-cookie": []}), "url": (200, JSON, b"", {"x-m": [], "set-cookie": []})}),
    ("one and several values", {"statusCode": 200, "headers": {"combined": "s", "X-S": "s"}, "multiValueHeaders": {"Combined": ["m1", "m2"]}},
     {"rest": (200, JSON, b"", {"combined": ["m1", "m2", "s"], "x-s": ["s"]}),
      "http1": (200, TEXT, b"", {"combined": ["m1", "m2", "s"], "x-s": ["s"]}),
      "http2": (200, TEXT, b"", {"combined": ["s"], "x-s": ["s"]}), "url": (200, JSON, b"", {"combined": ["s"], "x-s": ["s"]})}),
    ("several values that are no list", {"statusCode": 200, "multiValueHeaders": {"X": "1"}},
     {**BAD_V1, "http2": (200, TEXT, b""), "url": (200, JSON, b"")}),
    ("cookies", {"statusCode": 200, "cookies": ["a=1; Path=/", "b=2"], "body": "c"},
     {**BAD_V1, "http2": (200, TEXT, b"c", {"set-cookie": ["a=1; Path=/", "b=2"]}),
      "url": (200, JSON, b"c", {"set-cookie": ["a=1; Path=/", "b=2"]})}),
    ("cookies are text", {"statusCode": 200, "cookies": "a=1"}, BAD),
    ("a cookie with a line end", {"statusCode": 200, "cookies": ["a=1\nx"]}, BAD),
    ("base64", {"statusCode": 200, "body": B64, "isBase64Encoded": True},
     {"rest": (200, JSON, B64.encode()), "http1": (200, TEXT, b"\x00\xffbin"), "http2": (200, TEXT, b"\x00\xffbin"),
      "url": (200, JSON, b"\x00\xffbin")}),
    ("base64 of nothing", {"statusCode": 200, "body": "", "isBase64Encoded": True}, good()),
    ("base64 that is none", {"statusCode": 200, "body": "%%%", "isBase64Encoded": True}, {**BAD, "rest": (200, JSON, b"%%%")}),
    ("base64 by a text", {"statusCode": 200, "body": "aGk=", "isBase64Encoded": "true"}, {**BAD_V1}),
    ("names that are the gateway's own", {"statusCode": 401, "headers": {"WWW-Authenticate": "Basic", "Date": "d", "Server": "s",
                                                                         "Content-Length": "999", "Connection": "close"}, "body": "x"},
     {"rest": (401, JSON, b"x", {"x-amzn-remapped-www-authenticate": ["Basic"], "x-amzn-remapped-date": ["d"],
                                 "x-amzn-remapped-server": ["s"], "x-amzn-remapped-content-length": ["999"],
                                 "x-amzn-remapped-connection": ["close"], "www-authenticate": [], "content-length": ["1"]})}),
    ("an exception", "!throw", BAD), ("an exit", "!exit", BAD), ("undefined", "!undefined", {**BAD_V1, **whole(b"null")}),
]


class ReplyMapping(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = Gateways(HANDLER, rest={"binaryMediaTypes": ["image/png"]}, Timeout=20)
        cls.addClassCleanup(cls.g.close)

    def send(self, kind, result, headers=()):
        text = result if isinstance(result, str) and result.startswith("!") else json.dumps(result)
        return self.g.send(kind, "POST", "/a", [("Content-Type", "text/plain"), *headers], text.encode())

    def check(self, kind, got, want):
        status, headers, body = got
        named = {}
        for name, value in headers:
            named.setdefault(name.lower(), []).append(value)
        want_status, want_type, want_body, *more = want
        self.assertEqual((status, body), (want_status, want_body), headers)
        if want_type is not None:
            self.assertEqual(named["content-type"], [want_type])
        for name, values in (more[0] if more else {}).items():
            self.assertEqual(named.get(name, []), values, name)
        self.check_own_headers(kind, named, want == BAD["rest"])

    def check_own_headers(self, kind, named, bad):
        self.assertEqual(len(named["date"]), 1)
        if kind in ("http1", "http2"):
            self.assertRegex(named["apigw-requestid"][0], r"^[A-Za-z0-9_-]{15}=$")
            self.assertFalse({"x-amzn-requestid", "x-amz-apigw-id", "x-amzn-errortype"} & named.keys())
            return
        self.assertRegex(named["x-amzn-requestid"][0], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertRegex(named["x-amzn-trace-id"][0], r"^Root=1-[0-9a-f]{8}-[0-9a-f]{24}")
        if kind == "rest":
            self.assertRegex(named["x-amz-apigw-id"][0], r"^[A-Za-z0-9_-]{15}=$")
            self.assertEqual(named.get("x-amzn-errortype", []), ["InternalServerErrorException"] if bad else [])

    def test_every_result_is_mapped(self):
        for name, result, wanted in CASES:
            for kind, want in wanted.items():
                with self.subTest(name, kind=kind):
                    self.check(kind, self.send(kind, result), want)

    def test_rest_decodes_base64_only_for_clients_that_accept_a_binary_type(self):
        result = {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": B64, "isBase64Encoded": True}
        for accept, decoded in (("image/png", True), ("image/png, text/html", True), ("image/png;q=0.8", True),
                                ("text/html, image/png", False), ("*/*", False), ("image/gif", False), (None, False)):
            with self.subTest(accept=accept):
                status, _, body = self.send("rest", result, [("Accept", accept)] if accept else [])
                self.assertEqual((status, body), (200, b"\x00\xffbin" if decoded else B64.encode()))
        broken = self.send("rest", {**result, "body": "%%%"}, [("Accept", "image/png")])
        self.assertEqual((broken[0], broken[2]), (500, b'{"message": "Internal server error"}'))

    def test_head_has_headers_and_no_body(self):
        for kind in KINDS:
            status, headers, body = self.g.send(kind, "HEAD", "/a", [("Content-Type", "text/plain")],
                                                b'{"statusCode":200,"headers":{"X-H":"1"},"body":"abc"}')
            self.assertEqual((status, body), (200, b""))
            self.assertEqual({k.lower(): v for k, v in headers}["x-h"], "1")

    def test_a_large_body_goes_out_whole(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                # the text travels in a result of the function, below its limit of 6 MB
                status, _, body = self.send(kind, {"statusCode": 200, "body": "x" * 2_000_000})
                self.assertEqual((status, len(body)), (200, 2_000_000))

    def test_a_result_above_lambdas_limit_is_a_failure(self):
        for kind in KINDS:
            with self.subTest(kind=kind):
                self.check(kind, self.send(kind, "!big"), BAD[kind])

    def test_requests_above_the_limits(self):
        limits = {"rest": (10 << 20, b'{"message":"Request Too Long"}', ["RequestTooLargeException"]),
                  "http1": (10 << 20, b'{"message":"Request Entity Too Large"}', []),
                  "http2": (10 << 20, b'{"message":"Request Entity Too Large"}', []),
                  "url": (6 << 20, b'{"Message":"Request Entity Too Large"}', None)}  # unverified: its type
        for kind, (limit, want, error) in limits.items():
            with self.subTest(kind=kind):
                status, headers, body = self.g.send(kind, "POST", "/a", [("Content-Type", "text/plain")], b" " * (limit + 1))
                self.assertEqual((status, body), (413, want))
                if error is not None:
                    self.assertEqual([v for k, v in headers if k.lower() == "x-amzn-errortype"], error)

    def test_requests_that_meet_nothing(self):
        g, port = self.g, self.g.s.port

        def ask(host, target, method="GET"):
            status, headers, body = exchange(port, method, target, [("Host", host)])
            return status, {k.lower(): v for k, v in headers}.get("x-amzn-errortype"), body
        forbidden = (403, "ForbiddenException", b'{"message":"Forbidden"}')
        missing = (403, "MissingAuthenticationTokenException", b'{"message":"Missing Authentication Token"}')
        not_found = (404, None, b'{"message":"Not Found"}')
        self.assertEqual(ask(g.hosts["rest"], "/nostage/a"), forbidden)
        self.assertEqual(ask("abcdefghij.execute-api.us-east-1.localhost", "/dev/a"), forbidden)
        self.assertEqual(ask(g.hosts["rest"], "/dev/a", "TRACE")[0:2], missing[0:2])
        bare, host = self.bare_http_api()
        self.assertEqual(ask(host, "/only"), BAD["http2"][0:1] + (None,) + BAD["http2"][2:])  # a route to nothing
        for method, target in (("GET", "/other"), ("POST", "/only"), ("GET", "/only/more")):
            self.assertEqual(ask(host, target, method), not_found, (method, target))
        g.client("apigatewayv2").delete_api(ApiId=bare)
        self.assertEqual(ask("0123456789.lambda-url.us-east-1.localhost", "/"), (403, "AccessDeniedException", b'{"Message":null}'))

    def test_a_rest_method_that_is_not_there_wants_a_token(self):
        api = self.g.client("apigateway")
        made = api.create_rest_api(name="m")["id"]
        root = api.get_resources(restApiId=made)["items"][0]["id"]
        where = {"restApiId": made, "resourceId": root, "httpMethod": "GET"}
        api.put_method(**where, authorizationType="NONE")
        api.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="GET",
                            uri="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%s/invocations" % self.g.arn)
        api.create_deployment(restApiId=made, stageName="dev")
        host = made + ".execute-api.us-east-1.localhost"
        for method, target in (("POST", "/dev"), ("GET", "/dev/x"), ("OPTIONS", "/dev")):
            status, _, body = exchange(self.g.s.port, method, target, [("Host", host)])
            self.assertEqual((status, body), (403, b'{"message":"Missing Authentication Token"}'), (method, target))
        status, _, body = exchange(self.g.s.port, "GET", "/dev", [("Host", host)])
        self.assertEqual((status, body), (500, b'{"message": "Internal server error"}'))  # Lambda wants POST

    def bare_http_api(self):
        api = self.g.client("apigatewayv2")
        made = api.create_api(Name="bare", ProtocolType="HTTP")["ApiId"]
        api.create_route(ApiId=made, RouteKey="GET /only")
        api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)
        return made, made + ".execute-api.us-east-1.localhost"

    def test_a_function_that_is_gone(self):
        with_function = self.g.client("lambda")
        with_function.create_function(FunctionName="gone", Runtime="nodejs20.x", Handler="index.handler", Role="arn:aws:iam::000000000000:role/any",
                                      Code={"ZipFile": make_zip(HANDLER)})
        api = self.g.client("apigatewayv2").create_api(Name="g", ProtocolType="HTTP", Target=self.g.arn.replace(":f", ":gone"))["ApiId"]
        with_function.delete_function(FunctionName="gone")
        status, _, body = exchange(self.g.s.port, "GET", "/", [("Host", api + ".execute-api.us-east-1.localhost")])
        self.assertEqual((status, body), (500, b'{"message":"Internal Server Error"}'))


class Timeouts(unittest.TestCase):
    def test_the_functions_own_timeout_is_a_failure(self):
        g = Gateways(HANDLER, Timeout=1)
        self.addCleanup(g.close)
        for kind in KINDS:
            with self.subTest(kind=kind):
                status, headers, body = g.send(kind, "POST", "/a", [("Content-Type", "text/plain")], b"!sleep")
                self.assertEqual((status, body), (BAD[kind][0], BAD[kind][2]))

    def test_the_integrations_timeout_is_its_own_answer(self):
        g = Gateways(HANDLER, Timeout=2)
        self.addCleanup(g.close)
        g.client("apigateway").update_integration(restApiId=g.ids["rest"], resourceId=g.resources["/{proxy+}"], httpMethod="ANY",
                                                  patchOperations=[{"op": "replace", "path": "/timeoutInMillis", "value": "100"}])
        g.client("apigateway").create_deployment(restApiId=g.ids["rest"], stageName="dev")
        api = g.client("apigatewayv2")
        for kind in ("http1", "http2"):
            for made in api.get_integrations(ApiId=g.ids[kind])["Items"]:
                api.update_integration(ApiId=g.ids[kind], IntegrationId=made["IntegrationId"], TimeoutInMillis=100)
        for kind, want in (("rest", (504, b'{"message": "Endpoint request timed out"}')),
                           ("http1", (503, b'{"message":"Service Unavailable"}')),
                           ("http2", (503, b'{"message":"Service Unavailable"}'))):
            status, headers, body = g.send(kind, "POST", "/a", [("Content-Type", "text/plain")], b"!sleep")
            self.assertEqual((status, body), want, kind)
            if kind == "rest":
                self.assertEqual({k.lower(): v for k, v in headers}["x-amzn-errortype"], "InternalServerErrorException")


if __name__ == "__main__":
    unittest.main()
