import { createRedirectServer, REDIRECT_PROFILES } from '@hopback/sdk/switch';
import type { RedirectRule } from '@hopback/sdk/switch';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { connectApp } from '../support/drachtio-app.js';
import { createLab } from '../support/drachtio-lab.js';
import { createRedirectLab, KNOWN_CUSTOMER } from '../support/redirect-lab.js';
import { newBranch, unique } from '../support/sip-peer.js';

const { stir, signing, identityHeader: signed } = await createRedirectLab();
const identityHeader = signed();
const RULES: readonly RedirectRule[] = [
  { name: 'sign', mode: 'sign', facts: KNOWN_CUSTOMER, when: { header: { name: 'X-Mode' } } },
  {
    ...{ name: 'strict', mode: 'verify', when: { hosts: ['strict.example'] } },
    policy: { role: 'terminating', failureAction: 'reject_request', rejects: ['failed', 'unsigned', 'indeterminate'] },
  },
  { name: 'verify', mode: 'verify' },
];

const piece = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('<', '>', '"', ';', ',', '@', '%', '\r\n ', ':', 'sip:', 'tel:+1', '2025550101', 'urn:service:sos'),
  fc.constantFrom(identityHeader, 'verstat=', ';tag=1', 'Identity: ', '\r\ny: ', '\r\nX-Mode: 1\r\n', '911', '<sip:9'),
);
const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
/** What is in its place most of the time, so that some of the request is understood. */
const mostly = (...usual: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: text });

const parts = fc.record({
  uri: mostly('sip:+12025550199@redirect.example', 'sip:+12025550199@strict.example'),
  from: mostly('<sip:+12025550101@sbc.example>;tag=a'),
  to: mostly('<sip:+12025550199@redirect.example>'),
  contact: mostly('<sip:sbc@127.0.0.1>'),
  identity: mostly(identityHeader, ''),
  name: fc.constantFrom('X-Mode', 'Attestation', 'Privacy'),
  more: text,
});

test(
  'whatever an INVITE holds that the drachtio server lets through, it gets one final answer',
  { timeout: 120_000 },
  async () => {
    await using lab = await createLab({ clock: stir.clock });
    const server = createRedirectServer({
      ...{ rules: RULES, signing, verification: stir.service, profile: REDIRECT_PROFILES.attestation },
    });
    const statuses = new Set<number>();
    const { close } = await connectApp(lab.server, { setUp: (srf) => srf.invite(server.invite) });
    await lab.quiet();
    const peer = await lab.peer();
    await fc.assert(
      fc.asyncProperty(parts, async ({ uri, from, to, contact, identity, name, more }) => {
        const callId = unique('any');
        const seen = peer.all.length;
        peer.send(
          [
            `INVITE ${uri} SIP/2.0`,
            ...[`Via: ${peer.via(newBranch())}`, `Call-ID: ${callId}`, 'CSeq: 1 INVITE', 'Max-Forwards: 70'],
            ...[`From: ${from}`, `To: ${to}`, `Contact: ${contact}`, `Identity: ${identity}`, `${name}: ${more}`],
            ...['Content-Length: 0', '', ''],
          ].join('\r\n'),
        );
        await lab.quiet();
        // Time stands still here: whatever comes twice was sent twice.
        const answers = peer.all.slice(seen).filter((came) => came.value('Call-ID') === callId);
        const finals = answers.filter(({ status }) => status >= 200);
        // 100 is what the server says to whatever it hands on.
        expect(finals).toHaveLength(answers.length === 0 ? 0 : 1);
        for (const { status } of finals) statuses.add(status);
      }),
      { numRuns: 400 },
    );
    expect([...statuses]).toEqual(expect.arrayContaining([302, 404, 603]));
    await server.close();
    await close();
  },
);
