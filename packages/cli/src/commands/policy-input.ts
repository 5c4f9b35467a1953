/**
 * What the policy commands work on: a trace of one's own, one in OpenB's form, or declared files.
 */
import { isSkepError } from '@skep/api';
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
  const fileOf = (path: string) => ({ path, text: textOf(path, surroundings) });
  const nodes = parseOpenbNodes(fileOf(openbNodes));
  const pods = parseOpenbPods(fileOf(openbPods));
  const { seed } = options;
  if (openbOrders === undefined) {
    return openbTrace({ name: openbPods, nodes, pods }, shuffledOrder(nodes, pods, seed));
  }
  const orders = parseOrders(fileOf(openbOrders));
  const order = orders.find((one) => one.seed === seed);
  if (order === undefined) {
    const seeds = orders.map((one) => one.seed).join(', ');
    throw new CommandFault(`${openbOrders}: there is no seed ${seed} (there are ${seeds})`);
  }
  try {
    return openbTrace({ name: openbPods, nodes, pods }, order);
  } catch (thrown) {
    if (!isSkepError(thrown)) throw thrown;
    throw new CommandFault(`${openbOrders}: ${thrown.message}`);
  }
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
