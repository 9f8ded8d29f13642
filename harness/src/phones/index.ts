/**
 * Telephones for tests: user agents of sip.js over WebSocket that register, call and answer as they are told, and subscribers
 * whose call-blocking app rejects unwanted calls and reports them.
 * @packageDocumentation
 */
export { createPhone, GOODBYE_MS, INCOMING_LIMIT } from './phone.js';
export type { CallOptions, Phone } from './phone.js';
export type { PhoneLogEntry, PhoneOptions } from './phone-options.js';
export type { Registration } from './granted-registration.js';
export type { AnswerPolicy, IncomingPolicy } from './answer-policy.js';
export { MAX_DURATION_MS } from './phone-call.js';
export type { AnswerOptions, CallEnd, CallState, IncomingCall, PhoneCall, RejectOptions } from './phone-call.js';
export { inviteFacts } from './invite-facts.js';
export type { InviteFacts } from './invite-facts.js';
export { verstatOf } from './verstat.js';
export { createBlockingSubscriber, REPORT_LIMIT } from './blocking-subscriber.js';
export type {
  AppReport,
  BlockingStatus,
  BlockingSubscriber,
  BlockingSubscriberOptions,
} from './blocking-subscriber.js';
export { screenCall } from './screening-rule.js';
export type { BlockReason, ScreenedCall, ScreeningDecision, ScreeningRule } from './screening-rule.js';
