import { stat } from 'node:fs/promises';
import { addressKey, addressLabel, addressUrl, parseAddress, type PostgresAddress } from '../postgres/address.ts';
import { localSurroundings } from '../postgres/localSurroundings.ts';
import type { AddressChange, GivenAddress, LeftBehind } from '../protocol/control.ts';
import type { ServerLabel } from '../protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';
import type { WindowFolder } from '../resolution/trust.ts';
import { chooseAddress, hasOtherConnections, type ChosenAddress } from './chooseAddress.ts';
import { openEngine, type Engine, type EngineLog } from './openEngine.ts';

export interface EngineHolderOptions {
  stateFolder: string;
  home: string;
  /** Of the process; its address does not count but for `given`. */
  environment: Record<string, string | undefined>;
  /** The address that the daemon was started with. */
  given: GivenAddress;
  settingsPath: string;
  readSettings(): Promise<Settings>;
  log: EngineLog;
  windows: () => readonly WindowFolder[];
  onSync: () => void;
  onRegistryChange: () => void;
}

interface Opened {
  engine: Engine;
  chosen: ChosenAddress;
}

/**
 * The engine of this daemon: one PostgreSQL address at a time, opened when it is first needed. When the settings say
 * something else the old engine finishes what it does, then the new one is opened.
 */
export class EngineHolder {
  readonly #options: EngineHolderOptions;
  #given: GivenAddress;
  /** Kept in memory only. */
  #password: string | null = null;
  #settings: Settings | null = null;
  #stamp = '';
  #opening: Promise<Opened> | null = null;
  #opened: Opened | null = null;
  #users = 0;
  #whenUnused: (() => void) | null = null;
  #changing: Promise<void> = Promise.resolve();
  #error: ErrorReport | null = null;
  #lacksPassword = false;

  constructor(options: EngineHolderOptions) {
    this.#options = options;
    this.#given = options.given;
  }

  /** Null while none is open. */
  get engine(): Engine | null {
    return this.#opened?.engine ?? null;
  }

  /** Why the last attempt to open one failed. */
  get error(): ErrorReport | null {
    return this.#error;
  }

  get server(): ServerLabel | null {
    return this.#opened?.engine.server() ?? null;
  }

