import type { ProviderReference } from '../../core/traceback-request.js';
import type { StatedTime, TracebackRequest } from '../../core/traceback-request.js';
import type { PortalField } from './portal-fields.js';

/**
 * A request as the labelled text that people send each other, which {@link readPastedText} reads back as the same request. Whatever stands in
 * its values, none of them becomes another field: what could be read as one is set behind a bar. Never throws.
 * @param request - any request
 * @returns lines with a line feed behind each
 * @see {@link INTAKE_FIELDS} for the labels
 * @example
 * ```ts
 * const text = 'Request ID: r-1\nCalled Number: +12025550101\nDate/Time of call: 2026-10-23 15:41 UTC';
 * const [read] = readPastedText(text, { receivedAtMs: Date.UTC(2026, 9, 24) }).requests;
 * if (read?.status === 'clear') console.log(requestText(read.request).split('\n')[1]); // Request ID: r-1
 * ```
 */
export function requestText(request: TracebackRequest): string {
  const fields = [...messageFields(request), ...callFields(request)];
  return ['Traceback request', ...fields.flatMap(fieldLines), ''].join('\n');
}

type Stated = readonly [label: string, value: string | number | undefined];

function messageFields({ requester, campaign, ...request }: TracebackRequest): readonly PortalField[] {
  return stated([
    ['Request ID', request.requestId],
    ['Traceback ID', request.tracebackId],
    ['Direction', request.direction],
    ['Hop', request.hop],
    ['Requester kind', requester.kind],
    ['Requester', requester.name],
    ['Requester email', requester.email],
    ['Issued at', request.issuedAt],
    ['Due at', request.dueAt],
    ...providerFields('Provider', request.provider),
    ...(request.downstream === undefined ? [] : providerFields('Downstream', request.downstream)),
    ['Campaign', campaign?.name],
    ['Campaign ID', campaign?.campaignId],
    ['Recording SHA-256', campaign?.recordingSha256],
    ['Campaign description', campaign?.description],
    ['Transcript', campaign?.transcript],
    ['Comment', request.comment],
  ]);
}

function providerFields(label: string, { name, providerId, ocn, spc, frn }: ProviderReference): readonly Stated[] {
  return [
    [label, name],
    [`${label} ID`, providerId],
    [`${label} OCN`, ocn],
    [`${label} SPC`, spc],
    [`${label} FRN`, frn],
  ];
}

function callFields({ call }: TracebackRequest): readonly PortalField[] {
  return stated([
    ['Called Number', call.called],
    ['Calling Number', call.calling],
    ['Date/Time of call', `${call.at.local}${zoneText(call.at)}`],
    ['Time as written', call.at.asWritten],
    ['Precision', call.at.precision],
    ['SIP Call-ID', call.callId],
    ['OrigID', call.origId],
    ['Record ID', call.recordId],
    ['Attestation', call.attestation],
    ['SPC', call.spc],
    ['Duration', call.durationSeconds],
  ]);
}

function zoneText({ zone }: StatedTime): string {
  if (zone === undefined) return '';
  return /^[+-]/.test(zone) ? zone : ` ${zone}`;
}

function stated(fields: readonly Stated[]): readonly PortalField[] {
  return fields.flatMap(([label, value]) =>
    value === undefined || value === '' ? [] : [{ label, value: String(value) }],
  );
}

/** In a line of their own, or behind bars where a value has several lines or could be taken for another field. */
function fieldLines({ label, value }: PortalField): readonly string[] {
  if (!/[,;|\t\r\n]| {2}|^[\s*_|>-]|[\s*_|]$/.test(value)) return [`${label}: ${value}`];
  return [`${label}:`, ...value.split(/\r\n|[\r\n]/).map((line) => (line === '' ? '  |' : `  | ${line}`))];
}
