import { EventEmitter } from 'node:events';
import { createSourceReader, sourceSha256, type CallRecord } from '@hopback/sdk/records';
import { sampleInvite, type SampleInviteOptions } from '@hopback/sdk/testing';

// Requests, responses and dialogs as far as a tracker of calls sees them: they say something, and tell what happens to them.

let count = 0;

/** A message that tells what happens to it. */
export type Telling = EventEmitter & {
  readonly raw: string;
  readonly stackTxnId: string;
  readonly source_address: string;
};

/** An INVITE that came, or was sent. */
export function telling(options: SampleInviteOptions = {}, address = '192.0.2.7'): Telling & { source_port: number } {
  count += 1;
  const raw = sampleInvite(options).replace(/^Call-ID: .*$/m, `Call-ID: call-${count}@a.example`);
  return Object.assign(new EventEmitter(), {
    ...{ raw, stackTxnId: `transaction-${count}`, source_address: address, source_port: 5060 },
  });
}

/** The response to be: says when it has gone. */
export class Answer extends EventEmitter {
  finalResponseSent = false;

  send(status: number, reason = 'Whatever'): void {
    if (this.finalResponseSent || status < 200) return;
    this.finalResponseSent = true;
    this.emit('end', { status, reason });
  }
}

/** A response as it came. */
export const came = (status: number, ...lines: readonly string[]): { readonly raw: string } => ({
  raw: [`SIP/2.0 ${status} Whatever`, ...lines, '', ''].join('\r\n'),
});

/** A dialog as drachtio-srf has it, of the INVITE that it came of. */
export class Dialog extends EventEmitter {
  connected = true;
  readonly sip: { readonly callId: string };
  readonly req: Telling;

  constructor(req: Telling) {
    super();
    this.req = req;
    this.sip = { callId: /^Call-ID: (.*)$/m.exec(req.raw)?.[1]?.trim() ?? '' };
  }

  /** The other end hangs up, or the server does. */
  byeCame(source: 'network' | 'application' = 'network', ...lines: readonly string[]): void {
    this.connected = false;
    const raw = ['BYE sip:a@b.example SIP/2.0', ...lines, '', ''].join('\r\n');
    this.emit('destroy', { raw, source }, 'normal release');
    this.removeAllListeners();
  }

  /** The application hangs up. */
  destroyed(): void {
    this.connected = false;
    this.removeAllListeners();
  }
}

/** A store that keeps what it is given, and refuses a record that no reader of records would take. */
export function keepingSink() {
  const records: CallRecord[] = [];
  const reader = createSourceReader({ id: 'x', format: 'hopback', time: { zone: 'utc' } });
  return {
    records,
    record: (record: CallRecord) => {
      const text = JSON.stringify(record);
      const [reading] = reader.read({ text, sha256: sourceSha256(text), line: 1 });
      if (reading?.status !== 'record') throw new Error(`not a record: ${JSON.stringify(reading)} in ${text}`);
      records.push(record);
      return { accepted: true };
    },
  };
}
