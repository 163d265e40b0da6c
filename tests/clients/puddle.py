"""A real server on a free port, for the client tests. The binary is $PUDDLE (default build/puddle)."""
import base64
import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.path.abspath(os.environ.get("PUDDLE", str(ROOT / "build/puddle")))
ROLE = "arn:aws:iam::000000000000:role/any"
AUTH = ("AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/%s/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=" + "0" * 64)


class Server:
    def __init__(self, *args, data=None, ephemeral=False, cwd=None, env=None):
        self.folder = tempfile.mkdtemp(prefix="puddle-test-")
        self.data = data or os.path.join(self.folder, "data")
        self.args = [BINARY, "start", "--port", "0"]
        self.args += ["--ephemeral"] if ephemeral else ["--data", self.data]
        self.args += list(args)
        self.cwd = cwd or self.folder
        self.env = {**os.environ, **(env or {})}
        self.start()

    def start(self):
        self.log = open(os.path.join(self.folder, "stderr"), "ab")
        self.process = subprocess.Popen(self.args, stdout=subprocess.PIPE, stderr=self.log, cwd=self.cwd,
                                        env=self.env)
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line.decode().rstrip("\n"))
            if line == b"Ready.\n":
                break
        else:
            raise RuntimeError("the server did not start: " + self.stderr())
        ready = [l for l in self.lines if l.startswith("puddle: http://")][0]
        self.port = int(ready.split(":")[3].split()[0])
        self.url = "http://127.0.0.1:%d" % self.port
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def stderr(self):
        return open(os.path.join(self.folder, "stderr"), errors="replace").read()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        status = self.process.wait(30)
        self.process.stdout.close()
        self.log.close()
        return status

    def close(self):
        if self.process.poll() is None:
            status = self.stop()
            text = self.stderr()
            shutil.rmtree(self.folder, ignore_errors=True)
            assert status == 0, "the server ended with %d: %s" % (status, text[-9000:])
        else:
            status, text = self.process.returncode, self.stderr()
            shutil.rmtree(self.folder, ignore_errors=True)
            assert status in (0, -signal.SIGKILL), "the server died (%d): %s" % (status, text[-9000:])

    def request(self, method, path, body=b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body if isinstance(body, bytes) else body.encode(), headers or {})
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        return reply.status, dict((k.lower(), v) for k, v in reply.getheaders()), data

    def dynamodb(self, operation, body, **headers):
        return self.request("POST", "/", body if isinstance(body, (bytes, str)) else json.dumps(body), {
            "X-Amz-Target": "DynamoDB_20120810." + operation, "Content-Type": "application/x-amz-json-1.0",
            "Authorization": AUTH % "dynamodb", "X-Amz-Date": "20260101T000000Z", **headers})

    def lambda_(self, method, path, body=b"", **headers):
        return self.request(method, path, body, {"Authorization": AUTH % "lambda", "X-Amz-Date": "20260101T000000Z",
                                                 "Content-Type": "application/json", **headers})

    def create_function(self, name, files, handler="index.handler", runtime="nodejs20.x", **more):
        body = {"FunctionName": name, "Runtime": runtime, "Handler": handler, "Role": ROLE,
                "Code": {"ZipFile": base64.b64encode(make_zip(files)).decode()}, **more}
        return self.lambda_("POST", "/2015-03-31/functions", json.dumps(body))

    def invoke(self, name, payload=b"{}", **headers):
        return self.lambda_("POST", "/2015-03-31/functions/%s/invocations" % name, payload, **headers)

    def has(self, operation, service="dynamodb"):
        return json.loads(self.request("GET", "/_puddle/operations")[2])[service].get(operation, False)

    def environment(self):
        return {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1", "AWS_PAGER": "",
                "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true"}


def make_zip(files, executable=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name == "bootstrap" or executable else 0o644) << 16
            z.writestr(info, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
