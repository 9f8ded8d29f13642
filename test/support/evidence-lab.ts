import { spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type {
  EvidenceReference,
  TracebackAnswer,
  TracebackRequest,
} from '../../sdk/src/contract/traceback-exchange.js';
import { createLogSigner } from '../../sdk/src/log/index.js';
import { sourceSha256 } from '../../sdk/src/records/index.js';
import { createFreeswitchCsvReader } from '../../sdk/src/records/ingest/formats/freeswitch.js';
import { EvidenceStore, type EvidenceMaterial, type RecordPractice } from '../../sdk/src/traceback/index.js';
import { answerTo } from './traceback-course.js';

/** A key of a test, as PEM, and the signer that it makes. */
export type LabKey = Awaited<ReturnType<typeof labKey>>;

/** A new key. */
export function labKey(kind: 'ed25519' | 'p256') {
  const { privateKey } =
    kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { pem, signer: createLogSigner(pem) };
}

/** What a platform signs when it has an answer. */
export function signedReceipt(answerJws: string, key: LabKey): string {
  return signedAnswer(
    {
      format: 'hopback.answer-receipt.1',
      requestId: 'req-7',
      tracebackId: 'tb-3',
      answerId: 'ans-9',
      revision: 1,
      answerSha256: createHash('sha256').update(answerJws).digest('hex'),
      receivedAt: '2026-11-03T14:00:03Z',
      isLate: false,
    },
    key,
  );
}

/** A compact JWS over an answer. */
export function signedAnswer(answer: unknown, key: LabKey): string {
  const alg = key.signer.algorithm === 'ES256' ? 'ES256' : 'EdDSA';
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg, typ: 'JWT' })}.${encode(answer)}`;
  const digest = alg === 'ES256' ? 'sha256' : null;
  const signature = sign(digest, Buffer.from(input), { key: createPrivateKey(key.pem), dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const ROW =
  '"Ann","12025550101","12025550102","public","2026-11-02 12:00:00","2026-11-02 12:00:03","2026-11-02 12:00:09","9","6",' +
  '"NORMAL_CLEARING","c0a8b1d2-0000-4000-8000-000000000001","","","PCMU","PCMU"';

/** A record that a reader made of a row; its bytes are kept or not. */
export function labRecord(keepRaw = true): CallRecord {
  const description = { id: 'fs-1', format: 'freeswitch-csv', time: { zone: 'utc' }, keepRaw } as const;
  const [reading] = createFreeswitchCsvReader(description).read({ text: ROW, sha256: sourceSha256(ROW), line: 1 });
  if (reading?.status !== 'record') throw new Error('the row of the laboratory is no record');
  return reading.record;
}

export const LAB_PRACTICES: readonly RecordPractice[] = [
  {
    sourceId: 'fs-1',
    system: 'FreeSWITCH 1.10.12 on the session border controller edge-1',
    writes: 'one row of comma-separated values to the file Master.csv',
    writtenWhen: 'when the call ends, within one second',
    fromWhat: 'from the signalling of the call, which it carries itself; nobody enters a record by hand',
    isRegularPractice: true,
    purpose: 'billing and the clearance of faults',
    clock: 'ntpd against 192.0.2.123',
    retention: '18 months, 47 CFR 42.6',
  },
];

const REQUEST: TracebackRequest = {
  format: 'hopback.traceback-request.1',
  requestId: 'req-7',
  tracebackId: 'tb-3',
  direction: 'back',
  hop: 2,
  requester: { kind: 'itg', name: 'Industry Traceback Group' },
  issuedAt: '2026-11-03T14:00:00Z',
  dueAt: '2026-11-04T14:00:00Z',
  provider: { name: 'Transit Telecom', ocn: '123A' },
  downstream: { name: 'Last Mile Wireless', ocn: '456B' },
  campaign: { name: 'SSA-Suspended-P2' },
  call: {
    called: '+12025550102',
    calling: '+12025550101',
    at: {
      asWritten: '11/02/2026 7:00 AM EST',
      local: '2026-11-02T07:00',
      zone: 'America/New_York',
      precision: 'minute',
    },
  },
};

const UPSTREAM_VOICE = { arm: 'received-from', upstream: { name: 'Upstream Voice', ocn: '789C' } } as const;

/** Everything that a pack is made of. */
export function labMaterial(changes: Partial<EvidenceMaterial> = {}): EvidenceMaterial {
  const text = JSON.stringify(REQUEST, undefined, 2);
  return {
    request: REQUEST,
    received: {
      bytes: Buffer.from(text),
      mediaType: 'application/json',
      channel: 'webhook',
      receivedAt: '2026-11-03T14:00:01Z',
    },
    answer: LAB_ANSWER,
    records: [labRecord()],
    reasons: [
      { field: 'called', verdict: 'equal', weight: 4, stated: '+12025550102', recorded: '+12025550102' },
      {
        field: 'time',
        verdict: 'compatible',
        weight: 2,
        stated: '2026-11-02T12:00Z',
        recorded: '2026-11-02T12:00:00Z',
      },
    ],
    clocks: [
      {
        status: 'measured',
        sourceId: 'fs-1',
        offsetMs: -12,
        uncertaintyMs: 5,
        against: 'ntp 192.0.2.123',
        measuredAt: '2026-11-02T11:58:00Z',
      },
    ],
    verdict: {
      format: 'hopback.verdict-evidence.1',
      checkedAtMs: 1_793_620_800_000,
      profile: 'shaken',
      freshnessSeconds: 60,
      verstat: 'TN-Validation-Passed',
      request: { orig: '12025550101', origSource: 'from', dest: '12025550102', destSource: 'to' },
      passports: [
        {
          index: 0,
          ppt: 'shaken',
          status: 'passed',
          spc: '789C',
          orig: '12025550101',
          dest: ['12025550102'],
          attestation: 'B',
          passed: ['signature', 'freshness'],
          exceptions: [],
        },
      ],
    },
    decision: {
      policyId: 'default',
      policySha256: 'ab'.repeat(32),
      outcome: 'automatic',
      steps: [
        { rule: 'unique-match', inputs: { score: 0.97, threshold: 0.9 }, result: 'passed' },
        { rule: 'sent-to-downstream', inputs: { downstream: 'Last Mile Wireless' }, result: 'passed' },
        { rule: 'no-legal-hold', inputs: { holds: 0 }, result: 'passed', because: 'no hold covers the call' },
      ],
    },
    ...changes,
  };
}

export const LAB_ANSWER: TracebackAnswer = {
  ...answerTo('req-7', REQUEST.provider, UPSTREAM_VOICE, { answerId: 'ans-9' }),
  tracebackId: 'tb-3',
  answeredAt: '2026-11-03T14:00:02Z',
  answeredBy: { kind: 'automatic', policyId: 'default' },
  call: {
    startedAt: '2026-11-02T12:00:00Z',
    answeredAt: '2026-11-02T12:00:03Z',
    endedAt: '2026-11-02T12:00:09Z',
    calling: '+12025550101',
    called: '+12025550102',
    disposition: 'answered',
    ingressTrunk: 'upstream-voice-1',
    ingressAddress: '192.0.2.10:5060',
    ingressCallId: 'a84b4c76e66710@192.0.2.10',
    egressTrunk: 'last-mile-2',
    received: { verstat: 'TN-Validation-Passed', attestation: 'B', spc: '789C' },
  },
  searched: {
    windows: [{ from: '2026-11-02T11:00:00Z', to: '2026-11-02T13:00:59.999Z' }],
    keys: ['called', 'calling'],
    coverage: [{ sourceId: 'fs-1', fromUs: 1_793_577_600_000_000, toUs: 1_793_664_000_000_000 }],
    recordsConsidered: 3,
  },
};

/** A store in a directory of its own. */
export type EvidenceLab = Awaited<ReturnType<typeof evidenceLab>>;

/** Opens one. */
export async function evidenceLab(kind: 'ed25519' | 'p256' = 'p256') {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-evidence-'));
  const key = labKey(kind);
  const platformKey = labKey('p256');
  let packs = 0;
  const store = await EvidenceStore.open({
    directory,
    logId: 'example.com/evidence',
    signer: key.signer,
    practices: LAB_PRACTICES,
    clock: { nowMs: () => Date.parse('2026-11-03T14:00:02Z') },
    newId: () => `pack-${(packs += 1)}`,
    random: (octets) => new Uint8Array(octets).fill(7),
  });
  const answered = async (changes?: Partial<EvidenceMaterial>): Promise<EvidenceReference> => {
    const material = labMaterial(changes);
    const reference = await store.write(material);
    const answerJws = signedAnswer({ ...material.answer, evidence: reference }, key);
    await store.attachAnswer(reference.packId, { answerJws });
    return reference;
  };
  return {
    directory,
    key,
    platformKey,
    store,
    answered,
    receipted: async () => {
      const reference = await answered();
      const answerJws = (await store.pack(reference.packId))?.answerJws ?? '';
      const receiptJws = signedReceipt(answerJws, platformKey);
      await store.attachAnswer(reference.packId, { answerJws, receiptJws });
      return reference;
    },
    [Symbol.asyncDispose]: async () => {
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Runs the script of an exported pack or production. */
export function runVerifyScript(folder: string, ...keys: readonly string[]) {
  const { status, stdout, stderr } = spawnSync('sh', ['verify.sh', ...keys], { cwd: folder, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}
