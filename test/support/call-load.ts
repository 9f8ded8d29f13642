import { connect, type Socket } from 'node:net';

/** One kind of call that is asked about. */
export interface LoadedCall {
  readonly name: string;
  /** Body of a request to `/stir/v1/verification`, fresh each time. */
  readonly body: () => string;
  /** What it may be answered; asked when it is sent and when its answer comes, and either may be right. */
  readonly verstats: () => readonly string[];
}

/** Rate of the requests. */
const PER_SECOND = 500;
const TICK_MS = 2;
/** Beyond it a request is lost, and the test with it. */
const PATIENCE_MS = 30_000;

/**
 * Starts requests at a fixed rate, whatever becomes of earlier ones, over connections that are kept as long as the server keeps them.
 * @param calls - kinds that take turns
 */
export function startCallLoad(port: number, calls: readonly LoadedCall[]) {
  const tallies = new Map(calls.map(({ name }) => [name, newTally()]));
  const free: Socket[] = [];
  let [sent, ended, underWay] = [0, 0, 0];
  let heard = (): void => undefined;
  const startMs = performance.now();
  const sendNext = (dueMs: number): void => {
    const call = calls[sent % calls.length];
    const tally = tallies.get(call?.name ?? '');
    sent += 1;
    if (call === undefined || tally === undefined) return;
    tally.asked += 1;
    underWay += 1;
    void exchange(port, { call, tally, dueMs, free }).then(() => {
      ended += 1;
      underWay -= 1;
      heard();
    });
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) * PER_SECOND) / 1_000);
    for (let index = sent; index < due; index += 1) sendNext(startMs + ((index + 1) * 1_000) / PER_SECOND);
  }, TICK_MS);
  const until = (isIt: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      const patience = setTimeout(() => reject(new Error('the sidecar does not answer')), PATIENCE_MS);
      heard = () => {
        if (!isIt()) return;
        clearTimeout(patience);
        resolve();
      };
      heard();
    });
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await until(() => underWay === 0);
    for (const socket of free) socket.destroy();
  };
  return {
    /** Resolves when so many more have ended. @throws Error if the sidecar has not answered for long */
    more: (count: number): Promise<void> => {
      const target = ended + count;
      return until(() => ended >= target);
    },
    counts: (name?: string): Readonly<Tally> =>
      together(name === undefined ? [...tallies.values()] : [tallies.get(name) ?? newTally()]),
    underWay: (): number => underWay,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What became of the requests of one kind. */
interface Tally {
  asked: number;
  right: number;
  /** Requests whose connection ended under them, after it had given answers. */
  broken: number;
  /** Requests for which no connection could be had, or none that was taken from the queue of the system. */
  refused: number;
  /** Answers that were none of those that could be right. */
  readonly wrong: string[];
  /** From due to answer, in their order. */
  readonly latenciesMs: number[];
}

const newTally = (): Tally => ({ asked: 0, right: 0, broken: 0, refused: 0, wrong: [], latenciesMs: [] });

function together(tallies: readonly Tally[]): Readonly<Tally> {
  const sum = (member: 'asked' | 'right' | 'broken' | 'refused'): number =>
    tallies.reduce((total, tally) => total + tally[member], 0);
  return {
    ...{ asked: sum('asked'), right: sum('right'), broken: sum('broken'), refused: sum('refused') },
    wrong: tallies.flatMap(({ wrong }) => wrong),
    latenciesMs: tallies.flatMap(({ latenciesMs }) => latenciesMs),
  };
}

interface Exchange {
  readonly call: LoadedCall;
  readonly tally: Tally;
  readonly dueMs: number;
  readonly free: Socket[];
}

async function exchange(port: number, { call, tally, dueMs, free }: Exchange): Promise<void> {
  const socket = free.pop() ?? (await connected(port, free));
  if (socket === undefined) {
    tally.refused += 1;
    return;
  }
  const isNew = socket.bytesRead === 0;
  const expected = call.verstats();
  const answer = await asked(socket, call.body());
  if (answer === undefined) {
    if (isNew) tally.refused += 1;
    else tally.broken += 1;
    return;
  }
  if (/\r\nconnection: close\r\n/i.test(answer)) socket.destroy();
  else free.push(socket);
  const verstat = /"verstat":"([^"]*)"/.exec(answer)?.[1] ?? answer;
  if (expected.includes(verstat) || call.verstats().includes(verstat)) tally.right += 1;
  else tally.wrong.push(`${call.name}: ${verstat}`);
  tally.latenciesMs.push(performance.now() - dueMs);
}

function connected(port: number, free: Socket[]): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
    socket.setEncoding('latin1');
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => {
      resolve(undefined);
      const at = free.indexOf(socket);
      if (at >= 0) free.splice(at, 1);
    });
  });
}

/** @returns the answer with its head; undefined where the connection ended before it was whole */
function asked(socket: Socket, body: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const done = (answer: string | undefined): void => {
      socket.off('data', read);
      socket.off('close', close);
      resolve(answer);
    };
    const close = (): void => done(undefined);
    const read = (chunk: string): void => {
      text += chunk;
      const headEnd = text.indexOf('\r\n\r\n');
      const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(text)?.[1]);
      if (headEnd >= 0 && text.length >= headEnd + 4 + length) done(text);
    };
    socket.on('data', read);
    socket.on('close', close);
    if (socket.destroyed) close();
    else
      socket.write(
        `POST /stir/v1/verification HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`,
        'latin1',
      );
  });
}
