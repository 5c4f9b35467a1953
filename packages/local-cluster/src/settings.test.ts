import { describe, expect, it } from '@jest/globals';
import {
  parseSettings,
  planSettings,
  type ClusterSettings,
  type SettingsFacts,
  type WantedSettings,
} from './settings.js';

const facts: SettingsFacts = {
  cluster: 'demo',
  command: ['node', 'skep.js', 'internal'],
  subnet: '10.90.2.0/24',
  dataplane: 'nftables',
  addressOf: (hosts, subnet, number) => (hosts === 'local' ? '192.0.2.1' : `${subnet}#${number}`),
};

function settled(wanted: WantedSettings = {}): ClusterSettings {
  return planSettings(undefined, wanted, facts).settings;
}

describe('settings of a cluster', () => {
  it('have defaults', () => {
    expect(planSettings(undefined, {}, facts)).toEqual({
      settings: {
        version: 1,
        cluster: 'demo',
        hosts: 'namespaces',
        runtime: 'processes',
        dataplane: 'nftables',
        subnet: '10.90.2.0/24',
        nodes: [{ name: 'node1', address: '10.90.2.0/24#1' }],
        images: {},
        isPublishedLocally: true,
        command: facts.command,
      },
      changes: [],
    });
  });

  it('of a machine that is the node itself', () => {
    const { subnet, nodes } = settled({ hosts: 'local' });
    expect([subnet, nodes]).toEqual(['', [{ name: 'node1', address: '192.0.2.1' }]]);
  });

  it('stay as they are when nothing is asked for, whatever the machine offers now', () => {
    const before = settled({
      nodes: 3,
      runtime: 'docker',
      dataplane: 'ipvs',
      publishLocally: false,
    });
    const now = planSettings(before, {}, { ...facts, subnet: '10.90.9.0/24' });
    expect(now).toEqual({ settings: before, changes: [] });
  });

  it('take more nodes, images beside those that were, and what else can change', () => {
    const before = settled({ images: { 'a:1': { command: ['a'] }, 'b:1': { command: ['b'] } } });
    const wanted: WantedSettings = {
      nodes: 2,
      images: { 'b:1': { command: ['b', '2'] }, 'c:1': { command: ['c'] } },
      publishLocally: false,
      nameServers: ['192.0.2.53'],
    };
    const { settings, changes } = planSettings(before, wanted, { ...facts, command: ['other'] });
    expect(settings.images).toEqual({
      'a:1': { command: ['a'] },
      'b:1': { command: ['b', '2'] },
      'c:1': { command: ['c'] },
    });
    expect(changes).toEqual([
      'added node2',
      'images: b:1, c:1',
      'published ports on this machine: off',
      'name servers: 192.0.2.53',
      'another installation of skep',
    ]);
  });

  it.each<[WantedSettings, string]>([
    [{ nodes: 0 }, 'a cluster has 1 to 240'],
    [{ nodes: 241 }, 'a cluster has 1 to 240'],
    [{ nodes: 1.5 }, 'a cluster has 1 to 240'],
    [{ nodes: 2, hosts: 'local' }, 'this machine is the one node'],
    [{ hosts: 'local', dataplane: 'ipvs' }, 'is for nodes that are namespaces'],
  ])('%j cannot be', (wanted, message) => {
    expect(() => settled(wanted)).toThrow(message);
  });

  it.each<[WantedSettings, string]>([
    [{ nodes: 1 }, 'up takes none away'],
    [{ hosts: 'local', nodes: 1 }, 'up takes none away'],
    [{ runtime: 'docker' }, 'runtime is processes in the cluster demo and cannot become docker'],
    [{ dataplane: 'ipvs' }, 'dataplane is nftables'],
    [{ dockerSocket: '/x' }, 'dockerSocket is the default'],
  ])('%j is refused for a cluster of two nodes', (wanted, message) => {
    expect(() => planSettings(settled({ nodes: 2 }), wanted, facts)).toThrow(message);
  });

  it('are read from their file; what is damaged or newer is named', () => {
    const settings = settled();
    expect(parseSettings(JSON.stringify(settings), 'f')).toEqual(settings);
    expect(() => parseSettings('{"version": 1, "clu', 'f')).toThrow('f is damaged');
    expect(() => parseSettings('{"version": 2}', 'f')).toThrow('another version of skep (2)');
  });
});
