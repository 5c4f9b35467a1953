/**
 * The resolver of a simulated host: the pure name logic on what the node was assigned. There is no
 * DNS beyond the cluster, so what would be forwarded is not known.
 */
import { parseAddress, type Random, type TaskId } from '@skep/api';
import type { Resolver } from '@skep/adapter';
import {
  buildNameView,
  resolveName,
  updateNameView,
  type NameAnswer,
  type NameView,
  type NetworkChange,
  type NodeNetworkState,
} from '@skep/network';

/** What a name means to a task. */
export interface LookupResult {
  /** `NOERROR`, `NXDOMAIN`, `FORMERR`, or `forwarded` when it is not the cluster's to answer. */
  readonly outcome: 'NOERROR' | 'NXDOMAIN' | 'FORMERR' | 'forwarded';
  /** In the order of the answer, which varies from one question to the next. */
  readonly addresses: readonly string[];
  /** For pointers and services. */
  readonly names: readonly string[];
  readonly ttlSeconds: number;
}

const SEEDS = 2 ** 31;

/** Answers names for the tasks of one host. */
export class SimulatedResolver implements Resolver {
  readonly #random: Random;
  #view: NameView | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  apply(state: NodeNetworkState, change: NetworkChange | undefined): Promise<void> {
    this.#view =
      this.#view === undefined || change === undefined
        ? buildNameView(state)
        : updateNameView(this.#view, state, change);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Answers a question of a task. Default type: A. */
  lookup(taskId: TaskId, name: string, type = 'A'): LookupResult {
    const view = this.#view;
    if (view === undefined)
      return { outcome: 'forwarded', addresses: [], names: [], ttlSeconds: 0 };
    return resultOf(resolveName({ name, type }, { taskId }, view, this.#random.int(SEEDS)));
  }

  /** The first address of a name; an address is itself. */
  addressFor(taskId: TaskId, name: string): string | undefined {
    return parseAddress(name) === undefined ? this.lookup(taskId, name).addresses[0] : name;
  }
}

function resultOf(answer: NameAnswer): LookupResult {
  if (answer.type === 'forward') {
    return { outcome: 'forwarded', addresses: [], names: [], ttlSeconds: 0 };
  }
  const addresses = answer.records.flatMap((record) =>
    record.type === 'A' || record.type === 'AAAA' ? [record.address] : [],
  );
  const names = answer.records.flatMap((record) =>
    record.type === 'PTR' || record.type === 'SRV' ? [record.target] : [],
  );
  return { outcome: answer.rcode, addresses, names, ttlSeconds: answer.ttlSeconds };
}
