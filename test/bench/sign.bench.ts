import { sign as signOctets } from 'node:crypto';
import { loadavg } from 'node:os';
import type { SigningOutcome, SigningRequest } from '@hopback/sdk/stir';
import { interleave, sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { startLibsecsipid } from './libsecsipid-contestants.js';
import { asReceived, bareBaseline, createSignedWorld, inTurn, rawChecks, signCalls } from './signed-calls.js';
import type { SignedCall, Signer } from './signed-calls.js';
import { createWarmSigner, signingRequest } from './signing-calls.js';

/** Whole signatures: a request and what is known of the caller in, an Identity header with its record out. */
export const bench: Bench = {
  name: 'sign',
  description: 'full signing with attestation decision and record, against the bare signature, and libsecsipid',
  figures: ['vs-node', 'vs-libsecsipid'],
  quick: { seconds: 15 },
  run: measureSign,
};

/** Distinct callers, called numbers and signing inputs. */
const CALLS = 4_096;
/** Signatures that the bare one takes in turn: they stay in the processor's cache, as calls do that have just come in. */
const RAW_SIGNATURES = 256;
const WARM_UP_MS = 500;

async function* measureSign(context: BenchContext): AsyncGenerator<Figure> {
  const world = await createSignedWorld(Date.now());
  const calls = signCalls(world, CALLS, () => Math.floor(Date.now() / 1000));
  const [signer] = world.signers;
  if (signer === undefined) throw new Error('a world without signers');
  const records = { count: 0 };
  const service = await createWarmSigner(signer, () => (records.count += 1));
  const next = inTurn(calls.map((call, index) => ({ call, index })));
  const request = (): SigningRequest => {
    const { call, index } = next();
    return signingRequest(call, index);
  };
  const signNow = asReceived(request, (call) => service.signNow(call), requireSigned);
  const sign = asReceived(request, (call) => service.sign(call), requireSigned);
  await signNow(WARM_UP_MS);
  await using libsecsipid = await startLibsecsipid(calls[0]);
  const rounds = sized(context, { quick: 5, short: 31, full: 75 });
  context.progress(`${rounds} rounds; load average ${loadavg()[0]?.toFixed(2) ?? '?'}`);
  const rates = await interleave(
    {
      now: { measure: signNow },
      sign: { measure: sign },
      ...bareSignatures(signer, calls),
      libsecsipid: libsecsipid.sign,
    },
    { rounds, ms: 120, steadyBy: 'raw' },
  );
  if (records.count === 0) throw new Error('no attestation record was delivered');
  const bare = bareBaseline('sign', rates);
  yield {
    ...{ figure: 'vs-node', value: rates.now.median, unit: 'signatures/s' },
    ...{ baseline: bare.baseline, baselineValue: bare.baselineValue },
    bar: { ratioAtLeast: 0.75 },
    note: `signNow, medians of the steadiest ${rounds} of ${rates.der.made} rounds over ${CALLS} distinct calls; baseline: ${bare.note}; awaited sign ${rates.sign.median.toFixed(0)}/s`,
  };
  yield {
    ...{ figure: 'vs-libsecsipid', value: rates.now.median, unit: 'signatures/s' },
    baseline: 'libsecsipid SecSIPIDGetIdentityPrvKey',
    ...libsecsipid.baseline(rates.libsecsipid),
    bar: { ratioAtLeast: 1.5 },
  };
}

/** Signs what a PASSporT of such a call would be, its octets ready beforehand. */
function bareSignatures(
  { provider }: Signer,
  calls: readonly SignedCall[],
): { readonly der: () => void; readonly raw: () => void } {
  const { privateKey } = provider.key;
  const withRaw = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  const octets = rawChecks(calls.slice(0, RAW_SIGNATURES)).map(({ signingInput }) => signingInput);
  const nextDer = inTurn(octets);
  const nextRaw = inTurn(octets);
  return {
    der: () => void signOctets('sha256', nextDer(), privateKey),
    raw: () => void signOctets('sha256', nextRaw(), withRaw),
  };
}

function requireSigned(outcome: SigningOutcome): void {
  if (outcome.status !== 'signed') throw new Error(`a call was not signed: ${outcome.reason}`);
}
