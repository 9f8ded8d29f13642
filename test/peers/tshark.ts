import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { peer } from '../peers.js';
import { createTemporaryDirectory } from './temporary-directory.js';

/** A packet of a capture as Wireshark's dissectors see it. */
export type DissectedPacket = Awaited<ReturnType<typeof packetOf>>;

/** Something that a dissector has to say, as grave as it finds it. */
export interface Remark {
  readonly severity: 'note' | 'warning' | 'error' | 'malformed';
  readonly message: string;
}

/** Settings of {@link dissect}. */
export interface DissectOptions {
  /** Ports on which SIP is spoken, whatever other protocol might have a claim to them. */
  readonly ports: readonly number[];
  /** A display filter; default `sip`. */
  readonly filter?: string;
}

const FIELDS = [
  ...['frame.number', 'frame.protocols', 'sip.Method', 'sip.Status-Code', 'sip.Call-ID', 'sip.CSeq', 'sip.Identity'],
  ...['udp.payload', 'tcp.payload', 'tcp.reassembled.data'],
  ...['ip.checksum.status', 'udp.checksum.status', 'tcp.checksum.status'],
  ...['_ws.malformed', '_ws.expert.severity', '_ws.expert.message'],
] as const;
type Field = (typeof FIELDS)[number];

/** Wireshark checks none of them unless it is told to. */
const CHECKSUMS = ['ip.check_checksum', 'udp.check_checksum', 'tcp.check_checksum'];
/** Between several values of a field. None of them has it. */
const AGGREGATOR = '^';
const SEVERITIES: Readonly<Record<string, Remark['severity']>> = {
  4194304: 'note',
  6291456: 'warning',
  8388608: 'error',
};
/** A capture of some hundred packets takes less than a second on an idle machine. */
const TIMEOUT_MS = 30_000;

/**
 * Has tshark read a capture, in two passes as Wireshark does.
 * @throws Error with what tshark says when it cannot read it
 */
export async function dissect(capture: Uint8Array, { ports, filter = 'sip' }: DissectOptions) {
  await using directory = await createTemporaryDirectory();
  const file = join(directory.path, 'capture.pcap');
  await writeFile(file, capture);
  const decodeAs = ports.flatMap((port) => ['udp', 'tcp'].flatMap((layer) => ['-d', `${layer}.port==${port},sip`]));
  const { stdout } = await promisify(execFile)(
    peer('tshark').path,
    [
      ...['-n', '-2', '-r', file, '-Y', filter, ...decodeAs],
      ...CHECKSUMS.flatMap((name) => ['-o', `${name}:TRUE`]),
      ...['-T', 'fields', '-E', 'occurrence=a', '-E', `aggregator=${AGGREGATOR}`, '-E', 'separator=/t'],
      ...FIELDS.flatMap((field) => ['-e', field]),
    ],
    // Its settings come from nobody's home.
    { timeout: TIMEOUT_MS, maxBuffer: 256 * 1_048_576, env: { ...process.env, WIRESHARK_CONFIG_DIR: directory.path } },
  );
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(packetOf);
}

function packetOf(line: string) {
  const cells = line.split('\t');
  const all = (field: Field): readonly string[] =>
    (cells[FIELDS.indexOf(field)] ?? '').split(AGGREGATOR).filter((value) => value !== '');
  const first = (field: Field): string => all(field)[0] ?? '';
  const messages = all('_ws.expert.message');
  const severities = all('_ws.expert.severity');
  const remarks = severities.flatMap((code, index): readonly Remark[] => {
    const severity = SEVERITIES[code];
    return severity === undefined ? [] : [{ severity, message: messages[index] ?? '' }];
  });
  const malformed = all('_ws.malformed').map((message): Remark => ({ severity: 'malformed', message }));
  return {
    number: Number(first('frame.number')),
    // As in `raw:ip:udp:sip:sdp`.
    protocols: first('frame.protocols').split(':'),
    sip: {
      ...{ method: first('sip.Method'), status: first('sip.Status-Code'), callId: first('sip.Call-ID') },
      ...{ cseq: first('sip.CSeq'), identities: all('sip.Identity') },
    },
    // Octets of the datagram, or of the segments that are put together here, in hexadecimal digits.
    payload: first('tcp.reassembled.data') || first('tcp.payload') || first('udp.payload'),
    // Of IP, UDP and TCP: `1` is right.
    checksums: [...all('ip.checksum.status'), ...all('udp.checksum.status'), ...all('tcp.checksum.status')],
    remarks: [...malformed, ...remarks],
  };
}
