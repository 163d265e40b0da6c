"""Puddle's runtime client for Python: loads the handler, then speaks the Runtime API over one raw
socket (response and next poll in one write). Semantics follow AWS's runtime interface client."""
import decimal
import importlib
import importlib.util
import json
import logging
import os
import re
import socket
import sys
import time
import traceback

PREFIX = "/2018-06-01/runtime/"
_json_logs = False
_request_id = None
_tenant_id = None


# ---- results -----------------------------------------------------------------------------------

class Encoder(json.JSONEncoder):
    def default(self, value):
        if isinstance(value, decimal.Decimal):
            return NumberText(value) if value.is_finite() else float(value)
        return super().default(value)


class NumberText(float):
    """A Decimal as the number it is, digits kept: the encoder asks float for its text."""

    def __new__(cls, value):
        made = float.__new__(cls, value)
        made.text = str(value)
        return made

    def __repr__(self):
        return self.text


def _has_decimals(value, depth=0):
    if isinstance(value, decimal.Decimal):
        return True
    if isinstance(value, dict):
        return depth < 200 and any(_has_decimals(v, depth + 1) for v in value.values())
    if isinstance(value, (list, tuple)):
        return depth < 200 and any(_has_decimals(v, depth + 1) for v in value)
    return False


class DecimalEncoder(Encoder):
    """Python's encoder in Python: the C one writes floats by float.__repr__ itself."""

    def iterencode(self, o, _one_shot=False):
        from json.encoder import _make_iterencode, encode_basestring, encode_basestring_ascii

        def floatstr(value):
            if value != value:
                return "NaN"
            if value in (float("inf"), float("-inf")):
                return "Infinity" if value > 0 else "-Infinity"
            return value.text if isinstance(value, NumberText) else float.__repr__(value)

        text = encode_basestring_ascii if self.ensure_ascii else encode_basestring
        return _make_iterencode({} if self.check_circular else None, self.default, text, None, floatstr,
                                self.key_separator, self.item_separator, self.sort_keys, self.skipkeys, False)(o, 0)


_plain = None
_precise = None


def to_json(value):
    """bytes pass through; as simplejson's defaults write it otherwise."""
    global _plain, _precise
    if isinstance(value, bytes):
        return value
    if _plain is None:
        match = re.search(r"python3\.(\d+)", os.environ.get("AWS_EXECUTION_ENV", ""))
        ascii_only = bool(match) and int(match.group(1)) < 12
        _plain = Encoder(ensure_ascii=ascii_only, allow_nan=True)
        _precise = DecimalEncoder(ensure_ascii=ascii_only, allow_nan=True)
    text = (_precise if _has_decimals(value) else _plain).encode(value)
    return text.encode("utf-8", "strict")


class FaultException(Exception):
    MARSHAL_ERROR = "Runtime.MarshalError"
    UNMARSHAL_ERROR = "Runtime.UnmarshalError"

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.trace = trace


def make_error(message, kind, trace, request_id):
    return {"errorMessage": message or "", "errorType": kind or "", "requestId": request_id or "",
            "stackTrace": trace or []}


# ---- logs --------------------------------------------------------------------------------------

def write_out(text):
    sys.stdout.flush()
    sys.stderr.flush()
    data = text.encode("utf-8", "backslashreplace")
    while data:
        try:
            data = data[os.write(1, data):]
        except BlockingIOError:
            continue
        except OSError:
            return


def log_error(error):
    if _json_logs:
        line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "log_level": "ERROR"}
        line.update(error)
        write_out(json.dumps(line, ensure_ascii=False) + "\n")
        return
    text = "[ERROR]"
    if error.get("errorType"):
        text += " %s" % error["errorType"]
        if error.get("errorMessage"):
            text += ": %s" % error["errorMessage"]
    elif error.get("errorMessage"):
        text += " %s" % error["errorMessage"]
    lines = [text]
    if error.get("stackTrace"):
        lines.append("Traceback (most recent call last):")
        for entry in error["stackTrace"]:
            for line in entry.splitlines():
                stripped = line.lstrip(" ")
                lines.append("\u00a0" * (len(line) - len(stripped)) + stripped)
    write_out("\r".join(lines) + "\n")


class LambdaFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = _request_id or ""
        record.tenant_id = _tenant_id
        return True


class StdoutHandler(logging.StreamHandler):
    """Lines reach the log in the order in which they were written."""

    def emit(self, record):
        try:
            text = self.format(record)
            write_out(text if text.endswith("\n") else text + "\n")
        except Exception:
            self.handleError(record)


