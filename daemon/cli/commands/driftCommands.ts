import type { Command } from 'commander';
import { saying } from '../cliSession.ts';
import type { CliSession } from '../cliSession.ts';
import { driftText, repairText } from '../driftText.ts';

/** `drift` and `repair`: where registry, databases and config files disagree, and how to repair that. */
export function addDriftCommands(program: Command, session: CliSession): void {
  const showDrift = async (): Promise<void> => {
    const report = await session.withRegistrar((registrar) => registrar.drift());
    session.output.answer(report, (view) => driftText(report, view));
    session.status = report.ok ? 0 : 1;
  };

  program
    .command('drift')
    .description('show where config files, registry and databases disagree, and what to do about it')
    .addHelpText('after', '\nExample:\n  $ registrar drift')
    .action(showDrift);

  program
    .command('repair')
    .description('show a plan that repairs drift, or apply it; no plan destroys data')
    .option('--apply <plan>', 'apply this plan, if nothing has changed since', saying)
    .addHelpText('after', '\nExample:\n  $ registrar repair --apply 1f2e3d4c5b6a7988')
    .action(async ({ apply }: { apply?: string }) => {
      if (apply === undefined) return showDrift();
      const result = await session.withRegistrar((registrar) => registrar.repair({ planId: apply }));
      session.output.answer(result, (view) => repairText(result, view));
      session.status = result.failed.length === 0 ? 0 : 1;
      return undefined;
    });
}
