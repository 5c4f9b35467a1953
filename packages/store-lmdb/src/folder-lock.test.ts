/** One holder at a time, however many come at once, and none that is dead. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isSkepError } from '@skep/api';
import { withFolder } from './__fixtures__/folders.js';
import { lockFolder, type FolderLock } from './folder-lock.js';

const holders = (folder: string): readonly string[] =>
  readdirSync(folder).filter((name) => name.startsWith('holder'));

async function codeOf(promise: Promise<FolderLock>): Promise<string> {
  try {
    await (await promise).release();
    return 'none';
  } catch (thrown) {
    return isSkepError(thrown) ? thrown.code : String(thrown);
  }
}

describe('a folder', () => {
  it('is held once, and free again after that', () =>
    withFolder(async (folder) => {
      const first = await lockFolder(folder);
      await expect(lockFolder(folder)).rejects.toMatchObject({
        code: 'unavailable',
        details: { folder, processId: process.pid },
      });
      await Promise.all([first.release(), first.release()]);
      const second = await lockFolder(folder);
      expect(await codeOf(lockFolder(folder))).toBe('unavailable');
      await second.release();
    }));

  it('gets one holder when many come at once, again and again', () =>
    withFolder(async (folder) => {
      for (let round = 0; round < 20; round += 1) {
        const attempts = await Promise.allSettled(
          Array.from({ length: 12 }, () => lockFolder(folder)),
        );
        const held = attempts.flatMap((attempt) =>
          attempt.status === 'fulfilled' ? [attempt.value] : [],
        );
        const refused = attempts.flatMap((attempt) =>
          attempt.status === 'rejected' ? [(attempt.reason as { code: string }).code] : [],
        );
        expect([held.length, refused]).toEqual([
          1,
          Array.from({ length: 11 }, () => 'unavailable'),
        ]);
        for (const lock of held) await lock.release();
        expect(holders(folder)).toEqual([`holder-${round + 1}.sock`]);
      }
    }));

  it('is never held twice by those that come and go', () =>
    withFolder(async (folder) => {
      let holding = 0;
      let taken = 0;
      const comeAndGo = async (): Promise<void> => {
        for (let round = 0; round < 15; round += 1) {
          const lock = await lockFolder(folder).catch(() => undefined);
          if (lock === undefined) continue;
          holding += 1;
          taken += 1;
          expect(holding).toBe(1);
          await Promise.resolve();
          holding -= 1;
          await lock.release();
        }
      };
      await Promise.all(Array.from({ length: 6 }, comeAndGo));
      expect(taken > 1).toBe(true);
      expect(holders(folder).length).toBe(1);
    }));

  it('is taken over from sockets that nobody listens on, even files', () =>
    withFolder(async (folder) => {
      for (const name of ['holder-7.sock', `holder-${'0'.repeat(16)}.new`]) {
        writeFileSync(join(folder, name), '');
      }
      const lock = await lockFolder(folder);
      expect(holders(folder)).toEqual(['holder-8.sock']);
      await lock.release();
    }));

  it('that is not there cannot be held', () =>
    withFolder(async (folder) => {
      expect(await codeOf(lockFolder(join(folder, 'none')))).toBe('not-found');
      writeFileSync(join(folder, 'file'), '');
      expect(await codeOf(lockFolder(join(folder, 'file')))).toBe('invalid-argument');
    }));
});
