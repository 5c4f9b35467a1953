/**
 * The main job with tasks as containers of a Docker Engine, behind this machine's kernel.
 */
import { afterAll } from '@jest/globals';
import { missingPrograms } from '../../../scripts/missing-programs.js';
import { suiteThatNeeds } from '../../../scripts/test-needs.js';
import { TestEngine } from './docker-engine.js';
import { missingForKernel } from './kernel-cluster.js';
import { containers, IMAGE } from './real-runtimes.js';
import { voteScenario } from './vote-scenario.js';

const missing = [...missingForKernel(), ...missingPrograms(['wrk', 'dockerd', 'docker', 'tar'])];
const { suite, lack } = suiteThatNeeds([...new Set(missing)]);

suite(`vote as containers${lack}`, () => {
  const mark = `skt-${process.pid}-vote`;
  let engine: TestEngine | undefined;

  voteScenario({
    mark,
    isContainer: true,
    runtime: async () => {
      engine = new TestEngine();
      await engine.start();
      engine.importBusybox(IMAGE);
      return containers(engine, mark);
    },
  });

  // After that of the scenario, whose containers it has.
  afterAll(() => engine?.remove(), 60_000);
});
