// Puddle's runtime client for Node.js 18 and newer: loads the handler, then speaks the Runtime API
// over one raw socket (response and next poll in one write). Semantics follow AWS's runtime client
// 3.x: the first of callback, context.succeed/fail/done and the promise wins; a callback's value is
// held until the event loop is empty unless context.callbackWaitsForEmptyEventLoop is false.
'use strict';
const fs = require('fs');
const net = require('net');
const path = require('path');
const util = require('util');
const Module = require('module');

const taskRoot = process.env.LAMBDA_TASK_ROOT || process.cwd();
const api = process.env.AWS_LAMBDA_RUNTIME_API;
const colon = api.lastIndexOf(':');
const PREFIX = '/2018-06-01/runtime/';
let requestId; // of the running invocation; undefined before the first
let current = null; // the running invocation's state

// ---- logs -------------------------------------------------------------------------------------

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

const jsonLogs = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';

function logLine(level, args) {
  const timestamp = new Date().toISOString();
  if (jsonLogs) {
    const message = args.length === 1 && typeof args[0] === 'object' && args[0] !== null &&
      !(args[0] instanceof Error) ? args[0] : util.format(...args);
    writeOut(JSON.stringify({ timestamp, level, requestId, message }) + '\n');
    return;
  }
  const text = util.format(...args).replace(/\n/g, '\r');
  writeOut(`${timestamp}\t${requestId}\t${level}\t${text}\n`);
}

for (const [method, level] of Object.entries({
  log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', debug: 'DEBUG', trace: 'TRACE',
})) {
  console[method] = (...args) => logLine(level, args);
}

// ---- errors -----------------------------------------------------------------------------------

function describe(error) {
  if (util.types.isNativeError(error) || (error && error.name && error.message !== undefined && error.stack)) {
    return {
      errorType: error.name,
      errorMessage: error.message,
      trace: String(error.stack).split('\n'),
    };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
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
  logLine('ERROR', [`${title} \t${JSON.stringify({
    errorType: facts.errorType, errorMessage: facts.errorMessage, ...Object.assign({}, error), stack: facts.trace,
  })}`]);
}

// ---- Runtime API ------------------------------------------------------------------------------

const socket = net.connect({ host: api.slice(0, colon), port: Number(api.slice(colon + 1)) });
socket.setNoDelay(true);
socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(1));

const waiting = []; // what to do with each reply still to come, in order
let received = Buffer.alloc(0);

socket.on('data', (chunk) => {
  received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
  for (;;) {
    const end = received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const lines = received.toString('latin1', 0, end).split('\r\n');
    const headers = {};
    for (let i = 1; i < lines.length; i++) {
      const at = lines[i].indexOf(':');
      headers[lines[i].slice(0, at).toLowerCase()] = lines[i].slice(at + 1).trim();
    }
    const total = end + 4 + Number(headers['content-length'] || 0);
    if (received.length < total) return;
    const body = received.subarray(end + 4, total);
    received = received.subarray(total);
    waiting.shift()(Number(lines[0].split(' ')[1]), headers, body);
  }
});

function formatPost(target, body, type) {
  const bytes = Buffer.from(body);
  const extra = type ? `Lambda-Runtime-Function-Error-Type: ${type.replace(/[^\x20-\x7e]/g, '?')}\r\n` : '';
  return [Buffer.from(`POST ${PREFIX}${target} HTTP/1.1\r\nHost: ${api}\r\nContent-Type: application/json\r\n` +
    `${extra}Content-Length: ${bytes.length}\r\n\r\n`), bytes];
}

const NEXT = Buffer.from(`GET ${PREFIX}invocation/next HTTP/1.1\r\nHost: ${api}\r\n\r\n`);

// Sends the parts, expecting one reply to each post before the next event.
function postAndPoll(post) {
  socket.ref();
  if (post) waiting.push(() => {});
  waiting.push(onEvent);
  socket.write(post ? Buffer.concat([...post, NEXT]) : NEXT);
}

function postAndExit(post, code) {
  socket.ref();
  waiting.push(() => process.exit(code));
  socket.write(Buffer.concat(post));
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
    });
    module._compile(code, filename);
  };
  for (const extension of ['.ts', '.mts', '.cts']) Module._extensions[extension] = compile;
  process.setSourceMapsEnabled(true);
}

