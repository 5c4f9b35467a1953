/**
 * Runs a script on a cluster, with every law checked after every commit.
 */
import { isSkepError, Network, Service, wantedReplicas, type Random } from '@skep/api';
import { seededRandom } from '@skep/api/virtual';
import type { View } from '@skep/store';
import { brokenInvariants } from '../invariants.js';
import { declaredObjects, newDeclaration, type Declaration } from './declaration.js';
import type { DeclarationDraft } from './declaration.js';
import { leaderlessWrite, ManagerFaults, type ManagerFault } from './manager-faults.js';
import type { Settlement } from './settle.js';
import type { ClusterScript, Step } from './step.js';
import { startTestCluster, type TestCluster, type TestClusterOptions } from './test-cluster.js';

/** How a script is run. */
export interface RunOptions extends Pick<
  TestClusterOptions,
  'seed' | 'listOrder' | 'cluster' | 'managers' | 'election' | 'committed'
> {
  /** Called at random times while time passes, and after every step. */
  readonly look?: (cluster: TestCluster) => void;
  /**
   * The manager crashes after this many of its commits, each counted from the start of the one
   * before, and another one takes over.
   */
  readonly managerCrashes?: readonly number[];
  /** What happens to several managers, one fault after the other. */
  readonly managerFaults?: readonly ManagerFault[];
}

/** A law that was broken, and where. */
export interface Violation {
  /** Place of the step in the script; -1 before the first. */
  readonly step: number;
  readonly at: number;
  readonly text: string;
}

/** A script that has run: the cluster is settled and still there; stop it. */
export interface ScriptRun {
  readonly cluster: TestCluster;
  /** What was declared last. */
  readonly declaration: Declaration;
  readonly violations: readonly Violation[];
  /** Steps that made no sense where they stood, or were refused. */
  readonly skipped: readonly number[];
  readonly settlement: Settlement;
}

/** Looks per wait. */
const LOOKS = 3;
/** Violations that are kept. */
const VIOLATIONS_MAX = 10;
const REFUSALS = [
  'invalid-argument',
  'failed-precondition',
  'not-found',
  'already-exists',
  'unimplemented',
] as const;
/** Updates that were paused by a failure are resumed so often. */
const RESUMES_MAX = 5;

/**
 * Runs the steps, then lets every node come back and settles. Wants that depend on luck are made
 * definite at the end: nodes that are paused become active, updates that a failure paused go on.
 */
export async function runScript(
  script: ClusterScript,
  options: RunOptions = {},
): Promise<ScriptRun> {
  const runner = await ScriptRunner.start(script, options);
  return runner.run();
}

/** The same declaration on a cluster without a history. Settled; stop it. */
export async function buildFrom(
  declaration: Declaration,
  options: Pick<TestClusterOptions, 'seed' | 'cluster'> = {},
): Promise<TestCluster> {
  const nodes = [...declaration.nodes.values()];
  const cluster = await startTestCluster({ ...options, nodes });
  await cluster.apply(...declaredObjects(declaration));
  await cluster.settle();
  return cluster;
}

/** Where the script is: before its first step there is no cluster yet. */
interface Place {
  step: number;
  cluster?: TestCluster;
}

class ScriptRunner {
  readonly #script: ClusterScript;
  readonly #options: RunOptions;
  readonly #cluster: TestCluster;
  readonly #declaration: DeclarationDraft;
  readonly #violations: Violation[];
  readonly #skipped: number[] = [];
  readonly #random: Random;
  readonly #place: Place;

