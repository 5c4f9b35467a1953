import { describe, expect, it } from '@jest/globals';
import type { AssignedTask, ContainerSpec } from '@skep/api';
import { CONTEXT, taskOf } from '../__fixtures__/tasks.js';
import { planLaunch, type HostFacts, type LaunchPlan } from './launch-plan.js';

const HOST: HostFacts = {
  image: undefined,
  userFiles: {
    passwd: 'root:x:0:0:root:/root:/bin/sh\nweb:x:33:33:web:/var/www:/bin/sh\n',
    group: 'root:x:0:\nwww:x:33:\nssl:x:50:web\n',
  },
  networkNamespace: undefined,
  nameserver: '127.0.0.11',
  environment: { FROM_HOST: 'here' },
  volumeFolder: (name) => `/state/volumes/${name}`,
  anonymousFolder: (index) => `/state/tasks/t1/volumes/${index}`,
};

function plan(
  container: Partial<ContainerSpec>,
  host: Partial<HostFacts> = {},
  change: Partial<AssignedTask> = {},
): LaunchPlan {
  const task = taskOf('t1', { command: ['run'], ...container }, change);
  return planLaunch(task, CONTEXT, { ...HOST, ...host });
}

describe('planLaunch', () => {
  const image = { command: ['entry'], args: ['default'], env: ['A=image', 'B=image'], user: 'web' };

  it.each([
    [{}, ['entry', 'default']],
    [{ args: ['own'] }, ['entry', 'own']],
    [{ command: ['own'] }, ['own']],
    [{ command: ['own'], args: ['more'] }, ['own', 'more']],
  ])('runs entrypoint and arguments as a container does: %j', (container, words) => {
    const task = taskOf('t1', container);
    expect(planLaunch(task, CONTEXT, { ...HOST, image }).words).toEqual(words);
  });

  it('rejects a task that names nothing to run', () => {
    const planning = (): LaunchPlan => planLaunch(taskOf('t1', {}), CONTEXT, HOST);
    expect(planning).toThrow(/^No such image: web: /);
  });

  it('builds the environment from the image, the task and the host', () => {
    const env = ['A=own={{.Task.Slot}}', 'FROM_HOST', 'NOT_THERE', 'B'];
    expect(plan({ env, hostname: 'h' }, { image }).env).toEqual({
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOSTNAME: 'h',
      HOME: '/var/www',
      A: 'own=1',
      FROM_HOST: 'here',
    });
  });

  it.each([
    [undefined, { uid: 0, gid: 0, groups: [], home: '/root' }],
    ['web', { uid: 33, gid: 33, groups: [50], home: '/var/www' }],
    ['33', { uid: 33, gid: 33, groups: [50], home: '/var/www' }],
    ['web:ssl', { uid: 33, gid: 50, groups: [50], home: '/var/www' }],
    ['1234:99', { uid: 1234, gid: 99, groups: [], home: '/' }],
    ['1234', { uid: 1234, gid: 0, groups: [], home: '/' }],
  ])('resolves the user %p', (user, resolved) => {
    expect(plan(user === undefined ? {} : { user }).user).toEqual(resolved);
  });

  it.each(['ghost', 'web:ghost', ''])('knows the user %p or says so', (user) => {
    if (user === '') expect(plan({ user }).user.uid).toBe(0);
    else expect(() => plan({ user })).toThrow("'ghost' is not known on this host");
  });

  it('plans mounts with their sources', () => {
    const planned = plan({
      mounts: [
        { type: 'bind', source: '/srv/{{.Service.Name}}', target: '/a', isReadOnly: true },
        { type: 'volume', source: 'data', target: '/b' },
        { type: 'volume', target: '/c' },
        { type: 'tmpfs', target: '/d', tmpfs: { sizeBytes: 4096, mode: 0o700 } },
      ],
    });
    expect(planned.mounts.map(({ source, options }) => [source, ...options])).toEqual([
      ['/srv/web', 'rbind', 'ro'],
      ['/state/volumes/data', 'bind'],
      ['/state/tasks/t1/volumes/2', 'bind'],
      ['tmpfs', 'size=4096', 'mode=700'],
    ]);
    expect(planned.volumeFolders).toEqual(['/state/volumes/data', '/state/tasks/t1/volumes/2']);
  });

  it('gives a task in a network of its own a name server and its own name', () => {
    const networks = [{ networkId: 'n', addresses: ['10.0.1.3/24'], aliases: [] }];
    const { resolvText, hostsText, sysctls } = plan(
      { hostname: 'h', hosts: ['10.9.9.9 other'], dns: { search: ['example.org'] } },
      { networkNamespace: '/run/netns/x' },
      { networks },
    );
    expect(resolvText).toBe('search example.org\nnameserver 127.0.0.11\noptions ndots:0\n');
    expect(hostsText?.split('\n')).toEqual(
      expect.arrayContaining(['10.0.1.3 h', '10.9.9.9 other', '127.0.0.1 localhost']),
    );
    expect(sysctls).toEqual({ 'net.ipv4.ip_unprivileged_port_start': '0' });
  });

  it("leaves the host's names alone for a task in the host's network", () => {
    const { resolvText, hostsText, sysctls } = plan({});
    expect([resolvText, hostsText, sysctls]).toEqual([undefined, undefined, {}]);
  });

  it('takes the health check of the image unless the task has one, or none', () => {
    const healthy = { ...image, healthCheck: { test: ['CMD', 'check'], retries: 9 } };
    const checkOf = (test?: readonly string[]) =>
      plan(test === undefined ? {} : { healthCheck: { test } }, { image: healthy }).healthCheck;
    expect(checkOf()).toEqual({ test: ['CMD', 'check'], retries: 9 });
    expect(checkOf([])).toEqual({ test: ['CMD', 'check'], retries: 9 });
    expect(checkOf(['NONE'])).toBeUndefined();
    expect(checkOf(['CMD', 'own'])?.test).toEqual(['CMD', 'own']);
  });

  it.each([
    [{ privileges: { seccomp: { mode: 'default' } } }, /seccomp/],
    [{ hasTty: true }, /terminal/],
    [{ mounts: [{ type: 'npipe' as const, target: '/x' }] }, /npipe/],
    [{ sysctls: { 'vm.swappiness': '1' } }, /vm\.swappiness/],
    [{ sysctls: { 'net.core.somaxconn': '1' } }, /would change the whole host/],
    [{ stopSignal: 'SIGNOTHING' }, /SIGNOTHING/],
    [{ env: ['A={{.No.Field}}'] }, /No\.Field/],
    [{ mounts: [{ type: 'tmpfs' as const, target: 'x' }] }, /absolute/],
  ])('refuses what it cannot keep: %j', (container, message) => {
    expect(() => plan(container)).toThrow(message);
  });
});
