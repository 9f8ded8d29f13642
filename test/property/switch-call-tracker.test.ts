import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CallTracker, type TrackedCall } from '../../sdk/src/switch/index.js';
import { Answer, came, Dialog, keepingSink, telling, type Telling } from '../support/tracked-calls.js';
import { forAllAsync } from '../support/for-all.js';

/** A call with whatever may happen to it. */
class Story {
  readonly request = telling({ identityHeaders: ['a.b.c;info=<https://a.example/1>'] });
  readonly answer = new Answer();
  readonly sent: Telling[] = [];
  readonly uas = new Dialog(this.request);
  readonly uacs: Dialog[] = [];
  readonly call: TrackedCall;
  branches = 0;

  constructor(tracker: CallTracker) {
    this.call = tracker.begin(this.request, this.answer);
  }

  do(what: string, which: number): void {
    const one = this.sent[which % Math.max(1, this.sent.length)];
    const uac = this.uacs[which % Math.max(1, this.uacs.length)];
    const steps: Readonly<Record<string, () => unknown>> = {
      branch: () => {
        this.branches += 1;
        const next = telling();
        this.call.branch({ trunk: 't' }).cbRequest(null, next);
        this.sent.push(next);
      },
      unsent: () => {
        this.branches += 1;
        this.call.branch().cbRequest(new Error('no'));
      },
      promised: () => {
        this.branches += 1;
        this.call.branch();
      },
      ringing: () => one?.emit('response', came(180)),
      answered: () => one?.emit('response', came(200)),
      busy: () => one?.emit('response', came(486, 'Reason: Q.850;cause=17')),
      unwanted: () => one?.emit('response', came(607)),
      rubbish: () => one?.emit('response', { raw: '\0' }),
      cancel: () => this.request.emit('cancel', { raw: 'CANCEL sip:a@b.example SIP/2.0\r\n\r\n' }),
      blocked: () => this.call.blocked('rule'),
      accept: () => this.answer.send(200),
      refuse: () => this.answer.send(480),
      uac: () => {
        if (one === undefined) return;
        this.uacs.push(new Dialog(one));
        this.call.connected({ uac: this.uacs.at(-1)! });
      },
      uas: () => this.call.connected({ uas: this.uas }),
      callerHangsUp: () => this.uas.byeCame(),
      calleeHangsUp: () => uac?.byeCame('network', 'Reason: Q.850;cause=16'),
      weHangUp: () => this.uas.destroyed(),
      weLeave: () => uac?.destroyed(),
      listenersGo: () => this.uas.removeAllListeners(),
      proxied: () => {
        const responses = [{ address: '192.0.2.9', port: 5060, msgs: [{ status: 486, msg: came(486) }] }, {}];
        this.branches += 2;
        this.call.proxied({ responses });
      },
      end: () => this.call.end({ party: 'network' }),
    };
    steps[what]!();
  }
}

const WHAT = [
  ...['branch', 'unsent', 'promised', 'ringing', 'answered', 'busy', 'unwanted', 'rubbish', 'cancel', 'blocked'],
  ...['accept', 'refuse', 'uac', 'uas', 'callerHangsUp', 'calleeHangsUp', 'weHangUp', 'weLeave', 'listenersGo'],
  ...['end', 'proxied'],
];
const step = fc.record({
  what: fc.constantFrom(...WHAT),
  which: fc.nat(5),
  call: fc.nat(2),
  // Clocks are set back, too.
  passes: fc.integer({ min: -5_000, max: 5_000 }),
});

test('whatever happens in whichever order, each leg has one record, which a reader of records takes', async () => {
  await forAllAsync(
    [fc.array(step, { maxLength: 40 }), fc.boolean(), fc.nat(3)],
    300,
    async (steps, keepRaw, maxOpenCalls) => {
      let nowMs = 1_700_000_000_000;
      const troubles: unknown[] = [];
      const sink = keepingSink();
      const tracker = new CallTracker({
        ...{ source: { id: 'app', keepRaw }, sink, maxOpenCalls, clock: { nowMs: () => nowMs } },
        onTrouble: (error) => troubles.push(error),
      });
      const stories = [0, 1, 2].map(() => new Story(tracker));
      for (const { what, which, call, passes } of steps) {
        nowMs += passes;
        stories[call]!.do(what, which);
      }
      await tracker.close();
      expect(troubles).toEqual([]);
      const ids = sink.records.map(({ recordId }) => recordId);
      expect(new Set(ids).size).toBe(ids.length);
      for (const story of stories) {
        const own = sink.records.filter(({ callGroupId }) => callGroupId === story.uas.sip.callId);
        const ofIngressAlone = own.filter(({ legId }) => legId.split(' ').length === 3);
        expect(own.length).toBeGreaterThan(0);
        // No branch is there twice, and what came in alone stands once at most.
        expect(own.length - ofIngressAlone.length).toBeLessThanOrEqual(story.branches + story.uacs.length);
        expect(ofIngressAlone.length).toBeLessThanOrEqual(1);
        if (keepRaw) expect(own.every(({ source }) => source.raw !== undefined)).toBe(true);
      }
      expect(tracker.statistics()).toMatchObject({ calls: 3, open: 0, records: ids.length, lost: 0, troubles: 0 });
    },
  );
});

test('whatever is handed to it as a call, it throws nothing and makes a record', async () => {
  await forAllAsync([fc.anything(), fc.anything(), fc.anything()], 100, async (raw, response, dialog) => {
    const sink = keepingSink();
    const tracker = new CallTracker({ source: { id: 'app' }, sink, trunkOf: () => 7 as never });
    const call = tracker.begin({ raw } as never, response);
    call.branch().cbRequest(raw, response, { raw });
    call.connected({ uas: dialog as never, uac: dialog as never });
    call.end();
    await tracker.close();
    expect(tracker.statistics()).toMatchObject({ calls: 1, open: 0, lost: 0 });
    expect(sink.records.length).toBeGreaterThan(0);
  });
});
