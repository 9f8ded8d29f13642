import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { DrachtioServer, type DrachtioServerOptions, type ListenAddress } from '@hopback/harness/drachtio';
import { describe, expect, test } from 'vitest';
import { connectApp, heard, type AppDialog } from '../support/drachtio-app.js';
import { sdp, writeSip } from '../support/drachtio-sip-text.js';

// Addresses that a server sends from, and addresses that it gives to its peers.

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);
/** Hosts to listen at, each with the address that reaches it on the same machine. */
const HOSTS: readonly (readonly [string, string])[] = [
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '127.0.0.1'],
  ...(hasIpv6 ? ([['::1', '::1'] as const, ['::', '::1'] as const] as const) : []),
];
const BOTH_FAMILIES = hasIpv6
  ? ([
      ['127.0.0.1', '::1'],
      ['::1', '127.0.0.1'],
      ['0.0.0.0', '::'],
    ] as const)
  : [];
const TRANSPORTS = ['udp', 'tcp'] as const;
type Transport = (typeof TRANSPORTS)[number];

const at = (host: string, transport: Transport = 'udp'): ListenAddress => ({ transport, host, port: 0 });
const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

type Answering = Awaited<ReturnType<typeof answering>>;

/** A server that answers every call, with everything that it sends and the dialogs of its application. */
async function answering(options: DrachtioServerOptions) {
  const sent: string[] = [];
  const dialogs: AppDialog[] = [];
  const server = await DrachtioServer.open({
    ...options,
    onMessage: ({ direction, text }) => void (direction === 'out' && sent.push(text)),
  });
  const app = await connectApp(server, {
    setUp: (srf) =>
      srf.invite(
        (req, res) => void srf.createUAS(req, res, { localSdp: sdp('2') }).then((dialog) => dialogs.push(dialog)),
      ),
  });
  return {
    ...{ server, sent, dialogs, srf: app.srf },
    uriOf: (address: string, transport: Transport): string => {
      const family = (host: string): boolean => host.includes(':') === address.includes(':');
      const one = server.listening.find((each) => each.transport === transport && family(each.host));
      return `sip:${bracketed(address)}:${one?.port ?? 0};transport=${transport}`;
    },
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await server.close();
    },
  };
}

/** Places a call that the callee hangs up: each side uses the address that the other gave. */
async function callAndBeHungUpOn(from: Answering, to: Answering, uri: string): Promise<void> {
  const before = to.dialogs.length;
  const dialog = await from.srf.createUAC(uri, { localSdp: sdp('1') });
  const hungUp = heard(dialog, 'destroy');
  await expect.poll(() => to.dialogs.length).toBe(before + 1);
  await to.dialogs.at(-1)?.destroy();
  await hungUp;
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  test.each(HOSTS.flatMap((one) => HOSTS.map((other) => [one, other] as const)))(
    'a server at %s and one at %s call each other, or fail at once',
    async ([callerHost], [calleeHost, calleeAddress]) => {
      await using caller = await answering({ listen: [at(callerHost, transport)] });
      await using callee = await answering({ listen: [at(calleeHost, transport)] });
      const uri = callee.uriOf(calleeAddress, transport);
      if (callerHost.includes(':') === calleeHost.includes(':')) {
        await callAndBeHungUpOn(caller, callee, uri);
      } else {
        const version = calleeHost.includes(':') ? 'IPv6' : 'IPv4';
        await expect(caller.srf.createUAC(uri, { localSdp: sdp('1') })).rejects.toThrow(
          `requested protocol/transport not available: no listener of this transport has an ${version} address`,
        );
      }
      for (const text of [...caller.sent, ...callee.sent]) expect(text).not.toMatch(/0\.0\.0\.0|\[::\]/);
    },
  );

  test.each(BOTH_FAMILIES)(
    'with listeners at %s and %s, a request leaves by the one with the IP version of the destination',
    async (first, second) => {
      const listen = [at(first, transport), at(second, transport)];
      await using caller = await answering({ listen });
      await using callee = await answering({ listen });
      for (const address of ['127.0.0.1', '::1']) {
        const already = caller.sent.length;
        await callAndBeHungUpOn(caller, callee, callee.uriOf(address, transport));
        const invite = caller.sent[already] ?? '';
        const own = caller.uriOf(address, transport).replace(/^sip:|;.*/g, '');
        expect(invite).toContain(`Via: SIP/2.0/${transport.toUpperCase()} ${own};`);
        expect(invite).toContain(`Contact: <sip:${own}`);
      }
    },
  );
});

