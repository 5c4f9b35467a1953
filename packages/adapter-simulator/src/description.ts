/**
 * What a simulated host says about itself.
 */
import type { EnginePlugin, NodeDescription } from '@skep/api';

const GIBIBYTE = 2 ** 30;

/** Plugins of a Docker Engine, as a real one lists them. */
export const ENGINE_PLUGINS: readonly EnginePlugin[] = Object.freeze([
  ...[
    'awslogs',
    'fluentd',
    'gcplogs',
    'gelf',
    'journald',
    'json-file',
    'local',
    'splunk',
    'syslog',
  ].map((name) => ({ type: 'Log', name })),
  ...['bridge', 'host', 'ipvlan', 'macvlan', 'null', 'overlay'].map((name) => ({
    type: 'Network',
    name,
  })),
  { type: 'Volume', name: 'local' },
]);

/**
 * The description of a host: 4 CPUs, 8 GiB, linux/amd64 and the engine's own plugins, where
 * `override` says nothing else. Resources and engine are overridden field by field.
 */
export function describeHost(
  hostname: string,
  override: Partial<NodeDescription> = {},
): NodeDescription {
  return {
    hostname,
    platform: { os: 'linux', architecture: 'amd64' },
    ...override,
    resources: { cpuNanos: 4e9, memoryBytes: 8 * GIBIBYTE, ...override.resources },
    engine: { version: '28.2.2', labels: {}, plugins: ENGINE_PLUGINS, ...override.engine },
  };
}
