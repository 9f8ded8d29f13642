import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseMessage, readEssentials } from '@hopback/harness/drachtio';
import { peer } from '../peers.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { interleave, median, sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { startHelper, type LineProcess } from './line-process.js';
import { residentMb } from './process-times.js';
import { createSignedWorld, signCall, writtenWorld, type SignedWorld } from './signed-calls.js';
import { startLoadedServer } from './sip-load-server.js';
import { sippCallees, sippCalls, type SippResult } from './sipp/run-sipp.js';

const SEARCH = 'is found by some hundred tries of three seconds, about five minutes';

/**
 * The embedded drachtio server between real callers and callees. Loads are open: calls come when they come, and a rate holds when
 * every call succeeds and nobody had to repeat a message. Server and application are processes of their own, as with a drachtio-server.
 */
export const bench: Bench = {
  name: 'sip',
  description:
    'calls through the embedded drachtio server and unmodified drachtio-srf applications, beside SIPp to SIPp',
  figures: ['parser', 'uas', 'b2bua', 'five-hops', 'memory'],
  quick: {
    seconds: 65,
    leftOut: {
      uas: SEARCH,
      b2bua: SEARCH,
      memory: 'makes 100,000 calls at 600 a second, about three minutes',
    },
  },
  run: measureSip,
};

const ROUNDS = 3;
const FULL_ROUNDS = 7;
const PROBE_SECONDS = 3;
const UAS_BAR = 0.5;
const B2BUA_BAR = 0.22;

const HOP_RATE = 205;
const HOP_SECONDS = { quick: 10, short: 60, full: 60 };
const HOP_BAR = 200;
const HOPS = 5;
/** The compiler has seen the code of five carriers and of verification. */
const HOP_WARM_UP = { calls: 1_500, perSecond: 100 } as const;

/** So that the first point is behind the 32 s for which transactions linger, and the second one in the same state. */
const MEMORY_RATE = 600;
const MEMORY_CALLS = { first: 20_000, last: 100_000 } as const;
const FULL_MEMORY_RATE = 1_200;
const FULL_MEMORY_CALLS = { first: 100_000, last: 1_000_000 } as const;
const MEMORY_BAR = 1.2;
const SAMPLE_MS = 250;

async function* measureSip(context: BenchContext): AsyncGenerator<Figure> {
  if (!peer('sipp').available) throw new Error(`this bench needs SIPp: ${peer('sipp').install}`);
  if (context.drachtio === undefined && context.wants('parser')) yield await parserFigure(context);
  if (context.wants('uas') || context.wants('b2bua')) yield* rates(context);
  if (context.drachtio !== undefined) return;
  if (context.wants('five-hops')) yield await fiveHops(context);
  if (context.wants('memory')) yield await memory(context);
}

async function* rates(context: BenchContext): AsyncGenerator<Figure> {
  const found = { sipp: [] as number[], uas: [] as number[], b2bua: [] as number[] };
  const rounds = context.full ? FULL_ROUNDS : ROUNDS;
  const probed = async (name: keyof typeof found, from: number, targetPort: number): Promise<void> => {
    const probe = (perSecond: number): Promise<SippResult> =>
      sippCalls({ targetPort, perSecond, calls: perSecond * PROBE_SECONDS });
    const last = found[name].at(-1);
    const rate = await highestRate(probe, last === undefined ? from : last * 0.85);
    found[name].push(rate);
    context.progress(`${name}: ${Math.round(rate)} calls/s`);
  };
  for (let round = 0; round < rounds; round += 1) {
    const callees = await sippCallees();
    try {
      await probed('sipp', 5_000, callees.port);
      for (const [mode, from] of [
        ['uas', 3_500],
        ['b2bua', 1_800],
      ] as const) {
        await using hop = await startHop(mode, callees.port, context);
        // The compiler has seen the code before a rate is tried.
        await sippCalls({ targetPort: hop.port, perSecond: 500, calls: 2_000, mayRetransmit: true });
        await probed(mode, from, hop.port);
      }
    } finally {
      await callees.close();
    }
  }
  const baseline = { unit: 'calls/s', baseline: 'SIPp to SIPp', baselineValue: median(found.sipp) } as const;
  const note = (rateList: readonly number[]): string =>
    `rounds ${rateList.map(Math.round).join(', ')}; SIPp to SIPp ${found.sipp.map(Math.round).join(', ')}`;
  const { uas, b2bua } = found;
  yield { figure: 'uas', value: median(uas), ...baseline, bar: { ratioAtLeast: UAS_BAR }, note: note(uas) };
  yield { figure: 'b2bua', value: median(b2bua), ...baseline, bar: { ratioAtLeast: B2BUA_BAR }, note: note(b2bua) };
}

