import * as z from 'zod';
import { RegistrarError } from '../../protocol/registrarError.ts';
import { quoted } from '../../protocol/visibleText.ts';
import { resolutionAnswer } from '../answers/answers.ts';
import { usableDirectory } from '../bindings.ts';
import { defineTool } from './defineTool.ts';
import { withResolution } from '../answers/schemas.ts';

export const setWorkingDirectory = defineTool({
  name: 'set_working_directory',
  title: 'Set working directory',
  description:
    'Binds this session to the folder you work in, so that later calls need no directory. Agents that share a session ' +
    'and work in different projects must pass directory with every call instead.',
  input: z.strictObject({ directory: z.string().min(1).describe('Absolute path of the folder you work in.') }),
  output: withResolution({ sessionId: z.string() }),
  async handler({ directory: given }, call) {
    const directory = usableDirectory(given, call.home);
    if (directory === null) throw noDirectory(given);
    call.progress('resolving the project');
    const resolution = await call.api.resolve({ directory }, call.progress);
    // A folder without a project counts, too: whoever works there does not mean what was bound before.
    if (resolution.error?.code !== 'DIRECTORY_INVALID') call.session.bind(directory, resolution);
    return resolutionAnswer(resolution, 'argument', { sessionId: call.session.id });
  },
});

/** For tools that need a directory and got one that counts as none. */
export function noDirectory(given: string): RegistrarError {
  return new RegistrarError({
    code: 'DIRECTORY_INVALID',
    message: `${quoted(given)} is not accepted as a directory: the root, the home folder and unreplaced variables never have a project.`,
    hint: 'Pass the absolute path of the folder that you work in.',
  });
}
