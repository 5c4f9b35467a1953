/**
 * What runs in a task: image, mounts, health check, files.
 *
 * **Source:** SwarmKit manager/controlapi/service.go (validateContainerSpec,
 * validateSecretRefsSpec, checkSecretExistence and their likes for configs).
 */
import { Config, Secret, type ContainerSpec, type Kind, type TaskTemplate } from '@skep/api';
import type { View } from '@skep/store';
import type { Objections } from './complaint.js';
import { isImageReference } from './image-reference.js';
import { requireCount, requireNotNegative } from './number-rules.js';

const FIELD = 'spec.task.container';

/** Judges the runtime of the template and, for containers, the container. */
export function judgeRuntime(to: Objections, template: TaskTemplate, view: View): void {
  const { runtime = 'container', container, plugin } = template;
  if (runtime === 'attachment') {
    to.add('spec.task.runtime', {
      code: 'unimplemented',
      message: 'a service cannot be made of attachments',
      hint: 'use the runtime container',
    });
  } else if (runtime === 'plugin') {
    to.require(Boolean(plugin?.remote ?? plugin?.name), 'spec.task.plugin', {
      message: 'the plugin is not named',
      hint: 'set remote, such as vendor/plugin:tag',
    });
  } else if (container === undefined) {
    to.add(FIELD, { message: 'there is no container', hint: 'set container.image' });
  } else {
    judgeContainer(to, container);
    judgeFiles(to, container, view);
  }
}

function judgeContainer(to: Objections, container: ContainerSpec): void {
  const { image, stopGracePeriodMs } = container;
  to.require(isImageReference(image), `${FIELD}.image`, {
    message: image === '' ? 'there is no image' : `'${image}' is not the name of an image`,
    hint: 'write it as repository:tag, in lower case',
  });
  requireNotNegative(to, {
    field: `${FIELD}.stopGracePeriodMs`,
    value: stopGracePeriodMs,
    noun: 'the grace period',
  });
  judgeMounts(to, container);
  judgeHealthCheck(to, container);
}

function judgeMounts(to: Objections, { mounts = [] }: ContainerSpec): void {
  const targets = new Set<string>();
  for (const [index, { target, type, source }] of mounts.entries()) {
    const field = `${FIELD}.mounts[${index}]`;
    to.require(!targets.has(target), `${field}.target`, {
      message: `two mounts have the target ${target}`,
      hint: 'give each mount a target of its own',
    });
    if (target) targets.add(target);
    to.require(type !== 'tmpfs' || !source, `${field}.source`, {
      message: `a tmpfs has no source, here ${source ?? ''}`,
      hint: 'leave the source out',
    });
    to.require((type !== 'bind' && type !== 'cluster') || Boolean(source), `${field}.source`, {
      message: `a mount of type ${type} needs a source`,
      hint: type === 'bind' ? 'name a path of the host' : 'name a volume or group:NAME',
    });
  }
}

function judgeHealthCheck(to: Objections, { healthCheck }: ContainerSpec): void {
  if (healthCheck === undefined) return;
  const field = `${FIELD}.healthCheck`;
  const times = ['intervalMs', 'timeoutMs', 'startPeriodMs', 'startIntervalMs'] as const;
  for (const name of times) {
    const value = healthCheck[name];
    to.require(value === undefined || value === 0 || value >= 1, `${field}.${name}`, {
      message: `the time is ${value} ms`,
      hint: 'write 1 ms or more, or 0 for the default',
    });
  }
  requireCount(to, { field: `${field}.retries`, value: healthCheck.retries, noun: 'retries' });
}

/** Use of a secret or a config, as both are judged. */
interface FileUse {
  readonly id: string;
  readonly name: string;
  readonly target: string | undefined;
}

function judgeFiles(
  to: Objections,
  { secrets = [], configs = [] }: ContainerSpec,
  view: View,
): void {
  const secretUses = secrets.map(({ secretId, secretName, file }) => {
    return { id: secretId, name: secretName, target: file.name };
  });
  const configUses = configs.map(({ configId, configName, file }) => {
    return { id: configId, name: configName, target: file?.name };
  });
  judgeUses(to, { field: `${FIELD}.secrets`, kind: Secret, uses: secretUses, view });
  judgeUses(to, { field: `${FIELD}.configs`, kind: Config, uses: configUses, view });
}

function judgeUses<Spec, Status>(
  to: Objections,
  input: {
    readonly field: string;
    readonly kind: Kind<Spec, Status>;
    readonly uses: readonly FileUse[];
    readonly view: View;
  },
): void {
  const { kind, uses, view } = input;
  const noun = kind.name.toLowerCase();
  const targets = new Map<string, string>();
  for (const [index, { id, name, target }] of uses.entries()) {
    const field = `${input.field}[${index}]`;
    const used = id === '' ? view.getByName(kind, name) : view.get(kind, id);
    to.require(used !== undefined, field, {
      code: 'not-found',
      message: `there is no ${noun} '${name === '' ? id : name}'`,
      hint: `create the ${noun} first, or name one that exists`,
    });
    if (target === undefined) continue;
    const other = targets.get(target);
    to.require(other === undefined, `${field}.file.name`, {
      message: `${noun}s '${other ?? ''}' and '${name}' have the same target ${target}`,
      hint: 'give each a target of its own',
    });
    targets.set(target, name);
  }
}
