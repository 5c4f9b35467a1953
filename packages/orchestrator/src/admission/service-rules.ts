/**
 * Services.
 *
 * **Source:** SwarmKit manager/controlapi/service.go.
 */
import {
  Cluster,
  Network,
  clusterSettings,
  isDeleting,
  isJob,
  serviceMode,
  serviceNetworks,
  type Service,
  type ServiceMode,
} from '@skep/api';
import type { View } from '@skep/store';
import type { Objections } from './complaint.js';
import { judgeRuntime } from './container-rules.js';
import { requireCount } from './number-rules.js';
import { judgeEndpoint, judgePortClashes, type PortContext } from './port-rules.js';
import { judgePlacement, judgeResources } from './task-rules.js';
import { judgeRestartPolicy, judgeUpdateConfig } from './update-rules.js';

/** Everything that a service has to be. `view` shows the world as the transaction leaves it. */
export function judgeService(
  to: Objections,
  service: Service,
  context: PortContext & { readonly before: Service | undefined },
): void {
  const { spec } = service;
  if (context.before !== undefined) judgeIdentity(to, context.before, service);
  judgeMode(to, service);
  judgeRuntime(to, spec.task, context.view);
  judgeResources(to, spec.task.resources);
  judgeRestartPolicy(to, spec.task.restartPolicy);
  judgePlacement(to, spec.task.placement);
  judgeUpdateConfig(to, 'spec.update', spec.update);
  judgeUpdateConfig(to, 'spec.rollback', spec.rollback);
  judgeNetworks(to, service, context.view);
  if (spec.endpoint !== undefined) {
    // Asked only here: a store without the kind Cluster can keep services that say nothing of it.
    const [cluster] = context.view.list(Cluster);
    judgeEndpoint(to, spec.endpoint, clusterSettings(cluster?.spec).dataplane);
  }
  judgePortClashes(to, service, context);
}

/** A service keeps its name and the type of its mode. */
function judgeIdentity(to: Objections, before: Service, after: Service): void {
  to.require(before.meta.name === after.meta.name, 'meta.name', {
    code: 'unimplemented',
    message: `a service cannot be renamed, here from '${before.meta.name}'`,
    hint: 'create another service and remove this one',
  });
  const [old, next] = [serviceMode(before.spec).type, serviceMode(after.spec).type];
  to.require(old === next, 'spec.mode', {
    code: 'unimplemented',
    message: `the mode cannot change from ${old} to ${next}`,
    hint: 'remove the service and create it again',
  });
}

const MODES: readonly ServiceMode['type'][] = [
  'replicated',
  'global',
  'replicated-job',
  'global-job',
];

function judgeMode(to: Objections, { spec }: Service): void {
  const mode = serviceMode(spec);
  to.require(MODES.includes(mode.type), 'spec.mode.type', {
    message: `the mode '${String(mode.type)}' is not known`,
    hint: `write ${MODES.join(', ')}`,
  });
  if (mode.type === 'replicated') {
    const field = 'spec.mode.replicas';
    requireCount(to, { field, value: mode.replicas, noun: 'the number of replicas' });
  }
  if (mode.type === 'replicated-job') {
    const { maxConcurrent, totalCompletions } = mode;
    requireCount(to, {
      field: 'spec.mode.maxConcurrent',
      value: maxConcurrent,
      noun: 'the number at a time',
    });
    requireCount(to, {
      field: 'spec.mode.totalCompletions',
      value: totalCompletions,
      noun: 'the number of completions',
    });
  }
  to.require(!isJob(mode) || spec.update === undefined, 'spec.update', {
    message: 'a job is not updated slot by slot: a change starts it again',
    hint: 'leave the update settings out',
  });
}

function judgeNetworks(to: Objections, service: Service, view: View): void {
  const field = service.spec.task.networks === undefined ? 'spec.networks' : 'spec.task.networks';
  const seen = new Set<string>();
  for (const [index, { target, addresses }] of serviceNetworks(service.spec).entries()) {
    const where = `${field}[${index}]`;
    const network = view.get(Network, target) ?? view.getByName(Network, target);
    if (network === undefined || isDeleting(network)) {
      to.add(`${where}.target`, {
        code: 'not-found',
        message: `there is no network '${target}'${network === undefined ? '' : ' any more'}`,
        hint: 'create the network first, or name one that exists',
      });
      continue;
    }
    to.require(network.spec.isIngress !== true, `${where}.target`, {
      message: `'${target}' is the ingress network, which services do not name`,
      hint: 'publish a port; the task is then attached to it by itself',
    });
    to.require(!seen.has(network.meta.id), `${where}.target`, {
      message: `the network '${target}' is named twice`,
      hint: 'name each network once',
    });
    seen.add(network.meta.id);
    to.require((addresses ?? []).length === 0, `${where}.addresses`, {
      message: 'tasks of a service cannot have static addresses',
      hint: 'leave the addresses out and use the name of the service',
    });
  }
}