_RECORD_FIELDS = {
    "name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text",
    "stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName",
    "processName", "process", "taskName", "aws_request_id", "tenant_id", "_frame_type", "message", "asctime",
}


class JsonFormatter(logging.Formatter):
    def format(self, record):
        line = {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
                "level": record.levelname, "message": record.getMessage(), "logger": record.name}
        if record.stack_info:
            line["stackTrace"] = record.stack_info
        if record.exc_info:
            kind, value, trace = record.exc_info
            line["stackTrace"] = traceback.format_list(traceback.extract_tb(trace))
            line["errorType"] = kind.__name__ if kind else None
            line["errorMessage"] = str(value)
            line["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        line["requestId"] = record.aws_request_id
        for key, value in record.__dict__.items():
            if key not in _RECORD_FIELDS and key not in line:
                line[key] = value
        line = {k: v for k, v in line.items() if v is not None and v != ""}
        return json.dumps(line, ensure_ascii=False, default=str) + "\n"


def setup_logging():
    global _json_logs
    _json_logs = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    logging.Formatter.converter = time.gmtime
    handler = StdoutHandler(sys.stdout)
    if _json_logs:
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(LambdaFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    names = {"TRACE": logging.DEBUG, "DEBUG": logging.DEBUG, "INFO": logging.INFO, "WARN": logging.WARNING,
             "ERROR": logging.ERROR, "FATAL": logging.CRITICAL}
    if _json_logs and level in names:
        root.setLevel(names[level])


# ---- handler -----------------------------------------------------------------------------------

def load_handler(name):
    try:
        module_name, function = name.rsplit(".", 1)
    except ValueError as error:
        raise FaultException("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error))
    try:
        if module_name.split(".")[0] in sys.builtin_module_names:
            raise FaultException("Runtime.BuiltInModuleConflict",
                                 "Cannot use built-in module %s as a handler module" % module_name)
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise FaultException("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        raise FaultException("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error),
                             ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)])
    try:
        return getattr(module, function)
    except AttributeError:
        raise FaultException("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function, module_name))


def error_of(exception, request_id):
    """What AWS answers for an exception of the handler: frames of ours are left out."""
    kind, value, trace = type(exception), exception, exception.__traceback__
    frames = traceback.extract_tb(trace)
    own = os.path.abspath(__file__)
    for i, frame in enumerate(frames):
        if os.path.abspath(frame.filename) != own and not frame.filename.startswith("<frozen importlib"):
            if "importlib" not in frame.filename:
                frames = frames[i:]
                break
    if isinstance(value, FaultException):
        return make_error(value.message, value.kind, value.trace, request_id)
    return make_error(str(value), kind.__name__, traceback.format_list(frames), request_id)


class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]


class Client:
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]


class ClientContext:
    __slots__ = ["custom", "env", "client"]


def _fill(target, names, source, key=None):
    for name in names:
        setattr(target, name, (source or {}).get(name) if source else None)
    return target


