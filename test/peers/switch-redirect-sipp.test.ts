import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import { createCliLab } from '../support/cli-lab.js';
import { startCommand } from '../support/cli-records-lab.js';
import { createLiveLab } from './sipp/live-lab.js';
import { flawless, sippCalls, type SippTransport } from './sipp/run-sipp.js';

/** As the guide has them, for this machine. */
const GUIDE = 'docs/switches/redirect.md';
const CALLS = 40;
const SECRET = 'a secret of your own';
const NUMBERS = { caller: '12025550101', called: '12025550199' };

async function rulesOfGuide(): Promise<string> {
  const [, rules] = /```json\n(\[[\s\S]*?\n\])\n```/.exec(await readFile(GUIDE, 'utf8')) ?? [];
  if (rules === undefined) throw new Error(`there are no rules in ${GUIDE}`);
  return rules;
}

describePeer('sipp', 'SIPp as the SBC of the guide', () => {
  test.each<SippTransport>(['udp', 'tcp'])(
    'has its calls signed and verified over %s by hopback redirect, and spoofed ones end with 603',
    async (transport) => {
      await using cli = await createCliLab(Date.now());
      await using lab = await createLiveLab({ control: { port: 0, secret: SECRET } });
      const { host, port } = lab.server.control;
      const command = startCommand([
        ...['redirect', '--json', '--drachtio', `${host}:${String(port)}`, '--drain-seconds', '0'],
        ...['--secret-file', await cli.put('drachtio.secret', SECRET), '--mode', 'by-request'],
        ...['--rules', await cli.put('rules.json', await rulesOfGuide()), ...cli.trust, ...cli.allow],
        ...['--key', cli.files.key, '--certificate', cli.files.chain, '--x5u', cli.x5u],
        ...['--attestations', cli.path('attestations.ndjson')],
      ]);
      try {
        await command.until((line) => line.includes('"connected"'));
        await lab.quiet();
        const to = lab.server.listening.find((one) => one.transport === transport)?.port ?? 0;
        const run = { transport, port: to, words: NUMBERS, calls: CALLS };
        expect(await sippCalls({ ...run, scenario: '../../../docs/switches/redirect-client' })).toEqual(
          flawless(CALLS),
        );
        expect(await sippCalls({ ...run, scenario: 'redirect-client-spoofs' })).toEqual(flawless(CALLS));
        expect(lab.server.counters()).toMatchObject({ retransmissions: 0, faults: {}, overloaded: 0 });
      } finally {
        expect(await command.end('SIGTERM')).toBe(0);
      }
      const last = JSON.parse(command.lines().at(-1) ?? '{}') as object;
      expect(last).toMatchObject({
        answers: { signed: 2 * CALLS, verified: CALLS, blocked: CALLS, unavailable: 0, forbidden: 0 },
      });
      const records = (await readFile(cli.path('attestations.ndjson'), 'utf8')).trim().split('\n');
      expect(records).toHaveLength(2 * CALLS);
      await lab.nothingLeft();
    },
  );
});
