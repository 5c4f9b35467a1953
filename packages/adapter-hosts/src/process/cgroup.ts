/**
 * Limits of a task by control groups, where the kernel has them.
 *
 * **Source:** Linux Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ResourceRequirements } from '@skep/api';

/** The controllers that tasks are limited by. */
export const CGROUP_CONTROLLERS = Object.freeze(['memory', 'cpu', 'pids'] as const);

/** A member of {@link CGROUP_CONTROLLERS}. */
export type CgroupController = (typeof CGROUP_CONTROLLERS)[number];

/** Where the kernel's control groups are, and which of the controllers they have. */
export interface CgroupLayout {
  readonly version: 1 | 2 | 'none';
  /** Folder of each controller that is there; with version 2 the same one for all. */
  readonly folders: ReadonlyMap<CgroupController, string>;
}

/** What has to be made and written to limit a task. */
export interface CgroupPlan {
  /** Group folders; a process joins by writing itself into `cgroup.procs` of each. */
  readonly folders: readonly string[];
  readonly writes: readonly {
    readonly path: string;
    readonly value: string;
    /** Not every kernel has the file: without it, the rest still holds. */
    readonly isOptional?: true;
  }[];
  /** Limits that cannot be kept here, in words. */
  readonly missing: readonly string[];
}

const CPU_PERIOD_US = 100_000;

/** Reads the layout from the text of /proc/mounts; `controllersOf` reads a group's controllers. */
export function parseCgroupLayout(
  mounts: string,
  controllersOf: (folder: string) => string,
): CgroupLayout {
  const folders = new Map<CgroupController, string>();
  const lines = mounts.split('\n').map((line) => line.split(' '));
  for (const [, folder = '', type, options = ''] of lines) {
    if (type !== 'cgroup') continue;
    for (const name of CGROUP_CONTROLLERS) {
      if (options.split(',').includes(name)) folders.set(name, folder);
    }
  }
  if (folders.size > 0) return { version: 1, folders };
  const unified = lines.find(([, , type]) => type === 'cgroup2')?.[1];
  if (unified === undefined) return { version: 'none', folders };
  const controllers = controllersOf(unified).trim().split(/\s+/);
  for (const name of CGROUP_CONTROLLERS) {
    if (controllers.includes(name)) folders.set(name, unified);
  }
  return { version: folders.size > 0 ? 2 : 'none', folders };
}

/** The layout of this machine. */
export function readCgroupLayout(): CgroupLayout {
  return parseCgroupLayout(readText('/proc/mounts'), (folder) =>
    readText(join(folder, 'cgroup.controllers')),
  );
}

/** What limits a task in the group `group`, a relative path. Pure. */
export function planCgroup(
  layout: CgroupLayout,
  group: string,
  resources: ResourceRequirements | undefined,
): CgroupPlan {
  const { limits = {} } = resources ?? {};
  const wanted: [CgroupController, number | undefined, string][] = [
    ['memory', limits.memoryBytes, 'limit of memory'],
    ['cpu', limits.cpuNanos, 'limit of CPU time'],
    ['pids', limits.pids, 'limit of processes'],
  ];
  const folders: string[] = [];
  const writes: CgroupPlan['writes'][number][] = [];
  const missing: string[] = [];
  for (const [controller, amount, words] of wanted) {
    if (amount === undefined || amount <= 0) continue;
    const mount = layout.folders.get(controller);
    if (mount === undefined) {
      missing.push(`${words}: this kernel offers no cgroup controller '${controller}'`);
      continue;
    }
    const folder = join(mount, group);
    if (!folders.includes(folder)) folders.push(folder);
    const isFirst = layout.version === 1;
    if (controller === 'memory') writes.push(...memoryWrites(folder, isFirst, resources ?? {}));
    else if (controller === 'cpu') writes.push(...cpuWrites(folder, isFirst, amount));
    else writes.push({ path: join(folder, 'pids.max'), value: String(amount) });
  }
  return { folders, writes, missing };
}

