/**
 * `skep simulate` over real stack files: each settles on five nodes, or says for each pending task
 * what every node lacks, or is refused for a reason that a real manager has, too.
 */
import { expect, it } from '@jest/globals';
import { EXIT } from '../src/surroundings.js';
import { describeCorpus, skepInCorpus, VERDICTS } from './corpus.js';

const NODES = ['node1', 'node2', 'node3', 'node4', 'node5'];

const OPTIONS =
  '--provide-external --missing-files empty --nodes 5 --stack st --no-env --limit 600'.split(' ');

// Parts of names that are longer than a line.
const KOMPOSE = 'kubernetes__kompose__script__test__fixtures__';
const ORCHESTRATION = 'JackieTreeh0rn__Docker-Swarm-Stacks__Orchestration__';

/** What a manager refuses, though the client would send it. */
const REFUSED: Readonly<Record<string, { readonly why: string; readonly says: RegExp }>> = {
  [`${KOMPOSE}compose-v3.3-test__compose-endpoint-mode-2.yaml`]: {
    why: 'an ingress port with the endpoint mode dnsrr has no address to lead to',
    says: /:6:9: error: services\.wordpress\.ports\[0\]: .*\[ingress-with-dnsrr\]/,
  },
  [`${KOMPOSE}env-multiple__compose.yaml`]: {
    why: 'two services publish one port by ingress',
    says: /error: services\.namenode\.ports\[\d\]: Service st_namenode: port \d+\/tcp belongs to/,
  },
};

const CLOUDSTOR = 'plugin Volume/cloudstor:latest is missing';
const DOBS = 'plugin Volume/rexray/dobs is missing';
const GLUSTERFS = 'plugin Volume/glusterfs is missing';
const SHARED = 'plugin Volume/shared is missing';
const WIRED = "constraint needs node.labels.WIRED == YES, has ''";
const GLUSTER = "constraint needs node.labels.GLUSTER == YES, has ''";
const NO_MANAGER = 'constraint needs node.role == manager, has worker';
const NO_WORKER = 'constraint needs node.role==worker, has manager';

/** Files with tasks that fit on none of five plain nodes, and all that one of these lacks. */
const PENDING: Readonly<Record<string, { readonly tasks: number; readonly lacks: string[] }>> = {
  [`${KOMPOSE}deploy__placement__compose-placement.yaml`]: {
    tasks: 1,
    lacks: [
      'constraint needs baz != qux, has no such key',
      "constraint needs engine.labels.operatingsystem == ubuntu 14.04, has ''",
      ...NODES.map((name) => `constraint needs node.hostname == machine, has ${name}`),
    ],
  },
  'BretFisher__dogvscat__stack-ee-voting.yml': { tasks: 2, lacks: [CLOUDSTOR] },
  'BretFisher__dogvscat__stack-elk.yml': { tasks: 1, lacks: [DOBS] },
  'BretFisher__dogvscat__stack-proxy.yml': { tasks: 1, lacks: [NO_MANAGER, DOBS] },
  'BretFisher__dogvscat__stack-ee-ghost.yml': { tasks: 2, lacks: [CLOUDSTOR] },
  'BretFisher__udemy-docker-mastery__swarm-stack-4__answer__voting-app-placement.yml': {
    tasks: 1,
    lacks: ["constraint needs node.labels.ssd == true, has ''"],
  },
  [`${ORCHESTRATION}swarmpit-swarm-monitoring__docker-stack-compose.yml`]: {
    tasks: 2,
    lacks: [GLUSTER, WIRED],
  },
  [`${ORCHESTRATION}docker-registry-selfhosted__docker-stack-compose.yml`]: {
    tasks: 2,
    lacks: [GLUSTER, WIRED],
  },
  [`${ORCHESTRATION}portainer-swarm-management__docker-stack-compose.yml`]: {
    tasks: 1,
    lacks: [GLUSTER, WIRED],
  },
  'chrisbecke__swarm-stacks__harbor__harbor-portal.yml': { tasks: 6, lacks: [GLUSTERFS] },
  'chrisbecke__swarm-stacks__vault__stack.yml': { tasks: 4, lacks: [NO_WORKER, SHARED] },
  'chrisbecke__swarm-stacks__promtail-loki-grafana__logging-stack.yml': {
    tasks: 1,
    lacks: [GLUSTERFS],
  },
  'chrisbecke__swarm-stacks__consul__consul-stack.yml': { tasks: 3, lacks: [NO_WORKER, SHARED] },
  'neuroforgede__swarmsible-stacks__02_portainer__portainer.yml': {
    tasks: 1,
    lacks: [
      "constraint needs node.labels.hetzner_location == nbg1, has ''",
      NO_MANAGER,
      'plugin Volume/hetzner-volume is missing',
    ],
  },
  'swarmstack__swarmstack__docker-compose.yml': {
    tasks: 7,
    lacks: [
      "constraint needs node.Labels.storagegroup==RED, has ''",
      NO_MANAGER,
      'plugin Volume/pxd is missing',
    ],
  },
};

