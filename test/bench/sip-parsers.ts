import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseMessage, readEssentials } from '@hopback/harness/drachtio';
import { interleave, sized, type BenchContext, type Figure } from './bench.js';

/** The fastest SIP parser that npm has; it knows nothing of its own of how the octets were. */
const RIVAL = { name: 'sip', version: '0.0.6' } as const;
const ROUNDS = { quick: 5, short: 9, full: 31 };
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
export async function parserFigure(context: BenchContext): Promise<Figure> {
  const datagram = Buffer.from(INVITE, 'latin1');
  const ours = (): void => {
    const parsed = parseMessage(datagram.toString('latin1'));
    if (parsed.status !== 'parsed' || readEssentials(parsed.message).status !== 'read') throw new Error('not parsed');
  };
  const rival = await rivalParser();
  const rounds = { rounds: sized(context, ROUNDS), ms: TURN_MS };
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
