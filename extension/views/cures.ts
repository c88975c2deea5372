import type { ErrorReport } from '../../daemon/protocol/registrarError.ts';
import { commandIds, type CommandId } from '../contributions.ts';
import { wordsOf, type RefusalKind } from './refusals.ts';

/**
 * What helps against each kind of refusal, the likeliest first: the buttons of a notification. The rows of the tree offer
 * the same; a test compares the two.
 */
export const cures: Readonly<Record<RefusalKind, readonly CommandId[]>> = {
  'no-project': [commandIds.initialize, commandIds.useExisting],
  conflict: [commandIds.chooseAnotherName, commandIds.shareDatabase],
  'conflict-name': [commandIds.chooseAnotherName],
  'conflict-share': [commandIds.shareDatabase, commandIds.removeBinding],
  dropped: [commandIds.startAnew, commandIds.useExisting],
  vanished: [commandIds.remakeDatabase, commandIds.useExisting, commandIds.forgetProject],
  dropping: [commandIds.resolveAgain, commandIds.repairDrift],
  adoptable: [commandIds.adoptDatabase, commandIds.openConfig],
  'not-proved': [commandIds.resolveAgain, commandIds.checkDrift, commandIds.openConfig],
  'other-project': [commandIds.useExisting, commandIds.openConfig],
  'config-error': [commandIds.openConfig],
  statement: [commandIds.copyStatement, commandIds.resolveAgain],
  again: [commandIds.resolveAgain, commandIds.showLog],
  unreachable: [commandIds.testConnection, commandIds.setPostgres],
  credentials: [commandIds.enterPassword, commandIds.setPostgres],
  mismatch: [commandIds.useDaemonAddress, commandIds.useThisAddress],
  'not-chosen': [commandIds.setPostgres, commandIds.useBundled],
  address: [commandIds.setPostgres],
  drift: [commandIds.checkDrift],
  daemon: [commandIds.showLog, commandIds.restartDaemon],
  none: [],
};

/** As the manifest calls them; where something follows that asks, with an ellipsis. */
export const cureTitles: Readonly<Partial<Record<CommandId, string>>> = {
  [commandIds.initialize]: 'Initialize Workspace Project',
  [commandIds.useExisting]: 'Use Existing Project',
  [commandIds.chooseAnotherName]: 'Choose Another Name',
  [commandIds.shareDatabase]: 'Share Its Database…',
  [commandIds.removeBinding]: 'Remove the Binding',
  [commandIds.startAnew]: 'Start a New Project Here…',
  [commandIds.remakeDatabase]: 'Make It Again, Empty…',
  [commandIds.forgetProject]: 'Forget Project',
  [commandIds.resolveAgain]: 'Resolve Again',
  [commandIds.repairDrift]: 'Repair Drift',
  [commandIds.adoptDatabase]: 'Adopt Database',
  [commandIds.openConfig]: 'Open Config',
  [commandIds.checkDrift]: 'Check Drift',
  [commandIds.copyStatement]: 'Copy Statement',
  [commandIds.showLog]: 'Show Log',
  [commandIds.testConnection]: 'Test Connection',
  [commandIds.setPostgres]: 'Set PostgreSQL Connection',
  [commandIds.enterPassword]: 'Enter Password',
  [commandIds.useDaemonAddress]: 'Use the Daemon’s Server',
  [commandIds.useThisAddress]: 'Use This Window’s Server for Everyone',
  [commandIds.useBundled]: 'Use Bundled PostgreSQL',
  [commandIds.restartDaemon]: 'Restart Daemon',
};

export interface Cure {
  title: string;
  command: CommandId;
}

/** @param failed the command that was refused: where asking again may help, that one is asked again */
export function curesOf(error: ErrorReport, failed: CommandId | null): Cure[] {
  const { kind } = wordsOf(error);
  return cures[kind].map((command) =>
    (kind === 'again' || kind === 'statement') && command === commandIds.resolveAgain && failed !== null
      ? { title: 'Try Again', command: failed }
      : { title: cureTitles[command] ?? command, command },
  );
}
