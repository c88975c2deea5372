import * as vscode from 'vscode';
import type { Resolution } from '../daemon/protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../daemon/protocol/registrarError.ts';
import { settingIds } from './contributions.ts';
import type { DaemonLink } from './daemonLink.ts';
import type { ProjectStore } from './projectStore.ts';
import { fillsTerminals } from './settings.ts';
import { terminalRefusal, terminalTarget, type TerminalTarget } from './terminalTarget.ts';
import { terminalVariables } from './terminalVariables.ts';
import type { WorkspaceFolder } from './windowState.ts';

interface TerminalsOptions {
  variables: vscode.EnvironmentVariableCollection;
  store: ProjectStore;
  link: Pick<DaemonLink, 'call'>;
  /** A terminal was opened, and its project's database is not handed over. */
  onRefused: (error: ErrorReport, folder: WorkspaceFolder, resolution: Resolution | null) => void;
}

/**
 * Keeps the variables of new terminals those of the window's project, as `registrar env` gives them. VS Code hands them
 * out without asking, so the database is asked again whenever a terminal was opened. If the database no longer belongs
 * to the project, the user is told, and the next terminal does not get the variables.
 */
export function fillTerminals(options: TerminalsOptions): vscode.Disposable {
  const { variables, store, onRefused } = options;
  // They contain a password if one is known, so the daemon has to provide them at every start.
  variables.persistent = false;
  let wanted: TerminalTarget | null = null;
  let state: 'empty' | 'asking' | 'filled' = 'empty';
  let told = '';
  const fill = async (target: TerminalTarget): Promise<HandedOver> => {
    const handed = await handedOver(options, target);
    // Refused, such as while the server does not answer: the next change asks again.
    if (wanted === target) {
      give(variables, target, handed.environment);
      state = handed.environment === null ? 'empty' : 'filled';
    }
    return handed;
  };
  const look = (): void => {
    const target = terminalTarget(store.state, fillsTerminals());
    if (target === 'unknown') return;
    const isSame = (target?.key ?? '') === (wanted?.key ?? '');
    if (isSame && (target === null || state !== 'empty')) return;
    if (!isSame) variables.clear();
    wanted = target;
    state = target ? 'asking' : 'empty';
    if (target) void fill(target);
  };
  const tell = (error: ErrorReport | null, folder: WorkspaceFolder, resolution: Resolution | null): void => {
    const said = error === null ? '' : `${folder.path} ${error.code} ${error.message}`;
    if (error && said !== told) onRefused(error, folder, resolution);
    told = said;
  };
  const ask = async (): Promise<void> => {
    const refusal = terminalRefusal(store.state, fillsTerminals());
    if (refusal) {
      tell(refusal.error, refusal.folder, refusal.resolution);
    } else if (wanted) {
      const { folder } = wanted;
      const { error, resolution } = await fill(wanted);
      tell(error, folder, resolution);
    }
  };
  look();
  return vscode.Disposable.from(
    store.onDidChange(look),
    vscode.window.onDidOpenTerminal(({ creationOptions }) => {
      // One with an environment of its own has none of these variables.
      if (!('strictEnv' in creationOptions && creationOptions.strictEnv)) void ask();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(settingIds.terminalEnvironment)) look();
    }),
  );
}

interface HandedOver {
  environment: Record<string, string> | null;
  error: ErrorReport | null;
  resolution: Resolution | null;
}

/** Only reads: what is missing is created when somebody asks for it. */
async function handedOver({ link }: TerminalsOptions, { folder }: TerminalTarget): Promise<HandedOver> {
  try {
    const { environment, resolution } = await link.call('connection', { directory: folder.path, dryRun: true });
    return { environment, error: environment === null ? resolution.error : null, resolution };
  } catch (error) {
    // The link itself says why there is no daemon.
    return { environment: null, error: error instanceof RegistrarError ? error.toReport() : null, resolution: null };
  }
}

/** The same variables are not set again, since that would mark every open terminal as out of date. */
function give(
  variables: vscode.EnvironmentVariableCollection,
  { project }: TerminalTarget,
  environment: Record<string, string> | null,
): void {
  const given = environment ? terminalVariables(environment, process.env) : {};
  const entries = Object.entries(given);
  let count = 0;
  variables.forEach(() => {
    count += 1;
  });
  if (count === entries.length && entries.every(([name, value]) => variables.get(name)?.value === value)) return;
  variables.clear();
  variables.description = `The database of project ${project}`;
  for (const [name, value] of entries) variables.replace(name, value);
}
