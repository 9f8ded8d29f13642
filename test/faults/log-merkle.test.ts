import { expect, test } from 'vitest';
import {
  MerkleLog,
  verifyMerkleLog,
  type LogSigner,
  type MerkleLogOptions,
  type MerkleLogVerification,
} from '../../sdk/src/log/index.js';
import { merkleRoot, signCheckpoint, decodeMerkleRecord, encodeMerkleRecord } from '../../sdk/src/log/merkle-tree.js';
import { encodeGroup, encodeSegmentHeader, segmentFileName } from '../../sdk/src/log/segment-format.js';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { newLogSigner } from '../support/log-records.js';
import {
  createSimulatedLogFiles,
  everyCrash,
  type Crash,
  type SimulatedLogFiles,
} from '../support/simulated-log-files.js';
import { recordsOfSegment, segmentOf } from '../support/tampered-log.js';

const LOG_ID = 'example.com/evidence';
const ROUNDS = faultCount({ short: 200, full: 1_000 });
const LIVES = faultCount({ short: 25, full: 300 });

const SIGNER = newLogSigner();
const STRANGER = newLogSigner();

const opened = (files: SimulatedLogFiles, more: Partial<MerkleLogOptions> = {}): Promise<MerkleLog> =>
  MerkleLog.open({ directory: '/log', files, logId: LOG_ID, signer: SIGNER, ...more });

const entryText = (index: number): string => `{"entry":${index},"sha256":"${'0'.repeat(20 + (index % 50))}"}`;

const between = (random: SeededRandom, least: number, most: number): number => least + random.int(most - least + 1);

/** A log whose entries came one by one, and now and then several at once. */
async function writtenLog(random: SeededRandom, segmentBytes: number): Promise<SimulatedLogFiles> {
  const files = createSimulatedLogFiles();
  const log = await opened(files, { segmentBytes });
  let index = 0;
  for (let batch = 0; batch < 12; batch += 1) {
    const count = between(random, 0, 2) > 0 ? 1 : between(random, 2, 5);
    await Promise.all(Array.from({ length: count }, () => log.append(entryText(index++))));
  }
  await log.close();
  return files;
}

/** A record with the entries that it has. */
interface Part {
  readonly payload: Buffer;
  readonly firstLeaf: number;
  readonly entries: number;
}

function partsOf(payloads: readonly Buffer[]): Part[] {
  let firstLeaf = 0;
  return payloads.map((payload) => {
    const entries = decodeMerkleRecord(payload)!.entries.length;
    const part = { payload, firstLeaf, entries };
    firstLeaf += entries;
    return part;
  });
}

interface Deed {
  /** The records as they are afterwards. */
  readonly payloads: readonly Buffer[];
  /** The first entry that is not as it was. */
  readonly from: number;
  /** The last that may be named for it. */
  readonly through: number;
  readonly kinds: readonly string[];
}

/** The entries of a record changed, and the note over them left, or written anew for what is there now. */
async function rewritten(
  parts: readonly Part[],
  at: number,
  change: { readonly entries: readonly Uint8Array[]; readonly by?: LogSigner },
): Promise<Buffer> {
  const { note } = decodeMerkleRecord(parts[at]!.payload)!;
  if (change.by === undefined) return encodeMerkleRecord({ note, entries: change.entries });
  const before = parts.slice(0, at).flatMap(({ payload }) => decodeMerkleRecord(payload)!.entries);
  const all = [...before, ...change.entries];
  const forged = await signCheckpoint({ logId: LOG_ID, size: all.length, rootHash: merkleRoot(all) }, change.by);
  return encodeMerkleRecord({ note: forged, entries: change.entries });
}

async function edit(parts: readonly Part[], random: SeededRandom): Promise<Deed> {
  const at = between(random, 0, parts.length - 1);
  const part = parts[at]!;
  const which = between(random, 0, part.entries - 1);
  const entries = decodeMerkleRecord(part.payload)!.entries.map((entry, index) => {
    if (index !== which) return entry;
    const changed = Buffer.from(entry);
    changed[between(random, 0, changed.length - 1)]! ^= 1 << between(random, 0, 7);
    return changed;
  });
  const by = between(random, 0, 1) === 0 ? {} : { by: STRANGER };
  const payload = await rewritten(parts, at, { entries, ...by });
  // The last one, signed by a stranger over what it says, is named for its signature.
  const kinds = at === parts.length - 1 && 'by' in by ? ['checkpoint-forged'] : ['edited'];
  const payloads = parts.map((other, index) => (index === at ? payload : other.payload));
  return { payloads, from: part.firstLeaf, through: part.firstLeaf + part.entries - 1, kinds };
}

