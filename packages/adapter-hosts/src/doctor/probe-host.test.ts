import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { installCommand, type HostNeed } from './host-need.js';
import { probeHost, type HostUse } from './probe-host.js';
import { limitNeeds, probeDocker, probeProcesses } from './runtime-needs.js';

const there = (name: string): HostNeed => ({ name, isThere: true });
const missing = (name: string, isOptional?: true): HostNeed => ({
  name,
  isThere: false,
  reason: 'none',
  advice: 'get it',
  ...(isOptional === undefined ? {} : { isOptional }),
});

function probes(needs: Partial<Record<HostUse['name'], readonly HostNeed[]>>) {
  const of = (name: HostUse['name']) => () => Promise.resolve(needs[name] ?? [missing(name)]);
  return {
    processes: of('processes'),
    docker: of('docker'),
    nftables: of('nftables'),
    ipvs: of('ipvs'),
  };
}

describe('probeHost', () => {
  it('wants one runtime and one dataplane', async () => {
    const both = { processes: [there('unshare')], nftables: [there('nft')] };
    const report = await probeHost({ probes: probes(both), ports: [] });
    expect(report.isUsable).toBe(true);
    expect(report.uses.map(({ name, isUsable }) => [name, isUsable])).toEqual([
      ['processes', true],
      ['docker', false],
      ['nftables', true],
      ['ipvs', false],
    ]);
    const one = await probeHost({ probes: probes({ nftables: [there('nft')] }), ports: [] });
    expect(one.isUsable).toBe(false);
  });

  it('takes a use for usable that lacks only what is optional', async () => {
    const processes = [there('unshare'), missing('limits of memory', true)];
    const { uses } = await probeHost({ probes: probes({ processes }), ports: [] });
    expect(uses[0]?.isUsable).toBe(true);
  });

  it('names one command that installs every missing program', async () => {
    const needs = {
      nftables: [missing('nft'), missing('ip'), missing('bridge'), missing('VXLAN tunnels')],
      docker: [missing('dockerd')],
      processes: [],
      ipvs: [],
    };
    const { install } = await probeHost({ probes: probes(needs), ports: [] });
    expect(install).toBe('apt-get install -y docker.io iproute2 nftables');
    expect(installCommand([there('nft'), missing('VXLAN tunnels')])).toBeUndefined();
  });

  it('says whether ports are free', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '0.0.0.0', () => resolve()));
    const { port } = socket.address();
    const asked = { protocol: 'udp' as const, port, purpose: 'test' };
    const state = async () => (await probeHost({ probes: probes({}), ports: [asked] })).ports[0];
    expect((await state())?.isFree).toBe(false);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
    expect((await state())?.isFree).toBe(true);
  });
});

describe('needs of the runtimes', () => {
  it('are limits that the kernel keeps', () => {
    const needs = limitNeeds({ version: 2, folders: new Map([['memory', '/c']]) });
    expect(needs.map(({ name, isThere }) => [name, isThere])).toEqual([
      ['limits of memory', true],
      ['limits of CPU time', false],
      ['limits of processes', false],
    ]);
    expect(needs[1]?.reason).toContain("'cpu'");
  });

  it('are found on this machine, or it is said what is missing', async () => {
    const needs = await probeProcesses();
    for (const { name, isThere, reason, advice } of needs) {
      expect([name, typeof reason, typeof advice]).toEqual(
        isThere ? [name, 'undefined', 'undefined'] : [name, 'string', 'string'],
      );
    }
    expect(needs.map(({ name }) => name)).toContain('the rights of root');
  });

  it('are an engine that answers', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skt-doctor-'));
    const socket = join(folder, 'socket');
    const silent = await probeDocker(socket);
    expect(silent.at(-1)).toMatchObject({ isThere: false, name: `Docker Engine at ${socket}` });
    const server = createServer((_, response) => response.end('{"Version":"20.10.24"}'));
    await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
    expect(await probeDocker(socket)).toEqual([
      { name: `Docker Engine at ${socket} (20.10.24)`, isThere: true },
    ]);
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });
});
