/**
 * `skep status` and `skep down`: a cluster of this machine, whether its manager answers or not.
 */
import { canonicalJson, isSkepError, Network, Node, Service, Task } from '@skep/api';
import type { ControlClient } from '@skep/control';
import { textTable } from '@skep/network';
import type { Problem } from 'skep';
import type { View } from '@skep/store';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { objectTable } from '../views/get/tables.js';
import { renderProblems } from '../views/problems.js';
import { ageText, orDash } from '../views/words.js';
import { placeOptions, type ClusterChoice } from './connection.js';
import type { LocalClusters } from './local-clusters.js';
import { look } from './replica.js';
import { localClusters } from './up.js';

/** Options of `skep status`. */
export interface StatusOptions extends ClusterChoice {
  readonly json?: boolean;
}

type LocalStatus = Awaited<ReturnType<LocalClusters['status']>>;

/** What a manager that answers says. */
interface Answer {
  readonly view: View;
  readonly problems: readonly Problem[];
  readonly now: number;
}

const GAP = 3;

/** Shows processes, nodes, services and problems; exit code 1 unless all runs as declared. */
export async function status(
  options: StatusOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const local = await localClusters(surroundings);
  const place = placeOptions(options, surroundings);
  const found = await local.status(place);
  const answer = await answerOf(found, surroundings);
  const isGood = found.state === 'running' && answer?.problems.length === 0;
  if (options.json === true) {
    const { problems } = answer ?? {};
    surroundings.out(`${canonicalJson({ ...found, isGood, problems: problems ?? null }, 2)}\n`);
  } else {
    const others = (await local.listClusters(place.stateRoot)).filter(
      (name) => name !== found.cluster,
    );
    surroundings.out(statusText(found, answer, others));
  }
  return isGood ? EXIT.ok : EXIT.unsettled;
}

async function answerOf(
  { state, controlSocket }: LocalStatus,
  { connect }: Surroundings,
): Promise<Answer | undefined> {
  if (connect === undefined || state === 'absent' || state === 'stopped') return undefined;
  const client = connect(controlSocket);
  try {
    return await asked(client);
  } catch (thrown) {
    if (isSkepError(thrown, 'unavailable')) return undefined;
    throw thrown;
  } finally {
    await client.close();
  }
}

async function asked(client: ControlClient): Promise<Answer> {
  const view = await look(client, [Node, Service, Task, Network]);
  const [problems, { now }] = [await client.problems(), await client.info()];
  return { view, problems, now };
}

/** Everything in sections; the last line says how it is. */
export function statusText(
  found: LocalStatus,
  answer: Answer | undefined,
  others: readonly string[],
): string {
  const { cluster, state, hosts, runtime, dataplane, subnet, folder } = found;
  const kind = [hosts, runtime, dataplane, subnet].filter(
    (word) => word !== undefined && word !== '',
  );
  const sections = [
    [
      `cluster ${cluster}: ${state}${kind.length === 0 ? '' : ` (${kind.join(', ')})`}`,
      `folder ${folder}`,
      ...(others.length === 0 ? [] : [`other clusters here: ${others.join(', ')}`]),
    ],
    ...(found.processes.length === 0 ? [] : [processLines(found, answer?.now)]),
    ...(answer === undefined ? [] : answerLines(answer)),
    ...(found.ports.length === 0 ? [] : [portLines(found)]),
    ...(answer === undefined ? [] : [problemLines(answer)]),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function processLines({ processes }: LocalStatus, now: number | undefined): readonly string[] {
  const rows = processes.map(
    ({ role, node, pid, startedAt, isRunning, restarts, lastExit, log }) => [
      node === undefined ? role : `${role} ${node}`,
      isRunning ? 'running' : 'not running',
      orDash(pid?.toString()),
      now === undefined ? '-' : ageText(startedAt, now),
      String(restarts),
      orDash(lastExit),
      log,
    ],
  );
  const head = ['PROCESS', 'STATE', 'PID', 'AGE', 'RESTARTS', 'LAST EXIT', 'LOG'];
  return textTable([head, ...rows], { gap: GAP });
}

function answerLines({ view, now }: Answer): readonly (readonly string[])[] {
  const [nodes, services] = [view.list(Node), view.list(Service)];
  const tables = [
    ...(nodes.length === 0 ? [] : [objectTable(Node.name, nodes, { view, now })]),
    ...(services.length === 0 ? [] : [objectTable(Service.name, services, { view, now })]),
  ];
  return tables.map((text) => [text.trimEnd()]);
}

function portLines({ ports }: LocalStatus): readonly string[] {
  const rows = ports.map(({ port, protocol, address, service, isOpen, reason }) => [
    `${address}:${port}/${protocol}`,
    service,
    isOpen ? 'open' : 'not open',
    orDash(reason),
  ]);
  return textTable([['ON THIS MACHINE', 'SERVICE', 'STATE', 'REASON'], ...rows], { gap: GAP });
}

function problemLines({ problems }: Answer): readonly string[] {
  return problems.length === 0 ? ['as declared'] : ['not as declared', renderProblems(problems)];
}

/** Options of `skep down`. */
export interface DownOptions extends ClusterChoice {
  readonly keepState?: boolean;
  /** Grace of tasks, in seconds. */
  readonly timeout: number;
}

/** Ends the cluster and removes every trace of it; there being none is fine. */
export async function down(options: DownOptions, surroundings: Surroundings): Promise<ExitCode> {
  const local = await localClusters(surroundings);
  const { wasThere, removed } = await local.down({
    ...placeOptions(options, surroundings),
    keepState: options.keepState === true,
    timeoutMs: options.timeout * 1000,
    onStep: (text) => surroundings.err(`${text}\n`),
  });
  surroundings.out(removed.map((what) => `removed ${what}\n`).join(''));
  if (!wasThere) surroundings.out('there was nothing\n');
  return EXIT.ok;
}
