"""Lambda: warm calls against lambda-local and serverless-offline, and where a cold start's time goes."""
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from measure import PEERS, QUICK, ROOT, Fixed, Load, free_port, puddle, row

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


BARE = """require('http').createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(JSON.parse(Buffer.concat(parts))));
  });
}).listen(%d, '127.0.0.1');
"""


def bare_node(ours):
    port = free_port()
    process = subprocess.Popen(["node", "-e", BARE % port])
    try:
        wait_for("http://127.0.0.1:%d/" % port)
        theirs = load(process.pid, port, "/", 2 if QUICK else 4)
        ratio = ours.p50 / theirs.p50
        row("a bare Node.js HTTP echo server", "p50 %.0f us: ours %.2fx" % (theirs.p50, ratio), "<= 1.15x", ratio <= 1.15)
    finally:
        process.kill()
        process.wait()


def native():
    """A handler in C through HTTP Invoke, against the fixed reply on the same loop."""
    s, fixed = puddle(ephemeral=True), Fixed()
    out = os.path.join(s.folder, "hello.so")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-I", str(ROOT / "lambda_rie/include"), "-o", out,
                    str(ROOT / "fixtures/handlers/native/hello.c")], check=True)
    with open(out, "rb") as f:
        s.create_function("native", {"hello.so": f.read()}, "hello.so", "provided.al2023")
    s.invoke("native", '{"a":1}')
    for connections in (1, 16):
        seconds = 2 if QUICK else 4
        ours = Load(s.pid, s.port, "post.lua", PATH % "native", '{"a":1}', connections=connections, seconds=seconds)
        theirs = fixed.load(connections=connections, seconds=seconds)
        share = 100 * ours.rate / theirs.rate
        row("native handler, %d connection%s" % (connections, "s" if connections > 1 else ""),
            "%.0f/s, p50 %.0f us: %.0f %% of the fixed reply" % (ours.rate, ours.p50, share), ">= 25 %", share >= 25)
    s.close()
    fixed.close()


def sleepers():
    s = puddle(ephemeral=True)
    s.create_function("sleep", {"index.js": "exports.handler = () => new Promise((r) => setTimeout(r, 100, 1));"}, MemorySize=256, Timeout=60)
    count = 50 if QUICK else 200
    Load(s.pid, s.port, "post.lua", PATH % "sleep", "{}", connections=count, seconds=10 if QUICK else 40)
    warm_ones = Load(s.pid, s.port, "post.lua", PATH % "sleep", "{}", connections=count, seconds=3)
    took = count / warm_ones.rate
    row("%d concurrent calls of a 100 ms sleeper, once warm" % count, "%.2f s" % took, "< 1 s", took < 1)
    s.close()


def cold_calls(*options):
    """Client's time of first calls (ms), each when the machine has had time to keep a spare."""
    s = puddle(*options, ephemeral=True)
    times = []
    for i in range(5 if QUICK else 15):
        s.create_function("cold%d" % i, {"index.js": HANDLER})
        time.sleep(0.8)
        began = time.monotonic()
        s.invoke("cold%d" % i)
        times.append((time.monotonic() - began) * 1000)
    s.close()
    return statistics.median(times)


def cold():
    spare, whole = cold_calls(), cold_calls("--no-spares")
    bare = []
    for _ in range(5 if QUICK else 15):
        began = time.monotonic()
        subprocess.run(["node", "-e", "0"], check=True)
        bare.append((time.monotonic() - began) * 1000)
    node = statistics.median(bare)
    row("cold start of Node.js with a spare, first Invoke", "p50 %.1f ms" % spare, "<= 10 ms", spare <= 10)
    row("cold start without one; bare `node -e 0` takes %.0f ms" % node, "p50 %.0f ms: %.2fx" % (whole, whole / node), "<= 1.3x", whole / node <= 1.3)


def run():
    ours = warm()
    bare_node(ours)
    lambda_local(ours)
    serverless_offline(ours)
    native()
    sleepers()
    cold()
