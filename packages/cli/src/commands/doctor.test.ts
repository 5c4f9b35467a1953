import { describe, expect, it } from '@jest/globals';
import type { HostReport } from '@skep/adapter-hosts';
import { EXIT } from '../surroundings.js';
import { doctor } from './doctor.js';

const REPORT: HostReport = {
  machine: { hostname: 'box', kernel: '6.1', architecture: 'amd64', cpus: 2, memoryBytes: 2 ** 30 },
  uses: [
    {
      kind: 'runtime',
      name: 'processes',
      isUsable: true,
      needs: [{ name: 'unshare', isThere: true }],
    },
    {
      kind: 'dataplane',
      name: 'nftables',
      isUsable: false,
      needs: [
        { name: 'nft', isThere: false, reason: 'no', advice: 'apt-get install -y nftables' },
        { name: 'speed', isThere: false, reason: 'no', advice: 'modprobe speed', isOptional: true },
      ],
    },
  ],
  ports: [{ protocol: 'udp', port: 4789, purpose: 'VXLAN', isFree: false }],
  install: 'apt-get install -y nftables',
  isUsable: false,
};

async function outcome(report: HostReport, options = {}) {
  let out = '';
  const asked: unknown[] = [];
  const code = await doctor(options, { out: (text) => (out += text) }, (given) => {
    asked.push(given);
    return Promise.resolve(report);
  });
  return { out, code, asked };
}

describe('skep doctor', () => {
  it('says what is missing and how it is had', async () => {
    const { out, code } = await outcome(REPORT);
    expect(code).toBe(EXIT.unsettled);
    expect(out).toContain('box: Linux 6.1, amd64, 2 CPUs, 1024 MiB');
    expect(out).toContain('nft: apt-get install -y nftables');
    expect(out).toContain('speed (not needed): modprobe speed');
    expect(out).toContain('taken, but needed for VXLAN');
    expect(out).toContain('To have more:  apt-get install -y nftables');
    expect(out).toContain('This machine cannot be a node');
  });

  it('ends well where the machine can be a node', async () => {
    const { install: _, ...rest } = REPORT;
    const { out, code } = await outcome({ ...rest, isUsable: true });
    expect(code).toBe(EXIT.ok);
    expect(out).toContain('This machine can be a node.');
    expect(out).not.toContain('To have more');
  });

  it('prints the same for machines', async () => {
    const { out, asked } = await outcome(REPORT, { json: true, dockerSocket: '/x' });
    expect(JSON.parse(out)).toEqual(REPORT);
    expect(asked).toEqual([{ dockerSocket: '/x' }]);
  });
});
