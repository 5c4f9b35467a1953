import { describe, expect, it } from '@jest/globals';
import type { HostReport, HostUse } from '@skep/adapter-hosts';
import { requireMachine } from './machine-check.js';

/** A machine that can do all but these. */
function machine(...lacking: readonly HostUse['name'][]): HostReport {
  const use = (kind: HostUse['kind'], name: HostUse['name']): HostUse => ({
    kind,
    name,
    isUsable: !lacking.includes(name),
    needs: [
      { name: 'rights', isThere: true },
      { name: 'extras', isThere: false, isOptional: true, advice: 'never mind' },
      { name: `${name}-tool`, isThere: !lacking.includes(name), advice: `install ${name}` },
    ],
  });
  return {
    machine: { hostname: 'm', kernel: '6', architecture: 'amd64', cpus: 2, memoryBytes: 1 },
    uses: [
      use('runtime', 'processes'),
      use('runtime', 'docker'),
      use('dataplane', 'nftables'),
      use('dataplane', 'ipvs'),
    ],
    ports: [],
    isUsable: true,
  };
}

const NEEDS = { hosts: 'namespaces', runtime: 'processes' } as const;

describe('what a machine runs a cluster with', () => {
  it('is nftables, or else ipvs, or what is asked for', () => {
    expect(requireMachine(machine('docker'), NEEDS)).toBe('nftables');
    expect(requireMachine(machine('nftables'), NEEDS)).toBe('ipvs');
    expect(requireMachine(machine(), { ...NEEDS, dataplane: 'ipvs' })).toBe('ipvs');
  });

  it.each([
    [machine('processes'), NEEDS, 'processes needs processes-tool: install processes'],
    [machine('docker'), { ...NEEDS, runtime: 'docker' as const }, 'docker needs docker-tool'],
    [machine('nftables', 'ipvs'), NEEDS, 'nftables needs nftables-tool: install nftables; ipvs'],
    [machine('nftables'), { ...NEEDS, dataplane: 'nftables' as const }, 'nftables needs'],
    [machine('nftables'), { ...NEEDS, hosts: 'local' as const }, 'nftables needs'],
  ])('%#: what is missing is named, with what gets it', (report, needs, message) => {
    expect(() => requireMachine(report, needs)).toThrow(message);
  });
});