function remove(parts: readonly Part[], random: SeededRandom): Deed {
  const at = between(random, 0, parts.length - 2);
  const count = between(random, 1, Math.min(3, parts.length - 1 - at));
  const payloads = parts.filter((_, index) => index < at || index >= at + count).map(({ payload }) => payload);
  return { payloads, from: parts[at]!.firstLeaf, through: parts[at + count]!.firstLeaf - 1, kinds: ['deleted'] };
}

function swap(parts: readonly Part[], random: SeededRandom): Deed {
  const at = between(random, 0, parts.length - 2);
  const other = between(random, at + 1, parts.length - 1);
  const payloads = parts.map(({ payload }) => payload);
  [payloads[at], payloads[other]] = [payloads[other]!, payloads[at]!];
  return { payloads, from: parts[at]!.firstLeaf, through: parts[at]!.firstLeaf, kinds: ['swapped'] };
}

async function insert(parts: readonly Part[], random: SeededRandom): Promise<Deed> {
  const at = between(random, 0, parts.length);
  const payloads = parts.map(({ payload }) => payload);
  const from = parts[at]?.firstLeaf ?? parts.at(-1)!.firstLeaf + parts.at(-1)!.entries;
  const isCopy = at > 0 && between(random, 0, 1) === 0;
  const forged = { entries: [Buffer.from('new')], by: STRANGER };
  const payload = isCopy
    ? parts[between(random, 0, at - 1)]!.payload
    : await rewritten([...parts.slice(0, at), parts[0]!], at, forged);
  payloads.splice(at, 0, payload);
  const kinds = !isCopy && at === parts.length ? ['checkpoint-forged'] : ['inserted'];
  return { payloads, from, through: from, kinds };
}

function cut(parts: readonly Part[], random: SeededRandom): Deed {
  const at = between(random, 0, parts.length - 1);
  const payloads = parts.slice(0, at).map(({ payload }) => payload);
  return { payloads, from: parts[at]!.firstLeaf, through: parts[at]!.firstLeaf, kinds: ['cut'] };
}

const DEEDS = { edit, remove, swap, insert, cut };

const trustOf = (files: SimulatedLogFiles, checkpoints: readonly string[]): Parameters<typeof verifyMerkleLog>[1] => ({
  publicKeys: [SIGNER.publicKey],
  files,
  checkpoints,
});

function located(verification: MerkleLogVerification, deed: Omit<Deed, 'payloads'>, what: string): void {
  if (verification.status !== 'broken') return expect.fail(`${what}: not noticed`);
  const { finding } = verification;
  const through = 'throughIndex' in finding ? finding.throughIndex : finding.leafIndex;
  if (finding.leafIndex !== deed.from || through > deed.through || !deed.kinds.includes(finding.kind)) {
    expect.fail(`${what}: ${JSON.stringify(finding)} for ${deed.from} to ${deed.through}, ${deed.kinds.join()}`);
  }
}

