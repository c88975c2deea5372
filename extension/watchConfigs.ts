import path from 'node:path';
import * as vscode from 'vscode';
import type { ProjectStore } from './projectStore.ts';
import type { WindowState } from './windowState.ts';

/** Calls back when a config file that decides, or would decide, comes, changes or goes. */
export function watchConfigs(store: ProjectStore, onChange: () => void): vscode.Disposable {
  // The folder, too: when it is renamed or removed, nothing is told of what was in it.
  const inside = watcher('**/.codebase-mcp{,/config.json}', onChange);
  const outside = new Map<string, vscode.Disposable>();
  const follow = (state: WindowState): void => {
    const wanted = outerConfigs(state);
    for (const [config, watched] of outside) {
      if (wanted.has(config)) continue;
      watched.dispose();
      outside.delete(config);
    }
    for (const config of wanted) {
      if (outside.has(config)) continue;
      const folder = vscode.Uri.file(path.dirname(config));
      outside.set(config, watcher(new vscode.RelativePattern(folder, path.basename(config)), onChange));
    }
  };
  follow(store.state);
  return vscode.Disposable.from(inside, store.onDidChange(follow), {
    dispose: () => {
      for (const watched of outside.values()) watched.dispose();
    },
  });
}

function watcher(pattern: vscode.GlobPattern, onChange: () => void): vscode.Disposable {
  const files = vscode.workspace.createFileSystemWatcher(pattern);
  return vscode.Disposable.from(
    files,
    files.onDidCreate(onChange),
    files.onDidChange(onChange),
    files.onDidDelete(onChange),
  );
}

/** Config files above the window's folders, or of a main worktree. */
function outerConfigs({ folders, snapshot }: WindowState): Set<string> {
  const configs = (snapshot?.folders ?? []).flatMap(({ resolution }) => resolution?.configPath ?? []);
  return new Set(configs.filter((config) => !folders.some((folder) => config.startsWith(folder.path + path.sep))));
}
