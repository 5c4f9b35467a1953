/**
 * Real stack files, and what the real Docker client makes of them. The material lies beside the
 * project; without it these tests are skipped.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { canonicalJson } from '@skep/api';
import {
  composeToDockerApi,
  fromDockerApi,
  loadCompose,
  loadManifests,
  toDockerApi,
  type Complaint,
  type ComplaintCode,
  type DockerRequest,
  type StackRequestOptions,
} from '../src/index.js';

const FOLDER = join(process.cwd(), '..', 'shared', 'compose');
const isThere = existsSync(join(FOLDER, 'expected', 'verdicts.json'));

interface Verdict {
  readonly file: string;
  readonly config: 'accepted' | 'refused';
  readonly deploy: 'accepted' | 'refused';
  readonly errors?: readonly string[];
  readonly deployErrors?: readonly string[];
  readonly deployWarnings?: string;
}

const verdicts: readonly Verdict[] = isThere
  ? (JSON.parse(readFileSync(join(FOLDER, 'expected', 'verdicts.json'), 'utf8')) as Verdict[])
  : [];

const OPTIONS: StackRequestOptions = {
  stack: 'st',
  workingDirectory: '$WORKDIR',
  homeDirectory: '$HOME',
  missingFiles: 'empty',
  secretId: (name) => `sec_${name}`,
  configId: (name) => `cfg_${name}`,
};

const fileOf = ({ file }: Verdict) => ({
  path: file,
  text: new Uint8Array(readFileSync(join(FOLDER, 'files', file))),
});

const expectedOf = ({ file }: Verdict): DockerRequest[] => {
  const name = `${file.replace(/\.ya?ml$/, '')}.json`;
  return JSON.parse(
    readFileSync(join(FOLDER, 'expected', 'deploy', name), 'utf8'),
  ) as DockerRequest[];
};

const errorsOf = (complaints: readonly Complaint[]): ComplaintCode[] =>
  complaints.filter(({ severity }) => severity === 'error').map(({ code }) => code);

/** The kind of fault that an error of the Docker client stands for. */
const KINDS: readonly (readonly [pattern: RegExp, code: ComplaintCode])[] = [
  [/forbidden properties/, 'forbidden-option'],
  [/Additional property/, 'unknown-field'],
  [/must be a/, 'invalid-type'],
  [/unsupported Compose file version/, 'unsupported-version'],
  [/required variable/, 'missing-variable'],
  [/invalid interpolation format/, 'invalid-interpolation'],
  [/failed to cast/, 'invalid-cast'],
  [/invalid spec: /, 'invalid-volume'],
  [/^yaml: /, 'yaml-syntax'],
  [/no image specified/, 'missing-image'],
  [/invalid reference format/, 'invalid-image'],
  [/undefined network/, 'undefined-network'],
  [/undefined volume/, 'undefined-volume'],
  [/replicas can only be used/, 'replicas-with-global'],
  [/no such file|is a directory/, 'missing-file'],
];

const kindOf = (text: string): ComplaintCode | undefined =>
  KINDS.find(([pattern]) => pattern.test(text))?.[1];

const corpus = isThere ? describe : describe.skip;

