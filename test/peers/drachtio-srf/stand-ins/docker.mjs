#!/usr/bin/env node
// Stands in for `docker run … drachtio/sipp sipp …`: starts the SIPp of this machine on an address of this run, and records its exit code.

import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';

const network = JSON.parse(process.env.HOPBACK_DRACHTIO_SRF_NETWORK);
const asked = process.argv.slice(2);
const sipp = asked.slice(asked.indexOf('sipp') + 1);
const isCallee = asked.includes('--name');
const scenario = basename(sipp[sipp.indexOf('-sf') + 1]);

const { status } = spawnSync(
  network.sipp,
  [
    ...sipp.map((word) =>
      word === 'drachtio-sut' ? network.sut : word.endsWith(scenario) ? join(network.scenarios, scenario) : word,
    ),
    ...['-i', isCallee ? network.namedCallee : network.caller, ...(isCallee ? ['-p', '5060'] : [])],
    // SIPp plans for 50,000 sockets otherwise.
    ...['-max_socket', '100', '-timeout', '90s', '-timeout_error'],
  ],
  { stdio: 'inherit' },
);
appendFileSync(network.runs, `${JSON.stringify({ scenario, exitCode: status ?? -1 })}\n`);
process.exit(status ?? 1);
