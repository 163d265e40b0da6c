"""What the benchmarks share: CPU of a process, loads, the peers, rows of the table."""
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/clients"))
os.environ["PUDDLE"] = str(ROOT / "build/puddle")
from puddle import AUTH, Server  # noqa: E402

QUICK = "--quick" in sys.argv
SECONDS = 1.0 if QUICK else 4.0
PEERS = ROOT / "tests/bench/peers"
JARS = ROOT / "build/peers"
TICK = os.sysconf("SC_CLK_TCK")
rows = []


def row(name, value, wanted="", ok=None):
    rows.append((name, value, wanted, "" if ok is None else "ok" if ok else "MISS"))
    print("%-62s %-38s %-22s %s" % rows[-1], flush=True)


def cpu_seconds(pid):
    """User and system time of the process' threads; those of a JVM come and go, so its is by ticks."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    ticks = (int(fields[11]) + int(fields[12])) / TICK
    if "(java)" in open("/proc/%d/stat" % pid).read():
        return ticks
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
            total += int(f.read().split()[0])
    return total / 1e9


def children(pid):
    """The process and what it started."""
    out = [pid]
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                for child in f.read().split():
                    out += children(int(child))
        except OSError:
            pass
    return out


class Load:
    """One run of wrk: per request the server's CPU in us, requests a second, p50, p99 and the longest in us."""

    def __init__(self, pid, port, script, *args, connections=32, seconds=None):
        before, began = cpu_seconds(pid), time.monotonic()
        out = subprocess.run(["wrk", "-c%d" % connections, "-t1", "-d%gs" % max(1, round(seconds or SECONDS)), "-s",
                              str(ROOT / "tests/bench" / script), "http://127.0.0.1:%d" % port, "--", *map(str, args)],
                             capture_output=True, text=True)
        took, cpu = time.monotonic() - began, cpu_seconds(pid) - before
        line = [l for l in out.stdout.splitlines() if l.startswith("RESULT")]
        if not line:
            raise SystemExit("wrk failed: " + out.stdout + out.stderr)
        self.requests, errors, self.p50, self.p99, self.longest = map(float, line[0].split()[1:])
        if errors:
            raise SystemExit("%d of %d requests failed (%s)" % (errors, self.requests, args))
        self.cpu, self.rate = cpu / self.requests * 1e6, self.requests / took


class Client:
    """Raw HTTP on one connection, so that the client's own cost stays small."""

    def __init__(self, port):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port))

    @staticmethod
    def request(operation, body):
        body = json.dumps(body).encode()
        return ("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: DynamoDB_20120810.%s\r\n"
                "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Date: 20260101T000000Z\r\nAuthorization: %s\r\n"
                "Content-Length: %d\r\n\r\n" % (operation, AUTH % "dynamodb", len(body))).encode() + body

    def send(self, request):
        data = b""
        for _ in range(2):  # a connection that was idle for long may have been closed
            try:
                self.socket.sendall(request)
                data = self.socket.recv(1 << 20)
            except OSError:
                pass
            if data:
                break
            self.socket = socket.create_connection(("127.0.0.1", self.port))
        while b"\r\n\r\n" not in data:
            part = self.socket.recv(1 << 20)
            if not part:
                raise SystemExit("the server closed the connection")
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [l for l in head.split(b"\r\n") if l.lower().startswith(b"content-length:")]
        if not lengths:  # chunked: the peers' long replies
            while not body.endswith(b"\r\n0\r\n\r\n"):
                body += self.socket.recv(1 << 20)
            parts = []
            while body:
                size, _, body = body.partition(b"\r\n")
                parts.append(body[:int(size, 16)])
                body = body[int(size, 16) + 2:]
            return self.check(head, b"".join(parts))
        size = int(lengths[0].split(b":")[1])
        parts, have = [body], len(body)
        while have < size:
            part = self.socket.recv(1 << 20)
            parts.append(part)
            have += len(part)
        return self.check(head, b"".join(parts))

    @staticmethod
    def check(head, body):
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise SystemExit(body.decode())
        return body

    def call(self, operation, body):
        return json.loads(self.send(self.request(operation, body)) or b"{}")


class Peer:
    """A foreign DynamoDB: pid and port, stopped by close()."""

    def __init__(self, name, command, port_of):
        self.name = name
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = port_of(self.process)
        self.pid = self.process.pid
        for _ in range(600):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("POST", "/", "{}", {"X-Amz-Target": "DynamoDB_20120810.ListTables",
                                                       "Content-Type": "application/x-amz-json-1.0", "X-Amz-Date": "20260101T000000Z",
                                                       "Authorization": AUTH % "dynamodb"})
                connection.getresponse().read()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit(name + " did not start")

    def close(self):
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dynalite():
    port = free_port()
    return Peer("dynalite", ["node", str(PEERS / "node_modules/dynalite/cli.js"), "--port", str(port), "--createTableMs", "0"],
                lambda p: port)


def dynamodb_local():
    """DynamoDB Local by the jars of a Maven repository; None when there is no Java or Maven here."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        return None
    jars = JARS / "lib"
    if not list(jars.glob("DynamoDBLocal-*.jar")):
        done = subprocess.run([maven, "-q", "-f", str(PEERS / "pom.xml"), "dependency:copy-dependencies", "-DoutputDirectory=%s" % jars],
                              capture_output=True, text=True)
        if done.returncode:
            return None
    natives = JARS / "native"
    natives.mkdir(exist_ok=True)
    for library in jars.glob("libsqlite4java-linux-amd64*.so"):
        shutil.copy(library, natives)
    port = free_port()
    return Peer("DynamoDB Local", [java, "-Djava.library.path=%s" % natives, "-Xmx2g", "-cp", "%s/*" % jars,
                                   "software.amazon.dynamodb.services.local.main.ServerRunner", "-inMemory", "-disableTelemetry",
                                   "-port", str(port)], lambda p: port)


class Fixed:
    def __init__(self):
        self.process = subprocess.Popen([str(ROOT / "build/fixed_reply")], stdout=subprocess.PIPE, text=True)
        self.port, self.pid = int(self.process.stdout.readline()), self.process.pid

    def load(self, **more):
        return Load(self.pid, self.port, "post.lua", "/", "{}", **more)

    def close(self):
        self.process.kill()
        self.process.wait()


def puddle(*args, ephemeral=False):
    s = Server("--quiet", *args, ephemeral=ephemeral)
    s.pid = s.process.pid
    return s


__all__ = [n for n in dir() if not n.startswith("_")]
