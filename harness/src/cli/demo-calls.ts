import { formatIdentityHeader, parseIdentityHeader, parseSipRequest, verificationRequestOf } from '@hopback/sdk/stir';
import type { AuthenticationService, CallVerdict, FailureReason, VerificationService } from '@hopback/sdk/stir';
import { sampleInvite } from '@hopback/sdk/testing';
import type { SampleInviteOptions } from '@hopback/sdk/testing';
import type { DemoWorld } from './demo-world.js';

/** One call of the demo and what must come of it. */
export interface DemoCall {
  readonly title: string;
  readonly invite: string;
  readonly verify: () => Promise<CallVerdict>;
  readonly expected: {
    readonly status: CallVerdict['status'];
    /** The first reason; absent when the call passes. */
    readonly reason?: FailureReason;
    /** A note that the evidence must hold. */
    readonly note?: string;
  };
  /** Said in place of the reason's own text. */
  readonly comment?: string;
}

/** Numbers set aside for fiction. */
const CALLER = '12025550101';
const SOMEBODY_ELSE = '12025550166';
const CALLED = '12025550199';

const FIVE_MINUTES_MS = 300_000;

/** The genuine call first, then what can go wrong with it. */
export async function demoCalls(world: DemoWorld): Promise<readonly DemoCall[]> {
  const identityHeader = await signed(world.authentication);
  const genuine = inviteWith(identityHeader);
  const verifier = world.verifier();
  const call = (invite: string, service: VerificationService, told: Omit<DemoCall, 'invite' | 'verify'>): DemoCall => ({
    invite,
    verify: () => verifyInvite(service, invite),
    ...told,
  });
  return [
    call(genuine, verifier, { title: 'The call as it was signed', expected: { status: 'passed' } }),
    call(genuine, verifier, {
      title: 'The same INVITE a second time',
      expected: { status: 'passed', note: 'seen-before' },
      comment: 'Seen twice now: evidence, since forking repeats calls too; a policy may refuse it.',
    }),
    call(inviteWith(identityHeader, { origTn: SOMEBODY_ELSE }), verifier, {
      title: 'From says another number than was signed',
      expected: { status: 'failed', reason: 'orig-mismatch' },
    }),
    call(inviteWith(withCaller(identityHeader, SOMEBODY_ELSE), { origTn: SOMEBODY_ELSE }), verifier, {
      title: 'The number changed in From and in the PASSporT',
      expected: { status: 'failed', reason: 'signature-invalid' },
    }),
    call(genuine, world.verifier({ aheadMs: FIVE_MINUTES_MS }), {
      title: 'The Identity header kept and used five minutes later',
      expected: { status: 'failed', reason: 'date-stale' },
    }),
    call(inviteWith(await signed(world.impostor)), verifier, {
      title: 'Signed under a certificate that somebody made for SPC 1234',
      expected: { status: 'failed', reason: 'no-path-to-trust-anchor' },
    }),
    call(genuine, world.verifier({ revoked: true }), {
      title: 'The certificate of SPC 1234 is on the CRL',
      expected: { status: 'failed', reason: 'certificate-revoked' },
    }),
    call(inviteWith(withX5u(identityHeader, world.unpublishedX5u)), verifier, {
      title: 'The certificate is not at its URL',
      expected: { status: 'indeterminate', reason: 'x5u-unreachable' },
    }),
  ];
}

async function signed(service: AuthenticationService): Promise<string> {
  const outcome = await service.sign({
    origTn: CALLER,
    destTn: CALLED,
    facts: {
      role: 'originating',
      customer: 'demo',
      customerKnown: true,
      callerAuthenticated: true,
      numberOwnership: 'owned',
    },
  });
  const value = outcome.status === 'signed' ? outcome.identityHeaders[0] : undefined;
  if (value === undefined) throw new Error(`the call of the demo was not signed: ${outcome.status}`);
  return value;
}

function inviteWith(identityHeader: string, options: SampleInviteOptions = {}): string {
  return sampleInvite({
    origTn: CALLER,
    destTn: CALLED,
    dateMs: Date.now(),
    identityHeaders: [identityHeader],
    ...options,
  });
}

function verifyInvite(service: VerificationService, invite: string): Promise<CallVerdict> {
  const parsed = parseSipRequest(invite);
  if (parsed.status === 'malformed') throw new Error(`the INVITE of the demo cannot be read: ${parsed.reason}`);
  return service.verify(verificationRequestOf(parsed.request));
}

/** Other claims under the signature that is there. */
function withCaller(identityHeader: string, tn: string): string {
  return changed(identityHeader, { payload: (claims) => ({ ...claims, orig: { tn } }) });
}

/** Another x5u under the signature that is there. */
function withX5u(identityHeader: string, x5u: string): string {
  return changed(identityHeader, { header: (members) => ({ ...members, x5u }), info: x5u });
}

type Change = (members: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

function changed(
  identityHeader: string,
  change: { readonly header?: Change; readonly payload?: Change; readonly info?: string },
): string {
  const parsed = parseIdentityHeader(identityHeader);
  if (parsed.status === 'malformed') throw new Error('the Identity header of the demo cannot be read');
  const { token, info = '', ppt = 'shaken' } = parsed.identityHeader;
  const [header = '', payload = '', signature = ''] = token.split('.');
  const parts = [rewritten(header, change.header), rewritten(payload, change.payload), signature];
  return formatIdentityHeader({ token: parts.join('.'), info: change.info ?? info, ppt });
}

function rewritten(segment: string, change: Change | undefined): string {
  if (change === undefined) return segment;
  const members = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8')) as Readonly<Record<string, unknown>>;
  return Buffer.from(JSON.stringify(change(members))).toString('base64url');
}
