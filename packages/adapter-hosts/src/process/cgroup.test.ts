import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  createCgroups,
  parseCgroupLayout,
  planCgroup,
  removeCgroups,
  wasOutOfMemory,
  type CgroupLayout,
} from './cgroup.js';

const LIMITS = { limits: { memoryBytes: 1_000_000, cpuNanos: 1.5e9, pids: 20 } };

describe('parseCgroupLayout', () => {
  it('prefers version 1 where its controllers are mounted, also beside version 2', () => {
    const mounts = [
      'tmpfs /sys/fs/cgroup tmpfs rw 0 0',
      'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0',
      'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
      'cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0',
    ].join('\n');
    const layout = parseCgroupLayout(mounts, () => '');
    expect(layout.version).toBe(1);
    expect([...layout.folders]).toEqual([
      ['cpu', '/sys/fs/cgroup/cpu,cpuacct'],
      ['memory', '/sys/fs/cgroup/memory'],
    ]);
  });

  it('reads the controllers of version 2', () => {
    const layout = parseCgroupLayout(
      'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0',
      () => 'cpu pids io\n',
    );
    expect(layout.version).toBe(2);
    expect([...layout.folders.keys()]).toEqual(['cpu', 'pids']);
  });

  it('finds none in a machine without controllers', () => {
    expect(parseCgroupLayout('cgroup2 /c cgroup2 rw 0 0', () => '').version).toBe('none');
    expect(parseCgroupLayout('', () => '').version).toBe('none');
  });
});

describe('planCgroup', () => {
  const one = (names: readonly ('memory' | 'cpu' | 'pids')[]): CgroupLayout => ({
    version: 1,
    folders: new Map(names.map((name) => [name, `/c/${name}`])),
  });

  it('writes the files of version 1', () => {
    const plan = planCgroup(one(['memory', 'cpu', 'pids']), 'skep/x/t1', LIMITS);
    expect(plan.folders).toEqual(['/c/memory/skep/x/t1', '/c/cpu/skep/x/t1', '/c/pids/skep/x/t1']);
    expect(plan.writes.map(({ path, value }) => [path.replace('/skep/x/t1', ''), value])).toEqual([
      ['/c/memory/memory.limit_in_bytes', '1000000'],
      ['/c/memory/memory.memsw.limit_in_bytes', '2000000'],
      ['/c/cpu/cpu.cfs_period_us', '100000'],
      ['/c/cpu/cpu.cfs_quota_us', '150000'],
      ['/c/pids/pids.max', '20'],
    ]);
    expect(plan.missing).toEqual([]);
  });

  it('writes the files of version 2, in one group', () => {
    const folders = new Map((['memory', 'cpu', 'pids'] as const).map((name) => [name, '/c']));
    const plan = planCgroup({ version: 2, folders }, 'g', { ...LIMITS, swapBytes: -1 });
    expect(plan.folders).toEqual(['/c/g']);
    expect(plan.writes.map(({ path, value }) => [path, value])).toEqual([
      ['/c/g/memory.max', '1000000'],
      ['/c/g/memory.swap.max', 'max'],
      ['/c/g/cpu.max', '150000 100000'],
      ['/c/g/pids.max', '20'],
    ]);
  });

  it('says which limits cannot be kept', () => {
    const { missing, folders } = planCgroup(one(['cpu']), 'g', LIMITS);
    expect(folders).toEqual(['/c/cpu/g']);
    expect(missing).toEqual([
      "limit of memory: this kernel offers no cgroup controller 'memory'",
      "limit of processes: this kernel offers no cgroup controller 'pids'",
    ]);
  });

  it('makes no group for a task without limits', () => {
    expect(planCgroup(one(['memory']), 'g', undefined)).toEqual({
      folders: [],
      writes: [],
      missing: [],
    });
  });
});

describe('groups on disk', () => {
  it('are made from the top down in version 2, each parent handing its controllers on', () => {
    const mount = mkdtempSync(join(tmpdir(), 'skt-cgroup-'));
    const layout: CgroupLayout = { version: 2, folders: new Map([['pids', mount]]) };
    const plan = planCgroup(layout, 'skep/x/t1', { limits: { pids: 5 } });
    expect(createCgroups(layout, plan)).toEqual([]);
    const handed = (group: string): string =>
      readFileSync(join(mount, group, 'cgroup.subtree_control'), 'utf8');
    expect(['', 'skep', 'skep/x'].map(handed)).toEqual(['+pids', '+pids', '+pids']);
    expect(readFileSync(join(mount, 'skep/x/t1/pids.max'), 'utf8')).toBe('5');
    rmSync(mount, { recursive: true });
  });

  it('are removed with the parents in which nothing else is', () => {
    const mount = mkdtempSync(join(tmpdir(), 'skt-cgroup-'));
    mkdirSync(join(mount, 'skep/x/t1'), { recursive: true });
    mkdirSync(join(mount, 'skep/y'));
    expect(removeCgroups([join(mount, 'skep/x/t1')], 2)).toBe(true);
    expect(() => readFileSync(join(mount, 'skep/x'))).toThrow('ENOENT');
    expect(() => readFileSync(join(mount, 'skep'))).toThrow('EISDIR');
    rmSync(mount, { recursive: true });
  });

  it('tell of killings for want of memory, in both versions', () => {
    const folder = mkdtempSync(join(tmpdir(), 'skt-cgroup-'));
    expect(wasOutOfMemory([folder])).toBe(false);
    writeFileSync(join(folder, 'memory.oom_control'), 'under_oom 0\noom_kill 0\n');
    expect(wasOutOfMemory([folder])).toBe(false);
    writeFileSync(join(folder, 'memory.events'), 'oom 1\noom_kill 2\n');
    expect(wasOutOfMemory([folder])).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it('that cannot be made are named', () => {
    const layout: CgroupLayout = { version: 1, folders: new Map([['pids', '/proc/nowhere']]) };
    const faults = createCgroups(layout, planCgroup(layout, 'g', { limits: { pids: 5 } }));
    expect(faults[0]).toContain('/proc/nowhere/g cannot be made');
  });
});
