/**
 * Disks that are full or read-only: a file system in memory, mounted in a namespace that ends with
 * its processes.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { suiteThatNeeds } from '../../../scripts/test-needs.js';
import { Child, WRITER_COMMAND } from '../src/__fixtures__/child.js';
import { withFolder } from '../src/__fixtures__/folders.js';

const MOUNT = 'mount -t tmpfs -o size=12m skt "$0"';
const canMount = spawnSync('unshare', ['-m', 'sh', '-c', `${MOUNT}`, '/mnt']).status === 0;
const { suite, lack } = suiteThatNeeds(canMount ? [] : ['the right to mount in a namespace']);

/** Runs a shell script in which `writer MODE` works on the folder `store` of a disk of 12 MiB. */
async function onDisk(script: string): Promise<Child> {
  let child: Child | undefined;
  await withFolder(async (folder) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const setup = `${MOUNT} && cd "$0" && mkdir store`;
    const writer = `writer() { (cd ${process.cwd()} && "$@" "$mode" "$disk/store"); }`;
    const run = `run() { mode=$1; shift; ${writer}; writer "$@"; }`;
    const text = `${setup} && disk="$0" && ${run}; ${script}`;
    child = new Child(['unshare', '-m', 'sh', '-c', text, disk, ...WRITER_COMMAND]);
    await child.ended;
  });
  if (child === undefined) throw new Error('nothing ran');
  return child;
}

suite(`a disk${lack}`, () => {
  it('that is full refuses commits, whole, until there is room', async () => {
    const child = await onDisk('head -c 7000000 /dev/zero > filling; run fill "$@"; run open "$@"');
    const [opened, filled, , again] = child.lines;
    expect(opened).toEqual({ opened: 0 });
    const { codes, count, refusedAt, revision } = filled as Record<string, unknown>;
    const full = /^resource-exhausted .*the disk is full/;
    expect([
      (codes as string[]).length,
      (codes as string[]).every((code) => full.test(code)),
    ]).toEqual([3, true]);
    expect([Number(count) > 10, refusedAt, revision]).toEqual([true, count, Number(count) + 5]);
    expect(again).toEqual({ opened: revision });
  }, 60_000);

  it('that is full refuses to be opened, and leaves what is there', async () => {
    const child = await onDisk(
      'run open "$@"; head -c 13000000 /dev/zero > filling; run open "$@"; rm filling; run open "$@"',
    );
    expect(child.lines).toMatchObject([
      { opened: 0 },
      { closed: 0 },
      { code: 'resource-exhausted' },
      { opened: 0 },
      { closed: 0 },
    ]);
  }, 60_000);

  it('that is read-only is refused, with a store and without', async () => {
    const child = await onDisk(
      'mount -o remount,ro "$disk"; run open "$@"; mount -o remount,rw "$disk"; run open "$@"; ' +
        'mount -o remount,ro "$disk"; run open "$@"',
    );
    expect(child.lines).toMatchObject([
      { code: 'permission-denied' },
      { opened: 0 },
      { closed: 0 },
      { code: 'permission-denied' },
    ]);
    expect(child.lines[3]?.['message']).toMatch(/read-only/);
  }, 60_000);
});
