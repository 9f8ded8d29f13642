// Loaded before a test file of drachtio-srf: gives it tape and its configuration, and the addresses of the network that was made for it.

const { readFileSync } = require('node:fs');
const Module = require('node:module');

/** As their docker-compose file has it, and ours in its place. */
const THEIR_NETWORK = /\b172\.29\.0\./g;
const { prefix, servers } = JSON.parse(process.env.HOPBACK_DRACHTIO_SRF_NETWORK);

const config = { get: (name) => ({ enablePing: true, pingInterval: 5_000, ...servers[name] }) };

const load = Module._load;
Module._load = (request, ...others) => {
  if (request === 'tape') return require('./tape.cjs');
  if (request === 'config') return config;
  return load(request, ...others);
};

const loadScript = Module._extensions['.js'];
Module._extensions['.js'] = (module, path) => {
  const source = /[/\\]drachtio-srf[/\\]test[/\\]/.test(path) ? readFileSync(path, 'utf8') : '';
  if (THEIR_NETWORK.test(source)) module._compile(source.replaceAll(THEIR_NETWORK, prefix), path);
  else loadScript(module, path);
};