test(
  `${ROUNDS} edits, deletions, swaps, insertions and tail cuts by an attacker who knows the format are each located`,
  { timeout: 60_000 + 300 * ROUNDS },
  async () => {
    const counts: Record<string, number> = {};
    for (let round = 0; round < ROUNDS; round += 1) {
      const random = new SeededRandom(round);
      const files = await writtenLog(random, 2 ** 20);
      const [[name, bytes]] = [...files.contents()] as [[string, Buffer]];
      const parts = partsOf(recordsOfSegment(name, bytes).map(({ payload }) => payload));
      const { note } = decodeMerkleRecord(parts.at(-1)!.payload)!;
      expect((await verifyMerkleLog('/log', trustOf(files, [note]))).status).toBe('intact');
      const kind = (Object.keys(DEEDS) as (keyof typeof DEEDS)[])[round % 5]!;
      const deed = await DEEDS[kind](parts, random);
      files.replaceContent(name, segmentOf(name, deed.payloads));
      located(await verifyMerkleLog('/log', trustOf(files, [note])), deed, `${kind} in round ${round}`);
      // It cannot be opened, so that nothing more is signed for it.
      await expect(opened(files, { heldCheckpoints: [note] })).rejects.toMatchObject({ code: 'log-inconsistent' });
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    reportFault('merkle-log-tampered', { rounds: ROUNDS, ...counts, missed: 0 });
  },
);

test(
  `${ROUNDS} flipped bits, missing files and cut files are each located`,
  { timeout: 60_000 + 300 * ROUNDS },
  async () => {
    let harmless = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const random = new SeededRandom(round, 'raw');
      const files = await writtenLog(random, 4_096);
      const segments = [...files.contents()]
        .filter(([, bytes]) => bytes.length > 0)
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
      const parts = partsOf(
        segments.flatMap(([name, bytes]) => recordsOfSegment(name, bytes).map(({ payload }) => payload)),
      );
      const { note } = decodeMerkleRecord(parts.at(-1)!.payload)!;
      const at = between(random, 0, segments.length - 1);
      const [name, bytes] = segments[at]!;
      const recordsBefore = segments
        .slice(0, at)
        .flatMap(([other, content]) => recordsOfSegment(other, content)).length;
      const changed = Buffer.from(bytes);
      if (round % 3 === 0) await files.unlink(`/log/${name}`);
      else if (round % 3 === 1)
        files.replaceContent(name, changed.subarray(0, between(random, 32, changed.length - 1)));
      else {
        changed[between(random, 32, changed.length - 1)]! ^= 1 << between(random, 0, 7);
        files.replaceContent(name, changed);
      }
      const left = files.contents().get(name);
      const survivors = left === undefined ? [] : recordsOfSegment(name, left);
      const whole = recordsOfSegment(name, bytes);
      const firstGone = whole.findIndex(
        ({ sequence, payload }) => !survivors.some((one) => one.sequence === sequence && one.payload.equals(payload)),
      );
      const verification = await verifyMerkleLog('/log', trustOf(files, [note]));
      if (firstGone === -1) {
        // A header of a group says what was in doubt, and holds nothing; what is left of one at the end could have been an entry.
        expect(verification.status).not.toBe('broken');
        expect(verification.size).toBe(parts.at(-1)!.firstLeaf + parts.at(-1)!.entries);
        harmless += 1;
        continue;
      }
      const gone = parts[recordsBefore + firstGone]!;
      located(
        verification,
        { from: gone.firstLeaf, through: Number.POSITIVE_INFINITY, kinds: ['deleted', 'damaged', 'cut'] },
        `round ${round}`,
      );
    }
    expect(harmless).toBeLessThan(ROUNDS / 3);
    reportFault('merkle-log-damaged', { rounds: ROUNDS, harmless, missed: 0 });
  },
);

/** Offsets of the parts of a frame, as in `segment-format.ts`. */
const PARTS_OF_FRAME = {
  mark: [0, 4],
  checksum: [4, 8],
  length: [8, 12],
  number: [12, 20],
  record: [20, Infinity],
} as const;

test(
  'each flipped bit of the last record and its frame is located, without a held checkpoint too, and the log does not open',
  { timeout: 120_000 },
  async () => {
    const files = await writtenLog(new SeededRandom(1, 'last'), 2 ** 20);
    const [[name, bytes]] = [...files.contents()] as [[string, Buffer]];
    const records = recordsOfSegment(name, bytes);
    const last = partsOf(records.map(({ payload }) => payload)).at(-1)!;
    const { note } = decodeMerkleRecord(last.payload)!;
    const begin = bytes.indexOf(last.payload) - 20;
    const counts: Record<string, number> = {};
    for (const [part, [from, to]] of Object.entries(PARTS_OF_FRAME)) {
      for (let at = from; at < Math.min(to, 20 + last.payload.length); at += 1) {
        // All bits of the head of the frame, one of each byte of what is behind it.
        for (let bit = 0; bit < (part === 'record' ? 1 : 8); bit += 1) {
          const changed = Buffer.from(bytes);
          changed[begin + at]! ^= 1 << (part === 'record' ? at % 8 : bit);
          files.replaceContent(name, changed);
          const deed = { from: last.firstLeaf, through: last.firstLeaf };
          for (const held of [[], [note]]) {
            const verification = await verifyMerkleLog('/log', trustOf(files, held));
            located(verification, { ...deed, kinds: ['damaged'] }, `${part}, bit ${bit} of byte ${at}`);
          }
          counts[part] = (counts[part] ?? 0) + 1;
        }
      }
    }
    const refused = { code: 'log-inconsistent', details: { leafIndex: last.firstLeaf } };
    await expect(opened(files)).rejects.toMatchObject(refused);
    files.replaceContent(name, bytes);
    expect((await verifyMerkleLog('/log', trustOf(files, [note]))).status).toBe('intact');
    reportFault('merkle-log-last-record', { ...counts, missed: 0 });
  },
);

