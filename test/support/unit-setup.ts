import { Socket as DatagramSocket } from 'node:dgram';
import { Server, Socket } from 'node:net';

/** Larger than any WebAssembly module of Node itself, smaller than PGlite. */
const SMALL_MODULE_BYTES = 1_048_576;

function refused(what: string): never {
  throw new Error(`a unit test opens ${what}: it belongs in test/integration`);
}

// Unit tests open no socket and no database.
Server.prototype.listen = () => refused('a socket');
Socket.prototype.connect = () => refused('a socket');
DatagramSocket.prototype.bind = () => refused('a socket');
const { WebAssembly: engine } = globalThis as unknown as {
  readonly WebAssembly: { compile: (bytes: Uint8Array) => Promise<unknown> };
};
const { compile } = engine;
engine.compile = (bytes) => (bytes.byteLength > SMALL_MODULE_BYTES ? refused('PGlite') : compile(bytes));
const dlopen = process.dlopen.bind(process);
process.dlopen = (module, filename, flags) =>
  filename.includes('duckdb') ? refused('DuckDB') : dlopen(module, filename, flags);
