import type { SipCase } from './sip-case.js';
import { SYNTAX_INVALID } from './sip-rfc4475-invalid.js';
import { SEMANTIC } from './sip-rfc4475-semantic.js';
import { SYNTAX_VALID } from './sip-rfc4475-valid.js';

/** The 49 messages of RFC 4475, each one of ours with the same trick, in the order of the sections. */
export const RFC4475_CASES: readonly SipCase[] = [...SYNTAX_VALID, ...SYNTAX_INVALID, ...SEMANTIC];
