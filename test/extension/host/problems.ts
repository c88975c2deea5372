import * as vscode from 'vscode';
import { waitFor } from './waitFor.ts';

/** A problem that Registrar shows in a file, with the text that it is about. */
export interface ShownProblem {
  code: unknown;
  message: string;
  /** Both from 1, as the status bar of the editor counts. */
  line: number;
  column: number;
  text: string;
}

/** The problems of a document, once they are as awaited; the last that were seen are in the error otherwise. */
export async function problemsOnce(
  what: string,
  document: vscode.TextDocument,
  isSo: (problems: ShownProblem[]) => boolean,
): Promise<ShownProblem[]> {
  let problems: ShownProblem[] = [];
  const look = (): boolean => {
    problems = vscode.languages
      .getDiagnostics(document.uri)
      .filter(({ source }) => source === 'Registrar')
      .map(({ code, message, range }) => {
        const { line, character } = range.start;
        return { code, message, line: line + 1, column: character + 1, text: document.getText(range) };
      });
    return isSo(problems);
  };
  await waitFor(what, look, 30_000, () => problems);
  return problems;
}

/** What is offered at the first problem, preferred ones with a star. */
export async function offeredFixes(document: vscode.TextDocument): Promise<string[]> {
  const [problem] = vscode.languages.getDiagnostics(document.uri);
  if (!problem) return [];
  const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider',
    document.uri,
    problem.range,
    vscode.CodeActionKind.QuickFix.value,
  );
  return actions.map(({ title, isPreferred }) => (isPreferred === true ? `* ${title}` : title));
}