test.each(BOTH_FAMILIES.slice(0, 1))('an IPv6 listener of TCP does not serve a call over UDP', async () => {
  await using caller = await answering({ listen: [at('127.0.0.1', 'udp'), at('::1', 'tcp')] });
  await using callee = await answering({ listen: [at('::1', 'udp'), at('::1', 'tcp')] });
  await callAndBeHungUpOn(caller, callee, callee.uriOf('::1', 'tcp'));
  const call = caller.srf.createUAC(callee.uriOf('::1', 'udp'), { localSdp: sdp('1') });
  await expect(call).rejects.toThrow('no listener of this transport has an IPv6 address');
});

test('a server at 0.0.0.0 gives applications a usable address, and recognises every address of its own', async () => {
  await using everywhere = await answering({ listen: [at('0.0.0.0')] });
  const port = everywhere.server.listening[0]?.port ?? 0;
  expect(everywhere.server.listening).toEqual([{ transport: 'udp', host: '0.0.0.0', port }]);
  expect(everywhere.server.uri()).toMatch(/^sip:(?!0\.0\.0\.0)[\d.]+:\d+$/);
  await using second = await connectApp(everywhere.server);
  expect(second.greeting[0]).toBe(everywhere.server.uri().replace('sip:', 'udp/'));
  for (const uri of [everywhere.server.uri(), `sip:127.0.0.1:${port}`, `sip:localhost:${port}`]) {
    await expect(second.srf.createUAC(uri, { localSdp: sdp('1') })).rejects.toThrow('can not send request to myself');
  }
});

test('a proxy at 0.0.0.0 recognises itself in Route', async () => {
  await using caller = await answering({});
  await using callee = await answering({});
  await using middle = await DrachtioServer.open({ listen: [at('0.0.0.0')] });
  await using _ = await connectApp(middle, {
    setUp: (srf) => srf.invite((req) => void srf.proxyRequest(req, callee.server.uri(), { remainInDialog: true })),
  });
  await callAndBeHungUpOn(caller, callee, `sip:127.0.0.1:${middle.listening[0]?.port}`);
  expect(middle.counters().sent.requests['BYE']).toBe(1);
});

test('a call fails at once if the system refuses to send the datagram', async () => {
  await using caller = await answering({});
  // A socket bound to loopback cannot send to another network; this one is reserved for documentation (RFC 5737).
  const failed = caller.srf.createUAC('sip:203.0.113.1', { localSdp: sdp('1') });
  await expect(failed).rejects.toMatchObject({ status: 503 });
});

test('a response leaves by the listener that the request came to, to whatever port its Via names', async () => {
  await using server = await DrachtioServer.open({ listen: [at('127.0.0.1'), at('127.0.0.1')] });
  const [asking, named] = [createSocket('udp4'), createSocket('udp4')];
  try {
    for (const socket of [asking, named]) {
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
    }
    for (const { port } of server.listening) {
      const came = once(named, 'message') as Promise<[Buffer, { port: number }]>;
      const text = writeSip('OPTIONS sip:127.0.0.1 SIP/2.0', [
        `Via: SIP/2.0/UDP 127.0.0.1:${named.address().port};branch=z9hG4bK${port}`,
        'From: <sip:a@example.com>;tag=1',
        'To: <sip:127.0.0.1>',
        `Call-ID: ${port}`,
        'CSeq: 1 OPTIONS',
      ]);
      asking.send(text, port, '127.0.0.1');
      const [octets, from] = await came;
      expect([octets.toString('latin1').slice(0, 11), from.port]).toEqual(['SIP/2.0 503', port]);
    }
  } finally {
    asking.close();
    named.close();
  }
});

describe('one header field', () => {
  /** Calls with a field of so many octets, name and all. */
  const withField = (caller: Answering, uri: string, octets: number): Promise<AppDialog> =>
    caller.srf.createUAC(uri, { localSdp: sdp('1'), headers: { 'X-Long': 'x'.repeat(octets - 'X-Long: '.length) } });

  test.each(TRANSPORTS)('may have 8 KiB, or what limits.maxHeaderBytes says, over %s', async (transport) => {
    const listen = [at('127.0.0.1', transport)];
    await using caller = await answering({ listen });
    for (const [limits, most] of [
      [{}, 8_192],
      [{ maxHeaderBytes: 30_000 }, 30_000],
      [{ maxHeaderBytes: 1_024 }, 1_024],
    ] as const) {
      await using callee = await answering({ listen, limits });
      const uri = callee.uriOf('127.0.0.1', transport);
      const dialog = await withField(caller, uri, most);
      await dialog.destroy();
      await expect(withField(caller, uri, most + 1)).rejects.toMatchObject({ status: 400 });
    }
  });

  test.each([1_023, 65_536, Number.NaN])('may not be limited to %d', async (maxHeaderBytes) => {
    await expect(DrachtioServer.open({ limits: { maxHeaderBytes } })).rejects.toMatchObject({
      code: 'invalid-configuration',
    });
  });
});
