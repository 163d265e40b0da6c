"""DynamoDB through the JavaScript SDKs and data mappers: one method here for every test(...) in js/*.js."""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

from puddle import ROOT, Server

JS = ROOT / "tests/clients/js"
FILES = ["v3_client", "v3_document", "v3_partiql", "v2_document", "mapper_toolbox", "mapper_electro", "mapper_dynamoose"]


class JavaScriptFile(unittest.TestCase):
    script = None

    @classmethod
    def setUpClass(cls):
        if cls.script is None:
            raise unittest.SkipTest("no file")
        if shutil.which("node") is None or not (JS / "node_modules/electrodb").exists():
            raise unittest.SkipTest("node, or node_modules of tests/clients/js, is not here")
        server = Server("--quiet", ephemeral=True)
        try:
            done = subprocess.run(["node", cls.script + ".js"], cwd=JS, env=server.environment(), capture_output=True, text=True,
                                  timeout=180)
        finally:
            server.close()
        lines = done.stdout.strip().splitlines()
        assert done.returncode == 0 and lines, done.stderr
        cls.results = {r["name"]: r for r in json.loads(lines[-1])}

    def check(self, name):
        result = self.results[name]
        if "skip" in result:
            self.skipTest(result["skip"])
        self.assertTrue(result["ok"], result.get("error"))


def make(script):
    names = re.findall(r"^test\('([^']+)'", pathlib.Path(JS / (script + ".js")).read_text(), re.M)
    methods = {"test_%02d_%s" % (i, re.sub(r"\W+", "_", n)): lambda self, n=n: self.check(n) for i, n in enumerate(names, 1)}
    return type("Js_" + script, (JavaScriptFile,), {"script": script, **methods})


for _script in FILES:
    globals()["Js_" + _script] = make(_script)
del JavaScriptFile
