"""Lambda: warm calls against lambda-local and serverless-offline, and where a cold start's time goes."""
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request

from measure import PEERS, QUICK, Load, free_port, puddle, row

HANDLER = "exports.handler = async (event) => event;\n"
PATH = "/2015-03-31/functions/%s/invocations"


def wait_for(url, body=b"{}", seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return urllib.request.urlopen(urllib.request.Request(url, body), timeout=5).read()
        except urllib.error.HTTPError as error:
            return error.read()
        except OSError:
            time.sleep(0.05)
    return None


def load(pid, port, path, seconds=None):
    Load(pid, port, "post.lua", path, '{"a":1}', connections=1, seconds=2)
    return Load(pid, port, "post.lua", path, '{"a":1}', connections=1, seconds=seconds)


def warm():
    s = puddle(ephemeral=True)
    s.create_function("echo", {"index.js": HANDLER})
    s.invoke("echo")
    ours = load(s.pid, s.port, PATH % "echo")
    row("warm Invoke of Node.js, one connection", "%.0f/s, p50 %.0f us, p99 %.0f us" % (ours.rate, ours.p50, ours.p99), "p50 < 200 us", ours.p50 < 200)
    s.close()
    return ours


def lambda_local(ours):
    folder, port = tempfile.mkdtemp(), free_port()
    with open(os.path.join(folder, "index.js"), "w") as f:
        f.write(HANDLER)
    process = subprocess.Popen(["node", str(PEERS / "node_modules/lambda-local/build/cli.js"), "-l", "index.js", "--watch", str(port)],
                               cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        if wait_for("http://127.0.0.1:%d/" % port) is None:
            row("lambda-local", "did not start")
            return
        theirs = load(process.pid, port, "/", 2 if QUICK else 4)
        ratio = ours.rate / theirs.rate
        row("lambda-local, warm", "%.0f/s, p50 %.0f us: ours %.1fx the calls" % (theirs.rate, theirs.p50, ratio), ">= 6x", ratio >= 6)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


SERVERLESS = """service: bench
frameworkVersion: '*'
provider: {name: aws, runtime: nodejs20.x}
plugins: [serverless-offline]
custom: {serverless-offline: {httpPort: %d, lambdaPort: %d, noPrependStageInUrl: true}}
functions: {echo: {handler: index.handler}}
"""


def serverless_offline(ours):
    folder, port = tempfile.mkdtemp(), free_port()
    with open(os.path.join(folder, "index.js"), "w") as f:
        f.write(HANDLER)
    with open(os.path.join(folder, "serverless.yml"), "w") as f:
        f.write(SERVERLESS % (free_port(), port))
    os.symlink(PEERS / "node_modules", os.path.join(folder, "node_modules"))
    process = subprocess.Popen(["node", str(PEERS / "node_modules/osls/bin/serverless.js"), "offline", "start"], cwd=folder,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "SLS_TELEMETRY_DISABLED": "1", "CI": "1"})
    try:
        path = PATH % "bench-dev-echo"
        if wait_for("http://127.0.0.1:%d%s" % (port, path)) is None:
            row("serverless-offline", "did not start")
            return
        theirs = load(process.pid, port, path, 2 if QUICK else 4)
        ratio = ours.rate / theirs.rate
        row("serverless-offline's Invoke port, warm", "%.0f/s, p50 %.0f us: ours %.1fx the calls" % (theirs.rate, theirs.p50, ratio), ">= 4x", ratio >= 4)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


COLD = """const load = process.hrtime.bigint();
exports.handler = async () => ({ up: process.uptime() * 1000 - Number(process.hrtime.bigint() - load) / 1e6,
  handled: Number(process.hrtime.bigint() - load) / 1e6, now: Date.now() });
"""


def cold():
    """A first call, from the client's side and the process' own: before Node runs (spawn), until the module is loaded (Node's
    start and the runtime client), from there to the handler."""
    s = puddle(ephemeral=True)
    total, node, rest = [], [], []
    for i in range(3 if QUICK else 7):
        s.create_function("cold%d" % i, {"index.js": COLD})
        began = time.monotonic()
        reply = json.loads(s.invoke("cold%d" % i)[2])
        total.append((time.monotonic() - began) * 1000)
        node.append(reply["up"])
        rest.append(reply["handled"])
    began = time.monotonic()
    bare = []
    for _ in range(3 if QUICK else 7):
        began = time.monotonic()
        subprocess.run(["node", "-e", "0"], check=True)
        bare.append((time.monotonic() - began) * 1000)
    s.close()
    t, n, r = (statistics.median(x) for x in (total, node, rest))
    row("cold start of Node.js, first Invoke", "%.0f ms; bare `node -e 0` %.0f ms" % (t, statistics.median(bare)))
    row("  of it: spawn and reply / Node until the module / to the handler", "%.0f / %.0f / %.1f ms" % (max(0, t - n - r), n, r))


def run():
    ours = warm()
    lambda_local(ours)
    serverless_offline(ours)
    cold()
