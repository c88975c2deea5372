import { addressKey, parseAddress } from '../postgres/address/address.ts';
import { localSurroundings } from '../postgres/address/localSurroundings.ts';
import { tryPostgres } from '../postgres/connection/tryPostgres.ts';
import type { AddressChange, GivenAddress } from '../protocol/control.ts';
import type { ServerLabel } from '../protocol/model.ts';
import { RegistrarError, type ErrorReport } from '../protocol/registrarError.ts';
import type { Settings } from '../protocol/settings.ts';
import type { WindowFolder } from '../resolution/trust.ts';
import { chooseAddress, hasOtherConnections, type ChosenAddress } from './chooseAddress.ts';
import { leftBehind } from './leftBehind.ts';
import { Lending } from './lending.ts';
import type { Engine, EngineLog } from './engine.ts';
import { FreshSettings } from './freshSettings.ts';
import { isCredentialsRequired, mismatchOf } from './offeredAddress.ts';
import { openEngine } from './openEngine.ts';
import { withLimit } from '../time/withLimit.ts';

export interface EngineHolderOptions {
  stateFolder: string;
  home: string;
  /** Of the process; what it says about PostgreSQL does not count but for `given`. */
  environment: Record<string, string | undefined>;
  /** The address that the daemon was started with. */
  given: GivenAddress;
  settingsPath: string;
  readSettings(): Promise<Settings>;
  updateSettings(change: (settings: Settings) => Settings): Promise<Settings>;
  log: EngineLog;
  windows: () => readonly WindowFolder[];
  onSync: () => void;
  onRegistryChange: () => void;
  limits?: HolderLimits;
}

export interface HolderLimits {
  /** Callers that still use a replaced engine after this long are cut off, ms. */
  finishMs: number;
  /** How long the next engine waits for the former one to close, ms. */
  closeMs: number;
}

const defaultLimits: HolderLimits = { finishMs: 10_000, closeMs: 10_000 };

interface Opened {
  engine: Engine;
  chosen: ChosenAddress;
}

/** An engine, from the request for it until nobody uses it. */
interface Serving {
  opening: Promise<Opened>;
  /** Null while it is being opened. */
  opened: Opened | null;
  users: Lending;
}

/**
 * The engine of this daemon: one PostgreSQL address at a time, opened when it is first needed. When the settings
 * change, the old engine finishes its work, within limits, and then the new one is opened.
 */
export class EngineHolder {
  readonly #options: EngineHolderOptions;
  readonly #limits: HolderLimits;
  #given: GivenAddress;
  /** Kept in memory only. */
  #password: string | null = null;
  readonly #settings: FreshSettings;
  #serving: Serving | null = null;
  #changing: Promise<void> | null = null;
  #error: ErrorReport | null = null;
  /** A bundled server that is no longer used, but keeps running so that people can move their projects. */
  #former: ChosenAddress | null = null;

  constructor(options: EngineHolderOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultLimits;
    this.#given = options.given;
    this.#settings = new FreshSettings(options.settingsPath, () => options.readSettings());
  }

  /** Null while none is open. */
  get engine(): Engine | null {
    return this.#serving?.opened?.engine ?? null;
  }

  /** Why the last attempt to open one failed. */
  get error(): ErrorReport | null {
    return this.#error;
  }

  get server(): ServerLabel | null {
    return this.engine?.server() ?? null;
  }

