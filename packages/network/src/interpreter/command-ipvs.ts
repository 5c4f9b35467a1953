/**
 * Lines of `ipvsadm --restore`, for services by firewall mark.
 *
 * **Source:** ipvsadm(8).
 */
import { parseIp } from '../ipam/ip-address.js';
import { isIpv6 } from '../table/ip.js';
import { notPossible, notUnderstood } from './command-base.js';
import { splitPort } from './filter-rule.js';
import { balancerKey, type BalancerConfig, type NamespaceConfig } from './namespace-config.js';
import { freshPosition, noteDestinations } from './scheduler.js';

const SCHEDULERS: readonly string[] = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh'];
const FLAGS: readonly string[] = ['sh-fallback', 'sh-port', 'mh-fallback', 'mh-port'];
/** What `-p` without a number means. */
const PERSISTENCE = 300;

interface Options {
  readonly mark: number;
  /** The service is for IPv6. */
  readonly isIpv6: boolean;
  readonly scheduler: string;
  readonly flags: readonly string[];
  readonly persistence: number;
  readonly backend: { readonly address: string; readonly port: number } | undefined;
  readonly weight: number;
}

type Execute = (config: NamespaceConfig) => void;

/** @throws invalid-argument for what is not understood. */
export function parseIpvsLine(line: string): Execute {
  const words = line.split(/\s+/);
  const verb = words[0] ?? '';
  if (verb === '-C') return ({ balancers }) => balancers.clear();
  const options = parseOptions(words);
  if (options === undefined) throw notUnderstood('ipvsadm', line);
  if (verb === '-A' || verb === '-E' || verb === '-D') return serviceCommand(line, verb, options);
  if (verb === '-a' || verb === '-e' || verb === '-d') return backendCommand(line, verb, options);
  throw notUnderstood('ipvsadm', line);
}

const keyOf = ({ mark, isIpv6: six }: Options): number => balancerKey(mark, six ? '::' : '');

function backendCommand(line: string, verb: '-a' | '-e' | '-d', options: Options): Execute {
  const { backend, weight } = options;
  if (backend === undefined) throw notUnderstood('ipvsadm', line);
  return (config) => {
    const service = config.balancers.get(keyOf(options));
    if (service === undefined) throw notPossible(line, 'no such service');
    if (isIpv6(backend.address) !== options.isIpv6) {
      throw notPossible(line, 'the destination is of another family than the service');
    }
    const before = service.destinations;
    const present = before.find(({ address }) => address === backend.address);
    if (verb === '-a') {
      if (present !== undefined) throw notPossible(line, 'the destination exists');
      service.destinations = [{ ...backend, weight, lastWeight: weight }, ...before];
    } else if (present === undefined) {
      throw notPossible(line, 'no such destination');
    } else if (verb === '-d') {
      service.destinations = before.filter((other) => other !== present);
      service.removed.add(present.address);
    } else {
      const changed = { ...present, weight, lastWeight: weight > 0 ? weight : present.lastWeight };
      service.destinations = before.map((other) => (other === present ? changed : other));
    }
    noteDestinations(service, before);
  };
}

function serviceCommand(line: string, verb: '-A' | '-E' | '-D', options: Options): Execute {
  const { scheduler, flags, persistence } = options;
  const key = keyOf(options);
  return ({ balancers }) => {
    const service: BalancerConfig | undefined = balancers.get(key);
    if (verb === '-A') {
      if (service !== undefined) throw notPossible(line, 'the service exists');
      const position = freshPosition([]);
      const removed = new Set(['*']);
      balancers.set(key, { scheduler, flags, persistence, destinations: [], position, removed });
    } else if (service === undefined) {
      throw notPossible(line, 'no such service');
    } else if (verb === '-D') {
      balancers.delete(key);
    } else {
      // Only another scheduler starts afresh.
      if (service.scheduler !== scheduler) service.position = freshPosition(service.destinations);
      service.scheduler = scheduler;
      service.flags = flags;
      service.persistence = persistence;
    }
  };
}

function parseOptions(words: readonly string[]): Options | undefined {
  let mark: number | undefined;
  let scheduler = 'wlc';
  let flags: readonly string[] = [];
  let isSix = false;
  let persistence = 0;
  let backend: Options['backend'];
  let weight = 1;
  for (let i = 1; i < words.length; i += 1) {
    const value = words[i + 1] ?? '';
    switch (words[i] ?? '') {
      case '-m':
        continue;
      case '-6':
        isSix = true;
        continue;
      case '-f':
        mark = Number(value);
        break;
      case '-s':
        scheduler = value;
        break;
      case '-b':
        flags = value.split(',');
        break;
      case '-p':
        if (!/^\d+$/.test(value)) {
          persistence = PERSISTENCE;
          continue;
        }
        persistence = Number(value);
        break;
      case '-w':
        weight = Number(value);
        break;
      case '-r': {
        const { address, port = '0' } = splitPort(value);
        if (parseIp(address) === undefined) return undefined;
        backend = { address, port: Number(port) };
        break;
      }
      default:
        return undefined;
    }
    i += 1;
  }
  if (mark === undefined || !Number.isInteger(mark) || mark <= 0) return undefined;
  if (!SCHEDULERS.includes(scheduler) || !Number.isInteger(weight)) return undefined;
  if (!flags.every((flag) => FLAGS.includes(flag))) return undefined;
  return { mark, isIpv6: isSix, scheduler, flags, persistence, backend, weight };
}
