"""A real browser does cross-origin requests to all kinds of API: what it lets a page see is what
CORS is for. Needs Chromium; without it the tests are skipped."""
import http.server
import json
import queue
import shutil
import subprocess
import tempfile
import threading
import unittest

from gateways import Gateways

HANDLER = {"index.js": """
exports.handler = async (event) => ({ statusCode: 200, body: 'seen',
  headers: { 'X-Exposed': 'e', 'X-Hidden': 'h', 'Content-Type': 'text/plain',
    // A REST API has no CORS of its own: there the function speaks.
    ...(event.resource ? { 'Access-Control-Allow-Origin': 'http://127.0.0.1:' + PAGE,
      'Access-Control-Allow-Credentials': 'true', 'Access-Control-Expose-Headers': 'X-Exposed' } : {}) } });
"""}

# Runs the cases one by one and posts what the page could see of each.
PAGE = """<!doctype html><title>cors</title><script>
(async () => {
  const results = [];
  for (const [url, options] of CASES) {
    try {
      const reply = await fetch(url, options);
      results.push([reply.status, await reply.text(), reply.headers.get('x-exposed'), reply.headers.get('x-hidden')]);
    } catch (error) {
      results.push(error.name);
    }
  }
  await fetch('/result', { method: 'POST', body: JSON.stringify(results) });
})();
</script>"""

SEEN, REFUSED = [200, "seen", "e", None], "TypeError"
# what the page asks for, and what it gets from an origin that is allowed
CASES = [
    ("a simple request", {}, SEEN),
    ("a simple POST", {"method": "POST", "body": "x", "headers": {"Content-Type": "text/plain"}}, SEEN),
    ("a method that is allowed", {"method": "PUT", "body": "x"}, SEEN),
    ("a method that is not", {"method": "DELETE"}, REFUSED),
    ("a header that is allowed", {"headers": {"X-Allowed": "1"}}, SEEN),
    ("a header that is not", {"headers": {"X-Other": "1"}}, REFUSED),
    ("JSON, whose type is a header to ask for", {"method": "POST", "body": "{}", "headers": {"Content-Type": "application/json"}}, SEEN),
    ("with credentials", {"credentials": "include", "headers": {"X-Allowed": "1"}}, SEEN),
]


def chromium():
    return next((path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None)


class PageServer(http.server.ThreadingHTTPServer):
    """Serves the page under two origins, http://127.0.0.1:P and http://localhost:P, and takes its results."""

    def __init__(self):
        self.page, self.results = b"", queue.Queue()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(self.server.page if self.path == "/page" else b"")

    def do_POST(self):
        self.server.results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@unittest.skipUnless(chromium(), "there is no Chromium here")
class CorsInABrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = PageServer()
        cls.addClassCleanup(cls.pages.server_close)
        cls.addClassCleanup(cls.pages.shutdown)
        cls.port = cls.pages.server_address[1]
        cls.g = Gateways({"index.js": HANDLER["index.js"].replace("PAGE", str(cls.port))}, cors={
            "AllowOrigins": ["http://127.0.0.1:%d" % cls.port], "AllowMethods": ["GET", "POST", "PUT"],
            "AllowHeaders": ["x-allowed", "content-type"], "ExposeHeaders": ["x-exposed"], "AllowCredentials": True, "MaxAge": 0})
        cls.addClassCleanup(cls.g.close)
        cls.add_options()

    @classmethod
    def add_options(cls):
        """The OPTIONS method that REST APIs get by hand, by SAM, by CDK."""
        api = cls.g.client("apigateway")
        where = {"restApiId": cls.g.ids["rest"], "resourceId": cls.g.resources["/{proxy+}"], "httpMethod": "OPTIONS"}
        headers = {"Origin": "'http://127.0.0.1:%d'" % cls.port, "Methods": "'GET,POST,PUT'", "Headers": "'X-Allowed,Content-Type'",
                   "Credentials": "'true'"}
        names = {"method.response.header.Access-Control-Allow-" + name: value for name, value in headers.items()}
        api.put_method(**where, authorizationType="NONE")
        api.put_integration(**where, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
        api.put_method_response(**where, statusCode="200", responseParameters=dict.fromkeys(names, False))
        api.put_integration_response(**where, statusCode="200", responseParameters=names)
        api.create_deployment(restApiId=cls.g.ids["rest"], stageName="dev")

    def browse(self, origin, cases):
        self.pages.page = PAGE.replace("CASES", json.dumps(cases)).encode()
        folder = tempfile.mkdtemp(prefix="puddle-chromium-")
        browser = subprocess.Popen([chromium(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                                    "--no-first-run", "--no-proxy-server", "--disable-background-networking", "--remote-debugging-port=0",
                                    "--user-data-dir=" + folder, "http://%s:%d/page" % (origin, self.port)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return self.pages.results.get(timeout=120)
        finally:
            browser.terminate()
            browser.wait(30)
            shutil.rmtree(folder, ignore_errors=True)

    def cases(self):
        return [(kind, name, ["http://%s:%d%s/a" % (self.g.hosts[kind], self.g.s.port, self.g.prefix[kind]), options], want)
                for kind in self.g.hosts for name, options, want in CASES]

    def test_a_page_of_an_allowed_origin_sees_what_is_allowed(self):
        cases = self.cases()
        for (kind, name, _, want), got in zip(cases, self.browse("127.0.0.1", [case[2] for case in cases]), strict=True):
            with self.subTest(name, kind=kind):
                self.assertEqual(got, want)

    def test_a_page_of_another_origin_sees_nothing(self):
        cases = self.cases()
        for (kind, name, _, _), got in zip(cases, self.browse("localhost", [case[2] for case in cases]), strict=True):
            with self.subTest(name, kind=kind):
                self.assertEqual(got, REFUSED)


if __name__ == "__main__":
    unittest.main()
