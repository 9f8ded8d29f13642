import { attempt } from '../../core/runtime/deadline.js';
import { parseIdentityHeader } from '../identity-header.js';
import { isCompactForm, parsePassport, rebuildCompactPassport } from '../passport.js';
import type { PassportResult } from '../passport.js';
import { shortJson } from '../passport-types/passport-type.js';
import type { ClaimsResult } from '../passport-types/passport-type.js';
import { destClaim } from './request.js';
import { fail, note, numbered, unknown } from './step.js';
import type { NumberedStep, StepResult, RequestContext, Token } from './step.js';

/** The rules that need nothing but the Identity header itself. */
export const HEADER_STEPS: readonly NumberedStep[] = numbered([
  {
    name: 'identity-header-syntax',
    section: 'RFC 8224 section 4',
    rule: 'The Identity header follows the grammar and is not too long.',
    check: readIdentityHeader,
  },
  {
    name: 'ppt-parameter',
    section: 'RFC 8224 section 6.2 step 1; ATIS-1000082 row 5',
    rule: 'The ppt parameter names a PASSporT type that is verified here.',
    check: checkPptParameter,
  },
  {
    name: 'full-form',
    section: 'RFC 8225 section 7; ATIS-1000082 row 4',
    rule: 'The PASSporT is in full form where its type has claims of its own.',
    check: checkForm,
  },
  {
    name: 'info-parameter',
    section: 'RFC 8224 section 4.1; ATIS-1000082 rows 6 and 7',
    rule: 'The info parameter is there and is a URL in angle brackets.',
    check: checkInfo,
  },
  {
    name: 'alg-parameter',
    section: 'RFC 8224 section 4.1',
    rule: 'The alg parameter, if given, is ES256.',
    check: checkAlgParameter,
  },
  {
    name: 'passport-syntax',
    section: 'RFC 8225 section 6; RFC 7515 section 2; RFC 8259',
    rule: 'The PASSporT is three segments of strict base64url around two JSON objects without duplicate keys.',
    check: readPassport,
  },
  {
    name: 'header-claims',
    section: 'RFC 8225 section 4; ATIS-1000082 row 9',
    rule: 'The PASSporT header has alg, ppt, typ and x5u, each a string.',
    check: checkHeaderClaims,
  },
  {
    name: 'critical-headers',
    section: 'RFC 7515 section 4.1.11; RFC 7797',
    rule: 'The PASSporT header demands no JWS extension.',
    check: checkCriticalHeaders,
  },
  {
    name: 'x5u-is-info',
    section: 'RFC 8224 section 4.1; ATIS-1000082 row 10',
    rule: 'The x5u of the PASSporT is the URL of the info parameter.',
    check: (token) => compareHeader(token, 'x5u'),
  },
  {
    name: 'typ',
    section: 'RFC 8225 section 4.1; ATIS-1000082 row 11',
    rule: 'The typ of the PASSporT is "passport".',
    check: (token) => (token.passport?.header.isUsual === true ? undefined : compareHeader(token, 'typ')),
  },
  {
    name: 'alg',
    section: 'RFC 8225 section 4.2; ATIS-1000082 row 12',
    rule: 'The alg of the PASSporT is ES256.',
    check: (token) => (token.passport?.header.isUsual === true ? undefined : compareHeader(token, 'alg')),
  },
  {
    name: 'ppt',
    section: 'RFC 8225 section 8.1; ATIS-1000082 row 13',
    rule: 'The ppt of the PASSporT is the one of the Identity header.',
    check: (token) => compareHeader(token, 'ppt'),
  },
  {
    name: 'claims',
    section: 'RFC 8225 section 5; RFC 8588; RFC 8946; ATIS-1000082 rows 14 and 19',
    rule: 'The PASSporT has the claims of its type, each in its shape.',
    check: readClaims,
  },
]);

function readIdentityHeader(token: Token): StepResult {
  const parsed = parseIdentityHeader(token.value);
  if (parsed.status === 'malformed') return fail('identity-header-syntax', parsed.reason, { detail: parsed.detail });
  token.identityHeader = parsed.identityHeader;
  return undefined;
}

function checkPptParameter(token: Token, context: RequestContext): StepResult {
  if (token.identityHeader === undefined) return 'does-not-apply';
  const { ppt } = token.identityHeader;
  const isMissing = ppt === undefined && context.policy.profile === 'shaken';
  token.type = isMissing ? undefined : context.types.get(ppt);
  if (token.type !== undefined) return undefined;
  const known = [...context.types.keys()].filter((name) => name !== undefined).join(', ');
  return fail('ppt-parameter', 'ppt-unsupported', { expected: known, actual: ppt ?? 'absent' });
}

function checkForm(token: Token, context: RequestContext): StepResult {
  if (token.identityHeader === undefined) return 'does-not-apply';
  if (!isCompactForm(token.identityHeader.token)) return undefined;
  if (context.policy.profile === 'rfc8224' && token.type?.compactForm === true) {
    return note('full-form', 'compact-form-accepted');
  }
  return fail('full-form', 'compact-form', { expected: 'full form', actual: 'compact form' });
}

function checkInfo(token: Token): StepResult {
  if (token.identityHeader === undefined) return 'does-not-apply';
  const { info, infoMalformed } = token.identityHeader;
  if (infoMalformed) return fail('info-parameter', 'info-invalid', { expected: '<URL>', actual: 'something else' });
  return info === undefined ? fail('info-parameter', 'info-missing', { actual: 'absent' }) : undefined;
}

