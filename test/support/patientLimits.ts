import type { Limits } from '../../daemon/postgres/registry/registryDatabase.ts';

/**
 * So long that a machine that stalls for seconds changes no answer. A test of what a limit does gives its engine a short
 * one, or a copy of these that it shortens when everything is prepared: an engine reads them at each request.
 */
export const patientLimits: Limits = { lookMs: 30_000, writeMs: 30_000, provisionMs: 60_000 };
