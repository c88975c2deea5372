import * as z from 'zod';

/** The version of the config file's format that is written, and the only one that is read. */
export const configVersion = '1.0';

const trueOrFalse = (): z.ZodOptional<z.ZodBoolean> => z.boolean({ error: 'must be true or false' }).optional();
const text = (): z.ZodString => z.string({ error: 'must be a string in quotes' });

// The schema only says that names and ids are strings. `registry` decides which are valid and proposes a valid one, and
// editors show its message.
export const configSchema = z
  .looseObject(
    {
      version: z
        .literal(configVersion, { error: `must be "${configVersion}"` })
        .meta({ description: 'The version of this file format.' }),
      project: z
        .looseObject(
          {
            name: text().meta({
              description: 'The project of this folder: letters, digits, spaces, "-" and "_"; unique in the registry.',
            }),
            id: text().meta({ description: "The project's id (UUID). Written by Registrar." }).optional(),
            database_name: text()
              .meta({
                description: "Use this database instead of the project's own. It must carry this project's marker.",
              })
              .optional(),
          },
          { error: 'must be an object with a name: { "name": "…" }' },
        )
        .meta({ description: 'The project that this folder belongs to.' }),
      auto_switch: trueOrFalse().meta({
        description: 'false: this file does not choose the project of whoever works in this folder.',
        default: true,
      }),
      strict_mode: trueOrFalse().meta({
        description: 'true: a request for another project from inside this folder is refused.',
        default: false,
      }),
      dry_run: trueOrFalse().meta({
        description: 'true: say what would happen, create and change nothing.',
        default: false,
      }),
      description: text()
        // No text in PostgreSQL holds one: the project could be made, and its row never written.
        .refine((description) => !description.includes('\0'), { error: 'must not contain NUL' })
        .meta({ description: 'A description of the project, for people.' })
        .optional(),
    },
    { error: 'must be an object: { "version": "1.0", "project": { "name": "…" } }' },
  )
  .meta({ title: 'Project Registrar', description: 'Which project, and so which database, a folder belongs to.' });

export type ConfigFile = z.infer<typeof configSchema>;

/** The JSON schema of the config file, for completion and checks in editors. Comments and trailing commas are read. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' }),
    allowComments: true,
    allowTrailingCommas: true,
  };
}
