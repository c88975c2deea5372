import { writeFileSync } from 'node:fs';
import { fileCalls, setFileKillPoint, type FileKillPlan } from './fileKillPoint.ts';

// Loaded before the built command: kills it at the planned call, or says which calls there were when it has ended.
const { REGISTRAR_TEST_KILL = 'null', REGISTRAR_TEST_CALLS } = process.env;

await setFileKillPoint(JSON.parse(REGISTRAR_TEST_KILL) as FileKillPlan | null);
if (REGISTRAR_TEST_CALLS !== undefined) {
  process.once('exit', () => {
    writeFileSync(REGISTRAR_TEST_CALLS, JSON.stringify(fileCalls()));
  });
}
