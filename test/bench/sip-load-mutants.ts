import { MUTANTS_SENT } from '../support/sip-load-mutants.js';
import { sized, type BenchContext, type Figure, type Percentiles } from './bench.js';
import { asked, startHelper, type LineProcess } from './line-process.js';
import { watchNeighbours } from './process-times.js';
import { largest, startLoadedServer, sum, type ServerStory } from './sip-load-server.js';

/** So many messages a second: a socket buffer holds a second of them, so that what is measured is the server and not the kernel's queue. */
const PER_SECOND = 2_500;
/** Mutants of a round, behind which OPTIONS are asked for 2 s longer. */
const PER_ROUND = 10_000;
const AFTERWARDS_MS = 2_000;
const BAR_MS = 50;
/**
 * These machines have neighbours: a round is made again in which an answer took too long while other programs used so much of a
 * processor. Three times as many rounds are made at most.
 */
const BUSY_PROCESSORS = 0.15;
const MOST_ROUNDS = 3;

interface Probed extends Percentiles {
  readonly unanswered: number;
  /** Statuses other than 200. */
  readonly wrong: readonly string[];
  /** How late the prober itself was at most. */
  readonly lateMs: number;
}

interface Sent {
  readonly sent: Readonly<Record<string, number>>;
  readonly heard: number;
  readonly seconds: number;
}

/**
 * Mutated messages against a server that an application is connected to, all in processes of their own: the slowest answer to an
 * OPTIONS while they come and for 2 s behind them.
 * @throws Error when the server or the application crashes, or an OPTIONS is left without its 200
 */
export async function mutatedOptions(context: BenchContext): Promise<Figure> {
  const rounds = sized(context, MUTANTS_SENT) / PER_ROUND;
  const seed = Date.now() % 2 ** 31;
  await using server = await startLoadedServer(['udp', 'tcp', 'ws']);
  const { control, port } = server;
  await using app = await startHelper('sip-load-app-process.ts', [String(control.port), control.secret]);
  await asked<number>(app, 'how many');
  const ports = ['udp', 'tcp', 'ws'].map((transport) => String(port(transport)));
  const order = [seed, PER_ROUND, PER_SECOND].map(String);
  // Whatever has to be compiled is, before anything is measured.
  await using sender = await startHelper('sip-load-sender-process.ts', [...order, ...ports]);
  await using prober = await startHelper('sip-load-prober-process.ts', ports);
  context.progress(`mutated-options-max: ${rounds} x ${PER_ROUND} mutants of seed ${seed} at ${PER_SECOND}/s`);
  const processes = [sender, prober, app, server].map(({ processId }) => processId);
  const neighbours = watchNeighbours([...processes, process.pid]);
  const made: Round[] = [];
  while (made.length < MOST_ROUNDS * rounds && made.filter(counts).length < rounds) {
    const round = await oneRound({ sender, prober, neighbours });
    const { probed, busy } = round;
    if (probed.unanswered > 0 || probed.wrong.length > 0) {
      throw new Error(`seed ${seed}: ${probed.unanswered} OPTIONS unanswered, others told ${probed.wrong.join(', ')}`);
    }
    made.push(round);
    context.progress(
      `slowest ${ms(probed.max)} ms, prober late by ${ms(probed.lateMs)}; others use ${busy.toFixed(2)} processors`,
    );
  }
  const seen = await asked<number>(app, 'how many');
  const story = await server.end();
  return figureOf({ seed, rounds, made, seen, story });
}

type Round = Awaited<ReturnType<typeof oneRound>>;

interface RoundParts {
  readonly sender: LineProcess;
  readonly prober: LineProcess;
  readonly neighbours: ReturnType<typeof watchNeighbours>;
}

async function oneRound({ sender, prober, neighbours }: RoundParts) {
  neighbours.busy();
  prober.write('begin');
  const sent = await asked<Sent>(sender, 'go');
  await new Promise((resolve) => void setTimeout(resolve, AFTERWARDS_MS));
  const probed = await asked<Probed>(prober, 'stop');
  return { sent, probed, busy: neighbours.busy() };
}

function counts({ probed, busy }: Round): boolean {
  return probed.max <= BAR_MS || busy < BUSY_PROCESSORS;
}

const ms = (value: number): string => value.toFixed(1);

interface Found {
  readonly seed: number;
  readonly rounds: number;
  readonly made: readonly Round[];
  readonly seen: number;
  readonly story: ServerStory;
}

function figureOf({ seed, rounds, made, seen, story }: Found): Figure {
  const steady = made.filter(counts);
  // Where the machine never was quiet, the least busy rounds have to do.
  const busy = made.filter((round) => !counts(round)).toSorted((a, b) => a.busy - b.busy);
  const counted = [...steady, ...busy].slice(0, rounds).map(({ probed }) => probed);
  const worst = (name: 'p50' | 'p99' | 'max' | 'lateMs'): number => Math.max(...counted.map((probed) => probed[name]));
  const { sent = {}, heard = 0, seconds = 1 } = made.at(-1)?.sent ?? {};
  const { received, faults, inUse } = story;
  const answered = made.reduce((total, { probed }) => total + probed.count, 0);
  const notes = [
    `seed ${seed}, ${sum(sent)} sent at ${Math.round(sum(sent) / seconds)}/s (${largest(sent, 3)}), ${heard} datagrams came back`,
    `read ${sum(received.requests) + sum(received.responses)}, ${seen} of them by the application; refused ${sum(faults)}: ${largest(faults, 6)}, …`,
    `${inUse['dialogs']} dialogs and ${inUse['pendingInvites']} ringing calls at the end`,
    `${answered} OPTIONS answered, p50 ${ms(worst('p50'))}, p99 ${ms(worst('p99'))}, prober late by ${ms(worst('lateMs'))} at most`,
    `${made.length} rounds made, of which ${steady.length} count${steady.length < rounds ? ': the machine was busy with something else' : ''}`,
  ];
  return {
    ...{ figure: 'mutated-options-max', value: worst('max'), unit: 'ms', bar: { valueAtMost: BAR_MS } },
    note: notes.join('; '),
  };
}
