/**
 * A policy for a cluster whose GPUs serve two kinds of work: models that answer requests share
 * GPUs, and training runs take whole ones. Sharing keeps to GPUs that are shared already, and to
 * nodes that have few whole ones left, so that whole GPUs stay whole.
 *
 * The score says which node, the reserve says which GPUs there.
 */
import type { DeviceRequest } from '@skep/api';
import { chooseDevices, composePolicy, swarmPolicy } from '@skep/scheduler';
import type { NodeInfo, Policy, Requirements, Reserve, Score } from '@skep/scheduler';

/** A task that asks for a part of a GPU; undefined for all others. */
function sharedRequest({ devices }: Requirements): DeviceRequest | undefined {
  return devices.find(({ kind, milli }) => kind === 'gpu' && milli !== undefined && milli < 1000);
}

/** The GPU in use that is tightest for the request; -1 when only whole ones, or none, would do. */
function sharedGpu(node: NodeInfo, { milli = 1000, models = [] }: DeviceRequest): number {
  const gpus = node.devices.of('gpu');
  let best = -1;
  for (const [index, free] of (gpus?.freeMilli ?? []).entries()) {
    const isShared = free < (gpus?.capacityMilli[index] ?? 0);
    const isRight = models.length === 0 || models.includes(gpus?.models[index] ?? '');
    if (!isShared || !isRight || free < milli) continue;
    if (best < 0 || free < (gpus?.freeMilli[best] ?? 0)) best = index;
  }
  return best;
}

const keepWhole: Score = {
  name: 'keep-whole',
  label: 'leaves more GPUs whole',
  prepare: ({ group }) => {
    const request = sharedRequest(group.requirements);
    if (request === undefined) return undefined;
    return {
      // The answer follows from the request and the node: the engine may share and keep it.
      key: JSON.stringify(request),
      score: (node) => {
        const index = sharedGpu(node, request);
        const gpus = node.devices.of('gpu');
        if (index < 0) return -(gpus?.wholeFree ?? 0);
        return 2000 - (gpus?.freeMilli[index] ?? 0);
      },
    };
  },
};

const tightest: Reserve = {
  name: 'tightest',
  prepare: ({ group }) => {
    const request = sharedRequest(group.requirements);
    if (request === undefined || request.count > 1) return undefined;
    return {
      choose: (node) => {
        const index = sharedGpu(node, request);
        const { devices } = group.requirements;
        if (index < 0) return { devices: chooseDevices(node.devices, devices) };
        const others = devices.filter((one) => one !== request);
        const share = { kind: 'gpu', index, milli: request.milli ?? 1000 };
        return { devices: [share, ...chooseDevices(node.devices, others)] };
      },
    };
  },
};

/** Swarm's filters; then whole GPUs, then Swarm's own preferences. */
export const gpuPolicy: Policy = composePolicy({
  name: 'keep-whole',
  base: swarmPolicy(),
  rank: [],
  scores: [keepWhole],
  reserves: [tightest],
});
