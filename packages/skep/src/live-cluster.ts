/**
 * A cluster whose nodes come in over a link: real time, real hosts.
 */
import { Node, SkepError, type NodeLink, type StoredObject } from '@skep/api';
import { planEdit, planRemoveNode } from '@skep/orchestrator';
import type { View } from '@skep/store';
import { ClusterBase } from './cluster-base.js';
import type { ClusterBaseParts } from './cluster-options.js';
import { findNode } from './find.js';
import type { LiveNode } from './live-options.js';
import type { RunnableStack } from './runnable-stack.js';

/** What a live cluster is made of. */
export interface LiveClusterParts extends ClusterBaseParts {
  /** What runs, the store first. */
  readonly running: RunnableStack;
}

/**
 * A cluster on hosts that are somebody else's business: they are declared here, and their agents
 * open sessions over {@link LiveCluster.link}. Made by `openCluster`, ended by
 * {@link LiveCluster.stop}.
 */
export class LiveCluster extends ClusterBase {
  readonly #running: RunnableStack;

  constructor(parts: LiveClusterParts) {
    super(parts);
    this.#running = parts.running;
  }

  /** Where agents come in: in process as it is, or served over a socket. */
  get link(): NodeLink {
    return this.manager.link;
  }

  /**
   * Lets a node come in. One that is known by this name or id is changed as far as `options`
   * say something; whatever they leave out stays, so that a drain outlives a restart.
   * @throws already-exists when name and id are those of different nodes; invalid-argument when
   * several nodes have the name.
   */
  async declareNode(options: LiveNode): Promise<Node> {
    this.requireRunning();
    const known = this.#knownNode(options);
    const id =
      known === undefined ? await this.#createNode(options) : await this.#editNode(known, options);
    return findNode(this.store.view(), id);
  }

  /**
   * Takes a node away for good; its tasks are replaced, and its agent is not let in any more.
   * @throws failed-precondition for a manager, and for a node that is ready unless `force`.
   */
  async removeNode(node: string, options: { readonly force?: boolean } = {}): Promise<void> {
    this.requireRunning();
    const { id } = findNode(this.view(), node).meta;
    const isForced = options.force ?? false;
    await this.admit((view) => planRemoveNode(view, id, { now: this.clock.now(), isForced }));
  }

  /**
   * Ends the manager, then closes the store. Nodes go on with what they have. Again is nothing;
   * every other method refuses from then on (`failed-precondition`).
   */
  override async stop(): Promise<void> {
    await this.end(() => this.#running.stop());
  }

  #knownNode({ name, id }: LiveNode): Node | undefined {
    const view = this.view();
    const byId = id === undefined ? undefined : view.get(Node, id);
    const named = view.list(Node).filter(({ meta }) => meta.name === name);
    if (byId !== undefined) {
      if (byId.meta.name === name) return byId;
      const message = `the id ${id} is that of the node '${byId.meta.name}'`;
      throw new SkepError(
        'already-exists',
        `${message}, not '${name}'; use that name, or another id`,
      );
    }
    const [node, another] = named;
    if (id !== undefined && node !== undefined) {
      const message = `the node '${name}' has the id ${node.meta.id}, not ${id}`;
      throw new SkepError('already-exists', `${message}; use that one, or another name`);
    }
    if (another !== undefined) {
      throw new SkepError(
        'invalid-argument',
        `${named.length} nodes are called '${name}': give an id`,
      );
    }
    return node;
  }

  async #createNode(options: LiveNode): Promise<string> {
    const { name, id, role = 'worker', availability = 'active', labels = {} } = options;
    const [result] = await this.declare([
      {
        kind: Node,
        name,
        labels,
        spec: { role, availability },
        ...(id === undefined ? {} : { id }),
      },
    ]);
    return result?.id ?? '';
  }

  async #editNode(known: Node, options: LiveNode): Promise<string> {
    const { role, availability, labels } = options;
    const edit = ({ spec }: StoredObject<Node['spec'], Node['status']>) => ({
      spec: {
        ...spec,
        ...(role === undefined ? {} : { role }),
        ...(availability === undefined ? {} : { availability }),
      },
      ...(labels === undefined ? {} : { labels }),
    });
    const { id } = known.meta;
    await this.admit((view: View) => planEdit(view, Node, id, edit));
    return id;
  }
}
