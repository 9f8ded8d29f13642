import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { createMemoryRecordStore } from '@hopback/sdk/records';
import { createTestKey, sampleCallRecord, TEST_TRUNKS, type TestPlatform } from '@hopback/sdk/testing';
import {
  createCarrierResponder,
  createReceiptVerifier,
  listEvidence,
  readEvidencePack,
  verifyEvidenceStore,
} from '@hopback/sdk/traceback';
import type { TracebackResponder, CarrierResponderOptions, ResponderProblem } from '@hopback/sdk/traceback';
import { createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { codeOf } from '../support/code-of.js';
import { PLATFORM_BINDINGS } from '../support/platform-bindings.js';

/** A carrier with one call on record, and a folder that goes with it. */
async function carrierAt(platform: TestPlatform, options: Partial<CarrierResponderOptions> = {}) {
  const folder = await createTemporaryDirectory();
  const directory = folder.path;
  const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
  await store.insert([sampleCallRecord()]);
  await store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: Date.now() * 1_000 });
  const { client, answerKey } = platform.credentials('prv-birch');
  const open = (more: Partial<CarrierResponderOptions> = {}): Promise<TracebackResponder> =>
    createCarrierResponder({
      ...{ directory, store, answerKey, zone: 'America/New_York', trunks: TEST_TRUNKS },
      provider: { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' },
      platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client },
      ...options,
      ...more,
    });
  const close = async (): Promise<void> => {
    await store.close();
    await folder.close();
  };
  return { directory, open, [Symbol.asyncDispose]: close };
}

const PRACTICE = {
  ...{ sourceId: 'sbc-1', system: 'an Asterisk of the office in Albany', writes: 'one row for each call' },
  ...{ writtenWhen: 'when the call ends', fromWhat: 'from the signalling that it carries itself' },
  ...{ isRegularPractice: true as const, purpose: 'billing' },
};

test.each(PLATFORM_BINDINGS)(
  'a carrier answers by itself, signed, with certified evidence, and keeps the receipt, over $name',
  async (binding) => {
    await using platform = await binding.start();
    const { privateKeyPem, publicKeyPem } = createTestKey('Ed25519');
    const checkpoints: string[] = [];
    const evidence = {
      ...{ logId: 'birch.example/evidence', privateKeyPem, practices: [PRACTICE] },
      onCheckpoint: (note: string) => checkpoints.push(note),
    };
    await using carrier = await carrierAt(platform, { evidence });
    const responder = await carrier.open();
    const tracebackId = platform.openTraceback();
    expect(await platform.closed(tracebackId)).toMatchObject({ outcome: 'point-of-entry' });
    const { requestId } = await platform.requestTo('prv-birch', tracebackId);
    const { answer, isLate } = await platform.answered(requestId);
    expect(isLate).toBe(false);
    expect(answer.finding).toEqual({ arm: 'received-from', upstream: TEST_TRUNKS.trunks[1]?.provider });
    expect(answer.evidence?.logId).toBe('birch.example/evidence');
    await responder.settled();
    const [signed] = responder.entry(requestId)?.answers ?? [];
    const delivery = signed?.delivery;
    if (delivery?.state !== 'acknowledged') throw new Error(`the answer is ${delivery?.state ?? 'not there'}`);
    expect((await createReceiptVerifier(platform.keys)(delivery.receipt)).status).toBe('verified');
    expect(platform.request(requestId).acknowledgedAt).toBeDefined();
    await responder.close();
    const folder = join(carrier.directory, 'evidence');
    const publicKeys = [createPublicKey(publicKeyPem)];
    // The last checkpoint is kept elsewhere, so that the log cannot have been cut.
    const verified = await verifyEvidenceStore(folder, { publicKeys, checkpoints: checkpoints.slice(-1) });
    expect(verified).toMatchObject({ status: 'passed', packs: 1 });
    const { packs } = await listEvidence(folder, { publicKeys });
    // The pack, its answer, the receipt of the platform: each once.
    expect(packs).toMatchObject([{ leafIndex: 0, answerLeafIndex: 1, receiptLeafIndex: 2 }]);
    const read = await readEvidencePack(folder, packs[0]!.packId, { publicKeys });
    if (read.status !== 'read') throw new Error(read.status);
    const certificate = read.pack.files.find(({ name }) => name === 'custodian-certificate.txt');
    const text = Buffer.from(certificate!.octets).toString().replace(/\s+/g, ' ');
    expect(text).toContain('Asterisk of the office in Albany');
    for (const other of [{ heldCheckpoints: ['no checkpoint'] }, { certificatePem: 'of another key' }])
      await expect(carrier.open({ evidence: { ...evidence, ...other } })).rejects.toThrow(HopbackError);
  },
);

