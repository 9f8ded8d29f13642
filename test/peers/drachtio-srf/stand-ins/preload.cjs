// Loaded before a test file of drachtio-srf. Provides tape and config, and replaces the addresses of the containers.

const { readFileSync } = require('node:fs');
const Module = require('node:module');

/** The network of their docker-compose file. */
const THEIR_NETWORK = /\b172\.29\.0\./g;
const { prefix } = JSON.parse(process.env.HOPBACK_DRACHTIO_SRF_NETWORK);

const load = Module._load;
Module._load = (request, ...others) => {
  if (request === 'tape') return require('./tape.cjs');
  if (request === 'config') return require('./config.cjs');
  return load(request, ...others);
};

const loadScript = Module._extensions['.js'];
Module._extensions['.js'] = (module, path) => {
  const source = /[/\\]drachtio-srf[/\\]test[/\\]/.test(path) ? readFileSync(path, 'utf8') : '';
  if (THEIR_NETWORK.test(source)) module._compile(source.replaceAll(THEIR_NETWORK, prefix), path);
  else loadScript(module, path);
};
