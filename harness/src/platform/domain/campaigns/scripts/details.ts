import { listed } from './listed.js';
import type { ScriptClass } from './types.js';

/** What is said to have happened or to be offered. */
export interface Detail {
  readonly detail: string;
  /** As those of topics. */
  readonly words: readonly string[];
  /** Classes that the detail is said of; all where it lacks. */
  readonly classes?: readonly ScriptClass[];
}

/** Tried in order. */
export const DETAILS: readonly Detail[] = [
  {
    detail: '30MinDisconnect',
    words: listed('disconnection, disconnect, interruption of service, shut off, corte, 停电, 停電'),
    classes: ['utility'],
  },
  {
    detail: 'BenefitsCanceled',
    words: listed('benefits canceled, benefits cancelled, cancel your benefits, benefits will be'),
    classes: ['government-impersonation', 'health'],
  },
  { detail: 'Suspended', words: listed('suspend, suspension, suspendid*, 暂停, 暫停, 冻结, 凍結') },
  {
    detail: 'ArrestWarrant',
    words: listed('arrest, warrant, orden de arresto, 逮捕'),
    classes: ['government-impersonation', 'unknown'],
  },
  {
    detail: 'LegalAction',
    words: listed('legal action, enforcement, lawsuit, legal proceeding, demanda, accion legal'),
  },
  { detail: 'ReturnedParcel', words: listed('final notice delivery, 退回, 签收, 簽收, undelivered, no entregado') },
  { detail: 'SeizedParcel', words: listed('seized, intercepted, illegal items, drugs, 查获') },
  {
    detail: 'SuspiciousCharge',
    words: listed('suspicious, unauthorized charge, fraudulent, unauthorized, unusual, sospechos*, 可疑'),
    classes: ['business-impersonation', 'financial', 'tech-support'],
  },
  {
    detail: 'SuspiciousActivity',
    words: listed('suspicious, fraudulent, sospechos*, 可疑'),
    classes: ['government-impersonation'],
  },
  {
    detail: 'AuthorizeOrder',
    words: listed('authorize, authorized order, order has been placed, order placed, autoriz*, 授权'),
  },
  {
    detail: 'Purchase',
    words: listed('purchase, charged, compra, cargo'),
    classes: ['business-impersonation', 'financial', 'tech-support'],
  },
  {
    detail: 'Forgiveness',
    words: listed('forgiveness, forgiven, condonacion, 减免, 減免'),
    classes: ['student-loan', 'debt-relief'],
  },
  { detail: 'Hardship', words: listed('hardship, covid'), classes: ['student-loan', 'debt-relief', 'financial'] },
  {
    detail: 'RateReduction',
    words: listed('zero percent, lower your, interest rate, reduce, reduction, tasa de interes, 利率'),
    classes: ['financial', 'debt-relief'],
  },
  { detail: 'VisaAlert', words: listed('visa mastercard, visa and mastercard, visa alert'), classes: ['financial'] },
  { detail: 'Extended', words: listed('extend, expire, factory, extendid*, 延长'), classes: ['warranty'] },
  { detail: 'Renewal', words: listed('renew, subscription, renov*, suscripcion, 续费') },
  { detail: 'Refund', words: listed('refund, reembolso, 退款') },
  { detail: 'Rebate', words: listed('rebate, discount, percent off, descuento, 折扣, 优惠') },
  { detail: 'Hijack', words: listed('hacked, hijack, virus, compromised, breach, 病毒') },
  { detail: 'Blocked', words: listed('blocked, locked, bloquead*') },
  { detail: 'Enrollment', words: listed('enroll*, open enrollment, inscri*') },
  { detail: 'Approved', words: listed('approved, preapproved, qualif*, aprobad*, califica*, 批准') },
  {
    detail: 'Winner',
    words: listed('winner, won, prize, selected, ganador, premio, 中奖, 中獎'),
    classes: ['travel-prize', 'business-impersonation'],
  },
  { detail: 'FreeOffer', words: listed('free, no cost, gratis, 免费, 免費') },
  { detail: 'Closing', words: listed('closed, closing, closure, delay, cerrad*'), classes: ['lawful-looking'] },
  { detail: 'Refill', words: listed('refill, ready, prescription, receta'), classes: ['lawful-looking'] },
  {
    detail: 'Reminder',
    words: listed('reminder, appointment, recordatorio, cita, 预约'),
    classes: ['lawful-looking'],
  },
  { detail: 'Verify', words: listed('verify, verification, confirm, verific*, 验证') },
  { detail: 'FinalNotice', words: listed('final notice, final attempt, last notice, ultimo aviso, 最后, 最後') },
];