async function loadModule(base) {
  for (const extension of EXTENSIONS) {
    const file = base + extension;
    if (!fs.existsSync(file) || !fs.statSync(file).isFile()) continue;
    if (/\.[mc]?ts$/.test(file)) installTypeScript(file);
    const isModule = file.endsWith('.mjs') || (/\.js$/.test(file) && nearestIsModule(file));
    return isModule ? import(require('url').pathToFileURL(file).href) : Module.createRequire(file)(file);
  }
  const resolved = require.resolve(base, { paths: [taskRoot] });
  return require(resolved);
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
  const base = path.resolve(taskRoot, full.slice(0, full.length - name.length), name.slice(0, dot));
  let loaded;
  try {
    loaded = await loadModule(base);
  } catch (error) {
    if (error instanceof SyntaxError) throw namedError('Runtime.UserCodeSyntaxError', String(error), error);
    if (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND') {
      throw namedError('Runtime.ImportModuleError', String(error), error);
    }
    throw error;
  }
  const wanted = name.slice(dot + 1);
  const find = (from) => wanted.split('.').reduce((value, key) => value && value[key], from);
  let handler = find(loaded);
  if (handler === undefined && loaded && loaded.default) handler = find(loaded.default);
  if (handler === undefined) throw namedError('Runtime.HandlerNotFound', `${full} is undefined or not exported`);
  if (typeof handler !== 'function') throw namedError('Runtime.HandlerNotFound', `${full} is not a function`);
  return handler;
}

let handler;
let warned = false;

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
  postAndPoll(formatPost(`invocation/${invocation.id}/response`, body));
}

function fail(invocation, error) {
  logError('Invoke Error', error);
  current = null;
  postAndPoll(formatPost(`invocation/${invocation.id}/error`, errorJson(error), describe(error).errorType));
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
  } else if (!invocation.finished) { // nothing left that could still answer
    invocation.finished = true;
    respond(invocation, null);
  }
});

function makeContext(invocation, headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const parse = (text) => (text ? JSON.parse(text) : undefined);
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse(headers['lambda-runtime-client-context']),
    identity: parse(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: invocation.id,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    succeed: (value) => settle(invocation, null, value, true),
    fail: (error) => settle(invocation, error === undefined || error === null ? 'handled' : error, undefined, true),
    done: (error, value) => settle(invocation, error, value, true),
  };
  return context;
}

function onEvent(status, headers, body) {
  if (status !== 200) process.exit(1);
  const invocation = { id: headers['lambda-runtime-aws-request-id'], finished: false, held: null };
  requestId = invocation.id;
  current = invocation;
  socket.unref();
  if (headers['lambda-runtime-trace-id']) process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
  let result;
  try {
    invocation.context = makeContext(invocation, headers);
    const event = JSON.parse(body.toString('utf8'));
    result = handler(event, invocation.context, (error, value) => settle(invocation, error, value, true));
  } catch (error) {
    settle(invocation, error === undefined || error === null ? String(error) : error, undefined, false);
    return;
  }
  if (result && typeof result.then === 'function') {
    result.then((value) => settle(invocation, null, value, false),
      (error) => settle(invocation, error === undefined || error === null ? String(error) : error, undefined, false));
  }
}

function dieWith(error, title, code) {
  logError(title, error);
  const target = current ? `invocation/${current.id}/error` : 'init/error';
  current = null;
  postAndExit(formatPost(target, errorJson(error), describe(error).errorType), code);
}

process.on('unhandledRejection', (reason) => {
  const error = namedError('Runtime.UnhandledPromiseRejection', reason && reason.message ? String(reason) : String(reason));
  if (reason && reason.stack) error.stack = `Runtime.UnhandledPromiseRejection: ${reason}\n${reason.stack}`;
  error.reason = reason;
  dieWith(error, 'Unhandled Promise Rejection', 128);
});
process.on('uncaughtException', (error) => dieWith(error, 'Uncaught Exception', 129));

loadHandler().then((loaded) => {
  handler = loaded;
  if (handler.length >= 3 && /^AWS_Lambda_nodejs(2[4-9]|[3-9]\d)/.test(process.env.AWS_EXECUTION_ENV || '')) {
    logLine('WARN', ['puddle: the handler declares 3 parameters (callback). AWS nodejs24.x refuses it at init ' +
      '(Runtime.CallbackHandlerDeprecated); it works on nodejs22.x and older']);
  }
  postAndPoll(null);
}, (error) => dieWith(error, 'Uncaught Exception', 1));