corpus('198 real compose files', () => {
  const loaded = verdicts.map((verdict) => ({
    verdict,
    docker: composeToDockerApi([fileOf(verdict)], { ...OPTIONS, dialect: 'docker' }),
    dockerLoad: loadCompose([fileOf(verdict)], { ...OPTIONS, dialect: 'docker' }),
    compose: composeToDockerApi([fileOf(verdict)], OPTIONS),
    composeLoad: loadCompose([fileOf(verdict)], OPTIONS),
  }));

  it('are all here', () => {
    expect(readdirSync(join(FOLDER, 'files'))).toHaveLength(198);
    expect(verdicts).toHaveLength(198);
  });

  it('load: 152 accepted and 46 refused in the dialect of docker, as recorded', () => {
    const wrong = loaded.filter(
      ({ verdict, dockerLoad }) =>
        (verdict.config === 'accepted') !== (dockerLoad.config !== undefined),
    );
    expect(wrong.map(({ verdict }) => verdict.file)).toEqual([]);
    expect(loaded.filter(({ dockerLoad }) => dockerLoad.config)).toHaveLength(152);
  });

  it('load: 169 accepted in our own dialect, the 152 among them', () => {
    const accepted = loaded.filter(({ composeLoad }) => composeLoad.config);
    expect(accepted).toHaveLength(169);
    expect(accepted.filter(({ verdict }) => verdict.config === 'accepted')).toHaveLength(152);
  });

  it('deploy: the 117 that are recorded as accepted are, and no other', () => {
    const accepted = loaded.filter(({ docker }) => errorsOf(docker.complaints).length === 0);
    const recorded = verdicts.filter(({ deploy }) => deploy === 'accepted');
    expect(accepted.map(({ verdict }) => verdict.file)).toEqual(recorded.map(({ file }) => file));
    expect(accepted).toHaveLength(117);
  });

  it('deploy: 117 of 117 equal what the client sends, field by field', () => {
    const deployed = loaded.filter(({ verdict }) => verdict.deploy === 'accepted');
    const different = deployed.filter(
      ({ verdict, docker }) =>
        canonicalJson(docker.requests) !== canonicalJson(expectedOf(verdict)),
    );
    expect(different.map(({ verdict }) => verdict.file)).toEqual([]);
    expect(deployed).toHaveLength(117);
  });

  it('deploy: the same 117 are equal in our own dialect', () => {
    const different = loaded
      .filter(({ verdict }) => verdict.deploy === 'accepted')
      .filter(
        ({ verdict, compose }) =>
          canonicalJson(compose.requests) !== canonicalJson(expectedOf(verdict)),
      );
    expect(different.map(({ verdict }) => verdict.file)).toEqual([]);
  });

  it('refusals are of the recorded kind: all of the 46, and of the 35 at deployment', () => {
    let refused = 0;
    for (const { verdict, docker } of loaded) {
      const recorded = verdict.errors ?? verdict.deployErrors ?? [];
      if (recorded.length === 0) continue;
      refused += 1;
      const kinds = recorded.map(kindOf);
      const codes = errorsOf(docker.complaints);
      const isMet = kinds.some((kind) => kind !== undefined && codes.includes(kind));
      expect({ file: verdict.file, kinds, codes, isMet }).toMatchObject({ isMet: true });
    }
    expect(refused).toBe(81);
  });

  it('refusals in our own dialect: the recorded kind, or a fault behind what only we accept', () => {
    let behind = 0;
    for (const { verdict, compose } of loaded) {
      const codes = errorsOf(compose.complaints);
      if (codes.length === 0) continue;
      const kinds = (verdict.errors ?? verdict.deployErrors ?? []).map(kindOf);
      const isMet = kinds.some((kind) => kind !== undefined && codes.includes(kind));
      const isBeyond = kinds.every((kind) => kind === 'unknown-field' || kind === 'invalid-type');
      expect({ file: verdict.file, kinds, codes, isFine: isMet || isBeyond }).toMatchObject({
        isFine: true,
      });
      if (!isMet) behind += 1;
    }
    expect(behind).toBe(6);
  });

  it('every complaint has a place in its file', () => {
    for (const { verdict, docker, compose } of loaded) {
      for (const complaint of [...docker.complaints, ...compose.complaints]) {
        expect(complaint.path).toBe(verdict.file);
        expect(complaint.line).toBeGreaterThan(0);
        expect(complaint.column).toBeGreaterThan(0);
      }
    }
  });

  it('23 files give the recorded warnings: the same options, named', () => {
    let warned = 0;
    for (const { verdict, docker } of loaded) {
      if (verdict.deploy !== 'accepted') continue;
      const names = (code: ComplaintCode): string[] => [
        ...new Set(
          docker.complaints
            .filter((complaint) => complaint.code === code)
            .map(({ field }) => field.split('.').at(-1) ?? ''),
        ),
      ];
      const text = verdict.deployWarnings ?? '';
      const unsupported = /unsupported options: (.*)/.exec(text)?.[1]?.split(', ') ?? [];
      const deprecated = [...text.matchAll(/^(\w+): /gm)].map((match) => match[1] ?? '');
      expect(names('unsupported-option').sort()).toEqual(unsupported.sort());
      expect(names('deprecated-option').sort()).toEqual(deprecated.sort());
      if (text !== '') warned += 1;
    }
    expect(warned).toBe(23);
  });

  it('535 of 541 recorded requests survive the way to our specs and back; 6 have a mount without a type', () => {
    const requests = verdicts
      .filter(({ deploy }) => deploy === 'accepted')
      .flatMap((verdict) => expectedOf(verdict));
    const lost = requests.filter(
      (request) =>
        canonicalJson(toDockerApi([fromDockerApi(request)])) !== canonicalJson([request]),
    );
    expect(requests).toHaveLength(541);
    expect(lost).toHaveLength(6);
    for (const request of lost) {
      const mounts =
        request.path === '/services/create'
          ? (request.body.TaskTemplate.ContainerSpec?.Mounts ?? [])
          : [];
      expect(mounts.some((mount) => mount.Type === undefined)).toBe(true);
    }
  });

  it('a manager takes 113 of the 117; three have secrets without their files', () => {
    const refused = verdicts
      .filter(({ deploy }) => deploy === 'accepted')
      .map((verdict) => ({ verdict, found: loadManifests([fileOf(verdict)], OPTIONS) }))
      .filter(({ found }) => errorsOf(found.complaints).length > 0);
    expect(refused.map(({ found }) => errorsOf(found.complaints)).sort()).toEqual([
      ['content-empty'],
      ['content-empty'],
      ['content-empty'],
      ['ingress-with-dnsrr'],
    ]);
  });
});
