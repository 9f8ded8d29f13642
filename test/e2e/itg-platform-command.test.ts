import { chmod, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { demoMember } from '../../harness/src/cli/seed/demo-members.js';
import { readSeedMark } from '../../harness/src/cli/seed/seed-demo.js';
import { batchOfCarrier, planDemoCalls, recordIdOfCall } from '../../harness/src/cli/seed/demo-calls.js';
import { OPERATOR_ROUTES } from '../../harness/src/platform/operator-routes.js';
import { startReferenceWithAreas } from '../../harness/src/platform/reference/reference-platform.js';
import {
  createHttpsRecordTransport,
  PLATFORM_ROUTES,
  privateKeyJwt,
  WIRE_EXAMPLES,
} from '../../sdk/src/platform/index.js';
import type { AppReport } from '../../sdk/src/platform/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { harnessCommand, restoreCommand, startPlatformCommand } from '../support/itg-command.js';

// Seconds of work that ten others share a processor with.
vi.setConfig({ testTimeout: 600_000 });

test('a platform is filled with a demo that everybody can play, once; is backed up while it is written to, restored elsewhere, and ends at a signal', async () => {
  const folder = await createTemporaryDirectory();
  const inFolder = (name: string): string => join(folder.path, name);
  const [directory, archive, restored] = [inFolder('platform'), inFolder('archive'), inFolder('restored')];
  const as = (who: string): readonly string[] => ['--json', '--profile', join(directory, `${who}.json`)];
  const asked = async (who: string, ...argv: readonly string[]): Promise<unknown> => {
    const { exitCode, out, err } = await harnessCommand([...argv, ...as(who)]);
    expect({ argv, exitCode, err }).toEqual({ argv, exitCode: 0, err: '' });
    return JSON.parse(out) as unknown;
  };
  await using first = startPlatformCommand(['--directory', directory, '--seed-demo']);
  const { url = '' } = await first.until(({ event }) => event === 'ready');
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  await first.until(({ line }) => line?.startsWith('Done in') === true);

  const campaigns = (await asked('operator', 'campaigns', 'list')) as readonly {
    name: string;
    observedCalls: number;
  }[];
  expect(campaigns[0]?.name).toMatch(/^SSA/);
  expect(campaigns[0]?.observedCalls).toBeGreaterThan(25);
  expect(await asked('demo/texas', 'alerts', 'list')).not.toEqual([]);
  expect(await asked('demo/hazel', 'requests', 'list')).toHaveLength(1);
  const outcomes = ((await asked('operator', 'tracebacks', 'list')) as readonly { outcome?: string }[]).map(
    ({ outcome }) => outcome ?? 'no answer',
  );
  expect(new Set(outcomes)).toEqual(new Set(['origin', 'point-of-entry', 'refused', 'no answer']));
  const [demand] = (await asked('demo/texas', 'demands', 'list')) as readonly {
    state: string;
    productionIds: string[];
  }[];
  expect(demand?.state).toBe('produced');
  expect(await asked('demo/texas', 'productions', 'show', demand?.productionIds[0] ?? '')).toMatchObject({
    state: 'ready',
  });
  // Court papers count the calls that the demo planned. Which of them were found to be of the campaign, the files of the classes say by ids.
  const { startedAtMs = 0 } = (await readSeedMark(directory)) ?? {};
  const productionId = demand?.productionIds[0] ?? '';
  const fetched = async (name: string): Promise<string> => {
    const output = join(folder.path, name);
    const argv = ['productions', 'fetch', productionId, name, '--output', output];
    const { exitCode, err } = await harnessCommand([...argv, '--profile', join(directory, 'demo/texas.json')]);
    expect({ name, exitCode, err }).toMatchObject({ exitCode: 0 });
    return readFile(output, 'utf8');
  };
  const records = JSON.parse(await fetched('call-records-0001.json')) as { record: { recordId: string } }[];
  const reports = JSON.parse(await fetched('app-reports-0001.json')) as { report: { reportId: string } }[];
  const planned = planDemoCalls(startedAtMs).filter(({ isOfCampaign }) => isOfCampaign);
  const found = planned.filter(
    (one) =>
      records.some(({ record }) => record.recordId === recordIdOfCall(one)) ||
      reports.some(({ report }) => report.reportId === `demo-${one.index}`),
  );
  const truth = { calls: found.length, carrierRecords: records.length, appReports: reports.length };
  expect(truth.appReports).toBe(planned.filter(({ heard }) => heard !== undefined).length);
  const restraint = JSON.parse(await fetched('restraint-package.json')) as { volume: unknown };
  expect(restraint.volume).toMatchObject(truth);
  const { calls: observedCalls, ...base } = truth;
  expect(campaigns[0]).toMatchObject({ observedCalls, ...base });
  const organizations = await asked('operator', 'organizations', 'list', '--items', '100');

  // Nobody else takes the folder meanwhile, and the same demo is not made twice.
  const second = await harnessCommand(['platform', '--port', '0', '--directory', directory]);
  expect(second).toMatchObject({ exitCode: 4, out: '' });
  expect(second.err).toContain('is in use by another platform');

  // What was acknowledged before the backup begins is in it, whatever comes while it is written.
  const guard = await demoMember('call-guard', { baseUrl: url, directory });
  const reported: AppReport[] = [];
  const report = async (at: number): Promise<void> => {
    const one = reportOf(at);
    await guard.client.appReports.create(one);
    reported.push(one);
  };
  const sent = await sendRecords(url, directory, Date.now());
  for (let at = 0; at < 20; at += 1) await report(at);
  const acknowledged = reported.slice();
  const backingUp = harnessCommand(['platform', 'backup', archive, '--directory', directory, '--json']);
  const writing = Promise.all([sendRecords(url, directory, Date.now() + 1_000), report(100), report(101)]);
  const backup = await backingUp;
  await writing;
  expect(backup).toMatchObject({ exitCode: 0, err: '' });
  expect(JSON.parse(backup.out)).toMatchObject({ wasRunning: true });
  first.kill('SIGTERM');
  expect(await first.ended).toEqual({ code: 0, signal: null });

  const restoring = await restoreCommand(archive, { of: directory, into: restored });
  expect(restoring).toMatchObject({ exitCode: 0, err: '' });
  expect(JSON.parse(restoring.out)).toMatchObject({ audit: { status: 'intact', findingCount: 0 } });
  {
    await using platform = await startReferenceWithAreas({ directory: restored });
    for (const one of acknowledged)
      expect(await platform.opened.records.reader.report('app-call-guard', one.reportId)).toMatchObject({
        calledAt: one.calledAt,
      });
    for (const recordId of sent)
      expect(await platform.opened.records.reader.record('prv-alder', recordId)).toBeDefined();
  }

  await using again = startPlatformCommand(['--directory', directory, '--seed-demo']);
  await again.until(({ line }) => line?.startsWith('The demo was made before') === true);
  expect(await asked('operator', 'organizations', 'list', '--items', '100')).toEqual(organizations);
  expect(await asked('demo/texas', 'demands', 'list')).toHaveLength(1);

  // A call that does not come to its end: the first signal waits for it, the second one does not.
  const profile = JSON.parse(await readFile(join(directory, 'operator.json'), 'utf8')) as {
    readonly baseUrl: string;
  };
  const hanging = connect(Number(new URL(profile.baseUrl).port), '127.0.0.1');
  hanging.on('error', () => undefined);
  hanging.write(
    'POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99\r\n\r\na',
  );
  await fetch(`${profile.baseUrl}/livez`);
  again.kill('SIGINT');
  await again.until(({ event }) => event === 'ending');
  again.kill('SIGINT');
  expect(await again.ended).toEqual({ code: null, signal: 'SIGINT' });
  hanging.destroy();
  await folder.close();
});

const reportOf = (at: number): AppReport => ({
  ...WIRE_EXAMPLES.AppReport[0].value,
  ...{ reportId: `kept-${at}`, calledAt: new Date(Date.now() - 60_000).toISOString() },
});

/** Has a carrier send calls of its own. @returns ids of their records */
async function sendRecords(baseUrl: string, directory: string, nowMs: number): Promise<readonly string[]> {
  const calls = planDemoCalls(nowMs).filter(({ way }) => way.providers[0] === 'alder');
  const keyFile = join(directory, 'demo', 'alder.pem');
  const authorization = await privateKeyJwt({
    ...{ tokenUrl: `${baseUrl}/oauth/token`, clientId: 'demo-alder', keyId: 'alder-1' },
    key: await readFile(keyFile, 'utf8'),
  });
  const transport = createHttpsRecordTransport({ url: `${baseUrl}/v1/record-batches`, authorization });
  const result = await transport.deliver(batchOfCarrier('alder', calls, nowMs), new AbortController().signal);
  await transport.close();
  expect(result).toEqual({ status: 'acknowledged', rejected: [] });
  return calls.map(recordIdOfCall);
}

test('the reason why a platform does not start is printed in one line, with exit code 4', async () => {
  const folder = await createTemporaryDirectory();
  const directory = join(folder.path, 'platform');
  const start = (...options: readonly string[]) =>
    harnessCommand(['platform', '--directory', directory, '--log-level', 'none', ...options]);
  const away = await start('--port', '0', '--database', 'postgres://u:secret@127.0.0.1:1/name');
  expect(away).toMatchObject({ exitCode: 4, out: '' });
  expect(away.err).toMatch(/^hopback-harness platform: the PostgreSQL of --database cannot be reached \(\w+\)\n$/);
  await using platform = await startReferenceWithAreas();
  // The commands know every route that is served.
  const known = [...PLATFORM_ROUTES, ...OPERATOR_ROUTES].map(({ operationId }) => operationId);
  expect(new Set(platform.routes.map(({ operationId }) => operationId))).toEqual(new Set(known));
  const ring = join(directory, 'keys', 'ring.json');
  await chmod(ring, 0o644);
  const open = await start('--port', '0');
  expect(open).toMatchObject({ exitCode: 4, out: '' });
  expect(open.err).toMatch(/^hopback-harness platform: other users can read .*ring\.json: set its mode to 0600.*\n$/);
  const without = await start('--port', '0', '--tls-cert', '/nowhere/cert.pem', '--tls-key', '/nowhere/key.pem');
  expect(without.exitCode).toBe(4);
  await folder.close();
});
