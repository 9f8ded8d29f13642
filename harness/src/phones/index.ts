/**
 * Telephones for tests: user agents of sip.js over WebSocket that register, call and answer as they are told, and subscribers
 * whose call-blocking app rejects unwanted calls and reports them.
 * @packageDocumentation
 */
export { BlockingSubscriber, Phone } from './phone.js';
export type { AppReport, BlockingStatus, BlockingSubscriberOptions, CallOptions } from './phone.js';
export type { AnswerPolicy, IncomingPolicy, PhoneLogEntry, PhoneOptions } from './answer-policy.js';
export { inviteFacts, screenCall, verstatOf } from './phone-call.js';
export type {
  AnswerOptions,
  BlockReason,
  CallEnd,
  CallState,
  IncomingCall,
  InviteFacts,
  PhoneCall,
  Registration,
  RejectOptions,
  ScreenedCall,
  ScreeningDecision,
  ScreeningRule,
} from './phone-call.js';
