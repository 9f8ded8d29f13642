import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';
import { createKamailioAccReader } from '../../sdk/src/records/ingest/formats/kamailio-acc.js';
import type { KamailioAccLayout } from '../../sdk/src/records/ingest/formats/kamailio-row.js';
import type { RowReading } from '../../sdk/src/records/ingest/record-reader.js';
import { recordsOf } from '../support/record-samples.js';
import { describePeer, peer } from '../peers.js';
import { startKamailioProcess } from './kamailio/process.js';
import { openSipDatagrams, optionsText } from './sip-datagrams.js';
import { flawless, sippCalls, startSippCallees, type SippCallees } from './sipp/run-sipp.js';
import { createTemporaryDirectory } from './temporary-directory.js';

/** Columns of acc.cfg beside those that acc has of itself. */
const EXTRA = ['src_user', 'src_ip', 'src_port', 'dst_ouser', 'dst_user', 'dst_domain', 'dst_port', 'created', 'grp'];
const CORE = ['method', 'from_tag', 'to_tag', 'callid', 'sip_code', 'sip_reason', 'time', 'time_attr', 'time_exten'];
const ROLES: KamailioAccLayout['extra'] = {
  ...{ src_user: 'calling', src_ip: 'sourceAddress', src_port: 'sourcePort', dst_ouser: 'called', dst_user: 'sentTo' },
  ...{ dst_domain: 'destinationAddress', dst_port: 'destinationPort', created: 'inviteTime', grp: 'callGroup' },
};
const CALLING = '12025550101';
const CALLED = '12025550123';

/** acc_json is in a package of its own, kamailio-extra-modules, which needs not be there. */
const ACC_JSON = [join(dirname(peer('kamailio').path), '..'), '/usr']
  .flatMap((prefix) => [
    join(prefix, 'lib/x86_64-linux-gnu'),
    join(prefix, 'lib/aarch64-linux-gnu'),
    join(prefix, 'lib64'),
  ])
  .map((folder) => join(folder, 'kamailio/modules/acc_json.so'))
  .find((file) => existsSync(file));

/** What Kamailio wrote of one call of each kind, and where its callees were. */
interface Written {
  readonly flat: readonly string[];
  readonly log: readonly string[];
  readonly json: readonly string[];
  readonly ports: { readonly proxy: number; readonly callee: number; readonly busy: number; readonly ringing: number };
  readonly fromMs: number;
  readonly toMs: number;
}

let made: Promise<Written> | undefined;

/** Calls are made once, within the first test that asks. */
function callsMade(): Promise<Written> {
  return (made ??= callsThroughKamailio());
}

/** One call of each kind: answered, refused, both callees at once, one after the other, given up. */
async function callsThroughKamailio(): Promise<Written> {
  await using directory = await createTemporaryDirectory();
  await using datagrams = await openSipDatagrams();
  await using callee = await startSippCallees({ scenario: 'callee', transport: 'udp', calls: 3 });
  // Of a call that both are rung for, it may hear CANCEL after its refusal; it goes on to the ACK, and counts no call of it.
  const refusing = { scenario: 'callee-is-busy', transport: 'udp', calls: 3, passesOver: true } as const;
  await using busy = await startSippCallees(refusing);
  await using ringing = await startSippCallees({ scenario: 'callee-is-cancelled', transport: 'udp', calls: 1 });
  const quoted = (text: string): string => JSON.stringify(text);
  const definitions = {
    ...{ ACC_URL: quoted(`flatstore:${directory.path}`), FIRST: quoted(busy.uri), SECOND: quoted(callee.uri) },
    ...(ACC_JSON === undefined ? {} : { ACC_JSON: quoted(ACC_JSON) }),
  };
  const fromMs = Date.now();
  const kamailio = await startKamailioProcess({ configuration: 'acc.cfg', definitions });
  try {
    const words = { calling: CALLING, group: 'one-call' };
    const call = async (scenario: string, to: SippCallees, mode = ''): Promise<void> => {
      const uri = `sip:${CALLED}@127.0.0.1:${to.port}${mode}`;
      const run = { scenario, transport: 'udp', calls: 1, port: kamailio.port, uri, words, passesOver: true } as const;
      expect(await sippCalls(run)).toMatchObject({ ...flawless(1), retransmissions: expect.any(Number) });
    };
    await call('caller-numbered', callee);
    await call('caller-is-refused', busy);
    await call('caller-numbered', callee, ';mode=fork');
    await call('caller-numbered', callee, ';mode=next');
    await call('caller-cancels', ringing);
    const lines = (text: string): readonly string[] => text.split('\n').filter((line) => line !== '');
    const log = (mark: string): readonly string[] => lines(kamailio.log()).filter((line) => line.includes(mark));
    const rowsOf = async (table: string): Promise<readonly string[]> => {
      const files = (await readdir(directory.path)).filter((name) => name.startsWith(`${table}_`));
      return lines((await Promise.all(files.map((name) => readFile(join(directory.path, name), 'utf8')))).join(''));
    };
    await expect.poll(() => rowsOf('acc'), { timeout: 5_000 }).toHaveLength(9);
    await expect.poll(() => log('start_time='), { timeout: 5_000 }).toHaveLength(5);
    const probed = (): readonly string[] => (datagrams.send(optionsText(), kamailio.port), log('json_acc'));
    if (ACC_JSON !== undefined) await expect.poll(probed, { timeout: 5_000 }).toHaveLength(12);
    return {
      flat: [...(await rowsOf('acc')), ...(await rowsOf('missed_calls'))],
      log: lines(kamailio.log()),
      json: log('json_acc'),
      ports: { proxy: kamailio.port, callee: callee.port, busy: busy.port, ringing: ringing.port },
      ...{ fromMs, toMs: Date.now() },
    };
  } finally {
    await kamailio.stop();
  }
}

