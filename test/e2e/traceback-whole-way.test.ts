import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogSigner, ValueJournal } from '@hopback/sdk/log';
import {
  createSourceReader,
  FileFollower,
  openDuckDbRecordStore,
  RejectFile,
  recordIdOf,
  sourceSha256,
  type CallRecord,
} from '@hopback/sdk/records';
import { parseSipRequest, verificationRequestOf, type CallVerdict } from '@hopback/sdk/stir';
import { GOOD_PASSPORTS, TestPlatform, TEST_NOW_MS, TEST_TRUNKS, createTestKey } from '@hopback/sdk/testing';
import { createCarrierResponder, verifyEvidenceStore } from '@hopback/sdk/traceback';
import { expect, test } from 'vitest';
import { createLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { createVerificationLab } from '../support/verification-lab.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

/** What a switch writes down of a call that it has passed on. */
function recordOf(
  verdict: CallVerdict,
  { callIdIn, callIdOut, orig, dest }: Readonly<Record<'callIdIn' | 'callIdOut' | 'orig' | 'dest', string>>,
): CallRecord {
  const inviteAtUs = TEST_NOW_MS * 1_000;
  const source = { id: 'hop-birch', format: 'hopback', readerVersion: 1 } as const;
  return {
    format: 'hopback.call-record.1',
    recordId: recordIdOf({ sourceId: source.id, legId: callIdIn, inviteAtUs }),
    source: { ...source, sha256: sourceSha256(`${callIdIn} ${callIdOut}`) },
    ...{ legId: callIdIn, callGroupId: callIdIn, inviteAtUs },
    ...{ answeredAtUs: inviteAtUs + 2_000_000, endedAtUs: inviteAtUs + 9_000_000 },
    time: { written: 'observed', resolutionUs: 1_000 },
    calling: { asWritten: orig, tn: orig },
    called: { asWritten: dest, tn: dest },
    ingress: { trunk: 'cedar-ny-1', callId: callIdIn },
    egress: { trunk: 'alder-dc-2', callId: callIdOut },
    disposition: 'answered',
    received: {
      verstat: verdict.verstat,
      ...(verdict.attestation === undefined ? {} : { attestation: verdict.attestation }),
      ...(verdict.origId === undefined ? {} : { origId: verdict.origId }),
      ...(verdict.signer?.spc === undefined ? {} : { spc: verdict.signer.spc }),
      evidence: verdict.evidence,
    },
  };
}

test('a call over SIP becomes a verdict, a record and, when it is asked about, a signed answer that names who sent it', async () => {
  await using folder = await createTemporaryDirectory();
  const directory = folder.path;
  const path = join(directory, 'calls.ndjson');
  const verification = await createVerificationLab();
  const [orig, dest] = [verification.faults.origTn, verification.faults.destTn];
  // The call: from cedar, by our hop, to alder.
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [cedar, alder] = [await lab.peer(), await lab.peer()];
  const [identity = ''] = GOOD_PASSPORTS['shaken-a'].build(verification.faults).identityHeaders;
  const call = cedar.call('INVITE', {
    from: `<sip:+${orig}@cedar.example>`,
    to: `<sip:+${dest}@birch.example>`,
    lines: [`Date: ${new Date(TEST_NOW_MS).toUTCString()}`, `Identity: ${identity}`],
    body: sdp('1'),
  });
  const { req, res } = await app.next('INVITE');
  const parsed = parseSipRequest(req.raw);
  if (parsed.status === 'malformed') throw new Error(parsed.reason);
  const verdict = await verification.service.verify(verificationRequestOf(parsed.request));
  expect(verdict).toMatchObject({ status: 'passed', attestation: 'A' });
  const joining = app.srf.createB2BUA(req, res, alder.uri, { proxyRequestHeaders: ['Identity', 'Date'] });
  const invite = await alder.next('INVITE');
  expect(invite.value('Identity')).toBe(identity);
  alder.reply(invite, 200, { body: sdp('2') });
  await call.answered();
  const { uas, uac } = await joining;
  await alder.next('ACK');
  const legs = { callIdIn: uas.sip.callId, callIdOut: uac.sip.callId };
  for (const [dialog, peer] of [
    [uas, cedar],
    [uac, alder],
  ] as const) {
    const gone = dialog.destroy();
    peer.reply(await peer.next('BYE', dialog.sip.callId), 200);
    await gone;
  }
  await appendFile(path, `${JSON.stringify(recordOf(verdict, { ...legs, orig, dest }))}\n`);

  // The record: followed into the store.
  await using store = await openDuckDbRecordStore({ directory: join(directory, 'records') });
  await using rejects = await RejectFile.open({ path: join(directory, 'rejects.ndjson') });
  await using values = await ValueJournal.open({ directory: join(directory, 'places') });
  const source = { id: 'hop-birch', format: 'hopback', time: { zone: 'utc' }, path } as const;
  const parts = { reader: createSourceReader(source), store, rejects, values, clock: { nowMs: Date.now } };
  await using follower = await FileFollower.open({ sourceId: source.id, path, ...parts });
  await follower.look();
  expect(follower.statistics()).toMatchObject({ inserted: 1, rejected: 0 });
  await store.cover({ sourceId: source.id, fromUs: 0, toUs: Date.now() * 1_000 });

  // The traceback: asked of alder, which names us, and of us.
  await using platform = await TestPlatform.start();
  const evidenceKey = createTestKey('Ed25519').privateKeyPem;
  const { client, answerKey } = platform.credentials('prv-birch');
  await using responder = await createCarrierResponder({
    ...{ directory: join(directory, 'responder'), store, trunks: TEST_TRUNKS, answerKey, zone: 'America/New_York' },
    provider: { providerId: 'prv-birch', name: 'Birch Carrier Services Inc.' },
    platform: { baseUrl: platform.baseUrl, receiptKeys: platform.keys, ...client },
    evidence: { logId: 'birch.example/evidence', privateKeyPem: evidenceKey },
  });
  const local = new Date(TEST_NOW_MS).toISOString().slice(0, 16);
  const at = { asWritten: `${local} UTC`, local, zone: 'UTC', precision: 'minute' } as const;
  const tracebackId = platform.openTraceback({ call: { called: `+${dest}`, calling: `+${orig}`, at } });
  const { requestId } = await platform.requestTo('prv-birch', tracebackId);
  const { answer } = await platform.answered(requestId);
  expect(answer).toMatchObject({
    answeredBy: { kind: 'automatic' },
    finding: { arm: 'received-from', upstream: { providerId: 'prv-cedar' } },
    call: {
      ingressTrunk: 'cedar-ny-1',
      ingressCallId: legs.callIdIn,
      received: { verstat: 'TN-Validation-Passed', attestation: 'A', spc: '1234' },
    },
    evidence: { logId: 'birch.example/evidence' },
  });
  expect((await platform.closed(tracebackId)).outcome).toBe('point-of-entry');
  await responder.settled();
  expect(responder.entry(requestId)?.answers[0]?.delivery.state).toBe('acknowledged');
  await responder.close();
  const checked = await verifyEvidenceStore(join(directory, 'responder', 'evidence'), {
    publicKeys: [createLogSigner(evidenceKey).publicKey],
  });
  expect(checked).toMatchObject({ status: 'passed', packs: 1 });
});
