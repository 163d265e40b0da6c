// Puddle's runtime client for Node.js 18 and newer: loads the handler, then speaks the Runtime API
// over one raw socket (response and next poll in one write). Semantics follow AWS's runtime client
// 3.x (4.x for nodejs24.x): the first of callback, context.succeed/fail/done and the promise wins; a
// callback's value is held until the event loop is empty unless
// context.callbackWaitsForEmptyEventLoop is false.
'use strict';
const fs = require('fs');
const net = require('net');
const path = require('path');
const util = require('util');
const Module = require('module');

const PREFIX = '/2018-06-01/runtime/';
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
let taskRoot, api, socket, version24;
let requestId; // of the running invocation; undefined before the first
let current = null; // the running invocation's state
let handler;
let warned = false;

// ---- logs -------------------------------------------------------------------------------------

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
let jsonLogs = false;
let minimum = 0;

function writeOut(text) {
  let bytes = Buffer.from(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(fs.writeSync(1, bytes));
    } catch (error) {
      if (error.code !== 'EAGAIN') return; // nobody reads any more
    }
  }
}

function errorFacts(error) {
  return {
    errorType: (error.constructor && error.constructor.name) || 'UnknownError',
    errorMessage: error.message,
    stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : [error.stack],
  };
}

const replaceError = (key, value) => (value instanceof Error ? { ...errorFacts(value), ...value } : value);

function jsonLine(level, args) {
  const line = { timestamp: new Date().toISOString(), level, requestId };
  if (args.length === 1) {
    line.message = args[0];
    try {
      return JSON.stringify(line, replaceError);
    } catch {
      line.message = util.format(line.message);
      return JSON.stringify(line);
    }
  }
  line.message = util.format(...args);
  const error = args.find((arg) => arg instanceof Error);
  if (error) Object.assign(line, errorFacts(error));
  return JSON.stringify(line);
}

function logLine(level, args) {
  if (LEVELS[level] < minimum) return;
  if (jsonLogs) {
    writeOut(jsonLine(level, args) + '\n');
    return;
  }
  const id = requestId === undefined && version24 ? '-' : requestId;
  const text = util.format(...args).replace(/\n/g, '\r');
  writeOut(`${new Date().toISOString()}\t${id}\t${level}\t${text}\n`);
}

function patchConsole() {
  jsonLogs = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  if (jsonLogs) minimum = LEVELS[(process.env.AWS_LAMBDA_LOG_LEVEL || '').toUpperCase()] || 0;
  for (const [method, level] of Object.entries({
    log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE', fatal: 'FATAL',
  })) {
    console[method] = (...args) => logLine(level, args);
  }
}

// ---- errors -----------------------------------------------------------------------------------

function isError(value) {
  return util.types.isNativeError(value) ||
    (value && value.name && value.message !== undefined && value.stack);
}

