import { SeededRandom } from '../../harness/src/faults/index.js';
import type { NetworkPlan } from '../../harness/src/network/plan/index.js';
import type { Behaviour } from '../../harness/src/scenario/index.js';
import { smallPlan, type SmallCall, type SmallProvider } from './planned-network.js';

/** What is wrong in a random network. */
export interface RandomNetwork {
  readonly seed: number;
  readonly calls?: number;
  /** Part of the providers that answer otherwise than they should. Default a third. */
  readonly liars?: number;
  /** Part that do something to calls. Default a quarter. */
  readonly meddlers?: number;
}

const TRANSITS = 8;

/** A network with a dozen providers, calls over two to seven of them, and all kinds of what can go wrong, as a seed decides. */
export function randomNetwork({ seed, calls = 6, liars = 1 / 3, meddlers = 1 / 4 }: RandomNetwork): NetworkPlan {
  const random = new SeededRandom(seed, 'random-network');
  const edge = ['o1', 'o2', 'i1', 'f1', 'g1', 't1', 't2'];
  const ids = [...edge, ...Array.from({ length: TRANSITS }, (_none, index) => `x${index}`)];
  const providers = ids.map((id): SmallProvider => ({
    id,
    role: ROLES[id[0] ?? 'x'] ?? 'transit',
    ...(id === 'o1' && { numbers: ['1202555'] }),
    ...(random.chance(0.1) && id !== 'f1' && { answersTracebacks: false }),
    ...(random.chance(0.3) && { shares: 'nothing' }),
    ...(id.startsWith('t') && random.chance(0.2) && { failureAction: 'reject_request' }),
    behaviours: [
      ...(id !== 'f1' && random.chance(liars) ? [answering(random, ids)] : []),
      ...(random.chance(meddlers) ? [meddling(random, ids)] : []),
    ],
  }));
  return smallPlan({
    seed,
    providers,
    calls: Array.from({ length: calls }, (_none, index) => someCall(random, index)),
  });
}

const ROLES: Readonly<Record<string, SmallProvider['role']>> = {
  ...({ o: 'originating', i: 'ipes', f: 'foreign', g: 'gateway', t: 'terminating', x: 'transit' } as const),
};

function someCall(random: SeededRandom, index: number): SmallCall {
  const transits = Array.from({ length: random.int(5) }, () => `x${random.int(TRANSITS)}`);
  const start = random.pick([['o1'], ['o2'], ['i1'], ['f1', 'g1']]);
  const way = [...start, ...transits, random.pick(['t1', 't2'])].filter((id, place, all) => id !== all[place - 1]);
  return {
    way: way.join(' '),
    isAnswered: random.chance(0.7),
    isRejected: random.chance(0.1),
    ...(random.chance(0.3) && { calling: `14155550${100 + index}` }),
  };
}

function answering(random: SeededRandom, ids: readonly string[]): Behaviour {
  const provider = random.pick(ids);
  return random.pick<Behaviour>([
    { kind: 'silent' },
    { kind: 'late', hours: random.pick([5, 30, 60, 400]) },
    { kind: 'refuses', reason: 'a court order was asked for' },
    { kind: 'names-another', provider },
    { kind: 'names-another', provider, colludes: true },
    { kind: 'names-another', provider, otherCall: true },
    { kind: 'names-nobody', name: 'Nobody Knows LLC' },
    { kind: 'claims-origin' },
    { kind: 'denies' },
    { kind: 'purged-records' },
    { kind: 'record-gap' },
  ]);
}

function meddling(random: SeededRandom, ids: readonly string[]): Behaviour {
  return random.pick<Behaviour>([
    { kind: 'strips-identity' },
    { kind: 'signs-spoofed' },
    { kind: 'downgrades', to: 'C' },
    { kind: 'alters-identity' },
    { kind: 'signs-as', provider: random.pick(ids), attestation: 'A' },
    { kind: 'diverts', to: '13125559999' },
    { kind: 'rewrites-numbers', how: 'calling', value: '12025559999' },
    { kind: 'rewrites-numbers', how: 'national' },
    { kind: 'replays-identity' },
    { kind: 'certificate', fault: random.pick(['expired', 'revoked', 'untrusted', 'wrong-spc']) },
    { kind: 'certificate-server', fault: random.pick(['dead', 'slow', 'hostile']) },
    { kind: 'clock-skew', seconds: random.pick([-600, 30, 600]) },
    { kind: 'forks', branches: 2 },
  ]);
}
