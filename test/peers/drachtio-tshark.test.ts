import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pcapOf, type TappedMessage } from '@hopback/harness/drachtio';
import { describePeer } from '../peers.js';
import { tapLabs } from '../support/drachtio-lab.js';
import { readSip, writeSip } from '../support/drachtio-sip-text.js';
import { TRANSPORTS } from '../support/sip-peer.js';
import { dissect, type DissectedPacket } from './tshark.js';

/** The end-to-end tests whose messages tshark reads: everything that the server does with SIP. */
const SCENES = [
  () => import('../e2e/drachtio-uas.test.js'),
  () => import('../e2e/drachtio-uac.test.js'),
  () => import('../e2e/drachtio-uac-cancel.test.js'),
  () => import('../e2e/drachtio-dialog.test.js'),
  () => import('../e2e/drachtio-prack.test.js'),
  () => import('../e2e/drachtio-subscribe.test.js'),
  () => import('../e2e/drachtio-proxy.test.js'),
  () => import('../e2e/drachtio-proxy-search.test.js'),
  () => import('../e2e/drachtio-multihop.test.js'),
  () => import('../e2e/drachtio-errors.test.js'),
  () => import('../e2e/drachtio-headers.test.js'),
];
const PORT = 5060;

/** What a message is, as our own reader sees it. */
function summary({ text }: TappedMessage): object {
  const { method, status, value, values } = readSip(text);
  return {
    ...{ method, status: status === 0 ? '' : String(status), callId: value('Call-ID'), cseq: value('CSeq') },
    // As tshark prints a folded value.
    identities: values('Identity').map((one) => one.replaceAll('\r\n', '\\r\\n').replaceAll('\t', '\\t')),
  };
}

/** The same between two addresses of IPv6. */
function overIpv6(message: TappedMessage): TappedMessage {
  const { local, remote } = message;
  return { ...message, local: { ...local, address: '2001:db8::1' }, remote: { ...remote, address: '2001:db8::2' } };
}

/** What a packet is that holds a part of a message, to the dissectors. */
const PARTS: ReadonlySet<string> = new Set(['ip', 'ipv6', 'ipv6.fraghdr', 'udp', 'tcp', 'data']);

/** What tshark finds fault with in messages that we sent: peers of the tests send wrong ones on purpose. */
function faults(packets: readonly DissectedPacket[], of: readonly TappedMessage[]): readonly string[] {
  return packets.flatMap(({ remarks }, index) => {
    const { direction, text = '' } = of[index] ?? {};
    return remarks
      .filter(({ severity }) => direction === 'out' && severity !== 'note')
      .map(({ severity, message }) => `${severity}: ${message}\n${text}`);
  });
}

describePeer('tshark', 'tshark', () => {
  const messages: TappedMessage[] = [];
  // Each laboratory has ports of its own. Here all of them are one server, at the port of SIP.
  beforeAll(() => tapLabs((message) => void messages.push({ ...message, local: { ...message.local, port: PORT } })));
  afterAll(() => tapLabs(undefined));

  test('finds fault with messages and packets that are not right', async () => {
    const here = { local: { address: '127.0.0.1', port: PORT }, remote: { address: '127.0.0.1', port: 40_000 } };
    const text = writeSip('OPTIONS sip:a@example.com SIP/2.0', ['Call-ID: 1', 'CSeq: 1 OPTIONS', 'no colon here']);
    const capture = pcapOf([{ direction: 'out', transport: 'udp', ...here, atMs: 0, text }]);
    const [packet] = await dissect(capture, { ports: [PORT] });
    expect(packet?.remarks).toContainEqual({ severity: 'warning', message: 'Header has no colon after the name' });
    expect(packet?.remarks.map(({ severity }) => severity)).toContain('malformed');
    expect(packet?.checksums).toEqual(['1', '1']);
    const changed = Uint8Array.from(capture);
    changed[capture.length - 1] = 0x20;
    expect((await dissect(changed, { ports: [PORT] }))[0]?.checksums).toEqual(['1', '0']);
  });

  for (const [index, scenes] of SCENES.entries()) {
    describe(`reads along: part ${index + 1}`, async () => {
      await scenes();
    });
  }

  test.each(TRANSPORTS)('finds no fault with any message of ours over %s, however it is cut up', async (over) => {
    const all = messages.filter(({ transport, text }) => transport === over && text !== '');
    expect(all.filter(({ direction }) => direction === 'out').length).toBeGreaterThan(150);
    for (const [version, mtuBytes] of [
      [4, 65_535],
      [4, 1_500],
      [6, 1_500],
    ] as const) {
      const capture = pcapOf(version === 4 ? all : all.map(overIpv6), { mtuBytes });
      const packets = await dissect(capture, { ports: [PORT] });
      expect(packets.map(({ sip }) => sip)).toEqual(all.map(summary));
      expect(packets.map(({ payload }) => payload)).toEqual(
        all.map(({ text }) => Buffer.from(text, 'latin1').toString('hex')),
      );
      expect(new Set(packets.flatMap(({ checksums }) => checksums))).toEqual(new Set(['1']));
      expect(faults(packets, all)).toEqual([]);
      // Nothing is in the capture but SIP and the parts of it.
      const others = await dissect(capture, { ports: [PORT], filter: '!sip' });
      expect(others.filter(({ protocols }) => !PARTS.has(protocols.at(-1) ?? ''))).toEqual([]);
      expect(others.flatMap(({ remarks }) => remarks)).toEqual([]);
      expect(others.length > 0).toBe(all.some(({ text }) => text.length > mtuBytes));
    }
  });
});
