#!/usr/bin/env python3
"""Random requests signed by botocore, for tests/unit/test_sigv4_random.c to verify.

  sigv4_botocore.py FILE [COUNT] [SEED]

One JSON object a line. The seed is printed, so that a failure can be made again. Works with any
botocore from 1.29 on (Debian 12's python3-botocore).
"""
import base64
import datetime
import json
import random
import sys
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]
SERVICES = ["dynamodb", "lambda", "apigateway", "sts", "s3"]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"]


class FixedTime(datetime.datetime):
    """What botocore.auth takes the time from, by either of its names over the versions."""
    fixed = None

    @classmethod
    def utcnow(cls):
        return cls.fixed

    @classmethod
    def now(cls, tz=None):
        return cls.fixed.replace(tzinfo=tz)


def word(rng, most, alphabet=UNRESERVED + " !$&'()*+,;=:@/?#[]%\"<>\\^`{|}äß€😀"):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(0, most)))


def random_path(rng):
    parts = []
    for _ in range(rng.randint(0, 5)):
        part = rng.choice([word(rng, 12), word(rng, 12, UNRESERVED), ".", "..", ""])
        parts.append(urllib.parse.quote(part, safe="~"))
    return "/" + "/".join(parts)


def random_query(rng):
    pairs = [(word(rng, 8) or "k", word(rng, 12)) for _ in range(rng.choice([0, 0, 1, 2, 5]))]
    rng.shuffle(pairs)
    return "&".join(urllib.parse.quote(k, safe="~") + "=" + urllib.parse.quote(v, safe="~")
                    for k, v in pairs)


def random_headers(rng):
    headers = {}
    for _ in range(rng.choice([0, 1, 3])):
        name = rng.choice(["X-Amz-Target", "X-Amz-Meta-" + word(rng, 6, "abcXYZ-"), "Content-Type",
                           "X-Custom", "Accept"]).rstrip("-")
        value = " " * rng.randint(0, 2) + word(rng, 24, UNRESERVED + "  ;,=/()\"") + \
            " " * rng.randint(0, 2)
        headers[name] = value
    if rng.random() < 0.1:
        headers["Date"] = "to be replaced"  # botocore then signs Date instead of X-Amz-Date
    return headers


def random_credentials(rng):
    token = None
    if rng.random() < 0.4:
        token = base64.b64encode(rng.getrandbits(8 * 60).to_bytes(60, "big")).decode()
    return Credentials("AKIA" + word(rng, 12, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
                       (word(rng, 40, UNRESERVED + "/+") or "s"), token)


def one(rng):
    service, region = rng.choice(SERVICES), rng.choice(REGIONS)
    credentials = random_credentials(rng)
    FixedTime.fixed = datetime.datetime(2015, 1, 1) + datetime.timedelta(
        seconds=rng.randrange(20 * 365 * 86400))
    query_form = rng.random() < 0.4
    method = rng.choice(METHODS)
    body = rng.getrandbits(8 * 40).to_bytes(40, "big") if rng.random() < 0.6 else b""
    if query_form:  # botocore moves a body into the query
        body = json.dumps({word(rng, 5) or "k": word(rng, 9)}).encode() if rng.random() < 0.3 else b""
    headers = random_headers(rng)
    host = rng.choice(["localhost:4566", "%s.%s.amazonaws.com" % (service, region), "127.0.0.1:8080"])
    path, query = random_path(rng), random_query(rng)
    request = AWSRequest(method=method, url="http://" + host + path + ("?" + query if query else ""),
                         data=body, headers=headers)
    request.context["payload_signing_enabled"] = True
    expires = rng.randint(1, 604800)
    if service == "s3":
        signer = (botocore.auth.S3SigV4QueryAuth(credentials, service, region, expires=expires)
                  if query_form else botocore.auth.S3SigV4Auth(credentials, service, region))
    else:
        signer = (botocore.auth.SigV4QueryAuth(credentials, service, region, expires=expires)
                  if query_form else botocore.auth.SigV4Auth(credentials, service, region))
    signer.add_auth(request)
    body = request.data.encode() if isinstance(request.data, str) else request.data or b""
    parts = urllib.parse.urlsplit(request.url)
    sent = [["Host", host]]
    for name, value in request.headers.items():
        if name.lower() != "host":
            sent.append([name, value if isinstance(value, str) else value.decode()])
    rng.shuffle(sent)
    return {"method": method, "target": (parts.path or "/") + ("?" + parts.query if parts.query else ""),
            "headers": sent, "body": base64.b64encode(body).decode(), "service": service,
            "region": region, "access_key": credentials.access_key,
            "secret_key": credentials.secret_key, "token": credentials.token or "",
            "now_ms": int(FixedTime.fixed.replace(tzinfo=datetime.timezone.utc).timestamp() * 1000)}


def patch_time():
    botocore.auth.datetime = type(botocore.auth.datetime)("datetime") if isinstance(
        botocore.auth.datetime, type(sys)) else FixedTime
    if isinstance(botocore.auth.datetime, type(sys)):
        for name in dir(datetime):
            if not name.startswith("__"):
                setattr(botocore.auth.datetime, name, getattr(datetime, name))
        botocore.auth.datetime.datetime = FixedTime
    if hasattr(botocore.auth, "get_current_datetime"):
        botocore.auth.get_current_datetime = lambda remove_tzinfo=True: (
            FixedTime.fixed if remove_tzinfo else FixedTime.fixed.replace(
                tzinfo=datetime.timezone.utc))


def main():
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)
    print("sigv4_botocore: botocore %s, %d requests, seed %d" % (botocore.__version__, count, seed))
    patch_time()
    rng = random.Random(seed)
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        for _ in range(count):
            out.write(json.dumps(one(rng)) + "\n")
    return 0


sys.exit(main())
