// Runs to their end the SIPp scenarios that no test file of drachtio-srf runs, and those whose calls its test files do not hang up. It uses the
// same stand-ins as those files, and their applications where there is one.

const { dirname, join } = require('node:path');
const Srf = require('drachtio-srf');
const config = require('./stand-ins/config.cjs');
const test = require('./stand-ins/tape.cjs');

const tests = join(dirname(require.resolve('drachtio-srf')), '..', 'test');
const { sippUac } = require(join(tests, 'sipp'))('test_testbed');
const Uas = require(join(tests, 'scripts', 'uas'));

const localSdp = [
  ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 49170 RTP/AVP 0', ''],
].join('\r\n');
const auth = { username: 'foo', password: 'bar' };

/** Lets SIPp call one of their applications. */
async function called(scenario, start) {
  const app = start(new Uas());
  try {
    await sippUac(scenario);
  } finally {
    app.disconnect();
  }
}

/** Calls SIPp from an application of ours. */
async function calling(act) {
  const srf = new Srf();
  srf.connect(config.get('drachtio-sut'));
  await new Promise((resolve) => srf.on('connect', resolve));
  await act(srf);
  srf.disconnect();
}

/** Hangs up once SIPp has asked for a change and `answer` says that it has gone through. */
function changedAndHungUp(srf, uri, [event, answer]) {
  return new Promise((resolve, reject) => {
    srf.createUAC(uri, { localSdp }).then((dialog) => {
      dialog.on(event, (_req, res) => answer(res, () => dialog.destroy().then(resolve, reject)));
    }, reject);
  });
}

/** These scenarios drop three of four responses at random. In one run of twenty they drop all that the server sends in 32 s. */
async function unlessAllIsLost(run, attempts = 5) {
  try {
    await run();
  } catch (error) {
    if (attempts === 1) throw error;
    await unlessAllIsLost(run, attempts - 1);
  }
}

const cases = {
  'uac-drop-one-200.xml': () => unlessAllIsLost(() => called('uac-drop-one-200.xml', (uas) => uas.accept())),
  'uac-drop-one-503.xml': () => unlessAllIsLost(() => called('uac-drop-one-503.xml', (uas) => uas.reject(503))),
  'uas-options-expect-200.xml': () =>
    calling(
      (srf) =>
        new Promise((resolve, reject) => {
          srf.request('sip:sipp-uas-options', { method: 'OPTIONS' }, (error, request) => {
            if (error) reject(error);
            else request.on('response', resolve);
          });
        }),
    ),
  'uas-auth.xml': () =>
    calling(async (srf) => (await srf.createUAC('sip:sipp-uas-auth', { localSdp, auth })).destroy()),
  // Whatever its name: it sends no REFER.
  'uas-refer.xml': () => calling(async (srf) => (await srf.createUAC('sip:sipp-uas-refer', { localSdp })).destroy()),
  // The ACK of the scenario has the CSeq of an INVITE, so nobody hears of it; but SIPp sends it before it expects a BYE.
  'uas-reinvite.xml': () => {
    const answer = (res, acknowledged) => res.send(200, { body: localSdp }, () => setTimeout(acknowledged, 2_000));
    return calling((srf) => changedAndHungUp(srf, 'sip:sipp-uas-fast-reinvite', ['modify', answer]));
  },
  'uas-update-with-sdp.xml': () => {
    const answer = (res, sent) => res.send(200, { body: localSdp }, sent);
    return calling((srf) => changedAndHungUp(srf, 'sip:sipp-uas-fast-update', ['update', answer]));
  },
  // The scenario has no step for a BYE.
  'uas-reinvite-overlap.xml': () =>
    calling(async (srf) => {
      const dialog = await srf.createUAC('sip:sipp-uas-reinvite-overlap', { localSdp });
      await Promise.all([1, 2, 3].map(() => dialog.modify(localSdp)));
    }),
};
/** These expect what the embedded server does not do. */
const refused = {
  'uac-drop-200-then-cancel.xml': () => called('uac-drop-200-then-cancel.xml', (uas) => uas.accept()),
  'uac-spammer-expect-603.xml': () => called('uac-spammer-expect-603.xml', (uas) => uas.accept()),
};

test('further scenarios', (t) => {
  t.timeoutAfter(230_000);
  (async () => {
    for (const [name, run] of Object.entries(cases)) {
      await run().then(
        () => t.pass(name),
        (error) => t.fail(`${name}: ${error}`),
      );
    }
    for (const [name, run] of Object.entries(refused)) {
      await run().then(
        () => t.fail(`${name} passes`),
        () => t.pass(`${name} fails`),
      );
    }
  })().then(() => t.end(), t.end);
});
