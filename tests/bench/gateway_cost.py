"""API Gateway: what a REST API and an HTTP API add to a direct Invoke of a native handler, and what a
thousand routes cost against ten. CPU is the server's alone, without the function's process."""
import json
import os
import statistics
import subprocess

from measure import QUICK, ROOT, Load, puddle, row

INVOKE = "/2015-03-31/functions/native/invocations"
LAMBDA = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/%s/invocations"
BODY = '{"a":1}'
ROUNDS = 3


def call(s, service, method, path, body):
    status, _, text = s.request(method, path, json.dumps(body), {"Content-Type": "application/json", "Authorization": (
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/%s/aws4_request, SignedHeaders=host;x-amz-date, Signature=" % service) + "0" * 64,
        "X-Amz-Date": "20260101T000000Z"})
    if status >= 300:
        raise SystemExit("%s %s: %d %s" % (method, path, status, text.decode()))
    return json.loads(text)


def rest_api(s, arn, count):
    """An API with the resources /r0 ... and a POST on each; its host and the path of one in the middle."""
    api = call(s, "apigateway", "POST", "/restapis", {"name": "bench"})
    made, root = api["id"], api["rootResourceId"]
    for i in range(count):
        resource = call(s, "apigateway", "POST", "/restapis/%s/resources/%s" % (made, root), {"pathPart": "r%d" % i})["id"]
        where = "/restapis/%s/resources/%s/methods/POST" % (made, resource)
        call(s, "apigateway", "PUT", where, {"authorizationType": "NONE"})
        call(s, "apigateway", "PUT", where + "/integration", {"type": "AWS_PROXY", "httpMethod": "POST", "uri": LAMBDA % arn})
    call(s, "apigateway", "POST", "/restapis/%s/deployments" % made, {"stageName": "dev"})
    return made + ".execute-api.us-east-1.localhost", "/dev/r%d" % (count // 2)


def http_api(s, arn, count):
    made = call(s, "apigateway", "POST", "/v2/apis", {"name": "bench", "protocolType": "HTTP"})["apiId"]
    integration = call(s, "apigateway", "POST", "/v2/apis/%s/integrations" % made, {
        "integrationType": "AWS_PROXY", "payloadFormatVersion": "2.0", "integrationUri": arn})["integrationId"]
    for i in range(count):
        call(s, "apigateway", "POST", "/v2/apis/%s/routes" % made, {"routeKey": "POST /r%d" % i, "target": "integrations/" + integration})
    call(s, "apigateway", "POST", "/v2/apis/%s/stages" % made, {"stageName": "$default", "autoDeploy": True})
    return made + ".execute-api.us-east-1.localhost", "/r%d" % (count // 2)


def cost(s, path, host=None):
    load = Load(s.pid, s.port, "post.lua", path, BODY, *([host] if host else []), connections=8, seconds=1 if QUICK else 2)
    return load.cpu


def run():
    s = puddle(ephemeral=True)
    out = os.path.join(s.folder, "reply.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-I", str(ROOT / "lambda_rie/include"), "-o", out,
                    str(ROOT / "tests/bench/proxy_reply.c")], check=True)
    with open(out, "rb") as f:
        arn = json.loads(s.create_function("native", {"reply.so": f.read()}, "reply.so", "provided.al2023")[2])["FunctionArn"]
    s.invoke("native", BODY)
    targets = {"Invoke": (INVOKE, None)}
    for name, make in (("REST API", rest_api), ("HTTP API", http_api)):
        for count in (10, 1000):
            host, path = make(s, arn, count)
            targets["%s, %d routes" % (name, count)] = (path, host)
    for path, host in targets.values():
        reply = s.request("POST", path, BODY, {"Host": host}) if host else s.invoke("native", BODY)
        if reply[0] != 200 or b"ok" not in reply[2]:
            raise SystemExit("%s: %r" % (path, reply))
        cost(s, path, host)  # warm
    # by turns, so that a change of the machine's pace meets all alike
    costs = {name: [] for name in targets}
    for _ in range(ROUNDS):
        for name, (path, host) in targets.items():
            costs[name].append(cost(s, path, host))
    s.close()
    base = statistics.median(costs["Invoke"])
    row("Invoke of a native handler", "%.1f us of server CPU" % base)
    for name in ("REST API", "HTTP API"):
        few, many = (statistics.median(costs["%s, %d routes" % (name, n)]) for n in (10, 1000))
        row("%s in front of it, 10 routes" % name, "%.1f us: %.1f us more" % (few, few - base), "<= 25 us more", few - base <= 25)
        row("%s, 1,000 routes against 10" % name, "%.1f us: %.2fx" % (many, many / few), "<= 1.2x", many / few <= 1.2)
