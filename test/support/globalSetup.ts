import fc from 'fast-check';
import { keepTemporaryFilesInMemory } from './memoryFolder.ts';
import { stopTestServer } from './testServer.ts';

// Before any test makes a folder.
keepTemporaryFilesInMemory();

const seed = process.env.REGISTRAR_TEST_SEED;
// Every property of the run, so that a seed repeats all of it; without one each draws its own and prints it on failure.
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) });

/** Mocha calls this once, after the last test, however the tests ended. */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopTestServer();
}
