import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from '../../../daemon/lifecycle/logFile.ts';

describe('the log', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'registrar-log-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const lines = async (name: string): Promise<Record<string, unknown>[]> =>
    (await readFile(join(folder, 'logs', name), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  it('holds one JSON object a line, readable by nobody else', async () => {
    openLog(folder).warn({ operation: 'sync', code: '53100' }, 'registry disk full');
    const [line] = await lines('registrar.log');
    assert.equal(line?.['level'], 'warn');
    assert.equal(line['msg'], 'registry disk full');
    assert.equal(line['code'], '53100');
    assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.equal((await stat(join(folder, 'logs', 'registrar.log'))).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'logs'))).mode & 0o777, 0o700);
  });

  it('keeps nobody from working when its disk is full', async function () {
    if (process.platform !== 'linux') this.skip();
    await mkdir(join(folder, 'logs'), { mode: 0o700 });
    await symlink('/dev/full', join(folder, 'logs', 'registrar.log'));
    const log = openLog(folder);
    for (let number = 0; number < 3; number++) log.info({ number }, 'x');
  });

  it('goes on when its file is gone by the time that it is rotated', async () => {
    const log = openLog(folder, 100);
    log.info('x'.repeat(100));
    await rm(join(folder, 'logs'), { recursive: true });
    for (let number = 0; number < 3; number++) log.info({ number }, 'x'.repeat(100));
  });

  it('is rotated at its limit, without losing a line, and also goes on after a restart', async () => {
    const first = openLog(folder, 1000);
    for (let number = 0; number < 12; number++) first.info({ number }, 'x'.repeat(20));
    openLog(folder, 1000).info({ number: 12 }, 'after a restart');
    assert.deepEqual((await readdir(join(folder, 'logs'))).sort(), ['registrar.log', 'registrar.log.1']);
    const kept = [...(await lines('registrar.log.1')), ...(await lines('registrar.log'))].map(({ number }) => number);
    assert.deepEqual(kept, [...Array(13).keys()].slice(-kept.length));
    assert.ok(kept.length >= 10);
    assert.ok((await stat(join(folder, 'logs', 'registrar.log.1'))).size <= 1000);
  });
});
