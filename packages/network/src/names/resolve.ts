/**
 * The resolver's logic: a question, who asks, what is known; out comes the answer.
 *
 * **Source:** moby daemon/libnetwork resolver and network (name search), as
 * reference/swarm-semantics 8.3 sums it up; the short time to live, negative answers of our own and
 * the right type of SRV answers (defect 25) are ours.
 */
import { hash32 } from '@skep/api';
import type { NameClient, NameRecord, NameView, NetworkNames } from './name-view.js';
import { reverseAddress } from './reverse-name.js';

/** A question. Types that are not listed are those that have no answer here. */
export interface NameQuery {
  /** Any case, with or without a dot at the end. */
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'PTR' | 'SRV' | 'MX' | (string & {});
}

/** One record of an answer. */
export type AnswerRecord = { readonly name: string; readonly ttlSeconds: number } & (
  | { readonly type: 'A' | 'AAAA'; readonly address: string }
  | { readonly type: 'PTR'; readonly target: string }
  | {
      readonly type: 'SRV';
      readonly target: string;
      readonly port: number;
      readonly priority: number;
      readonly weight: number;
    }
);

/** What the resolver does with a question. */
export type NameAnswer =
  | {
      readonly type: 'answer';
      readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'FORMERR';
      readonly records: readonly AnswerRecord[];
      /** How long the answer, or that there is none, may be kept. */
      readonly ttlSeconds: number;
      readonly isAuthoritative: boolean;
    }
  | {
      readonly type: 'forward';
      /**
       * From where upstream servers are asked: `host`, or, when all networks of the client are
       * internal, only from its own namespace.
       */
      readonly via: 'host' | 'task';
    };

/** Who asks: a task of the node, or anybody in these networks. */
export type NameAsker = { readonly taskId: string } | NameClient;

const NAME_LENGTH_MAX = 253;
const LABEL_LENGTH_MAX = 63;

/**
 * Answers a question. Several addresses come in an order that follows from `seed` and the name:
 * give another seed for every question to spread clients.
 *
 * Names are searched as a whole in each network of the client, then with the last labels taken for
 * the name of a network. What is known has an authoritative answer, empty if there is nothing of
 * the type asked. What is not known but can only be ours, because it ends in the name of a network
 * of the client or is `tasks.NAME`, does not exist. Everything else is for upstream servers.
 * Cost: O(labels · networks of the client · log names).
 */
export function resolveName(
  query: NameQuery,
  asker: NameAsker,
  view: NameView,
  seed = 0,
): NameAnswer {
  const client = 'taskId' in asker ? view.clients.get(asker.taskId) : asker;
  const lower = query.name.toLowerCase();
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  const type = query.type.toUpperCase();
  const labels = name.split('.');
  if (!isWellFormed(name, labels)) return answer(view, 'FORMERR', []);
  const networks = networksOf(view, client);
  if (type === 'PTR') return resolvePointer(name, networks, view, seed);
  if (type === 'SRV') {
    const service = resolveService(labels, networks, view, { seed, name });
    if (service !== undefined) return service;
  }
  const found = search(labels, networks);
  if (found === undefined) return unknown(labels, networks, view, client);
  if (type !== 'A' && type !== 'AAAA') return answer(view, 'NOERROR', []);
  const isIpv6 = type === 'AAAA';
  const ttlSeconds = ttlOf(view);
  const records: AnswerRecord[] = [];
  for (const address of shuffled(valuesOf(found.record), seed, name)) {
    if (address.includes(':') === isIpv6) records.push({ name, ttlSeconds, type, address });
  }
  return answer(view, 'NOERROR', records);
}

function isWellFormed(name: string, labels: readonly string[]): boolean {
  if (name === '') return true;
  if (name.length > NAME_LENGTH_MAX) return false;
  for (const { length } of labels) if (length === 0 || length > LABEL_LENGTH_MAX) return false;
  return true;
}

const NO_NETWORKS: readonly string[] = Object.freeze([]);

function networksOf(view: NameView, client: NameClient | undefined): readonly NetworkNames[] {
  const networks: NetworkNames[] = [];
  for (const id of client?.networks ?? NO_NETWORKS) {
    const network = view.networks.get(id);
    if (network !== undefined) networks.push(network);
  }
  return networks;
}

/** The first network that knows the name. */
function search(
  labels: readonly string[],
  networks: readonly NetworkNames[],
): { readonly network: NetworkNames; readonly record: NameRecord } | undefined {
  let name = labels.join('.');
  let suffix = '';
  for (let split = labels.length; split > 0; split -= 1) {
    for (const network of networks) {
      if (suffix !== '' && network.name !== suffix) continue;
      const record = network.records.get(name);
      if (record !== undefined) return { network, record };
    }
    const last = labels[split - 1] ?? '';
    name = name.slice(0, name.length - last.length - 1);
    suffix = suffix === '' ? last : `${last}.${suffix}`;
  }
  return undefined;
}