  /** The URL in use, which may contain a password; null for the bundled server, or if none was chosen. */
  async url(): Promise<string | null> {
    if (this.#given.url !== null) return this.#given.url;
    const { postgres } = await this.#settings.read();
    return postgres?.kind === 'url' ? postgres.url : null;
  }

  /** The refusal that clients with this address get for every call; null while nothing is open. */
  objectionTo(offer: GivenAddress): ErrorReport | null {
    const chosen = this.#serving?.opened?.chosen;
    if (!chosen) return null;
    try {
      return mismatchOf(offer, chosen)?.toReport() ?? null;
    } catch (error) {
      if (error instanceof RegistrarError) return error.toReport();
      throw error;
    }
  }

  /**
   * Lets a caller use the engine. It is not closed meanwhile, unless the call takes longer than a change of address
   * waits.
   *
   * @param offer what the client's environment says about PostgreSQL
   * @throws RegistrarError ADDRESS_MISMATCH when they name another server, DAEMON_UNREACHABLE when it was cut off, and
   *   whatever opening or `run` throws
   */
  async use<T>(
    offer: GivenAddress | null,
    onProgress: (message: string) => void,
    run: (engine: Engine) => Promise<T>,
  ): Promise<T> {
    const serving = await this.#enter(offer, onProgress);
    const ask = ({ opening, users }: Serving): Promise<T> => users.lend(async () => run((await opening).engine));
    let answer: { value: T } | { error: unknown };
    try {
      answer = { value: await ask(serving) };
    } catch (error) {
      answer = { error };
    }
    // The server refused the login, so nothing was done; a client that has the missing password asks again.
    if (isCredentialsRequired(answer) && offer && (await this.#takeCredentials(offer, serving))) {
      return ask(await this.#enter(offer, onProgress));
    }
    if ('error' in answer) throw answer.error;
    return answer.value;
  }

  /**
   * Switches to another PostgreSQL, because somebody chose it on purpose; the address from the start no longer counts.
   *
   * @param choice what is chosen, the password that goes with it, and the PG… variables that counted when it was tried
   */
  async changeAddress(
    choice: { postgres: Settings['postgres']; password: string | null; variables: Record<string, string> },
    onProgress: (message: string) => void,
  ): Promise<AddressChange> {
    await this.#changing;
    const { opening, users } = this.#open(onProgress);
    const before = await opening.catch(() => null);
    const stays = before ? await users.lend(() => before.engine.projectsHere()) : [];
    const former = { postgres: (await this.#settings.read()).postgres, given: this.#given, password: this.#password };
    const given: GivenAddress = { url: null, source: 'environment', variables: choice.variables };
    await this.#choose({ postgres: choice.postgres, given, password: choice.password });
    const after = await this.#open(onProgress).opening.catch(() => null);
    // A failed download is not retried unless somebody asks, so the former choice stays.
    if (!after && choice.postgres?.kind === 'bundled') {
      const error = this.#error;
      await this.#choose(former);
      return { server: null, error, leftBehind: [] };
    }
    const isSame = before && after && addressKey(before.chosen.address) === addressKey(after.chosen.address);
    // It keeps running until the daemon stops: its projects can be moved only while it runs.
    if (before?.chosen.bundled && !after?.chosen.bundled) this.#former = before.chosen;
    return {
      server: this.server,
      error: this.#error,
      leftBehind: before && !isSame ? leftBehind(stays, before.chosen, after?.chosen ?? null) : [],
    };
  }

  async #choose(choice: {
    postgres: Settings['postgres'];
    given: GivenAddress;
    password: string | null;
  }): Promise<void> {
    await this.#options.updateSettings((settings) => ({ ...settings, postgres: choice.postgres }));
    this.#given = choice.given;
    this.#password = choice.password;
    await this.#swap(this.#limits.finishMs);
  }

  /**
   * Closes the engine, so that its own connections are no reason to think that somebody is connected.
   *
   * @returns whether somebody else is connected to the bundled server
   */
  async closeAndLook(): Promise<boolean> {
    const chosen = this.#serving?.opened?.chosen;
    await this.#swap(this.#limits.finishMs);
    return chosen?.bundled ? hasOtherConnections(chosen.address).catch(() => false) : false;
  }

  /**
   * Closes the open engine. Its callers had time to finish while the daemon was shutting down, and are cut off.
   *
   * @param stopServer also the bundled PostgreSQL, unless somebody is connected to it
   */
  async close(stopServer: boolean): Promise<void> {
    const serving = this.#serving;
    if (serving)
      await withLimit(
        this.#limits.closeMs,
        serving.opening.catch(() => null),
        () => null,
      );
    await this.#swap(0);
    if (!stopServer) return;
    for (const chosen of [serving?.opened?.chosen, this.#former]) if (chosen) await stopUnused(chosen);
  }

  /** The engine to use, of the address that everybody uses; nobody changes it between this call and its use. */
  async #enter(offer: GivenAddress | null, onProgress: (message: string) => void): Promise<Serving> {
    do {
      await this.#changing;
      await this.#noticeSettings();
      if (offer) await this.#consider(offer, onProgress);
    } while (this.#changing);
    return this.#open(onProgress);
  }

  #open(onProgress: (message: string) => void): Serving {
    if (this.#serving) return this.#serving;
    const serving: Serving = { opening: this.#openNow(onProgress), opened: null, users: new Lending() };
    this.#serving = serving;
    serving.opening.then(
      (opened) => {
        serving.opened = opened;
        if (this.#serving === serving) this.#error = null;
      },
      (error: unknown) => {
        if (this.#serving !== serving) return;
        this.#serving = null;
        this.#error = error instanceof RegistrarError ? error.toReport() : null;
      },
    );
    return serving;
  }

  async #openNow(onProgress: (message: string) => void): Promise<Opened> {
    const { stateFolder, home, log, windows, onSync, onRegistryChange } = this.#options;
    const settings = await this.#settings.read();
    const given = this.#given;
    const environment = this.#environment(given);
    environment['REGISTRAR_DATABASE_URL'] = given.source === 'argument' ? undefined : (given.url ?? undefined);
    const databaseUrl = given.source === 'argument' ? given.url : null;
    const chosen = await chooseAddress({ databaseUrl, environment, settings, stateFolder, onProgress });
    // Every request has had them looked at when it came.
    const trustedFolders = (): Promise<readonly string[]> =>
      Promise.resolve((this.#settings.last ?? settings).trustedFolders);
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

  /** The PG… variables come from one terminal, never a mixture: one terminal's password is not for another's server. */
  #environment({ variables }: GivenAddress): Record<string, string | undefined> {
    const own = Object.entries(this.#options.environment).filter(([name]) => !name.startsWith('PG'));
    const password = this.#password === null ? {} : { PGPASSWORD: this.#password };
    return { ...Object.fromEntries(own), ...variables, ...password };
  }

  /** Refuses a client that names another server. If no address is known, a client's address is welcome. */
  async #consider(offer: GivenAddress, onProgress: (message: string) => void): Promise<void> {
    let chosen: ChosenAddress;
    try {
      ({ chosen } = await this.#open(onProgress).opening);
    } catch (error) {
      // No server is in use, so another address contradicts nobody.
      const url = offer.url ?? this.#given.url;
      const source = offer.url === null ? this.#given.source : offer.source;
      const wanted = { url, source, variables: offer.variables };
      if (JSON.stringify(wanted) === JSON.stringify(this.#given)) throw error;
      this.#given = wanted;
      return;
    }
    const mismatch = mismatchOf(offer, chosen);
    if (mismatch) throw mismatch;
  }

  /** Takes over a client's way to log in to the server that refused the daemon's own, if that one works. */
  async #takeCredentials(offer: GivenAddress, refused: Serving): Promise<boolean> {
    const served = refused.opened?.chosen;
    if (!served || served.bundled) return false;
    const { postgres } = await this.#settings.read();
    const url = offer.url ?? this.#given.url ?? (postgres?.kind === 'url' ? postgres.url : null);
    if (url === null) return false;
    try {
      const offered = parseAddress(url, offer.variables, localSurroundings());
      if (addressKey(offered) !== addressKey(served.address)) return false;
      if (JSON.stringify(offered) === JSON.stringify(served.address)) return false;
      await tryPostgres(offered);
      // Another client may have been faster.
      if (this.#serving !== refused) return true;
      this.#password = offered.password;
    } catch (error) {
      if (error instanceof RegistrarError) return false;
      throw error;
    }
    const isByUrl = offer.url !== null && this.#given.url !== null;
    this.#given = isByUrl ? offer : { ...this.#given, variables: offer.variables };
    await this.#swap(this.#limits.finishMs);
    return true;
  }

  async #noticeSettings(): Promise<void> {
    const before = this.#settings.last;
    const now = await this.#settings.read();
    if (!before || before === now || engineKey(before) === engineKey(now)) return;
    await this.#swap(this.#limits.finishMs);
  }

  /** Closes the engine when nobody uses it any more; callers that come meanwhile wait and get the next one. */
  #swap(finishMs: number): Promise<void> {
    this.#changing ??= this.#swapNow(finishMs).finally(() => {
      this.#changing = null;
    });
    return this.#changing;
  }

  async #swapNow(finishMs: number): Promise<void> {
    const serving = this.#serving;
    if (!serving) return;
    await serving.users.end(finishMs, cutOff());
    this.#serving = null;
    const { log } = this.#options;
    const closing = serving.opening.then(({ engine }) =>
      engine.close().catch((error: unknown) => {
        log.warn({ operation: 'postgres', reason: String(error) }, 'the former engine could not be closed cleanly');
      }),
    );
    const isClosed = await withLimit(
      this.#limits.closeMs,
      // An engine that never opened has nothing to close, and has reported why.
      closing.then(
        () => true,
        () => true,
      ),
      () => false,
    );
    if (!isClosed) log.warn({ operation: 'postgres' }, 'the former engine is still closing');
  }
}

/** A server that somebody uses is not stopped: an application may be working in it. */
async function stopUnused({ bundled, address }: ChosenAddress): Promise<void> {
  if (!bundled || (await hasOtherConnections(address).catch(() => false))) return;
  await bundled.stop();
}

/** What an engine is opened with; folders that are trusted are asked for anew each time, and agents are no part of it. */
function engineKey({ trustedFolders: _trustedFolders, ...settings }: Settings): string {
  const own = Object.entries(settings).filter(([name]) => !/^registrar\.(mcp|daemon)\./.test(name));
  return JSON.stringify(own);
}

/** The error of those who used an engine that had to be closed. */
function cutOff(): RegistrarError {
  return new RegistrarError({
    code: 'DAEMON_UNREACHABLE',
    message:
      'The daemon switched to another PostgreSQL, or stopped, before it finished this; whether it was done is not known.',
    hint: 'Check the current state (registrar projects list), then repeat the command if necessary.',
  });
}