function memoryWrites(
  folder: string,
  isFirst: boolean,
  { limits, swapBytes, memorySwappiness }: ResourceRequirements,
): CgroupPlan['writes'] {
  const bytes = limits?.memoryBytes ?? 0;
  // As the engine does: without a word about swap, as much of it as of memory.
  const swap = swapBytes ?? bytes;
  const optional = (name: string, value: string): CgroupPlan['writes'][number] => ({
    path: join(folder, name),
    value,
    isOptional: true,
  });
  if (!isFirst) {
    return [
      { path: join(folder, 'memory.max'), value: String(bytes) },
      optional('memory.swap.max', swap < 0 ? 'max' : String(swap)),
    ];
  }
  return [
    { path: join(folder, 'memory.limit_in_bytes'), value: String(bytes) },
    optional('memory.memsw.limit_in_bytes', swap < 0 ? '-1' : String(bytes + swap)),
    ...(memorySwappiness === undefined
      ? []
      : [optional('memory.swappiness', String(memorySwappiness))]),
  ];
}

function cpuWrites(folder: string, isFirst: boolean, nanos: number): CgroupPlan['writes'] {
  const quota = Math.max(1_000, Math.round((nanos / 1e9) * CPU_PERIOD_US));
  if (!isFirst) return [{ path: join(folder, 'cpu.max'), value: `${quota} ${CPU_PERIOD_US}` }];
  return [
    { path: join(folder, 'cpu.cfs_period_us'), value: String(CPU_PERIOD_US) },
    { path: join(folder, 'cpu.cfs_quota_us'), value: String(quota) },
  ];
}

/**
 * Makes the groups of a plan; returns what could not be done, in words. A machine that refuses to
 * limit still runs the task.
 */
export function createCgroups(layout: CgroupLayout, plan: CgroupPlan): readonly string[] {
  const faults = [...plan.missing];
  for (const folder of plan.folders) {
    try {
      makeGroups(layout, folder);
      if (layout.version === 2) passControllersDown(layout, folder);
    } catch (thrown) {
      faults.push(`${folder} cannot be made: ${String(thrown)}`);
    }
  }
  for (const { path, value, isOptional } of plan.writes) {
    if (isOptional === true && !existsSync(path)) continue;
    try {
      writeFileSync(path, value);
    } catch (thrown) {
      if (isOptional !== true) faults.push(`${path} does not take ${value}: ${String(thrown)}`);
    }
  }
  return faults;
}

/** Step by step: `recursive` never returns where the kernel answers ENOENT, as some of its do. */
function makeGroups({ folders }: CgroupLayout, folder: string): void {
  const mounts = new Set(folders.values());
  const missing: string[] = [];
  for (let at = folder; !mounts.has(at) && !existsSync(at); at = dirname(at)) missing.unshift(at);
  for (const group of missing) {
    try {
      mkdirSync(group);
    } catch (thrown) {
      // Another task of this node made it meanwhile.
      if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
    }
  }
}

/** Version 2: a group has only the controllers that its parent hands down. */
function passControllersDown({ folders }: CgroupLayout, folder: string): void {
  const [mount = '/'] = folders.values();
  const parents: string[] = [];
  for (let at = dirname(folder); at.length >= mount.length; at = dirname(at)) parents.unshift(at);
  const names = [...folders.keys()].map((name) => `+${name}`).join(' ');
  for (const parent of parents) writeFileSync(join(parent, 'cgroup.subtree_control'), names);
}

/** Whether the kernel killed something in one of the groups because its memory was used up. */
export function wasOutOfMemory(folders: readonly string[]): boolean {
  return folders.some((folder) =>
    ['memory.oom_control', 'memory.events'].some((name) =>
      /^oom_kill [1-9]/m.test(readText(join(folder, name))),
    ),
  );
}

/** Removes groups, and their parents up to `levels` when nothing is left in them. */
export function removeCgroups(folders: readonly string[], levels: number): boolean {
  let isGone = true;
  for (const folder of folders) {
    if (!removeGroup(folder)) isGone = false;
    let parent = dirname(folder);
    for (let level = 0; level < levels && isGone; level++) {
      if (!removeGroup(parent)) break;
      parent = dirname(parent);
    }
  }
  return isGone;
}

function removeGroup(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
