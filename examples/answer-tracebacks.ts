import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SharedRecordStore, type RecordStore } from '@hopback/sdk/records';
import { createTestKey, sampleCallRecord, TestPlatform, TEST_TRUNKS } from '@hopback/sdk/testing';
import { createCarrierResponder, type TracebackResponder, type CarrierResponderOptions } from '@hopback/sdk/traceback';
import { isMain } from './lab.js';

type Settings = Pick<CarrierResponderOptions, 'directory' | 'trunks' | 'platform' | 'answerKey' | 'evidence'>;
type Carrier = { responder: TracebackResponder; store: RecordStore; close: () => Promise<void> };

/** The whole program of a carrier: requests come in, answers go out, and what a machine should not decide waits for a person. */
export async function answerTracebacks(settings: Settings): Promise<Carrier> {
  const store = await SharedRecordStore.open({ directory: join(settings.directory, 'records') });
  const responder = await createCarrierResponder({
    ...settings, // who is at the other end of which trunk, where the platform is, the keys
    provider: { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' },
    zone: 'America/New_York', // deadlines run by the local time of the office
    store,
    onProblem: ({ kind, detail }) => console.error(kind, detail),
  });
  return { responder, store, close: () => responder.close().then(() => store.close()) };
}

if (isMain(import.meta.url)) {
  // In place of the traceback group: three carriers on the way of one call, of which we are the second.
  const platform = await TestPlatform.start();
  const { client, answerKey } = platform.credentials('prv-birch');
  const directory = await mkdtemp(join(tmpdir(), 'hopback-'));
  const carrier = await answerTracebacks({
    ...{ directory, trunks: TEST_TRUNKS, answerKey },
    platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client },
    evidence: { logId: 'birch.example/evidence', privateKeyPem: createTestKey('Ed25519').privateKeyPem },
  });
  // What a switch wrote is followed by examples/follow-and-stream.ts; here it is one call, of which all records are at hand.
  await carrier.store.insert([sampleCallRecord()]);
  await carrier.store.cover({ sourceId: 'sbc-1', fromUs: 0, toUs: Date.now() * 1_000 });

  const tracebackId = platform.openTraceback();
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  const { answer } = await platform.answered(requestId);
  if (answer.finding.arm === 'received-from') console.log(answer.finding.upstream.name); // Cedar Gateway Corp.
  console.log(answer.answeredBy.kind, answer.evidence?.logId); // automatic birch.example/evidence
  console.log((await platform.closed(tracebackId)).outcome); // point-of-entry
  await carrier.responder.settled();
  console.log(carrier.responder.entry(requestId)?.answers[0]?.delivery.state); // acknowledged
  await carrier.close();
  await rm(directory, { recursive: true });
  await platform.close();
}
