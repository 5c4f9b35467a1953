/**
 * `skep simulate`: a stack on simulated nodes, told as a story or as JSON.
 */
import { canonicalJson, Service, Task } from '@skep/api';
import type { Cluster, Settlement } from 'skep';
import { Chronicler } from '../views/chronicler.js';
import { renderChronicle } from '../views/chronicle.js';
import { renderProblems } from '../views/problems.js';
import {
  clusterSummary,
  counted,
  globalsWithoutNodes,
  nodesTable,
  servicesTable,
} from '../views/summary.js';
import { EXIT, type ExitCode, type Surroundings } from '../surroundings.js';
import { withSimulatedCluster, type SimulationOptions } from './simulated-cluster.js';

/** Options of `skep simulate`. */
export interface SimulateOptions extends SimulationOptions {
  readonly trace?: boolean;
  readonly json?: boolean;
}

/** Runs the files; exit code 0 when the cluster settles as declared, 1 with reasons when not. */
export function simulate(options: SimulateOptions, surroundings: Surroundings): Promise<ExitCode> {
  return withSimulatedCluster(options, surroundings, async ({ cluster, declare }) => {
    const chronicler = new Chronicler(cluster);
    await declare();
    const settlement = await cluster.settle({ limitMs: options.limit * 1000 });
    chronicler.stop();
    return report(cluster, { settlement, chronicler, options, surroundings });
  });
}

function report(
  cluster: Cluster,
  context: {
    readonly settlement: Settlement;
    readonly chronicler: Chronicler;
    readonly options: SimulateOptions;
    readonly surroundings: Surroundings;
  },
): ExitCode {
  const { settlement, chronicler, options, surroundings } = context;
  const view = cluster.view();
  const problems = cluster.problems();
  const isGood = settlement.isSettled && problems.length === 0;
  if (options.json === true) {
    const result = { ...settlement, ...clusterSummary(view), problems };
    surroundings.out(`${canonicalJson(result, 2)}\n`);
    return isGood ? EXIT.ok : EXIT.unsettled;
  }
  const lines = [`${nodesTable(view)}\n`, `${servicesTable(view)}\n`];
  if (options.trace === true) {
    lines.unshift(`${renderChronicle(chronicler.lines, chronicler.start)}\n`);
  }
  const idle = globalsWithoutNodes(view);
  if (idle.length > 0) lines.push(`no node qualifies for: ${idle.join(', ')}\n`);
  const seconds = `${(settlement.elapsedMs / 1000).toFixed(1)} s of virtual time`;
  if (isGood) {
    const running = view.list(Task).filter(({ status }) => status.state === 'running').length;
    lines.push(
      `settled as declared after ${seconds}: ` +
        `${counted(view.count(Service), 'service')}, ${counted(running, 'running task')}`,
    );
  }
  if (!settlement.isSettled) {
    lines.push(`not settled after ${seconds}; it still waits for:`);
    lines.push(...settlement.waitingFor.map((line) => `  ${line}`));
  }
  if (problems.length > 0) {
    const after = settlement.isSettled ? `: nothing more will happen after ${seconds}` : '';
    lines.push(`not as declared${after}`, renderProblems(problems));
  }
  surroundings.out(`${lines.join('\n')}\n`);
  return isGood ? EXIT.ok : EXIT.unsettled;
}
