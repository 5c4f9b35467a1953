/**
 * What a machine is and has, for nodes without a container engine.
 */
import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import { normalArchitecture, type NodeDescription } from '@skep/api';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** The description of this machine, where `override` says nothing else. */
export function describeMachine(override: Partial<NodeDescription> = {}): NodeDescription {
  const architecture = arch();
  return {
    hostname: hostname(),
    platform: {
      os: platform(),
      architecture: ARCHITECTURES[architecture] ?? normalArchitecture(architecture),
    },
    ...override,
    resources: { cpuNanos: cpus().length * 1e9, memoryBytes: totalmem(), ...override.resources },
    engine: {
      version: release(),
      labels: {},
      plugins: [
        ...['json-file', 'local', 'none'].map((name) => ({ type: 'Log', name })),
        ...['bridge', 'host', 'overlay'].map((name) => ({ type: 'Network', name })),
        { type: 'Volume', name: 'local' },
      ],
      ...override.engine,
    },
  };
}
