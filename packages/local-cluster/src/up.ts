/**
 * Brings a cluster on this machine up: whatever there is of it, afterwards all of it runs.
 */
import { resolve } from 'node:path';
import { SkepError } from '@skep/api';
import { nodeNamespace, probeHost, type RendererName } from '@skep/adapter-hosts';
import { claimChange, claimSubnets } from './cluster-claims.js';
import { writeText } from './files.js';
import { addressOf, namespacesOf, subnetsInUse } from './hosts.js';
import { requireMachine } from './machine-check.js';
import { logFile, placeOf, type ClusterPaths, type ClusterPlace } from './place.js';
import { arePrefixesOverlapping, parsePrefix } from '@skep/network';
import { endProcesses } from './process/ending.js';
import { findProcesses, foldersOf, processesIn } from './process/process-search.js';
import { launch } from './process/supervised-process.js';
import { listClusters, readSettings } from './kept-clusters.js';
import { untilReady } from './readiness.js';
import {
  planSettings,
  type ClusterSettings,
  type HostsKind,
  type RuntimeKind,
  type SettingsPlan,
  type WantedSettings,
} from './settings.js';
import { freeSubnet } from './subnets.js';

/** What `up` does at the moment. */
export interface UpStep {
  readonly type: 'checked' | 'namespaces' | 'supervisor' | 'manager' | 'node';
  /** For people. */
  readonly text: string;
  readonly done: number;
  readonly total: number;
}