function describe(error) {
  try {
    if (isError(error)) {
      return { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
    }
    return { errorType: typeof error, errorMessage: error.toString(), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of ' +
        'its message, name, and stack',
    };
  }
}

function namedError(name, message, cause) {
  const error = new Error(message);
  error.name = name;
  if (cause && cause.stack) error.stack = `${name}: ${message}\n${cause.stack.split('\n').slice(1).join('\n')}`;
  return error;
}

function errorJson(error) {
  return JSON.stringify(describe(error)).replace(/\x7f/g, '%7F');
}

function logError(title, error) {
  const facts = describe(error);
  if (jsonLogs) {
    logLine('ERROR', [{ errorType: facts.errorType, errorMessage: facts.errorMessage, stackTrace: facts.trace }]);
    return;
  }
  let more = {};
  try {
    more = Object.assign({}, error);
    JSON.stringify(more);
  } catch {
    more = {};
  }
  logLine('ERROR', [`${title} \t${JSON.stringify({
    errorType: facts.errorType, errorMessage: facts.errorMessage, ...more, stack: facts.trace,
  })}`]);
}

// ---- Runtime API ------------------------------------------------------------------------------

const waiting = []; // what to do with each reply still to come, in order
let pending = null; // bytes of a message that is not complete yet
let HOST, NEXT;

function connect() {
  const colon = api.lastIndexOf(':');
  HOST = `Host: ${api}\r\n`;
  NEXT = `GET ${PREFIX}invocation/next HTTP/1.1\r\n${HOST}User-Agent: puddle-nodejs/${process.versions.node}\r\n\r\n`;
  socket = net.connect({
    host: api.slice(0, colon),
    port: Number(api.slice(colon + 1)),
    onread: { buffer: Buffer.allocUnsafe(65536), callback: onBytes },
  });
  socket.setNoDelay(true);
  socket.on('error', () => process.exit(1));
  socket.on('close', () => process.exit(1));
}

function onBytes(n, buffer) {
  let bytes = buffer.subarray(0, n);
  if (pending !== null) {
    pending.parts.push(Buffer.from(bytes));
    pending.n += n;
    if (pending.n < pending.need) return true;
    bytes = Buffer.concat(pending.parts);
    pending = null;
  }
  for (;;) {
    const end = bytes.indexOf('\r\n\r\n');
    let need = bytes.length + 1;
    if (end >= 0) {
      const head = bytes.latin1Slice(0, end);
      const at = head.indexOf('Content-Length: ');
      need = end + 4 + (at < 0 ? 0 : parseInt(head.slice(at + 16, at + 32), 10));
      if (bytes.length >= need) {
        waiting.shift()(head, bytes.subarray(end + 4, need));
        if (bytes.length === need) return true;
        bytes = bytes.subarray(need);
        continue;
      }
    }
    pending = { parts: [Buffer.from(bytes)], n: bytes.length, need };
    return true;
  }
}

function headersOf(head) {
  const headers = {};
  for (const line of head.split('\r\n').slice(1)) {
    const at = line.indexOf(':');
    headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
  }
  return headers;
}

const ignore = () => {};

// One post and the next poll (or an end) in one write.
function post(target, body, type, then, exitCode) {
  const extra = type ? `Lambda-Runtime-Function-Error-Type: ${type.replace(/[^\x20-\x7e]/g, '?')}\r\n` : '';
  const head = `POST ${PREFIX}${target} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\n` +
    `${extra}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.ref();
  if (exitCode === undefined) {
    waiting.push(ignore, onEvent);
    if (typeof body === 'string') socket.write(head + body + NEXT);
    else socket.write(Buffer.concat([Buffer.from(head), body, Buffer.from(NEXT)]));
  } else {
    waiting.push(() => process.exit(exitCode));
    socket.write(head + body);
  }
}

function poll() {
  socket.ref();
  waiting.push(onEvent);
  socket.write(NEXT);
}

// ---- handler ----------------------------------------------------------------------------------

const EXTENSIONS = ['', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];

function nearestIsModule(file) {
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')).type === 'module';
    } catch {
      if (dir === path.dirname(dir) || dir === taskRoot) return false;
    }
  }
}

let typescriptReady = false;

// TypeScript runs as it is: esbuild of the project's own node_modules, one file at a time.
function installTypeScript(file) {
  if (typescriptReady) return;
  typescriptReady = true;
  let esbuild;
  try {
    esbuild = require(require.resolve('esbuild', { paths: [path.dirname(file), taskRoot] }));
  } catch {
    if (process.features.typescript) return;
    throw namedError('Runtime.ImportModuleError',
      `${path.basename(file)} is TypeScript: install esbuild in the project (npm install esbuild)`);
  }
  const compile = (module, filename) => {
    const { code } = esbuild.transformSync(fs.readFileSync(filename, 'utf8'), {
      loader: 'ts', format: 'cjs', target: 'node18', sourcemap: 'inline', sourcefile: filename,
      define: { 'import.meta.url': '__puddle_url' },
      banner: `const __puddle_url = require('url').pathToFileURL(__filename).href;`,
    });
    module._compile(code, filename);
  };
  for (const extension of ['.ts', '.mts', '.cts']) Module._extensions[extension] = compile;
  process.setSourceMapsEnabled(true);
}

async function loadModule(dir, name) {
  const base = path.resolve(dir, name);
  for (const extension of EXTENSIONS) {
    const file = base + extension;
    if (!fs.existsSync(file) || !fs.statSync(file).isFile()) continue;
    if (/\.[mc]?ts$/.test(file)) installTypeScript(file);
    const isModule = file.endsWith('.mjs') || (/\.js$/.test(file) && nearestIsModule(file));
    return isModule ? import(require('url').pathToFileURL(file).href) : Module.createRequire(file)(file);
  }
  return require(require.resolve(name, { paths: [taskRoot, dir] }));
}

async function loadHandler() {
  const full = process.env._HANDLER || '';
  if (full.includes('..')) {
    throw namedError('Runtime.MalformedHandlerName',
      `'${full}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const name = path.basename(full);
  const dot = name.indexOf('.');
  if (dot < 0) throw namedError('Runtime.MalformedHandlerName', 'Bad handler');
  const dir = path.resolve(taskRoot, full.slice(0, full.length - name.length));
  let loaded;
  try {
    loaded = await loadModule(dir, name.slice(0, dot));
  } catch (error) {
    if (error instanceof SyntaxError) throw namedError('Runtime.UserCodeSyntaxError', String(error), error);
    if (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND') {
      throw namedError('Runtime.ImportModuleError', String(error), error);
    }
    throw error;
  }
  const found = name.slice(dot + 1).split('.').reduce((value, key) => value && value[key], loaded);
  if (found === undefined || found === null) {
    throw namedError('Runtime.HandlerNotFound', `${full} is undefined or not exported`);
  }
  if (typeof found !== 'function') throw namedError('Runtime.HandlerNotFound', `${full} is not a function`);
  return found;
}

// ---- one invocation -----------------------------------------------------------------------------

function respond(invocation, value) {
  let body;
  try {
    body = JSON.stringify(value === undefined ? null : value);
    if (body === undefined) body = 'null';
  } catch (cause) {
    fail(invocation, namedError('Runtime.MarshalError', `Unable to stringify response body: ${cause.message}`, cause));
    return;
  }
  current = null;
  post(`invocation/${invocation.id}/response`, body);
}

function fail(invocation, error) {
  logError('Invoke Error', error);
  current = null;
  post(`invocation/${invocation.id}/error`, errorJson(error), describe(error).errorType);
}

// First caller wins. wait: hold a success until the loop is empty, if the context says so.
function settle(invocation, error, value, wait) {
  if (invocation.finished) {
    if (wait && invocation.byPromise && !warned) {
      warned = true;
      logLine('WARN', ['puddle: a callback came after the promise had settled; its value is ignored, as on AWS']);
    }
    return;
  }
  invocation.finished = true;
  invocation.byPromise = !wait;
  if (error !== undefined && error !== null) {
    fail(invocation, error);
  } else if (wait && invocation.context.callbackWaitsForEmptyEventLoop) {
    invocation.held = () => respond(invocation, value);
  } else {
    respond(invocation, value);
  }
}

process.on('beforeExit', () => {
  const invocation = current;
  if (invocation === null) return;
  if (invocation.held) {
    invocation.held();
  } else if (!invocation.finished && !invocation.stream) { // nothing left that could still answer
    invocation.finished = true;
    respond(invocation, null);
  }
});

function makeContext(invocation, headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const parse = (text) => (text ? JSON.parse(text) : undefined);
  const env = invocation.env;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.version,
    functionName: env.name,
    memoryLimitInMB: env.memory,
    logGroupName: env.group,
    logStreamName: env.stream,
    clientContext: parse(headers['lambda-runtime-client-context']),
    identity: parse(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: invocation.id,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    succeed: (value) => settle(invocation, null, value, true),
    fail: (error) => settle(invocation, error === undefined || error === null ? 'handled' : error, undefined, true),
    done: (error, value) => settle(invocation, error, value, true),
  };
}

let fixed; // of the context, read once

const orText = (error) => (error === undefined || error === null ? String(error) : error);

function onEvent(head, body) {
  if (!head.startsWith('HTTP/1.1 200')) process.exit(1);
  const headers = headersOf(head);
  const invocation = {
    id: headers['lambda-runtime-aws-request-id'], finished: false, byPromise: false, held: null, stream: null,
    context: null, env: fixed,
  };
  requestId = invocation.id;
  current = invocation;
  socket.unref();
  if (headers['lambda-runtime-trace-id']) process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  let result;
  try {
    invocation.context = makeContext(invocation, headers);
    const event = JSON.parse(body.toString('utf8'));
    if (handler[STREAMING] !== undefined) {
      runStreaming(invocation, event);
      return;
    }
    result = handler(event, invocation.context, (error, value) => settle(invocation, error, value, true));
  } catch (error) {
    settle(invocation, orText(error), undefined, false);
    return;
  }
  if (result && typeof result.then === 'function') {
    result.then((value) => settle(invocation, null, value, false),
      (error) => settle(invocation, orText(error), undefined, false));
  }
}

// ---- streamed responses -------------------------------------------------------------------------

function makeStream(invocation) {
  const { Writable } = require('stream');
  const mark = Number(handler[HIGH_WATER_MARK]);
  let type = 'application/octet-stream';
  let before = null; // runs ahead of the first byte: HttpResponseStream's prelude
  const state = { started: false, done: false };
  const frame = (bytes) => Buffer.concat([Buffer.from(bytes.length.toString(16) + '\r\n'), bytes, Buffer.from('\r\n')]);
  const begin = () => {
    if (state.started) return;
    state.started = true;
    const first = before ? before() : null;
    socket.ref();
    socket.write(`POST ${PREFIX}invocation/${invocation.id}/response HTTP/1.1\r\n${HOST}Content-Type: ${type}\r\n` +
      'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n' +
      'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n');
    if (first) socket.write(frame(first));
  };
  const end = (trailers) => {
    state.done = true;
    current = null;
    waiting.push(ignore, onEvent);
    socket.write(`0\r\n${trailers}\r\n${NEXT}`);
  };
  const stream = new Writable({
    highWaterMark: mark > 0 ? mark : 64 * 1024,
    write(chunk, encoding, done) {
      if (state.done) {
        done();
        return;
      }
      begin();
      const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, encoding);
      if (bytes.length === 0) done();
      else socket.write(frame(bytes), done);
    },
    final(done) {
      if (!state.done) {
        begin();
        state.finish = () => end('');
      }
      done();
    },
  });
  stream.setContentType = (given) => { type = String(given).replace(/[\r\n]/g, ''); };
  stream._onBeforeFirstWrite = null;
  stream.puddlePrelude = (fn) => { before = fn; };
  state.failLate = (error) => {
    begin();
    const encoded = Buffer.from(errorJson(error)).toString('base64');
    end(`Lambda-Runtime-Function-Error-Type: ${String(describe(error).errorType).replace(/[^\x20-\x7e]/g, '?')}\r\n` +
      `Lambda-Runtime-Function-Error-Body: ${encoded}\r\n`);
  };
  return { stream, state };
}

