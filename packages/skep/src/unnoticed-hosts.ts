/**
 * Machines whose state the manager has not noticed yet.
 */
import { Node } from '@skep/api';
import type { SimulatedHost } from '@skep/adapter-simulator';
import type { View } from '@skep/store';

/**
 * One line for each machine that is there while its node does not count as ready, or gone while it
 * does. Only heartbeats find that out, so time has to pass. A machine whose node does not exist is
 * nobody's business.
 */
export function unnoticedHosts(view: View, hosts: readonly SimulatedHost[]): readonly string[] {
  return hosts.flatMap((host) => {
    const state = view.get(Node, host.id)?.status.state;
    const isThere = host.isConnected && host.agent !== undefined;
    if (state === undefined || isThere === (state === 'ready')) return [];
    return [
      `node ${host.name} counts as ${state}, and its machine is ${isThere ? 'there' : 'gone'}`,
    ];
  });
}