test('a damaged last record of a log that was not closed makes the verification indeterminate, and a held checkpoint names it', async () => {
  const files = createSimulatedLogFiles();
  const log = await opened(files);
  for (let index = 0; index < 3; index += 1) await log.append(entryText(index));
  const held = log.checkpoint!;
  const [[name, bytes]] = [...files.contents()] as [[string, Buffer]];
  const whole = Buffer.from(bytes);
  expect((await verifyMerkleLog('/log', trustOf(files, []))).status).toBe('intact');
  for (const at of [whole.length - 1, whole.length - 40]) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 1;
    files.replaceContent(name, changed);
    expect(await verifyMerkleLog('/log', trustOf(files, []))).toMatchObject({
      status: 'indeterminate',
      reason: 'tail-unreadable',
      leafIndex: 2,
      size: 2,
    });
    expect(await verifyMerkleLog('/log', trustOf(files, [held]))).toMatchObject({
      status: 'broken',
      finding: { kind: 'cut', leafIndex: 2, size: 3 },
    });
  }
  files.replaceContent(name, whole);
  await log.close();
});

test('a last entry that is damaged at the end of a segment is located where the newest segment holds nothing yet', async () => {
  const files = await writtenLog(new SeededRandom(3, 'last'), 2 ** 20);
  const [[name, bytes]] = [...files.contents()] as [[string, Buffer]];
  const records = recordsOfSegment(name, bytes);
  const last = partsOf(records.map(({ payload }) => payload)).at(-1)!;
  const next = { ordinal: 2, first: records.at(-1)!.sequence + 1, mark: 0x01020304 };
  const file = await files.create(`/log/${segmentFileName(next)}`);
  await file.append([encodeSegmentHeader(next), encodeGroup(next.mark, next.first, next.first - 1)]);
  expect((await verifyMerkleLog('/log', trustOf(files, []))).status).toBe('intact');
  const changed = bytes.subarray(0, bytes.indexOf(last.payload) + 3);
  files.replaceContent(name, changed);
  located(
    await verifyMerkleLog('/log', trustOf(files, [])),
    { from: last.firstLeaf, through: last.firstLeaf, kinds: ['damaged'] },
    'cut',
  );
});

test('two checkpoints over the same size with other roots say that the keeper showed two logs', async () => {
  const files = createSimulatedLogFiles();
  const log = await opened(files);
  const notes: string[] = [];
  for (let index = 0; index < 3; index += 1) notes.push((await log.append(entryText(index))).checkpoint);
  await log.close();
  const other = await signCheckpoint(
    { logId: LOG_ID, size: 3, rootHash: merkleRoot([entryText(0), entryText(1), 'another']) },
    SIGNER,
  );
  for (const held of [
    [...notes, other],
    [other, ...notes],
  ]) {
    expect(await verifyMerkleLog('/log', trustOf(files, held))).toMatchObject({
      status: 'broken',
      finding: { kind: 'forked', leafIndex: 2, size: 3 },
    });
  }
});

test('a log that its own keeper rewrites contradicts a checkpoint that was kept elsewhere', async () => {
  const files = await writtenLog(new SeededRandom(0, 'kept'), 2 ** 20);
  const [[name, bytes]] = [...files.contents()] as [[string, Buffer]];
  const payloads = recordsOfSegment(name, bytes).map(({ payload }) => payload);
  const kept = payloads.map((payload) => decodeMerkleRecord(payload)!.note);
  const other = createSimulatedLogFiles();
  const log = await opened(other);
  const entries = payloads.flatMap((payload) => decodeMerkleRecord(payload)!.entries);
  for (const [index, entry] of entries.entries()) await log.append(index === 6 ? 'another' : entry);
  await log.close();
  expect((await verifyMerkleLog('/log', trustOf(other, []))).status).toBe('intact');
  const verification = await verifyMerkleLog('/log', trustOf(other, kept));
  expect(verification).toMatchObject({ status: 'broken', finding: { kind: 'rewritten' } });
  if (verification.status !== 'broken' || verification.finding.kind !== 'rewritten') return;
  expect(verification.finding.leafIndex).toBeLessThanOrEqual(6);
  expect(verification.finding.throughIndex).toBeGreaterThanOrEqual(6);
});

const CRASHES: readonly Crash[] = ['process', 'power', 'names', 'torn'];

/** A life of a log over several segments. Tells of each acknowledgement. */
async function life(files: SimulatedLogFiles, acknowledged: (leafIndex: number, note: string) => void): Promise<void> {
  const log = await opened(files, { segmentBytes: 4_096, schedule: () => () => undefined });
  for (let index = 0; index < 16;) {
    const count = index % 5 === 4 ? 3 : 1;
    const batch = Array.from({ length: count }, (_, at) => log.append(entryText(index + at).padEnd(400)));
    index += count;
    for (const { leafIndex, checkpoint } of await Promise.all(batch)) acknowledged(leafIndex, checkpoint);
  }
  await log.close();
}