/** A step up while rates hold. */
const STEP = 1.12;
/** Rates closer than this are the same. */
const RESOLUTION = 1.03;
/** What SIPp must have reached of the rate it was asked for: where it is itself too slow, more was not offered. */
const REACHED = 0.97;

/**
 * The highest rate of calls that all succeed, none of which had to repeat a message: found by raising it until it does not hold and
 * then closing in. A rate that does not hold is tried once more, since these machines have neighbours.
 * @param from - a rate that should hold; half of it is tried where it does not
 * @returns calls a second as reached, not as asked for
 */
async function highestRate(probe: (perSecond: number) => Promise<SippResult>, from: number): Promise<number> {
  let best = 0;
  const holds = async (rate: number): Promise<boolean> => {
    for (let tries = 0; tries < 2; tries += 1) {
      const result = await probe(Math.round(rate));
      const held = result.failed === 0 && result.retransmissions === 0 && result.rate >= REACHED * rate;
      // A rate that SIPp itself did not reach says at least that so many calls a second went well.
      if (result.failed === 0 && result.retransmissions === 0) best = Math.max(best, result.rate);
      if (held) return true;
    }
    return false;
  };
  let low = from;
  while (!(await holds(low))) {
    low /= 2;
    if (low < 1) return 0;
  }
  let high = low * STEP;
  while (await holds(high)) {
    low = high;
    high *= STEP;
  }
  while (high / low > RESOLUTION) {
    const middle = Math.sqrt(low * high);
    if (await holds(middle)) low = middle;
    else high = middle;
  }
  return best;
}

/** A drachtio server with an application, or an application for the server that the bench was told of. */
async function startHop(mode: 'uas' | 'b2bua', calleePort: number, { drachtio }: BenchContext) {
  const server = drachtio === undefined ? await startLoadedServer(['udp']) : undefined;
  const { host, port: controlPort, secret } = drachtio ?? server!.control;
  const callee = `sip:callee@127.0.0.1:${calleePort}`;
  const app = await startHelper('sip-app-process.ts', [mode, host, String(controlPort), secret, callee]);
  const port = Number(/udp\/[^:,]+:(\d+)/.exec(app.firstLine)?.[1]);
  const close = async (): Promise<void> => {
    await app.close();
    await server?.[Symbol.asyncDispose]();
  };
  return { port, server, [Symbol.asyncDispose]: close };
}

async function fiveHops(context: BenchContext): Promise<Figure> {
  await using directory = await createTemporaryDirectory();
  const callees = await sippCallees();
  const carriers: LineProcess[] = [];
  try {
    return await throughCarriers(context, { directory: directory.path, carriers, calleePort: callees.port });
  } finally {
    for (const carrier of carriers) await carrier.close();
    await callees.close();
  }
}

interface Road {
  readonly directory: string;
  /** Filled here, closed by the caller. */
  readonly carriers: LineProcess[];
  readonly calleePort: number;
}

