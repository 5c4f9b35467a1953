/**
 * What only one process at a time may be, for one cluster.
 */
import { claim, type Claim } from './process/claim.js';
import { shortNameOf, type ClusterPaths } from './place.js';

/** Claims to be the process with this key: `manager`, `agent-node1`. @throws unavailable */
export function claimProcess(paths: ClusterPaths, key: string): Promise<Claim> {
  const text = `the ${key} of the cluster ${paths.cluster} runs already`;
  return claim(`${shortNameOf(paths)}-${key}`, text);
}

/** Claims to be the one who changes what the cluster is. @throws unavailable */
export function claimChange(paths: ClusterPaths): Promise<Claim> {
  const text = `another up or down of the cluster ${paths.cluster} is under way`;
  return claim(`${shortNameOf(paths)}-change`, text);
}

/** Claims to be the one who chooses addresses for a cluster on this machine. @throws unavailable */
export function claimSubnets(): Promise<Claim> {
  return claim('subnets', 'addresses are being chosen for another cluster');
}
