import type { DatabaseFacts, FolderState, ClientFolder } from '../protocol/control.ts';
import type { WarningCode } from '../protocol/codes.ts';
import type { Resolution, Warning } from '../protocol/model.ts';
import type { EngineHolder } from './engineHolder.ts';
import type { Engine } from './engine.ts';

export interface WindowLooksOptions {
  holder: Pick<EngineHolder, 'use'>;
  /** Every folder that a window has open. */
  folders(): readonly string[];
  /** Called after a refresh that may have changed what windows draw. */
  onChanged(): void;
  timing?: LooksTiming;
}

/** All in ms. */
export interface LooksTiming {
  /** Between refreshes while all is well: finds a server that silently stopped answering. */
  wellMs: number;
  /** Between refreshes while the server does not answer, and while nothing would report that it stopped. */
  watchfulMs: number;
  /** How long a database's size counts as current; reading it costs a connection. */
  factsMs: number;
}

const usualTiming: LooksTiming = { wellMs: 10_000, watchfulMs: 1000, factsMs: 60_000 };

interface Facts extends DatabaseFacts {
  databaseName: string;
  at: number;
}

/**
 * What the folders of open windows resolve to, kept up to date while there are any. Refreshing never creates anything:
 * a project is created when somebody asks for it, not because a window has its folder open.
 */
