import { randomUUID } from 'node:crypto';
import { HopbackError } from '@hopback/sdk/errors';
import type { Capability, SentCall, SigningAsk } from '../case.js';
import type { Observed } from '../observed.js';
import { readDeviceSignature, readDeviceVerdict, readRedirectSignature, readRedirectVerdict } from './sip-answers.js';
import { openSipWire } from './sip-wire.js';
import type { SipWire } from './sip-wire.js';
import { DEFAULT_TIMEOUT_MS } from './target.js';
import type { ConformanceTarget, ConformanceTargetOptions } from './target.js';

const SIP: readonly Capability[] = [
  ...(['verify', 'parties', 'sip-caller', 'several-headers', 'target', 'date', 'unsigned', 'folding'] as const),
  ...(['codes', 'reasons', 'sign', 'sign-spelling'] as const),
];

/** A redirect server: an INVITE goes in, 302 with what is to be added comes out. @throws {@link HopbackError} for a URL that is none */
export const redirectTarget = (options: ConformanceTargetOptions): Promise<ConformanceTarget> =>
  sipTarget(options, { verdict: readRedirectVerdict, signature: readRedirectSignature, shows: ['verstat'] });

/** A device that calls go through. @throws {@link HopbackError} for a URL that is none */
export const deviceTarget = (options: ConformanceTargetOptions): Promise<ConformanceTarget> =>
  sipTarget(options, {
    ...{ verdict: readDeviceVerdict, signature: readDeviceSignature },
    shows: options.sip?.callee === undefined ? [] : ['verstat'],
  });

interface SipReading {
  readonly verdict: (exchange: Awaited<ReturnType<SipWire['call']>>) => Observed;
  readonly signature: (exchange: Awaited<ReturnType<SipWire['call']>>) => Observed;
  readonly shows: readonly Capability[];
}

async function sipTarget(options: ConformanceTargetOptions, reading: SipReading): Promise<ConformanceTarget> {
  const { kind, url, signingUrl = url, timeoutMs = DEFAULT_TIMEOUT_MS, lacks = [], sip = {} } = options;
  const [verifier, signer] = [placeOf(url), placeOf(signingUrl)];
  const wire = await openSipWire({
    ...{ peer: verifier, timeoutMs },
    ...(sip.callee !== undefined && { callee: placeOf(`sip:${sip.callee}`) }),
  });
  const has: readonly Capability[] = [
    ...SIP,
    ...reading.shows,
    ...(sip.attestationField === undefined ? [] : (['sign-attestation'] as const)),
    ...(sip.origIdField === undefined ? [] : (['sign-origid'] as const)),
  ];
  const asked = async (call: SentCall, to: SipPlace & { readonly domain: string }, lines: readonly string[] = []) =>
    wire.call(call, { ...to, callId: randomUUID(), lines });
  return {
    ...{ kind, url, close: wire.close, [Symbol.asyncDispose]: wire.close },
    capabilities: new Set(has.filter((one) => !lacks.includes(one))),
    verify: async (call) =>
      reading.verdict(await asked(call, { ...verifier, domain: sip.domain ?? hostPort(verifier) })),
    sign: async (ask) =>
      reading.signature(
        await asked(callOf(ask), { ...signer, domain: sip.signingDomain ?? hostPort(signer) }, [
          ...fieldLine(sip.attestationField, ask.attestation),
          ...fieldLine(sip.origIdField, ask.origId),
        ]),
      ),
  };
}

/** A call without Identity, which is how a device is asked to sign. */
function callOf({ origTn, destTn, iatSeconds }: SigningAsk): SentCall {
  return { identity: [], origTn: origTn ?? 'anonymous', destTn: destTn[0] ?? '', dateSeconds: iatSeconds ?? 0 };
}

const fieldLine = (name: string | undefined, value: string | undefined): readonly string[] =>
  name === undefined || value === undefined ? [] : [`${name}: ${value}`];

/** Where a device listens. */
export interface SipPlace {
  readonly host: string;
  readonly port: number;
}

const hostPort = ({ host, port }: SipPlace): string => `${host}:${String(port)}`;

const SIP_PORT = 5060;

function placeOf(url: string): SipPlace {
  const [, host, port] = /^sip:(?:[^@]*@)?([A-Za-z0-9.-]+)(?::(\d{1,5}))?(?:;transport=udp)?$/i.exec(url) ?? [];
  if (host === undefined)
    throw new HopbackError('invalid-argument', 'the URL of a SIP target is sip:host:port, over UDP');
  return { host, port: port === undefined ? SIP_PORT : Number(port) };
}
