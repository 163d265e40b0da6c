#!/usr/bin/env python3
"""Measures the release build (build/puddle). Every row is measured in this run; ratios are what counts, absolute
figures move with the machine. CPU is user plus system time of the server's threads from /proc. --quick: short runs.
Not measured here yet: lambda-local, serverless-offline, cold start by stage."""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/clients"))
os.environ["PUDDLE"] = str(ROOT / "build/puddle")
from puddle import Server  # noqa: E402

SECONDS = 2 if "--quick" in sys.argv else 5
TABLE = {"TableName": "Bench", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
         "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}
rows = []


def cpu_seconds(pid):
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
            total += int(f.read().split()[0])
    return total / 1e9


def load(pid, port, script, *args, connections=32, seconds=None):
    """CPU microseconds a request, requests a second, p50 and p99 in us, longest in us."""
    before, start = cpu_seconds(pid), time.monotonic()
    out = subprocess.run(["wrk", "-c%d" % connections, "-t1", "-d%ds" % (seconds or SECONDS), "-s",
                          str(ROOT / "tests/bench" / script), "http://127.0.0.1:%d" % port, "--", *map(str, args)],
                         capture_output=True, text=True)
    took, cpu = time.monotonic() - start, cpu_seconds(pid) - before
    line = [l for l in out.stdout.splitlines() if l.startswith("RESULT")]
    if not line:
        raise SystemExit("wrk failed: " + out.stdout + out.stderr)
    requests, errors, p50, p99, longest = map(float, line[0].split()[1:])
    if errors:
        raise SystemExit("%d of %d requests failed (%s)" % (errors, requests, args))
    return cpu / requests * 1e6, requests / took, p50, p99, longest


def row(name, value, wanted=""):
    rows.append((name, value, wanted))
    print("%-58s %-28s %s" % rows[-1], flush=True)


def start_ms(*args):
    times = []
    for _ in range(20):
        folder = tempfile.mkdtemp()
        began = time.monotonic()
        process = subprocess.Popen([os.environ["PUDDLE"], "start", "--port", "0", "--quiet", *args], cwd=folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        while process.stdout.readline() not in (b"Ready.\n", b""):
            pass
        times.append((time.monotonic() - began) * 1000)
        process.terminate()
        process.wait()
        process.stdout.close()
        shutil.rmtree(folder)
    return statistics.median(times)


def bench_start():
    row("start, empty folder, median of 20", "%.1f ms" % start_ms(), "< 30 ms")
    row("start, example template", "%.1f ms" % start_ms("-t", str(ROOT / "fixtures/example/template.yaml")), "< 100 ms")
    s = Server(ephemeral=True)
    with open("/proc/%d/status" % s.process.pid) as f:
        rss = [int(l.split()[1]) for l in f if l.startswith("VmRSS")][0]
    row("idle RSS", "%.1f MB" % (rss / 1024), "< 12 MB")
    s.close()
    copy = tempfile.mktemp()
    subprocess.run(["strip", "-o", copy, os.environ["PUDDLE"]], check=True)
    row("binary, stripped", "%.2f MB" % (os.path.getsize(copy) / 1e6), "< 3 MB")
    os.unlink(copy)


def dynalite():
    process = subprocess.Popen(["node", str(ROOT / "tests/bench/peers/node_modules/dynalite/cli.js"), "--port", "0",
                                "--createTableMs", "0"], stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    return process, int(line.rsplit(":", 1)[1].split("/")[0].strip())


def bench_items():
    fixed = subprocess.Popen([str(ROOT / "build/fixed_reply")], stdout=subprocess.PIPE, text=True)
    fixed_port = int(fixed.stdout.readline())
    base = load(fixed.pid, fixed_port, "post.lua", "/", "{}")[0]
    row("fixed reply", "%.1f us CPU" % base)
    costs = {}
    for label, args, put_limit in (("ephemeral", ["--ephemeral"], 2.7), ("on disk", [], 3.7), ("--durable", ["--durable"], 3.7)):
        s = Server("--quiet", *[a for a in args if a != "--ephemeral"], ephemeral="--ephemeral" in args)
        s.dynamodb("CreateTable", TABLE)
        load(s.process.pid, s.port, "dynamodb.lua", "PutItem", "Bench", 0, 1000, seconds=1)
        base = load(fixed.pid, fixed_port, "post.lua", "/", "{}", seconds=2)[0]
        cpu, rate, p50, _, _ = load(s.process.pid, s.port, "dynamodb.lua", "PutItem", "Bench", 0, 1000)
        costs["put", label] = cpu
        row("PutItem %s" % label, "%.1f us CPU, %.2fx fixed" % (cpu, cpu / base), "<= %.1fx" % put_limit)
        if label == "ephemeral":
            cpu, rate, p50, _, _ = load(s.process.pid, s.port, "dynamodb.lua", "GetItem", "Bench", 0, 1000)
            costs["get", label] = cpu
            row("GetItem", "%.1f us CPU, %.2fx fixed" % (cpu, cpu / base), "<= 2.0x")
            for op, limit in (("UpdateItem", 1.5), ("BatchWriteItem", 10)):
                cpu = load(s.process.pid, s.port, "dynamodb.lua", op, "Bench", 0, 1000)[0]
                row(op + (" of 25" if limit == 10 else ""), "%.1f us CPU, %.2fx PutItem" % (cpu, cpu / costs["put", label]),
                    "<= %sx" % limit)
        s.close()
    fixed.kill()
    process, port = dynalite()
    import http.client
    import json
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("POST", "/", json.dumps(TABLE), {
        "X-Amz-Target": "DynamoDB_20120810.CreateTable", "Content-Type": "application/x-amz-json-1.0", "X-Amz-Date": "x",
        "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"})
    connection.getresponse().read()
    load(process.pid, port, "dynamodb.lua", "PutItem", "Bench", 0, 1000, seconds=2)
    for op, key, limit in (("PutItem", "put", 6), ("GetItem", "get", 7)):
        cpu = load(process.pid, port, "dynamodb.lua", op, "Bench", 0, 1000)[0]
        row("dynalite %s" % op, "%.0f us CPU, %.1fx ours" % (cpu, cpu / costs[key, "ephemeral"]), ">= %dx" % limit)
    process.kill()


def bench_growth():
    s = Server("--quiet")
    s.dynamodb("CreateTable", TABLE)
    load(s.process.pid, s.port, "dynamodb.lua", "PutItem", "Bench", 0, 1000, seconds=1)
    start = {op: load(s.process.pid, s.port, "dynamodb.lua", op, "Bench", 0, 1000) for op in ("PutItem", "GetItem")}
    load(s.process.pid, s.port, "dynamodb.lua", "PutItem", "Bench", 0, 100000, seconds=12)
    for op in ("PutItem", "GetItem"):
        end = load(s.process.pid, s.port, "dynamodb.lua", op, "Bench", 0, 100000)
        row("%s at 100,000 items" % op, "%.2fx, longest %.0f ms" % (end[0] / start[op][0], end[4] / 1000), "<= 1.3x, < 50 ms")
    s.close()


def bench_invoke():
    s = Server("--quiet", ephemeral=True)
    s.create_function("echo", {"index.js": "exports.handler = async (event) => event;"})
    s.invoke("echo")
    path = "/2015-03-31/functions/echo/invocations"
    load(s.process.pid, s.port, "post.lua", path, '{"a":1}', connections=1, seconds=2)
    _, rate, p50, p99, _ = load(s.process.pid, s.port, "post.lua", path, '{"a":1}', connections=1)
    row("warm Invoke of Node.js, one connection", "p50 %.0f us, p99 %.0f us" % (p50, p99), "p50 < 200 us")
    s.close()


bench_start()
bench_items()
bench_growth()
bench_invoke()