function runStreaming(invocation, event) {
  const { stream, state } = makeStream(invocation);
  invocation.stream = stream;
  let settled = false;
  const failStream = (error) => {
    if (state.done) return;
    if (!state.started) {
      state.done = true;
      fail(invocation, error);
      return;
    }
    logError('Invoke Error', error);
    state.failLate(error);
  };
  const maybeFinish = () => {
    if (settled && state.finish && !state.done) state.finish();
  };
  stream.on('error', failStream);
  stream.on('finish', maybeFinish);
  let result;
  try {
    result = handler(event, stream, invocation.context);
  } catch (error) {
    failStream(orText(error));
    return;
  }
  if (!result || typeof result.then !== 'function') {
    failStream(namedError('Runtime.MalformedStreamingHandler', 'Streaming does not support non-async handlers.'));
    return;
  }
  result.then(() => { settled = true; maybeFinish(); }, (error) => failStream(orText(error)));
}

globalThis.awslambda = {
  streamifyResponse(fn, options) {
    fn[STREAMING] = 'response';
    if (options && options.highWaterMark !== undefined) fn[HIGH_WATER_MARK] = parseInt(options.highWaterMark, 10);
    return fn;
  },
  HttpResponseStream: class HttpResponseStream {
    static from(stream, prelude) {
      stream.setContentType('application/vnd.awslambda.http-integration-response');
      stream.puddlePrelude(() => Buffer.concat([Buffer.from(JSON.stringify(prelude)), Buffer.alloc(8)]));
      return stream;
    }
  },
};

