#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { HARNESS_VERSION } from '../index.js';

const USAGE = `hopback-harness ${HARNESS_VERSION}

  --version   print the version
  --help      print this

This release has no commands yet.
`;

process.exitCode = main(process.argv.slice(2));

function main(argv: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { version: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.version === true) process.stdout.write(`${HARNESS_VERSION}\n`);
  else process.stdout.write(USAGE);
  return positionals.length === 0 ? 0 : 2;
}
