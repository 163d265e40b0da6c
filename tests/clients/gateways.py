"""The four ways a request reaches a function over HTTP, for the tests of events and replies: a REST
API, HTTP APIs with payload formats 1.0 and 2.0, a function URL; requests go out as raw bytes."""
import http.client
import json
import re
import socket

import boto3

from puddle import Server

LAMBDA = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%s/invocations"
KINDS = ("rest", "http1", "http2", "url")


class Gateways:
    """One function behind all four. rest: arguments for create_rest_api; variables: of the stages."""

    def __init__(self, files, handler="index.handler", variables=None, rest=None, cors=None, server=(), **function):
        self.s = Server("--quiet", *server)
        try:
            self.make(files, handler, variables or {}, rest or {}, cors, function)
        except BaseException:
            self.s.close()
            raise

    def client(self, service):
        return boto3.client(service, endpoint_url=self.s.url, aws_access_key_id="test", aws_secret_access_key="test",
                            region_name="us-east-1")

    def make(self, files, handler, variables, rest, cors, function):
        status, _, body = self.s.create_function("f", files, handler, **function)
        assert status == 201, body
        self.arn = json.loads(body)["FunctionArn"]
        self.ids, self.hosts, self.prefix = {}, {}, {"rest": "/dev", "http1": "", "http2": "", "url": ""}
        self.make_rest(variables, rest)
        for kind, version in (("http1", "1.0"), ("http2", "2.0")):
            self.make_http(kind, version, variables, cors)
        made = self.client("lambda").create_function_url_config(FunctionName="f", AuthType="NONE", **(
            {"Cors": cors} if cors else {}))
        self.ids["url"] = re.match(r"http://([^.]+)\.", made["FunctionUrl"]).group(1)
        self.hosts["url"] = self.ids["url"] + ".lambda-url.us-east-1.localhost"

    def make_rest(self, variables, rest):
        api = self.client("apigateway")
        self.ids["rest"] = made = api.create_rest_api(name="n", **rest)["id"]
        root = api.get_resources(restApiId=made)["items"][0]["id"]
        self.resources = {"/": root}
        for parent, part in (("/", "{proxy+}"), ("/", "p"), ("/p", "{name}"), ("/p/{name}", "s")):
            path = parent.rstrip("/") + "/" + part
            self.resources[path] = api.create_resource(restApiId=made, parentId=self.resources[parent], pathPart=part)["id"]
        for path in ("/", "/{proxy+}", "/p/{name}", "/p/{name}/s"):
            where = {"restApiId": made, "resourceId": self.resources[path], "httpMethod": "POST" if path.endswith("/s") else "ANY"}
            api.put_method(**where, authorizationType="NONE")
            api.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=LAMBDA % self.arn)
        self.deployment = api.create_deployment(restApiId=made)["id"]
        api.create_stage(restApiId=made, stageName="dev", deploymentId=self.deployment, variables=variables)
        self.hosts["rest"] = made + ".execute-api.us-east-1.localhost"

    def make_http(self, kind, version, variables, cors):
        api = self.client("apigatewayv2")
        self.ids[kind] = made = api.create_api(Name="n", ProtocolType="HTTP", **({"CorsConfiguration": cors} if cors else {}))["ApiId"]
        integration = api.create_integration(ApiId=made, IntegrationType="AWS_PROXY", PayloadFormatVersion=version,
                                             IntegrationUri=self.arn)["IntegrationId"]
        for key in ("$default", "ANY /{proxy+}", "ANY /p/{name}", "POST /p/{name}/s"):
            api.create_route(ApiId=made, RouteKey=key, Target="integrations/" + integration)
        api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True, StageVariables=variables)
        self.hosts[kind] = made + ".execute-api.us-east-1.localhost"

    def send(self, kind, method, target, headers=(), body=b"", host=None):
        """(status, [(name, value)], body) of one request whose bytes are exactly as given."""
        return exchange(self.s.port, method, self.prefix[kind] + target,
                        [("Host", host or self.hosts[kind]), *headers], body)

    def close(self):
        self.s.close()


def exchange(port, method, target, headers, body=b""):
    lines = ["%s %s HTTP/1.1" % (method, target)] + ["%s: %s" % pair for pair in headers]
    if body:
        lines.append("Content-Length: %d" % len(body))
    head = "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), 30) as s:
        s.sendall(head + body)
        reply = http.client.HTTPResponse(s, method=method)
        reply.begin()
        return reply.status, reply.getheaders(), reply.read()


def difference(want, got, where="event"):
    """The first place where got is not as wanted, as text; None if all is. A compiled pattern matches text."""
    if isinstance(want, re.Pattern):
        ok = isinstance(got, str) and want.fullmatch(got)
        return None if ok else "%s: %r is not like %s" % (where, got, want.pattern)
    if isinstance(want, dict) and isinstance(got, dict):
        for key in want.keys() | got.keys():
            if (key in want) != (key in got):
                return "%s.%s is %s: %r" % (where, key, "missing" if key in want else "too much", want.get(key, got.get(key)))
            found = difference(want[key], got[key], where + "." + key)
            if found:
                return found
        return None
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        found = (difference(w, g, "%s[%d]" % (where, i)) for i, (w, g) in enumerate(zip(want, got)))
        return next((text for text in found if text), None)
    if type(want) is type(got) and want == got:
        return None
    return "%s: want %r, got %r" % (where, want, got)