// ---- ends ---------------------------------------------------------------------------------------

function dieWith(error, title, code) {
  logError(title, error);
  const target = current ? `invocation/${current.id}/error` : 'init/error';
  const streaming = current && current.stream && current.stream.writableLength !== undefined;
  current = null;
  if (streaming) process.exit(code);
  post(target, errorJson(error), describe(error).errorType, null, code);
}

process.on('unhandledRejection', (reason) => {
  const error = namedError('Runtime.UnhandledPromiseRejection', String(reason));
  if (reason && reason.stack) error.stack = `Runtime.UnhandledPromiseRejection: ${reason}\n${reason.stack}`;
  error.reason = reason;
  dieWith(error, 'Unhandled Promise Rejection', 128);
});
process.on('uncaughtException', (error) => dieWith(error, 'Uncaught Exception', 129));

// ---- start --------------------------------------------------------------------------------------

function checkSignature() {
  if (!version24 || handler.length < 3 || handler[STREAMING] !== undefined) return;
  if (process.env.PUDDLE_STRICT) {
    throw namedError('Runtime.CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need ' +
      'to modify this function to use a supported handler signature to use Node.js 24 or later. For more information ' +
      'see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.');
  }
  logLine('WARN', ['puddle: the handler declares 3 parameters (callback). AWS nodejs24.x refuses it at init ' +
    '(Runtime.CallbackHandlerDeprecated); it works on nodejs22.x and older']);
}

