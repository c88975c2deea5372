import type { Snapshot } from '../../daemon/protocol/control.ts';
import type { ListParams } from '../../daemon/protocol/methods.ts';
import type { ListedProject, ProjectPage } from '../../daemon/protocol/model.ts';
import { projectNode, type TreeNode } from './treeNodes.ts';

/** Rows that are added at a time: more than fit on a screen, few enough to be drawn at once. */
const pageSize = 200;

/** All projects of the registry, read page by page as far as somebody scrolled. */
export class ProjectPages {
  readonly #list: (params: ListParams) => Promise<ProjectPage>;
  #projects: ListedProject[] = [];
  #cursor: string | null = null;
  #isRead = false;
  #wantsMore = false;
  #registry = '';
  /** Increases when what is being read is no longer wanted. */
  #generation = 0;

  constructor(list: (params: ListParams) => Promise<ProjectPage>) {
    this.#list = list;
  }

  /** Reads again when the registry's projects may have changed. */
  noticeChange(snapshot: Snapshot | null): void {
    const { server, projects, sync, folders } = snapshot ?? {};
    const names = folders?.map(({ resolution }) => resolution?.project?.name);
    const registry = JSON.stringify([server, projects, names, sync?.delivered, sync?.pending, sync?.parked]);
    if (registry !== this.#registry) this.reset();
    this.#registry = registry;
  }

  reset(): void {
    this.#generation += 1;
    this.#projects = [];
    this.#cursor = null;
    this.#isRead = false;
    this.#wantsMore = false;
  }

  wantMore(): void {
    this.#wantsMore = true;
  }

  /** The rows so far, the last of which asks for more when there are more. Throws what asking throws. */
  async nodes(filter: string): Promise<TreeNode[]> {
    if (!this.#isRead || (this.#wantsMore && this.#cursor !== null)) {
      const generation = this.#generation;
      this.#wantsMore = false;
      const query = filter === '' ? null : filter;
      const page = await this.#list({ query, limit: pageSize, cursor: this.#cursor });
      if (generation !== this.#generation) return this.nodes(filter);
      this.#projects.push(...page.projects);
      this.#cursor = page.nextCursor;
      this.#isRead = true;
    }
    if (this.#projects.length === 0) return [{ id: 'projects/none', label: 'None', context: 'none' }];
    const more = { id: 'projects/more', label: 'Show more …', icon: 'ellipsis', context: 'more' };
    return [...this.#projects.map(projectNode), ...(this.#cursor === null ? [] : [more])];
  }
}