class LambdaContext:
    def __init__(self, headers):
        env = os.environ
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.log_group_name = env.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = env.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = env.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        given = headers.get("lambda-runtime-client-context")
        self.client_context = None
        if given:
            data = json.loads(given)
            self.client_context = ClientContext()
            self.client_context.custom = data.get("custom")
            self.client_context.env = data.get("env")
            self.client_context.client = _fill(Client(), Client.__slots__, data.get("client"))
        identity = headers.get("lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity()
        data = json.loads(identity) if identity else {}
        self.identity.cognito_identity_id = data.get("cognitoIdentityId")
        self.identity.cognito_identity_pool_id = data.get("cognitoIdentityPoolId")
        self._deadline = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(int(self._deadline - time.time() * 1000), 0)

    def log(self, message):
        write_out(str(message) + "\n")

    def __repr__(self):
        return "LambdaContext([aws_request_id=%s,log_group_name=%s,log_stream_name=%s,function_name=%s," \
               "memory_limit_in_mb=%s,function_version=%s,invoked_function_arn=%s,client_context=%s,identity=%s," \
               "tenant_id=%s])" % (self.aws_request_id, self.log_group_name, self.log_stream_name,
                                   self.function_name, self.memory_limit_in_mb, self.function_version,
                                   self.invoked_function_arn, self.client_context, self.identity, self.tenant_id)


# ---- Runtime API -------------------------------------------------------------------------------

class RuntimeApi:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.host = ("Host: %s\r\n" % address).encode()
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.skip = 0  # replies that nobody looks at
        self.next = (b"GET " + PREFIX.encode() + b"invocation/next HTTP/1.1\r\n" + self.host +
                     ("User-Agent: puddle-python/%d.%d.%d\r\n\r\n" % sys.version_info[:3]).encode())

    def read_reply(self):
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end >= 0:
                lines = self.buffer[:end].decode("latin-1").split("\r\n")
                headers = {}
                for line in lines[1:]:
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                total = end + 4 + int(headers.get("content-length", 0))
                if len(self.buffer) >= total:
                    body = self.buffer[end + 4:total]
                    self.buffer = self.buffer[total:]
                    return int(lines[0].split(" ")[1]), headers, body
                if total - len(self.buffer) > 65536:
                    parts = [self.buffer]
                    have = len(self.buffer)
                    while have < total:
                        chunk = self.socket.recv(min(1 << 20, total - have))
                        if not chunk:
                            sys.exit(1)
                        parts.append(chunk)
                        have += len(chunk)
                    self.buffer = b"".join(parts)
                    continue
            chunk = self.socket.recv(65536)
            if not chunk:
                sys.exit(1)
            self.buffer += chunk

    def post(self, target, body, kind=None, then_next=True):
        head = "POST %s%s HTTP/1.1\r\n" % (PREFIX, target)
        if kind:
            head += "Lambda-Runtime-Function-Error-Type: %s\r\n" % re.sub(r"[^\x20-\x7e]", "?", kind)
        head = head.encode() + self.host + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self.socket.sendall(head + body + (self.next if then_next else b""))
        if then_next:
            self.skip += 1
        else:
            while self.skip >= 0:
                self.read_reply()
                self.skip -= 1

    def wait_event(self):
        while self.skip > 0:
            self.read_reply()
            self.skip -= 1
        status, headers, body = self.read_reply()
        if status != 200:
            sys.exit(1)
        return headers, body


def run_one(handler, headers, body):
    """The reply's target, body and error type."""
    global _request_id, _tenant_id
    _request_id = headers["lambda-runtime-aws-request-id"]
    _tenant_id = headers.get("lambda-runtime-aws-tenant-id")
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    try:
        context = LambdaContext(headers)
        try:
            event = json.loads(body) if headers.get("content-type") == "application/json" else body
        except Exception as error:
            raise FaultException("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error)
        result = handler(event, context)
        try:
            return "response", to_json(result), None
        except Exception as error:
            raise FaultException("Runtime.MarshalError", "Unable to marshal response: %s" % error)
    except Exception as error:
        facts = error_of(error, _request_id)
        log_error(facts)
        return "error", to_json(facts), facts["errorType"]


def main():
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    root = os.environ.get("LAMBDA_TASK_ROOT", os.getcwd())
    own = os.path.dirname(os.path.abspath(__file__))
    # AWS's order: the code, the layers, then the installation
    sys.path[:] = [root] + ["/opt/python/lib/python%d.%d/site-packages" % sys.version_info[:2], "/opt/python"] + [
        p for p in sys.path if p not in (root, own)]
    sys.stdout.reconfigure(line_buffering=True)
    setup_logging()
    try:
        handler = load_handler(os.environ.get("_HANDLER", ""))
    except Exception as error:
        facts = error_of(error, "")
        log_error(facts)
        api.post("init/error", to_json(facts), facts["errorType"], then_next=False)
        sys.exit(1)
    api.socket.sendall(api.next)
    while True:
        headers, body = api.wait_event()
        try:
            target, reply, kind = run_one(handler, headers, body)
        except SystemExit:
            sys.stdout.flush()
            sys.stderr.flush()
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        api.post("invocation/%s/%s" % (_request_id, target), reply, kind)


def wait_for_function():
    """Started ahead: what is missing comes on standard input."""
    import encodings.idna  # noqa: F401 - what handlers and SDKs want first
    import http.client  # noqa: F401
    import urllib.request  # noqa: F401
    parts = []
    while True:
        part = os.read(0, 65536)
        if not part:
            break
        parts.append(part)
    if not parts:
        os._exit(0)
    message = json.loads(b"".join(parts))
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.environ.clear()
    os.environ.update(variable.split("=", 1) for variable in message["env"])
    os.chdir(message["cwd"])
    sys.argv[:] = sys.argv[:1]


if __name__ == "__main__":
    if sys.argv[1:] == ["--spare"]:
        wait_for_function()
    main()