test(
  'killed between every pair of file operations: every acknowledged entry is there, at its place, and the log goes on',
  { timeout: 120_000 },
  async () => {
    const whole = createSimulatedLogFiles();
    await life(whole, () => undefined);
    const operations = whole.operations();
    let crashes = 0;
    for (const { after, crash, fraction } of everyCrash(operations)) {
      const files = createSimulatedLogFiles();
      let [last, held] = [-1, ''];
      files.killAfter(after);
      await life(files, (leafIndex, note) => ([last, held] = [leafIndex, note])).catch(() => undefined);
      files.killAfter(0);
      const left = files.afterCrash(crash, fraction);
      const heldCheckpoints = held === '' ? [] : [held];
      const looked = await verifyMerkleLog('/log', trustOf(left, heldCheckpoints));
      // Entries that were not acknowledged may be there in part, unless all that is left was synced.
      expect([crash, after, looked.status]).not.toEqual([crash, after, 'broken']);
      if (crash === 'power') expect([after, looked.status]).toEqual([after, 'intact']);
      const log = await opened(left, { heldCheckpoints });
      expect(log.size).toBeGreaterThan(last);
      const entries = await log.read(0, { maxEntries: 100 });
      expect(entries.map(({ octets }) => Buffer.from(octets).toString().trimEnd())).toEqual(
        entries.map(({ leafIndex }) => entryText(leafIndex)),
      );
      expect((await log.append('after')).leafIndex).toBe(entries.length);
      await log.close();
      expect((await verifyMerkleLog('/log', trustOf(left, heldCheckpoints))).status).toBe('intact');
      crashes += 1;
    }
    reportFault('merkle-log-kill-between-operations', { operations, crashes, lost: 0 });
  },
);

/** Opens a log, appends an entry and closes it, on a disk that may fail at any of it. */
async function goneOn(files: SimulatedLogFiles, acknowledged: (leafIndex: number, note: string) => void) {
  const soon = (run: () => void): (() => void) => {
    const timer = setTimeout(run, 1);
    return () => clearTimeout(timer);
  };
  const log = await opened(files, { schedule: soon });
  try {
    const { leafIndex, checkpoint } = await log.append(entryText(log.size).padEnd(400));
    acknowledged(leafIndex, checkpoint);
  } finally {
    await log.close();
  }
}

test(
  'killed again while it recovers from a kill, the log opens, and holds every acknowledged entry',
  { timeout: 60_000 + 3_000 * LIVES },
  async () => {
    const whole = createSimulatedLogFiles();
    await life(whole, () => undefined);
    const operations = whole.operations();
    let crashes = 0;
    for (let round = 0; round < LIVES; round += 1) {
      const random = new SeededRandom(round, 'twice');
      const crash = (): Crash => CRASHES[between(random, 0, CRASHES.length - 1)]!;
      let files = createSimulatedLogFiles();
      let [last, held] = [-1, ''];
      const acknowledged = (leafIndex: number, note: string): void => void ([last, held] = [leafIndex, note]);
      files.killAfter(between(random, 0, operations));
      await life(files, acknowledged).catch(() => undefined);
      for (let again = 0; again < 3; again += 1) {
        files.killAfter(0);
        files = files.afterCrash(crash(), [0.1, 0.5, 0.9, 1][between(random, 0, 3)]);
        files.killAfter(between(random, 0, 12));
        await goneOn(files, acknowledged).catch((error: unknown) => {
          expect([round, (error as { code?: string }).code]).not.toEqual([round, 'log-inconsistent']);
        });
        crashes += 1;
      }
      files.killAfter(0);
      const left = files.afterCrash(crash());
      const heldCheckpoints = held === '' ? [] : [held];
      const looked = await verifyMerkleLog('/log', trustOf(left, heldCheckpoints));
      expect([round, looked.status]).not.toEqual([round, 'broken']);
      const log = await opened(left, { heldCheckpoints });
      expect(log.size).toBeGreaterThan(last);
      await log.append('after');
      await log.close();
      expect([round, (await verifyMerkleLog('/log', trustOf(left, heldCheckpoints))).status]).toEqual([
        round,
        'intact',
      ]);
    }
    reportFault('merkle-log-kill-while-recovering', { rounds: LIVES, crashes, lost: 0 });
  },
);
