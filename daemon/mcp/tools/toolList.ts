import type { AgentTools } from '../../protocol/settings.ts';
import type { Tool } from './toolModel.ts';
import { checkDrift } from './checkDrift.ts';
import { createProject } from './createProject.ts';
import { describeDatabase } from './describeDatabase.ts';
import { forgetProject } from './forgetProject.ts';
import { getProject } from './getProject.ts';
import { listProjects } from './listProjects.ts';
import { queryDatabase } from './queryDatabase.ts';
import { repairDrift } from './repairDrift.ts';
import { resolveProject } from './resolveProject.ts';
import { setWorkingDirectory } from './setWorkingDirectory.ts';
import { syncNow } from './syncNow.ts';
import { syncStatus } from './syncStatus.ts';
import { updateProject } from './updateProject.ts';
import { useProject } from './useProject.ts';

/** In the order in which an agent needs them; clients cache the list, so the order never changes by itself. */
const standardTools: readonly Tool[] = [
  resolveProject,
  setWorkingDirectory,
  listProjects,
  createProject,
  describeDatabase,
  queryDatabase,
  syncStatus,
];

const allTools: readonly Tool[] = [
  ...standardTools,
  getProject,
  updateProject,
  useProject,
  forgetProject,
  syncNow,
  checkDrift,
  repairDrift,
];

/** The tools that the setting `registrar.mcp.tools` offers. */
export function toolList(setting: AgentTools): readonly Tool[] {
  return setting === 'all' ? allTools : standardTools;
}
