import { describe, expect, it } from '@jest/globals';
import { aNode, aService, aTask } from '../__fixtures__/objects.js';
import { needsTasks, wantedPorts } from './wanted-ports.js';

const nodes = [
  aNode('b', '10.90.0.12'),
  aNode('a', '10.90.0.11'),
  aNode('c', '10.90.0.13', 'down'),
];

describe('ports that this machine answers', () => {
  it('of the mesh lead to every node that is ready', () => {
    const services = [aService('web', '8080/tcp', '80/tcp'), aService('dns', '8080/udp')];
    const ports = wantedPorts({ services, nodes, tasks: [] });
    expect(ports.map(({ port, protocol, service }) => [port, protocol, service])).toEqual([
      [80, 'tcp', 'web'],
      [8080, 'tcp', 'web'],
      [8080, 'udp', 'dns'],
    ]);
    expect(ports[0]?.targets).toEqual([
      { address: '10.90.0.11', port: 80 },
      { address: '10.90.0.12', port: 80 },
    ]);
  });

  it('lead to every node when none is ready: kernels go on', () => {
    const away = nodes.map((node) => ({
      ...node,
      status: { ...node.status, state: 'down' as const },
    }));
    const [port] = wantedPorts({ services: [aService('web', '80/tcp')], nodes: away, tasks: [] });
    expect(port?.targets.map(({ address }) => address)).toEqual([
      '10.90.0.11',
      '10.90.0.12',
      '10.90.0.13',
    ]);
  });

  it('of the host mode lead to nodes with a running task', () => {
    const services = [aService('web', '8080/tcp host')];
    const tasks = [
      aTask('web', 'a', 'running', '8080/tcp host'),
      aTask('web', 'b', 'starting', '8080/tcp host'),
      aTask('web', 'c', 'running', '8080/tcp host'),
      aTask('other', 'b', 'running', '9999/tcp host'),
    ];
    expect(wantedPorts({ services, nodes, tasks })).toEqual([
      {
        port: 8080,
        protocol: 'tcp',
        service: 'web',
        targets: [{ address: '10.90.0.11', port: 8080 }],
      },
    ]);
  });

  it('are none for sctp, and none that nobody decided yet', () => {
    const services = [aService('web', '80/sctp', '0/tcp')];
    expect(wantedPorts({ services, nodes, tasks: [] })).toEqual([]);
  });

  it('depend on tasks only in the host mode', () => {
    expect(needsTasks([aService('web', '8080/tcp')])).toBe(false);
    expect(needsTasks([aService('web', '8080/tcp'), aService('b', '1/udp host')])).toBe(true);
  });
});
