import type { WindowState } from './windowState.ts';

/** What VS Code knows about the endpoint before it starts a server; it gets the token when it does. */
export interface McpOffer {
  /** The address as far as it is known. */
  url: string | null;
  /** Where this window's agents work; null when it has several folders, which they are then asked for, or none. */
  directory: string | null;
  /** A new value makes VS Code restart the server, with the current tools and token. */
  version: string;
}

/**
 * What a window offers to VS Code's own agents; null for nothing.
 *
 * @param isEnabled what the setting says
 * @param ownVersion of this extension, whose daemon answers as soon as there is one
 */
export function mcpOffer(
  { folders, isTrusted, snapshot }: WindowState,
  isEnabled: boolean,
  ownVersion: string,
): McpOffer | null {
  if (!isEnabled || !isTrusted || (snapshot && !snapshot.mcp)) return null;
  const [only, ...others] = folders;
  return {
    url: snapshot?.mcp?.url ?? null,
    directory: only && others.length === 0 ? only.path : null,
    version: [
      snapshot?.daemon.version ?? ownVersion,
      snapshot?.mcp?.tools ?? 'standard',
      // A daemon that has begun anew has the token of the one before.
      ...(snapshot?.mcp?.rotations ? [`token ${snapshot.mcp.rotations}`] : []),
    ].join(' '),
  };
}
