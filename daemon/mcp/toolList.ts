import type { AgentTools } from '../protocol/settings.ts';
import type { Tool } from './toolModel.ts';
import { checkDrift } from './tools/checkDrift.ts';
import { createProject } from './tools/createProject.ts';
import { describeDatabase } from './tools/describeDatabase.ts';
import { forgetProject } from './tools/forgetProject.ts';
import { getProject } from './tools/getProject.ts';
import { listProjects } from './tools/listProjects.ts';
import { queryDatabase } from './tools/queryDatabase.ts';
import { repairDrift } from './tools/repairDrift.ts';
import { resolveProject } from './tools/resolveProject.ts';
import { setWorkingDirectory } from './tools/setWorkingDirectory.ts';
import { syncNow } from './tools/syncNow.ts';
import { syncStatus } from './tools/syncStatus.ts';
import { updateProject } from './tools/updateProject.ts';
import { useProject } from './tools/useProject.ts';

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