/** Reads rows, and gives up what waits. */
function read(layout: KamailioAccLayout, rows: readonly string[]): readonly RowReading[] {
  const description = { id: 'proxy', format: 'kamailio-acc', time: { zone: 'utc' } } as const;
  const reader = createKamailioAccReader({ ...description, providers: { '127.0.0.1': 'Loopback' } }, layout);
  const readings = rows.flatMap((text, index) => reader.read({ text, sha256: sourceSha256(text), line: index + 1 }));
  return [...readings, ...reader.expire(Number.POSITIVE_INFINITY)];
}

/** What a person would say of the calls, in an order that does not depend on the rows'. */
function summary(records: readonly CallRecord[], { ports }: Written): readonly string[] {
  const names = new Map(Object.entries(ports).map(([name, port]) => [`127.0.0.1:${port}`, name]));
  return records
    .map(({ disposition, release, egress, calling, called, callGroupId }) =>
      [
        ...[disposition, release?.sipStatus, release?.party, names.get(egress.address ?? '') ?? 'nowhere'],
        ...[calling?.tn ?? calling?.asWritten, called?.tn, callGroupId === 'one-call' ? 'grouped' : 'by Call-ID'],
      ].join(' '),
    )
    .toSorted();
}

const CALLS = [
  `answered  calling callee ${CALLING} ${CALLED} grouped`,
  `answered  calling callee ${CALLING} ${CALLED} grouped`,
  `answered  calling callee ${CALLING} ${CALLED} grouped`,
  `busy 486  busy ${CALLING} ${CALLED} grouped`,
  `busy 486  busy caller ${CALLED} by Call-ID`,
  `cancelled 487 calling ringing caller ${CALLED} by Call-ID`,
];

describePeer(['kamailio', 'sipp'], 'What Kamailio wrote of real calls', () => {
  test('reads rows of db_flatstore: one record a branch, each row once, and nothing that cannot be read', async () => {
    const written = await callsMade();
    const readings = read({ form: 'flat', columns: [...CORE, ...EXTRA], extra: ROLES }, written.flat);
    expect(readings.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(readings.filter((reading) => reading.status === 'skipped' && reading.why === 'repeated')).toHaveLength(2);
    expect(summary(recordsOf(readings), written)).toEqual(CALLS);
  });

  test('puts INVITE, answer and end where they were, and the hops where the packets came from', async () => {
    const written = await callsMade();
    const readings = read({ form: 'flat', columns: [...CORE, ...EXTRA], extra: ROLES }, written.flat);
    const answered = recordsOf(readings).filter(({ disposition }) => disposition === 'answered');
    for (const { inviteAtUs, answeredAtUs = 0, endedAtUs = 0, ingress, time } of answered) {
      expect(inviteAtUs).toBeGreaterThanOrEqual(written.fromMs * 1_000);
      expect(answeredAtUs).toBeGreaterThan(inviteAtUs);
      expect(endedAtUs).toBeGreaterThan(answeredAtUs);
      expect(endedAtUs).toBeLessThanOrEqual(written.toMs * 1_000);
      expect(ingress).toMatchObject({ address: expect.stringMatching(/^127\.0\.0\.1:\d+$/), provider: 'Loopback' });
      expect(time).toEqual({ written: 'utc', resolutionUs: 1 });
    }
  });

  test('reads the lines of its log, CDRs of the dialog module among them, joined with their INVITE', async () => {
    const written = await callsMade();
    const readings = read({ form: 'log', extra: ROLES, cdrs: 'beside' }, written.log);
    expect(readings.filter(({ status }) => status === 'rejected')).toEqual([]);
    const records = recordsOf(readings);
    expect(summary(records, written)).toHaveLength(6);
    const byDisposition = (wanted: string): readonly CallRecord[] =>
      records.filter(({ disposition }) => disposition === wanted);
    expect([byDisposition('answered').length, byDisposition('busy').length, byDisposition('cancelled').length]).toEqual(
      [3, 2, 1],
    );
    for (const { answeredAtUs = 0, endedAtUs = 0 } of byDisposition('answered')) {
      expect(endedAtUs).toBeGreaterThanOrEqual(answeredAtUs - 1_000);
    }
  });

  test('reads the objects of acc_json, where Kamailio has that module, as it reads the rows', async () => {
    const written = await callsMade();
    const readings = read({ form: 'json', extra: ROLES }, written.json);
    expect(readings.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(summary(recordsOf(readings), written)).toEqual(ACC_JSON === undefined ? [] : CALLS);
  });
});
