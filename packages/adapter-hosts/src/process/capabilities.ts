/**
 * Capabilities of a task.
 *
 * **Source:** capabilities(7); the default set is the engine's (moby oci/caps/defaults.go), so that
 * a service may do as a process what it may do in a container.
 */
import { SkepError } from '@skep/api';

const DEFAULTS = [
  'audit_write',
  'chown',
  'dac_override',
  'fowner',
  'fsetid',
  'kill',
  'mknod',
  'net_bind_service',
  'net_raw',
  'setfcap',
  'setgid',
  'setpcap',
  'setuid',
  'sys_chroot',
];

/** The default set and `add` without `drop`, sorted; `ALL` stands for every one: `['all']`. */
export function capabilitySet(
  add: readonly string[] = [],
  drop: readonly string[] = [],
): readonly string[] {
  const names = (list: readonly string[]): readonly string[] =>
    list.map((name) => {
      const plain = name.toLowerCase().replace(/^cap_/, '');
      if (/^[a-z0-9_]+$/.test(plain)) return plain;
      throw new SkepError('invalid-argument', `'${name}' is no capability: say NET_ADMIN`);
    });
  const added = names(add);
  const dropped = names(drop);
  if (added.includes('all')) return ['all', ...dropped.map((name) => `-${name}`)].sort();
  const base = dropped.includes('all') ? [] : DEFAULTS;
  const kept = new Set([...base.filter((name) => !dropped.includes(name)), ...added]);
  return [...kept].sort();
}

/** The argument of `setpriv --bounding-set`: everything that is not in the set is lost. */
export function boundingSet(capabilities: readonly string[]): string {
  const [first, ...rest] = [...capabilities].sort(
    (a, b) => Number(b === 'all') - Number(a === 'all'),
  );
  if (first === 'all') return ['+all', ...rest].join(',');
  return ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
}
