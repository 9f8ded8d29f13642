#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { HARNESS_VERSION } from '../index.js';
import { runDemo } from './demo.js';

const USAGE = `hopback-harness ${HARNESS_VERSION}

  demo        sign a call, verify it over HTTPS, explain the verdict, then meddle with the call
  --version   print the version
  --help      print this
`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { version: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
    strict: false,
  });
  const [command, ...more] = positionals;
  const { env, stdout } = process;
  // A reader that goes away has seen enough.
  stdout.on('error', () => undefined);
  if (values['version'] === true) stdout.write(`${HARNESS_VERSION}\n`);
  else if (command === 'demo' && more.length === 0) {
    const isPlain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
    return runDemo({ write: (text) => void stdout.write(text), color: stdout.isTTY && !isPlain });
  } else stdout.write(USAGE);
  return command === undefined ? 0 : 2;
}