export class WindowLooks {
  readonly #options: WindowLooksOptions;
  readonly #timing: LooksTiming;
  readonly #resolutions = new Map<string, Resolution>();
  /**
   * What requests reported that they did or could not do, which no refresh can see: it stays until a person asks again.
   */
  readonly #told = new Map<string, { projectId: string; warnings: readonly Warning[] }>();
  readonly #facts = new Map<string, Facts>();
  #projects: number | null = null;
  #isAsked = false;
  #isUnwell = false;
  /** Whether the engine notices at once when the server stops. */
  #isTold = true;
  #isMeasureDue = false;
  #isStopped = false;
  #looking: Promise<void> | null = null;
  #measuring: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WindowLooksOptions) {
    this.#options = options;
    this.#timing = options.timing ?? usualTiming;
  }

  /** Projects of the registry; null while they could not be counted. */
  get projects(): number | null {
    return this.#projects;
  }

  stateOf(folder: ClientFolder): FolderState {
    const resolution = this.#withTold(folder.path, this.#resolutions.get(folder.path) ?? null);
    const facts = this.#facts.get(folder.path);
    const isCurrent = facts !== undefined && facts.databaseName === resolution?.project?.databaseName;
    const database = isCurrent ? { bytes: facts.bytes, tables: facts.tables } : null;
    return { ...folder, resolution, database };
  }

  /**
   * Somebody has just resolved this folder: windows get the answer without a refresh.
   *
   * @param isPerson whether a person has seen what was reported before: agents ask again and again, and nobody may have
   *   read it
   */
  note(directory: string, resolution: Resolution, isPerson: boolean): void {
    if (!this.#options.folders().includes(directory)) return;
    const { project, warnings } = resolution;
    const told = warnings.filter(({ code }) => ofDeeds.has(code));
    const before = this.#told.get(directory);
    const kept = isPerson || before?.projectId !== project?.id ? [] : (before?.warnings ?? []);
    if (project) this.#told.set(directory, { projectId: project.id, warnings: withoutTwins([...told, ...kept]) });
    this.#keep(directory, resolution);
  }

  /**
   * Refreshes every folder, and once more if a refresh is under way: the reason for this call may be newer than that
   * refresh.
   *
   * @returns when the folders are refreshed; sizes follow
   */
  async look(): Promise<void> {
    if (this.#isStopped) return;
    this.#isAsked = true;
    this.#looking ??= this.#lookWhileAsked().finally(() => {
      this.#looking = null;
      this.#later();
    });
    await this.#looking;
  }

  /** Resolves when no refresh is under way: one after the engine's closing would open another engine. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#measuring;
  }

  async #lookWhileAsked(): Promise<void> {
    clearTimeout(this.#timer);
    while (this.#isAsked && !this.#isStopped) {
      this.#isAsked = false;
      const folders = new Set(this.#options.folders());
      for (const known of this.#resolutions.keys()) if (!folders.has(known)) this.#forget(known);
      for (const known of this.#told.keys()) if (!folders.has(known)) this.#told.delete(known);
      const answers = await Promise.all([...folders].map((folder) => this.#lookAt(folder)));
      this.#isUnwell = answers.some((answer) => answer !== null && (answer.stale || isUnreachable(answer)));
      this.#options.onChanged();
    }
    this.#isMeasureDue = true;
    this.#measuring ??= this.#measureWhileDue().finally(() => {
      this.#measuring = null;
    });
  }

  /** Null when no PostgreSQL could be asked; the holder knows why. */
  async #lookAt(directory: string): Promise<Resolution | null> {
    const answer = await this.#use(async (engine) => {
      const looked = await engine.look(directory);
      this.#isTold = engine.isListening();
      return looked;
    });
    if (answer) this.#keep(directory, answer);
    else this.#forget(directory);
    return answer;
  }

  #keep(directory: string, resolution: Resolution): void {
    const before = this.#resolutions.get(directory);
    // An answer that differs only in its durations is no news.
    if (before && essence(before) === essence(resolution)) return;
    this.#resolutions.set(directory, resolution);
  }

  #withTold(directory: string, resolution: Resolution | null): Resolution | null {
    const told = this.#told.get(directory);
    if (!resolution || !told || told.warnings.length === 0 || told.projectId !== resolution.project?.id)
      return resolution;
    return { ...resolution, warnings: withoutTwins([...resolution.warnings, ...told.warnings]) };
  }

  #forget(directory: string): void {
    this.#resolutions.delete(directory);
    this.#facts.delete(directory);
  }

  /** Sizes and the number of projects: nice to see, never worth waiting for. */
  async #measureWhileDue(): Promise<void> {
    while (this.#isMeasureDue && !this.#isStopped) {
      this.#isMeasureDue = false;
      if (await this.#measure()) this.#options.onChanged();
    }
  }

  /** @returns whether anything has changed */
  async #measure(): Promise<boolean> {
    const { factsMs } = this.#timing;
    const now = performance.now();
    let isChanged = false;
    for (const [directory, { project, stale, outcome }] of this.#resolutions) {
      const known = this.#facts.get(directory);
      if (this.#isStopped) return false;
      if (!project || stale || outcome !== 'resolved') continue;
      const { databaseName } = project;
      if (known?.databaseName === databaseName && now - known.at < factsMs) continue;
      const facts = await this.#use((engine) => engine.databaseFacts(databaseName));
      if (facts) this.#facts.set(directory, { ...facts, databaseName, at: now });
      isChanged ||= facts !== null;
    }
    if (this.#resolutions.size > 0 && !this.#isUnwell) {
      const projects = await this.#use((engine) => engine.countProjects());
      isChanged ||= projects !== this.#projects;
      this.#projects = projects;
    }
    return isChanged;
  }

  async #use<T>(run: (engine: Engine) => Promise<T>): Promise<T | null> {
    const ignore = (): void => undefined;
    // The obstacle is in the holder's error, or in the answers that did come.
    return this.#options.holder.use(null, ignore, run).catch(() => null);
  }

  #later(): void {
    clearTimeout(this.#timer);
    if (this.#isStopped || this.#options.folders().length === 0) return;
    const delayMs = this.#isUnwell || !this.#isTold ? this.#timing.watchfulMs : this.#timing.wellMs;
    this.#timer = setTimeout(() => void this.look(), delayMs);
    this.#timer.unref();
  }
}

const ofDeeds: ReadonlySet<WarningCode> = new Set<WarningCode>([
  'ID_NOT_WRITTEN',
  'REKEYED',
  'RENAMED',
  'DATABASE_RECREATED',
  'MARKER_RESTORED',
  'FOLDER_MOVED',
  'FIRST_CLAIM',
  'CLAIMED_ELSEWHERE',
]);

function withoutTwins(warnings: readonly Warning[]): Warning[] {
  return warnings.filter(({ code }, index) => warnings.findIndex((other) => other.code === code) === index);
}

function isUnreachable({ error }: Resolution): boolean {
  return error?.code === 'REGISTRY_UNREACHABLE';
}

function essence(resolution: Resolution): string {
  return JSON.stringify(resolution, (key, value: unknown) => (key === 'durationMs' ? undefined : value));
}
