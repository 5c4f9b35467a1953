/**
 * `skep convert` over real stack files gives what `docker stack deploy` sends.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { isEqual } from '@skep/api';
import { EXIT } from '../src/surroundings.js';
import { CORPUS, describeCorpus, skepInCorpus, VERDICTS, type Verdict } from './corpus.js';
import type { Outcome } from './shell.js';

const OPTIONS =
  '--stack st --to docker-api --missing-files empty --workdir $WORKDIR --home $HOME --no-env';

const PLACED = /^\S+\.ya?ml:\d+:\d+: (?:error|warning): .+ \[[a-z0-9-]+\]$/;

interface Converted {
  readonly verdict: Verdict;
  readonly outcome: Outcome;
}

function expectedOf({ file }: Verdict): unknown {
  const name = `${file.replace(/\.ya?ml$/, '')}.json`;
  return JSON.parse(readFileSync(join(CORPUS, 'expected', 'deploy', name), 'utf8'));
}

describeCorpus('skep convert on 198 real stack files', () => {
  let all: readonly Converted[] = [];
  const ending = (code: number): readonly Converted[] =>
    all.filter(({ outcome }) => outcome.code === code);
  const errorsOf = ({ outcome }: Converted): readonly string[] =>
    outcome.err.split('\n').filter((line) => line.includes(': error: '));

  beforeAll(async () => {
    const converted: Converted[] = [];
    for (const verdict of VERDICTS) {
      const outcome = await skepInCorpus(['convert', '-f', verdict.file, ...OPTIONS.split(' ')]);
      converted.push({ verdict, outcome });
    }
    all = converted;
  });

  it('has all 198 of them', () => {
    expect(readdirSync(join(CORPUS, 'files'))).toHaveLength(198);
    expect(all).toHaveLength(198);
  });

  it('ends with 0 for the 117 that deploy and with 2 for the other 81', () => {
    const wrong = all.filter(
      ({ verdict, outcome }) =>
        outcome.code !== (verdict.deploy === 'accepted' ? EXIT.ok : EXIT.badInput),
    );
    expect(wrong).toEqual([]);
    expect([ending(EXIT.ok).length, ending(EXIT.badInput).length]).toEqual([117, 81]);
  });

  it('prints what the client sends: 117 of 117 equal', () => {
    const different = ending(EXIT.ok).filter(
      ({ verdict, outcome }) => !isEqual(JSON.parse(outcome.out), expectedOf(verdict)),
    );
    expect(different.map(({ verdict }) => verdict.file)).toEqual([]);
  });

  it('says all 81 refusals on standard error, with places, and prints nothing else', () => {
    for (const { verdict, outcome } of ending(EXIT.badInput)) {
      const errors = errorsOf({ verdict, outcome });
      expect({ file: verdict.file, out: outcome.out }).toEqual({ file: verdict.file, out: '' });
      expect(errors.length).toBeGreaterThan(0);
      for (const line of errors) expect(line).toMatch(PLACED);
      if (errors.length > 1) expect(outcome.err).toContain(`\n${errors.length} errors\n`);
    }
  });

  it('has nothing but warnings to say about the 117', () => {
    for (const { outcome } of ending(EXIT.ok)) {
      for (const line of outcome.err.split('\n').slice(0, -1)) {
        expect(line).toMatch(PLACED);
        expect(line).toContain(': warning: ');
      }
    }
  });

  it('never looks at the environment', () => {
    expect(all.filter(({ outcome }) => outcome.out.includes('not.to.be.seen'))).toEqual([]);
  });
});
