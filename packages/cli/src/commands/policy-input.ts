/**
 * What the policy commands work on: a trace of one's own, one in OpenB's form, or declared files.
 */
import { isSkepError, messageOf } from '@skep/api';
import {
  openbTrace,
  parseOpenbNodes,
  parseOpenbPods,
  parseOrders,
  parseTraceCsv,
  parseTraceJson,
  shuffledOrder,
  type Trace,
} from '@skep/testing';
import { CommandFault, readSources, type Surroundings } from '../surroundings.js';

/** Options that say what trace. */
export interface TraceOptions {
  /** A file in one of our forms. */
  readonly trace?: string;
  readonly openbNodes?: string;
  readonly openbPods?: string;
  readonly openbOrders?: string;
  readonly seed: number;
}

/**
 * Reads the trace.
 * @throws CommandFault as FILE:LINE:COLUMN, or saying which option is missing.
 */
export function readTrace(options: TraceOptions, surroundings: Surroundings): Trace {
  const { trace, openbNodes, openbPods, openbOrders } = options;
  const isOpenb = [openbNodes, openbPods, openbOrders].some((path) => path !== undefined);
  if (trace !== undefined) {
    if (isOpenb) throw new CommandFault('--trace and --openb-…: give one or the other');
    return ownTrace(trace, textOf(trace, surroundings));
  }
  if (openbNodes === undefined || openbPods === undefined) {
    throw new CommandFault(
      'there is no trace: give --trace FILE, or --openb-nodes FILE and --openb-pods FILE',
    );
  }
  const nodes = placed(openbNodes, () => parseOpenbNodes(textOf(openbNodes, surroundings)));
  const pods = placed(openbPods, () => parseOpenbPods(textOf(openbPods, surroundings)));
  const { seed } = options;
  if (openbOrders === undefined) {
    return openbTrace({ name: openbPods, nodes, pods }, shuffledOrder(nodes, pods, seed));
  }
  return placed(openbOrders, () => {
    const orders = parseOrders(textOf(openbOrders, surroundings));
    const order = orders.find((one) => one.seed === seed);
    if (order !== undefined) return openbTrace({ name: openbPods, nodes, pods }, order);
    const seeds = orders.map((one) => one.seed).join(', ');
    throw new CommandFault(`${openbOrders}: there is no seed ${seed} (there are ${seeds})`);
  });
}

function ownTrace(path: string, text: string): Trace {
  const isJson = /\.json$/i.test(path) || (path === '-' && /^\s*\{/.test(text));
  const file = { path, text };
  return isJson ? parseTraceJson(file) : parseTraceCsv(file);
}

function textOf(path: string, surroundings: Surroundings): string {
  const [file] = readSources([path], surroundings);
  const text = file?.text ?? '';
  return typeof text === 'string' ? text : new TextDecoder().decode(text);
}

/** What is wrong in a list is said with its file. */
function placed<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (!isSkepError(thrown)) throw thrown;
    const [, line, what] = /^\w+, line (\d+): (.*)$/s.exec(thrown.message) ?? [];
    throw new CommandFault(
      line === undefined ? `${path}: ${messageOf(thrown)}` : `${path}:${line}:1: ${what ?? ''}`,
    );
  }
}