async function throughCarriers(context: BenchContext, { directory, carriers, calleePort }: Road): Promise<Figure> {
  const world = await createSignedWorld(Date.now());
  const worldFile = join(directory, 'world.json');
  await writeFile(worldFile, writtenWorld(world));
  let next = calleePort;
  for (let hop = 0; hop < HOPS; hop += 1) {
    const carrier = await startHelper('carrier-process.ts', [worldFile, `127.0.0.1:${next}`]);
    carriers.push(carrier);
    next = Number(carrier.firstLine);
  }
  const call = async (from: number, calls: number, perSecond: number): Promise<SippResult> => {
    const injectionFile = join(directory, `calls-${from}.csv`);
    await writeFile(injectionFile, injection(world, { from, calls, perSecond }));
    return sippCalls({
      ...{ targetPort: next, perSecond, calls, injectionFile, mayRetransmit: true },
      words: { identity: '[field0];[field1];alg=ES256;ppt=shaken', calling: '[field2]', called: '[field3]' },
    });
  };
  const warm = HOP_WARM_UP;
  await call(0, warm.calls, warm.perSecond);
  const seconds = sized(context, HOP_SECONDS);
  context.progress(`five hops: ${HOP_RATE} calls/s for ${seconds} s`);
  const calls = HOP_RATE * seconds;
  const result = await call(warm.calls, calls, HOP_RATE);
  const passed = await Promise.all(carriers.map(passedBy));
  const allRight =
    result.failed === 0 && result.retransmissions === 0 && passed.every((count) => count === warm.calls + calls);
  const said = `${result.successful} calls, ${result.failed} failed, ${result.retransmissions} messages repeated`;
  return {
    ...{ figure: 'five-hops', value: allRight ? result.rate : 0, unit: 'calls/s', bar: { valueAtLeast: HOP_BAR } },
    note: `for ${seconds} s through ${HOPS} B2BUAs, a process each; ${said}; verdicts passed ${passed.join(', ')} of ${warm.calls + calls}`,
  };
}

async function passedBy(carrier: LineProcess): Promise<number> {
  carrier.write('how many');
  return Number(await carrier.nextLine());
}

/** Calls signed for the seconds in which they will be made, as an injection file. */
function injection(
  world: SignedWorld,
  batch: { readonly from: number; readonly calls: number; readonly perSecond: number },
): string {
  const { from, calls, perSecond } = batch;
  // Signing takes a while itself; PASSporTs are fresh for a minute.
  const startSeconds = Math.floor(Date.now() / 1000) + Math.ceil(calls / SIGNED_PER_SECOND);
  const lines = Array.from({ length: calls }, (_, index) => {
    const signer = world.signers[index % world.signers.length];
    if (signer === undefined) throw new Error('a world without signers');
    const {
      identity,
      from: calling,
      to,
    } = signCall(signer, from + index, startSeconds + Math.floor(index / perSecond)).request;
    // Fields are separated by what separates the parameters of an Identity header.
    const [token = '', info = ''] = identity.split(';');
    const number = (value: string): string => /sip:([+]\d+)@/.exec(value)?.[1] ?? '';
    return `${token};${info};${number(calling)};${number(to)};`;
  });
  return ['SEQUENTIAL', ...lines, ''].join('\n');
}

const SIGNED_PER_SECOND = 8_000;

/** Resident memory of the server's process after many calls, beside the same after a few. */
async function memory(context: BenchContext): Promise<Figure> {
  const calls = context.full ? FULL_MEMORY_CALLS : MEMORY_CALLS;
  const perSecond = context.full ? FULL_MEMORY_RATE : MEMORY_RATE;
  const callees = await sippCallees();
  try {
    await using hop = await startHop('b2bua', callees.port, context);
    const processId = hop.server?.processId ?? 0;
    context.progress(`memory: ${calls.last} calls at ${perSecond} calls/s`);
    const samples: { readonly atMs: number; readonly mb: number }[] = [];
    const start = performance.now();
    const sampling = setInterval(() => {
      samples.push({ atMs: performance.now() - start, mb: residentMb(processId) });
    }, SAMPLE_MS);
    const result = await sippCalls({ targetPort: hop.port, perSecond, calls: calls.last, mayRetransmit: true });
    clearInterval(sampling);
    if (result.failed > 0) throw new Error(`${result.failed} of ${calls.last} calls failed`);
    const firstMs = (calls.first * 1000) / perSecond;
    const lastMs = (calls.last * 1000) / perSecond;
    const near = (ms: number): number =>
      median(samples.filter(({ atMs }) => Math.abs(atMs - ms) < NEAR_MS).map(({ mb }) => mb));
    return {
      ...{ figure: 'memory', value: near(lastMs - NEAR_MS), unit: 'MiB resident' },
      ...{
        baseline: `the same after ${calls.first} calls`,
        baselineValue: near(firstMs),
        bar: { ratioAtMost: MEMORY_BAR },
      },
      note: `B2BUA, after ${calls.last} calls at ${perSecond} calls/s; medians over ${(2 * NEAR_MS) / 1000} s`,
    };
  } finally {
    await callees.close();
  }
}

const NEAR_MS = 4_000;