/** How a cluster is to be; what is left out stays as it is. */
export interface UpOptions extends ClusterPlace, WantedSettings {
  /** What a node is. Default: `namespaces`. For good. */
  readonly hosts?: HostsKind;
  /** Default: 1. More than before are added; fewer are refused. */
  readonly nodes?: number;
  /** What runs tasks. Default: `processes`. For good. */
  readonly runtime?: RuntimeKind;
  /** What programs the kernel. Default: nftables if the kernel has it, else ipvs. For good. */
  readonly dataplane?: RendererName;
  /**
   * How a process of skep is started: these words, then its role, then its file. Default: this very
   * program with `internal`.
   */
  readonly command?: readonly string[];
  /** Until the manager answers and all nodes are ready. Default: 60,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: UpStep) => void;
}

/** A cluster that runs. */
export interface ClusterUp {
  readonly cluster: string;
  readonly folder: string;
  readonly controlSocket: string;
  readonly hosts: HostsKind;
  readonly runtime: RuntimeKind;
  readonly dataplane: RendererName;
  /** Of the underlay, CIDR form; empty when the machine is the node. */
  readonly subnet: string;
  readonly nodes: readonly LocalNode[];
  /** Its supervisor ran before. */
  readonly wasRunning: boolean;
  /** What is different from before, for people. */
  readonly changes: readonly string[];
}

/** A node on this machine. */
export interface LocalNode {
  readonly name: string;
  /** In the underlay, without prefix length. */
  readonly address: string;
  /** As `ip netns` knows it; absent when the machine is the node. */
  readonly namespace?: string;
}

const TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 5_000;

/**
 * Brings a cluster up, after a crash too, and leaves it running. Doing so again changes nothing.
 * @throws permission-denied without the rights of root; invalid-argument and failed-precondition
 * for what cannot be; unavailable when another `up` or `down` of the cluster is under way, and when
 * a process of it ends again and again, with the end of its log in `details.log`;
 * deadline-exceeded when not all nodes are ready in time: it goes on coming up then.
 */
export async function up(options: UpOptions = {}): Promise<ClusterUp> {
  requireRoot('up');
  const { timeoutMs = TIMEOUT_MS, signal, onStep } = options;
  const paths = placeOf(options);
  const change = await claimChange(paths);
  try {
    refuseNamesake(paths);
    const { settings, changes } = await settle(paths, options);
    const total = settings.nodes.length + 3;
    const say = (type: UpStep['type'], text: string, done: number): void =>
      onStep?.({ type, text, done, total });
    say('namespaces', describeHosts(settings), 1);
    let started = await ensureSupervisor(paths, settings);
    say('supervisor', started === undefined ? 'the supervisor runs' : started, 2);
    await untilReady(
      { paths, settings, timeoutMs },
      (progress) => {
        say(progress.type, progress.text, 3 + progress.ready);
      },
      signal,
    );
    // One that was being killed when it was looked for is gone by now.
    started ??= await ensureSupervisor(paths, settings);
    return {
      ...describeCluster(paths, settings),
      wasRunning: started === undefined,
      changes: [...changes, ...(started === undefined ? [] : [started])],
    };
  } finally {
    await change.release();
  }
}

/** What is known of a cluster without asking it. */
export function describeCluster(
  paths: ClusterPaths,
  settings: ClusterSettings,
): Omit<ClusterUp, 'wasRunning' | 'changes'> {
  const { cluster, hosts, runtime, dataplane, subnet, nodes } = settings;
  const { folder, controlSocket } = paths;
  return {
    cluster,
    folder,
    controlSocket,
    hosts,
    runtime,
    dataplane,
    subnet,
    nodes: nodes.map(({ name, address }) => ({
      name,
      address,
      ...(hosts === 'namespaces' ? { namespace: nodeNamespace(cluster, name) } : {}),
    })),
  };
}

/** @throws permission-denied without the rights of root */
export function requireRoot(what: string): void {
  if (process.getuid?.() === 0) return;
  const text = `skep ${what} makes namespaces, interfaces and rules: it needs the rights of root`;
  throw new SkepError('permission-denied', text);
}

/** Decides what the cluster is to be, makes its hosts, and writes it down: in that order. */
async function settle(paths: ClusterPaths, options: UpOptions): Promise<SettingsPlan> {
  const before = readSettings(paths);
  const { hosts = 'namespaces', runtime = 'processes' } = options;
  const command = options.command ?? defaultCommand();
  const plan = (subnet: string, dataplane: RendererName): SettingsPlan =>
    planSettings(before, options, {
      cluster: paths.cluster,
      command,
      subnet,
      dataplane,
      addressOf,
    });
  if (before !== undefined) {
    // Refused before anything is touched.
    const planned = plan(before.subnet, before.dataplane);
    await refuseTakenSubnet(paths, planned.settings);
    await namespacesOf(planned.settings)?.ensure(planned.settings.nodes.map(({ name }) => name));
    writeSettings(paths, planned.settings);
    return planned;
  }
  plan('10.90.0.0/24', options.dataplane ?? 'nftables');
  const { dockerSocket } = options;
  const report = await probeHost(dockerSocket === undefined ? {} : { dockerSocket });
  const wanted = options.dataplane === undefined ? {} : { dataplane: options.dataplane };
  const dataplane = requireMachine(report, { hosts, runtime, ...wanted });
  options.onStep?.({ type: 'checked', text: 'this machine has what it takes', done: 0, total: 0 });
  const choosing = await claimSubnetsInTurn();
  try {
    const subnet = hosts === 'local' ? '' : freeSubnet(await subnetsTaken(paths, options));
    const planned = plan(subnet, dataplane);
    // Written first: whatever is made from here on, `down` finds it.
    writeSettings(paths, planned.settings);
    await namespacesOf(planned.settings)?.ensure(planned.settings.nodes.map(({ name }) => name));
    return planned;
  } finally {
    await choosing.release();
  }
}

/** Those that the machine has a way to, and those of clusters that are kept beside this one. */
async function subnetsTaken(
  paths: ClusterPaths,
  { stateRoot }: ClusterPlace,
): Promise<readonly string[]> {
  const kept = (await listClusters(stateRoot)).filter((cluster) => cluster !== paths.cluster);
  const others = kept.map((cluster) => {
    const place = placeOf({ cluster, ...(stateRoot === undefined ? {} : { stateRoot }) });
    return readSettings(place)?.subnet ?? '';
  });
  return [...(await subnetsInUse(paths.cluster)), ...others];
}

/** Somebody took the addresses while the cluster was down. */
async function refuseTakenSubnet(
  { cluster }: ClusterPaths,
  { subnet }: ClusterSettings,
): Promise<void> {
  const own = parsePrefix(subnet);
  if (own === undefined) return;
  const taken = (await subnetsInUse(cluster)).find((text) => {
    const other = parsePrefix(text);
    return other !== undefined && arePrefixesOverlapping(own, other);
  });
  if (taken === undefined) return;
  const text =
    `the nodes of ${cluster} have ${subnet}, and this machine has a route to ${taken} elsewhere ` +
    'now: free it, or take the cluster down and up again';
  throw new SkepError('failed-precondition', text, { details: { subnet, taken } });
}

/** Written anew also when nothing changed: whoever follows the file looks again. */
function writeSettings({ settingsFile }: ClusterPaths, settings: ClusterSettings): void {
  writeText(settingsFile, `${JSON.stringify(settings, undefined, 2)}\n`);
}

async function claimSubnetsInTurn(): ReturnType<typeof claimSubnets> {
  for (let tries = 100; ; tries -= 1) {
    try {
      return await claimSubnets();
    } catch (thrown) {
      if (tries <= 0) throw thrown;
      await new Promise((done) => setTimeout(done, 100));
    }
  }
}

/** Starts the supervisor unless it runs as it should; says what it did. */
async function ensureSupervisor(
  paths: ClusterPaths,
  { command }: ClusterSettings,
): Promise<string | undefined> {
  const words = [...command, 'supervisor', paths.settingsFile].join('\0');
  const running = processesIn(paths.folder).filter(({ role }) => role === 'supervisor');
  const [good] = running.filter((one) => one.command.join('\0') === words);
  const others = running.filter((one) => one !== good);
  await endProcesses(others, STOP_GRACE_MS);
  if (good !== undefined) return undefined;
  await launch({
    command,
    role: 'supervisor',
    file: paths.settingsFile,
    log: logFile(paths, 'supervisor'),
  });
  return others.length === 0 ? 'started the supervisor' : 'replaced the supervisor';
}

/** Two clusters of one name would have the same namespaces. */
function refuseNamesake({ cluster, folder }: ClusterPaths): void {
  const [other] = foldersOf(cluster, findProcesses()).filter((one) => one !== folder);
  if (other === undefined) return;
  const text =
    `a cluster ${cluster} runs on this machine already, kept in ${other}: choose another name ` +
    'for this one, or take that one down';
  throw new SkepError('already-exists', text, { details: { folder: other } });
}

function defaultCommand(): readonly string[] {
  const [program = process.execPath, script] = process.argv;
  if (script === undefined) return [program, 'internal'];
  return [process.execPath, ...process.execArgv, resolve(script), 'internal'];
}

function describeHosts({ hosts, nodes, subnet }: ClusterSettings): string {
  if (hosts === 'local') return 'this machine is the node';
  const count = nodes.length === 1 ? 'one node' : `${nodes.length} nodes`;
  return `${count} in ${subnet}`;
}