/** Values of all claims, each once. */
function valuesOf(record: NameRecord): readonly string[] {
  const [only] = record;
  if (only !== undefined && record.length === 1) return only.values;
  return [...new Set(record.flatMap(({ values }) => values))];
}

function unknown(
  labels: readonly string[],
  networks: readonly NetworkNames[],
  view: NameView,
  client: NameClient | undefined,
): NameAnswer {
  const isOurs =
    (labels.length === 2 && labels[0] === 'tasks' && networks.length > 0) ||
    labels.some((_, at) => {
      const suffix = at === 0 ? '' : labels.slice(at).join('.');
      return suffix !== '' && networks.some((network) => network.name === suffix);
    });
  if (isOurs) return answer(view, 'NXDOMAIN', []);
  if (labels.length === 1 && (client?.ndots ?? 0) > 0) return answer(view, 'NOERROR', []);
  return forward(networks);
}

/** From where a question of the asker is sent on, whatever it is. */
export function forwardingOf(asker: NameAsker, view: NameView): 'host' | 'task' {
  const client = 'taskId' in asker ? view.clients.get(asker.taskId) : asker;
  const answer = forward(networksOf(view, client));
  return answer.type === 'forward' ? answer.via : 'host';
}

function forward(networks: readonly NetworkNames[]): NameAnswer {
  const isConfined = networks.length > 0 && networks.every(({ isInternal }) => isInternal);
  return { type: 'forward', via: isConfined ? 'task' : 'host' };
}

function resolvePointer(
  name: string,
  networks: readonly NetworkNames[],
  view: NameView,
  seed: number,
): NameAnswer {
  const address = reverseAddress(name);
  if (address !== undefined) {
    for (const network of networks) {
      const record = network.reverse.get(address);
      if (record === undefined) continue;
      return answer(
        view,
        'NOERROR',
        shuffled(valuesOf(record), seed, name).map((task) => ({
          name,
          ttlSeconds: ttlOf(view),
          type: 'PTR',
          target: `${task}.${network.name}`,
        })),
      );
    }
  }
  return forward(networks);
}

/** `_http._tcp.web`, or `http.tcp.web`: the tasks of the service with the port of that name. */
function resolveService(
  labels: readonly string[],
  networks: readonly NetworkNames[],
  view: NameView,
  ask: { readonly seed: number; readonly name: string },
): NameAnswer | undefined {
  const [port = '', protocol = '', ...rest] = labels.map((label) => label.replace(/^_/, ''));
  if (!['tcp', 'udp', 'sctp'].includes(protocol) || rest.length === 0) return undefined;
  const found = search(['tasks', ...labels.slice(2)], networks);
  if (found === undefined) return undefined;
  const { network, record } = found;
  const records = record.flatMap(({ service, values }) => {
    const serviceId = service.slice(0, service.indexOf('/'));
    const match = view.ports
      .get(serviceId)
      ?.find((one) => one.name.toLowerCase() === port && one.protocol === protocol);
    if (match === undefined) return [];
    return values.flatMap((address) =>
      valuesOf(network.reverse.get(address) ?? []).map((task): AnswerRecord => ({
        name: ask.name,
        ttlSeconds: ttlOf(view),
        type: 'SRV',
        target: `${task}.${network.name}`,
        port: match.targetPort,
        priority: 0,
        weight: 0,
      })),
    );
  });
  // The service is ours: a port that it does not have does not exist.
  return answer(
    view,
    records.length === 0 ? 'NXDOMAIN' : 'NOERROR',
    shuffled(records, ask.seed, ask.name),
  );
}

const ttlOf = (view: NameView): number => Math.max(0, Math.floor(view.ttlMs / 1000));

function answer(
  view: NameView,
  rcode: 'NOERROR' | 'NXDOMAIN' | 'FORMERR',
  records: readonly AnswerRecord[],
): NameAnswer {
  return {
    type: 'answer',
    rcode,
    records,
    ttlSeconds: ttlOf(view),
    isAuthoritative: rcode !== 'FORMERR',
  };
}

/** Every order is as likely as any other over all seeds. **Source:** Fisher and Yates. */
function shuffled<T>(list: readonly T[], seed: number, name: string): readonly T[] {
  if (list.length < 2) return list;
  const result = [...list];
  let state = hash32(name, seed) | 1;
  for (let i = result.length - 1; i > 0; i -= 1) {
    // One step of xorshift32 (Marsaglia, 2003): never 0, cheap, good enough for an order.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    const a = result[i];
    const b = result[j];
    if (a === undefined || b === undefined) continue;
    result[i] = b;
    result[j] = a;
  }
  return result;
}
