import { stopTestServer } from './testServer.ts';

/** Mocha calls this once, after the last test, however the tests ended. */
export async function mochaGlobalTeardown(): Promise<void> {
  await stopTestServer();
}
