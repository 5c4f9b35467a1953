/** Several processes on one folder, and processes that are killed at any moment. */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@skep/api';
import { startWriter } from '../src/__fixtures__/child.js';
import { makeFolder, withFolder } from '../src/__fixtures__/folders.js';
import { Part, contentOf, createPart, openFolder } from '../src/__fixtures__/parts.js';

const KILLS = 8;

describe('a second process', () => {
  it(
    'is refused and told who holds the folder; a kill frees it at once',
    () =>
      withFolder(async (folder) => {
        const first = startWriter('hold', folder);
        try {
          await first.said(1);
          expect(first.lines).toEqual([{ opened: 0 }]);
          const pid = String(first.process.pid);
          await expect(openFolder(folder)).rejects.toThrow(`is held by process ${pid}`);
          const second = startWriter('open', folder);
          await second.ended;
          expect(second.lines).toMatchObject([{ code: 'unavailable' }]);
          await first.kill();
          await (await openFolder(folder)).close();
        } finally {
          await first.kill();
        }
      }),
    60_000,
  );

  it(
    'may come after the first has closed',
    () =>
      withFolder(async (folder) => {
        const store = await openFolder(folder);
        await store.close();
        const second = startWriter('open', folder);
        await second.ended;
        expect([second.lines, second.process.exitCode]).toEqual([
          [{ opened: 0 }, { closed: 0 }],
          0,
        ]);
      }),
    60_000,
  );

  it(
    'that does not answer is named as busy, and still refused',
    () =>
      withFolder(async (folder) => {
        const first = startWriter('hold', folder);
        try {
          await first.said(1);
          first.process.kill('SIGSTOP');
          await expect(openFolder(folder)).rejects.toThrow(/too busy to say which/);
        } finally {
          first.process.kill('SIGCONT');
          await first.kill();
        }
      }),
    60_000,
  );
});

describe('a process that is killed', () => {
  it(`keeps what it acknowledged, whole, over ${KILLS} kills at any moment`, async () => {
    const folder = join(makeFolder(), 'store');
    const random = seededRandom('kills');
    const acknowledged = new Map<string, number>();
    let revision = 0;
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        const writer = startWriter('commit', folder);
        await writer.said(1 + random.int(400));
        await writer.kill();
        expect([writer.errors, writer.lines[0]]).toEqual(['', { opened: revision }]);
        for (const line of writer.lines.slice(1)) {
          acknowledged.set(String(line['id']), Number(line['revision']));
        }
        const store = await openFolder(folder, { log: { commitsMax: 50 } });
        revision = store.view().revision;
        const parts = new Map(
          store
            .view()
            .list(Part)
            .map((part) => [part.meta.id, part]),
        );
        // Each commit made two parts; nothing else was ever written.
        expect(parts.size).toBe(2 * revision);
        for (const [id, version] of acknowledged) {
          expect(parts.get(id)?.meta.version).toBe(version);
          expect(parts.get(`${id}-twin`)?.spec).toEqual(parts.get(id)?.spec);
        }
        for (const { spec } of parts.values()) expect(spec.text.length).toBe(spec.size);
        await store.close();
      }
      expect(acknowledged.size > KILLS).toBe(true);
    } finally {
      rmSync(dirname(folder), { recursive: true, force: true });
    }
  }, 120_000);

  it(
    'while it opens leaves what was there',
    () =>
      withFolder(async (folder) => {
        const first = await openFolder(folder);
        const changes = Array.from({ length: 4_000 }, (_, number) =>
          createPart(`p${number}`, { text: 'x'.repeat(1_000) }),
        );
        await first.batch({ actor: 'tester', changes });
        const content = contentOf(first);
        await first.close();
        for (let kill = 0; kill < 3; kill += 1) {
          const opening = startWriter('open', folder);
          const isCopying = (): boolean => existsSync(join(folder, 'store.new.mdb'));
          while (!isCopying() && opening.process.exitCode === null) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          await opening.kill();
          expect(opening.lines).toEqual([]);
          const store = await openFolder(folder);
          expect(contentOf(store)).toBe(content);
          await store.close();
        }
      }),
    60_000,
  );
});