function checkAlgParameter(token: Token): StepResult {
  const alg = token.identityHeader?.alg;
  if (alg === undefined) return 'does-not-apply';
  return alg === 'ES256' ? undefined : fail('alg-parameter', 'alg-unsupported', { expected: 'ES256', actual: alg });
}

function readPassport(token: Token, context: RequestContext): StepResult {
  if (token.identityHeader === undefined) return 'does-not-apply';
  if (isCompactForm(token.identityHeader.token)) {
    if (token.isStopped) return 'does-not-apply';
    const missing = missingForCompactForm(context);
    if (missing !== undefined) return missing;
  }
  const parsed = parseEitherForm(token, context);
  if (parsed.status === 'malformed') return fail('passport-syntax', parsed.reason, { detail: parsed.detail });
  token.passport = parsed.passport;
  return undefined;
}

/** The compact form takes its claims from the request: what the request lacks, the PASSporT lacks. */
function missingForCompactForm(context: RequestContext): StepResult {
  const { orig, dest, dateSeconds } = context.parties;
  if (orig === undefined) return unknown('passport-syntax', 'orig-unusable');
  if (dest.length === 0) return unknown('passport-syntax', 'dest-unusable');
  return dateSeconds === undefined
    ? fail('passport-syntax', 'date-stale', { expected: 'a Date header', actual: 'absent' })
    : undefined;
}

function parseEitherForm(token: Token, context: RequestContext): PassportResult {
  const { token: text, info, ppt } = token.identityHeader ?? { token: '' };
  const { orig, dest, dateSeconds } = context.parties;
  if (!isCompactForm(text) || orig === undefined || dateSeconds === undefined) {
    return parsePassport(text, { headerCache: context.headerCache, readCanonical: token.type?.readCanonical });
  }
  return rebuildCompactPassport(text, {
    x5u: info ?? '',
    ...(ppt === undefined ? undefined : { ppt }),
    iatSeconds: dateSeconds,
    orig: { [orig.kind]: orig.value },
    dest: destClaim(dest),
  });
}

function checkHeaderClaims(token: Token, context: RequestContext): StepResult {
  const header = token.passport?.header;
  if (header === undefined) return 'does-not-apply';
  if (header.isUsual) return undefined;
  const withPpt = context.policy.profile === 'shaken' || token.identityHeader?.ppt !== undefined;
  for (const name of withPpt ? HEADER_CLAIMS : HEADER_CLAIMS_WITHOUT_PPT) {
    const value = header[name];
    if (value === undefined) return fail('header-claims', 'header-claim-missing', { expected: name, actual: 'absent' });
    if (typeof value !== 'string') {
      const actual = `${name}: ${shortJson(value)}`;
      return fail('header-claims', 'header-claim-malformed', { expected: `${name}: a string`, actual });
    }
  }
  return undefined;
}

/** `crit` names extensions that must be understood, and none is; `b64: false` would change what is signed. */
function checkCriticalHeaders(token: Token): StepResult {
  const header = token.passport?.header;
  if (header === undefined) return 'does-not-apply';
  if (header.isUsual) return undefined;
  for (const name of ['crit', 'b64'] as const) {
    const value = header[name];
    if (value !== undefined) {
      const actual = `${name}: ${shortJson(value)}`;
      return fail('critical-headers', 'critical-header-unsupported', { expected: 'absent', actual });
    }
  }
  return undefined;
}

const HEADER_CLAIMS = ['alg', 'ppt', 'typ', 'x5u'] as const;
const HEADER_CLAIMS_WITHOUT_PPT = ['alg', 'typ', 'x5u'] as const;

const MISMATCH = {
  x5u: { step: 'x5u-is-info', reason: 'x5u-info-mismatch' },
  typ: { step: 'typ', reason: 'typ-not-passport' },
  alg: { step: 'alg', reason: 'alg-unsupported' },
  ppt: { step: 'ppt', reason: 'ppt-mismatch' },
} as const;

function compareHeader(token: Token, name: keyof typeof MISMATCH): StepResult {
  const actual = token.passport?.header[name];
  const expected = expectedHeader(token, name);
  if (token.passport === undefined || (actual === undefined && name !== 'ppt')) return 'does-not-apply';
  if (actual === expected) return undefined;
  if (name === 'x5u' && expected === undefined) return 'does-not-apply';
  const { step, reason } = MISMATCH[name];
  return fail(step, reason, {
    expected: expected ?? 'absent',
    actual: actual === undefined ? 'absent' : typeof actual === 'string' ? actual : shortJson(actual),
  });
}

function expectedHeader(token: Token, name: keyof typeof MISMATCH): string | undefined {
  if (name === 'typ') return 'passport';
  if (name === 'alg') return 'ES256';
  return name === 'x5u' ? token.identityHeader?.info : token.identityHeader?.ppt;
}

/** Types of others must not throw; one that does has not read the claims. */
const THREW: ClaimsResult = {
  status: 'malformed',
  problems: [{ reason: 'claim-malformed', claim: 'payload', expected: 'what its type reads', actual: 'it threw' }],
};

function readClaims(token: Token): StepResult {
  if (token.passport === undefined || token.type === undefined) return 'does-not-apply';
  if (token.passport.claims !== undefined) {
    token.claims = token.passport.claims;
    return undefined;
  }
  const { type, passport } = token;
  const read = attempt(() => type.readClaims(passport.payload)) ?? THREW;
  if (read.status === 'malformed') {
    return read.problems.map(({ reason, claim, expected, actual }) =>
      fail('claims', reason, { expected, actual, detail: claim }),
    );
  }
  token.claims = read.claims;
  return undefined;
}
