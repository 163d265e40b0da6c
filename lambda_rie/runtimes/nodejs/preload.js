// Loaded into every Node.js handler by NODE_OPTIONS: requests meant for AWS hosts go to Puddle over
// plain HTTP, with their Host header kept (it names service and region). aws-sdk v2 needs this: it
// ignores AWS_ENDPOINT_URL. Every other host is left alone.
'use strict';
const http = require('http');
const https = require('https');

const target = process.env.PUDDLE_ENDPOINT_URL ? new URL(process.env.PUDDLE_ENDPOINT_URL) : null;
const AWS_HOST = /(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$/i;

if (target) {
  const agent = new http.Agent({ keepAlive: true });
  const plainRequest = http.request;

  const hostOf = (options) => {
    const host = options.hostname || options.host || '';
    return String(host).replace(/:\d+$/, '');
  };

  const wrap = (original, protocol) => function request(...args) {
    let options = {};
    let rest = args;
    if (typeof args[0] === 'string' || args[0] instanceof URL) {
      const url = new URL(args[0]);
      options = { protocol: url.protocol, hostname: url.hostname, port: url.port, path: url.pathname + url.search };
      rest = args.slice(1);
    }
    if (rest[0] && typeof rest[0] === 'object') {
      options = { ...options, ...rest[0] };
      rest = rest.slice(1);
    }
    const host = hostOf(options);
    if (!AWS_HOST.test(host)) return original.apply(this, args);
    const headers = Array.isArray(options.headers) ? options.headers : { ...options.headers };
    if (!Array.isArray(headers) && !Object.keys(headers).some((name) => name.toLowerCase() === 'host')) {
      headers.Host = host;
    }
    const sent = {
      ...options, headers, agent, protocol: 'http:', host: target.hostname, hostname: target.hostname,
      port: target.port || 80, setHost: false,
    };
    delete sent.servername;
    delete sent.socketPath;
    delete sent.defaultPort;
    delete sent.createConnection;
    void protocol;
    return plainRequest.call(http, sent, ...rest);
  };

  for (const [module, protocol] of [[http, 'http:'], [https, 'https:']]) {
    module.request = wrap(module.request, protocol);
    const { request } = module;
    module.get = function get(...args) {
      const sent = request.apply(this, args);
      sent.end();
      return sent;
    };
  }
  require('module').syncBuiltinESMExports();
}