  static async start(script: ClusterScript, options: RunOptions): Promise<ScriptRunner> {
    const place: Place = { step: -1 };
    const violations: Violation[] = [];
    const nodes = script.machines.slice(0, script.nodes);
    const { look: _, managerCrashes = [], managerFaults = [], committed, ...rest } = options;
    const crashes = [...managerCrashes];
    const faults = new ManagerFaults(managerFaults);
    let commits = 0;
    const cluster = await startTestCluster({
      ...rest,
      nodes,
      committed: (view, commit) => {
        const step = place.step;
        const intruder = commit && leaderlessWrite(view, commit);
        const broken = [...brokenInvariants(view), ...(intruder === undefined ? [] : [intruder])];
        const { cluster: running } = place;
        const at = running?.clock.now() ?? 0;
        for (const text of broken) note(violations, { step, at, text });
        committed?.(view, commit);
        commits += 1;
        if (step < 0 || running === undefined) return;
        faults.committed(running);
        if (crashes[0] === undefined || commits < crashes[0]) return;
        // Users commit while no manager runs.
        if (!running.hasManager) return;
        crashes.shift();
        commits = 0;
        running.crashManager();
        running.clock.defer(() => void running.startManager());
      },
    });
    place.cluster = cluster;
    return new ScriptRunner({ script, options, cluster, violations, place });
  }

  constructor(parts: {
    readonly script: ClusterScript;
    readonly options: RunOptions;
    readonly cluster: TestCluster;
    readonly violations: Violation[];
    readonly place: Place;
  }) {
    this.#script = parts.script;
    this.#options = parts.options;
    this.#cluster = parts.cluster;
    this.#violations = parts.violations;
    this.#place = parts.place;
    this.#declaration = newDeclaration(parts.script.machines.slice(0, parts.script.nodes));
    this.#random = seededRandom(parts.options.seed ?? 1).fork('looks');
  }

  async run(): Promise<ScriptRun> {
    for (const [index, step] of this.#script.steps.entries()) {
      this.#place.step = index;
      if (!(await this.#attempt(step))) this.#skipped.push(index);
      this.#options.look?.(this.#cluster);
    }
    this.#place.step = this.#script.steps.length;
    const settlement = await this.#finish();
    return {
      cluster: this.#cluster,
      declaration: this.#declaration,
      violations: this.#violations,
      skipped: this.#skipped,
      settlement,
    };
  }

  async #attempt(step: Step): Promise<boolean> {
    try {
      return await this.#take(step);
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  async #take(step: Step): Promise<boolean> {
    switch (step.type) {
      case 'wait':
        return this.#wait(step.ms);
      case 'apply':
        return this.#apply(step.service, step.spec);
      case 'scale':
        return this.#scale(step.service, step.replicas);
      case 'image':
        return this.#changeImage(step.service, step.image);
      case 'remove':
        await this.#cluster.remove(Service, step.service);
        return this.#declaration.services.delete(step.service);
      case 'remove-network':
        await this.#cluster.remove(Network, step.network);
        return this.#declaration.networks.delete(step.network);
      case 'crash':
        return this.#crash(step);
      case 'availability': {
        const node = this.#declaration.nodes.get(step.node);
        if (node === undefined) return false;
        await this.#cluster.setAvailability(step.node, step.availability);
        this.#declaration.nodes.set(node.name, { ...node, availability: step.availability });
        return true;
      }
      default:
        return this.#changeNode(step.type, step.node);
    }
  }

  async #wait(ms: number): Promise<boolean> {
    const { clock } = this.#cluster;
    const end = clock.now() + ms;
    const looks = this.#options.look === undefined ? 0 : LOOKS;
    for (let look = 0; look < looks; look += 1) {
      const left = end - clock.now();
      await clock.advance(this.#random.int(Math.min(left, 1 + Math.floor((left * 2) / LOOKS)) + 1));
      this.#options.look?.(this.#cluster);
    }
    await clock.advanceTo(end);
    return true;
  }

  async #apply(name: string, spec: Service['spec']): Promise<boolean> {
    const { networks, services } = this.#declaration;
    const view = this.#cluster.view();
    const missing = (spec.task.networks ?? [])
      .map(({ target }) => target)
      .filter((target) => !networks.has(target) || view.getByName(Network, target) === undefined);
    const declared = missing.map((target) => {
      return { kind: Network, name: target, spec: this.#script.networks[target] ?? {} };
    });
    await this.#cluster.apply(...declared, { kind: Service, name, spec });
    for (const target of missing) networks.set(target, this.#script.networks[target] ?? {});
    services.set(name, spec);
    return true;
  }

  async #scale(name: string, replicas: number): Promise<boolean> {
    const spec = this.#declaration.services.get(name);
    if (spec === undefined || wantedReplicas(spec) === undefined) return false;
    await this.#cluster.scale(name, replicas);
    const mode = { ...spec.mode, type: 'replicated' as const, replicas };
    this.#declaration.services.set(name, { ...spec, mode });
    return true;
  }

  async #changeImage(name: string, image: string): Promise<boolean> {
    const spec = this.#declaration.services.get(name);
    if (spec === undefined) return false;
    const next = { ...spec, task: { ...spec.task, container: { ...spec.task.container, image } } };
    await this.#cluster.apply({ kind: Service, name, spec: next });
    this.#declaration.services.set(name, next);
    return true;
  }

  #crash({ service, index, exitCode }: Step & { readonly type: 'crash' }): Promise<boolean> {
    const running = this.#cluster.simulator.hosts
      .flatMap(({ runtime }) => runtime.containers())
      .filter(({ state, task }) => state === 'running' && task.serviceName === service);
    const chosen = running[index % Math.max(1, running.length)];
    if (chosen !== undefined) this.#cluster.crash(chosen.task.id, exitCode);
    return Promise.resolve(chosen !== undefined);
  }

