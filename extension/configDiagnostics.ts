import * as vscode from 'vscode';
import type { ConfigFix, ConfigProblem, TextPlace } from '../daemon/protocol/configProblems.ts';
import { commandIds } from './contributions.ts';
import type { DaemonLink } from './daemonLink.ts';
import type { ProjectStore } from './projectStore.ts';
import type { TreeNode } from './views/treeNodes.ts';
import type { WindowState } from './windowState.ts';

const selector: vscode.DocumentSelector = { scheme: 'file', pattern: '**/.codebase-mcp/config.json' };

/** Edits that come within this time are checked together, ms. */
const checkTogetherMs = 50;

interface Checked {
  /** Of the document that the problems are about. */
  version: number;
  problems: ConfigProblem[];
}

/** Shows the daemon's problems in open config files, saved or not, with what helps. */
export function showConfigProblems(store: ProjectStore, link: DaemonLink): vscode.Disposable {
  const shown = vscode.languages.createDiagnosticCollection('registrar');
  const checked = new Map<string, Checked>();
  const timers = new Map<string, NodeJS.Timeout>();
  let essence = essenceOf(store.state);

  const forget = ({ uri }: vscode.TextDocument): void => {
    const key = uri.toString();
    clearTimeout(timers.get(key));
    timers.delete(key);
    checked.delete(key);
    shown.delete(uri);
  };
  const check = async (document: vscode.TextDocument): Promise<void> => {
    const { uri, version } = document;
    const problems = await link.call('checkConfig', { path: uri.fsPath, text: document.getText() });
    // A later edit has a check of its own on its way.
    if (document.isClosed || document.version !== version) return;
    checked.set(uri.toString(), { version, problems });
    const own = problems.filter(({ isInSchema }) => !isInSchema);
    shown.set(
      uri,
      own.map((problem) => diagnosticOf(problem, document)),
    );
  };
  const checkSoon = (document: vscode.TextDocument): void => {
    if (vscode.languages.match(selector, document) === 0) return;
    const { isTrusted, snapshot } = store.state;
    const key = document.uri.toString();
    clearTimeout(timers.get(key));
    if (!isTrusted || !snapshot) return;
    const again = (): void => {
      timers.delete(key);
      // The link itself reports failures.
      check(document).catch(() => undefined);
    };
    timers.set(key, setTimeout(again, checkTogetherMs));
  };
  const checkAll = (): void => {
    vscode.workspace.textDocuments.forEach(checkSoon);
  };
  checkAll();
  return vscode.Disposable.from(
    shown,
    vscode.workspace.onDidOpenTextDocument(checkSoon),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      checkSoon(document);
    }),
    vscode.workspace.onDidCloseTextDocument(forget),
    store.onDidChange((state) => {
      const now = essenceOf(state);
      if (now === essence) return;
      essence = now;
      checkAll();
    }),
    vscode.languages.registerCodeActionsProvider(
      selector,
      {
        provideCodeActions(document, range, { diagnostics }) {
          const found = checked.get(document.uri.toString());
          if (found?.version !== document.version) return [];
          return found.problems
            .filter((problem) => rangeOf(problem, document).intersection(range))
            .flatMap((problem) => actionsFor(problem, document, diagnostics));
        },
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
    {
      dispose: () => {
        for (const timer of timers.values()) clearTimeout(timer);
      },
    },
  );
}

/** What may change the daemon's answer for a config that nobody edited. */
function essenceOf({ isTrusted, snapshot }: WindowState): string {
  const folders = snapshot?.folders.map(({ path, resolution }) => {
    const { outcome, project, error, warnings = [] } = resolution ?? {};
    return [path, outcome, project?.id, project?.name, error, warnings.map(({ code }) => code)];
  });
  return JSON.stringify([isTrusted, snapshot?.daemon.started, folders]);
}

const severities: Record<ConfigProblem['severity'], vscode.DiagnosticSeverity> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};

function diagnosticOf(problem: ConfigProblem, document: vscode.TextDocument): vscode.Diagnostic {
  const { code, severity, message, hint, fixes } = problem;
  // If a click does it, the terminal's command is left out.
  const text = fixes.length > 0 ? message : `${message.replace(/\.$/, '')}. ${hint}`;
  const diagnostic = new vscode.Diagnostic(rangeOf(problem, document), text, severities[severity]);
  diagnostic.source = 'Registrar';
  diagnostic.code = code;
  return diagnostic;
}

function rangeOf({ offset, length }: TextPlace, document: vscode.TextDocument): vscode.Range {
  return new vscode.Range(document.positionAt(offset), document.positionAt(offset + length));
}

/** Fixes hang on what is shown at their place, by us or by whoever knows the schema. */
function actionsFor(
  problem: ConfigProblem,
  document: vscode.TextDocument,
  diagnostics: readonly vscode.Diagnostic[],
): vscode.CodeAction[] {
  const range = rangeOf(problem, document);
  const fixed = diagnostics.filter((diagnostic) =>
    problem.isInSchema ? diagnostic.range.intersection(range) : diagnostic.code === problem.code,
  );
  return problem.fixes.map((fix) => {
    const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
    action.diagnostics = fixed;
    action.isPreferred = fix.isPreferred;
    apply(fix, action, document);
    return action;
  });
}

function apply(fix: ConfigFix, action: vscode.CodeAction, document: vscode.TextDocument): void {
  if (fix.kind === 'change') {
    action.edit = new vscode.WorkspaceEdit();
    action.edit.replace(document.uri, rangeOf(fix.change, document), fix.change.text);
    return;
  }
  const row: TreeNode = { id: 'config', label: fix.title };
  if (fix.kind === 'adopt') {
    const adopted: TreeNode = { ...row, database: fix.database };
    action.command = { command: commandIds.adoptDatabase, title: fix.title, arguments: [adopted] };
    return;
  }
  const { fsPath } = vscode.Uri.joinPath(document.uri, '..', '..');
  const project = { id: fix.project, name: '', databaseName: '' };
  const shared: TreeNode = { ...row, folder: { name: '', path: fsPath }, project };
  action.command = { command: commandIds.shareDatabase, title: fix.title, arguments: [shared] };
}