function start() {
  const env = process.env;
  taskRoot = env.LAMBDA_TASK_ROOT || process.cwd();
  api = env.AWS_LAMBDA_RUNTIME_API;
  version24 = /^AWS_Lambda_nodejs(2[4-9]|[3-9]\d)/.test(env.AWS_EXECUTION_ENV || '');
  fixed = {
    version: env.AWS_LAMBDA_FUNCTION_VERSION, name: env.AWS_LAMBDA_FUNCTION_NAME,
    memory: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE, group: env.AWS_LAMBDA_LOG_GROUP_NAME,
    stream: env.AWS_LAMBDA_LOG_STREAM_NAME,
  };
  patchConsole();
  connect();
  loadHandler().then((loaded) => {
    handler = loaded;
    checkSignature();
    poll();
  }).catch((error) => dieWith(error, 'Uncaught Exception', 1));
}

// Started ahead: everything but the function is there. What is missing comes on standard input.
function waitForFunction() {
  for (const name of ['stream', 'crypto', 'tls', 'zlib', 'dns', 'child_process', 'querystring', 'stream/promises']) {
    require(name); // what handlers and SDKs want first
  }
  const parts = [];
  for (;;) { // nothing else is to be done meanwhile
    const part = Buffer.allocUnsafe(65536);
    const n = fs.readSync(0, part);
    if (n === 0) break;
    parts.push(part.subarray(0, n));
  }
  if (parts.length === 0) process.exit(0);
  const message = JSON.parse(Buffer.concat(parts).toString('utf8'));
  fs.closeSync(0);
  fs.openSync('/dev/null', 'r'); // becomes descriptor 0
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const variable of message.env) {
    const at = variable.indexOf('=');
    process.env[variable.slice(0, at)] = variable.slice(at + 1);
  }
  process.chdir(message.cwd);
  process.argv.length = 2;
  Module._initPaths(); // NODE_PATH
  start();
}

if (process.argv[2] === '--spare') waitForFunction();
else start();
