"""Reads a .case file (the format is in README.md) into steps. Knows nothing of HTTP."""
import base64
import json
import re
import time

SETUP = re.compile(r"(table|put|clock|differs|todo)\b")
SCALAR = re.compile(r"(\S+):([SNB])$")


class CaseError(Exception):
    pass


class Step:
    """One request and what is expected of it."""

    def __init__(self, operation, line):
        self.operation, self.line = operation, line
        self.method, self.path, self.raw = "POST", "/", False
        self.headers = {}  # name -> value, "" takes a default header away
        self.text = ""  # of the body, templates not yet expanded
        self.status, self.error, self.message, self.pattern = None, None, None, False
        self.want_headers, self.want_text, self.eventually = [], "", False
        self.setup = False


class Case:
    def __init__(self, name):
        self.name, self.title = name, ""
        self.steps, self.differs, self.todo = [], {}, None

    def operations(self):
        return [s.operation for s in self.steps if s.operation and s.operation != "clock"]


def split_top(text, separator):
    """Splits at a separator that is not inside braces or brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += c in "{[("
        depth -= c in "}])"
        if c == separator and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return parts + [text[start:]]


def template(text, now):
    """What stands inside @{...}."""
    word, _, rest = text.partition(" ")
    if word == "repeat":  # repeat TEXT N
        what, _, count = rest.rpartition(" ")
        return what * int(count)
    if word == "bytes":  # bytes N: base64 of N zero bytes
        return base64.b64encode(bytes(int(rest))).decode()
    if word == "list":  # list N TEXT: TEXT N times with commas, %d is 0, 1, ...
        count, _, what = rest.partition(" ")
        return ",".join(what.replace("%d", str(i)) for i in range(int(count)))
    if word == "join":  # join SEPARATOR N TEXT; _ in the separator is a space
        separator, count, what = rest.split(" ", 2)
        return separator.replace("_", " ").join(what.replace("%d", str(i)) for i in range(int(count)))
    if word == "nest":  # nest N | BEFORE | AFTER | CORE
        count, before, after, core = [p.strip() for p in rest.split("|")]
        return before * int(count) + core + after * int(count)
    if re.fullmatch(r"now([+-]\d+)?", text):  # seconds
        return str(int(now) + int(text[3:] or 0))
    raise CaseError("unknown template @{%s}" % text)


def expand(text, names, now=None):
    """Replaces $T, $T2 ... and @{...}."""
    now = time.time() if now is None else now
    text = re.sub(r"\$T\d*", lambda m: names(m.group(0)), text)
    while "@{" in text:
        start = text.rindex("@{")  # the innermost of nested ones is behind the outer one's start
        depth, end = 0, start + 1
        while True:
            if end >= len(text):
                raise CaseError("@{ without its }")
            depth += text[end] == "{"
            depth -= text[end] == "}"
            if depth == 0:
                break
            end += 1
        text = text[:start] + template(text[start + 2:end], now) + text[end + 1:]
    return text


def key_schema(words, definitions):
    schema = []
    for word in words:
        m = SCALAR.match(word)
        if not m:
            raise CaseError("a key is written name:S, not " + word)
        definitions[m.group(1)] = m.group(2)
        schema.append({"AttributeName": m.group(1), "KeyType": "HASH" if not schema else "RANGE"})
    return schema


def index(words, definitions, table_hash=None):
    name, keys = words[0], [w for w in words[1:] if SCALAR.match(w)]
    projection = ([w for w in words[1:] if not SCALAR.match(w)] or ["ALL"])[0]
    kind, _, attributes = projection.partition(":")
    made = {"IndexName": name, "Projection": {"ProjectionType": kind}}
    if attributes:
        made["Projection"]["NonKeyAttributes"] = attributes.split(",")
    if table_hash:
        made["KeySchema"] = [{"AttributeName": table_hash, "KeyType": "HASH"}] + \
            [{**k, "KeyType": "RANGE"} for k in key_schema(keys, definitions)]
    else:
        made["KeySchema"] = key_schema(keys, definitions)
    return made


def create_table(text):
    """table NAME pk:S [sk:N] [/ gsi NAME h:S [r:N] [PROJECTION[:a,b]]] [/ lsi NAME r:N ...] [/ stream VIEW]
    [/ provisioned R W]"""
    parts = [p.split() for p in text.split(" / ")]
    definitions, throughput = {}, None
    body = {"TableName": parts[0][0], "KeySchema": key_schema(parts[0][1:], definitions)}
    for p in parts[1:]:
        if p[0] == "gsi":
            body.setdefault("GlobalSecondaryIndexes", []).append(index(p[1:], definitions))
        elif p[0] == "lsi":
            body.setdefault("LocalSecondaryIndexes", []).append(
                index(p[1:], definitions, body["KeySchema"][0]["AttributeName"]))
        elif p[0] == "stream":
            body["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": p[1]}
        elif p[0] == "provisioned":
            throughput = {"ReadCapacityUnits": int(p[1]), "WriteCapacityUnits": int(p[2])}
        else:
            raise CaseError("unknown part of a table: " + p[0])
    body["AttributeDefinitions"] = [{"AttributeName": n, "AttributeType": t} for n, t in definitions.items()]
    if throughput:
        body["ProvisionedThroughput"] = throughput
        for g in body.get("GlobalSecondaryIndexes", []):
            g["ProvisionedThroughput"] = throughput
    else:
        body["BillingMode"] = "PAY_PER_REQUEST"
    return body


def setup_step(case, line, number):
    word, _, rest = line.partition(" ")
    if word == "differs":
        who, _, why = rest.partition(": ")
        case.differs[who.lower()] = why
        return
    if word == "todo":
        case.todo = rest
        return
    step = Step({"table": "CreateTable", "put": "PutItem", "clock": "clock"}[word], number)
    step.setup = True
    if word == "table":
        step.text = json.dumps(create_table(rest))
    elif word == "put":
        table, _, item = rest.partition(" ")
        step.text = '{"TableName":"%s","Item":%s}' % (table, item)
    else:
        step.text = rest
    case.steps.append(step)


def expectation(step, line):
    if line[0] == "<":
        words = line[1:].split()
        step.status = int(words[0])
        step.eventually = words[1:] == ["eventually"]
        return
    step.pattern = line.startswith("!~")
    m = re.fullmatch(r"(?:(\d+) )?(\w+)(?:: (.*))?", line.lstrip("!~ "))
    if not m:
        raise CaseError("an error is written: ! [status] Name: message")
    step.status, step.error, step.message = int(m.group(1) or 400), m.group(2), m.group(3)


def parse(name, text):
    case, step, phase = Case(name), None, None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#"):
            case.title = case.title or line[1:].strip()
        elif line.startswith(">") and line[1:2] != " ":  # >header: value
            header, _, value = line[1:].partition(":")
            if header == "raw":
                step.raw = True
            elif header.startswith("method "):
                step.method, step.path = header.split()[1], line.split()[2]
            else:
                step.headers[header] = value.strip()
        elif line.startswith("> "):
            operation, _, body = line[2:].partition(" ")
            step, phase = Step(operation, number), "text"
            step.text = body
            case.steps.append(step)
        elif line.startswith("<") and line[1:2] != " ":
            header, _, value = line[1:].partition(":")
            step.want_headers.append((header.lower(), value.strip()))
        elif line[:2] in ("< ", "! ", "!~"):
            if step is None or step.status is not None:
                raise CaseError("line %d: an answer without a request" % number)
            expectation(step, line)
            phase = "want_text"
        elif SETUP.match(line) and (phase is None or not line[:1].isspace()):
            setup_step(case, line, number)
            phase = None
        elif line.strip():
            if phase is None:
                raise CaseError("line %d: what is this?" % number)
            setattr(step, phase, getattr(step, phase) + line + "\n")
    if not case.steps:
        raise CaseError("no request")
    if not any(s.status for s in case.steps):
        raise CaseError("nothing is expected")
    return case
