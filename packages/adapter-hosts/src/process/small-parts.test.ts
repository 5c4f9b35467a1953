import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { boundingSet, capabilitySet } from './capabilities.js';
import { planCut, type LogMark } from './log-file.js';
import { logLimit } from './log-options.js';
import { layersFor } from './mount-points.js';
import { isAlive, parseStat, sendSignal } from './proc.js';
import { commandLine, fstabWord, quote } from './shell.js';
import { taskFolder } from './task-folder.js';

describe('words of the shell', () => {
  it('mean what they say, whatever they hold', () => {
    const seed = Math.trunc(Math.random() * 2 ** 31);
    const word = fc.string({ unit: 'binary-ascii' }).filter((text) => !text.includes('\0'));
    const property = fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), (words) => {
      const line = `printf '%s\\0' ${commandLine(words)}`;
      const said = execFileSync('/bin/sh', ['-c', line]).toString('latin1');
      return said === words.map((text) => `${text}\0`).join('');
    });
    fc.assert(property, { seed, numRuns: 30 });
  });

  it('are left bare where that is safe', () => {
    expect(quote('/a/b-c_1.2')).toBe('/a/b-c_1.2');
    expect(quote("it's")).toBe(`'it'\\''s'`);
    expect(quote('')).toBe("''");
  });

  it('are escaped in a table of mounts', () => {
    expect(fstabWord('/a b\t#\\')).toBe('/a\\040b\\011\\043\\134');
  });
});

describe('processes', () => {
  const fields = Array.from({ length: 50 }, (_, index) => String(index + 4));
  it('are read from lines with any name', () => {
    expect(parseStat(`12 (a) b) S ${fields.join(' ')}`)).toEqual({ state: 'S', startTime: '22' });
    expect(parseStat('')).toBeUndefined();
  });

  it('are told apart by the time of their start', () => {
    expect(isAlive({ pid: process.pid, startTime: '1' })).toBe(false);
    expect(sendSignal({ pid: process.pid, startTime: '1' }, 9)).toBe(false);
    expect(isAlive({ pid: 2 ** 30, startTime: '1' })).toBe(false);
  });
});

describe('capabilities', () => {
  it('are those of a container, with what is added and without what is dropped', () => {
    expect(capabilitySet()).toHaveLength(14);
    expect(capabilitySet(['CAP_NET_ADMIN'], ['NET_RAW'])).toEqual(
      expect.arrayContaining(['net_admin']),
    );
    expect(capabilitySet(['CAP_NET_ADMIN'], ['net_raw'])).not.toContain('net_raw');
    expect(capabilitySet(['KILL'], ['ALL'])).toEqual(['kill']);
    expect(boundingSet(capabilitySet(['KILL'], ['ALL']))).toBe('-all,+kill');
    expect(boundingSet(capabilitySet(['ALL'], ['SYS_BOOT']))).toBe('+all,-sys_boot');
    expect(boundingSet(capabilitySet(['ALL']))).toBe('+all');
    expect(() => capabilitySet(['x y'])).toThrow("'x y' is no capability");
  });
});

describe('cutting logs', () => {
  const mark = (time: number, stdout: number, stderr = 0): LogMark => ({ time, stdout, stderr });

  it('leaves alone what is short enough', () => {
    expect(planCut([mark(0, 0), mark(1, 100)], 100)).toBeUndefined();
  });

  it('cuts at the mark after which at most half is left', () => {
    const marks = [mark(0, 0), mark(1, 40), mark(2, 70), mark(3, 90, 20)];
    expect(planCut(marks, 100)).toEqual([mark(2, 70), mark(3, 90, 20)]);
  });

  it('cuts within what was printed since the last mark but one', () => {
    expect(planCut([mark(0, 0), mark(1, 10), mark(2, 1_000)], 100)).toEqual([
      mark(2, 975),
      mark(2, 1_000),
    ]);
  });

  it('never cuts before what was cut already', () => {
    expect(planCut([mark(0, 980), mark(2, 1_000, 500)], 100)?.[0]).toEqual(mark(2, 980, 475));
  });

  it('thins out marks when there are too many', () => {
    const marks = Array.from({ length: 9_000 }, (_, index) => mark(index, index));
    const kept = planCut(marks, 1_000_000)!;
    expect(kept).toHaveLength(4_501);
    expect([kept[0], kept.at(-1)]).toEqual([marks[0], marks.at(-1)]);
  });

  it.each([
    [undefined, 7],
    [{ name: 'none' }, 0],
    [{ name: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } }, 30 * 2 ** 20],
    [{ name: '', options: { 'max-size': '512' } }, 512],
    [{ name: 'local', options: { 'max-size': '2KB' } }, 2_048],
  ])('keeps as much as %j says', (driver, bytes) => {
    expect(logLimit(driver, 7)).toBe(bytes);
  });

  it.each([
    [{ name: 'syslog' }, 'syslog'],
    [{ name: 'local', options: { 'max-size': 'much' } }, 'much'],
    [{ name: 'local', options: { 'max-size': '0' } }, 'max-size'],
  ])('refuses %j', (driver, text) => {
    expect(() => logLimit(driver, 7)).toThrow(text);
  });
});

describe('mount points', () => {
  it('that the host does not have get a layer over the deepest folder that is there', () => {
    expect(layersFor(['/etc/skt/deep/key', '/usr/bin/skt'], [])).toEqual(['/etc', '/usr/bin']);
  });

  it('need none in folders that are the own ones, that are there, or that are mounted', () => {
    const targets = [
      '/run/secrets/key',
      '/skt-top',
      '/skt/top',
      '/etc/passwd',
      '/proc/x',
      '/data/y',
    ];
    expect(layersFor(targets, ['/data'])).toEqual([]);
  });
});

describe('folders of tasks', () => {
  it.each(['..', '.', 'a/b', '', '../x'])('are never outside: %p', (id) => {
    expect(() => taskFolder('/state', id)).toThrow('cannot be the name of a folder');
  });
});
