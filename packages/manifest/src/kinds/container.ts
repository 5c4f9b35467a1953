/**
 * Schema of a container, field for field the type `ContainerSpec` of api.
 */
import type { ContainerSpec, Mount, Privileges } from '@skep/api';
import { z } from 'zod';
import { count, driver, filledText, labels, maybe, milliseconds, text, texts } from './common.js';

const flag = z.boolean();

const mount: z.ZodType<Mount> = z.strictObject({
  type: z.enum(['bind', 'volume', 'tmpfs', 'npipe', 'cluster', 'image']),
  source: maybe(text),
  // A mount without a target is accepted by Swarm's manager and fails on the node.
  target: text,
  isReadOnly: maybe(flag),
  consistency: maybe(text),
  bind: maybe(
    z.strictObject({
      propagation: maybe(text),
      isNonRecursive: maybe(flag),
      createsMountpoint: maybe(flag),
      isReadOnlyNonRecursive: maybe(flag),
      isReadOnlyForceRecursive: maybe(flag),
    }),
  ),
  volume: maybe(
    z.strictObject({
      hasNoCopy: maybe(flag),
      labels: maybe(labels),
      driver: maybe(driver),
      subpath: maybe(text),
    }),
  ),
  tmpfs: maybe(
    z.strictObject({
      sizeBytes: maybe(count),
      mode: maybe(count),
      options: maybe(z.array(texts)),
    }),
  ),
  image: maybe(z.strictObject({ subpath: maybe(text) })),
});

const file = z.strictObject({ name: filledText, uid: text, gid: text, mode: count });

const privileges: z.ZodType<Privileges> = z.strictObject({
  credentialSpec: maybe(
    z.strictObject({ config: maybe(text), file: maybe(text), registry: maybe(text) }),
  ),
  seLinuxContext: maybe(
    z.strictObject({
      isDisabled: flag,
      user: maybe(text),
      role: maybe(text),
      type: maybe(text),
      level: maybe(text),
    }),
  ),
  seccomp: maybe(z.strictObject({ mode: text, profile: maybe(text) })),
  appArmor: maybe(z.strictObject({ mode: text })),
  hasNoNewPrivileges: maybe(flag),
});

const healthCheck = z.strictObject({
  test: texts,
  intervalMs: maybe(milliseconds),
  timeoutMs: maybe(milliseconds),
  retries: maybe(count),
  startPeriodMs: maybe(milliseconds),
  startIntervalMs: maybe(milliseconds),
});

/** Schema of `ContainerSpec`. */
export const containerSchema: z.ZodType<ContainerSpec> = z.strictObject({
  image: text,
  labels: maybe(labels),
  command: maybe(texts),
  args: maybe(texts),
  hostname: maybe(text),
  env: maybe(texts),
  workingDir: maybe(text),
  user: maybe(text),
  groups: maybe(texts),
  privileges: maybe(privileges),
  hasTty: maybe(flag),
  opensStdin: maybe(flag),
  isReadOnly: maybe(flag),
  hasInit: maybe(flag),
  mounts: maybe(z.array(mount)),
  stopSignal: maybe(text),
  stopGracePeriodMs: maybe(milliseconds),
  healthCheck: maybe(healthCheck),
  hosts: maybe(texts),
  dns: maybe(
    z.strictObject({ nameservers: maybe(texts), search: maybe(texts), options: maybe(texts) }),
  ),
  secrets: maybe(z.array(z.strictObject({ secretId: text, secretName: filledText, file }))),
  configs: maybe(
    z.array(
      z.strictObject({
        configId: text,
        configName: filledText,
        file: maybe(file),
        isRuntime: maybe(flag),
      }),
    ),
  ),
  isolation: maybe(text),
  sysctls: maybe(labels),
  capabilityAdd: maybe(texts),
  capabilityDrop: maybe(texts),
  ulimits: maybe(z.array(z.strictObject({ name: filledText, soft: z.int(), hard: z.int() }))),
  oomScoreAdj: maybe(z.int()),
  pullOptions: maybe(z.strictObject({ registryAuth: maybe(text) })),
});
