"""boto3 against a server of its own: what the client tests of the services share."""
import unittest

from puddle import ROLE, Server, make_zip

ACCOUNT, REGION = "000000000000", "us-east-1"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


def code(text="exports.handler = async (event) => event;"):
    return make_zip({"index.js": text})


def client_of(server, name):
    import boto3
    from botocore.config import Config
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION).client(
        name, endpoint_url=server.url, config=Config(parameter_validation=False, retries={"max_attempts": 0}))


class Boto(unittest.TestCase):
    """One server and Lambda client a class; self.fails() for AWS's errors."""

    @classmethod
    def setUpClass(cls):
        try:
            import boto3  # noqa: F401
        except ImportError:
            raise unittest.SkipTest("boto3 is not installed")
        cls.s = Server("--quiet", ephemeral=True)
        cls.addClassCleanup(cls.s.close)
        cls.l = client_of(cls.s, "lambda")

    def name(self):
        return self.id().split(".")[-1][:60]

    def make(self, text="exports.handler = async (event) => event;", name=None, **more):
        name = name or self.name()
        self.l.create_function(FunctionName=name, Runtime="nodejs20.x", Handler="index.handler", Role=ROLE,
                               Code={"ZipFile": code(text)}, **more)
        return name

    def fails(self, error, message, operation, **params):
        from botocore.exceptions import ClientError
        with self.assertRaises(ClientError) as caught:
            operation(**params)
        got = caught.exception.response["Error"]
        self.assertEqual((got["Code"], got["Message"]), (error, message))
        return caught.exception.response

    def raw(self, method, path, body=None):
        """For what Debian's boto3 does not know yet: (status, reply)."""
        import json
        status, _, reply = self.s.lambda_(method, path, b"" if body is None else json.dumps(body))
        return status, json.loads(reply or b"null")

    def invoke(self, name, payload=b"{}", **more):
        import json
        reply = self.l.invoke(FunctionName=name, Payload=payload, **more)
        return reply, json.loads(reply["Payload"].read() or b"null")
