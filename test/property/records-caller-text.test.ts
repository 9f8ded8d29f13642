import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createKamailioAccReader } from '../../sdk/src/records/ingest/formats/kamailio-acc.js';
import { createOracleSbcReader } from '../../sdk/src/records/ingest/formats/oracle-sbc.js';
import type { RecordReader, RowReading } from '../../sdk/src/records/ingest/record-reader.js';
import { createRibbonActReader } from '../../sdk/src/records/ingest/formats/ribbon-act.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';
import { ribbonRows } from '../bench/ribbon-rows.js';
import { forAll } from '../support/for-all.js';

// What a caller or a called phone puts into its SIP messages ends in rows that some switches do not escape. Whatever it is, a row
// is read with the hops that the switch wrote, or is rejected: it never names another provider.

/** Text of a peer, made of what takes rows apart, and whole fields that look like others. */
const peerText = fc
  .array(
    fc.oneof(
      fc.constantFrom('"', '","', '",', ',"', ',', '""', '\\"', '\\', ';', '; ', '=', '|', '<', '>', '<sip:x@y>', ' '),
      fc.constantFrom('src_ip=203.0.113.66', 'TG-EVIL', 'evil-realm', '16', '14:00:00.250 UTC NOV 25 2026'),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join('').replaceAll(/[\r\n\0]/g, ''));

/** A display name as SIP has it: quotes and backslashes inside are escaped. */
const displayName = peerText.map((text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`);

function read(reader: RecordReader, text: string): readonly RowReading[] {
  return reader.read({ text, sha256: sourceSha256(text), line: 2 });
}

/** Every hop that readings name is one that is expected. */
function expectHops(readings: readonly RowReading[], ingress: object, egress: object): void {
  for (const reading of readings) {
    if (reading.status !== 'record') expect(reading.status).toBe('rejected');
    else expect([reading.record.ingress, reading.record.egress]).toEqual([ingress, egress]);
  }
}

test('no display name moves the realms of an Oracle row', () => {
  const reader = createOracleSbcReader({ id: 'sbc', format: 'oracle-sbc', time: { zone: 'utc' } });
  const rowOf = (from: string): string =>
    [
      ...['2', '198.51.100.2', '5060', '"s1"', '"in"', '"out"', 'SIP', '""', '"g1"', from, '"<sip:12025550123@x>"'],
      ...[
        '1',
        '60',
        '"14:00:00.250 UTC NOV 25 2026"',
        '"14:00:04.500 UTC NOV 25 2026"',
        '"14:01:04.500 UTC NOV 25 2026"',
      ],
      ...['16', '"M00"', '0', '"M10"', '0', '"realm-out"', '"realm-in"', '"flow"'],
    ].join(',');
  const hops = [
    { trunk: 'realm-in', callId: 'in' },
    { trunk: 'realm-out', callId: 'out' },
  ] as const;
  forAll([displayName, fc.boolean()], 5_000, (name, isEnclosed) => {
    const from = `${name} <sip:+12025550101@192.0.2.10>;tag=1`;
    expectHops(read(reader, rowOf(isEnclosed ? `"${from}"` : from)), ...hops);
  });
  const [plain] = read(reader, rowOf('""Caller, Inc." <sip:+12025550101@192.0.2.10>;tag=1"'));
  expect(plain?.status).toBe('record');
});

test('no display name moves the trunk groups of a Ribbon row', () => {
  const reader = createRibbonActReader({ id: 'sbc', format: 'ribbon-act', time: { zone: 'utc' } });
  const [row] = ribbonRows(1);
  const text = (row as Buffer).toString('latin1');
  const [plain] = read(reader, text);
  if (plain?.status !== 'record') throw new Error('the row of the bench makes no record');
  const { ingress, egress } = plain.record;
  forAll([displayName], 5_000, (name) => {
    expectHops(
      read(
        reader,
        text.replace('<sip:2025550100@', () => `${name} <sip:2025550100@`),
      ),
      ingress,
      egress,
    );
  });
});

test('no reason phrase or user name moves the columns of a log line of Kamailio', () => {
  forAll([peerText, peerText], 5_000, (reason, user) => {
    const reader = createKamailioAccReader(
      { id: 'proxy', format: 'kamailio-acc', time: { zone: 'utc' } },
      { form: 'log', extra: { src_user: 'calling', src_ip: 'sourceAddress', trunk: 'ingressTrunk' } },
    );
    const line =
      `NOTICE: ACC: transaction answered: timestamp=1795615200;method=INVITE;from_tag=a;to_tag=b;call_id=c;code=486;` +
      `reason=${reason};src_user=${user};src_ip=192.0.2.10;trunk=peer-a`;
    expectHops(read(reader, line), { trunk: 'peer-a', address: '192.0.2.10', callId: 'c' }, {});
  });
});

test('no user name moves the columns of a line of db_flatstore', () => {
  const columns = ['method', 'from_tag', 'to_tag', 'callid', 'sip_code', 'sip_reason', 'time', 'user', 'src_ip'];
  const reader = (): RecordReader =>
    createKamailioAccReader(
      { id: 'proxy', format: 'kamailio-acc', time: { zone: 'utc' } },
      { form: 'flat', columns, extra: { user: 'calling', src_ip: 'sourceAddress' } },
    );
  forAll([peerText], 2_000, (user) => {
    const written = user.replaceAll('|', '%7C');
    const line = `INVITE|a|b|c|486|Busy Here|1795615200|${written}|192.0.2.10`;
    expectHops(read(reader(), line), { address: '192.0.2.10', callId: 'c' }, {});
  });
});
