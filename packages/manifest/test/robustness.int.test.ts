/**
 * Whatever comes in, complaints come out: never an exception, never a hang.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { composeToDockerApi, isAcceptable, loadManifests } from '../src/index.js';

/** Enough to notice a mistake; a longer run is a matter of this number. */
const RUNS = 100;

const FOLDER = join(process.cwd(), '..', 'shared', 'compose', 'files');

const OWN = `version: "3.8"
x-common: &common
  image: nginx:\${TAG:-1}
  environment: {A: 1, B: "\${B}"}
services:
  web:
    <<: *common
    ports: ["8080:80", "53:53/udp", {target: 443, published: 443, mode: host}]
    volumes: ["data:/data:ro", "./site:/srv", {type: tmpfs, target: /t, tmpfs: {size: 1}}]
    secrets: [{source: s, target: t, mode: 0400}]
    configs: [c]
    networks: {front: {aliases: [w]}}
    healthcheck: {test: "curl x", interval: 10s}
    deploy:
      replicas: 2
      update_config: {parallelism: 1, delay: 5s}
      resources: {limits: {cpus: "0.5", memory: 64M}}
      placement: {constraints: [node.role == worker]}
networks: {front: {ipam: {config: [{subnet: 10.1.0.0/16}]}}}
volumes: {data: {driver_opts: {o: 1}}}
secrets: {s: {file: ./s}}
configs: {c: {external: true}}
---
apiVersion: skep/v1
kind: Service
metadata: {name: api, labels: {a: b}}
spec:
  mode: {type: replicated, replicas: 2}
  task: {container: {image: nginx}, networks: [{target: front}]}
`;

const corpus = existsSync(FOLDER)
  ? readdirSync(FOLDER).map((name) => readFileSync(join(FOLDER, name), 'utf8'))
  : [];
// Small files: many different ones say more than a few large ones.
const texts = [OWN, ...corpus.filter((text) => text.length < 3_000)];

const SNIPPETS = [
  '\t',
  ':',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '&a ',
  '*a ',
  '<<: *a\n',
  '${',
  '}',
  '$',
  '\n',
  '  ',
  '!!int ',
  '!!binary ',
  '? ',
  '|\n',
  '>-\n',
  '#',
  '%',
  '@',
  '0x',
  '-1',
  '1e999',
  'null',
  'true',
  '~',
  '2020-01-01',
  '\u0000',
  '\ufffd',
  '\u{1f600}',
  '---\n',
  '...\n',
  '__proto__: ',
  'constructor: ',
];

/** A text with some pieces cut out, doubled, moved or put in. */
const mutated = fc
  .tuple(
    fc.constantFrom(...texts),
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        length: fc.nat(30),
        insert: fc.constantFrom('', ...SNIPPETS),
        repeats: fc.boolean(),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((current, { at, length, insert, repeats }) => {
      const start = Math.floor(at * current.length);
      const piece = current.slice(start, start + length);
      return (
        current.slice(0, start) +
        insert +
        (repeats ? piece + piece : '') +
        current.slice(start + length)
      );
    }, text),
  );

describe('any input', () => {
  it('mutated stack files give objects or complaints, never an exception', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const file = { path: 'f.yml', text };
        const options = { stack: 'st', missingFiles: 'empty', workingDirectory: '/w' } as const;
        const manifests = loadManifests([file], options);
        const requests = composeToDockerApi([file], { ...options, dialect: 'docker' });
        for (const { objects, complaints } of [
          manifests,
          { objects: requests.requests, complaints: requests.complaints },
        ]) {
          if (!isAcceptable(complaints)) expect(objects).toEqual([]);
          for (const { line, column, message } of complaints) {
            expect(line).toBeGreaterThan(0);
            expect(column).toBeGreaterThan(0);
            expect(message).not.toBe('');
          }
        }
      }),
      { numRuns: RUNS, seed: 5 },
    );
  });

  it('any bytes give objects or complaints, never an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { complaints, objects } = loadManifests([{ path: 'f.yml', text: bytes }]);
        expect(complaints.length + objects.length).toBeGreaterThan(0);
      }),
      { numRuns: RUNS, seed: 6 },
    );
  });

  it('any value in the place of any other gives objects or complaints', () => {
    const value = fc.jsonValue({ maxDepth: 2 }).map((json) => JSON.stringify(json));
    const lines = OWN.split('\n');
    fc.assert(
      fc.property(fc.nat(lines.length - 1), value, (index, json) => {
        const changed = lines.map((line, at) =>
          at === index ? line.replace(/: .*$|$/, `: ${json}`) : line,
        );
        const file = { path: 'f.yml', text: changed.join('\n') };
        loadManifests([file], { missingFiles: 'empty' });
        composeToDockerApi([file], { missingFiles: 'empty', stack: 's' });
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });

  it('gives the same complaints for the same text', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const once = loadManifests([{ path: 'f.yml', text }]);
        const twice = loadManifests([{ path: 'f.yml', text }]);
        expect(JSON.stringify(once)).toBe(JSON.stringify(twice));
      }),
      { numRuns: 20, seed: 8 },
    );
  });
});

describe('large input', () => {
  it('a file of 10 MB is refused at once', () => {
    const started = performance.now();
    const { complaints } = loadManifests([{ path: 'f.yml', text: 'a: b\n'.repeat(2_000_000) }]);
    expect(complaints.map(({ code }) => code)).toEqual(['file-too-large']);
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('a file of a thousand services is read', () => {
    const services = Array.from(
      { length: 1_000 },
      (_, i) =>
        `  s${i}: {image: "nginx:${i}", ports: ["${10_000 + i}:80"], environment: [A=${i}]}`,
    );
    const text = `services:\n${services.join('\n')}\n`;
    expect(loadManifests([{ path: 'f.yml', text }]).objects).toHaveLength(1_001);
  });

  it('at most a thousand complaints are kept', () => {
    const services = Array.from({ length: 2_000 }, (_, i) => `  s${i}: {imge: x}`);
    const text = `services:\n${services.join('\n')}\n`;
    const { complaints } = loadManifests([{ path: 'f.yml', text }]);
    expect(complaints).toHaveLength(1_001);
    expect(complaints.at(-1)?.code).toBe('too-many-complaints');
  });
});
