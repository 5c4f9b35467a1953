/**
 * Lines of `ipvsadm --restore`, for services by firewall mark.
 *
 * **Source:** ipvsadm(8).
 */
import { ipv4Number } from '../table/ipv4.js';
import { notPossible, notUnderstood } from './command-base.js';
import type { BalancerConfig, NamespaceConfig } from './namespace-config.js';

const SCHEDULERS: readonly string[] = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'mh'];
/** What `-p` without a number means. */
const PERSISTENCE = 300;

interface Options {
  readonly mark: number;
  readonly scheduler: string;
  readonly persistence: number;
  readonly backend: { readonly address: string; readonly port: number } | undefined;
  readonly weight: number;
}

/** @throws invalid-argument for what is not understood. */
export function parseIpvsLine(line: string): (config: NamespaceConfig) => void {
  const words = line.split(/\s+/);
  const verb = words[0] ?? '';
  if (verb === '-C') return ({ balancers }) => balancers.clear();
  const options = parseOptions(words);
  if (options === undefined) throw notUnderstood('ipvsadm', line);
  if (verb === '-A' || verb === '-E' || verb === '-D') return serviceCommand(line, verb, options);
  const { backend, weight, mark } = options;
  if (backend === undefined || !['-a', '-e', '-d'].includes(verb)) {
    throw notUnderstood('ipvsadm', line);
  }
  return (config) => {
    const service = config.balancers.get(mark);
    if (service === undefined) throw notPossible(line, 'no such service');
    const present = service.destinations.find(({ address }) => address === backend.address);
    if (verb === '-a') {
      if (present !== undefined) throw notPossible(line, 'the destination exists');
      service.destinations = [{ ...backend, weight }, ...service.destinations];
    } else if (present === undefined) {
      throw notPossible(line, 'no such destination');
    } else if (verb === '-e') {
      present.weight = weight;
    } else {
      service.destinations = service.destinations.filter((other) => other !== present);
    }
  };
}

function serviceCommand(
  line: string,
  verb: '-A' | '-E' | '-D',
  { mark, scheduler, persistence }: Options,
): (config: NamespaceConfig) => void {
  return ({ balancers }) => {
    const service: BalancerConfig | undefined = balancers.get(mark);
    if (verb === '-A') {
      if (service !== undefined) throw notPossible(line, 'the service exists');
      balancers.set(mark, { scheduler, persistence, destinations: [] });
    } else if (service === undefined) {
      throw notPossible(line, 'no such service');
    } else if (verb === '-D') {
      balancers.delete(mark);
    } else {
      service.scheduler = scheduler;
      service.persistence = persistence;
    }
  };
}

function parseOptions(words: readonly string[]): Options | undefined {
  let mark: number | undefined;
  let scheduler = 'wlc';
  let persistence = 0;
  let backend: Options['backend'];
  let weight = 1;
  for (let i = 1; i < words.length; i += 1) {
    const value = words[i + 1] ?? '';
    switch (words[i] ?? '') {
      case '-m':
        continue;
      case '-f':
        mark = Number(value);
        break;
      case '-s':
        scheduler = value;
        break;
      case '-b':
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
        const [address = '', port = '0'] = value.split(':');
        if (ipv4Number(address) === undefined) return undefined;
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
  return { mark, scheduler, persistence, backend, weight };
}