test.each(PLATFORM_BINDINGS)(
  'a carrier that was away answers once what was asked, and learns of withdrawals and notices, over $name',
  async (binding) => {
    await using platform = await binding.start();
    await using carrier = await carrierAt(platform);
    const before = await carrier.open();
    const withdrawn = platform.issueRequest('prv-birch', { requester: { kind: 'fcc', name: 'FCC' } });
    await platform.acknowledged(withdrawn.requestId);
    await before.settled();
    await before.close();
    platform.cancelTraceback(withdrawn.tracebackId);
    const { noticeId } = platform.issueNotice('prv-birch');
    const tracebackId = platform.openTraceback();
    const { requestId } = await platform.requestTo('prv-birch', tracebackId);
    for (let start = 0; start < 2; start += 1) {
      const responder = await carrier.open();
      await platform.closed(tracebackId);
      await platform.until(() => (responder.notices().length > 0 ? true : undefined));
      expect(responder.notices()).toMatchObject([{ notice: { noticeId } }]);
      const state = (): unknown => responder.list().find((one) => one.requestId === withdrawn.requestId)?.state;
      await platform.until(() => (state() === 'cancelled' ? true : undefined));
      await responder.settled();
      await responder.close();
    }
    expect(platform.request(requestId).answers).toHaveLength(1);
    expect(platform.request(withdrawn.requestId).answers).toEqual([]);
  },
);

test('a carrier that is refused says so, by each way, and is open all the same', async () => {
  await using platform = await PLATFORM_BINDINGS[1]!.start();
  const { client, answerKey } = platform.credentials('prv-birch');
  const fetch = async (): Promise<Response> => new Response(null, { status: 403 });
  const problems: string[] = [];
  let parts: Partial<CarrierResponderOptions> = {};
  const told = new Promise<void>((resolve) => {
    const onProblem = ({ kind, detail }: ResponderProblem): void => {
      if (problems.push(`${kind}: ${detail}`) === 2) resolve();
    };
    parts = {
      onProblem,
      answerKey,
      platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, fetch, ...client },
    };
  });
  await using carrier = await carrierAt(platform, parts);
  await using responder = await carrier.open();
  await told;
  expect(problems.toSorted()).toEqual([
    'source: event-stream is refused: unauthorized',
    'source: poll is refused: unauthorized',
  ]);
  expect(responder.list()).toEqual([]);
});

test('a second carrier in one directory touches nothing of the first, evidence included', async () => {
  await using platform = await PLATFORM_BINDINGS[1]!.start();
  const logId = 'birch.example/evidence';
  const evidence = { logId, privateKeyPem: createTestKey('Ed25519').privateKeyPem };
  await using carrier = await carrierAt(platform);
  const first = await carrier.open({ evidence });
  const keyFile = join(carrier.directory, 'evidence', 'public-key.pem');
  const before = await readFile(keyFile, 'utf8');
  const other = { logId, privateKeyPem: createTestKey('Ed25519').privateKeyPem };
  expect(await codeOf(carrier.open({ evidence: other }))).toBe('storage-failed');
  expect(await readFile(keyFile, 'utf8')).toBe(before);
  await first.close();
  // Nothing is left taken, by the one that was refused neither.
  await (await carrier.open({ evidence })).close();
});

test.each<[string, Partial<CarrierResponderOptions>, string]>([
  ['trunks', { trunks: { trunks: [] } }, 'invalid-configuration'],
  ['answerKey', { answerKey: { privateKeyPem: 'none', keyId: 'k' } }, 'key-unusable'],
  ['evidence', { evidence: { logId: 'x', privateKeyPem: 'none' } }, 'key-unusable'],
])('a carrier is not opened with %s that cannot be', async (_name, wrong, code) => {
  await using platform = await PLATFORM_BINDINGS[1]!.start();
  await using carrier = await carrierAt(platform, wrong);
  expect(await codeOf(carrier.open())).toBe(code);
});
