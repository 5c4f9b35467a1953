import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createNodeLocal, type NodeLocal } from '@skep/network';
import { readNodeLocal, writeNodeLocal } from './node-local-file.js';

describe('decisions of a node on disk', () => {
  let folder = '';
  const path = (): string => join(folder, 'below', 'node.json');
  const fresh = createNodeLocal({ underlayAddress: '10.90.0.11', namespacePrefix: 'c.a.' });
  const decided: NodeLocal = {
    ...fresh,
    ingressLeg: '172.18.0.2',
    legs: fresh.legs.with('t1', '172.18.0.3').with('t2', '172.18.0.4'),
    marks: fresh.marks.with('web/net', 256),
    nextMark: 257,
    lastLeg: '172.18.0.4',
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), `skt-${process.pid}-`));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are the same when they are read again, and leave no other file', async () => {
    await writeNodeLocal(path(), fresh);
    await writeNodeLocal(path(), decided);
    const read = await readNodeLocal(path(), fresh);
    expect(read?.legs.entries()).toEqual(decided.legs.entries());
    expect(read?.marks.get('web/net')).toBe(256);
    expect([read?.nextMark, read?.lastLeg, read?.ingressLeg]).toEqual([
      257,
      '172.18.0.4',
      '172.18.0.2',
    ]);
    expect(readdirSync(join(folder, 'below'))).toEqual(['node.json']);
  });

  it('are none when there is no file, or half of one', async () => {
    expect(await readNodeLocal(path(), fresh)).toBeUndefined();
    await writeNodeLocal(path(), decided);
    writeFileSync(path(), '{"version":1,"maps":{"legs":[["t1","17');
    expect(await readNodeLocal(path(), fresh)).toBeUndefined();
  });

  it('are none for another node', async () => {
    await writeNodeLocal(path(), decided);
    const other = { ...fresh, underlayAddress: '10.90.0.12' };
    expect(await readNodeLocal(path(), other)).toBeUndefined();
  });
});