/** The fastest SIP parser that npm has; it knows nothing of its own of how the octets were. */
const RIVAL = { name: 'sip', version: '0.0.6' } as const;
const PARSER_ROUNDS = { quick: 5, short: 9, full: 31 };
const TURN_MS = 400;
const PARSER_BAR = 2;

/** An INVITE of 1.2 KB as carriers exchange them. */
const INVITE = [
  'INVITE sip:+12155550113@198.51.100.20:5060;user=phone SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK1f3a9c27d4;rport',
  'Max-Forwards: 69',
  'From: "Example Dental" <sip:+12025550147@192.0.2.10;user=phone>;tag=8f21c0de77',
  'To: <sip:+12155550113@198.51.100.20;user=phone>',
  'Call-ID: 5d7c9a10-71ab-4bb8-9c1e-30a6a2f7a511@192.0.2.10',
  'CSeq: 314159 INVITE',
  'Contact: <sip:+12025550147@192.0.2.10:5060;transport=udp>',
  'P-Asserted-Identity: "Example Dental" <sip:+12025550147@192.0.2.10;user=phone>',
  'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER',
  'Supported: 100rel, timer, replaces',
  'Date: Mon, 02 Nov 2026 12:00:00 GMT',
  `Identity: ${'eyJhbGci'.padEnd(120, 'a')}.${'eyJhdHRl'.padEnd(236, 'b')}.${'c'.repeat(86)};info=<https://certificates.example.org/sp.pem>;alg=ES256;ppt=shaken`,
  'Content-Type: application/sdp',
  'Content-Length: 141',
  '',
  [
    ...['v=0', 'o=- 53655765 2353687637 IN IP4 192.0.2.10', 's=-', 'c=IN IP4 192.0.2.10', 't=0 0'],
    ...['m=audio 40000 RTP/AVP 0 101', 'a=rtpmap:0 PCMU/8000', ''],
  ].join('\r\n'),
].join('\r\n');

/** How fast datagrams become messages, beside the fastest published parser. */
async function parserFigure(context: BenchContext): Promise<Figure> {
  const datagram = Buffer.from(INVITE, 'latin1');
  const ours = (): void => {
    const parsed = parseMessage(datagram.toString('latin1'));
    if (parsed.status !== 'parsed' || readEssentials(parsed.message).status !== 'read') throw new Error('not parsed');
  };
  const rival = await rivalParser();
  const rounds = { rounds: sized(context, PARSER_ROUNDS), ms: TURN_MS };
  const unit = 'messages/s';
  const said = `an INVITE of ${datagram.length} octets: its lines found, and what transactions and dialogs need read`;
  if (rival === undefined) {
    const { only } = await interleave({ only: ours }, rounds);
    const install = `npm install --no-save --prefix .cache/npm-${RIVAL.name} ${RIVAL.name}@${RIVAL.version}`;
    return {
      figure: 'parser',
      value: only.median,
      unit,
      bar: { ratioAtLeast: PARSER_BAR },
      note: `no rival here: ${install}`,
    };
  }
  const theirs = (): void => {
    if (rival(datagram.toString('latin1'))?.method !== 'INVITE') throw new Error('not parsed');
  };
  const measured = await interleave({ theirs, ours }, { ...rounds, steadyBy: 'theirs' });
  return {
    ...{ figure: 'parser', value: measured.ours.median, unit, bar: { ratioAtLeast: PARSER_BAR }, note: said },
    ...{ baseline: `npm ${RIVAL.name} ${RIVAL.version}`, baselineValue: measured.theirs.median },
  };
}

type RivalParser = (text: string) => { readonly method?: string } | undefined;

/** Fetched into the cache, not into what we depend on: its own dependencies are old. */
async function rivalParser(): Promise<RivalParser | undefined> {
  const folder = fileURLToPath(new URL(`../../.cache/npm-${RIVAL.name}`, import.meta.url));
  const module = `${folder}/node_modules/${RIVAL.name}/sip.js`;
  if (!existsSync(module)) {
    mkdirSync(folder, { recursive: true });
    const argv = ['install', '--no-save', '--no-package-lock', '--no-progress', '--prefix', folder];
    await promisify(execFile)('npm', [...argv, `${RIVAL.name}@${RIVAL.version}`]).catch(() => undefined);
  }
  if (!existsSync(module)) return undefined;
  return (createRequire(import.meta.url)(module) as { readonly parse: RivalParser }).parse;
}
