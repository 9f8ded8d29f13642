// A responder that is going to be killed: polls a platform, answers what it can, and takes decisions from its inbox. Runs on the built package,
// so that hundreds of them start fast.
//   node responder-victim.mjs DIRECTORY URL KEY-FILE KEYS-FILE
// Lines: `ready`, `problem KIND`.
import { readFileSync, writeSync } from 'node:fs';
import { bearerToken, PlatformClient, pollTracebackRequests } from '../../sdk/dist/platform/index.js';
import {
  createClientAnswerTransport,
  createLocalAnswerSigner,
  createReceiptVerifier,
  TracebackResponder,
  TrunkDirectory,
  DEFAULT_TRACEBACK_POLICY,
  officeDeadline,
} from '../../sdk/dist/traceback/index.js';

const [directory, baseUrl, keyFile, keysFile] = process.argv.slice(2);
const say = (line) => void writeSync(1, `${line}\n`);
const us = { name: 'Example Telecom LLC', ocn: '0001' };
const provider = (name, ocn) => ({ kind: 'provider', provider: { name, ocn } });
const trunks = new TrunkDirectory({
  directoryId: 'trunks-7',
  providers: [],
  entries: [
    { trunk: 'in-1', party: provider('Example Carrier Corp', '0003') },
    { trunk: 'out-1', party: provider('Example Wholesale Inc', '0002') },
  ],
});

const FIRST_ID = '0123456789abcdef0123456789abcdef';
const SECOND_ID = '123456789abcdef0123456789abcdef0';

/** The call of every request, a minute before it was asked about. */
function candidateOf(request, recordId) {
  const leg = {
    format: 'hopback.call-record.1',
    recordId,
    source: { id: 'sbc-1', format: 'oracle-sbc', readerVersion: 1, sha256: 'a'.repeat(64) },
    legId: 'leg-1',
    callGroupId: recordId,
    inviteAtUs: Date.parse(request.issuedAt) * 1_000 - 3_600_000_000,
    time: { written: 'utc', resolutionUs: 1_000_000 },
    ingress: { trunk: 'in-1' },
    egress: { trunk: 'out-1' },
    disposition: 'answered',
  };
  return {
    callGroupId: recordId,
    legs: [leg],
    ingressLeg: leg,
    upstream: trunks.partyOf(leg.ingress, leg.inviteAtUs),
    downstream: 'sent-to-downstream',
    score: 1,
    reasons: [],
    timeOffsetUs: 0,
  };
}

/** Every fifth request has two calls that fit. */
async function findMatch(request) {
  const atUs = Date.parse(request.issuedAt) * 1_000;
  const window = { fromUs: atUs - 7_200_000_000, toUs: atUs };
  const search = {
    windows: [window],
    keys: ['called'],
    coverage: [{ sourceId: 'sbc-1', ...window }],
    recordsConsidered: 2,
  };
  if (!request.requestId.endsWith('-review'))
    return { status: 'unique', candidate: candidateOf(request, FIRST_ID), others: [], search };
  const candidates = [candidateOf(request, FIRST_ID), candidateOf(request, SECOND_ID)];
  return { status: 'several', candidates, because: ['two calls of that minute'], search };
}

const client = new PlatformClient({
  baseUrl,
  authorization: bearerToken('c2VjcmV0'),
  maxRetries: 0,
  timeoutMs: 2_000,
});
await TracebackResponder.open({
  directory,
  provider: us,
  policy: DEFAULT_TRACEBACK_POLICY,
  trunks,
  findMatch,
  sources: async () => ['sbc-1'],
  isHeld: async () => false,
  deadlineOf: officeDeadline({ zone: 'America/New_York' }),
  signer: await createLocalAnswerSigner({ privateKeyPem: readFileSync(keyFile, 'utf8'), keyId: 'answers-1' }),
  platform: {
    transport: createClientAnswerTransport(client),
    verifyReceipt: createReceiptVerifier(JSON.parse(readFileSync(keysFile, 'utf8'))),
  },
  requests: pollTracebackRequests({ client, intervalMs: 20 }),
  limits: { inboxPollMs: 20 },
  // Outages of the test are short, and so are the waits.
  random: () => 0.001,
  onProblem: ({ kind }) => say(`problem ${kind}`),
});
say('ready');