  /**
   * Lets somebody use the engine; it is not closed meanwhile.
   *
   * @param offer what the client's surroundings say about PostgreSQL
   * @throws RegistrarError ADDRESS_MISMATCH when they name another server, and whatever opening or `run` throws
   */
  async use<T>(
    offer: GivenAddress | null,
    onProgress: (message: string) => void,
    run: (engine: Engine) => Promise<T>,
  ): Promise<T> {
    await this.#changing;
    await this.#noticeSettings();
    if (offer) await this.#consider(offer);
    this.#users += 1;
    try {
      const { engine } = await this.#open(onProgress);
      const answer = await run(engine);
      this.#notePassword(errorCodeOf(answer));
      return answer;
    } catch (error) {
      this.#notePassword(error instanceof RegistrarError ? error.code : null);
      throw error;
    } finally {
      this.#users -= 1;
      if (this.#users === 0) this.#whenUnused?.();
    }
  }

  /** Reads the settings again, because somebody chose another PostgreSQL on purpose; what the start named counts no more. */
  async changeAddress(password: string | null, onProgress: (message: string) => void): Promise<AddressChange> {
    const before = this.#opened ?? (await this.#open(onProgress).catch(() => null));
    const stays = before ? await leftBehind(before) : [];
    this.#given = { url: null, source: 'environment', variables: {} };
    this.#password = password;
    await this.#swap();
    const after = await this.#open(onProgress).catch(() => null);
    // The bundled server goes on for whoever is connected to it; nobody else needs it now.
    if (before?.chosen.bundled && after && !after.chosen.bundled) await stopUnused(before.chosen);
    const isSame = before && after && addressKey(before.chosen.address) === addressKey(after.chosen.address);
    const target = after ? addressUrl(after.chosen.address, 'postgres', { withPassword: false }) : null;
    return {
      server: this.server,
      error: this.#error,
      leftBehind: isSame
        ? []
        : stays.map(({ dump, ...project }) => ({
            ...project,
            command: `pg_dump --create ${quoted(dump)} | psql ${target === null ? 'NEW_ADDRESS' : quoted(target)}`,
          })),
    };
  }

  /**
   * Closes the engine, so that its own connections are no reason to think that somebody is connected.
   *
   * @returns whether somebody else is connected to the bundled server
   */
  async closeAndLook(): Promise<boolean> {
    const chosen = this.#opened?.chosen;
    await this.#swap();
    return chosen?.bundled ? hasOtherConnections(chosen.address).catch(() => false) : false;
  }

  /** Finishes what runs and closes. @param stopServer also the bundled PostgreSQL, unless somebody is connected to it */
  async close(stopServer: boolean): Promise<void> {
    const chosen = this.#opened?.chosen ?? (await this.#opening?.catch(() => null))?.chosen;
    await this.#swap();
    if (stopServer && chosen?.bundled) await stopUnused(chosen);
  }

  async #open(onProgress: (message: string) => void): Promise<Opened> {
    this.#opening ??= this.#openNow(onProgress).then(
      (opened) => {
        this.#opened = opened;
        this.#error = null;
        return opened;
      },
      (error: unknown) => {
        this.#opening = null;
        this.#error = error instanceof RegistrarError ? error.toReport() : null;
        throw error;
      },
    );
    return this.#opening;
  }

  async #openNow(onProgress: (message: string) => void): Promise<Opened> {
    const { stateFolder, home, log, windows, onSync, onRegistryChange } = this.#options;
    const settings = await this.#read();
    const given = this.#given;
    const environment: Record<string, string | undefined> = { ...this.#options.environment, ...given.variables };
    environment['REGISTRAR_DATABASE_URL'] = given.source === 'argument' ? undefined : (given.url ?? undefined);
    if (this.#password !== null) environment['PGPASSWORD'] = this.#password;
    const databaseUrl = given.source === 'argument' ? given.url : null;
    const chosen = await chooseAddress({ databaseUrl, environment, settings, stateFolder, onProgress });
    const trustedFolders = async (): Promise<readonly string[]> => (await this.#read()).trustedFolders;
    const engine = await openEngine({
      ...chosen,
      stateFolder,
      home,
      settings,
      log,
      windows,
      trustedFolders,
      onSync,
      onRegistryChange,
      watches: true,
    });
    return { engine, chosen };
  }

  /** Refuses a client that means another server. One that knows an address or a password where none is known helps. */
  async #consider(offer: GivenAddress): Promise<void> {
    const password = offer.variables['PGPASSWORD'] ?? '';
    if (offer.url !== null && this.#given.url === null && (await this.#read()).postgres === null) {
      this.#given = offer;
      await this.#swap();
      return;
    }
    if (offer.url !== null) {
      const offered = parseAddress(offer.url, offer.variables, localSurroundings());
      const { chosen } = await this.#open(() => undefined);
      if (addressKey(offered) !== addressKey(chosen.address)) {
        throw addressMismatch(nameOf(chosen.address), nameOf(offered), offer.source);
      }
      if (this.#lacksPassword && offered.password !== null) {
        this.#password = offered.password;
        await this.#swap();
      }
    } else if (this.#lacksPassword && password !== '') {
      this.#password = password;
      await this.#swap();
    }
  }

  #notePassword(code: string | null): void {
    if (code === 'CREDENTIALS_REQUIRED') this.#lacksPassword = true;
  }

  async #noticeSettings(): Promise<void> {
    const before = this.#settings;
    const now = await this.#read();
    if (!before || engineKey(before) === engineKey(now)) return;
    await this.#swap();
  }

  /** The settings, read again only when their file is another. */
  async #read(): Promise<Settings> {
    const status = await stat(this.#options.settingsPath, { bigint: true }).catch(() => null);
    const stamp = status ? `${status.ino}/${status.mtimeNs}/${status.size}` : 'none';
    if (this.#settings === null || stamp !== this.#stamp) {
      this.#settings = await this.#options.readSettings();
      this.#stamp = stamp;
    }
    return this.#settings;
  }

  /** Closes the engine when nobody uses it any more; whoever comes meanwhile waits and gets the next. */
  async #swap(): Promise<void> {
    await this.#changing;
    const opening = this.#opening;
    if (!opening) return;
    this.#changing = (async () => {
      const opened = await opening.catch(() => null);
      // Somebody may come in the moment between the last one's end and this.
      while (this.#users > 0) await new Promise<void>((resolve) => (this.#whenUnused = resolve));
      this.#whenUnused = null;
      this.#opening = null;
      this.#opened = null;
      this.#lacksPassword = false;
      await opened?.engine.close();
    })();
    await this.#changing;
  }
}

/** Nobody's server is stopped under them: an application may work in it. */
async function stopUnused({ bundled, address }: ChosenAddress): Promise<void> {
  if (!bundled || (await hasOtherConnections(address).catch(() => false))) return;
  await bundled.stop();
}

/** What an engine is opened with; folders that are trusted are asked for anew each time. */
function engineKey({ trustedFolders: _trustedFolders, ...settings }: Settings): string {
  return JSON.stringify(settings);
}

async function leftBehind({ engine, chosen }: Opened): Promise<(Omit<LeftBehind, 'command'> & { dump: string })[]> {
  const { pending, parked } = await engine.syncStatus();
  const queued = new Set([...pending, ...parked].map(({ id }) => id));
  const { projects } = await engine.listProjects({ limit: 1000 }).catch(() => ({
    projects: [...pending, ...parked],
  }));
  return projects.map(({ id, name, databaseName }) => ({
    name,
    databaseName,
    pending: queued.has(id),
    dump: addressUrl(chosen.address, databaseName, { withPassword: false }),
  }));
}

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", String.raw`'\''`)}'`;
}

/** Without user and password; two registries of one server are two addresses. */
function nameOf(address: PostgresAddress): string {
  return `${addressLabel(address)}/${address.registryDatabase}`;
}

function errorCodeOf(answer: unknown): string | null {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return null;
  const { error } = answer;
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : null;
}

function addressMismatch(served: string, offered: string, source: GivenAddress['source']): RegistrarError {
  const where = { argument: '--database-url', environment: 'REGISTRAR_DATABASE_URL', setting: 'the setting' }[source];
  return new RegistrarError({
    code: 'ADDRESS_MISMATCH',
    message: `The daemon serves ${served}, and ${where} names ${offered}. Nothing was done.`,
    hint: `Leave ${where} out, or change the daemon’s address for everyone: registrar postgres URL; or registrar stop.`,
    details: { served, offered },
  });
}
