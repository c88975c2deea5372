import { isDeepStrictEqual } from 'node:util';
import type { Agent, AgentEntry } from '../protocol/agents.ts';
import type { EntryInsertion } from './entryInsertion.ts';
import { findJsonEntry, withJsonEntry, withoutJsonEntry } from './jsonEntry.ts';
import { findTomlEntry, withTomlEntry, withoutTomlEntry } from './tomlEntry.ts';

/**
 * Registrar's entry in the text of an agent's file, whoever wrote it; undefined when there is none.
 *
 * @throws AgentTextFault when the text cannot be parsed
 */
export function findEntry(agent: Agent, text: string): unknown {
  return agent.format === 'json' ? findJsonEntry(text, agent.serversKey) : findTomlEntry(text, agent.serversKey);
}

/**
 * Inserts an entry into a text that has none, as one piece: every other byte stays as it is.
 *
 * @throws AgentTextFault when the text cannot be parsed, or has no place for it
 */
export function withEntry(agent: Agent, text: string, entry: AgentEntry): EntryInsertion {
  const insertion =
    agent.format === 'json'
      ? withJsonEntry(text, agent.serversKey, entry)
      : withTomlEntry(text, agent.serversKey, entry);
  // What is written must be what the agent then reads, whatever the text looked like.
  if (!isDeepStrictEqual(findEntry(agent, insertion.text), entry)) {
    throw new Error(`The edited ${agent.format} text is not what it should be.`);
  }
  return insertion;
}

/**
 * Removes the entry again: exactly the piece that was inserted, if it is still there, so that the text is as it was
 * before; otherwise the entry alone.
 *
 * @param text has the entry
 * @throws AgentTextFault when the text cannot be parsed, or the entry cannot be told apart
 */
export function withoutEntry(agent: Agent, text: string, inserted: string): string {
  const [before, after, ...more] = text.split(inserted);
  if (inserted !== '' && before !== undefined && after !== undefined && more.length === 0) {
    const restored = before + after;
    if (isWithoutEntry(agent, restored)) return restored;
  }
  return agent.format === 'json' ? withoutJsonEntry(text, agent.serversKey) : withoutTomlEntry(text, agent.serversKey);
}

/** Whether a text that was made for the entry has nothing in it but the places where entries go. */
export function saysNothing(agent: Agent, text: string): boolean {
  if (text.trim() === '') return true;
  if (agent.format === 'toml') return false;
  try {
    const value: unknown = JSON.parse(text);
    return isDeepStrictEqual(value, {}) || isDeepStrictEqual(value, { [agent.serversKey]: {} });
  } catch {
    // Comments, for one, are somebody's.
    return false;
  }
}

function isWithoutEntry(agent: Agent, text: string): boolean {
  try {
    return findEntry(agent, text) === undefined;
  } catch {
    return false;
  }
}