interface Result {
  readonly isSettled: boolean;
  readonly services: readonly { readonly name: string; readonly mode: Mode }[];
  readonly tasks: readonly {
    readonly name: string;
    readonly state: string;
    readonly desiredState: string;
  }[];
  readonly problems: readonly {
    readonly kind: string;
    readonly name: string;
    readonly code: string;
    readonly shortfalls?: readonly { readonly nodes: string[]; readonly lacks: string[] }[];
  }[];
}

interface Mode {
  readonly type: string;
  readonly replicas?: number;
}

async function simulated(file: string): Promise<Result> {
  const { code, out } = await skepInCorpus(['simulate', '-f', file, '--json', ...OPTIONS]);
  expect(code).toBe(file in PENDING ? EXIT.unsettled : EXIT.ok);
  return JSON.parse(out) as Result;
}

const deployed = VERDICTS.filter(({ deploy }) => deploy === 'accepted').map(({ file }) => file);
const settling = deployed.filter((file) => !(file in PENDING) && !(file in REFUSED));

describeCorpus('skep simulate on the 117 stack files that deploy: 100 settle, each', () => {
  it('100 of 117', () => expect(settling).toHaveLength(100));

  // An empty table is an error even in a suite that is skipped.
  it.each(settling.length === 0 ? ['none is here'] : settling)('%s', async (file) => {
    const { isSettled, services, tasks, problems } = await simulated(file);
    expect({ isSettled, problems }).toEqual({ isSettled: true, problems: [] });
    for (const { name, mode } of services) {
      const own = tasks.filter((task) => task.name.startsWith(`${name}.`));
      const running = own.filter(({ state }) => state === 'running').length;
      if (mode.type === 'replicated') expect([name, running]).toEqual([name, mode.replicas ?? 1]);
      expect(own.map(({ state }) => state)).toEqual(own.map(() => 'running'));
    }
  });
});

describeCorpus('skep simulate on the 117: 15 have tasks that fit nowhere, and it says why', () => {
  it('15 of 117', () => expect(Object.keys(PENDING)).toHaveLength(15));

  it.each(Object.keys(PENDING))('%s', async (file) => {
    const { isSettled, tasks, problems } = await simulated(file);
    const waiting = tasks.filter(({ state }) => state === 'pending').map(({ name }) => name);
    const reasons = problems.filter(({ kind }) => kind === 'Task');
    expect(isSettled).toBe(true);
    expect(tasks.every(({ state }) => state === 'pending' || state === 'running')).toBe(true);
    expect(reasons.map(({ name }) => name).sort()).toEqual([...waiting].sort());
    expect(waiting).toHaveLength(PENDING[file]?.tasks ?? 0);
    for (const { shortfalls = [] } of reasons) {
      expect(shortfalls.flatMap(({ nodes }) => nodes).sort()).toEqual(NODES);
      expect(shortfalls.every(({ lacks }) => lacks.length > 0)).toBe(true);
    }
    const lacks = reasons.flatMap(({ shortfalls = [] }) => shortfalls.flatMap((one) => one.lacks));
    expect([...new Set(lacks)].sort()).toEqual([...(PENDING[file]?.lacks ?? [])].sort());
  });
});

describeCorpus('skep simulate on the 117: 2 are refused, as a real manager would', () => {
  it.each(Object.entries(REFUSED))('%s: $why', async (file, { says }) => {
    const { code, out, err } = await skepInCorpus(['simulate', '-f', file, ...OPTIONS]);
    expect({ code, out }).toEqual({ code: EXIT.badInput, out: '' });
    expect(err).toMatch(says);
  });
});

describeCorpus('skep simulate on the 81 that the client refuses', () => {
  it('refuses 70 and runs the 11 that only the Compose specification allows', async () => {
    const refused = VERDICTS.filter(({ deploy }) => deploy === 'refused');
    const codes = new Map<number, number>();
    for (const { file } of refused) {
      const { code } = await skepInCorpus(['simulate', '-f', file, ...OPTIONS]);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect(Object.fromEntries(codes)).toEqual({ [EXIT.ok]: 11, [EXIT.badInput]: 70 });
  });
});