  async #changeNode(
    type: 'lose' | 'recover' | 'disconnect' | 'reconnect' | 'add-node' | 'remove-node',
    name: string,
  ): Promise<boolean> {
    const { nodes } = this.#declaration;
    const machine = this.#script.machines.find((node) => node.name === name);
    const isThere = nodes.has(name);
    if (machine === undefined || isThere === (type === 'add-node')) return false;
    if (type === 'add-node') {
      await this.#cluster.addNode(machine);
      nodes.set(name, machine);
      return true;
    }
    if (type === 'remove-node') {
      if (nodes.size === 1) return false;
      await this.#cluster.removeNode(name);
      return nodes.delete(name);
    }
    const host = this.#cluster.simulator.host(name);
    const { isOn, isConnected } = host;
    if (type === 'lose') host.powerOff();
    else if (type === 'recover') await host.powerOn();
    else if (type === 'disconnect') host.disconnect();
    else host.reconnect();
    return host.isOn !== isOn || host.isConnected !== isConnected;
  }

  async #finish(): Promise<Settlement> {
    const cluster = this.#cluster;
    for (const host of cluster.simulator.hosts) {
      if (host.isOn) host.reconnect();
      else await host.powerOn();
    }
    for (const node of this.#declaration.nodes.values()) {
      if (node.availability !== 'pause') continue;
      await this.#attempt({ type: 'availability', node: node.name, availability: 'active' });
    }
    let settlement = await cluster.settle();
    for (let resume = 0; resume < RESUMES_MAX; resume += 1) {
      const paused = pausedServices(cluster.view());
      if (paused.length === 0) break;
      for (const name of paused) await cluster.forceUpdate(name);
      settlement = await cluster.settle();
    }
    return settlement;
  }
}

function pausedServices(view: View): readonly string[] {
  return view
    .list(Service)
    .filter(({ status }) => status.update?.state === 'paused')
    .map(({ meta }) => meta.name)
    .sort();
}

/** Whether the cluster said no, which is no fault of the cluster. */
function isRefusal(error: unknown): boolean {
  return REFUSALS.some((code) => isSkepError(error, code));
}

function note(violations: Violation[], violation: Violation): void {
  const isKnown = violations.some(({ text }) => text === violation.text);
  if (!isKnown && violations.length < VIOLATIONS_MAX) violations.push(violation);
}
